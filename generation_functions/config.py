"""config.yaml as a whole, and the errors for what does not fit.

Section and option names are those of the program's specification. What is no option is
refused, never ignored.
"""

import difflib
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)

from generation_functions.addresses import hide_logins
from generation_functions.discovery import list_pipelines, load_pipeline
from generation_functions.errors import ConfigError
from generation_functions.masked_sections import CorrectionPipeline, RagData
from generation_functions.meta_section import MetaDatagen
from generation_functions.model_sections import Models
from generation_functions.pipeline_sections import (
    WAYS,
    Conversations,
    Exam,
    FactualSftSettings,
    FactualWay,
    PdfCleaning,
    Questions,
    RepresentationVariation,
)
from generation_functions.sections import Paths, Section, System
from generation_functions.training_sections import FinalDatasaving, ModelTraining

# Options that the specification has in every section.
_MODELS = ("small_model", "large_model")
_ELSEWHERE = (
    " The two models are named under `models`, for all sections; `models.steps` has a step ask the "
    "other one."
)


class Config(Section):
    """The whole of config.yaml, but for the sections of pipelines that are found by their names.

    A config that has such a section is of a class that has it too; `Pipeline.settings` finds it.
    """

    path: Paths
    models: Models
    dataset_context: str = Field(min_length=1)
    system: System = System()
    pdf_cleaning: PdfCleaning = PdfCleaning()
    questions: Questions = Questions()
    conversations: Conversations = Conversations()
    representation_variation: RepresentationVariation = RepresentationVariation()
    factual_sft: dict[str, FactualWay] = Field(default={})
    factual_sft_settings: FactualSftSettings = FactualSftSettings()
    rag_data: RagData = RagData()
    correction_pipeline: CorrectionPipeline = CorrectionPipeline()
    exam: Exam = Exam()
    final_datasaving_settings: FinalDatasaving = FinalDatasaving()
    model_training: ModelTraining = ModelTraining()
    meta_datagen: MetaDatagen = MetaDatagen()

    def count_variations(self, directory: str) -> int:
        """Return how many variations each piece of an input directory, by its name, gets."""
        folder = next(one for one in self.path.input_dirs if one.name == directory)
        count = folder.variation_generation_counts
        return self.representation_variation.variation_generator_count if count is None else count

    @field_validator("factual_sft")
    @classmethod
    def _known_ways(cls, ways: dict[str, FactualWay]) -> dict[str, FactualWay]:
        for name, way in ways.items():
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(f"`{name}`: a way's name has small letters, digits and _ only")
            if name not in WAYS and not way.prompts:
                near = difflib.get_close_matches(name, WAYS, 1, 0.5)
                hint = f" Did you mean `{near[0]}`?" if near else ""
                raise ValueError(
                    f"`{name}` is not one of {', '.join(WAYS)}, and a way of your own needs "
                    f"`prompts`, a folder with write_{name}.yaml.{hint}"
                )
            if name == "followup" and way.single_turn:
                raise ValueError("`followup` has several turns: `single_turn` cannot be true")
        return ways

    @field_validator("model_training")
    @classmethod
    def _ends_of_answers_are_learnt(
        cls, training: ModelTraining, info: ValidationInfo
    ) -> ModelTraining:
        """Axolotl's chat_template trains on an answer and on one token behind it."""
        saving = info.data.get("final_datasaving_settings")
        if training.sft_format == "completion" or saving is None:
            return training
        ended = saving.template == "chatml" or "eos_token" in saving.template
        if not ended and "eot_tokens" not in training.other_finetune_kwargs:
            raise ValueError(
                "`sft_format: chat_template` would leave untrained what ends an answer in "
                f"`final_datasaving_settings.template` ({saving.template[:40]}): Axolotl trains "
                "on one token there. Use the template `chatml`, or one of your own in which "
                "{{ eos_token }} ends an answer"
            )
        return training


def load_config(file: Path) -> Config:
    """Read and check a config file.

    Raises ConfigError, which names the file, the key and, for a misspelt key, the
    nearest valid one.
    """
    try:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{file}: no such config file. Give the path of one.") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: not readable as YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{file}: expected sections (`path:`, `models:` ...), found {raw!r}.")
    kind = _add_sections(raw)
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        said = (_explain(file, kind, one) for one in error.errors())
        raise ConfigError("\n".join(said)) from error


def _add_sections(raw: dict[str, Any]) -> type[Config]:
    """Return Config with the sections of the pipelines in pipelines/own/, or `style`, it names."""
    sections: dict[str, Any] = {
        name: (load_pipeline(name).section, ...) for name in list_pipelines() if name in raw
    }
    return create_model("Config", __base__=Config, **sections) if sections else Config


def _explain(file: Path, kind: type[Config], error: Any) -> str:
    location = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        given = "" if error["type"] == "missing" else hide_logins(f" (given: {error['input']!r})")
        return f"{file}: `{location}`: {error['msg']}{given}"
    name = str(error["loc"][-1])
    near = difflib.get_close_matches(name, _names_beside(kind, error["loc"]), 1, 0.5)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"{file}: `{location}` is not an option.{_ELSEWHERE if name in _MODELS else hint}"


def _names_beside(kind: type[Config], location: tuple[str | int, ...]) -> list[str]:
    model: type[BaseModel] = kind
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        if part not in model.model_fields:  # a name of the user's own, as a way's
            continue
        annotation = model.model_fields[part].annotation
        kinds = getattr(annotation, "__args__", (annotation,))
        inner = [one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return [*model.model_fields, *(list_pipelines() if model is kind else ())]
