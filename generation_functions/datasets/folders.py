"""A folder that is built beside the old one and takes its place whole.

Three names: NAME is what people see, .NAME.new is being built, .NAME.old is on its way
out. A process may die anywhere in between; `recover` puts that right at the next start.
"""

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from generation_functions.errors import RunFolderError


def new_folder(folder: Path) -> Path:
    """Return the path under which the next version of `folder` is built."""
    return folder.with_name(f".{folder.name}.new")


def _old_folder(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def recover(folder: Path) -> None:
    """Undo what a process that died in the middle of a build or a swap has left."""
    old = _old_folder(folder)
    if old.exists() and not folder.exists():
        old.rename(folder)
    for leftover in (old, new_folder(folder)):
        if leftover.exists():
            shutil.rmtree(leftover)


def check_only_ours(folder: Path, ours: Collection[str]) -> None:
    """Raise RunFolderError if `folder` holds a file that is not in `ours` (posix paths).

    The folder will be replaced whole, and a person's own files with it. Hidden files
    (a notebook server's, a file browser's) do not count.
    """
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if not path.is_dir() and not hidden and name.as_posix() not in ours:
            raise RunFolderError(
                f"{path}: not a file that this program wrote, and {folder.name}/ is about to "
                "be replaced whole. Move the file out of the folder, then run this again."
            )


def swap_in(folder: Path) -> None:
    """Put the built version of `folder` in the place of the old one, if there is one."""
    old = _old_folder(folder)
    had_one = folder.exists()
    if had_one:
        folder.rename(old)
    try:
        new_folder(folder).rename(folder)
    except OSError:
        if had_one:
            old.rename(folder)
        raise
    sync(folder.parent)
    if had_one:
        shutil.rmtree(old)


def sync(folder: Path) -> None:
    """Have the folder's entries on disk before going on."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
