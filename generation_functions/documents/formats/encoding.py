"""Decoding text files: Unicode first, a declared encoding, then a careful guess."""

import codecs
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from charset_normalizer import from_bytes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The commonest first. More of them make wrong guesses likelier: code pages look alike.
_CANDIDATES = """cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 koi8_r cp866 mac_roman
    cp932 euc_jp gb18030 big5 cp949""".split()
_BLOCK = 1 << 20  # bytes that are decoded at once
_SAMPLE = 200_000  # bytes that the guess looks at
_LEAST_COHERENCE = 0.25  # of 1: how much the guess must look like a language
_MOST_CHAOS = 0.05
_TIE = 0.02
_ODD = re.compile(
    r"[^\W\d_](?=[\x80-\x9f¡-¨¬-²´-¹¼-¿×÷])|[\x80-\x9f¢-¨¬®-¶¸¹¼-¾×÷](?=[^\W\d_])|[a-zß-ÿ](?=[À-Þ])"
)


def decode(content: bytes, file: Path, declared: str | None = None) -> tuple[str, str | None]:
    """Return the text, and the encoding if it was guessed.

    Raises ValueError, whose message says where decoding fails and what to do.
    """
    if declared:
        return _check_zero(_decode_declared(content, declared)), None
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return _check_zero(content.decode(encoding)), None
    except UnicodeDecodeError as error:
        guessed = _guess(content) if encoding == "utf-8" else None
        if guessed is None:
            name = "UTF-8" if encoding.startswith("utf-8") else encoding.upper()
            line = content.count(b"\n", 0, error.start) + 1
            raise ValueError(
                f"not {name}: byte {error.start} (line {line}) cannot be decoded, and no other "
                f"encoding is certain; convert the file, for example with: "
                f'iconv -f WINDOWS-1252 -t UTF-8 "{file}" > converted && mv converted "{file}"; '
                f'or name its encoding in "{file.name}.meta.yaml" (encoding: windows-1252)'
            ) from error
        return _check_zero(content.decode(guessed)), guessed


def stream_lines(file: Path, declared: str | None = None) -> tuple[Iterable[str], str | None]:
    """Return a file's lines, read as they are taken, and its encoding if it was guessed.

    The whole file is decoded once before, block by block. Only where that fails, which needs
    a guess or an error, it is read whole, as by `decode`.
    """
    with file.open("rb") as opened:
        start = opened.read(4)
    encoding = declared or next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    if _decodes(file, encoding):
        return _lines(file, encoding), None
    content, guessed = decode(file.read_bytes(), file, declared)
    return content.split("\n"), guessed


def _lines(file: Path, encoding: str) -> Iterator[str]:
    with file.open(encoding=encoding, newline="\n") as opened:
        yield from opened


def _decodes(file: Path, encoding: str) -> bool:
    """Say whether all of a file can be decoded, and has no zero byte."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                if "\0" in decoder.decode(block):
                    return False
        decoder.decode(b"", final=True)
    except (LookupError, UnicodeDecodeError):
        return False
    return True


def _decode_declared(content: bytes, declared: str) -> str:
    try:
        return content.decode(declared)
    except LookupError as error:
        raise ValueError(f"no encoding is called {declared!r}; correct `encoding`") from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f"byte {error.start} is not {declared}, which `encoding` names; correct it"
        ) from error


def _guess(content: bytes) -> str | None:
    """Return an encoding that decodes all of `content` into something like a language."""
    matches = from_bytes(content[:_SAMPLE], cp_isolation=_CANDIDATES, enable_fallback=False)
    best = matches.best()
    if best is None or best.chaos > _MOST_CHAOS or best.coherence < _LEAST_COHERENCE:
        return None
    guesses: list[tuple[int, float, int, str]] = []
    for one in matches:
        if one.chaos > best.chaos + _TIE or one.coherence < best.coherence - 5 * _TIE:
            continue
        for encoding in set(one.could_be_from_charset) & set(_CANDIDATES):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            rank = _CANDIDATES.index(encoding)
            guesses.append((_count_odd(text), -round(one.coherence / _TIE), rank, encoding))
    return min(guesses)[-1] if guesses else None


def _count_odd(text: str) -> int:
    """Count words with a sign in them that no word has (a wrong code page: "jedz¹", "³ad")."""
    return len(_ODD.findall(text[:_SAMPLE]))


def _check_zero(text: str) -> str:
    if "\0" in text:
        raise ValueError(
            f"not a text file: a zero byte at character {text.index(chr(0))}; remove it, or if "
            "it is UTF-16 without a byte order mark, save it as UTF-8 in an editor"
        )
    return text
