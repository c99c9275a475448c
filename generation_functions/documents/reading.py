"""Reading input directories into documents. Every file is checked before any error is raised."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from generation_functions.documents.cleaning import clean_text
from generation_functions.documents.formats.encoding import decode
from generation_functions.documents.formats.extract import Extract
from generation_functions.documents.formats.jsonl import read_jsonl
from generation_functions.documents.formats.reader import Reader
from generation_functions.documents.titles import (
    Sidecar,
    cut_front_matter,
    parse_name,
    read_sidecar,
)
from generation_functions.errors import InputError
from generation_functions.records import Document, make_uuid

TEXT_SUFFIXES = (".txt", ".md")
SUFFIXES = (*TEXT_SUFFIXES, ".jsonl", ".pdf", ".docx", ".html", ".htm", ".epub")
SIDECAR = ".meta.yaml"
NOT_DOCUMENTS = ("readme", "license", "licence", "copying", "notice")


@dataclass(frozen=True, slots=True)
class Reading:
    """The documents that could be read, and a sentence about each file that could not."""

    documents: tuple[Document, ...]
    problems: tuple[str, ...]


def read_documents(directories: Sequence[Path], names: Sequence[str] = ()) -> list[Document]:
    """Read as `read_folders` does; raise InputError if there is anything to put right."""
    reading = read_folders(directories, names)
    if reading.problems:
        listed = "\n".join(f"  - {problem}" for problem in reading.problems)
        raise InputError(f"The input cannot be used as it is:\n{listed}")
    return list(reading.documents)


def read_folders(directories: Sequence[Path], names: Sequence[str] = ()) -> Reading:
    """Read every file of a known format below `directories`, in the order of their paths.

    Hidden files and folders are skipped, and files named README, LICENSE, LICENCE,
    COPYING or NOTICE. Links that lead out of their directory are problems. A document's
    directory is its name in `names`, by default the path as given here; it is part of
    every uuid below it. One bad file keeps no other from being read.
    """
    problems = _check_directories(directories)
    documents: list[Document] = []
    called = names or [_name(directory) for directory in directories]
    with closing(Reader()) as reader:
        for directory, name in zip(directories, called, strict=True):
            if not directory.is_dir():
                continue
            files = find_files(directory)
            if not files:
                problems.append(f"{directory}: no documents in it; {_describe_others(directory)}")
            problems.extend(_check_surroundings(directory, files))
            for file in files:
                try:
                    _check_inside(directory, file)
                    documents.extend(_read_file(directory, name, file, reader))
                except (ValueError, OSError) as error:
                    problems.append(f"{file}: {error}")
    return Reading(tuple(documents), tuple(problems))


def read_file(file: Path) -> list[Document]:
    """Read one file as if its folder were an input directory; InputError says what to do."""
    if not file.is_file():
        raise InputError(f"{file}: no such file.")
    if file.suffix.lower() not in SUFFIXES:
        raise InputError(f"{file}: cannot be read; known are {', '.join(SUFFIXES)}.")
    with closing(Reader()) as reader:
        try:
            return list(_read_file(file.parent, _name(file.parent), file, reader))
        except (ValueError, OSError) as error:
            raise InputError(f"{file}: {error}") from error


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
    return sorted(files, key=lambda file: _name(file.relative_to(directory)))


def _is_hidden(directory: Path, file: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(directory).parts)


def _check_inside(directory: Path, file: Path) -> None:
    if not file.resolve().is_relative_to(directory.resolve()):
        raise ValueError(f"a link that leads out of {directory}; copy what it links to there")


def _check_surroundings(directory: Path, files: Sequence[Path]) -> list[str]:
    """Name links to folders, which are not followed, and sidecars without their document."""
    beside = {sidecar for file in files for sidecar in _sidecars(file)}
    problems = []
    for file in sorted(directory.rglob("*")):
        if _is_hidden(directory, file):
            continue
        if file.is_symlink() and file.is_dir():
            problems.append(f"{file}: a link to a folder, which is not followed; copy the folder")
        elif file.name.endswith(SIDECAR) and file not in beside:
            problems.append(f"{file}: no document of this name lies beside it; correct its name")
    return problems


def _sidecars(file: Path) -> tuple[Path, Path]:
    return file.with_name(file.name + SIDECAR), file.with_name(file.stem + SIDECAR)


def _name(path: Path) -> str:
    """A path in the form that is the same on every system (macOS decomposes accents)."""
    return unicodedata.normalize("NFC", path.as_posix())


def _check_directories(directories: Sequence[Path]) -> list[str]:
    if not directories:
        return ["no input directory; name at least one in path.input_dirs"]
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
    return problems


def _describe_others(directory: Path) -> str:
    suffixes = Counter(
        file.suffix.lower() or "no suffix" for file in directory.rglob("*") if file.is_file()
    )
    found = ", ".join(f"{number} with {suffix}" for suffix, number in sorted(suffixes.items()))
    advice = f"put {', '.join(SUFFIXES)} files there"
    return f"{advice} (other files found: {found})" if found else advice


def _read_file(directory: Path, called: str, file: Path, reader: Reader) -> Iterator[Document]:
    """Yield the documents of one file; ValueError says what to do about it."""
    sidecar = _read_sidecar(file)
    path = _name(file.relative_to(directory))
    suffix = file.suffix.lower()
    if suffix not in (*TEXT_SUFFIXES, ".jsonl"):
        if sidecar.encoding:
            raise ValueError(f"its {SIDECAR} names an encoding, which only text files have")
        yield _make_document(called, path, file, reader.read(file), sidecar)
        return
    content, guessed = decode(file.read_bytes(), file, sidecar.encoding)
    warnings = (f"read as {guessed}, which is a guess",) if guessed else ()
    if suffix in TEXT_SUFFIXES:
        front_matter, body = cut_front_matter(content)
        extract = Extract(body, **front_matter.model_dump(), warnings=warnings)
        yield _make_document(called, path, file, extract, sidecar, trusted=True)
        return
    rows = list(read_jsonl(content))
    if not rows:
        raise ValueError("no text in it; fill it or remove it")
    seen: Counter[str] = Counter()
    for number, row in rows:
        digest = hashlib.sha256(row.text.encode("utf-8", "replace")).hexdigest()[:12]
        seen[digest] += 1
        # Named by content, not by line, so that a line more leaves the others' uuids alone.
        one = f"{path}#{digest}" + (f"-{seen[digest]}" if seen[digest] > 1 else "")
        extract = replace(row, warnings=warnings)
        try:
            yield _make_document(called, one, file, extract, sidecar, trusted=True)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error


def _read_sidecar(file: Path) -> Sidecar:
    for sidecar in _sidecars(file):
        if sidecar.is_file():
            try:
                return read_sidecar(sidecar)
            except ValueError as error:
                raise ValueError(f"{sidecar.name} beside it does not fit: {error}") from error
    return Sidecar()


def _make_document(
    called: str, path: str, file: Path, found: Extract, sidecar: Sidecar, trusted: bool = False
) -> Document:
    """Clean a text and name it.

    The sidecar goes before all. What a person wrote into the file (`trusted`) goes before
    its name; what a program wrote there, only before a name that tells no more than a title.
    """
    text = clean_text(found.text)
    if not text.strip():
        raise ValueError("no text in it; fill it or remove it")
    name = parse_name(unicodedata.normalize("NFC", file.stem))
    named = not trusted and (name.author is not None or name.year is not None)
    title = name.title if named else found.title or name.title
    author = name.author or found.author if named else found.author or name.author
    years = (
        (sidecar.year, name.year, found.year) if named else (sidecar.year, found.year, name.year)
    )
    return Document(
        uuid=make_uuid(called, path, text),
        directory=called,
        path=path,
        title=sidecar.title or title,
        author=sidecar.author or author,
        year=next((year for year in years if year is not None), None),
        text=text,
        language=sidecar.language or found.language,
        licence=sidecar.licence or found.licence,
        pages=_move_pages(found, text),
        warnings=found.warnings,
    )


def _move_pages(found: Extract, text: str) -> tuple[int, ...]:
    """Page offsets after cleaning, which cuts a wrapper off both ends of a PDF's text."""
    if not found.pages:
        return ()
    cut = found.text.find(text)
    if cut < 0:
        return ()
    return tuple(min(max(0, page - cut), len(text)) for page in found.pages)
