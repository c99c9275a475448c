"""The server engine: what it sends, what it makes of answers, and what it never shows."""

import asyncio
import logging
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from stand_in import Answer, StandIn, refuse, say, serve

from generation_functions import errors
from generation_functions.addresses import hide_logins, parse_address
from generation_functions.config import Config, load_config
from generation_functions.engine import server
from generation_functions.engine.protocol import Completion, Message, Request, Sampling
from generation_functions.engine.scripted import draw_reply
from generation_functions.engine.server import ServerEngine, open_server, read_retry_after
from generation_functions.engine.server_settings import ApiKey, ServerKind, ServerSettings
from generation_functions.model_sections import Model
from generation_functions.opening import make_engines
from generation_functions.session import open_run
from generation_functions.stages import write_questions

KEY = "sk-very-secret-4711"
GRAMMAR = 'root ::= "yes" | "no"'
ASK = Request(
    messages=(Message("system", "Judge."), Message("user", "Is 7 prime?")),
    grammar=GRAMMAR,
    sampling=Sampling(temperature=0.7, top_k=40, top_p=0.9, min_p=0.05),
    seed=2**32 - 1,
    max_tokens=50,
)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other quickly, and no proxy stands before loopback."""
    monkeypatch.setattr(server, "_FIRST_WAIT", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """One stand-in that listens."""
    with serve(StandIn()) as listening:
        yield listening


def settings_for(
    *urls: str, kind: ServerKind = "llama-server", retries: int = 2, **other: Any
) -> ServerSettings:
    """Settings for the stand-ins at `urls`."""
    given = {"model": "tiny", "context": 4096, "concurrency": 4, "request_seconds": 20} | other
    addresses = tuple(parse_address(url) for url in urls)
    return ServerSettings(addresses=addresses, kind=kind, retries=retries, **given)


def answer_all(engine: ServerEngine, *requests: Request) -> list[Completion]:
    """Send requests at once, close the engine, return the completions."""

    async def act() -> list[Completion]:
        try:
            return list(await asyncio.gather(*(engine.complete(one) for one in requests)))
        finally:
            await engine.close()

    return asyncio.run(act())


def ask(stand_in: StandIn, request: Request = ASK, **settings: Any) -> Completion:
    """Send one request to a stand-in."""
    return answer_all(open_server(settings_for(stand_in.url, **settings)), request)[0]


def answering(*answers: Answer) -> Any:
    """Give the answers in turn; the last one goes on."""
    left = list(answers)
    return lambda body: left.pop(0) if len(left) > 1 else left[0]


def test_llama_server_gets_grammar_sampling_and_no_thinking(stand_in: StandIn) -> None:
    ask(stand_in, replace(ASK, stop=("###",)))
    path, body, _ = stand_in.posts[0]
    assert path == "/v1/chat/completions"
    assert body == {
        "model": "tiny",
        "messages": [
            {"role": "system", "content": "Judge."},
            {"role": "user", "content": "Is 7 prime?"},
        ],
        "stream": False,
        "max_tokens": 50,
        "seed": 2**32 - 2,  # the largest would mean "any"
        "temperature": 0.7,
        "top_k": 40,
        "top_p": 0.9,
        "min_p": 0.05,
        "stop": ["###"],
        "grammar": GRAMMAR,
        "samplers": ["top_k", "min_p", "top_p", "temperature"],
        "cache_prompt": True,
        "reasoning_format": "none",
        "chat_template_kwargs": {"enable_thinking": False},
    }


def test_vllm_gets_the_grammar_as_structured_output(stand_in: StandIn) -> None:
    ask(stand_in, kind="vllm")
    body = stand_in.bodies[0]
    assert body["structured_outputs"] == {"grammar": GRAMMAR}
    assert body["repetition_penalty"] == 1.0
    assert not {"grammar", "samplers", "cache_prompt", "guided_grammar"} & set(body)


@pytest.mark.parametrize(
    ("version", "field"),
    [("0.10.1", "guided_grammar"), ("0.11.0", "structured_outputs"), ("1.0", "structured_outputs")],
)
def test_the_grammar_field_follows_vllms_version(
    stand_in: StandIn, version: str, field: str
) -> None:
    stand_in.version = version
    ask(stand_in, kind="vllm")
    assert field in stand_in.bodies[0]


@pytest.mark.parametrize("kind", ["llama-server", "vllm"])
def test_completion_mode_sends_plain_text(stand_in: StandIn, kind: ServerKind) -> None:
    assert ask(stand_in, replace(ASK, completion_mode=True), kind=kind).text == "yes"
    path, body, _ = stand_in.posts[0]
    assert path == "/v1/completions"
    assert body["prompt"] == "Judge.\n\n----\n\nIs 7 prime?\n\n----\n\n"
    assert not {"messages", "chat_template_kwargs", "reasoning_format"} & set(body)


def test_thinking_is_bounded_and_returned(stand_in: StandIn) -> None:
    stand_in.answer = lambda body: say(message={"reasoning": "7 has no divisors."})
    completion = ask(stand_in, replace(ASK, thinking=200), kind="vllm")
    body = stand_in.bodies[0]
    assert completion.thinking == "7 has no divisors."
    assert body["chat_template_kwargs"] == {"enable_thinking": True}
    assert (body["thinking_token_budget"], body["max_tokens"]) == (200, 250)


def test_llama_server_thinks_without_a_grammar_only(stand_in: StandIn) -> None:
    stand_in.answer = lambda body: say(message={"reasoning_content": "Seven."})
    free = replace(ASK, thinking=200, grammar="")
    assert ask(stand_in, free).thinking == "Seven."
    assert stand_in.bodies[0]["thinking_budget_tokens"] == 200
    with pytest.raises(errors.ServerError, match="binds the thinking too"):
        ask(stand_in, replace(ASK, thinking=200))
    model = Model(url=stand_in.url, model="tiny", thinking=200)
    with pytest.raises(errors.ConfigError, match="binds the thinking too"):
        make_engines(config_with(model))


@pytest.mark.parametrize(
    "more",
    [{"usage": {"prompt_tokens_details": {"cached_tokens": 16}}}, {"timings": {"cache_n": 16}}],
)
def test_a_completion_counts_its_tokens(stand_in: StandIn, more: dict[str, Any]) -> None:
    stand_in.answer = lambda body: say(**more)
    completion = ask(stand_in)
    assert (completion.text, completion.finish_reason) == ("yes", "stop")
    assert (completion.prompt_tokens, completion.cached_tokens) == (20, 16)
    assert completion.completion_tokens == 3
    assert 0 < completion.seconds < 5


def test_a_reply_cut_at_max_tokens_is_a_completion(stand_in: StandIn) -> None:
    stand_in.answer = lambda body: say("ye", "length", usage={"completion_tokens": 50})
    assert ask(stand_in).finish_reason == "length"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (say(finish="tool_calls"), "ended with 'tool_calls'"),
        ((200, {"choices": []}, {}), "no completion in the answer"),
        ((200, "<html>", {}), "no completion in the answer"),
        (refuse(302), "redirects"),
    ],
)
def test_what_is_no_completion_is_an_error(stand_in: StandIn, answer: Answer, said: str) -> None:
    stand_in.answer = lambda body: answer
    with pytest.raises(errors.ServerError, match=said) as error:
        ask(stand_in)
    assert stand_in.url in str(error.value)
    assert len(stand_in.posts) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            refuse(400, "request (9000 tokens) exceeds the available context size (2048 tokens)"),
            errors.PromptTooLong,
            "9000 tokens",
        ),
        (
            refuse(400, "This model's maximum context length is 2048 tokens."),
            errors.PromptTooLong,
            "maximum context length",
        ),
        (say(truncated=True), errors.PromptTooLong, "cut the prompt"),
        (say(usage={"prompt_tokens": 2046}), errors.PromptTooLong, "cut the prompt"),
        (say(finish="length"), errors.PromptTooLong, "left room for 3 of 50"),
        (
            refuse(400, "Failed to initialize samplers: failed to parse grammar"),
            errors.GrammarError,
            "failed to parse grammar",
        ),
        (refuse(400, "EBNF parser error at line 1"), errors.GrammarError, "EBNF parser"),
        (refuse(400, "n must be 1"), errors.ServerError, "n must be 1"),
        (refuse(404, "no such model"), errors.ServerError, "/v1/chat/completions: .*'tiny'"),
        (refuse(401, "who?"), errors.ServerError, "No key was sent: .*`api_key_env`"),
    ],
)
def test_refusals_say_what_they_mean_and_are_not_repeated(
    stand_in: StandIn, answer: Answer, kind: type[Exception], said: str
) -> None:
    stand_in.answer = lambda body: answer
    with pytest.raises(kind, match=said) as error:
        ask(stand_in)
    assert stand_in.url in str(error.value)
    assert len(stand_in.posts) == 1


def test_a_server_that_ignores_grammars_is_found_out(stand_in: StandIn) -> None:
    stand_in.answer = lambda body: say("Sure! 7 is prime.")
    with pytest.raises(errors.ServerError, match="does not fit its grammar"):
        ask(stand_in)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_asked_again(stand_in: StandIn, status: int) -> None:
    stand_in.answer = answering(refuse(status), refuse(status), say())
    assert ask(stand_in, retries=2).text == "yes"
    assert len(stand_in.posts) == 3


def test_after_all_retries_the_error_names_url_and_reason(stand_in: StandIn) -> None:
    stand_in.answer = lambda body: refuse(500, "out of memory")
    with pytest.raises(errors.ServerError, match=r"500: out of memory.*after 3 attempts") as error:
        ask(stand_in, retries=2)
    assert stand_in.url in str(error.value)
    assert len(stand_in.posts) == 3


def test_retry_after_is_honoured(stand_in: StandIn) -> None:
    stand_in.answer = answering(refuse(429, Retry_After="1"), say())
    ask(stand_in)
    assert 1.0 <= stand_in.times[1] - stand_in.times[0] < 2.0


def test_retry_after_is_seconds_or_a_date() -> None:
    later = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=30), usegmt=True)
    assert read_retry_after("7") == 7
    assert 25 < (read_retry_after(later) or 0) <= 30
    assert read_retry_after("Mon, 01 Jan 2001 00:00:00 GMT") == 0
    assert read_retry_after("soon") is None
    assert read_retry_after(None) is None


def test_a_reply_that_takes_too_long_is_a_timeout(stand_in: StandIn) -> None:
    stand_in.delay = 0.6
    with pytest.raises(errors.RequestTimeout, match=r"within 0\.2 s.*`request_seconds`") as error:
        ask(stand_in, retries=1, request_seconds=0.2)
    assert stand_in.url in str(error.value)
    assert len(stand_in.posts) == 2


def test_requests_spread_over_two_urls_within_the_bound() -> None:
    with serve(StandIn(delay=0.05)) as first, serve(StandIn(delay=0.05)) as second:
        engine = open_server(settings_for(first.url, second.url, concurrency=3))
        answer_all(engine, *(replace(ASK, seed=seed) for seed in range(24)))
    assert Counter(first=len(first.posts), second=len(second.posts)) == {"first": 12, "second": 12}
    assert (first.most_going, second.most_going) == (3, 3)


def test_the_slower_of_two_urls_gets_less() -> None:
    with serve(StandIn(delay=0.3)) as slow, serve(StandIn()) as fast:
        engine = open_server(settings_for(slow.url, fast.url, concurrency=2))

        async def act() -> None:
            places = asyncio.Semaphore(4)

            async def one(seed: int) -> None:
                async with places:
                    await engine.complete(replace(ASK, seed=seed))

            await asyncio.gather(*(one(seed) for seed in range(40)))
            await engine.close()

        asyncio.run(act())
    assert len(slow.posts) < 10 < 30 < len(fast.posts)


def test_a_url_that_fails_is_left_for_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_FIRST_WAIT", 30)
    with ExitStack() as stack:
        good = stack.enter_context(serve(StandIn()))
        broken = stack.enter_context(serve(StandIn(answer=lambda body: refuse(500))))
        engine = open_server(settings_for(broken.url, good.url))
        begun = time.monotonic()
        answer_all(engine, *(replace(ASK, seed=seed) for seed in range(8)))
    assert time.monotonic() - begun < 5
    assert len(good.posts) == 8


def test_a_server_that_is_gone_fails_at_the_start(stand_in: StandIn) -> None:
    with serve(StandIn()) as leaving:
        both = open_server(settings_for(stand_in.url, leaving.url))
        alone = open_server(settings_for(leaving.url))
        url = leaving.url

    async def act() -> None:
        await both.start()
        await both.close()
        await alone.start()

    with pytest.raises(errors.ServerError, match=f"{url}: no connection"):
        asyncio.run(act())


def test_an_engine_works_on_one_loop_after_another(stand_in: StandIn) -> None:
    engine = open_server(settings_for(stand_in.url))
    assert [answer_all(engine, ASK)[0].text for _ in range(2)] == ["yes", "yes"]


def test_the_fingerprint_is_the_models_not_the_urls(stand_in: StandIn) -> None:
    def fingerprint(change: StandIn, **settings: Any) -> str:
        with serve(change) as listening:
            return open_server(settings_for(listening.url, **settings)).fingerprint

    here = open_server(settings_for(stand_in.url)).fingerprint
    assert fingerprint(StandIn()) == here
    other_template = StandIn()
    other_template.props["chat_template"] = "{{ bos }}"
    moved = StandIn()
    moved.props |= {"model_path": "/mnt/tiny.gguf", "total_slots": 9}
    other_size = StandIn(models=[{"id": "tiny", "meta": {"n_params": 7, "size": 50}}])
    assert fingerprint(moved) == here
    others = [
        fingerprint(other_template),
        fingerprint(other_size),
        fingerprint(StandIn(), model="big"),
        fingerprint(StandIn(), kind="vllm"),
    ]
    assert len({here, *others}) == 5


def test_two_urls_must_serve_the_same_model(stand_in: StandIn) -> None:
    with (
        serve(StandIn(models=[{"id": "tiny", "meta": {"n_params": 8}}])) as other,
        pytest.raises(errors.ConfigError, match="serve different models"),
    ):
        open_server(settings_for(stand_in.url, other.url))


def test_the_context_is_the_smallest_of_config_and_slots(stand_in: StandIn) -> None:
    assert open_server(settings_for(stand_in.url, context=4096)).context == 2048
    assert open_server(settings_for(stand_in.url, context=1024)).context == 1024
    stand_in.models[0]["max_model_len"] = 512
    assert open_server(settings_for(stand_in.url, kind="vllm")).context == 512
    stand_in.props = {}
    assert open_server(settings_for(stand_in.url, context=4096)).context == 4096


def test_a_model_that_is_not_served_is_an_error_before_anything_is_asked(
    stand_in: StandIn,
) -> None:
    with pytest.raises(errors.ConfigError, match=r"`model: other`.*\(tiny\)"):
        open_server(settings_for(stand_in.url, kind="vllm", model="other"))
    assert open_server(settings_for(stand_in.url, kind="vllm", model="")).fingerprint


def test_a_server_that_cannot_be_asked_is_an_error_when_the_engine_is_made(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.ServerError, match="not reachable"):
        open_server(settings_for("http://127.0.0.1:9"))
    with pytest.raises(errors.ServerError, match="not reachable"):
        open_server(settings_for("http://no such host"))
    for answer, said in (
        (refuse(503, "Loading model"), "not ready yet .*Loading model"),
        ((200, "<html>hello</html>", {}), "not a model server's answer"),
    ):
        monkeypatch.setattr(stand_in, "describe", lambda path, answer=answer: answer)
        with pytest.raises(errors.ServerError, match=said):
            open_server(settings_for(stand_in.url))


@pytest.mark.parametrize(
    ("value", "said"), [(None, "is not set"), ("", "is not set"), ("a\u00e4 b", "no key has")]
)
def test_a_named_key_must_be_there(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, value: str | None, said: str
) -> None:
    monkeypatch.delenv("TEST_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("TEST_KEY", value)
    with pytest.raises(errors.ConfigError, match=f"TEST_KEY.*{said}") as error:
        open_server(settings_for(stand_in.url, key=ApiKey("TEST_KEY")))
    assert not value or value not in str(error.value)


def test_key_and_login_are_sent_and_never_shown(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TEST_KEY", KEY)
    shown: list[str] = []
    for answer in (say(), refuse(401, f"bad {KEY}"), refuse(500, f"bad {KEY}")):
        stand_in.answer = lambda body, answer=answer: answer
        engine = open_server(settings_for(stand_in.url, key=ApiKey("TEST_KEY"), retries=1))
        try:
            answer_all(engine, ASK)
        except errors.ServerError as error:
            shown += [str(error), repr(error), repr(error.__cause__)]
        shown += [repr(engine), repr(vars(engine))]
    assert stand_in.posts[0][2]["Authorization"] == f"Bearer {KEY}"
    assert "environment variable TEST_KEY" in " ".join(shown)
    with_login = stand_in.url.replace("://", "://ann:pass%40word@")
    stand_in.answer = lambda body: refuse(403)
    engine = open_server(settings_for(with_login))
    with pytest.raises(errors.ServerError, match="login in `url`") as refused:
        answer_all(engine, ASK)
    assert stand_in.posts[-1][2]["Authorization"] == "Basic YW5uOnBhc3NAd29yZA=="
    shown += [str(refused.value), repr(vars(engine)), repr(Model(url=with_login)), caplog.text]
    secrets = (KEY, "pass%40word", "pass@word", "YW5uOnBhc3NAd29yZA")
    assert [secret for secret in secrets if any(secret in text for text in shown)] == []


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8080",
        "http://",
        "ftp://host",
        "http://ann:pa/ss@host:1",
        "ann:pa@host:1",
        "http://host?key=pa",
    ],
)
def test_a_url_that_is_none_is_refused_without_showing_a_login(url: str) -> None:
    with pytest.raises(errors.ConfigError, match="not a server's URL") as error:
        parse_address(url)
    assert not any(secret in str(error.value) for secret in ("ann", ":pa", "=pa"))


def test_urls_are_taken_with_and_without_v1() -> None:
    for given in ("http://host:8080", "http://host:8080/", "http://host:8080/v1/"):
        assert parse_address(given).root == "http://host:8080"
    assert parse_address("https://ann:x@[::1]/llm/v1").root == "https://[::1]/llm"
    assert hide_logins("see http://ann:x@host/v1 now") == "see http://host/v1 now"


def test_a_config_error_does_not_show_a_login(tmp_path: Path) -> None:
    role = {"url": "http://ann:secret@host", "gguf": "a.gguf"}
    file = tmp_path / "config.yaml"
    raw = {
        "path": {"input_dirs": [{"path": "."}], "output_dir": "run"},
        "models": {"small": role, "large": role},
        "dataset_context": "Bridges",
    }
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(errors.ConfigError, match="either `gguf`") as error:
        load_config(file)
    assert "secret" not in str(error.value)


def config_with(model: Model) -> Config:
    """A config with one model in both roles."""
    return Config.model_validate(
        {
            "path": {"input_dirs": [{"path": "."}], "output_dir": "run"},
            "models": {"small": model, "large": model},
            "dataset_context": "Bridges",
        }
    )


def test_two_roles_on_the_same_server_share_an_engine(stand_in: StandIn) -> None:
    engines = make_engines(config_with(Model(url=(stand_in.url,), model="tiny")))
    assert engines["small"] is engines["large"]


def test_a_run_through_a_server_keeps_no_secret(
    tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(body: dict[str, Any]) -> Answer:
        return say(draw_reply(replace(ASK, grammar=body["grammar"], seed=body["seed"])))

    stand_in.answer = draw
    monkeypatch.setenv("TEST_KEY", KEY)
    role = {"url": stand_in.url, "model": "tiny", "api_key_env": "TEST_KEY"}
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "Tides.txt").write_text("The tide turns twice a day. " * 40, "utf-8")
    raw = {
        "path": {"input_dirs": [{"path": "texts"}], "output_dir": "run"},
        "models": {"small": role, "large": role},
        "dataset_context": "Tides",
        "system": {"token_counter": "words", "chunk_size": 60},
    }
    file = tmp_path / "config.yaml"
    for name, url in (("key", stand_in.url), ("login", stand_in.url.replace("//", "//ann:pwd@"))):
        raw["path"]["output_dir"] = name
        role |= {"url": url, "api_key_env": "TEST_KEY" if name == "key" else None}
        file.write_text(yaml.safe_dump(raw), encoding="utf-8")
        run = open_run(file)
        run.progress = False
        asyncio.run(write_questions(run))
        files = [one for one in run.folder.rglob("*") if one.is_file()]
        texts = [one.read_text(encoding="utf-8") for one in files]
        assert any(one.parent.name == "judge_chunk" for one in files)
        assert any("TEST_KEY" in text for text in texts) == (name == "key")
        assert not any(KEY in text or "pwd" in text for text in texts)
    assert {headers["Authorization"][:6] for _, _, headers in stand_in.posts} == {
        "Bearer",
        "Basic ",
    }


@contextmanager
def llama_server(binary: str, model: Path) -> Iterator[str]:
    """Run a llama-server on loopback until it has loaded; end it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["-m", str(model), "--host", "127.0.0.1", "--port", str(port), "-c", "4096"]
    process = subprocess.Popen(
        [binary, *arguments, "-np", "2", "-t", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            assert process.poll() is None, "llama-server ended"
            try:
                with urllib.request.urlopen(f"{url}/health", timeout=5):
                    break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.25)
        yield url
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.skipif(
    "PALIMPSEST_LLAMA_SERVER" not in os.environ,
    reason="PALIMPSEST_LLAMA_SERVER names no llama-server binary",
)
def test_a_real_llama_server_keeps_grammars(embedded_model: Path) -> None:
    numbers = 'root ::= ("one" | "two" | "three") " " ("cat" | "cats") "."'
    request = Request(
        (Message("user", "How many cats?"),), numbers, Sampling(), seed=1, max_tokens=40
    )
    drawn = replace(request, sampling=Sampling(temperature=1.0, top_k=40, min_p=0.05))
    with llama_server(os.environ["PALIMPSEST_LLAMA_SERVER"], embedded_model) as url:
        engine = open_server(settings_for(url, model="", concurrency=2))
        assert engine.context == 2048
        replies = answer_all(
            engine, request, replace(request, seed=2), *(replace(drawn, seed=n) for n in range(3))
        )
        plain = answer_all(engine, replace(request, completion_mode=True))
        with pytest.raises(errors.GrammarError):
            answer_all(engine, replace(request, grammar="root ::= nothing"))
        with pytest.raises(errors.PromptTooLong):
            answer_all(engine, replace(request, messages=(Message("user", "cat " * 3000),)))
    assert replies[0].text == replies[1].text
    words = {f"{one} {two}." for one in ("one", "two", "three") for two in ("cat", "cats")}
    assert {reply.text for reply in (*replies, *plain)} <= words
    assert {reply.finish_reason for reply in replies} == {"stop"}
    assert all(reply.prompt_tokens > 5 and reply.completion_tokens > 1 for reply in replies)
