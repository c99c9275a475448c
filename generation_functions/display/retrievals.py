"""Simulated retrievals: what each shows and why, shares against those asked for, rows, lengths."""

from collections.abc import Sequence
from typing import Any

from generation_functions.config import Config
from generation_functions.datasets.fitting import RowFitter, find_context
from generation_functions.datasets.masked_rows import group_items, make_rag_format, rag_turns
from generation_functions.display.item_browser import ItemBrowser, group_by
from generation_functions.display.markup import Html, Part, folded, join, marked, preformatted, tag
from generation_functions.display.masks import show_mask
from generation_functions.display.plots import Picture, plot_token_lengths
from generation_functions.display.tables import show_table
from generation_functions.documents.sentences import split_sentences
from generation_functions.masked import FAILURES, FOUND_IN_TWO, RIGHT, RagItem, Shown
from generation_functions.pipelines.rag import RAG_ITEMS, SHORTENED
from generation_functions.stages.taking import open_training_counter
from generation_functions.status import Status
from generation_functions.steps.run import Run

_NONE = "No retrieval: is `rag_data.enabled` true, and has the stage run?"


def read_retrievals(run: Run) -> list[RagItem]:
    """Return the retrievals in the order of the documents; nothing before the stage."""
    on = run.config.rag_data.enabled and run.has(RAG_ITEMS)
    made = run.survivors(RAG_ITEMS, RagItem) if on else []
    return sorted(made, key=lambda one: (one.chunk.source, one.chunk.start, one.uuid))


def show_shares(status: Status, items: Sequence[RagItem], config: Config) -> Html:
    """Return what share of retrievals was to be of each kind, was drawn so, and came to be so."""
    settings = config.rag_data
    fails, total = settings.rag_failure_percentage, sum(settings.shares.model_dump().values())
    tallied = status.get("rag", {}).get("findings", {}).get("retrievals", {})
    planned = {kind: sum(cells.values()) for kind, cells in tallied.items()}
    cut = status.get("rag", {}).get("findings", {}).get("context", {})
    shortened = sum(cells.get(SHORTENED, 0) for cells in cut.values())
    if not items:
        return show_table([], empty=_NONE)
    wanted = dict(zip(FAILURES, settings.shares.model_dump().values(), strict=True))
    rows = [_describe_kind("succeeds", 1 - fails, [one for one in items if not one.failed], items)]
    two = settings.two_chunk_share * (1 - fails) if settings.rag_max_chunks > 1 else 0.0
    needing_two = [one for one in items if one.kind == FOUND_IN_TWO]
    rows.append(_describe_kind("of them, needs two chunks", two, needing_two, items))
    for kind in FAILURES:
        own = [one for one in items if one.kind == kind]
        share = fails * wanted[kind] / total
        rows.append(_describe_kind(f"fails: {kind}", share, own, items, planned.get(kind)))
    said = f"Shortened to the training context: {shortened:,} of {len(items):,}."
    return join([show_table(rows), tag("p", said)])


def show_places(items: Sequence[RagItem]) -> Html:
    """Return how often the right chunk stood at each place, by how many were shown."""
    rows: list[dict[str, int]] = []
    by_size: dict[int, list[RagItem]] = {}
    for item in items:
        if not item.failed:
            by_size.setdefault(len(item.shown), []).append(item)
    for size, some in sorted(by_size.items()):
        places = [
            number for one in some for number, shown in enumerate(one.shown) if shown.why == RIGHT
        ]
        counts = {f"at_{place + 1}": places.count(place) for place in range(size)}
        rows.append({"chunks_shown": size, "retrievals": len(some), **counts})
    return show_table(rows, list(rows[-1]) if rows else None, empty=_NONE)


def browse_retrievals(items: Sequence[RagItem]) -> ItemBrowser[RagItem]:
    """Return a browser of retrievals by kind: questions, answers, and each chunk with its why."""
    return ItemBrowser(group_by(items, lambda one: one.kind), show_retrieval, _NONE)


def show_retrieval(item: RagItem) -> Html:
    """Return what is asked, then what is shown: quotes are marked, scores stand beside."""
    asked: list[Part] = [tag("p", tag("strong", f"{item.chunk.source}: {item.kind}"))]
    for number, one in enumerate(item.asked):
        asked.append(tag("p", tag("strong", one.question)))
        if item.lacks:
            asked.append(tag("p", tag("em", "missing: "), item.lacks[number]))
        asked.append(preformatted(one.answer))
    quotes = [evidence.quote for one in item.asked for evidence in one.evidence]
    language = item.chunk.language
    shown = [_show_chunk(number, one, quotes, language) for number, one in enumerate(item.shown, 1)]
    nothing = tag("p", tag("em", "Nothing was found."))
    return join([*asked, *(shown or [nothing])])


def browse_rows(run: Run, items: Sequence[RagItem]) -> ItemBrowser[tuple[RagItem, ...]]:
    """Return a browser of rows as they are trained on: what is learnt is in colour."""
    config = run.config
    groups = list(group_items(items, config.rag_data.num_items_per_group, config.system.seed))
    form = make_rag_format(config) if groups else None

    def show(group: tuple[RagItem, ...]) -> Html:
        return show_mask(form.segments(rag_turns(group, config))) if form else Html("")

    return ItemBrowser(
        group_by(groups, lambda one: f"{len(one) - 1} retrievals before"), show, _NONE
    )


def plot_lengths(run: Run, items: Sequence[RagItem]) -> Picture:
    """Draw how many tokens rows have, each with its own retrieval alone; the line is the context.

    Tokens are those of `model_training.tokenizer`, or of the run's own counter.
    """
    lengths: dict[str, list[int]] = {}
    if items:
        with open_training_counter(run.config) as counter:
            fitter = RowFitter(counter.config, counter.count)
            for name in ("succeeds", "fails"):
                own = [one for one in items if one.failed == (name == "fails")]
                lengths[name] = [fitter.measure((one,)) for one in own]
    return plot_token_lengths(lengths, find_context(run.config))


def _describe_kind(
    name: str,
    share: float,
    own: Sequence[RagItem],
    items: Sequence[RagItem],
    planned: int | None = None,
) -> dict[str, Any]:
    drawn = len(own) if planned is None else planned
    return {
        "retrieval": name,
        "asked_for": f"{share:.0%}",
        "drawn": drawn,
        "made": len(own),
        "share_made": f"{len(own) / len(items):.0%}",
    }


def _show_chunk(number: int, shown: Shown, quotes: Sequence[str], language: str) -> Html:
    score = f", score {shown.score:.3g}" if shown.score else ""
    said = f"Document {number}: {shown.why}{score} · {shown.source}"
    return folded(said, _mark_quotes(shown.text, quotes, language), open_=shown.why == RIGHT)


def _mark_quotes(text: str, quotes: Sequence[str], language: str) -> Html:
    parts: list[Part] = []
    place = 0
    for start, end in split_sentences(text, language):
        sentence = " ".join(text[start:end].split())
        quoted = any(sentence in quote for quote in quotes)
        parts += [text[place:start], marked(text[start:end]) if quoted else text[start:end]]
        place = end
    return tag("div", *parts, text[place:], style="white-space: pre-wrap; padding-left: 14px")
