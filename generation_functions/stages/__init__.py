"""The stages of a run, in order. The notebooks and the command line call these."""

from collections.abc import Awaitable, Callable

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

Stages = dict[str, Callable[[Run, int | None], Awaitable[object]]]


def order_stages(own: Stages) -> Stages:
    """Return all stages in their order, among them those of pipelines found by their names.

    Raises ConfigError for such a pipeline with the name of another stage or of a section.
    """
    before: Stages = {
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
    behind: Stages = {"mix": mix, "exam": write_exam, "meta": write_meta_dataset}
    for name in sorted(own.keys() & {*before, *behind, *Config.model_fields}):
        raise ConfigError(
            f"pipelines/own/{name}.py: {name} is a stage or a section of the program's own. "
            "Rename the module, and what its PIPELINE is named."
        )
    return before | own | behind


STAGES = order_stages(OWN_STAGES)
