"""Local times, read and put on the clock, also on the two days a year when the clock changes."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def time_of_day(text: str) -> time | None:
    """A time of the day as `08:30`, `8:30` or `08:30:00`; None if unreadable."""
    try:
        return time.fromisoformat(text.zfill(5) if ":" in text else text)
    except ValueError:
        return None


def moment(day: date, at: time, zone: ZoneInfo) -> int:
    """Seconds UTC of a local time: the later of two local times is never the earlier moment.

    In the hour that is repeated a time means its first pass. A time that is missing is the moment at which
    the clock is put forward. So lessons that do not overlap on paper do not overlap in truth.
    """
    local = datetime.combine(day, at.replace(fold=0), zone)
    other = local.replace(fold=1)
    found = int(local.timestamp())
    # A missing time lies before the change by the later offset, and after it by the earlier one.
    is_missing = int(other.timestamp()) < found
    return _leap(int(other.timestamp()), found, zone) if is_missing else found


def _leap(low: int, high: int, zone: ZoneInfo) -> int:
    """The first second after `low`, and at most `high`, that has the offset of `high`."""
    wanted = datetime.fromtimestamp(high, UTC).astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, UTC).astimezone(zone).utcoffset() == wanted:
            high = middle
        else:
            low = middle
    return high
