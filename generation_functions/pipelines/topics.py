"""What a question is about, in a few words of its own."""

import re

from generation_functions.documents.titles import parse_name
from generation_functions.pipelines.wording import content_words
from generation_functions.records import QAPair

LONGEST = 7  # words
MOST = 60  # topics of a question

_WORD = re.compile(r"[^\W_]+(?:[-.,'’][^\W_]+)*")
_ARTICLES = frozenset(("a", "an", "the"))
_KINDS = frozenset(("kind", "kinds", "type", "types", "sort", "sorts"))
# What a question asks with, and is not about.
_ASKING = frozenset(
    """according advise advises be can could did do does doing done happen happens how is may
    might must never should was were what when where which who whom whose why will would""".split()
)


def list_topics(pair: QAPair) -> list[str]:
    """Return runs of words of a pair's question that may name what it is about, as they stand.

    They begin with a word that carries meaning, or its article, and end with one; none has a word
    that only asks, or of the name of its source's author.
    """
    author = content_words(parse_name(pair.chunk.source).author or "")
    words = list(_WORD.finditer(pair.question))
    topics: dict[str, None] = {}
    for first in range(len(words)):
        before = words[first - 1][0].lower() if first else ""
        if before in _ARTICLES or words[first][0].lower() in _KINDS:
            continue
        for last in range(first, min(first + LONGEST, len(words))):
            said = [word[0] for word in words[first : last + 1]]
            if said[-1].lower() in _ASKING or content_words(said[-1]) & author:
                break
            begins = said[1:2] if said[0].lower() in _ARTICLES else said[:1]
            run = pair.question[words[first].start() : words[last].end()]
            if all(map(content_words, (*begins, said[-1]))) and not re.search(r"[?!;:,()“”]", run):
                topics[run] = None
    return list(topics)[:MOST]
