"""The sections of config.yaml on training: how rows are written, what is mixed in, the trainer."""

from pathlib import Path
from typing import Annotated, Any, Literal

from jinja2 import Environment, TemplateSyntaxError
from pydantic import Field, model_validator

from generation_functions.sections import Section

PRESETS = ("atk", "chatml")  # templates by name


def check_template(text: str) -> str:
    """Raise ValueError for a text that is neither a preset nor a Jinja2 template."""
    if text in PRESETS:
        return text
    if "{{" not in text and "{%" not in text:
        raise ValueError(f"{text!r} is neither {' nor '.join(PRESETS)} nor a Jinja2 template")
    try:
        Environment().parse(text)
    except TemplateSyntaxError as error:
        raise ValueError(f"no Jinja2 template: line {error.lineno}: {error.message}") from error
    return text


Percentage = Annotated[float, Field(ge=0, allow_inf_nan=False)]
DATA_FILES = (".jsonl", ".json", ".parquet")


class GenericDataset(Section):
    """Conversations that are not about the documents: of the Hugging Face hub, or a file."""

    path: str = Field(min_length=1)  # the hub's owner/name, or a file
    subset: str | None = None  # of a dataset of the hub that has several
    split: str = "train"  # of a dataset of the hub
    context_to_add: str = ""
    context_to_add_type: Literal["system", "human", "none"] = "none"

    @property
    def is_file(self) -> bool:
        """Whether it is a file by its name."""
        return Path(self.path).suffix.lower() in DATA_FILES


class FinalDatasaving(Section):
    """How conversations become training text, and which others are trained on beside them."""

    template: str = "atk"  # chatml, or a Jinja2 template
    template_kwargs: dict[str, Any] = Field(default={})  # for a template of one's own
    bos: str = "<s>"  # of the model to be trained; in rows of segments, which carry them
    eos: str = "</s>"
    generic_dataset_paths: tuple[GenericDataset, ...] = ()
    generic_dataset_percentages: tuple[Percentage, ...] = ()  # one for each
    max_samples_per_dataset: int | None = Field(default=100_000, ge=1)  # its first rows; None: all
    minimum_generic_sft: int = Field(default=0, ge=0)  # tokens, where the percentages sum to 100

    @model_validator(mode="after")
    def _usable(self) -> "FinalDatasaving":
        if self.template not in PRESETS:
            check_template(self.template)
        elif self.template_kwargs:
            raise ValueError("`template_kwargs` are for a template of your own")
        for name in self.template_kwargs:
            if not name.isidentifier() or name in {"messages", "add_generation_prompt"}:
                raise ValueError(f"`template_kwargs`: {name} cannot be a name")
        return self

    @model_validator(mode="after")
    def _percentage_of_each(self) -> "FinalDatasaving":
        named, percentages = self.generic_dataset_paths, self.generic_dataset_percentages
        if len(named) != len(percentages):
            raise ValueError(
                f"{len(named)} `generic_dataset_paths` and {len(percentages)} "
                "`generic_dataset_percentages`: give one percentage for each"
            )
        seen = [(one.path, one.subset, one.split) for one in named]
        for one in seen:
            if seen.count(one) > 1:
                raise ValueError(f"`generic_dataset_paths`: {one[0]} stands there twice")
        return self


class ModelTraining(Section):
    """What goes into the two Axolotl configs."""

    base_model: str = "alpindale/Mistral-7B-v0.2-hf"
    pretrain_hub_model_id: str | None = None
    pretrain_hub_strategy: str = "all_checkpoints"
    finetune_hub_model_id: str | None = None
    finetune_hub_strategy: str = "all_checkpoints"
    wandb_project: str | None = None
    is_mistral_derived_model: bool = True
    tokenizer: str | None = None  # of base_model: a folder, a GGUF or a Hugging Face id
    adapter: Literal["lora", "qlora"] | None = None  # None: all weights are trained
    sft_format: Literal["completion", "chat_template"] = "completion"
    gpus: int = Field(default=1, ge=1)  # of the trainer; they share the accumulation steps
    sequence_len: int = Field(default=5000, ge=128)
    gradient_accumulation_steps: int = Field(default=75, ge=1)
    micro_batch_size: int = Field(default=2, ge=1)
    num_epochs: int = Field(default=7, ge=1)
    other_pretrain_kwargs: dict[str, Any] = Field(default={})
    other_finetune_kwargs: dict[str, Any] = Field(default={})
