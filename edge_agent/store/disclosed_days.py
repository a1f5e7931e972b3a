"""What left, by the school's own days: counts, the log's hash at the end of each, never an hour."""

import sqlite3
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from edge_agent.store.disclosures import WITHDRAWN

KINDS_LISTED: Final = ("lesson", "week")  # heartbeats are counted, and in the hash of their day


@dataclass(frozen=True, slots=True)
class Left:
    """Records of one kind that left on one day."""

    day: str
    kind: str
    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class DayEnd:
    """The hash of the day's last entry, which covers every entry before it."""

    day: str
    chain: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hash of one record."""

    day: str
    kind: str
    sha256: str


class DisclosedDays:
    """Reads the log's new entries each time it is asked; one thread. `hashes`: of how many records."""

    def __init__(self, zone: tzinfo, hashes: int) -> None:
        self._zone = zone
        self._hashes = hashes
        self._prints: dict[int, Fingerprint] = {}  # by the batch's number, oldest first
        self._seq = 0
        self._counts: Counter[tuple[str, str]] = Counter()
        self._bytes: Counter[tuple[str, str]] = Counter()
        self._ends: dict[str, str] = {}

    def read(self, connection: sqlite3.Connection) -> None:
        """Take in what was logged since."""
        found = connection.execute(
            "SELECT seq, at, kind, number, bytes, sha256, chain FROM disclosures WHERE seq > ? ORDER BY seq",
            (self._seq,),
        )
        for seq, at, kind, number, size, sha256, chain in found.fetchall():
            self._seq = seq
            day = self._day(at)
            if day is None or not all(isinstance(one, str) for one in (kind, sha256, chain)):
                continue  # somebody changed it: `disclosures.verify` says where
            self._ends[day] = chain
            if kind == WITHDRAWN:
                self._take_back(connection, number)
                continue
            self._add((day, kind), 1, size)
            if kind in KINDS_LISTED:
                self._prints[number] = Fingerprint(day, kind, sha256)
                if len(self._prints) > self._hashes:
                    del self._prints[next(iter(self._prints))]

    def left(self, limit: int | None = None) -> list[Left]:
        """Newest day first."""
        rows = sorted(
            ((day, kind) for (day, kind), count in self._counts.items() if count > 0),
            key=lambda row: row[1],
        )
        rows.sort(key=lambda row: row[0], reverse=True)
        return [Left(*row, self._counts[row], self._bytes[row]) for row in rows[:limit]]

    def ends(self, limit: int | None = None) -> list[DayEnd]:
        """Newest day first."""
        return [DayEnd(day, self._ends[day]) for day in sorted(self._ends, reverse=True)[:limit]]

    def fingerprints(self) -> list[Fingerprint]:
        """The newest records' hashes, within a day in no order of time: it would tell when a lesson was."""
        prints = sorted(self._prints.values(), key=lambda one: (one.kind, one.sha256))
        prints.sort(key=lambda one: one.day, reverse=True)
        return prints

    def told(self, rows: int | None = None) -> dict[str, list[dict[str, Any]]]:
        """All of it, as the status and the pages have it; at most so many rows of days."""
        return {
            "left": [asdict(one) for one in self.left(rows)],
            "left_days": [asdict(one) for one in self.ends(rows)],
            "left_hashes": [asdict(one) for one in self.fingerprints()],
        }

    def _take_back(self, connection: sqlite3.Connection, number: int) -> None:
        row = connection.execute(
            "SELECT at, kind, bytes FROM disclosures WHERE number = ? AND kind != ?", (number, WITHDRAWN)
        ).fetchone()
        self._prints.pop(number, None)
        if row and (day := self._day(row[0])):
            self._add((day, row[1]), -1, -row[2])

    def _add(self, of: tuple[str, str], count: int, size: int) -> None:
        self._counts[of] += count
        self._bytes[of] += size

    def _day(self, at: object) -> str | None:
        """The school's day of an entry; None for what is no time."""
        try:
            return datetime.fromisoformat(str(at)).astimezone(self._zone).date().isoformat()
        except (ValueError, OverflowError):
            return None
