"""The ways of asking: parsers, grammars, worked examples, and each way's own check by code."""

from dataclasses import replace

import pytest
from ways import ARNO, BRENT, CORPUS, OPENING, REPLIES, REQUEST

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.errors import Unparsable
from generation_functions.pipelines.admissions import admits
from generation_functions.pipelines.exchange_checks import is_told, mentions
from generation_functions.pipelines.pair_checks import Problem
from generation_functions.pipelines.readings import list_numbers, read_together, show_texts
from generation_functions.pipelines.recall import find_fault
from generation_functions.pipelines.samples import SAMPLES
from generation_functions.pipelines.way_steps import WRITE_FOLLOWUP, WayRequest
from generation_functions.pipelines.ways import BUILT_IN
from generation_functions.records import Exchange
from generation_functions.steps.prompts import Prompt, load_prompt

LATER = replace(REQUEST, turns=(WRITE_FOLLOWUP.parse(REQUEST, OPENING),))
each_way = pytest.mark.parametrize("name", BUILT_IN)


def request_of(name: str) -> WayRequest:
    return LATER if name == "followup" else REQUEST


def read(name: str, reply: str) -> Exchange:
    return BUILT_IN[name].write.parse(request_of(name), reply)


def fault(name: str, reply: str, corpus: ChunkIndex = CORPUS) -> Problem | None:
    return find_fault(corpus, BUILT_IN[name], request_of(name), read(name, reply))


def grammar_of(name: str, request: WayRequest) -> Prompt:
    prompt, step = load_prompt(f"write_{name}"), BUILT_IN[name].write
    return replace(prompt, grammar=step.narrow(prompt.grammar, request))


def test_sentences_are_numbered_through_all_sources() -> None:
    reading = REQUEST.reading
    assert list_numbers(reading, 0) == [1, 2, 3, 4]
    assert list_numbers(reading, 1) == [5, 6, 7]
    shown = show_texts(reading)
    assert [one["source"] for one in shown] == [ARNO.source, BRENT.source]
    assert shown[1]["sentences"].startswith("[5] The Brent Lock")
    assert read_together([ARNO]).chunk is ARNO


@each_way
def test_a_right_exchange_is_in_the_grammar_read_and_without_fault(name: str) -> None:
    assert grammar_of(name, request_of(name)).grammar.matches(REPLIES[name])
    exchange = read(name, REPLIES[name])
    assert all(one.quote and one.told for one in exchange.recalled)
    assert fault(name, REPLIES[name]) is None


@each_way
def test_every_worked_example_is_without_fault(name: str) -> None:
    step = BUILT_IN[name].write
    for example in load_prompt(step.name).content.examples:
        request = SAMPLES[step.name].read(example.fields)
        exchange = step.parse(request, example.answer.strip())
        corpus = ChunkIndex(request.reading.sources)
        assert find_fault(corpus, BUILT_IN[name], request, exchange) is None, exchange.question


@each_way
def test_a_line_names_sentences_of_one_source_and_the_first_those_of_the_chunk(name: str) -> None:
    own = REPLIES[name].split(":", 1)[1]
    prompt = grammar_of(name, request_of(name))
    for named in ("5", "1, 5", "9"):
        assert not prompt.grammar.matches(f"{named}:{own}")
        with pytest.raises(Unparsable):
            read(name, f"{named}:{own}")


@each_way
def test_a_reply_without_one_of_its_lines_is_asked_again(name: str) -> None:
    lines = REPLIES[name].split("\n")
    labelled = [line for line in lines if not line[0].isdigit()]
    for line in labelled:
        with pytest.raises(Unparsable):
            read(name, "\n".join(one for one in lines if one != line))
    with pytest.raises(Unparsable):
        read(name, "\n".join(labelled))


@each_way
@pytest.mark.parametrize(
    "more",
    [
        "Question: Who was the engineer of the Arno Bridge?\nAnswer: That was Maud Ferris.",
        "1, 2: The Arno Bridge was opened in 1931.",
        "Answer: It is 812 metres long.",
    ],
)
def test_a_reply_that_goes_on_with_another_pair_is_asked_again(name: str, more: str) -> None:
    label = "Known" if name == "hallucination" and more.startswith("Answer") else "Answer"
    with pytest.raises(Unparsable, match="a second pair"):
        read(name, f"{REPLIES[name]}\n{more.replace('Answer:', f'{label}:')}")
    paragraphs = f"{REPLIES['openended']}\nThe Arno Bridge is 812 metres long: it crosses a bay."
    assert read("openended", paragraphs).answer.endswith("a bay.")


@each_way
def test_the_draft_itself_is_no_improvement(name: str) -> None:
    drafted = replace(request_of(name), draft=read(name, REPLIES[name]), number=1, problem="Bad.")
    with pytest.raises(Unparsable, match="the same again"):
        BUILT_IN[name].write.parse(drafted, REPLIES[name])
    assert drafted.uuid != request_of(name).uuid


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("openended", "812", "821", "recalls what its sentences do not tell"),
        ("openended", "Answer: The Arno", "Answer: In 1950 the Arno", "answer has a fact that the"),
        ("openended", "come to be built", "in the passage come to be", "asks about the text"),
        ("negative", "Wrong: The Arno Bridge stands on twelve piers of oak.",
         "Wrong: The Arno Bridge stands on nine piers of granite.", "premise is not wrong"),
        ("negative", "Why was oak chosen for the twelve piers on which the Arno Bridge stands?",
         "How long is it?", "question does not hold the premise"),
        ("negative", "The Arno Bridge does not stand on piers of oak. It stands on nine piers of",
         "The Arno Bridge stands on piers of", "answer does not set the premise right"),
        ("negative", "on nine piers of granite.", "on ten piers of granite.", "recalls what its"),
        ("vague", "How long is that structure", "How long is the Arno structure", "question names"),
        ("vague", "Name: Arno Bridge", "Name: Kelvin Viaduct", "name is not in the text"),
        ("vague", "Meant: How long is the Arno Bridge?", "Meant: How long are piers?",
         "question in full is unclear"),
        ("vague", "That is the Arno Bridge. The Arno Bridge is", "It is", "answer does not name"),
        ("vague", "How long is that structure on nine piers of granite that Maud Ferris built?",
         "How enormous is that thing I dreamt about yesterday evening?", "question describes"),
        ("vague", "How long is that structure on nine piers of granite that Maud Ferris built?",
         "How long is that granite thing in Canada that Peter Hamilton put up in 1850?",
         "question has a fact that the text lacks"),
        ("vague", "How long is that structure", "How heavy is that structure",
         "question asks something else than it means"),
        ("vague", "that Maud Ferris built?", "that Maud Ferris built? And who painted it?",
         "asks two things at once"),
        ("followup", "how often is it painted?", "how often did Peter Hamilton paint it?",
         "question has a fact that the text lacks"),
        ("followup", "how often is it painted?", "why is it painted?", "question asks something"),
        ("followup", "how often is it painted?", "how wide is it?", "question asks something"),
        ("negative", "Wrong: The Arno Bridge stands on twelve piers of oak.",
         "Wrong: Gates of the Brent Lock are made of oak.", "question does not hold the premise"),
        ("negative", "does not stand on piers of oak. It stands on nine piers of granite.",
         "was opened after years of work without oak.",
         "answer does not set the premise right"),
        ("negative", "It stands on nine piers of granite.", "It stands on forty piers of granite.",
         "answer has a fact that the text lacks"),
        ("negative", "does not stand on piers of oak. It stands on nine piers of granite.",
         "stands on twelve piers, not of oak but granite.", "answer has a fact that the text"),
        ("negative", "does not stand on piers of oak. It stands on nine piers of granite.",
         "does not stand on oak, but on twelve piers of granite.", "answer has a fact that the"),
        ("hallucination", "I do not know of a", "I do not know the weight of the",
         "answer does not say that it is unknown"),
        ("hallucination", "Welby swing span.", "Welby swing span, which Peter Hamilton opened.",
         "answer has a fact that the text lacks"),
        ("hallucination", "span of the bridge?", "span that opened in 1850?",
         "question has a fact that the text lacks"),
        ("hallucination", "Known: The Arno Bridge is", "Known: Near Welby the Arno Bridge is",
         "answer tells of what does not exist"),
        ("hallucination", "Welby swing span", "renowned Arno Bridge", "thing is known"),
        ("hallucination", "Welby swing span", "nine large piers", "thing is known"),
        ("hallucination", "Welby swing span", "bridges of A. Mason", "thing is known"),
        ("followup", "Question: And how often is it painted?",
         "Question: How often is the paint on the Arno Bridge renewed?", "needs no turn before it"),
        ("followup", "Meant: How often is the paint on the Arno Bridge renewed?",
         "Meant: How often is it renewed?", "question does not stand alone"),
        ("openended", "Answer: The Arno", "Answer: As the text says, the Arno",
         "tells of the text"),
        ("hallucination", "I do not know of a Welby swing span.",
         "The text does not tell of a Welby swing span.", "tells of the text"),
        ("followup", "Answer: Paint on the Arno Bridge is renewed every twelve years.",
         "Answer: Paint is renewed every ten years.", "answer has a fact that the text lacks"),
        ("hallucination", "Welby swing span", "Brent Lock", "thing is known"),
        ("hallucination", "Welby swing span", "damp cloth", "thing is known"),
        ("hallucination", "How heavy is the Welby swing span of", "How heavy is", "question does"),
        ("hallucination", "I do not know of a Welby swing span.",
         "A Welby swing span is a fine thing.", "answer does not say that it is unknown"),
        ("hallucination", "Known: The Arno Bridge is",
         "Known: The Welby swing span of the Arno Bridge is", "answer tells of what does not"),
        ("comparison", "Other: Brent Lock", "Other: the Arno Bridge", "one thing is compared with"),
        ("comparison", "Other: Brent Lock", "Other: Kelvin Viaduct", "thing is not in the text"),
        ("comparison", ", compared with the Brent Lock?", "?", "question does not name the thing"),
        ("comparison", "Quality: metres long", "Quality: beauty", "quality is not in the text"),
        ("comparison", "The Arno Bridge is 812 metres long and the Brent Lock 90 metres.",
         "The one is 812 metres long and the other 90.", "answer names neither thing"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_exchange_is_named(
    name: str, old: str, new: str, reason: str
) -> None:
    assert old in REPLIES[name]
    found = fault(name, REPLIES[name].replace(old, new))
    assert found
    assert found.reason.startswith(reason)
    assert found.told


def test_an_open_question_wants_more_than_one_sentence() -> None:
    narrow = read("openended", OPENING)
    found = find_fault(CORPUS, BUILT_IN["openended"], REQUEST, narrow)
    assert found
    assert found.reason == "question is not open"


def test_what_the_text_says_is_no_wrong_premise_but_turned_round_it_is() -> None:
    reply = (
        "4: Salt from the sea eats through the paint on the Arno Bridge.\n"
        "Wrong: {}\n"
        "Question: Why do {} on the Arno Bridge?\n"
        "Answer: That is not so. Salt from the sea eats through the paint on the Arno Bridge."
    )
    true = fault("negative", reply.format("Salt from the sea eats through the paint.",
                                          "salt from the sea eat through the paint"))  # fmt: skip
    assert true
    assert true.reason == "premise is not wrong"
    turned = reply.format("The paint eats through salt from the sea.",
                          "the paint and the sea eat through salt")  # fmt: skip
    assert fault("negative", turned) is None


def test_a_premise_that_the_reading_tells_elsewhere_is_not_wrong() -> None:
    reply = (
        "2: The Arno Bridge stands on nine piers of granite.\n"
        "Wrong: Gates of the Brent Lock are made of oak.\n"
        "Question: Why are gates of the Brent Lock made of oak?\n"
        "Answer: That is not so: they are made of granite."
    )
    found = fault("negative", reply)
    assert found
    assert found.reason == "premise is not wrong"


def test_what_english_words_alone_tell_is_left_to_the_votes_in_other_languages() -> None:
    text = (
        "Die Arnobrücke ist 812 Meter lang. Sie steht auf neun Pfeilern aus Granit. Der Anstrich "
        "der Arnobrücke wird alle zwölf Jahre erneuert."
    )
    request = WayRequest("w2", read_together([replace(ARNO, text=text, language="german")]))
    told = "2: Die Arnobrücke steht auf neun Pfeilern aus Granit.\n"
    opening = f"{told}Question: Worauf steht die Arnobrücke?\nAnswer: Sie steht auf neun Pfeilern."
    replies = {
        "negative": f"{told}Wrong: Die Arnobrücke steht auf Pfeilern aus Eiche.\n"
        "Question: Warum steht die Arnobrücke auf Pfeilern aus Eiche?\n"
        "Answer: Die Arnobrücke steht nicht auf Pfeilern aus Eiche, sie sind aus Granit.",
        "hallucination": f"{told}Thing: das Welbysche Drehwerk\n"
        "Question: Wie schwer ist das Welbysche Drehwerk der Arnobrücke?\n"
        "Unknown: Von einem Welbyschen Drehwerk weiß ich nichts.\n"
        "Known: Die Arnobrücke steht auf neun Pfeilern aus Granit.",
        "followup": "3: Der Anstrich der Arnobrücke wird alle zwölf Jahre erneuert.\n"
        "Meant: Wie oft wird der Anstrich der Arnobrücke erneuert?\n"
        "Question: Und wie oft wird der Anstrich da erneuert?\n"
        "Answer: Der Anstrich der Arnobrücke wird alle zwölf Jahre erneuert.",
    }
    for name, reply in replies.items():
        turns = (WRITE_FOLLOWUP.parse(request, opening),) if name == "followup" else ()
        asked = replace(request, turns=turns)
        exchange = BUILT_IN[name].write.parse(asked, reply)
        assert find_fault(CORPUS, BUILT_IN[name], asked, exchange) is None, name


@pytest.mark.parametrize(
    "said",
    [
        "Nothing is known of a Welby swing span.",
        "As far as I know, no Welby swing span exists.",
        "I cannot confirm that there is a Welby swing span.",
        "The Welby swing span means nothing to me.",
        "I don’t know of any bridge called the Welby swing span.",
        "I do not know whether the Welby swing span exists.",
        "The Welby swing span is something I have never heard of.",
        "I have never heard of such a thing.",
        "A Welby swing span is not known to me, so I cannot say how heavy it is.",
    ],
)
def test_an_admission_denies_the_thing_itself(said: str) -> None:
    assert admits(said, "the Welby swing span")


@pytest.mark.parametrize(
    "said",
    [
        "There is no better span than the Welby swing span.",
        "It is unknown who built the Welby swing span.",
        "I do not know how heavy the Welby swing span is.",
        "The Welby swing span is not made of any iron.",
        "The Welby swing span has no known weight.",
        "I cannot say when the Welby swing span was built.",
        "Nothing is known about the weight of the Welby swing span.",
        "I do not think that the Welby swing span is heavy.",
        "I do not know.",
    ],
)
def test_to_deny_what_is_told_of_a_thing_is_no_admission(said: str) -> None:
    assert not admits(said, "the Welby swing span")


def test_a_line_may_name_what_its_sentence_calls_it_but_no_figure_from_elsewhere() -> None:
    told = read("openended", REPLIES["openended"]).recalled[1]
    assert is_told(told, REQUEST.reading)
    assert not is_told(replace(told, told=f"In 1931 {told.told}"), REQUEST.reading)
    assert not is_told(
        replace(told, told="Gates of the Brent Lock are made of oak."), REQUEST.reading
    )


def test_the_first_turn_of_a_conversation_needs_nothing_before_it() -> None:
    opening = WRITE_FOLLOWUP.parse(REQUEST, OPENING)
    assert find_fault(CORPUS, BUILT_IN["followup"], REQUEST, opening) is None
    unclear = replace(opening, question="On what does it stand?")
    assert find_fault(CORPUS, BUILT_IN["followup"], REQUEST, unclear)
    assert grammar_of("followup", REQUEST).grammar.matches(OPENING)
    assert not grammar_of("followup", LATER).grammar.matches(OPENING)
    assert LATER.uuid != REQUEST.uuid


def test_without_file_names_a_question_that_names_the_source_has_a_strange_fact() -> None:
    exchange = read("openended", REPLIES["openended"])
    exchange = replace(exchange, question="How did Mason see the Arno Bridge come to be built?")
    way = BUILT_IN["openended"]
    assert find_fault(CORPUS, way, REQUEST, exchange) is None
    assert find_fault(CORPUS, way, REQUEST, exchange, use_filenames=False)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("812 metres long and the Brent Lock 90 metres.",
         "90 metres long and the Brent Lock 812 metres.", "answer tells of the wrong thing"),
        ("The Arno Bridge is 812 metres long and the Brent Lock 90 metres.",
         "The Brent Lock is longer, with 812 metres, than the Arno Bridge.",
         "answer tells of the wrong thing"),
        ("The Arno Bridge is 812 metres long and the Brent Lock 90 metres.",
         "The Arno Bridge is longer: 812 metres, against 90 for the Brent Lock.", ""),
    ],
)  # fmt: skip
def test_each_figure_of_a_comparison_is_of_its_own_thing(old: str, new: str, reason: str) -> None:
    found = fault("comparison", REPLIES["comparison"].replace(old, new))
    assert (found.reason if found else "") == reason


@pytest.mark.parametrize(
    ("text", "name", "there"),
    [
        ("A tree on M27 stops early.", "M9", False),
        ("A tree on M27 stops early.", "M27", True),
        ("Atoms of caesium 133 do it.", "caesium 134", False),
        ("The bridges of the Arno.", "Arno Bridge", True),
        ("The bridges of the Arno.", "the", False),
    ],
)
def test_a_name_is_its_words_and_its_figures(text: str, name: str, there: bool) -> None:
    assert mentions(text, name) is there


@pytest.mark.parametrize(
    "said",
    [
        "The Arno Bridge does not stand on twelve piers, of oak or not. It stands on nine.",
        "It is said that there are twelve piers, but the Arno Bridge stands on nine, not of oak.",
        "The Arno Bridge stands on nine piers, not on twelve, and they are of granite, not of oak.",
        "The piers of the Arno Bridge are not of oak, elm or fir, nor are there twelve, but nine.",
        "On the contrary, twelve would be too many: the Arno Bridge stands on nine of granite.",
    ],
)
def test_a_figure_of_the_wrong_premise_may_be_denied(said: str) -> None:
    asked, _, _ = REPLIES["negative"].rpartition("Answer: ")
    assert fault("negative", f"{asked}Answer: {said}") is None


def test_an_answer_that_says_the_wrong_premise_itself_does_not_set_it_right() -> None:
    reply = (
        "2: The Arno Bridge stands on nine piers of granite.\n"
        "Wrong: The Arno Bridge does not stand on piers.\n"
        "Question: Why does the Arno Bridge not stand on piers?\n"
        "Answer: {}"
    )
    granted = fault("negative", reply.format("The Arno Bridge does not stand on piers."))
    assert granted
    assert granted.reason == "answer does not set the premise right"
    right = "It is wrong that the Arno Bridge does not stand on piers. It stands on nine."
    assert fault("negative", reply.format(right)) is None
