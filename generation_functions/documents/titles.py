"""Title, author and year of a document, from its front matter or its file name."""

import re
from dataclasses import dataclass
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

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
        front_matter = FrontMatter.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}, got {fault['input']!r}"
            for fault in error.errors()
        )
        raise ValueError(f"the front matter does not fit: {faults}") from error
    return front_matter, raw[closing.end() :]
