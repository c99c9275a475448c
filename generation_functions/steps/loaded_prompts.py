"""The prompts that a run's steps have: each read and checked once, and exchanged for a trial."""

from pathlib import Path
from typing import Any

from generation_functions.config import Config
from generation_functions.steps.prompts import Prompt, load_prompt
from generation_functions.steps.step import Step


def find_folders(step: Step[Any, Any], config: Config) -> list[Path]:
    """Return the folders whose prompts and grammars go before the program's own, the first first.

    Those of the step's section of the config come before those of the whole run.
    """
    return [*map(Path, step.folders), *config.path.prompt_folders]


class LoadedPrompts:
    """Prompts by step; the same step may have others in another section's folders."""

    def __init__(self) -> None:
        self._prompts: dict[tuple[str, tuple[str, ...]], Prompt] = {}

    def of(self, step: Step[Any, Any], config: Config) -> Prompt:
        """Return a step's prompt. Raises PromptError and GrammarError, which name the file."""
        key = (step.name, step.folders)
        if key not in self._prompts:
            mode = config.system.use_filenames
            prompt = load_prompt(step.name, find_folders(step, config), mode, step.like)
            step.check_grammar(prompt.grammar)
            self._prompts[key] = prompt
        return self._prompts[key]

    def use(self, step: Step[Any, Any], prompt: Prompt) -> None:
        """Take a prompt in the place of that in the step's files."""
        self._prompts[step.name, step.folders] = prompt

    def forget(self) -> None:
        """Read all files anew when they are needed."""
        self._prompts.clear()
