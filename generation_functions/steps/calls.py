"""The calls of a run, read from its records one at a time: what was sent, what came of it.

Only what stages asked about in their last pass is read, with the replies to just that: records
hold those to older prompts too. What was counted apart, as planted pairs are, is no part of it, nor
is what stages of the exam asked: both measure models, which must not have learnt them.
"""

import json
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from generation_functions.calls import Call, Worse
from generation_functions.errors import RunFolderError
from generation_functions.steps.course import CallName
from generation_functions.steps.files import read_json
from generation_functions.steps.prompts import Prompt, read_saved_prompt
from generation_functions.steps.record import Record
from generation_functions.steps.stage_pass import ASKED, LED

_MEASURING = ("exam", "exam_score")  # the stages of the exam


def list_calls(folder: Path) -> dict[str, list[str]]:
    """Return the items that the stages' last passes asked about, by step, both sorted."""
    found: dict[str, set[str]] = {}
    measuring = {folder / ASKED.format(stage) for stage in _MEASURING}
    for path in sorted(set(folder.glob(ASKED.format("*"))) - measuring):
        for step, uuids in (read_json(path) or {}).items():
            found.setdefault(step, set()).update(uuids)
    return {step: sorted(found[step]) for step in sorted(found)}


def read_led(folder: Path, kept: Collection[str]) -> set[CallName]:
    """Return the calls that led to items of these uuids, by the stages' last passes."""
    found: set[CallName] = set()
    for path in sorted(folder.glob(LED.format("*"))):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                if entry["kept"] in kept:
                    found.update((step, uuid) for step, uuid in entry["calls"])
    return found


def read_calls(
    folder: Path, use_filenames: bool, steps: Collection[str], led: Collection[CallName] | None
) -> Iterator[Call]:
    """Yield the calls of `steps`, or of all, by step and uuid; of `led`, only those in it.

    `use_filenames` is the mode of prompts that were saved without it. Raises RunFolderError for
    a step that no stage has asked, and for a damaged file.
    """
    listed = list_calls(folder)
    unknown = sorted(set(steps) - set(listed))
    if unknown:
        raise RunFolderError(
            f"{folder}: `meta_datagen.steps` names {', '.join(unknown)}, which no stage has asked. "
            f"Asked were: {', '.join(listed) or 'none'}."
        )
    for step in (one for one in listed if not steps or one in steps):
        prompt_of = cache(
            lambda name, step=step: read_saved_prompt(
                folder / step / "prompts" / f"{name}.json", step, use_filenames
            )
        )
        for uuid in listed[step]:
            if led is not None and (step, uuid) not in led:
                continue
            path = folder / step / f"{uuid}.json"
            call = _read_call(path, read_json(path), prompt_of)
            if call:
                yield call


def _read_call(
    path: Path, value: dict[str, Any] | None, prompt_of: Callable[[str], Prompt]
) -> Call | None:
    """Return a record's call; None where nothing was replied, or it is not the run's own."""
    if value is None:
        return None
    try:
        record = Record.of_last_pass(value)
    except (KeyError, TypeError) as error:
        raise RunFolderError(f"{path}: not a step's record ({error!r} is amiss).") from error
    result = record.outcome.result if record.outcome else ""
    if record.counted or result not in ("kept", "rejected") or not record.last_replies:
        return None
    return _make_call(record, result, prompt_of)


def _make_call(record: Record, result: str, prompt_of: Callable[[str], Prompt]) -> Call:
    prompt = prompt_of(record.last_replies[-1].prompt)
    messages, _ = prompt.messages(record.fields)
    *before, asked = [message.content for message in messages]
    system = before.pop(0) if messages[0].role == "system" else ""
    taken = [reply.text.strip() for reply in record.taken]
    read = ((record.readings[reply.key], reply.text.strip()) for reply in record.last_replies)
    worse = {
        text: Worse(text, one.use, one.why)
        for one, text in read
        if one.use != "taken" and text not in (*taken, "")
    }
    return Call(
        step=record.step,
        uuid=record.uuid,
        result=result,
        system=system,
        examples=tuple(zip(before[::2], before[1::2], strict=True)),
        asked=asked,
        reply=taken[0] if taken else "",
        worse=tuple(worse.values()),
    )
