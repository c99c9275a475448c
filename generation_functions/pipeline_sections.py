"""The sections of config.yaml on what is written from the documents, one for each pipeline."""

from typing import Literal, get_args

from pydantic import Field, field_validator, model_validator

from generation_functions.sections import Section


class PipelineSection(Section):
    """What every pipeline has that is found by its module's name; it adds its own options.

    Off by default: only `run NAME`, a notebook, or a config that says so runs it.
    """

    enabled: bool = False
    chunk_size: int | None = Field(default=None, ge=32)  # tokens, of neighbours; None: a chunk


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
    ask_apart: bool = True  # questions are made of the answer alone, in a call of its own
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


Form = Literal[
    "question_list",
    "markup",
    "article",
    "structured_data",
    "list",
    "reasoning_chains",
    "effect_to_cause",
    "stream_of_thought",
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
    forms: tuple[Form, ...] = Field(default=get_args(Form), min_length=1)
    make_inferred_facts: bool = True
    include_context_in_dataset: bool = True  # rows begin with their subject and source
    code_variation_functions: tuple[CodeVariation, ...] = ()
    code_variation_rate: float = Field(default=0.05, gt=0, le=1)  # share of words changed
    abort_below: float | None = Field(default=None, ge=0, le=1)  # None: as in `system`

    @field_validator("forms")
    @classmethod
    def _each_once(cls, forms: tuple[Form, ...]) -> tuple[Form, ...]:
        if len({*forms}) < len(forms):
            raise ValueError("each form can be named once")
        return forms


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


class Exam(Section):
    """How the exam is written and judged: questions that no row asks, on what the rows teach and
    on what is held out.

    Off by default: a question takes as many calls as a pair.
    """

    enabled: bool = False
    most_questions: int = Field(default=300, ge=1)  # of each part
    questions_per_chunk: int = Field(default=3, ge=1, le=16)
    ask_apart: bool = False  # for small models: of one sentence each, by the steps that pairs have
    judge_votes: int = Field(default=3, ge=1)
    judge_trials: int = Field(default=20, ge=0)  # known replies of each kind, to measure the judge

    @field_validator("judge_votes")
    @classmethod
    def _odd_votes(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("must be odd, so that one vote is in the middle")
        return value
