"""Chunks with the pairs that were made of them, and pairs that were left out, to be read."""

from collections.abc import Sequence
from pathlib import Path

from generation_functions.display.documents import name_place
from generation_functions.display.item_browser import ItemBrowser, group_by, put_largest_first
from generation_functions.display.markup import (
    Html,
    Part,
    beside,
    folded,
    join,
    marked,
    preformatted,
    tag,
)
from generation_functions.display.records import read_record
from generation_functions.display.tables import show_table
from generation_functions.documents.sentences import split_sentences
from generation_functions.pipelines.question_steps import PLAN_QUESTIONS, read_sentences
from generation_functions.pipelines.questions import (
    ASKED_ALREADY,
    REJECTED_PAIRS,
    REVISED,
    WORTHY,
    RejectedPair,
)
from generation_functions.records import Chunk, QAPair
from generation_functions.steps.run import Run


def browse_chunks(run: Run) -> ItemBrowser[Chunk]:
    """Return a browser of the chunks that were asked about, by source: plan, pairs, quotes."""
    pairs = group_by(run.survivors(REVISED, QAPair), lambda pair: pair.chunk.uuid)
    chunks = run.survivors(WORTHY, Chunk)
    chunks.sort(key=lambda chunk: (chunk.directory, chunk.source, chunk.start))

    def show(chunk: Chunk) -> Html:
        plan = read_plan(run.folder, chunk)
        return join([show_plan(chunk, plan), show_chunk_pairs(chunk, pairs.get(chunk.uuid, ()))])

    groups = group_by(chunks, lambda chunk: chunk.source)
    return ItemBrowser(groups, show, "No chunk has been found suitable.")


def show_chunk_pairs(chunk: Chunk, pairs: Sequence[QAPair]) -> Html:
    """Return a chunk with its pairs beside it; the sentences that one rests on are marked."""
    shown = [_show_pair(number, pair) for number, pair in enumerate(pairs, start=1)]
    none = tag("p", tag("em", "No pair of this chunk was kept."))
    text = mark_sentences(chunk, [pair.sentences for pair in pairs])
    return join([tag("p", tag("strong", name_place(chunk))), beside(text, join(shown or [none]))])


def mark_sentences(chunk: Chunk, cited: Sequence[Sequence[int]]) -> Html:
    """Return a chunk's text with sentences marked, and after each the numbers of who cites it.

    `cited` has, for each who cites, the sentences' numbers; both are counted from 1.
    """
    parts: list[Part] = []
    place = 0
    spans = split_sentences(chunk.text, chunk.language)
    for sentence, (start, end) in enumerate(spans, start=1):
        citing = [str(number) for number, some in enumerate(cited, start=1) if sentence in some]
        if citing:
            parts += [chunk.text[place:start], marked(chunk.text[start:end])]
            parts.append(tag("sup", f" {', '.join(citing)}"))
            place = end
    style = "white-space: pre-wrap; overflow-wrap: anywhere"
    return tag("div", *parts, chunk.text[place:], style=style)


def read_plan(folder: Path, chunk: Chunk) -> str:
    """Return the plan that was made for a chunk; empty where there is none."""
    path = folder / PLAN_QUESTIONS.name / f"{chunk.uuid}.json"
    outcome = read_record(path).outcome if path.exists() else None
    return str(outcome.output) if outcome and outcome.output else ""


def show_plan(chunk: Chunk, plan: str) -> Html:
    """Return a chunk's plan, folded, beside the text with the sentences that it names."""
    if not plan:
        return tag("p", tag("em", "No plan was made for this chunk."))
    lines = plan.splitlines()
    cited = [read_sentences(chunk, line.partition(":")[0]) for line in lines]
    listed = tag("ol", *(tag("li", line.partition(": ")[2]) for line in lines))
    return folded("The plan", beside(mark_sentences(chunk, cited), listed))


def read_rejected(run: Run, folder: str = REJECTED_PAIRS) -> list[RejectedPair]:
    """Return the pairs that were left out, in the order of the documents.

    Raises RunFolderError before the stage that fills the folder has ended.
    """
    found = run.survivors(folder, RejectedPair)
    return sorted(found, key=lambda one: (one.pair.chunk.source, one.pair.chunk.start, one.uuid))


def browse_rejected(rejected: Sequence[RejectedPair]) -> ItemBrowser[RejectedPair]:
    """Return a browser of pairs that were left out, by reason, the commonest first."""
    groups = put_largest_first(group_by(rejected, lambda one: one.problem.reason))
    return ItemBrowser(groups, show_rejected, "No pair was left out.")


def show_rejected(rejected: RejectedPair) -> Html:
    """Return a pair that was left out, with what is wrong with it, beside its chunk."""
    problem, pair = rejected.problem, rejected.pair
    said = tag("p", tag("strong", f"{problem.reason}: "), problem.told)
    return join([said, show_chunk_pairs(pair.chunk, [pair])])


def show_asked_already(rejected: Sequence[RejectedPair], most: int = 20) -> Html:
    """Return the first pairs that ask what another one asks, which they were left out for."""
    rows = [
        {
            "left_out": join([preformatted(one.pair.question), preformatted(one.pair.answer)]),
            "because": one.problem.told,
            "source": one.pair.chunk.source,
        }
        for one in rejected
        if one.problem.reason == ASKED_ALREADY.reason
    ]
    said = tag("p", f"{min(most, len(rows)):,} of {len(rows):,}") if rows else ""
    return join([said, show_table(rows[:most], empty="No two pairs ask the same.")])


def _show_pair(number: int, pair: QAPair) -> Html:
    quote = tag("blockquote", preformatted(pair.quote), style="opacity: .8; margin: 4px 12px")
    question = tag("strong", f"{number}. {pair.question}")
    return tag("div", question, preformatted(pair.answer), quote, style="margin-bottom: 10px")
