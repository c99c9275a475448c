"""docs/options.md and config.yaml know every option of the program, and call planned what is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import yaml
from pydantic import BaseModel

from generation_functions.config import Config
from generation_functions.planned import PLANNED

ROOT = Path(__file__).resolve().parents[1]
DOCS = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in DOCS.splitlines()
    if line.startswith("| ") and not line.startswith(("| option", "| setting", "| file"))
]


def options(model: type[BaseModel], place: str = "") -> Iterator[str]:
    """Yield the dotted names of a section's options; both roles are `models.<role>`."""
    for name, field in model.model_fields.items():
        kinds = [field.annotation, *get_args(field.annotation)]
        inner = [one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)]
        if inner:
            yield from options(inner[0], f"{place}{name}.")
        else:
            yield re.sub(r"^models\.(small|large)\.", "models.<role>.", f"{place}{name}")


BUILT = set(options(Config))
PLANNED_NAMES = {
    name
    for section, keys in PLANNED.items()
    for name in ({f"{section}.{key}" for key in keys} or {section})
}


def named(pattern: str) -> set[str]:
    return set(re.findall(pattern + r"`([\w.<>]+)`", DOCS))


def test_every_option_stands_in_the_docs() -> None:
    assert {"system.use_filenames", "models.<role>.gguf", "path.input_dirs.path"} < BUILT
    assert {name for name in BUILT if f"`{name}`" not in DOCS} == set()


def test_every_option_stands_in_config_yaml() -> None:
    raw = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    missing = set()
    for name in BUILT:
        value = raw
        for part in name.replace("<role>", "small").split("."):
            value = value[0] if isinstance(value, list) else value
            if not isinstance(value, dict) or part not in value:
                missing.add(name)
                break
            value = value[part]
    assert missing == set()


def test_the_docs_call_planned_exactly_what_is_planned() -> None:
    assert named("planned: ") == PLANNED_NAMES
    assert named("with ") - BUILT <= PLANNED_NAMES


def test_nothing_planned_is_an_option_already() -> None:
    sections = {name.partition(".")[0] for name in BUILT}
    assert PLANNED_NAMES & (BUILT | sections) == set()


def test_what_a_row_says_is_here_exists() -> None:
    for name, here, *remark in ROWS:
        if not remark:  # the table of files
            assert here, name
            continue
        said = re.fullmatch(r"(planned: |with |)`([\w.<>]+)`|none", here)
        assert said, name
        if said[2]:
            assert said[2] in (PLANNED_NAMES if said[1] else BUILT), name
        else:
            assert remark[0], f"{name}: what replaces it"


def test_no_option_is_listed_twice() -> None:
    listed = [row[0] for row in ROWS]
    assert len(listed) > 100
    assert len(listed) == len(set(listed))
