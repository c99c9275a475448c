"""The step that says what a failed retrieval lacks."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generation_functions.errors import Unparsable
from generation_functions.masked import Grounded, Shown
from generation_functions.pipelines.context_checks import gives_away
from generation_functions.pipelines.roots import find_roots
from generation_functions.pipelines.strange import find_strange
from generation_functions.pipelines.wording import strange_script
from generation_functions.records import make_uuid
from generation_functions.steps.step import Step, write_literal

_LACKS = re.compile(
    r"\b(?:no|not|none|nothing|nobody|neither|nor|never|nowhere|without|lacks?|missing|silent"
    r"|leaves? out|fails? to|cannot)\b|n['’]t\b",
    re.IGNORECASE,
)
_REPLY = re.compile(r"About: (.+)\nMissing: (.+)")


@dataclass(frozen=True, slots=True)
class LackRequest:
    """A question that what was retrieved does not answer; of an item it is number `place`."""

    item: str
    place: int
    asked: Grounded
    shown: tuple[Shown, ...]
    language: str = "english"

    @property
    def uuid(self) -> str:
        texts = (one.text for one in self.shown)
        return make_uuid(self.item, "lack", str(self.place), self.asked.question, *texts)


def show_retrieved(shown: Sequence[Shown]) -> list[dict[str, str]]:
    """Return retrieved chunks as prompts show them: the source's name, and the text."""
    return [{"source": one.source, "text": one.text} for one in shown]


def _parse_lack(request: LackRequest, reply: str) -> str:
    """Return the sentence that says what is missing.

    Raises Unparsable for one that says nothing of the question, that does not say that it is
    missing, that gives the answer away, or that has facts of its own.
    """
    found = _REPLY.fullmatch(reply.strip())
    if found is None:
        raise Unparsable("no word of what is missing")
    missing, asked = found[2].strip(), request.asked
    known = "\n".join(f"{one.source}\n{one.text}" for one in request.shown)
    known = f"{known}\n{asked.question}"
    if strange_script(missing, known):
        raise Unparsable("letters of another script")
    if request.language == "english" and not _LACKS.search(missing):
        raise Unparsable("does not say that anything is missing")
    if not find_roots(missing) & find_roots(asked.question):
        raise Unparsable("says nothing of the question")
    strange = find_strange(missing, known, request.language)
    if strange:
        raise Unparsable(f"has {strange}, which nobody spoke of")
    if gives_away(missing, asked):
        raise Unparsable("gives the answer away")
    return missing


def _keep(request: LackRequest) -> Mapping[str, str]:
    """The rule `kept` for grammars that keep a question's words."""
    if request.language != "english":
        return {}
    question = write_literal(request.asked.question)
    return {"kept": f'"About: Something else.\\nMissing: " lacking {question}'}


TELL_LACK: Step[LackRequest, str] = Step(
    "tell_lack",
    lambda request: {"texts": show_retrieved(request.shown), "question": request.asked.question},
    _parse_lack,
    _keep,
    role="large",
    own_words=True,
    offers=("kept",),
)
