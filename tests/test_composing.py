"""Chunks know their place; larger pieces are composed of neighbours; duplicates are found."""

import random

import pytest

from generation_functions.documents.chunking import chunk_document
from generation_functions.documents.composing import compose_chunks
from generation_functions.documents.duplicates import DuplicateFinder
from generation_functions.documents.languages import guess_language
from generation_functions.documents.sentences import number_sentences
from generation_functions.records import Document, make_uuid

UUIDS = {name: make_uuid("test", name) for name in "abcde"}


def count_words(text):
    return len(text.split())


def cut(text, limit=40, **options):
    document = Document(make_uuid("t", "a", text), "t", "a.md", "A", None, None, text)
    return chunk_document(document, limit, count_words, **options)


def prose(number, name="word"):
    return " ".join(f"{name}{i}" for i in range(number - 1)) + " end."


def test_a_chunk_knows_the_headings_above_it():
    parts = ["# Metals", prose(30), "## Iron", prose(30), "### Rust", prose(30), "## Tin"]
    chunks = cut("\n\n".join([*parts, prose(30)]))
    assert [chunk.headings for chunk in chunks] == [
        ("Metals",),
        ("Metals", "Iron"),
        ("Metals", "Iron", "Rust"),
        ("Metals", "Tin"),
    ]


def test_plain_headings_count_where_there_is_no_markdown():
    text = "\n\n".join(["PART I", "CHAPTER I", prose(30), "CHAPTER II", prose(30), "PART II"])
    chunks = cut(f"{text}\n\n{prose(30)}")
    assert [chunk.headings for chunk in chunks] == [
        ("PART I", "CHAPTER I"),
        ("PART I", "CHAPTER II"),
        ("PART II",),
    ]


def test_a_comment_in_code_is_no_heading_and_code_stays_whole():
    code = "```\n# a comment\n\nx = 1\n\ny = 2\n```"
    chunks = cut("\n\n".join([prose(25), code, prose(25)]), limit=30)
    assert sum(code in chunk.text for chunk in chunks) == 1
    assert not any(chunk.headings for chunk in chunks)


def test_a_chunk_knows_its_page():
    chunks = cut("\n\n".join([prose(30)] * 3), pages=(0, 10, len(prose(30)) + 2))
    assert [chunk.page for chunk in chunks] == [1, 3, 3]
    assert cut(prose(30))[0].page is None


def test_overlap_is_whole_sentences_where_they_fit_and_none_over_a_heading():
    text = "\n\n".join([" ".join([prose(20), "So it ends."]), prose(25), "# New", prose(25)])
    first, second, third = cut(text, limit=32, overlap=5)
    assert (first.overlap, third.overlap) == (0, 0)
    assert second.text.startswith("So it ends.\n\nword0")
    assert second.start == text.index("word0", 60)


def test_too_large_an_overlap_is_refused():
    with pytest.raises(ValueError, match="at most half"):
        cut(prose(30), limit=10, overlap=6)


def test_pieces_are_neighbours_within_the_limit_and_lose_nothing():
    text = "\n\n".join(prose(30, name) for name in "abcdefg")
    chunks = cut(text, overlap=4)
    composed = list(compose_chunks(chunks, 100, count_words, {chunks[0].uuid}))
    assert [uuid for piece in composed for uuid in piece.parts] == [one.uuid for one in chunks]
    for piece in composed:
        chunk = piece.chunk
        assert chunk.text == text[chunk.start - chunk.overlap : chunk.end]
        assert chunk.tokens == count_words(chunk.text) <= 100
    assert len(composed) == 3
    assert composed[0].worthy_share == pytest.approx(1 / 3, abs=0.02)
    assert composed[1].worthy_share == 0


def test_a_missing_chunk_ends_a_piece():
    chunks = cut("\n\n".join(prose(30, name) for name in "abc"))
    composed = list(compose_chunks(chunks[::2], 500, count_words, set()))
    assert [piece.chunk for piece in composed] == chunks[::2]


def test_duplicates_point_to_the_first_and_different_texts_stay():
    source = random.Random(1)
    words = [f"w{source.randrange(5000)}" for _ in range(200)]
    near = " ".join([*words[:100], "other", *words[101:]])
    finder = DuplicateFinder()
    assert finder.add(UUIDS["a"], " ".join(words)) is None
    assert finder.add(UUIDS["b"], " ".join(reversed(words))) is None
    assert finder.add(UUIDS["c"], " ".join(words[:50] + words[150:])) is None
    exact = finder.add(UUIDS["d"], "\n".join(words).upper() + ".")
    alike = finder.add(UUIDS["e"], near)
    assert (exact.kept, exact.reason) == (UUIDS["a"], "duplicate")
    assert (alike.kept, alike.reason) == (UUIDS["a"], "near-duplicate")


def test_near_duplicates_are_found_where_words_have_no_spaces():
    source = random.Random(2)
    text = "".join(chr(0x4E00 + source.randrange(3000)) for _ in range(300))
    finder = DuplicateFinder()
    assert finder.add(UUIDS["a"], text) is None
    assert finder.add(UUIDS["b"], text[::-1]) is None
    assert finder.add(UUIDS["c"], text[:150] + "改" + text[150:]).kept == UUIDS["a"]


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("german", ["Der Bau wurde am 3. Oktober 1904 von Dr. Weiß und der Stadt begonnen.",
                    "Er ist z. B. mit einer Uhr versehen."]),
        ("french", ["M. Dupont est arrivé dans la ville avec les autres.", "Il était tard."]),
        ("spanish", ["El Sr. García vive en la casa que está al lado del río.", "¿Lo ve usted?"]),
        ("russian", ["Он жил в городе много лет.", "Потом уехал."]),
        ("english", ["水在一百度沸騰。", "「真的嗎？」", "是的！"]),
        ("english", ["पानी सौ डिग्री पर उबलता है।", "यह सत्य है।"]),
    ],
)  # fmt: skip
def test_sentences_end_as_their_language_has_it(language, sentences):
    text = " ".join(sentences)
    assert guess_language(text) == language
    assert list(number_sentences(text, language)) == sentences
