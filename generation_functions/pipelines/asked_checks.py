"""Whether a question that is worded otherwise than it is meant asks for what it means."""

import re

from generation_functions.pipelines.pair_checks import COUNTS, Problem
from generation_functions.pipelines.readings import Reading
from generation_functions.pipelines.strange import find_strange
from generation_functions.pipelines.turn_words import find_kinds
from generation_functions.pipelines.way_steps import WayRequest
from generation_functions.records import Exchange

_HOW = re.compile(
    r"(?:^|[,;])\W*(?:\w+ ){0,3}?how "
    r"(much|many|long|far|old|often|high|deep|wide|tall|heavy|fast|hot|soon|thick|strong)\b",
    re.IGNORECASE,
)
_ALIKE = {"many": "much", "tall": "high", "far": "long"}


def find_wording_fault(
    exchange: Exchange, request: WayRequest, use_filenames: bool = True
) -> Problem | None:
    """Return what is wrong with a question's own words, where `meant` says in full what it asks."""
    question, reading = exchange.question, request.reading
    if not exchange.meant:
        return None
    if question.count("?") > 1:
        told = "The question asks two things at once."
        return Problem("asks two things at once", told, in_question=True)
    known = "\n".join((_know(reading, use_filenames), *_list_said(request), exchange.meant))
    strange = find_strange(COUNTS.sub("", question), known, reading.chunk.language)
    if strange:
        told = f"The question has “{strange}”, which the text does not have."
        return Problem("question has a fact that the text lacks", told, in_question=True)
    if reading.chunk.language == "english" and _asks_otherwise(exchange, bool(request.turns)):
        told = f"The question asks something else than what it means: “{exchange.meant}”"
        return Problem("question asks something else than it means", told, in_question=True)
    return None


def _asks_otherwise(exchange: Exchange, goes_on: bool) -> bool:
    """Whether a question asks for another kind of thing than it means, by words that say which.

    One that goes on after others may say so little that it asks for nothing of its own ("And the
    paint?"); another asks which thing it is that it describes.
    """
    asked, meant = (_find_sizes(text) for text in (exchange.question, exchange.meant))
    if asked and meant:
        return not asked & meant
    kinds = find_kinds(exchange.question) - {"what", "whether"}
    wanted = find_kinds(exchange.meant) - {"what", "whether"}
    return goes_on and bool(kinds and wanted and not kinds & wanted)


def _find_sizes(question: str) -> set[str]:
    found = (one.lower() for one in _HOW.findall(question))
    return {_ALIKE.get(one, one) for one in found}


def _know(reading: Reading, use_filenames: bool) -> str:
    chunk = reading.chunk
    return "\n".join((chunk.source if use_filenames else "", *chunk.headings, chunk.text))


def _list_said(request: WayRequest) -> list[str]:
    return [f"{one.question}\n{one.answer}" for one in request.turns]
