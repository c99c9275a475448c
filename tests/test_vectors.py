"""Vectors of texts: made once, kept in the run folder, compared as words are; the real model."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from loud_engine import LoudEngine

from generation_functions import opening
from generation_functions.documents.retrieval import ChunkIndex, Related
from generation_functions.documents.vector_index import FusedIndex, VectorIndex, fuse
from generation_functions.engine.gguf import read_model
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine
from generation_functions.engine.pool import Engines
from generation_functions.engine.protocol import Embedded, Message, Request, Sampling
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ConfigError, EngineError, RunFolderError
from generation_functions.pipelines.sample_items import make_chunk
from generation_functions.plans import describe_plans
from generation_functions.records import Chunk
from generation_functions.session import read_config
from generation_functions.steps.vectors import VectorFile

BRIDGE = make_chunk(
    "The Arno Bridge is 812 metres long. It stands on nine piers of granite, which was quarried "
    "at Marle. Its engineer Maud Ferris had built three smaller bridges of iron before."
)
AGAIN = make_chunk(BRIDGE.text.replace("three smaller", "four smaller"))
LOCK = make_chunk(
    "Maud Ferris, the engineer of the Arno Bridge, made the gates of the Brent Lock of oak."
)
BREAD = make_chunk("Dough rises twice: once while covered, once while baking in a hot oven.")
SALT = make_chunk("Salt makes the crumb of a loaf firm, and so does a long rest of the dough.")
FAR = tuple(
    make_chunk(text)
    for text in (
        "Herons nest in tall poplars near slow rivers.",
        "A violin has four strings tuned in fifths.",
        "Wheat was cheap that winter, and few ships came.",
        "Glaciers carry boulders far down their valleys.",
        "Ink for copying was boiled from oak galls.",
        "Lamps burn whale oil until the morning watch.",
        "Parliament met twice before the spring floods.",
        "Bees swarm on warm days when queens are reared.",
    )
)
CHUNKS = (BRIDGE, BREAD, LOCK, AGAIN, SALT, *FAR)
QUESTION = "Who made the gates of the Brent Lock?"


def embed(texts: Sequence[str]) -> Embedded:
    return asyncio.run(ScriptedEngine().embed(texts))


@pytest.fixture
def vectors(tmp_path: Path) -> VectorFile:
    file = VectorFile(tmp_path / "vectors" / "scripted-512.npy")
    texts = [*(chunk.text for chunk in CHUNKS), QUESTION]
    file.add(texts, embed(texts).vectors)
    return file


def make_index(vectors: VectorFile, chunks: Sequence[Chunk] = CHUNKS) -> VectorIndex:
    found = {chunk.uuid: vectors.find(chunk.text) for chunk in chunks}
    rows = {uuid: row for uuid, row in found.items() if row is not None}
    return VectorIndex(ChunkIndex(chunks), rows, vectors)


def uuids(found: Sequence[Related]) -> list[str]:
    return [one.uuid for one in found]


def test_by_vectors_neither_the_chunk_nor_a_near_duplicate_is_found(vectors: VectorFile) -> None:
    index = make_index(vectors)
    everything = index.mark(chunk.uuid for chunk in CHUNKS)
    found = index.find([BRIDGE.uuid], 9, everything)
    assert uuids(found) == [LOCK.uuid]
    assert uuids(index.rank([BRIDGE.uuid], everything))[0] == AGAIN.uuid
    assert found[0].score > 0.2
    assert uuids(index.find([LOCK.uuid], 9, everything)) in ([BRIDGE.uuid], [AGAIN.uuid])
    assert uuids(index.find([BREAD.uuid], 9, everything)) == [SALT.uuid]
    assert index.find([BRIDGE.uuid], 0, everything) == ()
    assert index.find([BRIDGE.uuid], 9, index.mark([BREAD.uuid])) == ()
    assert uuids(index.find([BRIDGE.uuid, LOCK.uuid], 9, everything)) == []


def test_cosines_are_those_of_the_vectors_without_their_mean(vectors: VectorFile) -> None:
    index = make_index(vectors)
    rows = list(range(len(CHUNKS)))
    centred = vectors.matrix[rows] - vectors.matrix[rows].mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    ranked = index.rank([BREAD.uuid], index.mark([SALT.uuid]))
    assert ranked[0].score == pytest.approx(float(centred[1] @ centred[4]), abs=0.002)


def test_a_question_finds_chunks_by_its_vector(vectors: VectorFile) -> None:
    index = make_index(vectors)
    everything = index.mark(chunk.uuid for chunk in CHUNKS)
    assert uuids(index.search(QUESTION, 1, everything)) == [LOCK.uuid]
    assert uuids(index.search(QUESTION, 3, index.mark([BREAD.uuid]))) == [BREAD.uuid]
    assert index.search(QUESTION, 0, everything) == ()
    with pytest.raises(LookupError, match="no vector was made"):
        index.search("Another question?", 1, everything)


def test_a_chunk_without_a_vector_is_not_found(vectors: VectorFile) -> None:
    unknown = make_chunk(LOCK.text + " They are tarred.")
    index = make_index(vectors, [BRIDGE, unknown, BREAD])
    everything = index.mark([BRIDGE.uuid, unknown.uuid, BREAD.uuid])
    assert unknown.uuid not in uuids(index.find([BRIDGE.uuid], 9, everything))
    assert index.find([unknown.uuid], 9, everything) == ()
    empty = make_index(vectors, [])
    assert empty.find([BRIDGE.uuid], 9, empty.mark([])) == ()


def test_both_retrievers_together_go_by_ranks(vectors: VectorFile) -> None:
    ranked = fuse([Related("a", 9.0), Related("b", 8.0)], [Related("b", 0.9), Related("c", 0.8)])
    assert uuids(ranked) == ["b", "a", "c"]
    assert ranked[0].score == pytest.approx(1 / 61 + 1 / 62, abs=1e-5)
    index = make_index(vectors)
    fused = FusedIndex(ChunkIndex(CHUNKS), index)
    everything = fused.mark(chunk.uuid for chunk in CHUNKS)
    found = uuids(fused.find([BRIDGE.uuid], 9, everything))
    assert found[0] == LOCK.uuid
    assert AGAIN.uuid not in found
    assert uuids(fused.search(QUESTION, 1, everything)) == [LOCK.uuid]
    assert fused.search(QUESTION, 0, everything) == ()


def test_vectors_are_kept_and_what_a_crash_cut_off_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "vectors" / "model.npy"
    path.parent.mkdir()
    path.touch()  # a crash before the first were written
    assert VectorFile(path).find("text 0") is None
    texts = [f"text {number}" for number in range(40)]
    made = embed(texts).vectors
    for start in (0, 25):
        VectorFile(path).add(texts[start : start + 25], made[start : start + 25])
    file = VectorFile(path)
    assert [file.find(text) for text in texts] == list(range(40))
    assert np.array_equal(file.matrix, made)
    assert isinstance(np.load(path, mmap_mode="r"), np.memmap)
    with path.open("ab") as torn:
        torn.write(b"half a row")
    again = VectorFile(path)
    assert again.find("text 39") == 39
    again.add(["one more"], made[:1])
    assert np.array_equal(VectorFile(path).matrix, [*made, made[0]])
    assert again.find("text 40") is None


def test_a_damaged_file_of_vectors_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "model.npy"
    VectorFile(path).add(["one", "two"], embed(["one", "two"]).vectors)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(RunFolderError, match="Delete it"):
        VectorFile(path)
    path.write_bytes(b"nothing")
    with pytest.raises(RunFolderError, match="Delete it"):
        VectorFile(path)


def test_a_model_for_vectors_takes_its_turn_as_the_others_do() -> None:
    events: list[str] = []

    async def act() -> None:
        small = LoudEngine(events, lambda request: "yes", "small")
        engines = Engines(
            {"small": small, "large": small}, LoudEngine(events, fingerprint="vectors")
        )
        await engines.embed(["a text"])
        await engines.complete("small", Request((Message("user", "?"),), "", Sampling(), 1, 4))
        await engines.release()

    asyncio.run(act())
    assert events == ["load vectors", "free vectors", "load small", "free small"]
    with pytest.raises(EngineError, match=r"models\.embedding\.gguf"):
        _ = Engines({}).embedder


def test_what_the_scripted_engine_cuts_it_counts() -> None:
    engine = ScriptedEngine(context=3)
    embedded = asyncio.run(engine.embed(["over the bridge again", "over the bridge"]))
    assert np.array_equal(*embedded.vectors)
    assert embedded.cut == 1


def test_a_retriever_by_vectors_needs_a_model_that_makes_them(
    tmp_path: Path, embedded_model: Path
) -> None:
    file = tmp_path / "config.yaml"
    model = {"gguf": embedded_model.name}
    content: dict[str, Any] = {
        "path": {"input_dir": "in", "output_dir": "out", "models_dir": str(embedded_model.parent)},
        "models": {"small": model, "large": model},
        "dataset_context": "Bridges",
    }

    def read(**system: str) -> Any:
        file.write_text(yaml.safe_dump({**content, "system": system}), encoding="utf-8")
        return read_config(file)

    assert opening.make_embedder(read()) is None
    with pytest.raises(ConfigError, match=r"models\.embedding\.gguf"):
        opening.make_embedder(read(retriever="both"))
    content["models"]["embedding"] = {**model, "context": 1024}
    config = read(retriever="embedding")
    embedder = opening.make_embedder(config)
    assert embedder is not None
    assert embedder.context == 1024
    table, fine = describe_plans(config)
    assert fine
    row = next(line for line in table.splitlines() if line.startswith("embedding"))
    assert "1024" in row.split()


@pytest.fixture(scope="module")
def settings(embedded_model: Path) -> LoadSettings:
    return LoadSettings(
        str(embedded_model), 8, 64, 128, 0, 2, extra_bufts=True, unified=True, embeddings=True
    )


def with_embedder(settings: LoadSettings, act: Callable[[LocalEngine], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        engine = LocalEngine(read_model(Path(settings.path)), settings)
        try:
            return await act(engine)
        finally:
            await engine.close()

    return asyncio.run(whole())


@pytest.mark.model
def test_a_gguf_makes_vectors_and_a_crash_is_got_over(settings: LoadSettings) -> None:
    long = "The tide comes in twice a day, and the boats rise with it. " * 9
    texts = [*(chunk.text for chunk in CHUNKS[:5]), "", long, long + "And out again."]

    async def act(engine: LocalEngine) -> None:
        together = await engine.embed(texts)
        assert together.vectors.dtype == np.float32
        assert together.cut == 2
        lengths = np.linalg.norm(together.vectors, axis=1)
        assert lengths == pytest.approx([1, 1, 1, 1, 1, 0, 1, 1], abs=1e-5)
        for number in (0, 1, 6):
            alone = await engine.embed([texts[number]])
            assert float(alone.vectors[0] @ together.vectors[number]) > 0.999
        assert float(together.vectors[6] @ together.vectors[7]) > 0.999
        cosines = together.vectors[:5] @ together.vectors[:5].T
        assert cosines[0, 3] > cosines[0, 2] > cosines[0, 1]
        assert cosines[1, 4] > cosines[1, 0]
        with pytest.raises(EngineError, match="for vectors only"):
            await engine.complete(Request((Message("user", "?"),), "", Sampling(), 1, 4))
        assert engine._child is not None
        engine._child.kill("a test")
        again = await engine.embed([texts[0]])
        assert float(again.vectors[0] @ together.vectors[0]) > 0.999

    with_embedder(settings, act)
