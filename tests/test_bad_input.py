"""Bad input: a clear error before any model is loaded, and nothing lost."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from generation_functions.command_line import main
from generation_functions.engine.protocol import Completion, Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.session import open_run
from generation_functions.sources import Source

ROOT = Path(__file__).parents[1]


class NeverLoaded(ScriptedEngine):
    """An engine that must not be used."""

    async def complete(self, request: Request) -> Completion:
        raise AssertionError("a model was asked")


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """A config that would work with a real model."""
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "Tides.txt").write_text("The tide turns twice a day. " * 30, encoding="utf-8")
    (tmp_path / "models").mkdir()
    return {
        "path": {
            "input_dirs": [{"path": "texts"}],
            "output_dir": "run",
            "models_dir": "models",
        },
        "models": {"small": {"gguf": "small.gguf"}, "large": {"gguf": "small.gguf"}},
        "dataset_context": "Tides",
        "system": {"token_counter": "words"},
    }


def error_of(tmp_path: Path, config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    """Run the command line on a config; return what it says on stderr."""
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert main(["run", str(file)]) == 1
    return capsys.readouterr().err


def test_a_missing_model_names_what_is_there(
    tmp_path: Path, config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models" / "other.gguf").write_bytes(b"GGUF")
    said = error_of(tmp_path, config, capsys)
    assert "ModelError" in said
    assert "small.gguf: no such model" in said
    assert "other.gguf" in said


def test_two_folders_of_one_name_are_told_apart_by_the_user(
    tmp_path: Path, config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    config["path"]["input_dirs"] = [{"path": "texts", "name": "n"}, {"path": "more", "name": "n"}]
    said = error_of(tmp_path, config, capsys)
    assert "texts and more have the same name 'n'" in said


def test_a_step_that_does_not_exist_cannot_be_given_a_model(
    tmp_path: Path, config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    config["models"]["steps"] = {"write_question": "large"}
    said = error_of(tmp_path, config, capsys)
    assert "`models.steps.write_question` is no step" in said


def test_a_file_that_is_no_gguf(
    tmp_path: Path, config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models" / "small.gguf").write_bytes(b"<html>not found</html>")
    assert "small.gguf: not a GGUF file" in error_of(tmp_path, config, capsys)


@pytest.mark.parametrize("share", [0.0001, 0.3, 0.999])
def test_a_truncated_model(
    tmp_path: Path,
    config: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    share: float,
    embedded_model: Path,
) -> None:
    content = embedded_model.read_bytes()
    (tmp_path / "models" / "small.gguf").write_bytes(content[: int(len(content) * share)])
    assert "small.gguf: the file is cut short" in error_of(tmp_path, config, capsys)


def test_a_split_model_with_a_part_missing(
    tmp_path: Path, config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models" / "big-00001-of-00003.gguf").write_bytes(b"GGUF")
    (tmp_path / "models" / "big-00003-of-00003.gguf").write_bytes(b"GGUF")
    config["models"]["small"]["gguf"] = "big-00001-of-00003.gguf"
    assert "missing: big-00002-of-00003.gguf" in error_of(tmp_path, config, capsys)


@pytest.mark.parametrize(
    ("section", "key", "said"),
    [
        ("system", "chunk_szie", "`system.chunk_szie` is not an option. Did you mean `chunk_size`"),
        ("factual_sft_settings", "small_model", "is not an option. The two models are named under"),
        ("questions", "double_check_counter", "must be odd"),
        ("path", "input_dris", "Did you mean `input_dirs`"),
    ],
)
def test_a_config_that_does_not_fit_names_file_key_and_the_nearest(
    tmp_path: Path,
    config: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    section: str,
    key: str,
    said: str,
) -> None:
    config.setdefault(section, {})[key] = 2
    error = error_of(tmp_path, config, capsys)
    assert str(tmp_path / "config.yaml") in error
    assert said in error


def test_no_config_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["run", str(tmp_path / "none.yaml")]) == 1
    assert "none.yaml: no such config file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("Empty.txt", b"", "Empty.txt: no text in it"),
        ("Latin.txt", "Curaçao".encode("cp1252"), "Latin.txt: not UTF-8: byte 4"),
    ],
)
def test_documents_that_cannot_be_used_are_all_named(
    tmp_path: Path, config: dict[str, Any], name: str, content: bytes, said: str
) -> None:
    (tmp_path / "texts" / name).write_bytes(content)
    (tmp_path / "texts" / "Another.txt").write_bytes(b"\xff")
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    engine = NeverLoaded()
    run = open_run(file, {"small": engine, "large": engine})
    with pytest.raises(Exception, match="cannot be used") as error:
        Source(run.config).check()
    assert said in str(error.value)
    assert "Another.txt" in str(error.value)


def test_a_folder_without_documents(tmp_path: Path, config: dict[str, Any]) -> None:
    (tmp_path / "texts" / "Tides.txt").rename(tmp_path / "texts" / "Tides.odt")
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    run = open_run(file, {"small": NeverLoaded(), "large": NeverLoaded()})
    with pytest.raises(Exception, match="no documents in it"):
        Source(run.config).check()


def test_a_broken_grammar_is_found_before_the_model_is_asked(
    tmp_path: Path,
    config: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("generation_functions.trying.REPLIES", 2)
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    (prompts / "judge_chunk.gbnf").write_text('\nroot ::= "Reason: \n', encoding="utf-8")
    config["path"]["prompts"] = "prompts"
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert main(["check", "--config", str(file)]) == 1
    assert f"{prompts / 'judge_chunk.gbnf'}:2: a literal" in capsys.readouterr().out
