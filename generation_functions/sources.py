"""A run's documents and the decisions about their chunks, one at a time."""

import json
import logging
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

from generation_functions.config import Config
from generation_functions.documents.cutting import CutSettings, Decision, FolderSettings, cut
from generation_functions.documents.folders import Problem, sign_folders
from generation_functions.documents.reading import raise_problems, stream_documents
from generation_functions.ocr_files import OcrFiles, make_ocr
from generation_functions.records import Document
from generation_functions.session import open_counter

Repaired = Callable[[Document], Document | None]
_log = logging.getLogger(__name__)


class Source:
    """The input of one pass: read as it is taken, never held as a whole.

    `problems` are what was found so far; with `path.skip_unreadable` files are left out, and
    only what is wrong with a directory itself stops the run.
    """

    def __init__(
        self,
        config: Config,
        repaired: Repaired | None = None,
        ocr_files: OcrFiles | None = None,
    ) -> None:
        """`repaired` gives a document's text as a model repaired it, None where it did not.

        What is read off page images is remembered in `ocr_files`.
        """
        self._config = config
        self._repaired = repaired
        self._ocr_files = ocr_files
        self._folders = [Path(one.path) for one in config.path.input_dirs]
        self.problems: list[Problem] = []

    def documents(self) -> Generator[Document]:
        """Yield the documents; after a problem that stops the run, only look for others.

        Raises InputError at the end, which names them all.
        """
        path = self._config.path
        names = [one.name for one in path.input_dirs]
        ocr = make_ocr(self._config, self._ocr_files)
        for document in stream_documents(self._folders, names, self.problems, ocr):
            if not self._stopping():
                yield (self._repaired and self._repaired(document)) or document
        raise_problems(self._stopping())
        for problem in self.problems:
            _log.warning("left out: %s", problem.tell_left_out())

    def decisions(
        self, documents: Iterable[Document] | None = None
    ) -> Generator[Decision, None, None]:
        """Yield what is decided about each chunk of `documents`, by default of all.

        Close it if not all are taken: the token counter may be a process.
        """
        with open_counter(self._config) as count:
            found = self.documents() if documents is None else documents
            yield from cut(found, make_settings(self._config), count)

    def check(self) -> None:
        """Read through everything; InputError names all that would stop the run."""
        for _ in self.documents():
            pass
        self.problems.clear()

    def forget_pages(self) -> None:
        """Forget what was read off pages that none of the documents, all read, has any more.

        Nothing is forgotten with `path.ocr` off, or where a file could not be read.
        """
        if self._ocr_files and self._config.path.ocr and not self.problems:
            self._ocr_files.sweep()

    def sign(self) -> str:
        """Return a text that changes when a file or a setting that chunks depend on does."""
        config = self._config
        parts = {"input_dirs", "skip_unreadable", "ocr", "ocr_languages"}
        sections = [config.system, config.pdf_cleaning]
        texts = [one.model_dump_json() for one in sections]
        return json.dumps(
            [sign_folders(self._folders), *texts, config.path.model_dump_json(include=parts)]
        )

    def _stopping(self) -> list[Problem]:
        if self._config.path.skip_unreadable:
            return [problem for problem in self.problems if not problem.path]
        return self.problems


def make_settings(config: Config) -> CutSettings:
    """Return how a run's documents are cut; a folder's options go before the general ones."""
    system = config.system
    folders = {}
    for folder in config.path.input_dirs:
        chosen = system.use_subset if folder.use_subset is None else folder.use_subset
        size = folder.subset_size or system.subset_size
        folders[folder.name] = FolderSettings(folder.cleaned_by_hand, size if chosen else None)
    return CutSettings(
        size=system.chunk_size,
        overlap=system.chunk_overlap,
        drop_duplicates=system.drop_duplicates,
        seed=system.seed,
        held_out=system.held_out_share,
        folders=folders,
    )
