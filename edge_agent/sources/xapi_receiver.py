"""The HTTP end of the xAPI source: statements in, yes only once what they say is on the agent's disk.

It answers as a record store does whose client may write statements and read none: nothing that could be
read is kept.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from edge_agent.sources import xapi_request as asked
from edge_agent.sources.statement_sink import StatementSink
from edge_agent.sources.xapi_guesses import Guesses
from edge_agent.sources.xapi_json import decode
from edge_agent.sources.xapi_request import VERSION_HEADER, VERSIONS
from edge_agent.sources.xapi_statement import Statement, check, check_id
from shared.errors import BadInput, CommonGroundError

__all__ = ["StatementSink", "create_receiver"]

MAX_BODY: Final = 4 * 1024 * 1024
BODY_SECONDS: Final = 30.0
AT_ONCE: Final = 32  # requests whose bodies are held
FORMS_AT_ONCE: Final = 8  # beside them: who sends a form is known only once it is there
ROOT: Final = "/xAPI"
PATH: Final = f"{ROOT}/statements"
THROUGH_HEADER: Final = "X-Experience-API-Consistent-Through"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
DOCUMENTS: Final = ("activities/state", "activities/profile", "agents/profile")
NOT_READ: Final = "these credentials may write statements, not read them: this receiver keeps none"
NO_DOCUMENTS: Final = "this receiver takes statements and keeps no documents"

_STATUS: Final = {"body_too_large": 413, "statement_conflict": 409}  # of a reason; any other is 400


class _Wanted(NamedTuple):
    """A request as it is meant, whatever syntax carried it."""

    method: str
    parameters: Sequence[tuple[str, str]]
    content_type: str
    body: bytes
    second: bool


class _Receiver:
    """What the resources do, for one user and one sink."""

    def __init__(self, sink: StatementSink, user: str, password: str, body_seconds: float) -> None:
        self._sink = sink
        self._user = user
        self._password = password
        self._body_seconds = body_seconds
        self._under_way = {True: 0, False: 0}  # forms, and others
        self._guesses = Guesses()

    async def statements(self, request: Request) -> Response:
        # Strangers can send slow forms: they must not take the places of those who say who they are.
        form = _is_form(request)
        if self._under_way[form] >= (FORMS_AT_ONCE if form else AT_ONCE):
            raise HTTPException(503, "too many requests at once: send it again", {"Retry-After": "5"})
        self._under_way[form] += 1
        try:
            wanted = await self._wanted(request)
            return await run_in_threadpool(self._take, request, wanted)
        finally:
            self._under_way[form] -= 1

    async def about(self, request: Request) -> Response:
        return JSONResponse({"version": list(VERSIONS.values())}, headers=_headers(request))

    async def document(self, request: Request) -> Response:
        self._authorise(request.headers, _peer(request))
        raise HTTPException(404 if request.method in {"GET", "HEAD"} else 403, NO_DOCUMENTS)

    async def refused(self, request: Request, error: Exception) -> Response:
        if isinstance(error, BadInput):
            await run_in_threadpool(self._sink.refuse, error)
            return _error(request, _STATUS.get(error.reason, 400), str(error))
        if isinstance(error, HTTPException):
            return _error(request, error.status_code, str(error.detail), error.headers)
        message = "not accepted now; nothing of it is lost if you send it again"
        return _error(request, 503, message, {"Retry-After": "5"})

    async def _wanted(self, request: Request) -> _Wanted:
        parameters, headers = request.query_params.multi_items(), request.headers
        if not _is_form(request):
            wanted = self._meant(request.method, parameters, headers, _peer(request))
            return wanted._replace(body=await _read(request, self._body_seconds))
        body = await _read(request, self._body_seconds)
        form = asked.form(body, headers.get("content-type", ""), parameters)
        own = {**headers, "content-type": "application/json", **form.headers}
        wanted = self._meant(request.query_params["method"], form.parameters, own, _peer(request))
        if wanted.second:
            raise HTTPException(400, "2.0 knows no ?method=: send the request itself")
        return wanted._replace(body=form.content)

    def _meant(
        self, method: str, parameters: Sequence[tuple[str, str]], headers: Mapping[str, str], peer: str
    ) -> _Wanted:
        """What is asked for, once it is known that it may be; before anything of the body is looked at."""
        self._authorise(headers, peer)
        edition = asked.edition(headers.get(VERSION_HEADER.lower(), ""))
        if not edition:
            raise HTTPException(400, f"{VERSION_HEADER} must be 1.0.x or 2.0.x")
        plain = "GET" if method == "HEAD" else method
        if plain not in asked.PARAMETERS:
            raise HTTPException(405, "statements know POST and PUT", {"Allow": "GET, HEAD, POST, PUT"})
        asked.check_parameters(plain, parameters)
        if plain == "GET":
            raise HTTPException(403, NOT_READ)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise HTTPException(400, "send the body as it is, not compressed")
        return _Wanted(method, parameters, headers.get("content-type", ""), b"", edition == asked.SECOND)

    def _authorise(self, headers: Mapping[str, str], peer: str) -> None:
        """The right password always passes: behind a proxy all senders have one address."""
        said = headers.get("authorization", "")
        if asked.is_authorised(said, self._user, self._password):
            return
        # Who says nothing guesses nothing: many clients wait to be asked.
        seconds = self._guesses.wrong(peer) if said else 0
        if seconds:
            raise HTTPException(429, "too many wrong passwords: wait", {"Retry-After": str(seconds)})
        raise HTTPException(401, "wrong user or password", {"WWW-Authenticate": 'Basic realm="xAPI"'})

    def _take(self, request: Request, wanted: _Wanted) -> Response:
        content = asked.content(wanted.body, wanted.content_type)
        found = decode(content.json)
        if wanted.method == "PUT":
            named = _named(found, dict(wanted.parameters).get("statementId"))
            self._sink.take(_checked([named], content, wanted))
            return Response(status_code=204, headers=_headers(request))
        several = found if isinstance(found, list) else [found]
        ids = self._sink.take(_checked(several, content, wanted), content.json)
        return JSONResponse(ids, headers=_headers(request))


def create_receiver(
    sink: StatementSink, user: str, password: str, body_seconds: float = BODY_SECONDS
) -> Starlette:
    """The web application: POST and PUT of /xAPI/statements, GET /xAPI/about. Errors are one line of JSON."""
    own = _Receiver(sink, user, password, body_seconds)
    routes = [
        Route(PATH, own.statements, methods=METHODS),
        Route(f"{ROOT}/about", own.about, methods=("GET", "HEAD")),
        *(Route(f"{ROOT}/{name}", own.document, methods=METHODS) for name in DOCUMENTS),
    ]
    app = Starlette(
        routes=routes, exception_handlers=dict.fromkeys((HTTPException, CommonGroundError), own.refused)
    )
    app.router.redirect_slashes = False
    return app


def _is_form(request: Request) -> bool:
    return request.method == "POST" and "method" in request.query_params


def _peer(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _headers(request: Request) -> dict[str, str]:
    edition = asked.edition(request.headers.get(VERSION_HEADER, ""))
    found = {VERSION_HEADER: VERSIONS[edition or "1.0"]}
    if request.url.path == PATH:
        # Whatever was answered yes is on disk, so that nothing older is still to come.
        found[THROUGH_HEADER] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return found


def _error(
    request: Request, status: int, message: str, more: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"error": message}, status, {**_headers(request), **(more or {})})


async def _read(request: Request, seconds: float) -> bytes:
    """The request's bytes, read no further than the limit and for no longer than `seconds`."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY:
                    most = f"at most {MAX_BODY} bytes a request: send fewer statements"
                    raise BadInput("body_too_large", most)
                parts.append(part)
    except ClientDisconnect:
        raise HTTPException(400, "the request ended before its body") from None
    except TimeoutError:
        raise HTTPException(408, f"the body did not come within {seconds:g} s") from None
    return b"".join(parts)


def _checked(found: Sequence[object], content: asked.Content, wanted: _Wanted) -> list[Statement]:
    statements = [check(one, second=wanted.second) for one in found]
    asked.check_attached(statements, content.attached)
    return statements


def _named(statement: object, wanted: str | None) -> object:
    """The statement of a PUT, with its id. Whatever else is wrong with it is seen later."""
    id_ = check_id(wanted, "the parameter statementId")
    if not isinstance(statement, dict):
        raise BadInput("statement_invalid", "PUT takes one statement")
    if check_id(statement.setdefault("id", id_), "id") != id_:
        raise BadInput("statement_invalid", "the statement's id differs from statementId")
    return statement
