"""The parts of benchmarks/teaches.py that need no torch: packing, equal budgets, comparisons."""

import json
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import teaches
from benchmarks.teaching_data import (
    UNTRAINED,
    Phase,
    Sample,
    find_budget,
    make_sample,
    pack,
    plan_mix,
    plan_raw,
    read_samples,
    warm_up,
)
from benchmarks.teaching_results import (
    WRONG,
    Reply,
    bootstrap_mean,
    choose_options,
    choose_questions,
    compare_all,
    show_questions,
    summarize,
)
from generation_functions.pipelines.exam_answers import is_exact
from generation_functions.pipelines.exam_steps import HELD_OUT, TAUGHT, ExamQuestion
from generation_functions.records import Chunk

rows_of_tokens = st.lists(st.lists(st.integers(3, 9), max_size=9), min_size=1, max_size=6)


def encode(text: str) -> list[int]:
    return [len(word) for word in text.split()]


def sample(*tokens: int) -> Sample:
    return Sample(tokens, tokens)


def test_a_text_gets_bos_and_eos_and_a_segment_that_is_not_trained_on_is_masked() -> None:
    assert make_sample({"text": "to be or"}, encode, [1], [2]) == sample(1, 2, 2, 2, 2)
    segments = [{"label": False, "text": "who is"}, {"label": True, "text": "nobody"}]
    found = make_sample({"segments": segments}, encode, [1], [2])
    assert found.tokens == (3, 2, 6)
    assert found.labels == (UNTRAINED, UNTRAINED, 6)


@settings(max_examples=60, deadline=None)
@given(rows_of_tokens, st.integers(1, 7), st.integers(0, 3))
def test_blocks_have_one_length_and_every_epoch_has_every_token(
    rows: list[list[int]], length: int, seed: int
) -> None:
    samples = [sample(*row) for row in rows]
    total = sum(map(len, rows))
    if not total:
        with pytest.raises(ValueError, match="nothing to train on"):
            next(pack(samples, length, seed))
        return
    blocks = list(islice(pack(samples, length, seed), 3 * total))
    assert {len(block.tokens) for block in blocks} == {length}
    stream = [token for block in blocks for token in block.tokens]
    for epoch in range(2):
        assert sorted(stream[epoch * total : (epoch + 1) * total]) == sorted(
            token for row in rows for token in row
        )
    assert blocks == list(islice(pack(samples, length, seed), 3 * total))


def test_labels_stay_with_their_tokens_across_blocks() -> None:
    masked = Sample((1, 2, 3, 4, 5), (UNTRAINED, UNTRAINED, 3, 4, 5))
    for block in islice(pack([masked, sample(6, 7)], 3, 0), 9):
        pairs = zip(block.tokens, block.labels, strict=True)
        assert all(label == (UNTRAINED if token < 3 else token) for token, label in pairs)


def test_epochs_have_other_orders_by_the_seed() -> None:
    samples = [sample(number) for number in range(20)]
    first, second = (
        [block.tokens[0] for block in islice(pack(samples, 1, 0), start, start + 20)]
        for start in (0, 20)
    )
    assert sorted(first) == sorted(second)
    assert first != second


def write_run(folder: Path) -> Path:
    files = {
        "pretraining_run": {"text_chunks_a.jsonl": 6, "representation_variation_a.jsonl": 24},
        "sft_run": {"qatuples.jsonl": 10},
    }
    configs = {
        "pretraining_run": "axolotl_pretraining_config.yaml",
        "sft_run": "sft_training_config.yaml",
    }
    for name, texts in files.items():
        (folder / name).mkdir()
        for file, count in texts.items():
            line = json.dumps({"text": f"{file} {file} tells"})
            (folder / name / file).write_text(f"{line}\n" * count, encoding="utf-8")
        listed = [{"name": file, "in_config": True} for file in texts]
        listed.append({"name": "plain_qa_list.jsonl", "in_config": False})
        (folder / name / "MANIFEST.json").write_text(json.dumps({"files": listed}))
        config = {"learning_rate": 2e-5, "warmup_ratio": 0.1, "neftune_noise_alpha": 5}
        (folder / name / configs[name]).write_text(yaml.safe_dump(config))
    return folder


def read(files: list[Path]) -> list[Sample]:
    return read_samples(files, encode, [1], [2])


def test_both_trainings_have_equally_many_tokens_and_the_mix_has_both_folders(
    tmp_path: Path,
) -> None:
    run = write_run(tmp_path)
    raw, mix = plan_raw(run, read, 40), plan_mix(run, read, 40)
    assert [(phase.name, len(phase.samples), phase.blocks) for phase in raw] == [("chunks", 6, 40)]
    assert [(phase.name, len(phase.samples), phase.blocks) for phase in mix] == [
        ("pretraining_run", 30, 30),
        ("sft_run", 10, 10),
    ]


def test_the_budget_is_half_of_the_time_in_whole_batches() -> None:
    blocks = find_budget(minutes=75, tokens_per_second=400, length=512, batch=4)
    assert blocks % 4 == 0
    assert 0.85 < blocks * 512 / (75 * 60 / 2 * 400) < 0.9
    assert find_budget(0.001, 1, 512, 4) == 4


def test_the_learning_rate_rises_and_stays() -> None:
    rates = [warm_up(step, 40, 0.1) for step in range(40)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert set(rates[4:]) == {1.0}
    assert warm_up(0, 1, 0.1) == warm_up(0, 10, 0) == 1.0


CHUNK = Chunk("c", "d", "texts", "Bridges", "The deck is long.", 0, 17, 4)


def ask(number: int, answer: str, part: str = TAUGHT) -> ExamQuestion:
    return ExamQuestion(f"q{number}", part, f"What is {number}?", answer, (1,), "q", CHUNK)


EXAM = [ask(number, f"{number + 20} metres") for number in range(6)] + [
    ask(number, name)
    for number, name in enumerate(("Anders Moe", "Rape oil", "Oak", "Granite"), start=6)
]


def test_wrong_options_are_of_the_same_kind_where_there_are_enough() -> None:
    for question in EXAM:
        right, *wrong = choose_options(question, EXAM, 0)
        assert right == question.answer
        assert len(set(wrong)) == WRONG
        assert not any(is_exact(question, one) for one in wrong)
        counted = right.endswith("metres")
        assert all(one.endswith("metres") == counted for one in wrong)
    taught = [*EXAM, *(ask(number, "Pine", HELD_OUT) for number in range(20, 30))]
    assert all("Pine" not in choose_options(question, taught, 0) for question in EXAM)
    few = [ask(0, "12 metres"), ask(1, "Oak"), ask(2, "12 metres")]
    assert choose_options(few[0], few, 0) == ["12 metres", "Oak"]


def test_questions_are_drawn_from_each_part() -> None:
    exam = [*EXAM, *(ask(number, "Oak", HELD_OUT) for number in range(20, 30))]
    chosen = choose_questions(exam, 4, 0)
    assert [one.part for one in chosen] == [TAUGHT] * 4 + [HELD_OUT] * 4
    assert chosen == choose_questions(exam, 4, 0)


def test_of_two_exams_what_asks_the_same_is_asked_once(tmp_path: Path) -> None:
    for run, exam in (("one", EXAM[:6]), ("two", EXAM[4:])):
        (tmp_path / run / "exam").mkdir(parents=True)
        for one in exam:
            again = replace(one, uuid=f"{one.uuid}-{run}")
            text = json.dumps(asdict(again), ensure_ascii=False)
            (tmp_path / run / "exam" / f"{again.uuid}.json").write_text(text, encoding="utf-8")
        (tmp_path / run / "live").mkdir()
        live = json.dumps([f"{one.uuid}-{run}" for one in exam])
        (tmp_path / run / "live" / "exam.json").write_text(live, encoding="utf-8")
    found = teaches.read_exams([tmp_path / "one", tmp_path / "two"])
    assert sorted(one.question for one in found) == sorted(one.question for one in EXAM)
    assert len({one.uuid for one in found if one.uuid.endswith("-one")}) == 6


def reply(number: int, exact: bool, likelihood: float) -> Reply:
    return Reply(f"q{number}", TAUGHT, "x", exact, exact, likelihood)


def test_models_are_compared_on_the_same_questions() -> None:
    base = [reply(n, n % 10 == 0, -3.0) for n in range(200)]
    mix = [reply(n, n % 4 == 0, -2.5 + n % 3 / 10) for n in range(200)]
    rows = compare_all({"base": base, "mix": mix}, 0)
    assert [row["measure"] for row in rows] == ["exact", "chosen", "likelihood"]
    assert rows[0]["models"] == "mix - base"
    assert rows[0]["difference"] == "+15.0%"
    assert float(rows[0]["p"]) < 0.001
    low, high = (float(one.strip("%")) for one in rows[0]["interval"].split(" to "))
    assert 5 < low < 15 < high < 25
    assert rows[2]["difference"] == "+0.5995"
    assert summarize("base", base, tokens=7)["taught"]["exact"].startswith("10.0%")


def test_the_bootstrap_covers_the_mean_and_narrows_with_more_values() -> None:
    few, many = [0.0, 1.0] * 10, [0.0, 1.0] * 1000
    low, high = bootstrap_mean(few, 0)
    assert low < 0.5 < high
    narrow = bootstrap_mean(many, 0)
    assert narrow[1] - narrow[0] < (high - low) / 5
    assert bootstrap_mean(few, 0) == (low, high)


class FakeTrainee:
    """Stands in for a model; it stops after `fastest` blocks."""

    bos, eos = (1,), (2,)

    def __init__(self, fastest: int) -> None:
        self.fastest = fastest
        self.phases: list[Phase] = []
        self.asked: list[str] = []

    def encode(self, text: str) -> list[int]:
        return encode(text)

    def measure(self, length: int) -> float:
        return 100.0

    def train(self, phases: list[Phase], settings: Any, **given: Any) -> dict[str, float]:
        self.phases, self.settings, self.given = phases, settings, given
        return {"blocks": min(self.fastest, sum(one.blocks for one in phases)), "seconds": 60.0}

    def weigh(self, prompt: str, options: list[str]) -> list[float]:
        return [-1.0, *[-2.0] * (len(options) - 1)]

    def answer(self, prompt: str) -> str:
        self.asked.append(prompt)
        return "21 metres"


def test_a_slow_first_training_shortens_the_second_to_as_many_tokens(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    run = write_run(tmp_path / "run")
    work = tmp_path / "work"
    work.mkdir()
    options = teaches.parse([str(run), "--work", str(work), "--minutes", "10", "--length", "64"])
    slow, fast = FakeTrainee(fastest=20), FakeTrainee(fastest=10**9)
    first = teaches.train(slow, "raw", options)
    second = teaches.train(fast, "mix", options)
    assert first["tokens"] == second["tokens"] == 20 * 64
    assert slow.given["seconds"] == 300
    assert [phase.name for phase in fast.phases] == ["pretraining_run", "sft_run"]
    assert slow.settings[0] == {
        "learning_rate": 2e-5,
        "warmup_ratio": 0.1,
        "weight_decay": 0.0,
        "neftune_noise_alpha": 5.0,
    }
    other = teaches.parse([str(run), "--work", str(work), "--length", "32"])
    with pytest.raises(SystemExit, match="other settings"):
        teaches.train(fast, "mix", other)


def test_what_was_answered_is_not_asked_again_and_a_line_cut_off_is(tmp_path: Path) -> None:
    file, trainee = tmp_path / "base.jsonl", FakeTrainee(0)
    first = teaches.ask(trainee, EXAM[:3], file)
    assert [one.exact for one in first] == [False, True, False]
    assert all(one.chosen and one.likelihood == -1.0 for one in first)
    file.write_text(file.read_text(encoding="utf-8") + '{"uuid": "q3", "pa\n', encoding="utf-8")
    again = teaches.ask(trainee, EXAM[:4], file)
    assert again[:3] == first
    assert len(trainee.asked) == 4
    assert trainee.asked[0].endswith("Question: What is 0?\nAnswer:")


def test_the_prompt_is_plain_text_with_worked_examples() -> None:
    shown = show_questions([("Which metal is Au?", "Gold")], "Which is Ag?")
    assert shown == "Question: Which metal is Au?\nAnswer: Gold\n\nQuestion: Which is Ag?\nAnswer:"
