"""ask, vote, keep and map: replay, outcomes, votes in the order of their seeds, the lock."""

import asyncio
import errno
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import OpenRun

from generation_functions.engine.protocol import Completion, Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import (
    EngineCrash,
    Failed,
    PromptError,
    Rejected,
    RunFolderError,
    Unparsable,
)
from generation_functions.steps.inquiry import derive_seed
from generation_functions.steps.progress import Progress
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step

GRAMMAR = 'root ::= "Colour: " word\nword ::= [a-z]{1,20}\n'
PROMPT = """\
system: Name a colour.
user: "What colour is {{ thing }}?"
examples:
  - {fields: {thing: grass}, answer: "Colour: green"}
sampling: {temperature: 0.7}
max_tokens: 8
attempts: 3
"""


@dataclass(frozen=True, slots=True)
class Thing:
    uuid: str
    name: str


def parse_colour(thing: Thing, reply: str) -> str:
    colour = reply.removeprefix("Colour: ")
    if colour == "none":
        raise Rejected("has no colour")
    if colour == "what":
        raise Unparsable("not a colour")
    return colour


NAME_COLOUR: Step[Thing, str] = Step(
    "name_colour", lambda thing: {"thing": thing.name}, parse_colour
)
IS_RED: Step[Thing, bool] = Step(
    "name_colour", lambda thing: {"thing": thing.name}, lambda thing, reply: reply == "Colour: red"
)
ROSE = Thing("11111111-1111-5111-8111-111111111111", "a rose")
SNOW = Thing("22222222-2222-5222-8222-222222222222", "snow")


@pytest.fixture
def colours(open_small_run: OpenRun, tmp_path: Path) -> Callable[..., Run]:
    """Open a run whose only step names colours; `answers` are used up by the things' names."""
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    (prompts / "name_colour.yaml").write_text(PROMPT, encoding="utf-8")
    (prompts / "name_colour.gbnf").write_text(GRAMMAR, encoding="utf-8")

    def open_it(engine: ScriptedEngine, **given: Any) -> Run:
        run = open_small_run(engine, **given)
        path = run.config.path.model_copy(update={"prompts": str(prompts)})
        run.config = run.config.model_copy(update={"path": path})
        return run

    return open_it


def always(*answers: str) -> ScriptedEngine:
    """Answer the requests in turn; the last answer goes on for ever."""
    left = list(answers)

    def script(request: Request) -> str:
        return left.pop(0) if len(left) > 1 else left[0]

    return ScriptedEngine(script)


def inside(run: Run, act: Callable[[], Awaitable[Any]]) -> Any:
    """Do something inside of a stage."""

    async def whole() -> Any:
        async with run.stage("test"):
            return await act()

    return asyncio.run(whole())


def counts(run: Run, step: str = "name_colour") -> dict[str, Any]:
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))
    return dict(status["test"]["steps"][step])


def record(run: Run, thing: Thing) -> dict[str, Any]:
    path = run.folder / "name_colour" / f"{thing.uuid}.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_an_answered_request_is_never_asked_again(colours: Callable[..., Run]) -> None:
    first = always("Colour: red")
    run = colours(first)
    assert inside(run, lambda: run.ask(NAME_COLOUR, ROSE)) == "red"
    assert counts(run)["new_calls"] == 1
    second = always("Colour: blue")
    again = colours(second)
    assert inside(again, lambda: again.ask(NAME_COLOUR, ROSE)) == "red"
    assert second.requests == []
    assert (counts(again)["new_calls"], counts(again)["replayed_calls"]) == (0, 1)


def test_the_config_may_give_a_step_the_other_model(colours: Callable[..., Run]) -> None:
    large = ScriptedEngine(lambda request: "Colour: blue", fingerprint="large")
    run = colours(always("Colour: red"), large=large)
    models = run.config.models.model_copy(update={"steps": {"name_colour": "large"}})
    run.config = run.config.model_copy(update={"models": models})
    assert inside(run, lambda: run.ask(NAME_COLOUR, ROSE)) == "blue"
    assert record(run, ROSE)["replies"][0]["model"] == "large"


def test_where_votes_are_off_a_vote_is_one(colours: Callable[..., Run]) -> None:
    engine = always("Colour: red")
    run = colours(engine, questions={"double_check_counter": 0})
    assert inside(run, lambda: run.vote(IS_RED, ROSE)) is True
    assert len(engine.requests) == 1


def test_another_model_seed_prompt_or_grammar_is_another_request(
    colours: Callable[..., Run], tmp_path: Path
) -> None:
    run = colours(always("Colour: red"))
    inside(run, lambda: run.ask(NAME_COLOUR, ROSE))
    other_model = ScriptedEngine(lambda request: "Colour: blue", fingerprint="other")
    run = colours(other_model)
    assert inside(run, lambda: run.ask(NAME_COLOUR, ROSE)) == "blue"
    run = colours(always("Colour: pink"), system={"seed": 7})
    assert inside(run, lambda: run.ask(NAME_COLOUR, ROSE)) == "pink"
    file = tmp_path / "prompts" / "name_colour.yaml"
    file.write_text(PROMPT.replace("Name a", "Say a"), encoding="utf-8")
    run = colours(always("Colour: grey"))
    assert inside(run, lambda: run.ask(NAME_COLOUR, ROSE)) == "grey"
    grammar = tmp_path / "prompts" / "name_colour.gbnf"
    grammar.write_text(GRAMMAR.replace("[a-z]", "[a-y]"), encoding="utf-8")
    run = colours(always("Colour: brown"))
    assert inside(run, lambda: run.ask(NAME_COLOUR, ROSE)) == "brown"
    assert len(record(run, ROSE)["replies"]) == 5


def test_a_changed_parser_reads_old_replies_and_asks_nothing(colours: Callable[..., Run]) -> None:
    run = colours(always("Colour: red"))
    inside(run, lambda: run.ask(NAME_COLOUR, ROSE))
    silent = always("Colour: never")
    run = colours(silent)
    shouting = replace(NAME_COLOUR, parse=lambda thing, reply: reply.upper())
    assert inside(run, lambda: run.ask(shouting, ROSE)) == "COLOUR: RED"
    assert silent.requests == []
    assert record(run, ROSE)["output"] == "COLOUR: RED"


def test_an_unparsable_reply_is_asked_again_with_another_seed(colours: Callable[..., Run]) -> None:
    engine = always("Colour: what", "Colour: red")
    run = colours(engine)
    assert inside(run, lambda: run.ask(NAME_COLOUR, ROSE)) == "red"
    assert len({request.seed for request in engine.requests}) == 2
    assert record(run, ROSE)["outcome"] == "kept"


def test_attempts_are_bounded_and_then_the_item_has_failed(colours: Callable[..., Run]) -> None:
    engine = always("Colour: what")
    run = colours(engine)
    with pytest.raises(Failed, match="not a colour"):
        inside(run, lambda: run.ask(NAME_COLOUR, ROSE))
    assert len(engine.requests) == 3
    assert record(run, ROSE)["outcome"] == "failed"


def test_a_rejection_is_final_and_has_its_reason(colours: Callable[..., Run]) -> None:
    engine = always("Colour: none", "Colour: red")
    run = colours(engine)
    with pytest.raises(Rejected, match="has no colour"):
        inside(run, lambda: run.ask(NAME_COLOUR, ROSE))
    assert len(engine.requests) == 1
    assert counts(run)["reasons"]["rejected"] == {"has no colour": 1}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Completion("Colour: re", "length", 9, 0, 8, 0.1), "truncated at max_tokens"),
        ("Colour: " + "a" * 20, "truncated at a bound of the grammar"),
    ],
)
def test_a_reply_that_was_cut_is_never_kept(
    colours: Callable[..., Run], reply: str | Completion, reason: str
) -> None:
    run = colours(ScriptedEngine(lambda request: reply))
    with pytest.raises(Failed, match=reason):
        inside(run, lambda: run.ask(NAME_COLOUR, ROSE))


def test_a_prompt_that_does_not_fit_is_a_rejected_item_until_it_fits(
    colours: Callable[..., Run],
) -> None:
    run = colours(ScriptedEngine(lambda request: "Colour: red", context=10))
    with pytest.raises(Rejected, match="prompt longer than the context"):
        inside(run, lambda: run.ask(NAME_COLOUR, ROSE))
    same = ScriptedEngine(lambda request: "Colour: red", context=10)
    run = colours(same)
    with pytest.raises(Rejected):
        inside(run, lambda: run.ask(NAME_COLOUR, ROSE))
    assert same.requests == []
    run = colours(ScriptedEngine(lambda request: "Colour: red", context=1000))
    assert inside(run, lambda: run.ask(NAME_COLOUR, ROSE)) == "red"


def test_an_engine_error_is_no_answer_and_is_asked_again(colours: Callable[..., Run]) -> None:
    def crash(request: Request) -> str:
        raise EngineCrash("gone")

    run = colours(ScriptedEngine(crash))
    with pytest.raises(EngineCrash):
        inside(run, lambda: run.ask(NAME_COLOUR, ROSE))
    run = colours(always("Colour: red"))
    assert inside(run, lambda: run.ask(NAME_COLOUR, ROSE)) == "red"
    assert counts(run)["new_calls"] == 1


@pytest.mark.parametrize(
    ("votes", "passed", "asked"),
    [
        ("red red", True, 2),
        ("blue blue", False, 2),
        ("red blue red", True, 3),
        ("blue red blue", False, 3),
    ],
)
def test_votes_stop_when_the_majority_is_certain(
    colours: Callable[..., Run], votes: str, passed: bool, asked: int
) -> None:
    by_seed = {
        derive_seed(0, ROSE.uuid, "name_colour", number, 0): f"Colour: {colour}"
        for number, colour in enumerate(votes.split())
    }
    engine = ScriptedEngine(lambda request: by_seed[request.seed])
    run = colours(engine, questions={"double_check_counter": 3})
    assert inside(run, lambda: run.vote(IS_RED, ROSE)) is passed
    assert len(engine.requests) == asked
    assert counts(run)["in"] == 1


def test_unusable_votes_make_no_majority(colours: Callable[..., Run]) -> None:
    cut = Completion("Colour: re", "length", 9, 0, 8, 0.1)
    run = colours(ScriptedEngine(lambda request: cut), questions={"double_check_counter": 3})
    with pytest.raises(Failed, match="no majority"):
        inside(run, lambda: run.vote(IS_RED, ROSE))


def test_map_keeps_the_order_counts_everything_and_drops_only_the_dropped(
    colours: Callable[..., Run],
) -> None:
    def script(request: Request) -> str:
        return "Colour: none" if "snow" in request.messages[-1].content else "Colour: red"

    run = colours(ScriptedEngine(script), system={"concurrency_limit": 2})
    things = [replace(ROSE, uuid=f"00000000-0000-5000-8000-00000000000{n}") for n in range(5)]
    things.insert(2, SNOW)

    async def act() -> list[str]:
        async def name(thing: Thing) -> str:
            await asyncio.sleep(0.01 if thing is things[0] else 0)
            return thing.uuid[-1] + await run.ask(NAME_COLOUR, thing)

        return await run.map(name, iter(things), "things")

    assert inside(run, act) == ["0red", "1red", "2red", "3red", "4red"]
    line = counts(run)
    assert (line["in"], line["kept"], line["rejected"], line["failed"]) == (6, 5, 1, 0)


def test_a_template_and_fields_that_differ_are_an_error_that_names_both(
    colours: Callable[..., Run],
) -> None:
    run = colours(always("Colour: red"))
    step = replace(NAME_COLOUR, fields=lambda thing: {"thnig": thing.name})
    with pytest.raises(PromptError, match=r"not given: \['thing'\]; not used: \['thnig'\]"):
        inside(run, lambda: run.ask(step, ROSE))


def test_an_example_that_its_grammar_refuses_is_an_error(
    colours: Callable[..., Run], tmp_path: Path
) -> None:
    file = tmp_path / "prompts" / "name_colour.yaml"
    file.write_text(PROMPT.replace("Colour: green", "Green"), encoding="utf-8")
    run = colours(always("Colour: red"))
    with pytest.raises(PromptError, match="example 1 is not in the grammar"):
        inside(run, lambda: run.ask(NAME_COLOUR, ROSE))


def test_a_second_process_on_the_same_run_is_told_who_has_it(colours: Callable[..., Run]) -> None:
    run = colours(always("Colour: red"))
    code = (
        "import pathlib, sys\n"
        "from generation_functions.steps.lock import hold_run\n"
        "with hold_run(pathlib.Path(sys.argv[1]), 'other'): pass\n"
    )

    async def act() -> str:
        command = [sys.executable, "-c", code, str(run.folder)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
        return str(done.stderr)

    said = inside(run, act)
    assert f"in use by stage test, process {os.getpid()}" in said
    inside(run, lambda: run.ask(NAME_COLOUR, ROSE))


def test_a_full_disk_is_a_clear_error_and_loses_nothing(
    colours: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = colours(always("Colour: red"))
    inside(run, lambda: run.ask(NAME_COLOUR, ROSE))
    before = record(run, ROSE)

    def full(part: Path, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(RunFolderError, match="no space left on the device"):
            inside(run, lambda: run.ask(NAME_COLOUR, SNOW))
    assert record(run, ROSE) == before
    engine = always("Colour: white")
    run = colours(engine)
    assert inside(run, lambda: run.ask(NAME_COLOUR, ROSE)) == "red"
    assert inside(run, lambda: run.ask(NAME_COLOUR, SNOW)) == "white"
    assert not list(run.folder.rglob("*.part"))


def test_a_damaged_record_is_named(colours: Callable[..., Run]) -> None:
    run = colours(always("Colour: red"))
    inside(run, lambda: run.ask(NAME_COLOUR, ROSE))
    path = run.folder / "name_colour" / f"{ROSE.uuid}.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(RunFolderError, match=str(path)):
        inside(run, lambda: run.ask(NAME_COLOUR, ROSE))


def test_a_bar_counts_the_replies_of_its_items_and_of_those_within() -> None:
    bars = Progress()
    bars.count_reply()  # without a bar
    with bars.bar([1, 2], "chunks", None, shown=False) as bar:
        bars.count_reply()
        with bars.bar([1], "pairs", None, shown=False) as inner:
            bars.count_reply()
        assert bar.postfix == "2 replies"
        assert getattr(inner, "postfix", None) is None
    with bars.bar([1], "chunks", None, shown=False) as bar:
        bars.count_reply()
        assert bar.postfix == "1 replies"
