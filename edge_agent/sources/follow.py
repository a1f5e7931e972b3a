"""Follows one log file live: reads, parses, collects, and hands parcels to the link, in one thread."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import structlog

from edge_agent.clock import Clock
from edge_agent.placing import parcel as parcels
from edge_agent.placing.collector import Collector
from edge_agent.sources.dropped import Dropped, decode_place
from edge_agent.sources.facts import Reading, Whereabouts
from edge_agent.sources.failing import BEAT_SECONDS, RETRY_SECONDS, Poison, broken, is_full, is_poison, report
from edge_agent.sources.logfile import CHUNK
from edge_agent.sources.parsing import Parser
from edge_agent.sources.position import Place, decode_position
from edge_agent.sources.tail import Tail
from shared.errors import CommonGroundError
from shared.link.spool import Closed, Rewound, Spool

IDLE_SECONDS: Final = 0.2
LOST_SHOWN_SECONDS: Final = 3600.0
READING: Final = "reading"
WAITS: Final = "waits for room; goes on where it stood"
NO_ROOM: Final = "waits: the disk is full, so no day's key can be made; it goes on where it stands"
LOST: Final = "up to date; the place in the log where it stood was gone, so lines may be missing"
_NOT_IN_LINES: Final = {"position_lost": "lost", "truncated_file": "torn", "unreadable_file": "unread"}


class Supply(Protocol):
    """What a follower reads: a file and its rotated ones, or a folder. See `Tail` for the attributes."""

    lost: int
    torn: int
    unread: int
    head: bytes | None
    behind: bool

    def read(self) -> tuple[bytes, Place] | None:
        """The next whole lines and the place after them, or None for now. Raises OSError."""

    def before(self, only: bytes) -> Iterator[bytes]:
        """Lines that hold `only`, of what was written before the place. Raises OSError."""

    def close(self) -> None:
        """Close what is open."""


class Follower:
    """State of a followed file or folder; `read_until` is the moment up to which it is read and accepted.

    On another machine `agent_time` asks the agent what time it is (seconds UTC); every few seconds it is
    told up to which such moment everything has been read, so that the clock here need not be right.
    """

    def __init__(
        self,
        path: Path,
        parse: Parser,
        collector: Collector,
        spool: Spool,
        clock: Clock,
        name: str,
        agent_time: Callable[[], int | None] | None = None,
    ) -> None:
        self._path = path
        self._parse = parse
        self._collector = collector
        self._spool = spool
        self._clock = clock
        self._log = structlog.get_logger("follow")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow:{name}", daemon=True)
        self._lost_until = float("-inf")
        self._agent_time = agent_time
        self._next_beat = float("-inf")
        self._asked: int | None = None  # what time it was at the agent before what is read now
        self.read_until = float("-inf")
        self._state = "starting"

    @property
    def state(self) -> str:
        """In words, for a status page."""
        waits = self._state == READING and self._spool.is_stalled()
        return WAITS if waits else self._state

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; what was not accepted is read again next time."""
        self._stop.set()
        self._spool.close()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except Rewound:
                self._state = "reading again what the agent has not"
            except Closed:
                return
            except (OSError, sqlite3.Error) as error:
                if is_full(error):
                    self._state = NO_ROOM  # what it has not read yet holds up the lessons
                    self._stop.wait(RETRY_SECONDS)
                elif isinstance(error, OSError):
                    self._fail(f"cannot be read: {error.strerror or 'unreadable'}")
                else:
                    self._break(error)
            except CommonGroundError as error:
                self._fail(str(error))
            except Exception as error:  # noqa: BLE001 - a thread that died in silence would hold up every lesson
                self._break(error)

    def _break(self, error: Exception) -> None:
        report(self._log, error)
        self._fail(broken(error))

    def _fail(self, why: str) -> None:
        # A source that cannot be read must not hold up the lessons that others saw.
        self._state = why
        with suppress(CommonGroundError):
            self.read_until = self._clock.now()
        self._stop.wait(RETRY_SECONDS)

    def _follow(self) -> None:
        position = self._spool.opened(timeout=None)
        self._collector.begin()
        is_folder = self._is_folder()
        tail = self._supply(is_folder, position)
        try:
            self._learn_leases(tail)
            while not self._stop.is_set() and self._is_folder() == is_folder:
                self._ask_time()
                now = self._clock.now()
                read = self._hand_on(tail, now)
                # A short chunk was all there was. Waiting a little then makes few large parcels of
                # a busy log, and lets the reading be up to date although the log never rests.
                if read < CHUNK // 2:
                    self._rest(tail, now)
        finally:
            tail.close()

    def _is_folder(self) -> bool:
        return self._parse.kind.folder and self._path.is_dir()

    def _supply(self, is_folder: bool, position: bytes | None) -> Supply:
        if is_folder:
            return Dropped(self._path, decode_place(position))
        return Tail(self._path, decode_position(position), header=self._parse.kind.header)

    def _ask_time(self) -> None:
        if self._agent_time is not None and time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + BEAT_SECONDS
            with suppress(CommonGroundError):  # it is away: reading goes on, and it is asked again
                self._asked = self._agent_time() or self._asked

    def _hand_on(self, tail: Supply, now: float) -> int:
        """Put the next chunk on its way; how many bytes it had."""
        found = tail.read()
        if found is None:
            return 0
        chunk, after = found
        self._state = READING
        if tail.head is not None:
            self._parse.begin(tail.head, now)
            tail.head = None
        if tail.lost:
            self._lost_until = now + LOST_SHOWN_SECONDS
            self._log.warning("position lost", path=str(self._path))
        faults = {reason: getattr(tail, name) for reason, name in _NOT_IN_LINES.items()}
        try:
            self._put(chunk, after, now, faults)
        except Poison as poison:
            report(self._log, poison.__cause__ or poison)
            self._state = "looking for the line that cannot be processed; report it with the agent's log"
            self._stop.wait(RETRY_SECONDS)
            self._put_in_parts(chunk, after, now, faults)
        tail.lost = tail.torn = tail.unread = 0
        return len(chunk)

    def _put(self, chunk: bytes, after: Place, now: float, faults: dict[str, int]) -> None:
        """One chunk, one parcel. Raises Poison if it is the chunk that makes this impossible."""
        while True:
            try:
                self._send(self._parse(chunk, now), after, now, faults)
            except (Rewound, Closed):
                raise
            except Exception as error:
                if is_poison(error):
                    self._collector.begin()  # it may remember half of what has failed
                    raise Poison from error
                if not isinstance(error, CommonGroundError):
                    raise
                self._collector.again()
                self._wait_for_agent(str(error))
                now = self._clock.now()
            else:
                return

    def _wait_for_agent(self, why: str) -> None:
        """Then the same chunk is tried again: the log need not be searched for where it stood."""
        state = self._state
        self._fail(why)
        if self._stop.is_set():
            raise Closed("stopped")
        self._state = state

    def _put_in_parts(self, chunk: bytes, after: Place, now: float, faults: dict[str, int]) -> None:
        """Halve until the lines that cannot be processed are alone, and refuse these."""
        parts, done = [chunk], 0
        while parts:
            part = parts.pop()
            position = after.within(chunk, done + len(part))
            try:
                self._put(part, position, now, faults)
            except Poison:
                cut = _middle(part)
                if cut < len(part):
                    parts += [part[cut:], part[:cut]]
                    continue
                reading = Reading(lines=1)
                reading.refuse("line_not_processed", part.rstrip(b"\n"))
                self._send(reading, position, now, faults)
            done, faults = done + len(part), {}

    def _send(self, reading: Reading, after: Place, now: float, faults: dict[str, int]) -> None:
        for reason, number in faults.items():
            if number:
                reading.refused[reason] = number
        parcel = self._collector.collect(reading, now)
        self._spool.put(parcels.encode(parcel), after.encode())

    def _learn_leases(self, tail: Supply) -> None:
        """Leases live in memory only: after a start they are learnt again from what was read before."""
        only = self._parse.kind.tells_leases
        for lines in () if only is None else tail.before(only):
            if self._stop.is_set():
                return
            self._collector.learn(self._leases(lines))

    def _leases(self, lines: bytes) -> list[Whereabouts]:
        try:
            facts = self._parse(lines, self._clock.now()).facts
        except CommonGroundError:
            raise
        except Exception:  # noqa: BLE001 - it was refused and counted when it was read
            cut = _middle(lines)
            return self._leases(lines[:cut]) + self._leases(lines[cut:]) if cut < len(lines) else []
        return [fact for fact in facts if isinstance(fact, Whereabouts)]

    def _rest(self, tail: Supply, now: float) -> None:
        if self._spool.flush(timeout=IDLE_SECONDS) and not tail.behind:
            self.read_until = now
            current = LOST if now < self._lost_until else "up to date"
            self._state = current if self._path.exists() else "file is missing"
            if self._asked is not None:
                self._spool.put(parcels.encode(self._collector.beat(self._asked)))
                self._asked = None
        self._stop.wait(IDLE_SECONDS)


def _middle(chunk: bytes) -> int:
    """The end of the line in the middle of `chunk`; its length if it is one line."""
    middle = len(chunk) // 2
    return chunk.rfind(b"\n", 0, middle) + 1 or chunk.find(b"\n", middle) + 1 or len(chunk)
