"""The shape of the package: imports go one way, and nothing heavy is loaded unasked."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "generation_functions"
NAME = PACKAGE.name
MAY_IMPORT = {
    "errors": set(),
    "records": set(),
    "choosing": set(),
    "special_instructions": {"choosing", "errors"},
    "discovery": {"errors"},
    "addresses": {"errors"},
    "sections": set(),
    "model_sections": {"addresses", "sections"},
    "training_sections": {"sections"},
    "pipeline_sections": {"sections"},
    "masked_sections": {"sections", "training_sections"},
    "masked": {"records"},
    "calls": {"records"},
    "meta_section": {"sections"},
    "config": {
        "addresses",
        "discovery",
        "errors",
        "masked_sections",
        "meta_section",
        "model_sections",
        "pipeline_sections",
        "sections",
        "training_sections",
    },
    "engine": {"addresses", "errors", "records"},
    "documents": {"choosing", "errors", "records"},
    "steps": {"calls", "errors", "records", "config", "engine", "model_sections"},
    "pipelines": {
        "choosing",
        "config",
        "documents",
        "errors",
        "masked",
        "masked_sections",
        "pipeline_sections",
        "records",
        "sections",
        "special_instructions",
        "steps",
    },
    "datasets": {
        "calls",
        "choosing",
        "config",
        "documents",
        "errors",
        "masked",
        "pipeline_sections",
        "records",
        "training_sections",
    },
    "opening": {"addresses", "errors", "config", "engine", "model_sections"},
    "plans": {"errors", "config", "engine", "model_sections", "opening"},
    "session": {"errors", "config", "engine", "opening", "special_instructions", "steps"},
    "ocr_files": {"errors", "records", "config", "documents", "steps"},
    "sources": {"errors", "records", "config", "engine", "documents", "ocr_files", "session"},
    "card": {
        "__version__",
        "config",
        "datasets",
        "documents",
        "engine",
        "pipelines",
        "records",
        "status",
        "steps",
    },
    "sharing": {
        "__version__",
        "addresses",
        "card",
        "config",
        "datasets",
        "engine",
        "errors",
        "session",
        "status",
        "steps",
    },
    "stages": {
        "card",
        "choosing",
        "config",
        "datasets",
        "discovery",
        "documents",
        "errors",
        "masked",
        "masked_sections",
        "model_sections",
        "ocr_files",
        "pipeline_sections",
        "pipelines",
        "records",
        "session",
        "sources",
        "special_instructions",
        "status",
        "steps",
    },
    "examined": {
        "config",
        "engine",
        "errors",
        "model_sections",
        "opening",
        "pipelines",
        "session",
        "stages",
        "steps",
    },
    "status": {"errors", "pipelines", "steps"},
}


def imported_parts(file: Path) -> set[str]:
    """Return the parts of the package that a module imports, its own left out."""
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    parts = {name.split(".")[1] for name in names if name.startswith(f"{NAME}.")}
    return parts - {own}


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_imports_go_one_way(part: str) -> None:
    folder = PACKAGE / part
    files = sorted(folder.glob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    wrong = {
        file.name: extra for file in files if (extra := imported_parts(file) - MAY_IMPORT[part])
    }
    assert wrong == {}


def test_nothing_heavy_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, generation_functions.__main__\n"
        "heavy = {'llama_cpp', 'torch', 'transformers', 'matplotlib', 'datasets', 'papermill'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def run_bare(code: str) -> "subprocess.CompletedProcess[str]":
    """Run code with the package, and without anything that is installed."""
    code = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); {code}"
    return subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)


def test_the_package_itself_imports_on_a_bare_python() -> None:
    done = run_bare(f"import {NAME}.install")
    assert done.returncode == 0, done.stderr


def test_the_command_line_says_what_to_do_where_it_cannot_start() -> None:
    done = run_bare(f"import runpy; runpy.run_module({NAME!r}, run_name='__main__')")
    assert done.returncode == 1
    assert "Run `make setup` once" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_who_has_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", NAME, "read", str(PACKAGE.parent / "README.md")]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=PACKAGE.parent)
    os.close(writing)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert silent == []
