"""The engine for models behind OpenAI-compatible servers: llama-server and vLLM."""

import asyncio
import logging
import random
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from generation_functions.addresses import Address
from generation_functions.engine.grammar import parse_grammar
from generation_functions.engine.model_facts import ModelFacts
from generation_functions.engine.protocol import Completion, Request
from generation_functions.engine.server_model import ServedModel, ask_servers
from generation_functions.engine.server_refusals import explain_refusal
from generation_functions.engine.server_settings import ServerSettings, trust
from generation_functions.engine.server_wire import read_reply, write_body
from generation_functions.errors import EngineError, PromptTooLong, RequestTimeout, ServerError

_log = logging.getLogger(__name__)

_CONNECT_SECONDS = 10
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0  # between attempts; doubled each time
_LONGEST_RETRY_AFTER = 600.0


class _Passing(Exception):
    """A failure that may pass; `wait` is the seconds that the server asked for."""

    def __init__(self, error: EngineError, wait: float | None = None) -> None:
        self.error = error
        self.wait = wait


@dataclass(slots=True, eq=False)
class _Endpoint:
    """One address: its places, its requests going or waiting, and its rest after a failure."""

    address: Address
    places: asyncio.Semaphore
    going: int = 0
    last_turn: int = 0
    rests_until: float = 0.0
    keeps_grammar: bool = False

    @property
    def rest(self) -> float:
        """Seconds until it is asked again."""
        return max(0.0, self.rests_until - time.monotonic())

    def let_rest(self, seconds: float) -> None:
        self.rests_until = max(self.rests_until, time.monotonic() + seconds)


@dataclass(slots=True, eq=False)
class _Session:
    """The client of one event loop, and what it has going at each address."""

    loop: asyncio.AbstractEventLoop
    client: httpx2.AsyncClient = field(repr=False)
    endpoints: list[_Endpoint]
    turns: int = 0

    def choose(self) -> _Endpoint:
        """Return the least busy address that does not rest; of equals, the one longest unused."""
        chosen = min(self.endpoints, key=lambda one: (one.rest > 0, one.going, one.last_turn))
        self.turns += 1
        chosen.last_turn = self.turns
        return chosen


class ServerEngine:
    """Answers requests through one or several servers of the same model."""

    def __init__(self, settings: ServerSettings, served: ServedModel) -> None:
        self._settings = settings
        self._served = served
        self._session: _Session | None = None

    @property
    def fingerprint(self) -> str:
        return self._served.fingerprint

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts(self._served.fingerprint, name=self._served.name)

    @property
    def context(self) -> int:
        return min(self._settings.context, self._served.context or self._settings.context)

    @property
    def takes_memory(self) -> bool:
        return False

    async def start(self) -> None:
        if self._session and self._session.loop is asyncio.get_running_loop():
            return
        session = self._open()
        checks = (self._check(session, one) for one in session.endpoints)
        failures = [error for error in await asyncio.gather(*checks) if error]
        if len(failures) == len(session.endpoints):
            await self.close()
            raise failures[0]
        count = len(session.endpoints)
        _log.info("%d of %d servers answer", count - len(failures), count)

    async def complete(self, request: Request) -> Completion:
        settings, served = self._settings, self._served
        path, body = write_body(request, settings.kind, served.name, served.grammar_field)
        session = self._open()
        attempts = settings.retries + 1
        for attempt in range(attempts):
            endpoint = session.choose()
            endpoint.going += 1
            try:
                async with endpoint.places:
                    while endpoint.rest:
                        await asyncio.sleep(endpoint.rest * random.uniform(1, 1.2))
                    return await self._post(session, endpoint, path, body, request)
            except _Passing as failure:
                last = failure.error
                backoff = min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt) * random.uniform(0.5, 1)
                endpoint.let_rest(backoff if failure.wait is None else failure.wait)
                root = endpoint.address.root
                _log.info("%s: attempt %d of %d failed", root, attempt + 1, attempts)
            finally:
                endpoint.going -= 1
        kind = RequestTimeout if isinstance(last, RequestTimeout) else ServerError
        raise kind(f"{last} Given up after {attempts} attempts.")

    async def close(self) -> None:
        session, self._session = self._session, None
        if session and session.loop is asyncio.get_running_loop():
            await session.client.aclose()

    def _open(self) -> _Session:
        """Return the running loop's session; a client cannot serve two loops."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.loop is not loop:
            settings = self._settings
            client = httpx2.AsyncClient(
                headers=settings.key.headers(),
                timeout=httpx2.Timeout(None, connect=_CONNECT_SECONDS),
                limits=httpx2.Limits(max_connections=None),
                verify=trust(),
            )
            places = settings.concurrency
            endpoints = [_Endpoint(one, asyncio.Semaphore(places)) for one in settings.addresses]
            self._session = _Session(loop, client, endpoints)
        return self._session

    async def _check(self, session: _Session, endpoint: _Endpoint) -> EngineError | None:
        try:
            await self._send(session, endpoint, "GET", "/v1/models", None)
        except _Passing as failure:
            endpoint.let_rest(_FIRST_WAIT)
            return failure.error
        return None

    async def _post(
        self,
        session: _Session,
        endpoint: _Endpoint,
        path: str,
        body: dict[str, Any],
        request: Request,
    ) -> Completion:
        begun = time.monotonic()
        content = await self._send(session, endpoint, "POST", path, body)
        seconds = time.monotonic() - begun
        root = endpoint.address.root
        try:
            completion = read_reply(content, request, self._served.context, seconds)
        except PromptTooLong as error:
            raise PromptTooLong(f"{root}: {error}") from None
        except ServerError as error:
            raise ServerError(f"{root}: {error}") from None
        if request.grammar and not request.stop and completion.finish_reason == "stop":
            self._see_grammar_kept(endpoint, request.grammar, completion.text)
        return completion

    def _see_grammar_kept(self, endpoint: _Endpoint, grammar: str, text: str) -> None:
        """Look at replies until one fits its grammar: a server may ignore grammars in silence."""
        if endpoint.keeps_grammar:
            return
        if not parse_grammar([("the request's grammar", grammar)]).matches(text):
            raise ServerError(
                f"{endpoint.address.root}: a reply does not fit its grammar. Is this a "
                f"{self._settings.kind} (option `server`) of a version that takes grammars?"
            )
        endpoint.keeps_grammar = True

    async def _send(
        self,
        session: _Session,
        endpoint: _Endpoint,
        method: str,
        path: str,
        body: dict[str, Any] | None,
    ) -> bytes:
        """Return the body of a good answer. Raises _Passing, or what the refusal means."""
        address, seconds = endpoint.address, self._settings.request_seconds
        if session.client.is_closed:
            raise ServerError("the engine was closed while a request was on its way")
        sent = session.client.request(method, address.root + path, json=body, auth=address.login)
        try:
            response = await asyncio.wait_for(sent, seconds)
        except asyncio.TimeoutError:
            raise _Passing(
                RequestTimeout(
                    f"{address.root}: no reply within {seconds:g} s. Raise `request_seconds`, or "
                    "lower `concurrency`."
                )
            ) from None
        except httpx2.RequestError as error:
            raise _Passing(
                ServerError(
                    f"{address.root}: no connection ({type(error).__name__}). Does the server run?"
                )
            ) from None
        status = response.status_code
        if status < 300:
            return response.content
        refusal = explain_refusal(self._settings, address, path, status, response.text)
        if isinstance(refusal, ServerError) and (status == 429 or status >= 500):
            raise _Passing(refusal, read_retry_after(response.headers.get("retry-after")))
        raise refusal


def open_server(settings: ServerSettings) -> ServerEngine:
    """Ask the servers about their model and return an engine for it."""
    return ServerEngine(settings, ask_servers(settings))


def read_retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number of them, or a date."""
    if not value:
        return None
    if value.strip().isdigit():
        seconds = float(value)
    else:
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=timezone.utc)
        seconds = (when - datetime.now(timezone.utc)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)
