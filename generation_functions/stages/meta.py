"""The stage `meta`: a dataset of the run's own calls."""

from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_FOLDER
from generation_functions.datasets.manifest import FolderManifest
from generation_functions.datasets.meta import write_meta
from generation_functions.datasets.provenance import read_row_uuids
from generation_functions.discovery import list_pipelines
from generation_functions.stages.taking import open_training_counter
from generation_functions.steps.calls import read_calls, read_led
from generation_functions.steps.run import Run

_FOLDERS = (PRETRAINING_FOLDER, SFT_FOLDER)


async def write_meta_dataset(run: Run, limit: int | None = None) -> FolderManifest | None:
    """Write meta_datagen/, if `meta_datagen.do_meta_datagen`, from the records of earlier stages.

    No model is asked, and `limit` is that of the stages before. Raises RunFolderError where
    there is no call to learn from.
    """
    settings = run.config.meta_datagen
    if not settings.do_meta_datagen:
        return None
    async with run.stage("meta", limit):
        led = None
        if settings.only_kept:
            led = read_led(run.folder, _list_kept(run))
        mode = run.config.system.use_filenames
        calls = read_calls(run.folder, mode, settings.steps, led)
        with open_training_counter(run.config) as count:
            return write_meta(run.folder, calls, run.config, count)


def _list_kept(run: Run) -> set[str]:
    """Return the uuids of what is in rows: of the training folders, and of <pipeline>_rows/."""
    found = set[str]().union(*(read_row_uuids(run.folder / name) for name in _FOLDERS))
    for name in filter(run.has, list_pipelines()):
        files = (run.folder / name / f"{uuid}.json" for uuid in run.require(name))
        found.update(file.stem for file in files if file.exists())  # no person deleted it
    return found
