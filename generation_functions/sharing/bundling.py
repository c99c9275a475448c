"""Packing a run into one file, from which it goes on elsewhere without asking anything again."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath

import yaml

from generation_functions import __version__
from generation_functions.errors import RunFolderError
from generation_functions.session import read_config
from generation_functions.sharing.bundle_format import (
    CONFIG,
    FORMAT,
    LIST,
    RUNS,
    Bundle,
    BundledFile,
    is_safe,
)
from generation_functions.sharing.carried import Carried, carry_config
from generation_functions.steps.lock import HOLDER, LOCK, hold_run
from generation_functions.steps.models_used import read_models

_BLOCK = 1 << 20
_TIME = (1980, 1, 1, 0, 0, 0)  # of every file, so that the same run gives the same bundle


def bundle(run: Path, file: Path, with_inputs: bool = False) -> Bundle:
    """Pack a run folder into `file`, a zip file; return what is in it.

    All its files are taken (replies, survivors, live lists, texts, datasets), with the prompts and
    traits that its config names; the documents only `with_inputs`, models never. The run folder
    is held meanwhile: RunFolderError while a stage runs, if `file` exists, lies in
    the run folder or cannot be written, and for what cannot be packed (links).
    """
    run, file = run.resolve(), file.resolve()
    if not (run / CONFIG).is_file():
        raise RunFolderError(f"{run}: no {CONFIG} there; is it a run folder?")
    if file.exists():
        raise RunFolderError(f"{file}: is there already. Give another name, or remove it.")
    if file.is_relative_to(run):
        raise RunFolderError(f"{file}: lies in the run folder, which is to be packed.")
    config = read_config(run / CONFIG)
    values, named = carry_config(config, run.name)
    coming = [one for one in named if one.path.exists() and _comes(one, with_inputs)]
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    with hold_run(run, "bundle"), _new_zip(file) as packed:
        packer = _Packer(packed)
        packer.add_text(CONFIG, text)
        packer.add_folder(run, f"{RUNS}/{run.name}", lambda name: not _is_left(name))
        for one in coming:
            packer.add(one)
        packed_run = Bundle(
            format=FORMAT,
            program=__version__,
            run=run.name,
            models=tuple(read_models(run).values()),
            missing=tuple(f"{one.name}: {one.what}" for one in named if one not in coming),
            files=tuple(packer.files),
        )
        packed.writestr(_describe(LIST), packed_run.model_dump_json(indent=1))
    return packed_run


def _comes(one: Carried, with_inputs: bool) -> bool:
    return one.needed or (with_inputs and one.document)


class _Packer:
    """Adds files to a zip file and remembers what it has added."""

    def __init__(self, packed: zipfile.ZipFile) -> None:
        self._packed = packed
        self.files: list[BundledFile] = []

    def add_text(self, name: str, text: str) -> None:
        content = text.encode()
        self._packed.writestr(_describe(name), content)
        digest = hashlib.sha256(content).hexdigest()
        self.files.append(BundledFile(name=name, size=len(content), sha256=digest))

    def add(self, one: Carried) -> None:
        if one.path.is_dir():
            self.add_folder(one.path, one.name, lambda name: not name.name.startswith("."))
        else:
            self._add_file(one.path, one.name)

    def add_folder(self, folder: Path, name: str, wanted: Callable[[PurePath], bool]) -> None:
        """Add the files below a folder whose path in it is `wanted`; hidden folders are none."""
        for path in sorted(_walk(folder)):
            inner = path.relative_to(folder)
            if path.is_symlink() and not path.resolve().is_relative_to(folder):
                raise RunFolderError(f"{path}: a link that leads out; put a copy in its place.")
            if wanted(inner):
                self._add_file(path, f"{name}/{inner.as_posix()}")

    def _add_file(self, path: Path, name: str) -> None:
        if not is_safe(name):
            raise RunFolderError(f"{path}: cannot have this name in a bundle. Give it another.")
        info = _describe(name)
        info.file_size = path.stat().st_size  # tells zipfile whether the file is a large one
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as source, self._packed.open(info, "w") as target:
            while block := source.read(_BLOCK):
                digest.update(block)
                size += len(block)
                target.write(block)
        self.files.append(BundledFile(name=name, size=size, sha256=digest.hexdigest()))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder. Links to folders are not followed, and are an error."""
    for place, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".")]
        for one in folders:
            if (Path(place) / one).is_symlink():
                raise RunFolderError(f"{Path(place) / one}: a link to a folder; copy the folder.")
        yield from (Path(place) / one for one in files)


def _is_left(name: PurePath) -> bool:
    """Whether a file of the run folder stays: its locks, its config, what is half written."""
    half_written = name.name.startswith(".") and name.suffix == ".part"
    return name.as_posix() in (LOCK, HOLDER, CONFIG) or half_written


def _describe(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


@contextmanager
def _new_zip(file: Path) -> Iterator[zipfile.ZipFile]:
    """Lend a zip file that gets its name once it is whole, and else is removed."""
    part = file.with_name(f".{file.name}.part")
    try:
        with zipfile.ZipFile(part, "w") as packed:
            yield packed
        os.replace(part, file)
    except OSError as error:
        raise RunFolderError(f"{file}: cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
