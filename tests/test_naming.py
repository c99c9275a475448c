"""The names of two characters: from a broad list, and never anyone's of the source."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from pydantic import ValidationError

from generation_functions.errors import Rejected
from generation_functions.pipeline_sections import Conversations
from generation_functions.pipelines.naming import (
    FAMILY_NAMES,
    GIVEN_NAMES,
    choose_names,
    find_author,
    find_words,
    fold,
)
from generation_functions.pipelines.orders import make_info
from generation_functions.pipelines.samples import make_chunk, make_pair
from generation_functions.records import ConversationInfo

CAST = (
    "Zofia Petrov wrote to Kofi Ibanez; JAMILA'S ropes were Okafor-made, and Ravi\u2019s too. "
    + " ".join(GIVEN_NAMES[::2])
    + " "
    + " ".join(FAMILY_NAMES[::2])
)


def make_talk(
    text: str, source: str = "Ropes, by Astrid Demir, published 1911"
) -> ConversationInfo:
    chunk = make_chunk(text, source)
    return make_info([make_pair(chunk, "Did Indira Nagy splice?", "No, Eero Soto did.")])


def test_the_lists_are_broad_and_hold_no_name_twice() -> None:
    for names in (GIVEN_NAMES, FAMILY_NAMES):
        assert len({fold(name) for name in names}) == len(names) >= 150
    assert not {fold(name) for name in GIVEN_NAMES} & {fold(name) for name in FAMILY_NAMES}


def test_a_thousand_seeds_give_names_that_nobody_of_the_source_has() -> None:
    """W28: the name is never the author's, nobody's of the text, and never an error message."""
    info = make_talk(CAST)
    known = find_words(f"{CAST} Astrid Demir Indira Nagy Eero Soto")
    drawn = {choose_names(info, seed) for seed in range(1000)}
    assert len(drawn) > 990
    assert len({name.split()[0] for names in drawn for name in names}) > 100
    for names in drawn:
        parts = " ".join(names).split()
        assert len(parts) == 4
        assert len({fold(part) for part in parts}) == 4
        assert not known & {fold(part) for part in parts}


def test_ones_own_lists_of_names_are_drawn_from_and_still_nobody_of_the_source() -> None:
    info = make_talk("Jost wrote of ropes.")
    given, family = ("Jost", "Ute", "Imke"), ("Voss", "Demir", "Harms")
    drawn = {choose_names(info, seed, given, family) for seed in range(40)}
    names = {name for pair in drawn for name in pair}
    assert names == {"Ute Voss", "Ute Harms", "Imke Voss", "Imke Harms"}
    with pytest.raises(Rejected, match="no name is left"):
        choose_names(info, 1, ("Jost", "Ute"), family)


def test_a_name_in_the_config_is_one_word() -> None:
    assert Conversations(given_names=("Zoë", "Łukasz")).given_names == ("Zoë", "Łukasz")
    with pytest.raises(ValidationError, match="one word of letters, not Jean-Luc, A B"):
        Conversations(family_names=("Voss", "Jean-Luc", "A B"))


def test_the_two_people_differ_in_their_initials() -> None:
    for seed in range(200):
        (a, b), (c, d) = (name.split() for name in choose_names(make_talk("Rope."), seed))
        assert {fold(a)[0], fold(b)[0]}.isdisjoint({fold(c)[0], fold(d)[0]})


def test_both_names_are_chosen_once_and_stay() -> None:
    """W29: two draws for the one who asks disagreed with each other."""
    info = make_talk("Rope is laid from strands.")
    assert choose_names(info, 5) == choose_names(info, 5)
    assert choose_names(info, 5) != choose_names(info, 6)
    assert choose_names(replace(info, uuid="another order"), 5) != choose_names(info, 5)


def test_a_name_that_another_name_uses_up_leaves_the_others_as_they_were() -> None:
    before = choose_names(make_talk("Rope."), 1)
    again = replace(make_talk("Rope."), chunk=make_chunk("Rope for Zanele."))
    assert choose_names(again, 1) == before


def test_a_list_of_names_leaves_none() -> None:
    refuse: Callable[[], object] = partial(choose_names, make_talk(" ".join(GIVEN_NAMES)), 1)
    with pytest.raises(Rejected, match="no name is left"):
        refuse()


def test_the_author_is_read_from_the_source_as_documents_write_it() -> None:
    assert find_author("On Bridges, by A. Mason, published 1970") == {"mason"}
    assert find_author("Stand by Me, by Zoë Okafor") == {"zoe", "okafor"} - {"zoe"}
    assert find_author("By the Sea") == set()
