"""docs/options.md and config.yaml know every option of the program."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from generation_functions.config import Config
from generation_functions.discovery import BUILT_IN, list_own, load_pipeline
from generation_functions.pipelines.conversations import (
    REWRITE_CONVERSATION,
    WRITE_CONVERSATION,
    WRITE_SCENE_CONVERSATION,
)
from generation_functions.pipelines.question_steps import WRITE_QUESTIONS
from generation_functions.steps.prompts import PromptFile

ROOT = Path(__file__).resolve().parents[1]
DOCS = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
PROMPTS = ROOT / "generation_functions" / "prompts"
SPECIFIED = Path(__file__).with_name("specified.txt").read_text(encoding="utf-8")


def rows(*headers: str) -> list[list[str]]:
    """Return the rows of the tables whose first column has one of these names."""
    found, inside = [], False
    for line in DOCS.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] in headers:
            inside = True
        elif inside and set(line) != {"|", "-"}:
            found.append(cells)
    return found


ROWS = rows("option", "setting")


def options(model: type[BaseModel], place: str = "") -> Iterator[str]:
    """Yield the dotted names of a section's options; both roles are `models.<role>`."""
    for name, field in model.model_fields.items():
        kinds = [field.annotation, *(get_args(field.annotation) or [None])]
        inner = [one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)]
        if inner:
            own = "<way>." if kinds[1] is str else ""  # a section by names of the user's own
            yield from options(inner[0], f"{place}{name}.{own}")
        else:
            yield re.sub(r"^models\.(small|large)\.", "models.<role>.", f"{place}{name}")


BUILT = set(options(Config)) | {
    name for one in BUILT_IN for name in options(load_pipeline(one).section, f"{one}.")
}


def value_of(option: str) -> Any:
    """Return what config.yaml says of an option: of the first folder, of the small model."""
    value = CONFIG
    for part in option.replace("<role>", "small").split("."):
        value = value[0] if isinstance(value, list) else value
        value = value[part]
    return value


def prompt_of(step: str) -> PromptFile:
    text = (PROMPTS / f"{step}.yaml").read_text(encoding="utf-8")
    return PromptFile.model_validate(yaml.safe_load(text))


def first_name(cell: str) -> str:
    """Return what a row is called by: its first name in backticks, where it begins with one."""
    found = re.match(r"`([^`]+)`", cell)
    return found[1] if found else cell


def specified(kind: str) -> set[str]:
    """Return what the specification names: options, settings or files."""
    lines = (line.split(" ", 1) for line in SPECIFIED.splitlines() if not line.startswith("#"))
    return {name for one, name in lines if one == kind}


def list_tests() -> dict[str, set[str]]:
    return {
        file.stem: {
            node.name
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        }
        for file in Path(__file__).parent.glob("test_*.py")
    }


def test_every_option_stands_in_the_docs() -> None:
    assert {"system.use_filenames", "models.<role>.gguf", "path.input_dirs.path"} < BUILT
    assert {name for name in BUILT if f"`{name}`" not in DOCS} == set()


def test_every_option_stands_in_config_yaml() -> None:
    missing = set()
    shown = (ROOT / "config.yaml").read_text(encoding="utf-8")
    for name in BUILT:
        # None is on by default: they stand in a comment.
        if "<way>" in name or ".generic_dataset_paths." in name:
            own = rf"#  +(- )?{name.rpartition('.')[2]}: "
            missing |= set() if re.search(own, shown) else {name}
            continue
        try:
            value_of(name)
        except (KeyError, TypeError):
            missing.add(name)
    assert missing == set()


def test_what_a_row_says_is_here_exists() -> None:
    for name, here, *remark in ROWS:
        said = re.fullmatch(r"`([\w.<>]+)`|none", here)
        assert said, name
        if said[1]:
            assert said[1] in BUILT, name
        else:
            assert remark[-1], f"{name}: what replaces it"


def test_no_option_is_listed_twice() -> None:
    listed = [row[0] for row in (*ROWS, *rows("file of the specification", "key"))]
    assert len(listed) > 100
    assert len(listed) == len(set(listed))


def test_the_defaults_beside_the_first_notebooks_settings_are_ours() -> None:
    settings = rows("setting")
    assert len(settings) > 50
    for name, here, there, default, _ in settings:
        assert there, f"{name}: what it was"
        if here == "none":
            assert not default, name
            continue
        value = value_of(here.strip("`"))
        if isinstance(value, list) and value:
            assert default, name
        else:
            assert yaml.safe_load(default.strip("`")) == value, name


def test_the_table_of_sampling_says_what_the_prompts_files_say() -> None:
    said = {step.strip("`"): here for _, step, _, here in rows("what")}
    own = {step.name for name in list_own() for step in load_pipeline(name).steps}
    assert set(said) == {file.stem for file in PROMPTS.glob("*.yaml")} - own
    for step, here in said.items():
        prompt = prompt_of(step)
        drawn = prompt.sampling
        numbers = (drawn.temperature, drawn.top_k, drawn.top_p, drawn.min_p)
        sampling = " / ".join(f"{number:g}" for number in numbers)
        assert here == f"{sampling} · {prompt.max_tokens} · {prompt.attempts}", (
            f"docs/options.md: the row of {step} differs from prompts/{step}.yaml"
        )


def test_the_table_of_what_questions_cost_says_what_replies_may_have() -> None:
    columns = (
        [WRITE_QUESTIONS],
        [WRITE_CONVERSATION],
        [WRITE_SCENE_CONVERSATION, REWRITE_CONVERSATION],
    )
    table = rows("`max_questions`")
    assert len(table) > 3
    for number, *said in table:
        info = SimpleNamespace(pairs=range(int(number)))
        item: Any = SimpleNamespace(most=int(number), pairs=info.pairs, info=info)
        for steps, most in zip(columns, said, strict=False):
            for step in steps:
                assert step.most_tokens(item, prompt_of(step.name).max_tokens) == int(most)


@pytest.mark.parametrize(
    ("kind", "header"),
    [("option", "option"), ("setting", "setting"), ("file", "file of the specification")],
)
def test_all_that_the_specification_names_stands_in_its_table(kind: str, header: str) -> None:
    names = {name for row in rows(header) for name in re.findall(r"`([^`]+)`", row[0])}
    assert len(specified(kind)) > 15
    assert specified(kind) - names == set()


def test_every_row_names_a_test_that_is_there() -> None:
    built = [row for row in (*ROWS, *rows("file of the specification")) if row[0] != "–"]
    tested = {first_name(row[0]): row[1].strip("`") for row in rows("name")}
    assert {first_name(row[0]) for row in built} - set(tested) == set()
    there = list_tests()
    for name, test in tested.items():
        file, _, function = test.partition("::")
        assert function in there.get(file, set()), f"{name}: no test {test}"


def test_the_test_of_an_option_lies_where_the_option_is_used() -> None:
    tested = {first_name(row[0]): row[1].strip("`") for row in rows("name")}
    for row in rows("option"):
        option, here = first_name(row[0]), first_name(row[1])
        if here in BUILT:
            file = (Path(__file__).parent / tested[option].partition("::")[0]).with_suffix(".py")
            text = file.read_text(encoding="utf-8")
            assert option in text or here.rpartition(".")[2] in text, f"{option}: {file.name}"
