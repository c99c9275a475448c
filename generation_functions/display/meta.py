"""The dataset of a run's own calls: how many rows there are, and pairs of replies to compare."""

from itertools import islice
from pathlib import Path

from generation_functions.datasets.meta import FOLDER, PREFERENCES, Preference, read_preferences
from generation_functions.display.markup import Html, beside, folded, join, preformatted, tag
from generation_functions.display.tables import show_table
from generation_functions.steps.files import read_json

_OFF = "No calls were written as rows: `meta_datagen.do_meta_datagen` is off."


def show_meta(folder: Path, most: int = 5) -> Html:
    """Return the files of meta_datagen/, and the first pairs of replies to one prompt."""
    manifest = read_json(folder / FOLDER / "MANIFEST.json")
    if manifest is None:
        return show_table([], empty=_OFF)
    table = show_table(manifest["files"], ("name", "rows", "tokens"))
    pairs = islice(read_preferences(folder / FOLDER / PREFERENCES), most)
    return join([table, *map(_show_pair, pairs)])


def _show_pair(pair: Preference) -> Html:
    said = pair.why or pair.use
    columns = beside(
        join([tag("strong", "taken"), preformatted(pair.chosen)]),
        join([tag("strong", f"not taken: {said}"), preformatted(pair.rejected)]),
    )
    return folded(pair.step, join([preformatted(pair.asked), tag("hr"), columns]))
