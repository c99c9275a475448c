"""`new`: the files of a pipeline of your own, which runs at once and is then changed."""

import keyword
import re
from collections.abc import Container
from pathlib import Path
from string import Template

import yaml

from generation_functions.config import Config
from generation_functions.discovery import list_pipelines
from generation_functions.errors import ConfigError
from generation_functions.stages import STAGES
from generation_functions.steps.prompts import PROMPTS

KIT = Path(__file__).parent / "kit"
ROOT = Path(__file__).resolve().parents[1]
FILES = {
    "module.py": "generation_functions/pipelines/own/{name}.py",
    "prompt.yaml": "generation_functions/prompts/write_{name}.yaml",
    "grammar.gbnf": "grammars/write_{name}.gbnf",
    "notebook.ipynb": "notebooks/own/{name}.ipynb",
    "test.py": "tests/test_{name}.py",
}
ROWS = "_rows"  # how the folders of datasets end
# What a run folder has that is neither a stage nor a step, and stages that are none of STAGES.
FOLDERS = frozenset(
    """atomic_facts exam_score live meta_datagen multiturn_convs multiturn_convs_info
    multiturn_convs_rejected notebooks ocr pdf_cleaned pretraining_run provenance qatuples
    qatuples_raw qatuples_rejected qatuples_revised rag_items rag_source_data recalls
    recalls_rejected representation_variations sft_run stale trials vectors
    worthy_for_questions""".split()
)


def create_pipeline(name: str, root: Path = ROOT) -> list[Path]:
    """Write the files of a new pipeline below `root`; return them.

    Raises ConfigError for a name that cannot be one, that something else has, or of which a
    file is there already. Then nothing is written.
    """
    _check_name(name)
    files = {root / place.format(name=name): kit for kit, place in FILES.items()}
    there = [str(file.relative_to(root)) for file in files if file.exists()]
    if there:
        raise ConfigError(f"{name}: {', '.join(there)} is there already. Take another name.")
    values = {"name": name, "step": f"write_{name}", "STEP": f"WRITE_{name.upper()}"}
    for file, kit in files.items():
        text = (KIT / f"{kit}.txt").read_text(encoding="utf-8")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(text).substitute(values), encoding="utf-8")
    return list(files)


def describe_pipeline(name: str, files: list[Path], root: Path = ROOT) -> str:
    """Return what was written and what to do next, a line each."""
    return "\n".join(
        (
            f"{name} is written, and runs as it is:",
            *(f"  {file.relative_to(root)}" for file in files),
            "Next:",
            f"  python -m pytest tests/test_{name}.py",
            f"  python -m generation_functions run {name} --limit 5",
            f"  notebooks/own/{name}.ipynb: look, change the prompt, run again",
            f"  {name}: {{enabled: true}} in config.yaml makes it a stage of every run",
            "  docs/your_own_pipeline.md says how to make it yours.",
        )
    )


def _check_name(name: str) -> None:
    is_word = re.fullmatch(r"[a-z][a-z0-9_]{0,19}", name) and yaml.safe_load(name) == name
    if not is_word or keyword.iskeyword(name) or name.endswith(ROWS):
        raise ConfigError(
            f"{name}: a pipeline's name has at most 20 small letters, digits and _, does not end "
            f"in {ROWS}, and is no keyword of Python or YAML."
        )
    taken: dict[str, Container[str]] = {
        "a pipeline": list_pipelines(),
        "a stage": STAGES,
        "a section of the config": Config.model_fields,
        "a method of the config": dir(Config),
        "a step": {file.stem for file in PROMPTS.glob("*.yaml")},
        "a folder of a run": FOLDERS,
    }
    for kind, names in taken.items():
        if name in names:
            raise ConfigError(f"{name}: there is {kind} of that name. Take another.")
