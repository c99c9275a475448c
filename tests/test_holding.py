"""What is set aside for the exam: by section, by content, and with what overlaps it."""

from collections import Counter

import pytest
from pydantic import ValidationError

from generation_functions.documents.cutting import CutSettings, FolderSettings, cut
from generation_functions.documents.holding import BESIDE, HELD_OUT, MOST_CHUNKS, set_aside
from generation_functions.pipelines.proportions import mcnemar_p, paired_interval
from generation_functions.records import Chunk, Document, make_uuid
from generation_functions.sections import System


def chunk(number: int, heading: str, text: str = "", overlap: int = 0) -> Chunk:
    text = text or f"What number {number} of {heading} tells."
    uuid = make_uuid(heading, str(number), text)
    return Chunk(uuid, "d", "texts", "Book", text, number, number, 5, overlap, (heading,))


def book(sections: int, chunks: int = 3) -> list[Chunk]:
    return [chunk(n, f"Chapter {section}") for section in range(sections) for n in range(chunks)]


def test_the_share_of_sections_that_is_held_out_is_about_the_one_asked_for() -> None:
    chunks = book(600)
    held = set_aside(chunks, 0.2, seed=1)
    assert set(held.values()) == {HELD_OUT}
    assert 0.16 < len(held) / len(chunks) < 0.24
    assert set_aside(chunks, 0.2, seed=1) == held != set_aside(chunks, 0.2, seed=2)
    assert set_aside(chunks, 0.0, seed=1) == {}
    assert held.keys() < set_aside(chunks, 0.5, seed=1).keys()  # a larger share only adds


def test_a_section_is_held_out_as_a_whole_and_a_long_one_in_parts() -> None:
    chunks = book(200)
    held = set_aside(chunks, 0.3, seed=1)
    whole = Counter(one.headings for one in chunks if one.uuid in held)
    assert set(whole.values()) == {3}
    long = book(1, chunks=40 * MOST_CHUNKS)
    runs = [
        {one.uuid in set_aside(long, 0.3, seed=1) for one in long[start : start + MOST_CHUNKS]}
        for start in range(0, len(long), MOST_CHUNKS)
    ]
    assert all(len(one) == 1 for one in runs)
    assert {True} in runs
    assert {False} in runs


def test_other_text_around_a_section_changes_nothing() -> None:
    chunks = book(50)
    held = set_aside(chunks, 0.3, seed=1)
    grown = [chunk(n, "Preface") for n in range(5)] + chunks[3:]
    still = {uuid for uuid in set_aside(grown, 0.3, seed=1) if uuid in {c.uuid for c in chunks}}
    assert still == held.keys() - {one.uuid for one in chunks[:3]}


def test_what_begins_with_the_end_of_a_held_out_text_is_not_trained_on_either() -> None:
    plain = [chunk(n, f"Chapter {n}") for n in range(200)]
    lapped = [chunk(n, f"Chapter {n}", f"xx {one.text}", 3) for n, one in enumerate(plain)]
    held = [HELD_OUT in set_aside(plain, 0.2, 1).get(one.uuid, "") for one in plain]
    found = set_aside(lapped, 0.2, 1)
    for number, one in enumerate(lapped):
        beside = number > 0 and held[number - 1] and not held[number]
        wanted = HELD_OUT if held[number] else BESIDE if beside else None
        assert found.get(one.uuid) == wanted


def write(name: str, words: str) -> Document:
    paragraphs = "\n\n".join(f"# Part {n} of {name}\n\n{words} {n} in {name}." for n in range(40))
    return Document(make_uuid("f", name), "f", name, name, None, None, paragraphs)


def test_held_out_chunks_do_not_go_on_and_no_copy_of_them_does() -> None:
    one = write("a", "The salt of this pan is told of at some length, with its weight and price,")
    copy = Document(make_uuid("f", "b"), "f", "b", "b", None, None, one.text)
    settings = CutSettings(30, held_out=0.25, folders={"f": FolderSettings(subset=12)})
    decisions = list(cut([one, copy], settings, lambda text: len(text.split())))
    reasons = Counter(decision.reason for decision in decisions)
    assert reasons[HELD_OUT] > 2
    assert reasons[""] == 12  # the subset is drawn from what is left
    held = {d.chunk.text for d in decisions if d.reason == HELD_OUT}
    assert not held & {d.chunk.text for d in decisions if not d.reason}


def test_holding_out_with_copies_left_in_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs `drop_duplicates`"):
        System(held_out_share=0.1, drop_duplicates=False)


def test_the_paired_interval_is_that_of_its_source() -> None:
    """On the example of Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014)."""
    assert paired_interval(1, 1, 7, 12) == pytest.approx((-0.507, -0.026), abs=0.001)
    low, high = paired_interval(7, 1, 0, 2)
    assert low < 0.1 < high
    assert paired_interval(0, 0, 0, 0) == (-1, 1)
    assert paired_interval(0, 40, 0, 0)[0] > 0.8


def test_mcnemars_p_is_exact_and_looks_at_what_differs_only() -> None:
    assert mcnemar_p(1, 7) == pytest.approx(0.0703, abs=1e-4)
    assert mcnemar_p(0, 10) == mcnemar_p(10, 0) == pytest.approx(2 / 1024)
    assert mcnemar_p(0, 0) == mcnemar_p(5, 5) == 1
