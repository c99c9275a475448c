"""Measuring the checks: pairs known to be bad or right are judged as the run's own are.

The bad ones are made by code of the run's own pairs, and come, as the right ones do, with
the package (probes/passages.yaml). None of them is kept anywhere but in the steps' records
and in judges.json.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from random import Random

from generation_functions.errors import Dropped
from generation_functions.pipelines import faults
from generation_functions.pipelines.judge_report import (
    OWN,
    RIGHT,
    WRITTEN,
    Judged,
    JudgeReport,
)
from generation_functions.pipelines.pair_checks import find_problem
from generation_functions.pipelines.probes import Probe, load_probes
from generation_functions.pipelines.repairing import CHECKS, Verdict
from generation_functions.records import QAPair, make_uuid
from generation_functions.steps.files import dump
from generation_functions.steps.run import Run

MOST_TRIED = 40  # other pairs that are looked at for one to exchange with
A_CHUNK = 4  # planted pairs to each chunk of a limited stage, at most

_log = logging.getLogger(__name__)
_BY_NAME = {check.name: check for check, *_ in CHECKS}
_QUESTION, _RELEVANCE, _ACCURACY = _BY_NAME


@dataclass(frozen=True, slots=True)
class Planted:
    """A pair whose verdict is known. `kind` is its fault, or "known-good"."""

    pair: QAPair
    kind: str
    source: str
    ought: tuple[str, ...] = ()

    @property
    def uuid(self) -> str:
        return self.pair.uuid


class Others:
    """The pairs with which one may be exchanged: those of its chunk, and the rest."""

    def __init__(self, pairs: Sequence[QAPair]) -> None:
        self._pairs = pairs
        self._by_chunk: dict[str, list[QAPair]] = defaultdict(list)
        for pair in pairs:
            self._by_chunk[pair.chunk.uuid].append(pair)

    def siblings(self, pair: QAPair, random: Random) -> Iterator[QAPair]:
        """Yield the other pairs of the same chunk, in random order."""
        own = self._by_chunk[pair.chunk.uuid]
        yield from (one for one in random.sample(own, len(own)) if one.uuid != pair.uuid)

    def strangers(self, pair: QAPair, random: Random) -> Iterator[QAPair]:
        """Yield some pairs of other chunks, in random order."""
        some = random.sample(self._pairs, min(MOST_TRIED, len(self._pairs)))
        yield from (one for one in some if one.chunk.uuid != pair.chunk.uuid)


Make = Callable[[QAPair, Others, Random], QAPair | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: the checks that ought to catch it, and how it is made.

    `english`: what is put in is English, and fits only there.
    """

    name: str
    ought: tuple[str, ...]
    make: Make
    english: bool = True


def _with_answer(maker: faults.Maker) -> Make:
    def make(pair: QAPair, others: Others, random: Random) -> QAPair | None:
        answer = maker(pair, random)
        return replace(pair, answer=answer) if answer else None

    return make


def _change_number(pair: QAPair, random: Random) -> str | None:
    first, second = random.sample([faults.alter_number, faults.exchange_number], 2)
    return first(pair, random) or second(pair, random)


def _with_premise(pair: QAPair, others: Others, random: Random) -> QAPair | None:
    question = faults.invent_premise(pair, random)
    return replace(pair, question=question) if question else None


def _with_sibling_answer(pair: QAPair, others: Others, random: Random) -> QAPair | None:
    for other in others.siblings(pair, random):
        if faults.is_sibling_answer(pair, other):
            return replace(pair, answer=other.answer)
    return None


def _with_foreign_answer(pair: QAPair, others: Others, random: Random) -> QAPair | None:
    for other in others.strangers(pair, random):
        if faults.is_foreign_answer(pair, other):
            return replace(pair, answer=other.answer)
    return None


def _with_foreign_question(pair: QAPair, others: Others, random: Random) -> QAPair | None:
    for other in others.strangers(pair, random):
        if faults.is_foreign_question(pair, other):
            return replace(pair, question=other.question)
    return None


# What each check's prompt says that it looks for. The first kinds get what is left over when
# the pairs do not divide evenly: only they are for the check of the question.
KINDS = (
    Kind("another chunk's question", (_QUESTION, _RELEVANCE), _with_foreign_question, False),
    Kind("invented premise", (_QUESTION,), _with_premise),
    Kind("altered number", (_ACCURACY,), _with_answer(_change_number), False),
    Kind("negated claim", (_ACCURACY,), _with_answer(faults.negate_claim)),
    Kind("invented detail", (_RELEVANCE, _ACCURACY), _with_answer(faults.invent_detail)),
    Kind("another chunk's answer", (_RELEVANCE, _ACCURACY), _with_foreign_answer, False),
    Kind("another pair's answer", (_RELEVANCE,), _with_sibling_answer, False),
)


def choose_planted(pairs: Sequence[QAPair], amount: int, seed: int) -> list[Planted]:
    """Return `amount` known-bad pairs, evenly of all kinds, and half as many right ones.

    Of each kind half are made of `pairs` (the larger half, as far as they lend themselves
    to it), the others of the package's own. The same pairs and seed give the same choice.
    """
    probes = load_probes()
    by_uuid = {probe.pair.uuid: probe for probe in probes}
    written = [probe.pair for probe in probes]
    chosen: list[Planted] = []
    for place, kind in enumerate(KINDS):
        wanted = amount // len(KINDS) + (place < amount % len(KINDS))
        own = list(islice(_make_bad(kind, pairs, {}, seed), (wanted + 1) // 2))
        theirs = islice(_make_bad(kind, written, by_uuid, seed), wanted - len(own))
        chosen += [Planted(pair, kind.name, OWN, kind.ought) for pair in own]
        chosen += [Planted(pair, kind.name, WRITTEN, kind.ought) for pair in theirs]
    right = sorted(written, key=lambda pair: _rank(seed, RIGHT, pair))[: (amount + 1) // 2]
    return chosen + [Planted(pair, RIGHT, WRITTEN) for pair in right]


async def judge_planted(run: Run, pairs: Sequence[QAPair]) -> JudgeReport:
    """Have the checks judge planted pairs, some made of `pairs`; report what they caught.

    `pairs` are such as passed every check. The report goes to judges.json and into the
    stage's status; a check that is no better than chance is a warning in the log. Nothing
    is asked when `questions.planted_pairs` or `double_check_counter` is 0.
    """
    settings, checks = run.config.questions, tuple(_BY_NAME)
    amount = settings.planted_pairs if settings.double_check_counter else 0
    if run.limit is not None:
        amount = min(amount, A_CHUNK * run.limit)
    if not amount:
        return JudgeReport((), checks)
    planted = choose_planted(pairs, amount, run.config.system.seed)
    judged = await run.map(partial(_judge, run), planted)
    report = JudgeReport(tuple(judged), checks)
    run.write_text("judges.json", dump(report.as_json()))
    run.report("judges", report.summary())
    for warning in report.warnings():
        _log.warning(warning)
    return report


async def _judge(run: Run, planted: Planted) -> Judged:
    pair = planted.pair
    verdicts: dict[str, bool | None] = {}
    for name, check in _BY_NAME.items():
        try:
            apart = replace(check, counted=f"{name}, planted")
            verdict: Verdict = await run.vote(apart, pair)
            verdicts[name] = bool(verdict)
        except Dropped:
            verdicts[name] = None
    problem = find_problem(pair, run.config.system.use_filenames)
    return Judged(
        uuid=pair.uuid,
        kind=planted.kind,
        source=planted.source,
        ought=planted.ought,
        text=pair.chunk.text,
        question=pair.question,
        answer=pair.answer,
        verdicts=verdicts,
        rule=problem.reason if problem else "",
    )


def _make_bad(
    kind: Kind, pairs: Sequence[QAPair], probes: Mapping[str, Probe], seed: int
) -> Iterator[QAPair]:
    """Yield bad pairs of a kind; of a written pair the wording that stands beside it."""
    others = Others(pairs)
    by_hand = any(kind.name in probe.bad for probe in probes.values())
    for pair in sorted(pairs, key=lambda one: _rank(seed, kind.name, one)):
        if kind.english and pair.chunk.language != "english":
            continue
        if by_hand:
            bad = _reword(kind, pair, probes[pair.uuid].bad.get(kind.name))
        else:
            bad = kind.make(pair, others, Random(_rank(seed, kind.name, pair)))
        if bad:
            yield replace(bad, uuid=make_uuid(pair.uuid, kind.name, bad.question, bad.answer))


def _reword(kind: Kind, pair: QAPair, text: str | None) -> QAPair | None:
    if text is None:
        return None
    premise = kind.name == "invented premise"
    return replace(pair, question=text) if premise else replace(pair, answer=text)


def _rank(seed: int, kind: str, pair: QAPair) -> str:
    return hashlib.sha256(f"{seed}\x1f{kind}\x1f{pair.uuid}".encode()).hexdigest()
