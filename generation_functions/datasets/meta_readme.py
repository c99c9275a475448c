"""meta_datagen/README.md: what the rows are, and how a trainer is told to load them.

Keys are those of axolotl==0.19.0 (prompt_strategies/chat_template.py, dpo/chat_template.py).
"""

from collections.abc import Sequence

import yaml

from generation_functions.config import Config
from generation_functions.datasets.axolotl import VERSION
from generation_functions.datasets.row_files import FileEntry

_TEMPLATE = "# of an instruction-tuned base_model; for others name one"
_CHAT = {
    "roles_to_train": [],
    "message_field_training": "train",
    "train_on_eos": "turn",
}


def describe_datasets(form: str, dataset: str) -> dict[str, object]:
    """Return the keys of an Axolotl config that load rows of `meta_datagen.format`."""
    place: dict[str, object] = {"path": dataset, "ds_type": "json"}
    if form == "segments":
        return {"datasets": [{**place, "type": "input_output"}]}
    field = {"messages": "messages", "sharegpt": "conversations"}[form]
    rows = {**place, "type": "chat_template", "field_messages": field}
    if form == "sharegpt":
        rows["message_property_mappings"] = {"role": "from", "content": "value"}
    return {"chat_template": "tokenizer_default", "datasets": [{**rows, **_CHAT}]}


def describe_preferences(name: str) -> dict[str, object]:
    """Return the keys of an Axolotl config that load rows with a chosen and a rejected reply."""
    rows = {
        "path": name,
        "type": "chat_template.default",
        "field_messages": "prompt",
        "field_chosen": "chosen",
        "field_rejected": "rejected",
    }
    return {"rl": "dpo", "chat_template": "tokenizer_default", "datasets": [rows]}


def describe_meta(config: Config, entries: Sequence[FileEntry]) -> str:
    """Return README.md."""
    dataset, *others = (one for one in entries if one.in_config)
    settings = config.meta_datagen
    learnt = "the reply is learnt, the prompt is read"
    paragraphs = [
        "# The calls of this run, to learn from",
        f"`{dataset.name}`: {dataset.rows:,} rows, {learnt}. The longest has {dataset.longest:,} "
        f"tokens, which `sequence_len` has to hold. Of the examples of each prompt the share "
        f"{settings.example_share:g} is left, so that a model learns to do without them.",
        _snippet(describe_datasets(settings.format, dataset.name)),
    ]
    for one in others:
        paragraphs += [
            f"`{one.name}`: {one.rows:,} rows of two replies to one prompt: the one that was "
            "taken, and one that was outvoted or refused. The longest has "
            f"{one.longest:,} tokens.",
            _snippet(describe_preferences(one.name)),
        ]
    paragraphs.append(
        f"The keys are those of axolotl {VERSION}. TRL's `DPOTrainer` takes the pairs as they are. "
        "Where each row comes from stands in `provenance/`, line by line."
    )
    return "\n\n".join(paragraphs) + "\n"


def _snippet(keys: dict[str, object]) -> str:
    text = yaml.safe_dump(keys, sort_keys=False).rstrip()
    text = text.replace("tokenizer_default", f"tokenizer_default {_TEMPLATE}")
    return f"```yaml\n{text}\n```"
