"""The section `models` of config.yaml: which model does what, and how it is loaded or reached."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, field_serializer, model_validator

from generation_functions.addresses import hide_logins
from generation_functions.sections import Section


class Model(Section):
    """One model role: a GGUF in `path.models_dir`, or a model behind a server, and its use.

    The options from `slots` to `restarts` are for a GGUF, those from `model` on for a server.
    """

    gguf: str | None = None
    # several: requests go to them in turn
    url: str | tuple[str, ...] | None = Field(default=None, repr=False)
    context: int = Field(default=4096, ge=256)  # tokens of a prompt and its reply
    thinking: int = Field(default=0, ge=0)  # most tokens of thinking before a reply
    request_seconds: float = Field(default=1800, gt=0)  # most time for one reply
    slots: int | None = Field(default=None, ge=1, le=128)  # None: what fits
    gpu_layers: int = Field(default=-1, ge=-1)  # -1: all
    gpus: tuple[int, ...] | None = None  # a process on each; None: llama.cpp uses all as one
    tensor_split: tuple[float, ...] | None = None  # shares of GPUs that act as one
    threads: int | None = Field(default=None, ge=1)
    batch: int = Field(default=512, ge=32)
    kv_type: Literal["f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"] = "f16"
    kv_unified: bool = False  # one KV cache for all slots: less memory, slower
    flash_attention: Literal["auto", "on", "off"] = "auto"
    rope_scaling: Literal["none", "linear", "yarn"] | None = None  # None: as the GGUF says
    rope_scale: float | None = Field(default=None, ge=1)  # the context is stretched so far
    restarts: int = Field(default=3, ge=0)  # crashes of its process before an error
    model: str = ""  # the server's name for it
    server: Literal["llama-server", "vllm"] = "llama-server"  # how grammars are sent
    concurrency: int = Field(default=8, ge=1)  # requests at once to each url
    retries: int = Field(default=5, ge=0)  # after 429, 5xx and timeouts
    api_key_env: str | None = None  # the environment variable that holds a key
    cost_per_hour: float | None = Field(default=None, ge=0)  # of its machine, while it is asked
    # of tokens: of the prompts, of the replies
    cost_per_million: tuple[NonNegativeFloat, NonNegativeFloat] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Model":
        if (self.gguf is None) == (self.url is None):
            raise ValueError("give either `gguf` (a file in models_dir) or `url` (a server)")
        if self.url is not None and not self.url:
            raise ValueError("`url` names no server")
        return self

    @field_serializer("url")
    def _without_login(self, url: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        """What is written and shown has no user and password in it."""
        if isinstance(url, tuple):
            return tuple(hide_logins(one) for one in url)
        return hide_logins(url) if url else url


class EmbeddingModel(Section):
    """A GGUF in `path.models_dir` that makes vectors of texts, where `system.retriever` wants them.

    The prefixes are what a model was trained to see before what is looked through and for.
    """

    gguf: str | None = None
    context: int = Field(default=512, ge=64)  # tokens of a text; longer ones are cut, and counted
    slots: int | None = Field(default=None, ge=1, le=128)  # texts at once; None: what fits
    gpu_layers: int = Field(default=-1, ge=-1)  # -1: all
    threads: int | None = Field(default=None, ge=1)
    batch: int = Field(default=512, ge=32)  # at least `context`, whatever stands here
    text_prefix: str = ""
    question_prefix: str = ""


Role = Literal["small", "large"]


class Models(Section):
    """The two roles, and what makes vectors. The same GGUF in both roles is loaded once.

    `steps` gives a step the other role than its own, by the step's name.
    """

    small: Model
    large: Model
    embedding: EmbeddingModel = EmbeddingModel()
    steps: dict[str, Role] = Field(default={})

    def of(self, role: str) -> Model:
        """Return the model of a role."""
        return {"small": self.small, "large": self.large}[role]
