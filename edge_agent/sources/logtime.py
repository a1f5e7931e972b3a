"""Times in log lines: RFC 3339, or syslog's `Sep 14 08:31:02` in local time and without a year."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
REPEATED_HOUR = 1800
AHEAD = timedelta(days=3)  # a resolver's clock may be wrong; further ahead it was last year


class LogTime:
    """Text to seconds UTC. `year` is fixed, or the one that puts the time nearest before `now`."""

    def __init__(self, zone: ZoneInfo, *, year: int | None = None, now: float | None = None) -> None:
        self._zone = zone
        self._year = year
        self._now = now
        self._seen: dict[bytes, int | None] = {}
        self._last = 0

    def at(self, now: float) -> None:
        """Tell what time it is, for lines without a year."""
        self._now = now

    def seconds(self, text: bytes) -> int | None:
        """Seconds UTC, or None if the text is no time.

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
        if found is not None:
            self._last = max(self._last, found)
        return found

    def _parse(self, text: bytes) -> tuple[int, int] | None:
        try:
            line = text.decode("ascii")
            if line[0].isdigit():
                moment = int(datetime.fromisoformat(line).timestamp())
                return moment, moment
            month, day, clock = line.split()
            hour, minute, second = (int(part) for part in clock.split(":"))
            parts = (MONTHS.index(month) + 1, int(day), hour, minute, min(second, 59))
            local = self._local(parts)
        except (ValueError, IndexError):
            return None
        return tuple(int(local.replace(fold=fold).timestamp()) for fold in (0, 1))  # type: ignore[return-value]

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
