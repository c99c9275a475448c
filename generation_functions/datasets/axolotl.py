"""The two Axolotl configs, every setting with its meaning in a comment.

Key names are those of axolotl==0.19.0 (axolotl/utils/schemas, integrations/liger/args.py).
"""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from generation_functions.config import Config
from generation_functions.datasets.axolotl_data import Data, chat_settings, data_settings
from generation_functions.datasets.axolotl_training import training_settings
from generation_functions.datasets.settings import Setting, override, values_of
from generation_functions.datasets.templates import make_template

VERSION = "0.19.0"
PRETRAINING_FOLDER = "pretraining_run"
SFT_FOLDER = "sft_run"
PRETRAINING_CONFIG = "axolotl_pretraining_config.yaml"
SFT_CONFIG = "sft_training_config.yaml"
# Beside the two folders, which are replaced whole: a trained model must outlive that.
PRETRAINED_MODEL = "../pretrained_model"
FINETUNED_MODEL = "../finetuned_model"
MERGED = "merged"  # the folder in output_dir that merge-lora writes
MISTRAL = "alpindale/Mistral-7B-v0.2-hf"
_WHY_MISTRAL = (
    " Mistral 7B v0.2 has seen less text than newer models of its size and takes up new knowledge "
    "more readily (https://arxiv.org/abs/2503.19206); it is cheap to train and to run, and its "
    "licence is free (Apache 2.0)."
)
_ENDS = {
    "atk": " It ends every turn with **Finished.**: use that as a stop string.",
    "chatml": " It ends every turn with <|im_end|>: use that as a stop string.",
}


def launch_command(config_name: str, gpus: int = 1) -> str:
    """Return the command to train with on so many GPUs, to be run inside the folder.

    The number is always said: accelerate would take all that there are.
    """
    return f"accelerate launch --num_processes {gpus} -m axolotl.cli.train {config_name}"


def merge_command(config_name: str, settings: Sequence[Setting]) -> str:
    """Return the command that merges an adapter into its model; "" where none is trained."""
    return f"axolotl merge-lora {config_name}" if values_of(settings).get("adapter") else ""


def pretraining_settings(config: Config, data: Data) -> tuple[Setting, ...]:
    """Return the config for continued pretraining, the user's own settings last."""
    training = config.model_training
    reasons = _WHY_MISTRAL if training.base_model == MISTRAL else ""
    base = "The model that training starts from: a Hugging Face id or a folder." + reasons
    ours = (
        Setting("base_model", training.base_model, base),
        *_model(config),
        *data_settings(data, "pretraining"),
        *_output(
            PRETRAINED_MODEL, training.pretrain_hub_model_id, training.pretrain_hub_strategy, config
        ),
        *training_settings(config, data),
        *_reports(config, "pretraining"),
    )
    return override(ours, training.other_pretrain_kwargs, "other_pretrain_kwargs")


def sft_settings(config: Config, data: Data, pretraining: Sequence[Setting]) -> tuple[Setting, ...]:
    """Return the config for supervised fine-tuning of what `pretraining` ends in."""
    training = config.model_training
    ours = (
        _pretraining_result(values_of(pretraining)),
        *_model(config),
        Setting(
            "chat_template",
            "jinja",
            "The finished tokenizer carries the chat template below.",
        ),
        Setting(
            "chat_template_jinja",
            make_template(config).trainer_source,
            "The template that the rows were written with, so that the model is asked as it "
            f"was trained.{_ENDS.get(config.final_datasaving_settings.template, '')}",
        ),
        *chat_settings(config, data),
        *data_settings(data, "sft"),
        *_output(
            FINETUNED_MODEL, training.finetune_hub_model_id, training.finetune_hub_strategy, config
        ),
        *training_settings(config, data),
        *_reports(config, "sft"),
    )
    return override(ours, training.other_finetune_kwargs, "other_finetune_kwargs")


def _pretraining_result(pretraining: Mapping[str, Any]) -> Setting:
    """Return the base of the fine-tuning: what was uploaded, or the folder; of an adapter merged.

    The hub has the adapter alone.
    """
    start = "The model that training starts from: the result of the pretraining. "
    place = "Where that is a path, it is where a pretraining in ../pretraining_run puts its model."
    adapter = pretraining.get("adapter")
    if adapter:
        place = (
            "It was trained as an adapter, which has to be merged into its model first: inside "
            f"../pretraining_run run `axolotl merge-lora {PRETRAINING_CONFIG}`."
        )
    if pretraining.get("hub_model_id") and not adapter:
        return Setting("base_model", str(pretraining["hub_model_id"]), start + place)
    folder = str(pretraining.get("output_dir") or PRETRAINED_MODEL)
    folder = posixpath.join("..", PRETRAINING_FOLDER, folder, MERGED if adapter else "")
    return Setting("base_model", posixpath.normpath(folder), start + place)


def _model(config: Config) -> tuple[Setting, ...]:
    mistral = config.model_training.is_mistral_derived_model
    pad = Setting(
        "special_tokens",
        {"pad_token": "<unk>"},
        "Mistral has no padding token of its own; this one is in its vocabulary and unused.",
    )
    return (
        Setting("model_type", "AutoModelForCausalLM", "The class that loads the model."),
        Setting("tokenizer_type", "AutoTokenizer", "The class that loads its tokenizer."),
        Setting(
            "is_mistral_derived_model",
            mistral,
            "Whether the model descends from Mistral, which pads on the left when rows are "
            "not packed.",
        ),
        *((pad,) if mistral else ()),
    )


def _output(folder: str, hub_id: str | None, strategy: str, config: Config) -> tuple[Setting, ...]:
    what = " Of an adapter only that is uploaded." if config.model_training.adapter else ""
    hub = (
        Setting(
            "hub_model_id",
            hub_id or "you/model",
            f"The Hugging Face repository to upload to.{what}",
        ),
        Setting(
            "hub_strategy",
            strategy,
            "What is uploaded: every checkpoint (all_checkpoints), the last one so that training "
            "can go on elsewhere (checkpoint), the model at each save (every_save) or at the "
            "end (end). The first of them takes the most space.",
        ),
    )
    return (
        Setting(
            "output_dir",
            folder,
            "Where checkpoints and the finished model go: beside this folder, which is replaced "
            "when the datasets are written again.",
        ),
        *(hub if hub_id else (replace(one, off=True) for one in hub)),
    )


def _reports(config: Config, name: str) -> tuple[Setting, ...]:
    project = config.model_training.wandb_project
    wandb = (
        Setting("wandb_project", project, "The Weights & Biases project to report to."),
        Setting("wandb_name", name, "The name of the run there."),
    )
    return (
        Setting("logging_steps", 1, "Optimizer steps between two lines of the log."),
        *(wandb if project else ()),
    )
