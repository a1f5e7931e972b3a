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

from edge_agent.clock import Clock
from edge_agent.placing import parcel as parcels
from edge_agent.placing.collector import Collector
from edge_agent.placing.placer import Placer, Spot
from edge_agent.sources.facts import Did, Reading
from edge_agent.sources.xapi import OUT_OF_RANGE, TIMES, StatementReader, refuse, statement_hash
from edge_agent.sources.xapi_statement import VOIDED, Statement
from edge_agent.store.withdrawn import Stored
from shared.errors import BadInput, CommonGroundError
from shared.link.spool import Spool

STATEMENTS_A_PARCEL: Final = 500  # with their hashes they fit into one batch of the link
ACCEPT_SECONDS: Final = 20.0
REMEMBERED: Final = 20_000  # more than the spool can hold at once
UNANSWERED: Final = 256
VOIDED_TOO_LATE: Final = "voided_too_late"

K = TypeVar("K")
V = TypeVar("V")


Withdraw = Callable[[Stored], bool]


class NotAccepted(CommonGroundError):  # noqa: N818 - it names what happened
    """The agent cannot accept now; what was sent may be sent again and will count once."""


class StatementSink:
    """Takes one request after the other, so that a statement posted twice at once counts once.

    An id that entered the spool is remembered, and one that was committed is `known` to the store: between
    the two there is no moment in which it could enter again. If the process dies before the commit,
    nobody was told yes.

    A statement that another one voids is not counted: not if both come together or the voiding one first
    (the id that it names is known from then on), and what is stored is withdrawn, if this process stored it
    and its lesson is not closed. `withdraw` does that; `placer` says where a statement's signal will lie.
    """

    def __init__(
        self,
        reader: StatementReader,
        collector: Collector,
        spool: Spool,
        clock: Clock,
        known: Callable[[int], bool],
        accept_seconds: float = ACCEPT_SECONDS,
        *,
        placer: Placer | None = None,
        withdraw: Withdraw = lambda _: False,
    ) -> None:
        self._reader = reader
        self._collector = collector
        self._spool = spool
        self._clock = clock
        self._known = known
        self._placer = placer
        self._withdraw = withdraw
        self.accept_seconds = accept_seconds
        self._turn = threading.Lock()  # held by the request that is under way
        self._entered: dict[int, int] = {}  # essence of each id that entered the spool, oldest first
        self._stored: dict[int, Stored] = {}  # where the signal of an id lies, of the newest ids
        self._rejected = 0
        self._log = structlog.get_logger("xapi")
        self._counting = threading.Lock()  # guards the two below
        self._counted = Reading()  # what no parcel has told yet
        self._unanswered: dict[bytes, uuid.UUID] = {}  # what the ids of a request were made from

    def take(self, checked: Sequence[Statement], request: bytes = b"") -> list[str]:
        """Ids of the statements once all that is new in them is on the agent's disk.

        `request`, its bytes, is how a retry is known whose statements have no ids of their own. Raises
        BadInput for an id that stands twice or says otherwise than before (nothing of the request is taken,
        as the standard has it; `refuse` counts it), and CommonGroundError if the agent cannot accept it now.
        """
        end = time.monotonic() + self.accept_seconds
        try:
            ids, digest = self._identify(checked, request)
            fresh = self._accept(ids, checked, end)
            known = len(ids) - fresh
            self._count("statement_known", known, known)
        finally:
            self._tell()
        with self._counting:
            self._unanswered.pop(digest, None)
        return ids

    def refuse(self, refusal: BadInput) -> None:
        """Count a refused request; waits for nothing."""
        with self._counting:
            self._counted.lines += 1
            refuse(self._counted, refusal)
        self._tell()

    def _identify(self, checked: Sequence[Statement], request: bytes) -> tuple[list[str], bytes]:
        """Every statement's id, made where it has none: the same ones until the request was answered yes."""
        given = [statement.id for statement in checked if statement.id]
        if len(set(given)) < len(given):
            raise BadInput("statement_id_twice", "two statements of the request have the same id")
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
            voided = {statement_hash(one.target) for one in fresh.values() if one.verb == VOIDED}
            if not voided.isdisjoint(self._stored):
                # Before the voiding statement is known: if this fails, it is sent and looked at again.
                self._confirm(end)
                self._take_back(voided)
            items = iter(fresh.items())
            while part := dict(islice(items, STATEMENTS_A_PARCEL)):
                self._put(part, voided, end)
            self._confirm(end)
        except (TimeoutError, OSError, sqlite3.Error) as error:
            raise NotAccepted(type(error).__name__) from error
        finally:
            self._turn.release()
        return len(fresh)

    def _fresh(self, ids: Iterable[str], checked: Iterable[Statement]) -> dict[int, Statement]:
        """What is not known yet, by the hash of its id."""
        fresh: dict[int, Statement] = {}
        for id_, statement in zip(ids, checked, strict=True):
            hashed = statement_hash(id_)
            essence = self._entered.get(hashed)
            if essence is not None and essence != statement.essence:
                raise BadInput("statement_conflict", "id was used before, by a statement that says otherwise")
            if essence is None and not self._known(hashed):
                fresh[hashed] = statement
        return fresh

    def _take_back(self, voided: Iterable[int]) -> None:
        for hashed in voided:
            signal = self._stored.pop(hashed, None)
            if signal is not None and not self._withdraw(signal):
                self._count(VOIDED_TOO_LATE, 1)

    def _put(self, part: Mapping[int, Statement], voided: Collection[int], end: float) -> None:
        now = self._clock.now()
        reading, places = self._read(part, voided, now)
        # What is voided is known from now on, so that it does not count if it comes later.
        seen = dict.fromkeys(
            (*part, *(statement_hash(one.target) for one in part.values() if one.verb == VOIDED))
        )
        try:
            parcel = self._collector.collect(reading, now, tuple(seen))
            self._spool.put(parcels.encode(parcel), timeout=_left(end))
        except BaseException:
            self._collector.begin()  # it takes devices for told that nobody was told of
            raise
        self._entered.update((hashed, statement.essence) for hashed, statement in part.items())
        self._stored.update(places)
        _forget_oldest(self._entered, REMEMBERED)
        _forget_oldest(self._stored, REMEMBERED)

    def _read(
        self, part: Mapping[int, Statement], voided: Collection[int], now: float
    ) -> tuple[Reading, dict[int, Stored]]:
        """Facts of the statements, and where the signal of each will lie."""
        reading = Reading(lines=len(part))
        places: dict[int, Stored] = {}
        place = self._placer.at(now) if self._placer is not None else None
        for hashed, statement in part.items():
            said = "voided" if hashed in voided else self._reader.fact(statement, now)
            if said == OUT_OF_RANGE:
                refuse(reading, BadInput(OUT_OF_RANGE, "timestamp"))
            elif isinstance(said, Did):
                reading.facts.append(said)
                spot = place(said) if place is not None else None
                if isinstance(spot, Spot):
                    places[hashed] = _stored(said, spot)
            else:
                reading.pass_over(said)
        moments = [now if item.t is None else item.t for item in part.values()]
        reading.newest = max((int(min(t, now)) for t in moments if int(t) in TIMES), default=int(now))
        return reading, places

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

    def _count(self, reason: str, number: int, lines: int = 0) -> None:
        if number:
            with self._counting:
                self._counted.lines += lines
                passed = self._counted.passed_over
                passed[reason] = passed.get(reason, 0) + number

    def _tell(self) -> None:
        """Send what was counted if there is room now; otherwise it waits for the next request."""
        # Whoever holds the turn looks again after giving it back, so that no count is left behind.
        while (self._counted.lines or self._counted.passed_over) and self._turn.acquire(blocking=False):
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


def _stored(fact: Did, spot: Spot) -> Stored:
    return Stored(spot.day, spot.code, fact.t, spot.device, fact.app, int(fact.action), fact.amount)


def _left(end: float) -> float:
    return max(0.0, end - time.monotonic())


def _forget_oldest(memory: dict[K, V], most: int) -> None:
    for key in list(islice(memory, max(0, len(memory) - most))):
        del memory[key]
