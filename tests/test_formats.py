"""Formats: files of real tools, read as a person would copy them out; bad ones are named."""

import itertools
import json
import os
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import written_files as made
from docx import Document as Word
from pypdf import PdfReader
from written_files import LAYOUTS, Layout, word_error_rate

from generation_functions.command_line import main
from generation_functions.documents.formats.hyphens import Hyphens
from generation_functions.documents.formats.pdf_furniture import drop_furniture
from generation_functions.documents.formats.pdf_lines import Line
from generation_functions.documents.formats.reader import Reader
from generation_functions.documents.reading import read_documents, read_folders
from generation_functions.records import Document, make_uuid


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty input directory, given by its name relative to the working directory."""
    monkeypatch.chdir(tmp_path)
    directory = Path("texts")
    directory.mkdir()
    return directory


def read_one(folder: Path) -> Document:
    (document,) = read_documents([folder])
    return document


def complaint(folder: Path) -> str:
    """What is said about the one file that cannot be read."""
    (problem,) = read_folders([folder]).problems
    return problem


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_text_of_a_pdf_is_the_text_that_was_set(folder: Path, layout: str) -> None:
    write, most = LAYOUTS[layout]
    paragraphs = made.sample_paragraphs()
    write(folder / "a.pdf", paragraphs)
    document = read_one(folder)
    source = "\n\n".join(paragraphs)
    plain = "\n".join(page.extract_text() for page in PdfReader(folder / "a.pdf").pages)
    rate = word_error_rate(source, document.text)
    print(
        f"\n{layout}: {rate:.2%} of words wrong; plain pypdf {word_error_rate(source, plain):.2%}"
    )
    assert rate <= most
    assert abs(document.text.count("\n\n") + 1 - len(paragraphs)) <= 0.05 * len(paragraphs)


def test_page_offsets_point_to_where_pages_begin(folder: Path) -> None:
    paragraphs = made.sample_paragraphs()
    made.set_with_reportlab(folder / "a.pdf", paragraphs, Layout(hyphenated=True))
    document = read_one(folder)
    plain = [page.extract_text().split("\n") for page in PdfReader(folder / "a.pdf").pages]
    assert document.pages[0] == 0
    assert len(document.pages) == len(plain) > 2
    for start, lines in zip(document.pages, plain, strict=True):
        first_line = lines[1] if "On Clocks" in lines[0] else lines[0]
        assert document.text[start:].startswith(first_line.rstrip("-")[:30])


def test_headings_of_a_pdf_are_markdown_headings(folder: Path) -> None:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    styles = getSampleStyleSheet()
    story = [Paragraph("The Manual", styles["Title"])]
    for text in made.sample_paragraphs()[:6]:
        story += [Paragraph("A part of it", styles["Heading2"]), Paragraph(text, styles["Normal"])]
    SimpleDocTemplate(str(folder / "a.pdf"), title="Of Clocks", author="A. Miner").build(story)
    document = read_one(folder)
    assert document.text.startswith("# The Manual\n\n## A part of it\n\n")
    assert document.text.count("\n\n## A part of it\n\n") == 6
    assert document.source == "Of Clocks, by A. Miner"


def test_ligatures_and_soft_hyphens_are_letters_and_nothing(folder: Path) -> None:
    text = "The ﬁrst oﬃcer of the in\u00advisible ﬂeet ﬁled his papers. " * 30
    made.set_with_fpdf(folder / "a.pdf", [text])
    found = read_one(folder).text
    assert "first officer" in found
    assert "invisible fleet filed" in found


@pytest.mark.parametrize(
    ("document", "before", "after", "joined"),
    [
        (["the information here"], "some infor-", "mation", "some information"),
        (["a well-known man"], "the well-", "known man", "the well-known man"),
        (["text"], "the Anglo-", "Saxon", "the Anglo-Saxon"),
        (["the spot"], "an on-the-", "spot check", "an on-the-spot check"),
        (["the spot"], "a self-ref-", "erential text", "a self-referential text"),
        (["infor-", "mation"] * 9, "a catas-", "trophe", "a catastrophe"),
        (["text"] * 99, "pages 3-", "4", "pages 3-4"),
        (["text"], "an in\u00ad", "visible", "an invisible"),
        (["text"], "a line", "and more", "a line and more"),
    ],
)
def test_hyphens_are_taken_out_where_words_were_broken(
    document: list[str], before: str, after: str, joined: str
) -> None:
    between, cut = Hyphens([*document, before, after]).join(before, after)
    assert before[: len(before) - cut] + between + after == joined


def test_page_furniture_is_dropped_and_a_repeated_sentence_is_not() -> None:
    def page(number: int) -> list[Line]:
        return [
            Line(f"{number} On Clocks", 60, 800, 9),
            *(
                Line(f"Line {row} of page {'abcdefgh'[number]}.", 60, 700 - row, 10)
                for row in (0, 13)
            ),
            Line("And so say all of us.", 60, 600 - 20 * number, 10),
            Line(f"- {number + 4} -", 290, 30, 9),
        ]

    kept = drop_furniture([page(number) for number in range(6)])
    assert [line.text for line in kept[2]] == [
        "Line 0 of page c.",
        "Line 13 of page c.",
        "And so say all of us.",
    ]


def test_a_scan_says_so(folder: Path) -> None:
    made.write_scan(folder / "a.pdf")
    assert "a.pdf: no text on 3 of its 3 pages, so most likely a scan" in complaint(folder)


def test_pages_without_text_are_named(folder: Path) -> None:
    from pypdf import PdfWriter

    made.write_scan(folder / "scan.pdf", 2)
    made.set_with_reportlab(folder / "a.pdf", made.sample_paragraphs(), Layout())
    writer = PdfWriter(clone_from=folder / "a.pdf")
    writer.append(str(folder / "scan.pdf"))
    pages = len(writer.pages)
    writer.write(folder / "a.pdf")
    (folder / "scan.pdf").unlink()
    document = read_one(folder)
    assert document.warnings == (f"page {pages - 1}-{pages} has no text (an image, or blank)",)
    assert document.pages[-1] == len(document.text)


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_a_locked_pdf_says_so_and_one_that_opens_is_read(folder: Path, algorithm: str) -> None:
    made.set_with_reportlab(folder / "a.pdf", made.sample_paragraphs()[:5], Layout())
    made.encrypt(folder / "a.pdf", folder / "b.pdf", "secret", algorithm)
    made.encrypt(folder / "a.pdf", folder / "c.pdf", "", algorithm)
    reading = read_folders([folder])
    (problem,) = reading.problems
    assert "b.pdf: locked with a password" in problem
    plain, unlocked = reading.documents
    assert plain.text == unlocked.text


def write_word(file: Path) -> None:
    word = Word()
    word.core_properties.title = "On Salt"
    word.core_properties.author = "A. Miner"
    word.add_heading("On Salt", 0)
    word.add_paragraph("Salt is mined.")
    word.add_heading("Kinds", 2)
    for name in ("Rock salt", "Sea salt"):
        word.add_paragraph(name, style="List Bullet")
    for name in ("Dig", "Wash"):
        word.add_paragraph(name, style="List Number")
    table = word.add_table(2, 2)
    for cell, text in zip(itertools.chain(*(r.cells for r in table.rows)), "abc|", strict=True):
        cell.text = text
    word.add_paragraph("The end.\tReally.")
    word.save(str(file))


def test_a_word_document_is_markdown_with_its_properties(folder: Path) -> None:
    write_word(folder / "a.docx")
    document = read_one(folder)
    assert document.text == (
        "# On Salt\n\nSalt is mined.\n\n## Kinds\n\n- Rock salt\n- Sea salt\n1. Dig\n2. Wash\n\n"
        "| a | b |\n| --- | --- |\n| c | \\| |\n\nThe end.\tReally."
    )
    assert document.source == "On Salt, by A. Miner"


def rewrite(file: Path, member: str, change: Callable[[str], str]) -> None:
    """Change one member of a zip file."""
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents[member] = change(contents[member].decode()).encode()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def test_insertions_and_content_controls_count_and_deletions_do_not(folder: Path) -> None:
    write_word(folder / "a.docx")
    rewrite(
        folder / "a.docx",
        "word/document.xml",
        lambda xml: xml.replace(
            "<w:r><w:t>Salt is mined.</w:t></w:r>",
            "<w:r><w:t>Salt </w:t></w:r><w:del><w:r><w:delText>was</w:delText></w:r></w:del>"
            "<w:ins><w:r><w:t>is</w:t></w:r></w:ins><w:sdt><w:sdtContent><w:r><w:t> mined."
            "</w:t></w:r></w:sdtContent></w:sdt>",
        ),
    )
    assert "\n\nSalt is mined.\n\n" in read_one(folder).text


PAGE = """<!DOCTYPE html><html lang="en"><head><title>On Salt</title>
<meta name="Author" content="A. Miner"><meta charset="{charset}">
<link rel="license" href="https://example.org/cc0"><style>p {{color: red}}</style></head><body>
<nav><a href="/">Home</a></nav><script>alert("no")</script>
<h1>On <em>Salt</em></h1><p>Salt   is
mined; café.<br>Always.</p>
<ul><li>Rock<ul><li>white</li></ul></li><li><p>Sea</p></li></ul><ol><li>Dig<li>Wash</ol>
<table><tr><th>a</th><th>b</th></tr><tr><td>c</td><td>d<script>no()</script></td></tr></table>
<blockquote>Salt of the earth.</blockquote><pre>x = 1
  y = 2</pre><noscript>no</noscript><p hidden>no</p>tail<footer>no</footer></body></html>"""
PAGE_TEXT = (
    "# On Salt\n\nSalt is mined; café.\nAlways.\n\n- Rock\n  - white\n- Sea\n1. Dig\n2. Wash\n\n"
    "| a | b |\n| --- | --- |\n| c | d |\n\n> Salt of the earth.\n\n"
    "```\nx = 1\n  y = 2\n```\n\ntail"
)


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_a_web_page_is_markdown_without_scripts_and_navigation(folder: Path, charset: str) -> None:
    (folder / "a.html").write_bytes(PAGE.format(charset=charset).encode(charset))
    document = read_one(folder)
    assert document.text == PAGE_TEXT
    assert document.source == "On Salt, by A. Miner"
    assert (document.language, document.licence) == ("en", "https://example.org/cc0")


def test_a_book_is_read_in_the_order_of_its_spine(folder: Path) -> None:
    chapters = [
        ("z.xhtml", "<h1>One</h1><script>no()</script>"),
        ("a%20b.xhtml", "<p>Two &amp;</p>"),
    ]
    made.write_epub(folder / "a.epub", chapters)
    rewrite(folder / "a.epub", "OPS/book.opf", lambda text: text)
    with zipfile.ZipFile(folder / "a.epub", "a") as book:
        book.writestr("OPS/a b.xhtml", "<html><body><p>Two &amp; last</p></body></html>")
    document = read_one(folder)
    assert document.text == "# One\n\nTwo & last"
    assert document.source == "On Salt, by A. Miner, B. Twin, published 1897"
    assert (document.language, document.licence) == ("en", "CC0")


def test_json_lines_are_a_document_each(folder: Path) -> None:
    rows = [{"text": "Salt.", "title": "On Salt", "id": 7}, {"text": "Tin."}, {"text": "Tin."}]
    (folder / "a.jsonl").write_text("\n\n".join(map(json.dumps, rows)), encoding="utf-8")
    salt, tin, again = read_documents([folder])
    assert (salt.text, salt.title, tin.title) == ("Salt.", "On Salt", "a")
    assert len({salt.path, tin.path, again.path}) == 3
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows[1:])), encoding="utf-8")
    assert [one.uuid for one in read_documents([folder])] == [tin.uuid, again.uuid]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"body": "x"}', "line 2 has no text under the key \"text\" (found: 'body')"),
        ("[1]", 'line 2 has no text under the key "text" (found: list)'),
        ('{"text": ', "line 2 is not JSON"),
        ('{"text": "x", "year": "soon"}', "line 2: year"),
        ('{"text": " "}', "line 2: no text in it"),
        ("[" * 100_000, "line 2 is not JSON"),
    ],
)
def test_a_bad_line_of_json_lines_is_named(folder: Path, line: str, said: str) -> None:
    (folder / "a.jsonl").write_text('{"text": "x"}\n' + line, encoding="utf-8")
    assert f"texts/a.jsonl: {said}" in complaint(folder)


RUSSIAN = "Соль добывают в горах и на море, и все люди её едят каждый день. " * 5
POLISH = (
    "Sól wydobywa się w kopalniach od wieków; żółta sól schnie nad morzem, a ludzie ją jedzą. " * 5
)
FRENCH = "Le sel est extrait des mines depuis des siècles ; l'été, il sèche près de la mer. " * 5


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(RUSSIAN, "cp1251"), (RUSSIAN, "koi8_r"), (FRENCH, "cp1252"), (POLISH, "cp1250")],
)
def test_an_encoding_is_detected_and_the_guess_is_told(
    folder: Path, text: str, encoding: str
) -> None:
    (folder / "a.txt").write_bytes(text.encode(encoding))
    document = read_one(folder)
    assert document.text == text.strip()
    assert document.warnings == (f"read as {encoding}, which is a guess",)


def test_a_sidecar_goes_before_everything_and_names_the_encoding(folder: Path) -> None:
    (folder / "Salt, by B. Twin.txt").write_bytes("---\ntitle: X\n---\ncafé".encode("cp1252"))
    (folder / "Salt, by B. Twin.meta.yaml").write_text(
        "title: On Salt\nyear: 1897\nlanguage: fr\nlicense: CC0\nencoding: windows-1252\n",
        encoding="utf-8",
    )
    document = read_one(folder)
    assert document.text == "café"
    assert document.source == "On Salt, by B. Twin, published 1897"
    assert (document.language, document.licence) == ("fr", "CC0")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("titel: Salt", "titel: Extra inputs are not permitted"),
        ("year: soon", "year"),
        ("title: [", "not valid YAML"),
        ("encoding: klingon", "no encoding is called 'klingon'"),
        ("- a", "should be a valid dictionary"),
    ],
)
def test_a_sidecar_that_does_not_fit_is_named(folder: Path, content: str, said: str) -> None:
    (folder / "a.txt").write_text("Salt.", encoding="utf-8")
    (folder / "a.txt.meta.yaml").write_text(content, encoding="utf-8")
    assert "a.txt: a.txt.meta.yaml beside it does not fit: " in complaint(folder)
    assert said in complaint(folder)


def test_a_sidecar_without_its_document_is_named(folder: Path) -> None:
    (folder / "a.txt").write_text("Salt.", encoding="utf-8")
    (folder / "b.meta.yaml").write_text("title: x", encoding="utf-8")
    assert "b.meta.yaml: no document of this name" in complaint(folder)


def test_a_name_with_an_author_goes_before_a_programs_properties(folder: Path) -> None:
    write_word(folder / "Of Tin, by C. Cook.docx")
    assert read_one(folder).source == "Of Tin, by C. Cook"


def test_uuids_of_plain_text_depend_on_place_and_text_alone(folder: Path) -> None:
    (folder / "a.md").write_text("# Salt\n\nText.\n", encoding="utf-8")
    assert read_one(folder).uuid == make_uuid("texts", "a.md", "# Salt\n\nText.")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_out_of_the_folder_are_refused(folder: Path) -> None:
    Path("secret.txt").write_text("Secret.", encoding="utf-8")
    Path("secrets").mkdir()
    os.symlink("../secret.txt", folder / "a.txt")
    os.symlink("../secrets", folder / "b")
    (folder / "c.txt").write_text("Salt.", encoding="utf-8")
    os.symlink("c.txt", folder / "d.txt")
    reading = read_folders([folder])
    assert [one.path for one in reading.documents] == ["c.txt", "d.txt"]
    assert sorted(problem.split(":")[0] for problem in reading.problems) == [
        "texts/a.txt",
        "texts/b",
    ]


def write_bomb(file: Path) -> None:
    write_word(file)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("word/media/a.bin", b"\0" * (60 << 20))


def write_protected(file: Path) -> None:
    made.write_epub(file, [("a.xhtml", "<p>x</p>")])
    with zipfile.ZipFile(file, "a") as book:
        book.writestr(
            "META-INF/encryption.xml",
            '<encryption><CipherReference URI="OPS/a.xhtml"/></encryption>',
        )


def write_entities(file: Path) -> None:
    write_word(file)
    declared = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x y="&b;">&b;</x>'
    rewrite(file, "word/document.xml", lambda _: declared)


HOSTILE: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "bomb": ("a.docx", write_bomb, "as a zip bomb does"),
    "entities": ("a.docx", write_entities, "declares entities"),
    "deep": (
        "a.html",
        lambda file: file.write_bytes(b"<div>" * 10_000 + b"x" + b"</div>" * 10_000),
        "nested more than 1000 deep",
    ),
    "html entities": (
        "a.html",
        lambda file: file.write_bytes(b'<!DOCTYPE html [<!ENTITY a "b">]><p>&a;</p>'),
        "declares entities",
    ),
    "out of the book": (
        "a.epub",
        lambda file: made.write_epub(file, [("../../../secret.xhtml", "")]),
        "leads out of it",
    ),
    "DRM": ("a.epub", write_protected, "protected against copying"),
    "password": (
        "a.docx",
        lambda file: file.write_bytes(b"\xd0\xcf\x11\xe0" * 200),
        "locked with a password",
    ),
    "no zip": ("a.epub", lambda file: file.write_bytes(b"text"), "not a .epub file"),
    "no PDF": ("a.pdf", lambda file: file.write_bytes(b"text"), "not a PDF"),
    "no text": ("a.html", lambda file: file.write_bytes(b"<p> </p>"), "no text in it"),
    "nothing": ("a.htm", lambda file: file.write_bytes(b""), "no text in it"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_made_to_do_harm_is_named_once_and_the_others_are_read(
    folder: Path, name: str
) -> None:
    file, write, said = HOSTILE[name]
    (folder / "good.html").write_bytes(PAGE.format(charset="utf-8").encode())
    write(folder / file)
    reading = read_folders([folder])
    (problem,) = reading.problems
    assert f"texts/{file}: " in problem
    assert said in problem
    assert [one.text for one in reading.documents] == [PAGE_TEXT]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe that nobody writes to")
def test_a_file_that_takes_for_ever_is_left_and_the_next_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.html")
    (tmp_path / "b.html").write_text("<p>Salt.</p>", encoding="utf-8")
    with closing(Reader(seconds=1.5)) as reader:
        with pytest.raises(ValueError, match=r"got nowhere for 1\.5 seconds"):
            reader.read(tmp_path / "a.html")
        assert reader.read(tmp_path / "b.html").text == "Salt."


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe that nobody writes to")
def test_a_reader_that_dies_is_started_again(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.html")
    (tmp_path / "b.html").write_text("<p>Salt.</p>", encoding="utf-8")

    def kill() -> None:
        for child in psutil.Process().children():
            if child.cmdline()[-1].endswith("formats.child"):
                child.kill()

    with closing(Reader()) as reader:
        timer = threading.Timer(0.5, kill)
        timer.start()
        with pytest.raises(ValueError, match=r"ended the reader \(exit -9\)"):
            reader.read(tmp_path / "a.html")
        timer.join()
        assert reader.read(tmp_path / "b.html").text == "Salt."
        kill()
        time.sleep(0.3)
        assert reader.read(tmp_path / "b.html").text == "Salt."


def test_the_command_read_prints_the_cleaned_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_word(tmp_path / "a.docx")
    assert main(["read", str(tmp_path / "a.docx")]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("# On Salt\n\nSalt is mined.")
    assert "On Salt, by A. Miner" in said.err
    assert main(["read", str(tmp_path / "b.doc")]) == 1
    assert "no such file" in capsys.readouterr().err


def test_damaged_files_are_read_or_named_once_and_good_ones_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[1])
    from benchmarks.documents import list_faults, read_damaged, set_of_named

    reading, unharmed, _ = read_damaged(tmp_path, files=48)
    assert len(unharmed) == 27  # the JSON Lines are twenty
    assert list_faults(reading, unharmed) == []
    read = {one.path.split("#")[0] for one in reading.documents if one.directory == "bad"}
    assert len(read | set_of_named(reading)) == 48
