"""`use_filenames`: whether prompts show a document's title, author and year."""

import asyncio
from pathlib import Path

import pytest
from conftest import OpenRun
from scripted_run import friendly_reply

from generation_functions import stages
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import PromptError
from generation_functions.pipelines.pair_checks import find_problem
from generation_functions.pipelines.question_steps import WRITE_QUESTIONS, QuestionRequest
from generation_functions.pipelines.samples import SAMPLES, make_chunk, make_pair
from generation_functions.pipelines.wording import find_unclear
from generation_functions.records import QAPair
from generation_functions.steps.prompts import PROMPTS, load_prompt

TITLE = "Tides of the Fal, by E. Carne, published 1911"
CHUNK = make_chunk("[1] An ebb of nine hours leaves the upper creek dry.", TITLE)
FIELDS = {
    "write_questions": {
        "source": TITLE,
        "chunk": CHUNK.text,
        "most": 1,
        "plan": "",
        "left_out": "",
    },
    "revise_pair": {
        "source": TITLE,
        "chunk": CHUNK.text,
        "question": "How long is the ebb?",
        "answer": "The ebb takes nine hours.",
        "pointers": ["the ebb"],
    },
}
each_prompt = pytest.mark.parametrize("name", FIELDS)
SMALL = (PROMPTS / "small",)
SETS = [(), (PROMPTS / "tiny",), SMALL]
each_folder = pytest.mark.parametrize("folders", SETS, ids=["own", "tiny", "small"])


def sources(name: str, folders: tuple[Path, ...]) -> set[str]:
    """Every title that the examples of a prompt have, in either mode."""
    both = [load_prompt(name, folders, mode).content.examples for mode in (True, False)]
    return {str(example.fields["source"]) for one in both for example in one} | {TITLE}


@pytest.mark.parametrize(
    ("name", "folders"),
    [
        (name, folders)
        for name in FIELDS
        for folders in SETS
        if (name, folders) != ("revise_pair", SMALL)
    ],
)
def test_with_it_examples_and_item_show_their_source(name: str, folders: tuple[Path, ...]) -> None:
    prompt = load_prompt(name, folders, use_filenames=True)
    messages, _ = prompt.messages(FIELDS[name])
    asked = [message.content for message in messages if message.role == "user"]
    shown = [*(example.fields["source"] for example in prompt.content.examples), TITLE]
    assert len(asked) == len(shown) > 1
    times = 2 if name == "write_questions" and not folders else 1  # whose advice it is, too
    for text, source in zip(asked, shown, strict=True):
        assert text.count(source) == times
        assert text.startswith(("Source: ", "Text ("))


def test_small_models_see_the_text_where_something_is_unclear() -> None:
    prompt = load_prompt("revise_pair", SMALL)
    unclear, _ = prompt.messages(FIELDS["revise_pair"])
    assert unclear[-1].content.startswith(f"Text ({TITLE}):\n[1] An ebb")
    clear, _ = prompt.messages({**FIELDS["revise_pair"], "pointers": []})
    assert clear[-1].content.startswith("Question: How long")


@each_prompt
@each_folder
def test_without_it_no_message_shows_a_source(name: str, folders: tuple[Path, ...]) -> None:
    messages, _ = load_prompt(name, folders, use_filenames=False).messages(FIELDS[name])
    everything = "\n".join(message.content for message in messages)
    assert [source for source in sources(name, folders) if source in everything] == []
    assert "Source" not in everything
    assert "Corder" not in everything
    assert messages[-1].content.startswith(("[1] An ebb", "Text:\n[1] An ebb"))


def test_the_modes_tell_the_model_to_name_the_author_or_not_to() -> None:
    named = load_prompt("write_questions", use_filenames=True)
    silent = load_prompt("write_questions", use_filenames=False)
    assert "with the author's name and the title" in named.content.system
    assert "Never name the book" in silent.content.system
    assert "use_filenames" not in named.content.system + silent.content.system
    assert named.hash != silent.hash


@pytest.mark.parametrize("mode", [True, False])
def test_examples_ask_as_their_mode_wants(mode: bool) -> None:
    naming = 0
    for name in FIELDS:
        for example in load_prompt(name, (), mode).content.examples:
            naming += example.fields["source"].split(",")[0] in example.answer
    assert naming == (4 if mode else 0)


@pytest.mark.parametrize("mode", [True, False])
def test_the_pairs_of_the_examples_are_grounded_in_their_mode(mode: bool) -> None:
    for example in load_prompt("write_questions", (), mode).content.examples:
        request = SAMPLES["write_questions"].read(example.fields)
        assert isinstance(request, QuestionRequest)
        for pair in WRITE_QUESTIONS.parse(request, example.answer):
            assert find_problem(pair, mode) is None
            assert find_unclear(pair.question, pair.answer) == []


STRANGE = "question has a fact that the text lacks"


def reason(pair: QAPair, use_filenames: bool) -> str | None:
    problem = find_problem(pair, use_filenames)
    return problem.reason if problem else None


@pytest.mark.parametrize(
    ("question", "with_names", "without"),
    [
        ("How long does the ebb leave the upper creek dry?", None, None),
        (
            "How dry is the upper creek at the ebb in Carne's Tides?",
            None,
            STRANGE,
        ),
        (
            "How dry was the upper creek at the ebb in 1911?",
            None,
            STRANGE,
        ),
    ],
)
def test_a_pair_that_names_the_document_is_refused_where_it_may_not(
    question: str, with_names: str | None, without: str | None
) -> None:
    pair = make_pair(CHUNK, question, "The ebb leaves the creek dry for nine hours.")
    assert reason(pair, True) == with_names
    found = reason(pair, False)
    assert (found or "").startswith(without or "")
    assert (found is None) == (without is None)


def test_a_name_that_the_text_itself_has_may_be_said() -> None:
    chunk = make_chunk("The Fal has an ebb of nine hours, says Carne.", TITLE)
    pair = make_pair(chunk, "How long is the ebb of the Fal?", "The ebb of the Fal is nine hours.")
    assert find_problem(pair, False) is None


def test_an_own_prompt_that_shows_the_source_all_the_same_is_an_error(tmp_path: Path) -> None:
    text = (PROMPTS / "tiny" / "write_questions.yaml").read_text(encoding="utf-8")
    careless = text.replace("{% if use_filenames %}", "{% if true %}")
    (tmp_path / "write_questions.yaml").write_text(careless, encoding="utf-8")
    folders = (tmp_path, PROMPTS / "tiny")
    load_prompt("write_questions", folders, True).messages(FIELDS["write_questions"])
    prompt = load_prompt("write_questions", folders, False)
    with pytest.raises(PromptError, match=r"write_questions\.yaml.*'source' is undefined"):
        prompt.messages(FIELDS["write_questions"])


def test_a_system_template_that_asks_for_more_is_an_error(tmp_path: Path) -> None:
    text = (PROMPTS / "write_questions.yaml").read_text(encoding="utf-8")
    changed = text.replace("You write", "About {{ source }} you write", 1)
    (tmp_path / "write_questions.yaml").write_text(changed, encoding="utf-8")
    with pytest.raises(PromptError, match="`system` knows no name but `use_filenames`"):
        load_prompt("write_questions", (tmp_path,))


@pytest.mark.parametrize("mode", [True, False])
def test_what_a_run_sends_is_as_its_config_says(mode: bool, open_small_run: OpenRun) -> None:
    engine = ScriptedEngine(friendly_reply)
    run = open_small_run(engine, system={"use_filenames": mode})
    asyncio.run(stages.write_questions(run))
    items = [request.messages[-1].content for request in engine.requests]
    assert items
    assert any("by A. Mason, published 1970" in text for text in items) == mode
