"""A run: a folder, a config and the engines. `ask`, `vote`, `keep` and `map`."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sized
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from tqdm.auto import tqdm

from generation_functions.config import Config
from generation_functions.engine.pool import Engines
from generation_functions.engine.protocol import Request, key_of
from generation_functions.errors import (
    Dropped,
    Failed,
    GrammarError,
    PromptTooLong,
    Rejected,
    RequestTimeout,
    RunFolderError,
    Unparsable,
)
from generation_functions.records import to_json
from generation_functions.steps.files import Writer, dump, read_json
from generation_functions.steps.funnel import StepCount
from generation_functions.steps.lock import hold_run
from generation_functions.steps.prompts import Prompt, load_prompt
from generation_functions.steps.record import Outcome, Record, Refusal, Reply
from generation_functions.steps.stage_pass import Pass, log_to
from generation_functions.steps.step import Item, Step
from generation_functions.steps.survivors import read_survivors

I = TypeVar("I", bound=Item)
O = TypeVar("O")
R = TypeVar("R")
_log = logging.getLogger(__name__)


class Run:
    """One run folder with its config and engines."""

    def __init__(self, config: Config, folder: Path, engines: Engines) -> None:
        self.config = config
        self.folder = folder
        self.engines = engines
        self.progress = True
        self.keep_models = False
        self._writer = Writer()
        self._prompts: dict[str, Prompt] = {}
        self._writing: dict[tuple[str, str], asyncio.Event] = {}
        self._pass: Pass | None = None
        self._showing = False

    @asynccontextmanager
    async def stage(self, name: str, limit: int | None = None) -> AsyncIterator[None]:
        """Hold the run folder for a stage; at its end write the funnel and the live lists.

        With `limit`, only some items are taken: nothing is moved to stale/. When the
        stage is interrupted, what was made stays, and the live lists stay as they were.
        """
        with hold_run(self.folder, name), log_to(self.folder / "run.log"):
            self._pass = Pass(name, limit, self.folder, self._writer)
            _log.info("stage %s begins", name)
            try:
                yield
                self._pass.finish()
            finally:
                self._writer.sync()
                self._pass.write_status()
                _log.info("stage %s %s", name, "ends" if self._pass.complete else "breaks off")
                self._pass = None
                if not self.keep_models:
                    await self.engines.release()

    async def map(
        self,
        function: Callable[[I], Awaitable[R]],
        items: Iterable[I],
        label: str = "",
        total: int | None = None,
    ) -> list[R]:
        """Apply a coroutine function to items, a bounded window at once.

        Returns the results of the items that were not dropped, in the items' order. With
        a `label`, the items are counted under it in the funnel. `total` is how many items an
        iterator has, for the progress bar.
        """
        results: dict[int, R] = {}
        going: set[asyncio.Task[None]] = set()
        count = self._current.pipelines[label] if label else StepCount()
        with self._bar(items, label, total) as bar:

            async def one(index: int, item: I) -> None:
                try:
                    results[index] = await function(item)
                    count.note(item.uuid, Outcome("kept"))
                except Rejected as dropped:
                    count.note(item.uuid, Outcome("rejected", dropped.reason))
                except Dropped as dropped:
                    count.note(item.uuid, Outcome("failed", dropped.reason))
                bar.update()

            try:
                for index, item in enumerate(items):
                    going.add(asyncio.ensure_future(one(index, item)))
                    if len(going) >= self.config.system.concurrency_limit:
                        done, going = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
                        _raise_first(done)
                while going:
                    done, going = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
                    _raise_first(done)
            finally:
                for task in going:
                    task.cancel()
                await asyncio.gather(*going, return_exceptions=True)
        return [results[index] for index in sorted(results)]

    async def ask(self, step: Step[I, O], item: I) -> O:
        """Ask a step about an item, or take the answer that it had in this run.

        Raises Rejected and Failed, which drop the item, and EngineError, which does not:
        the same code run again asks again.
        """
        async with self._record(step, item) as record:
            try:
                output = await self._attempt(step, item, record, vote=0)
            except Dropped as dropped:
                self._conclude(record, _outcome_of(dropped))
                raise
            self._conclude(record, Outcome("kept", output=output))
            return output

    async def vote(self, step: Step[I, bool], item: I) -> bool:
        """Ask a yes-or-no step until a majority of `double_check_counter` votes is certain.

        Votes count in the order of their seeds. Raises Failed when unusable replies
        leave no majority.
        """
        total = self.config.questions.double_check_counter
        needed = total // 2 + 1
        async with self._record(step, item) as record:
            votes: list[bool | None] = []
            try:
                while votes.count(True) < needed and votes.count(False) < needed:
                    missing = needed - max(votes.count(True), votes.count(False))
                    wave = range(len(votes), min(len(votes) + missing, total))
                    if not wave:
                        raise Failed("no majority: unusable votes")
                    votes += await asyncio.gather(
                        *(self._cast(step, item, record, number) for number in wave)
                    )
            except Dropped as dropped:
                self._conclude(record, _outcome_of(dropped))
                raise
            passed = votes.count(True) >= needed
            outcome = Outcome("kept", output=True) if passed else Outcome("rejected", "voted no")
            self._conclude(record, outcome)
            return passed

    def keep(self, folder: str, item: I) -> I:
        """Write a survivor to a folder that people watch; return it as it stands there.

        Raises Rejected("deleted by hand") for one that a person took out.
        """
        return self._current.open(folder).keep(item)

    def count(self, label: str, uuid: str, rejected: str = "") -> None:
        """Count an item that code alone decided about."""
        outcome = Outcome("rejected", rejected) if rejected else Outcome("kept")
        self._current.pipelines[label].note(uuid, outcome)

    def write_text(self, name: str, text: str) -> None:
        """Write a text file of the run folder; `name` is relative to it."""
        self._writer.write(self.folder / name, text)

    def open_text(self, name: str) -> AbstractContextManager[Callable[[str], None]]:
        """Lend a function that writes a text file of the run folder piece by piece."""
        return self._writer.open(self.folder / name)

    def open_survivors(self, *folders: str) -> None:
        """Name the folders that this stage fills, also when it fills them with nothing."""
        for folder in folders:
            self._current.open(folder)

    def survivors(self, folder: str, kind: type[I]) -> list[I]:
        """Return what an earlier stage kept and no person deleted, in order.

        Raises RunFolderError when that stage has not been finished.
        """
        live = read_json(self.folder / "live" / f"{folder}.json")
        if live is None:
            raise RunFolderError(
                f"{self.folder / folder}: not there yet. Run the stage before this one first."
            )
        return read_survivors(self.folder / folder, live, kind)

    @property
    def limit(self) -> int | None:
        """How many chunks the running stage may take."""
        return self._current.limit

    def load_prompts(self, *steps: Step[Any, Any]) -> None:
        """Load and check the steps' prompts and grammars, before any model is loaded."""
        for step in steps:
            self._prompt(step)

    @property
    def _current(self) -> Pass:
        if self._pass is None:
            raise RunFolderError("no stage is running: use `async with run.stage(...)`.")
        return self._pass

    def _prompt(self, step: Step[Any, Any]) -> Prompt:
        if step.name not in self._prompts:
            path = self.config.path
            overrides = [Path(one) for one in (path.prompts, path.default_prompts) if one]
            prompt = load_prompt(step.name, overrides)
            self._prompts[step.name] = prompt
        return self._prompts[step.name]

    @asynccontextmanager
    async def _record(self, step: Step[Any, Any], item: Item) -> AsyncIterator[Record]:
        """Lend an item's record, one writer at a time."""
        key = (step.name, item.uuid)
        while key in self._writing:
            await self._writing[key].wait()
        done = self._writing[key] = asyncio.Event()
        try:
            value = read_json(self._path(step.name, item.uuid))
            record = Record.from_json(value) if value else Record(item.uuid, step.name)
            record.fields = to_json(dict(step.fields(item)))
            yield record
        finally:
            del self._writing[key]
            done.set()

    def _path(self, step: str, uuid: str) -> Path:
        return self.folder / step / f"{uuid}.json"

    def _conclude(self, record: Record, outcome: Outcome) -> None:
        record.outcome = outcome
        self._save(record)
        self._current.steps[record.step].note(record.uuid, outcome)

    def _save(self, record: Record) -> None:
        path = self._path(record.step, record.uuid)
        text = dump(record.as_json())
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            self._writer.write(path, text)

    async def _cast(self, step: Step[I, bool], item: I, record: Record, number: int) -> bool | None:
        try:
            return await self._attempt(step, item, record, vote=number)
        except Failed:
            return None

    async def _attempt(self, step: Step[I, O], item: I, record: Record, vote: int) -> O:
        """Return the first usable reply's output, over the step's attempts."""
        prompt = self._prompt(step)
        rules = step.rules(item)
        grammar = prompt.grammar.replace(rules) if rules else prompt.grammar
        messages, shared = prompt.messages(step.fields(item))
        problem = ""
        for attempt in range(prompt.content.attempts):
            seed = derive_seed(self.config.system.seed, item.uuid, step.name, vote, attempt)
            request = Request(
                messages=messages,
                grammar=grammar.text,
                sampling=prompt.sampling,
                seed=seed,
                max_tokens=prompt.content.max_tokens,
                stop=prompt.content.stop if self.config.system.use_stop else (),
                completion_mode=self.config.system.completion_mode,
                thinking=getattr(self.config.models, step.role).thinking,
                shared=shared,
            )
            reply = await self._reply(step, request, record, vote, attempt)
            if reply.finish_reason != "stop":
                problem = "truncated at max_tokens"
            elif prompt.grammar.reaches_bound(reply.text) and grammar.reaches_bound(reply.text):
                problem = "truncated at a bound of the grammar"
            else:
                try:
                    return step.parse(item, reply.text)
                except Unparsable as error:
                    problem = str(error)
        raise Failed(problem)

    async def _reply(
        self, step: Step[Any, Any], request: Request, record: Record, vote: int, attempt: int
    ) -> Reply:
        """Return the stored reply to exactly this request, or ask for it and store it."""
        engine = self.engines.of(step.role)
        key = key_of(request, engine.fingerprint)
        count = self._current.steps[step.name]
        stored = record.reply(key)
        if stored:
            count.replayed_calls += 1
            return stored
        refusal = record.refusal(key, engine.context)
        if refusal:
            raise Rejected("prompt longer than the context")
        prompt = self._prompt(step)
        self._save_prompt(prompt)
        try:
            completion = await self.engines.complete(step.role, request)
        except PromptTooLong as error:
            record.refusals.append(Refusal(key, engine.context, str(error)))
            raise Rejected("prompt longer than the context") from error
        except RequestTimeout as error:
            raise Failed("no reply in time") from error
        except GrammarError as error:
            raise GrammarError(f"{step.name}.gbnf: {error}") from error
        reply = Reply(
            **asdict(completion),
            key=key,
            prompt=prompt.hash,
            model=engine.fingerprint,
            vote=vote,
            attempt=attempt,
            seed=request.seed,
        )
        record.replies.append(reply)
        record.replies.sort(key=lambda one: (one.vote, one.attempt))
        self._save(record)
        count.add_call(completion)
        return reply

    def _save_prompt(self, prompt: Prompt) -> None:
        path = self.folder / prompt.name / "prompts" / f"{prompt.hash}.json"
        if not path.exists():
            content = prompt.content.model_dump(mode="json")
            self._writer.write(path, dump({"prompt": content, "grammar": prompt.grammar.text}))

    @contextmanager
    def _bar(self, items: Iterable[Any], label: str, total: int | None) -> Iterator[Any]:
        """Show progress for the outermost map; those inside of it stay silent."""
        total = len(items) if isinstance(items, Sized) else total
        outermost, self._showing = not self._showing, True
        silent = not (outermost and self.progress)
        try:
            with tqdm(total=total, desc=label, unit="item", disable=silent) as bar:
                yield bar
        finally:
            self._showing = not outermost


def derive_seed(run_seed: int, uuid: str, step: str, vote: int, attempt: int) -> int:
    """Return the 32-bit seed of one request; it depends on nothing but these."""
    text = f"{run_seed}\x1f{uuid}\x1f{step}\x1f{vote}\x1f{attempt}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _outcome_of(dropped: Dropped) -> Outcome:
    return Outcome("rejected" if isinstance(dropped, Rejected) else "failed", dropped.reason)


def _raise_first(done: Iterable[asyncio.Task[None]]) -> None:
    errors = [error for task in done if (error := task.exception())]
    if errors:
        raise errors[0]
