"""What a model is, in a few words that may outlive its file: for cards, bundles and tables."""

from dataclasses import dataclass

from generation_functions.engine.gguf import ModelFile

# general.file_type, from the enum llama_ftype in llama.h
FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4",
    39: "NVFP4",
    40: "Q1_0",
    41: "Q2_0",
}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model, as the header of its GGUF describes it, or as a server names it.

    `fingerprint` is part of the key of every request. `file` is "" for a model behind a server,
    `size` is in bytes, of all parts; what is not known is "" or 0.
    """

    fingerprint: str
    file: str = ""
    name: str = ""
    architecture: str = ""
    quantisation: str = ""
    parameters: int = 0
    size: int = 0
    licence: str = ""


def describe_model(model: ModelFile) -> ModelFacts:
    """Return what a GGUF's header says of the model."""
    said = model.metadata
    return ModelFacts(
        fingerprint=model.fingerprint,
        file=model.path.name,
        name=str(said.get("general.name", "")),
        architecture=model.architecture,
        quantisation=_name_type(said.get("general.file_type")),
        parameters=int(said.get("general.parameter_count") or model.parameters),
        size=model.size,
        licence=_name_licence(model),
    )


def _name_type(number: int | None) -> str:
    return "" if number is None else FILE_TYPES.get(number, f"type {number}")


def _name_licence(model: ModelFile) -> str:
    """Return the licence and its link, "" where the header names none."""
    entries = ("general.license.name", "general.license", "general.license.link")
    name, short, link = (str(model.metadata.get(entry, "")) for entry in entries)
    said = name if name and short in ("", "other") else short
    return " ".join(part for part in (said or ("not said" if link else ""), link) if part)
