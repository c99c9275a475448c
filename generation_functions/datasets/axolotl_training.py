"""What an Axolotl config says of the training itself: batch, steps, adapter, kernels, evaluation.

Learning rates: 2e-5 for all weights; an adapter's best rate is about ten times that of all weights
(Schulman et al., "LoRA Without Regret", 2025), with every linear layer adapted.
"""

from typing import Literal

from generation_functions.config import Config
from generation_functions.datasets.axolotl_data import Data
from generation_functions.datasets.optimizer_steps import share_accumulation
from generation_functions.datasets.settings import Setting

FEWEST_ROWS_TO_EVALUATE = 50


def training_settings(config: Config, data: Data) -> tuple[Setting, ...]:
    """Return the settings that both configs share."""
    return (
        Setting("seed", config.system.seed, "Fixes the shuffling and the held-out rows."),
        *_adapter(config.model_training.adapter),
        *_lengths(config, data),
        *_batch(config),
        *_optimizer(config),
        *_kernels(),
        *_evaluation(data.rows),
        Setting("saves_per_epoch", 1, "Checkpoints an epoch."),
        Setting("save_total_limit", 2, "Checkpoints that are kept on disk."),
    )


def _adapter(adapter: Literal["lora", "qlora"] | None) -> tuple[Setting, ...]:
    if adapter is None:
        return ()
    quantised = Setting("load_in_4bit", True, "The weights beside the adapter are held in 4 bits.")
    return (
        Setting(
            "adapter",
            adapter,
            "A small set of weights beside the model's own is trained, which takes far less memory "
            "and holds fewer facts. It has to be merged into the model afterwards: see README.md.",
        ),
        *((quantised,) if adapter == "qlora" else ()),
        Setting("lora_r", 64, "Rank: how many weights. More hold more facts and take more memory."),
        Setting("lora_alpha", 32, "Scale of the adapter: alpha / r."),
        Setting("lora_dropout", 0.0, "Share of it that is left out while training; none."),
        Setting("lora_target_linear", True, "Every linear layer gets its part of it."),
        Setting(
            "merge_method",
            "legacy",
            "The merged folder gets the trained tokenizer with its chat template; the default "
            "method (memory_efficient) copies that of the base model.",
        ),
    )


def _lengths(config: Config, data: Data) -> tuple[Setting, ...]:
    share = data.longer / max(data.rows, 1)
    found = f"none of the {data.rows:,} rows is" if not data.longer else (
        f"{data.longer:,} of the {data.rows:,} rows ({share:.2%}) are"
    )  # fmt: skip
    return (
        Setting(
            "sequence_len",
            config.model_training.sequence_len,
            "Context length in tokens. Longer needs more GPU memory and makes fewer optimizer "
            "steps; completions beyond it are split, other rows dropped. As counted for "
            f"MANIFEST.json, {found} longer than it is set here; the longest has "
            f"{data.longest:,} tokens.",
        ),
        Setting(
            "sample_packing",
            True,
            "Put several short rows into one sequence; they do not see each other.",
        ),
        Setting("pad_to_sequence_len", True, "Fill every sequence up: constant memory use."),
    )


def _batch(config: Config) -> tuple[Setting, ...]:
    training, gpus = config.model_training, config.model_training.gpus
    steps = share_accumulation(training.gradient_accumulation_steps, gpus)
    batch = steps * training.micro_batch_size * gpus
    on = "one GPU" if gpus == 1 else f"{gpus} GPUs"
    several = (
        " With more GPUs lower this so that the product stays (model_training.gpus does it)"
        if gpus == 1
        else f" On one GPU it would be {training.gradient_accumulation_steps}; on another number "
        "of GPUs change it so that the product stays. Where the model does not fit into each "
        "GPU, DeepSpeed shares it out: see README.md"
    )
    return (
        Setting(
            "gradient_accumulation_steps",
            steps,
            "Batches that make one optimizer step. Effective batch size = this x "
            f"micro_batch_size x GPUs, here {batch} on {on}.{several}; with too little data for "
            "enough steps lower it as well. A higher one generalises more, and blends facts "
            "together if far too high.",
        ),
        Setting(
            "micro_batch_size",
            training.micro_batch_size,
            "Sequences on a GPU at once. Higher is faster and needs more memory.",
        ),
    )


def _optimizer(config: Config) -> tuple[Setting, ...]:
    rate = 0.0002 if config.model_training.adapter else 0.00002
    times = (
        " An adapter takes ten times that of all weights." if config.model_training.adapter else ""
    )
    return (
        Setting(
            "num_epochs",
            config.model_training.num_epochs,
            "Times the data is gone through. Facts need several; too many, together with the "
            "noise below, harm the model.",
        ),
        Setting("optimizer", "paged_adamw_8bit", "AdamW with its state in 8 bits: less memory."),
        Setting("learning_rate", rate, f"Size of an optimizer step.{times}"),
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
    )


def _kernels() -> tuple[Setting, ...]:
    return (
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
