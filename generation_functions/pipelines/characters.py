"""From a chunk's pairs to the people who will talk about them: card plan, card, scene plan, scene.

What each step sees is chosen so that the answers stay for the conversation: the card plan sees
the text and no pair, the card neither, the scene plan the questions alone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from generation_functions.errors import Unparsable
from generation_functions.pipelines.eras import choose_era, leaves_era
from generation_functions.pipelines.naming import choose_names, find_words, names_author
from generation_functions.pipelines.wording import (
    content_words,
    find_pointers,
    names,
    numbers,
    strange_script,
)
from generation_functions.records import ConversationInfo, QAPair, Scene
from generation_functions.special_instructions import Traits, draw_levels, draw_primary
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step, write_literal

_STRANGER = re.compile(r"\bStranger\b|\b(?i:a|an|the|this)(?: \w+)? stranger\b")
_GIVEN_AWAY = 0.6  # share of an answer's own words that nobody writes by chance


@dataclass(frozen=True, slots=True)
class SceneDraft:
    """A scene in the making: what was drawn for it, and what has been written so far.

    `primary_traits` and `secondary_traits` are sentences without their subject.
    """

    info: ConversationInfo
    primary: str
    secondary: str
    era: str
    primary_traits: tuple[str, ...] = ()
    secondary_traits: tuple[str, ...] = ()
    card_plan: str = ""
    card: str = ""
    scene_plan: str = ""

    @property
    def uuid(self) -> str:
        return self.info.uuid

    @property
    def about_primary(self) -> list[str]:
        """The primary's instructions, a sentence each."""
        return [f"{self.primary} {trait}" for trait in self.primary_traits]

    @property
    def about_secondary(self) -> list[str]:
        """The secondary's instructions, a sentence each."""
        return [f"{self.secondary} {trait}" for trait in self.secondary_traits]

    def settle(self, setting: str) -> Scene:
        """Return the scene, whose instructions hold all that was drawn."""
        era = [f"It is {self.era}."] if self.era else []
        drawn = (*self.about_primary, *self.about_secondary, *era)
        return Scene(self.primary, self.secondary, drawn, self.card, setting)


def find_given_away(text: str, pairs: tuple[QAPair, ...]) -> str | None:
    """Return what a text tells of an answer beforehand, or None.

    Counted is what an answer has and no question: its numbers, its names, and three fifths
    of its words where these are at least two.
    """
    asked = " ".join(pair.question for pair in pairs)
    source = pairs[0].chunk.source if pairs else ""
    known_words, told_words = content_words(f"{asked} {source}"), content_words(text)
    told_numbers, told_names = numbers(text), names(text)
    for pair in pairs:
        given = told_numbers & (numbers(pair.answer) - numbers(asked))
        given |= told_names & (names(pair.answer) - find_words(f"{asked} {source}"))
        own = content_words(pair.answer) - known_words
        shared = own & told_words
        if given or len(shared) >= max(2, _GIVEN_AWAY * len(own)):
            return ", ".join(sorted(given or shared))
    return None


def check_text(draft: SceneDraft, text: str, lives: bool = False) -> None:
    """Raise Unparsable for what none of the texts about two characters may have.

    With `lives`, the text tells a life and may name years before the era.
    """
    drawn = (*draft.about_primary, *draft.about_secondary, draft.era, draft.secondary)
    written = (draft.card_plan, draft.card, draft.scene_plan)
    known = " ".join((draft.info.chunk.text, draft.info.chunk.source, *drawn, *written))
    if strange_script(text, f"{draft.primary} {known}"):
        raise Unparsable("letters of another script")
    if _STRANGER.search(text):
        raise Unparsable("calls somebody a stranger")
    if names_author(text, draft.info.chunk.source):
        raise Unparsable("names the author")
    if find_pointers(text):
        raise Unparsable("points at the text")
    if leaves_era(text, draft.era, lives):
        raise Unparsable("leaves its era")
    if find_given_away(text, draft.info.pairs):
        raise Unparsable("gives an answer away")


def _primary_fields(draft: SceneDraft) -> dict[str, Any]:
    return {"name": draft.primary, "era": draft.era, "traits": draft.about_primary}


def _plan_fields(draft: SceneDraft) -> dict[str, Any]:
    chunk = draft.info.chunk
    return {
        **_primary_fields(draft),
        "source": chunk.source,
        "chunk": " ".join(chunk.text.split()),
    }


def _card_fields(draft: SceneDraft) -> dict[str, Any]:
    return {**_primary_fields(draft), "plan": draft.card_plan}


def _scene_plan_fields(draft: SceneDraft) -> dict[str, Any]:
    return {
        "primary": draft.primary,
        "secondary": draft.secondary,
        "era": draft.era,
        "traits": draft.about_secondary,
        "card": draft.card,
        "questions": [pair.question for pair in draft.info.pairs],
    }


def _scene_fields(draft: SceneDraft) -> dict[str, Any]:
    return {
        "primary": draft.primary,
        "secondary": draft.secondary,
        "era": draft.era,
        "card_plan": draft.card_plan,
        "plan": draft.scene_plan,
    }


def _rules(draft: SceneDraft) -> Mapping[str, str]:
    return {"name": write_literal(draft.primary)}


def _parse_card(draft: SceneDraft, reply: str) -> str:
    card = _parser(lives=True)(draft, reply)
    traits = card.partition("\nTraits: ")[2].partition("\n")[0].split(", ")
    if len({trait.lower() for trait in traits}) < len(traits):
        raise Unparsable("a trait twice")
    return card


def _parse_scene(draft: SceneDraft, reply: str) -> str:
    scene = _parser()(draft, reply)
    for name in (draft.primary, draft.secondary):
        if name.split()[0] not in scene:
            raise Unparsable("one of the two is not there")
    return scene


def _parser(lives: bool = False) -> Callable[[SceneDraft, str], str]:
    def parse(draft: SceneDraft, reply: str) -> str:
        text = reply.strip()
        check_text(draft, text, lives)
        return text

    return parse


PLAN_CHARACTER: Step[SceneDraft, str] = Step(
    "plan_character",
    _plan_fields,
    _parser(lives=True),
    _rules,
    own_words=True,
    replaces=("name",),
)
WRITE_CHARACTER: Step[SceneDraft, str] = Step(
    "write_character",
    _card_fields,
    _parse_card,
    _rules,
    own_words=True,
    replaces=("name",),
)
PLAN_SCENE: Step[SceneDraft, str] = Step(
    "plan_scene", _scene_plan_fields, _parser(), own_words=True
)
WRITE_SCENE: Step[SceneDraft, str] = Step(
    "write_scene", _scene_fields, _parse_scene, own_words=True
)


def draw_draft(run: Run, traits: Traits, info: ConversationInfo) -> SceneDraft:
    """Return who will talk when, by seed. Raises Rejected where no name is left."""
    settings, seed = run.config.conversations, run.config.system.seed
    primary, secondary = choose_names(info, seed, settings.given_names, settings.family_names)
    return SceneDraft(
        info,
        primary,
        secondary,
        era=choose_era(settings.eras, info, seed),
        primary_traits=draw_primary(
            traits.primary, settings.presets, settings.only_presets, seed, info.uuid, "primary"
        ),
        secondary_traits=draw_levels(traits.secondary, seed, info.uuid, "secondary"),
    )


async def prepare(run: Run, traits: Traits, info: ConversationInfo) -> ConversationInfo:
    """Keep what stands before a conversation: in assistant mode the pairs, else a scene too."""
    if not run.config.conversations.assistant_mode:
        draft = draw_draft(run, traits, info)
        draft = replace(draft, card_plan=await run.ask(PLAN_CHARACTER, draft))
        draft = replace(draft, card=await run.ask(WRITE_CHARACTER, draft))
        draft = replace(draft, scene_plan=await run.ask(PLAN_SCENE, draft))
        setting = await run.ask(WRITE_SCENE, draft)
        info = replace(info, scene=draft.settle(setting))
    return run.keep("multiturn_convs_info", info)
