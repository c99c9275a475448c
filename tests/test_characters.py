"""Cards and scenes: what their parsers refuse, what each step sees, and the stage in both modes."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted_run import friendly_reply

from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import EngineError, RunFolderError, Unparsable
from generation_functions.pipelines.characters import (
    PLAN_CHARACTER,
    WRITE_CHARACTER,
    WRITE_SCENE,
    SceneDraft,
    find_given_away,
)
from generation_functions.pipelines.orders import make_info
from generation_functions.pipelines.samples import SAMPLES, make_chunk, make_pair
from generation_functions.records import Conversation, ConversationInfo
from generation_functions.stages import CHARACTER_STEPS, STAGES
from generation_functions.status import describe_status, read_status
from generation_functions.steps.copying import find_copied
from generation_functions.steps.inquiry import Inquiry
from generation_functions.steps.prompts import load_prompt
from generation_functions.steps.record import Reply
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step

OpenRun = Callable[..., Run]
CHUNK = make_chunk(
    "The Kelvin Bridge was opened in 1931. Maud Ferris built its piers of granite, because granite"
    " was quarried nearby. It is 812 metres long.",
    "On Bridges, by Albert Mason, published 1950",
)
PAIRS = (
    make_pair(CHUNK, "How long is the Kelvin Bridge?", "The Kelvin Bridge is 812 metres long."),
    make_pair(
        CHUNK,
        "Why are the piers of granite?",
        "Maud Ferris chose granite because it was quarried close by, downstream.",
    ),
)
DRAFT = SceneDraft(
    make_info(PAIRS),
    "Sunniva Demir",
    "Kofi Nagy",
    "the 1950s",
    ("has all the time in the world.",),
    ("has a bet to settle.",),
)
CARD = (
    "Name: Sunniva Demir\n"
    "Traits: calm, 61 years old, 2nd of three sisters, left-handed, fond of Earl Grey, well-read\n"
    "Life: She was born in 1890 and counts trains.\n"
    'Voice: She hums before she speaks. "Now then, take a chair."'
)
SETTING = "In 1953 Kofi Nagy waits on platform 9. Sunniva Demir counts the trains."
CHARACTERS = {"assistant_mode": False}


def refuse(reply: str, draft: SceneDraft = DRAFT) -> str:
    """Return why a scene is refused."""
    with pytest.raises(Unparsable) as caught:
        WRITE_SCENE.parse(draft, reply)
    return str(caught.value)


def card_matches(card: str) -> bool:
    grammar = WRITE_CHARACTER.narrow(load_prompt("write_character").grammar, DRAFT)
    return grammar.matches(card) and not grammar.reaches_bound(card)


def test_a_card_and_a_scene_that_are_fine_are_taken_as_they_are() -> None:
    assert WRITE_CHARACTER.parse(DRAFT, CARD) == CARD
    assert WRITE_SCENE.parse(DRAFT, SETTING) == SETTING


def test_traits_have_digits_hyphens_and_capitals_and_no_comma_is_left_over() -> None:
    """W27: these were banned, every list ended in a comma, and 86 of 92 ran to the maximum."""
    assert card_matches(CARD)
    assert not card_matches(CARD.replace("well-read", "well-read, "))
    assert not card_matches(CARD.replace("well-read", "well-read,"))
    assert not card_matches(CARD.replace(", well-read", ""))
    assert card_matches(CARD.replace("well-read", ", ".join(f"trait-{n}" for n in range(7))))
    assert not card_matches(CARD.replace("well-read", ", ".join(f"trait-{n}" for n in range(8))))


def test_a_card_names_exactly_the_name_that_was_given() -> None:
    """W28: no grammar held the name, and any other could come up."""
    assert not card_matches(CARD.replace("Sunniva", "Albert"))
    assert not card_matches(CARD.replace("Sunniva Demir", "Sunniva Demirel"))
    plan = PLAN_CHARACTER.narrow(load_prompt("plan_character").grammar, DRAFT)
    assert plan.matches("Sunniva Demir is a teacher.")
    assert not plan.matches("Albert Mason is a teacher.")


def test_a_card_has_no_trait_twice() -> None:
    with pytest.raises(Unparsable, match="a trait twice"):
        WRITE_CHARACTER.parse(DRAFT, CARD.replace("well-read", "Calm"))


def test_nobody_is_called_stranger() -> None:
    """W29: who asks was called Stranger in 17 of 92 conversations."""
    assert refuse(f"{SETTING} The Stranger coughs.") == "calls somebody a stranger"
    assert refuse(f"{SETTING} A young stranger coughs.") == "calls somebody a stranger"
    assert WRITE_SCENE.parse(DRAFT, f"{SETTING} He is no stranger to rain.")


def test_both_people_are_in_the_scene() -> None:
    assert refuse("Kofi Nagy waits on platform 9.") == "one of the two is not there"


def test_a_scene_stays_in_the_era_that_was_drawn() -> None:
    """W32: 33 of 92 scenes were set in the 19th century, whatever the text was about."""
    assert refuse(SETTING.replace("1953", "1893")) == "leaves its era"
    assert refuse(f"{SETTING} It is a nineteenth-century parlour.") == "leaves its era"


def test_a_card_or_scene_that_gives_an_answer_away_is_refused() -> None:
    """W32: answers leaked into the biographies."""
    assert refuse(f"{SETTING} She knows that it is 812 long.") == "gives an answer away"
    assert refuse(f"{SETTING} She knew old Maud Ferris.") == "gives an answer away"
    leaked = re.sub("Life: .+", "Life: She quarried stone, chose close by, downstream.", CARD)
    with pytest.raises(Unparsable, match="gives an answer away"):
        WRITE_CHARACTER.parse(DRAFT, leaked)
    assert find_given_away("She has a granite face and a long memory.", PAIRS) is None


def test_what_the_questions_say_gives_nothing_away() -> None:
    asked = replace(PAIRS[0], question="Is the Kelvin Bridge 812 metres long?")
    assert find_given_away("They look at 812 metres of Kelvin Bridge.", (asked,)) is None


def test_a_character_is_not_the_author_and_knows_of_no_text() -> None:
    assert refuse(f"{SETTING} She is Albert's niece.") == "names the author"
    assert refuse(f"{SETTING} Albert Mason's niece she is not.") == "names the author"
    assert refuse(f"{SETTING} It is told in the passage.") == "points at the text"
    assert refuse(f"{SETTING} 謝謝.") == "letters of another script"


@pytest.mark.parametrize(
    ("author", "said"),
    [
        ("the Office of Strategic Services", "Office hours are over; the office is dark."),
        ("Mary Young", "Young people pass, and a young woman sells papers."),
    ],
)
def test_words_that_are_in_an_authors_name_by_chance_may_be_said(author: str, said: str) -> None:
    chunk = replace(CHUNK, source=f"On Bridges, by {author}")
    draft = replace(DRAFT, info=replace(DRAFT.info, chunk=chunk))
    assert WRITE_SCENE.parse(draft, f"{SETTING} {said}")
    assert refuse(f"{SETTING} She writes to {author}.", draft) == "names the author"


def test_the_steps_see_what_is_good_for_them() -> None:
    """The card plan sees no pair, the card no text either, the scene plan no answer."""
    draft = replace(DRAFT, card_plan="PLAN", card="CARD", scene_plan="PLACE")
    seen = {step.name: json.dumps(step.fields(draft)) for step in CHARACTER_STEPS}
    answers = ("812", "downstream", "Ferris")
    assert "812" in seen["plan_character"]
    assert "How long" not in seen["plan_character"]
    assert not any(word in seen["write_character"] for word in (*answers, "How long", "granite"))
    assert "How long" in seen["plan_scene"]
    for name in ("plan_scene", "write_scene"):
        assert not any(word in seen[name] for word in answers)
        assert "Kofi Nagy" in seen[name]
        assert "the 1950s" in seen[name]


def test_a_scene_keeps_all_that_was_drawn_for_it() -> None:
    scene = DRAFT.settle(SETTING)
    assert scene.instructions == (
        "Sunniva Demir has all the time in the world.",
        "Kofi Nagy has a bet to settle.",
        "It is the 1950s.",
    )
    assert (scene.primary, scene.secondary) == ("Sunniva Demir", "Kofi Nagy")


@pytest.mark.parametrize("step", CHARACTER_STEPS, ids=lambda step: step.name)
def test_each_step_has_three_examples_of_three_eras_that_its_parser_takes(
    step: Step[SceneDraft, str],
) -> None:
    prompt = load_prompt(step.name)
    assert len(prompt.content.examples) >= 3
    assert len({example.fields["era"] for example in prompt.content.examples}) >= 3
    for example in prompt.content.examples:
        draft = SAMPLES[step.name].read(example.fields)
        assert step.narrow(prompt.grammar, draft).matches(example.answer)
        assert step.parse(draft, example.answer) == example.answer


def test_a_run_of_eight_words_of_an_example_is_a_copy() -> None:
    shown = "He carried letters over mountain roads for forty years and knew every dog."
    assert find_copied("Carried letters, over mountain roads for forty years!", [shown])
    assert not find_copied("He carried letters over hills for forty years.", [shown])
    assert not find_copied(shown, [shown], own=f"Plan: {shown}")


@pytest.mark.parametrize("step", CHARACTER_STEPS, ids=lambda step: step.name)
def test_a_reply_that_copies_an_example_is_asked_again(
    step: Step[Any, Any], open_small_run: OpenRun
) -> None:
    prompt = load_prompt(step.name)
    inquiry = Inquiry.of(step, DRAFT, prompt, open_small_run().config)
    copied = Reply("k", "p", "m", 0, 0, 0, prompt.content.examples[0].answer, "stop", 1, 0, 1, 0.0)
    with pytest.raises(Unparsable, match="copied from the prompt"):
        inquiry.read(copied)


def run_stages(run: Run, *names: str) -> None:
    async def go() -> None:
        for name in names or STAGES:
            await STAGES[name](run, None)

    asyncio.run(go())


def keep_pairs(run: Run) -> None:
    """Let the stage before have kept the two pairs."""

    async def go() -> None:
        async with run.stage("questions"):
            for pair in PAIRS:
                run.keep("qatuples_revised", pair)

    asyncio.run(go())


def read_all(run: Run, folder: str) -> list[dict[str, object]]:
    files = sorted((run.folder / folder).glob("*.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def asked_by(engine: ScriptedEngine) -> set[str]:
    """Return the last words of what an engine was asked."""
    return {" ".join(one.messages[-1].content.split()[-2:]) for one in engine.requests}


def test_in_assistant_mode_the_stage_asks_no_model(open_small_run: OpenRun) -> None:
    engine = ScriptedEngine(friendly_reply)
    run = open_small_run(engine, conversations={"traits": "moved_away.yaml"})
    keep_pairs(run)
    run_stages(run, "characters")
    assert engine.requests == []
    infos = read_all(run, "multiturn_convs_info")
    assert infos
    assert all(info["scene"] is None for info in infos)
    assert read_status(run.folder)["characters"]["pipelines"]["characters"]["kept"] == len(infos)
    run_stages(run, "conversations")
    assert {c["uuid"] for c in read_all(run, "multiturn_convs")} == {i["uuid"] for i in infos}


def test_characters_by_the_small_model_and_conversations_by_the_large_one(
    open_small_run: OpenRun,
) -> None:
    small = ScriptedEngine(friendly_reply, "small")
    large = ScriptedEngine(friendly_reply, "large")
    run = open_small_run(small, large, conversations=CHARACTERS)
    keep_pairs(run)
    run_stages(run, "characters", "conversations")
    assert {"the card.", "the scene.", "the opening."} <= asked_by(small)
    assert "the conversation." not in asked_by(small)
    assert asked_by(large) == {"the conversation."}
    infos, talks = read_all(run, "multiturn_convs_info"), read_all(run, "multiturn_convs")
    assert len(infos) == len(talks) > 0
    assert len({info["scene"]["primary"] for info in infos}) == len(infos)  # type: ignore[index]
    assert [talk["scene"] for talk in talks] == [info["scene"] for info in infos]
    status = read_status(run.folder)
    assert status["characters"]["survivors"]["multiturn_convs_info"]["kept"] == len(infos)
    for step in CHARACTER_STEPS:
        assert status["characters"]["steps"][step.name]["kept"] == len(infos)
        assert step.name in describe_status(status)
    for info in infos:  # a person finds one conversation under one name in all folders
        assert (run.folder / "write_scene" / f"{info['uuid']}.json").exists()
        assert (run.folder / "multiturn_convs" / f"{info['uuid']}.json").exists()


def test_a_step_may_be_given_the_other_model(open_small_run: OpenRun) -> None:
    small = ScriptedEngine(friendly_reply, "small")
    large = ScriptedEngine(friendly_reply, "large")
    steps = {"write_character": "large", "write_scene_conversation": "small"}
    run = open_small_run(small, large, conversations=CHARACTERS, models={"steps": steps})
    keep_pairs(run)
    run_stages(run, "characters", "conversations")
    assert asked_by(large) == {"the card."}
    assert {"the scene.", "the opening.", "the conversation."} <= asked_by(small)


@pytest.mark.parametrize(("take", "orders"), [(1, 1), (2, 2), (3, 2)])
def test_orders_are_as_many_as_asked_for_and_as_there_are(
    open_small_run: OpenRun, take: int, orders: int
) -> None:
    run = open_small_run(conversations={"rearrangements_to_take": take})
    keep_pairs(run)
    run_stages(run, "characters")
    infos = run.survivors("multiturn_convs_info", ConversationInfo)
    assert len({info.pairs for info in infos}) == len(infos) == orders


def test_resuming_asks_nothing_again_and_changes_nobody(open_small_run: OpenRun) -> None:
    """W13: orders were drawn anew at each start, without a seed."""
    run = open_small_run(ScriptedEngine(friendly_reply), conversations=CHARACTERS)
    run_stages(run)
    before = {name: read_all(run, name) for name in ("multiturn_convs_info", "multiturn_convs")}
    silent = ScriptedEngine(friendly_reply)
    again = open_small_run(silent, conversations=CHARACTERS)
    run_stages(again)
    assert silent.requests == []
    assert {name: read_all(again, name) for name in before} == before


def test_a_crash_between_card_and_scene_loses_nothing(open_small_run: OpenRun) -> None:
    def break_off(request: Request) -> str:
        if request.messages[-1].content.endswith("Plan the scene."):
            raise EngineError("the model's process died")
        return friendly_reply(request)

    broken = ScriptedEngine(break_off)
    run = open_small_run(broken, conversations=CHARACTERS)
    keep_pairs(run)
    with pytest.raises(EngineError):
        run_stages(run, "characters")
    cards = len(list((run.folder / "write_character").glob("*.json")))
    whole = ScriptedEngine(friendly_reply)
    again = open_small_run(whole, conversations=CHARACTERS)
    run_stages(again, "characters")
    infos = read_all(again, "multiturn_convs_info")
    written = [one for one in whole.requests if one.messages[-1].content.endswith("the card.")]
    assert cards > 0
    assert len(written) == len(infos) - cards


def test_a_scene_that_stays_unusable_is_counted_with_its_reason(open_small_run: OpenRun) -> None:
    def call_stranger(request: Request) -> str:
        if request.messages[-1].content.endswith("Write the opening."):
            return "The Stranger comes in."
        return friendly_reply(request)

    run = open_small_run(ScriptedEngine(call_stranger), conversations=CHARACTERS)
    keep_pairs(run)
    run_stages(run, "characters")
    counts = read_status(run.folder)["characters"]["pipelines"]["characters"]
    assert counts["in"] == counts["failed"] > 0
    assert list(counts["reasons"]["failed"]) == ["calls somebody a stranger"]
    assert read_all(run, "multiturn_convs_info") == []


def test_a_scene_that_a_person_edits_is_the_one_that_is_played(open_small_run: OpenRun) -> None:
    run = open_small_run(ScriptedEngine(friendly_reply), conversations=CHARACTERS)
    keep_pairs(run)
    run_stages(run, "characters")
    file = min((run.folder / "multiturn_convs_info").glob("*.json"))
    value = json.loads(file.read_text(encoding="utf-8"))
    value["scene"]["secondary"] = "Edda Edited"
    file.write_text(json.dumps(value), encoding="utf-8")
    large = ScriptedEngine(friendly_reply, "large")
    again = open_small_run(large, conversations=CHARACTERS)
    run_stages(again, "conversations")
    assert any("Edda Edited asks" in one.messages[-1].content for one in large.requests)


def test_own_axes_that_are_missing_stop_the_stage_before_any_model(
    open_small_run: OpenRun, tmp_path: Path
) -> None:
    engine = ScriptedEngine(friendly_reply)
    run = open_small_run(engine, conversations=CHARACTERS | {"traits": "my_axes.yaml"})
    assert run.config.conversations.traits == str(tmp_path / "my_axes.yaml")
    with pytest.raises(Exception, match=r"my_axes\.yaml is neither one of"):
        run_stages(run, "characters")
    assert engine.requests == []


def test_conversations_before_characters_say_what_to_run_first(open_small_run: OpenRun) -> None:
    run = open_small_run(ScriptedEngine(friendly_reply))
    keep_pairs(run)
    with pytest.raises(RunFolderError, match="Run the stage before this one first"):
        run_stages(run, "conversations")


def test_records_of_both_kinds_are_read_back(open_small_run: OpenRun) -> None:
    run = open_small_run(ScriptedEngine(friendly_reply), conversations=CHARACTERS)
    keep_pairs(run)
    run_stages(run, "characters", "conversations")
    infos = run.survivors("multiturn_convs_info", ConversationInfo)
    talks = run.survivors("multiturn_convs", Conversation)
    assert [info.scene for info in infos] == [talk.scene for talk in talks]
