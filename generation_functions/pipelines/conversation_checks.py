"""What is wrong with a conversation, by its words: each flaw as a sentence for its rewriting."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from generation_functions.pipelines.aligning import Subject
from generation_functions.pipelines.spelling import find_misspelt
from generation_functions.pipelines.turn_words import tell_apart
from generation_functions.pipelines.wording import find_pointers, numbers, strange_script
from generation_functions.records import Chunk, Conversation, QAPair
from generation_functions.steps.copying import find_copied

ALREADY_SAID = 0.75  # weighed share of an answer's own words, all in turns before its question
SAME_WORDS = 0.85  # Jaccard of two turns of one speaker

_LABEL = re.compile(r"\b(?:User|Human|AI|Assistant|Question|Answer):")
_TWO_STOPS = re.compile(r"(?<!\.)\.\.(?!\.)")
_ACTION = re.compile(r"\*([^*]*)\*")
_SAID_BY = r"(?:said|says|asked|asks|replied|replies|answered|answers|added|adds|nods|nodded|smiles"
_ACTS = re.compile(
    _SAID_BY + r"|smiled|laughs|laughed|sighs|sighed|shrugs|shrugged|grins|grinned|leans|leaned"
    r"|looks|looked|turns|turned|raises|raised|shakes|shook|listens|listened|frowns|frowned)\b"
)
_REPORTED = re.compile(r"[”\"]\s*,?\s*(?:he|she|they) " + _SAID_BY + r")\b|^(?:he|she) \w+s\b")
_CLOSER = re.compile(
    r"\b(?:anything else|let me know|feel free|happy to (?:help|tell|explain)|glad to (?:help|tell)"
    r"|glad i could|hope (?:this|that|it) helps|(?:any|more|other|further) questions\b"
    r"|(?:would you like|do you want) to (?:know|hear|learn)|need (?:any )?(?:more|further) help"
    r"|want to know more|how (?:else )?(?:can|may) i (?:help|assist)|at your service)\b",
    re.IGNORECASE,
)
_BREAKS_OFF = re.compile(r"\b(?:the|an|and|or|their|our|my|your)[.!?]")
_STRANGER = re.compile(r"\bStranger\b|(?<=, )stranger(?=[.,!?])")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong, in which turn (counted from 1; 0: in no single one), as a model is told."""

    kind: str
    turn: int
    sentence: str


def find_flaws(conversation: Conversation, shown: Collection[str] = ()) -> list[Flaw]:
    """Return all that is wrong with a conversation, in the order of its turns.

    `shown` are the texts that the writing model was shown, of which nothing may be copied.
    """
    flaws = [
        *_find_misplaced(conversation),
        *_find_repeated(conversation),
        *_find_closers(conversation),
        *_find_narrated(conversation),
        *_find_altered(conversation),
        *_find_slips(conversation, shown),
    ]
    return sorted(flaws, key=lambda flaw: flaw.turn)


def _known(conversation: Conversation) -> str:
    """Return all that a conversation may take words and numbers from."""
    scene = conversation.scene
    parts = [conversation.chunk.source, conversation.chunk.text]
    parts += [f"{pair.question}\n{pair.answer}" for pair in conversation.pairs]
    if scene:
        parts += [scene.primary, scene.secondary, *scene.instructions, scene.card, scene.setting]
    return "\n".join(parts)


@lru_cache(maxsize=200)
def _subject(chunk: Chunk, pairs: tuple[QAPair, ...]) -> Subject:
    return Subject(chunk, pairs)


def _find_misplaced(conversation: Conversation) -> Iterator[Flaw]:
    """Yield the questions not asked and the answers not given, each in its place."""
    subject = _subject(conversation.chunk, conversation.pairs)
    said = ""
    for place, pair in enumerate(conversation.pairs):
        asked, told = (turn.text for turn in conversation.turns[2 * place : 2 * place + 2])
        fit_question = subject.fit_question(place, asked, told, said)
        question = pair.question in asked or fit_question > 0
        fit = subject.fit_answer(place, asked, told, said)
        answer = pair.answer in told or fit > 0
        asks_back = "?" in told and "?" not in asked
        if asks_back or (
            not answer and subject.fit_answer(place, told, asked, said) > max(fit, 0.0)
        ):
            yield Flaw(
                "the wrong speaker",
                2 * place + 1,
                f"Turn {2 * place + 1} gives an answer where it has to ask: {pair.question}",
            )
            question = answer = True
        if not question:
            yield Flaw(
                "a question is not asked",
                2 * place + 1,
                f"Turn {2 * place + 1} has to ask this, and does not: {pair.question}",
            )
        if not answer:
            yield Flaw(
                "an answer is not given",
                2 * place + 2,
                f"Turn {2 * place + 2} has to give this answer in full: {pair.answer}",
            )
        said += f" {asked} {told}"


def _find_repeated(conversation: Conversation) -> Iterator[Flaw]:
    """Yield answers told before they are asked for, and turns and sentences said twice."""
    subject = _subject(conversation.chunk, conversation.pairs)
    asked_for = frozenset[str]()
    given = frozenset[str]()
    said = frozenset[str]()
    for place, pair in enumerate(conversation.pairs):
        asked_for |= tell_apart(pair.question)
        own = tell_apart(pair.answer) - asked_for - given
        said |= tell_apart(conversation.turns[2 * place].text)
        if len(own) > 1 and subject.share(own, said) >= ALREADY_SAID:
            yield Flaw(
                "an answer is told too early",
                2 * place + 2,
                f"What turn {2 * place + 2} has to tell is told in a turn before it: {pair.answer}",
            )
        given |= tell_apart(pair.answer)
        said |= tell_apart(conversation.turns[2 * place + 1].text)
    yield from _find_doubled(conversation)


def _find_doubled(conversation: Conversation) -> Iterator[Flaw]:
    """Yield turns that say another one again, and sentences said twice.

    What names the source is in turns that say other things.
    """
    source = tell_apart(conversation.chunk.source)
    said = [tell_apart(turn.text) - source for turn in conversation.turns]
    for number, (turn, words) in enumerate(zip(conversation.turns, said, strict=True), start=1):
        for earlier in range(2 - number % 2, number, 2):
            others = said[earlier - 1]
            same = len(words & others) / (len(words | others) or 1)
            if len(words) > 2 and same >= SAME_WORDS:
                yield Flaw(
                    "a turn says another one again",
                    number,
                    f"Turn {number} says turn {earlier} again.",
                )
        twice = [one for one, count in Counter(_sentences(turn.text)).items() if count > 1]
        if twice:
            yield Flaw(
                "a sentence twice in a turn", number, f"Turn {number} says twice: {twice[0]}"
            )


def _find_closers(conversation: Conversation) -> Iterator[Flaw]:
    """Yield offers of more help, and sentences that end more than one turn."""
    endings: dict[str, int] = {}
    for number, turn in enumerate(conversation.turns, start=1):
        sentences = _sentences(turn.text)
        if not sentences:
            continue
        closer = _CLOSER.search(turn.text) if turn.speaker == "gpt" else None
        if closer and closer.group().lower() not in _known(conversation).lower():
            yield Flaw(
                "an offer of more help",
                number,
                f'Turn {number} offers more instead of ending: "{closer.group()}".',
            )
        last = sentences[-1].lower()
        if last in endings:
            yield Flaw(
                "two turns end alike",
                number,
                f"Turns {endings[last]} and {number} end with the same sentence: {sentences[-1]}",
            )
        endings.setdefault(last, number)


def _find_narrated(conversation: Conversation) -> Iterator[Flaw]:
    """Yield what one speaker says or does for the other, and labels of speakers."""
    scene = conversation.scene
    people = {"human": scene.secondary, "gpt": scene.primary} if scene else {}
    labels = [f"{part}:" for name in people.values() for part in (name, name.split()[0])]
    known = _known(conversation)
    for number, turn in enumerate(conversation.turns, start=1):
        if _LABEL.search(turn.text) or any(label in turn.text for label in labels):
            sentence = f"Turn {number} has the name of a speaker with a colon in it."
            yield Flaw("a speaker's label within a message", number, sentence)
        if scene and turn.text.count("*") % 2:
            sentence = f"Turn {number} begins an action with an asterisk and does not end it."
            yield Flaw("an action without its end", number, sentence)
        other = next((people[one] for one in people if one != turn.speaker), "")
        if other and _acts_for(other, people[turn.speaker], turn.text):
            sentence = f"Turn {number} tells what {other} says or does. Only {other} may do so."
            yield Flaw("one narrates for the other", number, sentence)
        if _STRANGER.search(turn.text) and not _STRANGER.search(known):
            name = f" {people['human']} has a name." if people else ""
            sentence = f"Turn {number} calls somebody a stranger.{name}"
            yield Flaw("somebody is called Stranger", number, sentence)


def _acts_for(other: str, own: str, text: str) -> bool:
    """Whether a turn narrates for the other: "*Mira nods*", "Mira smiled", "…," she said."""
    parts = [re.escape(part) for part in {other, other.split()[0]}]
    named = re.compile(rf"\b(?:{'|'.join(sorted(parts, key=len, reverse=True))}) (?:\w+ly )?")
    spoken = _ACTION.sub(" ", text)
    for match in named.finditer(spoken):
        if _ACTS.match(spoken, match.end()):
            return True
    if _REPORTED.search(spoken):
        return True
    own_names = {own, own.split()[0]}
    for action in _ACTION.findall(text):
        begins = named.match(action.strip())
        if begins and not any(action.strip().startswith(name) for name in own_names):
            return True
    return False


def _find_altered(conversation: Conversation) -> Iterator[Flaw]:
    """Yield the answers with a number of the text that nothing said or asked so far has.

    Numbers that the text lacks as well are found by `_find_slips`.
    """
    known = _words_and_numbers(_known(conversation))[1]
    scene = conversation.scene
    said = [conversation.chunk.source, *((scene.card, scene.setting) if scene else ())]
    for place, pair in enumerate(conversation.pairs):
        asked, told = (turn.text for turn in conversation.turns[2 * place : 2 * place + 2])
        said += [pair.question, pair.answer, pair.quote, asked]
        other = (_told_numbers(told) & known) - _known_numbers("\n".join(said))
        if other:
            sentence = f"Turn {2 * place + 2} has a number that its answer lacks: {min(other)}."
            yield Flaw("a number that the answer does not have", 2 * place + 2, sentence)


def _find_slips(conversation: Conversation, shown: Collection[str]) -> Iterator[Flaw]:
    """Yield what no turn may have, whatever it is about."""
    known = _known(conversation)
    words, figures = _words_and_numbers(known)
    for number, turn in enumerate(conversation.turns, start=1):
        text = turn.text
        invented = _told_numbers(text) - figures
        if invented:
            listed = ", ".join(sorted(invented))
            sentence = f"Turn {number} has a number that neither text nor answers have: {listed}."
            yield Flaw("a number that the text does not have", number, sentence)
        pointers = [one for one in find_pointers(text) if one.lower() not in known.lower()]
        if pointers:
            sentence = f'Turn {number} points at a text that nobody there has: "{pointers[0]}".'
            yield Flaw("points at the text", number, sentence)
        if strange_script(text, known):
            sentence = f"Turn {number} has letters of another script."
            yield Flaw("letters of another script", number, sentence)
        if _TWO_STOPS.search(text):
            yield Flaw("two full stops", number, f"Turn {number} has two full stops in a row.")
        broken = _BREAKS_OFF.search(text) if conversation.chunk.language == "english" else None
        if broken and broken.group() not in known:
            sentence = f'Turn {number} has a sentence that breaks off: "{broken.group()}".'
            yield Flaw("a sentence breaks off", number, sentence)
        misspelt = find_misspelt(text, words, conversation.chunk.language)
        if misspelt:
            sentence = f"Turn {number} has a misspelt word: {', '.join(misspelt)}."
            yield Flaw("a misspelt word", number, sentence)
        copied = find_copied(text, shown, known) if shown else None
        if copied:
            sentence = f'Turn {number} repeats its instructions: "{copied}".'
            yield Flaw("copied from the prompt", number, sentence)


@lru_cache(maxsize=200)
def _words_and_numbers(known: str) -> tuple[frozenset[str], frozenset[str]]:
    words = re.findall(r"[^\W\d_]+", known.lower())
    return frozenset(words), _known_numbers(known)


def _known_numbers(text: str) -> frozenset[str]:
    """Return a text's numbers, also as raised points make them: 0·5 is 0.5."""
    return frozenset(numbers(text) | numbers(re.sub(r"(?<=\d)·(?=\d)", ".", text)))


def _told_numbers(text: str) -> set[str]:
    return {one.replace("·", ".") for one in numbers(text)}


def _sentences(text: str) -> list[str]:
    """Return a turn's spoken sentences of more than two words."""
    spoken = _ACTION.sub(" ", text).strip()
    return [one for one in re.split(r"(?<=[.!?]) +", spoken) if len(one.split()) > 2]
