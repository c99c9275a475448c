"""Which checks a config switches off, and which kinds of data it does not make, in words."""

from generation_functions.config import Config
from generation_functions.datasets.checks import SKIPPED, group_skipped


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
        "facts that follow from others (`make_inferred_facts`)": (
            config.representation_variation.enabled
            and config.representation_variation.make_inferred_facts
        ),
        "recalls (`factual_sft`)": bool(config.factual_sft),
        "answers from retrieved text (`rag_data`)": config.rag_data.enabled,
        "corrections (`correction_pipeline`)": config.correction_pipeline.enabled,
        "generic conversations (`generic_dataset_paths`)": bool(
            config.final_datasaving_settings.generic_dataset_paths
        ),
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
    ways = config.factual_sft
    alone = [name for name, way in ways.items() if not way.multi_source]
    said = [f"`factual_sft`, left out: {one}." for one in group_skipped(ways, left_out)]
    if alone:
        said.append(f"`multi_source: false`: no related chunk was shown to {', '.join(alone)}.")
    return said
