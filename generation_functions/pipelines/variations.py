"""From a piece of a document to its facts and to what it is when it is told again in other forms.

A piece is one or more neighbouring base chunks. Its facts are listed, some turned round, some
inferred; from text and facts it is told again in several forms; from what was inferred once
more, for rows of their own. Code variations change texts without a model.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from generation_functions.config import Config
from generation_functions.errors import Dropped, Rejected
from generation_functions.pipelines.code_variations import vary_by_code
from generation_functions.pipelines.facts import (
    INFER_FACTS,
    LIST_FACTS,
    TURN_FACTS,
    FactRequest,
    FoundFacts,
    choose_turned,
    make_sheet,
)
from generation_functions.pipelines.forms import (
    FORMS,
    WRITE_FORM,
    VariationRequest,
    choose_forms,
    request_variation,
)
from generation_functions.pipelines.gaps import fill_gaps, report_gaps
from generation_functions.pipelines.questions import WORTHY, judge
from generation_functions.records import (
    Chunk,
    ComposedChunk,
    Fact,
    FactSheet,
    Variation,
    make_uuid,
)
from generation_functions.steps.run import Run
from generation_functions.steps.step import Item, Step
from generation_functions.steps.survivors import StoredSurvivors, read_survivors

I = TypeVar("I", bound=Item)
O = TypeVar("O")

LEAST_WORTHY = 0.5  # share of a piece's text that has to be worthy
FACTS = "atomic_facts"
VARIATIONS = "representation_variations"
TEXT = "text"  # what a code variation of the piece itself has for its form

PRETRAINING_STEPS: tuple[Step[Any, Any], ...] = (
    LIST_FACTS,
    INFER_FACTS,
    TURN_FACTS,
    *WRITE_FORM.values(),
)


async def judge_base(run: Run, chunk: Chunk) -> str:
    """Return the uuid of a base chunk that is worth telling again; others are dropped.

    It is judged as the questions' stage judges it: once for both.
    """
    await judge(run, chunk)
    return run.look(WORTHY, chunk).uuid


async def vary_all(
    run: Run, pieces: Iterable[ComposedChunk], abort_below: float | None
) -> list[tuple[str, ...]]:
    """Write the variations of each piece; then those of worthy pieces whose facts were found only
    when they were asked about again. Returned are their uuids. Raises TooFewKept.
    """
    empty: dict[str, ComposedChunk] = {}
    made = await run.map(partial(vary, run, empty, 0), pieces, "pieces", abort_below=abort_below)

    def find() -> Iterator[ComposedChunk]:
        places = {uuid: (one.chunk.document, one.chunk.start) for uuid, one in empty.items()}
        return iter([empty[uuid] for uuid in sorted(places, key=places.__getitem__)])

    rounds = await fill_gaps(run, "pretraining", find, partial(vary, run, empty), made.extend)
    report_gaps(run, rounds, len(empty))
    return made


async def vary(
    run: Run, empty: dict[str, ComposedChunk], number: int, piece: ComposedChunk
) -> tuple[str, ...]:
    """Write the variations of a piece: those told from its facts, those from inferred ones.

    Returned are their uuids: a run has many more texts than it should hold at once.

    Noted in `empty` is a worthy piece of which no fact was found. It is asked again about with
    another `number`.
    """
    if piece.worthy_share < LEAST_WORTHY:
        raise Rejected("too little of it is worthy")
    empty[piece.uuid] = piece
    found = await find_facts(run, piece, number)
    del empty[piece.uuid]
    sheet = run.keep(FACTS, found)
    requests = list(plan_variations(sheet, run.config))
    written = await run.map(partial(write, run), requests, "variations")
    return tuple(one.uuid for one in (*written, *vary_letters(run, sheet, written)))


async def find_facts(run: Run, piece: ComposedChunk, number: int = 0) -> FactSheet:
    """Return the piece's facts, and what follows from them or is one of them turned round.

    Facts that do not pass are counted with their reasons. Raises Dropped where none passes.
    """
    found = await _ask(run, LIST_FACTS, FactRequest(piece.chunk, number), "facts")
    sheet = make_sheet(piece.chunk, piece.parts, found)
    turned: tuple[Fact, ...] = ()
    inferred: tuple[Fact, ...] = ()
    if choose_turned(sheet):
        with suppress(Dropped):
            turned = await _ask(run, TURN_FACTS, sheet, "turned facts")
    if run.config.representation_variation.make_inferred_facts and len(sheet.facts) > 1:
        with suppress(Dropped):
            inferred = await _ask(run, INFER_FACTS, sheet, "inferred facts")
    return replace(sheet, turned=turned, inferred=inferred)


def plan_variations(sheet: FactSheet, config: Config) -> Iterator[VariationRequest]:
    """Yield what is to be written: as many variations as the piece's folder has, and as many
    from inferred facts, where there are any.
    """
    chunk, seed = sheet.chunk, config.system.seed
    forms = config.representation_variation.forms
    source = chunk.source if config.system.use_filenames else ""
    known = "\n".join((source, *chunk.headings, chunk.text))
    for inferred in (False, True) if sheet.inferred else (False,):
        count = config.count_variations(chunk.directory)
        for form, number in choose_forms(forms, chunk.uuid, count, seed, backwards=inferred):
            yield request_variation(sheet, form, number, seed, inferred, known)


async def write(run: Run, request: VariationRequest) -> Variation:
    """Return a piece told again, as the folder of variations has it."""
    sheet = request.sheet
    text = await run.ask(_settle(run, WRITE_FORM[request.form]), request)
    return run.keep(
        VARIATIONS,
        Variation(
            make_uuid(request.uuid, text),
            request.form,
            request.number,
            text,
            sheet.chunk,
            sheet.parts,
            bool(request.inferred),
        ),
    )


def vary_letters(run: Run, sheet: FactSheet, written: list[Variation]) -> Iterator[Variation]:
    """Yield the code variations of a piece and of what was written of it, data left out.

    Counted are those that changed nothing.
    """
    section, seed = run.config.representation_variation, run.config.system.seed
    chunk = sheet.chunk
    piece = Variation(chunk.uuid, TEXT, 0, chunk.text.strip(), chunk, sheet.parts)
    prose = [one for one in written if not FORMS[one.form].is_data]
    for one in (piece, *prose):
        for function in section.code_variation_functions:
            text = vary_by_code(one.text, function, section.code_variation_rate, seed, one.uuid)
            uuid = make_uuid(one.uuid, function, text)
            same = text == one.text
            run.count("code variations", uuid, rejected="nothing changed" if same else "")
            if not same:
                with suppress(Rejected):  # deleted by hand
                    yield run.keep(VARIATIONS, replace(one, uuid=uuid, text=text, code=function))


@dataclass(frozen=True, slots=True)
class Told:
    """The variations that go into the datasets, by the piece and kind that they tell.

    Of each only the uuid is held; their texts are read piece by piece.
    """

    folder: Path
    uuids: Mapping[tuple[str, bool], Sequence[str]]

    def read(self, sheet: FactSheet, inferred: bool) -> list[Variation]:
        """Return the variations of a piece, those made by a model first."""
        uuids = list(self.uuids.get((sheet.chunk.uuid, inferred), ()))
        found = read_survivors(self.folder, uuids, Variation)
        return sorted(found, key=lambda one: (one.code, one.number, one.form, one.uuid))


def take_told(run: Run, chunks: Collection[str]) -> tuple[StoredSurvivors[FactSheet], Told]:
    """Return the facts and variations that go into the datasets; none where the stage is off.

    `chunks` are the worthy base chunks that are left, by uuid. Counted are facts of a chunk that a
    person deleted, and variations whose facts are gone. Raises RunFolderError before the stage has
    ended.
    """
    folder = run.folder / VARIATIONS
    if not run.config.representation_variation.enabled:
        return StoredSurvivors(run.folder / FACTS, (), FactSheet), Told(folder, {})
    gone = set(run.require(WORTHY)).difference(chunks)
    found, left, known = run.stored(FACTS, FactSheet), list[str](), set[str]()
    for sheet in found:
        deleted = not gone.isdisjoint(sheet.parts)
        run.count("mixed", sheet.uuid, rejected="a chunk of it is gone" if deleted else "")
        if not deleted:
            left.append(sheet.uuid)
            known.add(sheet.chunk.uuid)
    uuids: dict[tuple[str, bool], list[str]] = {}
    for uuid in run.require(VARIATIONS):
        for variation in read_survivors(folder, [uuid], Variation):  # one at a time
            kept = variation.chunk.uuid in known
            run.count("mixed", uuid, rejected="" if kept else "its facts are gone")
            if kept:
                uuids.setdefault((variation.chunk.uuid, variation.inferred), []).append(uuid)
    return found.only(left), Told(folder, uuids)


async def _ask(run: Run, step: Step[I, FoundFacts], item: I, label: str) -> tuple[Fact, ...]:
    """Return the facts of a step's reply; count under `label` those that passed or did not."""
    found = await run.ask(_settle(run, step), item)
    for fact in found.facts:
        run.count(label, fact.uuid)
    for dropped in found.dropped:
        run.count(label, dropped.uuid, rejected=dropped.reason)
    return found.facts


def _settle(run: Run, step: Step[I, O]) -> Step[I, O]:
    """Return a step as its section has it; its `use_stop` None is that of `system`."""
    return replace(
        step, use_stop=run.config.representation_variation.representation_variation_use_stop
    )
