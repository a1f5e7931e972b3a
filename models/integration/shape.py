"""What a value in a file must look like, said in tables: each check yields every fault below its place."""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from models.integration.locate import Place
from shared.plain import is_plain

LONGEST: Final = 600

_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LINK: Final = re.compile(r"https?://[^\s\"'<>]+")


class Fault(NamedTuple):
    """One mistake at one place of a table."""

    place: Place
    text: str


Check = Callable[[Any, Place], Iterator[Fault]]


class Key(NamedTuple):
    """What a key's value must look like, and whether the key must be there."""

    check: Check
    required: bool = True


def nearest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint at what was meant."""
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(word, names, n=1) if len(word) <= 60 else []
    return f"did you mean `{near[0]}`?" if near else otherwise or f"known: {', '.join(names)}"


def short(value: object) -> str:
    """A name from a file, fit for a message."""
    text = str(value)
    return f"`{text[:40]}…`" if len(text) > 40 else f"`{text}`"


def text(longest: int = LONGEST) -> Check:
    """One line of text, not blank."""

    def check(value: Any, place: Place) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield Fault(place, f"{_name(place)} must be text in quotes, not {_kind(value)}")
        elif not value.strip():
            yield Fault(place, f"{_name(place)} is blank: say it in words, or leave the key out if it may be")
        elif len(value) > longest:
            yield Fault(place, f"{_name(place)} has {len(value)} characters; at most {longest}")
        elif not is_plain(value):
            yield Fault(place, f"{_name(place)} holds a line break or another character that cannot be shown")

    return check


def identifier(value: Any, place: Place) -> Iterator[Fault]:
    """An id: lower snake case, at most 40 characters."""
    if not isinstance(value, str):
        yield from text()(value, place)
    elif not _ID.fullmatch(value):
        yield Fault(place, f"{_name(place)} {short(value)}: use lower snake case, at most 40 characters")


def is_identifier(value: str) -> bool:
    """Whether it may be an id."""
    return bool(_ID.fullmatch(value))


def link(value: Any, place: Place) -> Iterator[Fault]:
    """The address of a page."""
    faults = list(text(300)(value, place))
    yield from faults
    if not faults and not _LINK.fullmatch(value):
        yield Fault(place, f"{_name(place)} must be an address that begins with https:// or http://")


def choice(*known: str) -> Check:
    """One word of a few."""

    def check(value: Any, place: Place) -> Iterator[Fault]:
        if value not in known:
            wrong = short(value) if isinstance(value, str) else _kind(value)
            hint = f"{', '.join(known[:-1])} or {known[-1]}"
            yield Fault(place, f"{_name(place)} is {wrong}; it must be {hint}")

    return check


def number(low: float, high: float) -> Check:
    """A finite number from `low` to `high`."""

    def check(value: Any, place: Place) -> Iterator[Fault]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield Fault(place, f"{_name(place)} must be a number, not {_kind(value)}")
        elif (isinstance(value, float) and not math.isfinite(value)) or not low <= value <= high:
            yield Fault(place, f"{_name(place)} must be a finite number from {low:g} to {high:g}")

    return check


def many(check: Check, most: int, what: str) -> Check:
    """A list of at most `most` alike things."""

    def check_all(value: Any, place: Place) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield Fault(place, f"{_name(place)} must be a list of {what}, not {_kind(value)}")
            return
        if len(value) > most:
            yield Fault(place, f"{len(value)} {what}: at most {most}")
        for i, item in enumerate(value[:most]):
            yield from check(item, (*place, i))

    return check_all


def record(keys: Mapping[str, Key]) -> Check:
    """A table with these keys and no others."""

    def check(value: Any, place: Place) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield Fault(place, f"{_name(place)} must be a table with keys of its own, not {_kind(value)}")
            return
        for key in [key for key in value if key not in keys]:
            hint = nearest(key, keys, f"known keys: {', '.join(sorted(keys))}")
            yield Fault((*place, key), f"unknown key {short(key)}; {hint}")
        for key, (check_value, required) in keys.items():
            if key in value:
                yield from check_value(value[key], (*place, key))
            elif required:
                yield Fault(place, f"{_table(place)} lacks `{key}`")

    return check


def texts_by_id(longest: int = LONGEST) -> Check:
    """A table of texts, each by an id."""

    def check(value: Any, place: Place) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield Fault(place, f"{_name(place)} must be a table of texts, not {_kind(value)}")
            return
        for key, item in value.items():
            yield from text(longest)(item, (*place, key))

    return check


def _name(place: Place) -> str:
    names = [part for part in place if isinstance(part, str)]
    return short(names[-1]) if names else "the file"


def _table(place: Place) -> str:
    return f"this {_name(place)} table" if place else "the file"


def _kind(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    names |= {list: "a list", dict: "a table"}
    return names.get(type(value), "a date or a time")
