"""A config file as a list of settings: key, value and what it means, written as YAML."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a config, and what it means; with `off` it is only shown, as a comment."""

    key: str
    value: Any
    comment: str
    off: bool = False


def override(
    settings: Sequence[Setting], values: Mapping[str, Any], option: str
) -> tuple[Setting, ...]:
    """Return the settings with the user's values in place of ours, new keys at the end."""
    known = {setting.key for setting in settings}
    mine = f"Set by model_training.{option}."
    replaced = (
        replace(setting, value=values[setting.key], comment=f"{setting.comment} {mine}", off=False)
        if setting.key in values
        else setting
        for setting in settings
    )
    added = (Setting(key, value, mine) for key, value in values.items() if key not in known)
    return (*replaced, *added)


def values_of(settings: Sequence[Setting]) -> dict[str, Any]:
    """Return the settings as Axolotl reads them."""
    return {setting.key: setting.value for setting in settings if not setting.off}


def render(settings: Sequence[Setting], heading: str) -> str:
    """Return settings as YAML, each under its comment."""
    blocks = [_comment(heading)]
    for setting in settings:
        dumped = yaml.safe_dump(
            {setting.key: setting.value}, sort_keys=False, allow_unicode=True, width=10_000
        )
        shown = textwrap.indent(dumped, "# ") if setting.off else dumped
        blocks.append(_comment(setting.comment) + shown)
    return "\n".join(blocks)


def _comment(text: str) -> str:
    lines = (textwrap.fill(line, 94) for line in text.splitlines())
    return textwrap.indent("\n".join(lines), "# ", lambda line: True) + "\n"
