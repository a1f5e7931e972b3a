"""What the API answers when it cannot: one JSON object that says what to do."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from shared import guard

PROGRAMS = ("/api/", "/healthz")

Handler = Callable[[Request, Exception], Response | Awaitable[Response]]
Make = Callable[[Any], JSONResponse]


class Problem(BaseModel):
    """Why there is no answer, and what to do."""

    error: str = Field(description="One sentence for people.")


Responses = dict[int | str, dict[str, Any]]

# The schema is named, not the class: a CSV answer's problems are JSON too. FAILED brings the class in.
_BODY = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
FAILED: Responses = {500: {"model": Problem, "description": "The hub cannot read its database."}}
BAD_REQUEST: Responses = {422: {"content": _BODY, "description": "A parameter is out of its range."}}
NOT_FOUND: Responses = BAD_REQUEST | {
    404: {"content": _BODY, "description": "There is no such thing in this hub."}
}


def missing(what: str, where: str) -> HTTPException:
    """A 404 that names what was asked for and where the known ones are listed."""
    return HTTPException(404, f"no such {what} here: {where} lists them")


def add(app: FastAPI) -> None:
    """Problems for programs; whoever handled errors before keeps the answers for people."""
    for kind, make in ((HTTPException, _http), (RequestValidationError, _invalid), (Exception, _failed)):
        app.add_exception_handler(kind, _for_programs(make, app.exception_handlers.get(kind)))


def _for_programs(make: Make, before: Handler | None) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        if before is None or request.url.path.startswith(PROGRAMS):
            response: Response = make(error)
        else:
            answer = before(request, error)
            response = await answer if isawaitable(answer) else answer
        # A failure is answered outside the middleware that adds the headers.
        for name, value in guard.HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return handle


def _http(error: Any) -> JSONResponse:
    known = error.detail if error.detail != "Not Found" else "no such address: /api/v1/openapi.json lists all"
    return JSONResponse({"error": known}, error.status_code, headers=error.headers)


def _invalid(error: Any) -> JSONResponse:
    # The parameter is named; what was sent for it is not repeated.
    faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return JSONResponse({"error": "; ".join(faults)[:400]}, 422)


def _failed(error: Any) -> JSONResponse:
    return JSONResponse({"error": "the hub failed to answer; nothing was lost: its log says why"}, 500)
