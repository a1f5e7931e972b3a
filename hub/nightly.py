"""What a running hub does while nobody looks: each night it compares its records with what was disclosed."""

import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from hub.store import verification
from shared import storage

NIGHT: Final = range(1, 5)  # hours of the machine's own clock
APART_S: Final = 20 * 3600.0
_LOOK_S: Final = 600.0
_BREATH_S: Final = 0.05  # between two schools, for whoever reads or writes meanwhile


def due(now: datetime, last: float | None) -> bool:
    """Whether to compare now: it is night, and the last time was another one (epoch seconds)."""
    return now.hour in NIGHT and (last is None or abs(now.timestamp() - last) >= APART_S)


class Nightly:
    """A thread beside the hub; it only reads, but for each school's result."""

    def __init__(self, writer: storage.Writer, clock: Callable[[], datetime] = datetime.now) -> None:
        self._writer = writer
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nightly", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, in the middle if need be: the next night begins anew."""
        self._stop.set()
        self._thread.join()

    def look(self) -> bool:
        """Compare every school if it is time; whether it was."""
        reader = storage.reader(self._writer.path)
        try:
            (last,) = reader.execute("SELECT min(at) FROM verifications").fetchone()
            if not due(self._clock(), last):
                return False
            for school_id, name, _ in verification.schools(reader):
                self._compare(reader, school_id, name)
                if self._stop.wait(_BREATH_S):
                    break
            return True
        finally:
            reader.close()

    def _compare(self, reader: sqlite3.Connection, school_id: int, name: str) -> None:
        reader.execute("BEGIN")  # receipts and records of one moment
        try:
            result = verification.compare(reader, school_id, name)
        finally:
            reader.execute("ROLLBACK")
        at = self._clock().timestamp()
        self._writer.run(partial(verification.keep, school_id=school_id, result=result, at=at))
        if not result.whole:
            structlog.get_logger("hub").error(
                "not_as_disclosed", school=name, differ=result.differ, missing=result.missing
            )

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_S):
            try:
                self.look()
            except sqlite3.Error as error:  # a full disk: another night
                structlog.get_logger("hub").warning("not_compared", kind=type(error).__name__)
