"""The benchmarks' parts that need no GPU: random models, the time that is kept, packing."""

import asyncio
import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from gguf import TokenType, quants

from benchmarks.gpu import measure_all
from benchmarks.gpu_cells import Cell, find_full_steps, fits, list_cells
from benchmarks.gpu_measures import GRAMMAR, Bench, make_requests
from benchmarks.gpu_table import make_tables
from benchmarks.pack_for_gpu import is_kept, prune
from benchmarks.random_models import (
    Q4_K,
    Q6_K,
    Q8_0,
    ROOT,
    SHAPES,
    ensure_model,
    list_tensors,
    make_blocks,
    size_of,
    write_model,
)
from benchmarks.vocabulary import (
    Vocabulary,
    read_vocabulary,
    resize_vocabulary,
    write_vocabulary,
)
from generation_functions.engine.footprint import read_footprint
from generation_functions.engine.gguf import read_model
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine
from generation_functions.engine.protocol import Load
from generation_functions.errors import ModelError

LETTERS = "abcdefgh"
VOCABULARY = Vocabulary(
    kind="gpt2",
    pre="smollm",
    tokens=["<end>", *LETTERS, "ab", "abc"],
    types=[TokenType.CONTROL, *[TokenType.NORMAL] * 10],
    merges=["a b", "ab c"],
    first=0,
    last=0,
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    write_model(path, SHAPES["tiny"], VOCABULARY)
    return path


def test_a_random_model_is_whole_and_has_its_shape(tiny: Path) -> None:
    model, shape = read_model(tiny), SHAPES["tiny"]
    assert model.vocabulary == shape.vocabulary
    assert model.context_length == shape.context
    assert not model.chat_template
    footprint = read_footprint(model)
    assert (len(footprint.layers), footprint.width) == (shape.layers, shape.width)
    assert footprint.feed_forward == shape.feed_forward
    cache = shape.width // shape.heads * shape.kv_heads
    assert {(one.key, one.value) for one in footprint.layers} == {(cache, cache)}
    assert sum(model.tensors.values()) == size_of("tiny")
    with tiny.open("r+b") as file:
        whole = file.read()
        file.truncate(len(whole) - 1)
    with pytest.raises(ModelError, match="cut short"):
        read_model(tiny)
    tiny.write_bytes(whole)


@pytest.mark.parametrize("kind", [Q4_K, Q6_K, Q8_0])
@pytest.mark.parametrize("width", [256, 8192])
def test_random_weights_are_finite_and_as_large_as_they_should_be(kind: int, width: int) -> None:
    weights = quants.dequantize(make_blocks(kind, 4001, width), kind)
    assert np.isfinite(weights).all()
    assert weights.std() * np.sqrt(width) == pytest.approx(1, abs=0.03)
    assert weights.mean() * np.sqrt(width) == pytest.approx(0, abs=0.03)
    assert np.abs(weights).max() * np.sqrt(width) < 6


def test_the_large_shapes_weigh_what_such_models_weigh() -> None:
    assert size_of("7b") == pytest.approx(4.37e9, rel=0.01)  # Mistral-7B as Q4_K_M
    assert size_of("70b") == pytest.approx(42.5e9, rel=0.01)  # Llama-3-70B as Q4_K_M


def test_a_width_that_has_no_large_blocks_gets_small_ones() -> None:
    kinds = {one.type for one in list_tensors(SHAPES["135m"]) if one.type is not None}
    assert Q8_0 in kinds
    assert all(one.width % 256 == 0 for one in list_tensors(SHAPES["70b"]) if one.type != Q8_0)


def test_a_vocabulary_is_cut_with_its_merges_or_padded_with_words_of_its_own() -> None:
    small = resize_vocabulary(VOCABULARY, 10)
    assert (small.tokens[-1], small.merges) == ("ab", ["a b"])
    large = resize_vocabulary(VOCABULARY, 500)
    assert len(set(large.tokens)) == len(large.types) == 500
    assert set(large.types[11:]) == {TokenType.NORMAL}
    assert large.merges == VOCABULARY.merges


def test_a_vocabulary_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.gguf"
    write_vocabulary(path, VOCABULARY)
    assert read_vocabulary(path) == VOCABULARY
    with pytest.raises(ModelError, match=r"none\.gguf.*make model"):
        read_vocabulary(tmp_path / "none.gguf")


def test_a_model_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    vocabulary = tmp_path / "vocabulary.gguf"
    write_vocabulary(vocabulary, VOCABULARY)
    path, seconds = ensure_model("tiny", tmp_path / "models", vocabulary)
    assert seconds > 0
    assert ensure_model("tiny", tmp_path / "models", vocabulary) == (path, 0.0)
    assert [one.name for one in path.parent.iterdir()] == ["random-tiny.gguf"]


def test_the_most_telling_cells_come_first_and_none_is_missing() -> None:
    cells = list_cells(["7b", "70b"], (1, 2, 16, 64), server=True)
    assert cells[:3] == [
        Cell("engine", "7b", 16),
        Cell("engine", "70b", 16),
        Cell("swap", "70b"),
    ]
    assert len(set(cells)) == len(cells) == 2 * 4 * 3 + 1 + 2
    streams, unified = Cell("engine", "7b", 64), Cell("engine", "7b", 64, unified=True)
    assert cells.index(streams) < cells.index(unified)


def test_a_cell_is_left_out_when_one_like_it_took_longer_than_what_is_left() -> None:
    small, large = Cell("engine", "7b", 16), Cell("engine", "70b", 16)
    assert fits(small, 1.0, [])
    assert not fits(small, 0.0, [])
    done = [(small, 10.0), (large, 80.0)]
    assert fits(Cell("engine", "7b", 64), 13.0, done)
    assert not fits(Cell("engine", "7b", 64), 12.0, done)
    assert not fits(Cell("engine", "70b", 1), 90.0, done)
    assert not fits(Cell("loop", "70b"), 90.0, done)
    assert not fits(Cell("loop", "1b"), 90.0, done)


def test_only_steps_in_which_every_slot_draws_count_as_decoding() -> None:
    loads = [
        Load(steps=0, drawn_tokens=0, busy_seconds=0.0, decode_seconds=0.0),
        Load(steps=4, drawn_tokens=3, busy_seconds=9.0, decode_seconds=9.0),  # prompts
        Load(steps=14, drawn_tokens=43, busy_seconds=10.0, decode_seconds=9.9),
        Load(steps=14, drawn_tokens=43, busy_seconds=10.0, decode_seconds=9.9),
        Load(steps=24, drawn_tokens=83, busy_seconds=11.0, decode_seconds=10.8),
        Load(steps=30, drawn_tokens=90, busy_seconds=12.0, decode_seconds=11.0),  # slots end
    ]
    decode = find_full_steps(loads, slots=4)
    assert decode is not None
    assert (decode.steps, decode.tokens, decode.seconds) == (20, 80, pytest.approx(2.0))
    assert decode.own_share == pytest.approx(0.1)
    assert find_full_steps(loads[:2], slots=4) is None


def test_what_was_not_measured_is_said() -> None:
    lines: list[dict[str, object]] = []
    bench = Bench({}, tokens=4, gpu_layers=0, batch=32)
    asyncio.run(measure_all(bench, [Cell("engine", "7b", 8)], 0.0, lines.append))
    assert lines == [{"dropped": "engine 7b, 8 slots, streams", "why": "no time left"}]
    assert "Left out:\n  engine 7b, 8 slots, streams: no time left" in make_tables(lines)


def test_the_table_has_a_row_for_each_count_of_slots_and_dashes_for_gaps() -> None:
    cell = {"kind": "engine", "model": "7b", "slots": 8, "cache": "streams", "context": 4096}
    rates = {"decode_tokens_per_second": 512.04, "tokens_per_second": 301.0, "own_share": 0.0461}
    swap = {"kind": "swap", "model": "70b", "now": "7b", "seconds": 9.87, "memory": {"GPU 0": 5.5}}
    text = make_tables(
        [
            {**cell, "replies": "grammar", **rates},
            {**cell, "slots": 16, "replies": "free", **rates, "decode_tokens_per_second": None},
            {"kind": "loop", "model": "7b", "slots": 1, "replies": "free", "tokens_per_second": 99},
            swap,
        ]
    )
    assert re.search(r"^ +8 +4096 +512\.0 +- +- +- +301\.0 +4\.6% +- +-$", text, re.M)
    assert re.search(r"^ +16 +4096( +-){8}$", text, re.M)
    assert "prompts included: - under the grammar, 99.0 without." in text
    assert re.search(r"^ +7b +9\.9 +GPU 0 5\.5$", text, re.M)


def test_prompts_share_their_beginning_within_a_run_and_not_with_another() -> None:
    first, second = make_requests("grammar", 2, 8, GRAMMAR)
    other, _ = make_requests("free", 2, 8, "")
    assert first.messages[0] == second.messages[0]
    assert first.messages[1] != second.messages[1]
    assert first.messages[0].content[:8] != other.messages[0].content[:8]


def test_the_packed_source_has_what_a_build_reads_and_no_more(tmp_path: Path) -> None:
    llama = "vendor/llama.cpp/"
    kept = ["CMakeLists.txt", "llama_cpp/llama.py", f"{llama}ggml/src/ggml-cuda/mmq.cu"]
    kept += [
        f"{llama}ggml/src/ggml.c",
        f"{llama}ggml/src/ggml-cpu/ops.cpp",
        f"{llama}src/llama.cpp",
    ]
    gone = [
        ".git/HEAD",
        f"{llama}models/a.gguf",
        f"{llama}ggml/src/ggml-vulkan/a.cpp",
        "tests/a.py",
    ]
    gone += [f"{llama}docs/ops.md", f"{llama}tools/server/a.cpp", f"{llama}tools/mtmd/a.jpeg"]
    assert [name for name in [*kept, *gone] if is_kept(name)] == kept
    source, target = tmp_path / "whole.tar.gz", tmp_path / "small.tar.gz"
    with tarfile.open(source, "w:gz") as archive:
        for name in [*kept, *gone]:
            member = tarfile.TarInfo(f"llama_cpp_python-1/{name}")
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    prune(source, target)
    with tarfile.open(target) as archive:
        assert archive.getnames() == [f"llama_cpp_python-1/{name}" for name in kept]
        content = archive.extractfile(archive.getnames()[0])
        assert content is not None
        assert content.read() == kept[0].encode()


def test_what_the_gpu_benchmark_needs_has_its_versions_in_the_main_list() -> None:
    listed = names_in(ROOT / "requirements.txt")
    transitive = {"typing-extensions", "diskcache"}  # of llama-cpp-python
    assert names_in(ROOT / "benchmarks" / "requirements.txt") - listed == transitive


def names_in(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {re.split(r"[\s=<>]", line)[0] for line in lines if line and line[0] != "#"}


@pytest.mark.parametrize("name", ["engine", "gpu", "pack_for_gpu", "pdf_cleaning", "random_models"])
def test_every_benchmark_says_how_it_is_called(name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage:")


@pytest.mark.model
def test_a_random_model_answers_under_a_grammar(tmp_path: Path, embedded_model: Path) -> None:
    path, _ = ensure_model("tiny", tmp_path, embedded_model)
    settings = LoadSettings(str(path), 2, 2048, 128, 0, 2)
    requests = make_requests("test", 2, 8, r"root ::= [a-z ] root")

    async def answer() -> list[str]:
        engine = LocalEngine(read_model(path), settings)
        try:
            answers = await asyncio.gather(*(engine.complete(one) for one in requests))
        finally:
            await engine.close()
        assert [one.finish_reason for one in answers] == ["length", "length"]
        assert [one.completion_tokens for one in answers] == [8, 8]
        return [one.text for one in answers]

    texts = asyncio.run(answer())
    assert all(re.fullmatch(r"[a-z ]{8,}", text) for text in texts)
    assert texts[0] != texts[1]
