"""Time zones that are no city's: they are valid, and seldom what a school means."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

_AREAS: Final = frozenset(
    (
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    )
)
_EASTERN: Final = "America/New_York"
_CENTRAL: Final = "America/Chicago"
_MOUNTAIN: Final = "America/Denver"
_PACIFIC: Final = "America/Los_Angeles"
_CITIES: Final = {
    "EST": f"{_EASTERN}, or America/Panama if no clock changes there",
    "MST": f"{_MOUNTAIN}, or America/Phoenix if no clock changes there",
    "HST": "Pacific/Honolulu",
    "EST5EDT": _EASTERN,
    "CST6CDT": _CENTRAL,
    "MST7MDT": _MOUNTAIN,
    "PST8PDT": _PACIFIC,
    "US/Eastern": _EASTERN,
    "US/Central": _CENTRAL,
    "US/Mountain": _MOUNTAIN,
    "US/Arizona": "America/Phoenix",
    "US/Pacific": _PACIFIC,
    "US/Alaska": "America/Anchorage",
    "US/Hawaii": "Pacific/Honolulu",
    "Canada/Atlantic": "America/Halifax",
    "Canada/Eastern": "America/Toronto",
    "Canada/Central": "America/Winnipeg",
    "Canada/Mountain": "America/Edmonton",
    "Canada/Pacific": "America/Vancouver",
    "WET": "Europe/Lisbon",
    "CET": "Europe/Berlin",
    "MET": "Europe/Berlin",
    "EET": "Europe/Helsinki",
    "GB": "Europe/London",
    "GMT": "Europe/London",
    "NZ": "Pacific/Auckland",
}
_ANY: Final = "the city whose clock the school goes by, such as Europe/Zurich"


def doubt(name: str) -> str:
    """What speaks against a valid zone, and which name to use; nothing against an Area/City."""
    area, sign, _ = name.partition("/")
    if sign and area in _AREAS:
        return ""
    instead = _CITIES.get(name, _ANY)
    if _changes(ZoneInfo(name)):
        return f"`{name}` is no city’s zone: write {instead}"
    return (
        f"`{name}` never changes its clock, so where clocks do, lessons are an hour off for half the year:"
        f" write {instead}"
    )


def _changes(zone: ZoneInfo) -> bool:
    return len({datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in range(1, 13)}) > 1
