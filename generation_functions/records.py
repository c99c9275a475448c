"""The values that flow through a pipeline: frozen, comparable, without behaviour.

An item's uuid is a UUIDv5 of its content and its parent's uuid, so the same item
has the same uuid in every folder and on every machine.
"""

import uuid
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

NAMESPACE = uuid.UUID("5f0d9c0e-5a1b-5d0f-8c57-9d1c1f2e7a34")


def make_uuid(parent: str, *content: str) -> str:
    """Return the UUIDv5 of `content` under `parent` (a uuid, or a path for a document)."""
    return str(uuid.uuid5(NAMESPACE, "\x1f".join((parent, *content))))


@dataclass(frozen=True, slots=True)
class Document:
    """One cleaned source text. `directory` and `path` are as the config gives them.

    `pages` are the offsets in `text` at which a PDF's pages begin; `warnings` are sentences
    about what a person should look at (pages without text, a guessed encoding).
    """

    uuid: str
    directory: str
    path: str
    title: str
    author: str | None
    year: int | None
    text: str
    language: str | None = None
    licence: str | None = None
    pages: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The name a prompt uses: title, author, year, as far as they are known."""
        author = f", by {self.author}" if self.author else ""
        year = f", published {self.year}" if self.year else ""
        return f"{self.title}{author}{year}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a document, offsets in characters: `text` is `document.text[start - overlap:end]`.

    `overlap` characters are shared with the chunk before; the spans are disjoint and joined
    give the document. `headings` lead to the text, the highest first; `page` counts from 1.
    """

    uuid: str
    document: str
    directory: str
    source: str
    text: str
    start: int
    end: int
    tokens: int
    overlap: int = 0
    headings: tuple[str, ...] = ()
    page: int | None = None
    language: str = "english"


@dataclass(frozen=True, slots=True)
class ComposedChunk:
    """Neighbouring base chunks as one: their uuids in `parts`, the worthy share of its text."""

    chunk: Chunk
    parts: tuple[str, ...]
    worthy_share: float

    @property
    def uuid(self) -> str:
        return self.chunk.uuid


@dataclass(frozen=True, slots=True)
class QAPair:
    """A question with its answer; `sentences` are 1-based numbers of the chunk's sentences."""

    uuid: str
    question: str
    answer: str
    sentences: tuple[int, ...]
    quote: str
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a text tells, in a sentence of its own.

    `sentences` are 1-based numbers of the chunk's sentences that it rests on, `quote` their
    words. An inferred fact rests on others: `facts` are their 1-based numbers in the sheet.
    """

    uuid: str
    text: str
    sentences: tuple[int, ...]
    quote: str
    facts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FactSheet:
    """A piece of a document with its facts; `parts` are the uuids of its base chunks.

    `turned` are facts told from their other end (B is A), `inferred` is what follows from
    several facts together.
    """

    uuid: str
    chunk: Chunk
    parts: tuple[str, ...]
    facts: tuple[Fact, ...]
    turned: tuple[Fact, ...] = ()
    inferred: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Variation:
    """A piece told again in another form; `parts` are the uuids of its base chunks.

    `number` counts the variations of one form, from 0. With `inferred` it was written from
    what follows from the facts too. `code` names the function that changed the text, "" for
    a text as a model wrote it; then `form` "text" is the piece itself.
    """

    uuid: str
    form: str
    number: int
    text: str
    chunk: Chunk
    parts: tuple[str, ...]
    inferred: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """Two people and where they talk. The primary knows the subject; the secondary asks.

    `instructions` are the traits and the era that were drawn for them; `card` tells who
    the primary is, `setting` where and when the two meet.
    """

    primary: str
    secondary: str
    instructions: tuple[str, ...]
    card: str
    setting: str


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """What stands before a conversation: `pairs` in the order in which they are talked about.

    Without a scene a user talks with an assistant.
    """

    uuid: str
    pairs: tuple[QAPair, ...]
    chunk: Chunk
    scene: Scene | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation. `speaker` is "human" or "gpt" (ShareGPT's words)."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation that carries `pairs`, in order, one pair to two turns."""

    uuid: str
    turns: tuple[Turn, ...]
    pairs: tuple[QAPair, ...]
    chunk: Chunk
    scene: Scene | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a source tells, as somebody recalls it: `told`, and the `quote` that it rests on.

    `source` is its place among a recall's sources, from 0; `sentences` are counted from 1 and
    through all of them.
    """

    source: int
    sentences: tuple[int, ...]
    quote: str
    told: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its answer, and what was recalled for it, in order.

    The rest is for checks and readers, and empty where a way of asking has none: `meant` is
    the question as it would stand alone, `things` are what it is about, by name, `quality` in what
    they are compared, `premise` what it wrongly takes for granted, and `admitted` the part of the
    answer that says that something is not known.
    """

    question: str
    answer: str
    recalled: tuple[Recalled, ...]
    meant: str = ""
    things: tuple[str, ...] = ()
    quality: str = ""
    premise: str = ""
    admitted: str = ""


@dataclass(frozen=True, slots=True)
class Recall:
    """A conversation that recalls what `sources` tell: the chunk that it was made for, and others
    that speak of the same. `way` is how it asks, `generation` is counted from 0. `parts` are the
    base chunks that the first source is composed of, by uuid.
    """

    uuid: str
    way: str
    generation: int
    exchanges: tuple[Exchange, ...]
    sources: tuple[Chunk, ...]
    parts: tuple[str, ...] = ()

    @property
    def chunk(self) -> Chunk:
        return self.sources[0]


def to_json(record: Any) -> Any:
    """Return a record (or a list of them) as plain JSON values."""
    if isinstance(record, (list, tuple)):
        return [to_json(one) for one in record]
    return asdict(record) if hasattr(record, "__dataclass_fields__") else record


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def from_json(kind: type[T], value: Any) -> T:
    """Read back what `to_json` wrote of a `kind`, its fields checked.

    Raises pydantic.ValidationError, which names every field that does not fit.
    """
    return _adapter(kind).validate_python(value)  # type: ignore[no-any-return, arg-type]
