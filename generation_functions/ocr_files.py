"""What tesseract read off the pages of a run's scans: `ocr/<file>/<page>.json` in its folder."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from generation_functions.config import Config
from generation_functions.documents.formats.scanned import Ocr, ReadPage, ScannedPage
from generation_functions.errors import RunFolderError
from generation_functions.records import from_json, to_json
from generation_functions.steps.files import dump, read_json

FOLDER = "ocr"
Write = Callable[[str, str], None]  # a file's name in the run folder, and its text


class OcrFiles:
    """Remembers pages for all stages of a run; `page` of a file says what it holds good for."""

    def __init__(self, run: Path, write: Write | None = None) -> None:
        """`run` is its folder. Without `write` pages are only looked up."""
        self._run = run
        self._write = write
        self._used: set[Path] = set()

    def find(self, page: ScannedPage) -> ReadPage | None:
        """Return what was read off a page; a damaged file counts as none."""
        path = self._run / name_file(page)
        try:
            found = from_json(ReadPage, read_json(path))
        except (RunFolderError, ValidationError):
            return None
        if found.page != page:
            return None
        self._used.add(path)
        return found

    def store(self, read: ReadPage) -> None:
        """Write what was read off a page."""
        if self._write:
            name = name_file(read.page)
            self._write(name, dump(to_json(read)))
            self._used.add(self._run / name)

    def sweep(self) -> None:
        """Delete the pages that were neither found nor stored."""
        for path in sorted((self._run / FOLDER).glob("*/*.json")):
            if path not in self._used:
                path.unlink()
                if not any(path.parent.iterdir()):
                    path.parent.rmdir()


def name_file(page: ScannedPage) -> str:
    """Return a page's file, relative to the run folder; a digest, as the languages are free text.

    Pages of one file, read in one way, share a folder.
    """
    parts = "\0".join((page.sha256, page.languages, page.version))
    digest = hashlib.sha256(parts.encode()).hexdigest()[:32]
    return f"{FOLDER}/{digest}/{page.number:05}.json"


def make_ocr(config: Config, files: OcrFiles | None) -> Ocr | None:
    """Return how a run's scans are read; None where `path.ocr` is off."""
    return Ocr(config.path.ocr_languages, files) if config.path.ocr else None
