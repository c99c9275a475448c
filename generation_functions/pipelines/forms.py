"""The eight forms in which a piece is told again: what each asks for, and what a reply must be.

No form may bring new information: a reply with a figure, date or name that the piece does not
have is asked again, as one that does not parse.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from generation_functions.choosing import draw_number, rank
from generation_functions.errors import Unparsable
from generation_functions.pipelines.amounts import MONTHS
from generation_functions.pipelines.facts import PART, number_facts
from generation_functions.pipelines.form_copies import write_parts, write_title
from generation_functions.pipelines.landmarks import find_foreign
from generation_functions.pipelines.proper_names import PROPER_NAMES
from generation_functions.pipelines.question_steps import check_script
from generation_functions.pipelines.roots import share_known
from generation_functions.pipelines.wording import find_pointers
from generation_functions.records import Fact, FactSheet, make_uuid
from generation_functions.steps.copying import share_copied
from generation_functions.steps.step import Step

LEAST_SHARED = 0.45  # share of a variation's roots that its piece has
MOST_COPIED = 0.8  # share of its runs of eight words that stand in the piece as they are

_HEADING = re.compile(r"^#+ (.*?):?$", re.MULTILINE)
_LABEL = re.compile(
    r"^(?:Question|Answer|Given|And|So|Result|Goes back to|[-*]|\d{1,2}[.)]):? ", re.MULTILINE
)
_NAMED = ("name",)  # attributes that are no title
_DATE = re.compile(r"\b(?:in|of|on|\d+) (?:march|may)\b")

# How a reply speaks of what it was shown.
_FACTS = re.compile(
    r"\b(?:facts? \d|(?:the|these) (?:facts|passage|list) (?:says?|tells?|states?|gives?))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class VariationRequest:
    """A piece to be told again in a form, for the `number`-th time (from 0).

    `facts` are those of its sheet, some of them turned round; `inferred` what follows from
    them, where that is to be told too. `known` is all that figures and names may come from.
    """

    sheet: FactSheet
    form: str
    number: int
    facts: tuple[Fact, ...]
    inferred: tuple[Fact, ...]
    known: str

    @property
    def uuid(self) -> str:
        kind = "inferred" if self.inferred else "told"
        return make_uuid(self.sheet.chunk.uuid, "variation", kind, self.form, str(self.number))


@dataclass(frozen=True, slots=True)
class Form:
    """A form: `read` returns the words of a reply, without what only gives it its form.

    `read` raises Unparsable for a reply that is not of the form. `is_data`: it has a syntax
    that a change of its letters may break. `write` and `head` return how a fact and what a part
    of the reply is about are written in it.
    """

    name: str
    read: Callable[[str], str]
    is_data: bool = False
    write: Callable[[str], str] = str
    head: Callable[[str], str] = str

    @property
    def step(self) -> str:
        """The name of its step, prompt and grammar."""
        return f"write_{self.name}"


def read_text(reply: str) -> str:
    """Return prose without the labels, bullets, numbers and marks that begin its lines.

    Headings end in a colon.
    """
    return _LABEL.sub("", _HEADING.sub(r"\1:", reply))


def read_xml(reply: str) -> str:
    """Return the texts and attributes of an XML element, a line each; those are headings that say
    what a part is about.
    """
    if "<!" in reply:  # no declarations: a grammar of one's own might let entities in
        raise Unparsable("not an XML element")
    try:
        root = ElementTree.fromstring(reply)
    except ElementTree.ParseError as error:
        raise Unparsable("not well-formed XML") from error
    found: list[str] = []
    for one in root.iter():
        found += [text if key in _NAMED else f"{text}:" for key, text in one.attrib.items()]
        found += [text for text in (one.text, one.tail) if text and text.strip()]
    return _join(found)


def read_json(reply: str) -> str:
    """Return the keys and values of a JSON object, a line each."""
    try:
        value = json.loads(reply, object_pairs_hook=_refuse_twice)
    except json.JSONDecodeError as error:
        raise Unparsable("not JSON") from error
    if not isinstance(value, dict):
        raise Unparsable("not a JSON object")
    return _join(_flatten(value))


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise Unparsable("the same key twice")
    return dict(pairs)


def _flatten(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield _name_key(key)
            yield from _flatten(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _flatten(inner)
    else:
        yield str(value)


def _name_key(key: str) -> str:
    """Return a key's words; those that can only be a name or a month get their capital."""
    words = key.replace("_", " ")
    dated = _DATE.search(words)
    names = PROPER_NAMES | set(MONTHS) - (set() if dated else {"march", "may"})
    return " ".join(word.title() if word in names else word for word in words.split())


def _write_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _write_key(words: str) -> str:
    return "_".join(re.findall(r"[^\W\d_]+", words.lower())) or "facts"


def _capitalise(words: str) -> str:
    return words[:1].upper() + words[1:]


def _join(texts: Iterable[str]) -> str:
    """Join short texts so that a capital at the beginning of one may be that of a name."""
    return "\n".join(f"is {text.strip()}" for text in texts)


FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form("question_list", read_text),
        Form("markup", read_xml, is_data=True, write=escape, head=escape),
        Form("article", read_text, head=_capitalise),
        Form("structured_data", read_json, True, _write_json, _write_key),
        Form("list", read_text, head=_capitalise),
        Form("reasoning_chains", read_text),
        Form("effect_to_cause", read_text),
        Form("stream_of_thought", read_text),
    )
}


def choose_forms(
    forms: Collection[str], uuid: str, count: int, seed: int, backwards: bool = False
) -> list[tuple[str, int]]:
    """Return `count` of the forms for a piece, each with how often it came before.

    None comes again before all were used; a larger `count` adds forms and changes none.
    `backwards` takes each round from its other end, so that two choices of a piece share as
    few forms as can be.
    """
    chosen: list[tuple[str, int]] = []
    for number in range(-(-count // len(forms))):
        order = rank(forms, seed, uuid, "form", number)
        chosen += [(form, number) for form in (order[::-1] if backwards else order)]
    return chosen[:count]


def request_variation(
    sheet: FactSheet, form: str, number: int, seed: int, inferred: bool, known: str
) -> VariationRequest:
    """Return a request; of the facts that were turned round it shows about half that way."""
    turned = {fact.facts[0]: fact for fact in sheet.turned}
    facts = tuple(
        turned[place]
        if place in turned and draw_number(seed, fact.uuid, form, number, inferred) % 2
        else fact
        for place, fact in enumerate(sheet.facts, start=1)
    )
    return VariationRequest(sheet, form, number, facts, sheet.inferred if inferred else (), known)


def _fields(request: VariationRequest) -> dict[str, Any]:
    chunk = request.sheet.chunk
    return {
        "source": chunk.source,
        "text": chunk.text.strip(),
        "facts": number_facts(request.facts),
        "inferred": "\n".join(f"- {fact.text}" for fact in request.inferred),
    }


def _parser(form: Form) -> Callable[[VariationRequest, str], str]:
    def parse(request: VariationRequest, reply: str) -> str:
        chunk = request.sheet.chunk
        check_script(reply, chunk)
        facts = _list_told(request)
        text = form.read(reply)
        if find_foreign(text, request.known, chunk.language):
            raise Unparsable("a figure or name that the text lacks")
        if _FACTS.search(text) or set(find_pointers(text)) - set(find_pointers(chunk.text)):
            raise Unparsable("speaks of the text")
        if share_known(text, request.known) < LEAST_SHARED:
            raise Unparsable("other words than the text")
        copied = share_copied(text, chunk.text) > MOST_COPIED
        if copied and share_copied("\n".join(facts), chunk.text) <= MOST_COPIED:
            raise Unparsable("a copy of the text")
        return reply.strip()

    return parse


def _list_told(request: VariationRequest) -> list[str]:
    return [fact.text for fact in (*request.facts, *request.inferred)]


def _ruler(form: Form) -> Callable[[VariationRequest], Mapping[str, str]]:
    """Rules for grammars that keep the facts' words: `facts` in parts, each with a head, and
    `title`, what the piece may be called."""

    def narrow(request: VariationRequest) -> Mapping[str, str]:
        chunk, facts = request.sheet.chunk, _list_told(request)
        return {
            "facts": write_parts(chunk, facts, request.uuid, form.write, form.head),
            "title": write_title(chunk, facts, form.head),
        }

    return narrow


def _write(form: Form) -> Step[VariationRequest, str]:
    return Step(
        form.step,
        _fields,
        _parser(form),
        _ruler(form),
        role="large",
        own_words=True,
        parts=lambda request: request.sheet.chunk.tokens // PART,
        offers=("facts", "title"),
    )


WRITE_FORM: dict[str, Step[VariationRequest, str]] = {
    name: _write(form) for name, form in FORMS.items()
}
