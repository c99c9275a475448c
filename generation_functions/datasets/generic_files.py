"""Files of conversations, read row by row: .jsonl, .json (an array, or objects) and .parquet."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from generation_functions.datasets.generic_rows import COLUMNS
from generation_functions.errors import InputError
from generation_functions.training_sections import DATA_FILES

BLOCK = 1 << 20  # characters of a .json file that are read at once
LONGEST = 64 << 20  # of one object
ROWS = 256  # of a .parquet file that are read at once
_BETWEEN = re.compile(r"[\s,\[\]]*")


def read_raw(file: Path) -> Iterator[object]:
    """Yield the rows of a file: of JSON lines the bytes of each that is not blank, else values.

    Of a .parquet file only the columns with conversations are read. Raises InputError for a file
    that cannot be read, and for one of another kind.
    """
    readers = dict(zip(DATA_FILES, (_read_lines, _read_values, _read_parquet), strict=True))
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise InputError(f"{file}: not a {', '.join(DATA_FILES)} file, so no rows are in it.")
    try:
        yield from reader(file)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {error}") from error


def _read_lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        for line in opened:
            if line.strip():
                yield line.removeprefix(b"\xef\xbb\xbf")


def _read_values(file: Path) -> Iterator[object]:
    """Yield the objects of an array, or those that stand one after the other."""
    decoder, text, at = json.JSONDecoder(), "", 0
    with file.open(encoding="utf-8-sig") as opened:
        while True:
            between = _BETWEEN.match(text, at)
            at = between.end() if between else at
            try:
                value, at = decoder.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                left = len(text) - at
                more = opened.read(max(BLOCK, left)) if left <= LONGEST else ""
                if more:
                    text, at = text[at:] + more, 0
                elif left:
                    start = text[at : at + 40]
                    raise InputError(f"{file}: no JSON from {start!r} on: {error}") from error
                else:
                    return
            else:
                yield value


def _read_parquet(file: Path) -> Iterator[object]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise InputError(
            f"{file}: to read .parquet the package pyarrow is needed: pip install datasets"
        ) from error
    try:
        with parquet.ParquetFile(file) as opened:
            columns = [name for name in COLUMNS if name in opened.schema_arrow.names]
            for batch in opened.iter_batches(ROWS, columns=columns):
                yield from batch.to_pylist() if columns else [{}] * batch.num_rows
    except ArrowException as error:
        raise InputError(f"{file}: cannot be read as .parquet: {error}") from error
