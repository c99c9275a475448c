"""The stage `meta`: a dataset of the run's own calls."""

from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_FOLDER
from generation_functions.datasets.manifest import FolderManifest
from generation_functions.datasets.meta import write_meta
from generation_functions.datasets.provenance import read_row_uuids
from generation_functions.stages.taking import open_training_counter
from generation_functions.steps.calls import read_calls, read_led
from generation_functions.steps.run import Run


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
            folders = (run.folder / PRETRAINING_FOLDER, run.folder / SFT_FOLDER)
            led = read_led(run.folder, set[str]().union(*map(read_row_uuids, folders)))
        mode = run.config.system.use_filenames
        calls = read_calls(run.folder, mode, settings.steps, led)
        with open_training_counter(run.config) as counter:
            return write_meta(run.folder, calls, counter.config, counter.count)
