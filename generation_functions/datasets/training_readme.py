"""The README.md inside a training folder: how to start, how long it takes, its files."""

from collections.abc import Sequence

from generation_functions.datasets import axolotl, other_trainers
from generation_functions.datasets.manifest import NAME as MANIFEST
from generation_functions.datasets.manifest import FolderManifest
from generation_functions.datasets.settings import Setting, values_of

NAME = "README.md"


def write_readme(folder: str, manifest: FolderManifest, settings: Sequence[Setting]) -> str:
    """Return the README.md of `folder`, by its name."""
    sft = folder == axolotl.SFT_FOLDER
    parts = (
        _begin(sft),
        _start(manifest, settings, sft),
        _measure(manifest, settings),
        _share_out(manifest, sft),
        _list_files(manifest, sft),
        _go_elsewhere(manifest),
    )
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _begin(sft: bool) -> str:
    if sft:
        return (
            "# sft_run: fine-tuning\n\nWhat is asked and answered. It is trained second, on the "
            "result of `../pretraining_run`."
        )
    return (
        "# pretraining_run: continued pretraining\n\nThe texts, and what was told of them. It is "
        "trained first; `../sft_run` goes on from its result."
    )


def _start(manifest: FolderManifest, settings: Sequence[Setting], sft: bool) -> str:
    values = values_of(settings)
    folder = values.get("output_dir")
    trained = f"The {'adapter' if manifest.merge else 'model'} goes to `{folder}`"
    trained += (
        f", checkpoints to `{values['hub_model_id']}`." if values.get("hub_model_id") else "."
    )
    steps = [
        "Install [Axolotl](https://docs.axolotl.ai), where PyTorch is already: `pip install "
        f'--no-build-isolation "axolotl[flash-attn]=={manifest.axolotl}"` (without `flash-attn` '
        "set `attn_implementation: flex_attention`). Copy `pretraining_run/` and `sft_run/` side "
        "by side to that machine.",
        f"Inside this folder:\n\n   ```\n   {manifest.launch}\n   ```\n\n   {trained}",
    ]
    if manifest.merge:
        after = (
            "This is the finished model."
            if sft
            else "`../sft_run` starts from it, not from the adapter alone."
        )
        steps.append(
            f"Merge the adapter into its model:\n\n   ```\n   {manifest.merge}\n   ```\n\n   The "
            f"merged model goes to `{folder}/{axolotl.MERGED}`. {after}"
        )
    starts = f"It starts from `{values.get('base_model')}`."
    said = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    return f"## Train\n\n{starts}\n\n{said}"


def _measure(manifest: FolderManifest, settings: Sequence[Setting]) -> str:
    steps = manifest.optimizer_steps
    batch = manifest.effective_batch
    share = manifest.longer / max(manifest.rows, 1)
    rows = {
        "rows": f"{manifest.rows:,}",
        "tokens": f"{manifest.tokens:,}, as `{manifest.token_counter}` counts",
        "tokens an epoch": f"{manifest.tokens_per_epoch:,}, what is held out left out",
        "epochs": str(values_of(settings).get("num_epochs")),
        "longer than `sequence_len`": (
            f"{manifest.longer:,} rows ({share:.2%}) have more than {manifest.sequence_len:,} "
            "tokens"
        ),
        "effective batch": "as your settings say" if batch is None else f"{batch:,} sequences",
        "optimizer steps": "as your settings say" if steps is None else f"about {steps:,}",
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    note = f"\n\n{manifest.token_counter_note}" if manifest.token_counter_note else ""
    advice = f"\n\n**Few steps.** {manifest.advice}" if manifest.advice else ""
    return f"## How much it is\n\n| | |\n|---|---|\n{table}{note}{advice}"


def _share_out(manifest: FolderManifest, sft: bool) -> str:
    option = f"other_{'finetune' if sft else 'pretrain'}_kwargs"
    gpus = "1 GPU" if manifest.gpus == 1 else f"{manifest.gpus} GPUs"
    return f"""
## Other numbers of GPUs

The config is for {gpus}. The effective batch is gradient_accumulation_steps x
micro_batch_size x GPUs; on another number of GPUs the same config trains another way. Set
`model_training.gpus` and write the datasets again, or change `gradient_accumulation_steps` so that
the product stays. `--num_processes` says how many of the machine's GPUs are used.

Each GPU holds the whole model: 6 bytes a parameter with its gradients and an 8-bit optimizer, 44
GB for Mistral 7B, and more for the sequences. With `model_training.adapter: lora` it is about 2
bytes a parameter, with `qlora` half a byte. Where it does not fit nevertheless: `axolotl fetch
deepspeed_configs`, then `deepspeed: deepspeed_configs/zero2.json` in the config (gradients and
optimizer are shared out), or `zero3_bf16.json` (the weights too), with `optimizer:
adamw_torch_fused`; DeepSpeed comes with Axolotl's extra `deepspeed`. To have these written:
`model_training.{option}`.
"""


def _list_files(manifest: FolderManifest, sft: bool) -> str:
    trained = [entry for entry in manifest.files if entry.in_config]
    rows = "\n".join(
        f"| `{entry.name}` | {_say_type(entry.segments, entry.chat)} | {entry.rows or 0:,} | "
        f"{entry.tokens or 0:,} |"
        for entry in trained
    )
    marked = any(entry.segments for entry in trained)
    segments = "Of segments only those are trained on whose label is true. " if marked else ""
    beside = (
        " `combined_factual_data/` and `factual_sft_completion/` hold the same rows, as ShareGPT "
        "and as texts; the config lists one of them."
        if sft
        else ""
    )
    return (
        "## Files\n\nWhat the config lists:\n\n"
        f"| file | type | rows | tokens |\n|---|---|---|---|\n{rows}\n\n"
        f"{segments}`{MANIFEST}` has every file with its hash, `provenance/` where each row comes "
        f"from.{beside}"
    )


def _say_type(segments: bool, chat: bool) -> str:
    return "segments" if segments else "chats" if chat else "texts"


def _go_elsewhere(manifest: FolderManifest) -> str:
    return f"""
## Other trainers

- [TRL](https://huggingface.co/docs/trl) and [Unsloth](https://docs.unsloth.ai): `python
  {other_trainers.TRL_SCRIPT}` (`--unsloth`) reads Axolotl's config and trains on the same rows with
  the same masks, segments included. Nothing is held out.
- [LLaMA-Factory](https://llamafactory.readthedocs.io): {_go_to_llamafactory(manifest)}
"""


def _go_to_llamafactory(manifest: FolderManifest) -> str:
    trained = [entry for entry in manifest.files if entry.in_config]
    if not any(map(other_trainers.is_known, trained)):
        return "nothing here for it: all rows are segments, for which it has no masks."
    segments = any(entry.segments for entry in trained)
    loses = " It leaves out the files of segments, for which it has no masks." if segments else ""
    return (
        f"`llamafactory-cli train {other_trainers.LLAMAFACTORY}`; `{other_trainers.DATASET_INFO}` "
        f"names the files. Texts are packed without masks between rows.{loses}"
    )
