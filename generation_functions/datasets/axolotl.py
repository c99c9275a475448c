"""The two Axolotl configs, every setting with its meaning in a comment.

Key names are those of axolotl==0.19.0 (axolotl/utils/schemas, integrations/liger/args.py).
"""

import math
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generation_functions.config import Config
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
FEWEST_ROWS_TO_EVALUATE = 50
_ENDS = {
    "atk": " It ends every turn with **Finished.**: use that as a stop string.",
    "chatml": " It ends every turn with <|im_end|>: use that as a stop string.",
}
_STEP_KEYS = ("sequence_len", "micro_batch_size", "gradient_accumulation_steps", "num_epochs")


@dataclass(frozen=True, slots=True)
class Data:
    """The files that a config lists, relative to its folder, and what they hold.

    The rows of `segmented` ones are segments, of which only a part is trained on.
    """

    paths: tuple[str, ...]
    rows: int
    tokens: int
    segmented: tuple[str, ...] = ()


def launch_command(config_name: str) -> str:
    """Return the command to train with, to be run inside the folder."""
    return f"accelerate launch -m axolotl.cli.train {config_name}"


def pretraining_settings(config: Config, data: Data) -> tuple[Setting, ...]:
    """Return the config for continued pretraining, the user's own settings last."""
    training = config.model_training
    ours = (
        Setting(
            "base_model",
            training.base_model,
            "The model that training starts from: a Hugging Face id or a folder.",
        ),
        *_model(config),
        *_data(data, "pretraining"),
        *_output(PRETRAINED_MODEL, training.pretrain_hub_model_id, training.pretrain_hub_strategy),
        *_training(config, data.rows),
        *_reports(config, "pretraining"),
    )
    return override(ours, training.other_pretrain_kwargs, "other_pretrain_kwargs")


def sft_settings(config: Config, data: Data, pretraining: Sequence[Setting]) -> tuple[Setting, ...]:
    """Return the config for supervised fine-tuning of what `pretraining` ends in."""
    training = config.model_training
    ours = (
        Setting(
            "base_model",
            _pretraining_result(values_of(pretraining)),
            "The model that training starts from: the result of the pretraining. Where that is a "
            "path, it is where a pretraining in ../pretraining_run puts its model.",
        ),
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
        *_data(data, "sft"),
        *_output(FINETUNED_MODEL, training.finetune_hub_model_id, training.finetune_hub_strategy),
        *_training(config, data.rows),
        *_reports(config, "sft"),
    )
    return override(ours, training.other_finetune_kwargs, "other_finetune_kwargs")


def estimate_steps(settings: Sequence[Setting], tokens: int) -> int | None:
    """Return the optimizer steps on one GPU, after axolotl's calculate_total_num_steps.

    None where the user's own settings make it something else (max_steps, a missing value).
    """
    values = values_of(settings)
    numbers = [values.get(key) for key in _STEP_KEYS]
    usable = [number for number in numbers if isinstance(number, int | float) and number > 0]
    if values.get("max_steps") or len(usable) < len(_STEP_KEYS):
        return None
    *sizes, epochs = usable
    trained = tokens * (1 - float(values.get("val_set_size") or 0))
    return int(max(1, trained // math.prod(sizes)) * epochs)


def _pretraining_result(pretraining: Mapping[str, Any]) -> str:
    if pretraining.get("hub_model_id"):
        return str(pretraining["hub_model_id"])
    folder = str(pretraining.get("output_dir") or PRETRAINED_MODEL)
    return posixpath.normpath(posixpath.join("..", PRETRAINING_FOLDER, folder))


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


def _data(data: Data, name: str) -> tuple[Setting, ...]:
    kinds = dict.fromkeys(data.paths, "completion") | dict.fromkeys(data.segmented, "input_output")
    parts = " `input_output` trains on the segments whose label is true; BOS and EOS stand in them."
    return (
        Setting(
            "datasets",
            [{"path": path, "ds_type": "json", "type": kind} for path, kind in kinds.items()],
            "The data, relative to this folder: start the training in here. `completion` "
            'trains on the whole of {"text"}, the questions included; BOS and EOS are added.'
            + (parts if data.segmented else ""),
        ),
        *((_masks(),) if data.segmented else ()),
        Setting(
            "dataset_prepared_path",
            f"../prepared_{name}",
            "Where the tokenized data is kept for the next start.",
        ),
        Setting("shuffle_merged_datasets", True, "Mix the rows of all files."),
    )


def _masks() -> Setting:
    why = "Has to be false: true would train on the segments whose label is false as well."
    return Setting("train_on_inputs", False, why)


def _output(folder: str, hub_id: str | None, strategy: str) -> tuple[Setting, ...]:
    hub = (
        Setting("hub_model_id", hub_id, "The Hugging Face repository to upload to."),
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
        *(hub if hub_id else ()),
    )


def _training(config: Config, rows: int) -> tuple[Setting, ...]:
    training = config.model_training
    batch = training.gradient_accumulation_steps * training.micro_batch_size
    return (
        Setting("seed", config.system.seed, "Fixes the shuffling and the held-out rows."),
        Setting(
            "sequence_len",
            training.sequence_len,
            "Context length in tokens. Longer needs more GPU memory and makes fewer optimizer "
            "steps; rows beyond it are split, or, of segments, dropped.",
        ),
        Setting(
            "sample_packing",
            True,
            "Put several short rows into one sequence; they do not see each other.",
        ),
        Setting("pad_to_sequence_len", True, "Fill every sequence up: constant memory use."),
        Setting(
            "gradient_accumulation_steps",
            training.gradient_accumulation_steps,
            "Batches that make one optimizer step. Effective batch size = this x "
            f"micro_batch_size x GPUs, here {batch} on one GPU. With more GPUs lower this so "
            "that the product stays; with too little data for enough steps lower it as well.",
        ),
        Setting(
            "micro_batch_size",
            training.micro_batch_size,
            "Sequences on a GPU at once. Higher is faster and needs more memory.",
        ),
        Setting(
            "num_epochs",
            training.num_epochs,
            "Times the data is gone through. Facts need several; too many, together with the "
            "noise below, harm the model.",
        ),
        Setting("optimizer", "paged_adamw_8bit", "AdamW with its state in 8 bits: less memory."),
        Setting("learning_rate", 0.00002, "Size of an optimizer step."),
        Setting(
            "lr_scheduler",
            "constant_with_warmup",
            "The learning rate rises during the warm-up and then stays.",
        ),
        Setting("warmup_ratio", 0.1, "Share of the steps that the warm-up takes."),
        Setting("weight_decay", 0.0, "Pull of the weights towards zero; none here."),
        Setting(
            "neftune_noise_alpha",
            5,
            "Noise on the embeddings while training (NEFTune): against learning by rote.",
        ),
        Setting(
            "bf16",
            "auto",
            "Compute in bfloat16 where the GPU can (NVIDIA Ampere or newer).",
        ),
        Setting(
            "gradient_checkpointing",
            True,
            "Compute activations again instead of keeping them: slower, far less memory.",
        ),
        Setting(
            "attn_implementation",
            "flash_attention_2",
            "The attention kernel. Without flash-attn on the trainer: flex_attention.",
        ),
        Setting(
            "plugins",
            ["axolotl.integrations.liger.LigerPlugin"],
            "Fused kernels, which save memory. Not for every architecture: if loading fails, "
            "remove this and the liger keys.",
        ),
        Setting("liger_rope", True, "Fused rotary embedding."),
        Setting("liger_rms_norm", True, "Fused RMS norm."),
        Setting("liger_glu_activation", True, "Fused gated activation."),
        Setting(
            "liger_fused_linear_cross_entropy",
            True,
            "Loss without holding all logits: the largest saving.",
        ),
        *_evaluation(rows),
        Setting("saves_per_epoch", 1, "Checkpoints an epoch."),
        Setting("save_total_limit", 2, "Checkpoints that are kept on disk."),
    )


def _evaluation(rows: int) -> tuple[Setting, ...]:
    if rows < FEWEST_ROWS_TO_EVALUATE:
        why = f"Share of the rows held out: none, with fewer than {FEWEST_ROWS_TO_EVALUATE} rows."
        return (Setting("val_set_size", 0.0, why),)
    return (
        Setting(
            "val_set_size",
            0.04,
            "Share of the rows that is held out to measure the loss on, and not learnt. 0: none "
            "(then remove evals_per_epoch).",
        ),
        Setting("evals_per_epoch", 1, "Measurements an epoch."),
        Setting("eval_sample_packing", False, "Needed where few rows are held out."),
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
