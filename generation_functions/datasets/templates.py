"""Chat templates: how a conversation becomes the text that a model is trained on.

Each is a Jinja template over `messages` (role, content), as a tokenizer carries it. The SFT config
hands the same text to the trainer, so the finished model knows its own format. A conversation is
rendered turn by turn, so that rows in one piece and rows in segments have the same text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from generation_functions.config import Config
from generation_functions.errors import ConfigError
from generation_functions.records import Turn

ROLES = {"system": "system", "human": "user", "gpt": "assistant"}  # ShareGPT's names, then Jinja's

TEMPLATES = {
    "atk": (
        "{% for message in messages %}"
        "{% if message['role'] == 'system' %}Instruction"
        "{% elif message['role'] == 'user' %}Human"
        "{% else %}AI{% endif %}: "
        "{{ message['content'] | trim }} **Finished.**"
        "{% if not loop.last %}{{ '\\n' }}{% endif %}"
        "{% endfor %}"
        "{% if add_generation_prompt %}{{ '\\nAI:' }}{% endif %}"
    ),
    "chatml": (
        "{% for message in messages %}"
        "{{ '<|im_start|>' + message['role'] + '\\n' }}"
        "{{ message['content'] | trim }}{{ '<|im_end|>\\n' }}"
        "{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    ),
}
_CONTENT = "\ue000"  # private use: in no text
_TOKEN = re.compile(r"<\S+?>|\[/?[A-Z_]+\]")  # what tokenizers take for one token, as a rule
_SAMPLE = tuple(
    Turn(speaker, f"{speaker} {number}.")
    for number, speaker in enumerate(("system", "human", "gpt", "human", "gpt"))
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One turn's part of a text: what leads to it (`head`, of answers only) and the turn itself.

    White space between two turns belongs to the turn before.
    """

    head: str
    body: str


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A template by its Jinja `source`; `eos` is what `eos_token` stands for in it.

    Templates see messages with `role` and `content`, and with ShareGPT's `from` and `value`.
    `marks` begin and end rows and turns; no text may say one.
    """

    source: str
    eos: str = ""
    name: str = "final_datasaving_settings.template"
    kwargs: Mapping[str, Any] = field(default_factory=dict, hash=False)
    marks: tuple[str, ...] = ()

    @property
    def trainer_source(self) -> str:
        """The template as a tokenizer carries it, which is given no arguments.

        It begins with BOS, as rows do: who renders with it adds none.
        """
        begin = "" if "bos_token" in self.source else "{{ bos_token }}"
        names = (f"{{%- set {name} = {value!r} -%}}" for name, value in self.kwargs.items())
        return "".join((*names, begin, self.source))

    def render(self, turns: Sequence[Turn]) -> str:
        """Return `turns` (speakers: system, human, gpt) as one text.

        BOS and EOS are not in it: the trainer adds them.
        """
        return self._render(turns).strip()

    def split(self, turns: Sequence[Turn]) -> tuple[Piece, ...]:
        """Return the text of `render` in pieces, one a turn, which joined are that text.

        Raises ConfigError for a template that writes a turn otherwise once another follows.
        """
        texts = [self.render(turns[:number]) if number else "" for number in range(len(turns) + 1)]
        pieces: list[Piece] = []
        for number, (before, after) in enumerate(pairwise(texts)):
            if not after.startswith(before):
                raise ConfigError(
                    f"`{self.name}`: the template does not render turn by turn: turn {number} "
                    "changes the text of the turns before it. Use another template."
                )
            added = after[len(before) :]
            own = added.lstrip()
            if pieces:
                last = pieces[-1]
                pieces[-1] = Piece(last.head, last.body + added[: len(added) - len(own)])
            head = self._find_head(turns, number, after) if turns[number].speaker == "gpt" else 0
            at = max(0, head - (len(after) - len(own)))
            pieces.append(Piece(own[:at], own[at:]))
        return tuple(pieces)

    @property
    def markup(self) -> tuple[str, ...]:
        """What it writes before, between and after the texts of turns."""
        return tuple(self.render([replace(one, text=_CONTENT) for one in _SAMPLE]).split(_CONTENT))

    def mark(self, bos: str) -> "ChatTemplate":
        """Return the template with its `marks`; rows begin with `bos` and end with `eos`."""
        parts = self.markup
        found = (bos, self.eos, parts[-1].strip(), *_TOKEN.findall("".join(parts)))
        return replace(self, marks=tuple(dict.fromkeys(one for one in found if len(one) > 2)))

    def defuse(self, text: str) -> str:
        """Return what a turn says with each of the `marks` broken by a space.

        As it stands it would end the turn or the row in the middle of what is said.
        """
        for mark in self.marks:
            text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return text

    def check(self) -> None:
        """Raise ConfigError for a template that cannot render a conversation turn by turn."""
        if not all(turn.text in self.render(_SAMPLE) for turn in _SAMPLE):
            raise ConfigError(f"`{self.name}`: the template leaves out what turns say.")
        self.split(_SAMPLE)

    def _find_head(self, turns: Sequence[Turn], number: int, after: str) -> int:
        """Return where the text that asks for turn `number` ends, 0 where the template has none."""
        asking = self._render(turns[:number], asks=True).lstrip()
        for text in (asking, asking.rstrip()):
            if after.startswith(text):
                return len(text)
        return 0

    def _render(self, turns: Sequence[Turn], asks: bool = False) -> str:
        said = [(ROLES[turn.speaker], self.defuse(turn.text)) for turn in turns]
        messages = [
            {"role": role, "content": text, "from": role, "value": text} for role, text in said
        ]
        try:
            return _compile(self.source).render(
                {
                    **self.kwargs,
                    "messages": messages,
                    "add_generation_prompt": asks,
                    "bos_token": "",
                    "eos_token": self.eos,
                    "raise_exception": _refuse,
                }
            )
        except (TemplateError, TypeError) as error:
            raise ConfigError(f"`{self.name}`: the template cannot be rendered: {error}") from error


def make_template(config: Config) -> ChatTemplate:
    """Return the template of all rows. Raises ConfigError for one that cannot be used."""
    settings = config.final_datasaving_settings
    source = TEMPLATES.get(settings.template, settings.template)
    template = ChatTemplate(source, settings.eos, kwargs=settings.template_kwargs)
    template.check()
    return template.mark(settings.bos)


def make_own_template(source: str, name: str, bos: str, eos: str) -> ChatTemplate:
    """Return the template of one section, by the option's `name`. Raises ConfigError."""
    template = ChatTemplate(TEMPLATES.get(source, source), eos, name)
    template.check()
    return template.mark(bos)


def join_formats(system: str, user: str, assistant: str) -> str:
    """Return formats of single turns as one template; a turn a line.

    Each is a Jinja text over one variable: `system`, `user` or `assistant`. What stands before
    the variable of `assistant` leads to an answer.
    """
    lead = assistant.partition("{{")[0].rstrip()
    cases = (("if", "system", system), ("elif", "user", user), ("elif", "assistant", assistant))
    turns = "".join(
        f"{{% {word} message['role'] == '{role}' %}}"
        f"{{% set {role} = message['content'] | trim %}}{form}"
        for word, role, form in cases
    )
    return (
        f"{{% for message in messages %}}{turns}{{% endif %}}"
        "{% if not loop.last %}{{ '\\n' }}{% endif %}{% endfor %}"
        f"{{% if add_generation_prompt %}}{{{{ '\\n' }}}}{lead}{{% endif %}}"
    )


@cache
def _compile(source: str) -> Template:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(source)


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)
