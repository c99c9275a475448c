"""Dataset rows as pure functions of the items they come from."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from generation_functions.config import Config
from generation_functions.datasets.modes import Mode
from generation_functions.errors import RunFolderError
from generation_functions.records import Conversation, Exchange, QAPair, Recall, Scene, Turn

THOUGHT, ANSWER = "Thought Process:", "Answer:"  # the headings of an answer that thinks aloud
Row = dict[str, object]  # one line of a JSONL file


def fill_context(text: str, context: str) -> str:
    """Replace {context}, {context_lowercase} and {context_uppercase}; other braces stay."""
    values = {
        "{context}": context,
        "{context_lowercase}": context.lower(),
        "{context_uppercase}": context.upper(),
    }
    pattern = r"\{context(?:_lowercase|_uppercase)?\}"
    return re.sub(pattern, lambda match: values[match.group()], text)


def choose(options: Sequence[str], seed: int, uuid: str) -> str:
    """Return the option that hashing `seed` and `uuid` picks: the same one on every machine."""
    digest = hashlib.sha256(f"{seed}:{uuid}".encode()).digest()
    return options[int.from_bytes(digest[:8], "big") % len(options)]


def write_system_prompt(
    config: Config,
    directory: str,
    uuid: str,
    scene: Scene | None = None,
    data: str | None = None,
    mode: Mode = Mode.WHOLE,
) -> str:
    """Return the system prompt of the row `uuid`, made from a document of `directory`.

    Its parts, each on lines of its own where it is not empty: the shared instruction,
    the directory's additional context, one of the assistant prompts. In a scene the card of
    the character who answers, and the scene, stand in the place of the assistant prompt. With
    `data`, what was retrieved, it is one of those with a place for that. A row in the mode PLAIN is
    told at the end to leave its thoughts out; one in the mode BARE has the first part alone.
    """
    prompts = config.factual_sft_settings.final_assistant_prompts_no_rag
    prompts = prompts if data is None else config.rag_data.final_assistant_prompts
    additional = find_additional_context(config, directory)
    ours = [config.system.shared_instruction]
    if mode is not Mode.BARE:
        ours.append(additional)
        if not scene:
            ours.append(choose(prompts, config.system.seed, uuid))
    if mode is Mode.PLAIN:
        ours.append(config.system.remove_thought_process_prompt)
    parts = [fill_context(part, config.dataset_context) for part in ours]
    if scene:  # a model's words, in which nothing is filled
        parts += [scene.card, f"Scene: {scene.setting}"]
    if data is not None:  # nor is anything in the documents
        parts[-1] = parts[-1].replace("{data}", data)
    return "\n".join(part.strip() for part in parts if part.strip())


def find_additional_context(config: Config, directory: str) -> str:
    """Return what the system prompts of a directory's rows say too.

    Raises RunFolderError for a directory that the config no longer names.
    """
    for one in config.path.input_dirs:
        if PurePath(one.name or one.path) == PurePath(directory):
            return one.final_system_prompt_additional_context
    listed = ", ".join(one.name or one.path for one in config.path.input_dirs)
    raise RunFolderError(
        f"Found items made from the directory {directory}, which is not in "
        f"`path.input_dirs` ({listed}). Put it back, or run all stages again."
    )


def pair_turns(pair: QAPair, config: Config, mode: Mode = Mode.WHOLE) -> tuple[Turn, ...]:
    """Return a pair as the turns of its row, with the system turn if there is one."""
    system = write_system_prompt(config, pair.chunk.directory, pair.uuid, mode=mode)
    return with_system(system, (Turn("human", pair.question), Turn("gpt", pair.answer)))


def recall_turns(
    recalls: Sequence[Recall], config: Config, mode: Mode = Mode.WHOLE
) -> tuple[Turn, ...]:
    """Return recalls of one directory as the turns of one row, one after the other."""
    first = recalls[0]
    system = write_system_prompt(config, first.chunk.directory, first.uuid, mode=mode)
    turns = (
        turn
        for one in recalls
        for exchange in one.exchanges
        for turn in (
            Turn("human", exchange.question),
            Turn("gpt", write_answer(exchange, one, config, mode)),
        )
    )
    return with_system(system, tuple(turns))


def write_answer(
    exchange: Exchange, recall: Recall, config: Config, mode: Mode = Mode.WHOLE
) -> str:
    """Return an answer as it is trained, with what is recalled before it if rows think aloud."""
    if mode is Mode.PLAIN or not config.factual_sft_settings.think_aloud:
        return exchange.answer
    by_source: dict[str, list[str]] = {}
    for one in exchange.recalled:
        by_source.setdefault(recall.sources[one.source].source, []).append(one.told)
    named = config.system.use_filenames
    lines = (
        f"From {source}: {' '.join(told)}" if named else " ".join(told)
        for source, told in by_source.items()
    )
    return think_aloud(lines, exchange.answer)


def think_aloud(lines: Iterable[str], answer: str) -> str:
    """Return an answer after the thought that leads to it."""
    return "\n".join((THOUGHT, *lines, "", ANSWER, answer))


def conversation_turns(
    conversation: Conversation, config: Config, mode: Mode = Mode.WHOLE
) -> tuple[Turn, ...]:
    """Return a conversation's turns, with the system turn if there is one."""
    system = write_system_prompt(
        config, conversation.chunk.directory, conversation.uuid, conversation.scene, mode=mode
    )
    return with_system(system, conversation.turns)


def with_system(system: str, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Return turns behind a system turn, or as they are where it would be empty."""
    return (Turn("system", system), *turns) if system else turns


def sharegpt_row(turns: Sequence[Turn]) -> Row:
    """Return a row for chat trainers: {"conversations": [{"from", "value"}, ...]}."""
    return {"conversations": [{"from": turn.speaker, "value": turn.text.strip()} for turn in turns]}


def plain_row(pair: QAPair) -> Row:
    """Return a pair as a row of the plain list: {"question", "answer"}."""
    return {"question": pair.question.strip(), "answer": pair.answer.strip()}


def text_row(text: str) -> Row:
    """Return a row for `type: completion`, which trains on the whole text."""
    return {"text": text}
