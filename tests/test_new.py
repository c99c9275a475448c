"""`new`: what it writes runs at once, and nothing has to be edited for it."""

import asyncio
import json
import re
import runpy
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import OpenRun
from test_notebooks import run_cells

from generation_functions import command_line, discovery, new, session
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ConfigError
from generation_functions.new import create_pipeline
from generation_functions.pipelines import own
from generation_functions.steps import prompts
from generation_functions.steps.prompts import GRAMMARS

ROOT = Path(__file__).resolve().parents[1]
NAME = "kit_trial"  # of no pipeline that a person is likely to have


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write a pipeline into a folder, and let the program find it as if it stood in its own."""
    root = tmp_path / "program"
    create_pipeline(NAME, root)
    shutil.copy(GRAMMARS / "shared.gbnf", root / "grammars")
    package = root / "generation_functions"
    monkeypatch.setattr(prompts, "PROMPTS", package / "prompts")
    monkeypatch.setattr(prompts, "GRAMMARS", root / "grammars")
    monkeypatch.setattr(discovery, "OWN", package / "pipelines" / "own")
    monkeypatch.setattr(own, "__path__", [*own.__path__, str(discovery.OWN)])
    yield root
    sys.modules.pop(f"{own.__name__}.{NAME}", None)


def test_what_is_written_passes_its_own_test(written: Path, open_small_run: OpenRun) -> None:
    tests = runpy.run_path(str(written / new.FILES["test.py"].format(name=NAME)))
    begun = time.process_time()
    tests["test_each_chunk_becomes_a_row"](open_small_run)
    assert time.process_time() - begun < 1


def test_what_is_written_runs_by_its_name(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_small_run: OpenRun
) -> None:
    config = {"enabled": False, "instruction": "What is it?"}
    engine = ScriptedEngine(lambda request: "It tells of ropes.")
    run = open_small_run(engine, **{NAME: config})
    monkeypatch.setattr(command_line, "open_run", lambda file: run)
    command = ["run", NAME, "--config", str(tmp_path / "config.yaml"), "--limit", "2"]
    assert command_line.main(command) == 0
    rows = (run.folder / f"{NAME}_rows" / "sharegpt.jsonl").read_text(encoding="utf-8")
    first, *others = [json.loads(line)["conversations"] for line in rows.splitlines()]
    assert first[0]["value"].startswith("What is it?\n\n")
    assert first[1]["value"] == "It tells of ropes."
    assert len(others) == 1


def test_its_notebook_runs_and_shows_what_was_made(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_small_run: OpenRun
) -> None:
    run = open_small_run(ScriptedEngine(lambda request: "It tells of ropes."))
    monkeypatch.setattr(session, "open_run", lambda config: run)
    notebook = written / new.FILES["notebook.ipynb"].format(name=NAME)
    shown: dict[str, Any] = asyncio.run(run_cells(notebook, tmp_path / "config.yaml"))
    assert "It tells of ropes." in shown["look"].show_plain().source
    assert shown["browse"].steps == (f"write_{NAME}",)
    assert shown["edit"].step.name == f"write_{NAME}"


@pytest.mark.parametrize("name", ["kt", NAME, "kit_trial_at_its_most"[:20]])
def test_what_is_written_is_formatted_and_short(tmp_path: Path, name: str) -> None:
    files = create_pipeline(name, tmp_path)
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--config", str(ROOT / "pyproject.toml")]
    python = [str(file) for file in files if file.suffix == ".py"]
    for command in (["format", "--check"], ["check", "--ignore=I001"]):
        subprocess.run([*ruff, *command, *config, *python], check=True, capture_output=True)
    texts = [one.read_text(encoding="utf-8") for one in files if one.suffix != ".ipynb"]
    assert sum(bool(line.strip()) for text in texts for line in text.splitlines()) <= 70


def test_its_notebook_leads_to_what_was_written(tmp_path: Path) -> None:
    files = create_pipeline(NAME, tmp_path)
    notebook = next(file for file in files if file.suffix == ".ipynb")
    content = json.loads(notebook.read_text(encoding="utf-8"))
    text = "".join("".join(cell["source"]) for cell in content["cells"])
    links = [part.partition(")")[0] for part in text.split("](")[1:]]
    assert len(links) == 4
    *written, page = links
    assert all((notebook.parent / link).is_file() for link in written)
    assert (ROOT / page.removeprefix("../../")).is_file()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Cards", "small letters"),
        ("class", "small letters"),
        ("../cards", "small letters"),
        ("style", "a pipeline of that name"),
        ("questions", "a stage of that name"),
        ("model_training", "a section of the config of that name"),
        ("meta_datagen", "of that name"),
        ("json", "a method of the config of that name"),
        ("yes", "small letters"),
        ("style_rows", "small letters"),
        ("exam_score", "a folder of a run of that name"),
        ("judge_chunk", "a step of that name"),
        ("worthy_for_questions", "a folder of a run of that name"),
    ],
)
def test_a_name_that_clashes_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        create_pipeline(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_pipeline_is_named_like_a_folder_that_a_run_has(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    folders = re.findall(
        r"`([a-z_]+)/", "\n".join(re.findall(r"^\| (`.+?) \|", text, re.MULTILINE))
    )
    assert len(folders) > 20
    for name in folders:
        with pytest.raises(ConfigError):
            create_pipeline(name, tmp_path)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    test = tmp_path / new.FILES["test.py"].format(name=NAME)
    test.parent.mkdir(parents=True)
    test.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"tests/test_{NAME}\.py is there already"):
        create_pipeline(NAME, tmp_path)
    assert test.read_text(encoding="utf-8") == "mine"
    assert len(list(tmp_path.rglob("*.*"))) == 1
