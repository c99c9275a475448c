"""The parsers and rules of the question steps, and every worked example of their prompts."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from generation_functions.errors import Rejected, Unparsable
from generation_functions.pipelines.pair_checks import Problem, find_problem
from generation_functions.pipelines.question_steps import (
    JUDGE_CHUNK,
    PLAN_QUESTIONS,
    UNWORTHY,
    WRITE_QUESTIONS,
    QuestionRequest,
    make_pair,
    narrow_to_quotes,
    show_chunk,
)
from generation_functions.pipelines.readings import read_together, show_texts
from generation_functions.pipelines.repairing import (
    CHECK_ANSWER_ACCURACY,
    CHECK_ANSWER_RELEVANCE,
    CHECK_QUESTION,
    REPAIR_ANSWER,
    REPLACE_PAIR,
    REVISE_PAIR,
    Repair,
    Verdict,
)
from generation_functions.pipelines.samples import make_chunk, read_repair
from generation_functions.pipelines.wording import (
    asks_about_text,
    find_pointers,
    find_unclear,
    strange_script,
)
from generation_functions.records import Chunk, QAPair
from generation_functions.steps.prompts import Example, load_prompt

CHECKS = (CHECK_QUESTION, CHECK_ANSWER_RELEVANCE, CHECK_ANSWER_ACCURACY)
CHUNK = Chunk(
    uuid="c1",
    document="d1",
    directory="texts",
    source="On Bridges, by A. Mason",
    text="The bridge was opened on 4 May 1931.\n"
    "It is 812 metres long. Its engineer was Maud Ferris.",
    start=0,
    end=90,
    tokens=20,
)
PAIR = QAPair(
    uuid="p1",
    question="How long is the bridge?",
    answer="The bridge is 812 metres long.",
    sentences=(2,),
    quote="It is 812 metres long.",
    chunk=CHUNK,
)
WRITTEN = (
    "Sentences: 2\n"
    "Answer: The bridge is 812 metres long.\n"
    "Question: How long is the bridge?\n\n"
    "Sentences: 3, 1\n"
    "Answer: Maud Ferris was the engineer of the bridge that was opened in 1931.\n"
    "Question: Who was the engineer of the bridge?"
)


def examples(name: str) -> tuple[Example, ...]:
    return load_prompt(name).content.examples


def chunk_of(example: Example) -> Chunk:
    lines = re.sub(r"\n(?!\[)", " ", example.fields["chunk"])
    text = re.sub(r"^\[\d+\] ", "", lines, flags=re.MULTILINE)
    return replace(CHUNK, text=text, source=example.fields.get("source", "none"))


def pair_of(example: Example) -> QAPair:
    fields = example.fields
    return replace(
        PAIR, chunk=chunk_of(example), question=fields["question"], answer=fields.get("answer", "")
    )


def quoting_all(pair: QAPair) -> QAPair:
    """The examples of some steps do not name the sentences; then all of them are meant."""
    lines = show_chunk(pair.chunk).splitlines()
    return replace(pair, sentences=tuple(range(1, len(lines) + 1)), quote=pair.chunk.text)


def verdicts(name: str) -> Counter[str]:
    return Counter(
        re.search(r"Verdict: (.+)", one.answer)[1]  # type: ignore[index]
        for one in examples(name)
    )


def test_a_chunk_is_shown_as_one_numbered_sentence_a_line() -> None:
    assert show_chunk(CHUNK).splitlines() == [
        "[1] The bridge was opened on 4 May 1931.",
        "[2] It is 812 metres long.",
        "[3] Its engineer was Maud Ferris.",
    ]


def test_headings_are_shown_without_their_marks_and_no_number_shifts() -> None:
    text = (
        "## Lead:\n\nLead is soft. It melts early.\n\n### The uses of tin ###\n\n#5 tin wire "
        "is thin.\n\n#"
    )
    chunk = replace(CHUNK, text=text)
    assert show_chunk(chunk).splitlines() == [
        "[1] Lead:",
        "[2] Lead is soft.",
        "[3] It melts early.",
        "[4] The uses of tin",
        "[5] #5 tin wire is thin.",
        "[6] #",
    ]
    (shown,) = show_texts(read_together([chunk]))
    assert shown["sentences"] == show_chunk(chunk)
    pair = make_pair(chunk, (4, 5), "How thin is it?", "It is thin.")
    assert pair.quote == "### The uses of tin ### #5 tin wire is thin."
    long = replace(chunk, text=f"# {'What is tin good for in such a town?'}\n\nTin.")
    assert "#" not in narrow_to_quotes(long)["verbatim"]


def test_only_facts_are_worth_asking_about() -> None:
    assert JUDGE_CHUNK.parse(CHUNK, "Holds: The length of a bridge.\nVerdict: facts") is True
    for kind in UNWORTHY:
        with pytest.raises(Rejected, match=kind):
            JUDGE_CHUNK.parse(CHUNK, f"Holds: Facts.\nVerdict: {kind}")


def test_a_verdict_is_read_by_equality_not_by_the_words_around_it() -> None:
    """W1: the original took "Irrelevant." for "relevant"; no reply loops for ever (W3)."""
    with pytest.raises(Unparsable):
        JUDGE_CHUNK.parse(CHUNK, "Holds: Verdict facts.\nVerdict: no facts at all")
    for check in CHECKS:
        assert check.parse(PAIR, "Found: No, nothing.\nVerdict: yes") == Verdict(True)
        assert not check.parse(PAIR, "Found: Yes, everything.\nVerdict: no")
        for reply in ("Verdict yes", "Found: yes.\nVerdict: yes, mostly", "yes", ""):
            with pytest.raises(Unparsable):
                check.parse(PAIR, reply)


def test_grammar_and_parser_know_the_same_kinds_of_chunk() -> None:
    body = load_prompt("judge_chunk").grammar.rules["verdict"].body
    assert re.findall(r'"([^"]+)"', body) == ["facts", *UNWORTHY]


def test_pairs_carry_the_sentences_that_they_name() -> None:
    first, second = WRITE_QUESTIONS.parse(QuestionRequest(CHUNK, 4), WRITTEN)
    assert (first.question, first.answer) == (PAIR.question, PAIR.answer)
    assert first.quote == "It is 812 metres long."
    assert second.sentences == (1, 3)
    assert second.quote == "The bridge was opened on 4 May 1931. Its engineer was Maud Ferris."
    assert first.chunk is CHUNK
    again = WRITE_QUESTIONS.parse(QuestionRequest(CHUNK, 4), WRITTEN)
    assert [pair.uuid for pair in again] == [first.uuid, second.uuid]
    assert first.uuid != second.uuid


def test_a_question_asked_twice_is_taken_once_and_no_more_than_asked_for() -> None:
    same = WRITTEN.replace("Who was the engineer of the bridge?", "How LONG is the bridge?")
    assert len(WRITE_QUESTIONS.parse(QuestionRequest(CHUNK, 4), same)) == 1
    assert len(WRITE_QUESTIONS.parse(QuestionRequest(CHUNK, 1), WRITTEN)) == 1


def test_a_reply_without_a_usable_pair_is_asked_again() -> None:
    for reply in ("", WRITTEN.replace("Sentences: 2", "Sentences: 9").split("\n\n")[0]):
        with pytest.raises(Unparsable):
            WRITE_QUESTIONS.parse(QuestionRequest(CHUNK, 4), reply)


def test_letters_of_a_script_that_the_text_lacks_are_asked_again() -> None:
    stray = WRITTEN.replace("812 metres", "812 метров")
    with pytest.raises(Unparsable):
        WRITE_QUESTIONS.parse(QuestionRequest(CHUNK, 4), stray)
    assert not strange_script("Длина моста 5 м", "Мост был открыт.")
    assert not strange_script("An angle of α, 5 µm", "English text.")


def test_the_grammar_admits_only_the_chunks_sentences_and_so_many_pairs() -> None:
    request = QuestionRequest(CHUNK, 2)
    grammar = WRITE_QUESTIONS.narrow(load_prompt("write_questions").grammar, request)
    assert grammar.matches(WRITTEN)
    assert not grammar.matches(WRITTEN.replace("Sentences: 2", "Sentences: 4"))
    assert not grammar.matches(f"{WRITTEN}\n\n{WRITTEN}")
    grammar = load_prompt("write_questions").grammar
    single = WRITE_QUESTIONS.narrow(grammar, QuestionRequest(CHUNK, 1))
    assert single.matches(WRITTEN.split("\n\n")[0])
    assert not single.matches(WRITTEN)


@pytest.mark.parametrize(
    ("question", "answer", "grounded"),
    [
        ("How long is the bridge?", "It is 812 metres long.", True),
        ("How long is the bridge?", "It was opened on 4 May 1931.", False),
        ("How long is the bridge?", "It is 821 metres long.", False),
        ("How long is the bridge after 900 days?", "It is 812 metres long.", False),
        ("How long is the bridge?", "Slaked lime falls to a powder.", False),
        ("Which ventricle pumps oxygen into lungs?", "It is 812 metres long.", False),
        ("Why is the bridge 812 metres long?", "The bridge is 812 metres long.", False),
    ],
)
def test_grounding_is_told_by_words_and_numbers(question: str, answer: str, grounded: bool) -> None:
    reason = find_problem(replace(PAIR, question=question, answer=answer))
    assert (reason is None) == grounded


def test_a_pair_passes_unchanged() -> None:
    assert REVISE_PAIR.parse(PAIR, "Unclear: Nothing.\nVerdict: pass") is PAIR


def test_a_reworded_pair_is_a_new_item_with_the_same_quote() -> None:
    reply = (
        "Unclear: Which bridge is meant.\nVerdict: reword\n"
        "Question: How long is the Kelvin Bridge?\nAnswer: The Kelvin Bridge is 812 metres long."
    )
    revised = REVISE_PAIR.parse(PAIR, reply)
    assert revised.question == "How long is the Kelvin Bridge?"
    assert revised.answer == "The Kelvin Bridge is 812 metres long."
    assert revised.uuid != PAIR.uuid
    assert (revised.quote, revised.sentences, revised.chunk) == (PAIR.quote, (2,), CHUNK)
    same = reply.split("Question:")[0] + f"Question: {PAIR.question}\nAnswer: {PAIR.answer}"
    assert REVISE_PAIR.parse(PAIR, same) is PAIR


def test_a_pair_that_still_points_at_the_text_is_a_final_no() -> None:
    with pytest.raises(Rejected, match="does not stand alone"):
        REVISE_PAIR.parse(PAIR, "Unclear: All of it.\nVerdict: fail")
    pointing = replace(PAIR, question="How long is the bridge, according to the author?")
    for reply in (
        "Unclear: Nothing.\nVerdict: pass",
        "Unclear: All.\nVerdict: reword\nQuestion: What does this passage say?\nAnswer: A length.",
    ):
        with pytest.raises(Rejected, match="points at the text"):
            REVISE_PAIR.parse(pointing, reply)


def test_what_code_knows_to_be_unclear_may_not_pass_as_it_is() -> None:
    grammar = load_prompt("revise_pair").grammar
    reply = "Unclear: Nothing.\nVerdict: pass"
    assert REVISE_PAIR.narrow(grammar, PAIR).matches(reply)
    pointing = replace(PAIR, question="How long is it, according to the author?")
    assert not REVISE_PAIR.narrow(grammar, pointing).matches(reply)
    assert REVISE_PAIR.fields(pointing)["pointers"] == ["the author"]


@pytest.mark.parametrize(
    "text",
    [
        "What is the main idea of the passage?",
        "What does the author, in short, think of iron?",
        "What does the third chapter tell?",
        "What do the first two sentences say?",
        "Which metals are mentioned above?",
        "What is shown in Fig. 12?",
        "According to the document, who was fined?",
        "What does sentence 4 say?",
        "What does the text's author say of alchemy?",
        "As stated in [3], it melts.",
        "As was stated before, what melts?",
        "What does section 12 say?",
    ],
)
def test_phrases_that_point_at_a_text_are_found(text: str) -> None:
    assert find_pointers(text)


@pytest.mark.parametrize(
    "text",
    [
        "Who is the author of Hamlet?",
        "What happens on the passage of electricity through water?",
        "What does the text of the Magna Carta promise?",
        "What is the section of a cone?",
        "In the book Walden, who builds a hut?",
        "Which goods stand on the table?",
        "How is the sentence of the court carried out?",
        "What medicine is given before an operation?",
        "What does section 12 of the Act forbid?",
        "What does section 12(3) of the Companies Act forbid?",
    ],
)
def test_a_text_that_is_named_is_not_pointed_at(text: str) -> None:
    assert not find_pointers(text)


@pytest.mark.parametrize(
    ("question", "unclear"),
    [
        ("Why did the alchemists make this mistake?", ["this mistake"]),
        ("What did they assume?", ["they"]),
        ("What happens to limestone when it is heated?", []),
        ("Why do bees dance when they have found food?", []),
        ("Which mistake did the alchemists make, and why is this mistake grave?", []),
        ("How long does it take Venus to go round the Sun?", []),
        ("What spoils such ropes in winter?", ["such ropes"]),
        ("How are hemp ropes tarred so that such ropes last?", []),
        ("How do fibres such as hemp float in such a river?", []),
    ],
)
def test_words_that_stand_for_nothing_named_are_found(question: str, unclear: list[str]) -> None:
    assert find_unclear(question, "An answer.") == unclear


def test_every_example_of_a_check_has_the_verdict_that_its_parser_reads() -> None:
    for example in examples("judge_chunk"):
        verdict = example.answer.rsplit("Verdict: ")[-1]
        if verdict == "facts":
            assert JUDGE_CHUNK.parse(chunk_of(example), example.answer)
        else:
            with pytest.raises(Rejected, match=verdict):
                JUDGE_CHUNK.parse(chunk_of(example), example.answer)
    for check in CHECKS:
        for example in examples(check.name):
            expected = example.answer.startswith("Verdict: yes")
            pair = quoting_all(pair_of(example))
            pair = replace(pair, answer=pair.answer or pair.chunk.text)
            assert bool(check.parse(pair, example.answer)) is expected


def test_every_example_pair_is_grounded_clear_and_taken() -> None:
    for example in examples("write_questions"):
        request = QuestionRequest(chunk_of(example), example.fields["most"], example.fields["plan"])
        grammar = WRITE_QUESTIONS.narrow(load_prompt("write_questions").grammar, request)
        assert grammar.matches(example.answer)
        pairs = WRITE_QUESTIONS.parse(request, example.answer)
        assert len(pairs) == example.answer.count("Question: ")
        for pair in pairs:
            assert find_problem(pair) is None
            assert find_unclear(pair.question, pair.answer) == []


def test_every_example_of_the_revision_shows_what_its_pair_needs() -> None:
    for example in examples("revise_pair"):
        pair = pair_of(example)
        assert REVISE_PAIR.narrow(load_prompt("revise_pair").grammar, pair).matches(example.answer)
        if example.answer.endswith("fail"):
            with pytest.raises(Rejected):
                REVISE_PAIR.parse(pair, example.answer)
        else:
            revised = REVISE_PAIR.parse(pair, example.answer)
            assert (revised == pair) == example.answer.endswith("pass")
            assert find_problem(quoting_all(revised)) is None


REPAIR = Repair(PAIR, Problem("no", "The answer has “821”."), ("Who built the bridge?",), 0)


def test_a_repaired_answer_keeps_the_question_and_names_its_sentences() -> None:
    reply = "Sentences: 3, 1\nAnswer: Its engineer was Maud Ferris, and it was opened in 1931."
    pair = REPAIR_ANSWER.parse(REPAIR, reply)
    assert (pair.question, pair.sentences) == (PAIR.question, (1, 3))
    assert pair.quote == "The bridge was opened on 4 May 1931. Its engineer was Maud Ferris."
    assert pair.uuid != PAIR.uuid
    assert REPAIR_ANSWER.fields(REPAIR)["problem"] == "The answer has “821”."
    same = f"Sentences: 2\nAnswer: {PAIR.answer}"
    for useless in (same, "Sentences: 9\nAnswer: Long.", "Sentences: 2\nAnswer: 812 метров."):
        with pytest.raises(Unparsable):
            REPAIR_ANSWER.parse(REPAIR, useless)


def test_a_new_question_is_told_what_was_wrong_and_which_questions_exist() -> None:
    """W24: the original's replacement saw neither the failed question nor its siblings."""
    fields = REPLACE_PAIR.fields(REPAIR)
    assert fields["existing"] == ["Who built the bridge?", PAIR.question]
    messages, _ = load_prompt("replace_pair").messages(fields)
    for said in ("The answer has “821”.", "- Who built the bridge?", PAIR.question):
        assert said in messages[-1].content
    pair = REPLACE_PAIR.parse(REPAIR, WRITTEN.split("\n\n")[1])
    assert pair.question == "Who was the engineer of the bridge?"
    for useless in ("", WRITTEN.split("\n\n")[0]):
        with pytest.raises(Unparsable):
            REPLACE_PAIR.parse(REPAIR, useless)


def test_repairs_of_one_pair_are_items_of_their_own() -> None:
    others = (
        replace(REPAIR, number=1),
        replace(REPAIR, problem=Problem("no", "The answer has “822”.")),
        replace(REPAIR, pair=replace(PAIR, uuid="p2")),
    )
    assert len({PAIR.uuid, REPAIR.uuid, *(other.uuid for other in others)}) == 5


def test_a_plan_is_short_and_each_line_names_sentences_once() -> None:
    request = QuestionRequest(CHUNK, 4)
    reply = (
        "- the bridge of 812 metres [2]\n- the engineer Maud Ferris [3, 1]\n"
        "- its metres again [2]\n- the height of neap tides [3]\n- an arch [9]"
    )
    assert PLAN_QUESTIONS.parse(request, reply) == (
        "2: the bridge of 812 metres\n1, 3: the engineer Maud Ferris"
    )
    with pytest.raises(Unparsable):
        PLAN_QUESTIONS.parse(request, "- an arch [9]\n- the height of neap tides [2]")
    grammar = PLAN_QUESTIONS.narrow(load_prompt("plan_questions").grammar, request)
    assert grammar.matches("- Its length [2]")
    assert not grammar.matches("- Its length [4]")
    assert not grammar.matches("\n".join(["- Its length [2]"] * 9))


def test_a_plan_that_names_the_wrong_sentence_gets_the_one_it_tells_of() -> None:
    text = "Paint.\nPaint is renewed every twelve years.\nThe work takes two summers and 40 tonnes."
    request = QuestionRequest(replace(CHUNK, text=text), 4)
    for reply, kept in (
        ("- the 40 tonnes that the work takes [2]", "3: the 40 tonnes that the work takes"),
        ("- the work and the paint [2]", "2: the work and the paint"),
        ("- paint, renewed every twelve years [1]", "2: paint, renewed every twelve years"),
        ("- the paint and the work [2, 3]\n- the paint [2]", "2, 3: the paint and the work"),
    ):
        assert PLAN_QUESTIONS.parse(request, reply) == kept
    with pytest.raises(Unparsable):
        PLAN_QUESTIONS.parse(request, "- the paint [1]")
    request = QuestionRequest(replace(CHUNK, text="(d) Oil pump\n\nThe oil pump breaks."), 4)
    reply = "- the oil pump (d) [1]\n- the breaking of the pump [2]"
    assert PLAN_QUESTIONS.parse(request, reply) == "2: the breaking of the pump"


def test_a_planned_line_keeps_to_sentences_that_stand_together() -> None:
    text = " ".join(f"Rope {word} is tarred." for word in "alpha beta gamma delta eta".split())
    request = QuestionRequest(make_chunk(text), 4)
    planned = "- the tarring of rope alpha, delta and eta [1, 5, 4]"
    assert PLAN_QUESTIONS.parse(request, planned).startswith("1, 4, 5: ")
    far = make_chunk(text + " It rained." * 4 + " Rope iota is tarred.")
    asked = "- the tarring of rope alpha, eta and iota [1, 5, 10]"
    assert PLAN_QUESTIONS.parse(QuestionRequest(far, 4), asked).startswith("1: ")


def test_a_planned_line_leaves_headings_and_the_numbers_of_lists_out() -> None:
    chunk = make_chunk("2. OF ROPES\n\n(a) Tar the hemp ropes in May.\n\n(b) Burn old ropes.")
    request = QuestionRequest(chunk, 4)
    plan = PLAN_QUESTIONS.parse(request, "- the tarring of hemp ropes [1, 2]")
    assert plan == "2: the tarring of hemp ropes"
    fields = WRITE_QUESTIONS.fields(replace(request, plan=plan))
    assert fields["plan"] == "2: Tar the hemp ropes in May."
    told = "Sentences: 2\nAnswer: (a) Hemp ropes are tarred in May.\nQuestion: When is it done?"
    assert WRITE_QUESTIONS.parse(request, told)[0].answer == "Hemp ropes are tarred in May."


def test_the_prompt_is_right_with_and_without_a_plan() -> None:
    shown = show_chunk(CHUNK)
    prompt = load_prompt("write_questions")
    plain, _ = prompt.messages(WRITE_QUESTIONS.fields(QuestionRequest(CHUNK, 1)))
    advised = f"What is ordered or advised here, {CHUNK.source} advises."
    asked = f"Source: {CHUNK.source}\n\n{shown}\n\n{advised}\nWrite one pair about this."
    assert plain[-1].content == asked
    planned, _ = prompt.messages(
        WRITE_QUESTIONS.fields(QuestionRequest(CHUNK, 2, "2: Its length.\n1, 3: Its engineer."))
    )
    first, second, third = (line.partition("] ")[2] for line in shown.splitlines())
    assert planned[-1].content == (
        f"Source: {CHUNK.source}\n\n{shown}\n\nWorth asking about:\n2: {second}\n"
        f"1, 3: {first} {third}\n\n"
        f"{advised}\n"
        "Write a pair for each of these lines, in their order, and no more than 2 about this."
    )


def test_the_planned_sentences_have_a_pair_each_in_order() -> None:
    plan = "2: Its length.\n1, 3: Its engineer.\n3: Her name."
    grammar = load_prompt("write_questions").grammar
    grammars = [
        WRITE_QUESTIONS.narrow(grammar, QuestionRequest(CHUNK, most, plan)) for most in (2, 9)
    ]
    for numbers, held in (
        (["2"], (True, True)),
        (["2", "1, 3"], (True, True)),
        (["2", "1, 3", "3"], (False, True)),
        (["2", "1, 3", "3", "2"], (False, False)),
        (["1, 3"], (False, False)),
        (["2", "3"], (False, False)),
        (["1"], (False, False)),
    ):
        reply = "\n\n".join(
            f"Sentences: {places}\nAnswer: It is long.\nQuestion: How long is the bridge?"
            for places in numbers
        )
        assert tuple(grammar.matches(reply) for grammar in grammars) == held


def test_nothing_is_cut_out_of_a_pair_or_its_chunk() -> None:
    """W6: the original deleted the first ") " of answer, chunk and source."""
    text = "The span (see a) is 812 metres long. It was opened 1) by day, 2) in rain."
    chunk = replace(CHUNK, text=text)
    reply = (
        "Sentences: 1\nAnswer: The span 1) (see a) is 812 metres.\nQuestion: How long (b) is it?"
    )
    (pair,) = WRITE_QUESTIONS.parse(QuestionRequest(chunk, 4), reply)
    assert (pair.answer, pair.question) == (
        "The span 1) (see a) is 812 metres.",
        "How long (b) is it?",
    )
    assert pair.chunk is chunk
    assert pair.quote == text


def test_the_votes_of_a_check_are_drawn_apart() -> None:
    """W16: three draws of one prompt at temperature 0.2 say what one says."""
    for check in CHECKS:
        assert load_prompt(check.name).sampling.temperature >= 0.7


def test_every_example_of_a_repair_mends_what_was_wrong() -> None:
    for step in (REPAIR_ANSWER, REPLACE_PAIR):
        for example in examples(step.name):
            repair = read_repair(example.fields)
            repair = replace(repair, pair=quoting_all(repair.pair))
            grammar = step.narrow(load_prompt(step.name).grammar, repair)
            assert grammar.matches(example.answer)
            mended = step.parse(repair, example.answer)
            assert find_problem(mended) is None
            assert find_unclear(mended.question, mended.answer) == []


def test_the_examples_verdicts_are_balanced() -> None:
    for check in CHECKS:
        counts = verdicts(check.name)
        assert counts["yes"] == counts["no"] > 0
    kinds = verdicts("judge_chunk")
    assert kinds["facts"] == kinds.total() / 2
    assert set(verdicts("revise_pair")) == {"pass", "reword", "fail"}


@pytest.mark.parametrize(
    ("question", "about_text"),
    [
        ("What is the main idea of the first sentence?", True),
        ("What is the main idea of this paragraph?", True),
        ("What does the fourth sentence say?", True),
        ("What is the main purpose of a sluice?", False),
        ("What was the first book printed in Venice?", False),
        ("How many strands has a hawser?", False),
    ],
)
def test_a_question_about_the_text_is_told_from_one_about_its_subject(
    question: str, about_text: bool
) -> None:
    assert asks_about_text(question) is about_text


@pytest.mark.parametrize(
    ("text", "impossible"),
    [
        ("Snarl up the files. Do not pass on your skill.", {"exercises", "contents list"}),
        ("Splices 41\n\nBends 47\n\nWhippings 52", {"exercises"}),
        ("How much flour do thirty loaves need?\n\nFor rolls", set()),
        (
            "(8) Present problems to the miller. Grind. Why? Shut the gate. Sweep.",
            {"exercises", "contents list"},
        ),
        ("1. Find the weight of a loaf. It has 3 lb.", {"contents list"}),
    ],
)
def test_verdicts_that_the_form_of_a_text_rules_out_cannot_be_given(
    text: str, impossible: set[str]
) -> None:
    chunk = make_chunk(text)
    allowed = set(re.findall(r'"([^"]+)"', JUDGE_CHUNK.rules(chunk)["verdict"]))
    assert {"facts", *UNWORTHY} - allowed == impossible


@pytest.mark.parametrize(
    ("answer", "unclear"),
    [
        ("Besides which, iron rusts.", ["Besides which"]),
        ("So, for example, iron rusts in damp air.", ["So, for example"]),
        ("Iron rusts in damp air (Chapter VII., Notes 23 and 24).", ["Chapter VII", "Notes 23"]),
        ("I also wished to show the law, and we did.", ["I", "we"]),
        ("Charles I. was beheaded in 1649.", []),
        ("Charles I was beheaded in 1649.", []),
        ("World War I ended in 1918, and a type I error is a false alarm.", []),
        ("When I looked, iron had rusted; then I left.", ["I"]),
        ("Butter melts at about 32 degrees.", []),
        ("Andesite is a volcanic rock.", []),
        ("Iron rusts, but gold does not.", []),
    ],
)
def test_an_answer_that_takes_up_another_sentence_is_unclear(
    answer: str, unclear: list[str]
) -> None:
    assert find_unclear("What happens?", answer) == unclear


@pytest.mark.parametrize(
    ("words", "passes"),
    [
        ("812 metres", True),
        ("is 812 metres long", True),
        ("The bridge", False),
        ("on 4 May 1931", False),
        ("812 metres, and on 4 May 1931 the bridge of Maud Ferris was opened", False),
        ("it", True),
    ],
)
def test_what_the_text_answers_has_to_be_what_the_pair_answers(words: str, passes: bool) -> None:
    pair = replace(
        PAIR,
        question="How long is the bridge?",
        answer="The bridge has a length of 812 metres.",
        quote="The bridge is 812 metres long.",
    )
    verdict = CHECK_QUESTION.parse(pair, f"Verdict: yes\nWords: {words}")
    assert bool(verdict) is passes
    assert verdict.reason == ("" if passes else f"The text answers: {words}")
    assert CHECK_QUESTION.parse(pair, "Verdict: yes")
    with pytest.raises(Unparsable):
        CHECK_QUESTION.parse(pair, "Verdict: perhaps\nWords: it")
