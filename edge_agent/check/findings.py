"""What a check finds: a level, one sentence, its figures, and what to do about it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

Level = Literal["ok", "look", "fix"]
Figures = Mapping[str, int | float | str]

LEVELS: Final[tuple[Level, ...]] = ("ok", "look", "fix")
EXIT_CODES: Final[Mapping[Level, int]] = MappingProxyType({"ok": 0, "look": 3, "fix": 4})
SMALL: Final = 3  # what changes by no more is no news
GROWN: Final = 2.0  # nor is what has not doubled


class Finding(msgspec.Struct, frozen=True):
    """One finding. `id` is stable from version to version; `do` is empty where all is well.

    `examples` are ids of classes: for whoever calls the command, never kept and never on a page.
    """

    id: str
    level: Level
    what: str
    figures: Figures = {}
    do: str = ""
    examples: tuple[str, ...] = ()


def worst(findings: Iterable[Finding]) -> Level:
    """The worst level of all."""
    return max((finding.level for finding in findings), key=LEVELS.index, default="ok")


def is_same(before: Finding, after: Finding) -> bool:
    """Whether a finding that somebody ticked off is still that finding: no worse, and about as large."""
    return (
        before.level == after.level
        and before.figures.keys() == after.figures.keys()
        and all(_is_near(value, after.figures[name]) for name, value in before.figures.items())
    )


def _is_near(before: int | float | str, after: int | float | str) -> bool:
    if isinstance(before, str) or isinstance(after, str):
        return before == after
    low, high = sorted((abs(before), abs(after)))
    return high - low <= SMALL or high < low * GROWN
