"""A model server's stand-in: it listens on loopback, remembers what it got, answers as told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, Any] | str, dict[str, str]]


def say(text: str = "yes", finish: str = "stop", **more: Any) -> Answer:
    """A good answer, fit for both endpoints."""
    message = {"role": "assistant", "content": text} | more.pop("message", {})
    usage = {"prompt_tokens": 20, "completion_tokens": 3} | more.pop("usage", {})
    choice = {"message": message, "text": text, "finish_reason": finish}
    return 200, {"choices": [choice], "usage": usage} | more, {}


def refuse(status: int, message: str = "no", **headers: str) -> Answer:
    """An error in the form that both servers give it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"error": {"code": status, "message": message}}, named


@dataclass
class StandIn:
    """What a server says, and what it was asked."""

    url: str = ""
    answer: Callable[[dict[str, Any]], Answer] = lambda body: say()
    models: list[dict[str, Any]] = field(
        default_factory=lambda: [{"id": "tiny", "meta": {"n_params": 7, "size": 99}}]
    )
    props: dict[str, Any] = field(
        default_factory=lambda: {
            "model_path": "/srv/tiny.gguf",
            "chat_template": "{{ messages }}",
            "default_generation_settings": {"n_ctx": 2048},
        }
    )
    version: str = ""
    delay: float = 0.0
    posts: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    going: int = 0
    most_going: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, body, _ in self.posts]

    def describe(self, path: str) -> Answer:
        if path == "/v1/models":
            return 200, {"data": self.models}, {}
        if path == "/props" and self.props:
            return 200, self.props, {}
        if path == "/version" and self.version:
            return 200, {"version": self.version}, {}
        return refuse(404)

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
        with self.lock:
            self.posts.append((path, body, headers))
            self.times.append(time.monotonic())
            self.going += 1
            self.most_going = max(self.most_going, self.going)
        time.sleep(self.delay)
        with self.lock:
            self.going -= 1
        return self.answer(body)


@contextmanager
def serve(stand_in: StandIn) -> Iterator[StandIn]:
    """Listen on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.reply(stand_in.describe(self.path.split("?")[0]))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.reply(stand_in.post(self.path, body, dict(self.headers)))

        def reply(self, answer: Answer) -> None:
            status, content, headers = answer
            data = (content if isinstance(content, str) else json.dumps(content)).encode()
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client had waited long enough

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
