"""The stages of a run, in order. The notebooks and the command line call these."""

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import islice

from generation_functions.config import Conversations, Questions, RepresentationVariation
from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.documents.composing import compose_chunks
from generation_functions.documents.cutting import Decision
from generation_functions.documents.duplicates import Duplicate
from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.documents.survey import Survey, SurveyMaker, file_of
from generation_functions.errors import Rejected
from generation_functions.ocr_files import OcrFiles
from generation_functions.pipelines import (
    characters,
    conversations,
    question_steps,
    questions,
    recall,
    repairing,
    variations,
    ways,
)
from generation_functions.pipelines.orders import choose_orders, make_info
from generation_functions.pipelines.pdf_cleaning import (
    CLEAN_PDF,
    read_repaired,
    repair,
    take_pdfs,
    wants_cleaning,
)
from generation_functions.pipelines.pdf_cleaning import FOLDER as PDFS
from generation_functions.pipelines.pieces import (
    Piece,
    count_changed,
    cut_pieces,
    relate,
    write_neighbours,
)
from generation_functions.pipelines.planting import judge_planted
from generation_functions.records import (
    Chunk,
    Conversation,
    ConversationInfo,
    Document,
    QAPair,
    Recall,
    Variation,
    make_uuid,
    to_json,
)
from generation_functions.session import open_counter
from generation_functions.sources import Source
from generation_functions.special_instructions import read_traits
from generation_functions.steps.files import read_json
from generation_functions.steps.run import Run
from generation_functions.steps.survivors import read_survivors

NEIGHBOURS = "neighbours.jsonl"  # of each piece that was recalled, what speaks of the same
SEEN = "live/.input.json"  # what the documents stage last read, and how many chunks go on

QUESTION_STEPS = (
    question_steps.JUDGE_CHUNK,
    question_steps.PLAN_QUESTIONS,
    question_steps.WRITE_QUESTIONS,
    repairing.CHECK_QUESTION,
    repairing.CHECK_ANSWER_RELEVANCE,
    repairing.CHECK_ANSWER_ACCURACY,
    repairing.REVISE_PAIR,
    repairing.REPAIR_ANSWER,
    repairing.REPLACE_PAIR,
)
RECALL_STEPS = ways.list_steps()
CHARACTER_STEPS = (
    characters.PLAN_CHARACTER,
    characters.WRITE_CHARACTER,
    characters.PLAN_SCENE,
    characters.WRITE_SCENE,
)
CONVERSATION_STEPS = (
    conversations.WRITE_CONVERSATION,
    conversations.WRITE_SCENE_CONVERSATION,
    conversations.REWRITE_CONVERSATION,
)


async def clean_pdfs(run: Run, limit: int | None = None) -> list[str]:
    """Let a model repair the text of PDFs, if `pdf_cleaning.enabled`; return their uuids.

    With `limit`, it is asked about so many pieces of the first PDFs. As in `write_questions`,
    nothing is asked before all files are known to be readable.
    """
    if not run.config.pdf_cleaning.enabled:
        return []
    async with run.stage("pdf_cleaning", limit):
        run.load_prompts(CLEAN_PDF)
        run.open_survivors(PDFS)
        source = Source(run.config, ocr_files=_ocr_files(run))
        _check_readable(run, source)
        with open_counter(run.config) as count, closing(source.documents()) as found:
            pdfs = take_pdfs(found, run.config, count, limit)
            return await run.map(partial(repair, run, count), pdfs, "PDFs")


def open_source(run: Run) -> Source:
    """Return the run's input, with PDFs as a model repaired them, if one was to.

    A PDF whose repaired text a person deleted, or that the last pass did not take, stays as it
    was read, and is counted so. Raises RunFolderError when that has not been done.
    """
    if not run.config.pdf_cleaning.enabled:
        return Source(run.config, ocr_files=_ocr_files(run))
    live = set(run.require(PDFS))

    def find(document: Document) -> Document | None:
        if not wants_cleaning(document, run.config):
            return None
        found = read_repaired(run.folder, live, document)
        run.count("PDFs", document.uuid, rejected="" if found else "not repaired: left as it was")
        return found

    return Source(run.config, find, _ocr_files(run))


async def documents(run: Run, limit: int | None = None) -> Survey:
    """Read and cut the documents; write their cleaned texts and which chunks are duplicates.

    Texts are written as they are read. A problem stops that: the rest is read only to name
    all that has to be put right, in one InputError. Texts of documents that are no longer there
    move to documents/stale/.
    """
    async with run.stage("documents", limit):
        source, maker, texts = open_source(run), SurveyMaker(), set[str]()
        passing = _write_documents(run, source, maker, texts)
        with (
            closing(source.decisions(passing)) as decisions,
            run.open_text("duplicates.jsonl") as write,
        ):
            for decision in decisions:
                maker.add(decision)
                run.count("documents", decision.chunk.uuid, rejected=decision.reason)
                if decision.kept:
                    found = Duplicate(decision.chunk.uuid, decision.kept, decision.reason)
                    write(json.dumps(to_json(found)) + "\n")
        for problem in source.problems:
            if not problem.lines:  # else the file's good lines are used
                uuid = make_uuid(problem.directory, problem.path)
                run.count("files", uuid, rejected=problem.said)
        run.set_aside("documents", texts)
        if limit is None:
            source.forget_pages()
        survey = maker.finish(tuple(problem.tell_left_out() for problem in source.problems))
        run.write_text(SEEN, json.dumps({"input": source.sign(), "chunks": survey.going_on}))
    return survey


def _write_documents(
    run: Run, source: Source, maker: SurveyMaker, texts: set[str]
) -> Iterator[Document]:
    """Yield the documents, each written (as one of `texts`), noted and its file counted."""
    for document in source.documents():
        texts.add(f"{document.uuid}.txt")
        run.write_text(f"documents/{document.uuid}.txt", document.text)
        maker.add_document(document)
        run.count("files", make_uuid(document.directory, file_of(document.path)))
        yield document


async def write_questions(run: Run, limit: int | None = None) -> list[tuple[QAPair, ...]]:
    """Judge the chunks, write question-answer pairs and vet them, with the small model.

    Chunks are cut as they are needed. So that nothing is asked before all files are known to
    be readable, they are read through once before, unless the documents stage has done so.
    Of questions that several chunks' pairs ask, the first stays. At the end planted pairs
    measure the checks. Raises TooFewKept.
    """
    async with run.stage("questions", limit):
        run.load_prompts(*QUESTION_STEPS)
        run.open_survivors("worthy_for_questions", "qatuples_raw", "qatuples_revised")
        run.open_survivors(questions.REJECTED_PAIRS)
        source = open_source(run)
        seen = _check_readable(run, source)
        with closing(source.decisions()) as decisions:
            good = _going_on(decisions)
            total = None if seen is None else min(seen, limit or seen)
            ask = partial(questions.ask_about_chunk, run)
            least = _least_share(run, run.config.questions)
            kept = await run.map(ask, islice(good, limit), "chunks", total, abort_below=least)
        kept = questions.leave_out_asked(run, kept)
        await judge_planted(run, [pair for pairs in kept for pair in pairs])
        return kept


async def write_pretraining(run: Run, limit: int | None = None) -> list[tuple[Variation, ...]]:
    """Tell the worthy text again in other forms, if `representation_variation.enabled`.

    Base chunks are judged as in the questions' stage, once for both; then neighbours are
    composed to pieces, of which facts and variations are written. With `limit`, so many base
    chunks are taken. Raises TooFewKept.
    """
    section = run.config.representation_variation
    if not section.enabled:
        return []
    async with run.stage("pretraining", limit):
        run.load_prompts(question_steps.JUDGE_CHUNK, *variations.PRETRAINING_STEPS)
        run.open_survivors(variations.FACTS, variations.VARIATIONS)
        source = open_source(run)
        seen = _check_readable(run, source)
        total = None if seen is None else min(seen, limit or seen)
        with closing(source.decisions()) as decisions:
            judge = partial(variations.judge_base, run)
            judged = islice(_going_on(decisions), limit)
            worthy = set(await run.map(judge, judged, "chunks", total))
        with open_counter(run.config) as count, closing(source.decisions()) as decisions:
            chunks = _as_left(run, islice(_going_on(decisions), limit))
            size = section.representation_variation_chunk_size or 0
            pieces = compose_chunks(chunks, size, count, worthy)
            least = _least_share(run, section)
            return await run.map(partial(variations.vary, run), pieces, "pieces", abort_below=least)


async def write_recalls(run: Run, limit: int | None = None) -> list[recall.Asked]:
    """Ask about the worthy text in the ways that `factual_sft` names; without any, do nothing.

    Each question is shown the chunks that speak of the same, unless its way is not to be. With
    `limit`, so many pieces are taken. Raises RunFolderError before the questions' stage has
    ended, and TooFewKept.
    """
    chosen = ways.make_ways(run.config)
    if not chosen:
        return []
    async with run.stage("recall", limit):
        run.load_prompts(*(step for way in chosen for step in way.steps))
        run.open_survivors(recall.RECALLS, recall.REJECTED_RECALLS)
        worthy = set(run.require(recall.WORTHY))
        with closing(open_source(run).decisions()) as decisions:
            corpus = ChunkIndex(one.chunk for one in decisions if not one.kept)
        pieces = _cut_pieces(run, corpus, worthy)
        _note_neighbours(run, pieces)
        return await recall.recall_all(run, corpus, chosen, pieces[:limit])


def _cut_pieces(run: Run, corpus: ChunkIndex, worthy: set[str]) -> list[Piece]:
    """Return the pieces of the worthy chunks, read one at a time, with what is related to them."""
    settings, folder = run.config.factual_sft_settings, run.folder / recall.WORTHY
    with open_counter(run.config) as count:
        ordered = (uuid for uuid in corpus.uuids if uuid in worthy)
        chunks = (chunk for uuid in ordered for chunk in read_survivors(folder, [uuid], Chunk))
        pieces = list(cut_pieces(chunks, settings.factual_chunk_size, count))
    return relate(pieces, settings.related_chunks, corpus)


def _note_neighbours(run: Run, pieces: Sequence[Piece]) -> None:
    """Write down what is related to each piece, and report for how many that has changed."""
    file = run.folder / NEIGHBOURS
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    related = sum(bool(piece.related) for piece in pieces)
    changed = count_changed(before, pieces)
    found = {"pieces": len(pieces), "with related chunks": related, "changed": changed}
    run.report("neighbours", found)
    run.write_text(NEIGHBOURS, write_neighbours(pieces))


async def write_characters(run: Run, limit: int | None = None) -> list[ConversationInfo]:
    """Choose the orders of each chunk's pairs; write who talks about them, with the small model.

    In assistant mode nobody is written, and no model is asked.
    """
    settings = run.config.conversations
    async with run.stage("characters", limit):
        traits = read_traits("none" if settings.assistant_mode else settings.traits)
        if not settings.assistant_mode:
            run.load_prompts(*CHARACTER_STEPS)
        run.open_survivors("multiturn_convs_info")
        pairs = run.survivors("qatuples_revised", QAPair)
        infos = list(group_pairs(pairs, settings.rearrangements_to_take, run.config.system.seed))
        return await run.map(partial(characters.prepare, run, traits), infos, "characters")


async def write_conversations(run: Run, limit: int | None = None) -> list[Conversation]:
    """Write the conversations that the characters' stage prepared, with the large model.

    Raises TooFewKept.
    """
    async with run.stage("conversations", limit):
        run.load_prompts(*CONVERSATION_STEPS)
        run.open_survivors("multiturn_convs", conversations.REJECTED_CONVERSATIONS)
        infos = run.survivors("multiturn_convs_info", ConversationInfo)
        infos.sort(key=lambda info: (*_chunk_place(info.chunk), info.uuid))
        converse = partial(conversations.converse, run)
        least = _least_share(run, run.config.conversations)
        return await run.map(converse, infos, "conversations", abort_below=least)


def group_pairs(pairs: Sequence[QAPair], take: int, seed: int) -> Iterator[ConversationInfo]:
    """Yield `take` orders (or all) of each chunk's pairs, in the order of the documents."""
    by_chunk: dict[str, list[QAPair]] = {}
    for pair in sorted(pairs, key=_pair_place):
        by_chunk.setdefault(pair.chunk.uuid, []).append(pair)
    for group in by_chunk.values():
        for order in choose_orders(group, take, seed):
            yield make_info(order)


async def mix(run: Run, limit: int | None = None) -> Material:
    """Write the datasets and the trainer's configs from what survived."""
    async with run.stage("mix", limit):
        pairs = run.survivors("qatuples_revised", QAPair)
        chunks = run.survivors("worthy_for_questions", Chunk)
        sheets, told = variations.take_told(run, chunks)
        material = Material(
            chunks=chunks,
            pairs=pairs,
            conversations=_survive(run, pairs),
            sheets=sheets,
            variations=told,
            recalls=_survive_recalls(run),
        )
        with open_counter(run.config) as count:
            write_datasets(run.folder, material, run.config, count)
    return material


def _survive(run: Run, pairs: Sequence[QAPair]) -> list[Conversation]:
    """Return the conversations without those about a pair that is gone, which are counted."""
    known = {pair.uuid for pair in pairs}
    kept = []
    for conversation in run.survivors("multiturn_convs", Conversation):
        gone = any(pair.uuid not in known for pair in conversation.pairs)
        run.count("mixed", conversation.uuid, rejected="a pair of it is gone" if gone else "")
        kept += [] if gone else [conversation]
    return kept


def _survive_recalls(run: Run) -> list[Recall]:
    """Return the recalls of the ways that the config names, if they were written."""
    if not (run.config.factual_sft and run.has(recall.RECALLS)):
        return []
    made = run.survivors(recall.RECALLS, Recall)
    return [one for one in made if one.way in run.config.factual_sft]


STAGES: dict[str, Callable[[Run, int | None], Awaitable[object]]] = {
    "pdf_cleaning": clean_pdfs,
    "documents": documents,
    "questions": write_questions,
    "pretraining": write_pretraining,
    "recall": write_recalls,
    "characters": write_characters,
    "conversations": write_conversations,
    "mix": mix,
}


def _ocr_files(run: Run) -> OcrFiles:
    return OcrFiles(run.folder, run.write_text)


def _check_readable(run: Run, source: Source) -> int | None:
    """Return how many chunks the documents stage found in exactly this input, None before it.

    Then all is read through here. Raises InputError, which names all that cannot be read.
    """
    seen = read_json(run.folder / SEEN) or {}
    if seen.get("input") == source.sign():
        return int(seen["chunks"])
    source.check()
    return None


def _going_on(decisions: Iterable[Decision]) -> Iterator[Chunk]:
    return (decision.chunk for decision in decisions if not decision.reason)


def _as_left(run: Run, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield base chunks as a person left them in worthy_for_questions/."""
    for chunk in chunks:
        with suppress(Rejected):  # deleted by hand
            yield run.look("worthy_for_questions", chunk)


def _least_share(
    run: Run, section: Questions | Conversations | RepresentationVariation
) -> float | None:
    """Return the share of its items that a stage must keep: its section's, or the general one."""
    general = run.config.system.abort_below
    return general if section.abort_below is None else section.abort_below


def _pair_place(pair: QAPair) -> tuple[str, str, int, str, tuple[int, ...], str]:
    return (*_chunk_place(pair.chunk), pair.sentences, pair.uuid)


def _chunk_place(chunk: Chunk) -> tuple[str, str, int, str]:
    return (chunk.directory, chunk.source, chunk.start, chunk.uuid)
