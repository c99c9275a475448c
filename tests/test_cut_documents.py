"""From a config to the chunks that go on: duplicates, subsets, folders cleaned by hand."""

import asyncio
import json
from dataclasses import dataclass, field

import pytest
import yaml
from scripted_run import friendly_reply

from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ConfigError, InputError
from generation_functions.session import open_run
from generation_functions.sources import Source
from generation_functions.stages import documents, write_questions


@dataclass
class Place:
    folder: object
    system: dict = field(default_factory=dict)
    one: dict = field(default_factory=dict)
    output: str = "run"
    skip: bool = False

    def open(self):
        config = {
            "path": {
                "input_dirs": [{"path": "one", **self.one}, {"path": "two"}],
                "output_dir": self.output,
                "skip_unreadable": self.skip,
            },
            "models": {role: {"url": "http://nowhere"} for role in ("small", "large")},
            "dataset_context": "tests",
            "questions": {"double_check_counter": 1, "max_questions": 1},
            "system": {"token_counter": "words", "chunk_size": 60, **self.system},
        }
        file = self.folder / "config.yaml"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        engine = ScriptedEngine(friendly_reply)
        return open_run(file, {"small": engine, "large": engine})


def prose(name):
    return " ".join(f"{name}{number} is so." for number in range(12))


def decide(run):
    return list(Source(run.config).decisions())


def directories_going_on(run):
    return [one.chunk.directory for one in decide(run) if not one.reason]


def status_of(run, stage):
    return json.loads((run.folder / "status.json").read_text(encoding="utf-8"))[stage]


def steps_of(run):
    asyncio.run(write_questions(run))
    return status_of(run, "questions")["steps"]


def asked_about(run):
    """Return the texts that questions were asked about, or that were judged."""
    asyncio.run(write_questions(run))
    shown = "\n".join(one.messages[-1].content for one in run.engines.of("small").requests)
    return [one.chunk.text for one in decide(run) if one.chunk.text.strip() in shown]


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
    (chunk,) = survey.dropped["duplicate"].examples
    assert chunk.directory == "two"
    (line,) = (run.folder / "duplicates.jsonl").read_text(encoding="utf-8").splitlines()
    kept = next(one for one in survey.kept if "same" in one.text)
    assert json.loads(line) == {"uuid": chunk.uuid, "kept": kept.uuid, "reason": "duplicate"}


def test_duplicates_may_stay(place):
    place.system = {"drop_duplicates": False}
    assert len(directories_going_on(place.open())) == 6


def test_a_folder_has_its_own_subset_or_the_general_one(place):
    place.one = {"use_subset": True, "subset_size": 1}
    assert directories_going_on(place.open()) == ["one", "two", "two"]
    place.one, place.system = {"use_subset": False}, {"use_subset": True, "subset_size": 1}
    assert directories_going_on(place.open()) == ["one"] * 3 + ["two"]


def test_no_rule_drops_what_was_cleaned_by_hand(place):
    (place.folder / "one" / "b.txt").write_text("III.", encoding="utf-8")
    run = place.open()
    assert "almost no text" in [one.reason for one in decide(run)]
    assert "III." not in asked_about(run)
    place.one = {"cleaned_by_hand": True}
    run = place.open()
    assert "" in [one.reason for one in decide(run) if one.chunk.text == "III."]
    assert "III." in asked_about(run)


def test_without_filter_every_chunk_is_written_about_and_none_judged(place):
    run = place.open()
    assert set(steps_of(run)) >= {"judge_chunk", "write_questions"}
    place.system = {"skip_filter_chunks": True}
    place.output = "unfiltered"
    run = place.open()
    steps = steps_of(run)
    assert "judge_chunk" not in steps
    assert steps["write_questions"]["in"] == 5
    assert len(list((run.folder / "worthy_for_questions").glob("*.json"))) == 5


def test_an_unreadable_file_stops_both_stages_before_anything_is_made(place):
    (place.folder / "one" / "bad.jsonl").write_text('{"text": "x"}\nno\n[]', encoding="utf-8")
    (place.folder / "two" / "empty.txt").write_text(" ", encoding="utf-8")
    run = place.open()
    for stage in (documents, write_questions):
        with pytest.raises(InputError) as error:
            asyncio.run(stage(run))
        assert "bad.jsonl: line 2 is not JSON" in str(error.value)
        assert "2 lines have faults" in str(error.value)
        assert "empty.txt: no text" in str(error.value)
    assert run.engines.of("small").requests == []
    assert not (run.folder / "duplicates.jsonl").exists()
    assert not list(run.folder.glob("live/*"))


def test_unreadable_files_can_be_left_out_and_are_counted(place):
    (place.folder / "one" / "bad.jsonl").write_text('{"text": "x"}\nno', encoding="utf-8")
    (place.folder / "two" / "empty.txt").write_text(" ", encoding="utf-8")
    place.skip = True
    run = place.open()
    survey = asyncio.run(documents(run))
    assert [line.path for line in survey.documents] == ["a.txt", "bad.jsonl", "a.txt"]
    assert [one.rpartition("/")[2][:9] for one in survey.unreadable] == ["bad.jsonl", "empty.txt"]
    files = status_of(run, "documents")["pipelines"]["files"]
    assert (files["in"], files["kept"], files["rejected"]) == (4, 3, 1)
    lines, whole = survey.unreadable
    assert set(files["reasons"]["rejected"]) == {whole}
    assert lines.endswith("1 line is left out, the others are used")
    log = (run.folder / "run.log").read_text(encoding="utf-8")
    assert f"left out: {lines}" in log
    assert f"left out: {whole}" in log
    assert status_of(run, "documents")["complete"]


def test_texts_of_documents_that_are_gone_are_set_aside(place):
    run = place.open()
    asyncio.run(documents(run))
    before = {file.name for file in (run.folder / "documents").glob("*.txt")}
    (place.folder / "one" / "a.txt").write_text(prose("other"), encoding="utf-8")
    asyncio.run(documents(run))
    after = {file.name for file in (run.folder / "documents").glob("*.txt")}
    stale = {file.name for file in (run.folder / "documents" / "stale").iterdir()}
    assert len(before) == len(after) == 2
    assert stale == before - after
    assert len(stale) == 1


def test_a_directory_that_is_missing_is_never_left_out(place):
    (place.folder / "two" / "a.txt").unlink()
    place.skip = True
    with pytest.raises(InputError, match="two: no documents in it"):
        asyncio.run(documents(place.open()))


def test_questions_read_the_input_once_where_the_documents_stage_has_seen_it(place, monkeypatch):
    run = place.open()
    asyncio.run(documents(run))
    checks = []
    monkeypatch.setattr(Source, "check", lambda source: checks.append(source))
    asyncio.run(write_questions(run))
    assert not checks
    (place.folder / "one" / "a.txt").write_text(prose("other"), encoding="utf-8")
    asyncio.run(write_questions(run))
    assert len(checks) == 1


def test_a_limit_takes_the_first_chunks_that_go_on(place):
    run = place.open()
    asyncio.run(write_questions(run, 2))
    going_on = [one.chunk.text for one in decide(run) if not one.reason]
    assert status_of(run, "questions")["pipelines"]["chunks"]["in"] == 2
    assert set(asked_about(run)) <= set(going_on)


def test_too_large_an_overlap_is_a_config_error(place):
    place.system = {"chunk_overlap": 31}
    with pytest.raises(ConfigError, match="at most half"):
        place.open()
