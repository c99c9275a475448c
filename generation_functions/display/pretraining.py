"""How the pretraining stage went: pieces beside facts beside what was told of them, by form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from generation_functions.display.documents import name_place
from generation_functions.display.item_browser import ItemBrowser, group_by
from generation_functions.display.markup import (
    Html,
    Part,
    beside,
    folded,
    join,
    marked,
    tag,
)
from generation_functions.display.plots import Picture, plot_token_lengths
from generation_functions.display.records import list_records, read_record
from generation_functions.display.tables import show_table
from generation_functions.pipelines.facts import INFER_FACTS, LIST_FACTS, TURN_FACTS
from generation_functions.pipelines.landmarks import find_landmarks
from generation_functions.pipelines.variations import FACTS, VARIATIONS
from generation_functions.records import Fact, FactSheet, Variation
from generation_functions.steps.run import Run

OFF = "No piece: is `representation_variation.enabled` true, and has the stage run?"
_TEXT = "white-space: pre-wrap; overflow-wrap: anywhere"


@dataclass(frozen=True, slots=True)
class Told:
    """The pieces with their facts, and what was told of them, in the order of the documents."""

    sheets: tuple[FactSheet, ...] = ()
    variations: tuple[Variation, ...] = ()


def read_told(run: Run) -> Told:
    """Return what the stage kept; nothing where it is switched off.

    Raises RunFolderError before the stage has ended.
    """
    if not run.config.representation_variation.enabled:
        return Told()
    sheets = run.survivors(FACTS, FactSheet)
    variations = run.survivors(VARIATIONS, Variation)
    sheets.sort(key=lambda one: (one.chunk.source, one.chunk.start, one.uuid))
    variations.sort(key=lambda one: (one.inferred, one.code, one.number, one.form, one.uuid))
    return Told(tuple(sheets), tuple(variations))


def browse_pieces(told: Told) -> ItemBrowser[FactSheet]:
    """Return a browser of the pieces, by source: text, facts, and all that was told of them."""
    by_piece = group_by(told.variations, lambda one: one.chunk.uuid)

    def show(sheet: FactSheet) -> Html:
        return show_piece(sheet, by_piece.get(sheet.chunk.uuid, ()))

    return ItemBrowser(group_by(told.sheets, lambda sheet: sheet.chunk.source), show, OFF)


def show_piece(sheet: FactSheet, variations: Sequence[Variation]) -> Html:
    """Return a piece beside its facts beside its variations; figures, dates, names are marked."""
    facts = [
        _list_facts("Facts", sheet.facts),
        _list_facts("Turned round", sheet.turned),
        _list_facts("What follows", sheet.inferred),
    ]
    shown = [folded(name_variation(one), _show_text(one.text)) for one in variations]
    none = tag("p", tag("em", "No variation was kept."))
    columns = (_show_text(sheet.chunk.text), join(facts), join(shown or [none]))
    return join([tag("p", tag("strong", name_place(sheet.chunk))), beside(*columns)])


def name_variation(variation: Variation) -> str:
    """Return what kind of text a variation is: "article 2, with what follows, allcaps"."""
    again = f" {variation.number + 1}" if variation.number else ""
    parts = [variation.form.replace("_", " ") + again]
    parts += ["with what follows"] if variation.inferred else []
    return ", ".join([*parts, variation.code] if variation.code else parts)


def mark_landmarks(text: str) -> Html:
    """Return a text whose figures, dates and names stand out."""
    parts: list[Part] = []
    place = 0
    for start, end in find_landmarks(text):
        parts += [text[place:start], marked(text[start:end])]
        place = end
    return join([*parts, text[place:]])


def show_forms(told: Told) -> Html:
    """Return how many variations of each form there are, and how many words they have."""
    forms = group_by((one for one in told.variations if not one.code), lambda one: one.form)
    rows = [_describe_form(form, some) for form, some in sorted(forms.items())]
    by_code = group_by((one for one in told.variations if one.code), lambda one: one.code)
    rows += [_describe_form(f"by code: {name}", some) for name, some in sorted(by_code.items())]
    return show_table(rows, empty="No variation.")


def group_variations(told: Told) -> dict[str, list[str]]:
    """Return the variations of each form; not those whose words code has changed."""
    groups = group_by((one for one in told.variations if not one.code), lambda one: one.form)
    return {form: [one.text for one in some] for form, some in sorted(groups.items())}


def plot_lengths(told: Told) -> Picture:
    """Draw how many words pieces and variations have."""
    lengths = {
        "pieces": [_count(sheet.chunk.text) for sheet in told.sheets],
        "variations": [_count(one.text) for one in told.variations if not one.inferred],
        "variations with what follows": [
            _count(one.text) for one in told.variations if one.inferred
        ],
    }
    return plot_token_lengths(lengths, label="words")


def show_dropped_facts(run: Run, most: int = 20) -> Html:
    """Return the first facts of each step that code took for none, with why."""
    shown = []
    for step in (LIST_FACTS, TURN_FACTS, INFER_FACTS):
        rows: list[dict[str, str]] = []
        for path in list_records(run.folder, step.name):
            record = read_record(path)
            output: Mapping[str, Any] = (record.outcome and record.outcome.output) or {}
            rows += [
                {"dropped": one["text"], "because": one["reason"]}
                for one in output.get("dropped", ())
            ]
            if len(rows) >= most:
                break
        table = show_table(rows[:most], empty="None was dropped.")
        shown.append(folded(f"{step.name}: dropped facts", table, open_=bool(rows)))
    return join(shown)


def _describe_form(form: str, variations: Sequence[Variation]) -> dict[str, Any]:
    words = [_count(one.text) for one in variations]
    inferred = sum(one.inferred for one in variations)
    return {
        "form": form.replace("_", " "),
        "from_facts": len(variations) - inferred,
        "with_what_follows": inferred,
        "fewest_words": min(words),
        "median": int(median(words)),
        "most_words": max(words),
    }


def _list_facts(name: str, facts: Sequence[Fact]) -> Html:
    if not facts:
        return Html("")
    lines = (tag("li", mark_landmarks(fact.text), _say_ground(fact)) for fact in facts)
    return join([tag("strong", name), tag("ol", *lines)])


def _say_ground(fact: Fact) -> Html:
    numbers = ", ".join(map(str, fact.facts or fact.sentences))
    said = f" fact {numbers}" if fact.facts else f" sentence {numbers}"
    return tag("sup", said, style="opacity: .7")


def _show_text(text: str) -> Html:
    return tag("div", mark_landmarks(text.strip()), style=_TEXT)


def _count(text: str) -> int:
    return len(text.split())
