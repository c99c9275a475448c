"""What was wrong with conversations: flaws by version, rewritings, what stayed flawed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from generation_functions.display.chat import show_conversation
from generation_functions.display.item_browser import ItemBrowser, group_by, put_largest_first
from generation_functions.display.markup import Html, folded, join
from generation_functions.display.records import read_record
from generation_functions.display.tables import show_table
from generation_functions.pipelines.conversation_checks import Flaw, find_flaws
from generation_functions.pipelines.conversations import (
    REJECTED_CONVERSATIONS,
    REWRITE_CONVERSATION,
    WRITE_CONVERSATION,
    WRITE_SCENE_CONVERSATION,
    RejectedConversation,
    Rewriting,
    list_shown,
)
from generation_functions.records import Conversation, ConversationInfo, from_json
from generation_functions.status import Status
from generation_functions.steps.run import Run


@dataclass(frozen=True, slots=True)
class Version:
    """A conversation as a model wrote it, with what code finds wrong with it."""

    conversation: Conversation
    flaws: tuple[Flaw, ...]


def show_flaws(status: Status) -> Html:
    """Return how many conversations had each kind of flaw, as written and after each rewriting."""
    tallied = status.get("conversations", {}).get("findings", {}).get("flaws", {})
    versions = sorted({name for cells in tallied.values() for name in cells})
    rows = [
        {"flaw": kind, **{name: cells.get(name, 0) for name in versions}}
        for kind, cells in sorted(tallied.items(), key=lambda one: -sum(one[1].values()))
    ]
    return show_table(rows, empty="No flaw was found.")


def follow_rewritings(run: Run, info: ConversationInfo) -> Iterator[Version]:
    """Yield a conversation's versions, the first one first, from the records; no model is asked."""
    step = WRITE_SCENE_CONVERSATION if info.scene else WRITE_CONVERSATION
    shown = list_shown(run, step)
    conversation = _read_conversation(run.folder / step.name / f"{info.uuid}.json")
    number = 0
    while conversation:
        flaws = tuple(find_flaws(conversation, shown))
        yield Version(conversation, flaws)
        number += 1
        draft = Rewriting(info, conversation, flaws, number)
        path = run.folder / REWRITE_CONVERSATION.name / f"{draft.uuid}.json"
        again = flaws and number <= run.config.conversations.rewrites
        conversation = _read_conversation(path) if again else None


def browse_rewritings(run: Run) -> ItemBrowser[ConversationInfo]:
    """Return a browser of the conversations that were written anew, with each version.

    Raises RunFolderError before the conversations' stage has ended.
    """
    kept = {one.uuid: one for one in run.survivors("multiturn_convs", Conversation)}
    infos = run.survivors("multiturn_convs_info", ConversationInfo)
    rejected = set(run.require(REJECTED_CONVERSATIONS))
    groups: dict[str, list[ConversationInfo]] = {"mended": [], "not mended": []}
    for info in infos:
        if info.uuid in rejected:
            groups["not mended"].append(info)
        elif info.uuid in kept and _was_rewritten(run, info, kept[info.uuid]):
            groups["mended"].append(info)
    show = partial(show_rewritings, run)
    return ItemBrowser(groups, show, "No conversation was written anew.")


def show_rewritings(run: Run, info: ConversationInfo) -> Html:
    """Return a conversation's versions, each with its flaws, folded but for the first and last."""
    versions = list(follow_rewritings(run, info))
    return join(
        folded(
            f"Version {number}: {len(version.flaws)} flaws",
            show_conversation(version.conversation, version.flaws),
            open_=number in (1, len(versions)),
        )
        for number, version in enumerate(versions, start=1)
    )


def browse_rejected_conversations(run: Run) -> ItemBrowser[RejectedConversation]:
    """Return a browser of the conversations that stayed flawed, by their first flaw.

    Raises RunFolderError before the conversations' stage has ended.
    """
    found = run.survivors(REJECTED_CONVERSATIONS, RejectedConversation)
    groups = put_largest_first(group_by(found, lambda one: one.flaws[0].kind))
    return ItemBrowser(groups, show_rejected_conversation, "No conversation stayed flawed.")


def show_rejected_conversation(rejected: RejectedConversation) -> Html:
    """Return a conversation that was left out, with all its flaws."""
    return show_conversation(rejected.conversation, rejected.flaws)


def _was_rewritten(run: Run, info: ConversationInfo, kept: Conversation) -> bool:
    step = WRITE_SCENE_CONVERSATION if info.scene else WRITE_CONVERSATION
    first = _read_conversation(run.folder / step.name / f"{info.uuid}.json")
    return first is not None and first.turns != kept.turns


def _read_conversation(path: Path) -> Conversation | None:
    outcome = read_record(path).outcome if path.exists() else None
    return from_json(Conversation, outcome.output) if outcome and outcome.output else None
