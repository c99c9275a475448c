"""What many tests share: a run folder with a small config, and scripted engines."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from generation_functions.engine.protocol import Engine
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.session import open_run
from generation_functions.steps.prompts import Prompt, load_prompt
from generation_functions.steps.run import Run

TEXT = """\
The Kelvin Bridge

The bridge was opened on 4 May 1931 after six years of work. It is 812 metres long and stands on
nine piers of granite. Its engineer was Maud Ferris, who had built three smaller bridges before it.

Paint is renewed every twelve years. The work takes two summers and about 40 tonnes of paint.

Until 1962 a toll of two pence was taken from every cart. The toll house is now a museum of ropes.
"""

OpenRun = Callable[..., Run]

# They have an environment of their own: make test-axolotl.
collect_ignore = [] if find_spec("axolotl") else ["with_axolotl"]


_load_once = cache(load_prompt)


@pytest.fixture
def prompts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load each of the package's prompts once for all tests, those of a test itself each time."""

    def load(name: str, folders: Sequence[Path], use_filenames: bool, like: str) -> Prompt:
        own = any(folder.is_relative_to(tmp_path) for folder in folders)
        return (load_prompt if own else _load_once)(name, tuple(folders), use_filenames, like)

    monkeypatch.setattr("generation_functions.steps.loaded_prompts.load_prompt", load)


@pytest.fixture
def open_small_run(tmp_path: Path, prompts_once: None) -> OpenRun:
    """Open a run over one short text, with scripted engines and a counter of words."""

    def open_it(
        small: Engine | None = None, large: Engine | None = None, **sections: dict[str, object]
    ) -> Run:
        texts = tmp_path / "texts"
        texts.mkdir(exist_ok=True)
        if not any(texts.iterdir()):
            (texts / "The Kelvin Bridge, by A. Mason, published 1970.txt").write_text(
                TEXT, encoding="utf-8"
            )
        config = {
            "path": {
                "input_dirs": [{"path": "texts"}],
                "output_dir": "run",
                **sections.get("path", {}),
            },
            "models": {
                "small": {"gguf": "none.gguf"},
                "large": {"gguf": "none.gguf"},
                **sections.get("models", {}),
            },
            "dataset_context": "Bridges",
            "system": {"token_counter": "words", "chunk_size": 60, **sections.get("system", {})},
            "questions": {
                "double_check_counter": 1,
                "ask_apart": False,
                "planted_pairs": 0,
                **sections.get("questions", {}),
            },
            "conversations": sections.get("conversations", {}),
            "representation_variation": sections.get("representation_variation", {}),
            "meta_datagen": sections.get("meta_datagen", {}),
        }
        config |= {name: one for name, one in sections.items() if name not in config}
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        engine = small or ScriptedEngine()
        run = open_run(file, {"small": engine, "large": large or engine})
        run.progress = False
        return run

    return open_it


@pytest.fixture(scope="session")
def embedded_model() -> Path:
    """The GGUF that `make test` puts into logical_models/."""
    path = Path(__file__).parents[1] / "logical_models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert path.exists(), "run `make model`"
    return path


@pytest.fixture
def ask_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test ask a stand-in of the hub: huggingface_hub reads HF_HUB_OFFLINE at its import."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
