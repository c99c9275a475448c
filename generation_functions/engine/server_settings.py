"""How a model behind a server is reached, and the key, which nothing here keeps."""

import os
import ssl
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import httpx2

from generation_functions.addresses import Address
from generation_functions.errors import ConfigError

ServerKind = Literal["llama-server", "vllm"]


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    """Return the certificates that servers are checked against; reading them takes a while."""
    return httpx2.create_ssl_context()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """The environment variable that holds a key; None: no key is sent."""

    variable: str | None = None

    def read(self) -> str:
        """Return the key, "" for none. Raises ConfigError when the variable holds no key."""
        if self.variable is None:
            return ""
        key = os.environ.get(self.variable, "").strip()
        if not key:
            raise ConfigError(
                f"`api_key_env: {self.variable}`: this environment variable is not set. Set it "
                "where the program is started, or remove the option."
            )
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise ConfigError(
                f"`api_key_env: {self.variable}`: the value of this environment variable has "
                "spaces or characters that no key has."
            )
        return key

    def headers(self) -> dict[str, str]:
        """Return the HTTP headers that carry the key."""
        key = self.read()
        return {"Authorization": f"Bearer {key}"} if key else {}

    def scrub(self, text: str) -> str:
        """Take the key out of a text that a server wrote."""
        key = os.environ.get(self.variable, "").strip() if self.variable else ""
        return text.replace(key, "***") if key else text


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a model is reached. `concurrency` is requests at once to each address."""

    addresses: tuple[Address, ...]
    kind: ServerKind
    model: str
    context: int
    concurrency: int
    retries: int
    request_seconds: float
    key: ApiKey = ApiKey()
