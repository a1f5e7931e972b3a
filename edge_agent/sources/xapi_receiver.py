"""The HTTP end of the xAPI source: statements in, 200 only once what they say is on the agent's disk."""

import json
import secrets
import threading
import uuid
from base64 import b64decode
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Annotated, Final

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from edge_agent import parcel as parcels
from edge_agent.clock import Clock
from edge_agent.collector import Collector
from edge_agent.sources.facts import Did, Reading
from edge_agent.sources.xapi import StatementReader
from shared.errors import BadInput
from shared.link.spool import Closed, Spool

MAX_BODY: Final = 4 * 1024 * 1024
STATEMENTS_A_PARCEL: Final = 500  # with their hashes they fit into one batch of the link
ACCEPT_SECONDS: Final = 20.0
VERSIONS: Final = ("1.0", "2.0")


class StatementSink:
    """Takes checked requests one at a time, so that a statement posted twice at once counts once."""

    def __init__(
        self,
        reader: StatementReader,
        collector: Collector,
        spool: Spool,
        clock: Clock,
        known: Callable[[int], bool],
    ) -> None:
        self._reader = reader
        self._collector = collector
        self._spool = spool
        self._clock = clock
        self._known = known
        self._lock = threading.Lock()

    def take(self, statements: Sequence[object]) -> list[str]:
        """Ids of the statements once all that is new in them has been accepted.

        Raises BadInput for the first invalid one (nothing of the request is taken, as the standard has
        it) and Closed or TimeoutError when the agent cannot accept now.
        """
        now = self._clock.now()
        with self._lock:
            try:
                ids = [_identify(statement) for statement in statements]
                facts = [self._reader.read(statement, now) for statement in statements]
            except BadInput as refusal:
                self._refuse(refusal)
                raise
            for at in range(0, len(statements), STATEMENTS_A_PARCEL):
                part = slice(at, at + STATEMENTS_A_PARCEL)
                self._put(facts[part], ids[part], now)
            if not self._spool.flush(ACCEPT_SECONDS):
                raise TimeoutError
        return ids

    def refuse(self, refusal: BadInput) -> None:
        """Count a request that was refused before its statements could be read."""
        with self._lock:
            self._refuse(refusal)

    def _put(self, facts: Sequence[Did | None], ids: Sequence[str], now: float) -> None:
        reading = Reading(lines=len(facts))
        fresh: dict[int, None] = {}
        for fact, id_ in zip(facts, ids, strict=True):
            hashed = statement_hash(id_)
            if hashed in fresh or self._known(hashed):
                reading.pass_over("statement_known")
                continue
            fresh[hashed] = None
            if fact is None:
                reading.pass_over("verb_of_no_use")
                continue
            reading.facts.append(fact)
            reading.newest = max(reading.newest or 0, min(fact.t, int(now)))
        self._spool.put(parcels.encode(self._collector.collect(reading, now, tuple(fresh))))

    def _refuse(self, refusal: BadInput) -> None:
        # Only the reason and the name of the part are kept: a statement is about a person throughout.
        reading = Reading(lines=1, newest=int(self._clock.now()), refused={refusal.reason: 1})
        reading.excerpts.append((refusal.reason, refusal.detail[:100]))
        self._spool.put(parcels.encode(self._collector.collect(reading, self._clock.now())))


def statement_hash(id_: str) -> int:
    """63 bits of a statement id, for knowing it again."""
    return int.from_bytes(blake2b(id_.encode(), digest_size=8).digest(), "little") >> 1


def create_receiver(sink: StatementSink, user: str, password: str) -> FastAPI:
    """The web application: POST and PUT of /xAPI/statements, GET /xAPI/about."""
    app = FastAPI(title="xAPI receiver", docs_url=None, redoc_url=None, openapi_url=None)

    def authorised(request: Request) -> None:
        if not _is_authorised(request.headers.get("authorization", ""), user, password):
            raise HTTPException(401, "wrong user or password", {"WWW-Authenticate": 'Basic realm="xAPI"'})
        version = request.headers.get("x-experience-api-version", "")
        if not version.startswith(VERSIONS):
            raise HTTPException(400, "X-Experience-API-Version must be 1.0.x or 2.0.x")

    @app.post("/xAPI/statements", dependencies=[Depends(authorised)])
    def post(body: Annotated[bytes, Depends(_body)]) -> JSONResponse:
        return _answer(sink, body, None)

    @app.put("/xAPI/statements", dependencies=[Depends(authorised)])
    def put(body: Annotated[bytes, Depends(_body)], statementId: str) -> JSONResponse:  # noqa: N803 - xAPI's name
        return _answer(sink, body, statementId)

    @app.get("/xAPI/about")
    def about() -> JSONResponse:
        return JSONResponse({"version": ["1.0.3", "2.0.0"]})

    return app


def _answer(sink: StatementSink, body: bytes, statement_id: str | None) -> JSONResponse:
    headers = {"X-Experience-API-Version": "1.0.3"}
    try:
        try:
            statements = _statements(body, statement_id)
        except BadInput as refusal:
            sink.refuse(refusal)
            raise
        ids = sink.take(statements)
    except BadInput as refusal:
        return JSONResponse({"error": str(refusal)}, 400, headers)
    except (Closed, TimeoutError):
        message = "not accepted now; nothing of it is lost if you send it again"
        return JSONResponse({"error": message}, 503, {**headers, "Retry-After": "5"})
    return JSONResponse(ids if statement_id is None else None, 200 if statement_id is None else 204, headers)


async def _body(request: Request) -> bytes:
    """The request's bytes, read no further than the limit."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise HTTPException(413, f"at most {MAX_BODY} bytes a request: send fewer statements at once")
        parts.append(part)
    return b"".join(parts)


def _statements(body: bytes, statement_id: str | None) -> list[object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise BadInput("body_is_no_json", "send one statement or an array of statements") from None
    if statement_id is None:
        return value if isinstance(value, list) else [value]
    if not isinstance(value, dict) or value.setdefault("id", statement_id) != statement_id:
        raise BadInput("statement_invalid", "the statement's id differs from statementId")
    return [value]


def _identify(statement: object) -> str:
    found = statement.get("id") if isinstance(statement, dict) else None
    if found is None:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(found))
    except (ValueError, AttributeError, TypeError):
        raise BadInput("statement_invalid", "id must be a UUID") from None


def _is_authorised(header: str, user: str, password: str) -> bool:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = b64decode(value, validate=True)
    except ValueError:
        return False
    return secrets.compare_digest(given, f"{user}:{password}".encode())
