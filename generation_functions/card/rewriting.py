"""The run folder's card, written anew from what its records say now."""

from pathlib import Path

from generation_functions.card.describe import describe
from generation_functions.card.gather import CARD, gather_facts
from generation_functions.config import Config
from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_FOLDER
from generation_functions.datasets.manifest import Manifest, read_manifest
from generation_functions.status import Status
from generation_functions.steps.files import Writer


def rewrite_card(folder: Path, config: Config, status: Status, running: str = "") -> Path:
    """Write dataset_card.md of a run folder, which is held meanwhile; return where it is.

    What a stage after the mix found out (what an exam shares with the data) stands only in this
    card, not in those of the training folders. `running` is the stage that asks, if one does.
    Raises RunFolderError before the mix.
    """
    parts = (read_manifest(folder / name) for name in (PRETRAINING_FOLDER, SFT_FOLDER))
    facts = gather_facts(folder, config, status, Manifest(*parts), running)
    Writer().write(folder / CARD, describe(facts))
    return folder / CARD
