"""Follows one log file live: reads, parses, collects, and hands parcels to the link, in one thread."""

import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from edge_agent import parcel as parcels
from edge_agent.clock import Clock
from edge_agent.collector import Collector
from edge_agent.sources.facts import Lease, Reading
from edge_agent.sources.tail import CHUNK, Tail, decode_position
from shared.link.spool import Closed, Rewound, Spool

IDLE_SECONDS: Final = 0.2
RETRY_SECONDS: Final = 2.0
Parse = Callable[[bytes, float], Reading]


class Follower:
    """State of one followed file; `read_until` is the moment up to which it has been read and accepted."""

    def __init__(
        self, path: Path, parse: Parse, collector: Collector, spool: Spool, clock: Clock, name: str
    ) -> None:
        self._path = path
        self._parse = parse
        self._collector = collector
        self._spool = spool
        self._clock = clock
        self._log = structlog.get_logger("follow")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow:{name}", daemon=True)
        self.read_until = float("-inf")
        self.state = "starting"

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
                self.state = "reading again what the agent has not"
            except Closed:
                return
            except OSError as error:
                self._fail(f"cannot be read: {error.strerror or 'unreadable'}")
            except Exception as error:  # noqa: BLE001 - a thread that died in silence would hold up every lesson
                # The kind and the place only: a message may quote what was read.
                place = traceback.extract_tb(error.__traceback__)[-1]
                kind = type(error).__name__
                self._log.error("source failed", kind=kind, file=place.filename, line=place.lineno)
                self._fail(f"cannot go on: {kind} in the program; report it with the agent's log")

    def _fail(self, why: str) -> None:
        # A source that cannot be read must not hold up the lessons that others saw.
        self.state = why
        self.read_until = self._clock.now()
        self._stop.wait(RETRY_SECONDS)

    def _follow(self) -> None:
        position = self._spool.opened(timeout=None)
        self._collector.begin()
        tail = Tail(self._path, decode_position(position))
        try:
            self._learn_leases(tail)
            while not self._stop.is_set():
                now = self._clock.now()
                read = self._hand_on(tail, now)
                # A short chunk was all there was. Waiting a little then makes few large parcels of
                # a busy log, and lets the reading be up to date although the log never rests.
                if read < CHUNK // 2:
                    self._rest(now)
        finally:
            tail.close()

    def _hand_on(self, tail: Tail, now: float) -> int:
        """Put the next chunk on its way; how many bytes it had."""
        found = tail.read()
        if found is None:
            return 0
        chunk, after = found
        self.state = "reading"
        parcel = self._collector.collect(self._parse(chunk, now), now)
        self._spool.put(parcels.encode(parcel), after.encode())
        return len(chunk)

    def _learn_leases(self, tail: Tail) -> None:
        """Leases live in memory only: after a start they are learnt again from what was read before."""
        lines = b"\n".join(line for line in tail.before().split(b"\n") if b"DHCPACK" in line)
        facts = self._parse(lines, self._clock.now()).facts
        self._collector.learn([fact for fact in facts if isinstance(fact, Lease)])

    def _rest(self, now: float) -> None:
        if self._spool.flush(timeout=IDLE_SECONDS):
            self.read_until = now
            self.state = "up to date" if self._path.exists() else "file is missing"
        self._stop.wait(IDLE_SECONDS)
