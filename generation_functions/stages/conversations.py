"""The stages `characters` and `conversations`: who talks about a chunk's pairs, and how."""

from collections.abc import Iterator, Sequence
from functools import partial

from generation_functions.pipelines import characters, conversations
from generation_functions.pipelines.orders import choose_orders, make_info
from generation_functions.pipelines.questions import REVISED
from generation_functions.records import Conversation, ConversationInfo, QAPair
from generation_functions.special_instructions import read_traits
from generation_functions.stages.taking import chunk_place, least_share, pair_place
from generation_functions.steps.run import Run

CHARACTER_STEPS = (
    characters.PLAN_CHARACTER,
    characters.WRITE_CHARACTER,
    characters.PLAN_SCENE,
    characters.WRITE_SCENE,
)
CONVERSATION_STEPS = (
    conversations.WRITE_CONVERSATION,
    conversations.WRITE_SCENE_CONVERSATION,
    conversations.REWRITE_CONVERSATION,
)


async def write_characters(run: Run, limit: int | None = None) -> list[ConversationInfo]:
    """Choose the orders of each chunk's pairs; write who talks about them, with the small model.

    In assistant mode nobody is written, and no model is asked.
    """
    settings = run.config.conversations
    async with run.stage("characters", limit):
        traits = read_traits("none" if settings.assistant_mode else settings.traits)
        if not settings.assistant_mode:
            run.load_prompts(*CHARACTER_STEPS)
        run.open_survivors("multiturn_convs_info")
        pairs = run.survivors(REVISED, QAPair)
        infos = list(group_pairs(pairs, settings.rearrangements_to_take, run.config.system.seed))
        return await run.map(partial(characters.prepare, run, traits), infos, "characters")


async def write_conversations(run: Run, limit: int | None = None) -> list[Conversation]:
    """Write the conversations that the characters' stage prepared, with the large model.

    Raises TooFewKept.
    """
    async with run.stage("conversations", limit):
        run.load_prompts(*CONVERSATION_STEPS)
        run.open_survivors("multiturn_convs", conversations.REJECTED_CONVERSATIONS)
        infos = run.survivors("multiturn_convs_info", ConversationInfo)
        infos.sort(key=lambda info: (*chunk_place(info.chunk), info.uuid))
        converse = partial(conversations.converse, run)
        least = least_share(run, run.config.conversations)
        return await run.map(converse, infos, "conversations", abort_below=least)


def group_pairs(pairs: Sequence[QAPair], take: int, seed: int) -> Iterator[ConversationInfo]:
    """Yield `take` orders (or all) of each chunk's pairs, in the order of the documents."""
    by_chunk: dict[str, list[QAPair]] = {}
    for pair in sorted(pairs, key=pair_place):
        by_chunk.setdefault(pair.chunk.uuid, []).append(pair)
    for group in by_chunk.values():
        for order in choose_orders(group, take, seed):
            yield make_info(order)
