"""Models that are to sit a run's exam, opened beside the run's own, one of which may judge them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from generation_functions.config import Config
from generation_functions.engine.checkpoint import CheckpointEngine
from generation_functions.engine.pool import Engines
from generation_functions.engine.protocol import Engine
from generation_functions.errors import ModelError
from generation_functions.model_sections import Model, Models
from generation_functions.opening import make_engine
from generation_functions.pipelines.exam_scores import Score
from generation_functions.pipelines.exam_steps import EXAMINED, JUDGE_EXAM_ANSWER
from generation_functions.session import read_config
from generation_functions.stages.scoring import score_exam
from generation_functions.steps.run import Run


class ExamModels(Models):
    """The run's two roles, and that of the model that sits the exam."""

    examined: Model

    def of(self, role: str) -> Model:
        """Return the model of a role."""
        return self.examined if role == EXAMINED else super().of(role)


def open_examined(
    run_dir: Path, model: str, judged: bool = False, engines: Mapping[str, Engine] | None = None
) -> Run:
    """Open a run folder with `model` in the role EXAMINED; nothing is loaded yet.

    `model` is "small" or "large", as the run has them, a GGUF (a path, or a name in its
    models_dir), or the folder of a Hugging Face checkpoint. With `judged` the judge's model is
    opened too.
    `engines` by role replace them. Raises ConfigError and ModelError.
    """
    config = read_config(run_dir / "config.yaml")
    chosen = find_model(model, config)
    models = ExamModels(
        small=config.models.small,
        large=config.models.large,
        steps=config.models.steps,
        examined=chosen,
    )
    by_role = dict(engines) if engines else _open(config, chosen, judged)
    config = config.model_copy(update={"models": models})
    return Run(config, run_dir.resolve(), Engines(by_role))


async def score_models(
    run_dir: Path, models: Sequence[str], judged: bool = False, plain: bool = False
) -> list[Score]:
    """Put the exam to models, one after the other; their scores are called as their files are."""
    found = []
    for model in models:
        run = open_examined(run_dir, model, judged)
        found.append(await score_exam(run, name_model(model), judged, plain))
    return found


def name_model(model: str) -> str:
    """Return what the score of a model is called: its file's or folder's name."""
    return Path(model).name.removesuffix(".gguf")


def find_model(name: str, config: Config) -> Model:
    """Return the model that a name means, loaded as the run's small one where it is a GGUF."""
    if name in ("small", "large"):
        return config.models.of(name)
    places = (Path(name), Path(config.path.models_dir) / name)
    found = next((place.resolve() for place in places if place.exists()), None)
    if found is None:
        raise ModelError(
            f"{name}: no such model, here or in {config.path.models_dir}. Give a GGUF, the folder "
            "of a Hugging Face checkpoint, or one of the run's roles: small, large."
        )
    settings = config.models.small
    if settings.gguf is None:
        return Model(gguf=str(found))
    return settings.model_copy(update={"gguf": str(found), "thinking": 0})


def judging_role(config: Config) -> str:
    """Return the role whose model judges."""
    return config.models.steps.get(JUDGE_EXAM_ANSWER.name, JUDGE_EXAM_ANSWER.role)


def _open(config: Config, chosen: Model, judged: bool) -> dict[str, Engine]:
    folder = Path(config.path.models_dir)
    examined: Engine
    if chosen.gguf and Path(chosen.gguf).is_dir():
        examined = CheckpointEngine(Path(chosen.gguf))
    else:
        examined = make_engine(chosen, folder)
    if not judged:
        return {EXAMINED: examined}
    role = judging_role(config)
    judge = config.models.of(role)
    return {EXAMINED: examined, role: examined if judge == chosen else make_engine(judge, folder)}
