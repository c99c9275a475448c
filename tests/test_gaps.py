"""`run --gaps`: worthy text that nothing was made of is asked about again, in rounds."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import OpenRun
from test_questions_pipeline import ARNO, BRENT, GOOD, LENGTH, NAMES, WRONG_LENGTH, kept, written

from generation_functions import command_line, stages
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.pipelines.gaps import GAPS, ROUNDS
from generation_functions.status import describe_status, read_status
from generation_functions.steps.run import Run

LOCK = written(
    "4",
    "Gates of the Brent Lock are made of oak, as oak swells in water and shuts every gap.",
    "Why are gates of the Brent Lock made of oak?",
)
BAD_LOCK = LOCK.replace("as oak", "as in 1762 oak")


@pytest.fixture
def ask(open_small_run: OpenRun, tmp_path: Path) -> Callable[..., tuple[Run, list[Request]]]:
    """Run the stage over two texts. Of the Brent Lock come `replies`, in their order, then bad
    ones; return the run and what was asked about it."""

    def ask_it(
        *replies: str, gaps: bool = False, texts: Mapping[str, str] | None = None, **questions: Any
    ) -> tuple[Run, list[Request]]:
        (tmp_path / "texts").mkdir(exist_ok=True)
        for name, text in (texts or {"Arno": ARNO, "Brent": BRENT}).items():
            (tmp_path / "texts" / f"{name}.txt").write_text(text, encoding="utf-8")
        left = list(replies)

        def reply(request: Request) -> str:
            step, asked = NAMES[request.messages[0].content], request.messages[-1].content
            if step == "plan_questions":
                return "- oak gates of the Brent Lock [4]"
            if step != "write_questions":
                return str(GOOD[step][0])
            if "Brent Lock lets" not in asked:
                return LENGTH
            return left.pop(0) if left else BAD_LOCK

        engine = ScriptedEngine(reply)
        run = open_small_run(
            engine,
            system={"chunk_size": 200, "concurrency_limit": 1},
            questions={"plan": False, "repairs": 0, **questions},
        )
        run.fill_gaps = gaps
        asyncio.run(stages.write_questions(run))
        about = [one for one in engine.requests if "Brent Lock lets" in one.messages[-1].content]
        return run, [one for one in about if NAMES[one.messages[0].content].startswith("write")]

    return ask_it


Ask = Callable[..., tuple[Run, list[Request]]]


def gaps(run: Run, stage: str = "questions") -> dict[str, int]:
    return dict(read_status(run.folder)[stage]["findings"]["gaps"])


def rounds(run: Run) -> dict[str, int]:
    file = run.folder / GAPS
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def test_without_gaps_to_fill_nothing_is_asked_again_but_what_is_left_is_told(ask: Ask) -> None:
    run, asked = ask(BAD_LOCK)
    assert len(asked) == 1
    assert gaps(run) == {"rounds": 0, "left": 1}
    assert rounds(run) == {}
    said = describe_status(read_status(run.folder))
    assert "questions: nothing was made of 1 worthy texts (`run --gaps` asks again)" in said


def test_a_chunk_without_a_pair_is_asked_again_and_told_what_was_left_out(ask: Ask) -> None:
    _, (before,) = ask(BAD_LOCK)
    run, (again,) = ask(LOCK, gaps=True)
    assert {pair.chunk.source for pair in kept(run)} == {"Arno", "Brent"}
    assert again.seed != before.seed
    assert "Of the sentences 1, 2, 3, 4 nothing has been asked yet." in again.messages[-1].content
    assert "nothing has been asked yet" not in before.messages[-1].content
    assert gaps(run) == {"rounds": 1, "left": 0}
    assert rounds(run) == {"questions": 1}


def test_the_plan_is_told_what_was_left_out(ask: Ask) -> None:
    run, _ = ask(BAD_LOCK, LOCK, texts={"Brent": BRENT}, gaps=True, plan=True)
    told = [
        json.loads(file.read_text(encoding="utf-8"))["fields"]["left_out"]
        for file in (run.folder / "plan_questions").glob("*.json")
    ]
    assert sorted(told) == ["", "1, 2, 3, 4"]


def test_each_round_has_seeds_of_its_own_and_their_number_is_bounded(ask: Ask) -> None:
    run, asked = ask(gaps=True)
    assert len({one.seed for one in asked}) == len(asked) == 1 + ROUNDS
    assert gaps(run) == {"rounds": ROUNDS, "left": 1}
    run, asked = ask(gaps=True)
    assert len(asked) == ROUNDS
    assert rounds(run) == {"questions": 2 * ROUNDS}
    said = describe_status(read_status(run.folder))
    assert f"nothing was made of 1 worthy texts (after {2 * ROUNDS} rounds of asking again)" in said


def test_what_gaps_were_filled_with_stays_in_later_runs_and_nothing_is_asked(ask: Ask) -> None:
    run, _ = ask(BAD_LOCK, BAD_LOCK, LOCK, gaps=True)
    made = kept(run)
    assert len(made) == 2
    for filling in (False, True):
        run, asked = ask(gaps=filling)
        assert asked == []
        assert kept(run) == made
        assert rounds(run) == {"questions": 2}
    assert not (run.folder / "qatuples_revised" / "stale").exists()


def test_a_pair_that_a_person_deleted_leaves_no_gap(ask: Ask) -> None:
    run, _ = ask(BAD_LOCK, LOCK, gaps=True)
    (pair,) = (one for one in kept(run) if one.chunk.source == "Brent")
    (run.folder / "qatuples_revised" / f"{pair.uuid}.json").unlink()
    run, asked = ask(gaps=True)
    assert asked == []
    assert {one.chunk.source for one in kept(run)} == {"Arno"}
    assert gaps(run)["left"] == 0


def test_a_chunk_whose_only_pair_is_asked_elsewhere_is_a_gap(ask: Ask) -> None:
    other = "Few spans of stone are longer. The Arno Bridge is 812 metres long, as they say."
    run, _ = ask(texts={"Arno": ARNO, "Spans": other})
    assert [pair.chunk.source for pair in kept(run)] == ["Arno"]
    assert gaps(run) == {"rounds": 0, "left": 1}


def test_what_is_not_worthy_is_no_gap(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GOOD, "judge_chunk", ["Holds: Nothing.\nVerdict: no facts"])  # type: ignore[arg-type]
    run, asked = ask(gaps=True)
    assert asked == []
    assert gaps(run) == {"rounds": 0, "left": 0}


def test_the_command_line_fills_gaps_and_refuses_a_limit_beside_it(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(WRONG_LENGTH)
    seen: list[tuple[bool, int | None]] = []

    async def stage(run: Run, limit: int | None) -> None:
        seen.append((run.fill_gaps, limit))

    config = str(tmp_path / "config.yaml")
    engine = ScriptedEngine()
    open_run = command_line.open_run
    monkeypatch.setattr(
        command_line, "open_run", lambda file: open_run(file, {"small": engine, "large": engine})
    )
    monkeypatch.setattr(command_line, "STAGES", {"questions": stage})
    assert command_line.main(["run", "--gaps", config]) == 0
    assert command_line.main(["run", config]) == 0
    assert seen == [(True, None), (False, None)]
    assert command_line.main(["run", "--gaps", "--limit", "2", config]) == 1
    assert re.search("--gaps with --limit", capsys.readouterr().err)
