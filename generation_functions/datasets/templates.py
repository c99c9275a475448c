"""Chat templates: how a conversation becomes the text that a model is trained on.

Each is a Jinja template over `messages` (role, content), as a tokenizer carries it. The
SFT config hands the same text to the trainer, so the finished model knows its own format.
"""

from collections.abc import Sequence
from functools import cache

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

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
}


@cache
def _compile(source: str) -> Template:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(source)


def render(name: str, turns: Sequence[Turn]) -> str:
    """Return `turns` (speakers: system, human, gpt) as the text of template `name`.

    BOS and EOS are not in it: the trainer adds them.
    """
    messages = [{"role": ROLES[turn.speaker], "content": turn.text} for turn in turns]
    return _compile(TEMPLATES[name]).render(messages=messages, add_generation_prompt=False).strip()
