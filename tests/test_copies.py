"""Answers in the text's own words, and what small models' grammars let through."""

from dataclasses import replace
from pathlib import Path

import pytest

from generation_functions.documents.sentences import number_sentences
from generation_functions.engine.grammar import Grammar
from generation_functions.errors import GrammarError
from generation_functions.pipelines.copies import (
    copy_in_order,
    is_clear,
    is_copied,
    list_copies,
    narrow_to_copies,
    without_lead,
)
from generation_functions.pipelines.facts import LIST_FACTS, FactRequest
from generation_functions.pipelines.question_steps import (
    PLAN_QUESTIONS,
    WRITE_QUESTIONS,
    QuestionRequest,
    make_pair,
)
from generation_functions.pipelines.repairing import CHECK_QUESTION, REPAIR_ANSWER, REPLACE_PAIR
from generation_functions.pipelines.samples import make_chunk
from generation_functions.pipelines.sentence_needs import find_needed, hold_together
from generation_functions.steps.prompts import PROMPTS, load_prompt
from generation_functions.steps.step import Step

GARDEN = make_chunk(
    "And now to the winter.\n\n(2) Nail a strip of zinc across the entrance of the beehive. Tilt "
    "the hive a little forward. Then rain runs off its floor. Thus, a mouse eats the wax of a "
    "whole frame in a week. This is [see below] a good deal of wax for a mouse to eat. In 1902 we "
    "lost nine frames of wax to a single mouse. Bees will _never_ sting a man who does not move.",
    "Bees in Small Gardens, by H. Ostrow",
)
ZINC = "Nail a strip of zinc across the entrance of the beehive."
TILT = "Tilt the hive a little forward. Then rain runs off its floor."
EATS = "A mouse eats the wax of a whole frame in a week."
MAYBE = "You can open the hive at noon."
BEES = "Bees will never sting a man who does not move."
SMALL = (PROMPTS / "small",)


def grammar_of(step: Step[QuestionRequest, object], request: QuestionRequest) -> Grammar:
    return step.narrow(load_prompt(step.name, SMALL).grammar, request)


def pair(sentences: str, answer: str) -> str:
    return f"Sentences: {sentences}\nAnswer: {answer}\nQuestion: What is told at place {sentences}?"


def advised(text: str) -> str:
    return f"H. Ostrow advises: “{text}”"


@pytest.mark.parametrize(
    ("numbers", "together"),
    [
        ((2,), (2,)),
        ((3,), (3,)),
        ((3, 4), (3, 4)),  # what leans on the sentence before stays with it
        ((4,), (3, 4)),  # and is not told without it
        ((4, 5), (3, 4)),
        ((2, 3, 4), (2,)),
        ((3, 5), (3,)),
    ],
)
def test_sentences_are_told_with_what_they_lean_on(
    numbers: tuple[int, ...], together: tuple[int, ...]
) -> None:
    assert hold_together(GARDEN, numbers) == together
    foreign = replace(GARDEN, language="german")
    assert hold_together(foreign, numbers) == numbers[:1], "these words are English"


LAMP = make_chunk(
    "Light the gas of the lamp. After a time the gas will explode. The keeper of an oil lamp sleeps"
    " beside it. He is a light sleeper. Then the wick smokes. Wipe the oil off.",
    "Lamps, by A. Karlsen",
)


@pytest.mark.parametrize(
    ("numbers", "together"),
    [
        ((2,), (1, 2)),  # which gas, the sentence before it tells
        ((1,), (1,)),
        ((6,), (3, 4, 5, 6)),  # a thing may be named up to three sentences before
    ],
)
def test_a_thing_is_told_with_the_sentence_that_names_it(
    numbers: tuple[int, ...], together: tuple[int, ...]
) -> None:
    assert hold_together(LAMP, numbers) == together
    often = replace(LAMP, text=LAMP.text + " Mind the gas. Turn the gas off. Smell the gas.")
    assert hold_together(often, (2,)) == (2,), "the text is about it"
    stuff = replace(LAMP, text=f"{LAMP.text} Of gas and of gas, much of gas is lost.")
    assert hold_together(stuff, (2,)) == (2,)
    sun = make_chunk("Light comes from a sun. At night the sun is cold.", "Lamps, by A. Karlsen")
    assert hold_together(sun, (2,)) == (2,)
    titled = replace(LAMP, source="Gas and oil, by A. Karlsen")
    assert hold_together(titled, (2,)) == (2,)
    assert not is_clear(LAMP, [3, 4]), "a person need not be the one of the sentence before"


def test_the_end_of_a_sentence_is_told_with_its_beginning_before_a_page_ended() -> None:
    text = "Bees drink at noon.\n\nPut the frame into a\n\nW. C. or else into a cold cellar."
    chunk = make_chunk(text, "Bees, by H. Ostrow")
    assert hold_together(chunk, (3,)) == (2, 3)
    headed = replace(chunk, text=text.replace("Put the frame into a", "Frames"))
    assert hold_together(headed, (3,)) == (3,)


@pytest.mark.parametrize(
    ("sentence", "clear"),
    [
        ("Wax was found by this method in 1851.", False),
        ("A method of Huber shows wax by this method of his.", True),
        ("Let us now look at a frame of wax.", False),
        ("For other hives a strip of zinc is used.", False),
        ("Now a frame of wax is put in.", False),
        ("Table 3 lists the frames of a hive.", False),
        ("Bees never sting those who stand still.", True),
    ],
)
def test_a_sentence_that_speaks_of_what_it_does_not_name_is_no_answer(
    sentence: str, clear: bool
) -> None:
    assert is_clear(make_chunk(sentence, "Bees, by H. Ostrow"), [1]) == clear


def test_a_person_is_the_only_one_that_is_named_before() -> None:
    named = "The mole was the work of Margarethe Lund. She won the lawsuit."
    assert is_clear(make_chunk(named), [1, 2])
    two = "The mole was the work of Margarethe Lund and Anna Strand. She won the lawsuit."
    assert not is_clear(make_chunk(two), [1, 2])


def test_a_question_is_no_fact() -> None:
    chunk = make_chunk(
        "Wax moths will eat old combs. Why did the old colony die? Partly because of frost."
    )
    told = [told for _, told in copy_in_order(chunk)]
    assert told == [
        "Wax moths will eat old combs.",
        "Why did the old colony die? Partly because of frost.",
    ]
    assert copy_in_order(make_chunk("Why did the old colony die in May?")) == [((1,), "")]


def test_what_stands_for_nothing_leans_on_nothing() -> None:
    chunk = make_chunk(
        "The hive is shut. It is best to open it at noon. 5. Wipe the frame with oil."
    )
    assert hold_together(chunk, (2,)) == (2,)
    assert "5." not in "".join(list_copies(chunk, [len(number_sentences(chunk.text))]))


def test_who_advises_is_named_or_nobody() -> None:
    order = "Open the hive at noon."
    chunk = make_chunk(order, "Bees, by Ada Lunn and Per Vik")
    assert list_copies(chunk, [1]) == [f"Ada Lunn and Per Vik advise: “{order}”"]
    assert list_copies(make_chunk(order, ""), [1]) == [order]


@pytest.mark.parametrize(
    ("sentence", "needs"),
    [
        ("After a while, they will break.", True),
        ("In winter they sleep.", True),
        ("Instead of filling out, it may crease.", True),
        ("Usually it is best to wait.", False),
        ("In winter bees sleep.", False),
        ("By using a candle you light it.", False),
        ("One pint is enough.", True),
        ("Take 30 grams for each hive.", True),
        ("Take 30 grams of wax for each hive.", False),
        ("Honey is as good as sugar.", True),
        ("The combs opened in spring.", True),
        ("Ten days were left out.", True),
        ("Ten days of frost were left out.", False),
        ("Brood dies of this cold.", True),
        ("The cold is no harm, as brood dies of this cold alone.", False),
        ("Ada Lunn weighed her hive in May.", False),
        ("The keeper weighed her hive in May.", True),
        ("Most sorts of this are sold.", False),
        ("Wipe it with oil.", True),
        ("There the eggs hatch.", True),
        ("There are eggs in May.", False),
        ("Zinc is now called spelter.", False),
        ("Nobody knows who lived there.", True),
        ("Zinc, however, is dear.", True),
        ("Partly because of rain brood died.", True),
    ],
)
def test_what_a_sentence_takes_from_the_one_before(sentence: str, needs: bool) -> None:
    chunk = make_chunk(f"Wax moths eat combs. {sentence}")
    assert (find_needed(chunk, 2) == 1) is needs


def test_a_heading_is_not_needed_by_what_stands_under_it() -> None:
    told = "Turn on the lamp so that the battery will run down."
    chunk = make_chunk(f"(f) Battery and Ignition\n\n{told}")
    assert find_needed(chunk, 2) == 2
    chunk = make_chunk(f"The car has a battery. {told}")
    assert find_needed(chunk, 2) == 1


@pytest.mark.parametrize(
    ("sentence", "clear"),
    [
        ("You can get away with such acts under the cover of night.", False),
        ("You can carry such things as hammers and nails with you.", True),
        ("They will do so at night.", False),
        ("Nail the old boxes shut in autumn, as long as you can do it before the frost.", True),
        ("Tilt the hive; rain runs off this way.", True),
        ("In this way rain runs off.", False),
        ("A coin or a nail will accomplish the same.", False),
        ("More than half of them died in the winter of that year.", False),
        ("The following are the chief conditions of a hive.", False),
        ("The wax so formed is hard.", False),
    ],
)
def test_what_is_said_of_something_else_is_not_clear(sentence: str, clear: bool) -> None:
    assert is_clear(make_chunk(sentence), [1]) is clear


def test_an_answer_of_two_words_is_none() -> None:
    assert not is_clear(make_chunk("Act stupid."), [1])
    assert is_clear(make_chunk("Misfile essential documents."), [1])


@pytest.mark.parametrize(
    ("number", "clear"), [(2, True), (5, True), (6, False), (7, False), (8, True)]
)
def test_a_sentence_that_points_elsewhere_is_no_answer(number: int, clear: bool) -> None:
    assert is_clear(GARDEN, [number]) == clear


@pytest.mark.parametrize(
    "sentence",
    [
        "The aim of his work is to keep bees through the winter.",
        "You can do this by nailing a strip of zinc across.",
        "The purpose of this paper is to tell how bees are kept.",
        "Wasps are a smaller danger than the mice so far discussed.",
        "Hives and Boxes (1) Keep the hive dry through the winter.",
    ],
)
def test_what_only_the_sentences_before_make_clear_is_no_answer(sentence: str) -> None:
    assert not is_clear(make_chunk(sentence), [1])
    assert narrow_to_copies(make_chunk(sentence))["verbatim"] == "number"


def test_a_copy_has_no_number_no_lead_and_no_marks() -> None:
    assert list_copies(GARDEN, [5]) == [EATS]
    assert without_lead("Further, it rains.", "english") == "It rains."
    assert without_lead("Further, it rains.", "german") == "Further, it rains."


@pytest.mark.parametrize(
    ("sentence", "ways"),
    [
        ("Never open the hive in rain.", "advice"),
        ("Do not open the hive in rain.", "advice"),
        ("Let the frames stand for a day.", "advice"),
        ("Bees will sting whoever moves.", "plain"),
        ("There are nine frames in a hive.", "plain"),
        ("Use of zinc is common.", "plain"),
        ("You can open the hive at noon.", "both"),
        ("If it is cold, wrap the hive.", "advice"),
        ("If it is cold, bees sleep.", "both"),
        ("Before frost comes, shut the hive.", "advice"),
        ("Tilt the hive a little forward.", "advice"),
        ("In cold springs, gently wrap the hive.", "advice"),
        ("Where frost is hard, the bees are still.", "plain"),
        ("Swarm boxes near to trees often stay empty.", "plain"),
        ("Warn neighbours that bees are near.", "advice"),
        ("A mouse eats wax.", "plain"),
        ("Water cools bees.", "both"),  # "water" is a verb too, and has its subject behind it
        ("Ground which is wet cools bees.", "both"),
        ("Her hive is cold.", "plain"),
        ("Let us open the hive.", "both"),
        ("Bring zinc to the hive.", "advice"),
        ("Press wax into the frame.", "advice"),
        ("See how bees sleep.", "advice"),
        ("The salt melts.", "plain"),
        ("Mice eat wax.", "plain"),
        ("Apply the wax to the frame.", "advice"),
        ("Beat the whites in a clean bowl.", "advice"),
        ("Wax bones turn soft in the sun.", "plain"),
        ("Steam in the hive gives the wax a crust.", "both"),
        ("In cold rooms lay the wax on straw.", "both"),
        ("Ostrow found that bees sleep.", "plain"),
        ("Instead of wax, lay straw.", "both"),
        ("Wasps take honey from the frames.", "plain"),
        ("So will bees that are wet.", "plain"),
        ("Boxes of pine, of fir, and so on, are never warm.", "plain"),
    ],
)
def test_what_plainly_orders_or_tells_is_told_so(sentence: str, ways: str) -> None:
    chunk = make_chunk(sentence, "Bees, by H. Ostrow")
    expected = {
        "plain": [sentence],
        "advice": [advised(sentence)],
        "both": [sentence, advised(sentence)],
    }
    assert list_copies(chunk, [1]) == expected[ways]
    assert len(list_copies(replace(chunk, language="german"), [1])) == 2


def test_a_source_without_an_author_advises_by_its_title() -> None:
    chunk = make_chunk("Never say “fire” on deck.", "the Deck Hand's Book")
    assert list_copies(chunk, [1]) == ["The Deck Hand's Book advises: “Never say ‘fire’ on deck.”"]


def test_single_sentences_are_offered_that_stand_alone() -> None:
    rules = narrow_to_copies(GARDEN)
    assert rules["verbatim"].split(" | ") == [
        f'"2\\nAnswer: {ZINC}"',
        f'"5\\nAnswer: {EATS}"',
        f'"8\\nAnswer: {BEES}"',
    ]
    assert rules["advised"].split(" | ")[2] == f'"8\\nAnswer: {advised(BEES)}"'
    assert narrow_to_copies(make_chunk("Oak.")) == {"verbatim": "number", "advised": "number"}


def test_without_a_plan_small_models_choose_sentences() -> None:
    grammar = grammar_of(WRITE_QUESTIONS, QuestionRequest(GARDEN, 2))
    one, two = pair("2", advised(ZINC)), pair("5", EATS)
    assert grammar.matches(one)
    assert grammar.matches(f"{one}\n\n{two}")
    assert not grammar.matches(f"{one}\n\n{two}\n\n{two}")
    assert not grammar.matches(pair("2", "Nail a strip of tin across the entrance."))
    assert not grammar.matches(pair("5", ZINC))


def test_with_a_plan_small_models_copy_what_it_names() -> None:
    plan = "2: the zinc\n4: the rain\n3: the tilt\n6: the wax\n8: the bees"
    grammar = grammar_of(WRITE_QUESTIONS, QuestionRequest(GARDEN, 6, plan))
    written = [pair("2", advised(ZINC)), pair("3, 4", advised(TILT)), pair("8", BEES)]
    for count in (1, 2, 3):
        assert grammar.matches("\n\n".join(written[:count]))
    assert not grammar.matches("\n\n".join([written[0], written[2]]))
    assert not grammar.matches(pair("2", advised(TILT)))
    pairs = WRITE_QUESTIONS.parse(QuestionRequest(GARDEN, 6, plan), "\n\n".join(written))
    assert pairs[0].answer == advised(ZINC)
    assert all(map(is_copied, pairs)), "they are one to one what the text says"
    changed = replace(pairs[0], answer=pairs[0].answer.replace("zinc", "tin"))
    assert not is_copied(changed)
    unclear = grammar_of(WRITE_QUESTIONS, QuestionRequest(GARDEN, 6, "6: the wax"))
    assert unclear.matches(pair("5", EATS)), "a plan of unclear sentences leaves all others"


def test_a_rule_that_is_only_offered_may_be_missing(tmp_path: Path) -> None:
    request = QuestionRequest(GARDEN, 2)
    own = load_prompt("write_questions").grammar
    assert "verbatim" not in own.rules
    assert WRITE_QUESTIONS.narrow(own, request).matches(pair("2", "In one's own words."))
    rules = PLAN_QUESTIONS.rules(request)
    with pytest.raises(GrammarError, match="no rule `number`"):
        PLAN_QUESTIONS.narrow(Grammar({"root": own.rules["root"]}), request)
    assert rules


@pytest.mark.parametrize("step", [REPAIR_ANSWER, REPLACE_PAIR])
def test_repairs_of_small_models_are_copies_too(step: Step[object, object]) -> None:
    assert {"verbatim", "advised"} <= load_prompt(step.name, SMALL).grammar.rules.keys()
    assert step.offers == ("advised", "verbatim")


def test_small_models_find_what_answers_and_give_no_verdict() -> None:
    asked = make_pair(GARDEN, (5,), "What does a mouse eat in a week?", EATS)
    grammar = load_prompt("check_question", SMALL).grammar
    assert not grammar.matches("Verdict: no\nReason: It is not there.")
    for words, right in (("the wax of a whole frame", True), ("a strip of zinc", False)):
        reply = f"Verdict: yes\nWords: {words}"
        assert grammar.matches(reply)
        assert bool(CHECK_QUESTION.parse(asked, reply)) == right


def test_all_sentences_are_told_in_their_order_or_not_at_all() -> None:
    told = copy_in_order(GARDEN)
    assert [numbers for numbers, _ in told] == [(1,), (2,), (3, 4), (5,), (6,), (7,), (8,)]
    assert {numbers[0] for numbers, way in told if not way} == {1, 6, 7}
    assert dict(told)[5,] == EATS
    both = make_chunk(f"{MAYBE} {ZINC}", "Bees, by H. Ostrow")
    assert [told for _, told in copy_in_order(both)] == [advised(MAYBE), advised(ZINC)]
    assert copy_in_order(make_chunk(MAYBE)) == [((1,), MAYBE)], "nothing is advised here"
    heading = make_chunk("THE WINTER OF BEES\n\nA hive sleeps for three months.")
    assert [bool(way) for _, way in copy_in_order(heading)] == [False, True]


@pytest.mark.parametrize(
    "told",
    [
        "Fine sand can be put into a tank. Be sure that the sand is very fine.",
        "A slow stroke wears out a file. Exert pressure on the backward stroke.",
        "Let crops harvest too early or too late.",
    ],
)
def test_an_order_that_follows_on_what_is_told_is_told_with_it_as_advice(told: str) -> None:
    chunk = make_chunk(told, "Bees, by H. Ostrow")
    assert [text for _, text in copy_in_order(chunk)] == [advised(told)]


def test_facts_are_sentences_for_a_small_model() -> None:
    request = FactRequest(GARDEN)
    grammar = LIST_FACTS.narrow(load_prompt("list_facts", SMALL).grammar, request)
    told = [
        "[1] Nothing.",
        f"[2] {advised(ZINC)}",
        f"[3, 4] {advised(TILT)}",
        f"[5] {EATS}",
        "[6] Nothing.",
        "[7] Nothing.",
        f"[8] {BEES}",
    ]
    reply = "\n".join(told)
    assert grammar.matches(reply)
    assert not grammar.matches(reply.replace(f"[5] {EATS}", "[5] Nothing."))
    assert not grammar.matches(reply.replace("a mouse", "a rat").replace("A mouse", "A rat"))
    assert not grammar.matches("\n".join(told[1:]))
    found = LIST_FACTS.parse(request, reply)
    assert [fact.sentences for fact in found.facts] == [(2,), (3, 4), (5,), (8,)]
    assert not found.dropped
