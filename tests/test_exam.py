"""The exam: what is held out, what is asked, what is left out, and how a model is scored."""

import asyncio
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from scripted_run import friendly_reply
from test_display import Reading

from generation_functions import exam_commands, stages
from generation_functions.command_line import main
from generation_functions.datasets.row_texts import read_row_texts
from generation_functions.display import exam as display
from generation_functions.engine.checkpoint import CheckpointEngine
from generation_functions.engine.protocol import Engine, Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ModelError, RunFolderError
from generation_functions.examined import find_model, name_model, open_examined, score_models
from generation_functions.pipelines.exam import ASKED, choose_sentences, take_own
from generation_functions.pipelines.exam_leaks import IN_QUESTION, IN_TEXT, find_leaks
from generation_functions.pipelines.exam_scores import (
    Answer,
    Score,
    compare,
    read_scores,
    score_rows,
)
from generation_functions.pipelines.exam_steps import (
    EXAMINED,
    HELD_OUT,
    TAUGHT,
    WRITE_EXAM_QUESTIONS,
    ExamQuestion,
)
from generation_functions.pipelines.pair_checks import find_problem
from generation_functions.pipelines.samples import SAMPLES
from generation_functions.pipelines.wording import find_unclear
from generation_functions.records import Chunk
from generation_functions.session import open_run, read_config
from generation_functions.sources import Source
from generation_functions.stages.scoring import score_exam
from generation_functions.status import read_status
from generation_functions.steps.prompts import load_prompt
from generation_functions.steps.run import Run

BRIDGES = ("Arno", "Brent", "Calder", "Derwent", "Esk", "Frome")
ALL = ("documents", "questions", "characters", "conversations", "mix", "exam")
pytestmark = pytest.mark.usefixtures("prompts_once")


def tell(name: str, number: int) -> str:
    return (
        f"# The {name} Bridge\n\n"
        f"The {name} Bridge was opened in {1801 + 7 * number} after long work in the river. "
        f"Its deck of oak is {112 + 3 * number} metres long, and carts cross it at a walk. "
        f"Every spring {name} masons look at the piers, where ice has rubbed the stone.\n\n"
    )


def write_run(folder: Path, most: int = len(BRIDGES), **options: object) -> Path:
    """Write the config of a run on so many bridges, a section each."""
    (folder / "texts").mkdir(exist_ok=True)
    text = "".join(tell(name, number) for number, name in enumerate(BRIDGES[:most]))
    (folder / "texts" / "Bridges.md").write_text(text, encoding="utf-8")
    config = {
        "path": {"input_dirs": [{"path": "texts"}], "output_dir": "run"},
        "models": {"small": {"gguf": "small.gguf"}, "large": {"gguf": "large.gguf"}},
        "dataset_context": "Bridges",
        "system": {"token_counter": "words", "chunk_size": 60, "held_out_share": 0.4, "seed": 2},
        "questions": {"double_check_counter": 1, "planted_pairs": 0},
        "exam": {"enabled": True, "judge_votes": 3, "judge_trials": 4},
        **options,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder / "config.yaml"


def write_exam(asked: str) -> str:
    """Ask each planned sentence for its figure."""
    planned = asked.partition("Ask about these:\n")[2]
    written = []
    for number, sentence in re.findall(r"^(\d+): (.+)$", planned, re.MULTILINE):
        name = re.findall(r"The (\w+) Bridge", asked)[0]
        year = re.search(r"opened in (\d+)", sentence)
        length = re.search(r"(\d+) metres", sentence)
        if year:
            question = f"In which year was the {name} Bridge opened?"
            written.append(f"Sentences: {number}\nAnswer: {year[1]}.\nQuestion: {question}")
        elif length:
            question = f"How many metres long is the deck of the {name} Bridge?"
            written.append(f"Sentences: {number}\nAnswer: {length[1]}\nQuestion: {question}")
        else:
            question = f"Who looks at the piers of the {name} Bridge in spring?"
            written.append(f"Sentences: {number}\nAnswer: {name} masons\nQuestion: {question}")
    return "\n\n".join(written)


def reply(request: Request) -> str:
    asked = request.messages[-1].content
    if "exam question" in asked.splitlines()[-1]:
        return write_exam(asked)
    if asked.endswith("Is this pair clear by itself?"):
        return "Unclear: Nothing.\nVerdict: pass"
    return friendly_reply(request)


def answer(request: Request) -> str:
    """Know every year, and no length."""
    found = re.search(r"was the (\w+) Bridge opened", request.messages[-1].content)
    return str(1801 + 7 * BRIDGES.index(found[1])) if found else "Some 90 paces"


def judge(request: Request) -> str:
    asked = request.messages[-1].content
    right, given = re.findall(r"^(?:Right answer|Reply): (.+)$", asked, re.MULTILINE)
    odd = request.seed % 2  # of three votes some are wrong
    verdict = "right" if right == given else "partly" if odd else "wrong"
    return f"Verdict: {verdict}\nReason: The answer is {right}."


def run_stages(config: Path, *names: str) -> Run:
    engine = ScriptedEngine(reply)
    run = open_run(config, {"small": engine, "large": engine})
    run.progress = False

    async def go() -> None:
        for name in names or (
            "documents",
            "questions",
            "characters",
            "conversations",
            "mix",
            "exam",
        ):
            await stages.STAGES[name](run, None)

    asyncio.run(go())
    return run


_MADE: list[Run] = []


@pytest.fixture
def finished(prompts_once: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with its exam, the same for all tests."""
    if not _MADE:
        _MADE.append(run_stages(write_run(tmp_path_factory.mktemp("exam"))))
    return _MADE[0]


def read_exam(run: Run) -> list[ExamQuestion]:
    return run.survivors("exam", ExamQuestion)


def name_bridge(chunk: Chunk) -> str:
    return str(re.findall(r"(\w+) Bridge", chunk.text)[0])


def held_out(run: Run) -> set[str]:
    lines = (run.folder / "chunks.jsonl").read_text(encoding="utf-8").splitlines()
    rows = map(json.loads, lines)
    return {row["uuid"] for row in rows if row["reason"] == "held out for the exam"}


def test_what_is_held_out_is_in_no_dataset_and_is_counted(finished: Run) -> None:
    held = held_out(finished)
    assert 0 < len(held) < len(BRIDGES)
    reasons = read_status(finished.folder)["documents"]["pipelines"]["documents"]["reasons"]
    assert reasons["rejected"] == {"held out for the exam": len(held)}
    names = {name_bridge(one.chunk) for one in read_exam(finished) if one.part == HELD_OUT}
    assert len(names) == len(held)
    for file in [
        *finished.folder.glob("pretraining_run/**/*"),
        *finished.folder.glob("sft_run/**/*"),
    ]:
        if file.is_file():
            assert not [name for name in names if name in file.read_text(encoding="utf-8")], file


def test_the_dataset_card_says_what_the_exam_shares_with_the_datasets(finished: Run) -> None:
    card = (finished.folder / "dataset_card.md").read_text(encoding="utf-8")
    for part in (TAUGHT, HELD_OUT):
        assert f"- questions of the exam, {part}: written: " in card
    assert "broken off" not in card


def test_both_parts_are_asked_with_short_answers_from_their_own_chunks(finished: Run) -> None:
    held, questions = held_out(finished), read_exam(finished)
    assert {one.part for one in questions} == {TAUGHT, HELD_OUT}
    for one in questions:
        assert (one.chunk.uuid in held) == (one.part == HELD_OUT)
        assert len(one.answer.split()) <= 2
        assert not one.answer.endswith(".")
        assert one.answer in one.quote
    lines = (finished.folder / "exam.jsonl").read_text(encoding="utf-8").splitlines()
    listed = {row["uuid"]: row for row in map(json.loads, lines)}
    assert listed.keys() == {one.uuid for one in questions}
    assert all(
        row.keys() > {"question", "answer", "quote", "source", "part"} for row in listed.values()
    )


def test_no_stage_but_the_exams_is_shown_what_is_held_out(tmp_path: Path) -> None:
    config = write_run(
        tmp_path,
        most=4,
        representation_variation={"enabled": True, "variation_generator_count": 1},
        factual_sft={"hallucination": {}},
        rag_data={"enabled": True},
        correction_pipeline={"enabled": True},
        exam={},
    )
    run = run_stages(
        config, "documents", "questions", "pretraining", "recall", "rag", "corrections"
    )
    held = {
        name_bridge(one.chunk)
        for one in Source(run.config).decisions()
        if one.reason == "held out for the exam"
    }
    assert held
    engine = run.engines.of("small")
    assert isinstance(engine, ScriptedEngine)
    asked = {request.messages[-1].content for request in engine.requests}
    assert len(asked) > 20
    assert not [text for text in asked if any(f"{name} Bridge" in text for name in held)]
    written = [file for file in run.folder.rglob("*.json*") if "prompts" not in file.parts]
    assert (run.folder / "neighbours.jsonl") in written
    for file in written:
        text = file.read_text(encoding="utf-8")
        assert not [name for name in held if f"{name} Bridge" in text], file


def ask_alone(request: Request) -> str:
    """Ask two things of a statement that has a year; answer one with it, one with another."""
    asked = request.messages[-1].content
    if not asked.startswith("Statement: "):
        return reply(request)
    statement, *questions = asked.removeprefix("Statement: ").strip().splitlines()
    year = re.search(r"The (\w+) Bridge was opened in (\d+)", statement)
    if questions:
        return "\n".join(
            f"{number}: in {year[2] if year and 'which year' in question else 1799}"
            for number, question in enumerate(questions, start=1)
        )
    if year:
        return (
            f"Question: In which year was the {year[1]} Bridge opened after long work in the river?"
            f"\nQuestion: What was done with the {year[1]} Bridge in {year[2]} after long work?"
        )
    return "Question: What is it?"


def test_for_small_models_sentences_are_asked_about_alone(tmp_path: Path) -> None:
    exam = {"enabled": True, "ask_apart": True, "judge_trials": 0}
    config = write_run(tmp_path, most=4, exam=exam)
    run_stages(config, "documents", "questions", "characters", "conversations", "mix")
    engine = ScriptedEngine(ask_alone)
    run = open_run(config, {"small": engine, "large": engine})
    run.progress = False
    asyncio.run(stages.STAGES["exam"](run, None))
    questions = read_exam(run)
    assert {one.part for one in questions} == {TAUGHT, HELD_OUT}
    for one in questions:
        year = re.findall(r"opened in (\d+)", one.quote)[0]
        assert (one.answer, one.question[:13]) == (f"in {year}", "In which year")
        assert one.quote in one.chunk.text
    counts = read_status(run.folder)["exam"]["pipelines"]["exam sentences"]
    assert counts["kept"] == 2 * len(questions)  # "Its deck ..." is told with the one before
    assert counts["failed"] == len(questions)  # of the masons nothing bound was asked


def test_an_exam_is_the_same_when_it_is_written_again_and_asks_nothing(finished: Run) -> None:
    before = (finished.folder / "exam.jsonl").read_bytes()
    run = run_stages(finished.folder / "config.yaml", "exam")
    engine = run.engines.of("small")
    assert isinstance(engine, ScriptedEngine)
    assert engine.requests == []
    assert (finished.folder / "exam.jsonl").read_bytes() == before


def test_off_by_default_nothing_is_written(tmp_path: Path) -> None:
    run = run_stages(write_run(tmp_path, exam={}), "exam")
    assert not (run.folder / "exam.jsonl").exists()


def test_before_the_mix_there_is_no_exam(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="Run the stage `mix` first"):
        run_stages(write_run(tmp_path), "documents", "questions", "exam")


def test_datasets_that_were_made_before_more_was_held_out_are_refused(
    finished: Run, tmp_path: Path
) -> None:
    shutil.copytree(finished.folder, tmp_path / "run")
    system = {"token_counter": "words", "chunk_size": 60, "held_out_share": 0.9, "seed": 2}
    with pytest.raises(RunFolderError, match="Run all stages again"):
        run_stages(write_run(tmp_path, system=system), "exam")


CHUNK = Chunk("c", "d", "texts", "Bridges", "The deck is 112 metres long.", 0, 28, 6)


def ask(uuid: str, part: str, question: str, quote: str = "q") -> ExamQuestion:
    return ExamQuestion(uuid, part, question, "112 metres", (1,), quote, CHUNK)


def test_leaks_are_counted_by_long_runs_and_near_copies_are_dropped() -> None:
    told = "In the spring masons look at the piers of oak where ice has rubbed them thin"
    exam = [
        ask("copy", TAUGHT, "How many metres long is the deck of the Arno Bridge today?"),
        ask("run", TAUGHT, "Say it: how many metres long is the deck of the ferry boat at Hull?"),
        ask("new", TAUGHT, "Which tree gave the deck of the Brent Bridge?", told),
        ask("held", HELD_OUT, "Who looks at the piers of the Esk Bridge?", told),
    ]
    rows = [
        "x" * 300_000
        + " Human: how many metres long is the deck of the Arno Bridge? **Finished.**",
        f"Here it is told again. {told.upper()}, they say.",
        "Somebody asks nothing here.",
    ]
    leaks = find_leaks(exam, rows)
    assert leaks.asked == {"copy", "run"}
    assert leaks.told == {"new", "held"}
    assert leaks.dropped == {"copy": IN_QUESTION, "held": IN_TEXT}


def test_a_question_with_full_stops_in_it_is_found_all_the_same() -> None:
    asked = "Who met Mr. J. Smith at St. Ives, 3.5 miles from home?"
    leaks = find_leaks([ask("q", TAUGHT, asked)], [f"Human: {asked} **Finished.**"])
    assert leaks.dropped == {"q": IN_QUESTION}


def test_leaks_are_found_in_rows_of_every_kind(tmp_path: Path) -> None:
    asked = "How many metres long is the deck of the Arno Bridge?"
    rows = {
        "texts.jsonl": {"text": f"Human: {asked} **Finished.**"},
        "parts.jsonl": {"segments": [{"label": False, "text": f"Human: {asked}"}]},
        "chats.jsonl": {"conversations": [{"from": "human", "value": asked}]},
    }
    for name in ("pretraining_run", "sft_run"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "MANIFEST.json").write_text('{"files": []}', encoding="utf-8")
    for name, row in rows.items():
        listed = json.dumps({"files": [{"name": name, "in_config": True}]})
        (tmp_path / "sft_run" / "MANIFEST.json").write_text(listed, encoding="utf-8")
        (tmp_path / "sft_run" / name).write_text(json.dumps(row) + "\n", encoding="utf-8")
        exam = [ask("q", TAUGHT, asked)]
        assert find_leaks(exam, read_row_texts(tmp_path)).dropped == {"q": IN_QUESTION}, name


def test_a_question_of_the_datasets_is_not_asked_again(tmp_path: Path) -> None:
    """The pairs' step writes what the exam would ask."""
    years = {name: str(1801 + 7 * number) for number, name in enumerate(BRIDGES)}

    def same(request: Request) -> str:
        asked = request.messages[-1].content
        if asked.endswith("about this.") and "exam question" not in asked.splitlines()[-1]:
            name = re.findall(r"The (\w+) Bridge", asked)[0]
            (number,) = re.findall(r"^(\d+): .*opened in", asked, re.MULTILINE) or ["2"]
            return (
                f"Sentences: {number}\nAnswer: The {name} Bridge was opened in {years[name]}.\n"
                f"Question: In what year was the {name} Bridge opened?"
            )
        return reply(request)

    engine = ScriptedEngine(same)
    questions = {"double_check_counter": 0, "planted_pairs": 0, "plan": False, "ask_apart": False}
    run = open_run(write_run(tmp_path, questions=questions), {"small": engine, "large": engine})
    run.progress = False

    async def go() -> None:
        for name in ALL:
            await stages.STAGES[name](run, None)

    asyncio.run(go())
    taught = [one for one in read_exam(run) if one.part == TAUGHT]
    assert taught
    assert not [one for one in taught if "In which year" in one.question]
    reasons = read_status(run.folder)["exam"]["pipelines"][TAUGHT]["reasons"]["rejected"]
    assert reasons[ASKED] > 1


def open_scoring(folder: Path, script: object = answer) -> tuple[Run, dict[str, Engine]]:
    engines: dict[str, Engine] = {
        EXAMINED: ScriptedEngine(script, fingerprint=str(script)),  # type: ignore[arg-type]
        "large": ScriptedEngine(judge),
    }
    run = open_examined(folder, "small", judged=True, engines=engines)
    run.progress = False
    return run, engines


def test_a_model_is_scored_by_code_and_by_the_middle_of_the_judges_votes(finished: Run) -> None:
    run, engines = open_scoring(finished.folder)
    score = asyncio.run(score_exam(run, "tuned model/7b", judged=True))
    exact = {one.question: one.exact for one in score.answers}
    assert all(right == ("In which year" in question) for question, right in exact.items())
    assert {one.verdict for one in score.answers if one.exact} == {"right"}
    assert {one.verdict for one in score.answers if not one.exact} <= {"partly", "wrong"}
    assert all(one.reason for one in score.answers)
    assert score.trial is not None
    assert (score.trial.right, score.trial.called_right) == (4, 4)
    assert any("4 answers to other questions" in note for note in score.notes)
    examined = engines[EXAMINED]
    assert isinstance(examined, ScriptedEngine)
    assert all(
        "Its deck of oak" not in str(one.messages) for one in examined.requests
    )  # closed book
    (again,) = read_scores(finished.folder)
    assert again == score
    assert (finished.folder / "exam" / "scores" / "tuned_model_7b.json").exists()


def test_scoring_again_asks_nothing_again(finished: Run) -> None:
    asyncio.run(score_exam(open_scoring(finished.folder)[0], "once", judged=True))
    run, engines = open_scoring(finished.folder)
    asyncio.run(score_exam(run, "once", judged=True))
    assert all(isinstance(one, ScriptedEngine) and not one.requests for one in engines.values())


def test_two_models_are_compared_question_by_question(
    finished: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, script in (("knows", answer), ("base", lambda request: "Nobody told me")):
        asyncio.run(score_exam(open_scoring(finished.folder, script)[0], name))
    first, second = read_scores(finished.folder, ["knows", "base"])
    years = sum(one.exact for one in first.answers)
    found = compare(first, second)
    assert {one.measure for one in found} == {"exact"}  # neither was judged
    assert sum(one.only_first for one in found) == years
    assert all(one.only_second == one.both == 0 for one in found)
    assert all(one.interval[0] < one.difference < one.interval[1] for one in found)
    assert {row["judged right"] for row in score_rows([first])} == {""}
    assert main(["exam", "compare", str(finished.folder), "knows", "base"]) == 0
    shown = capsys.readouterr().out
    assert "knows  base" in shown
    assert main(["exam", "compare", str(finished.folder), "nobody"]) == 1


def test_a_question_that_was_edited_in_between_is_not_compared() -> None:
    asked = [Answer(str(n), TAUGHT, f"What is {n}?", "42", "42", exact=True) for n in range(5)]
    first = Score("a", "x", "p", False, "", None, (), tuple(asked))
    edited = replace(asked[3], question="What is the third?")
    second = replace(first, model="b", answers=(*asked[:3], edited, *asked[4:]))
    (found,) = compare(first, second)
    assert (found.questions, found.both) == (4, 4)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("a/tuned.gguf", "tuned"),
        ("small", "small"),
        ("out/finetuned_model/merged", "finetuned_model/merged"),
        ("out/pretrained_model/checkpoint-12/", "pretrained_model/checkpoint-12"),
    ],
)
def test_scores_of_different_models_have_different_names(model: str, name: str) -> None:
    assert name_model(model) == name


def test_a_model_that_cannot_answer_scores_nothing(finished: Run) -> None:
    def silent(request: Request) -> str:
        return "x" * 60  # a word at the length bound is no answer

    score = asyncio.run(score_exam(open_scoring(finished.folder, silent)[0], "silent", judged=True))
    assert {(one.reply, one.exact, one.verdict) for one in score.answers} == {("", False, "wrong")}
    assert score_rows([score])[0]["no_reply"] == score_rows([score])[0]["questions"]


def test_a_model_that_is_not_there_is_named_before_anything_is_asked(finished: Run) -> None:
    with pytest.raises(ModelError, match=r"none\.gguf: no such model"):
        open_examined(finished.folder, "none.gguf")
    empty = finished.folder / "checkpoint"
    empty.mkdir(exist_ok=True)
    with pytest.raises(ModelError, match=r"no config\.json"):
        open_examined(finished.folder, str(empty))


def test_a_model_is_a_role_of_the_run_a_gguf_or_a_checkpoint(finished: Run, tmp_path: Path) -> None:
    config = read_config(finished.folder / "config.yaml")
    assert find_model("large", config) == config.models.large
    (tmp_path / "tuned.gguf").write_bytes(b"GGUF")
    found = find_model(str(tmp_path / "tuned.gguf"), config)
    assert found == config.models.small.model_copy(update={"gguf": str(tmp_path / "tuned.gguf")})
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    run = open_examined(finished.folder, str(tmp_path))
    assert isinstance(run.engines.of(EXAMINED), CheckpointEngine)
    assert run.folder == finished.folder


def test_the_command_scores_a_model_beside_those_before_it(
    finished: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(score_exam(open_scoring(finished.folder, lambda _: "Nobody")[0], "before"))
    monkeypatch.setattr(exam_commands, "open_examined", lambda folder, *_: open_scoring(folder)[0])
    command = ["exam", "score", str(finished.folder), "--model", "x/now.gguf", "--judge"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^now +taught +\d+ ", shown, re.MULTILINE)
    assert re.search(r"^now +before +taught +exact", shown, re.MULTILINE)
    assert "The judge is large.gguf" in shown
    assert asyncio.run(score_models(finished.folder, [])) == []


def test_without_an_exam_there_is_nothing_to_score(tmp_path: Path) -> None:
    run = run_stages(write_run(tmp_path), "documents")
    with pytest.raises(RunFolderError, match="Run the stage before this one"):
        asyncio.run(score_exam(open_scoring(run.folder)[0], "x"))


def test_notebooks_show_the_exam_its_leaks_its_scores_and_every_reply(finished: Run) -> None:
    asyncio.run(score_exam(open_scoring(finished.folder)[0], "shown", judged=True))
    asyncio.run(score_exam(open_scoring(finished.folder, lambda _: "<b>42</b>")[0], "other"))
    questions, scores = (
        display.read_exam(finished),
        read_scores(finished.folder, ["shown", "other"]),
    )
    parts = Reading(display.show_parts(questions).source).text
    assert TAUGHT in parts
    assert HELD_OUT in parts
    leaks = Reading(display.show_leaks(read_status(finished.folder)).source).text
    assert "source shares 8 words with a row" in leaks
    shown = Reading(display.show_question(questions[0]).source)
    assert questions[0].question in shown.text
    assert "mark" in shown.elements
    table = Reading(display.show_scores(scores).source).text
    assert "The judge is large.gguf" in table
    assert "shown" in Reading(display.show_comparisons(scores).source).text
    replies = display.browse_answers(scores)
    assert {name.partition(":")[0] for name in replies.groups} == {"shown", "other"}
    assert "<b>42</b>" in Reading(display.show_answer(scores[1].answers[0]).source).text


def test_notebooks_say_what_is_missing_where_there_is_no_exam(tmp_path: Path) -> None:
    run = run_stages(write_run(tmp_path, exam={}), "documents")
    assert display.read_exam(run) == []
    for shown in (
        display.show_parts([]),
        display.show_leaks(read_status(run.folder)),
        display.browse_questions([]).show_plain(),
    ):
        assert "is `exam.enabled` true" in Reading(shown.source).text
    assert "exam score" in Reading(display.show_scores([]).source).text


def test_the_prompts_examples_are_short_clear_and_grounded() -> None:
    shown = load_prompt(WRITE_EXAM_QUESTIONS.name).content.examples
    assert len(shown) > 2
    for example in shown:
        item = SAMPLES[WRITE_EXAM_QUESTIONS.name].read(example.fields)
        for pair in WRITE_EXAM_QUESTIONS.parse(item, example.answer.strip()):
            assert find_problem(pair) is None
            assert find_unclear(pair.question, pair.answer) == []
            assert len(pair.answer.split()) <= 3


def test_sentences_with_exact_things_are_asked_about_first() -> None:
    text = "It is a fine old bridge to walk on. It was opened in 1931. Maud Ferris built all of it."
    chunk = replace(CHUNK, text=text)
    assert choose_sentences(chunk, 1, 0) in ((2,), (3,))
    assert choose_sentences(chunk, 5, 0) == (2, 3)
    assert choose_sentences(replace(CHUNK, text="It is a fine old bridge."), 3, 0) == ()


def test_where_few_sentences_have_exact_things_others_that_are_clear_are_asked_about() -> None:
    text = (
        "Sawdust in the fuel clogs the filter of an engine. It was found out in 1931. "
        "That takes a day. Fine sand in the grease wears out the bearings of a mill."
    )
    chunk = replace(CHUNK, text=text)
    assert choose_sentences(chunk, 1, 0) == (2,)
    assert choose_sentences(chunk, 3, 0) == (1, 2, 4)


def test_what_a_chunk_shares_with_the_one_before_is_not_asked_about() -> None:
    chunk = replace(CHUNK, text="Paint is red. The deck is 112 metres long.", overlap=14)
    own = take_own(chunk)
    assert own.text == "The deck is 112 metres long."
    assert (own.overlap, own.uuid != chunk.uuid) == (0, True)
