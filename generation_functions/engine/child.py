"""The engine's process: `python -m generation_functions.engine.child REQUESTS REPLIES`.

Speaks JSON, one value a line, over two inherited pipes. It ends by itself when the pipe
of requests closes. What llama.cpp prints goes to stdout and stderr, which the parent
keeps in a log file.
"""

import json
import os
import queue
import signal
import sys
import threading
from dataclasses import asdict
from typing import Any, TextIO

from generation_functions.engine.llama import Llama
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.protocol import Completion, Sampling
from generation_functions.engine.slots import RETAINED, Failure, Job, Slots
from generation_functions.errors import PalimpsestError


def main(requests: TextIO, replies: TextIO) -> None:
    """Load what the first line asks for, then answer until the pipe closes."""

    def send(value: dict[str, Any]) -> None:
        replies.write(json.dumps(value) + "\n")
        replies.flush()

    settings = LoadSettings(**json.loads(requests.readline()))
    try:
        llama = Llama(settings, retained=0 if settings.vocab_only else RETAINED)
        if not settings.vocab_only:
            send({"event": "trial"})
            _try_out(llama)
    except PalimpsestError as error:
        send({"event": "refused", "kind": type(error).__name__, "message": str(error)})
        return
    send({"event": "ready"})
    inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, inbox), daemon=True).start()
    if settings.vocab_only:
        _serve_tokens(llama, inbox, send)
    else:
        _serve(Slots(llama), inbox, send)


def _try_out(llama: Llama) -> None:
    """Decode a full batch and a single token: a llama.cpp that crashes shall do it now.

    See ggml-org/llama.cpp#20824 (AMX kernels on cloud Xeons).
    """
    filler = llama.tokenize("a", special=False)[:1] or [0]
    size = min(llama.settings.batch, llama.settings.context - 1)
    llama.decode([(filler[0], position, 0, position == size - 1) for position in range(size)])
    llama.decode([(filler[0], size, 0, True)])
    float(llama.logits(0)[0])
    llama.clear()


def _listen(requests: TextIO, inbox: "queue.SimpleQueue[dict[str, Any]]") -> None:
    for line in requests:
        inbox.put(json.loads(line))
    os._exit(0)


def _serve(slots: Slots, inbox: "queue.SimpleQueue[dict[str, Any]]", send: Any) -> None:
    while True:
        while not slots.busy or not inbox.empty():
            message = inbox.get()
            if message["op"] == "ask":
                job = Job(**{**message["job"], "sampling": Sampling(**message["job"]["sampling"])})
                failure = slots.add(job)
                if failure:
                    send(_reply(job.id, failure))
            elif message["op"] == "cancel":
                slots.cancel(message["id"])
        for job_id, result in slots.step():
            send(_reply(job_id, result))


def _serve_tokens(llama: Llama, inbox: "queue.SimpleQueue[dict[str, Any]]", send: Any) -> None:
    while True:
        message = inbox.get()
        counts = [len(llama.tokenize(text, special=False)) for text in message["texts"]]
        send({"id": message["id"], "counts": counts})


def _reply(job_id: int, result: Completion | Failure) -> dict[str, Any]:
    if isinstance(result, Completion):
        return {"id": job_id, "completion": asdict(result)}
    error = result.error
    return {"id": job_id, "error": {"kind": type(error).__name__, "message": str(error)}}


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(
        os.fdopen(int(sys.argv[1]), encoding="utf-8"),
        os.fdopen(int(sys.argv[2]), "w", encoding="utf-8"),
    )
