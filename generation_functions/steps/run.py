"""A run: a folder, a config and the engines. `ask`, `vote`, `keep` and `map`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar

from generation_functions.config import Config
from generation_functions.engine.pool import Engines
from generation_functions.errors import Dropped, Failed, Rejected, Unparsable
from generation_functions.records import to_json
from generation_functions.steps.course import Fork, note_call
from generation_functions.steps.funnel import StepCount
from generation_functions.steps.inquiry import Inquiry
from generation_functions.steps.ledger import Ledger
from generation_functions.steps.loaded_prompts import LoadedPrompts
from generation_functions.steps.lock import hold_run
from generation_functions.steps.progress import Progress
from generation_functions.steps.prompts import Prompt
from generation_functions.steps.record import Outcome, Record
from generation_functions.steps.record_files import RecordFiles
from generation_functions.steps.replies import Replies
from generation_functions.steps.stage_notes import StageNotes
from generation_functions.steps.stage_pass import Pass, log_to
from generation_functions.steps.step import Item, Step
from generation_functions.steps.window import apply

I = TypeVar("I", bound=Item)
O = TypeVar("O")
R = TypeVar("R")
FEW = 3  # items, to try a prompt on
TRIALS = "trials"  # a folder like a run's, in which prompts are tried (steps/trials.py)
_log = logging.getLogger(__name__)


class Run(StageNotes):
    """One run folder with its config and engines."""

    def __init__(
        self, config: Config, folder: Path, engines: Engines, lenders: Sequence[Path] = ()
    ) -> None:
        """`lenders` are folders whose records may hold an answer that this run lacks."""
        super().__init__(folder)
        self.config = config
        self.engines = engines
        self.progress = True
        self.keep_models = False
        self._ledger = Ledger()
        self._first: dict[str, dict[str, Any]] = {}  # items by uuid, by step
        self.fill_gaps = False  # stages ask again about text that nothing was made of
        self._prompts = LoadedPrompts()
        self._records = RecordFiles(folder, self._writer, lenders or (folder / TRIALS,))
        self._replies = Replies(engines, self._records, self._ledger)
        self._bars = Progress()

    @asynccontextmanager
    async def stage(self, name: str, limit: int | None = None) -> AsyncIterator[None]:
        """Hold the run folder for a stage; at its end write the funnel and the live lists.

        With `limit`, only some items are taken: nothing is moved to stale/. When the
        stage is interrupted, what was made stays, and the live lists stay as they were.
        Why items were dropped is logged, so that a test which finds nothing kept shows it.
        """
        with (
            hold_run(self.folder, name),
            log_to(self.folder / "run.log"),
            TemporaryFile("w+", encoding="utf-8") as led,
        ):
            self._pass = Pass(name, limit, self.folder, self._writer, led)
            _log.info("stage %s begins", name)
            try:
                yield
                self._pass.finish()
            finally:
                self._writer.sync()
                self._pass.write_status()
                self._ledger.write(self.folder, self.config, self.engines, self._writer)
                how = "ends" if self._pass.complete else "breaks off"
                _log.info("stage %s %s. %s", name, how, self._pass.name_reasons())
                self._pass = None
                if not self.keep_models:
                    await self.engines.release()

    def status(self) -> dict[str, Any]:
        """Return the status of all stages, with what the running one has counted so far."""
        return self._current.status()

    async def map(
        self,
        function: Callable[[I], Awaitable[R]],
        items: Iterable[I],
        label: str = "",
        total: int | None = None,
        abort_below: float | None = None,
    ) -> list[R]:
        """Apply a coroutine function to items, a bounded window at once.

        Returns the results of the items that were not dropped, in the items' order. With
        a `label`, the items are counted under it in the funnel. `total` is how many items an
        iterator has, for the progress bar. Raises TooFewKept when, the first hundred being
        through, a smaller share than `abort_below` of the items so counted had a result that
        is not empty.
        """
        results: dict[int, R] = {}
        fruitful = 0
        count = self._current.pipelines[label] if label else StepCount()
        fork = Fork()
        applied = apply(fork.follow(function), items, self.config.system.concurrency_limit)
        with self._bars.bar(items, label, total, shown=self.progress) as bar:
            async with aclosing(applied):
                async for place, item, result in applied:
                    if isinstance(result, Dropped):
                        count.note(item.uuid, _outcome_of(result))
                    else:
                        results[place] = result
                        fruitful += bool(result)
                        count.note(item.uuid, Outcome("kept"))
                    bar.update()
                    if abort_below is not None:
                        self._current.require(abort_below, label, fruitful)
        fork.join()
        return [results[place] for place in sorted(results)]

    async def ask(self, step: Step[I, O], item: I) -> O:
        """Ask a step about an item, or take the answer that it had in this run.

        Raises Rejected and Failed, which drop the item, and EngineError, which does not:
        the same code run again asks again.
        """
        async with self._inquire(step, item) as (inquiry, record):
            output = await self._attempt(inquiry, record, vote=0)
            self._conclude(record, Outcome("kept", output=output))
            return output

    async def vote(self, step: Step[I, O], item: I) -> O:
        """Ask a step whose output is true or false until a majority is certain.

        Returns the first vote of the majority of `double_check_counter`, which is one vote at
        least; votes count in the order of their seeds. Raises Failed when unusable replies leave
        no majority.
        """
        total = self.config.questions.double_check_counter or 1
        needed = total // 2 + 1
        async with self._inquire(step, item) as (inquiry, record):
            ayes: list[O] = []
            noes: list[O] = []
            cast = 0
            while missing := needed - max(len(ayes), len(noes)):
                wave = range(cast, min(cast + missing, total))
                if not wave:
                    raise Failed("no majority: unusable votes")
                cast = wave.stop
                for votes in await asyncio.gather(
                    *(self._cast(inquiry, record, number) for number in wave)
                ):
                    ayes += [vote for vote in votes if vote]
                    noes += [vote for vote in votes if not vote]
            passed = len(ayes) >= needed
            inquiry.note_outvoted(record, passed)
            outcome = Outcome("kept", output=True) if passed else Outcome("rejected", "voted no")
            self._conclude(record, outcome)
            return (ayes if passed else noes)[0]

    def load_prompts(self, *steps: Step[Any, Any]) -> None:
        """Load and check the steps' prompts and grammars, before any model is loaded."""
        for step in steps:
            self._prompts.of(step, self.config)

    def use_prompt(self, step: Step[Any, Any], prompt: Prompt) -> None:
        """Take a prompt in the place of that in the step's files."""
        self._prompts.use(step, prompt)

    def forget_prompts(self) -> None:
        """Read prompts and grammars anew when they are needed: their files have changed."""
        self._prompts.forget()

    def first_items(self, step: Step[I, Any]) -> list[I]:
        """Return the items that this run asked a step about first, since it was opened: a few."""
        return list(self._first.get(step.name, {}).values())

    def shown(self, step: Step[Any, Any]) -> tuple[str, ...]:
        """Return the texts that a step's prompt shows with every item."""
        return self._prompts.of(step, self.config).shown

    @asynccontextmanager
    async def _inquire(
        self, step: Step[I, O], item: I
    ) -> AsyncIterator[tuple[Inquiry[I, O], Record]]:
        """Lend an item's record, with what is to be asked; what drops the item is noted."""
        async with self._records.lend(step.name, item.uuid) as record:
            prompt = self._prompts.of(step, self.config)
            inquiry = Inquiry.of(step, item, prompt, self.config)
            self._ledger.note(step.name, inquiry.role)
            first = self._first.setdefault(step.name, {})
            if len(first) < FEW and not step.counted:
                first[item.uuid] = item
            record.fields = to_json(inquiry.fields)
            record.counted = step.counted
            try:
                yield inquiry, record
            except Dropped as dropped:
                self._conclude(record, _outcome_of(dropped))
                raise

    def _conclude(self, record: Record, outcome: Outcome) -> None:
        record.outcome = outcome
        self._records.save(record)
        if not record.counted:
            note_call(record.step, record.uuid)
        self._current.note_asked(record, outcome)

    async def _cast(self, inquiry: Inquiry[Any, O], record: Record, number: int) -> list[O]:
        """Return one vote, or nothing when its replies are unusable."""
        try:
            return [await self._attempt(inquiry, record, vote=number)]
        except Failed:
            return []

    async def _attempt(self, inquiry: Inquiry[Any, O], record: Record, vote: int) -> O:
        """Return the first usable reply's output, over the step's attempts."""
        problem, count = "", self._current.count_of(record)
        for attempt in range(inquiry.prompt.content.attempts):
            reply = await self._replies.get(inquiry, record, count, vote, attempt)
            self._bars.count_reply()
            count.made_with[reply.prompt, reply.model] += 1
            try:
                return inquiry.take(record, reply)
            except Unparsable as error:
                problem = str(error)
        raise Failed(problem)


def _outcome_of(dropped: Dropped) -> Outcome:
    return Outcome("rejected" if isinstance(dropped, Rejected) else "failed", dropped.reason)
