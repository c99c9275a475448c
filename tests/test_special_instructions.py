"""Trait axes, presets and eras: what is drawn for the people of a conversation."""

from collections import Counter
from pathlib import Path

import pytest

from generation_functions.errors import ConfigError
from generation_functions.pipeline_sections import Conversations
from generation_functions.pipelines.eras import choose_era, leaves_era
from generation_functions.pipelines.orders import make_info
from generation_functions.pipelines.samples import make_chunk, make_pair
from generation_functions.records import ConversationInfo
from generation_functions.special_instructions import (
    PACKS,
    draw_levels,
    draw_primary,
    read_traits,
)

ERAS = Conversations().eras
PACKAGED = [axes for traits in PACKS.values() for axes in (traits.primary, traits.secondary)]


@pytest.mark.parametrize("axes", PACKAGED)
def test_every_level_of_every_axis_is_drawn(axes: dict[str, tuple[str, ...]]) -> None:
    drawn = {level for seed in range(600) for level in draw_levels(axes, seed)}
    assert drawn == {level for levels in axes.values() for level in levels if level}


def test_levels_are_drawn_evenly() -> None:
    axes = {"warmth": ("is warm.", "", "is cold.")}
    counts = Counter(draw_levels(axes, seed) for seed in range(3000))
    assert all(900 < counts[drawn] < 1100 for drawn in [("is warm.",), (), ("is cold.",)])


def test_axes_are_drawn_each_for_itself_and_in_no_order() -> None:
    one = {"warmth": ("warm", "cold"), "age": ("young", "old")}
    other = {"age": ("old", "young"), "trade": ("smith", "cook"), "warmth": ("cold", "warm")}
    for seed in range(200):
        assert set(draw_levels(one, seed)) < set(draw_levels(other, seed))
    pairs = Counter(draw_levels(one, seed) for seed in range(2000))
    assert len(pairs) == 4
    assert all(430 < count < 570 for count in pairs.values())


@pytest.mark.parametrize("axes", PACKAGED)
def test_a_level_ends_a_sentence_that_begins_with_the_name(
    axes: dict[str, tuple[str, ...]],
) -> None:
    for levels in axes.values():
        assert all(level == "" or (level[0].islower() and level[-1] == ".") for level in levels)


def test_the_default_axes_are_safe_and_who_asks_is_not_timid() -> None:
    """W32: a third of the original's characters were not safe for work; who asked was timid."""
    said = " ".join(
        level
        for axes in (PACKS["default"].primary, PACKS["default"].secondary)
        for levels in axes.values()
        for level in levels
    )
    for word in ("flirt", "seduc", "chaste", "awful", "spite", "timid", "shy", "body"):
        assert word not in said


def test_the_originals_axes_are_asked_for_by_name() -> None:
    assert read_traits(Conversations().traits) is PACKS["default"]
    assert set(read_traits("original").primary) == {"flirtation", "assertiveness", "morality"}
    assert draw_levels(read_traits("none").primary, 1) == ()


def test_own_axes_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "axes.yaml"
    file.write_text("primary: {craft: [weaves., '']}\nsecondary: {}\n", encoding="utf-8")
    assert read_traits(str(file)).primary == {"craft": ("weaves.", "")}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("primary: {craft: []}\nsecondary: {}", "axes.yaml: the axis `craft` has no level"),
        ("primary: {craft: [weaves.]}", "secondary"),
        ("primary: {}\nsecondary: {}\nprimery: {craft: [weaves.]}", "primery"),
        ("primary: [", "not readable as YAML"),
        (None, "neither one of default, original, none nor a file"),
    ],
)
def test_own_axes_that_cannot_be_used_are_an_error(
    tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "axes.yaml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_traits(str(file))


def test_presets_stand_in_the_place_of_traits_for_half_or_for_all() -> None:
    axes, presets = {"warmth": ("is warm.",)}, ("keeps bees.", "was a diver.")
    half = Counter(draw_primary(axes, presets, False, seed) for seed in range(2000))
    assert 900 < half["is warm.",] < 1100
    assert all(430 < half[preset,] < 570 for preset in presets)
    assert {draw_primary(axes, presets, True, seed) for seed in range(50)} == {
        ("keeps bees.",),
        ("was a diver.",),
    }
    assert draw_primary(axes, (), False, 1) == ("is warm.",)


def test_only_presets_without_presets_is_an_error() -> None:
    with pytest.raises(ValueError, match="`only_presets` needs `presets`"):
        Conversations(only_presets=True)


def make_talk(source: str, text: str = "Rope floats.") -> ConversationInfo:
    return make_info([make_pair(make_chunk(text, source), "Does rope float?", "Yes.")])


def drawn_eras(info: ConversationInfo, eras: tuple[str, ...] = ERAS) -> set[str]:
    return {choose_era(eras, info, seed) for seed in range(200)}


def test_every_era_is_drawn_and_the_present_is_among_them() -> None:
    """W32: the original's models drifted into the 19th century."""
    assert drawn_eras(make_talk("Ropes")) == set(ERAS)
    assert "the present day" in ERAS
    assert not [era for era in ERAS if "18" in era]
    assert drawn_eras(make_talk("Ropes"), ()) == {""}


def test_nobody_talks_before_the_source_was_written() -> None:
    assert drawn_eras(make_talk("Ropes, by L. Orrin, published 1975")) == {
        "the present day",
        "the 2000s",
        "the 1990s",
        "the 1970s",
        "around 2040",
    }
    assert "the 1930s" not in drawn_eras(make_talk("Ropes", "A rope of 1941 floats."))
    assert drawn_eras(make_talk("Ropes, published 1975"), ("the 1930s", "the 1950s")) == {
        "the 1950s"
    }


@pytest.mark.parametrize(
    ("text", "era", "leaves"),
    [
        ("It is a morning in 1953.", "the 1950s", False),
        ("It is a morning in 1893.", "the 1950s", True),
        ("A street of the 19th century.", "the 1950s", True),
        ("A nineteenth-century parlour.", "the present day", True),
        ("The lamp was bought in 2019.", "the present day", False),
        ("In 2038 the rails hum.", "around 2040", False),
        ("In 2019 the rails hum.", "around 2040", True),
        ("They sold 1,850 loaves and 1900.5 kg.", "the 1950s", False),
        ("It is a morning in 1893.", "", False),
        ("She keeps 1500 hens, and the pump makes 2000 rpm.", "the 1950s", False),
        ("A herd of 1500 goats stands by the road.", "the 1950s", False),
        ("On August 26, 1843 it rained.", "the 1950s", True),
        ("It is 1893 and it rains.", "the 1950s", True),
        ("The old lamp (1887) smokes.", "the 1950s", True),
        ("He was abroad from 1914 to 1918.", "the 1950s", True),
    ],
)
def test_a_scene_keeps_to_its_era(text: str, era: str, leaves: bool) -> None:
    assert leaves_era(text, era) is leaves


def test_a_life_may_begin_before_its_era() -> None:
    assert not leaves_era("She was born in 1902.", "the 1950s", lives=True)
    assert leaves_era("She was born in 1802.", "the 1950s", lives=True)
    assert leaves_era("She will retire in 1982.", "the 1950s", lives=True)
