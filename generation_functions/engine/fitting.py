"""From a model's settings to what fits this machine: slots, or an error that says the sum.

Weights on the CPU are mapped from the file, and Linux may drop such pages and read them
again. So they count where slots are chosen, but a model is not refused for them: where only
they do not fit, it is loaded without repacked copies of them, slowly, and said to be slow.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace

from generation_functions.engine.devices import Machine, read_machine
from generation_functions.engine.footprint import KV_BLOCKS, Footprint, read_footprint
from generation_functions.engine.gguf import ModelFile
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.plan import Plan, gpus_of, lay_out
from generation_functions.errors import ModelError

_log = logging.getLogger(__name__)
_SLOTS = (64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1)
_MOST_ON_CPU = 8  # cores, not memory, are what more slots would wait for


def fit_settings(model: ModelFile, settings: LoadSettings) -> LoadSettings:
    """Return the settings with slots for what is free at this moment. Raises ModelError.

    To be called just before loading, when the other role's model is gone.
    """
    plan = choose_plan(model, settings, read_machine(settings.gpu_layers))
    for share in plan.shares:
        _log.info("%s: %s", model.path.name, plan.describe(share))
    if plan.spills:
        _log.warning(
            "%s: the weights do not fit into memory; they are read from disk again and again, "
            "which is very slow. A smaller quantisation would fit.",
            model.path.name,
        )
    return replace(
        settings,
        slots=plan.slots,
        batch=max(settings.batch, plan.slots),  # each slot may have a token in a batch
        extra_bufts=settings.extra_bufts and not plan.spills,
    )


def check_settings(model: ModelFile, settings: LoadSettings) -> None:
    """Raise ModelError for what no memory would help: context, RoPE and cache that do not go."""
    trained, scale = model.context_length, settings.rope_scale
    if scale and settings.rope_scaling not in ("linear", "yarn"):
        raise ModelError(f"`rope_scale: {scale}` needs `rope_scaling: linear` or `yarn`.")
    if trained and scale:
        original = f"{model.architecture}.rope.scaling.original_context_length"
        trained = int(int(model.metadata.get(original, trained)) * scale)
    if trained and settings.context > trained:
        stretched = f", {trained} with `rope_scale: {scale}`" if scale else ""
        raise ModelError(
            f"{model.path}: trained with a context of {model.context_length} tokens{stretched}; "
            f"`context: {settings.context}` in the config asks for more. Lower it, or stretch the "
            "context with `rope_scaling` and `rope_scale`."
        )
    if not 0 <= settings.slots <= 128:
        raise ModelError(f"`slots: {settings.slots}`: from 1 to 128.")
    if settings.kv_type not in ("f16", "bf16") and settings.flash_attention == "off":
        raise ModelError(
            f"`kv_type: {settings.kv_type}` needs flash attention: set `flash_attention: auto`."
        )
    block = KV_BLOCKS[settings.kv_type][0]
    if any(length % block for length in read_footprint(model).head_lengths):
        raise ModelError(
            f"{model.path}: its heads do not divide into blocks of `kv_type: {settings.kv_type}`. "
            "Set `kv_type: f16`."
        )


def choose_plan(model: ModelFile, settings: LoadSettings, machine: Machine) -> Plan:
    """Choose slots, or check those that are given. Raises ModelError with the sum and ways out."""
    check_gpus(settings, machine)
    shape = read_footprint(model)
    if settings.slots:
        plan = lay_out(shape, settings, machine)
        if plan.fits:
            return plan
        raise ModelError(_refuse(model, shape, settings, machine))
    on_cpu = not gpus_of(settings, machine)
    for slots in _SLOTS[_SLOTS.index(_MOST_ON_CPU) if on_cpu else 0 :]:
        plan = lay_out(shape, replace(settings, slots=slots), machine)
        if all(share.fits_well for share in plan.shares):
            return plan
    if not plan.fits:
        raise ModelError(_refuse(model, shape, replace(settings, slots=1), machine))
    return plan


def check_gpus(settings: LoadSettings, machine: Machine) -> None:
    """Raise ModelError for GPUs that the settings name and the machine lacks, or cannot use."""
    count, layers = len(machine.gpus), settings.gpu_layers
    shown = f"this machine shows {count} NVIDIA GPU{'' if count == 1 else 's'}"
    if settings.gpu is not None and settings.gpu >= count:
        raise ModelError(f"`gpus` names GPU {settings.gpu}; {shown}, counted from 0.")
    if layers and count and not machine.offload:
        raise ModelError(
            "there is an NVIDIA GPU, but llama.cpp was built without support for it. Build it "
            "again (remove .wheels, `pip uninstall llama_cpp_python`, `make setup`; see 'On a "
            "rented GPU' in README.md), or set `gpu_layers: 0` to use the CPU on purpose."
        )
    if layers > 0 and not count and not machine.offload:
        raise ModelError(
            f"`gpu_layers: {layers}`, but there is no GPU that llama.cpp can use: {shown}. Look "
            "for its driver (`nvidia-smi`) and at CUDA_VISIBLE_DEVICES, or set `gpu_layers: 0` to "
            "use the CPU on purpose."
        )
    if settings.tensor_split and len(settings.tensor_split) > count > 0:
        raise ModelError(f"`tensor_split` has {len(settings.tensor_split)} shares; {shown}.")


def _refuse(model: ModelFile, shape: Footprint, settings: LoadSettings, machine: Machine) -> str:
    plan = lay_out(shape, settings, machine)
    sums = [plan.describe(share) for share in plan.shares if not share.fits]
    ways = list(ways_out(shape, settings, machine))
    advice = (
        "Set " + ", or ".join(ways) + "."
        if ways
        else "No setting makes it fit: take a smaller quantisation or a smaller model."
    )
    return f"{model.path.name} does not fit: {'; '.join(sums)}. {advice}"


def ways_out(shape: Footprint, settings: LoadSettings, machine: Machine) -> Iterator[str]:
    """Yield changes of one setting that would make the model fit."""

    def fits(**changes: object) -> bool:
        return lay_out(shape, replace(settings, **changes), machine).fits  # type: ignore[arg-type]

    for slots in range(settings.slots - 1, 0, -1):
        if fits(slots=slots):
            yield f"`slots: {slots}`"
            break
    for context in range((settings.context - 1) // 256 * 256, 0, -256):
        if fits(context=context):
            yield f"`context: {context}`"
            break
    if KV_BLOCKS[settings.kv_type][0] == 1 and settings.flash_attention != "off":
        for kv_type in ("q8_0", "q4_0"):
            if fits(kv_type=kv_type):
                yield f"`kv_type: {kv_type}`"
                break
    layers = len(shape.layers) + 1 if settings.gpu_layers < 0 else settings.gpu_layers
    for gpu_layers in range(layers - 1 if gpus_of(settings, machine) else 0, 0, -1):
        if fits(gpu_layers=gpu_layers):
            yield f"`gpu_layers: {gpu_layers}` (the rest on the CPU: slow)"
            break
