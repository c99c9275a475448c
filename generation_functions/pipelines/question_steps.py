"""The steps that ask about a chunk: judge it, plan its questions, write them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from generation_functions.documents.sentences import number_sentences
from generation_functions.errors import Rejected, Unparsable
from generation_functions.pipelines.citing import cite, quote_sentences
from generation_functions.pipelines.copies import (
    is_clear,
    list_copies,
    narrow_to_copies,
    without_lead,
    write_copies,
)
from generation_functions.pipelines.gaps import ask_again
from generation_functions.pipelines.readings import show_sentence
from generation_functions.pipelines.sentence_needs import hold_together, without_number
from generation_functions.pipelines.wording import content_words, strange_script
from generation_functions.records import Chunk, QAPair, make_uuid
from generation_functions.steps.step import Step, write_literal

UNWORTHY = (
    "contents list",
    "licence or imprint",
    "captions or references",
    "exercises",
    "no facts",
)
MOST_PLANNED = 8
NEAR = 3  # sentences between two that are told of in one answer

_PAIR = re.compile(r"Sentences: ([\d, ]+)\nAnswer: (.+)\nQuestion: (.+)")
LEAST_TOLD = 2  # words that carry meaning in planned sentences
LEAST_UNENDED = 4  # and where none of them ends as a sentence does, as no heading does
_PLANNED = re.compile(r"- (.+) \[([\d, ]+)\]")
_EXERCISE = re.compile(
    r"\?\W*$|^\W*(?:[\divx]+\W+)?(?:exercises?|problems?|find|calculate|solve|prove|name)\b", re.I
)
LEAST_EXERCISES = 0.25  # share of a chunk's sentences, for it to be exercises


@dataclass(frozen=True, slots=True)
class QuestionRequest:
    """A chunk to write at most `most` pairs about, with the plan that was made for it.

    Asked again for the `round`-th time, it names the sentences that were `left_out` so far.
    """

    chunk: Chunk
    most: int
    plan: str = ""
    round: int = 0
    left_out: tuple[int, ...] = ()

    @property
    def uuid(self) -> str:
        return ask_again(self.chunk.uuid, self.round)


def show_chunk(chunk: Chunk) -> str:
    """Return the chunk as prompts show it: a numbered sentence a line."""
    sentences = enumerate(number_sentences(chunk.text, chunk.language), start=1)
    return "\n".join(f"[{number}] {show_sentence(sentence)}" for number, sentence in sentences)


def show_numbers(numbers: Iterable[int]) -> str:
    """Return sentences' numbers as prompts show them."""
    return ", ".join(map(str, numbers))


def read_verdict(reply: str) -> str:
    """Return what follows "Verdict: " at the start of a line, to the end of the reply."""
    _, found, verdict = f"\n{reply}".partition("\nVerdict: ")
    if not found:
        raise Unparsable("no verdict")
    return verdict.strip()


def read_pairs(chunk: Chunk, reply: str) -> list[QAPair]:
    """Return the usable pairs of a reply; of those with the same question the first.

    Raises Unparsable for letters of a script that the chunk lacks.
    """
    check_script(reply, chunk)
    pairs: dict[str, QAPair] = {}
    for cited, answer, question in _PAIR.findall(reply):
        chosen = read_sentences(chunk, cited)
        question, answer = question.strip(), tidy(answer, chunk)
        if chosen and content_words(question) and answer:
            pairs.setdefault(question.lower(), cite(make_pair(chunk, chosen, question, answer)))
    return list(pairs.values())


def tidy(answer: str, chunk: Chunk) -> str:
    """Return an answer without what only its place in the text gives it: a heading before it,
    the number of a list, a word that leads over from the sentence before."""
    answer = answer.strip()
    for sentence in number_sentences(chunk.text, chunk.language):
        if not _is_ended(sentence) and answer.startswith(f"{sentence} "):
            answer = answer.removeprefix(sentence).lstrip()
    return without_lead(without_number(answer), chunk.language)


def make_pair(chunk: Chunk, sentences: tuple[int, ...], question: str, answer: str) -> QAPair:
    """Return a pair with the words of its sentences as its quote."""
    uuid = make_uuid(chunk.uuid, question, answer)
    return quote_sentences(QAPair(uuid, question, answer, (), "", chunk), sentences)


def read_sentences(chunk: Chunk, cited: str) -> tuple[int, ...]:
    """Return those of the numbers in `cited` that the chunk's sentences have, in order."""
    count = len(number_sentences(chunk.text, chunk.language))
    named = {int(number) for number in re.findall(r"\d+", cited)}
    return tuple(sorted(number for number in named if 1 <= number <= count))


def check_script(text: str, chunk: Chunk) -> None:
    """Raise Unparsable for letters of a script that neither the chunk nor its source has."""
    if strange_script(text, chunk.text + chunk.source):
        raise Unparsable("letters of another script")


def narrow_to_sentences(chunk: Chunk) -> dict[str, str]:
    """Return the rule `number`: the numbers of the chunk's sentences."""
    count = len(number_sentences(chunk.text, chunk.language))
    return {"number": " | ".join(f'"{number}"' for number in range(1, count + 1))}


def narrow_to_quotes(chunk: Chunk) -> dict[str, str]:
    """Return the rules `number` and, for grammars that copy, `verbatim` and `advised`."""
    return {**narrow_to_sentences(chunk), **narrow_to_copies(chunk)}


def _parse_judgement(chunk: Chunk, reply: str) -> bool:
    verdict = read_verdict(reply)
    if verdict == "facts":
        return True
    if verdict in UNWORTHY:
        raise Rejected(verdict)
    raise Unparsable("unknown verdict")


def _judgement_rules(chunk: Chunk) -> Mapping[str, str]:
    """Leave out verdicts that the text's form rules out; small models are too fond of them.

    Many sentences of exercises ask, or give something to do. A contents list is no prose: few of
    its lines end as a sentence does.
    """
    sentences = number_sentences(chunk.text, chunk.language)
    ended = sum(map(_is_ended, sentences))
    possible = ["facts", *UNWORTHY]
    if sum(bool(_EXERCISE.search(one)) for one in sentences) < LEAST_EXERCISES * len(sentences):
        possible.remove("exercises")
    if ended > len(sentences) / 2:
        possible.remove("contents list")
    return {"verdict": " | ".join(write_literal(verdict) for verdict in possible)}


def _parse_plan(request: QuestionRequest, reply: str) -> str:
    """Return what is planned for which sentences, each sentence once."""
    check_script(reply, request.chunk)
    texts = number_sentences(request.chunk.text, request.chunk.language)
    lines: dict[tuple[int, ...], str] = {}
    for line in reply.splitlines():
        planned = _PLANNED.fullmatch(line.strip())
        if planned:
            named = _gather(read_sentences(request.chunk, planned[2]))
            chosen = _find_told(planned[1], named, texts)
            chosen = tuple(n for n in chosen if _is_ended(texts[n - 1])) or chosen
            new = not any({*chosen} & {*place} for place in lines)
            if new and _is_telling([texts[number - 1] for number in chosen]):
                lines[chosen] = f"{show_numbers(chosen)}: {planned[1]}"
    if not lines:
        raise Unparsable("no line of a plan in the reply")
    return "\n".join(list(lines.values())[:MOST_PLANNED])


def _gather(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Return the longest run of numbers that stand near each other; what is told in one answer is
    not told all over a text."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number - runs[-1][-1] <= NEAR:
            runs[-1].append(number)
        else:
            runs.append([number])
    longest: list[int] = max(runs, key=len, default=[])
    return tuple(longest)


def _is_telling(sentences: Sequence[str]) -> bool:
    words = content_words(" ".join(sentences))
    return len(words) >= (LEAST_TOLD if any(map(_is_ended, sentences)) else LEAST_UNENDED)


def _is_ended(sentence: str) -> bool:
    return sentence.rstrip("\"'”’»」』)）]_*").endswith(tuple(".!?…。！？।۔؟"))


def _find_told(planned: str, named: tuple[int, ...], texts: Sequence[str]) -> tuple[int, ...]:
    """Return the sentences that tell what is planned: those named, or one that tells twice as much
    of it, as small models plan a sentence and name the next; none, if no sentence has a word of it.

    A word counts the less the more sentences have it.
    """
    words = content_words(planned)
    found = [words & content_words(text) for text in texts]
    counts = Counter(word for one in found for word in one)
    told = [sum(1 / counts[word] for word in one) for one in found]
    of_named = sum(1 / counts[word] for word in set().union(*(found[n - 1] for n in named)))
    most = max(told, default=0)
    if most > 2 * of_named:
        return (told.index(most) + 1,)
    return named if of_named else ()


def _parse_pairs(request: QuestionRequest, reply: str) -> tuple[QAPair, ...]:
    pairs = read_pairs(request.chunk, reply)
    if not pairs:
        raise Unparsable("no pair in the reply")
    return tuple(pairs[: request.most])


def _show_plan(request: QuestionRequest) -> str:
    """Return the sentences that were planned, in their own words: small models plan one sentence
    and name the next."""
    texts = number_sentences(request.chunk.text, request.chunk.language)
    return "\n".join(
        f"{show_numbers(chosen)}: {_join(chosen, texts)}" for chosen in _planned(request)
    )


def _join(numbers: tuple[int, ...], texts: Sequence[str]) -> str:
    return " ".join(without_number(" ".join(texts[number - 1].split())) for number in numbers)


def _planned(request: QuestionRequest) -> list[tuple[int, ...]]:
    numbers = (line.partition(":")[0] for line in request.plan.splitlines())
    return [read_sentences(request.chunk, one) for one in numbers]


def _pair_rules(request: QuestionRequest) -> Mapping[str, str]:
    """Planned sentences have a pair each, in order; the model may stop early.

    In `copied` they are the answers themselves.
    """
    more = f'("\\n\\n" pair){{0,{request.most - 1}}}' if request.most > 1 else '""'
    rules = {**narrow_to_quotes(request.chunk), "more": more, "copied": "pair more"}
    planned = _planned(request)[: request.most]
    if not planned:
        return rules
    told = [f'"Sentences: {show_numbers(one)}" told' for one in planned]
    rules |= {"numbers": write_literal(show_numbers(planned[0])), "more": _follow(told[1:])}
    copied = _write_copied(request.chunk, planned)
    return {**rules, "copied": f"{copied[0]} {_follow(copied[1:])}"} if copied else rules


def _write_copied(chunk: Chunk, planned: Sequence[tuple[int, ...]]) -> list[str]:
    """Return, as right-hand sides, a pair for each line of a plan that its sentences can answer;
    no sentence is told twice."""
    clear: list[tuple[int, ...]] = []
    for numbers in (hold_together(chunk, line) for line in planned if line):
        told = {number for one in clear for number in one}
        if told.isdisjoint(numbers) and is_clear(chunk, numbers):
            clear.append(numbers)
    return [
        f'"Sentences: {show_numbers(one)}\\nAnswer: " {write_copies(list_copies(chunk, one))}'
        ' "\\nQuestion: " question'
        for one in clear
    ]


def _follow(pairs: Sequence[str]) -> str:
    """Return a rule's right-hand side: these pairs in order, or the first of them."""
    following = '""'
    for pair in reversed(pairs):
        following = f'("\\n\\n" {pair} {following}){{0,1}}'
    return following


JUDGE_CHUNK: Step[Chunk, bool] = Step(
    "judge_chunk",
    lambda chunk: {"chunk": show_chunk(chunk)},
    _parse_judgement,
    _judgement_rules,
    replaces=("verdict",),
)
PLAN_QUESTIONS: Step[QuestionRequest, str] = Step(
    "plan_questions",
    lambda request: {
        "source": request.chunk.source,
        "chunk": show_chunk(request.chunk),
        "left_out": show_numbers(request.left_out),
    },
    _parse_plan,
    lambda request: narrow_to_sentences(request.chunk),
    replaces=("number",),
)
WRITE_QUESTIONS: Step[QuestionRequest, tuple[QAPair, ...]] = Step(
    "write_questions",
    lambda request: {
        "source": request.chunk.source,
        "chunk": show_chunk(request.chunk),
        "most": request.most,
        "plan": _show_plan(request),
        "left_out": show_numbers(request.left_out),
    },
    _parse_pairs,
    _pair_rules,
    parts=lambda request: request.most,
    replaces=("more", "number", "numbers"),
    offers=("advised", "copied", "verbatim"),
)
