"""What a question is about, in a few words of its own."""

import re
from collections.abc import Sequence

from generation_functions.documents.titles import parse_name
from generation_functions.pipelines.question_words import is_verb
from generation_functions.pipelines.wording import content_words
from generation_functions.records import QAPair

LONGEST = 7  # words

_WORD = re.compile(r"[^\W_]+(?:[-.,'’][^\W_]+)*")
_ARTICLES = frozenset(("a", "an", "the"))
_KINDS = frozenset(("kind", "kinds", "type", "types", "sort", "sorts"))
# What a question asks with, and is not about.
_ASKING = frozenset(
    """according advise advised advises are be can could did do does doing done had happen happens
    has have how is may might must never not should was were what when where which who whom whose
    why will would""".split()
)
# What leads to another phrase, as prepositions and adverbs do.
_LEADS = re.compile(
    r"(?:against|if|less|near|only|soon|throughout|unless|until|upon|whether|within|without|\w+ly)$"
)
_MARKS = re.compile(r"[?!;:,()“”]")
_FORM = re.compile(r"\w(?:ed|ing)$")


def list_topics(pair: QAPair) -> list[str]:
    """Return runs of words of a pair's question that may name what it is about, as they stand.

    A run begins where a phrase does, with a word that carries meaning or its article, and ends with
    the last such word of a phrase. It has no word that only asks, or of the name of its source's
    author, and does not begin with a verb ("to clog ...").
    """
    author = content_words(parse_name(pair.chunk.source).author or "")
    places = list(_WORD.finditer(pair.question))
    words = [place[0].lower() for place in places]
    topics = []
    for first, place in enumerate(places):
        if not _begins(words, first):
            continue
        for last in range(first, min(first + LONGEST, len(words))):
            if words[last] in _ASKING or content_words(words[last]) & author:
                break
            run = pair.question[place.start() : places[last].end()]
            if _ends(words, first, last) and not _MARKS.search(run):
                topics.append(run)
    return list(dict.fromkeys(topics))


def _begins(words: Sequence[str], first: int) -> bool:
    """Whether a phrase can begin with a word: an article, or what has none and no adjective."""
    word, before = words[first], words[first - 1] if first else ""
    if word in _ARTICLES:
        return True
    if word in _KINDS or not _tells(word) or before in _ARTICLES or _is_aim(words, first):
        return False
    return before in _ASKING or not _tells(before) or _is_aim(words, first - 1)


def _is_aim(words: Sequence[str], place: int) -> bool:
    """Whether a word is a verb behind "to", or may be one ("doing to steam boilers")."""
    return place > 0 and words[place - 1] == "to" and is_verb(words[place])


def _tells(word: str) -> bool:
    return bool(content_words(word)) and not _LEADS.match(word)


def _ends(words: Sequence[str], first: int, last: int) -> bool:
    """Whether a phrase can end with a word: no participle, and what follows may be a verb."""
    ending, behind = words[last], words[last + 1] if last + 1 < len(words) else ""
    if not _tells(ending) or ending.endswith("ed"):
        return False
    if first == last and _FORM.search(ending):
        return False
    return behind in _ASKING or not _tells(behind) or bool(_FORM.search(behind)) or is_verb(behind)
