"""Retrievals and corrections as turns of rows, and which of them are trained on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generation_functions.choosing import rank
from generation_functions.config import Config
from generation_functions.datasets.ordered import Items
from generation_functions.datasets.rows import (
    choose,
    think_aloud,
    write_system_prompt,
)
from generation_functions.datasets.segments import MaskedTurn, Segment, make_segments, mask_turn
from generation_functions.datasets.templates import (
    ChatTemplate,
    join_formats,
    make_own_template,
    make_template,
)
from generation_functions.masked import Correction, RagItem, Shown
from generation_functions.records import QAPair, Turn

NO_DOCUMENTS = "The search has found no documents."
# What leads from what is missing to an answer that is known, right behind it; behind a thought that
# says so; and where no document was found at all.
KNOWN = (
    "From what I know:",
    "What I know of it myself:",
    "I can answer it from memory all the same:",
    "I know this without a document:",
)
KNOWN_AFTER_THOUGHT = (
    "What was found does not tell this, but I know it.",
    "The documents leave this open; from what I know:",
    "That is not in what was found. I know it from elsewhere:",
    "None of the documents answers this. From memory:",
)
KNOWN_WITHOUT_DOCUMENTS = (
    "Nothing was found on this, but I know it.",
    "The search has brought nothing; from what I know:",
    "There is no document to go by. From memory:",
)
DECLINES = (
    "So I cannot answer this from what was found.",
    "I would rather not guess.",
    "With what was found I cannot tell.",
    "To answer this, other documents are needed.",
)
DECLINES_WITHOUT_DOCUMENTS = (
    "So there is nothing to answer from.",
    "I would rather not guess.",
    "Without a document I cannot tell.",
)
ENGLISH = "english"


@dataclass(frozen=True, slots=True)
class MaskedFormat:
    """How rows of segments are rendered: a template, and what begins and ends a row."""

    template: ChatTemplate
    bos: str
    eos: str

    def segments(self, turns: Sequence[MaskedTurn]) -> tuple[Segment, ...]:
        """Return turns as segments. Raises Rejected where nothing would be trained on."""
        return make_segments(self.template, turns, self.bos, self.eos)


def make_rag_format(config: Config) -> MaskedFormat:
    """Return how RAG rows are rendered. Raises ConfigError for formats that cannot be used."""
    general, settings = config.final_datasaving_settings, config.rag_data
    bos = general.bos if settings.bos is None else settings.bos
    if settings.formats:
        source = join_formats(*settings.formats)
        template = make_own_template(source, "rag_data.*_format", bos, general.eos)
    else:
        template = make_template(config).mark(bos)
    return MaskedFormat(template, bos, general.eos)


def make_correction_format(config: Config) -> MaskedFormat:
    """Return how corrections are rendered. Raises ConfigError for a template of no use."""
    general, own = config.final_datasaving_settings, config.correction_pipeline
    source, name = own.correction_prompt_template, "correction_pipeline.correction_prompt_template"
    bos, eos = general.bos, general.eos
    template = make_own_template(source, name, bos, eos) if source else make_template(config)
    return MaskedFormat(template, bos, eos)


def rag_turns(items: Sequence[RagItem], config: Config) -> tuple[MaskedTurn, ...]:
    """Return the turns of a row that trains the last item, on what was retrieved for it.

    Of the items before only the turns are there, untrained.
    """
    last = items[-1]
    data = show_documents(last.shown, config.system.use_filenames)
    prompt = write_system_prompt(config, last.chunk.directory, last.uuid, data=data)
    turns = [mask_turn("system", prompt, False)]
    for item in items:
        trained = item is last
        for place, asked in enumerate(item.asked):
            with_question = trained and config.rag_data.train_on_questions
            answer = write_rag_answer(item, place, config)
            turns.append(mask_turn("human", asked.question, with_question))
            turns.append(MaskedTurn(Turn("gpt", answer), with_question, trained))
    return tuple(turns)


def correction_turns(correction: Correction, config: Config) -> tuple[MaskedTurn, ...]:
    """Return the turns of a correction, of which all but a wrong answer is trained on.

    Where rows think aloud, a right answer begins with the words that it rests on.
    """
    pair = correction.pair
    first = _recall(pair, correction.first, config) if correction.firm else correction.first
    prompt = write_system_prompt(config, pair.chunk.directory, correction.uuid)
    system = (mask_turn("system", prompt, True),) if prompt else ()
    return (
        *system,
        mask_turn("human", pair.question, True),
        MaskedTurn(Turn("gpt", first), True, correction.firm),
        mask_turn("human", correction.doubt, True),
        mask_turn("gpt", _recall(pair, correction.last, config), True),
    )


def _recall(pair: QAPair, answer: str, config: Config) -> str:
    if not config.factual_sft_settings.think_aloud:
        return answer
    source = pair.chunk.source if config.system.use_filenames else ""
    quote = " ".join(pair.quote.split())
    return think_aloud((f"From {source}: {quote}" if source else quote,), answer)


def show_documents(shown: Sequence[Shown], named: bool) -> str:
    """Return what was retrieved as a system prompt shows it: numbered, with sources if `named`."""
    texts = (
        f"Document {name_document(number, one.source, named)}:\n{one.text}"
        for number, one in enumerate(shown, 1)
    )
    return "\n\n".join(texts) or NO_DOCUMENTS


def name_document(number: int, source: str, named: bool) -> str:
    """Return how a retrieved document is called: its number, and its source if `named`."""
    return f"{number} ({source})" if named and source else str(number)


def write_rag_answer(item: RagItem, place: int, config: Config) -> str:
    """Return an item's answer as it is trained: from what was retrieved, or without its help.

    Where rows think aloud, the words that it rests on come first, or what is missing.
    """
    asked, aloud = item.asked[place], config.factual_sft_settings.think_aloud
    if not item.failed:
        if not aloud:
            return asked.answer
        names = {
            one.uuid: name_document(number, one.source, config.system.use_filenames)
            for number, one in enumerate(item.shown, 1)
        }
        lines = (
            f"From document {names[one.chunk]}: {' '.join(one.quote.split())}"
            for one in asked.evidence
        )
        return think_aloud(lines, asked.answer)
    lack, declines = item.lacks[place], config.rag_data.failure_answer == "decline"
    lead = _choose_lead(item, asked.uuid, aloud, declines, config.system.seed)
    told = f"{lead} {'' if declines else asked.answer}".strip()
    if aloud:
        return think_aloud((lack,), told or lack)
    return f"{lack} {told}".strip()


def _choose_lead(item: RagItem, uuid: str, aloud: bool, declines: bool, seed: int) -> str:
    """Return what leads from what is missing to the answer; English ones alone are at hand."""
    if item.chunk.language != ENGLISH:
        return ""
    if declines:
        phrases = DECLINES if item.shown else DECLINES_WITHOUT_DOCUMENTS
    elif aloud:
        phrases = KNOWN_AFTER_THOUGHT if item.shown else KNOWN_WITHOUT_DOCUMENTS
    else:
        phrases = KNOWN
    return choose(phrases, seed, uuid)


def group_items(items: Items[RagItem], size: int, seed: int) -> Iterator[tuple[RagItem, ...]]:
    """Yield for each item those of its group up to it, itself last; groups are of one directory.

    Later items of a group are left out: a row need not carry what it does not train. So are
    those before that ask one of its questions too, and would give the answer away. No more than a
    group is held.
    """
    by_directory: dict[str, dict[str, int]] = {}
    for place, item in enumerate(items):
        by_directory.setdefault(item.chunk.directory, {})[item.uuid] = place
    for found in by_directory.values():
        group: list[RagItem] = []
        for number, uuid in enumerate(rank(found, seed, "rag groups")):
            last = items[found[uuid]]
            group = [*group, last] if number % size else [last]
            asked = {one.uuid for one in last.asked}
            kept = [one for one in group[:-1] if asked.isdisjoint(a.uuid for a in one.asked)]
            yield *kept, last
