"""Which checks a config switches off, and which kinds of data it does not make, in words."""

from generation_functions.config import Config
from generation_functions.datasets.checks import SKIPPED


def list_switched_off(config: Config) -> list[str]:
    """Return a sentence for each check, filter or measure that the config leaves out."""
    system, questions, path = config.system, config.questions, config.path
    off = [
        (
            system.skip_filter_chunks,
            "`skip_filter_chunks`: no model judged whether a chunk is of use.",
        ),
        (
            not system.drop_duplicates,
            "`drop_duplicates: false`: (nearly) equal chunks all went on.",
        ),
        (path.skip_unreadable, "`skip_unreadable`: files that could not be read were left out."),
        (
            not questions.double_check_counter,
            "`double_check_counter: 0`: no model voted on any question or answer.",
        ),
        (
            not questions.planted_pairs,
            "`planted_pairs: 0`: what the votes catch was not measured.",
        ),
        (not questions.repairs, "`repairs: 0`: a pair with a fault was dropped, not mended."),
        (not config.conversations.rewrites, "`rewrites: 0`: a flawed conversation was dropped."),
        (
            system.completion_mode,
            "`completion_mode`: prompts went to the models without a chat template.",
        ),
    ]
    return [said for switched, said in off if switched] + _of_folders(config) + _of_ways(config)


def list_not_made(config: Config) -> list[str]:
    """Return the kinds of data that the config does not ask for."""
    made = {
        "facts and variations of the text (`representation_variation`)": (
            config.representation_variation.enabled
        ),
        "recalls (`factual_sft`)": bool(config.factual_sft),
        "answers from retrieved text (`rag_data`)": config.rag_data.enabled,
        "corrections (`correction_pipeline`)": config.correction_pipeline.enabled,
    }
    return [name for name, wanted in made.items() if not wanted]


def _of_folders(config: Config) -> list[str]:
    said = []
    for folder in config.path.input_dirs:
        if folder.cleaned_by_hand:
            said.append(f"`cleaned_by_hand`: no rule dropped a chunk of {folder.name}.")
        chosen = folder.use_subset
        if config.system.use_subset if chosen is None else chosen:
            size = folder.subset_size or config.system.subset_size
            said.append(f"`use_subset`: of {folder.name} only {size} chunks were taken.")
    return said


def _of_ways(config: Config) -> list[str]:
    """Return what ways of asking leave out."""
    left_out = SKIPPED | {"skip_repair_qa_tuples": "the rewording that makes it stand alone"}
    return [
        f"`{option}`: recalls of the way {name} went without {check}."
        for name, way in config.factual_sft.items()
        for option, check in left_out.items()
        if getattr(way, option)
    ]
