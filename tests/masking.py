"""Runs for tests of what is trained on in part: chunks of one place each, with a vetted pair."""

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from generation_functions.config import Config
from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.masked import Evidence, Grounded, Shown
from generation_functions.pipelines.retrieving import Library
from generation_functions.records import Chunk, QAPair, make_uuid
from generation_functions.session import open_run
from generation_functions.sources import Source
from generation_functions.stages import CORRECTION_STEPS, QUESTION_STEPS, RAG_STEPS
from generation_functions.steps.prompts import load_prompt
from generation_functions.steps.run import Run

PLACES = "Arno Brent Cairn Dell Esker Firth Garth Holm Inver Jarrow".split()
OF_THEIR_OWN = (
    "Fishermen mend their nets on the parapet.",
    "A chapel of brick stands where pilgrims used to rest.",
    "Ice broke two arches in a hard winter.",
    "Vines grow over the southern abutment.",
    "Its lamps burn whale oil until midnight.",
    "Cattle drovers paid nothing on market days.",
    "An inn at the crossing brews dark beer.",
    "Engineers from Turin drew the plans.",
    "Floods carried timber against the cutwaters.",
    "Children fly kites from the middle span.",
)
NAMES = {
    load_prompt(step.name).content.system: step.name
    for step in (*RAG_STEPS, *CORRECTION_STEPS, *QUESTION_STEPS)
}
LACK = "About: Bridges.\nMissing: Nothing is told of that bridge's length."
MISTAKE = (
    "Changed: The length becomes another.\nWrong: The {name} Bridge is 99 metres long.\n"
    "Doubt: Is that so?\nAdmits: You are right, that was wrong."
)
STAND = (
    "Doubt: I do not believe it.\nStays: It is so all the same.\n"
    "Answer: Of the {name} Bridge the length is {length} metres."
)


def tell(number: int) -> str:
    """Return the text of a bridge, whose figures no other bridge has."""
    name = PLACES[number]
    return (
        f"The {name} Bridge is {1000 + number} metres long. It stands on piers of {name} granite. "
        f"{OF_THEIR_OWN[number]} Its paint is renewed when the rust shows through. "
        f"Herons nest below the {name} Bridge, and the keeper of the toll counts them "
        "every spring before the boats come."
    )


def make_chunk(number: int, text: str = "", directory: str = "north") -> Chunk:
    text = text or tell(number)
    uuid = make_uuid(directory, "chunk", str(number), text)
    return Chunk(uuid, uuid, directory, f"Bridge {number}", text, 0, len(text), 40)


def ask_length(chunk: Chunk) -> QAPair:
    """Return the vetted pair of a bridge."""
    ((name, length),) = re.findall(r"The (\w+) Bridge is (\d+) metres long\.", chunk.text)[:1]
    quote = f"The {name} Bridge is {length} metres long."
    question = f"How long is the {name} Bridge?"
    return QAPair(make_uuid(chunk.uuid, question), question, quote, (1,), quote, chunk)


def ask_nests(chunk: Chunk) -> QAPair:
    """Return another vetted pair of a bridge, without figures."""
    (name,) = re.findall(r"nest below the (\w+) Bridge", chunk.text)
    quote = (
        f"Herons nest below the {name} Bridge, and the keeper of the toll counts them every spring "
        "before the boats come."
    )
    question = f"What birds has the {name} Bridge?"
    answer = f"Herons nest below the {name} Bridge."
    return QAPair(make_uuid(chunk.uuid, question), question, answer, (4,), quote, chunk)


def make_asked(pair: QAPair) -> Grounded:
    evidence = (Evidence(pair.chunk.uuid, pair.quote),)
    return Grounded(pair.uuid, pair.question, pair.answer, evidence)


def make_library(chunks: Sequence[Chunk], near: Sequence[tuple[str, Chunk]] = ()) -> Library:
    known = {chunk.uuid: chunk for chunk in chunks}
    directories = {chunk.uuid: chunk.directory for chunk in chunks}
    return Library(ChunkIndex(chunks), directories, known.get, dict(near))


def make_config(path: dict[str, Any] | None = None, **sections: Any) -> Config:
    small = {"gguf": "s.gguf"}
    dirs = [{"path": "north"}, {"path": "south"}]
    return Config.model_validate(
        {
            "path": {"input_dirs": dirs, "output_dir": "out", **(path or {})},
            "models": {"small": small, "large": small},
            "dataset_context": "Bridges",
            **sections,
        }
    )


def show(chunk: Chunk, why: str) -> Shown:
    return Shown(chunk.uuid, chunk.source, chunk.text, why)


def step_of(request: Request) -> str:
    return NAMES[request.messages[0].content]


def reply(request: Request) -> str:
    """Say what is missing, be wrong, or stand firm; find wrong answers wrong."""
    asked, step = request.messages[-1].content, step_of(request)
    if step == "tell_lack":
        (name,) = re.findall(r"\n+Question: .*the (\w+) Bridge\?", asked)
        return LACK.replace("that bridge's length", f"the {name} Bridge here")
    if step == "check_answer_accuracy":
        wrong = "Answer: The" in asked and "99 metres" in asked
        return "Verdict: no\nReason: It is not." if wrong else "Verdict: yes"
    ((name, length),) = re.findall(r"The (\w+) Bridge is (\d+) metres long\.", asked)[:1]
    form = MISTAKE if step == "write_correction" else STAND
    return form.format(name=name, length=length)


def open_masked_run(
    folder: Path,
    texts: dict[str, dict[str, str]],
    script: Callable[[Request], str] = reply,
    asks: Sequence[Callable[[Chunk], QAPair]] = (ask_length,),
    **sections: dict[str, Any],
) -> tuple[Run, ScriptedEngine]:
    """Open a run over texts by directory, whose chunks are worthy and have vetted pairs."""
    for directory, files in texts.items():
        (folder / directory).mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / directory / f"{name}.txt").write_text(text, encoding="utf-8")
    path = {"input_dirs": [{"path": one} for one in texts], "output_dir": "run"}
    content = {
        "path": {**path, **sections.pop("path", {})},
        "models": {"small": {"gguf": "none.gguf"}, "large": {"gguf": "none.gguf"}},
        "dataset_context": "Bridges",
        **sections,
        "system": {"token_counter": "words", "chunk_size": 100, **sections.get("system", {})},
        "questions": {"double_check_counter": 1, **sections.get("questions", {})},
    }
    content["path"] = {key: value for key, value in content["path"].items() if value is not None}
    (folder / "config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    engine = ScriptedEngine(script)
    run = open_run(folder / "config.yaml", {"small": engine, "large": engine}, engine)
    run.progress = False
    asyncio.run(keep_pairs(run, asks))
    return run, engine


async def keep_pairs(run: Run, asks: Sequence[Callable[[Chunk], QAPair]]) -> None:
    """Stand in for the questions' stage."""
    async with run.stage("questions"):
        run.open_survivors("worthy_for_questions", "qatuples_revised")
        for decision in Source(run.config).decisions():
            if not decision.reason:
                run.keep("worthy_for_questions", decision.chunk)
                for ask in asks:
                    run.keep("qatuples_revised", ask(decision.chunk))
