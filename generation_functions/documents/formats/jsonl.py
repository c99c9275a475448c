"""JSON Lines: one document a line, its text under the key "text"."""

import json
from collections.abc import Iterator

from generation_functions.documents.formats.extract import Extract
from generation_functions.documents.titles import FrontMatter, check_front_matter


def read_jsonl(content: str) -> Iterator[tuple[int, Extract]]:
    """Yield each line's number and document; blank lines are passed over.

    Keys beside "text" that a front matter has are read, all others left alone.
    Raises ValueError, which names the line.
    """
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"line {number} is not JSON ({error.msg}, column {error.colno}); each line is one "
                "JSON object"
            ) from error
        except RecursionError as error:
            raise ValueError(f"line {number} is not JSON that can be read: too deep") from error
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            keys = ", ".join(map(repr, row)) if isinstance(row, dict) else type(row).__name__
            raise ValueError(f'line {number} has no text under the key "text" (found: {keys:.200})')
        known = {key: row[key] for key in FrontMatter.model_fields if row.get(key) is not None}
        try:
            found = check_front_matter(known)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        yield number, Extract(row["text"], **found.model_dump())
