"""A Hugging Face checkpoint as an engine, with stand-ins for torch and transformers."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jinja2 import TemplateError

from generation_functions.engine import checkpoint
from generation_functions.engine.checkpoint import CheckpointEngine, read_fingerprint, take_line
from generation_functions.engine.protocol import Completion, Message, Request, Sampling
from generation_functions.errors import ModelError, PromptTooLong


class Read(dict[str, Any]):
    def to(self, device: str) -> "Read":
        return self


class Tokenizer:
    """Words are tokens; a chat without a system role."""

    eos_token_id = 0

    def __init__(self, chat_template: str | None = "a template") -> None:
        self.chat_template = chat_template
        self.seen = ""

    def __call__(self, text: str, return_tensors: str) -> Read:
        self.seen = text
        return Read(input_ids=np.ones((1, len(text.split())), int))

    def apply_chat_template(self, messages: list[dict[str, str]], **given: Any) -> Read:
        if messages[0]["role"] == "system":
            raise TemplateError("Conversation roles must alternate")
        return self("|".join(one["content"] for one in messages), "pt")

    def decode(self, tokens: Any, skip_special_tokens: bool) -> str:
        return "\n 1856 \nQuestion: And now?"


class Model:
    device = "cpu"

    def generate(self, input_ids: Any, max_new_tokens: int, **given: Any) -> Any:
        assert given["do_sample"] is False
        return np.ones((1, input_ids.shape[1] + 5), int)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 60}', encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(bytes(3_000_000))
    return tmp_path


def make_request(plain: bool = False, most: int = 20) -> Request:
    messages = (Message("system", "Answer."), Message("user", "Question: When?"))
    return Request(messages, "root ::= [a-z]", Sampling(), 1, most, completion_mode=plain)


def complete(folder: Path, tokenizer: Tokenizer, request: Request) -> Completion:
    engine = CheckpointEngine(folder)

    async def go() -> Completion:
        await engine.start()
        found = await engine.complete(request)
        await engine.close()
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(checkpoint, "load_checkpoint", lambda _: (Model(), tokenizer))
        return asyncio.run(go())


def test_a_reply_is_the_first_line_and_its_end_is_certain(folder: Path) -> None:
    tokenizer = Tokenizer()
    found = complete(folder, tokenizer, make_request())
    assert (found.text, found.finish_reason) == ("1856", "stop")
    assert found.completion_tokens == 5
    assert tokenizer.seen == "Answer.\n\nQuestion: When?"  # no system role: the user says it


def test_a_base_model_is_asked_as_plain_text(folder: Path) -> None:
    tokenizer = Tokenizer(chat_template=None)
    assert complete(folder, tokenizer, make_request(plain=True)).text == "1856"
    assert tokenizer.seen.startswith("Answer.\n\n----")
    with pytest.raises(ModelError, match="--plain"):
        complete(folder, tokenizer, make_request())


def test_what_does_not_fit_is_not_asked(folder: Path) -> None:
    with pytest.raises(PromptTooLong, match="a context of 60"):
        complete(folder, Tokenizer(), make_request(most=100))


@pytest.mark.parametrize(
    ("config", "context"),
    [
        ("{}", 2048),
        ('{"n_positions": 1024}', 1024),
        ('{"text_config": {"max_position_embeddings": 131072}}', 131_072),
    ],
)
def test_the_context_is_known_before_anything_is_loaded(
    folder: Path, config: str, context: int
) -> None:
    (folder / "config.json").write_text(config, encoding="utf-8")
    assert CheckpointEngine(folder).context == context


@pytest.mark.parametrize("config", ["{", "[]", '{"n_positions": "many"}'])
def test_a_config_that_is_none_is_refused(folder: Path, config: str) -> None:
    (folder / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(ModelError, match="no config of a model"):
        CheckpointEngine(folder)


def test_without_torch_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    engine = CheckpointEngine(folder)
    with pytest.raises(ModelError, match="pip install torch transformers"):
        asyncio.run(engine.start())


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        CheckpointEngine(tmp_path)


def test_other_weights_have_another_fingerprint(folder: Path) -> None:
    before = read_fingerprint(folder)
    (folder / "README.md").write_text("not the model", encoding="utf-8")
    assert read_fingerprint(folder) == before
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-5, 2)
        file.write(b"x")
    assert read_fingerprint(folder) != before


def test_a_line_that_says_nothing_is_passed_over() -> None:
    assert take_line("\n \n a b \nc") == "a b"
    assert take_line("  \n") == ""
