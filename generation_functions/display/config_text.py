"""Changing one option in a config file's text, comments and layout as they were."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from generation_functions.errors import ConfigError
from generation_functions.steps.files import Writer

_PLAIN = re.compile(r"\w[\w.-]*(?: [\w.-]+)*")


def set_option(text: str, keys: Sequence[str], value: str) -> str:
    """Return YAML text with the scalar at `keys` replaced, and no other character changed.

    Raises ConfigError where the text has no such scalar, or one that is shared (an alias).
    """
    node = _find(yaml.compose(text, Loader=yaml.SafeLoader), keys)
    written = _as_scalar(value)
    changed = text[: node.start_mark.index] + written + text[node.end_mark.index :]
    if _load(changed) != _with(yaml.safe_load(text), keys, value):
        raise ConfigError(f"`{'.'.join(keys)}` cannot be changed here. Set it by hand: {written}")
    return changed


def save_option(file: Path, keys: Sequence[str], value: str) -> None:
    """Change one option in a config file. Raises ConfigError, with the file as it was."""
    with file.open(encoding="utf-8", newline="") as opened:
        text = opened.read()
    try:
        changed = set_option(text, keys, value)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error
    Writer().write(file, changed)


def _find(node: yaml.Node | None, keys: Sequence[str]) -> yaml.ScalarNode:
    for key in keys:
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for name, value in entries if name.value == key), None)
    if not isinstance(node, yaml.ScalarNode) or node.start_mark.index == node.end_mark.index:
        raise ConfigError(f"no value stands at `{'.'.join(keys)}`. Write the option there first.")
    return node


def _as_scalar(value: str) -> str:
    """Return a string as YAML writes it in one line, quoted unless it is plain everywhere."""
    if _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=10_000).rstrip("\n")


def _load(text: str) -> Any:
    """Return what a changed text holds, None where the change broke it."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _with(loaded: Any, keys: Sequence[str], value: str) -> Any:
    first, *rest = keys
    return {**loaded, first: _with(loaded[first], rest, value) if rest else value}
