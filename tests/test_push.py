"""Uploads of a run's datasets, to a stand-in of the Hugging Face hub."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dataset_stand_in import DatasetHub, Repository, serve_datasets

from generation_functions.command_line import main
from generation_functions.errors import HubError, RunFolderError
from generation_functions.sharing.push import list_outgoing, push
from generation_functions.steps.lock import hold_run

pytestmark = [
    pytest.mark.usefixtures("ask_the_hub"),
    # huggingface_hub 2.4 sends large files to httpx2 as `data`
    pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning"),
]
REPO = "somebody/bridges"
FILES = {
    "pretraining_run/text_chunks_a.jsonl": b'{"text": "A bridge."}\n',
    "sft_run/factual_sft_completion/qatuples.jsonl": b'{"text": "Who? Maud."}\n' * 200,
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[DatasetHub]:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with serve_datasets(DatasetHub()) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with two small datasets and a card."""
    folder = tmp_path / "my run"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        top, _, inner = name.partition("/")
        entry = {"name": inner, "sha256": hashlib.sha256(content).hexdigest()}
        (folder / top / "MANIFEST.json").write_text(json.dumps({"files": [entry]}))
    config = {
        "path": {"input_dirs": [{"path": "texts"}], "output_dir": "."},
        "models": {"small": {"gguf": "a.gguf"}, "large": {"gguf": "a.gguf"}},
        "dataset_context": "Bridges",
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "dataset_card.md").write_text("---\nlicense: mit\n---\n# Bridges\n")
    (folder / "sft_run" / ".ipynb_checkpoints").mkdir()
    (folder / "sft_run" / ".ipynb_checkpoints" / "notes.txt").write_text("mine")
    return folder


def test_what_the_manifests_list_goes_with_the_card(hub: DatasetHub, run: Path) -> None:
    done = push(run, REPO)
    repository = hub.repositories[REPO]
    manifests = {f"{one}/MANIFEST.json" for one in ("pretraining_run", "sft_run")}
    assert set(repository.files) == {"README.md", *FILES, *manifests}
    assert {name: repository.files[name] for name in FILES} == FILES
    assert repository.files["README.md"] == (run / "dataset_card.md").read_bytes()
    assert repository.private
    assert done.private
    assert done.url == f"{hub.url}/datasets/{REPO}"
    assert hub.tokens == {"Bearer hf_secret"}


def test_only_on_request_it_is_public(hub: DatasetHub, run: Path) -> None:
    assert not push(run, REPO, public=True).private
    assert not hub.repositories[REPO].private


def test_a_public_repository_is_not_filled_unasked(hub: DatasetHub, run: Path) -> None:
    hub.repositories[REPO] = Repository(private=False)
    with pytest.raises(HubError, match="is public"):
        push(run, REPO)
    assert hub.repositories[REPO].files == {}
    push(run, REPO, public=True)
    assert len(hub.repositories[REPO].files) == 5


def test_files_of_an_earlier_push_that_are_gone_go(hub: DatasetHub, run: Path) -> None:
    hub.repositories[REPO] = Repository(True, {"sft_run/old.jsonl": b"", "notes.md": b"mine"})
    push(run, REPO)
    assert "sft_run/old.jsonl" not in hub.repositories[REPO].files
    assert hub.repositories[REPO].files["notes.md"] == b"mine"


def test_a_dry_run_lists_and_sends_nothing(
    hub: DatasetHub, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["push", str(run), REPO, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("README.md", *FILES))
    assert f"bytes in 5 files, to the dataset {REPO}, private" in said
    assert "a place on this machine" not in said
    assert hub.asked == []


def test_a_place_on_the_disk_that_goes_with_the_rows_is_named(
    hub: DatasetHub, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = run / "config.yaml"
    file.write_text(file.read_text().replace("texts", "/home/somebody/diaries"))
    assert main(["push", str(run), REPO, "--dry-run"]) == 0
    assert "names /home/somebody/diaries, a place on this machine" in capsys.readouterr().out


def test_the_command_lists_what_goes_before_it_goes(
    hub: DatasetHub, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.refusal = 403
    assert main(["push", str(run), REPO]) == 1
    output = capsys.readouterr()
    assert "in 5 files" in output.out
    assert "HubError" in output.err
    assert "may write" in output.err
    hub.refusal = 0
    assert main(["push", str(run), REPO]) == 0
    assert f"{hub.url}/datasets/{REPO} (private), commit 89abcdef0123" in capsys.readouterr().out


def test_without_a_token_nothing_is_asked(
    hub: DatasetHub, run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import constants

    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no_token"))
    with pytest.raises(HubError, match="HF_TOKEN"):
        push(run, REPO)
    assert hub.asked == []


def test_rows_that_are_not_as_written_do_not_go(hub: DatasetHub, run: Path) -> None:
    (run / "pretraining_run" / "text_chunks_a.jsonl").write_bytes(b"{}\n")
    with pytest.raises(RunFolderError, match="is not as its MANIFEST"):
        push(run, REPO)
    assert hub.asked == []


def test_before_the_mix_there_is_nothing_to_push(run: Path) -> None:
    (run / "sft_run" / "MANIFEST.json").unlink()
    with pytest.raises(RunFolderError, match="Run the stage `mix`"):
        list_outgoing(run)
    (run / "dataset_card.md").unlink()
    with pytest.raises(RunFolderError, match=r"dataset_card\.md: not there"):
        list_outgoing(run)


def test_a_running_stage_is_respected(hub: DatasetHub, run: Path) -> None:
    with hold_run(run, "mix"), pytest.raises(RunFolderError, match="stage mix"):
        push(run, REPO)
    assert hub.asked == []


@pytest.mark.parametrize(
    ("status", "said"), [(401, "may write"), (404, "may write"), (422, "HTTP 422: not today")]
)
def test_refusals_say_what_to_do(hub: DatasetHub, run: Path, status: int, said: str) -> None:
    hub.refusal = status
    with pytest.raises(HubError, match=said):
        push(run, REPO)


def test_a_name_that_is_none_is_said_to_be_none(hub: DatasetHub, run: Path) -> None:
    with pytest.raises(HubError, match="owner/name"):
        push(run, "a/b/c")
    assert hub.repositories == {}
