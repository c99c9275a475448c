"""The real Axolotl loads meta_datagen/ as its README.md says, and trains the replies alone."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from axolotl.prompt_strategies import load
from axolotl.prompt_strategies.dpo import load as load_preferences
from axolotl.utils.dict import DictDefault
from axolotl.utils.schemas.config import AxolotlInputConfig
from datasets import load_dataset
from test_masks import byte_level
from test_meta import CALL, write
from test_rows import wrap
from test_training import make_model
from trl import DPOConfig, DPOTrainer

from generation_functions.datasets.templates import TEMPLATES

IGNORED = -100


def make_tokenizer() -> Any:
    tokenizer = wrap(byte_level().inner)
    tokenizer.chat_template = TEMPLATES["chatml"]
    tokenizer.add_tokens(["<|im_start|>", "<|im_end|>"], special_tokens=True)
    return tokenizer


def read_snippets(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "README.md").read_text(encoding="utf-8")
    return [yaml.safe_load(part.split("```")[0]) for part in text.split("```yaml")[1:]]


@pytest.mark.parametrize("form", ["messages", "sharegpt", "segments"])
def test_the_reply_and_nothing_else_is_trained(tmp_path: Path, form: str) -> None:
    folder = write(tmp_path, [CALL], format=form)
    keys, _ = read_snippets(folder)
    (entry,) = keys["datasets"]
    tokenizer = make_tokenizer()
    common = {"train_on_inputs": False, "sequence_len": 4096, "eot_tokens": ["<|im_end|>"]}
    cfg = DictDefault({**common, **keys})
    strategy = load(entry["type"], tokenizer, cfg, DictDefault(entry))
    files = str(folder / entry["path"])
    (row,) = load_dataset("json", data_files=files, split="train", cache_dir=str(tmp_path / "c"))
    made = strategy.tokenize_prompt(row)
    trained = [
        token
        for token, label in zip(made["input_ids"], made["labels"], strict=True)
        if label != IGNORED
    ]
    said = tokenizer.decode(trained).strip()
    ends = {"segments": "facts **Finished.**</s>"}.get(form, "facts<|im_end|>")
    assert said == ends


def test_pairs_of_replies_load_for_dpo(tmp_path: Path) -> None:
    folder = write(tmp_path, [CALL])
    _, keys = read_snippets(folder)
    (entry,) = keys["datasets"]
    transform, more = load_preferences(entry["type"], DictDefault(keys), dataset_idx=0)
    files = str(folder / entry["path"])
    rows = load_dataset("json", data_files=files, split="train", cache_dir=str(tmp_path / "c"))
    tokenizer = make_tokenizer()
    made = rows.map(lambda row: transform(row, tokenizer=tokenizer), **more)
    assert made[0]["prompt"] == made[1]["prompt"]
    assert made[0]["prompt"].endswith("The text<|im_end|>\n<|im_start|>assistant\n")
    assert made["chosen"][:] == ["facts<|im_end|>"] * 2
    assert made["rejected"][:] == ["maybe<|im_end|>", "no<|im_end|>"]


def test_trl_trains_on_pairs_of_replies_as_they_are(tmp_path: Path) -> None:
    files = str(write(tmp_path, [CALL]) / "meta_dpo.jsonl")
    tokenizer = make_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    trainer = DPOTrainer(
        model=make_model(tmp_path / "base", tokenizer),
        args=DPOConfig(str(tmp_path / "o"), max_steps=1, use_cpu=True, bf16=False, report_to=[]),
        train_dataset=load_dataset(
            "json", data_files=files, split="train", cache_dir=str(tmp_path / "c")
        ),
        processing_class=tokenizer,
    )
    assert trainer.train().global_step == 1


def test_axolotl_takes_the_keys_of_both(tmp_path: Path) -> None:
    training = {"base_model": "x", "micro_batch_size": 1, "gradient_accumulation_steps": 1}
    for keys in read_snippets(write(tmp_path, [CALL])):
        read = AxolotlInputConfig(**training, learning_rate=1e-5, **keys)
        (entry,) = keys["datasets"]
        assert read.datasets
        kept = read.datasets[0].model_dump(exclude_none=True)
        assert {name: kept.get(name) for name in entry} == entry
