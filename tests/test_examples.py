"""What the worked examples of the prompts show is what their prompts ask for."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from generation_functions.pipelines.exchange_checks import mentions, stems
from generation_functions.pipelines.facts import INFER_FACTS, LIST_FACTS
from generation_functions.pipelines.forms import WRITE_FORM
from generation_functions.pipelines.samples import SAMPLES
from generation_functions.pipelines.ways import BUILT_IN
from generation_functions.pipelines.wording import content_words, coverage
from generation_functions.records import Exchange
from generation_functions.steps.prompts import PROMPTS

_SENTENCE = re.compile(r"(?:^|[.!?:] |\n)(\S[^.!?\n]*)")
_PRONOUN = re.compile(r"(?:It|They|He|She|This|These|Those)\b")
_REASON = re.compile(r"\b(?:because|since|so that|therefore|reason)\b")
FORMS = {step.name: step for step in WRITE_FORM.values()}
each_form = pytest.mark.parametrize("name", FORMS)
each_way = pytest.mark.parametrize("name", BUILT_IN)


@cache
def read_examples(name: str) -> list[tuple[dict[str, Any], str]]:
    content = yaml.safe_load((PROMPTS / f"{name}.yaml").read_text(encoding="utf-8"))
    return [(example["fields"], example["answer"].strip()) for example in content["examples"]]


def read_exchanges(way: str) -> Iterator[tuple[str, dict[str, Any], Exchange]]:
    """Yield the sentences of each example's texts, its fields and its exchange."""
    step = BUILT_IN[way].write
    for fields, answer in read_examples(step.name):
        texts = "\n".join(text["sentences"] for text in fields["texts"])
        yield texts, fields, step.parse(SAMPLES[step.name].read(fields), answer)


@pytest.mark.parametrize("name", [LIST_FACTS.name, INFER_FACTS.name, *FORMS])
def test_no_word_comes_from_the_name_of_the_source_which_may_be_hidden(name: str) -> None:
    for fields, answer in read_examples(name):
        shown = " ".join(value for key, value in fields.items() if key != "source")
        assert content_words(answer) & content_words(fields["source"]) <= content_words(shown)


def test_a_fact_names_every_sentence_that_it_has_words_of() -> None:
    for fields, answer in read_examples(LIST_FACTS.name):
        sentences = dict(re.findall(r"\[(\d+)\] (.+)", fields["chunk"]))
        for numbers, fact in re.findall(r"\[([\d, ]+)\] (.+)", answer):
            cited = " ".join(sentences[number] for number in numbers.split(", "))
            missing = content_words(fact) - content_words(cited) - content_words("Nothing.")
            assert missing == set(), fact


@pytest.mark.parametrize("name", ["question_list", "list", "markup", "effect_to_cause"])
def test_nothing_begins_with_a_word_that_stands_for_something_else(name: str) -> None:
    for _, answer in read_examples(f"write_{name}"):
        for line in answer.splitlines():
            text = re.sub(r"^(?:- |<\w+[^>]*>|[A-Z][\w ]*: )+", "", line.strip())
            assert not _PRONOUN.match(text), line
            assert not re.match(r"That was\b|.*\b(?:before it did|[Hh]alf that)\b", text), line


@each_way
def test_answers_call_things_by_their_names(name: str) -> None:
    for _, _, exchange in read_exchanges(name):
        for told in (exchange.answer, *(one.told for one in exchange.recalled)):
            for sentence in _SENTENCE.findall(told):
                opened = _PRONOUN.match(sentence)
                assert not opened or sentence.startswith("It is not "), sentence


@each_way
def test_no_reason_is_given_that_the_texts_do_not_give(name: str) -> None:
    for texts, _, exchange in read_exchanges(name):
        told = " ".join((exchange.answer, *(one.told for one in exchange.recalled)))
        assert not _REASON.search(told) or re.search(rf"{_REASON.pattern}|\b[Ss]o\b", texts), told


@each_way
def test_what_is_recalled_is_used(name: str) -> None:
    for _, _, exchange in read_exchanges(name):
        said = f"{exchange.question} {exchange.meant} {exchange.answer}"
        for one in exchange.recalled:
            assert coverage(content_words(one.told), said) > 0.5, one.told


@each_way
def test_questions_that_were_asked_are_shown_in_full_and_not_asked_again(name: str) -> None:
    for _, fields, exchange in read_exchanges(name):
        for asked in fields["asked"]:
            if name == "vague":
                assert mentions(asked, exchange.things[0])
            new = stems(asked) - stems(exchange.meant or exchange.question)
            assert new, asked
            answered = stems(exchange.answer) | stems(exchange.meant or exchange.question)
            assert name in ("negative", "comparison") or new - answered, asked
