"""The dataset of a run's own calls: which rows there are, what they train, and that they load."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pytest
import yaml
from conftest import OpenRun
from scripted_run import friendly_reply

from generation_functions import stages
from generation_functions.calls import Call, Worse
from generation_functions.config import Config
from generation_functions.datasets.meta import FOLDER, write_meta
from generation_functions.datasets.meta_rows import make_row, thin_examples
from generation_functions.datasets.templates import ROLES, make_template
from generation_functions.display.meta import show_meta
from generation_functions.engine.protocol import Completion, Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import RunFolderError
from generation_functions.steps.calls import list_calls, read_calls
from generation_functions.steps.run import Run

CUT = "Sentences: 1\nAnswer: It was"
NO = "Verdict: no\nReason: The text does not say that."
WORSE = (Worse("maybe", "unusable", "unknown verdict"), Worse("no", "outvoted", ""))
EXAMPLES = (("A text.", "facts"), ("Contents", "contents list"), ("§ 1", "licence"))
CALL = Call("judge_chunk", "u1", "kept", "Judge it.", EXAMPLES, "The text", "facts", WORSE)


class Wavering:
    """Cuts the first reply about each chunk's questions, and has one vote of three say no."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.answered: set[tuple[tuple[tuple[str, str], ...], str]] = set()

    def __call__(self, request: Request) -> str | Completion:
        said = self.reply(request)
        shown = tuple((one.role, one.content) for one in request.messages)
        self.answered.add((shown, (said if isinstance(said, str) else said.text).strip()))
        return said

    def reply(self, request: Request) -> str | Completion:
        asked = request.messages[-1].content
        self.asked[asked] += 1
        if asked.endswith("about this.") and self.asked[asked] == 1:
            return Completion(CUT, "length", 9, 0, 4, 0.1)
        if asked.endswith("Does the text answer the whole question?") and self.asked[asked] == 1:
            return NO
        return friendly_reply(request)


def make_config(**meta: object) -> Config:
    return Config.model_validate(
        {
            "path": {"input_dir": "texts", "output_dir": "run"},
            "models": {"small": {"gguf": "a.gguf"}, "large": {"gguf": "a.gguf"}},
            "dataset_context": "Bridges",
            "meta_datagen": {"do_meta_datagen": True, "example_share": 1, **meta},
        }
    )


def write(folder: Path, calls: Iterable[Call], **meta: object) -> Path:
    write_meta(folder, calls, make_config(**meta), lambda text: len(text.split()))
    return folder / FOLDER


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


async def make_pairs_and_meta(run: Run) -> None:
    for name in ("questions", "characters", "conversations", "mix", "meta"):
        await stages.STAGES[name](run, None)


@pytest.mark.parametrize(
    ("form", "field", "role", "content"),
    [("messages", "messages", "role", "content"), ("sharegpt", "conversations", "from", "value")],
)
def test_a_row_has_the_whole_prompt_and_trains_the_reply_alone(
    tmp_path: Path, form: str, field: str, role: str, content: str
) -> None:
    (row,) = read(write(tmp_path, [CALL], format=form) / "meta_dataset.jsonl")
    said = row[field]
    assert [one["train"] for one in said] == [False] * 8 + [True]
    shown = [text for example in EXAMPLES for text in example]
    assert [one[content] for one in said] == ["Judge it.", *shown, "The text", "facts"]
    assert {one[role] for one in said} in (
        {"system", "user", "assistant"},
        {"system", *"human gpt".split()},
    )


def test_a_row_of_segments_is_the_template_s_text_and_trains_the_reply_and_its_end(
    tmp_path: Path,
) -> None:
    config = make_config(format="segments")
    template = make_template(config)
    row: Any = make_row(CALL, config, template)
    labels = [one["label"] for one in row["segments"]]
    assert labels == [False, True]
    masked, trained = (one["text"] for one in row["segments"])
    assert masked.startswith("<s>Instruction: Judge it.")
    assert masked.endswith("Human: The text **Finished.**\nAI:")
    assert trained == " facts **Finished.**</s>"


def test_examples_are_thinned_by_seed_one_by_one() -> None:
    calls = [replace(CALL, uuid=f"u{number}") for number in range(400)]
    halves = [thin_examples(call, 0.5, 3) for call in calls]
    counts = Counter(len(call.examples) for call in halves)
    assert set(counts) == {0, 1, 2, 3}
    assert 0.43 < sum(len(call.examples) for call in halves) / 1200 < 0.57
    assert halves == [thin_examples(call, 0.5, 3) for call in calls]
    fewer = [set(thin_examples(call, 0.2, 3).examples) for call in calls]
    assert all(some <= set(call.examples) for some, call in zip(fewer, halves, strict=True))
    assert thin_examples(CALL, 1, 3) == CALL
    assert thin_examples(CALL, 0, 3).examples == ()


def test_both_replies_of_a_preference_answer_one_prompt_which_is_the_row_s_own(
    tmp_path: Path,
) -> None:
    folder = write(tmp_path, [CALL], example_share=0.5)
    (row,), pairs = read(folder / "meta_dataset.jsonl"), read(folder / "meta_dpo.jsonl")
    prompt = [{key: one[key] for key in ("role", "content")} for one in row["messages"][:-1]]
    assert [pair["prompt"] for pair in pairs] == [prompt, prompt]
    assert [pair["chosen"][0]["content"] for pair in pairs] == ["facts", "facts"]
    assert [pair["rejected"][0]["content"] for pair in pairs] == ["maybe", "no"]
    origins = read(folder / "provenance" / "meta_dpo.jsonl")
    assert [one["rejected"]["use"] for one in origins] == ["unusable", "outvoted"]


@pytest.mark.parametrize("form", ["messages", "sharegpt", "segments"])
def test_the_files_load_as_datasets_with_the_columns_that_the_readme_names(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replace(CALL, uuid="u2", system="", examples=(), worse=())
    folder = write(tmp_path, [CALL, plain], format=form)
    text = (folder / "README.md").read_text(encoding="utf-8")
    first, second = (yaml.safe_load(part.split("```")[0]) for part in text.split("```yaml")[1:])
    for keys, columns in ((first, None), (second, {"prompt", "chosen", "rejected"})):
        (entry,) = keys["datasets"]
        loaded = datasets.load_dataset(
            "json",
            data_files=str(folder / entry["path"]),
            split="train",
            cache_dir=str(tmp_path / "cache"),
        )
        assert len(loaded) == 2
        named = {value for key, value in entry.items() if key.startswith("field_")}
        assert named <= set(loaded.column_names) == (columns or set(loaded.column_names))


def test_the_same_calls_give_the_same_bytes_and_a_person_s_file_stays(tmp_path: Path) -> None:
    folder = write(tmp_path, [CALL])
    before = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    write(tmp_path, [CALL])
    assert {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunFolderError, match=r"mine\.txt"):
        write(tmp_path, [CALL])


def test_a_final_no_is_learnt_unless_it_is_not_wanted(tmp_path: Path) -> None:
    no = replace(CALL, uuid="u2", result="rejected", reply="contents list", worse=())
    lost = replace(CALL, uuid="u3", reply="")
    assert len(read(write(tmp_path, [CALL, no, lost]) / "meta_dataset.jsonl")) == 2
    folder = write(tmp_path, [replace(CALL, worse=()), no], with_rejected=False)
    assert len(read(folder / "meta_dataset.jsonl")) == 1
    assert not list(folder.rglob("meta_dpo.jsonl"))
    with pytest.raises(RunFolderError, match="no call has a reply to learn from"):
        write(tmp_path, [lost])
    assert len(read(folder / "meta_dataset.jsonl")) == 1


def test_a_run_s_calls_are_what_was_sent_and_planted_pairs_are_none_of_them(
    open_small_run: OpenRun,
) -> None:
    script = Wavering()
    engine = ScriptedEngine(script)
    run = open_small_run(
        engine,
        questions={"double_check_counter": 3, "planted_pairs": 2},
        meta_datagen={"do_meta_datagen": True, "example_share": 1},
    )
    asyncio.run(make_pairs_and_meta(run))
    sent = {tuple((one.role, one.content) for one in each.messages) for each in engine.requests}
    calls = list(read_calls(run.folder, True, (), None))
    assert {call.step for call in calls} == set(list_calls(run.folder))
    for call in calls:
        assert tuple((ROLES[one.speaker], one.text) for one in call.prompt) in sent
    by_step = {call.step: call for call in calls}
    assert by_step["write_questions"].worse == (Worse(CUT, "unusable", "truncated at max_tokens"),)
    check = by_step["check_question"]
    assert (check.reply, check.worse) == ("Verdict: yes\nWords: it", (Worse(NO, "outvoted", ""),))
    planted = {
        path.stem
        for path in (run.folder / "check_question").glob("*.json")
        if json.loads(path.read_text(encoding="utf-8")).get("counted")
    }
    assert planted
    assert planted.isdisjoint(call.uuid for call in calls)
    pairs = read(run.folder / FOLDER / "meta_dpo.jsonl")
    assert len(pairs) >= 2
    for pair in pairs:
        shown = tuple((one["role"], one["content"]) for one in pair["prompt"])
        for one in (pair["chosen"], pair["rejected"]):
            assert (shown, one[0]["content"]) in script.answered


def test_only_calls_on_the_way_to_a_row_are_left(open_small_run: OpenRun) -> None:
    run = open_small_run(
        ScriptedEngine(friendly_reply),
        meta_datagen={"do_meta_datagen": True, "only_kept": True},
    )
    asyncio.run(make_pairs_and_meta(run))
    origins = run.folder / FOLDER / "provenance" / "meta_dataset.jsonl"
    every = {(one["step"], one["uuid"]) for one in read(origins)}
    pair = run.require("qatuples_revised")[0]
    (run.folder / "qatuples_revised" / f"{pair}.json").unlink()
    for path in (run.folder / "multiturn_convs").glob("*.json"):
        path.unlink()
    asyncio.run(make_meta_again(run))
    left = {(one["step"], one["uuid"]) for one in read(origins)}
    gone = every - left
    assert left < every
    assert {step for step, _ in gone} >= {"write_conversation", "check_question"}
    assert ("check_question", pair) in gone


async def make_meta_again(run: Run) -> None:
    await stages.mix(run)
    await stages.write_meta_dataset(run)


def test_a_step_that_nobody_asked_is_named(open_small_run: OpenRun) -> None:
    run = open_small_run(meta_datagen={"do_meta_datagen": True, "steps": ["write_poem"]})
    with pytest.raises(RunFolderError, match="write_poem, which no stage has asked"):
        asyncio.run(stages.write_meta_dataset(run))


def test_what_the_exam_asked_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    for stage, uuid in (
        ("questions", "a"),
        ("exam", "b"),
        ("exam_score", "c"),
        ("exam_cards", "d"),
    ):
        asked = json.dumps({"check_question": [uuid]})
        (tmp_path / "live" / f".asked_{stage}.json").write_text(asked, encoding="utf-8")
    assert list_calls(tmp_path) == {"check_question": ["a", "d"]}


def test_pairs_of_replies_are_shown_side_by_side_escaped(tmp_path: Path) -> None:
    assert "do_meta_datagen` is off" in show_meta(tmp_path).source
    hostile = replace(CALL, reply="<b>facts</b>")
    write(tmp_path, [hostile, hostile])
    shown = show_meta(tmp_path, most=3).source
    assert shown.count("&lt;b&gt;facts&lt;/b&gt;") == 3
    assert "not taken: unknown verdict" in shown
    assert "not taken: outvoted" in shown
