"""What a module says of its pipeline, so that the program can find, run and train on it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from pydantic import ValidationError

from generation_functions.config import Config
from generation_functions.errors import ConfigError
from generation_functions.pipeline_sections import PipelineSection
from generation_functions.pipelines.sample_items import CHUNK, SHORT, Samples, read_chunk
from generation_functions.records import Chunk, Turn
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step

__all__ = ["CHUNKS", "Made", "Pipeline", "PipelineSection"]

CHUNKS = Samples((CHUNK, SHORT), read_chunk)  # for a step about chunks, whose field is `chunk`


class Made(Protocol):
    """What a pipeline keeps: a frozen dataclass with a uuid and the chunk that it comes from."""

    @property
    def uuid(self) -> str: ...

    @property
    def chunk(self) -> Chunk: ...


S = TypeVar("S", bound=PipelineSection)
M = TypeVar("M", bound=Made)


@dataclass(frozen=True, slots=True)
class Pipeline(Generic[S, M]):
    """A pipeline, which its module calls PIPELINE.

    `name` is that of the module, of its stage, of its section in config.yaml, of the folder
    that `write` keeps what it makes in, and, with `_rows`, of the folder of its dataset.
    `section` are its options. `steps` are all that it asks: their prompts are loaded, and
    checked, before any model is.
    `write(run, chunks)` is the pipeline: a coroutine that keeps (`run.keep(name, ...)`) what it
    makes, of the type `kind`. `chunks` come in the order of the documents, those left out that
    the rules drop or that are duplicates.
    `turns(made)` is the row of one thing that was kept, its last turn by "gpt".
    `samples` are made-up items by the names of steps, for `check` to try these on.
    """

    name: str
    section: type[S]
    steps: tuple[Step[Any, Any], ...]
    kind: type[M]
    write: Callable[[Run, Iterator[Chunk]], Awaitable[object]]
    turns: Callable[[M], tuple[Turn, ...]]
    samples: Mapping[str, Samples] = field(default_factory=dict)

    @property
    def rows(self) -> str:
        """The folder of a run that its dataset stands in."""
        return f"{self.name}_rows"

    def settings(self, config: Config) -> S:
        """Return the pipeline's section of a config; its defaults where the config has none.

        Raises ConfigError where an option without a default is missing.
        """
        found = getattr(config, self.name, None)
        if isinstance(found, self.section):
            return found
        values = found.model_dump() if found else {}  # the module was loaded anew since
        try:
            return self.section.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            option = ".".join(map(str, (self.name, *first["loc"])))
            raise ConfigError(
                f"the config's `{option}`: {first['msg']}. Write it there."
            ) from error
