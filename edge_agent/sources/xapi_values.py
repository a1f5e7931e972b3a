"""What the xAPI standard asks of single values: identifiers, moments, durations, languages.

A refusal names the part and never what stood in it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import floor, isfinite
from typing import Final

from shared.errors import BadInput
from shared.signals import MAX_AMOUNT

Table = dict[str, object]
Check = Callable[[object, str], object]  # what came of the value of a part with that name; raises BadInput

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_IRI: Final = re.compile(r'[a-z][a-z0-9+.-]*:[^\x00-\x20\x7f-\x9f<>"{}|\\^`\s]+', re.IGNORECASE)
_MAILTO: Final = re.compile(r"mailto:([^\s@]+@[^\s@]+)", re.IGNORECASE)
_SHA1: Final = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)
# The lengths of RFC 5646's subtags in their order; nobody looks a language up.
_LANGUAGE: Final = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"
    r"|x(?:-[a-z0-9]{1,8})+|i-[a-z]{3,8}|en-gb-oed|sgn-(?:be-fr|be-nl|ch-de)|zh-min(?:-nan)?",
    re.IGNORECASE,
)
_LEAP_SECOND: Final = re.compile(r"(?<=[T ][0-9]{2}:[0-9]{2}:)60")
_MINUS_ZERO: Final = ("-00:00", "-0000")
_RFC_3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_NUMBER: Final = r"([0-9]+(?:[.,][0-9]+)?)"
_DURATION: Final = re.compile(
    rf"P(?!\Z)(?:{_NUMBER}W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?!\Z)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)"
)
_UNITS: Final = (7 * 86400, 365 * 86400, 30 * 86400, 86400, 3600, 60, 1)  # seconds, in the pattern's order


def wrong(detail: str) -> BadInput:
    """The refusal of a part that breaks the standard."""
    return BadInput("statement_invalid", detail)


def as_table(value: object, part: str) -> Table:
    """A JSON object."""
    if type(value) is dict:
        return value
    raise wrong(f"{part} must be an object")


def properties(table: Table, part: str, known: Mapping[str, Check]) -> None:
    """Each property by its check; one that the standard does not know, or writes otherwise, is refused."""
    for name, value in table.items():
        check = known.get(name)
        if check is None:
            raise wrong(f"{part} has a property that the standard does not know here")
        try:
            check(value, name)
        except BadInput as error:
            raise within(part, error) from None


def within(part: str, error: BadInput) -> BadInput:
    """The refusal of a part of `part`."""
    return BadInput(error.reason, f"{part}.{error.detail}")


def needed(table: Table, name: str, part: str) -> str:
    """A text that must be there; what it must be like is seen with the other properties."""
    found = table.get(name)
    if type(found) is str:
        return found
    raise wrong(f"{part}.{name} is missing")


def array_of(check: Check) -> Check:
    """A check of arrays whose every element passes `check`."""

    def checked(value: object, part: str) -> None:
        if type(value) is not list:
            raise wrong(f"{part} must be an array")
        for element in value:
            check(element, part)

    return checked


def text(value: object, part: str) -> str:
    """Any text."""
    if type(value) is str:
        return value
    raise wrong(f"{part} must be text")


def one_of(*words: str) -> Check:
    """A check of an enumeration."""

    def checked(value: object, part: str) -> None:
        if type(value) is not str or value not in words:
            raise wrong(f"{part} must be {' or '.join(words)}")

    return checked


def true_or_false(value: object, part: str) -> bool:
    """A boolean."""
    if type(value) is bool:
        return value
    raise wrong(f"{part} must be true or false")


def number(value: object, part: str) -> float:
    """A number of any size; one beyond what a float holds is infinite."""
    if type(value) is float or type(value) is int:
        return value
    raise wrong(f"{part} must be a number")


def whole_number(value: object, part: str) -> int:
    """A whole number, also written with a point."""
    found = number(value, part)
    if not isfinite(found) or found != int(found) or found < 0:
        raise wrong(f"{part} must be a whole number")
    return int(found)


def iri(value: object, part: str) -> str:
    """An IRI with its scheme."""
    if type(value) is str and _IRI.fullmatch(value):
        return value
    raise wrong(f"{part} must be an IRI")


def identifier(value: object, part: str) -> str:
    """A UUID in its usual form, as lower case."""
    if type(value) is str and _UUID.fullmatch(value):
        return value.lower()
    raise wrong(f"{part} must be a UUID")


def mailbox(value: object, part: str) -> str:
    """The address of a mailto: IRI."""
    found = _MAILTO.fullmatch(value) if type(value) is str else None
    if found is None:
        raise wrong(f"{part} must be mailto: and an address")
    return found[1]


def sha1(value: object, part: str) -> str:
    """Forty hex digits, as lower case."""
    if type(value) is str and _SHA1.fullmatch(value):
        return value.lower()
    raise wrong(f"{part} must be 40 hex digits")


def language(value: object, part: str) -> str:
    """A language tag by the shape that RFC 5646 gives it."""
    if type(value) is str and _LANGUAGE.fullmatch(value):
        return value
    raise wrong(f"{part} must be a language tag")


def language_map(value: object, part: str) -> None:
    """Texts by language."""
    for tag, said in as_table(value, part).items():
        if not _LANGUAGE.fullmatch(tag):
            raise wrong(f"{part} must be texts by language tag")
        text(said, part)


def extensions(value: object, part: str) -> None:
    """Anything at all, by IRI."""
    for name in as_table(value, part):
        if not _IRI.fullmatch(name):
            raise wrong(f"{part} must be values by IRI")


def moment(value: object, *, second: bool) -> int:
    """Seconds UTC; without an offset it is UTC. In the second edition it must be RFC 3339.

    Year 0 gives -1.
    """
    if type(value) is not str:
        raise wrong("timestamp must be text")
    upper, leap = value.upper(), 0
    if ":60" in upper:
        upper, leap = _LEAP_SECOND.subn("59", upper)
    if second and not _RFC_3339.fullmatch(upper):
        raise wrong("timestamp must be RFC 3339")
    if upper.endswith(_MINUS_ZERO) or (upper.endswith("-00") and "T" in upper):
        raise wrong("timestamp must be ISO 8601, which knows no offset of minus zero")
    # Year 0 is a year of ISO 8601 and none of Python's; year 4 has the same days.
    year_zero = upper.startswith("0000")
    try:
        found = datetime.fromisoformat("0004" + upper[4:] if year_zero else upper)
    except ValueError:
        raise wrong("timestamp must be ISO 8601") from None
    seconds = floor((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    return -1 if year_zero else seconds + leap


def duration(value: object, part: str) -> float:
    """Seconds of an ISO 8601 duration, an hour at most: nothing that is counted lasts longer."""
    found = _DURATION.fullmatch(value) if type(value) is str else None
    if found is None:
        raise wrong(f"{part} must be an ISO 8601 duration")
    parts = (float((part or "0").replace(",", ".")) for part in found.groups())
    return min(sum(part * unit for part, unit in zip(parts, _UNITS, strict=True)), MAX_AMOUNT)
