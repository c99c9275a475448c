"""Rows of pipelines that are found by their names: a dataset of their own, and files of the mix."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from generation_functions.config import Config
from generation_functions.datasets.rows import Row, sharegpt_row, text_row
from generation_functions.datasets.templates import make_template
from generation_functions.records import Turn


@dataclass(frozen=True, slots=True)
class MadeRow:
    """The turns of one row, and what was kept, as JSON values, that it is the row of."""

    turns: tuple[Turn, ...]
    record: Row


def write_dataset(
    made: Iterable[MadeRow],
    config: Config,
    chat: Callable[[str], object],
    text: Callable[[str], object],
) -> None:
    """Write the same rows, a line each, as ShareGPT to `chat` and as completions to `text`.

    The latter are in the config's template (`final_datasaving_settings.template`). Raises
    ConfigError for one that cannot be used.
    """
    template = make_template(config)
    for one in made:
        chat(_write_line(sharegpt_row(one.turns)))
        text(_write_line(text_row(template.render(one.turns))))


def _write_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
