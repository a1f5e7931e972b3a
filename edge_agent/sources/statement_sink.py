"""Statements into the spool, each id once; the sender hears yes once the agent has them on disk."""

import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Final, TypeVar

import structlog

from edge_agent import parcel as parcels
from edge_agent.clock import Clock
from edge_agent.collector import Collector
from edge_agent.sources.facts import EXCERPTS_A_CHUNK, Did, Reading
from edge_agent.sources.xapi import OUT_OF_RANGE, TIMES, StatementReader
from edge_agent.sources.xapi_statement import Statement, check
from shared.errors import BadInput, CommonGroundError
from shared.link.spool import Spool

STATEMENTS_A_PARCEL: Final = 500  # with their hashes they fit into one batch of the link
ACCEPT_SECONDS: Final = 20.0
REMEMBERED: Final = 20_000  # more than the spool can hold at once
UNANSWERED: Final = 256

K = TypeVar("K")
V = TypeVar("V")


class NotAccepted(CommonGroundError):  # noqa: N818 - it names what happened
    """The agent cannot accept now; what was sent may be sent again and will count once."""


class StatementSink:
    """Takes one request after the other, so that a statement posted twice at once counts once.

    An id that entered the spool is remembered, and one that was committed is `known` to the store: between
    the two there is no moment in which it could enter again. If the process dies before the commit,
    nobody was told yes.
    """

    def __init__(
        self,
        reader: StatementReader,
        collector: Collector,
        spool: Spool,
        clock: Clock,
        known: Callable[[int], bool],
        accept_seconds: float = ACCEPT_SECONDS,
    ) -> None:
        self._reader = reader
        self._collector = collector
        self._spool = spool
        self._clock = clock
        self._known = known
        self.accept_seconds = accept_seconds
        self._turn = threading.Lock()  # held by the request that is under way
        self._entered: dict[int, int] = {}  # essence of each id that entered the spool, oldest first
        self._rejected = 0
        self._log = structlog.get_logger("xapi")
        self._counting = threading.Lock()  # guards the two below
        self._counted = Reading()  # what no parcel has told yet
        self._unanswered: dict[bytes, uuid.UUID] = {}  # what the ids of a request were made from

    def take(self, statements: Sequence[object], request: bytes = b"") -> list[str]:
        """Ids of the statements once all that is new in them is on the agent's disk.

        `request`, its bytes, is how a retry is known whose statements have no ids of their own. Raises
        BadInput for the first invalid statement or a conflict (nothing of the request is taken, as the
        standard has it; `refuse` counts it), and CommonGroundError if the agent cannot accept it now.
        """
        end = time.monotonic() + self.accept_seconds
        try:
            checked = [check(statement) for statement in statements]
            ids, digest = self._identify(checked, request)
            fresh = self._accept(ids, checked, end)
            self._count_repeated(len(ids) - fresh)
        finally:
            self._tell()
        with self._counting:
            self._unanswered.pop(digest, None)
        return ids

    def refuse(self, refusal: BadInput) -> None:
        """Count a refused request; waits for nothing."""
        with self._counting:
            self._counted.lines += 1
            _refuse(self._counted, refusal.reason, refusal.detail)
        self._tell()

    def _identify(self, checked: Sequence[Statement], request: bytes) -> tuple[list[str], bytes]:
        """Every statement's id, made where it has none: the same ones until the request was answered yes."""
        if all(statement.id for statement in checked):
            return [statement.id or "" for statement in checked], b""
        digest = blake2b(request, digest_size=16).digest()
        made = uuid.uuid4()
        if request:
            with self._counting:
                made = self._unanswered.setdefault(digest, made)
                _forget_oldest(self._unanswered, UNANSWERED)
        return [item.id or str(uuid.uuid5(made, str(at))) for at, item in enumerate(checked)], digest

    def _accept(self, ids: Sequence[str], checked: Sequence[Statement], end: float) -> int:
        """How many statements were new, once they are on disk."""
        if not self._turn.acquire(timeout=_left(end)):
            raise NotAccepted("other requests still wait for the agent")
        try:
            fresh = self._fresh(ids, checked)
            items = iter(fresh.items())
            while part := dict(islice(items, STATEMENTS_A_PARCEL)):
                self._put(part, end)
            self._confirm(end)
        except (TimeoutError, OSError, sqlite3.Error) as error:
            raise NotAccepted(type(error).__name__) from error
        finally:
            self._turn.release()
        return len(fresh)

    def _fresh(self, ids: Iterable[str], checked: Iterable[Statement]) -> dict[int, Statement]:
        """The first of each id that is not known, by its hash."""
        fresh: dict[int, Statement] = {}
        for id_, statement in zip(ids, checked, strict=True):
            hashed = statement_hash(id_)
            essence = fresh[hashed].essence if hashed in fresh else self._entered.get(hashed)
            if essence is not None and essence != statement.essence:
                raise BadInput("statement_conflict", "id was used before, by a statement that says otherwise")
            if essence is None and not self._known(hashed):
                fresh[hashed] = statement
        return fresh

    def _put(self, part: Mapping[int, Statement], end: float) -> None:
        now = self._clock.now()
        reading = self._read(part.values(), now)
        try:
            parcel = self._collector.collect(reading, now, tuple(part))
            self._spool.put(parcels.encode(parcel), timeout=_left(end))
        except BaseException:
            self._collector.begin()  # it takes devices for told that nobody was told of
            raise
        self._entered.update((hashed, statement.essence) for hashed, statement in part.items())
        _forget_oldest(self._entered, REMEMBERED)

    def _read(self, statements: Collection[Statement], now: float) -> Reading:
        reading = Reading(lines=len(statements))
        for statement in statements:
            said = self._reader.fact(statement, now)
            if said == OUT_OF_RANGE:
                _refuse(reading, OUT_OF_RANGE, "timestamp")
            elif isinstance(said, Did):
                reading.facts.append(said)
            else:
                reading.pass_over(said)
        moments = [now if item.t is None else item.t for item in statements]
        reading.newest = max((int(min(t, now)) for t in moments if int(t) in TIMES), default=int(now))
        return reading

    def _confirm(self, end: float) -> None:
        """Wait until everything in the spool is acknowledged, also what an earlier request left there."""
        if not self._spool.flush(_left(end)):
            raise TimeoutError
        rejected = self._spool.rejected.total()
        if rejected != self._rejected:
            self._rejected = rejected
            self._entered.clear()  # the store knows which of them it has
            self._log.error("parcel_rejected", reasons=dict(self._spool.rejected))
            raise NotAccepted("the agent rejected a parcel of its own source")

    def _count_repeated(self, number: int) -> None:
        if number:
            with self._counting:
                self._counted.lines += number
                passed = self._counted.passed_over
                passed["statement_known"] = passed.get("statement_known", 0) + number

    def _tell(self) -> None:
        """Send what was counted if there is room now; otherwise it waits for the next request."""
        # Whoever holds the turn looks again after giving it back, so that no count is left behind.
        while self._counted.lines and self._turn.acquire(blocking=False):
            try:
                with self._counting:
                    now = self._clock.now()
                    self._counted.newest = int(now)
                    parcel = self._collector.collect(self._counted, now)
                    self._spool.put(parcels.encode(parcel), timeout=0)
                    self._counted = Reading()
            except (CommonGroundError, TimeoutError):
                return
            finally:
                self._turn.release()


def statement_hash(id_: str) -> int:
    """63 bits of a statement id, for knowing it again."""
    return int.from_bytes(blake2b(id_.encode(), digest_size=8).digest(), "little") >> 1


def _refuse(reading: Reading, reason: str, part: str) -> None:
    # Only the reason and the name of the part are kept: a statement is about a person throughout.
    reading.refused[reason] = reading.refused.get(reason, 0) + 1
    if len(reading.excerpts) < EXCERPTS_A_CHUNK:
        reading.excerpts.append((reason, part[:100]))


def _left(end: float) -> float:
    return max(0.0, end - time.monotonic())


def _forget_oldest(memory: dict[K, V], most: int) -> None:
    for key in list(islice(memory, max(0, len(memory) - most))):
        del memory[key]
