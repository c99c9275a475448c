"""The stage that recalls: ways, generations, directories, repairs, resuming; scripted replies."""

import asyncio
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from generation_functions import stages
from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ConfigError, EngineError, GrammarError, RunFolderError
from generation_functions.pipelines import recall
from generation_functions.pipelines.questions import WORTHY, RejectedPair
from generation_functions.pipelines.repairing import CHECKS, REVISE_PAIR
from generation_functions.pipelines.ways import BUILT_IN, make_ways
from generation_functions.records import Chunk, QAPair, Recall
from generation_functions.session import open_run
from generation_functions.sources import Source
from generation_functions.status import describe_status, read_status
from generation_functions.steps.prompts import GRAMMARS, PROMPTS, load_prompt
from generation_functions.steps.run import Run

YES = "Verdict: yes"
STEPS = [*(way.write.name for way in BUILT_IN.values()), REVISE_PAIR.name,
         *(check.name for check, _, _ in CHECKS)]  # fmt: skip
NAMES = {load_prompt(name).content.system: name for name in STEPS}
for folder in ("negative", "hallucination"):
    for check, _, _ in CHECKS:
        system = load_prompt(check.name, [PROMPTS / folder]).content.system
        NAMES[system] = f"{folder}/{check.name}"

Texts = dict[str, dict[str, str]]
TEXTS: Texts = {
    "north": {
        "Arno": "The Arno Bridge is 812 metres long. It stands on nine piers of granite.",
        "Brent": "The Brent Lock has gates of oak. Barges climb eleven metres at the Brent Lock.",
        "Arno works": "Maud Ferris built the Arno Bridge. Its piers of granite took four years.",
    },
    "south": {"Cairn": "The Cairn Mill has two stones. The Cairn Mill grinds barley at night."},
}
OPEN: dict[str, Any] = {"openended": {"multi_source": False}}


def step_of(request: Request) -> str:
    return NAMES[request.messages[0].content]


def asked_of(request: Request) -> str:
    return request.messages[-1].content


def answer(request: Request) -> str:
    """Pass every check; ask an open question in the words of the text and of the seed."""
    step = step_of(request)
    if step == "revise_pair":
        return "Unclear: Nothing.\nVerdict: pass"
    if "check" in step:
        return f"{YES}\nWords: it" if step == "check_question" else YES
    sentences = re.findall(r"^\[(\d+)\] (.+)$", asked_of(request), re.MULTILINE)
    (_, first), (_, second) = sentences[:2]
    word = "".join(chr(ord("a") + int(digit)) for digit in str(request.seed))
    asks = "Where" if "Asked already:" in asked_of(request) else "How"
    return (
        f"1: {first}\n2: {second}\nQuestion: {asks} does {word} tell about {first[:-1]}?\n"
        f"Answer: {first} {second}"
    )


Open = Callable[..., tuple[Run, ScriptedEngine]]


@pytest.fixture
def open_it(tmp_path: Path, prompts_once: None) -> Open:
    """Open a run over texts by directory, whose chunks are all worthy already."""

    def open_one(
        ways: dict[str, Any],
        texts: Texts = TEXTS,
        script: Callable[[Request], str] = answer,
        dirs: dict[str, dict[str, Any]] | None = None,
        **sections: dict[str, Any],
    ) -> tuple[Run, ScriptedEngine]:
        for directory, files in texts.items():
            (tmp_path / directory).mkdir(exist_ok=True)
            for name, text in files.items():
                (tmp_path / directory / f"{name}.txt").write_text(text, encoding="utf-8")
        content = {
            "path": {
                "input_dirs": [{"path": one, **(dirs or {}).get(one, {})} for one in texts],
                "output_dir": "run",
            },
            "models": {"small": {"gguf": "none.gguf"}, "large": {"gguf": "none.gguf"}},
            "dataset_context": "Works",
            "factual_sft": ways,
            **sections,
            "system": {"token_counter": "words", "chunk_size": 40, **sections.get("system", {})},
            "questions": {"double_check_counter": 1, "repairs": 1, **sections.get("questions", {})},
        }
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        engine = ScriptedEngine(script)
        run = open_run(tmp_path / "config.yaml", {"small": engine, "large": engine}, engine)
        run.progress = False
        asyncio.run(judge_all(run))
        return run, engine

    return open_one


@pytest.fixture
def own_way(tmp_path: Path) -> dict[str, Any]:
    """Write the prompts of two ways of one's own; return the options that name their folder."""
    own = tmp_path / "mine"
    own.mkdir()
    for name in ("mine", "yours"):
        shutil.copy(PROMPTS / "write_openended.yaml", own / f"write_{name}.yaml")
    return {"prompts": "mine"}


async def judge_all(run: Run) -> None:
    """Stand in for the questions' stage: every chunk that goes on is worthy, unless deleted."""
    async with run.stage("questions"):
        run.open_survivors(WORTHY)
        decisions = Source(run.config).decisions()
        await run.map(keep(run), [one.chunk for one in decisions if not one.reason])


def keep(run: Run) -> Callable[[Any], Any]:
    async def keep_it(chunk: Any) -> Any:
        return run.keep(WORTHY, chunk)

    return keep_it


def go(run: Run, limit: int | None = None) -> list[Recall]:
    asyncio.run(stages.write_recalls(run, limit))
    return run.survivors(recall.RECALLS, Recall)


def steps(engine: ScriptedEngine) -> list[str]:
    return [step_of(request) for request in engine.requests]


def written(engine: ScriptedEngine) -> list[Request]:
    return [one for one in engine.requests if step_of(one).startswith("write_")]


def status(run: Run) -> dict[str, Any]:
    return dict(json.loads((run.folder / "status.json").read_text(encoding="utf-8"))["recall"])


def sources(made: Iterable[Recall]) -> Counter[str]:
    return Counter(one.chunk.source for one in made)


def test_without_ways_nothing_is_done(open_it: Open) -> None:
    run, engine = open_it({})
    assert asyncio.run(stages.write_recalls(run)) == []
    assert engine.requests == []
    assert not (run.folder / "live" / "recalls.json").exists()


def test_before_the_questions_stage_it_says_what_to_run(open_it: Open) -> None:
    run, _ = open_it(OPEN)
    (run.folder / "live" / f"{WORTHY}.json").unlink()
    with pytest.raises(RunFolderError, match="Run the stage before this one first"):
        go(run)


def test_each_piece_is_written_voted_on_and_made_to_stand_alone(open_it: Open) -> None:
    run, engine = open_it(OPEN)
    made = go(run)
    assert sources(made) == Counter(["Arno", "Brent", "Arno works", "Cairn"])
    assert Counter(steps(engine)) == Counter(
        dict.fromkeys(["write_openended", "revise_pair", *(c.name for c, _, _ in CHECKS)], 4)
    )
    for one in made:
        (exchange,) = one.exchanges
        assert [line.quote for line in exchange.recalled] == [l.told for l in exchange.recalled]
        assert one.sources == (one.chunk,)
    assert status(run)["findings"]["ways"] == {"openended": {"kept": 4}}


def test_related_chunks_are_shown_of_the_same_directory_only(open_it: Open) -> None:
    texts = {**TEXTS, "south": {"Dell": "The piers of granite of the Dell Bridge took four years."}}
    texts["south"]["Dell"] += " Maud Ferris built the Dell Bridge."
    run, _ = open_it({"openended": {}}, texts)
    related = {one.chunk.source: {s.source for s in one.sources[1:]} for one in go(run)}
    assert related == {
        "Arno": {"Arno works"},
        "Arno works": {"Arno"},
        "Brent": set(),
        "Dell": set(),
    }
    lines = (run.folder / "neighbours.jsonl").read_text(encoding="utf-8").splitlines()
    scores = [one["score"] for line in lines for one in json.loads(line)["related"]]
    assert len(scores) == 2
    assert all(score > 0 for score in scores)


def test_no_chunk_is_related_that_a_person_deleted(open_it: Open) -> None:
    run, _ = open_it({"openended": {}})
    (works,) = (one for one in go(run) if one.chunk.source == "Arno works")
    (run.folder / WORTHY / f"{works.chunk.uuid}.json").unlink()
    made = go(run)
    assert sources(made) == Counter(["Arno", "Brent", "Cairn"])
    assert all(len(one.sources) == 1 for one in made)


def test_a_problem_is_told_and_the_pair_written_anew(open_it: Open) -> None:
    def script(request: Request) -> str:
        reply = answer(request)
        if step_of(request) == "write_openended" and "What is wrong: " not in asked_of(request):
            return reply.replace("812", "821")
        return reply

    run, engine = open_it(OPEN, script=script)
    assert len(go(run)) == 4
    (told,) = (r for r in written(engine) if "What is wrong: " in asked_of(r))
    assert "Your draft:\nQuestion: How does" in asked_of(told)
    assert "821 metres long" in asked_of(told).split("What is wrong: ")[1]


def test_what_stays_wrong_is_left_out_with_its_problem_to_be_read(open_it: Open) -> None:
    no = "Verdict: no\nReason: It leaves out the oak."

    def script(request: Request) -> str:
        lost = step_of(request) == "check_answer_relevance" and "Brent Lock" in asked_of(request)
        return no if lost else answer(request)

    run, engine = open_it(OPEN, script=script)
    assert sources(go(run)) == Counter(["Arno", "Arno works", "Cairn"])
    (left_out,) = run.survivors(recall.REJECTED_RECALLS, RejectedPair)
    assert "It leaves out the oak." in left_out.problem.told
    assert status(run)["pipelines"]["recalls"]["rejected"] == 1
    assert len(written(engine)) == 5


@pytest.mark.parametrize(
    ("option", "step"),
    [
        ("skip_question_check", "check_question"),
        ("skip_answer_relevancy_check", "check_answer_relevance"),
        ("skip_answer_accuracy_check", "check_answer_accuracy"),
        ("skip_repair_qa_tuples", "revise_pair"),
    ],
)
def test_a_way_may_leave_out_each_of_its_checks(open_it: Open, option: str, step: str) -> None:
    run, engine = open_it({"openended": {"multi_source": False, option: True}})
    go(run)
    asked = set(steps(engine))
    assert step not in asked
    assert len(asked) == 4


def test_ways_with_a_false_premise_have_checks_of_their_own(open_it: Open) -> None:
    run, _ = open_it({"negative": {}, "hallucination": {}, "vague": {"prompts": "mine"}})
    negative, vague, hallucination = make_ways(run.config)
    assert [step.folders for step in negative.steps] == [(str(PROMPTS / "negative"),)] * 5
    assert hallucination.write.folders == (str(PROMPTS / "hallucination"),)
    assert vague.write.folders == (str(run.folder.parent / "mine"),)
    for step in (*negative.steps, *hallucination.steps):
        load_prompt(step.name, [Path(one) for one in step.folders])


def test_each_generation_has_new_seeds_and_sees_what_its_way_asked_before(open_it: Open) -> None:
    two = {"number_of_factual_sft_generations_to_do": 2}
    run, engine = open_it(OPEN, system=two)
    made = go(run)
    assert Counter(one.generation for one in made) == {0: 4, 1: 4}
    first, second = written(engine)[:4], written(engine)[4:]
    assert not any("Asked already:" in asked_of(one) for one in first)
    for one in second:
        (shown,) = re.findall(r"Asked already:\n- (.+)\n", asked_of(one))
        assert shown in {m.exchanges[0].question for m in made if m.generation == 0}
    assert {one.seed for one in first}.isdisjoint(one.seed for one in second)


def test_of_questions_that_are_alike_the_first_stays(
    open_it: Open, own_way: dict[str, Any]
) -> None:
    def script(request: Request) -> str:
        return re.sub(r"\w+ does \w+ tell about (.+)\?", r"What is told of \1?", answer(request))

    two = {"number_of_factual_sft_generations_to_do": 2}
    run, engine = open_it(OPEN, script=script, system=two, questions={"repairs": 0})
    assert {one.generation for one in go(run)} == {0}
    assert status(run)["pipelines"]["recalls"]["reasons"]["rejected"] == {"asked already": 4}
    assert len(written(engine)) == 8
    run, _ = open_it({"openended": {}, "mine": own_way}, script=script)
    made = go(run)
    assert {one.way for one in made} == {"openended"}
    distinct = status(run)["pipelines"]["distinct recalls"]
    assert (distinct["kept"], distinct["rejected"]) == (4, 4)
    left_out = run.survivors(recall.REJECTED_RECALLS, RejectedPair)
    assert {one.pair.chunk.text for one in left_out} == {one.chunk.text for one in made}


def test_a_conversation_of_several_turns_asks_on_from_what_was_said(open_it: Open) -> None:
    later = (
        "2: The Arno Bridge stands on nine piers of granite.\n"
        "Meant: On what does the Arno Bridge stand?\nQuestion: And on what does it stand?\n"
        "Answer: The Arno Bridge stands on nine piers of granite."
    )

    def script(request: Request) -> str:
        if step_of(request) != "write_followup":
            return answer(request)
        if "So far:" in asked_of(request):
            return later
        return (
            "1: The Arno Bridge is 812 metres long.\nQuestion: How long is the Arno Bridge?\n"
            "Answer: The Arno Bridge is 812 metres long."
        )

    texts = {"north": {"Arno": TEXTS["north"]["Arno"]}}
    run, engine = open_it({"followup": {}}, texts, script)
    (made,) = go(run)
    assert [one.question for one in made.exchanges] == [
        "How long is the Arno Bridge?",
        "And on what does it stand?",
    ]
    assert made.exchanges[1].meant == "On what does the Arno Bridge stand?"
    voted = [r for r in engine.requests if step_of(r) == "check_question"]
    assert "Question: On what does the Arno Bridge stand?" in asked_of(voted[1])
    run, _ = open_it({"openended": {"single_turn": False}}, texts, script)
    (made,) = go(run)
    assert [len(one.recalled) for one in made.exchanges] == [2, 1]


def test_a_conversation_asks_nothing_twice(open_it: Open) -> None:
    again = (
        "Meant: How long is the Arno Bridge?\nQuestion: And how long is it?\n"
        "Answer: The length of the Arno Bridge is 812 metres."
    )

    def script(request: Request) -> str:
        if step_of(request) != "write_followup":
            return answer(request)
        asks = "Question: How long is the Arno Bridge?\nAnswer: The Arno Bridge is 812 metres long."
        told = again if "So far:" in asked_of(request) else asks
        return f"1: The Arno Bridge is 812 metres long.\n{told}"

    texts = {"north": {"Arno": TEXTS["north"]["Arno"]}}
    run, _ = open_it({"followup": {}}, texts, script, questions={"repairs": 0})
    assert go(run) == []
    assert status(run)["findings"]["ways"] == {"followup": {"asked already": 1}}


def test_directories_have_their_own_subsets_for_each_way(open_it: Open) -> None:
    dirs = {"north": {"factual_gen_use_subset": True, "factual_gen_subset_size_per_way": 2}}
    run, _ = open_it(OPEN, dirs=dirs)
    assert Counter(one.chunk.directory for one in go(run)) == {"north": 2, "south": 1}


def test_pieces_are_composed_of_neighbouring_worthy_chunks(open_it: Open) -> None:
    long = "\n\n".join(f"{text} It was painted green." for text in TEXTS["north"].values())
    run, engine = open_it(
        OPEN, {"north": {"All": long}}, system={"chunk_size": 32},
        factual_sft_settings={"factual_chunk_size": 300},
    )  # fmt: skip
    worthy = run.require(WORTHY)
    (made,) = go(run)
    assert len(worthy) > 1
    assert made.chunk.text == long
    assert made.chunk.uuid not in worthy
    assert all(text in asked_of(written(engine)[0]) for text in ("[1] The Arno", "Maud Ferris"))


def test_the_section_says_how_its_prompts_are_sent(open_it: Open) -> None:
    settings = {"factual_completion_mode": True, "factual_use_stop": False}
    run, engine = open_it(OPEN, factual_sft_settings=settings)
    go(run)
    assert all(request.completion_mode for request in engine.requests)
    assert {step.use_stop for way in make_ways(run.config) for step in way.steps} == {False}


def test_run_again_it_asks_nothing_and_keeps_the_same(open_it: Open) -> None:
    two = {"number_of_factual_sft_generations_to_do": 2}
    run, _ = open_it({"openended": {}}, system=two)
    made = go(run)
    again, engine = open_it({"openended": {}}, system=two)
    assert go(again) == made
    assert engine.requests == []
    assert status(again)["findings"]["neighbours"]["changed"] == 0


def test_a_document_more_asks_only_where_neighbours_changed_and_says_how_many(
    open_it: Open, own_way: dict[str, Any]
) -> None:
    ways = {"openended": {}, "mine": {**own_way, "multi_source": False}}
    more = {**TEXTS, "south": {**TEXTS["south"]}}
    more["south"]["Quern"] = (
        "A quern of two stones grinds barley as the Cairn Mill does. It is old."
    )
    before = {one.uuid: one for one in go(open_it(ways)[0])}
    again, engine = open_it(ways, more)
    after = {one.uuid: one for one in go(again)}
    shown = Counter(re.findall(r"^\[1\] (.+?) ", asked_of(one), re.M)[0] for one in written(engine))
    assert len(written(engine)) == 3
    asked = [one for one in written(engine) if "[1] The Cairn" in asked_of(one)]
    assert len(asked) == 1
    assert "[3] A quern of two stones" in asked_of(asked[0])
    assert shown == {"The": 1, "A": 2}
    changed = {one.chunk.source for uuid, one in before.items() if after.get(uuid) != one}
    assert changed == {"Cairn"}
    assert status(again)["findings"]["neighbours"] == {
        "pieces": 5, "with related chunks": 4, "changed": 1, "asked anew": 1,
    }  # fmt: skip
    said = describe_status(read_status(again.folder))
    assert "recall: 1 of 5 pieces have other related chunks than before" in said


def test_related_chunks_may_be_found_by_vectors_which_are_made_once(open_it: Open) -> None:
    near = {"system": {"retriever": "embedding"}}
    run, engine = open_it({"openended": {}}, **near)
    go(run)
    assert len(engine.embedded) == 4
    assert status(run)["findings"]["vectors of chunks"] == {"made": 4, "cut": 0, "there": 0}
    asked = [asked_of(one) for one in written(engine) if "[1] The Arno Bridge" in asked_of(one)]
    assert "Its piers of granite took four years." in asked[0]
    (run.folder / "neighbours.jsonl").unlink()
    more = {**TEXTS, "south": {**TEXTS["south"], "Quern": "A quern grinds barley. It is old."}}
    again, engine = open_it({"openended": {}}, more, **near)
    go(again)
    assert engine.embedded == ["A quern grinds barley. It is old."]
    assert status(again)["findings"]["vectors of chunks"] == {"made": 1, "cut": 0, "there": 4}


def test_an_interrupted_stage_says_again_how_many_questions_its_changes_ask_anew(
    open_it: Open, own_way: dict[str, Any]
) -> None:
    ways = {"openended": {}, "mine": own_way, "yours": {**own_way, "multi_source": False}}
    two: dict[str, Any] = {"system": {"number_of_factual_sft_generations_to_do": 2}}

    def stop(request: Request) -> str:
        raise EngineError("pulled out")

    texts = {"south": {**TEXTS["south"]}}
    go(open_it(ways, texts, **two)[0])
    texts["south"]["Quern"] = (
        "A quern of two stones grinds barley, as the Cairn Mill does. It is old."
    )
    for script in (stop, answer):
        run, _ = open_it(ways, texts, script, **two)
        with suppress(EngineError):
            go(run)
        assert status(run)["findings"]["neighbours"] == {
            "pieces": 2, "with related chunks": 2, "changed": 1, "asked anew": 1 * 2 * 2,
        }  # fmt: skip
    assert status(run)["complete"]


def test_only_what_a_way_takes_and_shows_is_looked_for(
    open_it: Open, own_way: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Sequence[str]] = []
    find = ChunkIndex.find

    def note(index: ChunkIndex, parts: Sequence[str], *rest: Any) -> Any:
        looked.append(parts)
        return find(index, parts, *rest)

    monkeypatch.setattr(ChunkIndex, "find", note)
    go(open_it(OPEN)[0])
    assert looked == []
    run, _ = open_it({**OPEN, "mine": own_way})
    go(run, limit=2)
    assert len(looked) == 2
    dirs = {"north": {"factual_gen_use_subset": True, "factual_gen_subset_size_per_way": 1}}
    go(open_it({**OPEN, "mine": own_way}, dirs=dirs)[0])
    assert len(looked) == 2 + 2
    lines = (run.folder / "neighbours.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2


def test_what_a_person_deletes_stays_away_and_is_not_asked_again(open_it: Open) -> None:
    run, _ = open_it(OPEN)
    gone = go(run)[0]
    (run.folder / recall.RECALLS / f"{gone.uuid}.json").unlink()
    again, engine = open_it(OPEN)
    assert gone.uuid not in {one.uuid for one in go(again)}
    assert engine.requests == []


def mix(run: Run) -> list[Recall]:
    """Write the datasets beside one pair; return the recalls that went into them."""

    async def write() -> Sequence[Recall]:
        async with run.stage("more questions"):
            run.open_survivors("multiturn_convs")
            chunk = run.survivors(WORTHY, Chunk)[0]
            run.keep("qatuples_revised", QAPair("p", "How long?", "812.", (1,), "q", chunk))
        return (await stages.mix(run)).recalls

    return list(asyncio.run(write()))


def test_an_interrupted_stage_is_not_left_out_of_the_datasets_in_silence(open_it: Open) -> None:
    def script(request: Request) -> str:
        if "[1] The Cairn" in asked_of(request):
            raise EngineError("pulled out")
        return answer(request)

    run, _ = open_it(OPEN, script=script)
    with pytest.raises(EngineError, match="pulled out"):
        go(run)
    with pytest.raises(RunFolderError, match=r"recalls: not there yet\. Run the stage before"):
        mix(run)
    run, _ = open_it(OPEN)
    made = go(run)
    assert len(mix(run)) == len(made) == 4
    assert mix(open_it({})[0]) == []


@pytest.mark.parametrize("size", [None, 300])
def test_nothing_is_mixed_that_recalls_a_chunk_which_a_person_deleted(
    open_it: Open, size: int | None
) -> None:
    north = TEXTS["north"]
    if size:
        north = {"Arno": "\n\n".join(f"{one} It was painted green." for one in north.values())}
    run, _ = open_it(
        {"openended": {}}, {**TEXTS, "north": north},
        system={"chunk_size": 32}, factual_sft_settings={"factual_chunk_size": size},
    )  # fmt: skip
    made = go(run)
    seen = {one.uuid for one in made if any("812" in chunk.text for chunk in one.sources)}
    assert [one.uuid for one in mix(run)] == [one.uuid for one in made]
    (gone,) = (one for one in run.survivors(WORTHY, Chunk) if "812" in one.text)
    (run.folder / WORTHY / f"{gone.uuid}.json").unlink()
    assert len(seen) == (1 if size else 2)
    assert {one.uuid for one in mix(run)} == {one.uuid for one in made} - seen


def test_with_a_limit_so_many_pieces_are_taken(open_it: Open) -> None:
    run, engine = open_it(OPEN)
    assert len(go(run, limit=1)) == 1
    assert len(written(engine)) == 1


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        ({"openend": {}}, "Did you mean `openended`"),
        ({"mine": {}}, "needs `prompts`, a folder with write_mine.yaml"),
        ({"Mine": {"prompts": "mine"}}, "small letters"),
        ({"followup": {"single_turn": True}}, "`single_turn` cannot be true"),
        ({"openended": {"singleturn": True}}, "Did you mean `single_turn`"),
    ],
)
def test_a_way_that_cannot_be_is_named(open_it: Open, ways: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        open_it(ways)


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ("numbers", "no rule `numbers`, which is replaced for each item"),
        ("Answer", 'nothing writes "\\nAnswer: ", by which a reply is read'),
        ("", ""),
    ],
)
def test_a_grammar_of_a_way_of_ones_own_is_looked_at_before_a_model_is_asked(
    open_it: Open, own_way: dict[str, Any], tmp_path: Path, left_out: str, said: str
) -> None:
    grammar = (GRAMMARS / "write_openended.gbnf").read_text(encoding="utf-8")
    narrow = grammar.replace("{0,5}", "{0,1}").replace(
        left_out or " ", "other" if left_out else " "
    )
    (tmp_path / "mine" / "write_mine.gbnf").write_text(narrow, encoding="utf-8")
    prompt = yaml.safe_load((PROMPTS / "write_openended.yaml").read_text(encoding="utf-8"))
    prompt["examples"] = []
    (tmp_path / "mine" / "write_mine.yaml").write_text(yaml.safe_dump(prompt), encoding="utf-8")
    run, engine = open_it({"mine": own_way})
    if not said:
        assert len(go(run)) == 4
        return
    with pytest.raises(GrammarError, match=re.escape(said)) as error:
        go(run)
    assert str(tmp_path / "mine" / "write_mine.gbnf") in str(error.value)
    assert engine.requests == []


def test_a_way_of_ones_own_may_not_have_the_name_of_another_step(open_it: Open) -> None:
    run, _ = open_it({"questions": {"prompts": "mine"}})
    with pytest.raises(ConfigError, match="write_questions is another one"):
        go(run)


def test_pieces_of_which_nothing_is_recalled_are_asked_about_again_in_every_way(
    open_it: Open,
) -> None:
    def script(request: Request) -> str:
        lost = "Brent Lock" in asked_of(request) and "Of the sentences" not in asked_of(request)
        return answer(request).replace("eleven", "twelve") if lost else answer(request)

    own = open_it({})[0].folder.parent / "mine"
    own.mkdir()
    prompt = (PROMPTS / "write_openended.yaml").read_text(encoding="utf-8")
    (own / "write_mine.yaml").write_text(prompt, encoding="utf-8")
    ways = {**OPEN, "mine": {"prompts": "mine", "multi_source": False}}
    run, _ = open_it(ways, script=script)
    assert "Brent" not in sources(go(run))
    assert status(run)["findings"]["gaps"] == {"rounds": 0, "left": 1}
    run, engine = open_it(ways, script=script)
    run.fill_gaps = True
    made = go(run)
    assert sources(made)["Brent"] == 1  # the two ways ask the same
    told = "Of the sentences 1, 2 nothing has been asked yet."
    assert [told in asked_of(one) for one in written(engine)] == [True, True]
    assert status(run)["findings"]["gaps"] == {"rounds": 1, "left": 0}
    run, engine = open_it(ways, script=script)
    assert go(run) == made
    assert engine.requests == []


def test_a_thing_that_only_the_held_out_text_tells_of_is_no_unknown_one(open_it: Open) -> None:
    texts = {
        "north": {
            "Arno": "The Arno Bridge is 812 metres long. It stands on nine piers of granite.",
            "Brent": "Barges climb eleven metres at the Brent Lock. Its gates are made of oak.",
            "Cairn": "Two stones grind barley at night in the Cairn Mill. A weir turns them.",
            "Dell": "Shepherds shelter in the Dell Tower. Its roof was thatched with reed.",
        }
    }
    held: list[str] = []

    def script(request: Request) -> str:
        if step_of(request) != "write_hallucination":
            return answer(request)
        first = re.findall(r"^\[1\] (.+)$", asked_of(request), re.MULTILINE)[0]
        return (
            f"1: {first}\nThing: the {held[0]}\nQuestion: How old is the {held[0]}?\n"
            f"Unknown: I do not know of a {held[0]}.\nKnown: {first}"
        )

    run, _ = open_it(
        {"hallucination": {}}, texts, script, system={"held_out_share": 0.4, "seed": 2},
        questions={"repairs": 0},
    )  # fmt: skip
    aside = [one.chunk.text for one in Source(run.config).decisions() if one.reason]
    assert 0 < len(aside) < 4
    held += re.findall(r"[A-Z]\w+ (?:Bridge|Lock|Mill|Tower)", aside[0])
    assert go(run) == []
    left = 4 - len(aside)
    assert status(run)["findings"]["ways"] == {"hallucination": {"thing is known": left}}


def test_a_text_that_another_piece_recalls_is_no_gap(open_it: Open) -> None:
    def script(request: Request) -> str:
        reply = answer(request)
        if step_of(request) != "write_openended":
            return reply
        first, _ = re.findall(r"^\[1\] (.+)$|^\[3\] (.+)$", asked_of(request), re.MULTILINE)
        if first[0].startswith("Maud"):  # its own item comes to nothing
            return reply.replace("Maud Ferris", "Maud Ferris in 1762")
        third = re.findall(r"^\[3\] (.+)$", asked_of(request), re.MULTILINE)[0]
        return reply.replace("\nQuestion", f"\n3: {third}\nQuestion")

    texts = {"north": {name: TEXTS["north"][name] for name in ("Arno", "Arno works")}}
    run, _ = open_it({"openended": {}}, texts, script)
    assert sources(go(run)) == {"Arno": 1}
    assert status(run)["findings"]["gaps"] == {"rounds": 0, "left": 0}
