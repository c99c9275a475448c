"""The sections of config.yaml on data of which only a part is trained on: RAG, corrections."""

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from generation_functions.sections import Section
from generation_functions.training_sections import check_template


class RetrievalShares(Section):
    """What retrievals that fail consist of, in proportion; chunks beside a right one likewise."""

    hard_negatives: float = Field(default=0.5, ge=0)  # what is found, without the answer
    random_chunks: float = Field(default=0.2, ge=0)
    partial_evidence: float = Field(default=0.2, ge=0)  # the right chunk without the answer
    nothing: float = Field(default=0.1, ge=0)

    @model_validator(mode="after")
    def _any(self) -> "RetrievalShares":
        if not self.hard_negatives + self.random_chunks + self.partial_evidence + self.nothing:
            raise ValueError("one of the shares must be above 0")
        return self


class RagData(Section):
    """How answering from retrieved text is taught. Off by default.

    A retrieval that fails takes a call for each of its questions, any other none.
    """

    enabled: bool = False
    rag_failure_percentage: float = Field(default=0.4, ge=0, le=1)  # share that fails
    rag_max_chunks: int = Field(default=3, ge=1, le=20)  # most that a retrieval shows
    shares: RetrievalShares = RetrievalShares()
    near_duplicate_share: float = Field(default=0.5, ge=0, le=1)  # of successes that could have one
    two_chunk_share: float = Field(default=0.2, ge=0, le=1)  # of successes: need two chunks
    pairs_per_item: int = Field(default=3, ge=1)  # most questions on one retrieval
    num_items_per_group: int = Field(default=3, ge=1)  # retrievals that a row may go over
    failure_answer: Literal["knowledge", "decline"] = "knowledge"
    train_on_questions: bool = True  # false: the answers alone
    final_assistant_prompts: tuple[str, ...] = Field(
        default=(
            "You are an expert on {context_lowercase}. A search has brought the documents below. "
            "Where they answer the question, answer from them; where they do not, say so, and "
            "answer from what you know.\n\n{data}",
            "You answer questions about {context_lowercase}. Some of what was found may help and "
            "some may not: use what does.\n\n{data}",
            "{data}\n\nAbove is what a search has found. Answer from it if it tells what is asked. "
            "If it does not, say what is missing before you answer as an expert on "
            "{context_lowercase}.",
        ),
        min_length=1,
    )
    # None: as in `final_datasaving_settings`
    system_format: str | None = None
    user_format: str | None = None
    assistant_format: str | None = None
    bos: str | None = None
    rag_use_stop: bool | None = None  # None: as in `system`
    abort_below: float | None = Field(default=None, ge=0, le=1)  # None: as in `system`

    @property
    def formats(self) -> tuple[str, str, str] | None:
        """The formats of the three speakers' turns, if they are given."""
        if self.system_format and self.user_format and self.assistant_format:
            return self.system_format, self.user_format, self.assistant_format
        return None

    @field_validator("final_assistant_prompts")
    @classmethod
    def _place_for_data(cls, prompts: tuple[str, ...]) -> tuple[str, ...]:
        for number, prompt in enumerate(prompts, 1):
            if "{data}" not in prompt:
                raise ValueError(f"prompt {number} has no {{data}}, where the documents are to go")
        return prompts

    @model_validator(mode="after")
    def _formats_together(self) -> "RagData":
        names = ("system", "user", "assistant")
        given = {name: getattr(self, f"{name}_format") for name in names}
        if any(given.values()) and not all(given.values()):
            raise ValueError("give all of system_format, user_format and assistant_format, or none")
        for name, form in given.items():
            if form and not re.search(rf"\{{\{{[^}}]*\b{name}\b", form):
                raise ValueError(f"`{name}_format` has no {{{{ {name} }}}}, which a turn says")
        return self


class CorrectionPipeline(Section):
    """How being corrected is taught. Off by default: a correction takes some four calls."""

    enabled: bool = False
    stand_firm_share: float = Field(default=0.2, ge=0, le=1)  # the first answer was right
    corrections_per_chunk: int = Field(default=1, ge=1)  # most; each of another pair
    correction_prompt_template: str | None = None  # None: as in `final_datasaving_settings`
    correction_use_stop: bool | None = None  # None: as in `system`
    correction_completion_mode: bool | None = None
    abort_below: float | None = Field(default=None, ge=0, le=1)  # None: as in `system`

    @field_validator("correction_prompt_template")
    @classmethod
    def _template(cls, text: str | None) -> str | None:
        return check_template(text) if text else None
