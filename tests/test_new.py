"""`new`: what it writes runs at once, and nothing has to be edited for it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from generation_functions import new
from generation_functions.errors import ConfigError
from generation_functions.new import create_pipeline

ROOT = Path(__file__).resolve().parents[1]
NAME = "kit_trial"  # of no pipeline that a person is likely to have
# What a person runs next, but for the model: the test, and the pipeline by its name.
RUN = """
import sys
name = sys.argv[1]
from functools import partial
import pytest
from generation_functions import __main__
from generation_functions.engine.scripted import ScriptedEngine
failed = pytest.main(["-q", "-p", "no:cacheprovider", f"tests/test_{name}.py"])
engine = ScriptedEngine(lambda request: "It tells of ropes.")
opened = partial(__main__.open_run, engines={"small": engine, "large": engine})
__main__.open_run = opened
sys.exit(failed or __main__.main(["run", name, "--config", sys.argv[2], "--limit", "2"]))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of what a new pipeline needs of the program."""
    root = tmp_path / "program"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for folder in ("generation_functions", "grammars"):
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    (root / "tests").mkdir()
    for file in ("tests/conftest.py", "pyproject.toml", "input_texts/samples/seven_metals.md"):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    return root


def write_config(root: Path) -> Path:
    file = root / "own.yaml"
    file.write_text(
        "path: {input_dirs: [{path: input_texts}], output_dir: run}\n"
        "models: {small: {gguf: none.gguf}, large: {gguf: none.gguf}}\n"
        "dataset_context: metals\n"
        "system: {token_counter: words}\n"
        f"{NAME}: {{instruction: 'What is it?'}}\n",
        encoding="utf-8",
    )
    return file


def test_what_is_written_passes_its_test_and_runs_by_its_name(copy: Path) -> None:
    create_pipeline(NAME, copy)
    config = write_config(copy)
    done = subprocess.run(
        [sys.executable, "-c", RUN, NAME, str(config)], cwd=copy, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    rows = (copy / "run" / f"{NAME}_rows" / "sharegpt.jsonl").read_text(encoding="utf-8")
    first, *others = [json.loads(line)["conversations"] for line in rows.splitlines()]
    assert first[0]["value"].startswith("What is it?\n\n")
    assert len(others) == 1


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
    assert len(links) == 3
    assert all((notebook.parent / link).is_file() for link in links)


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


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    test = tmp_path / new.FILES["test.py"].format(name=NAME)
    test.parent.mkdir(parents=True)
    test.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"tests/test_{NAME}\.py is there already"):
        create_pipeline(NAME, tmp_path)
    assert test.read_text(encoding="utf-8") == "mine"
    assert len(list(tmp_path.rglob("*.*"))) == 1
