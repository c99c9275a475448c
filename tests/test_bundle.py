"""A run that is packed, unpacked elsewhere, and goes on without asking anything again."""

import asyncio
import hashlib
import json
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from scripted_run import friendly_reply

from generation_functions.command_line import main
from generation_functions.engine.model_facts import ModelFacts
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ModelError, RunFolderError
from generation_functions.session import open_run, read_config
from generation_functions.sharing.bundle_format import is_safe
from generation_functions.sharing.bundling import bundle
from generation_functions.sharing.unbundling import unbundle
from generation_functions.stages import STAGES
from generation_functions.steps.lock import hold_run
from generation_functions.steps.models_used import note_models, read_models
from generation_functions.steps.run import Run

OpenRun = Callable[..., Run]
Change = Callable[[dict[str, bytes]], None]


def run_all(run: Run) -> Run:
    async def act() -> None:
        for stage in STAGES.values():
            await stage(run, None)

    asyncio.run(act())
    return run


def read_files(folder: Path) -> dict[str, bytes]:
    """Return what a run made: everything that tells neither the time nor the place.

    What items were led to is listed as they ended, which no two passes do alike.
    """
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    passing = (".lock", "run.log", "status.json", "config.yaml", "live/.input.json")
    return {
        name: b"".join(sorted(lines)) if ".led_" in name else b"".join(lines)
        for name, path in named.items()
        if not name.endswith(passing)
        for lines in [path.read_bytes().splitlines(keepends=True)]
    }


def test_unpacked_elsewhere_a_run_asks_nothing(open_small_run: OpenRun, tmp_path: Path) -> None:
    run = run_all(open_small_run(ScriptedEngine(friendly_reply)))
    before = read_files(run.folder)
    packed = bundle(run.folder, tmp_path / "run.zip", with_inputs=True)
    assert packed.missing == ()
    (tmp_path / "texts").rename(tmp_path / "gone")
    run.folder.rename(tmp_path / "gone_too")

    place = tmp_path / "elsewhere" / "deep"
    unbundle(tmp_path / "run.zip", place)
    silent = ScriptedEngine(friendly_reply)
    again = open_run(place / "config.yaml", {"small": silent, "large": silent})
    again.progress = False
    run_all(again)
    assert silent.requests == []
    assert again.folder == place / "outputs" / "run"
    assert read_files(again.folder) == before
    assert str(tmp_path / "texts") not in (again.folder / "config.yaml").read_text(encoding="utf-8")


@pytest.fixture
def small_run(open_small_run: OpenRun) -> Path:
    """A run folder with one record, as if a stage had ended."""
    folder = open_small_run(ScriptedEngine()).folder
    record = folder / "judge_chunk" / "a.json"
    record.parent.mkdir()
    record.write_text('{"a": 1}', encoding="utf-8")
    (folder / "live").mkdir()
    (folder / "live" / ".asked_questions.json").write_text("{}", encoding="utf-8")
    return folder


def test_without_inputs_the_bundle_names_what_is_missing(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", str(small_run), str(tmp_path / "a.zip")]) == 0
    assert "inputs/0: the documents of texts" in capsys.readouterr().out
    assert main(["unbundle", str(tmp_path / "a.zip"), str(tmp_path / "new")]) == 0
    said = capsys.readouterr().out
    assert "inputs/0: the documents of texts" in said
    assert f"run {tmp_path / 'new' / 'config.yaml'}" in said
    assert (tmp_path / "new/outputs/run/live/.asked_questions.json").exists()
    assert not (tmp_path / "new/inputs").exists()


def test_a_run_folder_that_was_renamed_can_be_packed(small_run: Path, tmp_path: Path) -> None:
    small_run.rename(tmp_path / "second")
    bundle(tmp_path / "second", tmp_path / "a.zip")
    unbundle(tmp_path / "a.zip", tmp_path / "new")
    moved = read_config(tmp_path / "new" / "config.yaml")
    assert moved.path.output_dir == str(tmp_path / "new" / "outputs" / "second")


def test_prompts_come_along_and_texts_that_look_like_paths_stay(
    small_run: Path, tmp_path: Path
) -> None:
    prompts = tmp_path / "my prompts"
    prompts.mkdir()
    (prompts / "judge_chunk.yaml").write_text("user: x", encoding="utf-8")
    file = small_run / "config.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["path"]["prompts"] = str(prompts)
    config["path"]["input_dirs"][0]["name"] = str(tmp_path / "texts")
    config["system"]["shared_instruction"] = "/no_think"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    bundle(small_run, tmp_path / "a.zip")
    unbundle(tmp_path / "a.zip", tmp_path / "new")
    moved = read_config(tmp_path / "new" / "config.yaml")
    (own,) = moved.path.prompt_folders
    assert own.is_relative_to(tmp_path / "new")
    assert (own / "judge_chunk.yaml").read_text(encoding="utf-8") == "user: x"
    assert moved.path.input_dirs[0].name == str(tmp_path / "texts")
    assert moved.system.shared_instruction == "/no_think"


def test_models_stay_and_what_the_trainer_is_told_is_not_changed(
    small_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "big.gguf").write_bytes(b"GGUF")
    file = small_run / "config.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["models"]["small"]["gguf"] = str(tmp_path / "big.gguf")
    training = {"base_model": str(tmp_path / "texts"), "other_pretrain_kwargs": {"a": [str(file)]}}
    config["model_training"] |= training
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    packed = bundle(small_run, tmp_path / "a.zip", with_inputs=True)
    assert not [one.name for one in packed.files if one.name.endswith(".gguf")]
    assert [one.rpartition("/")[2] for one in packed.missing] == ["big.gguf: `gguf`"]
    unbundle(tmp_path / "a.zip", tmp_path / "new")
    moved = read_config(tmp_path / "new" / "config.yaml")
    assert moved.model_training.base_model == training["base_model"]
    assert moved.model_training.other_pretrain_kwargs == training["other_pretrain_kwargs"]


def test_a_missing_model_is_named_as_it_was(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {"file": "none.gguf", "fingerprint": "abc", "name": "Big", "quantisation": "Q4_K_M"}
    facts |= {"size": 4_400_000_000}
    (small_run / "models.json").write_text(json.dumps([facts]), encoding="utf-8")
    bundle(small_run, tmp_path / "a.zip")
    main(["unbundle", str(tmp_path / "a.zip"), str(tmp_path / "new")])
    told = "none.gguf (Big, Q4_K_M, 4.4 GB, fingerprint abc)"
    assert f"logical_models/{told}" in capsys.readouterr().out
    with pytest.raises(ModelError, match="no such model") as error:
        open_run(tmp_path / "new" / "config.yaml")
    assert told in str(error.value)


def test_models_are_remembered_and_a_changed_file_is_warned_of(tmp_path: Path) -> None:
    first, other = ModelFacts("aa", "small.gguf"), ModelFacts("bb", "large.gguf")
    assert note_models(tmp_path, [first, other]) == []
    assert note_models(tmp_path, [first]) == []
    (warning,) = note_models(tmp_path, [ModelFacts("cc", "small.gguf")])
    assert "small.gguf is another file" in warning
    assert set(read_models(tmp_path)) == {"aa", "bb", "cc"}
    assert note_models(tmp_path, [first]) == []


def test_a_running_stage_is_respected(small_run: Path, tmp_path: Path) -> None:
    with hold_run(small_run, "questions"), pytest.raises(RunFolderError, match="stage questions"):
        bundle(small_run, tmp_path / "a.zip")
    assert list(tmp_path.glob("*a.zip*")) == []


def test_nothing_is_overwritten(small_run: Path, tmp_path: Path) -> None:
    bundle(small_run, tmp_path / "a.zip")
    with pytest.raises(RunFolderError, match="is there already"):
        bundle(small_run, tmp_path / "a.zip")
    with pytest.raises(RunFolderError, match="lies in the run folder"):
        bundle(small_run, small_run / "a.zip")
    with pytest.raises(RunFolderError, match="is there already"):
        unbundle(tmp_path / "a.zip", small_run)
    with pytest.raises(RunFolderError, match="is it a run folder"):
        bundle(tmp_path / "texts", tmp_path / "b.zip")


def test_the_same_run_gives_the_same_bundle(small_run: Path, tmp_path: Path) -> None:
    bundle(small_run, tmp_path / "a.zip")
    bundle(small_run, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_links_are_not_packed(small_run: Path, tmp_path: Path) -> None:
    (small_run / "judge_chunk" / "b.json").symlink_to(tmp_path / "config.yaml")
    with pytest.raises(RunFolderError, match="link that leads out"):
        bundle(small_run, tmp_path / "a.zip")
    (small_run / "judge_chunk" / "b.json").unlink()
    (small_run / "more").symlink_to(tmp_path)
    with pytest.raises(RunFolderError, match="link to a folder"):
        bundle(small_run, tmp_path / "a.zip")


def test_a_file_that_changed_on_the_way_is_refused(small_run: Path, tmp_path: Path) -> None:
    bundle(small_run, tmp_path / "a.zip")
    content = (tmp_path / "a.zip").read_bytes()
    for number in range(0, len(content), 97):
        broken = bytearray(content)
        broken[number] ^= 0xFF
        (tmp_path / "b.zip").write_bytes(broken)
        try:
            unbundle(tmp_path / "b.zip", tmp_path / "new")
        except RunFolderError:
            assert not (tmp_path / "new").exists()
        else:  # a byte that says nothing about the content, such as a date
            record = tmp_path / "new/outputs/run/judge_chunk/a.json"
            assert record.read_bytes() == b'{"a": 1}'
            shutil.rmtree(tmp_path / "new")
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_name_that_was_damaged_is_refused(small_run: Path, tmp_path: Path) -> None:
    (small_run / "Bücher.txt").write_text("a", encoding="utf-8")
    bundle(small_run, tmp_path / "a.zip")
    content = (tmp_path / "a.zip").read_bytes().replace("ü".encode(), b"\xff\xff")
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(RunFolderError, match="damaged"):
        unbundle(tmp_path / "b.zip", tmp_path / "new")


def repack(file: Path, target: Path, names: dict[str, str], link: str = "") -> None:
    """Copy a bundle with other names in it and in its list, as somebody may make it to do harm."""
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w") as made:
        for info in source.infolist():
            content = source.read(info)
            if info.filename == "BUNDLE.json":
                for old, new in names.items():
                    content = content.replace(json.dumps(old).encode(), json.dumps(new).encode())
            copy = zipfile.ZipInfo(names.get(info.filename, info.filename))
            copy.external_attr = (stat.S_IFLNK if info.filename == link else 0o644) << 16
            made.writestr(copy, content)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../out", "outputs/../../out", "out", "outputs/a\\b", "outputs//b"]
)
def test_nothing_is_written_outside(small_run: Path, tmp_path: Path, name: str) -> None:
    bundle(small_run, tmp_path / "a.zip")
    repack(tmp_path / "a.zip", tmp_path / "b.zip", {"outputs/run/judge_chunk/a.json": name})
    with pytest.raises(RunFolderError, match="leads out of it"):
        unbundle(tmp_path / "b.zip", tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["a.zip", "b.zip", "config.yaml", "run", "texts"]
    )


def test_links_and_files_that_are_not_listed_are_refused(small_run: Path, tmp_path: Path) -> None:
    record = "outputs/run/judge_chunk/a.json"
    bundle(small_run, tmp_path / "a.zip")
    repack(tmp_path / "a.zip", tmp_path / "b.zip", {}, link=record)
    with pytest.raises(RunFolderError, match="is a link"):
        unbundle(tmp_path / "b.zip", tmp_path / "new")
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as packed:
        packed.writestr("outputs/run/more.json", "{}")
    with pytest.raises(RunFolderError, match="not in both"):
        unbundle(tmp_path / "a.zip", tmp_path / "new")


def test_a_config_that_leads_outside_is_refused(small_run: Path, tmp_path: Path) -> None:
    bundle(small_run, tmp_path / "a.zip")
    unbundle(tmp_path / "a.zip", tmp_path / "new")
    config = yaml.safe_load((tmp_path / "new/config.yaml").read_text(encoding="utf-8"))
    config["path"]["input_dirs"][0]["path"] = str(tmp_path / "secrets")
    (tmp_path / "new/outputs/run/config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    bundle(tmp_path / "new/outputs/run", tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        text = packed.read("config.yaml").decode()
    assert str(tmp_path) not in text
    changed = text.replace("inputs/0", "../../secrets")
    files = {"config.yaml": changed.encode()}
    rewrite(tmp_path / "b.zip", tmp_path / "c.zip", files)
    with pytest.raises(RunFolderError, match="outside of the bundle"):
        unbundle(tmp_path / "c.zip", tmp_path / "other")


def test_a_model_beside_the_models_is_looked_for_among_them_and_nowhere_else(
    small_run: Path, tmp_path: Path
) -> None:
    file = small_run / "config.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["models"]["small"]["gguf"] = "../other/big.gguf"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    bundle(small_run, tmp_path / "a.zip")
    unbundle(tmp_path / "a.zip", tmp_path / "new")
    assert read_config(tmp_path / "new" / "config.yaml").models.small.gguf == "big.gguf"
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        text = packed.read("config.yaml").decode()
    files = {"config.yaml": text.replace("big.gguf", "../../secret.gguf").encode()}
    rewrite(tmp_path / "a.zip", tmp_path / "b.zip", files)
    with pytest.raises(RunFolderError, match=r"secret\.gguf, outside of the bundle"):
        unbundle(tmp_path / "b.zip", tmp_path / "other")


def rewrite(file: Path, target: Path, files: dict[str, bytes]) -> None:
    """Copy a bundle with other content of some files, and a list that agrees."""
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w") as made:
        listed = json.loads(source.read("BUNDLE.json"))
        for one in listed["files"]:
            content = files.get(one["name"], source.read(one["name"]))
            one |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            made.writestr(one["name"], content)
        made.writestr("BUNDLE.json", json.dumps(listed))


def test_more_than_is_allowed_is_refused_before_it_is_unpacked(
    small_run: Path, tmp_path: Path
) -> None:
    (small_run / "large.txt").write_text("a" * 3_000_000, encoding="utf-8")
    bundle(small_run, tmp_path / "a.zip")
    with pytest.raises(RunFolderError, match="2,000,000 are the most"):
        unbundle(tmp_path / "a.zip", tmp_path / "new", most_bytes=2_000_000)
    assert not (tmp_path / "new").exists()


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("no zip", encoding="utf-8")
    with pytest.raises(RunFolderError, match="not a bundle"):
        unbundle(tmp_path / "a.zip", tmp_path / "new")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.writestr("BUNDLE.json", "{}")
    with pytest.raises(RunFolderError, match="of another kind"):
        unbundle(tmp_path / "b.zip", tmp_path / "new")
    with pytest.raises(RunFolderError, match="no such file"):
        unbundle(tmp_path / "c.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["config.yaml", "outputs/run/a: b?.txt", "inputs/0/ä/b c.md"])
def test_ordinary_names_are_safe(name: str) -> None:
    assert is_safe(name)
