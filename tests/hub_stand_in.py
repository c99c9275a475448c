"""The Hugging Face hub's stand-in: one repository on loopback, its files behind a redirect."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gguf_files import make_header, shape_llama

REPO = "somebody/tiny-GGUF"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def make_gguf(weights: int = 64, split: tuple[int, int] | None = None) -> bytes:
    """Return a small GGUF of one tensor; `split`: which part it is, of how many."""
    name = "token_embd.weight" if not split else f"blk.{split[0]}.ffn_up.weight"
    return make_header(shape_llama({}), {name: weights}) + bytes(weights)


@dataclass
class Hub:
    """What the hub holds and refuses, and what it was asked."""

    files: dict[str, bytes]
    url: str = ""
    card: dict[str, Any] = field(default_factory=lambda: {"license": "apache-2.0"})
    checksums: dict[str, str] = field(default_factory=dict)  # other than the true ones
    refusal: tuple[int, str] | None = None  # status, X-Error-Code
    breaks_after: int | None = None  # bytes of a file, the first time
    paths: list[str] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    tokens: list[tuple[str, str | None]] = field(default_factory=list)  # by host

    def describe(self) -> dict[str, Any]:
        siblings = [
            {
                "rfilename": name,
                "size": len(content),
                "lfs": {
                    "size": len(content),
                    "pointerSize": 130,
                    "sha256": self.checksums.get(name) or hashlib.sha256(content).hexdigest(),
                },
            }
            for name, content in self.files.items()
        ]
        return {"id": REPO, "sha": COMMIT, "cardData": self.card, "siblings": siblings}


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """Serve the hub on 127.0.0.1; its files are sent from another origin, localhost."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            hub.paths.append(self.path)
            hub.tokens.append((self.headers["Host"].split(":")[0], self.headers["Authorization"]))
            if hub.refusal:
                self.send(hub.refusal[0], b"", {"X-Error-Code": hub.refusal[1]})
            elif re.fullmatch(rf"/api/models/{REPO}/revision/main", path):
                self.send(200, json.dumps(hub.describe()).encode())
            elif path.startswith(f"/{REPO}/resolve/{COMMIT}/"):
                name = path.rsplit(f"{COMMIT}/")[1]
                port = self.server.server_port
                where = {"Location": f"http://localhost:{port}/cdn/{name}", "X-Xet-Hash": "ab" * 32}
                self.send(302, b"", where)
            elif path.startswith("/cdn/"):
                self.send_file(hub.files[path.removeprefix("/cdn/")])
            else:
                self.send(404, b"", {"X-Error-Code": "RepoNotFound"})

        def send_file(self, content: bytes) -> None:
            wanted = self.headers["Range"]
            hub.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            self.send_response(206 if wanted else 200)
            if wanted:
                place = f"bytes {start}-{len(content) - 1}/{len(content)}"
                self.send_header("Content-Range", place)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            cut, hub.breaks_after = hub.breaks_after, None
            self.wfile.write(content[start : cut if cut is not None else len(content)])
            self.close_connection = True

        def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with serve_handler(Handler) as url:
        hub.url = url
        yield hub


@contextmanager
def serve_handler(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answer requests on 127.0.0.1; lend the server's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
