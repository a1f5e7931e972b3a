"""Lines of a chunk as columns: where each begins and ends, eight bytes of all at once, times by the hour."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.sources.logtime import LogTime

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]

NEWLINE: Final = 10
RETURN: Final = 13
WORD: Final = 8

_SYSLOG_HOUR: Final = re.compile(rb"[A-Z][a-z]{2} [ \d]\d \d\d")
_ISO_HOUR: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d")
HOURS: Final = {9: _SYSLOG_HOUR, 13: _ISO_HOUR}  # length of a time as far as its hour


def word(text: bytes) -> np.uint64:
    """Up to eight bytes as `Lines.words` has them, the first one lowest."""
    return np.uint64(int.from_bytes(text, "little"))


class Lines:
    """The lines of a chunk that are not empty; `begin` and `end` [n] are places in it."""

    def __init__(self, chunk: bytes) -> None:
        """Raises ValueError for less than eight bytes."""
        self.chunk = chunk
        self.data = np.frombuffer(chunk, np.uint8)
        ends = np.flatnonzero(self.data == NEWLINE)
        if not len(ends) or ends[-1] != len(chunk) - 1:
            ends = np.append(ends, len(chunk))
        begins = np.empty_like(ends)
        begins[0] = 0
        np.add(ends[:-1], 1, out=begins[1:])
        if len(ends) and (begins == ends).any():
            full = begins < ends
            begins, ends = begins[full], ends[full]
        self.begin: Ints = begins
        self.end: Ints = ends
        # One byte apart and eight wide: an index gives the eight bytes from there on.
        self._words: Words = np.ndarray((len(chunk) - 7,), "<u8", chunk, strides=(1,))

    def __len__(self) -> int:
        return len(self.begin)

    def words(self, at: Ints) -> Words:
        """Eight bytes from each place on; the places must be eight bytes before the end of the chunk."""
        found: Words = self._words[at]
        return found

    def hold(self, at: Ints, text: bytes) -> Bools:
        """Whether `text`, of eight bytes or more, is at each place."""
        last = len(text) - WORD
        good: Bools = self.words(at) == word(text[:WORD])
        for offset in [*range(WORD, last, WORD), last] if last else ():
            good &= self.words(at + offset) == word(text[offset : offset + WORD])
        return good

    def texts(self, begin: Ints, end: Ints) -> list[bytes]:
        """What is between each two places."""
        chunk = self.chunk
        return [chunk[i:j] for i, j in zip(begin.tolist(), end.tolist(), strict=True)]


_COLONS: Final = word(b"\0\0:\0\0:")
_COLONS_AT: Final = word(b"\0\0\xff\0\0\xff")
_ZEROS: Final = word(b"\0\0\x0000\x0000")
_DIGITS_AT: Final = word(b"\0\0\0\xff\xff\0\xff\xff")
_TOO_HIGH: Final = word(b"\0\0\0\x7a\x76\0\x7a\x76")  # makes 0x80 of a tens digit over 5, a unit over 9
_HIGH: Final = word(b"\0\0\0\x80\x80\0\x80\x80")


def clock(words: Words) -> tuple[Ints, Bools]:
    """Of `HH:MM:SS` the seconds since the hour began, and where it is written so; no matter which hour."""
    digits = (words ^ _ZEROS) & _DIGITS_AT
    good = ((digits | (digits + _TOO_HIGH)) & _HIGH) == 0
    good &= (words & _COLONS_AT) == _COLONS
    seconds = sum(
        ((digits >> np.uint64(shift)) & np.uint64(15)) * np.uint64(worth)
        for shift, worth in ((24, 600), (32, 60), (48, 10), (56, 1))
    )
    return np.asarray(seconds, np.uint64).astype(np.int64), good


def hours(lines: Lines, begin: Ints, clocks: Words, length: int, times: LogTime, zone: bytes) -> Ints:
    """When the hour of each time that is written at `begin` began (seconds UTC); -1 where it is no such hour.

    clocks: eight bytes from the hour on. length: of a time as far as its hour. zone: what is behind the
    seconds of all of them. An hour that the end of daylight saving repeats, or its beginning cuts, is no such
    hour either.
    """
    parts = [lines.words(begin), clocks & word(b"\xff\xff")]
    if length > WORD + 2:
        parts.append(lines.words(begin + (length - WORD)))
    new = np.zeros(len(begin), np.bool_)
    new[:1] = True
    for part in parts:
        new[1:] |= part[1:] != part[:-1]
    runs = np.flatnonzero(new)
    known: dict[bytes, int] = {}
    starts = []
    for text in lines.texts(begin[runs], begin[runs] + length):
        start = known.get(text)
        if start is None:
            found = times.hour(text, zone) if HOURS[length].fullmatch(text) else None
            start = known[text] = -1 if found is None else found
        starts.append(start)
    return np.repeat(np.array(starts, np.int64), np.diff(np.append(runs, len(begin))))


def is_fraction(lines: Lines, at: Ints, digits: int) -> Bools:
    """Whether a full stop and then so many digits, at most seven, are at each place."""
    shape = word(b"." + b"0" * digits)
    mask = word(b"\xff" * (digits + 1))
    apart = (lines.words(at) ^ shape) & mask
    over = word(b"\0" + b"\x76" * digits)
    high = word(b"\xff" + b"\x80" * digits)
    found: Bools = ((apart | (apart + over)) & high) == 0
    return found


def in_order(parts: Sequence[tuple[Ints, ...]]) -> tuple[Ints, ...]:
    """Columns of several parts as one, in order of their first column."""
    if len(parts) == 1:
        return parts[0]
    joined = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(joined[0], kind="stable")
    return tuple(column[order] for column in joined)
