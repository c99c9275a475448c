"""The stages `pdf_cleaning` and `documents`, and the documents that later stages read."""

import json
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial

from generation_functions.documents.duplicates import Duplicate
from generation_functions.documents.survey import Survey, SurveyMaker, file_of
from generation_functions.ocr_files import OcrFiles
from generation_functions.pipelines.coverage import (
    CHUNKS,
    DOCUMENTS,
    ChunkEntry,
    DocumentEntry,
)
from generation_functions.pipelines.pdf_cleaning import (
    CLEAN_PDF,
    read_repaired,
    repair,
    take_pdfs,
    wants_cleaning,
)
from generation_functions.pipelines.pdf_cleaning import FOLDER as PDFS
from generation_functions.records import Document, make_uuid, to_json
from generation_functions.session import open_counter
from generation_functions.sources import Source
from generation_functions.stages.taking import SEEN, check_readable
from generation_functions.steps.run import Run


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
        check_readable(run, source)
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
    """Read and cut the documents; write their cleaned texts, and where each chunk stands.

    Texts are written as they are read. A problem stops that: the rest is read only to name
    all that has to be put right, in one InputError. Texts of documents that are no longer there
    move to documents/stale/.
    """
    async with run.stage("documents", limit):
        source, maker, texts = open_source(run), SurveyMaker(), set[str]()
        with (
            run.open_text(DOCUMENTS) as note_document,
            run.open_text(CHUNKS) as note_chunk,
            run.open_text("duplicates.jsonl") as note_duplicate,
            closing(_write_documents(run, source, maker, texts, note_document)) as passing,
            closing(source.decisions(passing)) as decisions,
        ):
            for decision in decisions:
                maker.add(decision)
                run.count("documents", decision.chunk.uuid, rejected=decision.reason)
                note_chunk(_write_line(ChunkEntry.of(decision.chunk, decision.reason)))
                if decision.kept:
                    found = Duplicate(decision.chunk.uuid, decision.kept, decision.reason)
                    note_duplicate(_write_line(found))
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
    run: Run,
    source: Source,
    maker: SurveyMaker,
    texts: set[str],
    note: Callable[[str], None],
) -> Generator[Document]:
    """Yield the documents, each written (as one of `texts`), noted and its file counted."""
    for document in source.documents():
        texts.add(f"{document.uuid}.txt")
        run.write_text(f"documents/{document.uuid}.txt", document.text)
        note(_write_line(DocumentEntry.of(document)))
        maker.add_document(document)
        run.count("files", make_uuid(document.directory, file_of(document.path)))
        yield document


def _write_line(value: object) -> str:
    return json.dumps(to_json(value), ensure_ascii=False) + "\n"


def _ocr_files(run: Run) -> OcrFiles:
    return OcrFiles(run.folder, run.write_text)
