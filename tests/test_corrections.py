"""Corrections: wrong answers proved wrong, doubts, standing firm, rows and their masks."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from masking import (
    ask_length,
    ask_nests,
    make_chunk,
    make_config,
    open_masked_run,
    reply,
    step_of,
    tell,
)

from generation_functions import stages
from generation_functions.datasets.masked_files import CORRECTION_ROWS, write_corrections
from generation_functions.datasets.masked_rows import correction_turns, make_correction_format
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.engine.tokens import count_words
from generation_functions.errors import ConfigError, RunFolderError, Unparsable
from generation_functions.masked import Correction
from generation_functions.pipelines import corrections
from generation_functions.pipelines.correction_steps import (
    OF_RIGHT,
    OF_WRONG,
    STAND_FIRM,
    WRITE_CORRECTION,
    DoubtRequest,
    find_difference,
)
from generation_functions.session import open_run
from generation_functions.steps.run import Run

TEXTS = {"north": {f"Bridge {n}": tell(n) for n in range(6)}}
CHUNK = make_chunk(0)
LENGTH, NESTS = ask_length(CHUNK), ask_nests(CHUNK)
WRONG = "The Arno Bridge is 99 metres long."
SILENT = {"think_aloud": False}
RIGHT = Correction("u", LENGTH, WRONG, "Really?", f"No. {LENGTH.answer}", "asks", firm=False)


def open_correction_run(folder: Path, **sections: Any) -> tuple[Run, ScriptedEngine]:
    settings = {"enabled": True, **sections.pop("correction_pipeline", {})}
    return open_masked_run(folder, TEXTS, correction_pipeline=settings, **sections)


def correct(run: Run) -> list[Correction]:
    asyncio.run(stages.write_corrections(run))
    return run.survivors(corrections.CORRECTIONS, Correction)


def status_of(run: Run, stage: str) -> dict[str, Any]:
    text = (run.folder / "status.json").read_text(encoding="utf-8")
    return dict(json.loads(text)[stage])


def test_off_it_does_nothing(tmp_path: Path, prompts_once: None) -> None:
    run, engine = open_masked_run(tmp_path, TEXTS)
    assert asyncio.run(stages.write_corrections(run)) == []
    assert engine.requests == []


def test_a_wrong_answer_is_voted_wrong_and_set_right_by_the_vetted_one(
    tmp_path: Path, prompts_once: None
) -> None:
    run, engine = open_correction_run(tmp_path, correction_pipeline={"stand_firm_share": 0.0})
    made = correct(run)
    assert len(made) == 6
    assert Counter(map(step_of, engine.requests)) == {
        "write_correction": 6,
        "check_answer_accuracy": 6,
    }
    for one in made:
        assert "99 metres" in one.first
        assert one.last == f"You are right, that was wrong. {one.pair.answer}"
        assert one.manner in OF_WRONG
    assert status_of(run, "corrections")["steps"].keys() == {"write_correction"}
    apart = status_of(run, "corrections")["apart"]["check_answer_accuracy, wrong answers"]
    assert apart["rejected"] == 6


def test_an_answer_that_is_not_wrong_is_rejected(tmp_path: Path, prompts_once: None) -> None:
    def script(request: Request) -> str:
        if step_of(request) == "check_answer_accuracy":
            return "Verdict: yes"
        again = "This will not do" in request.messages[-1].content
        return reply(request).replace("99", "98" if again else "99")

    run, engine = open_correction_run(
        tmp_path, script=script, correction_pipeline={"stand_firm_share": 0.0},
        questions={"repairs": 1},
    )  # fmt: skip
    assert correct(run) == []
    written = [one for one in engine.requests if step_of(one) == "write_correction"]
    assert ["This will not do" in one.messages[-1].content for one in written].count(True) == 6
    counted = status_of(run, "corrections")["pipelines"]["corrections"]
    assert counted["reasons"]["rejected"] == {corrections.NOT_WRONG: 6}


def test_a_wrong_answer_that_was_voted_right_is_written_anew(
    tmp_path: Path, prompts_once: None
) -> None:
    def script(request: Request) -> str:
        asked = request.messages[-1].content
        if step_of(request) == "check_answer_accuracy":
            return "Verdict: yes" if "99 metres" in asked else "Verdict: no\nReason: It is not."
        return reply(request).replace("99", "98" if "since it agrees" in asked else "99")

    run, _ = open_correction_run(
        tmp_path, script=script, correction_pipeline={"stand_firm_share": 0.0}
    )
    assert ["98 metres" in one.first for one in correct(run)] == [True] * 6


def test_a_share_stands_firm_and_says_the_answer_again(tmp_path: Path, prompts_once: None) -> None:
    run, engine = open_correction_run(tmp_path, correction_pipeline={"stand_firm_share": 1.0})
    for one in correct(run):
        assert one.firm
        assert one.first == one.pair.answer
        assert one.last.startswith("It is so all the same. Of the ")
        assert one.manner in OF_RIGHT
    assert Counter(map(step_of, engine.requests)) == {"stand_firm": 6, "check_answer_accuracy": 6}


def test_what_is_said_again_must_agree_with_the_text(tmp_path: Path, prompts_once: None) -> None:
    def script(request: Request) -> str:
        check = step_of(request) == "check_answer_accuracy"
        return "Verdict: no\nReason: It is not so." if check else reply(request)

    run, engine = open_correction_run(
        tmp_path, script=script, correction_pipeline={"stand_firm_share": 1.0},
        questions={"repairs": 2},
    )  # fmt: skip
    assert correct(run) == []
    assert Counter(map(step_of, engine.requests))["stand_firm"] == 18


def test_firm_ones_come_in_their_share_and_doubts_vary() -> None:
    pairs = [replace(LENGTH, uuid=str(n), chunk=replace(CHUNK, uuid=str(n))) for n in range(400)]
    config = make_config(correction_pipeline={"stand_firm_share": 0.25})
    plans = list(corrections.plan_corrections(pairs, config))
    assert sum(plan.firm for plan in plans) == 100
    assert {plan.manner for plan in plans} == {*OF_WRONG, *OF_RIGHT}
    assert Counter(plan.manner for plan in plans).most_common(1)[0][1] < 90
    assert plans == list(corrections.plan_corrections(pairs, config))


def test_a_chunk_has_so_many_corrections_each_of_another_pair() -> None:
    pairs = [LENGTH, NESTS]
    once = list(corrections.plan_corrections(pairs, make_config()))
    assert len(once) == 1
    more = make_config(correction_pipeline={"corrections_per_chunk": 5})
    assert [plan.pair for plan in corrections.plan_corrections(pairs, more)] == pairs


def test_directories_have_their_own_subsets() -> None:
    chunks = [make_chunk(n % 10, directory="ns"[n // 10]) for n in range(20)]
    dirs = [{"path": "n", "name": "n", "correction_use_subset": True, "correction_subset_size": 3},
            {"path": "s", "name": "s"}]  # fmt: skip
    config = make_config(path={"input_dirs": dirs})
    plans = corrections.plan_corrections([ask_length(chunk) for chunk in chunks], config)
    assert Counter(plan.pair.chunk.directory for plan in plans) == {"n": 3, "s": 10}


def test_a_mix_before_the_stage_has_ended_is_an_error(tmp_path: Path, prompts_once: None) -> None:
    run, _ = open_correction_run(tmp_path)
    with pytest.raises(RunFolderError, match=r"corrections: not there yet"):
        asyncio.run(stages.mix(run))


def test_run_again_it_asks_nothing_and_keeps_the_same(tmp_path: Path, prompts_once: None) -> None:
    run, _ = open_correction_run(tmp_path, correction_pipeline={"stand_firm_share": 0.5})
    before = correct(run)
    engine = ScriptedEngine(reply)
    again = open_run(tmp_path / "config.yaml", {"small": engine, "large": engine})
    again.progress = False
    assert correct(again) == before
    assert engine.requests == []


def test_without_votes_code_alone_decides(tmp_path: Path, prompts_once: None) -> None:
    run, engine = open_correction_run(tmp_path, questions={"double_check_counter": 0})
    assert len(correct(run)) == 6
    assert "check_answer_accuracy" not in set(map(step_of, engine.requests))


def test_the_section_says_how_its_prompts_are_sent(tmp_path: Path, prompts_once: None) -> None:
    run, engine = open_correction_run(
        tmp_path, correction_pipeline={"correction_completion_mode": True}
    )
    correct(run)
    written = [one for one in engine.requests if step_of(one) != "check_answer_accuracy"]
    assert all(request.completion_mode for request in written)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (LENGTH.answer, "right answer"),
        ("The Arno Bridge is 1,000 metres long.", "says"),
        ("1000 metres, the Arno Bridge is long.", "right"),
        ("The Arno Bridge is made of granite.", "does not give what the question asks for"),
        (WRONG, ""),
        ("The Arno Bridge is only 12 metres long.", ""),
    ],
)
def test_code_tells_whether_an_answer_can_be_wrong(wrong: str, why: str) -> None:
    assert why in find_difference(LENGTH, wrong)
    assert bool(find_difference(LENGTH, wrong)) == bool(why)


def test_an_answer_turned_round_can_be_wrong() -> None:
    text = "In autumn the workers drive the drones out of the hive. Drones gather no honey."
    chunk = make_chunk(0, text)
    right = "In autumn the workers drive the drones out of the hive."
    pair = replace(LENGTH, chunk=chunk, question="Who drives out whom in autumn?", answer=right,
                   quote=right)  # fmt: skip
    assert not find_difference(pair, "In autumn the drones drive the workers out of the hive.")
    assert find_difference(pair, "The workers drive the drones out.")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Doubt": "It is 1000 metres, is it not?"}, "gives the right answer away"),
        ({"Admits": "It was Maud Ferris who made me wrong."}, "facts of its own"),
        ({"Admits": "So be it."}, "does not admit"),
        ({"Wrong": "According to the passage, it is 99 metres."}, "speaks of the text"),
        ({"Wrong": LENGTH.answer}, "right answer"),
        ({"Doubt": "Правда?"}, "another script"),
    ],
)
def test_a_mistake_of_no_use_is_asked_again(changes: dict[str, str], why: str) -> None:
    parts = {"Changed": "Much.", "Wrong": WRONG, "Doubt": "Is it?", "Admits": "I was wrong."}
    request = DoubtRequest(LENGTH, OF_WRONG[0])
    assert WRITE_CORRECTION.parse(request, _say(parts)).wrong == WRONG
    with pytest.raises(Unparsable, match=why):
        WRITE_CORRECTION.parse(request, _say({**parts, **changes}))


def test_who_knows_better_may_say_what_is_right() -> None:
    parts = {"Changed": "x.", "Wrong": WRONG, "Doubt": "1000 metres!", "Admits": "I was wrong."}
    assert WRITE_CORRECTION.parse(DoubtRequest(LENGTH, OF_WRONG[-1]), _say(parts))
    with pytest.raises(Unparsable, match="gives the right answer away"):
        WRITE_CORRECTION.parse(DoubtRequest(LENGTH, OF_WRONG[0]), _say(parts))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Stays": "You are right, I was mistaken."}, "gives in"),
        ({"Answer": LENGTH.answer}, "only says the same again"),
        ({"Answer": "The Arno Bridge has a length of 1001 metres."}, "answer given again"),
        ({"Answer": "The Arno Bridge is long, and it is made of granite."}, "answer given again"),
        ({"Stays": "Maud Ferris says so."}, "facts of its own"),
    ],
)
def test_standing_firm_gives_the_same_facts_again(changes: dict[str, str], why: str) -> None:
    again = "The length of the Arno Bridge is 1000 metres."
    parts = {"Doubt": "Is it?", "Stays": "It is.", "Answer": again}
    request = DoubtRequest(LENGTH, OF_RIGHT[0])
    assert STAND_FIRM.parse(request, _say(parts)).answer == again
    with pytest.raises(Unparsable, match=why):
        STAND_FIRM.parse(request, _say({**parts, **changes}))


def _say(parts: dict[str, str]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in parts.items())


def test_everything_but_the_wrong_answer_is_trained() -> None:
    config = make_config(system={"shared_instruction": "Be exact."}, factual_sft_settings=SILENT)
    made = make_correction_format(config).segments(correction_turns(RIGHT, config))
    assert [one.label for one in made] == [True, False, True]
    assert made[0].text.startswith("<s>Instruction: Be exact.\n")
    assert made[0].text.endswith("Human: How long is the Arno Bridge? **Finished.**\nAI:")
    assert made[1].text == f" {WRONG} **Finished.**\n"
    assert made[2].text == f"Human: Really? **Finished.**\nAI: {RIGHT.last} **Finished.**</s>"


def test_right_answers_think_aloud_and_wrong_ones_do_not() -> None:
    wrong, last = (one.turn.text for one in correction_turns(RIGHT, make_config())[2::2])
    assert wrong == WRONG
    assert last == (f"Thought Process:\nFrom Bridge 0: {LENGTH.quote}\n\nAnswer:\n{RIGHT.last}")
    firm = replace(RIGHT, first=LENGTH.answer, firm=True)
    nameless = make_config(system={"use_filenames": False})
    first, _ = (one.turn.text for one in correction_turns(firm, nameless)[2::2])
    assert first == f"Thought Process:\n{LENGTH.quote}\n\nAnswer:\n{LENGTH.answer}"


def test_a_right_answer_that_is_stood_by_is_trained_whole() -> None:
    firm = replace(RIGHT, first=LENGTH.answer, firm=True)
    made = make_correction_format(make_config()).segments(correction_turns(firm, make_config()))
    assert [one.label for one in made] == [True]


def test_rows_are_an_array_in_a_file_for_each_directory(tmp_path: Path, prompts_once: None) -> None:
    run, _ = open_correction_run(tmp_path)
    made = {one.uuid: one for one in correct(run)}
    asyncio.run(stages.mix(run))
    sft = run.folder / "sft_run"
    name = "axolotl_correction_conversations_north.json"
    rows = json.loads((sft / name).read_text(encoding="utf-8"))
    lines = (sft / "provenance" / f"{name}l").read_text(encoding="utf-8").splitlines()
    assert len(rows) == len(lines) == 6
    for row, line in zip(rows, lines, strict=True):
        origin = json.loads(line)
        one = made[origin["uuid"]]
        assert origin["doubt"] == one.doubt
        assert origin["trained"][-1].endswith(f"\nAnswer:\n{one.last}")
        assert (len(origin["trained"]) == 5) == one.firm
        assert any(not part["label"] for part in row["segments"]) != one.firm
    config = yaml.safe_load((sft / "sft_training_config.yaml").read_text(encoding="utf-8"))
    assert {"path": name, "ds_type": "json", "type": "input_output"} in config["datasets"]


def test_rows_that_do_not_fit_are_left_out_and_counted(tmp_path: Path) -> None:
    noted: list[tuple[str, str]] = []
    long = replace(RIGHT, uuid="long", doubt="why " * 300)
    config = make_config(model_training={"sequence_len": 200})
    entries = write_corrections(
        tmp_path, [RIGHT, long], config, count_words,
        lambda label, _, rejected: noted.append((label, rejected)),
    )  # fmt: skip
    assert [entry.rows for entry in entries] == [1, 1]
    assert {label for label, _ in noted} == {CORRECTION_ROWS}
    assert sorted(rejected for _, rejected in noted) == ["", "longer than the training context"]


def test_a_directory_that_the_config_no_longer_names_is_an_error(tmp_path: Path) -> None:
    stray = replace(RIGHT, pair=ask_length(make_chunk(0, directory="elsewhere")))
    with pytest.raises(RunFolderError, match="elsewhere"):
        write_corrections(tmp_path, [stray], make_config(), count_words, lambda *_: None)


def test_corrections_may_have_a_template_of_their_own(tmp_path: Path) -> None:
    own = "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
    config = make_config(correction_pipeline={"correction_prompt_template": own})
    made = make_correction_format(config).segments(correction_turns(RIGHT, config))
    assert made[1].text == f"<assistant>{WRONG}\n"
    bad = make_config(correction_pipeline={"correction_prompt_template": "{{ messages[9] }}"})
    with pytest.raises(ConfigError, match="correction_prompt_template"):
        make_correction_format(bad)
