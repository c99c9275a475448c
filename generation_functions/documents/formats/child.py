"""The process that parses files which may be made to break parsers; see reader.py.

Its argument, if any, names the languages in which tesseract reads pages of PDFs without text.
Reads a path a line (JSON), answers with lines of JSON: `null` while it gets on, then an
object with either `extract` or `error`. Between them, of a page that has to be read off its
image: {"find": a ScannedPage}, to which the next line that it is given is the answer, a ReadPage
or `null`; and {"store": a ReadPage}.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from generation_functions.documents.cleaning import drop_unwritable
from generation_functions.documents.formats.extract import Beat, Extract
from generation_functions.documents.formats.pdf_lines import Line
from generation_functions.documents.formats.scanned import Ocr, ReadPage, ScannedPage

Say = Callable[[Any], None]

# Of each suffix the module, and in it the function read_<module>. Loaded when needed: a
# process that reads web pages starts in half the time without pypdf.
READERS = {".pdf": "pdf", ".docx": "docx", ".epub": "epub", ".html": "html", ".htm": "html"}
MEMORY = 3 << 30  # bytes of address space


def main() -> None:
    """Answer until the pipe closes."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a parser prints must not come between the answers
    _limit_memory()

    def say(value: Any) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    ocr = Ocr(sys.argv[1], ParentMemory(say)) if len(sys.argv) > 1 else None
    for request in sys.stdin:
        file = Path(json.loads(request))
        try:
            extract = _find_reader(file, ocr)(file, lambda: say(None))
        except (ValueError, OSError) as error:
            say({"error": " ".join(_clean(str(error)).split())})
        except MemoryError:
            say({"error": "needs too much memory to read; split it, or save it anew"})
        except Exception as error:
            say({"error": f"damaged: {type(error).__name__} while reading it; save it anew"})
        else:
            say({"extract": {name: _clean(value) for name, value in asdict(extract).items()}})


class ParentMemory:
    """The memory of pages that is on the parent's side of the pipe."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def find(self, page: ScannedPage) -> ReadPage | None:
        """Ask the parent what was read off a page."""
        self._say({"find": asdict(page)})
        found = json.loads(sys.stdin.readline())
        if found is None:
            return None
        return ReadPage(page, tuple(Line(**line) for line in found["lines"]))

    def store(self, read: ReadPage) -> None:
        """Give the parent what was read off a page."""
        self._say({"store": asdict(read)})


def _find_reader(file: Path, ocr: Ocr | None) -> Callable[[Path, Beat], Extract]:
    name = READERS[file.suffix.lower()]
    module = import_module(f"generation_functions.documents.formats.{name}")
    reader: Callable[..., Extract] = getattr(module, f"read_{name}")
    return partial(reader, ocr=ocr) if name == "pdf" else reader


def _clean(value: Any) -> Any:
    """Take out of a text what cannot be shown or written."""
    return drop_unwritable(value) if isinstance(value, str) else value


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))


if __name__ == "__main__":
    main()
