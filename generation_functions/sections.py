"""What a section of config.yaml is, and those on folders and on the run as a whole."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


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


Retriever = Literal["bm25", "embedding", "both"]


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
