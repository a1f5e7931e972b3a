"""Brings a school's simulated days into its agent's input folder: any span of time, in order, once."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from demo.app_names import AppNames
from demo.day import SchoolDay, build_day
from demo.dnsmasq_log import LEASE_SECONDS, render_leases
from demo.lessons import customs_of
from demo.school import School
from models.catalogue.load import Catalogue
from shared.errors import SettingsError

_DAYS_KEPT = 3


class Feed:
    """One school's days, built when needed; the last few are kept."""

    def __init__(self, school: School, zone: ZoneInfo, catalogue: Catalogue, names: AppNames) -> None:
        self.school = school
        self.zone = zone
        self._catalogue = catalogue
        self._customs = customs_of(school, catalogue)
        self._names = names
        self._days: dict[date, SchoolDay] = {}

    def log(self, start: int, end: int) -> bytes:
        """Log lines with `start <= t < end` (seconds UTC)."""
        return b"".join(day.log(start, end) for day in self._between(start, end))

    def statements(self, start: int, end: int) -> tuple[list[bytes], list[bytes]]:
        """Statements of a span in order of time, and broken ones that are sent with them."""
        good: list[bytes] = []
        broken: list[bytes] = []
        for day in self._between(start, end):
            sent, bad = day.sent(start, end)
            good += sent
            broken += bad
        return good, broken

    def leases(self, at: int) -> str:
        """The lease file at an instant."""
        known = [
            ack
            for day in self._between(at - LEASE_SECONDS, at)
            for ack in day.leases
            if at - LEASE_SECONDS <= ack.t < at
        ]
        return render_leases(known)

    def _between(self, start: int, end: int) -> list[SchoolDay]:
        first, last = self._date(start), self._date(max(end - 1, start))
        return [self.day(first + timedelta(days=i)) for i in range((last - first).days + 1)]

    def day(self, day: date) -> SchoolDay:
        """One calendar day."""
        if day not in self._days:
            while len(self._days) >= _DAYS_KEPT:
                del self._days[min(self._days)]
            self._days[day] = build_day(
                self.school, day, self.zone, self._customs, self._catalogue, self._names
            )
        return self._days[day]

    def _date(self, moment: int) -> date:
        return datetime.fromtimestamp(moment, self.zone).date()


def append_from(path: Path, base: int, chunk: bytes) -> int:
    """Make `path` hold `chunk` after its first `base` bytes; what is already there is not written again.

    A run that was killed while writing leaves the beginning of the same chunk. Returns the new size.
    """
    size = path.stat().st_size if path.exists() else 0
    if not base <= size <= base + len(chunk):
        raise SettingsError(f"{path} was changed by somebody else: remove the demo's folder and start anew")
    with path.open("ab") as file:
        file.write(chunk[size - base :])
    return base + len(chunk)
