"""Trains with TRL on what the Axolotl config beside this file lists, with the same masks.

    pip install "trl>=1.9" "transformers>=5" peft bitsandbytes liger-kernel flash-attn
    accelerate launch train_trl.py       with the number of GPUs that the config is for
    python train_trl.py --unsloth        through Unsloth, on one GPU

Rows become token ids and labels here, as Axolotl makes them: completions are learnt whole and split
where they are longer than sequence_len; of segments those are learnt whose label is true, of chats
the answers and what ends them; such rows are left out where they are longer. Nothing is held out.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parent
IGNORED = -100  # the label of a token that is not learnt
LEAST_TRL = (1, 9)
Row = Mapping[str, Any]


def read_rows(file: Path) -> Iterator[Row]:
    """Yield the rows of a .jsonl file, or of a .json array."""
    with file.open(encoding="utf-8") as lines:
        if file.suffix == ".json":
            yield from json.load(lines)
        else:
            yield from map(json.loads, lines)


def label_row(row: Row, kind: str, tokenizer: Any) -> tuple[list[int], list[int]]:
    """Return a row's token ids and labels; `kind` is its type in Axolotl's config."""
    if kind == "completion":
        whole = list(tokenizer(row["text"])["input_ids"])
        whole += [tokenizer.eos_token_id] if whole[-1:] != [tokenizer.eos_token_id] else []
        return whole, whole
    if kind == "chat_template":
        return label_chat(row["conversations"], tokenizer)
    ids: list[int] = []
    labels: list[int] = []
    for segment in row["segments"]:
        some = tokenizer(segment["text"], add_special_tokens=False)["input_ids"]
        ids += some
        labels += some if segment["label"] else [IGNORED] * len(some)
    return ids, labels


def label_chat(turns: Sequence[Row], tokenizer: Any) -> tuple[list[int], list[int]]:
    """Return a conversation's token ids, and labels for its answers up to what ends them."""
    roles = {"human": "user", "gpt": "assistant"}
    messages = [
        {"role": roles.get(turn["from"], turn["from"]), "content": turn["value"]} for turn in turns
    ]

    def render(number: int, asks: bool) -> str:
        shown = messages[:number]
        text = tokenizer.apply_chat_template(shown, tokenize=False, add_generation_prompt=asks)
        return str(text)

    learnt = [
        (len(render(number, True)), len(render(number + 1, False).rstrip()))
        for number, message in enumerate(messages)
        if message["role"] == "assistant"
    ]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, places = encoded["input_ids"], encoded["offset_mapping"]
    inside = (any(start <= at and to <= end for start, end in learnt) for at, to in places)
    return ids, [one if known else IGNORED for one, known in zip(ids, inside, strict=True)]


def make_examples(config: Row, tokenizer: Any, written: str = "") -> Iterator[dict[str, list[int]]]:
    """Yield what is trained on: rows of all files that the config lists, none too long.

    `written` only has what `datasets` keeps of one set of rows not be taken for another's.
    """
    most = int(config["sequence_len"])
    for entry in config["datasets"]:
        for row in read_rows(FOLDER / entry["path"]):
            ids, labels = label_row(row, entry["type"], tokenizer)
            if entry["type"] == "completion" or len(ids) <= most:
                for at in range(0, len(ids), most):
                    yield {"input_ids": ids[at : at + most], "labels": labels[at : at + most]}


def prepare_tokenizer(tokenizer: Any, config: Row) -> Any:
    """Return the tokenizer with the tokens and the chat template of the config."""
    tokenizer.add_special_tokens(dict(config.get("special_tokens", {})))
    tokenizer.add_tokens(config.get("tokens", []))
    tokenizer.chat_template = config.get("chat_template_jinja", tokenizer.chat_template)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(config: Row) -> tuple[Any, Any]:
    """Return the model that training starts from, with its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    make_quantised: Any = BitsAndBytesConfig
    quantised = make_quantised(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
    )
    base = config["base_model"]
    model = AutoModelForCausalLM.from_pretrained(
        base,
        dtype=torch.bfloat16 if config.get("bf16") else torch.float32,
        attn_implementation=config["attn_implementation"],
        quantization_config=quantised if config.get("load_in_4bit") else None,
    )
    tokenizer = prepare_tokenizer(AutoTokenizer.from_pretrained(base), config)
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    return model, tokenizer


def load_unsloth(config: Row) -> tuple[Any, Any]:
    """Return the same through Unsloth, with its adapter where one is trained."""
    from unsloth import FastLanguageModel, add_new_tokens

    model, tokenizer = FastLanguageModel.from_pretrained(
        model_name=config["base_model"],
        max_seq_length=config["sequence_len"],
        load_in_4bit=bool(config.get("load_in_4bit")),
        full_finetuning=not config.get("adapter"),
    )
    if config.get("tokens"):
        add_new_tokens(model, tokenizer, new_tokens=config["tokens"])
    if config.get("adapter"):
        model = FastLanguageModel.get_peft_model(
            model, r=config["lora_r"], lora_alpha=config["lora_alpha"]
        )
    return model, prepare_tokenizer(tokenizer, config)


def make_adapter(config: Row) -> Any:
    """Return the adapter of the config for peft, None where all weights are trained."""
    if not config.get("adapter"):
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=config["lora_r"],
        lora_alpha=config["lora_alpha"],
        lora_dropout=config["lora_dropout"],
        target_modules="all-linear",
        modules_to_save=config.get("lora_modules_to_save"),
        task_type="CAUSAL_LM",
    )


def make_arguments(config: Row) -> dict[str, Any]:
    """Return the settings of the config by the names that TRL has for them."""
    same = (
        "output_dir gradient_accumulation_steps learning_rate weight_decay neftune_noise_alpha "
        "seed gradient_checkpointing logging_steps save_total_limit"
    )
    return {name: config[name] for name in same.split()} | {
        "per_device_train_batch_size": config["micro_batch_size"],
        "num_train_epochs": config["num_epochs"],
        "max_length": config["sequence_len"],
        "packing": True,
        "optim": config["optimizer"],
        "lr_scheduler_type": config["lr_scheduler"],
        "warmup_steps": config["warmup_ratio"],  # below 1 it is a share of the steps
        "bf16": bool(config.get("bf16")),
        "save_strategy": "epoch",
        "use_liger_kernel": bool(config.get("plugins")),
        "push_to_hub": bool(config.get("hub_model_id")),
        "hub_model_id": config.get("hub_model_id"),
        "hub_strategy": config.get("hub_strategy", "every_save"),
    }


def main(arguments: Sequence[str]) -> None:
    """Train; an adapter is merged afterwards, into `merged` inside of output_dir."""
    unsloth = "--unsloth" in arguments
    (file,) = FOLDER.glob("*_config.yaml")
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    model, tokenizer = (load_unsloth if unsloth else load_model)(config)

    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer, __version__

    if tuple(map(int, __version__.split(".")[:2])) < LEAST_TRL:
        raise SystemExit(f"TRL {__version__} drops the labels of packed rows: install trl>=1.9.")

    written = (FOLDER / "MANIFEST.json").read_text(encoding="utf-8")
    given = {"config": config, "tokenizer": tokenizer, "written": written}
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**make_arguments(config)),
        train_dataset=Dataset.from_generator(make_examples, gen_kwargs=given),
        processing_class=tokenizer,
        peft_config=None if unsloth else make_adapter(config),
    )
    trainer.train()
    trainer.save_model()
    tokenizer.save_pretrained(config["output_dir"])
    if config.get("adapter") and trainer.is_world_process_zero():
        from peft import AutoPeftModelForCausalLM

        merged = str(Path(config["output_dir"]) / "merged")
        trained = AutoPeftModelForCausalLM.from_pretrained(config["output_dir"], dtype="bfloat16")
        trained.merge_and_unload().save_pretrained(merged)
        tokenizer.save_pretrained(merged)


if __name__ == "__main__":
    main(sys.argv[1:])
