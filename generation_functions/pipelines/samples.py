"""Made-up items for each step, on which `check` tries its prompt, grammar and parser.

A new step needs one line in SAMPLES.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from generation_functions.documents.sentences import number_sentences
from generation_functions.pipeline_sections import PdfCleaning
from generation_functions.pipelines.asking import ANSWER_BRIEFLY, ASK_QUESTION, Asked
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
from generation_functions.pipelines.exam_steps import (
    ANSWER_EXAM,
    JUDGE_EXAM_ANSWER,
    TAUGHT,
    WRITE_EXAM_QUESTIONS,
    ExamQuestion,
    Marking,
)
from generation_functions.pipelines.facts import (
    INFER_FACTS,
    LIST_FACTS,
    TURN_FACTS,
    FactRequest,
    make_sheet,
)
from generation_functions.pipelines.forms import WRITE_FORM, VariationRequest
from generation_functions.pipelines.masked_samples import MASKED_SAMPLES
from generation_functions.pipelines.orders import make_info
from generation_functions.pipelines.pair_checks import Problem
from generation_functions.pipelines.pdf_cleaning import CLEAN_PDF, Piece
from generation_functions.pipelines.question_steps import (
    JUDGE_CHUNK,
    PLAN_QUESTIONS,
    WRITE_QUESTIONS,
    QuestionRequest,
)
from generation_functions.pipelines.readings import read_together
from generation_functions.pipelines.repairing import (
    CHECK_ANSWER_ACCURACY,
    CHECK_ANSWER_RELEVANCE,
    CHECK_QUESTION,
    REPAIR_ANSWER,
    REPLACE_PAIR,
    REVISE_PAIR,
    Repair,
)
from generation_functions.pipelines.sample_items import (
    CHUNK,
    CLEAR,
    NUMBERED,
    PAIRS,
    QUOTED,
    SHORT,
    UNCLEAR,
    Samples,
    make_chunk,
    make_pair,
    read_chunk,
    read_pair,
)
from generation_functions.pipelines.style import PIPELINE as STYLE
from generation_functions.pipelines.way_steps import WayRequest
from generation_functions.pipelines.ways import list_steps
from generation_functions.records import (
    Chunk,
    Conversation,
    ConversationInfo,
    Exchange,
    Fact,
    FactSheet,
    QAPair,
    Scene,
    Turn,
    make_uuid,
)

_FACT = re.compile(r"^\[(\d+)\] (.+)$", re.MULTILINE)


def read_facts_request(fields: Mapping[str, Any]) -> FactRequest:
    """Return the piece that an example lists the facts of, asked again where it says so."""
    return FactRequest(read_chunk(fields), int(bool(fields["left_out"])))


def read_request(fields: Mapping[str, Any]) -> QuestionRequest:
    """Return the request that an example shows; a plan is asked for without the last two."""
    return QuestionRequest(
        read_chunk(fields), int(fields.get("most", 4)), str(fields.get("plan", ""))
    )


def read_repair(fields: Mapping[str, Any]) -> Repair:
    """Return the repair that an example shows; the last question of several is to be replaced."""
    problem = Problem("sample", str(fields["problem"]))
    *existing, question = fields.get("existing") or [fields["question"]]
    return Repair(read_pair({**fields, "question": question}), problem, tuple(existing), 0)


def read_asked(fields: Mapping[str, Any]) -> QAPair:
    """Return the pair that an example of ASK_QUESTION asks for: an answer without a question."""
    return make_pair(make_chunk(str(fields["answer"])), "", str(fields["answer"]))


def read_exam_question(fields: Mapping[str, Any]) -> ExamQuestion:
    """Return what an example of ANSWER_EXAM asks; its text is not shown."""
    return ExamQuestion.of(read_pair({"chunk": "None.", **fields}), TAUGHT)


def read_marking(fields: Mapping[str, Any]) -> Marking:
    """Return the reply that an example of JUDGE_EXAM_ANSWER judges."""
    return Marking(read_exam_question(fields), str(fields["reply"]))


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


def read_way_request(fields: Mapping[str, Any]) -> WayRequest:
    """Return what an example of a way of asking is about: its texts, its turns, its draft."""
    chunks = [
        make_chunk(NUMBERED.sub("", text["sentences"]), str(text["source"]))
        for text in fields["texts"]
    ]
    turns = tuple(
        Exchange(str(turn["question"]), str(turn["answer"]), ()) for turn in fields.get("turns", ())
    )
    reading = read_together(chunks)
    asked = tuple(make_pair(chunks[0], str(one), "") for one in fields["asked"])
    return WayRequest(chunks[0].uuid, reading, asked, turns, None, str(fields["problem"]))


def read_draft(fields: Mapping[str, Any]) -> SceneDraft:
    """Return the draft that an example of a character or a scene shows."""
    name = fields["name"] if "name" in fields else fields["primary"]
    chunk = make_chunk(fields.get("chunk", "None."), fields.get("source", ""))
    pairs = [make_pair(chunk, question, "") for question in fields.get("questions", ["Why?"])]
    plans = (fields.get("plan", ""), fields.get("card", ""), fields.get("plan", ""))
    return SceneDraft(
        make_info(pairs), name, fields.get("secondary", "Nobody"), fields["era"], (), (), *plans
    )


def read_piece(fields: Mapping[str, Any]) -> Piece:
    """Return the piece that an example of CLEAN_PDF shows; a page begins in its middle."""
    return make_piece(str(fields["text"]))


def make_piece(text: str) -> Piece:
    """Return a piece of no document, in whose middle a page begins."""
    uuid = make_uuid("samples", "piece", text)
    return Piece(uuid, text, PdfCleaning(), (len(text) // 2,))


def read_sheet(fields: Mapping[str, Any]) -> FactSheet:
    """Return the facts that an example shows; one whose number is left out tells nothing."""
    shown = {int(number): text for number, text in _FACT.findall(str(fields["facts"]))}
    told = [shown.get(number, "Hemp is hemp.") for number in range(1, max(shown) + 1)]
    text = str(fields.get("text", " ".join(shown.values())))
    return make_facts(make_chunk(text, str(fields.get("source", ""))), *told)


def make_facts(chunk: Chunk, *texts: str) -> FactSheet:
    """Return a sheet of these facts, which all rest on the chunk's first sentence."""
    quote = number_sentences(chunk.text)[0]
    facts = (Fact(make_uuid(chunk.uuid, text), text, (1,), quote) for text in texts)
    return make_sheet(chunk, (chunk.uuid,), tuple(facts))


def read_variation(fields: Mapping[str, Any]) -> VariationRequest:
    """Return what an example of a form tells again."""
    lines = str(fields["inferred"]).splitlines()
    return make_variation(read_sheet(fields), *(line.removeprefix("- ") for line in lines))


def make_variation(sheet: FactSheet, *inferred: str) -> VariationRequest:
    """Return a sheet to be told again, with what follows from its facts."""
    chunk = sheet.chunk
    follows = make_facts(chunk, *inferred).facts
    known = f"{chunk.source}\n{chunk.text}"
    return VariationRequest(sheet, "text", 0, sheet.facts, follows, known)


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

PIECES = (
    make_piece('Ropes of h emp last 12 years ; tarred\n\n24 ROPES\n\nones 15,5. "[Mrs. O\\rrin]"'),
    make_piece("Канат из пеньки — 120 нитей\u00a0…"),
    make_piece("Hemp"),
)
QUESTIONS = (
    QuestionRequest(CHUNK, 1),
    QuestionRequest(CHUNK, 4, "1: How a hawser is laid.\n3: What spoils a rope."),
    QuestionRequest(SHORT, 2, round=1, left_out=(1,)),
)
REPAIRS = (
    Repair(CLEAR, Problem("sample", "The answer has “four”, which the text lacks."), (), 0),
    Repair(UNCLEAR, Problem("sample", 'Of which "them"?'), (CLEAR.question,), 1),
)
EXAM = tuple(ExamQuestion.of(pair, TAUGHT) for pair in PAIRS)
MARKINGS = (Marking(EXAM[0], "From three."), Marking(EXAM[1], 'The "black" ones [tarred]', 2))
SHEETS = (
    make_facts(CHUNK, "A hawser is laid from three strands.", 'Mrs. Orrin called it "black dog".'),
    make_facts(SHORT, "Hemp floats.", "Sand spoils every rope.", "Sisal is no hemp."),
)
VARIED = (make_variation(SHEETS[0]), make_variation(SHEETS[1], "Hemp [1] floats, sisal may not."))

SPOKEN = Exchange(CLEAR.question, CLEAR.answer, ())
WAY_REQUESTS = (
    WayRequest("w1", read_together([CHUNK])),
    WayRequest("w2", read_together([CHUNK, SHORT]), PAIRS, (SPOKEN,), left_out=(1, 2)),
    WayRequest("w3", read_together([SHORT, CHUNK]), draft=SPOKEN, problem="Ask more.", number=1),
)

SAMPLES: Mapping[str, Samples] = {
    LIST_FACTS.name: Samples((FactRequest(CHUNK), FactRequest(SHORT, 1)), read_facts_request),
    INFER_FACTS.name: Samples(SHEETS, read_sheet),
    TURN_FACTS.name: Samples(SHEETS, read_sheet),
    **{step.name: Samples(VARIED, read_variation) for step in WRITE_FORM.values()},
    CLEAN_PDF.name: Samples(PIECES, read_piece),
    JUDGE_CHUNK.name: Samples((CHUNK, SHORT), read_chunk),
    PLAN_QUESTIONS.name: Samples(QUESTIONS, read_request),
    WRITE_QUESTIONS.name: Samples(QUESTIONS, read_request),
    WRITE_EXAM_QUESTIONS.name: Samples(QUESTIONS, read_request),
    ANSWER_EXAM.name: Samples(EXAM, read_exam_question),
    JUDGE_EXAM_ANSWER.name: Samples(MARKINGS, read_marking),
    CHECK_QUESTION.name: Samples(PAIRS, read_pair),
    CHECK_ANSWER_RELEVANCE.name: Samples(PAIRS, read_pair),
    CHECK_ANSWER_ACCURACY.name: Samples(PAIRS, read_pair),
    REVISE_PAIR.name: Samples(PAIRS, read_pair),
    PLAN_CHARACTER.name: Samples(DRAFTS, read_draft),
    WRITE_CHARACTER.name: Samples(DRAFTS, read_draft),
    PLAN_SCENE.name: Samples(DRAFTS, read_draft),
    WRITE_SCENE.name: Samples(DRAFTS, read_draft),
    REPAIR_ANSWER.name: Samples(REPAIRS, read_repair),
    REPLACE_PAIR.name: Samples(REPAIRS, read_repair),
    ANSWER_BRIEFLY.name: Samples(
        tuple(Asked(pair.answer, (pair.question, CLEAR.question)) for pair in PAIRS),
        lambda fields: Asked(str(fields["answer"]), tuple(fields["questions"])),
    ),
    ASK_QUESTION.name: Samples(PAIRS, read_asked),
    WRITE_CONVERSATION.name: Samples(CONVERSATIONS, read_conversation),
    WRITE_SCENE_CONVERSATION.name: Samples(SCENES, read_conversation),
    REWRITE_CONVERSATION.name: Samples(REWRITINGS, read_rewriting),
    **MASKED_SAMPLES,
    **STYLE.samples,
    **{step.name: Samples(WAY_REQUESTS, read_way_request) for step in list_steps()},
}
