"""The Hugging Face hub: what a repository holds, and the bytes of a file of it.

`huggingface_hub` is imported with the first call. It is told not to report on this machine,
and the token goes to the hub only, not to the servers that it redirects to.
"""

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import httpx2

from generation_functions.addresses import hide_logins
from generation_functions.errors import ModelError

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

TOKEN = "HF_TOKEN"
ENDPOINT = "HF_ENDPOINT"
HUB = "https://huggingface.co"
_SECONDS = 20.0  # for the hub to say what a repository holds
_LICENCES = ("license", "licence", "notice", "copying")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository, with its size in bytes."""

    name: str
    size: int
    sha256: str

    @property
    def local_name(self) -> str:
        """The name without the repository's folders."""
        return PurePosixPath(self.name).name


@dataclass(frozen=True, slots=True)
class HubRepo:
    """A repository at one commit. `licence` is what its model card says, "" where it does not."""

    name: str
    endpoint: str
    commit: str
    licence: str
    licence_link: str
    ggufs: tuple[HubFile, ...]

    @property
    def url(self) -> str:
        return f"{hide_logins(self.endpoint)}/{self.name}"

    def find_gguf(self, name: str) -> HubFile:
        """Return a GGUF by its name. Raises ModelError, which names the nearest ones."""
        for file in self.ggufs:
            if file.name == name:
                return file
        if not self.ggufs:
            raise ModelError(
                f"{self.url}: there is no GGUF in this repository. Search for one named "
                f"{self.name.rsplit('/')[-1]}-GGUF."
            )
        by_lower = {file.name.lower(): file.name for file in self.ggufs}
        near = difflib.get_close_matches(name.lower(), by_lower, 5, 0.5) or sorted(by_lower)[:8]
        listed = ", ".join(by_lower[one] for one in near)
        raise ModelError(f"{self.url}: there is no file {name!r}. The nearest GGUFs: {listed}.")


def open_repo(name: str, revision: str) -> HubRepo:
    """Ask the hub about a repository. Raises ModelError for what it refuses, or no network."""
    from huggingface_hub import HfApi, constants

    # Else it sends what runs here, and asks the hub how to find that out.
    constants.HF_HUB_DISABLE_TELEMETRY = True
    endpoint = os.environ.get(ENDPOINT, HUB).rstrip("/")
    with _explain(endpoint, name, revision):
        api = HfApi(endpoint=endpoint, token=os.environ.get(TOKEN) or False)
        info = api.model_info(name, revision=revision, timeout=_SECONDS, files_metadata=True)
    files = tuple(
        HubFile(one.rfilename, one.lfs.size, one.lfs.sha256)
        for one in info.siblings or ()
        if one.rfilename.lower().endswith(".gguf") and one.lfs
    )
    licence, link = _read_licence(info, f"{hide_logins(endpoint)}/{name}")
    return HubRepo(name, endpoint, info.sha or revision, licence, link, files)


def fetch_file(repo: HubRepo, file: HubFile, part: Path) -> None:
    """Append to `part` what it lacks of a file, under a progress bar.

    Raises ModelError; what has arrived stays.
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get

    url = hf_hub_url(repo.name, file.name, revision=repo.commit, endpoint=repo.endpoint)
    headers = {"Accept-Encoding": "identity"}  # sizes are those of the file
    if token := os.environ.get(TOKEN):
        headers["Authorization"] = f"Bearer {token}"
    with _explain(repo.endpoint, repo.name, repo.commit), part.open("ab") as opened:
        http_get(
            url,
            opened,
            resume_size=opened.tell(),
            headers=headers,
            expected_size=file.size,
            displayed_filename=file.local_name,
        )


@contextmanager
def _explain(endpoint: str, repo: str, revision: str) -> Iterator[None]:
    """Turn the library's errors into ModelErrors that say what to do."""
    from huggingface_hub import errors

    hub, held = hide_logins(endpoint), bool(os.environ.get(TOKEN))
    try:
        yield
    except errors.HFValidationError as error:
        raise ModelError(f"{repo!r} is no repository's name; it is owner/name.") from error
    except errors.GatedRepoError as error:
        has = f"{TOKEN} holds a token whose account has not" if held else "you have to have"
        raise ModelError(
            f"{hub}/{repo}: its owner lets only those download who accepted the conditions on that "
            f"page; {has} done so. Accept them there, and put a token of that account (Settings, "
            f"Access Tokens: read) into the environment variable {TOKEN}."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ModelError(
            f"{hub}/{repo}: there is no such repository, or it is private. Look at its name "
            f"(owner/name); for a private one, put a token into the environment variable {TOKEN}."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ModelError(f"{hub}/{repo}: there is no revision {revision!r} of it.") from error
    except errors.OfflineModeIsEnabled as error:
        raise ModelError(f"HF_HUB_OFFLINE forbids to ask {hub}. Unset it to download.") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        raise ModelError(f"{hub}/{repo}: {_explain_status(status, held)}") from error
    except httpx2.TransportError as error:
        raise ModelError(
            f"{hub} cannot be reached ({type(error).__name__}). Look at the network, a proxy "
            f"(HTTPS_PROXY) or {ENDPOINT}; what has arrived is kept, and the same call goes on. "
            "Or copy a GGUF into the folder of models by hand."
        ) from error
    except OSError as error:
        raise ModelError(
            f"{hub}/{repo}: the download broke off: {error.strerror or error}. What has arrived "
            "is kept, and the same call goes on."
        ) from error


def _explain_status(status: int, held: bool) -> str:
    if status in (401, 403):
        why = f"the token in {TOKEN} is not accepted" if held else f"a token in {TOKEN} is needed"
        return f"the hub refuses (HTTP {status}): {why}."
    return f"the hub answers with HTTP {status}. Try again later."


def _read_licence(info: "ModelInfo", url: str) -> tuple[str, str]:
    """Return what the model card says, and where the licence's text is."""
    card = vars(info.card_data) if info.card_data else {}
    named = card.get("license_name") or card.get("license") or ""
    files = (one.rfilename for one in info.siblings or ())
    texts = [name for name in files if name.lower().startswith(_LICENCES)]
    link = card.get("license_link") or (f"{url}/blob/{info.sha}/{texts[0]}" if texts else "")
    return ", ".join(named) if isinstance(named, list) else str(named), str(link)
