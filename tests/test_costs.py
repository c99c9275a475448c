"""What a run's models have read and written, and what that cost."""

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import OpenRun

from generation_functions.costs import describe_costs, read_costs
from generation_functions.display.costs import show_costs
from generation_functions.engine.protocol import Completion, Request
from generation_functions.engine.scripted import Script, ScriptedEngine
from generation_functions.steps.ledger import Ledger, Usage
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step

PROMPT = 'user: "Add {{ number }}"\nmax_tokens: 9\n'
GRAMMAR = 'root ::= "one" | "two"\n'


@dataclass(frozen=True)
class Number:
    uuid: str


ADD: Step[Number, str] = Step(
    "add", lambda one: {"number": one.uuid}, lambda one, reply: reply, role="small"
)
TELL: Step[Number, str] = Step(
    "tell", lambda one: {"number": one.uuid}, lambda one, reply: reply, role="large"
)


def reply(request: Request) -> Completion:
    return Completion("one", "stop", 1000, 400, 50, 1.5)


def open_sums(tmp_path: Path, open_small_run: OpenRun, script: Script) -> Run:
    """Open a run with two steps of its own, whose roles have different prices."""
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    for step in (ADD, TELL):
        (prompts / f"{step.name}.yaml").write_text(PROMPT, encoding="utf-8")
        (prompts / f"{step.name}.gbnf").write_text(GRAMMAR, encoding="utf-8")
    models = {
        "small": {"gguf": "none.gguf", "cost_per_million": [2, 10]},
        "large": {"gguf": "other.gguf", "cost_per_hour": 36},
    }
    small, large = (ScriptedEngine(script, fingerprint=name) for name in ("small", "large"))
    return open_small_run(small, large, path={"prompts": str(prompts)}, models=models)


@pytest.fixture
def run(tmp_path: Path, open_small_run: OpenRun) -> Run:
    return open_sums(tmp_path, open_small_run, reply)


@pytest.fixture
def slow_run(tmp_path: Path, open_small_run: OpenRun, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same, with a clock that each reply takes fifty seconds of."""
    now = [0.0]

    def take_time(request: Request) -> Completion:
        now[0] += 50
        return reply(request)

    monkeypatch.setattr("generation_functions.steps.ledger.monotonic", lambda: now[0])
    return open_sums(tmp_path, open_small_run, take_time)


async def ask(run: Run, numbers: str, *steps: Step[Number, str]) -> None:
    async with run.stage("sums"):
        for step in steps:
            await run.map(partial(run.ask, step), [Number(one) for one in numbers])


def read_tokens(run: Run, role: str) -> Any:
    return json.loads((run.folder / f"{role}_model_tokens.json").read_text(encoding="utf-8"))


def test_tokens_of_all_passes_are_counted_and_no_replay_is(run: Run) -> None:
    for numbers in ("12", "12", "123"):
        asyncio.run(ask(run, numbers, ADD))
    said = read_tokens(run, "small")
    assert said["steps"]["add"] == {
        "calls": 3,
        "prompt_tokens": 3000,
        "evaluated_prompt_tokens": 1800,
        "reply_tokens": 150,
        "seconds": 4.5,
        "cost": 0.0075,
    }
    assert (said["calls"], said["cost"]) == (3, (3000 * 2 + 150 * 10) / 1e6)
    assert not (run.folder / "large_model_tokens.json").exists()


def test_a_step_that_was_not_asked_again_stays_counted(run: Run) -> None:
    asyncio.run(ask(run, "1", ADD, TELL))
    asyncio.run(ask(run, "2", ADD))
    assert read_tokens(run, "small")["steps"]["add"]["calls"] == 2
    assert read_tokens(run, "large")["steps"]["tell"]["calls"] == 1


def test_replies_of_a_step_that_changed_its_role_count_where_they_were_given(run: Run) -> None:
    asyncio.run(ask(run, "1", ADD))
    models = run.config.models.model_copy(update={"steps": {"add": "large"}})
    run.config = run.config.model_copy(update={"models": models})
    asyncio.run(ask(run, "1", ADD))
    assert read_tokens(run, "small")["steps"]["add"]["calls"] == 1
    assert read_tokens(run, "large")["steps"]["add"]["calls"] == 1


def test_a_machine_costs_by_the_time_in_which_it_was_asked(slow_run: Run) -> None:
    asyncio.run(ask(slow_run, "1", TELL))
    asyncio.run(ask(slow_run, "2", TELL))
    said = read_tokens(slow_run, "large")
    assert (said["busy_seconds"], said["cost"]) == (100.0, 1.0)
    assert said["steps"]["tell"]["cost"] == 1.0


def test_waiting_while_the_other_model_has_the_machine_costs_nothing(slow_run: Run) -> None:
    async def ask_both() -> None:
        async with slow_run.stage("sums"):
            await asyncio.gather(slow_run.ask(ADD, Number("1")), slow_run.ask(TELL, Number("1")))

    asyncio.run(ask_both())
    seconds = [read_tokens(slow_run, role)["busy_seconds"] for role in ("small", "large")]
    assert seconds == [50.0, 50.0]


def test_time_that_passes_for_several_at_once_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 17.0])
    monkeypatch.setattr("generation_functions.steps.ledger.monotonic", lambda: next(clock))
    ledger = Ledger()
    with ledger.measure("small"), ledger.measure("small"):
        pass
    assert ledger.seconds == {"small": 7.0}


def test_status_and_notebook_show_tokens_and_cost(run: Run) -> None:
    assert describe_costs(read_costs(run.folder)) == ""
    assert "No model has been asked yet" in show_costs(run.folder).source
    asyncio.run(ask(run, "1", ADD, TELL))
    text = describe_costs(read_costs(run.folder))
    first, second = (line.split() for line in text.splitlines()[1:])
    assert first == ["small", "·", "none.gguf", "1", "1,000", "600", "50", "0.0", "0.0025"]
    assert second[:3] == ["large", "·", "other.gguf"]
    shown = show_costs(run.folder).source
    assert "none.gguf" in shown
    assert ">add<" in shown


def test_without_prices_no_cost_is_told(open_small_run: OpenRun) -> None:
    run = open_small_run()
    (run.folder / "small_model_tokens.json").write_text(
        json.dumps(
            {"role": "small", "model": "a", "busy_seconds": 9.0, "cost": None, "steps": {}}
            | dict.fromkeys(Usage.__dataclass_fields__, 1)
        ),
        encoding="utf-8",
    )
    assert describe_costs(read_costs(run.folder)).split()[-1] == "–"
