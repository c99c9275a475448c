"""The stages of pipelines that are found by their names: from chunks to what is kept, and rows."""

from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from generation_functions.datasets.made_rows import MadeRow, write_dataset
from generation_functions.discovery import list_pipelines, load_pipeline
from generation_functions.documents.composing import compose_chunks
from generation_functions.pipelines.pipeline import Made, Pipeline
from generation_functions.records import Chunk, to_json
from generation_functions.session import open_counter
from generation_functions.stages.reading import open_source
from generation_functions.stages.taking import check_readable, chunk_place, going_on
from generation_functions.steps.run import Run
from generation_functions.steps.survivors import read_survivors

M = TypeVar("M", bound=Made)


def find_pipeline(name: str) -> Pipeline[Any, Any]:
    """Return a pipeline by its name. Raises ConfigError for a module without one."""
    found: Pipeline[Any, Any] = load_pipeline(name)
    return found


async def run_pipeline(run: Run, pipeline: Pipeline[Any, M], limit: int | None = None) -> list[M]:
    """Run a pipeline, whether or not its section is enabled; return what it kept, by place.

    Its rows are written to `<name>_rows/`. With `limit`, so many base chunks are taken.
    """
    async with run.stage(pipeline.name, limit):
        run.load_prompts(*pipeline.steps)
        run.open_survivors(pipeline.name)
        with closing(_take_chunks(run, pipeline, limit)) as chunks:
            await pipeline.write(run, chunks)
        kept = run.kept(pipeline.name)
        made = read_survivors(run.folder / pipeline.name, kept, pipeline.kind)
        made.sort(key=lambda one: (*chunk_place(one.chunk), one.uuid))
        with (
            run.open_text(f"{pipeline.rows}/sharegpt.jsonl") as chat,
            run.open_text(f"{pipeline.rows}/completion.jsonl") as text,
        ):
            write_dataset(_make_rows(pipeline, made), run.config, chat, text)
    return made


async def run_enabled(name: str, run: Run, limit: int | None = None) -> list[Any]:
    """Run the pipeline of that name, if the config has its section with `enabled: true`."""
    section = getattr(run.config, name, None)
    if section is None or not section.enabled:
        return []
    return await run_pipeline(run, find_pipeline(name), limit)


STAGES = {name: partial(run_enabled, name) for name in list_pipelines()}


def take_made(run: Run) -> dict[str, list[MadeRow]]:
    """Return the rows of the pipelines that the config enables, by name, in the documents' order.

    Raises RunFolderError before their stages have ended.
    """
    found = {}
    for name in list_pipelines():
        section = getattr(run.config, name, None)
        if section is not None and section.enabled:
            pipeline = find_pipeline(name)
            made = run.survivors(name, pipeline.kind)
            made.sort(key=lambda one: (*chunk_place(one.chunk), one.uuid))
            found[name] = list(_make_rows(pipeline, made))
    return found


def _take_chunks(run: Run, pipeline: Pipeline[Any, Any], limit: int | None) -> Generator[Chunk]:
    """Yield the chunks that the rules let pass, or, by `chunk_size`, neighbours as one."""
    size = pipeline.settings(run.config).chunk_size
    source = open_source(run)
    check_readable(run, source)
    with closing(source.decisions()) as decisions:
        chunks = islice(going_on(decisions), limit)
        if size is None:
            yield from chunks
            return
        with open_counter(run.config) as count:
            yield from (piece.chunk for piece in compose_chunks(chunks, size, count, ()))


def _make_rows(pipeline: Pipeline[Any, M], made: list[M]) -> Iterator[MadeRow]:
    return (MadeRow(pipeline.turns(one), to_json(one)) for one in made)
