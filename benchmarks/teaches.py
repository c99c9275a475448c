"""Does the data teach? A small model trained on a run's datasets, and asked the run's exam.

    pip install -r benchmarks/requirements-teaches.txt
    python -m benchmarks.teaches outputs/my_run --work /path/of/results [--minutes 75]

Three models: `base` as it is, `raw` after the documents' chunks alone, `mix` after pretraining_run
and then sft_run; the last two on equally many tokens. Learning rate, warm-up, weight decay and
noise are those of the run's Axolotl configs, sequences and batches are smaller. Each is then asked
the questions of the exam in plain text, closed book; with --exam also those of another run's, on
the same documents with the same `held_out_share` and `seed`, by another model or prompt. Stop it
whenever you like: trainings go on from their last checkpoint, and questions that were answered are
not asked again.

Prints a JSON line for each model, then tables. benchmarks/README.md says how to read them.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from benchmarks.teaching_data import find_budget, plan_mix, plan_raw, read_samples
from benchmarks.teaching_results import (
    Reply,
    choose_options,
    choose_questions,
    compare_all,
    show_questions,
    summarize,
)
from generation_functions.datasets.axolotl import (
    PRETRAINING_CONFIG,
    PRETRAINING_FOLDER,
    SFT_CONFIG,
    SFT_FOLDER,
)
from generation_functions.pipelines.exam import EXAM
from generation_functions.pipelines.exam_answers import is_exact
from generation_functions.pipelines.exam_scores import describe_rows
from generation_functions.pipelines.exam_steps import ANSWER_EXAM, ExamQuestion
from generation_functions.pipelines.similar import AskedBefore
from generation_functions.records import QAPair, from_json
from generation_functions.steps.prompts import load_prompt
from generation_functions.steps.run_folder import RunFolder

GGUF = Path(__file__).parents[1] / "logical_models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
MODELS = ("base", "raw", "mix")
EXAMPLES = 3  # shown before each question
SEED = 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is not trained yet, ask what is not asked yet, print what came of it."""
    options = parse(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    exam = read_exams([options.run, *options.exam])
    questions = choose_questions(exam, options.questions, SEED)
    if not questions:
        raise SystemExit(f"{options.run}: its exam has no question.")
    from benchmarks.teaching_models import Trainee  # torch takes seconds

    replies = {}
    for name in MODELS:
        trainee = Trainee(options.gguf, options.work / name)
        known = {} if name == "base" else train(trainee, name, options)
        replies[name] = ask(trainee, questions, options.work / f"{name}.jsonl")
        print(json.dumps(summarize(name, replies[name], **known)), flush=True)
    print(describe_rows(compare_all(replies, SEED)))


def read_exams(runs: Sequence[Path]) -> list[ExamQuestion]:
    """Return the questions of the runs' exams; of those that ask the same, the first."""
    before = AskedBefore()
    questions = (one for run in runs for one in RunFolder(run).survivors(EXAM, ExamQuestion))
    return [one for one in questions if not before.add(as_pair(one))]


def as_pair(one: ExamQuestion) -> QAPair:
    """Return a question of an exam with its answer as pairs have them."""
    return QAPair(one.uuid, one.question, one.answer, one.sentences, one.quote, one.chunk)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.teaches")
    parser.add_argument("run", type=Path, help="a run folder with datasets and an exam")
    parser.add_argument("--work", type=Path, required=True, help="where checkpoints are kept")
    parser.add_argument("--gguf", type=Path, default=GGUF, help="the model that is trained")
    parser.add_argument(
        "--exam", type=Path, action="append", default=[], help="a run whose exam is asked too"
    )
    parser.add_argument("--minutes", type=float, default=75, help="of training, of both together")
    parser.add_argument("--questions", type=int, default=300, help="most, of each part")
    parser.add_argument("--length", type=int, default=512, help="tokens of a sequence")
    parser.add_argument("--batch", type=int, default=4, help="sequences of an optimizer step")
    parser.add_argument("--blocks", type=int, help="sequences of each training; else by minutes")
    parser.add_argument("--learning-rate", type=float, help="else as the configs have it")
    return parser.parse_args(arguments)


def train(trainee: Any, name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Bring a model to the end of its training; return how many tokens it has seen.

    The number of blocks is settled once and kept: `raw` may end early, when its half of the
    minutes is over, and then `mix` has as many. One that ends early itself says so by its tokens.
    """
    plan_file = options.work / "plan.json"
    settings = [options.length, options.batch, options.learning_rate, str(options.run.resolve())]
    if not plan_file.exists():
        blocks = options.blocks or find_budget(
            options.minutes, trainee.measure(options.length), options.length, options.batch
        )
        write_json(plan_file, {"blocks": blocks, "settings": settings})
    plan = json.loads(plan_file.read_text(encoding="utf-8"))
    if plan["settings"] != settings:
        raise SystemExit(f"{plan_file}: other settings: {plan['settings']}. Take another --work.")
    read = partial(read_samples, encode=trainee.encode, bos=trainee.bos, eos=trainee.eos)
    plan_phases = plan_raw if name == "raw" else plan_mix
    phases = plan_phases(options.run, read, plan["blocks"])
    done = trainee.train(
        phases,
        [read_settings(options.run, phase.name, options.learning_rate) for phase in phases],
        length=options.length,
        batch=options.batch,
        seconds=options.minutes * 30,
        seed=SEED,
    )
    if name == "raw" and done["blocks"] < plan["blocks"]:
        write_json(plan_file, {**plan, "blocks": done["blocks"]})
    return {"tokens": done["blocks"] * options.length, "minutes": round(done["seconds"] / 60, 1)}


def read_settings(run: Path, phase: str, learning_rate: float | None) -> dict[str, float]:
    """Return what of a phase's Axolotl config is used here as it stands."""
    tuning = phase == SFT_FOLDER
    folder, file = (SFT_FOLDER, SFT_CONFIG) if tuning else (PRETRAINING_FOLDER, PRETRAINING_CONFIG)
    config = yaml.safe_load((run / folder / file).read_text(encoding="utf-8"))
    names = ("learning_rate", "warmup_ratio", "weight_decay", "neftune_noise_alpha")
    settings = {name: float(config.get(name) or 0) for name in names}
    return settings | ({"learning_rate": learning_rate} if learning_rate else {})


def ask(trainee: Any, questions: Sequence[ExamQuestion], file: Path) -> list[Reply]:
    """Return a model's replies to the questions; those in `file` are not asked again."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    known = {one.uuid: one for one in map(read_reply, lines) if one}
    shown = [
        (str(example.fields["question"]), example.answer)
        for example in load_prompt(ANSWER_EXAM.name).content.examples[:EXAMPLES]
    ]
    with file.open("a", encoding="utf-8") as answers:
        for one in questions:
            if one.uuid in known:
                continue
            prompt = show_questions(shown, one.question)
            scores = trainee.weigh(prompt, choose_options(one, questions, SEED))
            text = trainee.answer(prompt)
            reply = Reply(
                one.uuid, one.part, text, is_exact(one, text), scores[0] == max(scores), scores[0]
            )
            known[one.uuid] = reply
            answers.write(json.dumps(asdict(reply), ensure_ascii=False) + "\n")
            answers.flush()
    return [known[one.uuid] for one in questions]


def read_reply(line: str) -> Reply | None:
    """Return a line of answers; one that a stop cut off is asked again."""
    try:
        return from_json(Reply, json.loads(line))
    except ValueError:
        return None


def write_json(file: Path, value: Any) -> None:
    """Write a small file whole, or not at all."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(value), encoding="utf-8")
    part.replace(file)


if __name__ == "__main__":
    main()
