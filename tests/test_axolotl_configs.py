"""The two Axolotl configs: keys, values, comments, the user's overrides."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from generation_functions.config import Config
from generation_functions.datasets import axolotl
from generation_functions.datasets.axolotl import Data
from generation_functions.datasets.settings import Setting, override, render, values_of
from generation_functions.datasets.templates import make_template
from generation_functions.records import Turn
from generation_functions.sections import ModelTraining

KEYS = Path(__file__).with_name("axolotl_0_19_0_keys.txt")
SMALL = Data(("a.jsonl", "sub/b.jsonl"), rows=12, tokens=3_000)
LARGE = Data(("a.jsonl",), rows=2_000, tokens=9_000_000)


def make_config(**training: Any) -> Config:
    return Config.model_validate(
        {
            "path": {"input_dirs": [{"path": "texts"}], "output_dir": "out"},
            "models": {"small": {"gguf": "s.gguf"}, "large": {"gguf": "l.gguf"}},
            "dataset_context": "tin mining",
            "system": {"seed": 5},
            "model_training": training,
        }
    )


def make_settings(
    data: Data = LARGE, **training: Any
) -> tuple[tuple[Setting, ...], tuple[Setting, ...]]:
    config = make_config(**training)
    pretraining = axolotl.pretraining_settings(config, data)
    return pretraining, axolotl.sft_settings(config, data, pretraining)


def make_values(data: Data = LARGE, **training: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    pretraining, sft = make_settings(data, **training)
    return values_of(pretraining), values_of(sft)


ALL_OPTIONS: dict[str, Any] = {
    "pretrain_hub_model_id": "me/pretrained",
    "finetune_hub_model_id": "me/finetuned",
    "wandb_project": "mines",
}


@pytest.mark.parametrize("data", [SMALL, LARGE])
@pytest.mark.parametrize("training", [{}, ALL_OPTIONS])
def test_every_key_is_one_of_axolotl_0_19_0_and_not_deprecated(
    data: Data, training: dict[str, Any]
) -> None:
    known = set(KEYS.read_text(encoding="utf-8").splitlines())
    assert {"sequence_len", "liger_rope"} <= known
    assert not {"sequence_length", "noisy_embedding_alpha", "flash_attention"} & known
    for values in make_values(data, **training):
        assert set(values) <= known


def test_files_of_segments_have_their_type_and_no_setting_that_undoes_them() -> None:
    data = Data(("a.jsonl", "b.json"), 9, 9, ("b.json",))
    _, sft = make_values(data)
    assert [one["type"] for one in sft["datasets"]] == ["completion", "input_output"]
    assert sft["train_on_inputs"] is False
    assert "train_on_inputs" not in make_values()[1]
    assert set(sft) <= set(KEYS.read_text(encoding="utf-8").splitlines())


def test_yaml_reads_back_as_the_settings_with_a_comment_over_each_key() -> None:
    for settings in make_settings(**ALL_OPTIONS):
        text = render(settings, "For the trainer.\nrun this")
        assert yaml.safe_load(text) == values_of(settings)
        assert text.startswith("# For the trainer.\n# run this\n\n#")
        lines = text.splitlines()
        for setting in settings:
            (at,) = [n for n, line in enumerate(lines) if line.startswith(f"{setting.key}:")]
            assert lines[at - 1].startswith("# "), setting.key
            assert len(setting.comment) > 10


def test_defaults_are_those_of_the_specification() -> None:
    for values in make_values():
        assert values["sequence_len"] == 5000
        assert values["gradient_accumulation_steps"] == 75
        assert values["micro_batch_size"] == 2
        assert values["num_epochs"] == 7
        assert values["neftune_noise_alpha"] == 5
        assert values["seed"] == 5
        assert values["is_mistral_derived_model"] is True


def test_fine_tuning_starts_from_what_the_pretraining_leaves() -> None:
    pretraining, sft = make_values(base_model="some/base")
    assert pretraining["base_model"] == "some/base"
    assert sft["base_model"] == pretraining["output_dir"] == "../pretrained_model"
    assert sft["output_dir"] != pretraining["output_dir"]

    _, sft = make_values(pretrain_hub_model_id="me/pretrained")
    assert sft["base_model"] == "me/pretrained"

    _, sft = make_values(other_pretrain_kwargs={"output_dir": "./here"})
    assert sft["base_model"] == "../pretraining_run/here"

    _, sft = make_values(other_pretrain_kwargs={"output_dir": "/models/mine"})
    assert sft["base_model"] == "/models/mine"


def test_hub_and_wandb_keys_only_where_ids_are_given() -> None:
    for values in make_values():
        assert not [key for key in values if key.startswith(("hub_", "wandb_"))]
    pretraining, sft = make_values(**ALL_OPTIONS, finetune_hub_strategy="end")
    assert (pretraining["hub_model_id"], sft["hub_model_id"]) == ("me/pretrained", "me/finetuned")
    assert (pretraining["hub_strategy"], sft["hub_strategy"]) == ("all_checkpoints", "end")
    assert pretraining["wandb_project"] == sft["wandb_project"] == "mines"


def test_own_settings_win_each_in_its_config() -> None:
    pretraining, sft = make_values(
        num_epochs=9,
        other_pretrain_kwargs={"num_epochs": 2, "adapter": "lora", "datasets": [{"path": "x"}]},
        other_finetune_kwargs={"base_model": "other/model", "sequence_len": 8192},
    )
    assert pretraining["num_epochs"] == 2
    assert pretraining["adapter"] == "lora"
    assert pretraining["datasets"] == [{"path": "x"}]
    assert pretraining["sequence_len"] == 5000
    assert sft["num_epochs"] == 9
    assert sft["base_model"] == "other/model"
    assert sft["sequence_len"] == 8192
    assert "adapter" not in sft


def test_an_overridden_setting_keeps_its_place_and_says_who_set_it() -> None:
    ours = (Setting("a", 1, "The first."), Setting("b", 2, "The second."))
    assert override(ours, {"c": None, "a": [3]}, "other_pretrain_kwargs") == (
        Setting("a", [3], "The first. Set by model_training.other_pretrain_kwargs."),
        Setting("b", 2, "The second."),
        Setting("c", None, "Set by model_training.other_pretrain_kwargs."),
    )


def test_every_data_file_is_listed_as_completion() -> None:
    for values in make_values(SMALL):
        assert values["datasets"] == [
            {"path": path, "ds_type": "json", "type": "completion"} for path in SMALL.paths
        ]


def test_other_models_get_no_mistral_padding() -> None:
    for values in make_values(is_mistral_derived_model=False):
        assert values["is_mistral_derived_model"] is False
        assert "special_tokens" not in values


def test_few_rows_are_all_trained_on() -> None:
    for values in make_values(SMALL):
        assert values["val_set_size"] == 0
        assert "evals_per_epoch" not in values
    for values in make_values(LARGE):
        assert values["val_set_size"] == 0.04
        assert values["evals_per_epoch"] == 1


def test_trained_model_carries_the_template_of_its_rows() -> None:
    _, sft = make_values()
    assert sft["chat_template"] == "jinja"
    carried = ImmutableSandboxedEnvironment().from_string(sft["chat_template_jinja"])
    messages = [
        {"role": "system", "content": "Be exact."},
        {"role": "user", "content": "How deep?"},
    ]
    prompt = carried.render(messages=messages, add_generation_prompt=True)
    row = make_template(make_config()).render(
        [Turn("system", "Be exact."), Turn("human", "How deep?"), Turn("gpt", "Very.")]
    )
    assert row == prompt + " Very. **Finished.**"


def test_optimizer_steps_are_estimated_from_the_settings_in_force() -> None:
    def estimate(tokens: int, **kwargs: Any) -> int | None:
        settings, _ = make_settings(SMALL, other_pretrain_kwargs=kwargs)
        return axolotl.estimate_steps(settings, tokens)

    assert estimate(3_000) == 7  # less than one batch: still a step an epoch
    assert estimate(10 * 750_000) == 70
    assert estimate(10 * 750_000, num_epochs=1, micro_batch_size=1) == 20
    assert estimate(10 * 750_000, num_epochs=1, val_set_size=0.5) == 5
    assert estimate(10 * 750_000, max_steps=3) is None
    assert estimate(10 * 750_000, num_epochs=None) is None


def test_training_options_of_the_config_reach_both_files() -> None:
    used_by_kind = {"pretrain_hub_model_id", "pretrain_hub_strategy", "other_pretrain_kwargs"}
    used_by_kind |= {"tokenizer"}  # of rows, which are made here
    used_by_kind |= {"finetune_hub_model_id", "finetune_hub_strategy", "other_finetune_kwargs"}
    given = {
        "base_model": "some/base",
        "wandb_project": "project",
        "is_mistral_derived_model": False,
        "sequence_len": 4096,
        "gradient_accumulation_steps": 3,
        "micro_batch_size": 4,
        "num_epochs": 2,
    }
    assert set(given) | used_by_kind == set(ModelTraining.model_fields)
    pretraining, sft = make_values(**given)
    assert {key: pretraining[key] for key in given} == given
    assert {key: sft[key] for key in given} == given | {"base_model": "../pretrained_model"}
