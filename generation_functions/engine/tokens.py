"""The run's token counter: a GGUF's vocabulary in a small child process, or plain words."""

import re
from collections.abc import Callable
from functools import lru_cache

from generation_functions.engine.gguf import ModelFile
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import start_child
from generation_functions.engine.process import ChildProcess
from generation_functions.errors import EngineCrash

Count = Callable[[str], int]


@lru_cache(maxsize=4096)
def count_words(text: str) -> int:
    """Count words and punctuation marks: the counter `words`, for tests and for no model."""
    return len(re.findall(r"\w+|[^\w\s]", text))


class VocabularyCounter:
    """Counts tokens with a GGUF's vocabulary. Starts with the first count; close it."""

    def __init__(self, model: ModelFile) -> None:
        self._model = model
        self._child: ChildProcess | None = None
        self._remembered = lru_cache(maxsize=4096)(self._ask)

    def __call__(self, text: str) -> int:
        """Return the number of tokens of `text`, without begin or end marks."""
        return self._remembered(text)

    def close(self) -> None:
        """End the child process."""
        if self._child:
            self._child.close()
            self._child.close_pipes()
            self._child = None

    def _ask(self, text: str) -> int:
        if not self._child:
            path = str(self._model.path)
            self._child = start_child(LoadSettings(path, 1, 0, 0, 0, 1, False, vocab_only=True))
        self._child.send({"id": 0, "texts": [text]})
        reply = self._child.receive()
        if reply is None:
            raise EngineCrash(self._child.explain_death())
        return int(reply["counts"][0])
