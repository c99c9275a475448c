"""The pretraining stage: facts and variations of each piece, by the settings of its folder."""

import asyncio
import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from conftest import OpenRun
from told import FACTS as TOLD
from told import REPLIES, TEXT, step_of, tell

from generation_functions import stages
from generation_functions.config import Config
from generation_functions.datasets.pretraining import write_context
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import RunFolderError, TooFewKept
from generation_functions.pipeline_sections import CodeVariation
from generation_functions.pipelines import variations
from generation_functions.pipelines.code_variations import CODE_VARIATIONS
from generation_functions.pipelines.forms import FORMS, request_variation
from generation_functions.pipelines.variations import FACTS, VARIATIONS
from generation_functions.records import Chunk, FactSheet, QAPair, Variation
from generation_functions.steps.prompts import PROMPTS
from generation_functions.steps.run import Run
from generation_functions.steps.survivors import read_survivors

Script = Mapping[str, list[str]]


@pytest.fixture
def tell_again(open_small_run: OpenRun, tmp_path: Path) -> Callable[..., tuple[Run, list[str]]]:
    """Run the stage on bridges of these names; return the run and the steps that were asked."""

    def run_it(
        script: Script | None = None,
        bridges: Mapping[str, list[str]] | None = None,
        folders: Mapping[str, Mapping[str, Any]] | None = None,
        system: Mapping[str, Any] | None = None,
        path: Mapping[str, Any] | None = None,
        limit: int | None = None,
        gaps: bool = False,
        **section: Any,
    ) -> tuple[Run, list[str]]:
        bridges = bridges or {"texts": ["Arno"]}
        for folder, names in bridges.items():
            (tmp_path / folder).mkdir(exist_ok=True)
            for name in names:
                text = TEXT.replace("Arno", name)
                (tmp_path / folder / f"{name}.txt").write_text(text, encoding="utf-8")
        left = {name: list(replies) for name, replies in (script or {}).items()}

        def reply(request: Request) -> str:
            replies = left.get(step_of(request))
            if not replies:
                return tell(request)
            return replies.pop(0) if len(replies) > 1 else replies[0]

        engine = ScriptedEngine(reply)
        run = open_small_run(
            engine,
            path={
                "input_dirs": [{"path": one, **(folders or {}).get(one, {})} for one in bridges],
                **(path or {}),
            },
            system={"drop_duplicates": False, "concurrency_limit": 1, **(system or {})},
            representation_variation={"enabled": True, **section},
        )
        run.fill_gaps = gaps
        try:
            asyncio.run(stages.write_pretraining(run, limit))
        finally:
            run.asked = engine.requests  # type: ignore[attr-defined]
        return run, [step_of(request) for request in engine.requests]

    return run_it


TellAgain = Callable[..., tuple[Run, list[str]]]


def sheets(run: Run) -> list[FactSheet]:
    return run.survivors(FACTS, FactSheet)


def told(run: Run) -> list[Variation]:
    return run.survivors(VARIATIONS, Variation)


def count(run: Run, label: str) -> dict[str, Any]:
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))
    return dict(status["pretraining"]["pipelines"][label])


def mix(run: Run) -> dict[str, list[str]]:
    """Write the datasets beside one pair; return the texts of pretraining_run/ by file."""
    (chunk, *_) = [sheet.chunk for sheet in sheets(run)]

    async def write() -> None:
        async with run.stage("questions"):
            run.open_survivors("multiturn_convs")
            for sheet in sheets(run):
                run.keep("worthy_for_questions", sheet.chunk)
            run.keep("qatuples_revised", QAPair("p", "How long?", "812 metres.", (2,), "q", chunk))
        await stages.mix(run)

    asyncio.run(write())
    return read_rows(run)


def read_rows(run: Run) -> dict[str, list[str]]:
    files = sorted((run.folder / "pretraining_run").glob("*.jsonl"))
    return {
        file.stem: [
            json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()
        ]
        for file in files
    }


def test_a_piece_has_as_many_rows_as_its_settings_say(tell_again: TellAgain) -> None:
    run, asked = tell_again(variation_generator_count=3)
    assert Counter(asked) == Counter(
        ["judge_chunk", "list_facts", "turn_facts", "infer_facts"]
        + [f"write_{one.form}" for one in told(run)]
    )
    assert Counter(one.inferred for one in told(run)) == {False: 3, True: 3}
    rows = mix(run)
    assert {name: len(texts) for name, texts in rows.items()} == {
        "text_chunks_texts": 1,
        "representation_variation_texts": 1 + 1 + 3,  # facts, facts turned round, variations
        "inferred_facts_texts": 1 + 3,
    }
    every = [text for texts in rows.values() for text in texts]
    assert len(set(every)) == len(every)


def test_no_form_comes_again_before_all_were_used(tell_again: TellAgain) -> None:
    run, _ = tell_again(variation_generator_count=4)
    assert {one.form for one in told(run)} == set(FORMS)


def test_a_larger_count_asks_only_for_what_is_new(tell_again: TellAgain) -> None:
    before, _ = tell_again(variation_generator_count=2)
    earlier = {one.uuid for one in told(before)}
    run, asked = tell_again(variation_generator_count=3)
    assert len(asked) == 2
    assert earlier < {one.uuid for one in told(run)}


def test_folders_with_different_counts_never_mix(tell_again: TellAgain) -> None:
    run, _ = tell_again(
        bridges={"rivers": ["Arno", "Brent"], "canals": ["Clyde"]},
        folders={
            "rivers": {"variation_generation_counts": 1},
            "canals": {"variation_generation_counts": 5},
        },
    )
    by_folder = Counter((one.chunk.directory, one.inferred) for one in told(run))
    assert by_folder == {
        ("rivers", False): 2,
        ("rivers", True): 2,
        ("canals", False): 5,
        ("canals", True): 5,
    }
    rows = mix(run)
    assert len(rows["representation_variation_rivers"]) == 2 * (1 + 1 + 1)
    assert len(rows["inferred_facts_canals"]) == 1 + 5
    for name, texts in rows.items():
        strange = ("Arno", "Brent") if name.endswith("canals") else ("Clyde",)
        assert [text for text in texts if any(one in text for one in strange)] == []


def test_a_count_of_zero_leaves_the_facts(tell_again: TellAgain) -> None:
    run, asked = tell_again(variation_generator_count=0, make_inferred_facts=False)
    assert asked == ["judge_chunk", "list_facts", "turn_facts"]
    rows = mix(run)
    assert len(rows["representation_variation_texts"]) == 2
    assert "inferred_facts_texts" not in rows


def test_facts_that_do_not_stand_in_their_sentences_are_dropped_with_their_reason(
    tell_again: TellAgain,
) -> None:
    reply = """\
[1] The Arno Bridge was opened on 5 May 1931.
[1] The Arno Bridge was opened in 1931.
[2] Peter Hamilton built the Arno Bridge 812 metres long.
[3] Maud Ferris loved horses and fine old wine.
[4] It does not rot in salt water."""
    run, _ = tell_again({"list_facts": [reply]}, make_inferred_facts=False)
    (sheet,) = sheets(run)
    assert [fact.text for fact in sheet.facts] == ["The Arno Bridge was opened in 1931."]
    assert sheet.facts[0].quote == "The Arno Bridge was opened on 4 May 1931."
    found = count(run, "facts")
    assert (found["in"], found["kept"]) == (5, 1)
    assert found["reasons"]["rejected"] == {
        "a figure that is not in what it rests on": 1,
        "a name that is not in what it rests on": 1,
        "other words than what it rests on": 1,
        "does not name what it is about": 1,
    }


def test_a_reply_without_any_usable_fact_is_asked_again(tell_again: TellAgain) -> None:
    bad = "\n".join(f"[{number}] Nothing." for number in range(1, 5))
    run, asked = tell_again({"list_facts": [bad, TOLD]})
    assert asked.count("list_facts") == 2
    assert len(sheets(run)[0].facts) == 4
    run, asked = tell_again({"list_facts": [bad]}, bridges={"texts": ["Brent"]})
    assert asked.count("list_facts") == 3
    assert [sheet.chunk.source for sheet in sheets(run)] == ["Arno"]
    assert count(run, "pieces")["failed"] == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("[1, 2] The Arno Bridge is 812 metres long.", "says what one fact says"),
        ("[3, 4] In 1931 the Arno Bridge does not rot.", "a figure that is not in what it rests"),
        ("[1, 4] Granite rots in the salt water of a sea.", "rests on fewer than two facts"),
    ],
)
def test_what_does_not_follow_from_its_facts_is_dropped(
    tell_again: TellAgain, reply: str, reason: str
) -> None:
    run, _ = tell_again({"infer_facts": [reply]}, variation_generator_count=2)
    assert sheets(run)[0].inferred == ()
    assert [one.inferred for one in told(run)] == [False, False]
    (found,) = count(run, "inferred facts")["reasons"]["rejected"]
    assert found.startswith(reason)
    assert "inferred_facts_texts" not in mix(run)


def test_an_inferred_fact_names_the_facts_and_the_sentences_that_it_rests_on(
    tell_again: TellAgain,
) -> None:
    run, _ = tell_again(variation_generator_count=1)
    (fact,) = sheets(run)[0].inferred
    assert (fact.facts, fact.sentences) == ((3, 4), (3, 4))
    asked: list[Request] = run.asked  # type: ignore[attr-defined]
    shown = [one.messages[-1].content for one in asked if step_of(one).startswith("write_")]
    assert sorted("What follows:\n- The Arno Bridge does not rot" in one for one in shown) == [
        False,
        True,
    ]


def test_facts_are_turned_round_and_about_half_of_the_prompts_show_them_so(
    tell_again: TellAgain,
) -> None:
    run, _ = tell_again(variation_generator_count=1, make_inferred_facts=False)
    (sheet,) = sheets(run)
    assert [fact.facts for fact in sheet.turned] == [(1,), (2,), (3,)]
    asked: list[Request] = run.asked  # type: ignore[attr-defined]
    shown = asked[-1].messages[-1].content
    assert ("[2] 812 metres is how long" in shown) != ("[2] The Arno Bridge is 812" in shown)
    requests = [request_variation(sheet, "list", one, 0, False, "") for one in range(40)]
    assert 10 < sum(one.facts[1] == sheet.turned[1] for one in requests) < 30


def test_a_figure_or_name_that_the_text_lacks_is_asked_again_then_failed(
    tell_again: TellAgain,
) -> None:
    thoughts, options = REPLIES["write_stream_of_thought"], {"make_inferred_facts": False}
    figure, name = thoughts.replace("812", "821"), thoughts.replace("Maud Ferris", "Ann Hill")
    script = {"write_stream_of_thought": [figure, name, thoughts]}
    run, asked = tell_again(script, variation_generator_count=8, **options)
    assert asked.count("write_stream_of_thought") == 3
    assert {one.text for one in told(run) if one.form == "stream_of_thought"} == {thoughts}
    assert len(told(run)) == 8

    wrong = figure.replace("Arno", "Brent")
    run, asked = tell_again(
        {"write_stream_of_thought": [wrong]},
        {"texts": ["Brent"]},
        variation_generator_count=8,
        **options,
    )
    assert asked.count("write_stream_of_thought") == 3
    assert count(run, "variations")["reasons"]["failed"] == {
        "a figure or name that the text lacks": 1
    }


def test_data_parses_and_is_asked_again_where_it_does_not(tell_again: TellAgain) -> None:
    twice = '{\n  "metres_long": 812,\n  "metres_long": 812\n}'
    run, asked = tell_again(
        {"write_structured_data": [twice, REPLIES["write_structured_data"]]},
        variation_generator_count=8,
        make_inferred_facts=False,
    )
    by_form = {one.form: one.text for one in told(run)}
    assert json.loads(by_form["structured_data"])["metres_long"] == 812
    assert ElementTree.fromstring(by_form["markup"]).tag == "entry"
    assert asked.count("write_structured_data") == 2


def test_a_second_run_asks_nothing_and_judges_are_shared_with_the_questions(
    tell_again: TellAgain,
) -> None:
    run, _ = tell_again(code_variation_functions=["allcaps"])
    before = [one.uuid for one in told(run)]
    again, asked = tell_again(code_variation_functions=["allcaps"])
    assert asked == []
    assert [one.uuid for one in told(again)] == before
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))
    assert status["pretraining"]["steps"]["judge_chunk"]["replayed_calls"] == 1


def test_switched_off_it_asks_nothing_and_the_mix_is_as_without_it(tell_again: TellAgain) -> None:
    run, asked = tell_again(enabled=False)
    assert asked == []
    assert not (run.folder / "live").exists()
    on, _ = tell_again(variation_generator_count=1)
    chunk = sheets(on)[0].chunk
    assert mix(on).keys() > {"text_chunks_texts"}
    off, _ = tell_again(enabled=False)
    asyncio.run(stages.mix(off))
    assert read_rows(off) == {"text_chunks_texts": [chunk.text.strip()]}


def test_switched_on_it_has_to_run_before_the_mix(tell_again: TellAgain) -> None:
    run, _ = tell_again()
    (run.folder / "live" / f"{VARIATIONS}.json").unlink()
    with pytest.raises(RunFolderError, match="Run the stage before this one first"):
        mix(run)


def test_rows_begin_with_subject_and_source_where_they_are_to(tell_again: TellAgain) -> None:
    run, _ = tell_again(variation_generator_count=1)
    every = [text for texts in mix(run).values() for text in texts]
    assert all(text.startswith("Subject: Bridges\nSource: Arno\n\n") for text in every)
    chunk = sheets(run)[0].chunk

    def context(filenames: bool, **section: bool) -> str:
        system = run.config.system.model_copy(update={"use_filenames": filenames})
        told = run.config.representation_variation.model_copy(update=section)
        update = {"system": system, "representation_variation": told}
        return write_context(run.config.model_copy(update=update), chunk)

    assert context(True) == "Subject: Bridges\nSource: Arno\n\n"
    assert context(False) == "Subject: Bridges\n\n"
    assert context(True, include_context_in_dataset=False) == ""
    assert context(True, enabled=False) == ""


def test_the_manifest_and_the_config_list_every_file(tell_again: TellAgain) -> None:
    run, _ = tell_again(variation_generator_count=1)
    names = {f"{name}.jsonl" for name in mix(run)}
    folder = run.folder / "pretraining_run"
    manifest = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    assert names == {one["name"] for one in manifest["files"] if one["in_config"]}
    assert "written by a model" in manifest["checks"]
    config = (folder / "axolotl_pretraining_config.yaml").read_text(encoding="utf-8")
    assert all(f"path: {name}" in config for name in names)
    lines = (folder / "provenance" / "inferred_facts_texts.jsonl").read_text(encoding="utf-8")
    first, second = (json.loads(line) for line in lines.splitlines())
    assert first["facts"][0]["facts"] == [3, 4]
    assert (second["inferred"], second["chunk"]["source"]) == (True, "Arno")
    for one in (first, second):
        assert "text" not in {*one, *one["chunk"]}
        assert one["parts"] == [one["chunk"]["uuid"]]


def test_the_stage_and_the_datasets_hold_no_text_of_more_than_a_piece(
    tell_again: TellAgain, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = tell_again(bridges={"texts": ["Arno", "Brent", "Clyde"]}, variation_generator_count=2)
    made = asyncio.run(stages.write_pretraining(run))
    assert sorted(uuid for piece in made for uuid in piece) == [one.uuid for one in told(run)]
    read: list[int] = []

    def note(folder: Path, uuids: list[str], kind: type) -> list[Any]:
        read.append(len(uuids))
        return read_survivors(folder, uuids, kind)

    monkeypatch.setattr(variations, "read_survivors", note)
    assert len(mix(run)["representation_variation_texts"]) == 3 * (1 + 1 + 2)
    assert max(read) == 2


@pytest.mark.parametrize(
    ("verdicts", "pieces"), [(["facts", "no facts"], 1), (["no facts", "no facts"], 0)]
)
def test_neighbours_are_composed_and_a_piece_needs_half_of_worthy_text(
    tell_again: TellAgain, tmp_path: Path, verdicts: list[str], pieces: int
) -> None:
    (tmp_path / "texts").mkdir()
    both = f"{TEXT.replace('Arno', 'Severn')}\n{TEXT}"
    (tmp_path / "texts" / "Two.txt").write_text(both, encoding="utf-8")
    lines = [f"[{number}] The Severn Bridge is 812 metres long." for number in (2, 6)]
    silent = [f"[{number}] Nothing." for number in (1, 3, 4, 5, 7, 8)]
    listed = "\n".join(sorted([*lines, *silent]))
    run, _ = tell_again(
        {
            "judge_chunk": [f"Holds: A bridge.\nVerdict: {verdict}" for verdict in verdicts],
            "list_facts": [listed],
        },
        {"texts": []},
        system={"chunk_size": 35},
        representation_variation_chunk_size=80,
        variation_generator_count=1,
    )
    assert [len(sheet.parts) for sheet in sheets(run)] == [2] * pieces
    assert ["Arno" in sheet.chunk.text for sheet in sheets(run)] == [True] * pieces
    assert count(run, "pieces")["in"] == 1


def test_what_a_person_deleted_or_edited_stays_so(tell_again: TellAgain) -> None:
    run, _ = tell_again(variation_generator_count=2)
    (sheet,) = sheets(run)
    before = told(run)
    file = run.folder / FACTS / f"{sheet.uuid}.json"
    value = json.loads(file.read_text(encoding="utf-8"))
    value["facts"][1]["text"] = "The Arno Bridge has a length of 812 metres."
    file.write_text(json.dumps(value), encoding="utf-8")
    (run.folder / VARIATIONS / f"{before[0].uuid}.json").unlink()
    run, asked = tell_again(variation_generator_count=2)
    assert all(step.startswith("write_") for step in asked)
    assert sheets(run)[0].facts[1].text == "The Arno Bridge has a length of 812 metres."
    assert {one.uuid for one in told(run)} == {one.uuid for one in before[1:]}
    rows = mix(run)
    assert "has a length of 812 metres." in rows["representation_variation_texts"][0]


def test_a_limit_takes_so_many_base_chunks(tell_again: TellAgain) -> None:
    run, asked = tell_again(
        bridges={"texts": ["Arno", "Brent", "Clyde"]}, limit=2, variation_generator_count=0
    )
    assert asked.count("judge_chunk") == asked.count("list_facts") == 2
    assert len(sheets(run)) == 2


@pytest.mark.parametrize("use_stop", [None, False])
def test_an_own_prompt_and_the_sections_use_stop_are_used(
    tell_again: TellAgain, tmp_path: Path, use_stop: bool | None
) -> None:
    own = (PROMPTS / "list_facts.yaml").read_text(encoding="utf-8") + 'stop: ["###"]\n'
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "list_facts.yaml").write_text(own, encoding="utf-8")
    run, _ = tell_again(
        path={"prompts": "own"},
        representation_variation_use_stop=use_stop,
        variation_generator_count=0,
    )
    asked: list[Request] = run.asked  # type: ignore[attr-defined]
    (stop,) = [one.stop for one in asked if step_of(one) == "list_facts"]
    assert stop == (("###",) if use_stop is None else ())


def test_what_is_told_of_facts_that_a_person_deleted_is_no_row(tell_again: TellAgain) -> None:
    run, _ = tell_again(bridges={"texts": ["Arno", "Brent"]}, variation_generator_count=1)
    mix(run)
    (arno,) = [sheet for sheet in sheets(run) if sheet.chunk.source == "Arno"]
    (run.folder / FACTS / f"{arno.uuid}.json").unlink()
    asyncio.run(stages.mix(run))
    rows = read_rows(run)
    assert any("Arno" in text for text in rows["text_chunks_texts"])
    for name in ("representation_variation_texts", "inferred_facts_texts"):
        assert not any("Arno" in text for text in rows[name])
        assert any("Brent" in text for text in rows[name])


def test_of_a_deleted_chunk_nothing_is_told_and_an_edited_one_is_told_as_edited(
    tell_again: TellAgain,
) -> None:
    bridges = {"texts": ["Arno", "Brent", "Clyde"]}
    options = {"variation_generator_count": 1, "make_inferred_facts": False}
    run, _ = tell_again(bridges=bridges, **options)
    mix(run)
    folder = run.folder / "worthy_for_questions"
    chunks = {one.source: one for one in run.survivors("worthy_for_questions", Chunk)}
    (folder / f"{chunks['Arno'].uuid}.json").unlink()
    edited = folder / f"{chunks['Brent'].uuid}.json"
    value = json.loads(edited.read_text(encoding="utf-8"))
    value["text"] = value["text"].replace("812", "815")
    edited.write_text(json.dumps(value), encoding="utf-8")

    asyncio.run(stages.mix(run))  # the pretraining stage has not seen it yet
    assert not any("Arno" in text for texts in read_rows(run).values() for text in texts)

    reply = TOLD.replace("812", "815").replace("Arno", "Brent")
    run, _ = tell_again({"list_facts": [reply, TOLD]}, bridges, **options)
    assert sorted(sheet.chunk.source for sheet in sheets(run)) == ["Brent", "Clyde"]
    assert {sheet.chunk.text.count("815") for sheet in sheets(run)} == {0, 1}
    assert count(run, "chunks")["reasons"]["rejected"] == {"deleted by hand": 1}


def test_too_few_kept_pieces_end_the_stage(
    tell_again: TellAgain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation_functions.steps.stage_pass.FIRST_ITEMS", 2)
    bad = "\n".join(f"[{number}] Nothing." for number in range(1, 5))
    with pytest.raises(TooFewKept, match="of the first 2 pieces only 0 gave anything"):
        tell_again({"list_facts": [bad]}, {"texts": ["Arno", "Brent", "Clyde"]}, abort_below=0.5)


def test_code_variations_are_rows_of_their_own_and_stay_the_same(tell_again: TellAgain) -> None:
    options: dict[str, Any] = {
        "variation_generator_count": 8,
        "make_inferred_facts": False,
        "code_variation_functions": ["allcaps", "snakecase"],
        "code_variation_rate": 1.0,
    }
    run, _ = tell_again(**options)
    changed = [one for one in told(run) if one.code]
    assert {one.code for one in changed} == {"allcaps", "snakecase"}
    assert {one.form for one in changed} == {"text", *FORMS} - {"markup", "structured_data"}
    assert all("812" in one.text for one in changed if one.form == "text")
    assert len(mix(run)["representation_variation_texts"]) == 2 + 8 + 2 * (1 + 6)
    again, _ = tell_again(**options)
    assert [one.uuid for one in told(again)] == [one.uuid for one in told(run)]


def test_the_config_knows_every_code_variation() -> None:
    def config(names: list[str]) -> Config:
        return Config.model_validate(
            {
                "path": {"input_dirs": [{"path": "a"}], "output_dir": "b"},
                "models": {"small": {"gguf": "a"}, "large": {"gguf": "a"}},
                "dataset_context": "x",
                "representation_variation": {"code_variation_functions": names},
            }
        )

    assert set(get_args(CodeVariation)) == set(CODE_VARIATIONS)
    assert config(list(CODE_VARIATIONS)).representation_variation.enabled is False
    with pytest.raises(ValueError, match="allcap"):
        config(["allcap"])


def test_pieces_without_a_fact_are_asked_about_again_and_then_told(tell_again: TellAgain) -> None:
    bad = "\n".join(f"[{number}] Nothing." for number in range(1, 5))
    options = {"variation_generator_count": 1, "make_inferred_facts": False}
    run, asked = tell_again({"list_facts": [bad] * 4}, **options)
    assert sheets(run) == []
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))["pretraining"]
    assert status["findings"]["gaps"] == {"rounds": 0, "left": 1}
    run, asked = tell_again(gaps=True, **options)
    assert asked.count("list_facts") == 1
    (again,) = [one for one in run.asked if step_of(one) == "list_facts"]  # type: ignore[attr-defined]
    assert "Of the sentences 1, 2, 3, 4 no fact is known yet." in again.messages[-1].content
    assert len(sheets(run)) == len(told(run)) == 1
    made = told(run)
    run, asked = tell_again(**options)
    assert asked == []
    assert told(run) == made
    (run.folder / FACTS / f"{sheets(run)[0].uuid}.json").unlink()
    run, asked = tell_again(gaps=True, **options)
    assert asked == []
    assert sheets(run) == []
