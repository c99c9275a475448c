"""A prompt in the hand: edited in a notebook, tried on a few items, compared, saved when better."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation_functions.display.markup import Html, beside, folded, join, preformatted, tag
from generation_functions.errors import ConfigError, PalimpsestError
from generation_functions.examples import find_samples, write_example
from generation_functions.steps.editing import (
    PromptTexts,
    make_prompt,
    read_texts,
    save_override,
    show_changes,
)
from generation_functions.steps.prompts import Example, Prompt
from generation_functions.steps.record import Record
from generation_functions.steps.run import FEW, Run
from generation_functions.steps.step import Step
from generation_functions.steps.trials import try_step
from generation_functions.trying import check_prompt

if TYPE_CHECKING:
    from generation_functions.display.prompt_panel import PromptPanel

_COLOURS = {"+": "#3b7a78", "-": "#b5513f"}


def edit_prompt(
    run: Run, step: Step[Any, Any], items: Iterable[Any] | None = None
) -> "PromptEditor":
    """Return an editor of a step's prompt, examples and grammar, to be tried on these items.

    Of them the first three are taken; without any, those that the run asked the step about since
    it was opened. Files change only when it is saved.
    """
    taken = run.first_items(step) if items is None else islice(items, FEW)
    return PromptEditor(run, step, tuple(taken))


class PromptEditor:
    """What `edit_prompt` shows. All that its buttons do can be called from a cell as well."""

    def __init__(self, run: Run, step: Step[Any, Any], items: Sequence[Any]) -> None:
        self.run = run
        self.step = step
        self.items = items
        self.texts = self._open()

    def change(self, **parts: str) -> None:
        """Change parts: `system`, `user`, `examples`, `settings`, `grammar`."""
        self.texts = replace(self.texts, **parts)

    def add_example(self, record: Record, corrected_answer: str) -> str:
        """Add what a record asked, with the answer that it should have had; return the entry.

        Raises PromptError for an answer that grammar or parser refuse.
        """
        example = Example(fields=record.fields, answer=corrected_answer)
        entry = write_example(self.step, self.make_prompt(), example)
        self.change(examples="\n".join(filter(None, (self.texts.examples, entry.rstrip()))))
        return entry

    def make_prompt(self) -> Prompt:
        """Return the prompt as it is edited. Raises PromptError and GrammarError."""
        return make_prompt(self.step, self.texts, self._text, self.run.config)

    def find_problems(self) -> list[str]:
        """Return a line for each thing that is wrong with the texts; nothing is asked."""
        try:
            prompt = self.make_prompt()
            return check_prompt(self.step, prompt, self.items, find_samples(self.step))
        except PalimpsestError as error:
            return [str(error)]

    async def try_out(self) -> Html:
        """Ask with both prompts, that in force and the edited one; return what each replied.

        Nothing is asked while something is wrong with the texts: that is shown instead.
        """
        if problems := self.find_problems():
            return show_problems(problems)
        if not self.items:
            return show_problems(
                [f"Nothing to try it on: run the stage that asks {self.step.name}, or pass items."]
            )
        before = await try_step(self.run, self.step, self.items)
        after = await try_step(self.run, self.step, self.items, self.make_prompt())
        return join(map(show_pair, before, after))

    def show_diff(self, default: bool = False) -> Html:
        """Return what was changed against the prompt and grammar that are in force.

        With `default` it is against the program's own, which an override may have replaced.
        """
        return show_diff(show_changes(self.step, self.texts, self.run.config, default))

    def save(self) -> list[Path]:
        """Write what was changed into `path.prompts`; the run takes it from then on.

        Raises PromptError, GrammarError and ConfigError, with all files as they were; the latter
        also where somebody else has changed them since they were opened here.
        """
        if read_texts(self.step, self.run.config) != (self._opened, self._text):
            raise ConfigError(
                f"The files of {self.step.name} have been changed since this editor was opened. "
                "Keep what you have typed elsewhere, and call `edit_prompt` again."
            )
        if problems := self.find_problems():
            raise PalimpsestError(" ".join(problems))
        files = save_override(self.step, self.texts, self.run.config)
        self.run.forget_prompts()
        self.texts = self._open()
        return files

    def _open(self) -> PromptTexts:
        """Return the texts of the files that are in force, and remember them for `save`."""
        self._opened, self._text = read_texts(self.step, self.run.config)
        return self._opened

    def show_plain(self) -> Html:
        """Return the texts without widgets."""
        parts = {name: getattr(self.texts, name) for name in PromptTexts.__dataclass_fields__}
        return join(folded(name, preformatted(text)) for name, text in parts.items())

    def show_panel(self) -> "PromptPanel":
        """Return the editor's widgets."""
        from generation_functions.display.prompt_panel import PromptPanel

        return PromptPanel(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        html = self.show_plain().source
        plain = {"text/html": html, "text/plain": f"the prompt of {self.step.name}"}
        return {**self.show_panel().view(), **plain}


def show_problems(problems: Iterable[str]) -> Html:
    """Return what is wrong, a line each."""
    return join(tag("p", f"⚠ {problem}") for problem in problems)


def show_pair(before: Record, after: Record) -> Html:
    """Return what was asked about an item, and what came of it with either prompt."""
    fields = preformatted("\n\n".join(f"{name}: {value}" for name, value in after.fields.items()))
    columns = beside(_show_trial("in force", before), _show_trial("edited", after))
    return tag("div", folded(f"Item {after.uuid}", fields), columns)


def show_diff(lines: Sequence[str]) -> Html:
    """Return the lines of a unified diff, in colour."""
    if not lines:
        return tag("p", tag("em", "Nothing was changed."))
    shown = (
        tag("span", f"{line}\n", style=f"color: {_COLOURS.get(line[:1], 'inherit')}")
        for line in lines
    )
    return tag("pre", *shown, style="white-space: pre-wrap")


def _show_trial(name: str, record: Record) -> Html:
    outcome = record.outcome
    result, reason = (outcome.result, outcome.reason) if outcome else ("open", "")
    head = tag("p", tag("strong", name), f": {result}{f', {reason}' if reason else ''}")
    return join([head, *(preformatted(reply.text) for reply in record.replies)])
