"""Step records of a run folder: read one at a time, found by outcome, shown as HTML."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from generation_functions.display.markup import Html, folded, join, preformatted, tag
from generation_functions.display.tables import show_table
from generation_functions.errors import RunFolderError
from generation_functions.status import Status
from generation_functions.steps.files import read_json
from generation_functions.steps.record import Record, Reply
from generation_functions.steps.stage_pass import ASKED

ANY = "any"
OPEN = "open"  # no outcome yet: its stage was interrupted
_BOX = "border: 1px solid #9994; border-radius: 6px; padding: 8px 14px; margin: 6px 0"
_COLOURS = {"kept": "#3b7a78", "rejected": "#a8771a", "failed": "#b5513f"}


def steps_of(status: Status, stage: str) -> list[str]:
    """Return the steps that a stage asked, in the order in which they came."""
    return list(status[stage]["steps"]) if stage in status else []


def list_records(folder: Path, step: str) -> list[Path]:
    """Return the files of a step's records, sorted by name; none is opened."""
    return sorted((folder / step).glob("*.json"))


def list_asked(folder: Path, stage: str, step: str) -> list[Path]:
    """Return the files of the items that a stage's last whole pass asked a step about.

    Before such a pass, all records. Left out are older prompts' items, and planted ones.
    """
    asked = read_json(folder / ASKED.format(stage))
    if asked is None:
        return list_records(folder, step)
    paths = (folder / step / f"{uuid}.json" for uuid in asked.get(step, ()))
    return [path for path in paths if path.exists()]


def read_roots(folder: Path, stage: str) -> dict[str, str]:
    """Return which item a stage's last whole pass began with, of each that was asked about."""
    asked = read_json(folder / ASKED.format(stage)) or {}
    named = (one for one in asked.values() if isinstance(one, dict))  # lists in older run folders
    return {uuid: root for one in named for uuid, root in one.items()}


def read_record(path: Path) -> Record:
    """Read a record, with the outcome that its step's last run left in it.

    Raises RunFolderError for a file that is not a record.
    """
    value = read_json(path) or {}
    try:
        return Record.of_last_pass(value)
    except (KeyError, TypeError) as error:
        raise RunFolderError(f"{path}: not a step's record ({error!r} is amiss).") from error


def matches(record: Record, outcome: str = ANY, reason: str = ANY) -> bool:
    """Whether a record has an outcome and a reason; `any` is every one."""
    result, why = (record.outcome.result, record.outcome.reason) if record.outcome else (OPEN, "")
    return outcome in (ANY, result) and reason in (ANY, why)


def find_record(
    paths: Sequence[Path], start: int, direction: int, outcome: str = ANY, reason: str = ANY
) -> int | None:
    """Return the place of the next match from `start` on, going by `direction` (1 or -1).

    Opens no more files than it must; None where there is no match on that side.
    """
    end = len(paths) if direction > 0 else -1
    for place in range(start, end, direction):
        if matches(read_record(paths[place]), outcome, reason):
            return place
    return None


def reply_lengths(
    folder: Path, steps: Sequence[str], most_opened: int = 2000
) -> dict[str, list[int]]:
    """Return the tokens of replies by step, those that were cut at max_tokens under its own name.

    Of each step so many records are opened, the first by uuid, which is a fair sample.
    """
    lengths: dict[str, list[int]] = {}
    for step in steps:
        paths = list_records(folder, step)[:most_opened]
        replies = [reply for path in paths for reply in read_record(path).replies]
        for name, ends in ((step, "stop"), (f"{step}, cut", "length")):
            lengths[name] = [one.completion_tokens for one in replies if one.finish_reason == ends]
    return lengths


def show_record(record: Record) -> Html:
    """Return a record: what became of it, what was asked about, each reply, the output."""
    return tag(
        "div",
        _headline(record),
        folded("Fields", show_table(_field_rows(record)), open_=True),
        *_replies(record.replies),
        *(tag("p", f"Refused: {refusal.message}") for refusal in record.refusals),
        folded("Output", preformatted(_pretty(record.outcome.output if record.outcome else None))),
        style=_BOX,
    )


def show_examples(folder: Path, step: str, most_opened: int = 200) -> Html:
    """Return a step's first record of each outcome, among the first `most_opened` files."""
    found: dict[str, Record] = {}
    for record in map(read_record, list_records(folder, step)[:most_opened]):
        found.setdefault(record.outcome.result if record.outcome else OPEN, record)
        if len(found) == len(_COLOURS):
            break
    if not found:
        return tag("p", tag("em", f"{step}: no records yet."))
    shown = (folded(f"{step}: {result}", show_record(one)) for result, one in found.items())
    return join(shown)


def _headline(record: Record) -> Html:
    outcome = record.outcome
    result = outcome.result if outcome else OPEN
    colour = _COLOURS.get(result, "inherit")
    return tag(
        "p",
        tag("strong", result, style=f"color: {colour}"),
        f": {outcome.reason}" if outcome and outcome.reason else "",
        f"  ·  {record.counted or record.step}  ·  ",
        tag("code", record.uuid),
    )


def _field_rows(record: Record) -> list[dict[str, str]]:
    return [{"field": name, "value": _pretty(value)} for name, value in record.fields.items()]


def _replies(replies: Sequence[Reply]) -> Iterator[Html]:
    for number, reply in enumerate(replies, 1):
        said = (
            f"Reply {number} (vote {reply.vote + 1}, attempt {reply.attempt + 1}, "
            f"{reply.completion_tokens} tokens, {reply.seconds:.1f} s, ended by "
            f"{reply.finish_reason})"
        )
        yield folded(said, preformatted(reply.text), open_=True)


def _pretty(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=1)
