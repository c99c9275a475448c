"""From a config to the chunks that go on: duplicates, subsets, folders cleaned by hand."""

import asyncio
import json
from dataclasses import dataclass, field

import pytest
import yaml

from generation_functions.engine.scripted import ScriptedEngine, draw_reply
from generation_functions.errors import ConfigError
from generation_functions.session import open_run
from generation_functions.stages import cut_documents, documents


@dataclass
class Place:
    folder: object
    system: dict = field(default_factory=dict)
    one: dict = field(default_factory=dict)

    def open(self):
        config = {
            "path": {
                "input_dirs": [{"path": "one", **self.one}, {"path": "two"}],
                "output_dir": "run",
            },
            "models": {role: {"url": "http://nowhere"} for role in ("small", "large")},
            "dataset_context": "tests",
            "system": {"token_counter": "words", "chunk_size": 60, **self.system},
        }
        file = self.folder / "config.yaml"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        engine = ScriptedEngine(draw_reply)
        return open_run(file, {"small": engine, "large": engine})


def prose(name):
    return " ".join(f"{name}{number} is so." for number in range(12))


@pytest.fixture
def place(tmp_path):
    for directory in ("one", "two"):
        (tmp_path / directory).mkdir()
        text = "\n\n".join([prose(directory), prose("same"), prose(f"last{directory}")])
        (tmp_path / directory / "a.txt").write_text(text, encoding="utf-8")
    return Place(tmp_path)


def test_a_duplicate_is_dropped_and_points_to_the_first(place):
    run = place.open()
    survey = asyncio.run(documents(run))
    ((reason, dropped),) = survey.dropped.items()
    (chunk,) = dropped.examples
    assert (chunk.directory, reason) == ("two", "duplicate")
    (line,) = (run.folder / "duplicates.jsonl").read_text(encoding="utf-8").splitlines()
    kept = next(one for one in survey.kept if "same" in one.text)
    assert json.loads(line) == {"uuid": chunk.uuid, "kept": kept.uuid, "reason": reason}


def test_duplicates_may_stay(place):
    place.system = {"drop_duplicates": False}
    assert len(cut_documents(place.open()).chunks) == 6


def test_a_folder_has_its_own_subset_or_the_general_one(place):
    place.one = {"use_subset": True, "subset_size": 1}
    run = place.open()
    assert [one.directory for one in cut_documents(run).chunks] == ["one", "two", "two"]
    place.one, place.system = {"use_subset": False}, {"use_subset": True, "subset_size": 1}
    run = place.open()
    assert [one.directory for one in cut_documents(run).chunks] == ["one"] * 3 + ["two"]


def test_no_rule_drops_what_was_cleaned_by_hand(place):
    (place.folder / "one" / "b.txt").write_text("III.", encoding="utf-8")
    assert "almost no text" in [reason for _, reason in cut_documents(place.open()).dropped]
    place.one = {"cleaned_by_hand": True}
    assert "III." in [chunk.text for chunk in cut_documents(place.open()).chunks]


def test_too_large_an_overlap_is_a_config_error(place):
    place.system = {"chunk_overlap": 31}
    with pytest.raises(ConfigError, match="at most half"):
        place.open()
