"""`abort_below`: a stage that keeps too few ends with its reasons, and goes on when told to."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from generation_functions.display.tables import show_funnel
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import TooFewKept
from generation_functions.session import open_run
from generation_functions.stages import write_questions
from generation_functions.status import describe_status, read_status
from generation_functions.steps.run import Run

CHUNKS = 112


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config over 112 texts of one chunk each."""
    (tmp_path / "texts").mkdir()
    for number in range(CHUNKS):
        name = "".join(chr(ord("a") + int(digit)) for digit in f"{number:03}") * 2
        lines = (f"The {name} river rises near {name}{end} and is fed by melting {name}snow."
                 for end in ("ton", "by", "ham"))  # fmt: skip
        (tmp_path / "texts" / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "config.yaml"


def open_it(config: Path, engine: ScriptedEngine, **sections: Any) -> Run:
    content = {
        "path": {"input_dirs": [{"path": "texts"}], "output_dir": "run"},
        "models": {"small": {"gguf": "none.gguf"}, "large": {"gguf": "none.gguf"}},
        "dataset_context": "Rivers",
        "system": {"token_counter": "words", "chunk_size": 80, "concurrency_limit": 8,
                   "drop_duplicates": False, **sections.get("system", {})},
        "questions": {"double_check_counter": 1, "planted_pairs": 0, "max_questions": 1,
                      **sections.get("questions", {})},
    }  # fmt: skip
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    run = open_run(config, {"small": engine, "large": engine})
    run.progress = False
    return run


def judge(good: Sequence[str]) -> ScriptedEngine:
    """Find facts in no chunks but those that have one of the words."""

    def script(request: Request) -> str:
        asked = request.messages[-1].content
        verdict = "facts" if any(word in asked for word in good) else "no facts"
        return f"Holds: A river.\nVerdict: {verdict}" if "Verdict" in request.grammar else ""

    return ScriptedEngine(script)


def test_a_stage_that_keeps_too_few_ends_with_its_reasons(config: Path) -> None:
    run = open_it(config, judge(()), system={"abort_below": 0.05})
    kept = run.folder / "qatuples_revised"
    kept.mkdir(parents=True)
    (kept / "of-an-earlier-pass.json").write_text("{}", encoding="utf-8")
    with pytest.raises(
        TooFewKept, match=r"first 100 chunks only 0 .*5\.0%.* 100 no facts"
    ) as found:
        asyncio.run(write_questions(run))
    assert "abort_below" in str(found.value)
    status = read_status(run.folder)
    assert status["questions"]["complete"] is False
    assert status["questions"]["pipelines"]["chunks"]["in"] == 100
    assert "ended early: of the first 100 chunks" in describe_status(status)
    assert "ended early" in show_funnel(status, "questions").source
    assert (kept / "of-an-earlier-pass.json").exists()
    assert not (run.folder / "live").exists()
    assert len(list((run.folder / "judge_chunk").glob("*.json"))) >= 100
    assert "is ended: of the first" in (run.folder / "run.log").read_text(encoding="utf-8")


def test_after_a_change_of_the_config_it_goes_on_with_what_was_made(config: Path) -> None:
    first = judge(())
    with pytest.raises(TooFewKept):
        asyncio.run(write_questions(open_it(config, first, system={"abort_below": 0.05})))
    second = judge(())
    settings = {"system": {"abort_below": 0.05}, "questions": {"abort_below": 0}}
    run = open_it(config, second, **settings)
    asyncio.run(write_questions(run))
    asked = {request.seed for request in second.requests}
    made = len(list((run.folder / "judge_chunk").glob("*.json")))
    assert made == CHUNKS
    assert len(asked) <= CHUNKS - 100
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))["questions"]
    assert status["complete"] is True
    assert status["stopped"] == ""


def test_without_a_least_share_it_goes_to_the_end(config: Path) -> None:
    assert asyncio.run(write_questions(open_it(config, judge(())))) == []


def test_fewer_than_a_hundred_items_are_never_too_few(config: Path) -> None:
    run = open_it(config, judge(()), questions={"abort_below": 0.5})
    assert asyncio.run(write_questions(run, 99)) == []


def test_a_chunk_counts_as_kept_when_a_pair_came_of_it(config: Path) -> None:
    async def whole(results: Sequence[object]) -> list[object]:
        async def act(item: Any) -> object:
            return results[item.place]

        run = open_it(config, judge(()))
        async with run.stage("test"):
            return await run.map(
                act, [Numbered(n) for n in range(len(results))], "things", abort_below=0.05
            )

    class Numbered:
        def __init__(self, place: int) -> None:
            self.place, self.uuid = place, str(place)

    fruitful = [("pair",)] * 5 + [()] * 95
    assert len(asyncio.run(whole(fruitful))) == 100
    with pytest.raises(TooFewKept, match="only 4"):
        asyncio.run(whole([*fruitful[1:], ()]))
