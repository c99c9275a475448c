"""What the numbers of a dataset card do not show, said of the run at hand."""

from collections.abc import Iterator

from generation_functions.card.facts import CardFacts


def say_limits(facts: CardFacts) -> list[str]:
    """Return the paragraphs: first what holds for every run, then what holds for this one."""
    always = (
        "No person has read these rows unless somebody says so elsewhere. The checks by code "
        "see figures, names, words and the place of a quote, not what a sentence means. The votes "
        "are a model's; where the same model writes and judges, both may err alike. Recall and "
        "false alarms are measured on faults that were planted on purpose, of kinds that were "
        "thought of, and partly in English only: the faults of a writing model may be others. "
        "Coverage says which characters something was made of, not whether what was made is right, "
        "complete or worth knowing. Kept does not mean good: it means that nothing was found "
        "against it."
    )
    sources = (
        "The sources were not searched for personal data, for bias or for what is out of date, "
        "and their errors are in the rows. The licences are those that files state; whether they, "
        "and those of the models, allow this use is for whoever publishes the data to decide. "
        "Whether a model that is trained on it knows more is shown by no number here."
    )
    own = " ".join(_of_this_run(facts))
    return [always, sources, *([own] if own else [])]


def _of_this_run(facts: CardFacts) -> Iterator[str]:
    if not facts.judges:
        yield "How reliable the votes of this run were is not known: no pairs were planted."
    if facts.judge_warnings:
        yield "Of the checks named above as no better than chance the votes say little."
    if facts.coverage is None:
        yield "Which parts of the documents nothing was made of is not known."
    if any(not one.licence for one in facts.sources or ()):
        yield "Some sources state no licence, which does not mean that they are free."
    if any(not one.model.licence for one in facts.models):
        yield "Some of the models' files state no licence either."
    if facts.manifest.sft.token_counter_note:
        yield "Numbers of tokens are not those that the trainer will count."
    if facts.leaks is None:
        yield (
            "Whether questions of a test on the same documents stand in here was not measured when "
            "this was written; of an exam that was made afterwards, dataset_card.md says it."
        )
