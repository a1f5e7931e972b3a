"""One row of a LearnPlatform engagement file: use, no use, or a fault with its reason; pure."""

import csv
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
from math import isfinite
from typing import Final

COLUMNS: Final = ("time", "lp_id", "pct_access", "engagement_index")

BLANK: Final = frozenset(("", "nan", "na", "null", "none"))
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST: Final = date(2000, 1, 1)
AHEAD: Final = timedelta(days=366)  # of today: a later date is a misprint
MOST: Final = 1e9  # page loads per 1,000 students of one product on one day


class Fault(Enum):
    """Why a row is left out."""

    WRONG_COLUMNS = "wrong_columns"
    BAD_DATE = "bad_date"
    BLANK_LP_ID = "blank_lp_id"
    UNKNOWN_PRODUCT = "unknown_product"
    BLANK_ENGAGEMENT = "blank_engagement"
    BAD_NUMBER = "bad_number"
    NEGATIVE_NUMBER = "negative_number"
    NUMBER_TOO_LARGE = "number_too_large"
    DUPLICATE_ROW = "duplicate_row"
    # Of exports that are read through a mapping:
    BLANK_PRODUCT = "blank_product"
    NOT_KEPT = "not_kept"
    MORE_THAN_USERS_CAN = "more_than_users_can"
    UTF_16 = "utf_16"
    LINE_TOO_LONG = "line_too_long"
    CONTROL_BYTES = "control_bytes"
    MALFORMED_LINE = "malformed_line"
    TOO_MANY_COLUMNS = "too_many_columns"
    NO_HEADER = "no_header"


@dataclass(frozen=True, slots=True)
class Use:
    """Use of one product on one day; `known`: the list of products names it.

    `engagement` is page loads per 1,000 students, or what a mapping says that its export counts.
    """

    day: date
    product: str
    engagement: float
    known: bool


class NotUsed:
    """Nobody used the product on that day: neither use nor a fault."""


NOT_USED: Final = NotUsed()


def order_of(header: str) -> tuple[int, ...] | None:
    """Where each of COLUMNS stands in a header line, or None when one is missing."""
    names = [name.strip().lower() for name in fields(header)]
    return tuple(names.index(name) for name in COLUMNS) if set(COLUMNS) <= set(names) else None


def fields(line: str) -> list[str]:
    """A line's fields; a line is a row, so that an open quote cannot swallow the rows after it."""
    return next(csv.reader((line.rstrip("\r\n"),)), [])


def read_row(
    line: str, width: int, order: Sequence[int], products: Container[str], last: date
) -> Use | NotUsed | Fault:
    """What a line says; `width` fields are expected, `order` is of `order_of`, `products` the known ids.

    Days from 2000 to `last` are dates; any other is none that an export could hold.

    A blank `engagement_index` with `pct_access` 0 is no use, whatever the product; so is a count of 0. A
    row's own faults come before the question whether the list names its product.
    """
    try:
        row = fields(line)
    except csv.Error:
        return Fault.WRONG_COLUMNS
    if len(row) != width:
        return Fault.WRONG_COLUMNS
    time, lp_id, access, engagement = (row[i].strip() for i in order)
    day = _day(time)
    if day is None or not FIRST <= day <= last:
        return Fault.BAD_DATE
    if lp_id.lower() in BLANK:
        return Fault.BLANK_LP_ID
    lp_id = lp_id.removesuffix(".0")
    loads = _amount(access, engagement)
    return Use(day, lp_id, loads, lp_id in products) if isinstance(loads, float) else loads


def _amount(access: str, engagement: str) -> float | NotUsed | Fault:
    percent, loads = number(access), number(engagement)
    if isinstance(percent, Fault):
        return percent
    if isinstance(loads, Fault):
        return loads
    if loads is None:
        return NOT_USED if percent == 0 else Fault.BLANK_ENGAGEMENT
    if percent is not None and percent > 100:
        return Fault.BAD_NUMBER
    if loads > MOST:
        return Fault.NUMBER_TOO_LARGE
    return loads or NOT_USED


def number(text: str) -> float | Fault | None:
    """A number of 0 or more; None for a blank."""
    if text.lower() in BLANK:
        return None
    try:
        number = float(text)
    except ValueError:
        return Fault.BAD_NUMBER
    if not isfinite(number):
        return Fault.BAD_NUMBER
    return number if number >= 0 else Fault.NEGATIVE_NUMBER


@lru_cache(maxsize=2048)
def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None
