"""Decisions about chunks: from a stream as from a list, and stable when texts are added."""

import random
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from generation_functions.documents.buckets import Buckets, hash_keys
from generation_functions.documents.cutting import (
    NOT_IN_SUBSET,
    CutSettings,
    FolderSettings,
    cut,
)
from generation_functions.documents.duplicates import DuplicateFinder
from generation_functions.documents.survey import SurveyMaker
from generation_functions.records import Document, make_uuid

WORDS = "salt is mined and the sea gives it too where brine dries pans 17 of III. : Fig. 4".split()
blocks = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)
texts = st.lists(blocks, min_size=1, max_size=6).map("\n\n".join)
folders = st.lists(st.lists(texts, max_size=3), min_size=1, max_size=3)
choices = st.lists(st.none() | st.integers(1, 4), min_size=3, max_size=3)
few = settings(max_examples=30, deadline=None)


def count(text):
    return len(text.split())


def document(directory, path, text):
    return Document(make_uuid(directory, path, text), directory, path, path, None, None, text)


def documents_of(folders):
    return [
        document(f"folder {number}", f"{place}.txt", text)
        for number, texts in enumerate(folders)
        for place, text in enumerate(texts)
    ]


def settings_of(subsets, drop_duplicates=True):
    each = {f"folder {n}": FolderSettings(subset=size) for n, size in enumerate(subsets)}
    return CutSettings(12, drop_duplicates=drop_duplicates, folders=each)


def by_folder(decisions):
    found = defaultdict(list)
    for one in decisions:
        found[one.chunk.directory].append(one)
    return found


@few
@given(folders, choices)
def test_a_stream_gives_the_decisions_of_a_list(folders, subsets):
    documents, chosen = documents_of(folders), settings_of(subsets)
    assert list(cut(iter(documents), chosen, count)) == list(cut(documents, chosen, count))


@few
@given(folders, choices)
def test_every_chunk_goes_on_or_has_a_reason_and_none_is_lost(folders, subsets):
    decisions = list(cut(documents_of(folders), settings_of(subsets), count))
    whole = defaultdict(list)
    for one in decisions:
        whole[one.chunk.document].append(one.chunk)
    for one in documents_of(folders):
        spans = sorted(whole[one.uuid], key=lambda chunk: chunk.start)
        assert "".join(chunk.text for chunk in spans) == one.text
    uuids = {one.chunk.uuid for one in decisions}
    assert len(uuids) == len(decisions)
    for number, size in enumerate(subsets):
        own = [one for one in decisions if one.chunk.directory == f"folder {number}"]
        reasons = Counter(one.reason for one in own)
        assert all(bool(one.kept) == one.reason.endswith("duplicate") for one in own)
        assert {one.kept for one in own} - {""} <= uuids
        if size is not None:
            assert reasons[""] == min(size, reasons[""] + reasons[NOT_IN_SUBSET])
        else:
            assert NOT_IN_SUBSET not in reasons


@few
@given(folders, choices, texts)
def test_chunks_that_go_on_keep_the_order_of_their_documents(folders, subsets, added):
    decisions = cut(documents_of([*folders, [added]]), settings_of(subsets), count)
    going_on = [one for one in decisions if not one.reason]
    places = [(one.chunk.directory, one.path, one.chunk.start) for one in going_on]
    assert places == sorted(places)


@few
@given(folders, choices, texts, st.integers(0, 2))
def test_one_more_document_leaves_the_decisions_of_other_folders(folders, subsets, added, where):
    """With duplicates dropped, those of the folders before; without, those of all others."""
    where = min(where, len(folders) - 1)
    more = [[*own, added] if n == where else own for n, own in enumerate(folders)]
    for drop in (False, True):
        before = by_folder(cut(documents_of(folders), settings_of(subsets, drop), count))
        after = by_folder(cut(documents_of(more), settings_of(subsets, drop), count))
        for number in range(where if drop else len(folders)):
            if number != where:
                assert after[f"folder {number}"] == before[f"folder {number}"]


@few
@given(st.lists(texts, min_size=1, max_size=4), texts, st.integers(1, 5), st.integers(0, 9))
def test_an_added_chunk_displaces_at_most_one_of_a_subset(own, added, size, seed):
    chosen = replace(settings_of([size], drop_duplicates=False), seed=seed)
    old, new = (list(cut(documents_of([texts]), chosen, count)) for texts in (own, [*own, added]))
    kept_before = {one.chunk.uuid for one in old if not one.reason}
    kept_after = {one.chunk.uuid for one in new if not one.reason}
    added_chunks = {one.chunk.uuid for one in new} - {one.chunk.uuid for one in old}
    assert len(kept_before - kept_after) <= len(added_chunks & kept_after)
    assert kept_after - kept_before <= added_chunks or len(kept_before) < size


def test_another_seed_chooses_another_subset():
    documents = documents_of([[" ".join(f"Word{n} is so." for n in range(400))]])
    chosen = [
        {
            one.chunk.uuid
            for one in cut(documents, replace(settings_of([5]), seed=seed), count)
            if not one.reason
        }
        for seed in (0, 1)
    ]
    assert len(chosen[0]) == len(chosen[1]) == 5
    assert chosen[0] != chosen[1]


def test_documents_are_taken_only_as_decisions_are_asked_for():
    taken = []

    def documents():
        for one in documents_of([["Salt is mined in Wieliczka."] * 3]):
            taken.append(one.path)
            yield one

    decisions = cut(documents(), settings_of([None]), count)
    next(decisions)
    assert taken == ["0.txt"]


def test_a_survey_has_lines_lengths_examples_and_pairs():
    prose = " ".join(f"Word{n} of it is here." for n in range(40))
    near = prose.replace("Word7 ", "Word8 ")
    texts = {
        "a.txt": prose,
        "b.jsonl#0123456789ab": near,
        "c.txt": "I.",
    }
    documents = [replace(document("one", *it), pages=(0, 5)) for it in texts.items()]
    documents.append(document("one", "b.jsonl#0123456789ab-2", prose))
    chosen = CutSettings(500, folders={"one": FolderSettings(subset=1)})
    maker = SurveyMaker()
    for one in documents:
        maker.add_document(one)
    for decision in cut(documents, chosen, count):
        maker.add(decision)
    survey = maker.finish(("x.txt: empty",))
    assert [(one.path, one.pages, one.chunks) for one in survey.documents] == [
        ("a.txt", 2, 1),
        ("b.jsonl", 2, 2),
        ("c.txt", 2, 1),
    ]
    assert survey.documents[0].words == survey.documents[0].tokens == 200
    assert sorted(survey.lengths["one"]) == [1, 200, 200, 200]
    assert {reason: one.count for reason, one in survey.dropped.items()} == {
        "near-duplicate": 1,
        "almost no text": 1,
        "duplicate": 1,
    }
    ((dropped, kept),) = survey.pairs
    assert (dropped.text, kept.text) == (near, prose)
    assert survey.kept == (kept,)
    assert survey.unreadable == ("x.txt: empty",)


def hashes_of(value):
    return hash_keys(np.array([[value % 7, 0], [value % 11, 1]], np.uint64))


@few
@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_buckets_find_all_that_share_a_key(values):
    buckets = Buckets(2)
    for value in values:
        buckets.add(hashes_of(value))
    for value in set(values):
        found = buckets.find(hashes_of(value)).tolist()
        assert found == [
            n for n, one in enumerate(values) if one % 7 == value % 7 or one % 11 == value % 11
        ]


def test_near_duplicates_are_found_after_the_index_has_grown():
    source = random.Random(0)
    finder = DuplicateFinder()
    made = [" ".join(f"{source.randrange(9999)}w" for _ in range(40)) for _ in range(2500)]
    for number, text in enumerate(made):
        assert finder.add(make_uuid("t", str(number)), text) is None
    for number in (0, 1000, 1024, 2499):
        near = made[number].rsplit(" ", 1)[0] + " otherwise"
        found = finder.add(make_uuid("again"), near)
        assert found is not None
        assert (found.kept, found.reason) == (make_uuid("t", str(number)), "near-duplicate")
    assert finder.bytes_held < 900 * len(made)
