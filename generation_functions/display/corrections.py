"""Corrections: who is doubted and how, shares against those asked for, rows in colour, lengths."""

from collections.abc import Sequence

from generation_functions.config import Config
from generation_functions.datasets.fitting import count_segments, find_context
from generation_functions.datasets.masked_rows import correction_turns, make_correction_format
from generation_functions.display.documents import name_place
from generation_functions.display.item_browser import ItemBrowser, group_by
from generation_functions.display.items import mark_sentences
from generation_functions.display.markup import Html, folded, join, preformatted, tag
from generation_functions.display.masks import show_mask
from generation_functions.display.plots import Picture, plot_token_lengths
from generation_functions.display.tables import show_table
from generation_functions.masked import Correction
from generation_functions.pipelines.corrections import CORRECTED, CORRECTIONS, FIRM
from generation_functions.stages.taking import open_training_counter
from generation_functions.steps.run import Run

_NONE = "No correction: is `correction_pipeline.enabled` true, and has the stage run?"


def read_corrections(run: Run) -> list[Correction]:
    """Return the corrections in the order of the documents; nothing before the stage."""
    on = run.config.correction_pipeline.enabled and run.has(CORRECTIONS)
    made = run.survivors(CORRECTIONS, Correction) if on else []
    return sorted(made, key=lambda one: (one.chunk.source, one.chunk.start, one.uuid))


def show_firmness(corrections: Sequence[Correction], config: Config) -> Html:
    """Return what share was to stand firm, and does."""
    if not corrections:
        return show_table([], empty=_NONE)
    firm = sum(one.firm for one in corrections)
    share = config.correction_pipeline.stand_firm_share
    counts = {CORRECTED: (1 - share, len(corrections) - firm), FIRM: (share, firm)}
    return show_table(
        [
            {
                "first_answer": name,
                "asked_for": f"{wanted:.0%}",
                "made": made,
                "share_made": f"{made / len(corrections):.0%}",
            }
            for name, (wanted, made) in counts.items()
        ]
    )


def show_doubts(corrections: Sequence[Correction]) -> Html:
    """Return how often each kind of doubt was written, with one of each."""
    rows = [
        {"the_user": manner, "times": len(some), "for_example": some[0].doubt}
        for manner, some in sorted(group_by(corrections, lambda one: one.manner).items())
    ]
    return show_table(rows, empty=_NONE)


def browse_corrections(corrections: Sequence[Correction]) -> ItemBrowser[Correction]:
    """Return a browser of corrections, and of those that stand firm, with their chunks."""
    groups = group_by(corrections, lambda one: FIRM if one.firm else CORRECTED)
    return ItemBrowser(groups, show_correction, _NONE)


def show_correction(one: Correction) -> Html:
    """Return a conversation about an answer, and the chunk with the sentences that it rests on."""
    turns = (
        ("asks", one.pair.question),
        ("answers, rightly" if one.firm else "answers, wrongly", one.first),
        (f"doubts ({one.manner})", one.doubt),
        ("stands by it" if one.firm else "sets it right", one.last),
    )
    said = [tag("div", tag("em", f"{name}: "), preformatted(text)) for name, text in turns]
    place = tag("p", tag("strong", name_place(one.chunk)))
    text = folded("The text", mark_sentences(one.chunk, [one.pair.sentences]))
    return join([place, *said, text])


def browse_rows(run: Run, corrections: Sequence[Correction]) -> ItemBrowser[Correction]:
    """Return a browser of rows as they are trained on: what is learnt is in colour."""
    form = make_correction_format(run.config) if corrections else None

    def show(one: Correction) -> Html:
        return show_mask(form.segments(correction_turns(one, run.config))) if form else Html("")

    return ItemBrowser(group_by(corrections, lambda one: one.chunk.source), show, _NONE)


def plot_lengths(run: Run, corrections: Sequence[Correction]) -> Picture:
    """Draw how many tokens rows have; the line is the training context.

    Tokens are those of `model_training.tokenizer`, or of the run's own counter.
    """
    lengths: list[int] = []
    if corrections:
        form = make_correction_format(run.config)
        with open_training_counter(run.config) as counter:
            lengths = [
                count_segments(form.segments(correction_turns(one, run.config)), counter.count)
                for one in corrections
            ]
    return plot_token_lengths({"corrections": lengths}, find_context(run.config))
