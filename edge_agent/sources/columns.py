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
WORD: Final = 8

_SYSLOG_HOUR: Final = re.compile(rb"[A-Z][a-z]{2} [ \d]\d \d\d")
_ISO_HOUR: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d")
HOURS: Final = {9: _SYSLOG_HOUR, 13: _ISO_HOUR}  # length of a time as far as its hour


def word(text: bytes) -> np.uint64:
    """Up to eight bytes as `Lines.words` has them, the first one lowest."""
    return np.uint64(int.from_bytes(text, "little"))


class Spans:
    """As many bytes from each of n places on, side by side: to fetch them at once costs as much as a word."""

    def __init__(self, rows: NDArray[np.void]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def select(self, rows: Ints | Bools) -> "Spans":
        """Some of them."""
        return Spans(self._rows[rows])

    def words(self, offset: int) -> Words:
        """Eight bytes of each from the offset on."""
        size = self._rows.itemsize
        one = np.dtype({"names": ["word"], "formats": ["<u8"], "offsets": [offset], "itemsize": size})
        found: Words = self._rows.view(one)["word"].copy()
        return found

    def hold(self, offset: int, text: bytes) -> Bools:
        """Whether `text`, of eight bytes or more, is in each from the offset on."""
        last = len(text) - WORD
        good: Bools = self.words(offset) == word(text[:WORD])
        for more in [*range(WORD, last, WORD), last] if last else ():
            good &= self.words(offset + more) == word(text[more : more + WORD])
        return good

    def table(self) -> Words:
        """Words [n, size / 8] of all of them, the size being a multiple of eight; it may be written to."""
        return self._rows.view("<u8").reshape(len(self), self._rows.itemsize // WORD)

    def texts(self, rows: Ints, length: int) -> list[bytes]:
        """The first bytes of some."""
        return [bytes(row)[:length] for row in self._rows[rows].tolist()]


class Lines:
    """The lines of a chunk that are not empty; `begin` and `end` [n] are places in it."""

    def __init__(self, chunk: bytes) -> None:
        """Raises ValueError for less than eight bytes."""
        self.chunk = chunk
        self.data = np.frombuffer(chunk, np.uint8)
        ends = _newlines(self.data)
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

    def spans(self, at: Ints, size: int) -> Spans:
        """So many bytes from each place on; the places must be as many before the end of the chunk."""
        room = max(len(self.chunk) - size + 1, 0)
        return Spans(np.ndarray((room,), f"V{size}", self.chunk, strides=(1,))[at])

    def texts(self, begin: Ints, end: Ints) -> list[bytes]:
        """What is between each two places."""
        chunk = self.chunk
        return [chunk[i:j] for i, j in zip(begin.tolist(), end.tolist(), strict=True)]


def _newlines(data: NDArray[np.uint8]) -> Ints:
    """Where the newlines are; eight bytes are looked at together: most hold none, and few more than one."""
    marks = data == NEWLINE
    whole = len(data) & -WORD
    eights = marks[:whole].view("<u8")
    some = np.flatnonzero(eights != 0)
    held = eights[some]
    if (held & (held - np.uint64(1))).any():
        return np.flatnonzero(marks)
    # Of the one mark in each its place among the eight goes to the highest byte.
    places = some * WORD + (held * _PLACES >> np.uint64(56)).astype(np.int64)
    return np.append(places, np.flatnonzero(marks[whole:]) + whole)


_PLACES: Final = word(bytes(range(7, -1, -1)))
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


def moments(
    heads: Spans, length: int, times: LogTime, zone: bytes, known: dict[bytes, int]
) -> tuple[Ints, Ints]:
    """Where lines have another time than the one before, and which: seconds UTC, or -1 if that must be read
    one by one.

    length: of a time, with which `heads` begin, as far as its hour. zone: what is behind the seconds of all
    of them. known: hours that were looked at already. A time in an hour that the end of daylight saving
    repeats, or its beginning cuts, is none either.
    """
    parts = [heads.words(length - 2), heads.words(0)]
    if length > WORD + 2:
        parts.append(heads.words(length - WORD))
    runs = _changes(parts)
    clocks, *parts = (part[runs] for part in parts)
    since, good = clock(clocks)
    changes = _changes([clocks & word(b"\xff\xff"), *parts])
    starts = []
    for text in heads.texts(runs[changes], length):
        start = known.get(text + zone)
        if start is None:
            found = times.hour(text, zone) if HOURS[length].fullmatch(text) else None
            start = known[text + zone] = -1 if found is None else found
        starts.append(start)
    start_of = repeated(np.array(starts, np.int64), changes, len(runs))
    return runs, np.where(good & (start_of >= 0), start_of + since, -1)


def _changes(parts: Sequence[Words]) -> Ints:
    """The first row, and each where not every part is as in the one before."""
    new = np.zeros(len(parts[0]), np.bool_)
    new[:1] = True
    for part in parts:
        new[1:] |= part[1:] != part[:-1]
    return np.flatnonzero(new)


def repeated(values: Ints, begins: Ints, rows: int) -> Ints:
    """Of so many rows the value that holds from its beginning to the next one's."""
    return np.repeat(values, np.append(begins[1:], rows) - begins)


def are_fractions(words: Words, digits: int) -> Bools:
    """Which words begin with a full stop and then so many digits, at most seven."""
    shape = word(b"." + b"0" * digits)
    mask = word(b"\xff" * (digits + 1))
    apart = (words ^ shape) & mask
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
