"""JSON Lines: one document a line, its text under the key "text"."""

import json

from generation_functions.documents.cleaning import drop_unwritable
from generation_functions.documents.formats.extract import Extract
from generation_functions.documents.titles import FrontMatter, check_front_matter


def parse_line(number: int, line: str) -> Extract:
    """Return the document of a line; ValueError names the line.

    Keys beside "text" that a front matter has are read, all others left alone.
    """
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
    known = {
        key: drop_unwritable(value) if isinstance(value, str) else value
        for key in FrontMatter.model_fields
        if (value := row.get(key)) is not None
    }
    try:
        found = check_front_matter(known)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error
    return Extract(row["text"], **found.model_dump())
