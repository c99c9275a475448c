"""Planted pairs: surely wrong, chosen by seed, measured, never kept; and what the figures say."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import OpenRun
from scripted_run import friendly_reply

from generation_functions.display.judges import show_judges
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.pipelines import faults
from generation_functions.pipelines.judge_report import BOTH, OWN, RIGHT, WRITTEN, Figure
from generation_functions.pipelines.pair_checks import find_problem
from generation_functions.pipelines.planting import KINDS, choose_planted, judge_planted
from generation_functions.pipelines.probes import load_probes
from generation_functions.pipelines.proportions import fisher_p, wilson_interval
from generation_functions.pipelines.repairing import CHECKS
from generation_functions.pipelines.samples import make_chunk, make_pair
from generation_functions.pipelines.wording import numbers
from generation_functions.stages import STAGES, write_questions
from generation_functions.status import describe_status, read_status
from generation_functions.steps.run import Run

PROBES = load_probes()
CHUNK = make_chunk("The bridge was opened in 1931. It is 812 metres long and can carry 640 tonnes.")


def pair(answer: str, question: str = "What is known about the bridge?") -> Any:
    return make_pair(CHUNK, question, answer)


@pytest.mark.parametrize(
    ("answer", "negated"),
    [
        ("The bridge was opened in 1931.", "The bridge was not opened in 1931."),
        ("The bridge can carry 640 tonnes.", "The bridge cannot carry 640 tonnes."),
        ("Before it rains, the bridge is closed.", "Before it rains, the bridge is not closed."),
        ("It has been painted twice.", "It has not been painted twice."),
        ("The bridge is not painted.", "The bridge is painted."),
        ("The bridge cannot carry carts.", "The bridge can carry carts."),
        ("The bridge was not opened until 1931.", None),
        ("One is for carts.", None),
        ("The bridge that was opened stands.", None),
        ("It never is closed.", None),
        ("Ferris built the bridge.", None),
    ],
)
def test_a_claim_is_negated_only_where_it_stays_a_sentence(
    answer: str, negated: str | None
) -> None:
    assert faults.negate_claim(pair(answer), Random(0)) == negated


@pytest.mark.parametrize(
    "answer", ["It is 812 metres long.", "It was opened in 1931.", "It cost 1,250,000 crowns.",
               "It sinks by 2.5 metres.", "It has nine piers.", "On 4 May it was opened."]
)  # fmt: skip
def test_an_altered_number_is_another_one_of_the_same_form(answer: str) -> None:
    for seed in range(40):
        altered = faults.alter_number(pair(answer), Random(seed))
        assert altered is not None
        assert altered != answer
        assert re.sub(r"[\d.,]+|nine", "", answer) == re.sub(
            rf"[\d.,]+|\b(?:{'|'.join(faults._COUNTS)})\b", "", altered
        )
        assert numbers(altered).isdisjoint(numbers(f"{answer} {CHUNK.text}"))
        assert ("," in answer[:-1]) == ("," in altered[:-1])


def test_no_number_is_altered_that_might_stay_true() -> None:
    for answer in ("It carries more than 640 tonnes.", "It takes 1 day.", "It is long."):
        assert faults.alter_number(pair(answer), Random(0)) is None
        assert faults.exchange_number(pair(answer), Random(0)) is None


def test_an_exchanged_number_is_one_of_the_chunk() -> None:
    assert faults.exchange_number(pair("It is 812 metres long."), Random(0)) == (
        "It is 640 metres long."
    )
    assert faults.exchange_number(pair("It was opened in 1931."), Random(0)) is None


def test_an_invented_detail_or_premise_names_what_the_chunk_lacks() -> None:
    asked = pair("It was opened in 1931.", "When was the bridge opened?")
    for seed in range(30):
        detail = faults.invent_detail(asked, Random(seed))
        premise = faults.invent_premise(asked, Random(seed))
        assert detail is not None
        assert premise is not None
        assert detail.startswith("It was opened in 1931, ")
        assert detail.endswith(".")
        assert premise.endswith(", when was the bridge opened?")
    known = replace(CHUNK, text=f"{CHUNK.text} {' '.join(faults.DETAILS)}")
    assert faults.invent_detail(replace(asked, chunk=known), Random(0)) is None


def test_answers_that_may_serve_both_questions_are_not_exchanged() -> None:
    length = pair("It is 812 metres long.", "How long is the bridge?")
    same = pair("The bridge is 812 metres long.", "What is the length of the bridge?")
    load = pair("Carts of 640 tonnes may cross.", "What load does the roadway bear?")
    assert not faults.is_sibling_answer(length, same)
    assert faults.is_sibling_answer(length, load)
    assert not faults.is_foreign_answer(length, same)
    assert not faults.is_foreign_question(length, same)


def test_the_written_pairs_are_right_by_words_and_numbers_and_their_faults_are_faults() -> None:
    known = {kind.name for kind in KINDS}
    assert len({probe.pair.chunk.uuid for probe in PROBES}) >= 40
    assert len({probe.pair.uuid for probe in PROBES}) == len(PROBES)
    for probe in PROBES:
        right = probe.pair
        assert find_problem(right) is None, right.question
        assert right.answer.rstrip(".") not in right.chunk.text
        assert probe.bad.keys() <= known
        for kind, text in probe.bad.items():
            assert text not in (right.question, right.answer)
            assert text.endswith("?") == (kind == "invented premise")
            if kind == "altered number":
                assert re.sub(r"\d|\b(?:within|only|after)\b", "", text) != right.answer
                digits = numbers(text)
                assert not digits or digits - numbers(right.chunk.text), text


def test_planted_pairs_are_even_over_kinds_and_half_of_the_run() -> None:
    own = [replace(probe.pair, uuid=f"own {probe.pair.uuid}") for probe in PROBES]
    planted = choose_planted(own, 40, 0)
    bad = [one for one in planted if one.kind != RIGHT]
    assert len(bad) == 40
    assert len(planted) - len(bad) == 20
    for kind in KINDS:
        sources = [one.source for one in bad if one.kind == kind.name]
        assert len(sources) in (5, 6)
        assert sources.count(OWN) == 3
        assert sources.count(WRITTEN) == len(sources) - 3
    for check, *_ in CHECKS:
        assert sum(check.name in one.ought for one in bad) >= 8
    assert len({one.uuid for one in planted}) == len(planted)


def test_without_pairs_of_the_run_all_planted_ones_are_written() -> None:
    planted = choose_planted([], 40, 0)
    assert {one.source for one in planted} == {WRITTEN}
    assert len(planted) == 60


def test_the_choice_follows_from_the_seed_and_not_from_the_order() -> None:
    pairs = [probe.pair for probe in PROBES]
    first = choose_planted(pairs, 14, 1)
    assert choose_planted(pairs, 14, 1) == first
    assert choose_planted(pairs, 14, 2) != first
    kinds = {"altered number", "negated claim", "invented detail", "invented premise"}
    again = choose_planted(pairs[::-1], 14, 1)
    assert [one for one in again if one.kind in kinds] == [
        one for one in first if one.kind in kinds
    ]


def test_only_what_is_language_free_is_put_into_other_languages() -> None:
    german = [
        replace(probe.pair, chunk=replace(probe.pair.chunk, language="german")) for probe in PROBES
    ]
    own = {one.kind for one in choose_planted(german, 40, 0) if one.source == OWN}
    assert own == {kind.name for kind in KINDS if not kind.english}


def test_wilson_intervals_are_those_of_the_literature() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: score method without correction.
    for hits, number, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson_interval(hits, number) == pytest.approx((low, high), abs=5e-5)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_fishers_p_is_that_of_the_lady_tasting_tea() -> None:
    assert fisher_p(4, 4, 0, 4) == pytest.approx(1 / 70)
    assert fisher_p(3, 4, 1, 4) == pytest.approx(17 / 70)
    assert fisher_p(0, 4, 4, 4) == pytest.approx(1.0)
    assert fisher_p(0, 0, 0, 0) == 1.0


def figure(caught: int, bad: int, refused: int, right: int) -> Figure:
    whole = (0.0, 1.0)
    p = fisher_p(caught, bad, refused, right)
    return Figure("check_question", BOTH, bad, caught, right, refused, whole, whole, p)


def test_a_check_no_better_than_chance_is_a_warning_in_words() -> None:
    said = figure(2, 8, 5, 20).warning()
    assert said.startswith("check_question let through 6 of 8 known-bad pairs")
    assert "5 of 20 known-good" in said
    assert figure(7, 8, 2, 20).warning() == ""
    assert figure(0, 7, 7, 20).warning() == ""


def judging(says_no: Any) -> ScriptedEngine:
    """Answer checks by `says_no(prompt)`, all else as a friendly model."""

    def script(request: Request) -> str:
        asked = request.messages[-1].content
        if re.search(r"\nDoes (?:the text answer|the answer keep|everything)", asked):
            if says_no(asked):
                return "Verdict: no\nReason: The text says something else."
            answers = asked.endswith("Does the text answer the whole question?")
            return "Verdict: yes\nWords: it" if answers else "Verdict: yes"
        return friendly_reply(request)

    return ScriptedEngine(script)


def judges(run: Run) -> dict[str, Any]:
    return dict(json.loads((run.folder / "judges.json").read_text(encoding="utf-8")))


def test_judges_that_nod_everything_through_are_found_out(open_small_run: OpenRun) -> None:
    run = open_small_run(judging(lambda asked: False), questions={"planted_pairs": 40})
    asyncio.run(write_questions(run))
    report = judges(run)
    assert len(report["pairs"]) == 60
    assert [said.split()[0] for said in report["warnings"]] == [check.name for check, *_ in CHECKS]
    text = describe_status(read_status(run.folder))
    assert "no better than chance" in text
    assert "check_question, planted" in text
    assert "no better than chance" in (run.folder / "run.log").read_text(encoding="utf-8")
    assert "no better than chance" in show_judges(run).source


def test_judges_that_know_are_not_warned_about(open_small_run: OpenRun) -> None:
    right = {(probe.pair.question, probe.pair.answer) for probe in PROBES}
    questions = {question for question, _ in right}

    def says_no(asked: str) -> bool:
        question = re.search(r"\nQuestion: (.+)", asked)[1]  # type: ignore[index]
        answer = re.search(r"\nAnswer: (.+)", asked)
        if "bridge" in asked.lower():
            return bool(answer and answer[1] not in asked[: answer.start()].replace("[", ""))
        return (question, answer[1]) not in right if answer else question not in questions

    run = open_small_run(judging(says_no), questions={"planted_pairs": 40})
    asyncio.run(write_questions(run))
    report = judges(run)
    by_name = {(one["check"], one["source"]): one for one in report["figures"]}
    accuracy = by_name["check_answer_accuracy", WRITTEN]
    assert accuracy["caught"] == accuracy["bad"] > 0
    assert accuracy["refused"] == 0
    assert accuracy["recall"][0] > 0.5
    assert not any(said.startswith("check_answer") for said in report["warnings"])
    assert {one["source"] for one in report["figures"]} == {OWN, WRITTEN, BOTH}


def test_rules_judge_planted_pairs_as_they_judge_the_runs_own(open_small_run: OpenRun) -> None:
    engine, planted = judging(lambda asked: False), choose_planted([], 40, 0)
    run = open_small_run(engine, system={"use_filenames": False}, questions={"planted_pairs": 40})

    async def judge() -> None:
        async with run.stage("questions"):
            await judge_planted(run, [])

    asyncio.run(judge())
    found = {one["uuid"]: one["rule"] for one in judges(run)["pairs"]}
    problems = {one.uuid: find_problem(one.pair, use_filenames=False) for one in planted}
    assert found == {uuid: one.reason if one else "" for uuid, one in problems.items()}
    assert any(problems[one.uuid] != find_problem(one.pair) for one in planted)


async def all_stages(run: Run) -> None:
    for stage in STAGES.values():
        await stage(run, None)


def test_planted_pairs_are_asked_once_counted_apart_and_kept_nowhere(
    open_small_run: OpenRun,
) -> None:
    engine = judging(lambda asked: False)
    run = open_small_run(engine, questions={"planted_pairs": 14})
    asyncio.run(all_stages(run))
    planted = judges(run)["pairs"]
    assert len(planted) == 21
    assert any(one["source"] == OWN for one in planted)
    uuids = {one["uuid"] for one in planted}
    altered = {
        text
        for one in planted
        for text in ((one["question"], one["answer"]) if one["source"] == WRITTEN else ())
    }
    for name in ("worthy_for_questions", "qatuples_raw", "qatuples_revised", "multiturn_convs",
                 "pretraining_run", "sft_run"):  # fmt: skip
        folder: Path = run.folder / name
        assert folder.exists()
        for file in (one for one in folder.rglob("*") if one.is_file()):
            text = file.read_text(encoding="utf-8")
            assert file.stem not in uuids
            assert not [one for one in altered if one in text], file
    status = read_status(run.folder)["questions"]
    assert status["apart"]["check_question, planted"]["in"] == 21
    own = len(list((run.folder / "check_question").glob("*.json"))) - 21
    assert status["steps"]["check_question"]["in"] == own

    again = judging(lambda asked: True)
    run = open_small_run(again, questions={"planted_pairs": 14})
    before = (run.folder / "judges.json").read_text(encoding="utf-8")
    asyncio.run(all_stages(run))
    assert again.requests == []
    assert (run.folder / "judges.json").read_text(encoding="utf-8") == before


def test_a_limited_stage_plants_few_and_zero_none(open_small_run: OpenRun) -> None:
    run = open_small_run(judging(lambda asked: False), questions={"planted_pairs": 0})
    asyncio.run(write_questions(run, 1))
    assert not (run.folder / "judges.json").exists()
    assert "not measured" in show_judges(run).source
    run = open_small_run(judging(lambda asked: False), questions={"planted_pairs": 40})
    asyncio.run(write_questions(run, 1))
    assert len(judges(run)["pairs"]) == 6
