"""What a model takes, held against hand-made sums, and what a machine is then asked for."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from gguf_files import LLAMA_8B, shape_llama, write_gguf

from generation_functions import opening, plans
from generation_functions.command_line import main
from generation_functions.engine import devices, fitting
from generation_functions.engine.devices import Machine, Memory, child_environment
from generation_functions.engine.fitting import check_settings, choose_plan, fit_settings
from generation_functions.engine.footprint import (
    buffer_bytes,
    cache_bytes,
    count_cells,
    read_footprint,
)
from generation_functions.engine.gguf import ModelFile, read_model
from generation_functions.engine.group import EngineGroup
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine, start_child
from generation_functions.engine.plan import lay_out
from generation_functions.engine.protocol import Message, Request, Sampling
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ConfigError, ModelError
from generation_functions.model_sections import Model
from generation_functions.opening import read_wanted
from generation_functions.session import read_config

GB = 10**9
LLAMA_3_8B = {**LLAMA_8B, "vocab_size": 128256}
QWEN_1_5B = {
    "block_count": 28,
    "context_length": 32768,
    "embedding_length": 1536,
    "feed_forward_length": 8960,
    "attention.head_count": 12,
    "attention.head_count_kv": 2,
    "vocab_size": 151936,
}
HOST = Memory("this machine", 30 * GB, 32 * GB)
SETTINGS = LoadSettings("", slots=0, context=4096, batch=512, gpu_layers=-1, threads=4)

MakeModel = Callable[..., ModelFile]


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Write a GGUF with a real header and holes for weights: 8-bit values, of whole tensors."""

    def make(
        shape: dict[str, Any], layer: int = 0, embedding: int = 0, output: int = 0
    ) -> ModelFile:
        tensors = {f"blk.{i}.ffn_up.weight": layer for i in range(shape["block_count"])}
        tensors |= {"token_embd.weight": embedding, "output.weight": output}
        tensors = {name: size for name, size in tensors.items() if size}
        path = tmp_path / "model.gguf"
        write_gguf(path, shape_llama(shape), tensors)
        return read_model(path)

    return make


def token_bytes(model: ModelFile, kv_type: str = "f16") -> float:
    """Return the bytes of cache for one token, over all layers, without slots' states."""
    layers = read_footprint(model).layers
    settings = replace(SETTINGS, slots=1, kv_type=kv_type)
    cells, _ = count_cells(settings)
    return sum(cache_bytes(replace(one, state=0), settings) for one in layers) / cells


def gpu(free: float, total: float = 80, number: int = 0) -> Memory:
    return Memory(f"GPU {number} (H100)", int(free * GB), int(total * GB))


def machine(*free: float) -> Machine:
    return Machine(HOST, tuple(gpu(one, number=n) for n, one in enumerate(free)), True)


@pytest.mark.parametrize(
    ("shape", "kv_type", "expected"),
    [
        (LLAMA_3_8B, "f16", 2 * 32 * 8 * 128 * 2),  # 131,072
        (QWEN_1_5B, "f16", 2 * 28 * 2 * 128 * 2),  # 28,672
        (LLAMA_3_8B, "q8_0", 2 * 32 * 8 * 128 * 34 / 32),  # 69,632
        (LLAMA_3_8B, "q4_0", 2 * 32 * 8 * 128 * 18 / 32),
    ],
)
def test_a_token_takes_a_key_and_a_value_in_each_layer(
    make_model: MakeModel, shape: dict[str, Any], kv_type: str, expected: float
) -> None:
    assert token_bytes(make_model(shape), kv_type) == expected


def test_the_embedded_model_takes_23040_bytes_a_token(embedded_model: Path) -> None:
    model = read_model(embedded_model)
    assert token_bytes(model) == 2 * 30 * 3 * 64 * 2
    shape = read_footprint(model)
    assert (shape.vocabulary, shape.width, shape.heads) == (49152, 576, 9)
    weights = sum(layer.weights for layer in shape.layers) + shape.embedding
    assert model.size - weights - (shape.output - shape.tied) < 2_000_000  # the header
    assert shape.tied == shape.embedding


def test_layers_may_differ_in_heads_and_heads_in_length(make_model: MakeModel) -> None:
    shape = {
        **LLAMA_3_8B,
        "block_count": 4,
        "attention.head_count_kv": [8, 2, 8, 2],
        "attention.key_length": 512,
        "attention.value_length": 256,
        "attention.key_length_swa": 128,
        "attention.value_length_swa": 64,
        "attention.sliding_window_pattern": [False, True, False, True],
        "feed_forward_length": [100, 200, 300, 400],
    }
    footprint = read_footprint(make_model(shape))
    assert [(one.key, one.value) for one in footprint.layers] == [(4096, 2048), (256, 128)] * 2
    assert footprint.feed_forward == 400
    assert not footprint.estimate


def test_layers_that_share_a_cache_or_keep_it_latent_take_less(make_model: MakeModel) -> None:
    shared = read_footprint(make_model({**QWEN_1_5B, "attention.shared_kv_layers": 8}))
    assert [layer.key > 0 for layer in shared.layers] == [True] * 20 + [False] * 8
    latent = {
        **QWEN_1_5B,
        "attention.head_count_kv": 1,
        "attention.key_length": 576,
        "attention.value_length": 512,
        "attention.key_length_mla": 192,
    }
    assert token_bytes(make_model(latent)) == 28 * 576 * 2


def test_recurrent_layers_have_a_state_for_each_sequence_and_say_that_it_is_an_estimate(
    make_model: MakeModel,
) -> None:
    mamba = {"ssm.conv_kernel": 4, "ssm.inner_size": 3072, "ssm.state_size": 16}
    hybrid = {**QWEN_1_5B, **mamba, "attention.head_count_kv": [2] + [0] * 27}
    footprint = read_footprint(make_model(hybrid))
    state = 4 * (3 * 3072 + 16 * 3072)
    assert [layer.state for layer in footprint.layers] == [0] + [state] * 27
    assert cache_bytes(footprint.layers[1], replace(SETTINGS, slots=4)) == state * (4 + 1)
    assert "recurrent" in footprint.estimate
    pure = read_footprint(make_model({**mamba, "block_count": 2, "embedding_length": 1536}))
    assert [(layer.key, layer.state) for layer in pure.layers] == [(0, state)] * 2
    bare = read_footprint(make_model({"block_count": 2}))
    assert "lacks" in bare.estimate


def test_a_70b_on_one_gpu_adds_up(make_model: MakeModel) -> None:
    shape = {**LLAMA_3_8B, "block_count": 80, "embedding_length": 8192}
    shape |= {"feed_forward_length": 28672, "attention.head_count": 64}
    model = make_model(shape, layer=480_000_000, embedding=600_000_000, output=900_000_000)
    plan = lay_out(read_footprint(model), replace(SETTINGS, slots=16), machine(79))
    host, card = plan.shares
    assert (host.weights, host.cache) == (600_000_000, 0)
    assert card.weights == 80 * 480_000_000 + 900_000_000
    assert card.cache == 2 * 80 * 8 * 128 * 2 * 4096 * 20
    assert 0.6 * GB < card.buffers < 1.2 * GB


@pytest.mark.parametrize(("free", "slots"), [(79, 64), (40, 48), (24, 24), (9, 4), (7.2, 1)])
def test_slots_are_the_most_that_fit(make_model: MakeModel, free: float, slots: int) -> None:
    model = make_model(LLAMA_3_8B, layer=140_000_000, embedding=300_000_000, output=400_000_000)
    plan = choose_plan(model, SETTINGS, machine(free))
    assert plan.slots == slots
    assert plan.shares[1].need < free * GB * 0.95


def test_on_a_cpu_there_are_at_most_eight_slots(make_model: MakeModel) -> None:
    model = make_model(QWEN_1_5B, layer=30_000_000, embedding=200_000_000)
    assert choose_plan(model, SETTINGS, Machine(HOST)).slots == 8
    assert choose_plan(model, replace(SETTINGS, slots=20), Machine(HOST)).slots == 20
    assert len(choose_plan(model, replace(SETTINGS, gpu_layers=0), machine(79)).shares) == 1


def test_given_slots_that_do_not_fit_are_refused_with_settings_that_do(
    make_model: MakeModel,
) -> None:
    model = make_model(LLAMA_3_8B, layer=140_000_000, embedding=300_000_000, output=400_000_000)
    settings, card = replace(SETTINGS, slots=64), machine(24)
    with pytest.raises(ModelError) as refusal:
        choose_plan(model, settings, card)
    said = str(refusal.value)
    assert "weights 4.9 GB + KV cache 64+8 slots x 4096 tokens 38.7 GB" in said
    assert "free on GPU 0 (H100): 24.0 GB of 80.0 GB" in said
    shape = read_footprint(model)
    ways = dict(re.findall(r"`(\w+): (\w+)`", said))
    assert set(ways) == {"slots", "context", "kv_type", "gpu_layers"}
    for name, value in ways.items():
        changed = replace(settings, **{name: int(value) if value.isdigit() else value})
        assert lay_out(shape, changed, card).fits
    for name, step in {"slots": 1, "context": 256, "gpu_layers": 1}.items():
        more = replace(settings, **{name: int(ways[name]) + step})
        assert not lay_out(shape, more, card).fits


def test_weights_that_no_setting_makes_fit_are_refused_so(make_model: MakeModel) -> None:
    model = make_model(LLAMA_3_8B, layer=10 * GB, embedding=GB, output=GB)
    tiny = Machine(Memory("this machine", 10**8, 10**8), (gpu(8, 8),), True)
    with pytest.raises(ModelError, match="No setting makes it fit"):
        choose_plan(model, SETTINGS, tiny)


def test_weights_larger_than_the_host_are_loaded_slowly_and_not_refused(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = make_model(QWEN_1_5B, layer=2 * GB, embedding=GB)
    monkeypatch.setattr(fitting, "read_machine", lambda gpu_layers: Machine(HOST))
    settings = fit_settings(model, SETTINGS)
    assert (settings.slots, settings.extra_bufts) == (1, False)
    assert "do not fit into memory" in caplog.text
    small = make_model(QWEN_1_5B, layer=GB // 10)
    assert fit_settings(small, replace(SETTINGS, batch=4)) == replace(SETTINGS, slots=8, batch=8)


def test_layers_are_shared_out_as_llama_cpp_does(make_model: MakeModel) -> None:
    model = make_model(LLAMA_3_8B, layer=100_000_000, embedding=300_000_000, output=400_000_000)
    shape, settings = read_footprint(model), replace(SETTINGS, slots=4)

    def weights(machine: Machine, **changes: Any) -> list[float]:
        plan = lay_out(shape, replace(settings, **changes), machine)
        return [share.weights / 10**8 for share in plan.shares]

    assert weights(machine(40, 40)) == [3, 17, 19]  # 33 pieces: 17 layers, 15 and the output
    assert weights(machine(30, 10)) == [3, 25, 11]
    assert weights(machine(30, 10), tensor_split=(1.0, 1.0)) == [3, 17, 19]
    assert weights(machine(30, 10), gpu=1) == [3, 36]
    assert weights(machine(40), gpu_layers=11) == [25, 14]
    assert weights(machine(40), gpu_layers=1) == [35, 4]
    assert weights(machine(40), gpu_layers=0) == [39]


def test_a_gpu_that_llama_cpp_cannot_use_is_never_passed_over_in_silence(
    make_model: MakeModel,
) -> None:
    model = make_model(QWEN_1_5B, layer=30_000_000)
    deaf = replace(machine(40), offload=False)
    with pytest.raises(ModelError, match=r"make setup.*`gpu_layers: 0`"):
        choose_plan(model, SETTINGS, deaf)
    assert choose_plan(model, replace(SETTINGS, gpu_layers=0), deaf).slots == 8
    with pytest.raises(ModelError, match=r"`gpu_layers: 5`, but there is no GPU"):
        choose_plan(model, replace(SETTINGS, gpu_layers=5), Machine(HOST))
    with pytest.raises(ModelError, match=r"GPU 2; this machine shows 2"):
        choose_plan(model, replace(SETTINGS, gpu=2), machine(40, 40))
    with pytest.raises(ModelError, match=r"`tensor_split` has 3 shares"):
        choose_plan(model, replace(SETTINGS, tensor_split=(1, 1, 1)), machine(40, 40))


def test_a_longer_context_needs_a_scale_that_reaches_it(make_model: MakeModel) -> None:
    model = make_model(LLAMA_3_8B)
    long = replace(SETTINGS, context=16384)
    with pytest.raises(ModelError, match="trained with a context of 8192"):
        check_settings(model, long)
    with pytest.raises(ModelError, match="12288 with `rope_scale"):
        check_settings(model, replace(long, rope_scaling="yarn", rope_scale=1.5))
    with pytest.raises(ModelError, match="needs `rope_scaling"):
        check_settings(model, replace(long, rope_scale=2.0))
    check_settings(model, replace(long, rope_scaling="linear", rope_scale=2.0))


def test_a_quantised_cache_needs_flash_attention_and_heads_of_whole_blocks(
    make_model: MakeModel,
) -> None:
    with pytest.raises(ModelError, match="needs flash attention"):
        check_settings(
            make_model(LLAMA_3_8B), replace(SETTINGS, kv_type="q8_0", flash_attention="off")
        )
    odd = make_model({**LLAMA_3_8B, "attention.key_length": 80})
    check_settings(odd, SETTINGS)
    with pytest.raises(ModelError, match="blocks"):
        check_settings(odd, replace(SETTINGS, kv_type="q4_0"))


@pytest.mark.parametrize(
    ("limit", "used", "stat", "free"),
    [("max", "5", "", None), ("4000000000", "3500000000", "inactive_file 500000000", GB)],
)
def test_a_containers_limit_counts(
    tmp_path: Path, limit: str, used: str, stat: str, free: int | None
) -> None:
    group = tmp_path / "sys/fs/cgroup/pod"
    group.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/pod/inner\n")
    for name, value in (("max", limit), ("current", used), ("stat", stat)):
        (group / f"memory.{name}").write_text(value + "\n")
    (group / "cpu.max").write_text("150000 100000\n")
    memory = devices._read_host(tmp_path)
    assert memory.free == free or (free is None and memory.total == psutil.virtual_memory().total)
    assert devices._cpu_quota(tmp_path) == 2


def test_an_older_containers_limit_counts_too(tmp_path: Path) -> None:
    group = tmp_path / "sys/fs/cgroup/memory/pod"
    group.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("4:memory:/pod\n1:cpu:/\n")
    (group / "memory.limit_in_bytes").write_text("2000000000")
    (group / "memory.usage_in_bytes").write_text("500000000")
    memory = devices._read_host(tmp_path)
    assert (memory.free, memory.total) == (1_500_000_000, 2_000_000_000)


class FakeNvml:
    """Three GPUs, as NVML tells of them."""

    NVMLError = RuntimeError
    uuids = ("GPU-aa1", "GPU-bb2", "GPU-cc3")

    def __init__(self, driver: bool = True) -> None:
        self._driver = driver

    def nvmlInit(self) -> None:
        if not self._driver:
            raise RuntimeError("NVML Shared Library Not Found")

    def nvmlShutdown(self) -> None: ...

    def nvmlDeviceGetCount(self) -> int:
        return len(self.uuids)

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        return number

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return self.uuids[handle]

    def nvmlDeviceGetName(self, handle: int) -> str:
        return f"card {handle}"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Memory:
        return Memory("", handle, 10)


@pytest.mark.parametrize(
    ("visible", "cards"),
    [(None, [0, 1, 2]), ("2,0", [2, 0]), ("GPU-bb", [1]), ("", []), ("-1", []), ("1,7,0", [1])],
)
def test_only_visible_gpus_count(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, cards: list[int]
) -> None:
    monkeypatch.setattr(devices, "pynvml", FakeNvml())
    assert [one.free for one in devices._read_gpus(visible)] == cards
    monkeypatch.setattr(devices, "pynvml", FakeNvml(driver=False))
    assert devices._read_gpus(visible) == ()


def test_a_child_sees_its_own_gpu_and_no_other() -> None:
    both = {"CUDA_VISIBLE_DEVICES": "4,GPU-bb2"}
    one = replace(SETTINGS, gpu=1)
    assert child_environment(one, {})["CUDA_VISIBLE_DEVICES"] == "1"
    assert child_environment(one, both)["CUDA_VISIBLE_DEVICES"] == "GPU-bb2"
    assert child_environment(SETTINGS, both) == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert child_environment(replace(SETTINGS, gpu_layers=0), both) == {
        "CUDA_VISIBLE_DEVICES": "-1"
    }


def test_gpus_are_a_process_each(make_model: MakeModel) -> None:
    model = make_model(QWEN_1_5B, layer=30_000_000)
    folder, name = model.path.parent, model.path.name
    _, settings = read_wanted(Model(gguf=name, gpus=(2, 0), kv_type="q8_0"), folder)
    assert [one.gpu for one in settings] == [2, 0]
    assert {(one.kv_type, one.slots) for one in settings} == {("q8_0", 0)}
    _, settings = read_wanted(Model(gguf=name, tensor_split=(1.0, 2.0)), folder)
    assert [(one.gpu, one.tensor_split) for one in settings] == [(None, (1.0, 2.0))]
    for wrong in ({"gpus": (1, 1)}, {"gpus": ()}, {"gpus": (0,), "gpu_layers": 0}):
        with pytest.raises(ConfigError, match="gpus"):
            read_wanted(Model(gguf=name, **wrong), folder)


@pytest.fixture
def config(make_model: MakeModel, tmp_path: Path) -> Path:
    make_model(LLAMA_3_8B, layer=140_000_000, embedding=300_000_000, output=400_000_000)
    file = tmp_path / "config.yaml"
    file.write_text(
        "path: {input_dirs: [{path: .}], output_dir: run, models_dir: .}\n"
        "dataset_context: Bridges\n"
        "models: {small: {gguf: model.gguf}, large: {gguf: model.gguf, slots: 40}}\n",
        encoding="utf-8",
    )
    return file


def test_plan_prints_what_both_roles_take(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plans, "read_machine", lambda gpu_layers: machine(24, 70))
    assert main(["plan", str(config)]) == 0
    said = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in said if ":" not in line]
    assert [row[0] for row in rows] == ["role"] + ["small"] * 3 + ["large"] * 3
    assert [row[2] for row in rows[1:]] == ["64"] * 3 + ["40"] * 3
    assert not (config.parent / "run").exists()
    monkeypatch.setattr(plans, "read_machine", lambda gpu_layers: machine(20))
    assert main(["plan", str(config)]) == 1
    assert "large: model.gguf does not fit: weights 4.9 GB" in capsys.readouterr().out
    monkeypatch.setattr(plans, "read_machine", lambda gpu_layers: machine(40, 40))
    main(["plan", str(config)])
    assert "small: it fits on each of 2 GPUs; `gpus: [0, 1]` is faster" in capsys.readouterr().out


def test_what_never_fits_is_refused_when_the_run_is_opened(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = Machine(HOST, (gpu(2, 80),), True)
    monkeypatch.setattr(opening, "read_machine", lambda gpu_layers: busy)
    assert set(opening.make_engines(read_config(config))) == {"small", "large"}
    small = Machine(HOST, (gpu(24, 24),), True)
    monkeypatch.setattr(opening, "read_machine", lambda gpu_layers: small)
    with pytest.raises(ModelError, match="40\\+8 slots"):
        opening.make_engines(read_config(config))


def request(seed: int) -> Request:
    return Request((Message("user", "Hello"),), "", Sampling(), seed, 5)


def test_a_group_shares_requests_out_to_the_least_busy() -> None:
    slow = ScriptedEngine(lambda asked: "a", "one", 2000, delay=0.2)
    quick = ScriptedEngine(lambda asked: "a", "one", 2000)

    async def act() -> None:
        group = EngineGroup([slow, quick])
        assert (group.fingerprint, group.context) == ("one", 2000)
        await group.start()
        held = asyncio.ensure_future(group.complete(request(0)))
        await asyncio.sleep(0.01)
        for seed in range(1, 6):
            await group.complete(request(seed))
        await held
        await group.close()

    asyncio.run(act())
    assert [one.seed for one in quick.requests] == [1, 2, 3, 4, 5]
    assert [one.seed for one in slow.requests] == [0]


def test_a_group_starts_all_at_once_and_one_failure_closes_the_others() -> None:
    events: list[str] = []
    waiting = 0

    class Loud(ScriptedEngine):
        async def start(self) -> None:
            nonlocal waiting
            waiting += 1
            while waiting < 2:
                await asyncio.sleep(0)
            if self.fingerprint == "bad":
                raise ModelError("no memory")
            events.append("started")

        async def close(self) -> None:
            events.append(f"closed {self.fingerprint}")

    group = EngineGroup([Loud(fingerprint="good"), Loud(fingerprint="bad")])
    with pytest.raises(ModelError, match="no memory"):
        asyncio.run(asyncio.wait_for(group.start(), 5))
    assert sorted(events) == ["closed bad", "closed good", "started"]


def test_what_does_not_fit_at_this_moment_is_refused_before_a_child_is_started(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(LLAMA_3_8B, layer=140_000_000, output=400_000_000)
    monkeypatch.setattr(fitting, "read_machine", lambda gpu_layers: machine(1))
    engine = LocalEngine(model, replace(SETTINGS, slots=4))
    with pytest.raises(ModelError, match=r"free on GPU 0 \(H100\): 1\.0 GB"):
        asyncio.run(engine.start())
    assert engine.pid is None


def test_without_flash_attention_the_scores_are_what_is_large(make_model: MakeModel) -> None:
    llama_2_7b = {**LLAMA_3_8B, "attention.head_count_kv": 32, "feed_forward_length": 11008}
    shape = read_footprint(make_model(llama_2_7b))
    # llama.cpp prints 296 MiB for a context of 4096: mask 8, four activations 32, scores 256
    settings = replace(SETTINGS, slots=1, flash_attention="off")
    assert buffer_bytes(shape, settings) == 296 * 2**20


@pytest.mark.model
@pytest.mark.parametrize("unified", [True, False])
def test_a_loaded_model_takes_what_was_planned(embedded_model: Path, unified: bool) -> None:
    model = read_model(embedded_model)
    settings = LoadSettings(
        str(embedded_model), 4, 2048, 512, 0, 2, kv_type="q8_0", unified=unified
    )
    child = start_child(settings)
    try:
        said = Path(child.log.name).read_text(encoding="utf-8")
        resident = psutil.Process(child.pid).memory_info().rss
    finally:
        child.close()
        child.close_pipes()
    plan = choose_plan(model, settings, Machine(HOST))
    share = plan.shares[0]
    taken = {
        name: float(size) * 2**20
        for name, size in re.findall(r"(\w+) +buffer size = +([\d.]+) MiB", said)
    }
    assert share.cache == 2 * 30 * 3 * 64 * 34 // 32 * 2048 * 5
    assert taken["KV"] == pytest.approx(share.cache, rel=0.02)
    assert taken["model"] == pytest.approx(share.weights, rel=0.02)
    compute = buffer_bytes(read_footprint(model), settings)
    assert taken["compute"] == pytest.approx(compute, rel=0.1)
    assert taken["output"] == pytest.approx((4 + 1) * 49152 * 4, rel=0.01)
    assert 0.8 * share.need < resident < share.need
