"""Whether there is room for more: the budgets of `agent.toml` against what is stored and what is free."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from edge_agent.settings import DiskSettings
from shared.link import outbox
from shared.link.frames import MAX_PAYLOAD
from shared.storage import reader

MIB: Final = 1024 * 1024
STALE_SECONDS: Final = 1.0  # counting what waits reads it all

Budget = Literal["outbox_mib", "signals_mib", "free_mib"]


@dataclass(frozen=True, slots=True)
class Use:
    """Bytes: stored signals, and what the disk has left with what the database itself can fill again.

    `outbox_full`: there may be no room for another record; `refused` counts those the district refused.
    """

    outbox_full: bool
    refused: int
    signals: int
    free: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """Which budget is used up, and in words what that means and what to do."""

    budget: Budget
    words: str


def shortage(use: Use, disk: DiskSettings) -> Shortage | None:
    """The first budget that is used up, the disk's before the others, or None."""
    found: tuple[tuple[Budget, bool, str], ...] = (
        ("free_mib", use.free < disk.free_mib * MIB, _disk_words(use, disk)),
        ("outbox_mib", use.outbox_full, _outbox_words(use, disk)),
        ("signals_mib", use.signals >= disk.signals_mib * MIB, _signals_words(disk)),
    )
    return next((Shortage(budget, _STOPPED + words) for budget, is_short, words in found if is_short), None)


class Room:
    """Measures one agent's folder; any thread. `close` after whoever asks has ended."""

    def __init__(
        self, database: Path, disk: DiskSettings, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = database.parent
        self._disk = disk
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._connection = reader(database)
        self._outbox_full = False
        self._looked = float("-inf")

    def close(self) -> None:
        """Close the reading connection."""
        with self._lock:
            self._connection.close()

    def use(self) -> Use:
        """What is used now; of an outbox that is nearly full, as it was at most a second ago."""
        with self._lock:
            connection = self._connection
            if outbox.room_left(connection) >= MAX_PAYLOAD:
                self._outbox_full = False
            elif self._monotonic() >= self._looked + STALE_SECONDS:
                self._outbox_full, self._looked = outbox.is_full(connection), self._monotonic()
            refused = _one(connection, "SELECT count(*) FROM outbox WHERE state = 'aside'")
            signals = _one(connection, "SELECT bytes FROM stored")
            page = _one(connection, "PRAGMA page_size") * _one(connection, "PRAGMA freelist_count")
        status = os.statvfs(self._folder)
        return Use(self._outbox_full, refused, signals, status.f_bavail * status.f_frsize + page)

    def look(self) -> tuple[Use, Shortage | None]:
        """What is used now, and which budget is used up."""
        use = self.use()
        return use, shortage(use, self._disk)

    def shortage(self) -> Shortage | None:
        """Which budget is used up now, if any."""
        return self.look()[1]


_STOPPED: Final = "Nothing more is read for now, and nothing is lost: "
_GOES_ON: Final = "Reading goes on where it stands."


def _disk_words(use: Use, disk: DiskSettings) -> str:
    return (
        f"the disk has {use.free // MIB} MiB left, and `free_mib` in agent.toml keeps {disk.free_mib} free."
        f" Make room on the disk. {_GOES_ON}"
    )


def _outbox_words(use: Use, disk: DiskSettings) -> str:
    refused = (
        f" {use.refused} of them were refused: `commonground agent rejected DIR list` says why."
        if use.refused
        else ""
    )
    more = "allow more in agent.toml, then start the agent anew"
    return (
        f"records for the district fill the {disk.outbox_mib} MiB that `outbox_mib` in agent.toml allows."
        f"{refused} Reconnect the district, or {more}. {_GOES_ON}"
    )


def _signals_words(disk: DiskSettings) -> str:
    return (
        f"signals fill the {disk.signals_mib} MiB that `signals_mib` in agent.toml allows. A day’s signals"
        f" are deleted by noon of the next; if that is too late, allow more in agent.toml, then start the"
        f" agent anew. {_GOES_ON}"
    )


def _one(connection: sqlite3.Connection, query: str) -> int:
    (found,) = connection.execute(query).fetchone()
    return int(found)
