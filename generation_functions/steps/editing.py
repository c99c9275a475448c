"""A step's prompt as texts that a person edits, checked as the files are, and saved as an override.

What is not edited keeps its comments and layout, byte for byte.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml

from generation_functions.config import Config
from generation_functions.engine.grammar import parse_grammar
from generation_functions.errors import ConfigError, PromptError
from generation_functions.steps.files import Writer
from generation_functions.steps.loaded_prompts import find_folders
from generation_functions.steps.prompts import Prompt, find_prompt, parse_prompt, read_grammar
from generation_functions.steps.step import Step

TEXTS = ("system", "user")
EXAMPLES = "examples"


@dataclass(frozen=True, slots=True)
class PromptTexts:
    """A prompt in parts: `system` and `user` are templates, `examples` a YAML list.

    `settings` are the other keys of the file (sampling, max_tokens, attempts, stop), as YAML;
    `grammar` is the step's own GBNF, without shared.gbnf.
    """

    system: str
    user: str
    examples: str
    settings: str
    grammar: str


def read_texts(step: Step[Any, Any], config: Config) -> tuple[PromptTexts, str]:
    """Return the prompt and grammar that a step has in a run, and the text of the prompt's file.

    Raises PromptError for a file that is missing or no YAML.
    """
    return _read(step, find_folders(step, config))


def split_texts(text: str, grammar: str, file: Path) -> PromptTexts:
    """Return the text of a prompt's file in its parts. Raises PromptError naming `file`."""
    try:
        values, blocks = yaml.safe_load(text), dict(_split(text))
    except yaml.YAMLError as error:
        raise PromptError(f"{file}: {error}") from error
    examples = values.get(EXAMPLES) or []
    return PromptTexts(
        system=str(values.get("system") or ""),
        user=str(values.get("user") or ""),
        examples=_show_list(blocks[EXAMPLES], examples) if examples else "",
        settings="".join(
            block for name, block in blocks.items() if name not in ("", *TEXTS, EXAMPLES)
        ),
        grammar=grammar,
    )


def write_text(texts: PromptTexts, text: str) -> str:
    """Return the text of the prompt's file with the parts of `texts`.

    `text` is the file as it was: of it stays what `texts` has not changed.
    """
    before = split_texts(text, texts.grammar, Path("the prompt's file"))
    blocks = dict(_split(text))
    written = [blocks.pop("", "")]
    for name in (*TEXTS, EXAMPLES):
        own = getattr(texts, name)
        same = own == getattr(before, name)
        written.append(blocks.get(name, "") if same else _write_part(name, own))
    others = "".join(block for name, block in blocks.items() if name not in (*TEXTS, EXAMPLES))
    written.append(others if texts.settings == before.settings else f"{texts.settings.rstrip()}\n")
    if texts == before:
        return text
    return "".join(part if not part or part.endswith("\n") else f"{part}\n" for part in written)


def make_prompt(step: Step[Any, Any], texts: PromptTexts, text: str, config: Config) -> Prompt:
    """Return the prompt that edited texts make; `text` is the file as it was.

    Raises PromptError and GrammarError, which name the part and, where there is one, the line: for
    YAML or a grammar that does not parse, for examples that do not fit template or grammar, and
    for a grammar that the step cannot use.
    """
    folders = find_folders(step, config)
    place = f"{step.name}, edited"
    for name in (EXAMPLES, "settings"):
        _check_yaml(f"{place}, {name}", getattr(texts, name))
    shared = read_grammar(step.name, folders, step.like)[1]
    grammar = parse_grammar([(f"{place}, grammar", texts.grammar), shared])
    whole = write_text(texts, text)
    mode = config.system.use_filenames
    prompt = parse_prompt(Path(place), whole, grammar, step.name, mode)
    step.check_grammar(prompt.grammar)
    return prompt


def show_changes(
    step: Step[Any, Any], texts: PromptTexts, config: Config, default: bool = False
) -> list[str]:
    """Return the lines of a unified diff of both files against those that are in force.

    With `default` it is against the program's own. Raises PromptError where it has none.
    """
    name_of_old = "by default" if default else "in force"
    before, text = _read(step, [] if default else find_folders(step, config))
    after = write_text(texts, text)
    return [
        line.rstrip("\n")
        for name, old, new in (
            (f"{step.name}.yaml", text, after),
            (f"{step.name}.gbnf", before.grammar, texts.grammar),
        )
        for line in unified_diff(
            old.splitlines(),
            new.splitlines(),
            f"{name} {name_of_old}",
            f"{name} edited",
            lineterm="",
        )
    ]


def save_override(step: Step[Any, Any], texts: PromptTexts, config: Config) -> list[Path]:
    """Write what was changed into the folder `path.prompts`; return the files.

    Raises PromptError and GrammarError as `make_prompt`, and ConfigError where the config names
    no such folder, or a step has folders of its own that go before it.
    """
    before, text = read_texts(step, config)
    make_prompt(step, texts, text, config)
    if not config.path.prompts:
        raise ConfigError(
            "`path.prompts` names no folder for prompts of your own. Write one into the config "
            "(`prompts: prompts`), let the editor have the run again "
            "(`editor.run = open_run(config)`), and save."
        )
    whole, folder = write_text(texts, text), Path(config.path.prompts)
    changed = [
        (folder / f"{step.name}.{end}", new)
        for end, old, new in (("yaml", text, whole), ("gbnf", before.grammar, texts.grammar))
        if old != new
    ]
    for file, _ in changed:
        for first in map(Path, step.folders):
            if (first / file.name).is_file():
                raise ConfigError(f"{first / file.name} goes before {file}: change it by hand.")
    for file, new in changed:
        Writer().write(file, new)
    return [file for file, _ in changed]


def _read(step: Step[Any, Any], folders: list[Path]) -> tuple[PromptTexts, str]:
    file = find_prompt(step.name, folders)
    text = file.read_text(encoding="utf-8")
    grammar = read_grammar(step.name, folders, step.like)[0][1]
    return split_texts(text, grammar, file), text


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Yield each top-level key of a YAML mapping with its lines; first, under "", what is above.

    Comments belong to the key above them, those above all keys to none.
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode) or not node.value:
        raise yaml.YAMLError("a prompt's file has keys: user, max_tokens and others.")
    names = [str(key.value) for key, _ in node.value]
    starts = [key.start_mark.index for key, _ in node.value]
    yield "", text[: starts[0]]
    for name, start, end in zip(names, starts, [*starts[1:], len(text)], strict=True):
        yield name, text[start:end]


def _show_list(block: str, entries: list[Any]) -> str:
    """Return the lines of a list without its key, as far to the left as its entries go."""
    first, *lines = block.splitlines()
    if not first.partition("#")[0].rstrip().endswith(":"):  # it begins in the key's line
        return yaml.safe_dump(entries, allow_unicode=True, sort_keys=False).strip("\n")
    dashes = (line for line in lines if line.lstrip().startswith("-"))
    margin = min((len(line) - len(line.lstrip()) for line in dashes), default=0)
    outside = (line[:margin].strip() for line in lines)  # of comments further to the left
    return "\n".join(
        line if out else line[margin:] for line, out in zip(lines, outside, strict=True)
    ).strip("\n")


def _write_part(name: str, text: str) -> str:
    if not text.strip():
        return ""
    lines = text.strip("\n")
    if name == EXAMPLES:
        return f"{EXAMPLES}:\n{indent(lines, '  ')}\n"
    chomping = "+" if text.endswith("\n") else "-"
    block = f"{name}: |2{chomping}\n{indent(text, '  ')}\n"
    if text.endswith("\n"):
        block = block[:-1]
    with suppress(yaml.YAMLError):
        if yaml.safe_load(block) == {name: text}:
            return block
    return yaml.safe_dump({name: text})  # what no block can hold


def _check_yaml(place: str, text: str) -> None:
    try:
        yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise PromptError(f"{place}{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise PromptError(f"{place}: {error}") from error
