"""What was recalled: by way with its sources, how it went, and how much the questions differ."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from generation_functions.display.item_browser import ItemBrowser, group_by
from generation_functions.display.items import browse_rejected, mark_sentences, read_rejected
from generation_functions.display.markup import Html, folded, join, preformatted, tag
from generation_functions.display.tables import show_table
from generation_functions.pipelines.questions import RejectedPair
from generation_functions.pipelines.readings import list_numbers, read_together
from generation_functions.pipelines.recall import KEPT, RECALLS, REJECTED_RECALLS
from generation_functions.pipelines.recall_rounds import DISTINCT
from generation_functions.pipelines.ways import BUILT_IN
from generation_functions.records import Exchange, Recall
from generation_functions.status import Status
from generation_functions.steps.run import Run

_NONE = "Nothing has been recalled: `factual_sft` names no way, or the stage has not run."
_WORD = re.compile(r"\w+")
_GRAMS = (1, 2, 3)


def read_recalls(run: Run) -> list[Recall]:
    """Return what was recalled, in the order of the documents; nothing before the stage."""
    made = run.survivors(RECALLS, Recall) if run.has(RECALLS) else []
    return sorted(made, key=lambda one: (one.chunk.source, one.chunk.start, one.generation))


def browse_recalls(recalls: Sequence[Recall]) -> ItemBrowser[Recall]:
    """Return a browser of conversations by way: turns, what each recalls, and the sources."""
    return ItemBrowser(group_by(recalls, lambda one: one.way), show_recall, _NONE)


def show_recall(recall: Recall) -> Html:
    """Return the turns of a recall, then its sources by name, with the sentences marked that were
    used.
    """
    turns = [_show_exchange(number, one) for number, one in enumerate(recall.exchanges, start=1)]
    told = (f"{recall.chunk.source}, generation {recall.generation}, "
            f"{len(recall.sources)} sources shown")  # fmt: skip
    return join([tag("p", tag("strong", told)), *turns, folded("The sources", _show_texts(recall))])


def show_ways(status: Status, recalls: Sequence[Recall]) -> Html:
    """Return for each way what was kept, and why the rest was dropped."""
    tallied = status.get("recall", {}).get("findings", {}).get("ways", {})
    made = group_by(recalls, lambda one: one.way)
    rows = [_describe_way(name, cells, made.get(name, ())) for name, cells in tallied.items()]
    return show_table(rows, empty=_NONE)


def show_related(status: Status) -> Html:
    """Return how many pieces have related chunks, and for how many these have changed."""
    found = status.get("recall", {}).get("findings", {}).get("neighbours")
    return show_table([found] if found else [], empty=_NONE)


def show_diversity(status: Status, recalls: Sequence[Recall]) -> Html:
    """Return how much the questions of each way differ, and the share that asked the same.

    Distinct n-grams are those that differ among all (Li et al., 2016); the share falls as
    questions become more.
    """
    made = {**group_by(recalls, lambda one: one.way)}
    groups = {**made, **({"all": list(recalls)} if len(made) > 1 else {})}
    rows = [
        {
            "way": name,
            "questions": sum(len(one.exchanges) for one in some),
            **{f"distinct_{n}-grams": _say(measure_distinct(_list_questions(some), n))
               for n in _GRAMS},
        }
        for name, some in groups.items()
    ]  # fmt: skip
    counts = status.get("recall", {}).get("pipelines", {}).get(DISTINCT)
    said = ""
    if counts and counts["in"]:
        share = counts["rejected"] / counts["in"]
        said = f"{counts['rejected']:,} of {counts['in']:,} asked the same as another: {share:.1%}."
    return join([show_table(rows, empty=_NONE), tag("p", said)])


def group_questions(recalls: Sequence[Recall]) -> dict[str, list[str]]:
    """Return the questions of each way."""
    groups = group_by(recalls, lambda one: one.way)
    return {way: _list_questions(some) for way, some in groups.items()}


def measure_distinct(texts: Iterable[str], size: int) -> float:
    """Return the share of the texts' runs of `size` words that differ; 1.0 without any."""
    seen: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        words = _WORD.findall(text.lower())
        seen.update(tuple(words[at : at + size]) for at in range(len(words) - size + 1))
    return len(seen) / seen.total() if seen else 1.0


def browse_left_out(run: Run) -> ItemBrowser[RejectedPair]:
    """Return a browser of what was left out, by reason, the commonest first."""
    return browse_rejected(
        read_rejected(run, REJECTED_RECALLS) if run.has(REJECTED_RECALLS) else []
    )


def _show_exchange(number: int, exchange: Exchange) -> Html:
    notes = {
        "meant": exchange.meant,
        "things": " · ".join(exchange.things),
        "quality": exchange.quality,
        "wrong": exchange.premise,
    }
    said = [tag("p", tag("em", f"{name}: "), text) for name, text in notes.items() if text]
    lines = tag("ul", *(tag("li", one.told) for one in exchange.recalled))
    question = tag("strong", f"{number}. {exchange.question}")
    parts = (question, preformatted(exchange.answer), *said, folded("It rests on", lines))
    return tag("div", *parts, style="margin-bottom: 10px")


def _show_texts(recall: Recall) -> Html:
    """Return each source under its name; sentences are numbered through all of them."""
    reading = read_together(recall.sources)
    cited = [{n for line in one.recalled for n in line.sentences} for one in recall.exchanges]
    shown = []
    for place, chunk in enumerate(recall.sources):
        numbers = list_numbers(reading, place)
        own = [[at for at, n in enumerate(numbers, start=1) if n in some] for some in cited]
        shown += [tag("p", tag("strong", chunk.source)), mark_sentences(chunk, own)]
    return join(shown)


def _describe_way(name: str, cells: Mapping[str, int], made: Sequence[Recall]) -> dict[str, Any]:
    total, kept = sum(cells.values()), cells.get(KEPT, 0)
    dropped = sorted(((count, why) for why, count in cells.items() if why != KEPT), reverse=True)
    used = [len({line.source for line in one.recalled}) for m in made for one in m.exchanges]
    way = BUILT_IN.get(name)
    return {
        "way": name,
        "asks": way.asks if way else "A way of your own.",
        "asked": total,
        "kept": kept,
        "distinct": len(made),
        "sources_used": sum(used) / len(used) if used else None,
        "dropped": ", ".join(f"{why} {count:,}" for count, why in dropped),
    }


def _list_questions(recalls: Iterable[Recall]) -> list[str]:
    return [exchange.question for one in recalls for exchange in one.exchanges]


def _say(share: float) -> str:
    return f"{share:.0%}"
