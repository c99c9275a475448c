"""Pipelines that are found by their names: section, stage, rows, and their place in the mix."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from conftest import OpenRun

from generation_functions import checking, command_line, discovery
from generation_functions.config import load_config
from generation_functions.display.made import browse_made, read_trails, show_trail
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ConfigError, Faulty, Rejected, RunFolderError
from generation_functions.pipelines.pipeline import Pipeline, PipelineSection
from generation_functions.pipelines.style import PIPELINE as STYLE
from generation_functions.pipelines.style import WRITE_PLAIN, StyledText, Told
from generation_functions.pipelines.style_checks import Passage, take_passage
from generation_functions.records import Chunk, Turn, make_uuid
from generation_functions.session import read_config
from generation_functions.stages import (
    STAGES,
    find_pipeline,
    order_stages,
    run_pipeline,
    write_meta_dataset,
)
from generation_functions.stages.own import take_made
from generation_functions.status import read_status
from generation_functions.steps.run import Run


class Settings(PipelineSection):
    words: int = 3


@dataclass(frozen=True, slots=True)
class Opening:
    uuid: str
    words: str
    chunk: Chunk


async def open_chunk(run: Run, chunk: Chunk) -> Opening:
    words = " ".join(chunk.text.split()[: PIPELINE.settings(run.config).words])
    return run.keep(PIPELINE.name, Opening(make_uuid(chunk.uuid, words), words, chunk))


async def write(run: Run, chunks: Iterator[Chunk]) -> list[Opening]:
    return await run.map(partial(open_chunk, run), chunks, PIPELINE.name)


def write_turns(made: Opening) -> tuple[Turn, ...]:
    return (Turn("human", "How does it begin?"), Turn("gpt", made.words))


PIPELINE: Pipeline[Settings, Opening] = Pipeline(
    "openings", Settings, (), Opening, write, write_turns
)

SLACK = {"least_words": 5, "least_kept": 0, "most_copied": 1}  # a copy is a fine reply


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `openings` be found as if it stood in pipelines/own/openings.py."""
    module = SimpleNamespace(PIPELINE=PIPELINE, __file__="openings.py")
    monkeypatch.setattr(discovery, "list_own", lambda: ["openings"])
    monkeypatch.setattr(discovery, "import_module", lambda place: module)


def write_config(folder: Path, **sections: object) -> Path:
    content = {
        "path": {"input_dirs": [{"path": "texts"}], "output_dir": "run"},
        "models": {"small": {"gguf": "a.gguf"}, "large": {"gguf": "a.gguf"}},
        "dataset_context": "bridges",
        **sections,
    }
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def copy_lines(request: Request) -> str:
    """Tell each numbered sentence in its own words."""
    return request.messages[-1].content.rpartition("\n\n")[0]


def spoil(request: Request) -> str:
    return re.sub(r"(?m)^(\[\d+\]) .+", r"\1 It is.", copy_lines(request))


def read_rows(run: Run) -> list[str]:
    text = (run.folder / PIPELINE.rows / "sharegpt.jsonl").read_text(encoding="utf-8")
    return [json.loads(line)["conversations"][-1]["value"] for line in text.splitlines()]


def test_a_config_has_the_section_of_a_pipeline_by_its_name(openings: None, tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path, openings={"words": 5}))
    assert PIPELINE.settings(config) == Settings(words=5)
    assert config.model_dump()["openings"] == {"enabled": False, "chunk_size": None, "words": 5}
    assert STYLE.settings(config).enabled is False


def test_only_what_can_be_imported_is_a_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cards.py", "cards (copy).py", "cards.txt", "__init__.py"):
        (tmp_path / name).touch()
    monkeypatch.setattr(discovery, "OWN", tmp_path)
    assert discovery.list_own() == ["cards"]


def test_a_half_written_pipeline_is_named_and_stops_no_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(place: str) -> object:
        raise SyntaxError("invalid syntax")

    monkeypatch.setattr(discovery, "import_module", load)
    monkeypatch.setattr(checking, "list_own", lambda: ["cards"])
    monkeypatch.setattr(checking, "STEPS", ())
    with pytest.raises(ConfigError, match=r"own/cards\.py: it cannot be imported \(SyntaxError"):
        discovery.load_pipeline("cards")
    assert checking.check_everything() == 1
    assert "pipelines/own/cards.py: it cannot be imported" in capsys.readouterr().out


def test_one_pipeline_is_checked_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["check", "style"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "2 steps, 2 prompts, 0 problems"
    assert len(lines) == 3
    assert command_line.main(["check", "nothing"]) == 1


def test_options_are_found_when_the_module_was_loaded_anew(openings: None, tmp_path: Path) -> None:
    class Loaded(PipelineSection):
        words: int = 3

    anew: Pipeline[Loaded, Opening] = replace(PIPELINE, section=Loaded)  # type: ignore[arg-type]
    assert anew.settings(load_config(write_config(tmp_path, openings={"words": 5}))).words == 5


def test_an_option_without_a_default_is_named_where_it_is_missing(tmp_path: Path) -> None:
    class Wanting(PipelineSection):
        author: str

    wanting: Pipeline[Wanting, Opening] = replace(PIPELINE, section=Wanting)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"`openings\.author`: Field required"):
        wanting.settings(load_config(write_config(tmp_path)))


@pytest.mark.parametrize("name", ["documents", "mix", "exam", "model_training"])
def test_no_module_takes_the_place_of_a_stage_or_a_section(name: str) -> None:
    async def stage(run: Run, limit: int | None) -> None: ...

    with pytest.raises(ConfigError, match=rf"pipelines/own/{name}\.py: {name} is a stage or"):
        order_stages({name: stage})


def test_a_resolved_config_keeps_the_section(openings: None, tmp_path: Path) -> None:
    config = read_config(write_config(tmp_path, openings={"words": 5}))
    again = write_config(tmp_path, **config.model_dump(mode="json"))
    assert PIPELINE.settings(read_config(again)).words == 5


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"openings": {"word": 5}}, r"`openings\.word` is not an option\. Did you mean `words`"),
        ({"openings": {"words": "x"}}, r"`openings\.words`: .*valid integer"),
        ({"opening": {}}, r"`opening` is not an option\. Did you mean `openings`"),
        ({"stile": {}}, r"`stile` is not an option\. Did you mean `style`"),
    ],
)
def test_what_is_wrong_in_such_a_section_is_named(
    openings: None, tmp_path: Path, sections: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(write_config(tmp_path, **sections))


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (SimpleNamespace(__file__="a.py"), "a.py: no PIPELINE"),
        (SimpleNamespace(__file__="a.py", PIPELINE=PIPELINE), "is named 'openings'. Name it 'a'"),
    ],
)
def test_a_module_without_its_pipeline_is_named(
    monkeypatch: pytest.MonkeyPatch, module: object, said: str
) -> None:
    monkeypatch.setattr(discovery, "import_module", lambda place: module)
    with pytest.raises(ConfigError, match=said):
        find_pipeline("a")


def test_what_is_kept_becomes_rows_in_the_order_of_the_texts(
    openings: None, open_small_run: OpenRun
) -> None:
    run = open_small_run()
    made = asyncio.run(run_pipeline(run, PIPELINE))
    assert len(made) > 1
    assert [one.chunk.start for one in made] == sorted(one.chunk.start for one in made)
    assert read_rows(run) == [one.words for one in made]
    assert read_rows(run)[0] == "The Kelvin Bridge"


def test_what_a_person_deletes_or_edits_stays_so_into_the_rows(
    openings: None, open_small_run: OpenRun
) -> None:
    run = open_small_run()
    first, second, *others = asyncio.run(run_pipeline(run, PIPELINE))
    (run.folder / "openings" / f"{first.uuid}.json").unlink()
    edited = run.folder / "openings" / f"{second.uuid}.json"
    edited.write_text(edited.read_text(encoding="utf-8").replace(second.words, "Edited"), "utf-8")
    made = asyncio.run(run_pipeline(run, PIPELINE))
    assert [one.words for one in made] == ["Edited", *(one.words for one in others)]
    assert read_rows(run)[0] == "Edited"


def test_why_nothing_was_kept_is_logged(
    open_small_run: OpenRun, caplog: pytest.LogCaptureFixture
) -> None:
    assert asyncio.run(run_pipeline(open_small_run(), STYLE, limit=1)) == []
    assert "stage style ends. Dropped of 1 style: 1 too little prose." in caplog.text


def test_a_limit_takes_so_many_chunks_and_chunk_size_makes_pieces_of_them(
    openings: None, open_small_run: OpenRun
) -> None:
    run = open_small_run()
    assert len(asyncio.run(run_pipeline(run, PIPELINE, limit=2))) == 2
    whole = asyncio.run(run_pipeline(run, PIPELINE))
    run = open_small_run(openings={"chunk_size": 2000})
    (one,) = asyncio.run(run_pipeline(run, PIPELINE))
    assert one.chunk.end == whole[-1].chunk.end


def test_a_stage_that_the_config_does_not_enable_does_nothing(open_small_run: OpenRun) -> None:
    assert list(STAGES).index("style") < list(STAGES).index("mix")
    run = open_small_run(ScriptedEngine())
    assert asyncio.run(STAGES["style"](run, None)) == []
    assert not (run.folder / "status.json").exists()
    assert take_made(run) == {}


def test_the_mix_takes_the_rows_of_what_is_enabled(openings: None, open_small_run: OpenRun) -> None:
    run = open_small_run(openings={"enabled": True})
    with pytest.raises(RunFolderError, match="Run the stage before"):
        take_made(run)
    made = asyncio.run(run_pipeline(run, PIPELINE))
    rows = take_made(run)["openings"]
    assert [row.turns[-1].text for row in rows] == [one.words for one in made]
    assert rows[0].record["uuid"] == made[0].uuid


def test_input_steps_and_output_stand_side_by_side(open_small_run: OpenRun) -> None:
    engine = ScriptedEngine(copy_lines)
    run = open_small_run(engine, style=SLACK)
    made = asyncio.run(run_pipeline(run, STYLE))
    trails = read_trails(run, STYLE)
    kept = [trail for trail in trails if trail.outcome == "kept"]
    assert len(kept) == len(made) > 0
    shown = browse_made(run, STYLE).show_plain().source
    assert "write_plain: kept, 1 replies" in shown
    assert made[0].instruction in shown


def make_style(make: Callable[[Run, Chunk], Awaitable[StyledText]]) -> Pipeline[Any, StyledText]:
    """Return the style's pipeline with something else done to each chunk."""

    async def write(run: Run, chunks: Iterator[Chunk]) -> list[StyledText]:
        return await run.map(partial(make, run), chunks, STYLE.name)

    return replace(STYLE, write=write)


def test_a_chain_stands_together_whatever_its_items_are_called(open_small_run: OpenRun) -> None:
    async def make(run: Run, chunk: Chunk) -> StyledText:
        passage = take_passage(chunk, STYLE.settings(run.config))
        first = await run.ask(WRITE_PLAIN, passage)
        named = make_uuid(chunk.uuid, first.plain)
        told = await run.ask(WRITE_PLAIN, replace(passage, chunk=replace(chunk, uuid=named)))
        return run.keep("style", StyledText(make_uuid(named), "Tell it.", told.plain, "-", chunk))

    run = open_small_run(ScriptedEngine(copy_lines), style=SLACK)
    made = asyncio.run(run_pipeline(run, make_style(make)))
    kept = [trail for trail in read_trails(run, STYLE) if trail.rows]
    assert len(kept) == len(made) > 0
    for trail in kept:
        assert [record.step for record in trail.records] == ["write_plain", "write_plain"]
        assert trail.outcome == "kept"


def test_its_calls_are_learnt_from_where_its_rows_stand_alone(open_small_run: OpenRun) -> None:
    engine = ScriptedEngine(copy_lines)
    meta = {"do_meta_datagen": True, "only_kept": True}
    run = open_small_run(engine, style=SLACK, meta_datagen=meta)
    first, *others = asyncio.run(run_pipeline(run, STYLE))
    (run.folder / "style" / f"{first.uuid}.json").unlink()
    asyncio.run(write_meta_dataset(run))
    text = (run.folder / "meta_datagen/provenance/meta_dataset.jsonl").read_text(encoding="utf-8")
    learnt = [json.loads(line)["uuid"] for line in text.splitlines()]
    assert learnt == sorted(one.chunk.uuid for one in others) != []


@pytest.mark.parametrize("no", [Rejected, Faulty])
def test_a_reply_that_is_faulty_is_not_learnt_and_a_final_no_is(
    open_small_run: OpenRun, no: type[Rejected]
) -> None:
    def refuse(passage: Passage, reply: str) -> Told:
        raise no("not this one")

    async def make(run: Run, chunk: Chunk) -> StyledText:
        passage = take_passage(chunk, STYLE.settings(run.config))
        told = await run.ask(replace(WRITE_PLAIN, parse=refuse), passage)
        return StyledText(chunk.uuid, "Tell it.", told.plain, told.text, chunk)

    meta = {"do_meta_datagen": True}
    run = open_small_run(ScriptedEngine(copy_lines), style=SLACK, meta_datagen=meta)
    assert asyncio.run(run_pipeline(run, make_style(make))) == []
    if no is Faulty:
        with pytest.raises(RunFolderError, match="no call has a reply to learn from"):
            asyncio.run(write_meta_dataset(run))
    else:
        manifest = asyncio.run(write_meta_dataset(run))
        assert manifest is not None
        assert manifest.rows > 0


def test_the_command_says_where_the_meta_dataset_is(
    open_small_run: OpenRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    meta = {"do_meta_datagen": True}
    run = open_small_run(ScriptedEngine(copy_lines), style=SLACK, meta_datagen=meta)
    made = asyncio.run(run_pipeline(run, STYLE))
    monkeypatch.setattr(command_line, "open_run", lambda file: run)
    config = str(run.folder.parent / "config.yaml")
    assert command_line.main(["run", config, "--stage", "meta"]) == 0
    assert f"{run.folder / 'meta_datagen'}: {len(made)} rows, " in capsys.readouterr().out


def test_of_a_step_that_is_shown_its_last_pass_alone_is(open_small_run: OpenRun) -> None:
    asked: Counter[str] = Counter()

    def third_time(request: Request) -> str:
        content = request.messages[-1].content
        asked[content] += 1
        return copy_lines(request) if asked[content] > 2 else spoil(request)

    asyncio.run(run_pipeline(open_small_run(ScriptedEngine(third_time), style=SLACK), STYLE))
    engine = ScriptedEngine(
        lambda request: copy_lines(request).replace("[1] ", "[1] Well. "), "other"
    )
    run = open_small_run(engine, style=SLACK)
    asyncio.run(run_pipeline(run, STYLE))
    kept = [trail for trail in read_trails(run, STYLE) if trail.outcome == "kept"]
    assert [len(trail.records[0].last_replies) for trail in kept] == [1 for _ in kept] != []
    assert "<strong>write_plain: kept, 1 replies</strong>" in show_trail(kept[0]).source
    assert "Well. " in show_trail(kept[0]).source


def test_a_pipeline_is_run_by_its_name(
    openings: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_small_run: OpenRun
) -> None:
    run = open_small_run()
    monkeypatch.setattr(command_line, "open_run", lambda file: run)
    config = str(tmp_path / "config.yaml")
    monkeypatch.setattr(command_line, "list_pipelines", lambda: ["openings"])
    assert command_line.main(["run", "openings", "--config", config, "--limit", "1"]) == 0
    assert list(read_status(run.folder)) == ["openings"]
    assert len(read_rows(run)) == 1
    assert command_line.main(["run", "openings", "--stage", "mix"]) == 1
