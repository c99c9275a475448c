"""The stage `pretraining`: pieces of the worthy text are told again in other forms."""

from contextlib import closing
from functools import partial
from itertools import islice

from generation_functions.documents.composing import compose_chunks
from generation_functions.pipelines import question_steps, variations
from generation_functions.session import open_counter
from generation_functions.stages.reading import open_source
from generation_functions.stages.taking import as_left, check_readable, going_on, least_share
from generation_functions.steps.run import Run


async def write_pretraining(run: Run, limit: int | None = None) -> list[tuple[str, ...]]:
    """Tell the worthy text again in other forms, if `representation_variation.enabled`.

    Base chunks are judged as in the questions' stage, once for both; then neighbours are
    composed to pieces, of which facts and variations are written. With `limit`, so many base
    chunks are taken. Returns the uuids of each piece's variations. Raises TooFewKept.
    """
    section = run.config.representation_variation
    if not section.enabled:
        return []
    async with run.stage("pretraining", limit):
        run.load_prompts(question_steps.JUDGE_CHUNK, *variations.PRETRAINING_STEPS)
        run.open_survivors(variations.FACTS, variations.VARIATIONS)
        source = open_source(run)
        seen = check_readable(run, source)
        total = None if seen is None else min(seen, limit or seen)
        with closing(source.decisions()) as decisions:
            judge = partial(variations.judge_base, run)
            judged = islice(going_on(decisions), limit)
            worthy = set(await run.map(judge, judged, "chunks", total))
        with open_counter(run.config) as count, closing(source.decisions()) as decisions:
            chunks = as_left(run, islice(going_on(decisions), limit))
            size = section.representation_variation_chunk_size or 0
            pieces = compose_chunks(chunks, size, count, worthy)
            least = least_share(run, section)
            return await variations.vary_all(run, pieces, least)
