"""Uploading a run's two training folders to a dataset repository of the Hugging Face hub.

Private unless it is asked to be public. The token comes from HF_TOKEN or from `hf auth login`,
another hub's address from HF_ENDPOINT. `huggingface_hub` is imported with the first call.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from generation_functions.addresses import hide_logins
from generation_functions.card.gather import CARD
from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_FOLDER
from generation_functions.datasets.manifest import NAME, read_checksums
from generation_functions.engine.hub import ENDPOINT, HUB, TOKEN
from generation_functions.errors import HubError, RunFolderError
from generation_functions.session import read_config
from generation_functions.steps.lock import hold_run

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_FOLDERS = (PRETRAINING_FOLDER, SFT_FOLDER)
_KIND = "dataset"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file that goes to the hub: where it is, its name there, its size in bytes."""

    path: Path
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of an upload: the repository's page, whether it is private, its commit."""

    url: str
    private: bool
    commit: str


def list_outgoing(run: Path) -> list[Outgoing]:
    """Return what would be uploaded: the card as README.md, and what the manifests list.

    Nothing else that lies in the folders goes. Raises RunFolderError where the datasets or the
    card are not there, or where a file is not as the stage `mix` wrote it.
    """
    found = [_outgoing(run / CARD, "README.md")]
    for folder in _FOLDERS:
        checksums = read_checksums(run / folder)
        if not checksums:
            raise RunFolderError(f"{run / folder}: no datasets there. Run the stage `mix`.")
        found.append(_outgoing(run / folder / NAME, f"{folder}/{NAME}"))
        for name, checksum in sorted(checksums.items()):
            one = _outgoing(run / folder / name, f"{folder}/{name}")
            if _hash(one.path) != checksum:
                raise RunFolderError(
                    f"{one.path}: is not as its {NAME} says. Edit survivors rather than rows, run "
                    "the stage `mix` again, and push that."
                )
            found.append(one)
    return found


def list_places(run: Path) -> list[str]:
    """Return the folders of documents whose names are places on this machine's disk.

    A folder is called as the config gives its path; provenance/ and the card say it to who reads.
    """
    names = (one.name for one in read_config(run / "config.yaml").path.input_dirs)
    return [name for name in names if Path(name).is_absolute()]


def push(run: Path, repo: str, public: bool = False) -> Pushed:
    """Upload the datasets of a run as one commit; files of an earlier push that are gone go.

    A repository that is not there is made. Raises HubError for what the hub refuses, for one
    that is public already without `public`, and where there is no token or no network.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, constants

    constants.HF_HUB_DISABLE_TELEMETRY = True
    endpoint = os.environ.get(ENDPOINT, HUB).rstrip("/")
    with hold_run(run, "push"), _explain(endpoint, repo):
        outgoing = list_outgoing(run)
        api = _open(endpoint)
        api.create_repo(repo, private=not public, repo_type=_KIND, exist_ok=True)
        there = api.dataset_info(repo)
        if not (there.private or public):
            raise HubError(
                f"{_page(endpoint, repo)}: this repository is public. Nothing was uploaded: add "
                "`--public` if everybody may read the data, or name another one."
            )
        names = {one.name for one in outgoing}
        before = [one.rfilename for one in there.siblings or ()]
        stale = [one for one in before if one.split("/")[0] in _FOLDERS and one not in names]
        done = api.create_commit(
            repo,
            [
                *(CommitOperationAdd(one.name, one.path) for one in outgoing),
                *(CommitOperationDelete(one) for one in stale),
            ],
            commit_message=f"Datasets of the run {run.name}",
            repo_type=_KIND,
        )
    return Pushed(_page(endpoint, repo), bool(there.private), done.oid)


def _open(endpoint: str) -> "HfApi":
    from huggingface_hub import HfApi, get_token

    token = get_token()
    if not token:
        raise HubError(
            f"no access token: put one that may write into the environment variable {TOKEN} "
            f"(Settings, Access Tokens), or run `hf auth login`. No option takes it."
        )
    return HfApi(endpoint=endpoint, token=token)


def _page(endpoint: str, repo: str) -> str:
    return f"{hide_logins(endpoint)}/datasets/{repo}"


def _outgoing(path: Path, name: str) -> Outgoing:
    try:
        return Outgoing(path, name, path.stat().st_size)
    except FileNotFoundError as error:
        raise RunFolderError(f"{path}: not there. Run the stage `mix` again.") from error


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _explain(endpoint: str, repo: str) -> Iterator[None]:
    """Turn the library's errors into HubErrors that say what to do."""
    from huggingface_hub import errors

    page = _page(endpoint, repo)
    try:
        yield
    except errors.HFValidationError as error:
        raise HubError(f"{repo!r} is no repository's name; it is owner/name.") from error
    except errors.OfflineModeIsEnabled as error:
        raise HubError(f"HF_HUB_OFFLINE forbids to ask {hide_logins(endpoint)}.") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403, 404):
            raise HubError(
                f"{page}: the hub refuses (HTTP {status}). The token has to be one that may write "
                "to this owner's repositories; look at the name as well."
            ) from error
        said = error.server_message or "no reason given"
        raise HubError(f"{page}: the hub answers with HTTP {status}: {said}") from error
    except (httpx2.TransportError, RuntimeError) as error:
        why = f"{error}: {error.__cause__!r}" if error.__cause__ else f"{error!r}"
        raise HubError(
            f"{page}: the upload broke off: {hide_logins(why)}. Look at the network; the same "
            "command sends what is missing."
        ) from error
