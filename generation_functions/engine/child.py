"""The engine's process: `python -m generation_functions.engine.child REQUESTS REPLIES`.

Speaks JSON, one value a line, over two inherited pipes. It ends by itself when the pipe
of requests closes. What llama.cpp prints goes to stdout and stderr, which the parent
keeps in a log file.
"""

import base64
import json
import os
import queue
import signal
import sys
import threading
import time
from dataclasses import asdict
from typing import Any, TextIO

import numpy as np
import psutil

from generation_functions.engine.llama import Batch, Llama
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.pooling import Pooler
from generation_functions.engine.protocol import Completion, Sampling
from generation_functions.engine.slots import Slots
from generation_functions.engine.task import Failure, Job
from generation_functions.errors import EngineError, PalimpsestError

_SIGN_SECONDS = 1.0  # between signs of life while there is work


def main(requests: TextIO, replies: TextIO) -> None:
    """Load what the first line asks for, then answer until the pipe closes."""

    def send(value: dict[str, Any]) -> None:
        replies.write(json.dumps(value) + "\n")
        replies.flush()

    settings = LoadSettings(**json.loads(requests.readline()))
    try:
        llama = Llama(settings)
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
    elif settings.embeddings:
        _serve_vectors(Pooler(llama), inbox, send)
    else:
        _serve(Slots(llama), inbox, send)


def _try_out(llama: Llama) -> None:
    """Decode a full batch and a single token: a llama.cpp that crashes shall do it now.

    See ggml-org/llama.cpp#20824 (AMX kernels on cloud Xeons).
    """
    filler = llama.vocabulary.tokenize("a", special=False)[:1] or [0]
    if llama.settings.embeddings:
        pooler = Pooler(llama)
        for count in (llama.settings.context, 1):
            pooler.pool([np.array(filler * count, np.int32)])
        return
    size = min(llama.settings.batch, llama.settings.context - 1)
    batch = Batch(llama.settings.batch)
    for start, count in ((0, size), (size, 1)):
        batch.clear()
        batch.add(0, start, np.array(filler * count, np.int32), True)
        status = llama.decode(batch)
        if status:
            raise EngineError(f"llama_decode failed with status {status} in a trial")
        float(llama.logits(1)[0, 0])
    llama.clear()


def _listen(requests: TextIO, inbox: "queue.SimpleQueue[dict[str, Any]]") -> None:
    for line in requests:
        inbox.put(json.loads(line))
    os._exit(0)


def _serve(slots: Slots, inbox: "queue.SimpleQueue[dict[str, Any]]", send: Any) -> None:
    said = time.monotonic()
    while True:
        while not slots.busy or not inbox.empty():
            _obey(inbox.get(), slots, send)
        for job_id, result in slots.step():
            send(_reply(job_id, result))
        if time.monotonic() - said > _SIGN_SECONDS:
            said = time.monotonic()
            send({"event": "alive"})


def _obey(message: dict[str, Any], slots: Slots, send: Any) -> None:
    number = message["id"]
    match message["op"]:
        case "ask":
            values = {**message["job"], "sampling": Sampling(**message["job"]["sampling"])}
            failure = slots.add(Job(id=number, **values))
            if failure:
                send(_reply(number, failure))
        case "cancel":
            slots.cancel(number)
        case "load":
            slots.load.memory = psutil.Process().memory_info().rss
            send({"id": number, "load": asdict(slots.load)})
        case "embed":
            send(_reply(number, Failure(EngineError("this model was not loaded for vectors"))))


def _serve_tokens(llama: Llama, inbox: "queue.SimpleQueue[dict[str, Any]]", send: Any) -> None:
    while True:
        message = inbox.get()
        counts = [len(llama.vocabulary.tokenize(text, special=False)) for text in message["texts"]]
        send({"id": message["id"], "counts": counts})


def _serve_vectors(pooler: Pooler, inbox: "queue.SimpleQueue[dict[str, Any]]", send: Any) -> None:
    """Answer with the vectors' bytes (rows of little-endian 32-bit floats) in Base64."""
    while True:
        message = inbox.get()
        number = message["id"]
        if message["op"] == "embed":
            vectors, cut = pooler.embed(message["texts"], lambda: send({"event": "alive"}))
            data = base64.b64encode(vectors.astype("<f4").tobytes()).decode()
            send({"id": number, "vectors": data, "cut": cut})
        elif message["op"] != "cancel":
            send(_reply(number, Failure(EngineError("this model was loaded for vectors only"))))


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
