"""The stages of a run, in order. The notebooks and the command line call these."""

from collections.abc import Awaitable, Callable, Mapping

from generation_functions.config import Config
from generation_functions.errors import ConfigError
from generation_functions.pipelines.exam_steps import EXAM_STEPS
from generation_functions.stages.conversations import (
    CHARACTER_STEPS,
    CONVERSATION_STEPS,
    write_characters,
    write_conversations,
)
from generation_functions.stages.exam import write_exam
from generation_functions.stages.masking import (
    CORRECTION_STEPS,
    RAG_STEPS,
    write_corrections,
    write_rag_items,
)
from generation_functions.stages.meta import write_meta_dataset
from generation_functions.stages.mixing import mix
from generation_functions.stages.own import STAGES as OWN_STAGES
from generation_functions.stages.own import find_pipeline, run_pipeline
from generation_functions.stages.pretraining import write_pretraining
from generation_functions.stages.questions import QUESTION_STEPS, write_questions
from generation_functions.stages.reading import clean_pdfs, documents
from generation_functions.stages.recall import RECALL_STEPS, write_recalls
from generation_functions.steps.run import Run

__all__ = [
    "CHARACTER_STEPS",
    "CONVERSATION_STEPS",
    "CORRECTION_STEPS",
    "EXAM_STEPS",
    "QUESTION_STEPS",
    "RAG_STEPS",
    "RECALL_STEPS",
    "STAGES",
    "clean_pdfs",
    "documents",
    "find_pipeline",
    "mix",
    "order_stages",
    "run_pipeline",
    "write_characters",
    "write_conversations",
    "write_corrections",
    "write_exam",
    "write_meta_dataset",
    "write_pretraining",
    "write_questions",
    "write_rag_items",
    "write_recalls",
]

Stage = Callable[[Run, int | None], Awaitable[object]]


def order_stages(own: Mapping[str, Stage]) -> dict[str, Stage]:
    """Return all stages in their order, among them those of pipelines found by their names.

    Raises ConfigError for such a pipeline with the name of another stage or of a section.
    """
    before: dict[str, Stage] = {
        "pdf_cleaning": clean_pdfs,
        "documents": documents,
        "questions": write_questions,
        "pretraining": write_pretraining,
        "recall": write_recalls,
        "rag": write_rag_items,
        "corrections": write_corrections,
        "characters": write_characters,
        "conversations": write_conversations,
    }
    behind: dict[str, Stage] = {"mix": mix, "exam": write_exam, "meta": write_meta_dataset}
    clashing = sorted(own.keys() & {*before, *behind, *Config.model_fields})
    if clashing:
        raise ConfigError(
            f"pipelines/own/{clashing[0]}.py: {clashing[0]} is a stage or a section of the "
            "program's own. Rename the module, and what its PIPELINE is named."
        )
    return before | dict(own) | behind


STAGES = order_stages(OWN_STAGES)
