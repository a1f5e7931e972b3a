"""The term that a school is in, from the weeks it sent; pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final

LEAST_WEEKS: Final = 4  # fewer with lessons, and nothing that needs a term is said
MOST_WEEKS: Final = 26
BREAK_WEEKS: Final = 3  # this many without a lesson end a term


def newest_term(weeks: Sequence[str]) -> tuple[str, ...]:
    """Of ISO weeks in rising order those since the last break of three weeks, of half a year at most."""
    found: list[str] = []
    for week in reversed(weeks):
        if found and _apart(week, found[-1]) > BREAK_WEEKS:
            break
        if found and _apart(week, found[0]) >= MOST_WEEKS:
            break
        found.append(week)
    return tuple(reversed(found))


def _apart(earlier: str, later: str) -> int:
    """Weeks from one to the other."""
    first, last = (date.fromisocalendar(int(week[:4]), int(week[6:]), 1) for week in (earlier, later))
    return (last - first).days // 7
