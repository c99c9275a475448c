"""What a document is called: from its front matter, its file name, or the file beside it."""

import re
from codecs import lookup
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

_NAME = re.compile(
    r"\[?(?P<title>.+?)\]?(?:, by (?P<author>(?:(?!, by ).)+?))?(?:, published (?P<year>\d{1,4}))?$"
)
_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(?=\s*[A-Za-z_][\w -]*:)")
_FRONT_MATTER_END = re.compile(r"^(?:---|\.\.\.)[ \t]*\r?$\n?", re.M)


@dataclass(frozen=True, slots=True)
class Title:
    """What a document is called."""

    title: str
    author: str | None = None
    year: int | None = None


def _join_names(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class FrontMatter(BaseModel):
    """The keys that are read; documents come with others, which are left alone."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    title: _Text | None = None
    author: Annotated[_Text | None, BeforeValidator(_join_names)] = None
    year: int | None = None
    language: _Text | None = None
    licence: Annotated[
        _Text | None, Field(validation_alias=AliasChoices("licence", "license", "rights"))
    ] = None


class Sidecar(FrontMatter):
    """`<name>.meta.yaml`: it was written for this program, so a wrong key is a mistake."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    encoding: _Text | None = None  # of a text file that is not Unicode


def parse_name(stem: str) -> Title:
    """Read a file name without its suffix: `[textname], by authorname[, published YEAR]`.

    The last ", by " is the one that counts; author and year may be missing.
    """
    match = _NAME.match(stem.strip())
    if match is None:
        return Title(stem)
    year = match["year"]
    return Title(match["title"], match["author"], int(year) if year else None)


def cut_front_matter(raw: str) -> tuple[FrontMatter, str]:
    """Return the YAML front matter and the text after it.

    A first line "---" that no `key:` follows is a rule, not front matter.
    Raises ValueError, whose message says what is wrong and on which line.
    """
    opening = _FRONT_MATTER.match(raw)
    if opening is None:
        return FrontMatter(), raw
    closing = _FRONT_MATTER_END.search(raw, opening.end())
    if closing is None:
        raise ValueError(
            'the front matter that starts on line 1 never ends; add a line "---" after it, '
            "or remove line 1 if none is meant"
        )
    try:
        values = yaml.safe_load(raw[opening.end() : closing.start()])
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise ValueError(
            f"the front matter is not valid YAML, line {line}: {error.problem}; "
            "a value with a colon in it needs quotes"
        ) from error
    try:
        return check_front_matter(values), raw[closing.end() :]
    except ValueError as error:
        raise ValueError(f"the front matter does not fit: {error}") from error


def check_front_matter(values: Any) -> FrontMatter:
    """Return the values that are known; ValueError names those that do not fit."""
    return _check(FrontMatter, values)


def read_sidecar(file: Path) -> Sidecar:
    """Read a `<name>.meta.yaml`; ValueError says what is wrong with it."""
    try:
        values = yaml.safe_load(file.read_bytes())
    except yaml.YAMLError as error:
        raise ValueError(f"not valid YAML: {' '.join(str(error).split())}") from error
    found = _check(Sidecar, {} if values is None else values)
    if found.encoding:
        try:
            lookup(found.encoding)
        except LookupError as error:
            raise ValueError(f"encoding: no encoding is called {found.encoding!r}") from error
    return found


_Model = TypeVar("_Model", bound=BaseModel)


def _check(kind: type[_Model], values: Any) -> _Model:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}, got {fault['input']!r}"
            for fault in error.errors()
        )
        raise ValueError(faults) from error
