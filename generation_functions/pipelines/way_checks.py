"""What code alone can tell against a question and its answer, for each way of asking.

Every check takes an exchange, the request that it answers and the index of all chunks, and returns
the first problem or None.
"""

import re
from collections.abc import Callable, Sequence

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.pipelines.admissions import admits
from generation_functions.pipelines.clauses import find_swapped
from generation_functions.pipelines.exchange_checks import (
    mentions,
    name_parts,
    stands_alone,
    stems,
)
from generation_functions.pipelines.pair_checks import Problem
from generation_functions.pipelines.premises import (
    find_granted,
    has_in_order,
    sets_right,
    tells,
)
from generation_functions.pipelines.readings import Reading
from generation_functions.pipelines.roots import share_known
from generation_functions.pipelines.strange import find_strange
from generation_functions.pipelines.turn_words import digits
from generation_functions.pipelines.way_steps import WayRequest
from generation_functions.pipelines.wording import content_words, names
from generation_functions.records import Exchange

WayCheck = Callable[[Exchange, WayRequest, ChunkIndex], Problem | None]

LEAST_TAKEN = 0.6  # share of a premise's words that its question has
LEAST_QUALITY = 0.5  # share of a quality's words that the sources have
MOST_ALONE = 4  # content words of a question that leans on the turn before

# A quality that is not a word of the text, but that its figures and dates tell.
_MEASURES = stems(
    "age year date day time order number amount size length height width weight duration distance"
    " share speed quantity earliest latest"
)
_LEANS = re.compile(
    r"\b(?:it|its|he|him|his|she|her|hers|they|them|their|theirs|this|that|these|those|there|then"
    r"|one|ones|such|so|else|another|other|others|same|instead|latter|former|both|either|neither"
    r"|and|but|why not|which of)\b",
    re.IGNORECASE,
)


def check_openended(exchange: Exchange, request: WayRequest, corpus: ChunkIndex) -> Problem | None:
    """An open question wants several things put together: two sentences at least."""
    if len({number for one in exchange.recalled for number in one.sentences}) > 1:
        return None
    told = "The answer takes up one sentence. Ask a broader question, whose answer needs several."
    return Problem("question is not open", told, in_question=True)


def check_negative(exchange: Exchange, request: WayRequest, corpus: ChunkIndex) -> Problem | None:
    """The question takes for granted what the texts contradict, and the answer says so."""
    premise, chunk = exchange.premise, request.reading.chunk
    taken = stems(premise)
    if len(taken & stems(exchange.question)) < LEAST_TAKEN * len(taken):
        told = f"The question does not take for granted that “{premise}”"
        return Problem("question does not hold the premise", told, in_question=True)
    told_lines = (*(one.told for one in exchange.recalled), *request.reading.sentences)
    if any(tells(one, premise) for one in told_lines):
        told = f"“{premise}” is what the text says, and not wrong."
        return Problem("premise is not wrong", told, in_question=True)
    if chunk.language == "english" and not sets_right(exchange.answer, premise):
        told = f"The answer does not say that it is wrong that “{premise}”"
        return Problem("answer does not set the premise right", told)
    known = "\n".join((chunk.source, *chunk.headings, chunk.text, *told_lines))
    told_by = "\n".join(f"{one.told}\n{one.quote}" for one in exchange.recalled)
    if strange := find_granted(exchange.answer, premise, known, told_by, chunk.language):
        told = f"The answer takes “{strange}” from the wrong premise."
        return Problem("answer has a fact that the text lacks", told)
    return None


def check_vague(exchange: Exchange, request: WayRequest, corpus: ChunkIndex) -> Problem | None:
    """Who asks cannot name the thing: its name is in the answer and not in the question."""
    name = exchange.things[0]
    parts = stems(name)
    if not parts or not mentions(request.reading.chunk.text, name):
        told = f"“{name}” is no name that the text has."
        return Problem("name is not in the text", told, in_question=True)
    shared = parts & stems(exchange.question)
    head = _find_head(name)
    if shared - head or any(parts & stems(one) for one in names(exchange.question)):
        told = f"The question names “{name}”, which who asks is to describe."
        return Problem("question names the thing", told, in_question=True)
    if not mentions(exchange.meant, name) or not stands_alone(exchange.meant):
        told = f"The question in full is not clear by itself, or does not name “{name}”."
        return Problem("question in full is unclear", told, in_question=True)
    if not mentions(exchange.answer, name):
        return Problem("answer does not name the thing", f"The answer does not name “{name}”.")
    if share_known(exchange.question, request.reading.chunk.text) < LEAST_QUALITY / 2:
        told = f"The question describes nothing by which “{name}” could be known."
        return Problem("question describes nothing", told, in_question=True)
    return None


def check_followup(exchange: Exchange, request: WayRequest, corpus: ChunkIndex) -> Problem | None:
    """A later question needs what was said before: what it leaves out stands there."""
    whole = exchange.meant or exchange.question
    if not stands_alone(whole):
        told = f"“{whole}” is not clear by itself, as a question in full has to be."
        return Problem("question does not stand alone", told, in_question=True)
    if not request.turns:
        return None
    before = stems(" ".join(f"{one.question} {one.answer}" for one in request.turns))
    left_out = stems(exchange.meant) - stems(exchange.question)
    if not left_out & before:
        told = "The question can be understood without the turns before it."
        return Problem("needs no turn before it", told, in_question=True)
    leans = request.reading.chunk.language != "english" or _LEANS.search(exchange.question)
    if not leans and len(content_words(exchange.question)) > MOST_ALONE:
        told = "The question does not take up what was said before."
        return Problem("needs no turn before it", told, in_question=True)
    if any(one.answer == exchange.answer for one in request.turns):
        told = "The answer has been given already."
        return Problem("asked already", told, in_question=True)
    return None


def check_hallucination(
    exchange: Exchange, request: WayRequest, corpus: ChunkIndex
) -> Problem | None:
    """The thing that is asked about is in no chunk of all documents, and the answer says so."""
    thing, chunk = exchange.things[0], request.reading.chunk
    text = "\n".join((chunk.source, *chunk.headings, chunk.text))
    if not mentions(exchange.question, thing):
        told = f"The question does not ask about “{thing}”."
        return Problem("question does not name the thing", told, in_question=True)
    if is_known(thing, request.reading, corpus):
        told = f"“{thing}” is known. Make up a thing that does not exist."
        return Problem("thing is known", told, in_question=True)
    if not (chunk.language != "english" or admits(exchange.admitted, thing)):
        told = f"“{exchange.admitted}” does not say that nothing is known of {thing}."
        return Problem("answer does not say that it is unknown", told)
    strange = find_strange(
        exchange.admitted, f"{text}\n{exchange.question}\n{thing}", chunk.language
    )
    if strange:
        told = f"“{exchange.admitted}” has “{strange}”, which the text does not have."
        return Problem("answer has a fact that the text lacks", told)
    known = exchange.answer.removeprefix(exchange.admitted).strip()
    own = names(f"a {thing}") - {word.lower() for word in re.findall(r"[^\W\d_]+", text)}
    if mentions(known, thing) or own & names(f"a {known}"):
        told = f"The answer tells things of {thing}, which does not exist."
        return Problem("answer tells of what does not exist", told)
    return None


def check_comparison(exchange: Exchange, request: WayRequest, corpus: ChunkIndex) -> Problem | None:
    """Both things, and in what they are compared, are in the sources and in the question."""
    text = request.reading.chunk.text
    one, other = exchange.things
    if not name_parts(one) ^ name_parts(other):
        told = f"“{one}” and “{other}” are the same thing."
        return Problem("one thing is compared with itself", told, in_question=True)
    for thing in exchange.things:
        if not stems(thing) or not mentions(text, thing):
            told = f"“{thing}” is not in the text."
            return Problem("thing is not in the text", told, in_question=True)
        if not mentions(exchange.question, thing):
            told = f"The question does not name “{thing}”."
            return Problem("question does not name the thing", told, in_question=True)
    quality = stems(exchange.quality)
    told = " ".join(one.told for one in exchange.recalled)
    known = stems(text) | stems(told) | (_MEASURES if digits(told) else frozenset())
    if len(quality & known) < LEAST_QUALITY * len(quality):
        told = f"The text says nothing of “{exchange.quality}”."
        return Problem("quality is not in the text", told, in_question=True)
    if not any(mentions(exchange.answer, thing) for thing in exchange.things):
        told = f"The answer names neither “{one}” nor “{other}”."
        return Problem("answer names neither thing", told)
    lines = [f"{line.told}; {line.quote}" for line in exchange.recalled]
    if swapped := find_swapped(exchange.answer, lines, exchange.things):
        return Problem(
            "answer tells of the wrong thing", f"“{swapped}” is told of the other thing."
        )
    return None


def check_nothing(exchange: Exchange, request: WayRequest, corpus: ChunkIndex) -> Problem | None:
    """A way of the user's own has no check of its own."""
    return None


def _find_head(name: str) -> frozenset[str]:
    """Return what kind of thing a name of several words names: "bridge" of the Arno Bridge, "bay"
    of the Bay of Fundy. Who cannot name it may say so much.
    """
    before, found, _ = name.partition(" of ")
    words = (before if found else name).split()
    return stems(words[-1]) if found or len(words) > 1 else frozenset()


def is_known(thing: str, reading: Reading, corpus: ChunkIndex) -> bool:
    """Whether a thing is told of, or is one that is told of with a word more ("the grand Arno
    Bridge"), or is what the reading is called, or by whom it is.

    What has two capitals, or one and a figure, is looked for in all chunks; of other things all
    words but one in any chunk would tell little: they have to stand side by side in the reading.
    """
    called = (reading.chunk.source, *reading.chunk.headings)
    if corpus.has_together(thing) or any(
        mentions(one, thing) for one in (reading.chunk.text, *called)
    ):
        return True
    words = [word for word in re.findall(r"[^\W_]+", thing) if name_parts(word)]
    shorter = [words[:place] + words[place + 1 :] for place in range(len(words) - 1)]
    shorter += [words[place:] for place in range(2, len(words) - 1)]
    return any(_is_told_of(some, reading, corpus) for some in shorter if len(some) > 1)


def _is_told_of(words: Sequence[str], reading: Reading, corpus: ChunkIndex) -> bool:
    named = sum(word[0].isupper() or word[0].isdigit() for word in words)
    if named > 1:
        return corpus.has_together(" ".join(words))
    wanted = [part for word in words for part in sorted(name_parts(word))]
    told = ([part for word in one.split() for part in sorted(name_parts(word))]
            for one in reading.sentences)  # fmt: skip
    return any(has_in_order(one, wanted, 1) for one in told)
