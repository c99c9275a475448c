"""Reading input directories into documents, one at a time. One bad file keeps no other."""

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from generation_functions.documents.cleaning import clean_text, move_pages
from generation_functions.documents.folders import (
    SIDECAR,
    SUFFIXES,
    TEXT_SUFFIXES,
    BadLines,
    Problem,
    check_directories,
    check_inside,
    check_surroundings,
    describe_empty,
    find_files,
    name_path,
    name_sidecars,
)
from generation_functions.documents.formats.encoding import decode, stream_lines
from generation_functions.documents.formats.extract import Extract
from generation_functions.documents.formats.jsonl import parse_line
from generation_functions.documents.formats.reader import Reader
from generation_functions.documents.formats.scanned import Ocr
from generation_functions.documents.titles import (
    Sidecar,
    cut_front_matter,
    parse_name,
    read_sidecar,
)
from generation_functions.errors import InputError
from generation_functions.records import Document, make_uuid


@dataclass(frozen=True, slots=True)
class Reading:
    """The documents that could be read, and a sentence about each file that could not."""

    documents: tuple[Document, ...]
    problems: tuple[str, ...]


def read_documents(
    directories: Sequence[Path], names: Sequence[str] = (), ocr: Ocr | None = None
) -> list[Document]:
    """Read as `read_folders` does; raise InputError if there is anything to put right."""
    problems: list[Problem] = []
    documents = list(stream_documents(directories, names, problems, ocr))
    raise_problems(problems)
    return documents


def read_folders(
    directories: Sequence[Path], names: Sequence[str] = (), ocr: Ocr | None = None
) -> Reading:
    """Read as `stream_documents` does; all documents are held in memory."""
    problems: list[Problem] = []
    documents = tuple(stream_documents(directories, names, problems, ocr))
    return Reading(documents, tuple(problem.said for problem in problems))


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise an InputError that names all problems, if there are any."""
    if problems:
        listed = "\n".join(f"  - {problem.said}" for problem in problems)
        raise InputError(f"The input cannot be used as it is:\n{listed}")


def stream_documents(
    directories: Sequence[Path],
    names: Sequence[str],
    problems: list[Problem],
    ocr: Ocr | None = None,
) -> Iterator[Document]:
    """Yield the documents below `directories`, in the order of their paths.

    What cannot be read is added to `problems`. A file is in memory as a whole, while it is
    cleaned and cut with about six times its size; so a corpus of 1 GB is better many files
    than one. A .jsonl file is read line by line, unless its encoding has to be guessed.

    Files of a known format are read, but no hidden files and folders, and none named README,
    LICENSE, LICENCE, COPYING or NOTICE. Links that lead out of their directory are problems.
    A document's directory is its name in `names`, by default the path as given here; it is
    part of every uuid below it. Without `ocr`, pages of PDFs that have no text are left out.
    """
    problems += check_directories(directories)
    called = names or [name_path(directory) for directory in directories]
    with closing(Reader(ocr=ocr)) as reader:
        for directory, name in zip(directories, called, strict=True):
            if not directory.is_dir():
                continue
            files = find_files(directory)
            if not files:
                problems.append(Problem(describe_empty(directory)))
            problems += check_surroundings(directory, name, files)
            for file in files:
                try:
                    check_inside(directory, file)
                    yield from _read_file(directory, name, file, reader)
                except (ValueError, OSError) as error:
                    path = name_path(file.relative_to(directory))
                    lines = error.lines if isinstance(error, BadLines) else 0
                    problems.append(Problem(f"{file}: {error}", name, path, lines))


def read_file(
    file: Path, ocr: Ocr | None = None, directory: Path | None = None, name: str = ""
) -> list[Document]:
    """Read one file of an input directory, by default its folder; InputError says what to do.

    `name` and `ocr` are as in `stream_documents`.
    """
    directory = directory or file.parent
    if not file.is_file():
        raise InputError(f"{file}: no such file.")
    if file.suffix.lower() not in SUFFIXES:
        raise InputError(f"{file}: cannot be read; known are {', '.join(SUFFIXES)}.")
    with closing(Reader(ocr=ocr)) as reader:
        try:
            return list(_read_file(directory, name or name_path(directory), file, reader))
        except (ValueError, OSError) as error:
            raise InputError(f"{file}: {error}") from error


def _read_file(directory: Path, called: str, file: Path, reader: Reader) -> Iterator[Document]:
    """Yield the documents of one file; ValueError says what to do about it."""
    sidecar = _read_sidecar(file)
    path = name_path(file.relative_to(directory))
    suffix = file.suffix.lower()
    if suffix == ".jsonl":
        yield from _read_lines(called, path, file, sidecar)
    elif suffix in TEXT_SUFFIXES:
        content, guessed = decode(file.read_bytes(), file, sidecar.encoding)
        front_matter, body = cut_front_matter(content)
        extract = Extract(body, **front_matter.model_dump(), warnings=_warn(guessed))
        yield _make_document(called, path, file, extract, sidecar, trusted=True)
    else:
        if sidecar.encoding:
            raise ValueError(f"its {SIDECAR} names an encoding, which only text files have")
        yield _make_document(called, path, file, reader.read(file), sidecar)


def _warn(guessed: str | None) -> tuple[str, ...]:
    return (f"read as {guessed}, which is a guess",) if guessed else ()


def _read_lines(called: str, path: str, file: Path, sidecar: Sidecar) -> Iterator[Document]:
    """Yield the documents of a .jsonl file; after the last, ValueError names the first bad line.

    It is a BadLines where there are good ones too.
    """
    lines, guessed = stream_lines(file, sidecar.encoding)
    seen: dict[int, int] = {}
    good, faults, first = 0, 0, ""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = replace(parse_line(number, line), warnings=_warn(guessed))
            digest = hashlib.sha256(row.text.encode("utf-8", "replace")).hexdigest()[:12]
            repeat = seen[int(digest, 16)] = seen.get(int(digest, 16), 0) + 1
            # Named by content, not by line, so that a line more leaves the others' uuids alone.
            one = f"{path}#{digest}" + (f"-{repeat}" if repeat > 1 else "")
            document = _make_document(called, one, file, row, sidecar, trusted=True)
        except ValueError as error:
            said = str(error)
            first = first or (said if said.startswith("line ") else f"line {number}: {said}")
            faults += 1
        else:
            good += 1
            yield document
    if faults:
        said = first + (f"; {faults} lines have faults" if faults > 1 else "")
        raise BadLines(said, faults) if good else ValueError(said)
    if not seen:
        raise ValueError("no text in it; fill it or remove it")


def _read_sidecar(file: Path) -> Sidecar:
    for sidecar in name_sidecars(file):
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
        pages=move_pages(found.text, text, found.pages) if found.pages else (),
        warnings=found.warnings,
    )
