"""The notebooks: as the house wants them, and each running after those before it."""

import ast
import asyncio
import json
import re
import warnings
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

import nbformat
import pytest
import yaml
from conftest import TEXT
from gguf_files import shape_llama, write_gguf
from nbformat import NotebookNode
from scripted_run import friendly_reply

from generation_functions import demo, session
from generation_functions.demo import NOTEBOOKS, execute_notebook, run_demo
from generation_functions.engine.gguf import read_model
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import PalimpsestError, RunFolderError
from generation_functions.stages import STAGES, find_pipeline, run_pipeline
from generation_functions.status import read_status
from generation_functions.steps.run import Run

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "notebooks").glob("*.ipynb"))
STATEMENTS = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.comprehension,
    ast.Try,
)
each_notebook = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def read(file: Path) -> NotebookNode:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        notebook = nbformat.read(file, as_version=4)
    return notebook


def code_of(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_demo_executes_every_notebook_in_order() -> None:
    assert [file.stem for file in FILES] == list(NOTEBOOKS)


@each_notebook
def test_a_notebook_is_valid_and_has_8_to_24_cells_with_readable_ids(file: Path) -> None:
    notebook = read(file)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert 8 <= len(notebook.cells) <= 24
    assert notebook.cells[0].cell_type == "markdown"
    assert all(re.fullmatch(r"[a-z]{3,}(-[a-z]+)*", cell.id) for cell in notebook.cells)


@each_notebook
def test_a_notebook_is_stored_without_outputs(file: Path) -> None:
    for cell in code_of(read(file)):
        assert cell.outputs == []
        assert cell.execution_count is None


@each_notebook
def test_the_one_settings_cell_is_the_first_code_cell_and_only_assigns(file: Path) -> None:
    tagged = [cell.id for cell in read(file).cells if "parameters" in cell.metadata.get("tags", ())]
    assert tagged == ["settings"]
    first = code_of(read(file))[0]
    assert first.id == "settings"
    assert all(isinstance(one, ast.Assign) for one in ast.parse(first.source).body)


@each_notebook
def test_cells_only_call_and_look(file: Path) -> None:
    for cell in code_of(read(file)):
        assert not re.search(r"^\s*[!%]|sys\.path", cell.source, re.MULTILINE)
        assert not [
            node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, STATEMENTS)
        ]


@each_notebook
def test_links_lead_to_files(file: Path) -> None:
    text = "\n".join(cell.source for cell in read(file).cells if cell.cell_type == "markdown")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (file.parent / link).is_file()] == []


def test_notebooks_run_one_after_the_other_in_fresh_namespaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path)
    use_scripted_engines(monkeypatch)
    for file in FILES:
        shown = asyncio.run(run_cells(file, config))
        assert all(one is None or rich(one) for one in shown.values()), shown
    rows = tmp_path / "run" / "sft_run" / "factual_sft_completion" / "multiturn_convs.jsonl"
    assert rows.read_text(encoding="utf-8").strip()


def test_a_notebook_run_again_asks_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path)
    engine = use_scripted_engines(monkeypatch)
    questions = ROOT / "notebooks" / "02_questions.ipynb"
    asyncio.run(run_cells(questions, config))
    asked = len(engine.requests)
    asyncio.run(run_cells(questions, config))
    assert asked > 0
    assert len(engine.requests) == asked


def test_a_notebook_run_too_early_says_what_to_run_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path)
    use_scripted_engines(monkeypatch)
    with pytest.raises(RunFolderError, match="Run the stage before this one first"):
        asyncio.run(run_cells(ROOT / "notebooks" / "07_conversations.ipynb", config))


@pytest.mark.slow
def test_the_demo_executes_all_notebooks_and_says_where_everything_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In real kernels; its replies were given before, by an engine that passes for the GGUF's."""
    monkeypatch.setitem(demo.PARAMETERS, "00_models", {"calibration_seconds": 0})  # no weights
    config = write_config(tmp_path)
    fingerprint = read_model(tmp_path / "models" / "tiny.gguf").fingerprint
    engine = ScriptedEngine(friendly_reply, fingerprint=fingerprint)
    asyncio.run(run_stages(session.open_run(config, {"small": engine, "large": engine})))
    run_demo(config, ROOT)
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[: len(NOTEBOOKS)]] == list(NOTEBOOKS)
    run = tmp_path / "run"
    assert f"{run}/sft_run/sft_training_config.yaml" in said
    assert "sft_run/factual_sft_completion/multiturn_convs.jsonl" in said
    counts = [step for stage in read_status(run).values() for step in stage["steps"].values()]
    assert sum(step["replayed_calls"] for step in counts) > 0
    assert sum(step["new_calls"] for step in counts) == 0
    for name in NOTEBOOKS:
        executed = read(run / "notebooks" / f"{name}.ipynb")
        assert all(cell.execution_count for cell in code_of(executed))


def test_a_failing_notebook_names_its_cell_and_leaves_its_copy(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    cells = [
        nbformat.v4.new_code_cell('config = "x"', id="settings", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("import os\nassert os.path.isabs(config)", id="look"),
        nbformat.v4.new_code_cell("1 / 0", id="divide"),
    ]
    notebook = tmp_path / "notebooks" / "00_models.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
    config = write_config(tmp_path)
    with pytest.raises(PalimpsestError, match=r"00_models.*`divide`.*ZeroDivisionError: division"):
        run_demo(config, tmp_path)
    assert (tmp_path / "run" / "notebooks" / "00_models.ipynb").exists()


def test_an_executed_copy_has_links_that_lead_and_plain_html_for_dead_widgets(
    tmp_path: Path,
) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "beside.txt").write_text("here", encoding="utf-8")
    both = {"text/html": "<b>a</b>", "application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
    cells = [
        nbformat.v4.new_markdown_cell("See [this](../beside.txt).", id="see"),
        nbformat.v4.new_code_cell('config = "x"', id="settings", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(
            f"from IPython.display import display\ndisplay({both!r}, raw=True)", id="both"
        ),
    ]
    notebook = tmp_path / "notebooks" / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
    executed = tmp_path / "deep" / "down" / "a.ipynb"
    executed.parent.mkdir(parents=True)
    execute_notebook(notebook, executed, {"config": str(tmp_path / "config.yaml")})
    content = json.loads(executed.read_text(encoding="utf-8"))
    (link,) = re.findall(r"\]\(([^)]+)\)", "".join(content["cells"][0]["source"]))
    assert (executed.parent / link).read_text(encoding="utf-8") == "here"
    assert [list(output["data"]) for output in content["cells"][-1]["outputs"]] == [["text/html"]]


async def run_stages(run: Run) -> None:
    run.progress = False
    for stage in STAGES.values():
        await stage(run, None)
    await run_pipeline(run, find_pipeline("style"))  # notebook 10 does, whatever the config says


def write_config(folder: Path) -> Path:
    """Write a config of a small run, with its document and a GGUF that is only a header."""
    for name in ("texts", "models"):
        (folder / name).mkdir()
    document = folder / "texts" / "The Kelvin Bridge, by A. Mason, published 1970.txt"
    document.write_text(TEXT, encoding="utf-8")
    write_gguf(folder / "models" / "tiny.gguf", shape_llama({}))
    config = {
        "path": {
            "input_dirs": [{"path": "texts"}],
            "output_dir": "run",
            "models_dir": "models",
        },
        "models": {"small": {"gguf": "tiny.gguf"}, "large": {"gguf": "tiny.gguf"}},
        "dataset_context": "Bridges",
        "system": {"token_counter": "words", "chunk_size": 60},
        "questions": {"double_check_counter": 1, "planted_pairs": 2},
        "style": {"least_words": 10},  # the text's chunks are short
    }
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    return file


def use_scripted_engines(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    """Have notebooks, which only name a config, work with a scripted engine."""
    engine = ScriptedEngine(friendly_reply)
    opened = partial(session.open_run, engines={"small": engine, "large": engine})
    monkeypatch.setattr(session, "open_run", opened)
    return engine


async def run_cells(file: Path, config: Path) -> dict[str, object]:
    """Run a notebook's cells as its kernel would; return what each one shows."""
    names: dict[str, Any] = {}
    shown: dict[str, object] = {}
    for cell in code_of(read(file)):
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        await evaluate(tree, names)
        if last is not None:
            shown[cell.id] = await evaluate(ast.Expression(last.value), names)
        if cell.id == "settings":
            names |= {"config": str(config), "calibration_seconds": 0}
    return shown


async def evaluate(tree: ast.Module | ast.Expression, names: dict[str, Any]) -> Any:
    mode = "eval" if isinstance(tree, ast.Expression) else "exec"
    code: CodeType = compile(tree, "cell", mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    return await result if asyncio.iscoroutine(result) else result


def rich(value: object) -> bool:
    """Whether a front end shows more of a value than its words; what it shows is made."""
    makers = ("_repr_html_", "_repr_png_", "_repr_mimebundle_")
    made = [getattr(value, maker)() for maker in makers if hasattr(value, maker)]
    return bool(made) and all(made)
