"""The HTTP end of the xAPI source: statements in, 200 only once what they say is on the agent's disk."""

import json
import re
import secrets
from base64 import b64decode
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from edge_agent.sources.statement_sink import StatementSink
from edge_agent.sources.xapi_statement import check_id
from shared.errors import BadInput, CommonGroundError

__all__ = ["StatementSink", "create_receiver"]

MAX_BODY: Final = 4 * 1024 * 1024
PATH: Final = "/xAPI/statements"
VERSION_HEADER: Final = "X-Experience-API-Version"
VERSIONS: Final = {"1.0": "1.0.3", "2.0": "2.0.0"}  # asked for, answered with

_VERSION: Final = re.compile(r"(1\.0|2\.0)(?:\.[0-9]+)?")
_MULTIPART: Final = re.compile(
    r'multipart/mixed\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^;\s"]{1,70}))', re.IGNORECASE
)
_STATUS: Final = {"body_too_large": 413, "statement_conflict": 409}  # of a reason; any other is 400


def create_receiver(sink: StatementSink, user: str, password: str) -> FastAPI:
    """The web application: POST and PUT of /xAPI/statements, GET /xAPI/about. Errors are one line of JSON."""
    app = FastAPI(
        title="xAPI receiver", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )

    async def authorised(request: Request) -> None:
        if not _is_authorised(request.headers.get("authorization", ""), user, password):
            raise HTTPException(401, "wrong user or password", {"WWW-Authenticate": 'Basic realm="xAPI"'})
        if not _VERSION.fullmatch(request.headers.get(VERSION_HEADER, "")):
            raise HTTPException(400, f"{VERSION_HEADER} must be 1.0.x or 2.0.x")

    async def body(request: Request) -> bytes:
        return _json_part(await _read(request), request.headers.get("content-type", ""))

    allowed = [Depends(authorised)]  # before anything of the body is read

    @app.post(PATH, dependencies=allowed)
    def post(request: Request, content: Annotated[bytes, Depends(body)]) -> Response:
        statements = _decode(content)
        ids = sink.take(statements if isinstance(statements, list) else [statements], content)
        return JSONResponse(ids, headers=_headers(request))

    @app.put(PATH, dependencies=allowed)
    def put(request: Request, content: Annotated[bytes, Depends(body)]) -> Response:
        sink.take([_named(_decode(content), request.query_params.get("statementId"))])
        return Response(status_code=204, headers=_headers(request))

    @app.get("/xAPI/about")
    async def about(request: Request) -> Response:
        return JSONResponse({"version": list(VERSIONS.values())}, headers=_headers(request))

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: StarletteHTTPException) -> Response:
        return _error(request, error.status_code, str(error.detail), error.headers)

    @app.exception_handler(BadInput)
    def invalid(request: Request, error: BadInput) -> Response:
        sink.refuse(error)
        return _error(request, _STATUS.get(error.reason, 400), str(error))

    @app.exception_handler(CommonGroundError)
    async def not_accepted(request: Request, error: CommonGroundError) -> Response:
        del error
        message = "not accepted now; nothing of it is lost if you send it again"
        return _error(request, 503, message, {"Retry-After": "5"})

    return app


def _headers(request: Request) -> dict[str, str]:
    asked = _VERSION.fullmatch(request.headers.get(VERSION_HEADER, ""))
    return {VERSION_HEADER: VERSIONS[asked[1] if asked else "1.0"]}


def _error(
    request: Request, status: int, message: str, more: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"error": message}, status, {**_headers(request), **(more or {})})


async def _read(request: Request) -> bytes:
    """The request's bytes, read no further than the limit."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > MAX_BODY:
                raise BadInput("body_too_large", f"at most {MAX_BODY} bytes a request: send fewer statements")
            parts.append(part)
    except ClientDisconnect:
        raise HTTPException(400, "the request ended before its body") from None
    return b"".join(parts)


def _json_part(body: bytes, content_type: str) -> bytes:
    """The statements' JSON: the body, or the first part of one that has attachments, which stay unread."""
    found = _MULTIPART.match(content_type)
    if found is None:
        return body
    boundary = b"\r\n--" + (found[1] or found[2]).encode()
    parts = (b"\r\n" + body).split(boundary, 2)
    if len(parts) < 3:
        raise BadInput("body_is_no_json", "multipart/mixed must have its boundary around each part")
    return parts[1].partition(b"\r\n\r\n")[2]


def _decode(body: bytes) -> object:
    try:
        # Whole numbers of any length are in order; nobody reads them.
        return json.loads(body, parse_constant=_no_constant, parse_int=float)
    except (ValueError, RecursionError):
        raise BadInput("body_is_no_json", "send one statement or an array of statements") from None


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _named(statement: object, wanted: str | None) -> object:
    """The statement of a PUT, with its id. Whatever else is wrong with it is seen later."""
    id_ = check_id(wanted, "the parameter statementId")
    if not isinstance(statement, dict):
        raise BadInput("statement_invalid", "PUT takes one statement")
    if check_id(statement.setdefault("id", id_), "id") != id_:
        raise BadInput("statement_invalid", "the statement's id differs from statementId")
    return statement


def _is_authorised(header: str, user: str, password: str) -> bool:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = b64decode(value, validate=True)
    except ValueError:
        return False
    return secrets.compare_digest(given, f"{user}:{password}".encode())
