"""What an Axolotl config says of the data: files, their types, the masks, the chat template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from generation_functions.config import Config
from generation_functions.datasets.row_files import FileEntry
from generation_functions.datasets.settings import Setting
from generation_functions.records import make_uuid

CHATML_TOKENS = ["<|im_start|>", "<|im_end|>"]
_COMPLETION = (
    ' `completion` trains on the whole of {"text"}, the questions included; BOS and EOS are added.'
)
_CHAT = (
    " `chat_template` renders ShareGPT rows with the tokenizer's template, the one above, and "
    "trains on the answers and on the token that ends each."
)
_PARTS = " `input_output` trains on the segments whose label is true; BOS and EOS stand in them."


@dataclass(frozen=True, slots=True)
class Data:
    """The files that a config lists, relative to its folder, and what they hold.

    The rows of `segmented` ones are segments, of which only a part is trained on, those of `chats`
    are ShareGPT; all others are completions. `longer` rows have more tokens than sequence_len,
    `longest` the most. `fingerprint` is made of all rows.
    """

    paths: tuple[str, ...]
    rows: int
    tokens: int
    segmented: tuple[str, ...] = ()
    chats: tuple[str, ...] = ()
    longer: int = 0
    longest: int = 0
    fingerprint: str = ""


def describe_data(entries: Sequence[FileEntry], sequence_len: int) -> Data:
    """Return what a config says of the files that it lists."""
    used = [entry for entry in entries if entry.in_config]
    return Data(
        paths=tuple(entry.name for entry in used),
        rows=sum(entry.rows or 0 for entry in used),
        tokens=sum(entry.tokens or 0 for entry in used),
        segmented=tuple(entry.name for entry in used if entry.segments),
        chats=tuple(entry.name for entry in used if entry.chat),
        longer=sum(entry.count_longer(sequence_len) for entry in used),
        longest=max((entry.longest or 0 for entry in used), default=0),
        fingerprint=make_uuid("rows", *(f"{entry.name} {entry.sha256}" for entry in used))[:8],
    )


def data_settings(data: Data, name: str) -> tuple[Setting, ...]:
    """Return the files with their types, and what goes with them."""
    completions = set(data.paths) - {*data.segmented, *data.chats}
    said = (
        "The data, relative to this folder: start the training in here."
        + (_COMPLETION if completions else "")
        + (_CHAT if data.chats else "")
        + (_PARTS if data.segmented else "")
    )
    return (
        Setting("datasets", [_list_file(path, data) for path in data.paths], said),
        *((_masks(data),) if data.segmented or data.chats else ()),
        Setting(
            "dataset_prepared_path",
            f"../prepared_{name}/{data.fingerprint}",
            "Where the tokenized data is kept for the next start. Its name is made of the rows: "
            "Axolotl does not see that files of the same names have other rows by now.",
        ),
        Setting("shuffle_merged_datasets", True, "Mix the rows of all files."),
    )


def chat_settings(config: Config, data: Data) -> tuple[Setting, ...]:
    """Return what the tokenizer needs so that the end of an answer is learnt in chats."""
    if not data.chats or config.final_datasaving_settings.template != "chatml":
        return ()
    save = Setting(
        "lora_modules_to_save",
        ["embed_tokens", "lm_head"],
        "Trained whole beside the adapter, since the tokens above are new to the model. The names "
        "are those of Llama and Mistral.",
    )
    return (
        Setting("tokens", CHATML_TOKENS, "Become tokens, where the model has none such."),
        Setting("eot_tokens", CHATML_TOKENS[1:], "What ends a turn; learnt behind an answer."),
        *((save,) if config.model_training.adapter else ()),
    )


def _list_file(path: str, data: Data) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": path, "ds_type": "json"}
    if path in data.segmented:
        return {**entry, "type": "input_output"}
    if path not in data.chats:
        return {**entry, "type": "completion"}
    return {
        **entry,
        "type": "chat_template",
        "chat_template": "tokenizer_default",
        "field_messages": "conversations",
        "message_property_mappings": {"role": "from", "content": "value"},
        "roles": {"user": ["human"], "assistant": ["gpt"], "system": ["system"]},
        "roles_to_train": ["assistant"],
        "train_on_eos": "turn",
    }


def _masks(data: Data) -> Setting:
    what = "the segments whose label is false" if data.segmented else ""
    what += " and " if data.segmented and data.chats else ""
    what += "questions and system prompts of chats" if data.chats else ""
    why = f"Has to be false: true would train on {what} as well."
    return Setting("train_on_inputs", False, why)
