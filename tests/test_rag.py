"""RAG data from kept pairs to rows: plans, what is asked, groups, masks, fitting, resuming."""

import asyncio
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from masking import (
    ask_length,
    ask_nests,
    make_asked,
    make_chunk,
    make_config,
    open_masked_run,
    reply,
    show,
    step_of,
    tell,
)

from generation_functions import stages
from generation_functions.datasets.fitting import TOO_LONG, RowFitter, cut_text, share_out
from generation_functions.datasets.masked_rows import group_items, rag_turns, write_rag_answer
from generation_functions.documents.sentences import number_sentences
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.engine.tokens import count_words
from generation_functions.errors import ConfigError, Rejected, RunFolderError, Unparsable
from generation_functions.masked import (
    FAILURES,
    FOUND,
    FOUND_IN_TWO,
    HARD,
    HARD_NEGATIVES,
    NOTHING,
    PARTIAL,
    PARTIAL_EVIDENCE,
    RANDOM_CHUNKS,
    RIGHT,
    Evidence,
    RagItem,
)
from generation_functions.masked_sections import RagData
from generation_functions.pipelines import rag
from generation_functions.pipelines.lack_steps import TELL_LACK, LackRequest
from generation_functions.pipelines.question_steps import make_pair
from generation_functions.records import (
    Chunk,
    Exchange,
    QAPair,
    Recall,
    Recalled,
    make_uuid,
    to_json,
)
from generation_functions.session import open_run
from generation_functions.status import read_status
from generation_functions.steps.run import Run

SAMPLES = Path(__file__).resolve().parents[1] / "input_texts" / "samples"
TEXTS = {"north": {f"Bridge {n}": tell(n) for n in range(6)}}
CHUNKS = [make_chunk(number) for number in range(6)]
LACKS = "Nothing is told of the length of the Arno Bridge."


def open_rag_run(folder: Path, texts: Any = None, **sections: Any) -> tuple[Run, ScriptedEngine]:
    settings = {"enabled": True, **sections.pop("rag_data", {})}
    return open_masked_run(folder, texts or TEXTS, rag_data=settings, **sections)


def make_items(run: Run) -> list[RagItem]:
    asyncio.run(stages.write_rag_items(run))
    return run.survivors(rag.RAG_ITEMS, RagItem)


def mix(run: Run) -> Path:
    asyncio.run(stages.mix(run))
    return run.folder / "sft_run"


def read_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def count_of(run: Run, stage: str, label: str) -> dict[str, Any]:
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))
    return dict(status[stage]["pipelines"][label])


def make_item(
    number: int, failed: bool = False, size: int = 1, directory: str = "north"
) -> RagItem:
    chunk = make_chunk(number, directory=directory)
    asked = tuple(make_asked(ask(chunk)) for ask in (ask_length, ask_nests)[:size])
    other = show(make_chunk((number + 1) % 6), HARD)
    uuid = make_uuid(chunk.uuid, "item", str(failed))
    if failed:
        return RagItem(uuid, chunk, asked, (other,), HARD_NEGATIVES, (LACKS,) * size)
    return RagItem(uuid, chunk, asked, (other, show(chunk, RIGHT)), FOUND)


def test_off_it_does_nothing(tmp_path: Path, prompts_once: None) -> None:
    run, engine = open_masked_run(tmp_path, TEXTS)
    assert asyncio.run(stages.write_rag_items(run)) == []
    assert engine.requests == []
    assert not run.has(rag.RAG_ITEMS)


def test_only_failures_are_asked_about_once_a_question(tmp_path: Path, prompts_once: None) -> None:
    run, engine = open_rag_run(tmp_path, rag_data={"rag_failure_percentage": 0.5})
    items = make_items(run)
    assert len(items) == 6
    failed = [item for item in items if item.failed]
    assert 0 < len(failed) < 6
    assert Counter(map(step_of, engine.requests)) == Counter({"tell_lack": len(failed)})
    assert all(len(item.lacks) == len(item.asked) * item.failed for item in items)
    for item in items:
        assert rag.find_fault(item) == ""


def test_without_failures_no_model_is_asked(tmp_path: Path, prompts_once: None) -> None:
    run, engine = open_rag_run(tmp_path, rag_data={"rag_failure_percentage": 0.0})
    assert {item.failed for item in make_items(run)} == {False}
    assert engine.requests == []


def test_run_again_it_asks_nothing_and_keeps_the_same(tmp_path: Path, prompts_once: None) -> None:
    run, _ = open_rag_run(tmp_path, rag_data={"rag_failure_percentage": 1.0})
    before = make_items(run)
    engine = ScriptedEngine(reply)
    again = open_run(tmp_path / "config.yaml", {"small": engine, "large": engine})
    again.progress = False
    assert make_items(again) == before
    assert engine.requests == []


def test_stopped_half_way_it_asks_only_what_is_missing(tmp_path: Path, prompts_once: None) -> None:
    run, _ = open_rag_run(tmp_path, rag_data={"rag_failure_percentage": 1.0})
    asyncio.run(stages.write_rag_items(run, limit=2))
    engine = ScriptedEngine(reply)
    again = open_run(tmp_path / "config.yaml", {"small": engine, "large": engine})
    again.progress = False
    assert len(make_items(again)) == 6
    assert len(engine.requests) == 4


@pytest.mark.parametrize("retriever", ["embedding", "both"])
def test_hard_negatives_may_be_found_by_vectors_which_are_made_once(
    retriever: str, tmp_path: Path, prompts_once: None
) -> None:
    shares = {"hard_negatives": 1.0, "random_chunks": 0.0, "partial_evidence": 0.0, "nothing": 0.0}
    sections = {
        "rag_data": {"rag_failure_percentage": 1.0, "shares": shares},
        "system": {"retriever": retriever},
    }
    run, engine = open_rag_run(tmp_path, **sections)
    items = make_items(run)
    scores = [one.score for item in items for one in item.shown if one.why == HARD]
    assert scores
    assert all(-1 <= score <= 1 for score in scores)
    questions = {one.question for item in items for one in item.asked}
    assert questions < set(engine.embedded)
    assert len(engine.embedded) == len(set(engine.embedded)) == len(questions) + len(items)
    again, engine = open_rag_run(tmp_path, **sections)
    assert make_items(again) == items
    assert engine.embedded == []
    found = read_status(run.folder)["rag"]["findings"]["vectors of questions"]
    assert found == {"made": 0, "cut": 0, "there": len(items)}


def test_before_the_questions_stage_it_says_what_to_run(tmp_path: Path, prompts_once: None) -> None:
    run, _ = open_rag_run(tmp_path)
    (run.folder / "live" / "qatuples_revised.json").unlink()
    with pytest.raises(RunFolderError, match="Run the stage before this one first"):
        make_items(run)


def test_what_a_failure_is_asked_shows_its_texts_and_not_the_answer(
    tmp_path: Path, prompts_once: None
) -> None:
    run, engine = open_rag_run(tmp_path, rag_data={"rag_failure_percentage": 1.0})
    make_items(run)
    for request in engine.requests:
        asked = request.messages[-1].content
        name = asked.rpartition("is the ")[2] if "is the" in asked else ""
        assert f"The {name.split()[0]} Bridge is 10" not in asked


def test_a_person_may_delete_a_retrieval_or_a_chunk(tmp_path: Path, prompts_once: None) -> None:
    run, _ = open_rag_run(tmp_path, rag_data={"rag_failure_percentage": 0.0})
    first, *others = make_items(run)
    (run.folder / rag.RAG_ITEMS / f"{first.uuid}.json").unlink()
    gone = others[0].chunk.uuid
    (run.folder / "worthy_for_questions" / f"{gone}.json").unlink()
    left = make_items(run)
    assert first.uuid not in {item.uuid for item in left}
    shown = [one.uuid for item in left for one in item.shown if item.chunk.uuid != gone]
    assert gone not in shown


def test_identical_and_near_duplicate_chunks_are_no_failed_context(
    tmp_path: Path, prompts_once: None
) -> None:
    texts = {"north": {**TEXTS["north"], "Copy": tell(0), "Like": tell(0) + " So it is."}}
    run, _ = open_rag_run(tmp_path, texts, rag_data={"rag_failure_percentage": 1.0,
                                                     "rag_max_chunks": 6})  # fmt: skip
    for item in make_items(run):
        assert item.failed
        assert rag.find_fault(item) == ""
    everything, _ = open_rag_run(
        tmp_path, texts, rag_data={"rag_failure_percentage": 1.0}, system={"drop_duplicates": False}
    )
    for item in make_items(everything):
        assert rag.find_fault(item) == ""


def test_a_near_duplicate_that_was_dropped_may_be_shown(tmp_path: Path, prompts_once: None) -> None:
    texts = {"north": {"A": tell(0), "B": tell(0) + " So it is.", "C": tell(1)}}
    settings = {"rag_failure_percentage": 0.0, "near_duplicate_share": 1.0}
    run, _ = open_rag_run(tmp_path, texts, rag_data=settings)
    whys = Counter(one.why for item in make_items(run) for one in item.shown)
    assert whys["near duplicate"] >= 1


def test_a_near_duplicate_of_another_directory_is_not_shown(
    tmp_path: Path, prompts_once: None
) -> None:
    texts = {"north": {"A": tell(0), "C": tell(1)}, "south": {"B": tell(0) + " So it is."}}
    settings = {"rag_failure_percentage": 0.0, "near_duplicate_share": 1.0}
    run, _ = open_rag_run(tmp_path, texts, rag_data=settings)
    assert {one.source for item in make_items(run) for one in item.shown} == {"A", "C"}


def test_no_failed_context_of_the_samples_holds_its_answer_by_a_plain_search(
    tmp_path: Path, prompts_once: None
) -> None:
    texts = {file.stem: file.read_text(encoding="utf-8") for file in SAMPLES.iterdir()}
    settings = {"rag_failure_percentage": 1.0, "rag_max_chunks": 6}
    run, _ = open_rag_run(
        tmp_path, {"north": texts}, script=lack_anything, asks=[ask_of_sentence],
        rag_data=settings, system={"chunk_size": 120},
    )  # fmt: skip
    items = make_items(run)
    assert len(items) > 20
    assert sum(len(item.shown) for item in items) > 40
    for item in items:
        for asked in item.asked:
            (quote,) = (one.quote for one in asked.evidence)
            figures = find_plain_figures(quote)
            for one in item.shown:
                assert make_plain(quote) not in make_plain(one.text)
                assert not figures & find_plain_figures(one.text)


def ask_of_sentence(chunk: Chunk) -> QAPair:
    """Return a pair whose answer is a sentence of the chunk, of those with figures if there are."""
    numbered = list(enumerate(number_sentences(chunk.text), start=1))
    number, sentence = max(numbered, key=lambda one: (len(re.findall(r"\d", one[1])), one[0]))
    return make_pair(chunk, (number,), f"What is told with {sentence.split()[0]}?", sentence)


def lack_anything(request: Request) -> str:
    (question,) = re.findall(r"^Question: (.+)$", request.messages[-1].content, re.MULTILINE)
    return f"About: x.\nMissing: Nothing is told to the question: {question[:-1]}."


def find_plain_figures(text: str) -> set[str]:
    return {figure.rstrip(".,") for figure in re.findall(r"\d[\d.,]*", text)}


def make_plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


@pytest.mark.parametrize("fails", [0.0, 1.0])
@pytest.mark.parametrize("texts", [{"A": tell(0)}, {"A": tell(0), "B": tell(1)},
                                   {"A": "The Arno Bridge is 1000 metres long."}])  # fmt: skip
def test_the_smallest_corpora_have_rows(
    tmp_path: Path, prompts_once: None, texts: dict[str, str], fails: float
) -> None:
    settings = {"rag_failure_percentage": fails, "rag_max_chunks": 5}
    run, _ = open_rag_run(tmp_path, {"north": texts}, rag_data=settings)
    assert len(make_items(run)) == len(texts)
    assert len(read_lines(mix(run) / "axolotl_rag_conversations_north.jsonl")) == len(texts)


def test_a_mix_before_the_stage_has_ended_is_an_error(tmp_path: Path, prompts_once: None) -> None:
    run, _ = open_rag_run(tmp_path)
    with pytest.raises(RunFolderError, match="rag_items: not there yet"):
        mix(run)


@pytest.mark.parametrize("seed", range(3))
def test_kinds_come_in_their_shares_to_one(seed: int) -> None:
    uuids = [str(number) for number in range(50)]
    drawn = rag.draw_kinds(uuids, RagData(rag_max_chunks=3), seed)
    assert list(drawn) == uuids
    assert Counter(drawn.values()) == {
        FOUND: 24, FOUND_IN_TWO: 6, HARD_NEGATIVES: 10, RANDOM_CHUNKS: 4, PARTIAL_EVIDENCE: 4,
        NOTHING: 2,
    }  # fmt: skip
    few = rag.draw_kinds(uuids[:5], RagData(rag_max_chunks=1), seed)
    assert Counter(kind in FAILURES for kind in few.values()) == {False: 3, True: 2}


def test_an_edit_that_gives_the_answer_away_leaves_no_row(
    tmp_path: Path, prompts_once: None
) -> None:
    settings = {"rag_failure_percentage": 1.0, "shares": {"partial_evidence": 0, "nothing": 0}}
    run, _ = open_rag_run(tmp_path, rag_data=settings)
    first, *_ = make_items(run)
    file = run.folder / rag.RAG_ITEMS / f"{first.uuid}.json"
    edited = json.loads(file.read_text(encoding="utf-8"))
    edited["shown"][0]["text"] += f" {first.asked[0].evidence[0].quote}"
    file.write_text(json.dumps(edited), encoding="utf-8")
    assert len(read_lines(mix(run) / "axolotl_rag_conversations_north.jsonl")) == 5
    assert count_of(run, "mix", "retrievals")["reasons"]["rejected"] == {rag.HOLDS: 1}


def test_an_edit_that_takes_the_answer_away_leaves_no_row(
    tmp_path: Path, prompts_once: None
) -> None:
    run, _ = open_rag_run(tmp_path, rag_data={"rag_failure_percentage": 0.0, "two_chunk_share": 0})
    first, second, *_ = make_items(run)
    for item, left in ((first, []), (second, [{**to_json(second.shown[0]), "text": "A toll."}])):
        file = run.folder / rag.RAG_ITEMS / f"{item.uuid}.json"
        edited = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**edited, "shown": left}), encoding="utf-8")
    assert len(read_lines(mix(run) / "axolotl_rag_conversations_north.jsonl")) == 4
    assert count_of(run, "mix", "retrievals")["reasons"]["rejected"] == {rag.GONE: 2}


def test_directories_have_their_own_subsets(tmp_path: Path, prompts_once: None) -> None:
    texts = {**TEXTS, "south": {"Bridge": tell(8)}}
    dirs = [{"path": "north", "rag_use_subset": True, "rag_subset_size": 2}, {"path": "south"}]
    run, _ = open_rag_run(tmp_path, texts, path={"input_dirs": dirs})
    assert Counter(i.chunk.directory for i in make_items(run)) == {"north": 2, "south": 1}


def test_an_item_asks_from_one_to_the_most_pairs_in_their_order() -> None:
    pairs = [ask(chunk) for chunk in CHUNKS for ask in (ask_nests, ask_length)]
    index = make_index()
    plans = list(rag.plan_items(pairs, [], index, make_config(rag_data={"pairs_per_item": 2})))
    assert {len(plan.asked) for plan in plans} == {1, 2}
    for plan in plans:
        if len(plan.asked) == 2:
            assert [one.question.split()[0] for one in plan.asked] == ["How", "What"]
    single = rag.plan_items(pairs, [], index, make_config(rag_data={"pairs_per_item": 1}))
    assert {len(plan.asked) for plan in single} == {1}


def make_index() -> Any:
    from generation_functions.documents.retrieval import ChunkIndex

    return ChunkIndex(CHUNKS)


def test_some_successes_need_two_chunks_that_speak_of_the_same() -> None:
    pairs = [ask_length(chunk) for chunk in CHUNKS]
    config = make_config(rag_data={"two_chunk_share": 1.0, "rag_failure_percentage": 0.0})
    for plan in rag.plan_items(pairs, [], make_index(), config):
        assert plan.kind == FOUND_IN_TWO
        chunks = [one.evidence[0].chunk for one in plan.asked]
        assert chunks[0] == plan.chunk.uuid
        assert len(set(chunks)) == 2
    alone = list(rag.plan_items(pairs[:1], [], make_index(), config))
    assert [plan.kind for plan in alone] == [FOUND]
    single = make_config(rag_data={"two_chunk_share": 1.0, "rag_failure_percentage": 0.0,
                                   "rag_max_chunks": 1})  # fmt: skip
    assert {plan.kind for plan in rag.plan_items(pairs, [], make_index(), single)} == {FOUND}


def test_a_recall_that_rests_on_two_sources_goes_first() -> None:
    one, other = CHUNKS[:2]
    lines = (Recalled(0, (1,), ask_length(one).quote, "1000."),
             Recalled(1, (5,), ask_length(other).quote, "1001."))  # fmt: skip
    exchange = Exchange("Which is longer?", "The Brent Bridge.", lines)
    recall = Recall("r", "comparison", 0, (exchange,), (one, other))
    config = make_config(rag_data={"two_chunk_share": 1.0, "rag_failure_percentage": 0.0})
    plans = rag.plan_items([ask_length(one)], [recall], make_index(), config)
    ((asked,),) = (plan.asked for plan in plans)
    assert (asked.uuid, asked.question) == ("r", "Which is longer?")
    assert [evidence.chunk for evidence in asked.evidence] == [one.uuid, other.uuid]
    assert (
        rag.join_sources(replace(recall, exchanges=(replace(exchange, recalled=lines[:1]),)))
        is None
    )
    assert rag.join_sources(replace(recall, exchanges=(replace(exchange, admitted="No."),))) is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("The bridge is long.", "does not say that anything is missing"),
        ("Nothing is told of bread.", "says nothing of the question"),
        ("It does not tell that the Arno Bridge is 1000 metres long.", "nobody spoke of"),
        ("Nothing is told of the Arno Bridge by Maud Ferris.", "nobody spoke of"),
        ("The herons nest there, but the birds of the Arno Bridge are not named.", "gives the"),
        ("Нет ничего of the Arno Bridge.", "another script"),
    ],
)
def test_what_is_missing_is_said_and_nothing_else(said: str, why: str) -> None:
    pair = ask_nests(CHUNKS[0]) if "herons" in said else ask_length(CHUNKS[0])
    request = LackRequest("item", 0, make_asked(pair), (show(CHUNKS[1], HARD),))
    with pytest.raises(Unparsable, match=why):
        TELL_LACK.parse(request, f"About: Bridges.\nMissing: {said}")
    assert TELL_LACK.parse(request, f"About: x.\nMissing: {LACKS}") == LACKS


@pytest.mark.parametrize("prompts", [["Help.", "{data}"], ["Help."], ["{dat}"]])
def test_an_assistant_prompt_without_a_place_for_documents_is_a_config_error(
    tmp_path: Path, prompts: list[str]
) -> None:
    with pytest.raises(ConfigError, match=r"final_assistant_prompts.*\{data\}"):
        open_rag_run(tmp_path, rag_data={"final_assistant_prompts": prompts})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"user_format": "Human: {{user}}"}, "all of system_format"),
        ({"system_format": "S", "user_format": "{{user}}", "assistant_format": "{{assistant}}"},
         "`system_format` has no"),
        ({"shares": dict.fromkeys(
            ("hard_negatives", "random_chunks", "partial_evidence", "nothing"), 0)}, "above 0"),
    ],
)  # fmt: skip
def test_settings_of_no_use_are_config_errors(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        open_rag_run(tmp_path, rag_data=settings)


def test_a_row_shows_the_documents_of_its_last_item_and_trains_that_alone() -> None:
    items = [make_item(number) for number in range(3)]
    turns = rag_turns(items, make_config())
    system = turns[0].turn.text
    assert "1002 metres" in system
    assert "1003 metres" in system
    assert "1000 metres" not in system
    assert [(one.turn.speaker, one.head, one.body) for one in turns] == [
        ("system", False, False),
        *[("human", False, False), ("gpt", False, False)] * 2,
        ("human", True, True),
        ("gpt", True, True),
    ]


def test_answers_alone_are_trained_without_train_on_questions() -> None:
    turns = rag_turns([make_item(0)], make_config(rag_data={"train_on_questions": False}))
    assert [(one.head, one.body) for one in turns] == [
        (False, False),
        (False, False),
        (False, True),
    ]


def test_each_item_is_trained_once_and_later_ones_of_its_group_are_left_out() -> None:
    items = [make_item(n % 6, directory="ns"[n // 6]) for n in range(10)]
    groups = list(group_items(items, 3, 0))
    assert Counter(group[-1].uuid for group in groups) == Counter(item.uuid for item in items)
    assert Counter(map(len, groups)) == {1: 4, 2: 3, 3: 3}
    assert all(len({item.chunk.directory for item in group}) == 1 for group in groups)
    assert list(group_items(items[::-1], 3, 0)) != groups
    assert sorted(map(str, group_items(items[::-1], 3, 0))) == sorted(map(str, groups))


def test_a_group_asks_no_question_again_before_it_is_trained() -> None:
    one, other = make_item(0), make_item(1)
    both = replace(one, uuid="both", asked=(*one.asked, *other.asked))
    groups = {group[-1].uuid: group[:-1] for group in group_items([one, other, both], 3, 0)}
    assert len(groups) == 3
    assert both.uuid not in {item.uuid for item in (*groups[one.uuid], *groups[other.uuid])}
    assert groups["both"] == ()


@pytest.mark.parametrize(
    ("aloud", "settings", "told"),
    [
        (False, {}, r"^Nothing is told of the length of the Arno Bridge\. .+: The Arno Bridge is"),
        (True, {}, r"^Thought Process:\nNothing .+\n\nAnswer:\n.+[.:] The Arno Bridge is 1000"),
        (False, {"failure_answer": "decline"}, r"^Nothing is told .+ Arno Bridge\. [^0-9]+\.$"),
        (True, {"failure_answer": "decline"}, r"^Thought Process:\n.+\n\nAnswer:\n[^0-9]+\.$"),
    ],
)
def test_a_failure_says_what_is_missing_then_answers_or_declines(
    aloud: bool, settings: dict[str, Any], told: str
) -> None:
    config = make_config(rag_data=settings, factual_sft_settings={"think_aloud": aloud})
    assert re.search(told, write_rag_answer(make_item(0, failed=True), 0, config))


@pytest.mark.parametrize("aloud", [False, True])
@pytest.mark.parametrize("answer", ["knowledge", "decline"])
def test_where_nothing_was_found_no_document_is_spoken_of(aloud: bool, answer: str) -> None:
    config = make_config(
        rag_data={"failure_answer": answer}, factual_sft_settings={"think_aloud": aloud}
    )
    item = replace(make_item(0, failed=True), kind=NOTHING, shown=())
    for number in range(20):
        asked = (replace(item.asked[0], uuid=str(number)),)
        told = write_rag_answer(replace(item, asked=asked), 0, config)
        assert "documents" not in told


def test_another_language_has_no_english_phrases() -> None:
    item = make_item(0, failed=True)
    item = replace(item, chunk=replace(item.chunk, language="german"), lacks=("Es fehlt.",))
    silent = make_config(factual_sft_settings={"think_aloud": False})
    assert write_rag_answer(item, 0, silent) == f"Es fehlt. {item.asked[0].answer}"


def test_a_success_answers_from_its_quote() -> None:
    item = make_item(0)
    aloud = write_rag_answer(item, 0, make_config())
    assert aloud == (
        "Thought Process:\nFrom document 2 (Bridge 0): The Arno Bridge is 1000 metres long.\n\n"
        "Answer:\nThe Arno Bridge is 1000 metres long."
    )
    nameless = write_rag_answer(item, 0, make_config(system={"use_filenames": False}))
    assert nameless.startswith("Thought Process:\nFrom document 2: The Arno")
    silent = make_config(factual_sft_settings={"think_aloud": False})
    assert write_rag_answer(item, 0, silent) == item.asked[0].answer


def test_rows_stand_in_a_file_for_each_directory_with_their_provenance(
    tmp_path: Path, prompts_once: None
) -> None:
    texts = {**TEXTS, "south": {"Bridge": tell(8)}}
    run, _ = open_rag_run(tmp_path, texts, rag_data={"rag_failure_percentage": 0.5})
    items = {item.uuid: item for item in make_items(run)}
    sft = mix(run)
    names = {"axolotl_rag_conversations_north.jsonl": 6, "axolotl_rag_conversations_south.jsonl": 1}
    config = yaml.safe_load((sft / "sft_training_config.yaml").read_text(encoding="utf-8"))
    kinds = {one["path"]: one["type"] for one in config["datasets"]}
    for name, count in names.items():
        rows, told = read_lines(sft / name), read_lines(sft / "provenance" / name)
        assert len(rows) == len(told) == count
        assert kinds[name] == "input_output"
        for row, origin in zip(rows, told, strict=True):
            item = items[origin["uuid"]]
            hidden, shown = row["segments"]
            assert (hidden["label"], shown["label"]) == (False, True)
            assert hidden["text"].startswith("<s>Instruction: ")
            assert shown["text"].endswith(" **Finished.**</s>")
            assert shown["text"].startswith(f"Human: {item.asked[0].question} **Finished.**\nAI: ")
            assert all(one.text in hidden["text"] for one in item.shown)
            assert origin["kind"] == item.kind
            assert origin["trained"][::2] == [one.question for one in item.asked]
    assert set(kinds.values()) == {"completion", "input_output"}


def test_a_single_input_dir_has_a_file_without_a_name_and_needs_no_conversations(
    tmp_path: Path, prompts_once: None
) -> None:
    run, _ = open_rag_run(tmp_path, path={"input_dirs": None, "input_dir": "north"})
    assert len(make_items(run)) == 6
    sft = mix(run)
    assert len(read_lines(sft / "axolotl_rag_conversations.jsonl")) == 6
    saved = yaml.safe_load((run.folder / "config.yaml").read_text(encoding="utf-8"))
    again = make_config(path=saved["path"])
    assert again.path.input_dirs[0].name == "north"
    with pytest.raises(ValueError, match="not both"):
        make_config(path={"input_dir": "else"})


def test_questions_for_a_retriever_stand_beside_them(tmp_path: Path, prompts_once: None) -> None:
    texts = {**TEXTS, "south": {"Bridge": tell(8)}}
    run, _ = open_rag_run(tmp_path, texts)
    make_items(run)
    mix(run)
    folder = run.folder / "rag_source_data"
    north = read_lines(folder / "rag_data_north.jsonl")
    combined = read_lines(folder / "rag_data_combined.jsonl")
    assert combined == north + read_lines(folder / "rag_data_south.jsonl")
    assert set(north[0]) == {"question", "source_text", "source_metadata", "related_chunks"}
    assert north[0]["source_text"] in set(TEXTS["north"].values())


def test_a_row_is_cut_to_the_training_context_around_the_quote() -> None:
    words = "oak ash elm fir yew box bay fig tea hop rye oat".split()
    long = " ".join(f"It was painted in the colour of a piece of {word}." for word in words)
    chunk = make_chunk(0, f"{long} {tell(0)} {long}")
    asked = (make_asked(ask_length(chunk)),)
    shown = (show(make_chunk(1, f"{tell(1)} {long}"), HARD), show(chunk, RIGHT))
    item = RagItem("item", chunk, asked, shown, FOUND)
    full = RowFitter(make_config(), count_words)
    assert full.fit(item) == item
    sizes = []
    for length in (800, 400, 300, 220):
        fitter = RowFitter(make_config(model_training={"sequence_len": length}), count_words)
        fitted = fitter.fit(item)
        assert rag.find_fault(fitted) == ""
        sizes.append(fitter.measure((fitted,)))
        assert sizes[-1] <= fitter.room == int(0.9 * length)
        for one, before in zip(fitted.shown, item.shown, strict=False):
            assert one.text in before.text or len(fitted.shown) < len(item.shown)
    assert sizes == sorted(sizes, reverse=True)
    full_prompt = {"shared_instruction": "a " * 60}
    tight = make_config(model_training={"sequence_len": 128}, system=full_prompt)
    with pytest.raises(Rejected, match=TOO_LONG):
        RowFitter(tight, count_words).fit(item)


def test_a_chunk_that_is_one_long_sentence_is_left_out_or_the_row_rejected() -> None:
    endless = "and so on " * 400
    item = make_item(0)
    fitter = RowFitter(make_config(model_training={"sequence_len": 300}), count_words)
    other = replace(item.shown[0], text=endless)
    fitted = fitter.fit(replace(item, shown=(other, item.shown[1])))
    assert [one.why for one in fitted.shown] == [RIGHT]
    quoted = replace(item.shown[1], text=f"{ask_length(item.chunk).quote[:-1]} {endless}")
    with pytest.raises(Rejected, match=TOO_LONG):
        fitter.fit(replace(item, shown=(quoted,)))


def test_a_failure_whose_chunks_do_not_fit_finds_nothing() -> None:
    item = replace(make_item(0, failed=True), lacks=())
    shown = (replace(item.shown[0], text="and so on " * 400),)
    fitter = RowFitter(make_config(model_training={"sequence_len": 300}), count_words)
    fitted = fitter.fit(replace(item, shown=shown))
    assert (fitted.kind, fitted.shown) == (NOTHING, ())


def test_rows_that_do_not_fit_leave_out_what_was_before_then_themselves(
    tmp_path: Path, prompts_once: None
) -> None:
    run, _ = open_rag_run(tmp_path, rag_data={"rag_failure_percentage": 0.0, "rag_max_chunks": 1,
                                              "num_items_per_group": 6})  # fmt: skip
    make_items(run)
    rows = read_lines(mix(run) / "axolotl_rag_conversations_north.jsonl")
    lengths = [sum(count_words(one["text"]) for one in row["segments"]) for row in rows]
    for room, left in ((sorted(lengths)[2], 6), (min(lengths) - 1, 0)):
        training = run.config.model_training
        training = training.model_copy(update={"sequence_len": int(room / 0.9) + 1})
        config = run.config.model_copy(update={"model_training": training})
        tight, _ = open_rag_run(tmp_path, rag_data=run.config.rag_data.model_dump(mode="json"))
        tight.config = config
        if not left:
            asyncio.run(stages.mix(tight))
            assert count_of(tight, "mix", "rag rows")["reasons"]["rejected"][TOO_LONG] >= 1
            continue
        rows = read_lines(mix(tight) / "axolotl_rag_conversations_north.jsonl")
        assert len(rows) == left
        assert max(sum(count_words(s["text"]) for s in row["segments"]) for row in rows) <= room + 1
        assert count_of(tight, "mix", "rag rows without all before")["kept"] >= 1


def test_room_is_shared_evenly_after_the_small_have_what_they_want() -> None:
    assert share_out([10, 500, 500], 210) == [10, 100, 100]
    assert share_out([5, 5], 100) == [5, 5]
    assert share_out([50, 50], 0) == [0, 0]
    assert share_out([], 10) == []
    assert cut_text("One two. Three four.", 3, count_words) == "One two."
    assert cut_text("", 3, count_words) == ""


def test_a_retrieval_that_does_not_hold_what_it_should_is_of_no_use() -> None:
    item = make_item(0)
    assert rag.find_fault(replace(item, shown=item.shown[:1])) == rag.GONE
    partial = replace(item, kind=PARTIAL_EVIDENCE, shown=(show(item.chunk, PARTIAL),))
    assert rag.find_fault(partial) == rag.HOLDS
    two = f"{item.asked[0].evidence[0].quote} The keeper of the toll counts herons there."
    half = replace(item.asked[0], evidence=(Evidence(item.chunk.uuid, two),))
    assert rag.find_fault(replace(item, asked=(half,))) == rag.GONE
    told = replace(item.shown[0], text="They needed 1000 stones.")
    assert rag.find_fault(replace(item, kind=RANDOM_CHUNKS, shown=(told,))) == rag.HOLDS


def test_own_formats_of_turns_shape_the_rows(tmp_path: Path, prompts_once: None) -> None:
    formats = {"system_format": "S={{system}}", "user_format": "Q={{user}}",
               "assistant_format": "A={{assistant}}", "bos": "<b>"}  # fmt: skip
    run, _ = open_rag_run(tmp_path, rag_data={**formats, "rag_failure_percentage": 0.0})
    make_items(run)
    for row in read_lines(mix(run) / "axolotl_rag_conversations_north.jsonl"):
        hidden, shown = (one["text"] for one in row["segments"])
        assert hidden.startswith("<b>S=")
        assert shown.startswith("Q=How long is the ")
        assert "\nA=Thought Process:" in shown


def test_a_template_of_no_use_is_refused_before_anything_is_asked(
    tmp_path: Path, prompts_once: None
) -> None:
    run, engine = open_rag_run(
        tmp_path, final_datasaving_settings={"template": "{% for m in messages %}x{% endfor %}"}
    )
    with pytest.raises(ConfigError, match="leaves out"):
        make_items(run)
    assert engine.requests == []


def test_what_a_model_never_says_usably_fails_and_is_counted(
    tmp_path: Path, prompts_once: None
) -> None:
    def script(request: Request) -> str:
        return "About: x.\nMissing: It is long."

    run, engine = open_rag_run(tmp_path, script=script, rag_data={"rag_failure_percentage": 1.0})
    assert make_items(run) == []
    counted = count_of(run, "rag", rag.LABEL)
    assert counted["failed"] == 6
    assert len(engine.requests) == 24
