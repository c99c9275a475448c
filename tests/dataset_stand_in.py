"""The Hugging Face hub's stand-in for uploads: dataset repositories, commits, large files."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from hub_stand_in import serve_handler

LARGE = 2000  # bytes; from here on a file is stored as a large one
COMMIT = "89abcdef0123456789abcdef0123456789abcdef"


@dataclass
class Repository:
    """What a dataset repository holds."""

    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: int = 0


@dataclass
class DatasetHub:
    """The repositories by name, what was asked, and what is refused."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)  # by SHA-256
    asked: list[str] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    refusal: int = 0  # HTTP status of every answer
    url: str = ""

    def commit(self, repository: Repository, lines: list[dict[str, Any]]) -> None:
        """Apply a commit's operations."""
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repository.files[value["path"]] = self.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del repository.files[value["path"]]
        repository.commits += 1


@contextmanager
def serve_datasets(hub: DatasetHub) -> Iterator[DatasetHub]:
    """Serve the hub on 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer("GET")

        def do_POST(self) -> None:
            self.answer("POST")

        def do_PUT(self) -> None:
            self.answer("PUT")

        def answer(self, verb: str) -> None:
            path = self.path.partition("?")[0]
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            hub.asked.append(f"{verb} {path}")
            if verb == "PUT":
                hub.large[path.removeprefix("/large/")] = body
                self.send({})
                return
            hub.tokens.add(self.headers["Authorization"])
            if hub.refusal:
                self.send({"error": "not today"}, hub.refusal)
            elif path == "/api/repos/create":
                self.create(json.loads(body))
            elif path == "/api/validate-yaml":
                self.send({"errors": [], "warnings": []})
            elif path.endswith("/info/lfs/objects/batch"):
                self.give_places(json.loads(body)["objects"])
            else:
                self.answer_about(path, body)

        def create(self, wanted: dict[str, Any]) -> None:
            name = f"{wanted['organization']}/{wanted['name']}"
            if name in hub.repositories:
                self.send({"error": "exists", "url": f"{hub.url}/datasets/{name}"}, 409)
                return
            hub.repositories[name] = Repository(wanted["visibility"] == "private")
            self.send({"url": f"{hub.url}/datasets/{name}"})

        def give_places(self, objects: list[dict[str, Any]]) -> None:
            answers = [
                {**one, "actions": {"upload": {"href": f"{hub.url}/large/{one['oid']}"}}}
                for one in objects
            ]
            self.send({"objects": answers, "transfer": "basic"})

        def answer_about(self, path: str, body: bytes) -> None:
            owner, name, *rest = path.removeprefix("/api/datasets/").split("/")
            repository = hub.repositories[f"{owner}/{name}"]
            if not rest or rest[0] == "revision":
                siblings = [{"rfilename": file} for file in repository.files]
                said = {"id": f"{owner}/{name}", "sha": COMMIT, "private": repository.private}
                self.send(said | {"siblings": siblings})
            elif rest[0] == "preupload":
                self.send({"files": [_choose_mode(one) for one in json.loads(body)["files"]]})
            else:
                hub.commit(repository, [json.loads(line) for line in body.splitlines()])
                page = f"{hub.url}/datasets/{owner}/{name}/commit/{COMMIT}"
                self.send({"commitUrl": page, "commitOid": COMMIT})

        def send(self, value: dict[str, Any], status: int = 200) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with serve_handler(Handler) as url:
        hub.url = url
        yield hub


def _choose_mode(file: dict[str, Any]) -> dict[str, Any]:
    mode = "lfs" if file["size"] >= LARGE else "regular"
    return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}
