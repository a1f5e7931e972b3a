"""Times in log lines: RFC 3339, or syslog's `Sep 14 08:31:02`; what does not say its zone is local time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HOUR = 3600
REPEATED_HOUR = 1800
AHEAD = timedelta(days=3)  # a resolver's clock may be wrong; further ahead it was last year
PLAUSIBLE_AHEAD = 86400.0  # what lies further ahead says nothing of how far a log has come
END_OF_TIME = 1 << 32


class LogTime:
    """Text to seconds UTC. `year` is fixed, or the one that puts the time nearest before `now`."""

    def __init__(self, zone: ZoneInfo, *, year: int | None = None, now: float | None = None) -> None:
        self._zone = zone
        self._year = year
        self._now = now
        self._seen: dict[bytes, int | None] = {}
        self._last = 0

    def at(self, now: float) -> None:
        """Tell what time it is (seconds UTC): for lines without a year, and for `latest`."""
        self._now = now

    @property
    def latest(self) -> float:
        """The latest moment (seconds UTC) that a line may claim and still be believed."""
        return float("inf") if self._now is None else self._now + PLAUSIBLE_AHEAD

    def seconds(self, text: bytes) -> int | None:
        """Seconds UTC in [0, 2^32), or None if the text is no such time.

        In the hour that the end of daylight saving repeats, time goes forward: a reading half an
        hour or more before the last line's belongs to the second pass.
        """
        if text in self._seen:
            return self._seen[text]
        moment = self._parse(text)
        if len(self._seen) > 4096:
            self._seen.clear()
        if moment is None or moment[0] == moment[1]:
            self._seen[text] = found = None if moment is None else moment[0]
        else:
            first, second = moment
            found = second if self._last - first > REPEATED_HOUR else first
        if found is not None and found <= self.latest:
            self._last = max(self._last, found)
        return found

    def hour(self, text: bytes, zone: bytes = b"") -> int | None:
        """When an hour begins (seconds UTC), if each of its 3,600 seconds follows the one before; else None.

        `text` is a time as far as its hour, `zone` what stands behind the seconds.
        """
        first, last = (self._parse(text + rest + zone) for rest in (b":00:00", b":59:59"))
        if first is None or last is None or first[0] != first[1] or last[0] != last[1]:
            return None
        return first[0] if last[0] - first[0] == HOUR - 1 else None

    def advance(self, moment: int) -> None:
        """Lines up to this moment (seconds UTC, not after `latest`) were read by their hours."""
        self._last = max(self._last, moment)

    def _parse(self, text: bytes) -> tuple[int, int] | None:
        try:
            line = text.decode("ascii")
            moment = datetime.fromisoformat(line) if line[0].isdigit() else self._without_year(line)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=self._zone)
            first, second = (int(moment.replace(fold=fold).timestamp()) for fold in (0, 1))
        except (ValueError, IndexError, OverflowError):
            return None
        return (first, second) if 0 <= min(first, second) <= max(first, second) < END_OF_TIME else None

    def _without_year(self, line: str) -> datetime:
        month, day, clock = line.split()
        hour, minute, second = (int(part) for part in clock.split(":"))
        return self._local((MONTHS.index(month) + 1, int(day), hour, minute, min(second, 59)))

    def _local(self, parts: tuple[int, int, int, int, int]) -> datetime:
        if self._year is not None:
            return datetime(self._year, *parts, tzinfo=self._zone)
        now = datetime.fromtimestamp(self._now, UTC) if self._now is not None else datetime.now(UTC)
        years = (now.year + 1, now.year, now.year - 1)
        for year in years:
            try:
                local = datetime(year, *parts, tzinfo=self._zone)
            except ValueError:  # 29 February of another year
                continue
            if local.astimezone(UTC) <= now + AHEAD:
                return local
        raise ValueError("no year fits")
