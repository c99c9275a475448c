"""The section `meta_datagen` of config.yaml: a dataset of the program's own calls."""

from typing import Literal

from pydantic import Field

from generation_functions.sections import Section


class MetaDatagen(Section):
    """How a model is taught to do this program's work, from the calls of a run. Off by default.

    No model is asked anything for it.
    """

    do_meta_datagen: bool = False
    steps: tuple[str, ...] = ()  # whose calls; none named: of all
    only_kept: bool = False  # only calls on the way to what is in a row
    with_rejected: bool = True  # also replies that are a final no, as a judge's
    format: Literal["messages", "sharegpt", "segments"] = "messages"
    example_share: float = Field(default=0.5, ge=0, le=1)  # of a prompt's examples, by seed
