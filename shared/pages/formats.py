"""Numbers, shares, dates and plurals as a page says them: two significant digits, units, no jargon."""

import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

from markupsafe import Markup

Order = Literal["dmy", "mdy"]

MISSING: Final = "not visible"

# In English like the pages; calendar.month_name would follow the machine's locale.
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# Plurals that are not formed by adding an s.
_IRREGULAR: Final[Mapping[str, str]] = MappingProxyType(
    {"class": "classes", "is": "are", "has": "have", "was": "were", "it": "they", "its": "their"}
)


def number(value: float | None) -> str:
    """At most two significant digits, thousands apart: 1234 is `1,200`, 0.1234 is `0.12`."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    digits = 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    if abs(rounded) >= 10:
        return f"{rounded:,.0f}"
    return f"{rounded:,.{max(0, 1 - math.floor(math.log10(abs(rounded))))}f}".rstrip("0").rstrip(".")


def share(value: float | None) -> str:
    """A share of 1 in percent; what is neither none nor all never reads as 0% or 100%."""
    if value is None or not math.isfinite(value):
        return MISSING
    if 0 < value <= 0.005:
        return "under 1%"
    if 0.995 <= value < 1:
        return "over 99%"
    return f"{value * 100:.0f}%"


def plural(word: str, n: float) -> str:
    """The word as it goes with `n` of it."""
    if n == 1:
        return word
    return _IRREGULAR.get(word, f"{word}s")


def count(n: int, unit: str) -> str:
    """An exact count with its unit: `1 lesson`, `1,204 lessons`, `no lessons`."""
    return f"{n:,d} {plural(unit, n)}" if n else f"no {plural(unit, 0)}"


def order_for(accept_language: str) -> Order:
    """How a reader's locale writes a date; only American English puts the month first."""
    first = accept_language.split(",")[0].split(";")[0].strip().lower()
    return "mdy" if first == "en-us" else "dmy"


def day_words(value: date, order: Order, *, weekday: bool = False, year: bool = True) -> str:
    """`Tuesday 4 March 2025`, or `Tuesday, March 4, 2025`; months in letters, so never ambiguous."""
    month = _MONTHS[value.month - 1]
    if order == "mdy":
        text = f"{month} {value.day}" + (f", {value.year}" if year else "")
        return f"{_DAYS[value.weekday()]}, {text}" if weekday else text
    text = f"{value.day} {month}" + (f" {value.year}" if year else "")
    return f"{_DAYS[value.weekday()]} {text}" if weekday else text


def clock_words(value: datetime, order: Order) -> str:
    """`14:05`, or `2:05 pm`; says UTC where the time is not a school's own."""
    zone = " UTC" if value.utcoffset() == timedelta(0) else ""
    if order == "mdy":
        return f"{value.hour % 12 or 12}:{value.minute:02d} {'am' if value.hour < 12 else 'pm'}{zone}"
    return f"{value.hour:02d}:{value.minute:02d}{zone}"


def day(value: str | date, order: Order = "dmy", *, weekday: bool = False, year: bool = True) -> Markup:
    """A date as a <time> element; `value` is a date or begins with an ISO date."""
    parsed = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    words = day_words(parsed, order, weekday=weekday, year=year)
    return Markup('<time datetime="{}">{}</time>').format(parsed.isoformat(), words)


def moment(value: str | None, order: Order = "dmy") -> Markup | str:
    """An RFC 3339 time as a <time> element, day and hour as its own offset has them; `never` for None."""
    if value is None:
        return "never"
    parsed = datetime.fromisoformat(value)
    words = f"{day_words(parsed.date(), order)}, {clock_words(parsed, order)}"
    return Markup('<time datetime="{}">{}</time>').format(value, words)


def hour(value: str, order: Order = "dmy") -> Markup:
    """The hour alone of an RFC 3339 time, as a <time> element."""
    return Markup('<time datetime="{}">{}</time>').format(
        value, clock_words(datetime.fromisoformat(value), order)
    )


def monday(week: str) -> date:
    """The first day of an ISO week such as `2025-W14`."""
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def week_words(week: str, order: Order, *, year: bool = True) -> str:
    """`the week of 31 March 2025` for an ISO week."""
    return f"the week of {day_words(monday(week), order, year=year)}"


def week(value: str, order: Order = "dmy", *, opens: bool = False) -> Markup:
    """An ISO week as a <time> element in words, its first letter large where it opens a line."""
    words = week_words(value, order)
    return Markup('<time datetime="{}">{}</time>').format(value, capital(words) if opens else words)


def week_start(value: str, order: Order = "dmy") -> Markup:
    """The Monday of an ISO week as a <time> element."""
    return Markup('<time datetime="{}">{}</time>').format(value, day_words(monday(value), order))


def short_day(value: date, order: Order) -> str:
    """`4 Mar`, or `Mar 4`: for axes, where the year stands elsewhere."""
    month = _MONTHS[value.month - 1][:3]
    return f"{month} {value.day}" if order == "mdy" else f"{value.day} {month}"


def listing(words: list[str] | tuple[str, ...]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def coded(text: str) -> Markup:
    """Escaped text whose `words in backticks` are code; no line breaks within an `--option` of it."""
    return Markup("").join(
        Markup("<code>{}</code>").format(_options(part)) if i % 2 else part
        for i, part in enumerate(text.split("`"))
    )


def _options(code: str) -> Markup:
    return Markup(" ").join(
        Markup('<span class="option">{}</span>').format(word) if word.startswith("--") else word
        for word in code.split(" ")
    )


def capital(text: str) -> str:
    """The first letter large, the rest as it is."""
    return text[:1].upper() + text[1:]
