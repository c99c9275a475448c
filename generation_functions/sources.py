"""A run's documents and the decisions about their chunks, one at a time."""

import json
import logging
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from generation_functions.config import Config
from generation_functions.documents.cutting import CutSettings, Decision, FolderSettings, cut
from generation_functions.documents.folders import Problem, sign_folders
from generation_functions.documents.reading import raise_problems, stream_documents
from generation_functions.engine.tokens import VocabularyCounter
from generation_functions.records import Document
from generation_functions.session import open_counter

_log = logging.getLogger(__name__)


class Source:
    """The input of one pass: read as it is taken, never held as a whole.

    `problems` are what was found so far; with `path.skip_unreadable` files are left out, and
    only what is wrong with a directory itself stops the run.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._folders = [Path(one.path) for one in config.path.input_dirs]
        self.problems: list[Problem] = []

    def documents(self) -> Iterator[Document]:
        """Yield the documents; after a problem that stops the run, only look for others.

        Raises InputError at the end, which names them all.
        """
        names = [one.name for one in self._config.path.input_dirs]
        for document in stream_documents(self._folders, names, self.problems):
            if not self._stopping():
                yield document
        raise_problems(self._stopping())
        for problem in self.problems:
            _log.warning("left out: %s", problem.said)

    def decisions(
        self, documents: Iterable[Document] | None = None
    ) -> Generator[Decision, None, None]:
        """Yield what is decided about each chunk of `documents`, by default of all.

        Close it if not all are taken: the token counter may be a process.
        """
        count = open_counter(self._config)
        try:
            found = self.documents() if documents is None else documents
            yield from cut(found, make_settings(self._config), count)
        finally:
            if isinstance(count, VocabularyCounter):
                count.close()

    def check(self) -> None:
        """Read through everything; InputError names all that would stop the run."""
        for _ in self.documents():
            pass
        self.problems.clear()

    def sign(self) -> str:
        """Return a text that changes when a file or a setting that chunks depend on does."""
        system = self._config.system.model_dump_json()
        path = self._config.path.model_dump_json(include={"input_dirs", "skip_unreadable"})
        return json.dumps([sign_folders(self._folders), system, path])

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
        system.chunk_size, system.chunk_overlap, system.drop_duplicates, system.seed, folders
    )
