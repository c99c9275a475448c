"""The two Axolotl configs: keys, values, comments, the user's overrides."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from generation_functions.config import Config
from generation_functions.datasets import axolotl
from generation_functions.datasets.axolotl_data import Data, describe_data
from generation_functions.datasets.optimizer_steps import (
    FEWEST_STEPS,
    advise,
    measure_length,
    share_accumulation,
)
from generation_functions.datasets.row_files import FileEntry
from generation_functions.datasets.settings import Setting, override, render, values_of
from generation_functions.datasets.templates import make_template
from generation_functions.records import Turn
from generation_functions.training_sections import ModelTraining

KEYS = Path(__file__).with_name("axolotl_0_19_0_keys.txt")
SMALL = Data(("a.jsonl", "sub/b.jsonl"), rows=12, tokens=3_000)
LARGE = Data(("a.jsonl",), rows=2_000, tokens=9_000_000)


def make_config(template: str = "atk", **training: Any) -> Config:
    return Config.model_validate(
        {
            "path": {"input_dirs": [{"path": "texts"}], "output_dir": "out"},
            "models": {"small": {"gguf": "s.gguf"}, "large": {"gguf": "l.gguf"}},
            "dataset_context": "tin mining",
            "system": {"seed": 5},
            "final_datasaving_settings": {"template": template},
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
CHATS = Data(("talks.jsonl", "b.json"), 90, 900, segmented=("b.json",), chats=("talks.jsonl",))
AS_CHATS: dict[str, Any] = {"template": "chatml", "sft_format": "chat_template"}


@pytest.mark.parametrize("data", [SMALL, LARGE, CHATS])
@pytest.mark.parametrize(
    "training", [{}, ALL_OPTIONS, AS_CHATS, {"adapter": "lora", **AS_CHATS}, {"adapter": "qlora"}]
)
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


def test_what_an_upload_takes_is_shown_and_off_until_a_repository_is_named() -> None:
    for settings in make_settings():
        text = render(settings, "x")
        assert "\n# hub_strategy: all_checkpoints\n" in text
        assert "\n# hub_model_id: you/model\n" in text
        assert not {"hub_strategy", "hub_model_id"} & yaml.safe_load(text).keys()
    given = {"other_pretrain_kwargs": {"hub_model_id": "me/it"}}
    assert make_values(**given)[0]["hub_model_id"] == "me/it"


def test_other_rows_are_tokenized_anew_though_their_files_have_the_same_names() -> None:
    entries = [FileEntry(name, 2, 20, f"hash of {name}", in_config=True) for name in ("a", "b")]
    places = [
        [one.value for one in make_settings(describe_data(some, 100))[1] if "prepared" in one.key]
        for some in (entries, entries, [entries[0], replace(entries[1], sha256="another")])
    ]
    assert places[0] == places[1] != places[2]


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
    def estimate(tokens: int, gpus: int = 1, **kwargs: Any) -> int | None:
        settings, _ = make_settings(SMALL, gpus=gpus, other_pretrain_kwargs=kwargs)
        return measure_length(settings, tokens, gpus).steps

    assert estimate(3_000) == 7  # less than one batch: still a step an epoch
    assert estimate(10 * 750_000) == estimate(10 * 750_000, gpus=5) == 70
    assert estimate(10 * 750_000, num_epochs=1, micro_batch_size=1) == 20
    assert estimate(10 * 750_000, num_epochs=1, val_set_size=0.5) == 5
    assert estimate(10 * 750_000, max_steps=3) is None
    assert estimate(10 * 750_000, val_set_size=200) is None  # rows, of unknown length
    assert estimate(10 * 750_000, num_epochs=None) is None


def test_training_options_of_the_config_reach_both_files() -> None:
    used_by_kind = {"pretrain_hub_model_id", "pretrain_hub_strategy", "other_pretrain_kwargs"}
    used_by_kind |= {"tokenizer", "sft_format"}  # of rows, which are made here
    used_by_kind |= {"gpus"}  # share what is accumulated
    used_by_kind |= {"finetune_hub_model_id", "finetune_hub_strategy", "other_finetune_kwargs"}
    given = {
        "base_model": "some/base",
        "wandb_project": "project",
        "is_mistral_derived_model": False,
        "sequence_len": 4096,
        "gradient_accumulation_steps": 3,
        "micro_batch_size": 4,
        "num_epochs": 2,
        "adapter": "lora",
    }
    assert set(given) | used_by_kind == set(ModelTraining.model_fields)
    pretraining, sft = make_values(**given)
    assert {key: pretraining[key] for key in given} == given
    assert {key: sft[key] for key in given} == given | {"base_model": "../pretrained_model/merged"}


@pytest.mark.parametrize(
    "training",
    [
        {"adapter": "lora", "pretrain_hub_model_id": "me/adapter"},
        {"adapter": "qlora"},
        {"other_pretrain_kwargs": {"adapter": "lora", "output_dir": "../pretrained_model"}},
    ],
)
def test_fine_tuning_starts_from_the_merged_model_of_an_adapter(training: dict[str, Any]) -> None:
    pretraining, sft = make_settings(**training)
    base = sft[0]
    assert (base.key, base.value) == ("base_model", "../pretrained_model/merged")
    merge = axolotl.merge_command(axolotl.PRETRAINING_CONFIG, pretraining)
    assert merge == "axolotl merge-lora axolotl_pretraining_config.yaml"
    assert merge in base.comment
    assert values_of(pretraining).get("load_in_4bit") == (
        True if training.get("adapter") == "qlora" else None
    )


def test_all_weights_need_no_merge_and_learn_slower_than_an_adapter() -> None:
    whole, _ = make_settings()
    adapted, _ = make_settings(adapter="lora")
    assert axolotl.merge_command(axolotl.PRETRAINING_CONFIG, whole) == ""
    assert values_of(adapted)["learning_rate"] == 10 * values_of(whole)["learning_rate"]
    assert "adapter" not in values_of(whole)


@pytest.mark.parametrize("gpus", [1, 2, 3, 4, 6, 8, 16])
def test_any_number_of_gpus_keeps_the_effective_batch(gpus: int) -> None:
    settings, _ = make_settings(gpus=gpus)
    batch = measure_length(settings, 1, gpus).batch
    assert batch == pytest.approx(150, rel=0.07)
    (said,) = [one.comment for one in settings if one.key == "gradient_accumulation_steps"]
    assert f"here {batch} on" in said
    command = axolotl.launch_command("x.yaml", gpus)
    assert f"--num_processes {gpus} " in command
    assert command.endswith("-m axolotl.cli.train x.yaml")


def test_accumulation_never_falls_below_one_batch() -> None:
    assert [share_accumulation(75, gpus) for gpus in (1, 75, 1000)] == [75, 1, 1]


def test_chats_are_listed_in_the_form_that_is_not_deprecated() -> None:
    _, sft = make_values(CHATS, **AS_CHATS)
    talks, masked = sft["datasets"]
    assert talks["type"] == "chat_template"
    assert talks["message_property_mappings"] == {"role": "from", "content": "value"}
    assert not {"message_field_role", "message_field_content"} & set(talks)
    assert talks["chat_template"] == "tokenizer_default"  # which carries chat_template_jinja
    assert masked["type"] == "input_output"
    assert sft["train_on_inputs"] is False
    assert sft["eot_tokens"] == ["<|im_end|>"]
    assert set(sft["eot_tokens"]) <= set(sft["tokens"])
    assert "lora_modules_to_save" not in sft
    _, adapted = make_values(CHATS, adapter="lora", **AS_CHATS)
    assert adapted["lora_modules_to_save"] == ["embed_tokens", "lm_head"]


@pytest.mark.parametrize(
    ("template", "kwargs", "fits"),
    [
        ("atk", {}, False),
        ("atk", {"eot_tokens": ["<end>"]}, True),
        ("chatml", {}, True),
        ("{% for m in messages %}{{ m.content }}\n{% endfor %}", {}, False),
        ("{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}", {}, True),
    ],
)
def test_a_template_whose_end_of_answer_would_not_be_learnt_is_refused(
    template: str, kwargs: dict[str, Any], fits: bool
) -> None:
    def build() -> Config:
        return make_config(template, sft_format="chat_template", other_finetune_kwargs=kwargs)

    if fits:
        assert build().model_training.sft_format == "chat_template"
    else:
        with pytest.raises(ValueError, match="Use the template `chatml`"):
            build()


def test_few_steps_come_with_advice_that_helps() -> None:
    settings, _ = make_settings(SMALL)
    few = measure_length(settings, 60 * 5_000 * 150 // 7, 1)
    said = advise(few, settings, "more variations")
    assert 40 < (few.steps or 0) < FEWEST_STEPS
    assert "more variations" in said
    (better,) = re.findall(r"`gradient_accumulation_steps: (\d+)`", said)
    mended, _ = make_settings(SMALL, gradient_accumulation_steps=int(better))
    after = measure_length(mended, 60 * 5_000 * 150 // 7, 1)
    assert (after.steps or 0) >= FEWEST_STEPS
    assert f"about {after.steps} steps" in said
    enough = measure_length(settings, 60 * 5_000 * 150, 1)
    assert advise(enough, settings, "more variations") == ""


def test_a_tiny_run_is_told_so_without_advice_that_cannot_help() -> None:
    settings, _ = make_settings(SMALL)
    said = advise(measure_length(settings, 3_000, 1), settings, "more texts")
    assert said.endswith("Best make more data: more texts.")


def test_the_context_is_set_beside_the_share_of_rows_that_are_longer() -> None:
    some = Data(("a.jsonl",), rows=4_000, tokens=9_000, longer=10, longest=7_123)
    for settings in make_settings(some):
        (said,) = [one.comment for one in settings if one.key == "sequence_len"]
        assert "10 of the 4,000 rows (0.25%) are longer" in said
        assert "7,123 tokens" in said
    (said,) = [one.comment for one in make_settings(SMALL)[0] if one.key == "sequence_len"]
    assert "none of the 12 rows is longer" in said


def test_the_default_base_model_has_its_reasons() -> None:
    assert "takes up new knowledge" in make_settings()[0][0].comment
    assert "takes up" not in make_settings(base_model="some/other")[0][0].comment
    assert ModelTraining().base_model == axolotl.MISTRAL
