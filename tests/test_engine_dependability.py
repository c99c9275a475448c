"""The engine's process may hang, crash or be left behind: nothing is lost and nothing stays."""

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from generation_functions.engine import jobs
from generation_functions.engine.chat import open_thinking
from generation_functions.engine.gguf import ModelFile, read_model
from generation_functions.engine.grammar import parse_grammar
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine
from generation_functions.engine.protocol import Message, Request, Sampling
from generation_functions.errors import EngineCrash, EngineError, ModelError, RequestTimeout

GRAMMAR = 'root ::= "Answer: " [a-z]{1,12} (" " [a-z]{1,12}){1,15} "."\n'
pytestmark = pytest.mark.model


def ask(question: str, **changes: Any) -> Request:
    values: dict[str, Any] = {
        "messages": (Message("user", question),),
        "grammar": GRAMMAR,
        "sampling": Sampling(0.7, 40, 0.95, 0.05),
        "seed": 1,
        "max_tokens": 48,
    }
    return Request(**{**values, **changes})


LONG = ask("Tell me a long story.", grammar='root ::= [a-z ]{2000,2010} "."', max_tokens=400)


@pytest.fixture(scope="module")
def settings(embedded_model: Path) -> LoadSettings:
    return LoadSettings(str(embedded_model), 2, 768, 256, -1, 2)


def with_engine(engine: LocalEngine, act: Callable[[LocalEngine], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        try:
            return await act(engine)
        finally:
            await engine.close()

    return asyncio.run(whole())


def open_engine(settings: LoadSettings, **options: Any) -> LocalEngine:
    return LocalEngine(read_model(Path(settings.path)), settings, **options)


async def wait_for_work(engine: LocalEngine) -> int:
    """Wait until the child is at work; return its process id."""
    while not engine.pid or not (await engine.load()).steps:
        await asyncio.sleep(0.02)
    return engine.pid


def test_a_killed_child_costs_only_time(settings: LoadSettings) -> None:
    async def act(engine: LocalEngine) -> None:
        undisturbed = [await engine.complete(ask(f"What is {n}?", seed=n)) for n in range(4)]
        pending = [
            asyncio.ensure_future(engine.complete(ask(f"What is {n}?", seed=n))) for n in range(4)
        ]
        await asyncio.sleep(0.1)
        killed = engine.pid
        assert killed
        os.kill(killed, signal.SIGKILL)
        again = await asyncio.gather(*pending)
        assert [one.text for one in again] == [one.text for one in undisturbed]
        assert engine.pid != killed

    with_engine(open_engine(settings), act)


def test_a_child_that_is_found_dead_is_replaced_at_once(settings: LoadSettings) -> None:
    async def act(engine: LocalEngine) -> None:
        await engine.start()
        dead = engine.pid
        assert dead
        os.kill(dead, signal.SIGKILL)
        time.sleep(0.3)  # the loop cannot hear of it before it asks
        assert (await engine.complete(ask("What is tea?"))).text.startswith("Answer: ")
        assert engine.pid != dead

    with_engine(open_engine(settings, restarts=1), act)


def test_a_request_that_is_cancelled_after_a_crash_stays_cancelled(settings: LoadSettings) -> None:
    async def act(engine: LocalEngine) -> None:
        pending = asyncio.ensure_future(engine.complete(LONG))
        os.kill(await wait_for_work(engine), signal.SIGKILL)
        time.sleep(0.3)
        pending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pending

    with_engine(open_engine(settings), act)


def test_after_too_many_crashes_there_is_a_clear_error(
    settings: LoadSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(engine: LocalEngine) -> None:
        async def kill_whatever_comes() -> None:
            while True:
                with suppress(EngineCrash, ProcessLookupError):  # it was gone already
                    os.kill(await wait_for_work(engine), signal.SIGKILL)
                await asyncio.sleep(0.05)

        killer = asyncio.ensure_future(kill_whatever_comes())
        with pytest.raises(EngineCrash, match=r"asked 2 times, and each time .* died"):
            await engine.complete(LONG)
        killer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await killer

    with_engine(open_engine(settings, restarts=1), act)
    assert caplog.text.count("asking again in a new process") == 1


def test_a_child_that_hangs_is_ended_and_its_requests_are_asked_again(
    settings: LoadSettings, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(engine: LocalEngine) -> None:
        await engine.complete(ask("Hello?"))
        hanging = engine.pid
        assert hanging
        pending = asyncio.ensure_future(engine.complete(ask("What is tea?")))
        await asyncio.sleep(0)
        os.kill(hanging, signal.SIGSTOP)
        completion = await asyncio.wait_for(pending, 120)
        assert completion.text.startswith("Answer: ")
        assert engine.pid != hanging
        assert not psutil.pid_exists(hanging)

    with_engine(open_engine(settings, request_seconds=20), act)
    assert "no sign of life" in caplog.text


def test_a_reply_that_takes_too_long_is_no_answer_and_others_go_on(settings: LoadSettings) -> None:
    async def act(engine: LocalEngine) -> None:
        await engine.start()
        late = asyncio.ensure_future(engine.complete(LONG))
        with pytest.raises(RequestTimeout, match=r"within 3 seconds"):
            await late
        short = ask("Hi", grammar='root ::= "a"', max_tokens=2)
        assert (await engine.complete(short)).text == "a"

    with_engine(open_engine(settings, request_seconds=3), act)


def test_closing_in_the_middle_of_work_is_an_error_and_ends_the_process(
    settings: LoadSettings,
) -> None:
    async def act(engine: LocalEngine) -> None:
        pending = asyncio.ensure_future(engine.complete(LONG))
        pid = await wait_for_work(engine)
        started = time.monotonic()
        await engine.close()
        assert time.monotonic() - started < 10
        assert not psutil.pid_exists(pid)
        with pytest.raises(EngineError, match="closed before"):
            await pending

    with_engine(open_engine(settings), act)


ENDLESS = """
import asyncio, signal, sys
from pathlib import Path
from generation_functions.engine.gguf import read_model
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine
from generation_functions.engine.protocol import Message, Request, Sampling

async def main():
    settings = LoadSettings(sys.argv[1], 2, 768, 256, -1, 2)
    engine = LocalEngine(read_model(Path(sys.argv[1])), settings)
    await engine.start()
    print(engine.pid, flush=True)
    hello = (Message("user", "Hello"),)
    await engine.complete(Request(hello, "root ::= [a-z ]{1500,1600}", Sampling(1.0), 1, 600))

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_child_goes_with_its_parent(settings: LoadSettings, how: signal.Signals) -> None:
    command = [sys.executable, "-c", ENDLESS, settings.path]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.3)
        assert child.is_running()
        parent.send_signal(how)
        parent.wait(30)  # a crowded machine is slow to unwind Python
    child.wait(10)
    assert not child.is_running()


def with_template(model: ModelFile, template: str) -> ModelFile:
    metadata = {**model.metadata, "tokenizer.chat_template": template}
    return dataclasses.replace(model, metadata=metadata)


THINKING_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


def test_a_model_that_thinks_does_so_up_to_the_cap_and_then_keeps_to_the_grammar(
    settings: LoadSettings,
) -> None:
    async def act(engine: LocalEngine) -> Any:
        loud = await engine.complete(ask("What is tea?", thinking=20))
        quiet = await engine.complete(ask("What is tea?"))
        return loud, quiet

    model = with_template(read_model(Path(settings.path)), THINKING_TEMPLATE)
    loud, quiet = with_engine(LocalEngine(model, settings), act)
    assert loud.thinking
    assert quiet.thinking == ""
    for completion in (loud, quiet):
        assert parse_grammar([("test", GRAMMAR)]).matches(completion.text)
    assert loud.completion_tokens >= 20


def test_thinking_ends_where_the_model_ends_it(
    settings: LoadSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SmolLM2 does not write </think>; a word that it does write stands in for it."""
    monkeypatch.setattr(
        jobs, "open_thinking", lambda model, prompt, wanted: (prompt, " the " if wanted else "")
    )

    async def act(engine: LocalEngine) -> Any:
        request = ask("Describe the sea.", thinking=200, sampling=Sampling())
        return await engine.complete(request)

    completion = with_engine(open_engine(settings), act)
    assert completion.thinking
    assert "the" not in completion.thinking
    assert completion.text.startswith("Answer: ")
    assert completion.completion_tokens < 150


@pytest.mark.parametrize(
    ("prompt", "template", "wanted", "expected"),
    [
        ("A:", "no such block", False, ("A:", "")),
        ("A:", "<think>", True, ("A:<think>\n", "</think>\n\n")),
        ("A:<think>\n", "<think>", True, ("A:<think>\n", "</think>\n\n")),
        ("A:<think>\n", "<think>", False, ("A:<think>\n</think>\n\n", "")),
        ("A:", "<think>", False, ("A:<think>\n\n</think>\n\n", "")),
        (
            "A:<think>\n\n</think>\n\n",
            "<think> enable_thinking",
            False,
            ("A:<think>\n\n</think>\n\n", ""),
        ),
        ("A:", "<think> enable_thinking", False, ("A:", "")),
        (
            "A:",
            "<|channel|>analysis<|message|>",
            False,
            ("A:<|channel|>final<|message|>", ""),
        ),
    ],
)
def test_thinking_is_opened_or_left_out(
    embedded_model: Path, prompt: str, template: str, wanted: bool, expected: tuple[str, str]
) -> None:
    model = with_template(read_model(embedded_model), template)
    assert open_thinking(model, prompt, wanted) == expected


def test_thinking_is_refused_for_a_model_that_does_not(embedded_model: Path) -> None:
    with pytest.raises(ModelError, match="has no thinking block"):
        open_thinking(read_model(embedded_model), "A:", True)
