"""The vectors of a run's texts, made once and kept: `vectors/<model>.npy` in the run folder.

A row has the hash of a text and its vector in 32-bit floats. The file grows at its end and is
mapped into memory, so that it takes none for good; what a crash cut off at its end is made again.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm.auto import tqdm

from generation_functions.errors import RunFolderError
from generation_functions.steps.files import explained
from generation_functions.steps.run import Run

FOLDER = "vectors"
_GROUP = 32  # texts that are asked about at once
_KEY = 16  # bytes of a text's hash


class VectorFile:
    """The vectors that one model made of texts, each of length 1.

    `find` tells the row of a text in `matrix`.
    """

    def __init__(self, path: Path) -> None:
        """Raises RunFolderError for a file that is damaged beyond its end."""
        self._path = path
        self._rows: npt.NDArray[Any] | None = None
        self._places: dict[bytes, int] = {}
        self._map()

    @property
    def matrix(self) -> npt.NDArray[np.float32]:
        """All vectors, (texts, width), mapped from the file."""
        if self._rows is None:
            return np.zeros((0, 0), np.float32)
        return self._rows["vector"]

    def find(self, text: str) -> int | None:
        """Return the row of a text, None for one of which no vector was made."""
        return self._places.get(_hash(text))

    def add(self, texts: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
        """Write vectors, (texts, width), behind the others: first they, then how many there are."""
        known = len(self._places)
        kind = np.dtype([("text", f"V{_KEY}"), ("vector", "<f4", (vectors.shape[1],))])
        rows = np.zeros(len(texts), kind)
        rows["text"] = [np.void(_hash(text)) for text in texts]
        rows["vector"] = vectors
        with explained(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("r+b" if self._path.exists() else "w+b") as file:
                _write_header(file, kind, known)
                file.seek(known * kind.itemsize, os.SEEK_CUR)
                file.write(rows.tobytes())
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
                file.seek(0)
                _write_header(file, kind, known + len(texts))
        self._map()

    def _map(self) -> None:
        """Look at the file as it is now; a crash before its first vectors leaves an empty one."""
        if not (self._path.exists() and self._path.stat().st_size):
            return
        try:
            rows = np.load(self._path, mmap_mode="r")
            texts = rows["text"]
        except (OSError, ValueError, IndexError) as error:
            raise RunFolderError(
                f"{self._path}: cannot be read ({error}). Delete it: vectors are made again."
            ) from error
        self._rows = rows
        for number in range(len(self._places), len(rows)):
            self._places[texts[number].tobytes()] = number


def open_vectors(run: Run) -> VectorFile:
    """Return the vectors of the run by its model for them, as it is set; nothing is loaded."""
    embedder = run.engines.embedder
    return VectorFile(run.folder / FOLDER / f"{embedder.fingerprint}-{embedder.context}.npy")


async def embed_texts(run: Run, vectors: VectorFile, texts: Iterable[str], label: str) -> list[int]:
    """Return the rows of texts in `vectors`, in their order; those that are missing are made.

    The stage that runs reports how many were made, how many of these were cut, and how many were
    there already; `label` names the texts.
    """
    made = kept = cut = 0
    rows: list[int] = []
    with tqdm(desc=f"vectors of {label}", unit="text", disable=not run.progress) as bar:
        for group in _group(texts):
            missing = list(dict.fromkeys(one for one in group if vectors.find(one) is None))
            if missing:
                embedded = await run.engines.embed(missing)
                vectors.add(missing, embedded.vectors)
                cut += embedded.cut
            made += len(missing)
            kept += len(group) - len(missing)
            rows += [row for one in group if (row := vectors.find(one)) is not None]
            bar.update(len(group))
    run.report(f"vectors of {label}", {"made": made, "cut": cut, "there": kept})
    return rows


def _group(texts: Iterable[str]) -> Iterator[list[str]]:
    group: list[str] = []
    for text in texts:
        group.append(text)
        if len(group) == _GROUP:
            yield group
            group = []
    if group:
        yield group


def _write_header(file: Any, kind: np.dtype[Any], count: int) -> None:
    """Write the head of an .npy file; numpy leaves room in it for `count` to grow."""
    head = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, head)


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY).digest()
