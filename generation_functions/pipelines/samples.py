"""Made-up items for each step, on which `check` tries its prompt, grammar and parser.

A new step needs one line in SAMPLES.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from generation_functions.documents.sentences import number_sentences
from generation_functions.pipelines.characters import (
    PLAN_CHARACTER,
    PLAN_SCENE,
    WRITE_CHARACTER,
    WRITE_SCENE,
    SceneDraft,
)
from generation_functions.pipelines.conversation_checks import Flaw
from generation_functions.pipelines.conversations import (
    REWRITE_CONVERSATION,
    WRITE_CONVERSATION,
    WRITE_SCENE_CONVERSATION,
    Rewriting,
)
from generation_functions.pipelines.orders import make_info
from generation_functions.pipelines.questions import (
    CHECK_ANSWER_ACCURACY,
    CHECK_ANSWER_RELEVANCE,
    CHECK_QUESTION,
    JUDGE_CHUNK,
    REVISE_PAIR,
    WRITE_QUESTIONS,
    QuestionRequest,
)
from generation_functions.records import (
    Chunk,
    Conversation,
    ConversationInfo,
    QAPair,
    Scene,
    Turn,
    make_uuid,
)

_NUMBERED = re.compile(r"^\[\d+\] ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Samples:
    """Items of a step, and how an item is made from the fields of a prompt's example.

    `read(fields)` raises TypeError or ValueError for fields of another kind.
    """

    items: tuple[Any, ...]
    read: Callable[[Mapping[str, Any]], Any]


def make_chunk(text: str, source: str = "Notes of a Ropemaker, by L. Orrin") -> Chunk:
    """Return a chunk of no document."""
    return Chunk(make_uuid("samples", text), "samples", "samples", source, text, 0, len(text), 1)


def make_pair(chunk: Chunk, question: str, answer: str) -> QAPair:
    """Return a pair that rests on the chunk's first sentence."""
    quote = number_sentences(chunk.text)[0]
    return QAPair(make_uuid(chunk.uuid, question), question, answer, (1,), quote, chunk)


def read_chunk(fields: Mapping[str, Any]) -> Chunk:
    """Return the chunk that an example shows, without the numbers of its sentences."""
    lines = re.sub(r"\n(?!\[)", " ", fields["chunk"])
    return make_chunk(_NUMBERED.sub("", lines), str(fields.get("source", "")))


def read_pair(fields: Mapping[str, Any]) -> QAPair:
    """Return the pair that an example shows; some steps see only its question."""
    return make_pair(read_chunk(fields), str(fields["question"]), str(fields.get("answer", "")))


def read_request(fields: Mapping[str, Any]) -> QuestionRequest:
    """Return the request that an example of WRITE_QUESTIONS shows."""
    return QuestionRequest(read_chunk(fields), int(fields["most"]))


def read_conversation(fields: Mapping[str, Any]) -> ConversationInfo:
    """Return what an example of WRITE_CONVERSATION, or of WRITE_SCENE_CONVERSATION, talks about."""
    told = " ".join(f"{pair['question']} {pair['answer']}" for pair in fields["pairs"])
    chunk = make_chunk(told)
    pairs = [make_pair(chunk, pair["question"], pair["answer"]) for pair in fields["pairs"]]
    names = ("primary", "secondary", "instructions", "card", "setting")
    scene = Scene(*(fields[name] for name in names)) if fields.get("card") else None
    return replace(make_info(pairs), scene=scene)


def read_rewriting(fields: Mapping[str, Any]) -> Rewriting:
    """Return what an example of REWRITE_CONVERSATION writes anew."""
    people = {"secondary": fields["asker"], "primary": fields["teller"]}
    info = read_conversation({**fields, **people})
    return make_rewriting(info, *(turn["text"] for turn in fields["turns"]))


def make_rewriting(info: ConversationInfo, *texts: str) -> Rewriting:
    """Return a conversation of these turns, to be written anew because the first is flawed."""
    speakers = ("human", "gpt") * (len(texts) // 2)
    turns = tuple(Turn(speaker, text) for speaker, text in zip(speakers, texts, strict=True))
    conversation = Conversation(info.uuid, turns, info.pairs, info.chunk, info.scene)
    return Rewriting(info, conversation, (Flaw("two full stops", 1, "Turn 1 ends twice."),), 1)


def read_draft(fields: Mapping[str, Any]) -> SceneDraft:
    """Return the draft that an example of a character or a scene shows."""
    name = fields["name"] if "name" in fields else fields["primary"]
    chunk = make_chunk(fields.get("chunk", "None."), fields.get("source", ""))
    pairs = [make_pair(chunk, question, "") for question in fields.get("questions", ["Why?"])]
    plans = (fields.get("plan", ""), fields.get("card", ""), fields.get("plan", ""))
    return SceneDraft(
        make_info(pairs), name, fields.get("secondary", "Nobody"), fields["era"], (), (), *plans
    )


CHUNK = make_chunk(
    "A hawser of 120 threads is laid from three strands, each twisted against the next.\n"
    'Mrs. Orrin called tarred ones "black dogs" [see the log of 1874]; they last longer.\n'
    "What spoils a rope? Damp, sand and a path such as C:\\ropes\\old!\n\n"
    "- hemp\n- sisal"
)
SHORT = make_chunk("Hemp floats")
CLEAR = make_pair(
    CHUNK, "Of how many strands is a hawser laid?", "A hawser is laid from three strands."
)
QUOTED = make_pair(
    CHUNK,
    'Which ropes did Mrs. Orrin call "black dogs"?',
    'Mrs. Orrin called tarred ropes "black dogs".',
)
UNCLEAR = make_pair(CHUNK, "What does the author say about them?", "They last longer.")
PAIRS = (CLEAR, QUOTED, UNCLEAR)
QUESTIONS = (QuestionRequest(CHUNK, 1), QuestionRequest(CHUNK, 4), QuestionRequest(SHORT, 2))
CONVERSATIONS = (make_info([CLEAR]), make_info([QUOTED, CLEAR]))
TRAITS = ('is called "Red" by friends.', "splices ropes.")
DRAFTS = (
    SceneDraft(CONVERSATIONS[0], "Anaïs Borgen", "Li Çelik", "", (), ()),
    SceneDraft(CONVERSATIONS[1], "Li Çelik", "Anaïs Borgen", "the 1950s", TRAITS, TRAITS),
)
SCENES = tuple(replace(draft.info, scene=draft.settle("A quay.")) for draft in DRAFTS)
REWRITINGS = tuple(
    make_rewriting(info, *(text for pair in info.pairs for text in (pair.question, pair.answer)))
    for info in (*CONVERSATIONS, *SCENES)
)

SAMPLES: Mapping[str, Samples] = {
    JUDGE_CHUNK.name: Samples((CHUNK, SHORT), read_chunk),
    WRITE_QUESTIONS.name: Samples(QUESTIONS, read_request),
    CHECK_QUESTION.name: Samples(PAIRS, read_pair),
    CHECK_ANSWER_RELEVANCE.name: Samples(PAIRS, read_pair),
    CHECK_ANSWER_ACCURACY.name: Samples(PAIRS, read_pair),
    REVISE_PAIR.name: Samples(PAIRS, read_pair),
    PLAN_CHARACTER.name: Samples(DRAFTS, read_draft),
    WRITE_CHARACTER.name: Samples(DRAFTS, read_draft),
    PLAN_SCENE.name: Samples(DRAFTS, read_draft),
    WRITE_SCENE.name: Samples(DRAFTS, read_draft),
    WRITE_CONVERSATION.name: Samples(CONVERSATIONS, read_conversation),
    WRITE_SCENE_CONVERSATION.name: Samples(SCENES, read_conversation),
    REWRITE_CONVERSATION.name: Samples(REWRITINGS, read_rewriting),
}
