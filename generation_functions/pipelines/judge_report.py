"""What is known about the judges: how many known-bad pairs they catch, how many right ones too.

Figures are told apart by where their pairs come from. The right pairs are all from written
passages; bad ones are also made of this run's own pairs, of such as passed every check.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from generation_functions.pipelines.proportions import fisher_p, wilson_interval

OWN = "this run's pairs"
WRITTEN = "written passages"
BOTH = "both"
RIGHT = "known-good"
RULES = "words and numbers"  # the deterministic checks
ANY_CHECK = "any check"
EVERYTHING = "checks, words and numbers"
FEWEST = 8  # of each, to say that a check is no better than chance
CHANCE = 0.05

Catch = Callable[["Judged"], bool | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """A planted pair and what became of it. `kind` is its fault, or "known-good".

    `ought` names the checks that ought to say no. `verdicts` are theirs: True to let it
    pass, None where no usable reply came. `rule` is what words and numbers tell against it.
    """

    uuid: str
    kind: str
    source: str
    ought: tuple[str, ...]
    text: str
    question: str
    answer: str
    verdicts: dict[str, bool | None]
    rule: str

    @property
    def right(self) -> bool:
        """Whether it is a right pair, which nothing ought to catch."""
        return self.kind == RIGHT

    def caught_by(self, check: str) -> bool | None:
        """Whether a check said no; None: no usable reply, or the check was not asked."""
        passed = self.verdicts.get(check)
        return None if passed is None else not passed


@dataclass(frozen=True, slots=True)
class Figure:
    """How a check did on pairs of one source: `caught` of `bad`, `refused` of `right`.

    Intervals are Wilson's, of 95 %. `chance` is Fisher's one-sided p that the check catches
    bad pairs no more readily than right ones.
    """

    check: str
    source: str
    bad: int
    caught: int
    right: int
    refused: int
    recall: tuple[float, float]
    false_alarms: tuple[float, float]
    chance: float

    def warning(self) -> str:
        """Return what a person must know about the check, or ""."""
        if min(self.bad, self.right) < FEWEST or self.chance <= CHANCE:
            return ""
        return (
            f"{self.check} let through {self.bad - self.caught} of {self.bad} known-bad pairs and "
            f"refused {self.refused} of {self.right} known-good ones: no better than chance "
            f"(Fisher's exact test, p = {self.chance:.2f}). Its votes say little with this model; "
            "take another one, or change the prompt."
        )


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """The planted pairs, judged, and the names of the checks, in their order."""

    judged: tuple[Judged, ...]
    checks: tuple[str, ...]

    def figures(self) -> list[Figure]:
        """Return each check's figures, by source; then those of all checks together."""
        found = []
        for name in (*self.checks, ANY_CHECK, RULES, EVERYTHING):
            figures = [self._figure(name, source) for source in (OWN, WRITTEN, BOTH)]
            found += [one for one in figures if one.bad or one.right]
        return found

    def warnings(self) -> list[str]:
        """Return a sentence about each check that is no better than chance."""
        return [
            said
            for one in self.figures()
            if one.check in self.checks and one.source == BOTH and (said := one.warning())
        ]

    def kinds(self) -> list[dict[str, Any]]:
        """Return for each kind, from each source, how many of its pairs each check caught."""
        groups = dict.fromkeys((one.kind, one.source) for one in self.judged)
        rows = []
        for kind, source in groups:
            members = [one for one in self.judged if (one.kind, one.source) == (kind, source)]
            caught = {
                name: sum(bool(_catch(name)(one)) for one in members)
                for name in (*self.checks, RULES, EVERYTHING)
            }
            ought = list(members[0].ought)
            rows.append(
                {"kind": kind, "source": source, "pairs": len(members), "ought": ought, **caught}
            )
        return rows

    def summary(self) -> dict[str, Any]:
        """Return figures, kinds and warnings as JSON values."""
        return {
            "figures": [asdict(figure) for figure in self.figures()],
            "kinds": self.kinds(),
            "warnings": self.warnings(),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the summary with every planted pair."""
        return {**self.summary(), "pairs": [asdict(one) for one in self.judged]}

    def _figure(self, name: str, source: str) -> Figure:
        """Count one check; bad pairs only of those kinds that it ought to catch."""
        catch = _catch(name)
        members = [one for one in self.judged if source in (one.source, BOTH)]
        bad = [one for one in members if not one.right]
        if name in self.checks:
            bad = [one for one in bad if name in one.ought]
        caught, all_bad = _count(catch, bad)
        refused, right = _count(catch, [one for one in members if one.right])
        return Figure(
            check=name,
            source=source,
            bad=all_bad,
            caught=caught,
            right=right,
            refused=refused,
            recall=wilson_interval(caught, all_bad),
            false_alarms=wilson_interval(refused, right),
            chance=fisher_p(caught, all_bad, refused, right),
        )


def _catch(name: str) -> Catch:
    """Return how to tell whether a pair was caught, by a check or by several things.

    The pipeline drops a pair also when a check has no usable reply about it.
    """
    match name:
        case "words and numbers":
            return lambda one: bool(one.rule)
        case "any check":
            return lambda one: not all(one.verdicts.values())
        case "checks, words and numbers":
            return lambda one: bool(one.rule) or not all(one.verdicts.values())
    return lambda one: one.caught_by(name)


def _count(catch: Catch, members: Sequence[Judged]) -> tuple[int, int]:
    """Return how many were caught, of how many with a verdict."""
    verdicts = [verdict for one in members if (verdict := catch(one)) is not None]
    return sum(verdicts), len(verdicts)
