"""Unpacking a bundle into a new folder: nothing outside of it, nothing that is not as packed."""

import hashlib
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from generation_functions import __version__
from generation_functions.errors import RunFolderError
from generation_functions.session import read_config, write_config
from generation_functions.sharing.bundle_format import (
    CONFIG,
    FORMAT,
    LIST,
    MODELS,
    RUNS,
    Bundle,
    BundledFile,
    is_safe,
)
from generation_functions.sharing.carried import find_outside

MOST_BYTES = 100 * 1000**3
_MOST_LIST = 1000**3  # bytes of BUNDLE.json
_SPARE = 1000**3  # bytes that stay free on the disk
_BLOCK = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    RuntimeError,
    UnicodeDecodeError,
)


def unbundle(file: Path, folder: Path, most_bytes: int = MOST_BYTES) -> Bundle:
    """Unpack a bundle into `folder`, which must not exist or be empty; return what was in it.

    `folder` then has config.yaml, to go on with, and the run folder in outputs/. Raises
    RunFolderError, having left nothing, for a file that is no bundle, is damaged, holds
    what is not in its list or leads out of the folder, or would take more than `most_bytes` or
    than the disk has.
    """
    folder = folder.resolve()
    try:
        with _new_folder(folder) as part, zipfile.ZipFile(file) as packed:
            bundle = _read_list(file, packed)
            members = _check_members(file, packed, bundle)
            _check_room(file, bundle.size, folder, most_bytes)
            for one in bundle.files:
                _unpack(file, packed, members[one.name], one, part / one.name)
            (part / MODELS).mkdir(exist_ok=True)
            _check_config(file, part, bundle)
    except FileNotFoundError as error:
        raise RunFolderError(f"{error.filename}: no such file.") from error
    except OSError as error:
        raise RunFolderError(f"{folder}: cannot be written: {error.strerror or error}.") from error
    except _DAMAGED as error:
        raise _refuse(file, f"damaged, or not a bundle ({error}). Copy it again") from error
    write_config(read_config(folder / CONFIG))
    return bundle


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Lend a folder that gets its name once it is whole, and else is removed."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunFolderError(f"{folder}: is there already. Give a folder that is new or empty.")
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    part.mkdir(parents=True)
    try:
        yield part
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def tell_difference(bundle: Bundle) -> str:
    """Return a warning where another version of the program made the bundle, else ""."""
    if bundle.program == __version__:
        return ""
    return (
        f"Made by version {bundle.program}, and this is {__version__}: what is asked with a "
        "prompt that has changed since is asked again."
    )


def _refuse(file: Path, why: str) -> RunFolderError:
    return RunFolderError(f"{file}: {why}.")


def _read_list(file: Path, packed: zipfile.ZipFile) -> Bundle:
    try:
        info = packed.getinfo(LIST)
    except KeyError as error:
        raise _refuse(file, f"not a bundle: no {LIST} in it") from error
    if info.file_size > _MOST_LIST:
        raise _refuse(file, f"its {LIST} is too large")
    try:
        bundle = Bundle.model_validate_json(packed.read(info))
    except ValidationError as error:
        raise _refuse(file, f"its {LIST} is of another kind ({error.error_count()} faults)") from (
            error
        )
    if bundle.format != FORMAT:
        raise _refuse(file, f"a bundle of format {bundle.format}; this program reads {FORMAT}")
    return bundle


def _check_members(
    file: Path, packed: zipfile.ZipFile, bundle: Bundle
) -> Mapping[str, zipfile.ZipInfo]:
    """Return the members by name; each is listed, once, with its size, and may lie there."""
    members = {one.filename: one for one in packed.infolist()}
    listed = {one.name: one for one in bundle.files}
    if len(members) != len(packed.infolist()) or len(listed) != len(bundle.files):
        raise _refuse(file, "holds two files of one name; refused")
    if members.keys() != {*listed, LIST}:
        odd = sorted(members.keys() ^ {*listed, LIST})[0]
        raise _refuse(file, f"{odd!r} is in it or in its {LIST}, not in both; refused")
    for name, one in listed.items():
        info = members[name]
        if not is_safe(name):
            raise _refuse(file, f"holds a file named {name!r}, which leads out of it; refused")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise _refuse(file, f"{name!r} in it is a link or no file; refused")
        if info.file_size != one.size:
            raise _refuse(file, f"{name!r} in it has another size than its {LIST} says; refused")
    if CONFIG not in listed:
        raise _refuse(file, f"no {CONFIG} in it")
    return members


def _check_room(file: Path, size: int, folder: Path, most: int) -> None:
    if size > most:
        raise _refuse(file, f"would take {size:,} bytes, and {most:,} are the most; refused")
    there = next(one for one in folder.parents if one.exists())
    free = shutil.disk_usage(there).free
    if size + _SPARE > free:
        raise _refuse(file, f"would take {size:,} bytes, and {free:,} are free in {there}")


def _unpack(
    file: Path, packed: zipfile.ZipFile, info: zipfile.ZipInfo, one: BundledFile, target: Path
) -> None:
    """Write a member; never more than its size, which zipfile holds it to."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with packed.open(info) as source, target.open("xb") as written:
        while block := source.read(_BLOCK):
            digest.update(block)
            written.write(block)
    if digest.hexdigest() != one.sha256:
        raise _refuse(file, f"{one.name!r} in it is not as it was packed. Copy the bundle again")


def _check_config(file: Path, folder: Path, bundle: Bundle) -> None:
    """Refuse a config that reads or writes outside of the folder."""
    config = read_config(folder / CONFIG)
    outside = find_outside(config, folder)
    if outside:
        raise _refuse(file, f"its config names {outside[0]}, outside of the bundle; refused")
    if Path(config.path.output_dir) != folder / RUNS / bundle.run:
        raise _refuse(file, f"its config names another run than {bundle.run!r}; refused")
