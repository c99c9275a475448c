"""Documents, chunks and question-answer pairs as tables."""

from collections.abc import Sequence

from generation_functions.display.markup import Html, folded, join, preformatted
from generation_functions.display.tables import shorten, show_table
from generation_functions.documents.survey import Survey
from generation_functions.records import QAPair


def show_documents(survey: Survey) -> Html:
    """Return what was read: a row for each file."""
    rows = [
        {
            "directory": line.directory,
            "file": line.path,
            "pages": str(line.pages or ""),
            "words": line.words,
            "tokens": line.tokens,
            "chunks": line.chunks,
            "language": line.language,
            "look_at": "; ".join(line.warnings),
        }
        for line in survey.documents
    ]
    return show_table(rows)


def show_chunks(survey: Survey, most: int = 3) -> Html:
    """Return the first chunks that go on, folded, as the prompts will get them."""
    return join(
        folded(
            f"{chunk.source}, characters {chunk.start:,} to {chunk.end:,}, {chunk.tokens} tokens",
            preformatted(chunk.text),
        )
        for chunk in survey.kept[:most]
    )


def show_dropped(survey: Survey, most: int = 10) -> Html:
    """Return for every reason how many chunks were dropped, and the beginnings of the first."""
    rows = [
        {
            "reason": reason,
            "of": dropped.count,
            "source": chunk.source,
            "at": chunk.start,
            "text": shorten(chunk.text),
        }
        for reason, dropped in survey.dropped.items()
        for chunk in dropped.examples[:most]
    ]
    return show_table(rows, empty="No chunk was dropped.")


def show_duplicates(survey: Survey, most: int = 10) -> Html:
    """Return chunks that are nearly like an earlier one, each beside the one that was kept."""
    rows = [
        {
            "kept": f"{kept.source}: {shorten(kept.text, 400)}",
            "dropped": f"{dropped.source}: {shorten(dropped.text, 400)}",
        }
        for dropped, kept in survey.pairs[:most]
    ]
    return show_table(rows, empty="No chunk is nearly like another.")


def show_pairs(pairs: Sequence[QAPair], most: int = 10) -> Html:
    """Return the first pairs, each with the sentences that it rests on."""
    rows = [
        {
            "question": pair.question,
            "answer": pair.answer,
            "sentences_it_rests_on": pair.quote,
            "source": pair.chunk.source,
        }
        for pair in pairs[:most]
    ]
    return show_table(rows, empty="No pair has survived.")
