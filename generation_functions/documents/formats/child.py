"""The process that parses files which may be made to break parsers; see reader.py.

Reads a path a line (JSON), answers with lines of JSON: `null` while it gets on, then an
object with either `extract` or `error`.
"""

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from generation_functions.documents.formats.docx import read_docx
from generation_functions.documents.formats.epub import read_epub
from generation_functions.documents.formats.extract import Beat, Extract
from generation_functions.documents.formats.html import read_html
from generation_functions.documents.formats.pdf import read_pdf

READERS: dict[str, Callable[[Path, Beat], Extract]] = {
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".epub": read_epub,
    ".html": read_html,
    ".htm": read_html,
}
MEMORY = 3 << 30  # bytes of address space

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def main() -> None:
    """Answer until the pipe closes."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a parser prints must not come between the answers
    _limit_memory()

    def say(value: Any) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    for request in sys.stdin:
        file = Path(json.loads(request))
        try:
            extract = READERS[file.suffix.lower()](file, lambda: say(None))
        except (ValueError, OSError) as error:
            say({"error": _clean(str(error))})
        except MemoryError:
            say({"error": "needs too much memory to read; split it, or save it anew"})
        except Exception as error:
            say({"error": f"damaged: {type(error).__name__} while reading it; save it anew"})
        else:
            say({"extract": {name: _clean(value) for name, value in asdict(extract).items()}})


def _clean(value: Any) -> Any:
    """Take out of a text what cannot be written as UTF-8, and control characters."""
    if not isinstance(value, str):
        return value
    paired = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub("", paired)


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
