"""The sentences that an answer rests on, found where others were named."""

import pytest

from generation_functions.pipelines.citing import cite
from generation_functions.pipelines.question_steps import make_pair, read_pairs, tidy
from generation_functions.pipelines.samples import make_chunk

MARN = make_chunk(
    "3. OF GATES\n\n"
    "The sluice of Marn has two gates of elm. They are shut before the flood, for the marsh lies "
    "below the river. The keeper greases their hinges with tallow on the first of each "
    "month. Eels are caught below the sluice in 14 baskets. Their skins were sold to saddlers."
)


@pytest.mark.parametrize(
    ("named", "answer", "cited"),
    [
        ((2,), "The sluice of Marn has two gates of elm.", (2,)),
        ((5,), "The sluice of Marn has two gates of elm.", (2,)),
        ((1,), "Below the sluice of Marn eels are caught in 14 baskets.", (5,)),
        ((6,), "The keeper greases the hinges of the gates with tallow each month.", (4,)),
        ((2,), "The keeper greases hinges with tallow, and eels are caught in 14 baskets.", (4, 5)),
    ],
)  # fmt: skip
def test_a_quote_that_lacks_the_answer_gives_way_to_sentences_that_tell_it(
    named: tuple[int, ...], answer: str, cited: tuple[int, ...]
) -> None:
    pair = make_pair(MARN, named, "What is told of Marn?", answer)
    mended = cite(pair)
    assert mended.sentences == cited
    assert mended.uuid == pair.uuid
    texts = ["", "3. OF GATES", "The sluice of Marn has two gates of elm."]
    if max(cited) < len(texts):
        assert mended.quote == texts[cited[0]]


def test_an_answer_that_no_sentence_tells_keeps_its_own() -> None:
    pair = make_pair(MARN, (6,), "What of Baron Klee?", "Baron Klee paid 900 crowns for it.")
    assert cite(pair) == pair


def test_a_pair_is_read_with_the_sentences_that_tell_it() -> None:
    reply = "Sentences: 6\nAnswer: The gates of Marn are of elm.\nQuestion: Of what are the gates?"
    (pair,) = read_pairs(MARN, reply)
    assert pair.sentences == (2,)


@pytest.mark.parametrize(
    ("answer", "tidied"),
    [
        ("3. OF GATES The sluice of Marn has two gates.", "The sluice of Marn has two gates."),
        (" (3) They are shut before the flood.", "They are shut before the flood."),
        ("Finally, the hinges are greased.", "The hinges are greased."),
        ("However small, eels are caught.", "However small, eels are caught."),
    ],
)
def test_an_answer_loses_what_only_its_place_in_the_text_gave_it(answer: str, tidied: str) -> None:
    assert tidy(answer, MARN) == tidied
