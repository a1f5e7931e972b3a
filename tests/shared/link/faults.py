"""A database that fails where it is told to: at any statement, and between any two of its owner's steps.

Power that is cut takes the open transaction with it; what was committed stays. A full disk refuses one
statement, a COMMIT among them, or, being really full, whatever needs another page.
"""

import sqlite3
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final

import sqlite_utils

from tests.shared.link.world import PowerCutError

NEVER: Final = -1
_NO_LIMIT: Final = 2**30


class Fault(Enum):
    """What happens where the fuse burns out."""

    FULL = "full"  # the statement is refused
    CUT_BEFORE = "cut before"  # the process ends before the statement
    CUT_AFTER = "cut after"  # the process ends once the statement has had its effect


class FaultyDisk(sqlite3.Connection):
    """SQLite's own in-memory file behind a fuse that burns by one with each statement that writes."""

    fuse = NEVER
    fault = Fault.FULL

    def light(self, fault: Fault, steps: int) -> None:
        """Let this happen at the `steps`-th statement or instruction from now, counted from 0."""
        self.fault, self.fuse = fault, steps

    def between(self) -> None:
        """The owner is between two instructions."""
        if self.fault is not Fault.FULL and self._burnt():
            raise PowerCutError

    def recover(self) -> None:
        """The process is gone, and its open transaction with it."""
        self.fuse = NEVER
        if self.in_transaction:
            super().execute("ROLLBACK")

    def fill(self) -> None:
        """No page more than there are."""
        (pages,) = super().execute("PRAGMA page_count").fetchone()
        super().execute(f"PRAGMA max_page_count = {pages}")

    def make_room(self) -> None:
        """As many pages as ever."""
        super().execute(f"PRAGMA max_page_count = {_NO_LIMIT}")

    def copy(self) -> bytes:
        """A backup."""
        return self.serialize()

    def put_back(self, copy: bytes) -> None:
        """As it was then."""
        self.recover()
        self.deserialize(copy)
        self.make_room()

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """As ever, or not."""
        return self._guarded(sql, lambda: super(FaultyDisk, self).execute(sql, parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """As ever, or not."""
        return self._guarded(sql, lambda: super(FaultyDisk, self).executemany(sql, parameters))

    def _guarded(self, sql: str, work: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        if sql.startswith(("SELECT", "ROLLBACK", "RELEASE", "SAVEPOINT")) or not self._burnt():
            return work()
        if self.fault is Fault.FULL:
            raise sqlite3.OperationalError("database or disk is full")
        if self.fault is Fault.CUT_AFTER:
            work()
        raise PowerCutError

    def _burnt(self) -> bool:
        if self.fuse == NEVER:
            return False
        self.fuse -= 1
        return self.fuse == NEVER


def disk(*migrations: Callable[[sqlite_utils.Database], None]) -> FaultyDisk:
    """A new one, with these tables."""
    connection = sqlite3.connect(":memory:", isolation_level=None, factory=FaultyDisk)
    for migration in migrations:
        migration(sqlite_utils.Database(connection))
    return connection
