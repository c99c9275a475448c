"""What a person does in the folders, prompts that change, and kills at random moments."""

import asyncio
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import TEXT
from scripted_run import friendly_reply

from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import Rejected, RunFolderError
from generation_functions.pipelines.samples import make_chunk
from generation_functions.records import Turn, to_json
from generation_functions.session import open_run
from generation_functions.stages import STAGES
from generation_functions.steps.files import Writer
from generation_functions.steps.prompts import PROMPTS
from generation_functions.steps.run import Run
from generation_functions.steps.run_folder import RunFolder
from generation_functions.steps.survivors import StoredSurvivors, Survivors

SCRIPT = Path(__file__).with_name("scripted_run.py")
ROOT = Path(__file__).parents[1]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config over four short texts."""
    texts = tmp_path / "texts"
    texts.mkdir()
    for name in ("Arno", "Brent", "Clyde", "Dee"):  # no sentence stands in two of them
        text = re.sub(r"\b(The|It|Its|Paint|Until)\b", rf"\1 {name}", TEXT)
        (texts / f"The {name} Bridge.txt").write_text(text, encoding="utf-8")
    file = tmp_path / "config.yaml"
    content = {
        "path": {"input_dirs": [{"path": "texts"}], "output_dir": "run", "prompts": "prompts"},
        "models": {"small": {"gguf": "none.gguf"}, "large": {"gguf": "none.gguf"}},
        "dataset_context": "Bridges",
        "system": {"token_counter": "words", "chunk_size": 60, "concurrency_limit": 4},
        "questions": {"double_check_counter": 3, "max_questions": 2, "planted_pairs": 2},
    }
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def run_stages(config: Path, *names: str) -> tuple[Run, ScriptedEngine]:
    """Run stages (all, if none is named) on scripted engines."""
    engine = ScriptedEngine(friendly_reply)
    run = open_run(config, {"small": engine, "large": engine})
    run.progress = False

    async def all_stages() -> None:
        for name in names or STAGES:
            await STAGES[name](run, None)

    asyncio.run(all_stages())
    return run, engine


def outcomes(folder: Path) -> dict[str, Any]:
    """Return everything in a run folder that does not tell the time."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or name.startswith((".", "status", "run.log")) or "/." in name:
            continue
        text = path.read_text(encoding="utf-8")
        found[name] = json.loads(text) if path.suffix == ".json" else text
        if isinstance(found[name], dict):
            found[name].pop("created", None)
            found[name].pop("busy_seconds", None)
    return found


def texts_of(folder: Path) -> str:
    """Return all training rows of a run as one text."""
    files = [*folder.glob("sft_run/**/*.jsonl"), *folder.glob("pretraining_run/*.jsonl")]
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(files))


def test_survivors_are_read_one_at_a_time_without_those_that_a_person_deleted(
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path)
    turns = {uuid: Turn("human", f"I am {uuid}.") for uuid in "abcd"}
    folder.write_text("live/talk.json", json.dumps([*turns, "e"]))
    for uuid, turn in turns.items():
        folder.write_text(f"talk/{uuid}.json", json.dumps(to_json(turn)))
    folder.write_text("talk/b.json", "")
    found: StoredSurvivors[Any] = folder.stored("talk", Turn)  # type: ignore[type-var]
    assert list(found) == [turns["a"], turns["c"], turns["d"]]
    assert found[1] == turns["c"]
    assert list(found.only(["d"])) == [turns["d"]]
    (tmp_path / "talk" / "d.json").unlink()
    with pytest.raises(RunFolderError, match=r"d\.json: went away"):
        list(found)
    with pytest.raises(RunFolderError, match="Run the stage before this one"):
        folder.stored("other", Turn)  # type: ignore[type-var]


def test_a_second_run_asks_nothing_and_changes_nothing(config: Path) -> None:
    run, engine = run_stages(config)
    before = outcomes(run.folder)
    assert len(engine.requests) > 20
    again, silent = run_stages(config)
    assert silent.requests == []
    assert outcomes(again.folder) == before


def test_killed_at_five_moments_it_ends_as_if_undisturbed(config: Path, tmp_path: Path) -> None:
    run, engine = run_stages(config)
    undisturbed = outcomes(run.folder)
    shutil.rmtree(run.folder)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PYTHONHASHSEED": "0"}
    command = [sys.executable, str(SCRIPT), str(config), "0.02"]
    moments = random.Random(3)
    answered: list[str] = []
    kills = 0
    while True:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout
        if kills < 5:
            for _ in range(moments.randint(3, 16)):
                answered.append(process.stdout.readline())
            time.sleep(moments.random() * 0.02)
            process.send_signal(signal.SIGKILL)
            kills += 1
        output, errors = process.communicate()
        answered += output.splitlines(keepends=True)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, errors
    assert kills == 5
    assert outcomes(run.folder) == undisturbed
    stored = [reply for value in undisturbed.values() for reply in replies(value)]
    assert len(stored) == len(engine.requests)
    lost = len([line for line in answered if line.startswith("answered")]) - len(stored)
    assert lost <= kills * 4, "only answers in flight at a kill may be asked again"


def replies(value: Any) -> list[Any]:
    return value.get("replies", []) if isinstance(value, dict) else []


def test_an_edited_prompt_asks_only_what_it_touches(config: Path, tmp_path: Path) -> None:
    run, _ = run_stages(config)
    old_pairs = {path.name for path in (run.folder / "qatuples_revised").glob("*.json")}
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    text = (PROMPTS / "judge_chunk.yaml").read_text(encoding="utf-8")
    (prompts / "judge_chunk.yaml").write_text(
        text.replace("system: |-\n", "system: |-\n  Take care.\n", 1), encoding="utf-8"
    )
    again, engine = run_stages(config)
    judged = json.loads((again.folder / "status.json").read_text(encoding="utf-8"))
    steps = judged["questions"]["steps"]
    assert steps["judge_chunk"]["new_calls"] == len(engine.requests) > 0
    assert steps["write_questions"]["new_calls"] == 0
    assert {path.name for path in (again.folder / "qatuples_revised").glob("*.json")} == old_pairs


def test_survivors_of_an_older_prompt_are_set_aside_and_in_no_dataset(
    config: Path, tmp_path: Path
) -> None:
    run, _ = run_stages(config)
    old = {path.stem for path in (run.folder / "qatuples_revised").glob("*.json")}
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    text = (PROMPTS / "write_questions.yaml").read_text(encoding="utf-8")
    (prompts / "write_questions.yaml").write_text(
        text.replace("system: |-\n", "system: |-\n  Ask about figures.\n", 1), encoding="utf-8"
    )
    plain = config.read_text(encoding="utf-8")
    config.write_text(plain.replace("system:", "system:\n  seed: 5", 1), encoding="utf-8")
    again, _ = run_stages(config)
    new = {path.stem for path in (again.folder / "qatuples_revised").glob("*.json")}
    stale = {path.stem for path in (again.folder / "qatuples_revised" / "stale").glob("*.json")}
    assert stale >= old - new  # beside them what the new pass kept and found asked already
    assert old - new
    assert not stale & new
    rows = texts_of(again.folder)
    for uuid in stale:
        file = again.folder / "qatuples_revised" / "stale" / f"{uuid}.json"
        assert json.loads(file.read_text(encoding="utf-8"))["question"] not in rows


def test_going_back_to_the_older_prompt_brings_its_survivors_back(config: Path) -> None:
    run, _ = run_stages(config)
    before = outcomes(run.folder / "qatuples_revised")
    plain = config.read_text(encoding="utf-8")
    config.write_text(plain.replace("system:", "system:\n  seed: 5", 1), encoding="utf-8")
    run_stages(config)
    config.write_text(plain, encoding="utf-8")
    again, engine = run_stages(config)
    assert engine.requests == []
    after = outcomes(again.folder / "qatuples_revised")
    assert {name: value for name, value in after.items() if "stale" not in name} == before


def test_a_survivor_deleted_by_hand_does_not_come_back(config: Path) -> None:
    run, _ = run_stages(config, "documents", "questions")
    gone = sorted((run.folder / "qatuples_revised").glob("*.json"))[0]
    question = json.loads(gone.read_text(encoding="utf-8"))["question"]
    gone.unlink()
    again, _ = run_stages(config)
    assert not gone.exists()
    assert question not in texts_of(again.folder)
    status = json.loads((again.folder / "status.json").read_text(encoding="utf-8"))
    assert status["questions"]["survivors"]["qatuples_revised"]["deleted by hand"] == 1


def test_conversations_about_a_pair_that_was_deleted_since_are_in_no_dataset(
    config: Path,
) -> None:
    run, _ = run_stages(config)
    gone = sorted((run.folder / "qatuples_revised").glob("*.json"))[0]
    question = json.loads(gone.read_text(encoding="utf-8"))["question"]
    assert question in texts_of(run.folder)
    gone.unlink()
    again, _ = run_stages(config, "mix")
    assert question not in texts_of(again.folder)
    status = json.loads((again.folder / "status.json").read_text(encoding="utf-8"))
    assert status["mix"]["pipelines"]["mixed"]["reasons"]["rejected"]["a pair of it is gone"] > 0


def test_a_survivor_edited_by_hand_keeps_its_edit_into_the_dataset(config: Path) -> None:
    run, _ = run_stages(config, "documents", "questions")
    edited = sorted((run.folder / "qatuples_revised").glob("*.json"))[0]
    value = json.loads(edited.read_text(encoding="utf-8"))
    value["answer"] = "It was built by Maud Ferris herself."
    edited.write_text(json.dumps(value), encoding="utf-8")
    again, _ = run_stages(config)
    rows = texts_of(again.folder)
    assert rows.count("It was built by Maud Ferris herself.") >= 2
    assert json.loads(edited.read_text(encoding="utf-8"))["answer"] == value["answer"]
    status = json.loads((again.folder / "status.json").read_text(encoding="utf-8"))
    assert status["questions"]["survivors"]["qatuples_revised"]["edited by hand"] == 1


def test_an_edit_survives_a_change_elsewhere_in_its_document(config: Path) -> None:
    run, _ = run_stages(config, "documents", "questions")
    place = run.folder / "worthy_for_questions"
    chunks = {path: json.loads(path.read_text(encoding="utf-8")) for path in place.glob("*.json")}
    edited, value = max(chunks.items(), key=lambda item: item[1]["start"])
    value["text"] = value["text"].replace("museum", "museum and school")
    edited.write_text(json.dumps(value), encoding="utf-8")
    document = next((config.parent / "texts").glob(f"{value['source']}.txt"))
    text = document.read_text(encoding="utf-8")
    document.write_text("Rivers and their bridges\n\n" + text, encoding="utf-8")
    run_stages(config, "documents", "questions")
    assert "museum and school" in edited.read_text(encoding="utf-8")


def test_an_edit_that_breaks_a_record_is_named(config: Path) -> None:
    run, _ = run_stages(config, "documents", "questions")
    broken = sorted((run.folder / "qatuples_revised").glob("*.json"))[0]
    value = json.loads(broken.read_text(encoding="utf-8"))
    del value["answer"]
    broken.write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(RunFolderError, match=broken.name):
        run_stages(config, "characters")


def test_a_limit_takes_few_chunks_through_and_the_full_run_asks_them_nothing(config: Path) -> None:
    engine = ScriptedEngine(friendly_reply)
    run = open_run(config, {"small": engine, "large": engine})
    run.progress = False

    async def limited() -> None:
        for stage in STAGES.values():
            await stage(run, 2)

    asyncio.run(limited())
    few = len(engine.requests)
    assert (run.folder / "sft_run" / "sft_training_config.yaml").exists()
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))
    assert status["questions"]["pipelines"]["chunks"]["in"] == 2
    _, rest = run_stages(config)
    assert few > 0
    seeds = {request.seed for request in engine.requests}
    assert seeds.isdisjoint(request.seed for request in rest.requests)
    for counts in status["questions"]["steps"].values():
        assert counts["in"] == counts["kept"] + counts["rejected"] + counts["failed"]


def test_an_interrupted_stage_leaves_what_it_made(config: Path) -> None:
    engine = ScriptedEngine(friendly_reply)
    run = open_run(config, {"small": engine, "large": engine})
    run.progress = False

    async def interrupted() -> None:
        task = asyncio.ensure_future(STAGES["questions"](run, None))
        while len(engine.requests) < 10:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(interrupted())
    made = len([reply for value in outcomes(run.folder).values() for reply in replies(value)])
    assert made > 0
    _, rest = run_stages(config)
    whole = [reply for value in outcomes(run.folder).values() for reply in replies(value)]
    assert len(rest.requests) == len(whole) - made


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_kill_while_a_file_goes_to_stale_or_comes_back_is_no_deletion_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    chunk = make_chunk("The Arno Bridge is 812 metres long.")
    file = tmp_path / f"{chunk.uuid}.json"

    def kill_after(act: Callable[[Survivors], object]) -> None:
        """Run `act` up to its first so many changes of the folder."""
        left = [steps]

        def count(change: Callable[..., None]) -> Callable[..., None]:
            def changed(*given: Any, **named: Any) -> None:
                if not left[0]:
                    raise KeyboardInterrupt
                left[0] -= 1
                change(*given, **named)

            return changed

        with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
            patched.setattr(os, "replace", count(os.replace))
            patched.setattr(Writer, "append", count(Writer.append))
            act(Survivors(tmp_path, Writer()))

    Survivors(tmp_path, Writer()).keep(chunk)
    kill_after(Survivors.sweep)
    assert Survivors(tmp_path, Writer()).keep(chunk) == chunk
    Survivors(tmp_path, Writer()).sweep()
    kill_after(lambda survivors: survivors.keep(chunk))
    assert Survivors(tmp_path, Writer()).keep(chunk) == chunk
    file.unlink()
    with pytest.raises(Rejected, match="deleted by hand"):
        Survivors(tmp_path, Writer()).keep(chunk)
