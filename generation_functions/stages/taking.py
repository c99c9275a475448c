"""What stages share: the chunks that they take, in which order, and how many they must keep."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from generation_functions.config import Config
from generation_functions.datasets.tokenizing import (
    Count,
    Tokenizer,
    count_tokens,
    find_cached,
    is_of_hub,
    load_tokenizer,
)
from generation_functions.documents.cutting import Decision
from generation_functions.errors import ModelError, Rejected
from generation_functions.masked_sections import CorrectionPipeline, RagData
from generation_functions.pipeline_sections import (
    Conversations,
    Questions,
    RepresentationVariation,
)
from generation_functions.pipelines.questions import WORTHY
from generation_functions.pipelines.recall import RECALLS
from generation_functions.records import Chunk, QAPair, Recall
from generation_functions.session import open_counter
from generation_functions.sources import Source
from generation_functions.steps.files import read_json
from generation_functions.steps.run import Run

Aborting = Questions | Conversations | RepresentationVariation | RagData | CorrectionPipeline
SEEN = "live/.input.json"  # what the documents stage last read, and how many chunks go on
_log = logging.getLogger(__name__)


def check_readable(run: Run, source: Source) -> int | None:
    """Return how many chunks the documents stage found in exactly this input, None before it.

    Then all is read through here. Raises InputError, which names all that cannot be read.
    """
    seen = read_json(run.folder / SEEN) or {}
    if seen.get("input") == source.sign():
        return int(seen["chunks"])
    source.check()
    return None


def going_on(decisions: Iterable[Decision]) -> Iterator[Chunk]:
    """Yield the chunks that are not dropped, by rules or as duplicates, in their order."""
    return (decision.chunk for decision in decisions if not decision.reason)


def as_left(run: Run, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield base chunks as a person left them in worthy_for_questions/."""
    for chunk in chunks:
        with suppress(Rejected):  # deleted by hand
            yield run.look(WORTHY, chunk)


@dataclass(frozen=True, slots=True)
class TokenCount:
    """What counts the tokens of rows, and the config in which that is what is to count them.

    `tokenizer` is that of the model to be trained, None where a GGUF counts.
    """

    count: Count
    config: Config
    tokenizer: Tokenizer | None = None


@contextmanager
def open_training_counter(config: Config) -> Iterator[TokenCount]:
    """Lend what counts the tokens of rows: the training tokenizer, or the run's own counter.

    Where none is named and this machine has that of the base model, it is that. Where the hub's
    tokenizer cannot be had, a GGUF's vocabulary counts, with a warning, and the
    config that is lent has no other tokenizer. Raises ModelError for one of this machine that
    cannot be loaded, and where there is no GGUF.
    """
    training = config.model_training
    tokenizer = None
    if training.tokenizer:
        try:
            tokenizer = load_tokenizer(training.tokenizer)
        except ModelError as error:
            config = _count_with_gguf(config, error)
    elif folder := find_cached(training.base_model):
        with suppress(ModelError):
            tokenizer = load_tokenizer(folder)
            named = training.model_copy(update={"tokenizer": training.base_model})
            config = config.model_copy(update={"model_training": named})
    if tokenizer:
        yield TokenCount(count_tokens(tokenizer), config, tokenizer)
        return
    with open_counter(config) as count:
        yield TokenCount(count, config)


def _count_with_gguf(config: Config, error: ModelError) -> Config:
    """Return the config with a GGUF in the place of a tokenizer that the hub did not give."""
    folder, system, training = Path(config.path.models_dir), config.system, config.model_training
    named = (system.token_counter, config.models.small.gguf, config.models.large.gguf)
    found = next((one for one in named if one and (folder / one).is_file()), None)
    if found is None or not is_of_hub(str(training.tokenizer)):
        raise error
    _log.warning("%s Until then tokens are counted with %s, as the manifests say.", error, found)
    return config.model_copy(
        update={
            "system": system.model_copy(update={"token_counter": found}),
            "model_training": training.model_copy(update={"tokenizer": None}),
        }
    )


def take_recalls(run: Run) -> list[Recall]:
    """Return the recalls of the ways that the config names, if they were written."""
    if not (run.config.factual_sft and run.has(RECALLS)):
        return []
    made = run.survivors(RECALLS, Recall)
    return [one for one in made if one.way in run.config.factual_sft]


def least_share(run: Run, section: Aborting) -> float | None:
    """Return the share of its items that a stage must keep: its section's, or the general one."""
    general = run.config.system.abort_below
    return general if section.abort_below is None else section.abort_below


def pair_place(pair: QAPair) -> tuple[str, str, int, str, tuple[int, ...], str]:
    """Return what pairs are ordered by: their chunk's place, the sentences asked, the uuid."""
    return (*chunk_place(pair.chunk), pair.sentences, pair.uuid)


def chunk_place(chunk: Chunk) -> tuple[str, str, int, str]:
    """Return what chunks are ordered by: folder, source, character offset in it, and uuid."""
    return (chunk.directory, chunk.source, chunk.start, chunk.uuid)
