"""Files that real tools wrote (tests/fixtures): their words, headings, tables and pages."""

import re
import shutil
from functools import cache
from pathlib import Path

import pytest
from pypdf import PdfReader

from generation_functions.documents.reading import read_file, read_folders
from generation_functions.errors import InputError
from generation_functions.records import Document

FIXTURES = Path(__file__).parent / "fixtures"
SOURCE = (FIXTURES / "salt_marshes.md").read_text(encoding="utf-8").partition("\n---\n")[2]
NOTE = "1 Its ash was once used in making glass, and the plant has its name from that. "
HEADINGS = ["Where a marsh begins", "The zones", "How plants get rid of salt", "Creeks"]
each_text = pytest.mark.parametrize("name", ["libreoffice.docx", "pandoc.epub", "libreoffice.pdf"])
each_markup = pytest.mark.parametrize("name", ["libreoffice.docx", "pandoc.epub"])


@cache
def read(name: str) -> Document:
    (document,) = read_file(FIXTURES / name)
    return document


def flatten(text: str) -> str:
    """The words alone: quotes straight, no marks of notes, one space between words."""
    text = re.sub(r"\[\^\w+\]|(?<=glasswort\.)\d", "", text.replace("’", "'"))
    return " ".join(text.split())


def paragraphs() -> list[str]:
    blocks = [flatten(block) for block in SOURCE.split("\n\n")]
    return [block for block in blocks if block and block[0] not in "#|-1:["]


@each_text
def test_every_paragraph_and_list_item_is_read_word_for_word(name: str) -> None:
    text = flatten(read(name).text).replace(NOTE, "")  # in a PDF it stands where its page ends
    items = re.findall(r"^(?:- |\d\. )(.+)$", SOURCE, re.MULTILINE)
    wanted = [*paragraphs(), *map(flatten, items)]
    assert len(wanted) == 15
    assert [one for one in wanted if one not in text] == []


@each_text
def test_headings_keep_their_order_and_rank(name: str) -> None:
    found = re.findall(r"^(#+) (.+)$", read(name).text, re.MULTILINE)
    ranks = {heading: len(marks) for marks, heading in found}
    assert [heading for _, heading in found if heading in HEADINGS] == HEADINGS
    top, below = ranks["The zones"], ranks["How plants get rid of salt"]
    assert below == top + 1
    assert ranks["Creeks"] == top


@each_text
def test_lists_are_markdown_lists(name: str) -> None:
    text = read(name).text
    for mark in ("- Sea lavender", "- Glasswort takes", "1. Find", "2. Dig", "3. Leave"):
        assert re.search(rf"^{re.escape(mark)} ", text, re.MULTILINE), mark


@each_markup
def test_a_table_is_a_markdown_table(name: str) -> None:
    lines = read(name).text.splitlines()
    start = lines.index("| Zone | Floods in a year | Plant that is most common |")
    assert lines[start + 2 : start + 5] == [
        "| pioneer zone | 700 | glasswort |",
        "| lower marsh | 250 | saltmarsh grass |",
        "| upper marsh | 40 | red fescue |",
    ]


def test_the_cells_of_a_table_in_a_pdf_stand_row_by_row() -> None:
    text = flatten(read("libreoffice.pdf").text)
    rows = "pioneer zone 700 glasswort", "lower marsh 250 saltmarsh grass", "upper marsh 40 red"
    places = [text.index(row) for row in rows]
    assert places == sorted(places)


@each_text
def test_the_note_is_read_once(name: str) -> None:
    assert flatten(read(name).text).count("Its ash was once used in making glass") == 1


@each_text
def test_title_and_author_are_those_of_the_properties(name: str) -> None:
    document = read(name)
    assert (document.title, document.author) == ("Salt Marshes", "the Palimpsest project")


def test_the_pages_of_a_pdf_begin_where_their_text_begins() -> None:
    document = read("libreoffice.pdf")
    pages = [page.extract_text() for page in PdfReader(FIXTURES / "libreoffice.pdf").pages]
    assert len(document.pages) == len(pages) == 4
    ends = [*document.pages[1:], len(document.text)]
    for phrase in ("bare mud", "westerly storms", "garden: there", "branch like a tree", "gobies"):
        (page,) = [number for number, text in enumerate(pages) if phrase in text]
        assert document.pages[page] <= document.text.index(phrase) < ends[page]


def test_running_heads_and_page_numbers_are_not_in_the_text() -> None:
    text = read("libreoffice.pdf").text
    assert text.count("Salt Marshes") == 1
    assert not re.search(r"^\d$", text, re.MULTILINE)


@pytest.mark.xfail(strict=True, reason="kerned type: pypdf sets spaces within and between words")
def test_kerned_type_keeps_its_words() -> None:
    text = flatten(read("groff_ghostscript.pdf").text)
    assert paragraphs()[0] in text


def test_a_locked_file_and_a_scan_are_named_and_the_others_are_read(tmp_path: Path) -> None:
    for name in ("libreoffice_locked.pdf", "ghostscript_scan.pdf", "libreoffice.docx"):
        shutil.copy(FIXTURES / name, tmp_path)
    reading = read_folders([tmp_path])
    assert [document.path for document in reading.documents] == ["libreoffice.docx"]
    scan, locked = sorted(reading.problems)
    assert "ghostscript_scan.pdf: no text on 2 of its 2 pages" in scan
    assert "libreoffice_locked.pdf: locked with a password" in locked
    with pytest.raises(InputError, match="locked with a password"):
        read("libreoffice_locked.pdf")
