"""Which rows show neither a system prompt nor thoughts: exact shares of a file, drawn by seed."""

from collections.abc import Iterable, Mapping
from enum import Enum

from generation_functions.choosing import spread
from generation_functions.config import Config


class Mode(Enum):
    """What a row shows. No row lacks both: one without thoughts is told so in its system prompt."""

    WHOLE = "system prompt and thoughts"
    BARE = "no system prompt but the shared instruction"
    PLAIN = "the answers alone"


def draw_modes(
    uuids: Iterable[str], config: Config, file: str, thoughts: bool = False
) -> Mapping[str, Mode]:
    """Return the mode of each row of a file; only rows with `thoughts` can be without them.

    The shares are those of `system`, exact to one row.
    """
    bare = config.system.remove_system_prompt_ratio
    plain = bare + (config.system.remove_thought_process_ratio if thoughts else 0.0)
    return {
        uuid: Mode.BARE if place < bare else Mode.PLAIN if place < plain else Mode.WHOLE
        for uuid, place in spread(uuids, config.system.seed, file, "modes").items()
    }
