"""The files of sft_run/ that are trained on whole, each as ShareGPT and as completions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from generation_functions.config import Config
from generation_functions.datasets import provenance, rows
from generation_functions.datasets.made_rows import MadeRow
from generation_functions.datasets.modes import Mode, draw_modes
from generation_functions.datasets.ordered import Items, Ordered, order
from generation_functions.datasets.packing import pack_recalls
from generation_functions.datasets.provenance import Item, Target, write_rows
from generation_functions.datasets.row_files import FileEntry
from generation_functions.datasets.rows import Row
from generation_functions.datasets.templates import ChatTemplate
from generation_functions.records import Conversation, QAPair, Recall, Turn

CONVERSATIONS_FILE = "multiturn_convs.jsonl"
PAIRS_FILE = "qatuples.jsonl"
RECALLS_FILE = "combined_all_{generation}.jsonl"
SHAREGPT_FOLDER = "combined_factual_data"
COMPLETION_FOLDER = "factual_sft_completion"
PLAIN_FILE = "plain_qa_list.jsonl"

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class TurnRows:
    """How turns become the rows of `_chat_targets`, and how long their text is."""

    template: ChatTemplate
    count: Count

    def make(self, turns: tuple[Turn, ...]) -> tuple[tuple[Row, int], ...]:
        """Return turns as ShareGPT and as a completion, each with its tokens."""
        text = self.template.render(turns)
        tokens = self.count(text)
        return (rows.sharegpt_row(turns), tokens), (rows.text_row(text), tokens)


def write_conversations(
    folder: Path, conversations: Items[Conversation], config: Config, made: TurnRows
) -> list[FileEntry]:
    """Write the same rows as ShareGPT and as completions.

    In a scene there is always a system prompt: it says who the two are.
    """
    ordered = order(conversations)
    with_assistant = (one.uuid for one in ordered if not one.scene)
    modes = draw_modes(with_assistant, config, CONVERSATIONS_FILE)
    items = (
        Item(
            made.make(rows.conversation_turns(one, config, modes.get(one.uuid, Mode.WHOLE))),
            provenance.record_conversation(one),
        )
        for one in ordered
    )
    targets = _chat_targets(CONVERSATIONS_FILE, config)
    return write_rows(folder, CONVERSATIONS_FILE, targets, items)


def write_pairs(
    folder: Path, pairs: Items[QAPair], config: Config, made: TurnRows
) -> list[FileEntry]:
    """Write the same rows as ShareGPT, as completions and as a plain list."""
    ordered = order(pairs)
    modes = draw_modes(ordered.uuids, config, PAIRS_FILE)

    def items() -> Iterator[Item]:
        for pair in ordered:
            plain = rows.plain_row(pair)
            tokens = sum(made.count(str(text)) for text in plain.values())
            chat = made.make(rows.pair_turns(pair, config, modes[pair.uuid]))
            yield Item((*chat, (plain, tokens)), provenance.record_pair(pair))

    targets = (*_chat_targets(PAIRS_FILE, config), Target(PLAIN_FILE, in_config=False))
    return write_rows(folder, PAIRS_FILE, targets, items())


def write_recalls(
    folder: Path, recalls: Items[Recall], config: Config, made: TurnRows
) -> list[FileEntry]:
    """Write a file for each generation, as ShareGPT and as completions."""
    entries = []
    ordered = order(recalls)
    generations: dict[int, list[int]] = {}
    for number, one in enumerate(ordered):
        generations.setdefault(one.generation, []).append(number)
    for generation, numbers in sorted(generations.items()):
        name = RECALLS_FILE.format(generation=generation)
        items = _recall_items(ordered.take(numbers), name, config, made)
        entries += write_rows(folder, name, _chat_targets(name, config), items)
    return entries


def write_made(
    folder: Path, name: str, rows: Sequence[MadeRow], config: Config, made: TurnRows
) -> list[FileEntry]:
    """Write the rows of the pipeline `name` as ShareGPT and as completions."""
    file = f"{name}.jsonl"
    items = (Item(made.make(one.turns), one.record) for one in rows)
    return write_rows(folder, file, _chat_targets(file, config), items)


def _recall_items(
    recalls: Ordered[Recall], name: str, config: Config, made: TurnRows
) -> Iterator[Item]:
    settings = config.factual_sft_settings
    packed = list(pack_recalls(recalls, settings, config.system.seed))
    firsts = (recalls.uuids[row[0]] for row in packed)
    modes = draw_modes(firsts, config, name, settings.think_aloud)
    for row in packed:
        own = [recalls[number] for number in row]
        turns = rows.recall_turns(own, config, modes[own[0].uuid])
        yield Item(made.make(turns), provenance.record_recalls(own))


def _chat_targets(name: str, config: Config) -> tuple[Target, ...]:
    """Return both forms of the same rows, of which the trainer's config lists one."""
    chat = config.model_training.sft_format == "chat_template"
    return (
        Target(f"{SHAREGPT_FOLDER}/{name}", in_config=chat, chat=True),
        Target(f"{COMPLETION_FOLDER}/{name}", in_config=not chat),
    )
