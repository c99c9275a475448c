"""Whether an English sentence orders something or tells how things are.

Both are said only where it is plain: of many nouns "-ing" makes a verb ("water", "iron").
"""

import re

from generation_functions.pipelines.question_words import is_verb

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
    r",? (?<!\bto )(?:will|can|cannot|may|might|must|should|is|are|was|were|has|have|had|would"
    r"|could|does"
    r"|frequently|often|usually|generally|sometimes|seldom|normally|rarely|tends?)\b",
    re.IGNORECASE,
)
_SO = re.compile(r"so (?:will|do|does|did|can|may|is|are|was|were|has|have|had)\b", re.IGNORECASE)
_AND_SO_ON = re.compile(r",? and so (?:on|forth)\b,?")
_SEVERAL = re.compile(r"[A-Z][\w’-]*[^su\W]s ([a-z]+) ")  # "Loiterers arouse suspicion."
_SEVERAL_OF = re.compile(r"[A-Z][a-z]+ [a-z]+[^su\W]s ([a-z]+) ")  # "Fish bones turn bitter ..."
# What may lead to an order: "In May lay the stones.", "You lay them in May.".
_LEADS_ON = re.compile(
    r"(?:after|always|and|as|at|before|but|by|do|don|during|even|first|for|from|if|in|instead|into|just|let|never|next"
    r"|no|not|of|on|once|only|or|over|please|so|then|through|to|under|unless|until|when|whenever|where"
    r"|wherever|while|with|within|without|you|your|\w+ly)\b",
    re.IGNORECASE,
)
_STATES = re.compile(
    r"(?:an?|the|each|every|some|many|most|all|any|no|one|several|few|both)\b", re.IGNORECASE
)
# Where it comes to the point: "Before you light the fire, shut the windows."
_OPENS_LONG = re.compile(
    r"(?:in|on|at|before|after|when|while|if|where|wherever|whenever|to|for|by|as|since|although"
    r"|though|because|once|whilst|unless|until|whereas)\b[^,]*, ",
    re.IGNORECASE,
)
# "To wedge clay is to cut it.", "Glazes, which are old, melt."
_IS_SUBJECT = re.compile(
    r"To [a-z]+ [^,]*?\b(?:is|was|means|meant)\b|[A-Z][\w ’-]{2,40}, (?:which|who|whose) "
)
_ADVERB = re.compile(r"([A-Za-z]\w+ly),? ")
# What "-ing" makes a verb of, and orders nothing.
_NO_VERBS = frozenset("both cast even except frequent her let not similar well".split())
# "Ground which", "air dried": what begins it is a thing, of which it tells.
_IS_THING = re.compile(
    r"\w+ (?:which|that|who|of|between|\w+ed)\b|\w+ (?:\w+ ){0,2}(?:of|on|in|at|from|to) which\b"
)
# "Water prevents rapid cooling", but "Warn neighbours that".
_THEN_VERB = re.compile(
    r"\w+ (?:\w+ly )?(\w+[^s])s\b(?! (?:that|and|or|so|with|until|before)\b|[.;:!?])"
)
_VERB_LATER = re.compile(r"\w+ (?:in|on|of|at) (?:the )?\w+ (\w+[^s])s (?:the|an?)\b")
_THIRD_VERB = re.compile(r"\w+ [a-z]+ (\w+[^s])s (?:the|an?|on|to|by|from|with|in|into)\b")
_VERBS_OF = frozenset("complain consist die dispose smell speak taste tell think".split())
_LINKS = frozenset("and as but for like near nor or past round so to".split())
_FIRST_WORD = re.compile(r"[A-Za-z][a-z]{2,}(?= [a-z])")


def find_clause(sentence: str) -> str:
    """Return a sentence from where it comes to the point: behind its opening clause or adverb."""
    opens = _OPENS_LONG.match(sentence)
    clause = sentence[opens.end() :] if opens else sentence
    adverb = _ADVERB.match(clause)
    return clause[adverb.end() :] if adverb and not is_verb(adverb[1].lower()) else clause


def is_statement(sentence: str) -> bool:
    """Whether an English sentence plainly tells how things are."""
    clause = _AND_SO_ON.sub("", find_clause(sentence))
    if _IS_SUBJECT.match(sentence) and not _ORDERS.match(sentence):
        return True
    if _TELLS.match(clause) or _STATES.match(sentence) or _SO.match(sentence):
        return True
    several = _SEVERAL.match(clause) or _SEVERAL_OF.match(clause)
    return bool(several and is_verb(several[1])) or _begins_with_subject(sentence)


def _begins_with_subject(sentence: str) -> bool:
    """Whether a sentence begins with a word of which "-ing" makes no verb, and which does not lead
    to one: "Galileo noticed that ..."."""
    first = re.match(r"[A-Za-z]+", sentence)
    if not first or _LEADS_ON.match(sentence):
        return False
    return not is_verb(first[0].lower())


def is_order(sentence: str) -> bool:
    """Whether an English sentence plainly tells somebody to do something: it, or what follows its
    first comma, begins with one of the commonest verbs for that, or with any that "-ing" can end
    and no other verb for it to be subject of."""
    clause = _AND_SO_ON.sub("", find_clause(sentence))
    if _ORDERS.match(clause) or _has_object(clause):
        return not sentence.startswith("To ") or not _IS_SUBJECT.match(sentence)
    if _IS_SUBJECT.match(sentence):
        return False
    if clause != sentence and _ends_with_order(clause):
        return True
    first = _FIRST_WORD.match(clause)
    if not first or first[0].lower() in _NO_VERBS or _TELLS.match(clause):
        return False
    if _IS_THING.match(clause) or _has_verb_then(clause):
        return False
    return is_verb(first[0].lower())


def _has_object(clause: str) -> bool:
    """Whether a clause begins with a verb and what it is done to: "Beat the whites ..."."""
    first = re.match(r"([A-Za-z][a-z]{2,}) (?:the|an?|your) ", clause)
    return bool(first and first[1].lower() not in _NO_VERBS and is_verb(first[1].lower()))


def _has_verb_then(clause: str) -> bool:
    """Whether the second word may be a verb of the first, not the "bits" of "Jam bits of wood"; or
    the third of both."""
    third = _THIRD_VERB.match(clause) or _VERB_LATER.match(clause)
    if third and is_verb(third[1]):
        return True
    then = _THEN_VERB.match(clause)
    if not then or not (then[1] == "make" or is_verb(then[1])):
        return False
    return not clause.startswith(" of ", then.end()) or then[1] in _VERBS_OF


def _ends_with_order(clause: str) -> bool:
    """Whether what stands behind the last comma orders something: "... or other work, measure it
    twice"."""
    last = clause.rpartition(", ")[2]
    first = re.match(r"[a-z]+(?= (?:[a-z]+ ){2})", last)
    if not first or first[0] in _LINKS or _TELLS.match(last):
        return False
    return last != clause and is_verb(first[0]) and not _has_verb_then(last)
