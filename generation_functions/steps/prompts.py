"""Prompt files: prompts/<step>.yaml and grammars/<step>.gbnf, loaded and checked."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, meta
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generation_functions.engine.grammar import Grammar, parse_grammar
from generation_functions.engine.protocol import Message, Sampling
from generation_functions.errors import PromptError

PROMPTS = Path(__file__).resolve().parents[1] / "prompts"
GRAMMARS = Path(__file__).resolve().parents[2] / "grammars"
SOURCE, MODE = "source", "use_filenames"
_ENVIRONMENT = SandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
)


class _FromFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Example(_FromFile):
    """A worked example: the fields of the user template, and the answer.

    With `use_filenames` it stands only in the prompts of that mode.
    """

    fields: dict[str, Any]
    answer: str
    use_filenames: bool | None = None


class SamplingSettings(_FromFile):
    """How a step's replies are drawn; what is missing is off."""

    temperature: float = Field(default=0.0, ge=0)
    top_k: int = Field(default=0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    min_p: float = Field(default=0.0, ge=0, lt=1)


class PromptFile(_FromFile):
    """What stands in a prompt's YAML file; `system` and `user` are templates."""

    system: str = ""
    user: str
    examples: tuple[Example, ...] = ()
    sampling: SamplingSettings = SamplingSettings()
    max_tokens: int = Field(ge=1)
    attempts: int = Field(default=3, ge=1)
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)  # no slots: what its examples show is rendered once
class Prompt:
    """A step's prompt and grammar. `hash` changes with either file's content and the mode.

    `content` is what the mode, `use_filenames`, leaves of the file.
    """

    name: str
    file: Path
    content: PromptFile
    names: frozenset[str]
    grammar: Grammar
    hash: str
    use_filenames: bool = True

    @property
    def sampling(self) -> Sampling:
        """The sampling of its file."""
        return Sampling(**self.content.sampling.model_dump())

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """What a model is shown besides its item: instructions, and examples with their answers."""
        return tuple(message.content for message in self._opening)

    @cached_property
    def _opening(self) -> tuple[Message, ...]:
        """The messages that are the same for every item."""
        messages = [Message("system", self.content.system)] if self.content.system else []
        for example in self.content.examples:
            messages.append(Message("user", self._render(example.fields)))
            messages.append(Message("assistant", example.answer.strip("\n")))
        return tuple(messages)

    def messages(self, fields: Mapping[str, Any]) -> tuple[tuple[Message, ...], int]:
        """Return the messages for an item, and how many of them are the step's own.

        Raises PromptError when the template and the fields do not name the same things, and
        when it shows the source although `use_filenames` is off.
        """
        missing, unused = self.names - fields.keys(), fields.keys() - self.names - {SOURCE}
        if missing or unused:
            raise PromptError(
                f"{self.file}: the template and the step's fields differ: "
                f"not given: {sorted(missing) or 'none'}; not used: {sorted(unused) or 'none'}."
            )
        return (*self._opening, Message("user", self._render(fields))), len(self._opening)

    def _render(self, fields: Mapping[str, Any]) -> str:
        hidden = set() if self.use_filenames else {SOURCE}
        given = {name: value for name, value in fields.items() if name not in hidden}
        try:
            return _compile(self.content.user).render(given, **{MODE: self.use_filenames})
        except UndefinedError as error:
            raise PromptError(
                f"{self.file}: `user` shows what is not there: {error}. Put `{SOURCE}` between "
                f"{{% if {MODE} %}} and {{% endif %}}."
            ) from error


@lru_cache(maxsize=256)
def _compile(template: str) -> Template:
    return _ENVIRONMENT.from_string(template)


def load_prompt(
    name: str, overrides: Sequence[Path] = (), use_filenames: bool = True, like: str = ""
) -> Prompt:
    """Load a step's prompt and grammar, from the first folder of `overrides` that has them.

    Templates may ask for `use_filenames`; where it is off, `source` is not given to them.
    `like` is the step whose grammar is used where there is none of the name.
    Raises PromptError or GrammarError naming the file, for a file that is missing or does
    not parse, for examples whose fields are not the template's, and for an example
    answer that the step's grammar refuses or that uses one of its length bounds up.
    """
    file = find_prompt(name, overrides)
    text = file.read_text(encoding="utf-8")
    return parse_prompt(file, text, load_grammar(name, overrides, like), name, use_filenames)


def parse_prompt(
    file: Path, text: str, grammar: Grammar, name: str, use_filenames: bool = True
) -> Prompt:
    """Return the prompt that the text of a prompt file and a grammar make.

    Raises PromptError, which names `file`, as `load_prompt` does.
    """
    try:
        content = PromptFile.model_validate(yaml.safe_load(text))
        names = meta.find_undeclared_variables(_ENVIRONMENT.parse(content.user)) - {MODE}
        system = _ENVIRONMENT.from_string(content.system).render({MODE: use_filenames})
    except (yaml.YAMLError, ValidationError) as error:
        raise PromptError(f"{file}: {error}") from error
    except TemplateSyntaxError as error:
        raise PromptError(
            f"{file}: line {error.lineno} of `user` or `system`: {error.message}"
        ) from error
    except UndefinedError as error:
        raise PromptError(f"{file}: `system` knows no name but `{MODE}`: {error}") from error
    for number, example in enumerate(content.examples, 1):
        _check_example(file, number, example, names, grammar)
    shown = tuple(one for one in content.examples if one.use_filenames in (None, use_filenames))
    content = content.model_copy(update={"system": system, "examples": shown})
    digest = hashlib.sha256((text + grammar.text + ("" if use_filenames else MODE)).encode())
    return Prompt(
        name, file, content, frozenset(names), grammar, digest.hexdigest()[:16], use_filenames
    )


def read_saved_prompt(file: Path, name: str, use_filenames: bool) -> Prompt:
    """Return a prompt as a run folder keeps it, in the mode that it was used in.

    `use_filenames` is that of a file that does not say. Raises PromptError for one that is damaged.
    """
    try:
        saved = json.loads(file.read_text(encoding="utf-8"))
        content = PromptFile.model_validate(saved["prompt"])
        mode = saved.get(MODE, use_filenames)
        grammar = parse_grammar([(str(file), saved["grammar"])])
    except (OSError, ValueError, KeyError) as error:
        raise PromptError(f"{file}: no saved prompt: {error}. Run its stage again.") from error
    names = meta.find_undeclared_variables(_ENVIRONMENT.parse(content.user)) - {MODE}
    return Prompt(name, file, content, frozenset(names), grammar, file.stem, mode)


def show_example(prompt: Prompt, example: Example) -> Prompt:
    """Return a prompt that shows this example alone.

    Raises PromptError, as `load_prompt` does, for one that does not fit its template or grammar.
    """
    place = Path(f"{prompt.name}, a new example")
    _check_example(place, 1, example, set(prompt.names), prompt.grammar)
    content = prompt.content.model_copy(update={"examples": (example,)})
    return replace(prompt, file=place, content=content)


def _check_example(
    file: Path, number: int, example: Example, names: set[str], grammar: Grammar
) -> None:
    if set(example.fields) != names:
        raise PromptError(
            f"{file}: example {number} has the fields {sorted(example.fields)}, "
            f"the template {sorted(names)}."
        )
    answer = example.answer.strip("\n")
    if not grammar.matches(answer):
        refused = answer[grammar.matched_length(answer) :][:40]
        raise PromptError(
            f"{file}: the answer of example {number} is not in the grammar: "
            + (f"refused from {refused!r} on." if refused else "it ends too early.")
        )
    if grammar.reaches_bound(answer):
        raise PromptError(
            f"{file}: the answer of example {number} uses a length bound of the grammar up."
        )


def load_grammar(name: str, overrides: Sequence[Path] = (), like: str = "") -> Grammar:
    """Load grammars/<name>.gbnf, or that of `like`, with the rules of shared.gbnf behind it."""
    return parse_grammar(read_grammar(name, overrides, like))


def read_grammar(
    name: str, overrides: Sequence[Path] = (), like: str = ""
) -> list[tuple[str, str]]:
    """Return (file name, text) of a step's own grammar and of shared.gbnf, in this order."""
    folders = [*overrides, GRAMMARS]
    own = any((folder / f"{name}.gbnf").is_file() for folder in folders)
    files = [_find(f"{one}.gbnf", folders) for one in (name if own or not like else like, "shared")]
    return [(str(file), file.read_text(encoding="utf-8")) for file in files]


def find_prompt(name: str, overrides: Sequence[Path] = ()) -> Path:
    """Return the YAML file of a step. Raises PromptError where there is none."""
    return _find(f"{name}.yaml", [*overrides, PROMPTS])


def _find(name: str, folders: Sequence[Path]) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    places = ", ".join(str(folder) for folder in folders)
    raise PromptError(f"{name}: no such file in {places}.")
