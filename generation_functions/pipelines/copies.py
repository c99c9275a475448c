"""Answers in the text's own words, for models that are too small to tell it in theirs.

A copy is true by its making. What a text orders ("Hold up the mail.") is no fact, though: it is
told as the advice of its source, between quotation marks. Where code cannot tell which of the two
a sentence is, the model chooses; the words it does not.
"""

import re
from collections.abc import Iterable, Sequence

from generation_functions.documents.sentences import number_sentences
from generation_functions.documents.titles import parse_name
from generation_functions.pipelines.question_words import is_verb
from generation_functions.pipelines.readings import show_sentence
from generation_functions.pipelines.roots import find_roots
from generation_functions.pipelines.wording import find_unclear
from generation_functions.records import Chunk, QAPair
from generation_functions.steps.step import write_literal

FEWEST_WORDS, MOST_WORDS = 8, 45  # of a sentence that is an answer by itself
FEWEST_COPIED, MOST_COPIED = 3, 80  # words of sentences that are one answer together

_LIST_NUMBER = re.compile(r"^(?:\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})\)|\d{1,3}\.)\s+(?=\S)")
_LEAD = re.compile(
    r"(?:Finally|Thus|Besides|Moreover|Furthermore|However|Therefore|Hence|Consequently|Also"
    r"|Further|Nevertheless|Of course|In addition|In other words|On the other hand|And|But), "
)
# What a sentence begins with that cannot be understood without the one before it. The "it" of
# "it is best to" stands for nothing.
_LEANS = re.compile(
    r"(?:(?:after|as|although|because|before|by|if|in|once|since|when|while|with) )?"
    r"(?:it(?! is (?:\w+,? ){0,3}(?:that|to)\b)|they|this|that|these|those|such|he|she|his"
    r"|her|its|their)\b"
    r"|(?:or|nor|neither(?!.*\bnor\b)|then|otherwise|so|here|on the (?:one|other) hand)\b",
    re.IGNORECASE,
)
# What hardly any sentence begins with that does not order something.
_ORDERS = re.compile(
    r"(?:do(?:n[’']t| not)|never|always|let(?! us\b| me\b)|try|be|make sure|see (?:that|to)|put"
    r"|take|keep|avoid|remember|choose|add|pour|remove|insert|place|give|tell|use|leave|check|ensure|make)"
    r" (?!(?:of|in|is|are|was|were|has|have|had|can|may|will|would|and|or)\b)",
    re.IGNORECASE,
)
# What tells how things are: a verb that only a subject has, before any clause within. What "you
# can" do is advice.
_CLAUSE = (
    "which|that|who|whose|whom|how|what|whether|why|if|when|where|so|until|unless|while|as|than|you"
)
_TELLS = re.compile(
    rf"(?:there|(?:(?!(?:{_CLAUSE})\b)[\w’'-]+,? ){{0,12}}(?!(?:{_CLAUSE})\b)[\w’'-]+)"
    r",? (?:will|can|cannot|may|might|must|should|is|are|was|were|has|have|had|would|could|does"
    r"|frequently|often|usually|generally|sometimes|seldom|normally|rarely|tends?)\b",
    re.IGNORECASE,
)
_STATES = re.compile(
    r"(?:an?|the|each|every|some|many|most|all|any|no|one|several|few|both)\b", re.IGNORECASE
)
# Where it comes to the point: "Before you light the fire, shut the windows."
_OPENS_LONG = re.compile(
    r"(?:in|on|at|before|after|when|while|if|where|wherever|whenever|to|for|by)\b[^,]*, ",
    re.IGNORECASE,
)
_ADVERB = re.compile(r"[A-Za-z]\w+ly,? ")
# What a sentence says of something that only the one before it names.
_ELSEWHERE = re.compile(
    r"\b(?:do(?:es|ne|ing)?|did) (?:this|that|so|it)\b"
    r"|^(?:\S+ ){0,5}(?:he|she|his|him|hers?)\b|^(?:\S+ ){1,2}(?:it|them)\b"
    r"|\bbetween them\b|\b(?-i:us|me)\b|^(?:until )?now\b|^the (?:same|latter|former|answer)\b"
    r"|^(?:by|for|from|in|of|on|to|under|with) (?:other|similar|different)\b"
    r"|\b(?:figure|plate|table) [\dIVX]|\(\w{1,2}\) "
    r"|\banother (?:type|kind|sort|form|way|method|means|example)\b",
    re.IGNORECASE,
)
_THIS = re.compile(
    r"\b(?:this|these|those) (?!(?:who|which|that|is|are|was|were|will|can|may|must|should|would"
    r"|could|has|have|had|does|do|did|in|of|to)\b)(\w+)",
    re.IGNORECASE,
)
_OF_PERSON = re.compile(r"(?:he|she|his|her)\b", re.IGNORECASE)
# "The gas will explode": a thing as if it were known which; no "of the lamp" behind it says it.
_KNOWN_THING = re.compile(
    r"\bthe ([a-z]+)(?= (?:will|can|may|must|should|is|are|was|were|has|have|if|when|and|or|with"
    r"|in|into|on|onto|at|from|by|for|over|through|under|until|before|after|as|so|off|out|up|down)"
    r"\b|[,.;:])",
    re.IGNORECASE,
)
# Of which there is but one, or everybody knows which.
_UNIQUE = frozenset(
    "air army earth enemy government ground moon police public sea sky sun weather world".split()
)
FARTHEST = 3  # sentences back to the one that names a thing
MOST_NAMED, MOST_BARE = 3, 2  # times of "the gas", "of gas"; what a text has oftener it is about
# What "-ing" makes a verb of, and orders nothing.
_NO_VERBS = frozenset("both cast even except frequent her let not similar well".split())
# "Ground which", "air dried": what begins it is a thing, of which it tells.
_IS_THING = re.compile(
    r"\w+ (?:which|that|who|of|between|\w+ed)\b|\w+ (?:\w+ ){0,2}(?:of|on|in|at|from|to) which\b"
)
# "Water prevents rapid cooling", but "Warn neighbours that".
_THEN_VERB = re.compile(r"\w+ (\w+[^s])s\b(?! (?:that|and|or|so|with|until|before)\b|[.,;:!?])")
_FIRST_WORD = re.compile(r"[A-Za-z][a-z]{2,}(?= [a-z])")
_EMPHASIS = re.compile(r"(?<!\w)_(?=\S)|(?<=\S)_(?!\w)")


def without_number(sentence: str) -> str:
    """Return a sentence without the number that it has in a list: "(3) ", "b) "."""
    return _LIST_NUMBER.sub("", sentence)


def without_lead(sentence: str, language: str) -> str:
    """Return a sentence without the word that leads over to it from the one before ("Thus, ")."""
    lead = _LEAD.match(sentence) if language == "english" else None
    if not lead:
        return sentence
    rest = sentence[lead.end() :]
    return rest[:1].upper() + rest[1:]


def leans(sentence: str, language: str) -> bool:
    """Whether an English sentence begins with what stands for something in the one before."""
    return language == "english" and bool(_LEANS.match(without_number(sentence)))


def find_needed(chunk: Chunk, number: int) -> int:
    """Return the number of the sentence from which on an English one has to be read: its own, the
    one before it that it leans on, or the one that names a thing which it has as known."""
    texts = number_sentences(chunk.text, chunk.language)
    if leans(texts[number - 1], chunk.language):
        return number - 1
    if chunk.language != "english":
        return number
    sentence = texts[number - 1]
    for match in _KNOWN_THING.finditer(sentence):
        said = find_roots(f"{chunk.source} {sentence[: match.start()]}")
        if not find_roots(match[1]) - said or _is_subject(match[1], chunk):
            continue
        named = re.compile(rf"\b{match[1].removesuffix('s')}(?:e?s)?\b", re.IGNORECASE)
        for earlier in range(number - 1, max(0, number - 1 - FARTHEST), -1):
            if named.search(texts[earlier - 1]):
                return earlier
    return number


def _is_subject(thing: str, chunk: Chunk) -> bool:
    """Whether a text has "the water", or "of water", so often that it needs no naming, or there is
    but one."""
    if thing.lower() in _UNIQUE:
        return True
    known = re.findall(rf"\bthe {thing}\b", chunk.text, re.IGNORECASE)
    bare = re.findall(
        rf"\b(?:and|as|by|for|from|in|into|of|on|or|to|with) {thing}\b", chunk.text, re.IGNORECASE
    )
    return len(known) > MOST_NAMED or len(bare) > MOST_BARE


def narrow_to_copies(chunk: Chunk) -> dict[str, str]:
    """Return the rules `verbatim` and `advised`: a sentence's number with the sentence as answer,
    as it stands and as its source's advice. Without such a sentence both are a bare number."""
    texts = number_sentences(chunk.text, chunk.language)
    whole = [
        number
        for number, text in enumerate(texts, start=1)
        if text.rstrip()[-1:] in ".!?"
        and FEWEST_WORDS <= len(text.split()) <= MOST_WORDS
        and find_needed(chunk, number) == number
        and is_clear(chunk, [number])
    ]
    plain = [f"{number}\nAnswer: {_copy(chunk, [number])}" for number in whole]
    advised = [f"{number}\nAnswer: {_advise(chunk, [number])}" for number in whole]
    return {
        "verbatim": " | ".join(map(write_literal, plain)) or "number",
        "advised": " | ".join(map(write_literal, advised)) or "number",
    }


def write_copies(chunk: Chunk, numbers: Sequence[int]) -> str:
    """Return, as the right-hand side of a rule, how these sentences can be an answer.

    That is as they stand, or as advice; of English sentences that plainly are one or the other
    only this.
    """
    texts = [_copy(chunk, [number]) for number in numbers]
    plain, advice = _copy(chunk, numbers), _advise(chunk, numbers)
    ways = [plain, advice]
    if chunk.language == "english" and any(map(_is_order, texts)):
        ways = [advice]
    elif chunk.language == "english" and all(map(_is_statement, texts)):
        ways = [plain]
    return f"({' | '.join(map(write_literal, ways))})"


def _find_clause(sentence: str) -> str:
    """Return a sentence from where it comes to the point: behind its opening clause or adverb."""
    opens = _OPENS_LONG.match(sentence)
    clause = sentence[opens.end() :] if opens else sentence
    adverb = _ADVERB.match(clause)
    return clause[adverb.end() :] if adverb else clause


def _is_statement(sentence: str) -> bool:
    """Whether an English sentence plainly tells how things are."""
    clause = _find_clause(sentence)
    return bool(_TELLS.match(clause) or _STATES.match(sentence))


def _is_order(sentence: str) -> bool:
    """Whether an English sentence plainly tells somebody to do something: it, or what follows its
    first comma, begins with one of the commonest verbs for that, or with any that "-ing" can end
    and no other verb for it to be subject of."""
    clause = _find_clause(sentence)
    if _ORDERS.match(clause):
        return True
    first = _FIRST_WORD.match(clause)
    if not first or first[0].lower() in _NO_VERBS or _TELLS.match(clause):
        return False
    then = _THEN_VERB.match(clause)
    if _IS_THING.match(clause) or (then and is_verb(then[1])):
        return False
    return is_verb(first[0].lower())


def is_clear(chunk: Chunk, numbers: Sequence[int]) -> bool:
    """Whether sentences can be understood by themselves, as far as code can tell, and are no
    longer than an answer may be."""
    words = _copy(chunk, numbers)
    if (
        not FEWEST_COPIED <= len(words.split()) <= MOST_COPIED
        or "[" in words
        or find_unclear("", words)
    ):
        return False
    if chunk.language != "english":
        return True
    texts = number_sentences(chunk.text, chunk.language)
    if _ELSEWHERE.search(words) or _points_at_unsaid(texts[numbers[0] - 1]):
        return False
    return not any(_OF_PERSON.match(texts[number - 1]) for number in numbers[1:])


def _points_at_unsaid(sentence: str) -> bool:
    """Whether a sentence has "this method" or the like, and no method before."""
    return any(
        not find_roots(match[1])
        or not find_roots(match[1]) <= find_roots(sentence[: match.start()])
        for match in _THIS.finditer(sentence)
    )


def is_copied(pair: QAPair) -> bool:
    """Whether an answer has the very words of its sentences, so that it agrees with the text."""
    return pair.answer in (_copy(pair.chunk, pair.sentences), _advise(pair.chunk, pair.sentences))


def hold_together(chunk: Chunk, numbers: Sequence[int]) -> tuple[int, ...]:
    """Return the first of the sentences with those before it that it leans on, and with those of
    the others that follow on it and lean on it in turn."""
    first = last = numbers[0]
    while first > 1 and (needed := find_needed(chunk, first)) < first:
        first = needed
    while last + 1 in numbers and find_needed(chunk, last + 1) < last + 1:
        last += 1
    return tuple(range(first, last + 1))


def _copy(chunk: Chunk, numbers: Iterable[int]) -> str:
    texts = number_sentences(chunk.text, chunk.language)
    told = (without_number(show_sentence(texts[number - 1])) for number in numbers)
    words = _EMPHASIS.sub("", " ".join(" ".join(told).split()))
    return without_lead(words, chunk.language)


def _advise(chunk: Chunk, numbers: Iterable[int]) -> str:
    source = parse_name(chunk.source)
    adviser = (source.author or source.title).strip()
    if not adviser:
        return _copy(chunk, numbers)
    words = _copy(chunk, numbers).replace("“", "‘").replace("”", "’")
    several = source.author is not None and " and " in adviser
    advises = "advise" if several else "advises"
    return f"{adviser[:1].upper()}{adviser[1:]} {advises}: “{words}”"
