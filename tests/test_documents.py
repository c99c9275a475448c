"""Reading and cleaning: what becomes a document, and what is said about files that cannot."""

import json
from pathlib import Path

import pytest

from generation_functions.documents.cleaning import clean_text, move_pages
from generation_functions.documents.reading import read_documents, stream_documents
from generation_functions.documents.titles import Title, parse_name
from generation_functions.errors import InputError
from generation_functions.records import make_uuid

SAMPLES = Path(__file__).parent.parent / "input_texts" / "samples"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty input directory, given by its name relative to the working directory."""
    monkeypatch.chdir(tmp_path)
    directory = Path("texts")
    directory.mkdir()
    return directory


def write(directory: Path, name: str, content: str | bytes) -> Path:
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def complaint(*directories: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_documents(directories)
    return str(caught.value)


def test_documents_come_sorted_from_all_depths_and_directories(folder):
    for name in ("b.txt", "a/z.md", "a/c.TXT", "a b.txt"):
        write(folder, name, f"Text of {name}.")
    write(Path("more"), "a.txt", "More.")
    found = [(one.directory, one.path) for one in read_documents([folder, Path("more")])]
    paths = ["a b.txt", "a/c.TXT", "a/z.md", "b.txt"]
    assert found == [*(("texts", path) for path in paths), ("more", "a.txt")]


def test_hidden_files_readmes_licences_and_other_kinds_are_skipped(folder):
    write(folder, "a.txt", "Text.")
    for name in (".b.txt", ".cache/c.txt", "README.md", "LICENSE.txt", "notes.doc", "LICENCE"):
        write(folder, name, "Not a document.")
    assert [one.path for one in read_documents([folder])] == ["a.txt"]


def test_a_document_is_identified_by_directory_path_and_text(folder):
    write(folder, "sub/a.txt", "Text.\r\n")
    (document,) = read_documents([folder])
    assert document.text == "Text."
    assert document.uuid == make_uuid("texts", "sub/a.txt", "Text.")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("On Salt, by A. Miner, published 1897", Title("On Salt", "A. Miner", 1897)),
        ("On Salt, by the Mining Office", Title("On Salt", "the Mining Office")),
        ("Side, by Side, by B. Twin", Title("Side, by Side", "B. Twin")),
        ("[On Salt], by A. Miner", Title("On Salt", "A. Miner")),
        ("On Salt, published 1897", Title("On Salt", None, 1897)),
        ("on_salt", Title("on_salt")),
    ],
)
def test_file_names_tell_title_author_and_year(name, title):
    assert parse_name(name) == title


def test_front_matter_goes_before_the_file_name_and_is_cut_off(folder):
    front = "---\ntitle: 1984\nauthor: [A. Miner, B. Twin]\ntags: x\n---\n"
    write(folder, "Salt, by C. Cook, published 1900.md", f"{front}\n# Salt\n\nText.\n")
    (document,) = read_documents([folder])
    assert (document.title, document.author, document.year) == ("1984", "A. Miner, B. Twin", 1900)
    assert document.text == "# Salt\n\nText."
    assert document.source == "1984, by A. Miner, B. Twin, published 1900"


def test_a_rule_at_the_top_is_not_front_matter(folder):
    write(folder, "a.md", "---\n\nA text between rules.\n\n---\n\nMore.\n")
    (document,) = read_documents([folder])
    assert document.text.startswith("---\n\nA text")


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ("---\ntitle: Salt\n\nText.\n", "never ends"),
        ("---\ntitle: Salt\nauthor: A: B\n---\nText.\n", "line 3"),
        ("---\ntitle: Salt\nyear: about 1900\n---\nText.\n", "'about 1900'"),
    ],
)
def test_broken_front_matter_is_an_error_that_names_the_place(folder, front, said):
    file = write(folder, "a.md", front)
    message = complaint(folder)
    assert str(file) in message
    assert said in message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_encodings_are_read(folder, encoding):
    write(folder, "a.txt", "Mendeléeff wrote “it”.\n".encode(encoding))
    (document,) = read_documents([folder])
    assert document.text == "Mendeléeff wrote “it”."


def test_an_undecodable_file_is_named_with_the_byte_and_the_way_out(folder):
    write(folder, "a.txt", "first line\nMendeléeff\n".encode("windows-1252"))
    message = complaint(folder)
    assert "texts/a.txt" in message
    assert "byte 17 (line 2)" in message
    assert "iconv -f WINDOWS-1252 -t UTF-8" in message


def test_a_file_with_zero_bytes_is_refused(folder):
    write(folder, "a.txt", "Text.".encode("utf-16-le"))
    assert "zero byte at character 1" in complaint(folder)


def test_all_problems_are_listed_at_once(folder):
    write(folder, "empty.txt", "")
    write(folder, "blank.md", "\ufeff \r\n\u00ad\n")
    write(folder, "latin.txt", b"caf\xe9")
    write(folder, "good.txt", "Text.")
    Path("nothing").mkdir()
    write(Path("papers"), "a.doc", "DOC")
    message = complaint(folder, Path("nothing"), Path("papers"), Path("missing"))
    listed = message.splitlines()[1:]
    assert len(listed) == 6
    assert sum("no text in it" in line for line in listed) == 2
    assert any("missing: no such directory" in line for line in listed)
    assert any("nothing: no documents" in line for line in listed)
    assert any("papers: no documents" in line and "1 with .doc" in line for line in listed)
    assert "good.txt" not in message


def test_a_file_or_nothing_for_a_directory_is_an_error(folder):
    assert "is a file" in complaint(write(folder, "a.txt", "Text."))
    assert "path.input_dirs" in complaint()


def test_the_same_directory_twice_is_an_error(folder):
    write(folder, "sub/a.txt", "Text.")
    assert "same files" in complaint(folder, folder / "sub")


def test_cleaning_leaves_only_what_was_written():
    raw = "\ufeff\r\n  In\u00addented. \t\r\nSecond\rThird\f\nA  B\u00a0C\n\n\n"
    assert clean_text(raw) == "  Indented.\nSecond\nThird\n\nA  B\u00a0C"


def test_what_cannot_be_shown_or_written_is_taken_out_of_plain_text(folder):
    write(folder, "a.txt", "Be\x07ll,\x1b\x7f\tring.\n")
    row = json.dumps({"text": "Half \ud83d a smile.\x00", "title": "Sm\ud83d\x01ile"})
    write(folder, "b.jsonl", row)
    plain, line = read_documents([folder])
    assert plain.text == "Bell,\tring."
    assert (line.text, line.title) == ("Half \ufffd a smile.", "Sm\ufffdile")


@pytest.mark.parametrize("between", [" ", " \x07", "\u00ad", "\t\r\n", "\ufeff\n \n", " \n" * 9])
def test_pages_begin_in_the_cleaned_text_before_the_words_before_which_they_began(between):
    parts = ["One ", f"\u00adtwo{between}two", f"three{between}", "fo\u00adur \n", ""]
    raw = f"\ufeff\n{between}".join(parts) + between
    pages = [raw.index(part) for part in ("One", "\u00adtwo", "three", "fo\u00adur")]
    text = clean_text(raw)
    moved = move_pages(raw, text, [*pages, len(raw)])
    assert moved == (*(text.index(word) for word in ("One", "two", "three", "four")), len(text))


def test_pages_in_a_wrapper_that_is_cut_off_are_empty():
    book = "First page \nends.\nSecond page."
    raw = f"About us.\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\n{book}"
    pages = [0, raw.index("First"), raw.index("Second")]
    text = clean_text(raw)
    assert move_pages(raw, text, pages) == (0, 0, text.index("Second"))


BOOK = "CHAPTER I\n\nThe text, produced by hand.\n\n    A verse.\n\nThe end of it."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "The Project Gutenberg eBook of X\n\nTitle: X\n\n"
            "*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\n\nProduced by A. B. and the\n"
            "Proofreading Team\n\n\n",
            "\n\n*** END OF THE PROJECT GUTENBERG EBOOK X ***\n\nSection 1. Terms of use\n",
        ),
        (
            "Header\n\n***START OF THIS PROJECT GUTENBERG EBOOK A LONG TITLE\n"
            "IN TWO LINES***\n\n\nE-text prepared by A. B.\n\nNote: Project Gutenberg also has\n"
            "      an HTML version.\n\n      See 1.htm\n\n"
            "Transcriber's note:\n\n      Italics.\n\n",
            "\n\nEnd of the Project Gutenberg EBook of X\n\n"
            "***END OF THIS PROJECT GUTENBERG EBOOK X***\nLicence\n",
        ),
        (
            "Header\n***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\nWhy is this\n"
            "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n",
            "\n\nEnd of Project Gutenberg's X, by Y\n",
        ),
        (
            "*** START OF THE PROJECT GUTENBERG EBOOK X ***\nThe small print\n"
            "*END THE SMALL PRINT! FOR PUBLIC DOMAIN EBOOKS*Ver.02/11/02*END*\n"
            "[Transcribed from the 1888 edition by A. B.]\n\n",
            "",
        ),
        ("", ""),
    ],
)
def test_a_gutenberg_wrapper_is_cut_off_whole(before, after):
    assert clean_text(f"{before}{BOOK}{after}") == BOOK


def test_a_start_line_without_stars_at_its_end_costs_no_text():
    text = f"*** START OF THE PROJECT GUTENBERG EBOOK X\n\n{BOOK}"
    assert clean_text(text) == BOOK


def test_several_wrapped_books_in_one_file_are_all_kept():
    wrapped = (
        f"Header\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\n{BOOK}\n"
        "*** END OF THE PROJECT GUTENBERG EBOOK X ***\nLicence\n"
    )
    assert clean_text(wrapped * 2).count(BOOK) == 2
    assert "Licence" not in clean_text(wrapped * 2)


def test_the_samples_are_two_documents_of_three_thousand_words():
    plain, marked = read_documents([SAMPLES])
    assert plain.source == "Clocks and Calendars, by the Palimpsest project, published 2026"
    assert marked.source == (
        "The Seven Metals of Antiquity, by the Palimpsest project, published 2026"
    )
    assert len(f"{plain.text} {marked.text}".split()) >= 3000
    assert all(mark in marked.text for mark in ("\n## ", "\n- ", "\n1. ", "\n| "))


@pytest.mark.parametrize(
    ("encoding", "declared", "warned"),
    [("utf-8-sig", "", 0), ("utf-16", "", 0), ("cp1251", "cp1251", 0), ("cp1251", "", 1)],
)
def test_lines_are_read_in_any_encoding(tmp_path, encoding, declared, warned):
    rows = [
        f"Соль добывают в шахтах, а море даёт её там, где рассол сохнет, {n}." for n in range(9)
    ]
    lines = "".join(f'{{"text": "{row}"}}\n' for row in rows)
    (tmp_path / "a.jsonl").write_bytes(lines.encode(encoding))
    if declared:
        (tmp_path / "a.meta.yaml").write_text(f"encoding: {declared}", encoding="utf-8")
    documents = read_documents([tmp_path])
    assert [one.text for one in documents] == rows
    assert [len(one.warnings) for one in documents] == [warned] * 9


def test_documents_come_before_the_next_file_is_looked_at(tmp_path):
    (tmp_path / "a.txt").write_text("Salt.", encoding="utf-8")
    (tmp_path / "b.txt").write_text("Sea.", encoding="utf-8")
    documents = stream_documents([tmp_path], [], [])
    assert next(documents).text == "Salt."
    (tmp_path / "b.txt").write_text("Changed.", encoding="utf-8")
    assert next(documents).text == "Changed."


def test_good_lines_of_a_file_with_bad_ones_are_read_and_the_bad_named_once(tmp_path):
    lines = ['{"text": "Salt."}', "no", '{"text": "Sea."}', "[]"]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    problems = []
    found = [one.text for one in stream_documents([tmp_path], ["t"], problems)]
    assert found == ["Salt.", "Sea."]
    ((said, path),) = [(one.said, one.path) for one in problems]
    assert path == "a.jsonl"
    assert "line 2 is not JSON" in said
    assert said.endswith("; 2 lines have faults")
