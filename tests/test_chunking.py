"""The chunker: nothing lost, nothing too long, cuts at good places, identities that last."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation_functions.documents.chunking import chunk_document
from generation_functions.documents.layout import split_blocks, split_units
from generation_functions.documents.rules import reject_by_rule
from generation_functions.documents.sentences import number_sentences, split_sentences
from generation_functions.records import Chunk, Document, make_uuid


def make_document(text: str) -> Document:
    return Document(make_uuid("texts", "a.txt", text), "texts", "a.txt", "A", None, None, text)


def count_words(text: str) -> int:
    return len(text.split())


def count_crowded(text: str) -> int:
    """Count more for a joined text than for its parts, as merging tokenizers can."""
    return len(text) // 3 + text.count("\n\n") + (len(text) > 40)


COUNTERS = [len, count_words, count_crowded, lambda text: -(-len(text.encode()) // 4)]

lines = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(
        [
            "",
            "# Heading",
            "CHAPTER I",
            "- an item",
            "1. Another item. With two sentences.",
            "| a | b |",
            "|---|---|",
            "```",
            'It was so. Dr. J. Smith saw 3.5 of them, e.g. "this." Why? [12] Nobody knows.',
            "wordswithoutanyspaces" * 6,
            "A long line of plain words, one after the other. " * 8,
        ]
    ),
)
texts = st.lists(lines, max_size=25).map("\n".join)


@settings(max_examples=150, deadline=None)
@given(texts, st.integers(4, 60), st.sampled_from(COUNTERS))
def test_chunks_partition_the_text_within_the_limit(text, limit, count):
    chunks = chunk_document(make_document(text), limit, count)
    assert "".join(chunk.text for chunk in chunks) == text
    position = 0
    for chunk in chunks:
        assert (chunk.start, text[chunk.start : chunk.end]) == (position, chunk.text)
        assert chunk.text
        assert chunk.tokens == count(chunk.text) <= limit
        position = chunk.end
    assert len({chunk.uuid for chunk in chunks}) == len(chunks)


@settings(max_examples=150, deadline=None)
@given(
    texts,
    st.integers(8, 60),
    st.integers(0, 4),
    st.sampled_from(COUNTERS),
    st.lists(st.integers(0)),
)
def test_spans_partition_the_text_with_overlap_and_pages(text, limit, overlap, count, pages):
    pages = tuple(sorted({0, *(page % (len(text) + 1) for page in pages)}))
    position = 0
    for chunk in chunk_document(make_document(text), limit, count, overlap, pages):
        assert chunk.start == position
        assert chunk.text == text[chunk.start - chunk.overlap : chunk.end]
        assert chunk.tokens == count(chunk.text) <= limit
        assert count(chunk.text[: chunk.overlap]) <= overlap
        assert 1 <= chunk.page <= len(pages)
        position = chunk.end
    assert position == len(text)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_sentences_are_in_order_trimmed_and_cover_all_but_white_space(text):
    position = 0
    for start, end in split_sentences(text):
        assert not text[position:start].strip()
        sentence = text[start:end]
        assert sentence
        assert sentence == sentence.strip()
        position = end
    assert not text[position:].strip()


@settings(max_examples=100, deadline=None)
@given(texts)
def test_numbered_sentences_are_single_lines_and_lose_no_word(text):
    sentences = number_sentences(text)
    assert all(sentence and "\n" not in sentence for sentence in sentences)
    assert " ".join(sentences).split() == text.split() or "".join(sentences).replace(
        " ", ""
    ) == "".join(text.split())


@settings(max_examples=100, deadline=None)
@given(texts, st.sampled_from([split_blocks, split_units]))
def test_blocks_and_units_are_contiguous(text, split):
    spans = split(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)


@pytest.mark.parametrize(
    "sentences",
    [
        ["Mr. Smith went home.", "He met Dr. J. R. Oppenheimer on Jan. 5.", "It rained."],
        [
            "The temperature fell to -3.2 °C.",
            "Water gains 9 per cent. when it freezes.",
            "It floats.",
        ],
        ['"Is it done?" he asked.', '"Yes!" she said.', "(It was late.)", "Nobody saw them."],
        ["“Eureka!” he cried.", "‘Stop.’", "The crowd fell silent."],
        ["See Fig. 3 and No. 7, p. 12.", "The sp. gr. is 1.84.", "Cf. Vol. II. of the work."],
        ["It holds in the U.S. Navy, i.e. everywhere, e.g. here.", "So say Bell et al. (1999)."],
        ["The ship sank.[12]", "No one survived.[3][4]", "It was 1912."],
        ["J. S. Bach was born in 1685.", "It does... But when?", "Nobody knows."],
    ],
)
def test_sentences_end_where_a_reader_would_end_them(sentences):
    expected = [part for one in sentences for part in one.replace("... But", "...|But").split("|")]
    assert list(number_sentences(" ".join(sentences))) == expected


def test_layout_ends_sentences():
    text = (
        "# Metals\nIron rusts. Gold\ndoes not.\n\nCHAPTER II\nOn salt\n\n- one\n- two. Three\n"
        "  goes on\n\n1. First.\n2. Second\n\n| a | b. |\n|---|---|\n| Vol. II. The | d |\n"
    )
    assert list(number_sentences(text)) == [
        "# Metals",
        "Iron rusts.",
        "Gold does not.",
        "CHAPTER II",
        "On salt",
        "- one",
        "- two.",
        "Three goes on",
        "1. First.",
        "2. Second",
        "| a | b. | |---|---|",
        "| Vol. II. The | d |",
    ]


def test_a_wrapped_line_that_starts_with_a_number_goes_on():
    assert list(number_sentences("It was built in the year\n12. He saw it\n- and left.")) == [
        "It was built in the year 12.",
        "He saw it",
        "- and left.",
    ]


def words(number: int, name: str = "word") -> str:
    return " ".join(f"{name}{i}" for i in range(number - 1)) + " end."


def texts_of(text: str, limit: int) -> list[str]:
    chunks = chunk_document(make_document(text), limit, count_words)
    return [chunk.text.strip() for chunk in chunks]


def test_a_paragraph_that_fits_is_not_cut():
    paragraphs = [words(30, name) for name in "abcdef"]
    for chunk in texts_of("\n\n".join(paragraphs), 50):
        assert chunk in paragraphs


def test_a_longer_paragraph_is_cut_between_sentences():
    sentences = [words(9, name) for name in ("A", "B", "C", "D", "E", "F")]
    chunks = texts_of("\n".join(sentences), 20)
    assert len(chunks) == 3
    assert all(chunk.endswith("end.") for chunk in chunks)


def test_a_longer_sentence_is_cut_between_words():
    sentence = words(100)
    chunks = texts_of(sentence, 30)
    assert " ".join(chunks) == sentence
    assert all(len(chunk.split()) > 10 for chunk in chunks)


@pytest.mark.parametrize("heading", ["## Part", "CHAPTER IV", "The Making of Salt", "Part\n===="])
def test_a_heading_stays_with_what_follows(heading):
    text = "\n\n".join([words(30, "A"), words(12, "B"), heading, words(30, "C")])
    chunks = texts_of(text, 48)
    assert [chunk.startswith(heading) for chunk in chunks] == [False, True]


def test_a_heading_stays_with_what_follows_when_joined_text_counts_more():
    text = "\n\n".join([words(20, "A"), "## Part", words(20, "B")])

    def count(part: str) -> int:
        return count_words(part) + 9 * part.strip().count("\n\n")

    chunks = chunk_document(make_document(text), 43, count)
    assert [chunk.text[:2] for chunk in chunks] == ["A0", "##"]


def test_sizes_are_even_rather_than_full_with_a_small_rest():
    text = "\n\n".join(words(10, f"p{number}x") for number in range(11))
    sizes = [len(chunk.split()) for chunk in texts_of(text, 100)]
    assert len(sizes) == 2
    assert min(sizes) >= 50


def test_parts_of_many_small_blocks_are_cut_at_their_headings():
    parts = [
        "\n\n".join([f"## Part {number}", *(f"p{number}x{row} is one." for row in range(70))])
        for number in range(6)
    ]
    assert texts_of("\n\n".join(parts), 240) == parts


def test_an_insertion_leaves_most_chunks_their_uuids():
    paragraphs = [words(20 + 7 * number % 31, f"p{number}x") for number in range(120)]
    for number in range(0, 120, 12):
        paragraphs[number] = f"## Part {number}\n\n{paragraphs[number]}"
    before = make_document("\n\n".join(paragraphs))
    after = make_document("\n\n".join(["A new beginning is here.", *paragraphs]))
    old = {chunk.uuid for chunk in chunk_document(before, 100, count_words)}
    new = {chunk.uuid for chunk in chunk_document(after, 100, count_words)}
    assert before.uuid != after.uuid
    assert len(old & new) >= 0.8 * len(old)


def test_equal_chunks_have_different_uuids():
    text = "\n\n".join([words(20)] * 4) + "\n\n"
    chunks = chunk_document(make_document(text), 20, count_words)
    assert len({chunk.text for chunk in chunks}) == 1
    assert len({chunk.uuid for chunk in chunks}) == len(chunks) == 4


def test_a_chunk_belongs_to_its_path():
    document = make_document(words(20))
    moved = replace(document, path="b.txt")
    first, second = (chunk_document(d, 50, count_words)[0] for d in (document, moved))
    assert first.text == second.text
    assert first.uuid != second.uuid


def test_the_counter_is_called_sparingly():
    calls: list[str] = []

    def count(text: str) -> int:
        calls.append(text)
        return count_words(text)

    text = "\n\n".join(words(30, f"p{number}x") for number in range(100))
    chunks = chunk_document(make_document(text), 200, count)
    assert len(calls) <= 100 + len(chunks)


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        chunk_document(make_document("text"), 0, len)


def make_chunk(text: str) -> Chunk:
    return Chunk("u", "d", "texts", "A", text, 0, len(text), count_words(text))


PROSE = (
    "The pendulum clock was invented in 1656 by Christiaan Huygens, and it was patented in 1657. "
    "It was wrong by about 15 seconds a day, where older clocks were wrong by 15 minutes a day."
)
LICENCE = (
    "Permission is hereby granted, free of charge, to any person. THE SOFTWARE IS PROVIDED "
    '"AS IS", WITHOUT WARRANTY OF ANY KIND, INCLUDING THE WARRANTIES OF MERCHANTABILITY. IN NO '
    "EVENT SHALL THE AUTHORS BE LIABLE."
)
CONTENTS = "CONTENTS\n\n" + "\n".join(
    f"{n}. THE {name} CLOCK .......... {n * 20}"
    for n, name in enumerate(["SUN", "WATER", "WEIGHT", "SPRING", "QUARTZ", "ATOMIC"], 1)
)
INDEX = "\n".join(
    f"{name}, {n}, {n + 30}-{n + 32}"
    for n, name in enumerate(
        ["Escapement", "Foliot", "Graham", "Harrison", "Huygens", "Moon", "Sun"]
    )
)
TABLE = "\n".join(f"| {n} | {n * 7919 % 997} | {n * 104729 % 9973} | kg |" for n in range(30))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("* * *\n\n[7]\n", "almost no text"),
        (LICENCE, "licence text"),
        (CONTENTS, "table of contents"),
        (INDEX, "index"),
        (TABLE, "bare table"),
        (
            "== 12 == a + b + c + d + o + p == 44 == (e + f) / g^2 == 97 == h - i - j == k / l",
            "mostly symbols and digits",
        ),
        (
            "1. What is rust?\n2. Why does it spread?\n3. Name two cures.",
            "exercises without answers",
        ),
        ("Home | Privacy policy\nSkip to main content", "page furniture"),
        ("Fig. 3. The pump.\nFig. 4. The valve from below.", "captions"),
        ("1. Ibid., p. 4.\n2. Hall, op. cit., ii. 3.\n3. Cf. Tull, pp. 4-6.", "references"),
    ],
)
def test_rules_reject_what_holds_no_facts(text, reason):
    assert reject_by_rule(make_chunk(text)) == reason


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        f"{PROSE}\n\n{CONTENTS}\n\n{PROSE} {PROSE}",
        f"{TABLE[:200]}\n\n{PROSE}",
        "Water boils at 100 °C.",
        "水在標準大氣壓力下的沸點是攝氏一百度，冰點是攝氏零度。",
        "1. Salt the oil.\n2. Cut the belt.\n3. Loosen the bolt.\n4. Stop it.\n5. Go.\n6. Run.",
        "The patent says that all rights reserved are listed below. " + PROSE * 5,
        "- Bach, 1685 to 1750\n- Handel, born in 1685 at Halle\n- Telemann, from Magdeburg",
    ],
)
def test_rules_keep_prose_and_lists(text):
    assert reject_by_rule(make_chunk(text)) is None
