"""Plain data that is read strictly: what every part of a fit's file is made of."""

import math
from collections.abc import Iterable

import msgspec


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every part: a key nobody knows is an error."""


def finite(*rows: Iterable[float]) -> bool:
    """Whether every number of every row is finite."""
    return all(math.isfinite(number) for row in rows for number in row)
