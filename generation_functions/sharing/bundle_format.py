"""What a bundle holds: a zip file of a run, with BUNDLE.json, which lists and checks it all.

Names in it are those that the files have in the folder that it is unpacked into.
"""

from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict

from generation_functions.engine.model_facts import ModelFacts
from generation_functions.steps.models_used import tell_model

FORMAT = 1
LIST = "BUNDLE.json"
CONFIG = "config.yaml"
RUNS, INPUTS, FILES, MODELS = "outputs", "inputs", "files", "logical_models"
_FOLDERS = (RUNS, INPUTS, FILES)


class _FromFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BundledFile(_FromFile):
    """A file: its name, its size in bytes, and the SHA-256 of its content."""

    name: str
    size: int
    sha256: str


class Bundle(_FromFile):
    """BUNDLE.json. `models` are those that the run was opened with, `missing` what else its
    config names that did not come along, each as the place where it is looked for.
    """

    format: int
    program: str
    run: str
    models: tuple[ModelFacts, ...]
    missing: tuple[str, ...]
    files: tuple[BundledFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.files)

    def describe_needs(self) -> list[str]:
        """Return a line for each thing that has to be put in place before the run goes on."""
        models = [f"{MODELS}/{tell_model(one)}" for one in self.models if one.file]
        return [*models, *self.missing]


def is_safe(name: str) -> bool:
    """Whether a name lies inside of the folder that a bundle is unpacked into."""
    parts = PurePosixPath(name).parts
    return (
        name == "/".join(parts)
        and ".." not in parts
        and not any(letter == "\\" or ord(letter) < 32 for letter in name)
        and not any("\ud800" <= letter <= "\udfff" for letter in name)  # no UTF-8
        and (name == CONFIG or (len(parts) > 1 and parts[0] in _FOLDERS))
    )
