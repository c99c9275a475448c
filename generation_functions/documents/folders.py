"""The files of the input directories: which are documents, and what is wrong with a folder."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TEXT_SUFFIXES = (".txt", ".md")
SUFFIXES = (*TEXT_SUFFIXES, ".jsonl", ".pdf", ".docx", ".html", ".htm", ".epub")
SIDECAR = ".meta.yaml"
NOT_DOCUMENTS = ("readme", "license", "licence", "copying", "notice")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to put right: `said` names the file and tells what to do.

    `directory` and `path` are what a document would have; a problem with no `path` is one of
    the directory, which cannot be left out. `lines` are how many of a .jsonl file have faults,
    0 where the whole file has.
    """

    said: str
    directory: str = ""
    path: str = ""
    lines: int = 0

    def tell_left_out(self) -> str:
        """Say what is left out because of it."""
        if not self.lines:
            return self.said
        are = "1 line is" if self.lines == 1 else f"{self.lines} lines are"
        return f"{self.said}: {are} left out, the others are used"


class BadLines(ValueError):
    """Some lines of a file cannot be read; the others were."""

    def __init__(self, said: str, lines: int) -> None:
        super().__init__(said)
        self.lines = lines


def find_files(directory: Path) -> list[Path]:
    """Return the files below `directory` that are documents, sorted by relative path."""
    files = [
        file
        for file in directory.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and file.stem.lower() not in NOT_DOCUMENTS
        and not _is_hidden(directory, file)
        and file.is_file()
    ]
    return sorted(files, key=lambda file: name_path(file.relative_to(directory)))


def name_path(path: Path) -> str:
    """A path in the form that is the same on every system (macOS decomposes accents)."""
    return unicodedata.normalize("NFC", path.as_posix())


def name_sidecars(file: Path) -> tuple[Path, Path]:
    """Return where a file's sidecar may be."""
    return file.with_name(file.name + SIDECAR), file.with_name(file.stem + SIDECAR)


def sign_folders(directories: Sequence[Path]) -> str:
    """Return a digest that changes when a file below is added, removed, renamed or written to.

    It goes by names, sizes and times, not by content.
    """
    digest = hashlib.sha256()
    for directory in directories:
        for file in sorted(directory.rglob("*")):
            if not _is_hidden(directory, file) and file.is_file():
                state = file.stat()
                line = f"{directory}\0{file}\0{state.st_size}\0{state.st_mtime_ns}\n"
                digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def check_inside(directory: Path, file: Path) -> None:
    """Raise ValueError for a link that leads out of its directory."""
    if not file.resolve().is_relative_to(directory.resolve()):
        raise ValueError(f"a link that leads out of {directory}; copy what it links to there")


def check_surroundings(directory: Path, called: str, files: Sequence[Path]) -> list[Problem]:
    """Name links to folders, which are not followed, and sidecars without their document."""
    beside = {sidecar for file in files for sidecar in name_sidecars(file)}
    problems = []
    for file in sorted(directory.rglob("*")):
        if _is_hidden(directory, file):
            continue
        path = name_path(file.relative_to(directory))
        if file.is_symlink() and file.is_dir():
            said = f"{file}: a link to a folder, which is not followed; copy the folder"
            problems.append(Problem(said, called, path))
        elif file.name.endswith(SIDECAR) and file not in beside:
            said = f"{file}: no document of this name lies beside it; correct its name"
            problems.append(Problem(said, called, path))
    return problems


def check_directories(directories: Sequence[Path]) -> list[Problem]:
    """Name directories that are not there, or that hold the same files as another."""
    if not directories:
        return [Problem("no input directory; name at least one in path.input_dirs")]
    problems: list[str] = []
    earlier: list[Path] = []
    for directory in directories:
        if not directory.exists():
            problems.append(f"{directory}: no such directory; create it or correct path.input_dirs")
            continue
        if not directory.is_dir():
            problems.append(f"{directory}: is a file; path.input_dirs takes directories")
            continue
        for other in earlier:
            one, two = directory.resolve(), other.resolve()
            if one == two or one in two.parents or two in one.parents:
                problems.append(
                    f"{directory}: holds the same files as {other}; keep one of them in "
                    "path.input_dirs"
                )
        earlier.append(directory)
    return [Problem(said) for said in problems]


def describe_empty(directory: Path) -> str:
    """Say that no document is in a directory, and what else is."""
    suffixes = Counter(
        file.suffix.lower() or "no suffix" for file in directory.rglob("*") if file.is_file()
    )
    found = ", ".join(f"{number} with {suffix}" for suffix, number in sorted(suffixes.items()))
    advice = f"put {', '.join(SUFFIXES)} files there"
    others = f" (other files found: {found})" if found else ""
    return f"{directory}: no documents in it; {advice}{others}"


def _is_hidden(directory: Path, file: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(directory).parts)
