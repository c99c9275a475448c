"""What facts in a text's own words let be compared."""

import pytest

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.engine.drawing import draw_text
from generation_functions.pipelines.comparing import list_compared
from generation_functions.pipelines.copies import copy_in_order
from generation_functions.pipelines.readings import read_together
from generation_functions.pipelines.recall import find_fault
from generation_functions.pipelines.samples import make_chunk
from generation_functions.pipelines.way_copies import keep_words
from generation_functions.pipelines.way_steps import WayRequest
from generation_functions.pipelines.ways import BUILT_IN
from generation_functions.records import Exchange
from generation_functions.steps.prompts import PROMPTS, load_prompt
from generation_functions.steps.step import NOTHING, write_literal

SOURCE = "The Roofer's Year, by Owen Tallis, published 1931"


def ask(*texts: str) -> set[str]:
    """Return the questions that facts of a chunk allow."""
    chunk = make_chunk(" ".join(texts), SOURCE)
    facts = [told for _, told in copy_in_order(chunk) if told]
    return {one.question for one in list_compared(facts, chunk)}


@pytest.mark.parametrize(
    ("one", "other", "question"),
    [
        (
            "Slate roofs are heavier than thatch.",
            "Zinc is bought by the sheet.",
            "Which are heavier, slate roofs or thatch?",
        ),
        (
            "The tunnel of Hest is 812 metres long.",
            "The tunnel of Orm is about 90 metres long.",
            "How many metres long is the tunnel of Hest, and how many the tunnel of Orm?",
        ),
        (
            "The mill of Brann was closed by a dam of earth.",
            "The pond of Orm was closed by a dam of granite.",
            "How do the mill of Brann and the pond of Orm differ when it comes to a dam?",
        ),
        (
            "Keep slates on edge under a dry roof.",
            "Keep bundles of straw on planks under a dry roof.",
            "How does the advice about slates differ from that about bundles of straw?",
        ),
    ],
)
def test_what_two_facts_tell_alike_is_compared(one: str, other: str, question: str) -> None:
    assert ask(one, other) == {question}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The tunnel of Hest is 812 metres long.", "The tunnel of Orm is 90 years old."),
        ("The tunnel of Hest is 812 metres long.", "The tunnel is 90 metres long."),
        ("The mill of Brann was closed by a dam.", "The pond of Orm is kept by a dam."),
        ("Keep slates on edge under a dry roof.", "Nail a strip of zinc along the valley."),
        ("Put sand into the tank of a car.", "Put sugar into the tank of a lorry."),
        ("Rust and frost can spoil a roof of zinc.", "Hail can spoil a roof of slate."),
        ("Store slates under a dry roof.", "Store straw and slates under a dry roof."),
        (
            "The mill of Brann was sold after a long and bitter fight about its dam.",
            "The pond of Orm was dug in a dry year by men who had built a dam.",
        ),
    ],
)
def test_what_facts_do_not_tell_alike_is_not_compared(one: str, other: str) -> None:
    assert ask(one, other) == set()


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("The tunnel of Hest is 812 metres long.", "The tunnel of Orm is 90 metres long."),
        (
            "The mill of Brann was closed by a dam of earth.",
            "The pond of Orm was closed by a dam of granite.",
        ),
    ],
)
def test_a_fact_of_a_chunk_is_compared_with_one_of_another_source(own: str, other: str) -> None:
    chunks = [make_chunk(own, SOURCE), make_chunk(f"Bees hum. {other}", SOURCE)]
    request = WayRequest("w", read_together(chunks))
    step = BUILT_IN["comparison"].write
    grammar = step.narrow(load_prompt(step.name, (PROMPTS / "small",)).grammar, request)
    exchange: Exchange = step.parse(request, draw_text(grammar, 1))
    assert find_fault(ChunkIndex(chunks), BUILT_IN["comparison"], request, exchange) is None
    assert [one.sentences for one in exchange.recalled] == [(1,), (3,)]
    assert own.rstrip(".") in exchange.answer
    assert other.rstrip(".") in exchange.answer


def test_advice_of_two_sources_is_not_compared() -> None:
    told = "Keep slates on edge under a dry roof.", "Keep straw on planks under a dry roof."
    chunks = [make_chunk(one, SOURCE) for one in told]
    request = WayRequest("w", read_together(chunks))
    kept = keep_words("comparison", request.reading, (), "w")["kept"]
    assert kept == write_literal(NOTHING)
