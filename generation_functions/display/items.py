"""Documents, chunks and question-answer pairs as tables."""

from collections import Counter
from collections.abc import Sequence

from generation_functions.display.markup import Html, folded, join, preformatted
from generation_functions.display.tables import shorten, show_table
from generation_functions.records import QAPair
from generation_functions.stages import Cut


def show_documents(cut: Cut) -> Html:
    """Return what was read: a row for each document, with what became of its text."""
    kept = Counter(chunk.document for chunk in cut.chunks)
    dropped = Counter(chunk.document for chunk, _ in cut.dropped)
    tokens: Counter[str] = Counter()
    for chunk in cut.chunks:
        tokens[chunk.document] += chunk.tokens
    rows = [
        {
            "title": document.title,
            "author": document.author,
            "year": str(document.year or ""),
            "language": document.language or "",
            "pages": str(len(document.pages) or ""),
            "characters": len(document.text),
            "chunks": kept[document.uuid],
            "their_tokens": tokens[document.uuid],
            "dropped": dropped[document.uuid],
            "look_at": "; ".join(document.warnings),
        }
        for document in cut.documents
    ]
    return show_table(rows)


def show_chunks(cut: Cut, most: int = 3) -> Html:
    """Return the first chunks, folded, as the prompts will get them."""
    return join(
        folded(
            f"{chunk.source}, characters {chunk.start:,} to {chunk.end:,}, {chunk.tokens} tokens",
            preformatted(chunk.text),
        )
        for chunk in cut.chunks[:most]
    )


def show_dropped(cut: Cut, most: int = 50) -> Html:
    """Return the chunks that a rule dropped, each with its reason and its beginning."""
    rows = [
        {"reason": reason, "source": chunk.source, "at": chunk.start, "text": shorten(chunk.text)}
        for chunk, reason in cut.dropped[:most]
    ]
    return show_table(rows, empty="No chunk was dropped by a rule.")


def show_duplicates(cut: Cut, most: int = 10) -> Html:
    """Return the chunks that are like an earlier one, each beside the one that was kept."""
    chunks = {chunk.uuid: chunk for chunk in (*cut.chunks, *(one for one, _ in cut.dropped))}
    rows = [
        {
            "reason": found.reason,
            "kept": f"{chunks[found.kept].source}: {shorten(chunks[found.kept].text, 400)}",
            "dropped": f"{chunks[found.uuid].source}: {shorten(chunks[found.uuid].text, 400)}",
        }
        for found in cut.duplicates[:most]
    ]
    return show_table(rows, empty="No chunk is like another.")


def chunk_lengths(cut: Cut) -> dict[str, list[int]]:
    """Return the tokens of the chunks that go on, and of those that a rule dropped."""
    return {
        "chunks": [chunk.tokens for chunk in cut.chunks],
        "dropped by a rule": [chunk.tokens for chunk, _ in cut.dropped],
    }


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
