"""Who talks, where, and about which pairs in which order: what stands before a conversation."""

from collections.abc import Sequence

from generation_functions.display.item_browser import ItemBrowser, group_by
from generation_functions.display.markup import Html, beside, folded, join, preformatted, tag
from generation_functions.records import ConversationInfo, Scene

ASSISTANT_MODE = (
    "Assistant mode: nobody is written and no model was asked. A user asks, an assistant answers; "
    "what was chosen is the order of each chunk's pairs. `conversations.assistant_mode: false` has "
    "two characters talk in a scene."
)


def browse_infos(infos: Sequence[ConversationInfo]) -> ItemBrowser[ConversationInfo]:
    """Return a browser of what stands before the conversations, by source."""
    alone = bool(infos) and not any(info.scene for info in infos)
    groups = group_by(infos, lambda info: info.chunk.source)
    note = ASSISTANT_MODE if alone else ""
    return ItemBrowser(groups, show_info, "Nothing stands before a conversation.", note)


def show_info(info: ConversationInfo) -> Html:
    """Return a scene, where there is one, with the pairs in the order of the conversation."""
    asked = tag("ol", *(_show_pair(pair.question, pair.answer) for pair in info.pairs))
    order = join([tag("strong", "To be talked about, in this order"), asked])
    content = beside(show_scene(info.scene, open_=True), order) if info.scene else order
    return tag("div", content, style="margin-bottom: 18px")


def show_scene(scene: Scene, *, open_: bool = False) -> Html:
    """Return the two people, what was drawn for them, the card and the setting."""
    drawn = tag("ul", *(tag("li", one) for one in scene.instructions))
    content = join(
        [
            folded("Drawn by code", drawn, open_=True),
            folded(f"Card of {scene.primary}", preformatted(scene.card), open_=True),
            folded("Scene", preformatted(scene.setting), open_=True),
        ]
    )
    return folded(f"{scene.secondary} asks, {scene.primary} answers", content, open_=open_)


def _show_pair(question: str, answer: str) -> Html:
    return tag("li", question, preformatted(answer))
