"""From records that came by themselves to parcels on their way, in one thread: nothing can be read again."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from edge_agent.clock import Clock
from edge_agent.placing import parcel as parcels
from edge_agent.placing.collector import Collector
from edge_agent.sources.facts import Reading
from edge_agent.sources.failing import BEAT_SECONDS, RETRY_SECONDS, Poison, broken, is_full, is_poison, report
from shared.errors import CommonGroundError
from shared.link.spool import Closed, Spool

BATCH_BYTES: Final = 48 * 1024  # what this comes to must fit into one parcel, as with CHUNK of a file
BATCH_RECORDS: Final = 1000
BATCH_SECONDS: Final = 0.5
IDLE_SECONDS: Final = 0.2
MARK_SECONDS: Final = 1.0
FINISH_SECONDS: Final = 5.0
OVERHEAD: Final = 64  # what a record costs in memory besides its bytes
OVERFLOW: Final = "listener_overflow"
KNOCKS: Final = frozenset({"no_place", "gave_way", "sender_not_listed"})  # of connections and of strangers
NO_ROOM: Final = "waits: the disk is full, so no day's key can be made"
WAITS: Final = "waits for room"


@dataclass(slots=True)
class _Batch:
    records: list[bytes]
    refused: Counter[str]
    until: float | None  # the moment (seconds UTC) up to which everything is told after this batch
    last: bool


class Handing:
    """A bounded queue, and the thread that empties it; `take`, `offer`, `refuse` and `heard` are for others.

    limit: bytes that may wait. With what is on its way (one parcel) this is all that a killed process loses.
    `agent_time` is as with a followed file.
    """

    def __init__(
        self,
        parse: Callable[[bytes, float], Reading],
        collector: Collector,
        spool: Spool,
        clock: Clock,
        name: str,
        limit: int,
        agent_time: Callable[[], int | None] | None = None,
    ) -> None:
        self._parse = parse
        self._collector = collector
        self._spool = spool
        self._clock = clock
        self._limit = limit
        self._agent_time = agent_time
        self._log = structlog.get_logger("listen")
        self._thread = threading.Thread(target=self._run, name=f"hand on:{name}", daemon=True)
        self._change = threading.Condition()  # guards the next nine
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._refused: Counter[str] = Counter()
        self._since = 0.0
        self._heard = float("-inf")
        self._taken = 0  # records that ever came to wait
        self._marks: deque[tuple[int, float]] = deque()  # how many had come when so much was heard
        self._finishing = False
        self.overflowed = 0
        self._closed = threading.Event()
        self._trouble = ""
        self._next_beat = float("-inf")
        self._asked: tuple[int, float] | None = None  # the agent's time, and ours when it was asked
        self.read_until = float("-inf")

    @property
    def trouble(self) -> str:
        """Why nothing is handed on, in words, or nothing."""
        return WAITS if not self._trouble and self._spool.is_stalled() else self._trouble

    def start(self) -> None:
        """Begin to hand on."""
        self._thread.start()

    def finish(self) -> None:
        """Hand on what waits, for at most some seconds, and close the spool."""
        with self._change:
            self._finishing = True
            self._change.notify_all()
        if self._thread.ident is not None:
            self._thread.join(FINISH_SECONDS)
        self._closed.set()
        self._spool.close()
        if self._thread.ident is not None:
            self._thread.join(FINISH_SECONDS)
        with self._change:
            if self._waiting or self._refused:
                self._log.warning("not handed on", records=len(self._waiting))

    def take(self, records: Sequence[bytes]) -> None:
        """Records of a sender that can be made to wait: look for room first."""
        with self._change:
            self._begin()
            self._waiting.extend(records)
            self._taken += len(records)
            self._bytes += sum(map(len, records)) + OVERHEAD * len(records)
            self._change.notify_all()

    def offer(self, records: Sequence[bytes]) -> None:
        """Records of a sender that waits for nobody: what there is no room for is counted."""
        fit = 0
        with self._change:
            self._begin()
            for record in records:
                if self._bytes + len(record) + OVERHEAD > self._limit:
                    break
                self._bytes += len(record) + OVERHEAD
                fit += 1
            self._waiting.extend(records[:fit])
            self._taken += fit
            self._change.notify_all()
        self.refuse(OVERFLOW, len(records) - fit)

    def refuse(self, reason: str, number: int = 1) -> None:
        """Count what never became a record; those of KNOCKS are no lines, so that they hide no silence."""
        if number > 0:
            with self._change:
                self._begin()
                self._refused[reason] += number
                self.overflowed += number if reason == OVERFLOW else 0
                self._change.notify_all()

    def heard(self, moment: float) -> None:
        """Everything that came before `moment` (seconds UTC) was taken, offered or refused."""
        with self._change:
            self._heard = max(self._heard, moment)
            if not self._marks or self._heard >= self._marks[-1][1] + MARK_SECONDS:
                self._marks.append((self._taken, self._heard))

    def wait_for_room(self, seconds: float) -> bool:
        """Whether there is room within `seconds`."""
        with self._change:
            return self._change.wait_for(lambda: self._bytes < self._limit, seconds)

    def _begin(self) -> None:
        if not self._waiting and not self._refused:
            self._since = time.monotonic()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                batch = self._next()
                self._ask_time()
                if batch.records or batch.refused:
                    self._hand_on(batch)
                if batch.until is not None and self._is_accepted():
                    self.read_until = max(self.read_until, batch.until)
                    self._beat()
            except Closed:
                return
            except Exception as error:  # noqa: BLE001 - a thread that died in silence would hold up every lesson
                report(self._log, error)
                self._fail(_words(error))
            else:
                if batch.last:
                    return

    def _next(self) -> _Batch:
        """A batch that is full or old enough; an empty one if nothing came for a while."""
        with self._change:
            while not (self._finishing or self._is_full()):
                begun = bool(self._waiting or self._refused)
                left = self._since + BATCH_SECONDS - time.monotonic() if begun else IDLE_SECONDS
                if left <= 0 or not (self._change.wait(left) or begun):
                    break
            records: list[bytes] = []
            size = 0
            while self._waiting and len(records) < BATCH_RECORDS and (size < BATCH_BYTES or not records):
                records.append(self._waiting.popleft())
                size += len(records[-1])
            self._bytes -= size + OVERHEAD * len(records)
            refused, self._refused = self._refused, Counter()
            self._since = time.monotonic()
            self._change.notify_all()
            until = None if self._waiting else self._heard
            # A sender that never rests leaves the queue never empty: it must not hold up every lesson.
            while self._marks and self._marks[0][0] <= self._taken - len(self._waiting):
                moment = self._marks.popleft()[1]
                until = moment if until is None else max(until, moment)
            return _Batch(records, refused, until, self._finishing and not self._waiting)

    def _is_full(self) -> bool:
        return len(self._waiting) >= BATCH_RECORDS or self._bytes >= BATCH_BYTES

    def _hand_on(self, batch: _Batch) -> None:
        """All of it; if something in it breaks the program, halve until that is alone, and refuse it."""
        parts, refused = [batch.records], batch.refused
        while parts:
            part = parts.pop()
            try:
                self._put(partial(self._read, part), refused)
            except Poison as poison:
                if len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                    continue
                report(self._log, poison.__cause__ or poison)
                self._put(partial(_not_processed, part), refused)
            refused = Counter()

    def _put(self, read: Callable[[float], Reading], refused: Counter[str]) -> None:
        """As one parcel, on the agent's disk. Raises Poison if these records break the program."""
        while True:
            try:
                now = self._clock.now()
                self._send(read(now), refused, now)
            except Closed:
                raise
            except Exception as error:
                if is_poison(error):
                    self._collector.begin()  # it may remember half of what has failed
                    raise Poison from error
                if isinstance(error, CommonGroundError):
                    self._collector.again()
                else:
                    report(self._log, error)
                    self._collector.begin()
                self._fail(_words(error))
            else:
                break
        self._trouble = ""
        while not self._is_accepted():
            if self._closed.is_set():
                raise Closed("stopped")

    def _read(self, records: Sequence[bytes], now: float) -> Reading:
        return self._parse(b"".join(records), now) if records else Reading()

    def _send(self, reading: Reading, refused: Counter[str], now: float) -> None:
        reading.lines += sum(number for reason, number in refused.items() if reason not in KNOCKS)
        for reason, number in refused.items():
            reading.refused[reason] = reading.refused.get(reason, 0) + number
        self._spool.put(parcels.encode(self._collector.collect(reading, now)))

    def _is_accepted(self) -> bool:
        return self._spool.flush(IDLE_SECONDS)

    def _fail(self, why: str) -> None:
        self._trouble = why
        # A source that is stuck must not hold up the lessons that others saw, unless a full disk is why.
        if why != NO_ROOM:
            with suppress(CommonGroundError):
                self.read_until = max(self.read_until, self._clock.now())
        if self._closed.wait(RETRY_SECONDS):
            raise Closed("stopped")

    def _ask_time(self) -> None:
        if self._agent_time is None or self._asked is not None or time.monotonic() < self._next_beat:
            return
        self._next_beat = time.monotonic() + BEAT_SECONDS
        with suppress(CommonGroundError):  # it is away: it is asked again
            before = self._clock.now()
            answer = self._agent_time()
            self._asked = None if answer is None else (answer, before)

    def _beat(self) -> None:
        if self._asked is not None and self.read_until >= self._asked[1]:
            self._spool.put(parcels.encode(self._collector.beat(self._asked[0])))
            self._asked = None


def _not_processed(records: Sequence[bytes], now: float) -> Reading:
    reading = Reading(lines=len(records))
    for record in records:
        reading.refuse("line_not_processed", record.rstrip(b"\n"))
    return reading


def _words(error: Exception) -> str:
    if isinstance(error, CommonGroundError):
        return str(error)
    return NO_ROOM if is_full(error) else broken(error)
