"""The real Axolotl trains on what a run wrote, by its own commands, and so does train_trl.py.

A tiny model, on the CPU. Only what a GPU needs is set otherwise, by the
options that are there for it: 8-bit optimizer, flash attention, bfloat16, Liger's kernels.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_masks import make_run
from test_rows import byte_level_hub
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from generation_functions.datasets import train_trl

EPOCHS = 2

ON_CPU = {
    "attn_implementation": "sdpa",
    "bf16": False,
    "liger_fused_linear_cross_entropy": False,
    "liger_glu_activation": False,
    "liger_rms_norm": False,
    "liger_rope": False,
    "logging_steps": 1,
    "lora_mlp_kernel": False,
    "lora_o_kernel": False,
    "lora_qkv_kernel": False,
    "optimizer": "adamw_torch",
    "plugins": [],
}
FOLDERS = {"pretraining_run": "pretrained_model", "sft_run": "finetuned_model"}


def make_model(folder: Path, tokenizer: Any) -> str:
    """Write a model of one layer, with its tokenizer; return its folder."""
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
    config = LlamaConfig(vocab_size=len(tokenizer), **shape, **heads)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def call(command: str, folder: Path) -> None:
    """Run a command of a training folder's README inside of it."""
    there = Path(sys.executable).parent
    offline = {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1"}
    done = subprocess.run(
        command.split(),
        cwd=folder,
        env={**os.environ, **offline, "PATH": f"{there}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def read_json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def write_run(folder: Path, **training: Any) -> Path:
    """Return the folder of a run whose datasets are for a model that is written beside it."""
    base = make_model(folder / "base", byte_level_hub())
    run = make_run(
        folder,
        model_training={
            "base_model": base,
            "gradient_accumulation_steps": 1,
            "micro_batch_size": 1,
            "num_epochs": EPOCHS,
            "sequence_len": 512,
            "other_pretrain_kwargs": ON_CPU,
            "other_finetune_kwargs": ON_CPU,
            **training,
        },
    )
    return run.folder


def count_learnt(folder: Path, base: Path) -> int:
    """Return how many tokens of a training folder are learnt in an epoch."""
    (file,) = folder.glob("*_config.yaml")
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    for entry in config["datasets"]:
        entry["path"] = folder / entry["path"]
    tokenizer = train_trl.prepare_tokenizer(AutoTokenizer.from_pretrained(base), config)
    examples = train_trl.make_examples(config, tokenizer)
    return sum(label != train_trl.IGNORED for one in examples for label in one["labels"])


def read_state(trained: Path) -> Any:
    """Return the trainer's last record."""
    states = map(read_json, trained.glob("checkpoint-*/trainer_state.json"))
    return max(states, key=lambda one: int(one["global_step"]))


@pytest.mark.parametrize("adapter", [None, "lora"])
def test_axolotl_trains_both_folders_by_the_commands_of_their_manifests(
    tmp_path: Path, adapter: str | None
) -> None:
    run = write_run(tmp_path, adapter=adapter)
    for folder, model in FOLDERS.items():
        manifest = read_json(run / folder / "MANIFEST.json")
        assert manifest["token_counter"] == "base"
        call(manifest["launch"], run / folder)
        state, learnt = read_state(run / model), count_learnt(run / folder, tmp_path / "base")
        steps, trained = state["global_step"], state["log_history"][-1]["tokens/trainable"]
        assert steps == pytest.approx(manifest["optimizer_steps"], rel=0.15)
        assert trained == pytest.approx(EPOCHS * learnt, rel=0.15)  # packing leaves some over
        if adapter:
            call(manifest["merge"], run / folder)
        assert (run / model / ("merged" if adapter else "") / "model.safetensors").is_file()


def test_train_trl_trains_both_folders(tmp_path: Path) -> None:
    run = write_run(tmp_path, adapter="lora")
    for folder, model in FOLDERS.items():
        call("python train_trl.py", run / folder)
        files = read_json(run / folder / "MANIFEST.json")["files"]
        texts = [one for one in files if one["in_config"] and not one["segments"]]
        ends = sum(one["rows"] for one in texts)  # an EOS each; of segments it stands in the text
        tokens = sum(one["tokens"] for one in files if one["in_config"])
        seen = read_state(run / model)["log_history"][-1]["num_tokens"]
        assert seen == EPOCHS * (tokens + ends)
        assert (run / model / "merged" / "model.safetensors").is_file()
