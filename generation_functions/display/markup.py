"""HTML whose text is escaped by construction: only `tag` makes markup, and it escapes strings."""

import html
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Html:
    """Markup that a notebook shows. Text goes through `tag`, never in here directly."""

    source: str

    def _repr_html_(self) -> str:
        return self.source

    def __repr__(self) -> str:
        return f"<HTML, {len(self.source)} characters>"


Part = Html | str | int | float | None


def tag(name: str, *parts: Part, **attributes: str) -> Html:
    """Return an element around `parts`, in which everything but Html is escaped.

    A trailing underscore of an attribute's name is dropped (`class_`).
    """
    said = "".join(
        f' {key.rstrip("_")}="{html.escape(value)}"' for key, value in attributes.items()
    )
    return Html(f"<{name}{said}>{join(parts).source}</{name}>")


def join(parts: Iterable[Part]) -> Html:
    """Return parts one after the other, in which everything but Html is escaped."""
    return Html(
        "".join(
            part.source
            if isinstance(part, Html)
            else html.escape("" if part is None else str(part))
            for part in parts
        )
    )


def preformatted(text: str) -> Html:
    """Return text with its line breaks and spaces, wrapped where it is too wide."""
    return tag("div", text, style="white-space: pre-wrap; overflow-wrap: anywhere")


def marked(text: str) -> Html:
    """Return text that stands out from what is around it, on white and on black."""
    style = "background: rgba(217, 164, 65, .45); color: inherit; text-decoration: underline"
    return tag("mark", text, style=style)


def beside(*columns: Part) -> Html:
    """Return contents next to each other, in columns of one width."""
    style = (
        f"width: {100 / max(len(columns), 1):.0f}%; text-align: left; vertical-align: top; "
        "padding: 0 14px 8px 0; white-space: normal"
    )
    cells = (tag("td", column, style=style) for column in columns)
    return tag("table", tag("tr", *cells), style="table-layout: fixed; width: 100%")


def folded(summary: Part, content: Part, *, open_: bool = False) -> Html:
    """Return content that a click on its summary shows and hides."""
    line = tag("summary", summary, style="cursor: pointer; padding: 2px 0")
    return tag("details", line, content, **({"open": "open"} if open_ else {}))
