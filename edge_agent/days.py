"""Local days of the school: where they begin in UTC, which one a moment belongs to."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

KEY_HOURS: Final = 36


def day_start(day: date, zone: ZoneInfo) -> int:
    """The first second of a local day, in seconds UTC."""
    return int(datetime.combine(day, time(), zone).timestamp())


def day_of(moment: float, zone: ZoneInfo) -> date:
    """The local day that a moment (seconds UTC) belongs to."""
    return datetime.fromtimestamp(moment, zone).date()


def key_expires(day: date, zone: ZoneInfo) -> int:
    """When the key of a local day is destroyed: 36 hours after the day began, in seconds UTC."""
    return day_start(day, zone) + KEY_HOURS * 3600


def living_days(now: float, zone: ZoneInfo) -> tuple[date, ...]:
    """Local days whose key may still live at `now`, oldest first."""
    today = day_of(now, zone)
    return tuple(day for day in (today - timedelta(days=1), today) if key_expires(day, zone) > now)


def rfc3339(moment: float) -> str:
    """Seconds UTC as RFC 3339."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def week_name(day: date) -> str:
    """The ISO week of a day, as `2026-W38`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def week_days(name: str) -> tuple[date, ...]:
    """Monday to Sunday of an ISO week."""
    monday = date.fromisocalendar(int(name[:4]), int(name[6:]), 1)
    return tuple(monday + timedelta(days=i) for i in range(7))
