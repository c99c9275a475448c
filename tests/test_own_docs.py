"""The pages on pipelines of your own, on the code and on prompts say what is so."""

import ast
import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import OpenRun

from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.pipelines.pipeline import Pipeline, PipelineSection
from generation_functions.records import Chunk, Turn, make_uuid
from generation_functions.stages import run_pipeline
from generation_functions.steps.prompts import load_prompt
from generation_functions.steps.run import Run
from generation_functions.trying import try_items

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "generation_functions"
OWN = (ROOT / "docs" / "your_own_pipeline.md").read_text(encoding="utf-8")
BLOCKS = [ast.parse(one) for one in re.findall(r"```python\n(.+?)```", OWN, re.DOTALL)]
REPLIES = {
    "sum_up": "It tells of a bridge.",
    "list_terms": "pier\ngranite",
    "sum_up_all": "All of it tells of a bridge.",
    "tell": "There was a bridge.",
    "check_sample": "yes",
    "list_some": "pier\ngranite",
}
KINDS = "map one_to_many many_to_one vote filter random_variation chain code_only".split()


@dataclass(frozen=True, slots=True)
class Sample:
    uuid: str
    text: str
    chunk: Chunk


def read_text(item: Any, reply: str) -> str:
    return reply


def read_lines(item: Any, reply: str) -> list[str]:
    return reply.splitlines()


def read_verdict(item: Any, reply: str) -> bool:
    return reply == "yes"


def show_chunk(chunk: Chunk) -> dict[str, str]:
    return {"shown": chunk.text}


def show_all(document: Any) -> dict[str, str]:
    return {"shown": document.chunks[0].text}


def show_telling(telling: Any) -> dict[str, str]:
    return {"shown": telling.told}


def show_sample(sample: Sample) -> dict[str, str]:
    return {"shown": sample.text}


async def make_sample(run: Run, chunk: Chunk) -> Sample:
    return run.keep("cards", Sample(make_uuid(chunk.uuid), chunk.text, chunk))


@pytest.fixture
def names(tmp_path: Path) -> dict[str, Any]:
    """Execute the page's code among the names above; write its steps' prompts and grammars."""
    found = dict(globals())
    for block in BLOCKS:
        exec(compile(block, "your_own_pipeline.md", "exec"), found)

    async def sum_up_all(run: Run, document: Any) -> Sample:
        text = await run.ask(found["SUM_UP_ALL"], document)
        return run.keep("cards", Sample(make_uuid(document.uuid, text), text, document.chunks[0]))

    found["sum_up_all"] = sum_up_all
    (tmp_path / "own").mkdir()
    for step, reply in REPLIES.items():
        literal = reply.replace("\n", "\\n")
        (tmp_path / "own" / f"{step}.gbnf").write_text(f'root ::= "{literal}"\n', encoding="utf-8")
        prompt = f"user: '{step}: {{{{ shown }}}}'\nmax_tokens: 20\n"
        (tmp_path / "own" / f"{step}.yaml").write_text(prompt, encoding="utf-8")
    return found


def answer(request: Request) -> str:
    return REPLIES[request.messages[-1].content.partition(":")[0]]


def lift(function: Any, names: dict[str, Any]) -> Any:
    """Return a whole pipeline of what an example says of one chunk, of a sample, or of all."""
    about = list(function.__annotations__.values())[1]
    if about == Iterator[Chunk]:
        return function
    one = names["take_first"] if about is Sample else function

    async def write(run: Run, chunks: Iterator[Chunk]) -> Any:
        made = await run.map(partial(one, run), chunks)
        return await run.map(partial(function, run), made) if about is Sample else made

    return write


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_step_runs_as_the_page_says(
    kind: str, names: dict[str, Any], open_small_run: OpenRun
) -> None:
    block = BLOCKS[1 + KINDS.index(kind)]
    (defined,) = [node for node in block.body if isinstance(node, ast.AsyncFunctionDef)]
    assert len(defined.body) <= 3
    function = names[defined.name]
    turns = lambda made: (Turn("human", "?"), Turn("gpt", made.text))  # noqa: E731
    pipeline = Pipeline("cards", PipelineSection, (), Sample, lift(function, names), turns)
    run = open_small_run(ScriptedEngine(answer), path={"prompts": "own"})
    made = asyncio.run(run_pipeline(run, pipeline))
    assert made


def test_an_option_reaches_a_step_as_the_page_says(
    names: dict[str, Any], tmp_path: Path, open_small_run: OpenRun
) -> None:
    class Options(PipelineSection):
        most_terms: int = 2

    async def keep_terms(run: Run, chunk: Chunk) -> Sample:
        text = " ".join(await names["list_some"](run, chunk))
        return run.keep("cards", Sample(make_uuid(chunk.uuid, text), text, chunk))

    async def write(run: Run, chunks: Iterator[Chunk]) -> Any:
        return await run.map(partial(keep_terms, run), chunks)

    (tmp_path / "own" / "list_some.gbnf").write_text("root ::= terms\nterms ::= word\n", "utf-8")
    prompt = "user: 'list_some: {{ shown }} {{ most }}'\nmax_tokens: 20\n"
    (tmp_path / "own" / "list_some.yaml").write_text(prompt, encoding="utf-8")
    turns = lambda made: (Turn("human", "?"), Turn("gpt", made.text))  # noqa: E731
    step, engine = names["LIST_SOME"], ScriptedEngine(answer)
    pipeline = Pipeline("cards", Options, (step,), Sample, write, turns, names["SAMPLES"])
    names["PIPELINE"] = pipeline
    run = open_small_run(engine, path={"prompts": "own"})
    made = asyncio.run(run_pipeline(run, pipeline))
    assert {one.text for one in made} == {"pier granite"}
    assert all(one.messages[-1].content.endswith(" 2") for one in engine.requests)
    loaded = load_prompt("list_some", [tmp_path / "own"])
    assert try_items(step, loaded, names["SAMPLES"]["list_some"]) == []
    shown = {"shown": "A pier.", "most": 3}
    assert step.fields(names["SAMPLES"]["list_some"].read(shown)) == shown


def test_every_kind_of_step_has_its_example() -> None:
    headings = re.findall(r"^### (.+)$", OWN, re.MULTILINE)
    assert [one.lower().replace(" ", "_") for one in headings] == KINDS
    assert len(BLOCKS) == len(KINDS) + 2


def defined_in(file: Path) -> set[str]:
    """Return the names of a module's functions, classes, methods and constants."""
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {one.id for one in targets if isinstance(one, ast.Name)}
        if isinstance(node, ast.ClassDef):
            methods = (ast.FunctionDef, ast.AsyncFunctionDef)
            found |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, methods)}
    return found


def test_the_walk_names_only_files_and_functions_that_are_there() -> None:
    text = (ROOT / "docs" / "reading_the_code.md").read_text(encoding="utf-8")
    file, functions = PACKAGE, 0
    for said in re.findall(r"`([^`\n]+)`", text):
        if re.fullmatch(r"[\w/.]+\.(py|yaml|gbnf)", said):
            file = next((one for one in (PACKAGE / said, ROOT / said) if one.is_file()), file)
            assert file.as_posix().endswith(said), f"{said}: no such file"
        elif re.fullmatch(r"[\w.]+\(\)", said):
            functions += 1
            assert said.removesuffix("()") in defined_in(file), f"{said} is not in {file.name}"
    assert functions > 25


def test_what_the_page_on_prompts_imports_is_there() -> None:
    text = (ROOT / "docs" / "prompts.md").read_text(encoding="utf-8")
    imports = re.findall(r"^from .+ import .+$", text, re.MULTILINE)
    assert len(imports) > 3
    for line in imports:
        exec(line, {})


@pytest.mark.parametrize("page", ["your_own_pipeline", "reading_the_code"])
def test_the_pages_link_to_files(page: str) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    assert links
    assert [one for one in links if not (ROOT / "docs" / one).exists()] == []
