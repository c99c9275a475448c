"""Small files for trainers other than Axolotl, beside the same data.

TRL and Unsloth: `train_trl.py`, which reads Axolotl's config. LLaMA-Factory: `dataset_info.json`,
which names the files (its data/README.md has the format), and `llamafactory.yaml`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from generation_functions.datasets.row_files import FileEntry
from generation_functions.datasets.settings import Setting, render, values_of

TRL_SCRIPT = "train_trl.py"
DATASET_INFO = "dataset_info.json"
LLAMAFACTORY = "llamafactory.yaml"
_TAGS = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "system_tag": "system",
}


def other_files(entries: Sequence[FileEntry], settings: Sequence[Setting]) -> dict[str, str]:
    """Return the texts of the files for other trainers, by name; for LLaMA-Factory none where all
    that is trained on is segments."""
    chat = any(entry.chat and entry.in_config for entry in entries)
    described = {_name(entry): _describe(entry) for entry in entries if is_known(entry)}
    listed = [
        _name(entry)
        for entry in entries
        if entry.in_config and is_known(entry) and entry.chat == chat
    ]
    script = {TRL_SCRIPT: Path(__file__).with_name(TRL_SCRIPT).read_text(encoding="utf-8")}
    if not listed:
        return script
    return {
        **script,
        DATASET_INFO: json.dumps(described, ensure_ascii=False, indent=2) + "\n",
        LLAMAFACTORY: write_llamafactory(values_of(settings), listed, chat),
    }


def is_known(entry: FileEntry) -> bool:
    """Return whether LLaMA-Factory can read a file: not one of segments, or for people."""
    return entry.chat or (entry.in_config and not entry.segments)


def _name(entry: FileEntry) -> str:
    return str(PurePosixPath(entry.name).with_suffix("")).replace("/", "_")


def _describe(entry: FileEntry) -> dict[str, Any]:
    if not entry.chat:
        return {"file_name": entry.name, "columns": {"prompt": "text"}}
    return {
        "file_name": entry.name,
        "formatting": "sharegpt",
        "columns": {"messages": "conversations"},
        "tags": _TAGS,
    }


def write_llamafactory(values: Mapping[str, Any], names: Sequence[str], chat: bool) -> str:
    """Return a config that trains on these data sets as Axolotl's `values` do, or nearly."""
    settings = [
        Setting("model_name_or_path", values["base_model"], "The model that training starts from."),
        Setting(
            "stage",
            "sft" if chat else "pt",
            "sft learns the answers of chats, pt the whole of each text.",
        ),
        Setting("do_train", True, "Train."),
        *_describe_adapter(values),
        Setting("dataset_dir", ".", "Where dataset_info.json is."),
        Setting(
            "dataset",
            ",".join(names),
            "Its data sets. Files of segments, which are trained on in part, are not among them: "
            "this trainer has no such masks. Nor does one stage take both texts and chats.",
        ),
        *_describe_template(values, chat),
        Setting("cutoff_len", values["sequence_len"], "Context length in tokens."),
        _describe_packing(chat),
        *_describe_training(values),
    ]
    heading = (
        "For LLaMA-Factory, after its documentation; not tried by the program that wrote it. "
        f"Inside this folder:\nllamafactory-cli train {LLAMAFACTORY}"
    )
    return render(settings, heading)


def _describe_adapter(values: Mapping[str, Any]) -> tuple[Setting, ...]:
    if not values.get("adapter"):
        return (Setting("finetuning_type", "full", "All weights are trained."),)
    quantised = Setting("quantization_bit", 4, "The weights beside the adapter are in 4 bits.")
    saved = ",".join(values.get("lora_modules_to_save") or ())
    return (
        Setting(
            "finetuning_type",
            "lora",
            "An adapter is trained; `llamafactory-cli export` merges it afterwards.",
        ),
        Setting("lora_rank", values.get("lora_r"), "Rank of the adapter."),
        Setting("lora_alpha", values.get("lora_alpha"), "Its scale: alpha / rank."),
        Setting("lora_dropout", values.get("lora_dropout"), "Share of it that is left out."),
        Setting("lora_target", "all", "Every linear layer gets its part of it."),
        *((quantised,) if values.get("load_in_4bit") else ()),
        *((Setting("additional_target", saved, "Trained whole."),) if saved else ()),
    )


def _describe_template(values: Mapping[str, Any], chat: bool) -> tuple[Setting, ...]:
    if not chat:
        return ()
    tokens = values.get("tokens")
    if not tokens:
        why = (
            "Put in the name of a template that writes as chat_template_jinja of Axolotl's config."
        )
        return (Setting("template", "default", why),)
    return (
        Setting("template", "chatml", "The template that chats are rendered with."),
        Setting("new_special_tokens", ",".join(tokens), "Become tokens."),
        Setting("resize_vocab", True, "Makes place for them."),
    )


def _describe_packing(chat: bool) -> Setting:
    if chat:
        return Setting("neat_packing", True, "Several rows a sequence; they do not see each other.")
    return Setting(
        "packing",
        True,
        "Texts are put one behind the other and cut at cutoff_len; they see each other here, which "
        "they do not with Axolotl.",
    )


def _describe_training(values: Mapping[str, Any]) -> tuple[Setting, ...]:
    kept = (
        ("output_dir", "output_dir", "Where the model goes."),
        ("per_device_train_batch_size", "micro_batch_size", "Sequences on a GPU at once."),
        (
            "gradient_accumulation_steps",
            "gradient_accumulation_steps",
            "Batches that make one optimizer step.",
        ),
        ("num_train_epochs", "num_epochs", "Times the data is gone through."),
        ("learning_rate", "learning_rate", "Size of an optimizer step."),
        ("lr_scheduler_type", "lr_scheduler", "How the rate changes."),
        ("warmup_ratio", "warmup_ratio", "Share of the steps in which it rises."),
        ("optim", "optimizer", "The optimizer."),
        ("neftune_noise_alpha", "neftune_noise_alpha", "Noise on the embeddings (NEFTune)."),
        ("seed", "seed", "Fixes the shuffling."),
        ("logging_steps", "logging_steps", "Optimizer steps between two lines of the log."),
        ("save_total_limit", "save_total_limit", "Checkpoints that are kept."),
    )
    return (
        *(Setting(key, values[theirs], why) for key, theirs, why in kept if theirs in values),
        Setting("bf16", True, "Compute in bfloat16."),
        Setting("flash_attn", "fa2", "The attention kernel."),
        Setting("enable_liger_kernel", True, "Fused kernels, which save memory."),
        Setting("save_strategy", "epoch", "A checkpoint an epoch."),
    )
