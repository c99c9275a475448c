"""Downloads from the hub's stand-in: whole or not at all, gone on with, refused with a way out."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stand_in import COMMIT, REPO, Hub, make_gguf, serve

from generation_functions.engine import download
from generation_functions.engine.download import download_gguf, list_unfinished
from generation_functions.engine.gguf import read_model
from generation_functions.errors import ModelError

TINY = make_gguf()
pytestmark = pytest.mark.usefixtures("ask_the_hub")
PARTS = {f"Q8/big-{n:05d}-of-00003.gguf": make_gguf(32 * n, (n, 3)) for n in (1, 2, 3)}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    files = {"tiny.Q4_0.gguf": TINY, "tiny.Q8_0.gguf": make_gguf(96), **PARTS, "LICENSE": b"Free."}
    with serve(Hub(files)) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield running


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".download.lock"}


def test_a_file_arrives_whole_under_its_name_and_its_licence_is_said(
    hub: Hub, tmp_path: Path
) -> None:
    done = download_gguf(tmp_path / "models", REPO, "tiny.Q4_0.gguf")
    (path,) = done.files
    assert path.read_bytes() == TINY
    assert read_model(path).parameters == 64
    assert names_in(path.parent) == {"tiny.Q4_0.gguf"}
    assert done.repo.licence == "apache-2.0"
    assert done.repo.licence_link == f"{hub.url}/{REPO}/blob/{COMMIT}/LICENSE"


def test_a_file_that_is_there_is_not_asked_for_again(hub: Hub, tmp_path: Path) -> None:
    download_gguf(tmp_path, REPO, "tiny.Q4_0.gguf")
    download_gguf(tmp_path, REPO, "tiny.Q4_0.gguf")
    assert len(hub.ranges) == 1


def test_another_file_of_that_name_is_left_alone(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "tiny.Q4_0.gguf").write_bytes(b"mine")
    with pytest.raises(ModelError, match="a file of that name already"):
        download_gguf(tmp_path, REPO, "tiny.Q4_0.gguf")
    assert (tmp_path / "tiny.Q4_0.gguf").read_bytes() == b"mine"


def test_all_parts_of_a_split_model_come_when_the_first_is_named(hub: Hub, tmp_path: Path) -> None:
    done = download_gguf(tmp_path, REPO, "Q8/big-00001-of-00003.gguf")
    assert [path.name for path in done.files] == [name.removeprefix("Q8/") for name in PARTS]
    assert [path.read_bytes() for path in done.files] == list(PARTS.values())
    assert len(read_model(done.files[0]).parts) == 3


def test_a_wrong_checksum_leaves_no_file(hub: Hub, tmp_path: Path) -> None:
    hub.checksums["tiny.Q4_0.gguf"] = "0" * 64
    with pytest.raises(ModelError, match=r"SHA-256 .* the hub says 0{64}\. It was removed"):
        download_gguf(tmp_path, REPO, "tiny.Q4_0.gguf")
    assert names_in(tmp_path) == set()


def test_a_download_that_was_stopped_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    wanted = download.open_repo(REPO, "main").find_gguf("tiny.Q4_0.gguf")
    download._part(tmp_path, wanted).write_bytes(TINY[:50])
    assert list(list_unfinished(tmp_path)) == ["tiny.Q4_0.gguf"]
    (path,) = download_gguf(tmp_path, REPO, "tiny.Q4_0.gguf").files
    assert path.read_bytes() == TINY
    assert hub.ranges == ["bytes=50-"]
    assert names_in(tmp_path) == {"tiny.Q4_0.gguf"}


def test_a_connection_that_breaks_is_taken_up_again(hub: Hub, tmp_path: Path) -> None:
    hub.breaks_after = 40
    (path,) = download_gguf(tmp_path, REPO, "tiny.Q4_0.gguf").files
    assert path.read_bytes() == TINY
    assert len(hub.ranges) == 2


def test_a_full_disk_is_said_before_anything_is_sent(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = download.shutil.disk_usage(tmp_path)._replace(free=10**9)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ModelError, match=r"1\.0 GB are free on its disk"):
        download_gguf(tmp_path, REPO, "tiny.Q4_0.gguf")
    assert hub.ranges == []


def test_a_misspelt_file_is_answered_with_the_nearest(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no file 'Tiny-q4_0.gguf'.*: tiny\.Q4_0\.gguf, tiny"):
        download_gguf(tmp_path, REPO, "Tiny-q4_0.gguf")


def test_a_repository_without_ggufs_says_so(hub: Hub, tmp_path: Path) -> None:
    hub.files = {"model.safetensors": b"x"}
    with pytest.raises(ModelError, match="there is no GGUF in this repository"):
        download_gguf(tmp_path, REPO, "tiny.gguf")


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ((404, "RepoNotFound"), "no such repository, or it is private.*HF_TOKEN"),
        ((401, "RepoNotFound"), "no such repository, or it is private.*HF_TOKEN"),
        ((404, "RevisionNotFound"), "no revision 'main'"),
        ((403, "GatedRepo"), r"accepted the conditions.*environment variable HF_TOKEN"),
        ((403, ""), r"HTTP 403.*HF_TOKEN"),
        ((503, ""), "HTTP 503. Try again later"),
    ],
)
def test_a_refusal_says_what_to_do(
    hub: Hub, tmp_path: Path, refusal: tuple[int, str], said: str
) -> None:
    hub.refusal = refusal
    with pytest.raises(ModelError, match=said):
        download_gguf(tmp_path, REPO, "tiny.Q4_0.gguf")


def test_a_token_goes_to_the_hub_alone_and_into_no_message(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    download_gguf(tmp_path, REPO, "tiny.Q4_0.gguf")
    assert {host for host, token in hub.tokens if token == "Bearer hf_secret"} == {"127.0.0.1"}
    assert {token for host, token in hub.tokens if host == "localhost"} == {None}
    hub.refusal = (403, "GatedRepo")
    with pytest.raises(ModelError, match="HF_TOKEN holds a token whose account") as caught:
        download_gguf(tmp_path, REPO, "tiny.Q8_0.gguf")
    assert "hf_secret" not in str(caught.value)


def test_no_network_is_an_error_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://me:secret@127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ModelError, match=r"cannot be reached.*Look at the network") as caught:
        download_gguf(tmp_path, REPO, "tiny.Q4_0.gguf")
    assert "secret" not in str(caught.value)


def test_what_is_no_repository_name_is_said(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="owner/name"):
        download_gguf(tmp_path, "a/b/c", "tiny.Q4_0.gguf")
    assert hub.paths == []


def test_the_hub_is_asked_for_the_repository_and_the_file_and_nothing_else(
    hub: Hub, tmp_path: Path
) -> None:
    """In a process of its own, whose huggingface_hub knows no hub but the stand-in."""
    code = (
        "import sys; from pathlib import Path\n"
        "from generation_functions.engine.download import download_gguf\n"
        "download_gguf(Path(sys.argv[1]), sys.argv[2], 'tiny.Q4_0.gguf')"
    )
    known = {name: value for name, value in os.environ.items() if not name.startswith("HF_HUB_")}
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "models"), REPO],
        env={**known, "HF_HOME": str(tmp_path / "home")},
        check=True,
        capture_output=True,
    )
    assert hub.paths == [
        f"/api/models/{REPO}/revision/main?blobs=true",
        f"/{REPO}/resolve/{COMMIT}/tiny.Q4_0.gguf",
        "/cdn/tiny.Q4_0.gguf",
    ]
