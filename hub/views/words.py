"""The fixed sentences of the views, and how long ago in words."""

from datetime import UTC, datetime
from typing import Final

from hub.views.district import Freshness

USAGE_LABEL: Final = "Page loads on Chromebooks and laptops, not iPads. These are not lessons."
USAGE_LABELS: Final = "What tools counted of products by day. These are not lessons."
MAPPED_LABEL: Final = "Use of products by day, counted in {counted}. These are not lessons."
MAPPED_ATTRIBUTION: Final = (
    "{of}’s own export, read through the mapping “{export}”; here summed by week and sorted into channels."
)
USAGE_ATTRIBUTION: Final = (
    "LearnPlatform, COVID-19 impact on digital learning (2020), CC BY-SA 4.0;"
    " here summed by week and sorted into channels."
)
UNSHARED_NOTE: Final = (
    "A class appears by itself only if its teacher shares it, with the lessons of that time; these stay here"
    " when sharing ends. Lessons of all other classes are part of the week’s numbers and never leave the"
    " school one by one."
)
SHORT_NOTE: Final = "Only {days} with use: too short for a term’s picture."
MAPPED_UNKNOWN_NOTE: Final = (
    "{share} of what was counted is use of products that the catalogue does not name; it is left out."
)
UNKNOWN_NOTE: Final = (
    "{share} of the page loads are of products that the list does not name; they are left out."
)

_MINUTE: Final = 60.0
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_FRESH: Final = 10 * _MINUTE


def rfc3339(epoch: float | None) -> str | None:
    """Epoch seconds as RFC 3339 in UTC."""
    if epoch is None:
        return None
    return datetime.fromtimestamp(int(epoch), UTC).isoformat().replace("+00:00", "Z")


def freshness(heard: float | None, joined: bool, revoked: bool, now: float) -> tuple[Freshness, str]:
    """How fresh a school is, as a word to style by and as words to read."""
    if revoked:
        return "revoked", "revoked"
    if heard is None:
        return "never", "joined, not heard yet" if joined else "invited, not joined yet"
    ago = max(0.0, now - heard)
    if ago <= _FRESH:
        return "fresh", f"heard {_ago(ago)}"
    if ago <= _DAY:
        return "quiet", f"last heard {_ago(ago)}"
    return "silent", f"silent, last heard {_ago(ago)}"


def _ago(seconds: float) -> str:
    for size, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
