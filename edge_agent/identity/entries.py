"""What readers of other programs' histories share: the cells of a line, and moments as each writes them."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, tzinfo
from typing import Final

from edge_agent.sources.logtime import END_OF_TIME
from shared.errors import BadInput
from shared.exports import split

LONGEST_LINE: Final = 4000  # characters

_FORMS: Final = (
    "%a %b %d %H:%M:%S %Y",
    "%b %d %Y %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
)


def cells(line: str, separator: str = ",") -> list[str]:
    """The cells of a line of CSV; none where it is too long, or no text."""
    if len(line) <= LONGEST_LINE and "\0" not in line:
        with suppress(BadInput):
            return split(line, separator)
    return []


def moment_of(text: str, zone: tzinfo, forms: Iterable[str] = _FORMS) -> int | None:
    """Seconds UTC of a time as such programs write it (epoch, RFC 3339, else one of the forms), or None.

    What names no zone is of `zone`; in an hour that comes twice its first pass is meant.
    """
    try:
        if text.isdecimal():
            return plausible(int(text))
        found = _parsed(text, forms)
        if found is None:
            return None
        return plausible(int(found.replace(tzinfo=found.tzinfo or zone).timestamp()))
    except (ValueError, OverflowError):
        return None


def plausible(moment: int) -> int | None:
    """The moment (seconds UTC), if a signal could have it."""
    return moment if 0 <= moment < END_OF_TIME else None


def _parsed(text: str, forms: Iterable[str]) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in forms:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None
