"""The real Axolotl makes of our rows the tokens and labels that we mean; so does train_trl.py."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from axolotl.prompt_strategies import load
from axolotl.utils.dict import DictDefault
from test_masks import byte_level, make_run, sentence_piece
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from generation_functions.datasets import train_trl
from generation_functions.datasets.axolotl_data import Data, data_settings
from generation_functions.datasets.mask_check import check_masks, read_rows
from generation_functions.datasets.masks import tokenize
from generation_functions.datasets.segments import segment_row
from generation_functions.datasets.settings import values_of
from generation_functions.datasets.templates import TEMPLATES
from generation_functions.datasets.tokenizing import HubTokenizer, load_tokenizer

MODELS = Path(__file__).parents[2] / "logical_models"
EMBEDDED = MODELS / "SmolLM2-135M-Instruct.Q4_1.gguf"
IGNORED = -100


def wrap(inner: Any) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def read_embedded() -> Any:
    assert EMBEDDED.exists(), "run `make model`"
    return AutoTokenizer.from_pretrained(str(MODELS), gguf_file=EMBEDDED.name)


@cache
def byte_level_hub() -> PreTrainedTokenizerFast:
    return wrap(byte_level().inner)


KINDS: dict[str, Callable[[], Any]] = {
    "out of a GGUF": cache(read_embedded),
    "bytes": byte_level_hub,
    "sentence piece": cache(lambda: wrap(sentence_piece().inner)),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def make_strategy(name: str, tokenizer: Any, entry: dict[str, Any] | None = None) -> Any:
    """Return Axolotl's own reader of rows of a type."""
    cfg = DictDefault(
        {"train_on_inputs": False, "sequence_len": 4096, "eot_tokens": ["<|im_end|>"]}
    )
    return load(name, tokenizer, cfg, DictDefault({"type": name, **(entry or {})}))


def make_masked(folder: Path, tokenizer: Any, **sections: Any) -> Any:
    ends = {"bos": tokenizer.bos_token or "", "eos": tokenizer.eos_token or ""}
    settings = {**ends, **sections.pop("final_datasaving_settings", {})}
    return make_run(folder, final_datasaving_settings=settings, **sections)


@each_kind
@pytest.mark.parametrize("template", TEMPLATES)
def test_labels_of_segments_are_ours(
    tmp_path: Path, prompts_once: None, kind: str, template: str
) -> None:
    tokenizer = KINDS[kind]()
    settings = {"template": template}
    run = make_masked(tmp_path, tokenizer, final_datasaving_settings=settings)
    strategy = make_strategy("input_output", tokenizer)
    files = set()
    for row in read_rows(run.folder):
        files.add(row.file)
        theirs = strategy.tokenize_prompt(segment_row(row.segments))
        ours = tokenize(row.segments, HubTokenizer(tokenizer)).tokens
        assert theirs["input_ids"] == [token.id for token in ours]
        labels = [token.id if token.trained else IGNORED for token in ours]
        assert theirs["labels"] == labels
        assert any(label != IGNORED for label in labels)
        again = train_trl.label_row(segment_row(row.segments), "input_output", tokenizer)
        assert again == (theirs["input_ids"], theirs["labels"])
    assert len(files) == 2


@each_kind
def test_trained_tokens_decode_to_the_text_that_is_meant(
    tmp_path: Path, prompts_once: None, kind: str
) -> None:
    tokenizer = KINDS[kind]()
    strategy = make_strategy("input_output", tokenizer)
    run = make_masked(tmp_path, tokenizer)
    for row in read_rows(run.folder):
        for segment in row.segments:
            made = strategy.tokenize_prompt(segment_row([segment])) if segment.label else None
            if made:
                said = tokenizer.decode(made["labels"], skip_special_tokens=False)
                assert said.replace(" ", "") == segment.text.replace(" ", "")
    for report in check_masks(run.folder, run.config, HubTokenizer(tokenizer)):
        assert report.problems == []


@each_kind
def test_completions_are_learnt_whole_between_bos_and_eos(kind: str) -> None:
    tokenizer = KINDS[kind]()
    strategy = make_strategy("completion", tokenizer)
    text = "Human: How long is the bridge? **Finished.**\nAI: 812 metres. **Finished.**"
    made = strategy.tokenize_prompt({"text": [text]})
    ids, labels = train_trl.label_row({"text": text}, "completion", tokenizer)
    assert made["input_ids"] == [ids]
    assert made["labels"] == [labels] == [ids]
    assert ids[-1] == tokenizer.eos_token_id


def test_chats_are_learnt_in_their_answers_and_the_ends_of_them() -> None:
    tokenizer = read_embedded()
    tokenizer.add_tokens(["<|im_start|>", "<|im_end|>"])
    tokenizer.eos_token = "<|im_end|>"  # the model's own; transformers reads another from the GGUF
    tokenizer.chat_template = TEMPLATES["chatml"]
    data = Data(("talks.jsonl",), 1, 1, chats=("talks.jsonl",))
    (entry,) = values_of(data_settings(data, "sft"))["datasets"]
    turns = [("system", "Be exact."), ("human", "How long?"), ("gpt", "812 metres."),
             ("human", "How old?"), ("gpt", "That is not told.")]  # fmt: skip
    row = {"conversations": [{"from": one, "value": text} for one, text in turns]}
    made = make_strategy("chat_template", tokenizer, entry).tokenize_prompt(row)
    learnt = [one for one in made["labels"] if one != IGNORED]
    assert tokenizer.decode(learnt) == "812 metres.<|im_end|>That is not told.<|im_end|>"
    ids, labels = train_trl.label_row(row, "chat_template", tokenizer)
    assert (ids, labels) == (made["input_ids"], made["labels"])


def test_our_own_loader_reads_a_tokenizer_out_of_a_gguf() -> None:
    ours = load_tokenizer(str(EMBEDDED))
    theirs = KINDS["out of a GGUF"]()
    assert (ours.bos, ours.eos) == (theirs.bos_token, theirs.eos_token)
    assert ours.encode("812 metres.") == theirs("812 metres.", add_special_tokens=False).input_ids
