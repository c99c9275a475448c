"""The generated configs pass the schema of the real Axolotl, with nothing unknown or deprecated."""

import logging
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from axolotl.integrations.liger import LigerArgs
from axolotl.utils.schemas.config import AxolotlConfigWCapabilities, AxolotlInputConfig
from axolotl.utils.schemas.datasets import SFTDataset
from axolotl.utils.schemas.deprecated import DeprecatedParameters
from test_masks import make_run

from generation_functions.datasets.axolotl import PRETRAINING_CONFIG, SFT_CONFIG

KEYS = Path(__file__).parents[1] / "axolotl_0_19_0_keys.txt"
CONFIGS = (f"pretraining_run/{PRETRAINING_CONFIG}", f"sft_run/{SFT_CONFIG}")
# Deprecated without a mark of the field: of a data set by a comment, of the plugin by a validator.
OLD_NAMES = {"message_field_role", "message_field_content"}
OLD_KEYS = {*DeprecatedParameters.model_fields, "liger_swiglu"}
CHATS = {"sft_format": "chat_template"}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "by default": ("atk", {}),
    "chats": ("chatml", CHATS),
    "chats with an adapter": ("chatml", {**CHATS, "adapter": "lora"}),
    "an adapter": ("atk", {"adapter": "lora"}),
    "an adapter in 4 bits": ("chatml", {"adapter": "qlora", "gpus": 2}),
    "eight GPUs": ("atk", {"gpus": 8}),
    "no Mistral": (
        "chatml",
        {"is_mistral_derived_model": False, "base_model": "HuggingFaceTB/SmolLM2-135M"},
    ),
    "hub and reports": (
        "atk",
        {
            "pretrain_hub_model_id": "me/pretrained",
            "finetune_hub_model_id": "me/finetuned",
            "wandb_project": "mines",
        },
    ),
}


class Whole(AxolotlInputConfig, LigerArgs):
    """What a config with our plugin is checked against, as Axolotl puts it together."""


class OnTrainer(AxolotlConfigWCapabilities, LigerArgs):
    """The same where the GPUs are known."""


@cache
def known_keys() -> set[str]:
    """Return the keys of a config that are neither unknown nor deprecated."""
    names = set()
    for name, field in Whole.model_fields.items():
        if not field.deprecated and name not in OLD_KEYS:
            names.add(field.alias or name)
    return names


def find_wrong(values: dict[str, Any], caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what Axolotl does not know, or calls deprecated, in a config that it takes."""
    wrong = sorted(set(values) - known_keys())
    for entry in values["datasets"]:
        wrong += sorted(set(entry) - (set(SFTDataset.model_fields) - OLD_NAMES))
    caplog.clear()
    with caplog.at_level(logging.INFO), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        Whole(**values)
    said = [str(one.message) for one in told] + [one.getMessage() for one in caplog.records]
    return wrong + [one for one in said if "deprecated" in one.lower()]


@pytest.fixture(scope="module", params=VARIANTS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a variant, with rows of segments."""
    template, training = VARIANTS[request.param]
    run = make_run(
        tmp_path_factory.mktemp("run"),
        model_training=training,
        final_datasaving_settings={"template": template},
    )
    return run.folder


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_passes_the_schema_with_nothing_unknown_or_deprecated(
    folder: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    values = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    assert find_wrong(values, caplog) == []
    types = {entry["type"] for entry in values["datasets"]}
    assert ("input_output" in types) == (name == CONFIGS[1])


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_passes_on_a_trainer_with_gpus(folder: Path, name: str) -> None:
    values = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    for gpus in (1, 8):
        card = {"bf16": True, "tf32": True, "n_gpu": gpus, "compute_capability": "sm_90"}
        checked = OnTrainer(
            **values, capabilities=card, env_capabilities={"torch_version": torch.__version__}
        )
        assert checked.sample_packing
        assert checked.adapter == values.get("adapter")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sequence_length", 5000),
        ("noisy_embedding_alpha", 5),
        ("flash_attention", True),
        ("datasets", [{"path": "x", "type": "chat_template", "message_field_role": "from"}]),
    ],
)
def test_the_check_finds_what_is_unknown_or_deprecated(
    tmp_path: Path, key: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    values = {
        "base_model": "x",
        "datasets": [{"path": "x", "type": "completion"}],
        "micro_batch_size": 1,
        "gradient_accumulation_steps": 1,
        "learning_rate": 1e-5,
    }
    assert find_wrong(values, caplog) == []
    assert find_wrong({**values, key: value}, caplog) != []


def test_the_list_of_keys_for_the_ordinary_tests_is_axolotls() -> None:
    listed = KEYS.read_text(encoding="utf-8").splitlines()
    assert {line for line in listed if not line.startswith("#")} == known_keys()
