"""The reply to a run's request: the stored one, or one that an engine gives, which is stored."""

from dataclasses import asdict, replace
from functools import partial
from typing import Any

from generation_functions.engine.pool import Engines
from generation_functions.engine.protocol import key_of
from generation_functions.errors import (
    GrammarError,
    NoReply,
    NoRoom,
    PromptTooLong,
    RequestTimeout,
)
from generation_functions.steps.funnel import StepCount
from generation_functions.steps.inquiry import Inquiry
from generation_functions.steps.ledger import Ledger
from generation_functions.steps.record import Record, Refusal, Reply
from generation_functions.steps.record_files import RecordFiles


class Replies:
    """What has been answered stands in records; all else is asked for, and its time is noted."""

    def __init__(self, engines: Engines, records: RecordFiles, ledger: Ledger) -> None:
        self._engines = engines
        self._records = records
        self._ledger = ledger

    async def get(
        self, inquiry: Inquiry[Any, Any], record: Record, count: StepCount, vote: int, attempt: int
    ) -> Reply:
        """Return the stored reply to exactly this request, or ask for it and store it.

        Raises NoRoom for a prompt that is too long, NoReply after a time-out, and EngineError.
        """
        engine = self._engines.of(inquiry.role)
        request = inquiry.request(vote, attempt)
        key = key_of(request, engine.fingerprint)
        stored = record.reply(key)
        if stored:
            count.replayed_calls += 1
            return stored
        if record.refusal(key, engine.context):
            raise NoRoom
        self._records.save_prompt(inquiry.prompt)
        borrowed = self._records.borrow(record.step, record.uuid, key)
        if borrowed:
            count.replayed_calls += 1
            return record.add(replace(borrowed, prompt=inquiry.prompt.hash))
        try:
            measure = partial(self._ledger.measure, inquiry.role)
            completion = await self._engines.complete(inquiry.role, request, measure)
        except PromptTooLong as error:
            record.refusals.append(Refusal(key, engine.context, str(error)))
            raise NoRoom from error
        except RequestTimeout as error:
            raise NoReply from error
        except GrammarError as error:
            raise GrammarError(f"{record.step}.gbnf: {error}") from error
        reply = Reply(
            **asdict(completion),
            key=key,
            prompt=inquiry.prompt.hash,
            model=engine.fingerprint,
            vote=vote,
            attempt=attempt,
            seed=request.seed,
        )
        record.add(reply)
        self._records.save(record)
        count.add_call(completion)
        return reply
