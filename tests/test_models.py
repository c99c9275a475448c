"""Notebook 00: what is there, what fits, what was measured, what is fetched."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from gguf_files import LLAMA_8B, shape_llama, write_gguf
from hub_stand_in import REPO, Hub, make_gguf, serve
from test_display import Reading

from generation_functions.config import load_config
from generation_functions.display import calibration, fit
from generation_functions.display.browser import WIDGET
from generation_functions.display.calibration import calibrate, plot_calibration
from generation_functions.display.downloads import download_model
from generation_functions.display.fit import show_fit
from generation_functions.display.model_picker import choose_models
from generation_functions.display.models import say_count, show_models, show_roles
from generation_functions.engine.calibrating import (
    Speed,
    choose_slots,
    measure_speeds,
    suggest_slots,
)
from generation_functions.engine.devices import Machine, Memory
from generation_functions.engine.gguf import ModelFile, read_model
from generation_functions.engine.protocol import Completion, Load, Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ConfigError, EngineCrash, ModelError

GB = 10**9
LOCAL = {"gguf": "a.gguf"}
SERVER = {"url": "http://gpu-box:8080"}

WriteConfig = Callable[..., Path]


@pytest.fixture
def write_config(tmp_path: Path) -> WriteConfig:
    def write(small: dict[str, Any] = LOCAL, large: dict[str, Any] = LOCAL) -> Path:
        (tmp_path / "models").mkdir(exist_ok=True)
        config = {
            "path": {
                "input_dirs": [{"path": "texts"}],
                "output_dir": "run",
                "models_dir": "models",
            },
            "models": {"small": small, "large": large},
            "dataset_context": "x",
        }
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        return file

    return write


def write_model(path: Path, weights: int = 0, **entries: str | int) -> None:
    """Write an 8B model of llama's architecture; `__` stands for the dots of an entry's name."""
    named = {key.replace("__", "."): value for key, value in entries.items()}
    tensors = {"token_embd.weight": weights} if weights else {}
    write_gguf(path, {**shape_llama(LLAMA_8B), **named}, tensors)


def said(shown: Any) -> str:
    return Reading(shown.source).text


def test_the_table_of_models_says_what_each_is(write_config: WriteConfig, tmp_path: Path) -> None:
    file = write_config()
    write_model(
        tmp_path / "models" / "a.gguf",
        weights=2_500_000,
        general__file_type=15,
        general__license="other",
        general__license__name="some licence",
        general__license__link="https://example.org/licence",
        tokenizer__chat_template="{% if x %}<think>{% endif %}",
    )
    text = said(show_models(file))
    for part in ("llama", "2 M", "Q4_K_M", "8,192", "some licence https://example.org/licence"):
        assert part in text
    assert text.count("yes") == 2  # a chat template, and it thinks


def test_what_is_not_whole_has_a_row_with_a_note(write_config: WriteConfig, tmp_path: Path) -> None:
    file = write_config()
    models = tmp_path / "models"
    write_model(models / "cut.gguf", weights=1000)
    with (models / "cut.gguf").open("r+b") as opened:
        opened.truncate(700)
    write_model(models / "rest-00002-of-00002.gguf")
    write_model(models / "half-00001-of-00002.gguf")
    (models / ".late.gguf.0123456789ab.part").write_bytes(b"GGUF")
    text = said(show_models(file))
    for name, note in (
        ("cut.gguf", "the file is cut short"),
        ("rest-00001-of-00002.gguf", "this first part is missing"),
        ("half-00001-of-00002.gguf", "parts of this split model are missing"),
        ("late.gguf", "its download was stopped"),
    ):
        assert name in text
        assert note in text


def test_a_count_of_parameters_is_said_in_millions_and_billions() -> None:
    assert [say_count(count) for count in (134_515_008, 7_615_616_512)] == ["135 M", "7.6 B"]


def test_roles_show_the_options_of_their_kind(write_config: WriteConfig) -> None:
    local = said(show_roles(load_config(write_config())))
    assert "gpu_layers" in local
    assert "api_key_env" not in local
    mixed = said(show_roles(load_config(write_config(large=SERVER))))
    assert "http://gpu-box:8080" in mixed
    assert "gpu_layers" in mixed
    served = said(show_roles(load_config(write_config(SERVER, SERVER))))
    assert "gpu_layers" not in served


def test_a_role_behind_a_server_has_nothing_to_choose(
    write_config: WriteConfig, tmp_path: Path
) -> None:
    file = write_config(large=SERVER)
    write_model(tmp_path / "models" / "a.gguf")
    picker = choose_models(file)
    assert picker.chosen() == {"small": "a.gguf"}
    bundle = picker._repr_mimebundle_()
    assert WIDGET in bundle
    assert "large: a model behind a server" in bundle["text/html"]
    write_config(SERVER, SERVER)
    bundle = choose_models(file)._repr_mimebundle_()
    assert WIDGET not in bundle
    assert "Both roles are models behind servers" in bundle["text/html"]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Memory:
    """A machine with one GPU that has 12 GB free."""
    gpu = Memory("GPU 0 (L4)", 12 * GB, 24 * GB)
    machine = Machine(Memory("this machine", 30 * GB, 32 * GB), (gpu,), offload=True)
    monkeypatch.setattr(fit, "read_machine", lambda _: machine)
    return gpu


def test_what_fits_is_said_for_each_model_and_each_roles_settings(
    write_config: WriteConfig, tmp_path: Path, gpu: Memory
) -> None:
    file = write_config(small={**LOCAL, "slots": 2}, large={**LOCAL, "context": 8192})
    write_model(tmp_path / "models" / "a.gguf", weights=5 * GB)
    rows = [row.split("|") for row in table(show_fit(file))]
    assert [row[1:4] for row in rows] == [["small", "4,096", "8"], ["large", "8,192", "4"]]
    assert "12.0 GB, GPU 0 (L4)" in rows[0][5]


def test_roles_with_the_same_settings_share_a_row(
    write_config: WriteConfig, tmp_path: Path, gpu: Memory
) -> None:
    file = write_config(small={**LOCAL, "slots": 2}, large={"gguf": "other.gguf"})
    write_model(tmp_path / "models" / "a.gguf", weights=GB)
    (row,) = table(show_fit(file))
    assert row.split("|")[1] == "small, large"


def test_what_does_not_fit_has_no_slot_and_a_few_words(
    write_config: WriteConfig, tmp_path: Path, gpu: Memory
) -> None:
    file = write_config()
    models = tmp_path / "models"
    write_model(models / "a.gguf", weights=10_800_000_000)
    write_model(models / "b.gguf", weights=20 * GB)
    write_model(models / "c.gguf", weights=1000, llama__context_length=2048)
    (models / "d.gguf").write_bytes(b"PK")
    notes = [row.split("|")[-1] for row in table(show_fit(file))]
    slots = [row.split("|")[3] for row in table(show_fit(file))]
    assert slots == ["0", "0", "", ""]
    assert notes[0].startswith("not even one slot: `context: ")
    assert notes[1] == "not even one slot: take a smaller quantisation"
    assert notes[2].startswith("trained with a context of 2048 tokens")
    assert notes[3].startswith("not a GGUF file")


def test_a_config_of_servers_plans_with_the_defaults(
    write_config: WriteConfig, tmp_path: Path, gpu: Memory
) -> None:
    file = write_config(SERVER, SERVER)
    write_model(tmp_path / "models" / "a.gguf", weights=GB)
    (row,) = table(show_fit(file))
    assert row.split("|")[1] == "defaults"


def table(shown: Any) -> list[str]:
    """Return a table's rows, the cells between bars."""
    body = shown.source.split("<tbody>")[1]
    return [
        "|".join(Reading(cell.partition(">")[2]).text for cell in row.split("<td")[1:])
        for row in body.split("<tr>")[1:]
    ]


class Steady(ScriptedEngine):
    """Draws ten tokens in ten milliseconds for each of up to four requests at once."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__(lambda _: Completion("x", "stop", 50, 10, 10, 0.01), context=4096)
        self.going = 0
        self.most_going: list[int] = []
        self.closed = False
        self._load = Load()
        self._places: asyncio.Semaphore | None = None

    async def complete(self, request: Request) -> Completion:
        self._places = self._places or asyncio.Semaphore(4)
        self.going += 1
        self.most_going.append(self.going)
        try:
            async with self._places:
                await asyncio.sleep(0.01)
        finally:
            self.going -= 1
        self._load.drawn_tokens += 10
        return await super().complete(request)

    async def load(self) -> Load:
        return replace(self._load)

    async def close(self) -> None:
        self.closed = True


async def collect(engine: Steady, slots: list[int], seconds: float, text: str) -> list[Speed]:
    return [speed async for speed in measure_speeds(engine, text, slots, seconds)]


def test_speeds_are_measured_for_each_number_of_slots_within_the_time() -> None:
    engine = Steady()
    speeds = asyncio.run(collect(engine, [1, 4, 8], 1.2, "A long text. " * 500))
    assert [(one.slots, one.grammar) for one in speeds] == [
        (count, grammar) for count in (1, 4, 8) for grammar in (True, False)
    ]
    assert sum(one.seconds for one in speeds) == pytest.approx(1.2, abs=0.4)
    assert max(engine.most_going) == 8
    one, _, four, *_ = (speed.tokens_per_second for speed in speeds)
    assert four > 1.5 * one  # 4, where nothing else wants the processor
    assert all(abs(speed.tokens - 10 * speed.replies) <= 80 for speed in speeds)
    assert {bool(request.grammar) for request in engine.requests} == {True, False}
    assert len({request.messages[1].content for request in engine.requests[:8]}) == 8


def test_an_engine_that_dies_ends_the_measuring_with_its_error() -> None:
    class Dying(Steady):
        async def complete(self, request: Request) -> Completion:
            raise EngineCrash("gone")

    with pytest.raises(EngineCrash, match="gone"):
        asyncio.run(collect(Dying(), [2], 5.0, "text"))


def test_slots_double_and_a_short_time_tries_fewer() -> None:
    assert choose_slots(1, 100) == [1]
    assert choose_slots(24, 100) == [1, 2, 4, 8, 16, 24]
    assert choose_slots(8, 8) == [1, 8]
    assert choose_slots(64, 14) == [1, 8, 64]


def test_the_fewest_slots_near_the_best_are_suggested() -> None:
    def speed(slots: int, tokens: int, grammar: bool = True) -> Speed:
        return Speed(slots, grammar, 1.0, tokens, 1)

    assert suggest_slots([]) is None
    assert suggest_slots([speed(1, 50), speed(4, 96), speed(8, 100)]) == 4
    assert suggest_slots([speed(1, 50), speed(4, 90), speed(8, 100)]) == 8
    assert suggest_slots([speed(1, 90), speed(1, 10, False), speed(8, 50, False)]) == 1


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> list[Steady]:
    """The engines that a calibration opened in place of real ones."""
    opened: list[Steady] = []

    def open_it(model: ModelFile, *rest: object, **more: object) -> Steady:
        opened.append(Steady(model, *rest, **more))
        return opened[-1]

    monkeypatch.setattr(calibration, "LocalEngine", open_it)
    return opened


def test_a_calibration_is_shown_kept_and_shown_again_without_measuring(
    write_config: WriteConfig, tmp_path: Path, steady: list[Steady]
) -> None:
    file = write_config()
    write_model(tmp_path / "models" / "a.gguf", weights=1000)
    shown = asyncio.run(calibrate(file, "small", 0.8))
    assert [engine.closed for engine in steady] == [True]
    saved = json.loads((tmp_path / "run" / "calibration.json").read_text(encoding="utf-8"))
    assert saved["small"]["suggested_slots"] in (1, 8)
    assert f"slots: {saved['small']['suggested_slots']}" in said(shown)
    assert [row.split("|")[0] for row in table(shown)] == ["1", "8"]
    assert said(asyncio.run(calibrate(file, "small", 0))) == said(shown)
    assert len(steady) == 1


def test_what_was_measured_before_an_interruption_is_kept(
    write_config: WriteConfig, tmp_path: Path, steady: list[Steady]
) -> None:
    file = write_config()
    write_model(tmp_path / "models" / "a.gguf", weights=1000)
    kept = tmp_path / "run" / "calibration.json"
    asyncio.run(stop_when(calibrate(file, "small", 2.0), kept))
    assert steady[0].closed
    saved = json.loads(kept.read_text(encoding="utf-8"))
    assert 1 <= len(saved["small"]["speeds"]) < 4


def test_what_drew_hardly_a_token_is_left_out_and_the_time_is_kept() -> None:
    class Slow(Steady):
        async def complete(self, request: Request) -> Completion:
            await asyncio.sleep(60 if len(asyncio.all_tasks()) > 60 else 0)
            return await super().complete(request)

    started = time.monotonic()
    speeds = asyncio.run(collect(Slow(), [1, 64], 1.0, "text"))
    assert {speed.slots for speed in speeds} == {1}
    assert time.monotonic() - started < 2.0


def test_a_role_without_a_measurement_a_server_and_no_role_are_said(
    write_config: WriteConfig, steady: list[Steady]
) -> None:
    file = write_config(large=SERVER)
    assert "nothing is measured yet" in said(asyncio.run(calibrate(file, "small", 0)))
    assert "its server decides" in said(asyncio.run(calibrate(file, "large", 9)))
    with pytest.raises(ConfigError, match="'medium' is no role"):
        asyncio.run(calibrate(file, "medium", 9))
    assert plot_calibration(file, "small")._repr_png_()
    assert steady == []


def test_the_picture_of_a_calibration_has_its_points(
    write_config: WriteConfig, tmp_path: Path
) -> None:
    file = write_config()
    speeds = [
        asdict(Speed(n, grammar, seconds=2.0, tokens=20 * n, replies=1))
        for n in (1, 2, 4)
        for grammar in (True, False)
    ]
    (tmp_path / "run").mkdir()
    content = json.dumps({"small": {"speeds": speeds}})
    (tmp_path / "run" / "calibration.json").write_text(content, encoding="utf-8")
    axes = plot_calibration(file).figure.axes[0]
    assert [list(line.get_ydata()) for line in axes.lines[:2]] == [[10, 20, 40]] * 2
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "4"]
    assert [text.get_text() for text in axes.texts] == [" suggested: 4"]


@pytest.mark.model
def test_the_embedded_model_is_measured_under_the_grammar(
    write_config: WriteConfig, tmp_path: Path, embedded_model: Path
) -> None:
    """Stopped after the first number: how long all of them take depends on the machine."""
    file = write_config(*[{"gguf": embedded_model.name, "context": 512, "gpu_layers": 0}] * 2)
    (tmp_path / "models" / embedded_model.name).symlink_to(embedded_model.resolve())
    kept = tmp_path / "run" / "calibration.json"
    asyncio.run(stop_when(calibrate(file, "small", 40), kept))
    (speed, *_) = json.loads(kept.read_text(encoding="utf-8"))["small"]["speeds"]
    assert (speed["slots"], speed["grammar"]) == (1, True)
    assert speed["tokens"] > 0


async def stop_when(work: Coroutine[Any, Any, object], file: Path) -> None:
    """Cancel some work, as a notebook's stop button does, as soon as there is a file."""
    task = asyncio.ensure_future(work)
    while not file.exists() and not task.done():
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait([task])


def test_without_names_nothing_is_downloaded(write_config: WriteConfig) -> None:
    assert "Nothing was asked for" in said(download_model(write_config()))


@pytest.mark.usefixtures("ask_the_hub")
def test_a_download_lands_in_the_configs_folder_and_says_its_licence(
    write_config: WriteConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_config()
    with serve(Hub({"tiny.gguf": make_gguf()}, card={"license": "mit"})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        text = said(download_model(file, REPO, "tiny.gguf"))
        with pytest.raises(ModelError, match=r"The nearest GGUFs: tiny\.gguf"):
            download_model(file, REPO, "tyni.gguf")
    assert "Licence: mit" in text
    assert read_model(tmp_path / "models" / "tiny.gguf").architecture == "llama"
