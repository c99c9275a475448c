"""The demo: every notebook executed in turn, from documents to training data."""

import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

from generation_functions.datasets.axolotl import (
    PRETRAINING_CONFIG,
    PRETRAINING_FOLDER,
    SFT_CONFIG,
    SFT_FOLDER,
)
from generation_functions.errors import PalimpsestError
from generation_functions.session import run_folder
from generation_functions.status import describe_status, read_status

NOTEBOOKS = (
    "00_models",
    "01_documents",
    "02_questions",
    "03_pretraining",
    "04_recall",
    "05_rag",
    "06_corrections",
    "07_conversations",
    "08_mix_and_configs",
    "09_exam",
    "10_your_own_pipeline",
)
PARAMETERS: dict[str, dict[str, object]] = {  # small
    "00_models": {"calibration_seconds": 8},
    "10_your_own_pipeline": {"limit": 2},
}
_WIDGET = "application/vnd.jupyter.widget-view+json"
_LINK_UP = re.compile(r"\]\(\.\./")


def run_demo(config: Path, root: Path) -> None:
    """Execute the notebooks of `root` on a config, into its run folder, and say what is where.

    Raises PalimpsestError, naming notebook and cell, when one fails; what was made stays.
    """
    config = config.resolve()
    folder = run_folder(config)
    executed = folder / "notebooks"
    executed.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    for name in NOTEBOOKS:
        begun = time.monotonic()
        print(f"{name:20}", end=" ", flush=True)
        try:
            execute_notebook(
                root / "notebooks" / f"{name}.ipynb",
                executed / f"{name}.ipynb",
                {"config": str(config), **PARAMETERS.get(name, {})},
            )
        except PalimpsestError:
            print()  # the error has its own line
            raise
        print(f"{time.monotonic() - begun:7.1f} s", flush=True)
    print(f"{'together':20} {time.monotonic() - started:7.1f} s\n")
    print(describe_status(read_status(folder)))
    print()
    print(describe_results(folder))


def execute_notebook(notebook: Path, executed: Path, parameters: Mapping[str, object]) -> None:
    """Execute a notebook with parameters for its settings, in its own folder; keep the copy.

    Raises PalimpsestError naming notebook, cell and what went wrong.
    """
    # Both import slowly, and only the demo needs them.
    import papermill
    from nbclient.exceptions import DeadKernelError

    # The kernel of this Python before one of the user's account; no debugger, no warning of it.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    try:
        papermill.execute_notebook(
            notebook,
            executed,
            parameters=dict(parameters),
            kernel_name="python3",
            language="python",
            cwd=notebook.parent,
            progress_bar=False,
            extra_arguments=["--log-level=ERROR"],
        )
    except papermill.PapermillExecutionError as error:
        raise PalimpsestError(
            f"{notebook}: the cell `{_name_cell(notebook, error.source)}` failed with "
            f"{error.ename}: {error.evalue}\nThe notebook as far as it came: {executed}\n"
            "What was made is kept; the same command goes on from there."
        ) from error
    except DeadKernelError as error:
        raise PalimpsestError(
            f"{notebook}: its kernel died (out of memory?). What was made is kept; the same "
            "command goes on from there."
        ) from error
    _settle(notebook, executed)


def describe_results(folder: Path) -> str:
    """Return where everything of a run is, a line each."""
    places = {
        "to pretrain": folder / PRETRAINING_FOLDER / PRETRAINING_CONFIG,
        "to fine-tune": folder / SFT_FOLDER / SFT_CONFIG,
        "datasets": ", ".join(
            str(path.relative_to(folder))
            for name in (PRETRAINING_FOLDER, SFT_FOLDER)
            for path in sorted((folder / name).rglob("*.jsonl"))
        ),
        "notebooks": folder / "notebooks",
        "every reply": f"{folder}, a folder for each step",
    }
    return "\n".join(f"{name:14}{place}" for name, place in places.items())


def _name_cell(notebook: Path, source: str) -> str:
    """Return the id of the notebook's cell with that source; of papermill's own: parameters."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return next((cell["id"] for cell in cells if "".join(cell["source"]) == source), "parameters")


def _settle(notebook: Path, executed: Path) -> None:
    """Mend an executed copy: plain records for widgets whose kernel is gone, links that lead."""
    content = json.loads(executed.read_text(encoding="utf-8"))
    up = Path(os.path.relpath(notebook.parent.parent, executed.parent)).as_posix()
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = _LINK_UP.sub(f"]({up}/", "".join(cell["source"]))
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output["data"].pop(_WIDGET, None)
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    executed.write_text(text, encoding="utf-8")
