"""config.yaml: its sections, their options and defaults, and the errors for what does not fit.

Section and option names are those of the program's specification. Options that are
planned but not built are refused with that reason (`planned.py`), never ignored.
"""

import difflib
import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

from generation_functions.addresses import hide_logins
from generation_functions.errors import ConfigError
from generation_functions.planned import PLANNED


class Section(BaseModel):
    """A part of the config; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    cleaned_by_hand: bool = False  # no rule drops a chunk of this folder
    final_system_prompt_additional_context: str = ""


class Paths(Section):
    """Where documents come from and where the run folder is (relative to the config file)."""

    input_dirs: tuple[InputDir, ...] = Field(min_length=1)
    output_dir: str
    skip_unreadable: bool = False  # files that cannot be read are left out, not an error
    models_dir: str = "logical_models"
    prompts: str | None = None
    default_prompts: str | None = None
    ocr: bool = False  # pages of a PDF without text are read by an installed tesseract
    ocr_languages: str = Field(default="eng", pattern=r"^\w+(\+\w+)*$")  # of its language files

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
    request_seconds: float = Field(default=600, gt=0)  # most time for one reply
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


Role = Literal["small", "large"]


class Models(Section):
    """The two roles. The same GGUF in both is loaded once.

    `steps` gives a step the other role than its own, by the step's name.
    """

    small: Model
    large: Model
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
    drop_duplicates: bool = True  # exact and near duplicates among all chunks; the first stays
    skip_filter_chunks: bool = False  # every chunk goes on without the model's judgement
    use_filenames: bool = True  # prompts show title, author and year, and questions may
    abort_below: float | None = Field(default=None, ge=0, le=1)  # least share that a stage keeps
    shared_instruction: str = ""
    number_of_factual_sft_generations_to_do: int = Field(default=1, ge=1, le=100)

    @model_validator(mode="after")
    def _overlap_fits(self) -> "System":
        if self.chunk_overlap > self.chunk_size // 2:
            raise ValueError("`chunk_overlap` must be at most half of `chunk_size`")
        return self


class PdfCleaning(Section):
    """How a model repairs the text of PDFs, and how far a reply may stray from its piece.

    Off by default: it asks about every piece of every PDF, which takes longer than judging
    them, and text that was made by a program needs none; it is for scans.
    """

    enabled: bool = False
    role: Literal["small", "large"] = "small"
    pdf_cleaning_chunk_size: int = Field(default=400, ge=32, le=1200)  # tokens, as chunk_size
    pdf_cleaning_use_stop: bool | None = None  # None: as in `system`
    least_length_ratio: float = Field(default=0.85, ge=0, le=1)  # of characters, no white space
    most_length_ratio: float = Field(default=1.1, ge=1)
    least_words_kept: float = Field(default=0.92, ge=0, le=1)  # share of the piece's words
    most_words_added: float = Field(default=0.0, ge=0, le=1)  # share of the reply's words
    most_words_moved: float = Field(default=0.15, ge=0, le=1)  # share of the piece's words


class Questions(Section):
    """How questions are written, vetted and repaired."""

    max_questions: int = Field(default=4, ge=1, le=19)
    plan: bool = True  # what is worth asking is planned first
    double_check_counter: int = Field(default=3, ge=0)  # votes of each check; 0: none is asked
    repairs: int = Field(default=4, ge=0)  # of each pair, all kinds together
    planted_pairs: int = Field(default=40, ge=0)  # known-bad ones, to measure the checks; 0: off
    abort_below: float | None = Field(default=None, ge=0, le=1)  # None: as in `system`

    @field_validator("double_check_counter")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value and value % 2 == 0:
            raise ValueError("must be odd, so that a vote has a majority, or 0 for no votes")
        return value


class Conversations(Section):
    """How conversations are written, and between whom."""

    assistant_mode: bool = True  # a user and an assistant; else two characters in a scene
    rearrangements_to_take: int = Field(default=3, ge=1)  # conversations of a chunk's pairs
    rewrites: int = Field(default=2, ge=0)  # of a flawed conversation
    traits: str = "default"  # a pack of special_instructions.py, or a YAML file of own axes
    presets: tuple[str, ...] = ()  # whole instructions in the place of drawn traits
    only_presets: bool = False
    eras: tuple[str, ...] = (
        "the present day",
        "the 2000s",
        "the 1990s",
        "the 1970s",
        "the 1950s",
        "the 1930s",
        "around 2040",
    )
    given_names: tuple[str, ...] = ()  # of the characters; empty: the program's own list
    family_names: tuple[str, ...] = ()
    abort_below: float | None = Field(default=None, ge=0, le=1)  # None: as in `system`

    @field_validator("given_names", "family_names")
    @classmethod
    def _single_words(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [name for name in names if not name.isalpha()]
        if wrong:
            raise ValueError(f"each name must be one word of letters, not {', '.join(wrong)}")
        return names

    @model_validator(mode="after")
    def _presets_to_take(self) -> "Conversations":
        if self.only_presets and not self.presets:
            raise ValueError("`only_presets` needs `presets`")
        return self


CodeVariation = Literal[
    "allcaps",
    "lowercase",
    "serialkillercase",
    "titlecase",
    "sentencecase",
    "randomcase",
    "invertcase",
    "keyboard_augmentation",
    "snakecase",
    "kebabcase",
    "camelcase",
    "pascalcase",
]


class RepresentationVariation(Section):
    """How pieces of the documents are told again, to be pretrained on.

    Off by default: a piece takes three calls for its facts and one for each variation, of
    which the large model writes twice as many as are counted where facts are inferred.
    """

    enabled: bool = False
    representation_variation_chunk_size: int | None = Field(default=None, ge=32)  # None: a chunk
    representation_variation_use_stop: bool | None = None  # None: as in `system`
    variation_generator_count: int = Field(default=4, ge=0, le=100)  # of each piece
    make_inferred_facts: bool = True
    include_context_in_dataset: bool = True  # rows begin with their subject and source
    code_variation_functions: tuple[CodeVariation, ...] = ()
    code_variation_rate: float = Field(default=0.05, gt=0, le=1)  # share of words changed
    abort_below: float | None = Field(default=None, ge=0, le=1)  # None: as in `system`


WAYS = ("openended", "negative", "vague", "followup", "hallucination", "comparison")


class FactualWay(Section):
    """How one way of asking recalls what the documents tell. All checks are on by default."""

    prompts: str | None = None  # a folder of this way's own prompts and grammars
    default_prompts: str | None = None
    single_turn: bool | None = None  # None: a followup has several turns, all others one
    skip_question_check: bool = False
    skip_answer_relevancy_check: bool = False
    skip_answer_accuracy_check: bool = False
    skip_repair_qa_tuples: bool = False
    multi_source: bool = True  # chunks that speak of the same are shown too

    @property
    def prompt_folders(self) -> tuple[str, ...]:
        """The way's own folders of prompts, the first first."""
        return tuple(one for one in (self.prompts, self.default_prompts) if one)


class FactualSftSettings(Section):
    """What factual SFT rows share."""

    factual_chunk_size: int | None = Field(default=None, ge=32)  # tokens; None: a base chunk
    factual_use_stop: bool | None = None  # None: as in `system`
    factual_completion_mode: bool | None = None
    related_chunks: int = Field(default=2, ge=0, le=8)  # most that a multi-source question is shown
    think_aloud: bool = True  # rows say what is recalled, from which source, before the answer
    items_per_conversation: int = Field(default=1, ge=1)  # questions of one turn in a row
    combine_sharegpt_target_pairs: int = Field(default=5, ge=1)  # most that a row is filled up to
    final_assistant_prompts_no_rag: tuple[str, ...] = Field(
        default=(
            "You are an expert on {context_lowercase}. Answer from what you know, "
            "precisely and in plain words.",
        ),
        min_length=1,
    )


class FinalDatasaving(Section):
    """How conversations become training text."""

    template: Literal["atk"] = "atk"


class ModelTraining(Section):
    """What goes into the two Axolotl configs."""

    base_model: str = "alpindale/Mistral-7B-v0.2-hf"
    pretrain_hub_model_id: str | None = None
    pretrain_hub_strategy: str = "all_checkpoints"
    finetune_hub_model_id: str | None = None
    finetune_hub_strategy: str = "all_checkpoints"
    wandb_project: str | None = None
    is_mistral_derived_model: bool = True
    sequence_len: int = Field(default=5000, ge=128)
    gradient_accumulation_steps: int = Field(default=75, ge=1)
    micro_batch_size: int = Field(default=2, ge=1)
    num_epochs: int = Field(default=7, ge=1)
    other_pretrain_kwargs: dict[str, Any] = {}
    other_finetune_kwargs: dict[str, Any] = {}


class Config(Section):
    """The whole of config.yaml."""

    path: Paths
    models: Models
    dataset_context: str = Field(min_length=1)
    system: System = System()
    pdf_cleaning: PdfCleaning = PdfCleaning()
    questions: Questions = Questions()
    conversations: Conversations = Conversations()
    representation_variation: RepresentationVariation = RepresentationVariation()
    factual_sft: dict[str, FactualWay] = {}
    factual_sft_settings: FactualSftSettings = FactualSftSettings()
    final_datasaving_settings: FinalDatasaving = FinalDatasaving()
    model_training: ModelTraining = ModelTraining()

    def count_variations(self, directory: str) -> int:
        """Return how many variations each piece of an input directory, by its name, gets."""
        folder = next(one for one in self.path.input_dirs if one.name == directory)
        count = folder.variation_generation_counts
        return self.representation_variation.variation_generator_count if count is None else count

    @field_validator("factual_sft")
    @classmethod
    def _known_ways(cls, ways: dict[str, FactualWay]) -> dict[str, FactualWay]:
        for name, way in ways.items():
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(f"`{name}`: a way's name has small letters, digits and _ only")
            if name not in WAYS and not way.prompts:
                near = difflib.get_close_matches(name, WAYS, 1, 0.5)
                hint = f" Did you mean `{near[0]}`?" if near else ""
                raise ValueError(
                    f"`{name}` is not one of {', '.join(WAYS)}, and a way of your own needs "
                    f"`prompts`, a folder with write_{name}.yaml.{hint}"
                )
            if name == "followup" and way.single_turn:
                raise ValueError("`followup` has several turns: `single_turn` cannot be true")
        return ways


def load_config(file: Path) -> Config:
    """Read and check a config file.

    Raises ConfigError, which names the file, the key and, for a misspelt key, the
    nearest valid one.
    """
    try:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{file}: no such config file. Give the path of one.") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: not readable as YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{file}: expected sections (`path:`, `models:` ...), found {raw!r}.")
    _refuse_planned(file, raw)
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(file, raw, one) for one in error.errors())) from error


def _refuse_planned(file: Path, raw: dict[str, Any]) -> None:
    for section, keys in PLANNED.items():
        value = raw.get(section)
        if value is None:
            continue
        entries = [value] if isinstance(value, dict) else []
        if section == "path" and isinstance(value, dict):
            dirs = value.get("input_dirs") or []
            entries += [one for one in dirs if isinstance(one, dict)]
        if not keys:
            raise ConfigError(f"{file}: the section `{section}` is not built yet. Remove it.")
        for entry in entries:
            for key in keys & set(entry):
                raise ConfigError(f"{file}: `{section}.{key}` is not built yet. Remove the option.")


def _explain(file: Path, raw: dict[str, Any], error: Any) -> str:
    location = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        given = "" if error["type"] == "missing" else hide_logins(f" (given: {error['input']!r})")
        return f"{file}: `{location}`: {error['msg']}{given}"
    near = difflib.get_close_matches(str(error["loc"][-1]), _names_beside(error["loc"]), 1, 0.5)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"{file}: `{location}` is not an option.{hint}"


def _names_beside(location: tuple[str | int, ...]) -> list[str]:
    model: type[BaseModel] = Config
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        if part not in model.model_fields:  # a name of the user's own, as a way's
            continue
        annotation = model.model_fields[part].annotation
        kinds = getattr(annotation, "__args__", (annotation,))
        inner = [one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)
