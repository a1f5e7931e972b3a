"""What a usage export says of a district, as people read it: names in words, ranges without brackets."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from shared.pages.formats import capital, number, share

_RANGE: Final = re.compile(r"^[\[\]](-?[\d.]+), *(-?[\d.]+)[\[\]]$")


def _dollars(value: float) -> str:
    return f"${number(value)}"


# The export's column: its name in words, and how a bound of its range is written.
_WORDS: Final[Mapping[str, tuple[str, Callable[[float], str]]]] = MappingProxyType(
    {
        "export": ("Read by the mapping", number),
        "counted": ("Counted in", number),
        "state": ("State", number),
        "locale": ("Locale", number),
        "pct_black/hispanic": ("Learners who are Black or Hispanic", share),
        "pct_free/reduced": ("Learners with free or reduced-price meals", share),
        "county_connections_ratio": ("Fixed connections per household", number),
        "pp_total_raw": ("Spending per learner", _dollars),
    }
)


def facts_words(facts: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """`(name, value)` for each fact; `[0.2, 0.4[` is `20% to 40%`, a suppressed one `not given`."""
    found = []
    for column, value in facts.items():
        if column == "of":  # the heading says it: `School elm-street`
            continue
        name, bound = _WORDS.get(column, (capital(column.replace("_", " ")), number))
        found.append((name, "not given" if value is None else _value(value, bound)))
    return found


def _value(text: str, bound: Callable[[float], str]) -> str:
    held = _RANGE.match(text.strip())
    return f"{bound(float(held[1]))} to {bound(float(held[2]))}" if held else text
