"""The values of data of which only a part is trained on: simulated retrievals, corrections."""

from dataclasses import dataclass

from generation_functions.records import Chunk, QAPair

# Why a chunk is shown.
RIGHT, NEAR_DUPLICATE = "answers", "near duplicate"
HARD, RANDOM, PARTIAL = "hard negative", "random", "partial evidence"
# What a retrieval found: of its kinds all but the first two are failures.
FOUND, FOUND_IN_TWO = "found", "found in two"
HARD_NEGATIVES, RANDOM_CHUNKS, PARTIAL_EVIDENCE, NOTHING = (
    "hard negatives",
    "random chunks",
    "partial evidence",
    "nothing",
)
FAILURES = (HARD_NEGATIVES, RANDOM_CHUNKS, PARTIAL_EVIDENCE, NOTHING)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an answer rests on: words of a chunk, by its uuid."""

    chunk: str
    quote: str


@dataclass(frozen=True, slots=True)
class Grounded:
    """A vetted question with its answer and all that it rests on; `uuid` is its pair's."""

    uuid: str
    question: str
    answer: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A chunk as a retrieval shows it, by its uuid; `text` may be a part of the chunk's.

    `why` it is there is RIGHT, NEAR_DUPLICATE, HARD, RANDOM or PARTIAL, `score` what its
    retriever gave it for the question (0.0 where it was not looked for).
    """

    uuid: str
    source: str
    text: str
    why: str
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class RagItem:
    """A simulated retrieval and what is asked about it, in order.

    `kind` is what was found. Of a failure, nothing shown holds an answer, and `lacks` has for
    each question what is said of that; it is empty otherwise.
    """

    uuid: str
    chunk: Chunk
    asked: tuple[Grounded, ...]
    shown: tuple[Shown, ...]
    kind: str
    lacks: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        return self.kind in FAILURES


@dataclass(frozen=True, slots=True)
class Correction:
    """A question, a first answer, the user's doubt (in a `manner`), and the last answer.

    The first answer is wrong and the last sets it right; with `firm` the first was right
    already, and the assistant stands by it.
    """

    uuid: str
    pair: QAPair
    first: str
    doubt: str
    last: str
    manner: str
    firm: bool

    @property
    def chunk(self) -> Chunk:
        return self.pair.chunk
