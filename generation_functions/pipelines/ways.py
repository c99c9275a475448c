"""The ways of asking: what each asks, the steps that it takes, and how it is checked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from generation_functions.config import Config
from generation_functions.errors import ConfigError
from generation_functions.pipeline_sections import FactualWay
from generation_functions.pipelines.pair_checks import (
    ALL_CHECKS,
    PairCheck,
    check_facts,
    check_fit,
    check_question,
    check_quote,
)
from generation_functions.pipelines.repairing import CHECKS, REVISE_PAIR, VotedCheck
from generation_functions.pipelines.way_checks import (
    WayCheck,
    check_comparison,
    check_followup,
    check_hallucination,
    check_negative,
    check_nothing,
    check_openended,
    check_vague,
)
from generation_functions.pipelines.way_steps import (
    WRITE_COMPARISON,
    WRITE_FOLLOWUP,
    WRITE_HALLUCINATION,
    WRITE_NEGATIVE,
    WRITE_OPENENDED,
    WRITE_VAGUE,
    WayRequest,
)
from generation_functions.records import Exchange, QAPair
from generation_functions.steps.prompts import PROMPTS
from generation_functions.steps.step import Step

MOST_TURNS = 3  # of a way that is not single_turn


@dataclass(frozen=True, slots=True)
class Way:
    """One way of asking.

    `asks` says for people what it asks. An exchange that `write` wrote is looked at by `check`,
    by `pair_checks` and by `votes`, and `revise` makes it stand alone, where it has to. A
    conversation has `fewest` turns at least, and goes on as `then` says, up to MOST_TURNS.
    """

    name: str
    asks: str
    write: Step[WayRequest, Exchange]
    check: WayCheck
    pair_checks: tuple[PairCheck, ...] = ALL_CHECKS
    votes: tuple[VotedCheck, ...] = CHECKS
    revise: Step[QAPair, QAPair] | None = REVISE_PAIR
    fewest: int = 1
    multi_source: bool = True
    then: "Way | None" = None

    @property
    def steps(self) -> tuple[Step[Any, Any], ...]:
        """All its steps."""
        own = (self.write, *(check for check, _, _ in self.votes))
        return (
            *own,
            *((self.revise,) if self.revise else ()),
            *(self.then.steps if self.then else ()),
        )


# The answer to a wrong premise, or about what does not exist, is not of the kind that is asked
# for, and may say the question's words again in their right places.
_OF_ANSWERS = (check_facts, check_quote)

# An answer to a vague question tells what was meant, and so says words of the question in full.
_OF_NAMES = (check_question, check_facts, check_fit, check_quote)

BUILT_IN: Mapping[str, Way] = {
    way.name: way
    for way in (
        Way(
            "openended",
            "A broad question, whose answer puts several things together.",
            WRITE_OPENENDED,
            check_openended,
        ),
        Way(
            "negative",
            "A question that takes something wrong for granted; the answer sets it right.",
            WRITE_NEGATIVE,
            check_negative,
            (check_question, *_OF_ANSWERS),
        ),
        Way(
            "vague",
            "A question by somebody who cannot name the thing; the answer names it.",
            WRITE_VAGUE,
            check_vague,
            _OF_NAMES,
            revise=None,
        ),
        Way(
            "followup",
            "A conversation in which each question needs what was said before.",
            WRITE_FOLLOWUP,
            check_followup,
            revise=None,
            fewest=2,
        ),
        Way(
            "hallucination",
            "A question about a thing that does not exist; the answer says that it is unknown.",
            WRITE_HALLUCINATION,
            check_hallucination,
            (check_question, *_OF_ANSWERS),
            revise=None,
        ),
        Way(
            "comparison",
            "Which of two things has more of something.",
            WRITE_COMPARISON,
            check_comparison,
        ),
    )
}


def list_steps() -> tuple[Step[Any, Any], ...]:
    """Return the steps that write, of all built-in ways."""
    return tuple(way.write for way in BUILT_IN.values())


def make_ways(config: Config) -> tuple[Way, ...]:
    """Return the ways that a config names, built-in ones first, each as its options say.

    Raises ConfigError for a way of the user's own with the name of another step.
    """
    own = sorted(name for name in config.factual_sft if name not in BUILT_IN)
    names = [*(name for name in BUILT_IN if name in config.factual_sft), *own]
    return tuple(_make_way(name, config.factual_sft[name], config) for name in names)


def _make_way(name: str, options: FactualWay, config: Config) -> Way:
    way = BUILT_IN.get(name) or _make_own(name)
    several = name == "followup" if options.single_turn is None else not options.single_turn
    then = replace(BUILT_IN["followup"], then=None) if several else None
    return replace(
        _set(way, options, config),
        multi_source=options.multi_source,
        then=_set(then, options, config) if then else None,
    )


def _make_own(name: str) -> Way:
    """Return a way of the user's own: an open question, asked by the user's prompt."""
    step = replace(WRITE_OPENENDED, name=f"write_{name}", like=WRITE_OPENENDED.name)
    if (PROMPTS / f"{step.name}.yaml").exists():
        raise ConfigError(f"`factual_sft.{name}`: the step {step.name} is another one. Rename it.")
    return Way(name, "A way of your own.", step, check_nothing)


def _set(way: Way, options: FactualWay, config: Config) -> Way:
    """Return a way with what its options, and the section's, say of its steps."""
    settings = config.factual_sft_settings
    ours = PROMPTS / way.name  # what checks of this way ask otherwise
    folders = (*options.prompt_folders, *((str(ours),) if ours.is_dir() else ()))

    def tune(step: Step[Any, Any]) -> Step[Any, Any]:
        return replace(
            step,
            use_stop=settings.factual_use_stop,
            completion_mode=settings.factual_completion_mode,
            folders=folders,
        )

    skipped = (
        options.skip_question_check,
        options.skip_answer_relevancy_check,
        options.skip_answer_accuracy_check,
    )
    votes = (
        (tune(check), reason, in_question)
        for (check, reason, in_question), skip in zip(way.votes, skipped, strict=True)
        if not skip
    )
    revise = way.revise and not options.skip_repair_qa_tuples
    return replace(
        way,
        write=tune(way.write),
        votes=tuple(votes),
        revise=tune(REVISE_PAIR) if revise else None,
    )
