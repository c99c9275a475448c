"""The sections of config.yaml on folders, models, the run as a whole, and training."""

from pathlib import Path
from typing import Annotated, Any, Literal

from jinja2 import Environment, TemplateSyntaxError
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    field_serializer,
    model_validator,
)

from generation_functions.addresses import hide_logins


class Section(BaseModel):
    """A part of the config; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class InputDir(Section):
    """A folder of documents, with its own settings.

    `name` is what records and uuids call the folder; by default its path as given here,
    so that a run means the same on a machine where it lies elsewhere.
    """

    path: str
    name: str = ""
    use_subset: bool | None = None  # None: as in `system`
    subset_size: int | None = Field(default=None, ge=1)
    # None: `variation_generator_count`
    variation_generation_counts: int | None = Field(default=None, ge=0, le=100)
    factual_gen_use_subset: bool = False
    # None: as subset_size; pieces that each way of asking takes
    factual_gen_subset_size_per_way: int | None = Field(default=None, ge=1)
    # None: as subset_size; chunks that are asked about
    rag_use_subset: bool = False
    rag_subset_size: int | None = Field(default=None, ge=1)
    correction_use_subset: bool = False
    correction_subset_size: int | None = Field(default=None, ge=1)
    cleaned_by_hand: bool = False  # no rule drops a chunk of this folder
    final_system_prompt_additional_context: str = ""


class Paths(Section):
    """Where documents come from and where the run folder is (relative to the config file).

    `input_dir` is short for one entry of `input_dirs`, whose files are then not named after it.
    """

    input_dirs: tuple[InputDir, ...] = Field(min_length=1)
    input_dir: str | None = None
    output_dir: str
    skip_unreadable: bool = False  # files that cannot be read are left out, not an error
    models_dir: str = "logical_models"
    prompts: str | None = None
    default_prompts: str | None = None
    ocr: bool = False  # pages of a PDF without text are read by an installed tesseract
    ocr_languages: str = Field(default="eng", pattern=r"^\w+(\+\w+)*$")  # of its language files
    huggingface_cache_dir: str | None = None  # None: where huggingface_hub keeps its files

    @model_validator(mode="before")
    @classmethod
    def _one_dir(cls, values: Any) -> Any:
        """Make `input_dir` an entry of `input_dirs`, in which it stands when it is read back."""
        alone = values.get("input_dir") if isinstance(values, dict) else None
        if alone is None:
            return values
        listed = values.get("input_dirs")
        if not listed:
            return {**values, "input_dirs": ({"path": alone},)}
        if len(listed) > 1 or not isinstance(listed[0], dict) or listed[0].get("path") != alone:
            raise ValueError("give `input_dir` or `input_dirs`, not both")
        return values

    @property
    def prompt_folders(self) -> list[Path]:
        """The folders of prompts that go before the program's own, the first first."""
        return [Path(one) for one in (self.prompts, self.default_prompts) if one]


class Model(Section):
    """One model role: a GGUF in `path.models_dir`, or a model behind a server, and its use.

    The options from `slots` to `restarts` are for a GGUF, those from `model` on for a server.
    """

    gguf: str | None = None
    # several: requests go to them in turn
    url: str | tuple[str, ...] | None = Field(default=None, repr=False)
    context: int = Field(default=4096, ge=256)  # tokens of a prompt and its reply
    thinking: int = Field(default=0, ge=0)  # most tokens of thinking before a reply
    request_seconds: float = Field(default=1800, gt=0)  # most time for one reply
    slots: int | None = Field(default=None, ge=1, le=128)  # None: what fits
    gpu_layers: int = Field(default=-1, ge=-1)  # -1: all
    gpus: tuple[int, ...] | None = None  # a process on each; None: llama.cpp uses all as one
    tensor_split: tuple[float, ...] | None = None  # shares of GPUs that act as one
    threads: int | None = Field(default=None, ge=1)
    batch: int = Field(default=512, ge=32)
    kv_type: Literal["f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"] = "f16"
    kv_unified: bool = False  # one KV cache for all slots: less memory, slower
    flash_attention: Literal["auto", "on", "off"] = "auto"
    rope_scaling: Literal["none", "linear", "yarn"] | None = None  # None: as the GGUF says
    rope_scale: float | None = Field(default=None, ge=1)  # the context is stretched so far
    restarts: int = Field(default=3, ge=0)  # crashes of its process before an error
    model: str = ""  # the server's name for it
    server: Literal["llama-server", "vllm"] = "llama-server"  # how grammars are sent
    concurrency: int = Field(default=8, ge=1)  # requests at once to each url
    retries: int = Field(default=5, ge=0)  # after 429, 5xx and timeouts
    api_key_env: str | None = None  # the environment variable that holds a key
    cost_per_hour: float | None = Field(default=None, ge=0)  # of its machine, while it is asked
    # of tokens: of the prompts, of the replies
    cost_per_million: tuple[NonNegativeFloat, NonNegativeFloat] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Model":
        if (self.gguf is None) == (self.url is None):
            raise ValueError("give either `gguf` (a file in models_dir) or `url` (a server)")
        if self.url is not None and not self.url:
            raise ValueError("`url` names no server")
        return self

    @field_serializer("url")
    def _without_login(self, url: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        """What is written and shown has no user and password in it."""
        if isinstance(url, tuple):
            return tuple(hide_logins(one) for one in url)
        return hide_logins(url) if url else url


class EmbeddingModel(Section):
    """A GGUF in `path.models_dir` that makes vectors of texts, where `system.retriever` wants them.

    The prefixes are what a model was trained to see before what is looked through and for.
    """

    gguf: str | None = None
    context: int = Field(default=512, ge=64)  # tokens of a text; longer ones are cut, and counted
    slots: int | None = Field(default=None, ge=1, le=128)  # texts at once; None: what fits
    gpu_layers: int = Field(default=-1, ge=-1)  # -1: all
    threads: int | None = Field(default=None, ge=1)
    batch: int = Field(default=512, ge=32)  # at least `context`, whatever stands here
    text_prefix: str = ""
    question_prefix: str = ""


Role = Literal["small", "large"]
Retriever = Literal["bm25", "embedding", "both"]


class Models(Section):
    """The two roles, and what makes vectors. The same GGUF in both roles is loaded once.

    `steps` gives a step the other role than its own, by the step's name.
    """

    small: Model
    large: Model
    embedding: EmbeddingModel = EmbeddingModel()
    steps: dict[str, Role] = {}

    def of(self, role: str) -> Model:
        """Return the model of a role."""
        return {"small": self.small, "large": self.large}[role]


class System(Section):
    """What holds for the whole run."""

    seed: int = 0
    chunk_size: int = Field(default=400, ge=32)  # tokens of the run's counter
    chunk_overlap: int = Field(default=0, ge=0)  # of them, from the end of the chunk before
    token_counter: str | None = None  # a GGUF's file name, or "words"; default: the small model
    concurrency_limit: int = Field(default=64, ge=1)  # items going at once
    completion_mode: bool = False
    use_stop: bool = True
    use_subset: bool = False
    subset_size: int = Field(default=30, ge=1)  # chunks of each folder, by a seeded hash
    held_out_share: float = Field(default=0.0, ge=0, lt=1)  # of sections, for the exam alone
    drop_duplicates: bool = True  # exact and near duplicates among all chunks; the first stays
    skip_filter_chunks: bool = False  # every chunk goes on without the model's judgement
    use_filenames: bool = True  # prompts show title, author and year, and questions may
    abort_below: float | None = Field(default=None, ge=0, le=1)  # least share that a stage keeps
    shared_instruction: str = ""
    retriever: Retriever = "bm25"  # what finds chunks that speak of the same, or of a question
    number_of_factual_sft_generations_to_do: int = Field(default=1, ge=1, le=100)
    # Of the fine-tuning data; tokens go before percent. None: no pretraining rows are in it.
    what_percent_of_sft_is_pretrain: float | None = Field(default=None, ge=0, lt=100)
    num_tokens_pretraining_in_sft: int | None = Field(default=None, ge=0)
    remove_system_prompt_ratio: float = Field(default=0.0, ge=0, le=1)  # shares of rows
    remove_thought_process_ratio: float = Field(default=0.0, ge=0, le=1)
    remove_thought_process_prompt: str = "Give the answer alone, with no thought process before it."

    @model_validator(mode="after")
    def _fits(self) -> "System":
        if self.chunk_overlap > self.chunk_size // 2:
            raise ValueError("`chunk_overlap` must be at most half of `chunk_size`")
        if self.remove_system_prompt_ratio + self.remove_thought_process_ratio > 1:
            raise ValueError(
                "`remove_system_prompt_ratio` and `remove_thought_process_ratio` are shares of "
                "different rows: together at most 1"
            )
        return self

    @model_validator(mode="after")
    def _nothing_twice(self) -> "System":
        if self.held_out_share and not self.drop_duplicates:
            raise ValueError(
                "`held_out_share` needs `drop_duplicates`: a second copy of what is held out "
                "would be trained on"
            )
        return self


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
    template_kwargs: dict[str, Any] = {}  # for a template of one's own
    bos: str = "<s>"  # of the model to be trained; in rows of segments, which carry them
    eos: str = "</s>"
    generic_dataset_paths: tuple[GenericDataset, ...] = ()
    generic_dataset_percentages: tuple[
        Annotated[float, Field(ge=0, allow_inf_nan=False)], ...
    ] = ()  # one for each
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
    other_pretrain_kwargs: dict[str, Any] = {}
    other_finetune_kwargs: dict[str, Any] = {}
