"""Server URLs: checked, and shown without the user and password that may stand in them."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from generation_functions.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Address:
    """A server: `root` is all of its URL before /v1, without the login, and may be shown."""

    root: str
    login: tuple[str, str] | None = field(default=None, repr=False)


def parse_address(url: str) -> Address:
    """Read a server's URL, with or without /v1 at its end.

    Raises ConfigError, which repeats nothing that could be a password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise ConfigError(
            f"`url: {url.rsplit('@', 1)[-1].split('?')[0]}`: not a server's URL. Expected is "
            "http://host:port or https://host/path, without a query; special characters of "
            "a password are written as in URLs (%40 for @)."
        ) from None
    shown = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/v1")
    root = urlunsplit((parts.scheme, f"{shown}:{port}" if port else shown, path, "", ""))
    if parts.username is None:
        return Address(root)
    return Address(root, (unquote(parts.username), unquote(parts.password or "")))


def hide_logins(text: str) -> str:
    """Return `text` with what stands before an @ taken out of every URL."""
    return re.sub(r"//[^\s'\"]*@", "//", text)
