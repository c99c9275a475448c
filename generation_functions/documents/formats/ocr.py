"""Pages without text, rendered by PDFium and read by an installed tesseract.

tesseract's TSV output: a row for each word (level 5) with the numbers of its block, paragraph
and line and its place in pixels from the upper left, in the page's reading order.
"""

import csv
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path

import pypdfium2

from generation_functions.documents.cleaning import drop_unwritable
from generation_functions.documents.formats.pdf_lines import Line
from generation_functions.documents.formats.scanned import Ocr, ReadPage, ScannedPage

DOTS_PER_INCH = 300
MOST_PIXELS = 40_000_000  # of a page; a larger one is rendered coarser
SECONDS = 120.0  # for one page
SIZE = 10.0  # points; an image's letters are too uneven to tell headings by their size
_POINTS_PER_INCH = 72


def find_tesseract() -> str:
    """Return where tesseract is. Raises ValueError, which says how to get it."""
    program = shutil.which("tesseract")
    if program is None:
        raise ValueError(
            "has pages without text, and `path.ocr` is on, but no program `tesseract` is "
            "installed; get it (Debian: apt install tesseract-ocr; macOS: brew install tesseract)"
        )
    return program


@cache
def find_version(program: str) -> str:
    """Return the first line that `tesseract --version` prints, as in "tesseract 5.3.0"."""
    with tempfile.TemporaryDirectory() as folder:
        return _run([program, "--version"], folder, lambda: None).partition("\n")[0].strip()


def read_images(
    file: Path, pages: Sequence[int], ocr: Ocr, beat: Callable[[], None]
) -> dict[int, list[Line]]:
    """Return the lines of the pages (numbers from 0), read off their images or remembered.

    Raises ValueError when tesseract is missing or refuses.
    """
    program = find_tesseract()
    version, digest, name = find_version(program), _hash(file, beat), drop_unwritable(file.name)
    found = {}
    with pypdfium2.PdfDocument(file) as pdf:
        for number in pages:
            page = ScannedPage(digest, number + 1, ocr.languages, version, name)
            read = ocr.memory.find(page) if ocr.memory else None
            if read is None:
                read = ReadPage(page, _read_image(program, pdf, page, beat))
                if ocr.memory:
                    ocr.memory.store(read)
            found[number] = list(read.lines)
    return found


def _hash(file: Path, beat: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 22):
            digest.update(block)
            beat()
    return digest.hexdigest()


def _read_image(
    program: str, pdf: pypdfium2.PdfDocument, wanted: ScannedPage, beat: Callable[[], None]
) -> tuple[Line, ...]:
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "page.pgm"
        page = pdf[wanted.number - 1]
        scale = write_image(page, image)
        height = page.get_height()
        page.close()
        beat()
        command = [program, str(image), "stdout", "-l", wanted.languages, "tsv"]
        return read_table(_run(command, folder, beat), scale, height)


def write_image(page: pypdfium2.PdfPage, image: Path) -> float:
    """Write a page as a grey PGM image; return its pixels per point."""
    width, height = page.get_size()
    scale: float = min(DOTS_PER_INCH / _POINTS_PER_INCH, (MOST_PIXELS / (width * height)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    rows = memoryview(bitmap.buffer).cast("B")
    with image.open("wb") as out:
        out.write(b"P5 %d %d 255\n" % (bitmap.width, bitmap.height))
        for start in range(0, bitmap.height * bitmap.stride, bitmap.stride):
            out.write(rows[start : start + bitmap.width])
    rows.release()
    bitmap.close()
    return scale


def read_table(table: str, scale: float, height: float) -> tuple[Line, ...]:
    """Return the lines of tesseract's TSV; `scale` is pixels per point, `height` in points."""
    rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = (row for row in rows if row["level"] == "5" and (row["text"] or "").strip())
    lines = []
    for _, group in groupby(words, key=lambda row: tuple(row[name] for name in _LINE)):
        line = list(group)
        left = min(int(word["left"]) for word in line)
        bottom = max(int(word["top"]) + int(word["height"]) for word in line)
        text = " ".join(word["text"].strip() for word in line)
        lines.append(Line(text, round(left / scale, 2), round(height - bottom / scale, 2), SIZE))
    return tuple(lines)


_LINE = ("block_num", "par_num", "line_num")


def _run(command: list[str], folder: str, beat: Callable[[], None]) -> str:
    """Return what tesseract prints; `beat` is called while it works."""
    out, errors = Path(folder) / "out", Path(folder) / "errors"
    end = time.monotonic() + SECONDS
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}  # its threads cost more than they save
    with out.open("wb") as stdout, errors.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=environment)
        try:
            while process.poll() is None:
                if time.monotonic() > end:
                    raise ValueError(f"tesseract took more than {SECONDS:g} seconds for a page")
                beat()
                try:
                    process.wait(timeout=1)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            process.kill()
            process.wait()
    if process.returncode:
        said = errors.read_text(encoding="utf-8", errors="replace").strip()[-200:]
        raise ValueError(
            f"tesseract failed (exit {process.returncode}): {said}; its languages are named in "
            "`path.ocr_languages`"
        )
    return out.read_text(encoding="utf-8", errors="replace")
