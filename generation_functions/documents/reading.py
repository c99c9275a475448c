"""Reading input directories into documents. Every file is checked before any error is raised."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from generation_functions.documents.cleaning import clean_text
from generation_functions.documents.titles import cut_front_matter, parse_name
from generation_functions.errors import InputError
from generation_functions.records import Document, make_uuid

SUFFIXES = (".txt", ".md")
NOT_DOCUMENTS = ("readme", "license", "licence", "copying", "notice")


def read_documents(directories: Sequence[Path], names: Sequence[str] = ()) -> list[Document]:
    """Read every .txt and .md file below `directories`, in the order of their paths.

    Hidden files and folders are skipped, and files named README, LICENSE, LICENCE,
    COPYING or NOTICE. A document's directory is its name in `names`, by default the path
    as given here; it is part of every uuid below it.
    Raises InputError, which lists everything that has to be put right.
    """
    problems = _check_directories(directories)
    documents: list[Document] = []
    called = names or [_name(directory) for directory in directories]
    for directory, name in zip(directories, called, strict=True):
        if not directory.is_dir():
            continue
        files = find_files(directory)
        if not files:
            problems.append(f"{directory}: no documents in it; {_describe_others(directory)}")
        for file in files:
            try:
                documents.append(_read_document(directory, name, file))
            except (ValueError, OSError) as error:
                problems.append(f"{file}: {error}")
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise InputError(f"The input cannot be used as it is:\n{listed}")
    return documents


def find_files(directory: Path) -> list[Path]:
    """Return the files below `directory` that are documents, sorted by relative path."""
    files = [
        file
        for file in directory.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and file.stem.lower() not in NOT_DOCUMENTS
        and not any(part.startswith(".") for part in file.relative_to(directory).parts)
        and file.is_file()
    ]
    return sorted(files, key=lambda file: _name(file.relative_to(directory)))


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
    advice = "put .txt or .md files there"
    return f"{advice} (other files found: {found})" if found else advice


def _read_document(directory: Path, called: str, file: Path) -> Document:
    """Read one file; ValueError says what to do about it."""
    front_matter, body = cut_front_matter(_decode(file.read_bytes(), file))
    text = clean_text(body)
    if not text.strip():
        raise ValueError("no text in it; fill it or remove it")
    name = parse_name(unicodedata.normalize("NFC", file.stem))
    path = _name(file.relative_to(directory))
    return Document(
        uuid=make_uuid(called, path, text),
        directory=called,
        path=path,
        title=front_matter.title or name.title,
        author=front_matter.author or name.author,
        year=name.year if front_matter.year is None else front_matter.year,
        text=text,
    )


def _decode(content: bytes, file: Path) -> str:
    """Decode UTF-8, or UTF-16 with a byte order mark. No other encoding is guessed.

    A wrong guess would go unseen into the training data, and another version of the
    guessing library would change every uuid.
    """
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"not {encoding.upper()}: byte {error.start} (line {line}) cannot be decoded; "
            f"convert the file, for example with: "
            f'iconv -f WINDOWS-1252 -t UTF-8 "{file}" > converted && mv converted "{file}"; '
            "or save it as UTF-8 in an editor"
        ) from error
    if "\0" in text:
        raise ValueError(
            f"not a text file: a zero byte at character {text.index(chr(0))}; remove it, or if "
            "it is UTF-16 without a byte order mark, save it as UTF-8 in an editor"
        )
    return text
