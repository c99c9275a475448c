"""A GGUF from the Hugging Face hub, whole or not at all: checked against the hub's SHA-256.

What has arrived waits under a temporary name, and the same call goes on from there. It comes
by plain HTTP, which can be resumed; the hub's library starts anew in both of its own ways.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from generation_functions.engine.hub import HubFile, HubRepo, fetch_file, open_repo
from generation_functions.engine.plan import say_size
from generation_functions.errors import ModelError

_MOST_BY_HTTP = 50 * 1000**3  # bytes; the hub gives larger files only by its own protocol
_SPARE = 1000**3  # bytes that stay free on the disk
_PART = re.compile(r"(.*)-\d{5}-of-(\d{5})\.gguf")


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What came: the files, of a split model the first part first, and what the hub says of it."""

    files: tuple[Path, ...]
    checksums: tuple[str, ...]
    repo: HubRepo


def download_gguf(folder: Path, repo: str, file: str, revision: str = "main") -> Downloaded:
    """Download a GGUF of a hub repository into `folder`; of a split one, all parts.

    Files that are there already, with the right content, stay. The access token is read
    from HF_TOKEN, another hub's address from HF_ENDPOINT.
    Raises ModelError, which says what to do; no unverified file then has a model's name.
    """
    found = open_repo(repo, revision)
    wanted = _find_files(found, file)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".download.lock", timeout=0)
    try:
        with lock:
            missing = [one for one in wanted if not _is_there(folder, one)]
            _check_space(folder, missing)
            for one in missing:
                _download(folder, found, one)
    except Timeout as error:
        raise ModelError(f"{folder}: another process downloads into it. Wait for it.") from error
    paths = tuple(folder / one.local_name for one in wanted)
    return Downloaded(paths, tuple(one.sha256 for one in wanted), found)


def list_unfinished(folder: Path) -> Iterator[str]:
    """Yield the names of the files of which a download has brought only a part."""
    for path in sorted(folder.glob(".*.gguf.*.part")):
        yield path.name[1:].rsplit(".", 2)[0]


def _find_files(repo: HubRepo, file: str) -> list[HubFile]:
    """Return the file, or all parts of the split model that it belongs to."""
    split = _PART.fullmatch(file)
    names = [file]
    if split:
        count = int(split[2])
        names = [f"{split[1]}-{n:05d}-of-{split[2]}.gguf" for n in range(1, count + 1)]
    files = [repo.find_gguf(name) for name in names]
    for one in files:
        if one.size > _MOST_BY_HTTP:
            raise ModelError(
                f"{repo.url}: {one.name} has {say_size(one.size)}, and the hub gives files of more "
                f"than {say_size(_MOST_BY_HTTP)} only to its own program: "
                f"`hf download {repo.name} {one.name} --local-dir <the models' folder>`."
            )
    return files


def _is_there(folder: Path, file: HubFile) -> bool:
    """Whether the folder has the file; raises ModelError for another one of that name."""
    path = folder / file.local_name
    if not path.exists():
        return False
    if path.stat().st_size == file.size and _hash(path) == file.sha256:
        return True
    raise ModelError(
        f"{path}: there is a file of that name already, with other content than the hub's "
        f"{file.name}. Move it away, or give it another name."
    )


def _check_space(folder: Path, files: list[HubFile]) -> None:
    need = sum(one.size - _arrived(_part(folder, one)) for one in files)
    free = shutil.disk_usage(folder).free
    if need and need + _SPARE > free:
        raise ModelError(
            f"{folder}: {say_size(need)} are to come, and {say_size(free)} are free on its disk "
            f"({say_size(_SPARE)} shall stay free). Make room, or take a smaller quantisation."
        )


def _download(folder: Path, repo: HubRepo, file: HubFile) -> None:
    part = _part(folder, file)
    if _arrived(part) > file.size:
        part.unlink()
    fetch_file(repo, file, part)
    checksum = _hash(part)
    if checksum != file.sha256:
        part.unlink()
        raise ModelError(
            f"{repo.url}: {file.name} came with the SHA-256 {checksum}, and the hub says "
            f"{file.sha256}. It was removed. Download it again; if that happens twice, something "
            "on the way (a proxy, a mirror) changes it."
        )
    os.replace(part, folder / file.local_name)


def _part(folder: Path, file: HubFile) -> Path:
    return folder / f".{file.local_name}.{file.sha256[:12]}.part"


def _arrived(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
