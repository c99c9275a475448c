"""What a text told again may say, and what code may change in it."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from generation_functions.errors import Unparsable
from generation_functions.pipeline_sections import RepresentationVariation
from generation_functions.pipelines.amounts import amounts
from generation_functions.pipelines.code_variations import CODE_VARIATIONS, vary_by_code
from generation_functions.pipelines.fact_checks import find_fault
from generation_functions.pipelines.facts import (
    INFER_FACTS,
    LIST_FACTS,
    TURN_FACTS,
    FactRequest,
    choose_turned,
)
from generation_functions.pipelines.forms import (
    FORMS,
    WRITE_FORM,
    choose_forms,
    read_json,
    read_xml,
)
from generation_functions.pipelines.landmarks import find_foreign, find_landmarks
from generation_functions.pipelines.samples import (
    SAMPLES,
    make_chunk,
    make_facts,
    make_variation,
)
from generation_functions.pipelines.wording import names, numbers
from generation_functions.steps.prompts import load_grammar, load_prompt

TEXT = (
    "The Kelvin Bridge was opened on 4 May 1931 after six years of work. Its engineer was Maud "
    "Ferris. It is 812 metres long, and salt water does not rot its twenty-one piers of granite."
)


def landmarks(text: str) -> list[str]:
    return [text[start:end] for start, end in find_landmarks(text)]


def test_landmarks_are_figures_dates_and_names() -> None:
    said = ["Kelvin", "Bridge", "4", "May", "1931", "six", "Maud", "Ferris", "812", "twenty-one"]
    assert landmarks(TEXT) == said
    assert landmarks("Salt eats the paint.") == []


@pytest.mark.parametrize(
    ("told", "foreign"),
    [
        ("In 1931 Ferris opened a bridge of 812 metres.", None),
        ("Granite does not rot. Piers of it stand in salt water.", None),
        ("It is 821 metres long.", "821"),
        ("It was opened in June.", "Jun"),
        ("It was built by Peter Orrin.", "Orrin"),
        ("Hamilton opened it.", "Hamilton"),
        ("Because it is long, people like it. Moreover, it does not rot.", None),
        ("Crucially, it does not rot. Spanning the water, it stands.", None),
        ("Reflecting six years of work, it stands. Inaugurated in 1931, it is long.", None),
        ("Construction Materials:\nGranite, crafted for it.\nThe Bridge: An Overview:", None),
        ("Durability and Key Features:\nIt does not rot.", None),
        ("John Ferris and Construction:\nIt does not rot.", "John"),
        ("Bridges of Orrin:\nIt does not rot.", "Orrin"),
        ("Opening in March:\nIt was opened.", "Mar"),
        ("It is long. John built it.", "John"),
        ("It is long. American visitors like it.", "American"),
        ("A thousand men built it.", "1000"),
        ("Dozens of men built it.", None),
        ("Hundreds of metres long, it stands.", None),
        ("Thousands of men built it.", "thousands"),
        ("It has three parts.", "3"),
        ("It has two parts. The first is long, and one is not.", None),
    ],
)
def test_what_a_text_lacks_is_found(told: str, foreign: str | None) -> None:
    assert find_foreign(told, TEXT, "english") == foreign


@pytest.mark.parametrize(
    ("fact", "fault"),
    [
        ("The Kelvin Bridge is 812 metres long.", ""),
        ("It is forbidden to ride over the bridge of 812 metres.", ""),
        ("It should be forbidden to ride over it.", ""),
        ("IT departments forbid to ride over the bridge.", ""),
        ("I.G. Farben forbids to ride over the bridge.", ""),
        ("Her Majesty may ride where nobody may ride.", ""),
        ("Her bridge is 812 metres long.", "does not name what it is about"),
        ("I may ride over the bridge.", "does not name what it is about"),
        ("these bridges are forbidden.", "does not name what it is about"),
        ("It is 812 metres long.", "does not name what it is about"),
        ("According to the text, the bridge is 812 metres long.", "speaks of the text"),
    ],
)
def test_a_fact_stands_alone(fact: str, fault: str) -> None:
    ground = "It is 812 metres long. Nobody may ride over it; that is forbidden."
    known = f"{TEXT} IT departments, I.G. Farben and Her Majesty forbid it."
    assert find_fault(fact, ground, known, "english") == fault


def test_facts_of_all_or_none_are_not_turned_round() -> None:
    sheet = make_facts(
        make_chunk(TEXT),
        "Maud Ferris was the engineer of the Kelvin Bridge.",
        "Every pier of the Kelvin Bridge is of granite.",
        "Salt water does not rot the Kelvin Bridge.",
        "Salt eats iron.",
        "The Kelvin Bridge was opened on 4 May 1931.",
    )
    assert choose_turned(sheet) == [1, 5]


@pytest.mark.parametrize("step", [LIST_FACTS, INFER_FACTS, TURN_FACTS], ids=lambda one: one.name)
def test_no_fact_of_the_examples_is_dropped(step) -> None:  # type: ignore[no-untyped-def]
    for example in load_prompt(step.name).content.examples:
        found = step.parse(SAMPLES[step.name].read(example.fields), example.answer.strip())
        assert found.dropped == ()
        nothing = example.answer.count("Nothing.")
        assert len(found.facts) == len(example.answer.splitlines()) - nothing


def test_each_form_is_chosen_once_a_round_and_from_both_ends() -> None:
    plain = choose_forms(FORMS, "u", 20, seed=3)
    for number in (0, 1):
        assert {form for form, round_ in plain if round_ == number} == set(FORMS)
    assert len(set(plain)) == 20
    assert choose_forms(FORMS, "u", 5, seed=3) == plain[:5]
    other = choose_forms(FORMS, "u", 8, seed=3, backwards=True)
    assert other == plain[:8][::-1]
    assert (
        choose_forms(FORMS, "u", 8, seed=4) != plain[:8]
        or choose_forms(FORMS, "v", 8, seed=3) != plain[:8]
    )


def test_forms_that_a_config_leaves_out_are_not_chosen() -> None:
    few = ("list", "article", "markup")
    chosen = choose_forms(few, "u", 7, seed=3)
    assert [number for _, number in chosen] == [0, 0, 0, 1, 1, 1, 2]
    assert {form for form, _ in chosen[:3]} == {*few}
    assert RepresentationVariation().forms == tuple(FORMS)
    for wrong in ([], ["list", "list"], ["poem"]):
        with pytest.raises(ValidationError, match="forms"):
            RepresentationVariation.model_validate({"forms": wrong})


@pytest.mark.parametrize("reply", ["[1]", '{"a": 1, "a": 2}', "{", '{"a": {"b": 1, "b": 1}}'])
def test_no_json_object_is_no_reply(reply: str) -> None:
    with pytest.raises(Unparsable):
        read_json(reply)


@pytest.mark.parametrize("reply", ["<a>", "<a></b>", "<!DOCTYPE a><a/>", "<a x='1' x='2'/>", "a"])
def test_no_well_formed_xml_is_no_reply(reply: str) -> None:
    with pytest.raises(Unparsable):
        read_xml(reply)


def test_names_in_data_are_seen_where_they_begin_a_value() -> None:
    request = make_variation(make_facts(make_chunk(TEXT), "The Kelvin Bridge is long."))
    step = WRITE_FORM["structured_data"]
    good = '{\n  "engineer": "Maud Ferris",\n  "metres_long": 812,\n  "stone": "granite"\n}'
    assert step.parse(request, good) == good
    for bad in (good.replace("Maud", "Peter"), good.replace("812", "821")):
        with pytest.raises(Unparsable, match="a figure or name"):
            step.parse(request, bad)


@pytest.mark.parametrize(
    ("key", "passes"),
    [
        ("designed_by_maud_ferris", True),
        ("opened_in_may", True),
        ("may_rot", True),
        ("building_materials_of_the_bridge", True),
        ("designed_by_peter_ferris", False),
        ("opened_in_june", False),
        ("opened_in_march", False),
        ("american_design", False),
    ],
)
def test_a_key_of_data_brings_in_no_name_or_month(key: str, passes: bool) -> None:
    request = make_variation(make_facts(make_chunk(TEXT), "The Kelvin Bridge is long."))
    reply = f'{{\n  "{key}": "the Kelvin Bridge",\n  "metres_long": 812\n}}'
    assert load_grammar("write_structured_data").matches(reply)
    if passes:
        assert WRITE_FORM["structured_data"].parse(request, reply) == reply
        return
    with pytest.raises(Unparsable, match="a figure or name"):
        WRITE_FORM["structured_data"].parse(request, reply)


@pytest.mark.parametrize(
    ("form", "reply"),
    [
        (
            "article",
            "# The Kelvin Bridge: An {}\n\nMaud Ferris built it.\n\n## Opening Date\n\nOn 4 May "
            "1931 it was opened.\n\n## Construction Materials\n\nSalt does not rot granite.",
        ),
        (
            "list",
            "Construction {}:\n- The Kelvin Bridge is 812 metres long.\n\n"
            "Granite Piers:\n- Granite does not rot.",
        ),
        (
            "markup",
            '<entry title="The Kelvin Bridge">\n  <part topic="Construction {}">\n    '
            '<amount of="Total Length">812 metres</amount>\n'
            "    <fact>Granite does not rot.</fact>\n  </part>\n</entry>",
        ),
    ],
)
def test_a_heading_may_have_capitals_and_no_name_from_elsewhere(form: str, reply: str) -> None:
    request = make_variation(make_facts(make_chunk(TEXT), "The Kelvin Bridge is long."))
    good = reply.format("Overview")
    assert load_grammar(f"write_{form}").matches(good)
    assert WRITE_FORM[form].parse(request, good) == good
    for name in ("Peter", "Hamilton", "American"):
        with pytest.raises(Unparsable, match="a figure or name"):
            WRITE_FORM[form].parse(request, reply.format(name))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (f"{TEXT}\n\n{TEXT}", "a copy of the text"),
        ("These facts tell that it is long.\n\nIt is 812 metres long.", "speaks of the text"),
        ("Music moves hearts and minds.\n\nDancers love rhythm, colour, light.", "other words"),
        ("Мост is 812 metres long.\n\nIt is of granite.", "another script"),
    ],
)
def test_a_reply_that_tells_something_else_is_asked_again(reply: str, reason: str) -> None:
    request = make_variation(make_facts(make_chunk(TEXT), "The Kelvin Bridge is long."))
    with pytest.raises(Unparsable, match=reason):
        WRITE_FORM["stream_of_thought"].parse(request, reply)


def test_a_longer_piece_gets_more_tokens_for_its_reply() -> None:
    short, long = (replace(make_chunk(TEXT), tokens=tokens) for tokens in (40, 800))
    assert LIST_FACTS.most_tokens(FactRequest(short), 600) == 600
    assert LIST_FACTS.most_tokens(FactRequest(long), 600) == 2400
    request = make_variation(make_facts(long, "The Kelvin Bridge is long."))
    assert WRITE_FORM["article"].most_tokens(request, 600) == 2400


def test_code_variations_do_what_their_names_say() -> None:
    def vary(function: str, text: str = "salt water eats the old paint") -> str:
        return vary_by_code(text, function, 1.0, 0, "u")

    assert vary("allcaps") == "SALT WATER EATS THE OLD PAINT"
    assert vary("titlecase") == "Salt Water Eats The Old Paint"
    assert vary("invertcase", "Salt eats") == "sALT EATS"
    assert vary("sentencecase", "Salt Eats. Old paint") == "Salt eats. Old paint"
    assert vary("snakecase") == "salt_water eats_the old_paint"
    assert vary("kebabcase") == "salt-water eats-the old-paint"
    assert vary("camelcase") == "saltWater eatsThe oldPaint"
    assert vary("pascalcase") == "SaltWater EatsThe OldPaint"
    assert vary("serialkillercase").lower() == vary("lowercase")
    slipped = zip(vary("keyboard_augmentation").split(), vary("lowercase").split(), strict=True)
    for new, old in slipped:
        assert sum(one != other for one, other in zip(new, old, strict=True)) == 1


def test_marks_that_xml_reserves_are_written_as_entities() -> None:
    text = "R&D at AT&T found in 1931 that 5 < 6. AT&T paid for R&D."
    request = make_variation(make_facts(make_chunk(text), "AT&T paid for R&D."))
    reply = (
        '<entry title="R&D at AT&T">\n  <part topic="5 < 6">\n    <fact>AT&T paid for R&D, in '
        "which 5 < 6 was found.</fact>\n  </part>\n</entry>"
    )
    grammar = load_grammar("write_markup")
    assert not grammar.matches(reply)
    good = reply.replace("&", "&amp;").replace("5 < 6", "5 &lt; 6")
    assert grammar.matches(good)
    assert WRITE_FORM["markup"].parse(request, good) == good
    assert "5 < 6" in read_xml(good)


@pytest.mark.parametrize("function", CODE_VARIATIONS)
def test_the_word_behind_a_figure_stays(function: str) -> None:
    for unit in ("mm", "mW", "MW", "km"):
        text = f"it draws 1,050.5 {unit} of power"
        assert f" 1,050.5 {unit} " in vary_by_code(text, function, 1.0, 0, "u")


@given(st.sampled_from(CODE_VARIATIONS), st.floats(0.01, 1), st.integers(0, 9))
def test_code_never_touches_figures_dates_and_names(function: str, rate: float, seed: int) -> None:
    changed = vary_by_code(TEXT, function, rate, seed, "u")
    assert changed == vary_by_code(TEXT, function, rate, seed, "u")
    assert amounts(changed) == amounts(TEXT)
    assert numbers(changed) == numbers(TEXT)
    assert names(TEXT) <= set(re.findall(r"[a-z]+", changed.lower()))
    if function in ("keyboard_augmentation", "snakecase", "pascalcase"):
        assert set(landmarks(TEXT)) <= set(re.findall(r"[\w-]+", changed))


def test_a_smaller_rate_changes_fewer_words() -> None:
    text = " ".join(["paint"] * 400)
    changed = vary_by_code(text, "allcaps", 0.1, 1, "u").split().count("PAINT")
    assert 20 < changed < 65
    assert vary_by_code(text, "allcaps", 0.1, 2, "u") != vary_by_code(text, "allcaps", 0.1, 1, "u")
