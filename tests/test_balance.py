"""The balance of the fine-tuning data: its arithmetic, the sample, and what is written."""

import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from generic import make_talk, write_jsonl
from hypothesis import given, settings
from hypothesis import strategies as st
from test_datasets import ATK, count_words, make_config, make_material, read_files, read_rows

from benchmarks import mix
from generation_functions.config import Config
from generation_functions.datasets.balance import (
    CORRECTIONS,
    DOMAIN,
    OF_ALL,
    OF_FLOOR,
    OF_MADE,
    RAG,
    Line,
    Part,
    Receipt,
    aim_generic,
    aim_pretraining,
    draw_up,
)
from generation_functions.datasets.balanced_files import Pool, write_balanced
from generation_functions.datasets.fitting import find_context, find_room
from generation_functions.datasets.generic_sources import prepare_generic
from generation_functions.datasets.manifest import name_counter
from generation_functions.datasets.mix import write_datasets
from generation_functions.datasets.pretraining import tell_nothing, write_pretraining_rows
from generation_functions.datasets.sampling import TokenSample, make_key
from generation_functions.datasets.tokenizing import find_cached
from generation_functions.datasets.turn_files import TurnRows
from generation_functions.display.balance import plot_balance, show_balance
from generation_functions.errors import ModelError, RunFolderError
from generation_functions.stages import taking

MATERIAL = make_material(12)
SIZES = [[1 + (7 * n) % 23 for n in range(50)], [40] * 30, [300, *[3] * 60, 900]]
AROUND = 6  # words that the question and the template put around an answer


def balance(folder: Path, config: Config) -> Receipt:
    material = replace(MATERIAL, generic=prepare_generic(config))
    receipt = write_datasets(folder, material, config, count_words).sft.balance
    assert receipt is not None
    return receipt


@pytest.fixture(scope="module")
def generic_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("generic")
    return [
        write_jsonl(
            folder / f"set_{name}.jsonl",
            [{"conversations": make_talk(words, n)} for n, words in enumerate(sizes)],
        )
        for name, sizes in enumerate(SIZES)
    ]


def configure(
    files: list[Path], percentages: list[float], minimum: int = 0, **system: Any
) -> Config:
    return make_config(
        system={"seed": 3, **system},
        final_datasaving_settings={
            "generic_dataset_paths": [{"path": str(file)} for file in files],
            "generic_dataset_percentages": percentages,
            "minimum_generic_sft": minimum,
        },
    )


def test_generic_sets_get_their_percentages_of_what_the_run_has_made() -> None:
    assert [one.tokens for one in aim_generic(1000, [50, 12.5, 0], 900)] == [500, 125, 0]
    assert {one.of for one in aim_generic(1000, [50], 1000)} == {OF_MADE}


def test_a_floor_is_shared_out_by_the_percentages() -> None:
    targets = aim_generic(1000, [60, 40], 5000)
    assert [one.tokens for one in targets] == [3000, 2000]
    assert {(one.base, one.of) for one in targets} == {(5000, OF_FLOOR)}


def test_pretraining_rows_are_a_percentage_of_all_with_themselves() -> None:
    target = aim_pretraining(900, 10, None)
    assert target is not None
    assert (target.tokens, target.percent, target.of) == (100, 10.0, OF_ALL)


def test_a_number_of_pretraining_tokens_goes_before_a_percentage() -> None:
    target = aim_pretraining(900, 50, 100)
    assert target is not None
    assert target.tokens == 100
    assert aim_pretraining(900, 50, 0) == aim_pretraining(900, None, 0)
    assert aim_pretraining(900, None, None) is None


def test_a_receipt_tells_what_was_asked_and_what_came() -> None:
    (target,) = aim_generic(1000, [50], 0)
    receipt = draw_up([Part(DOMAIN, 10, 1000), Part("chat", 3, 250, target, "no more")])
    domain, chat = receipt.lines
    assert (receipt.tokens, domain.share, domain.asked_tokens) == (1250, 80.0, None)
    assert (chat.asked_tokens, chat.asked_percent, chat.percent) == (500, 50.0, 25.0)
    assert (chat.share, chat.why_short) == (20.0, "no more")


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.integers(1, 60), max_size=80),
    wanted=st.integers(0, 2500),
    seed=st.integers(0, 99),
    fewest=st.sampled_from([1, 7, 4096]),
)
def test_a_sample_is_the_first_rows_of_the_drawn_order(
    rows: list[int], wanted: int, seed: int, fewest: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("generation_functions.datasets.sampling.FEWEST", fewest)
        sample = TokenSample(wanted)
        keys = [make_key(str(seed), [str(number)]) for number in range(len(rows))]
        for number, (key, tokens) in enumerate(zip(keys, rows, strict=True)):
            if sample.may_take(key):
                sample.add(number, key, tokens)
        chosen = sample.choose()
    order = sorted(range(len(rows)), key=lambda number: keys[number])
    assert set(chosen.numbers.tolist()) == set(order[: len(chosen.numbers)])
    assert chosen.tokens.tolist() == [rows[number] for number in chosen.numbers]
    assert sample.is_short == (sum(rows) < wanted)
    if sample.is_short:
        assert len(chosen.numbers) == len(rows)
    else:
        assert 2 * abs(chosen.total - wanted) <= max(rows, default=0)


def test_of_many_rows_only_those_that_may_be_taken_are_held() -> None:
    sample, held = TokenSample(50_000), 0
    for number in range(100_000):
        key = make_key("0", [str(number)])
        if sample.may_take(key):
            sample.add(number, key, 50)
            held = max(held, len(sample._keys))
    assert len(sample.choose().numbers) == 1000
    assert held < 8000


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory, generic_files: list[Path]) -> Pool:
    folder = tmp_path_factory.mktemp("pretraining")
    config = configure(generic_files, [1, 1, 1])
    entries = write_pretraining_rows(folder, MATERIAL.chunks, [], tell_nothing, config, count_words)
    return Pool(folder, entries, prepare_generic(config))


@settings(max_examples=100, deadline=None)
@given(
    made=st.lists(st.integers(0, 900), min_size=3, max_size=3),
    percentages=st.lists(st.floats(0, 90), min_size=3, max_size=3),
    minimum=st.sampled_from([0, 0, 500, 2000]),
    percent=st.none() | st.floats(0, 60),
    tokens=st.none() | st.integers(0, 150),
    seed=st.integers(0, 9),
)
def test_every_part_has_what_was_asked_to_a_row_wherever_there_is_enough(
    tmp_path_factory: pytest.TempPathFactory,
    generic_files: list[Path],
    pool: Pool,
    made: list[int],
    percentages: list[float],
    minimum: int,
    percent: float | None,
    tokens: int | None,
    seed: int,
) -> None:
    folder, again = tmp_path_factory.mktemp("sft"), tmp_path_factory.mktemp("sft")
    config = configure(generic_files, percentages, minimum, seed=seed,
                       what_percent_of_sft_is_pretrain=percent,
                       num_tokens_pretraining_in_sft=tokens)  # fmt: skip
    parts = [Part(name, 9, one) for name, one in zip((DOMAIN, RAG, CORRECTIONS), made, strict=True)]
    entries, receipt = write_balanced(folder, parts, pool, config, TurnRows(ATK, count_words))
    write_balanced(again, parts, pool, config, TurnRows(ATK, count_words))
    assert read_files(folder) == read_files(again)
    assert bool(read_files(folder)) == bool(entries)
    for entry in entries:
        if entry.in_config:  # the texts that a trainer gets
            texts = [row["text"] for row in read_rows(folder / entry.name)]
            assert sum(map(count_words, texts)) == entry.tokens
    shutil.rmtree(folder)
    shutil.rmtree(again)
    assert receipt.tokens == sum(line.tokens for line in receipt.lines)
    assert sum(entry.tokens or 0 for entry in entries) == receipt.tokens - sum(made)
    base = max(sum(made), minimum)
    for line, share, sizes in zip(receipt.lines[3:6], percentages, SIZES, strict=True):
        check_line(line, base * share / 100, [size + AROUND for size in sizes])
    if percent is None and tokens is None:
        assert len(receipt.lines) == 6
    else:
        others = sum(line.tokens for line in receipt.lines[:6])
        share = percent or 0.0
        wanted = others * share / (100 - share) if tokens is None else tokens
        texts = [count_words(chunk.text) for chunk in MATERIAL.chunks]
        check_line(receipt.lines[6], wanted, texts)


def check_line(line: Line, wanted: float, rows: list[int]) -> None:
    """Check a part of the receipt, where its dataset has rows of so many tokens."""
    asked = line.asked_tokens or 0
    assert abs(asked - wanted) <= 0.5
    if sum(rows) < asked:
        assert (line.rows, line.tokens) == (len(rows), sum(rows))
        assert line.why_short
    else:
        assert abs(line.tokens - asked) <= max(max(rows) / 2, asked / 200)
        assert not line.why_short


def test_the_same_seed_gives_the_same_bytes_and_another_other_rows(
    tmp_path: Path, generic_files: list[Path]
) -> None:
    system = {"what_percent_of_sft_is_pretrain": 20}
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        balance(tmp_path / name, configure(generic_files, [80, 60, 0], **system, seed=seed))
    assert read_files(tmp_path / "a") == read_files(tmp_path / "b")
    first, other = (
        read_rows(tmp_path / name / "sft_run/generic_sft_completion/set_0.jsonl") for name in "ac"
    )
    assert first != other


def test_a_sample_does_not_depend_on_the_order_of_a_file(
    tmp_path: Path, generic_files: list[Path]
) -> None:
    rows = read_rows(generic_files[0])
    (tmp_path / "turned").mkdir()
    turned = write_jsonl(tmp_path / "turned" / generic_files[0].name, rows[::-1])
    for name, file in (("a", generic_files[0]), ("b", turned)):
        balance(tmp_path / name, configure([file], [100]))
    name = "sft_run/generic_sft_completion/set_0.jsonl"
    assert read_rows(tmp_path / "a" / name) == read_rows(tmp_path / "b" / name)[::-1]


def test_a_file_for_each_folder_has_its_pretraining_rows_and_where_they_stand(
    tmp_path: Path,
) -> None:
    balance(tmp_path, configure([], [], num_tokens_pretraining_in_sft=10_000))
    for name in ("mines", "letters"):
        texts = read_rows(tmp_path / f"pretraining_run/text_chunks_{name}.jsonl")
        subset = tmp_path / f"sft_run/pretraining_subset_{name}.jsonl"
        assert read_rows(subset) == texts
        records = read_rows(tmp_path / f"sft_run/provenance/pretraining_subset_{name}.jsonl")
        assert [(one["file"], one["line"]) for one in records] == [
            (f"text_chunks_{name}.jsonl", line) for line in range(len(texts))
        ]
    trained = (tmp_path / "sft_run/sft_training_config.yaml").read_text(encoding="utf-8")
    assert "pretraining_subset_mines.jsonl" in trained


def test_without_generic_data_a_receipt_says_what_the_run_has_made(tmp_path: Path) -> None:
    receipt = balance(tmp_path, configure([], []))
    assert [line.part for line in receipt.lines] == [DOMAIN]
    assert receipt.lines[0].share == 100.0


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tokenizer can be loaded, and a GGUF's vocabulary counts words."""

    def refuse(name: str) -> None:
        raise ModelError(f"{name}: offline.")

    monkeypatch.setattr(taking, "load_tokenizer", refuse)
    monkeypatch.setattr(taking, "open_counter", lambda config: nullcontext(count_words))


def name_tokenizer(folder: Path, tokenizer: str) -> Config:
    path = make_config().path.model_dump() | {"models_dir": str(folder)}
    return make_config(path=path, model_training={"tokenizer": tokenizer})


def test_where_the_hub_gives_no_tokenizer_a_gguf_counts_and_the_receipt_says_so(
    tmp_path: Path, offline: None, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "large.gguf").touch()
    with taking.open_training_counter(name_tokenizer(tmp_path, "some/model")) as counter:
        write_datasets(tmp_path / "run", MATERIAL, counter.config, counter.count)
    shown = show_balance(tmp_path / "run").source
    assert "Counted with large.gguf." in shown
    assert "not the tokenizer of the model to be trained" in shown
    assert "some/model: offline. Until then tokens are counted with large.gguf" in caplog.text
    assert find_room(counter.config) < find_context(counter.config)


def test_where_no_tokenizer_is_named_that_of_the_base_model_counts_if_it_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models--some--base" / "snapshots" / "1"
    folder.mkdir(parents=True)
    config = make_config(model_training={"base_model": "some/base"})
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert find_cached("some/base") is None
    assert find_cached("no id at all!") is None
    (folder.parents[1] / "refs").mkdir()
    (folder.parents[1] / "refs" / "main").write_text("1", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text("{}", encoding="utf-8")
    assert find_cached("some/base") == str(folder) == find_cached(str(folder))
    monkeypatch.setattr(taking, "load_tokenizer", {str(folder): Letters()}.get)
    with taking.open_training_counter(config) as counter:
        assert counter.count("seven") == 5
        assert name_counter(counter.config) == ("some/base", "")
        assert find_room(counter.config) == find_context(counter.config)


class Letters:
    """A tokenizer whose tokens are letters."""

    def encode(self, text: str) -> list[int]:
        return list(map(ord, text))


@pytest.mark.parametrize(
    ("tokenizer", "gguf"), [("/mine", "small.gguf"), ("b.gguf", "small.gguf"), ("a/b", "other")]
)
def test_a_tokenizer_of_this_machine_is_an_error_and_so_is_one_without_a_gguf(
    tmp_path: Path, offline: None, tokenizer: str, gguf: str
) -> None:
    (tmp_path / gguf).touch()
    config = name_tokenizer(tmp_path, tokenizer)
    with pytest.raises(ModelError, match="offline"), taking.open_training_counter(config):
        pass


def test_the_notebook_shows_the_receipt_with_what_is_short_and_what_is_unreadable(
    tmp_path: Path,
) -> None:
    file = tmp_path / "chat.jsonl"
    write_jsonl(
        file, [*({"conversations": make_talk(9, n)} for n in range(4)), *[{"a": "<b>"}] * 7]
    )
    balance(tmp_path, configure([file], [100], 500))
    shown = show_balance(tmp_path).source
    assert "<td" in shown
    assert "chat: all its rows (of its first 100,000: max_samples_per_dataset), 4, have" in shown
    assert "7 rows left out: none of the columns" in shown
    assert "(row 4, 5, 6, 7, 8 …)" in shown
    assert "Counted with small.gguf." in shown
    plot_balance(tmp_path)._repr_png_()


def test_without_a_receipt_the_notebook_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="Run the stage `mix`"):
        show_balance(tmp_path)


def test_the_benchmark_takes_the_share_that_it_is_told(tmp_path: Path) -> None:
    tokens = mix.write_conversations(tmp_path / "generic.jsonl", 400)
    found = mix.measure(tmp_path / "generic.jsonl", tokens // 2)
    assert found["rows_taken"] < 400
    assert found["tokens_taken"] == pytest.approx(found["tokens_asked"], abs=100)
