"""The records of a run folder, each in a file of its own, lent to one writer at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from generation_functions.steps.files import Writer, dump, read_json
from generation_functions.steps.prompts import MODE, Prompt
from generation_functions.steps.record import Record, Reply


class RecordFiles:
    """Reads and writes `<step>/<uuid>.json` and the prompts that they were made with.

    `lenders` are other folders of records, in which a reply may be found too.
    """

    def __init__(self, folder: Path, writer: Writer, lenders: Sequence[Path] = ()) -> None:
        self._folder = folder
        self._lenders = tuple(lenders)
        self._writer = writer
        self._lent: dict[tuple[str, str], asyncio.Event] = {}

    @asynccontextmanager
    async def lend(self, step: str, uuid: str) -> AsyncIterator[Record]:
        """Lend an item's record, as it is on disk or new; wait while another has it."""
        key = (step, uuid)
        while key in self._lent:
            await self._lent[key].wait()
        given_back = self._lent[key] = asyncio.Event()
        try:
            value = read_json(self._path(step, uuid))
            yield Record.from_json(value) if value else Record(uuid, step)
        finally:
            del self._lent[key]
            given_back.set()

    def save(self, record: Record) -> None:
        """Write a record, unless it stands there so."""
        path = self._path(record.step, record.uuid)
        text = dump(record.as_json())
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            self._writer.write(path, text)

    def borrow(self, step: str, uuid: str, key: str) -> Reply | None:
        """Return the reply to a request that another folder has."""
        for folder in self._lenders:
            value = read_json(folder / step / f"{uuid}.json")
            if value and (reply := Record.from_json(value).reply(key)):
                return reply
        return None

    def save_prompt(self, prompt: Prompt) -> None:
        """Write the prompt and grammar that a step's records name by their hash."""
        path = self._folder / prompt.name / "prompts" / f"{prompt.hash}.json"
        if not path.exists():
            content = prompt.content.model_dump(mode="json")
            saved = {
                "prompt": content,
                "grammar": prompt.grammar.text,
                MODE: prompt.use_filenames,
            }
            self._writer.write(path, dump(saved))

    def _path(self, step: str, uuid: str) -> Path:
        return self._folder / step / f"{uuid}.json"
