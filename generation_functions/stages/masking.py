"""The stages `rag` and `corrections`, whose data is trained on in part."""

from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache, partial
from itertools import islice

from generation_functions.datasets.fitting import RowFitter
from generation_functions.datasets.masked_rows import make_correction_format
from generation_functions.documents.cutting import Decision
from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.pipelines import corrections, rag
from generation_functions.pipelines.correction_steps import STAND_FIRM, WRITE_CORRECTION
from generation_functions.pipelines.lack_steps import TELL_LACK
from generation_functions.pipelines.questions import REVISED, WORTHY
from generation_functions.pipelines.repairing import CHECK_ANSWER_ACCURACY
from generation_functions.pipelines.retrieving import Library, join_questions
from generation_functions.records import Chunk, QAPair
from generation_functions.stages.reading import open_source
from generation_functions.stages.searching import Search, open_search, prepare
from generation_functions.stages.taking import (
    least_share,
    open_training_counter,
    pair_place,
    take_recalls,
)
from generation_functions.steps.run import Run
from generation_functions.steps.survivors import read_survivors

RAG_STEPS = (TELL_LACK,)
CORRECTION_STEPS = (WRITE_CORRECTION, STAND_FIRM)
REMEMBERED = 2_000  # chunks that are shown again and again


async def write_rag_items(run: Run, limit: int | None = None) -> list[str]:
    """Ask the kept pairs about simulated retrievals, if `rag_data.enabled`; return their uuids.

    The large model says of those that fail what they lack. With `limit`, so many are made. Raises
    RunFolderError before the questions' stage has ended, ConfigError for a template that
    cannot be used, and TooFewKept.
    """
    section = run.config.rag_data
    if not section.enabled:
        return []
    async with run.stage("rag", limit):
        run.load_prompts(*RAG_STEPS)
        run.open_survivors(rag.RAG_ITEMS)
        pairs = sorted(run.survivors(REVISED, QAPair), key=pair_place)
        library, search = await _open_library(run)
        found = rag.plan_items(pairs, take_recalls(run), search.retriever, run.config)
        plans = list(islice(found, limit))
        await prepare(run, search, (join_questions(plan.asked) for plan in plans))
        with open_training_counter(run.config) as counter:
            fit = RowFitter(counter.config, counter.count).fit
            make = partial(rag.make_item, run, library, fit)
            least = least_share(run, section)
            return await run.map(make, plans, rag.LABEL, limit, abort_below=least)


async def write_corrections(run: Run, limit: int | None = None) -> list[str]:
    """Have answers of the kept pairs doubted, if `correction_pipeline.enabled`; return the uuids.

    With `limit`, so many are written. Raises RunFolderError before the questions' stage has
    ended, ConfigError for a template that cannot be used, and TooFewKept.
    """
    section = run.config.correction_pipeline
    if not section.enabled:
        return []
    async with run.stage("corrections", limit):
        run.load_prompts(*CORRECTION_STEPS, CHECK_ANSWER_ACCURACY)
        run.open_survivors(corrections.CORRECTIONS)
        make_correction_format(run.config)  # raises before anything is asked
        pairs = sorted(run.survivors(REVISED, QAPair), key=pair_place)
        plans = islice(corrections.plan_corrections(pairs, run.config), limit)
        correct = partial(corrections.correct, run)
        least = least_share(run, section)
        return await run.map(correct, plans, corrections.LABEL, limit, abort_below=least)


async def _open_library(run: Run) -> tuple[Library, Search]:
    """Return the worthy chunks to retrieve from, with what finds them.

    What was dropped as a near duplicate of one of them may be shown beside it, if both are of the
    same directory.
    """
    worthy = set(run.require(WORTHY))
    near: dict[str, Chunk] = {}
    directories: dict[str, str] = {}

    def take(decisions: Iterator[Decision]) -> Iterator[Chunk]:
        for decision in decisions:
            chunk = decision.chunk
            if directories.get(decision.kept) == chunk.directory and chunk.uuid != decision.kept:
                near.setdefault(decision.kept, chunk)
            if chunk.uuid in worthy:
                directories[chunk.uuid] = chunk.directory
                yield chunk

    with closing(open_source(run).decisions()) as decisions:
        words = ChunkIndex(take(decisions))
    search = await open_search(run, words, directories)

    @lru_cache(REMEMBERED)
    def read(uuid: str) -> Chunk | None:
        found = read_survivors(run.folder / WORTHY, [uuid], Chunk)
        return found[0] if found else None

    return Library(search.retriever, directories, read, near), search
