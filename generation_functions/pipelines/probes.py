"""The passages that the package brings along to measure the checks with (probes/passages.yaml)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from generation_functions.documents.sentences import number_sentences
from generation_functions.records import Chunk, QAPair, make_uuid

FILE = Path(__file__).resolve().parents[1] / "probes" / "passages.yaml"


class _FromFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _WrittenPair(_FromFile):
    question: str
    answer: str
    sentences: tuple[int, ...]
    bad: dict[str, str] = {}


class _Passage(_FromFile):
    source: str
    text: str
    pairs: tuple[_WrittenPair, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """A right pair on a written passage; `bad` are, by kind of fault, its wrong wordings."""

    pair: QAPair
    bad: Mapping[str, str] = field(default_factory=dict)


@cache
def load_probes() -> tuple[Probe, ...]:
    """Return the written pairs, in the order of their file."""
    passages = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        probe for passage in passages for probe in _make_probes(_Passage.model_validate(passage))
    )


def _make_probes(passage: _Passage) -> list[Probe]:
    text, uuid = passage.text, make_uuid("probes", passage.source, passage.text)
    tokens = len(text.split())
    chunk = Chunk(uuid, "probes", "probes", passage.source, text, 0, len(text), tokens)
    told = number_sentences(text)
    return [
        Probe(
            QAPair(
                uuid=make_uuid(uuid, one.question, one.answer),
                question=one.question,
                answer=one.answer,
                sentences=one.sentences,
                quote=" ".join(told[number - 1] for number in one.sentences),
                chunk=chunk,
            ),
            one.bad,
        )
        for one in passage.pairs
    ]
