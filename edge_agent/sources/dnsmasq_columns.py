"""dnsmasq's log in columns: what `read_dnsmasq` finds in a chunk, line for line, many times as fast.

Lines whose beginning was seen before are compared with it as numbers, all at once; names and addresses are
looked at once each. Every other line goes through `read_dnsmasq`'s own expression.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_agent.sources.columns import (
    WORD,
    Bools,
    Ints,
    Lines,
    Words,
    clock,
    hours,
    in_order,
    is_fraction,
    word,
)
from edge_agent.sources.dnsmasq import HARDWARE, MAX_LINE, read_dnsmasq, read_line
from edge_agent.sources.dnsmasq_layout import LONGEST_HEAD, Layout, Layouts
from edge_agent.sources.facts import Contact, Contacts, Fact, Lease, Reading
from edge_agent.sources.interned import Interned
from edge_agent.sources.logtime import END_OF_TIME, LogTime

FEW_BYTES: Final = 4096  # of a chunk: less is read line by line
LEAST_LINE: Final = 32  # the shortest line with a query, less one byte
MEMO_BYTES: Final = 8 * 1024 * 1024
ENTRY_BYTES: Final = 150
_SERIAL: Final = re.compile(rb"\d+ (?:[0-9A-Fa-f.:]+/\d+ )?")
_ADDRESS: Final = re.compile(rb"[0-9A-Fa-f.:]+")
_GIVEN: Final = re.compile(rb"DHCPACK\([^)]*\) (\S+) (\S+)")
_TYPES: Final = (b"query[A] ", b"query[AAAA] ", b"query[HTTPS] ", b"query[SVCB] ", b"query[type=65] ")
_FROM: Final = b" from "
_FROM_WORD: Final = word(_FROM)
_QUERY_WORD: Final = word(b"query[")
_SIX_BYTES: Final = word(b"\xff" * 6)
_GIVEN_WORD: Final = word(b"DHCPACK(")
_SHORT: Final = 16  # bytes at the end of a line that hold an IPv4 address and the blank before it
_SHORT_NAME: Final = 32


@dataclass(slots=True)
class _Found:
    """Parts of one chunk's columns: line number, seconds UTC, places in the tables."""

    contacts: list[tuple[Ints, ...]]
    leases: list[tuple[int, Fact]]
    times: list[tuple[Ints, ...]]


class DnsmasqReader:
    """Reads one log. It remembers how lines began, and the names and addresses of lines before."""

    def __init__(self) -> None:
        self._layouts = Layouts(2 * _SHORT)
        self._forget()

    def __call__(self, chunk: bytes, times: LogTime, /) -> Reading:
        """See Read; all contacts are in columns, unless it is but a few lines."""
        if len(chunk) < FEW_BYTES:
            return read_dnsmasq(chunk, times)
        if self._weight > MEMO_BYTES:
            self._forget()
        reading, lines, found = Reading(), Lines(chunk), _Found([], [], [])
        reading.lines = len(lines)
        slow = np.ones(len(lines), np.bool_)
        left = np.flatnonzero(
            (lines.end - lines.begin <= MAX_LINE) & (lines.begin < len(chunk) - LONGEST_HEAD)
        )
        for layout, rows in self._layouts.divide(lines, left):
            self._read(lines, layout, rows, times, found, slow)
        newest = self._slowly(lines, np.flatnonzero(slow), times, found, reading)
        reading.newest = newest if newest >= 0 else None
        self._finish(found, reading)
        return reading

    def _forget(self) -> None:
        self._weight = 0
        self._addresses: list[str] = []
        self._names: list[str] = []
        self._address_of: dict[bytes, int] = {}
        self._name_of: dict[bytes, int] = {}
        self._lengths = np.zeros(256, np.int64)
        self._ends = Interned(_SHORT // WORD)
        self._shorts = Interned(_SHORT_NAME // WORD)
        self._given: dict[bytes, tuple[str, str] | None] = {}

    def _read(
        self, lines: Lines, layout: Layout, rows: Ints, times: LogTime, found: _Found, slow: Bools
    ) -> None:
        """Take the rows that begin so; those that must be read one by one stay `slow`."""
        begin = lines.begin[rows]
        clocks = lines.words(begin + (layout.hour - 2))
        since, good = clock(clocks)
        start = hours(lines, begin, clocks, layout.hour, times, layout.zone)
        good &= start >= 0
        if layout.fraction:
            good &= is_fraction(lines, begin + (layout.hour + 6), layout.fraction)
        words = begin + layout.length
        good &= words < lines.end[rows]
        rows, words, t = rows[good], words[good], start[good] + since[good]
        words, whole = _after_serial(lines, rows, words)
        if whole is not None:
            rows, words, t = rows[whole], words[whole], t[whole]
        slow[rows] = False
        found.times.append((rows, t))
        heads = lines.words(words)
        if not layout.role:
            asked = (heads & _SIX_BYTES) == _QUERY_WORD
            self._asked(lines, rows[asked], words[asked], heads[asked], t[asked], found, slow)
        elif layout.role == b"-dhcp":
            given = np.flatnonzero(heads == _GIVEN_WORD)
            self._leased(lines, rows[given], words[given], t[given], found, slow)

    def _asked(
        self, lines: Lines, rows: Ints, words: Ints, heads: Words, t: Ints, found: _Found, slow: Bools
    ) -> None:
        """Take lines with a query; `heads` are the first eight bytes of their words."""
        end = lines.end[rows]
        end -= lines.data[end - 1] == ord("\r")
        begin = np.zeros(len(rows), np.int64)
        for start in _TYPES:
            of_type = np.flatnonzero(heads == word(start[:WORD]))
            at = words[of_type]
            whole = lines.words(at + (len(start) - WORD)) == word(start[-WORD:])
            begin[of_type[whole]] = at[whole] + len(start)
        of_use = (begin > 0) & (begin < end)
        rows, t, begin, end = rows[of_use], t[of_use], begin[of_use], end[of_use]
        address, stop = self._askers(lines, begin, end)
        good = (address >= 0) & (stop >= begin) & (stop <= len(lines.chunk) - WORD)
        good[good] = (lines.words(stop[good]) & _SIX_BYTES) == _FROM_WORD
        name = np.full(len(rows), -1, np.int64)
        name[good] = self._names_at(lines, begin[good], stop[good])
        good &= name >= 0
        if not good.all():
            slow[rows[~good]] = True
            rows, t, address, name = rows[good], t[good], address[good], name[good]
        found.contacts.append((rows, t, address, name))

    def _askers(self, lines: Lines, begin: Ints, end: Ints) -> tuple[Ints, Ints]:
        """Places in the table of the addresses that end at `end` (-1: none is there), and where the word
        before them begins.
        """
        chunk = lines.chunk

        def place_of(_: int, stop: int) -> int:
            # Of a longer address the end does not tell it; it has no blank in it either.
            blank = chunk.rfind(b" ", stop - _SHORT, stop)
            return -1 if blank < 0 else self._address(chunk[blank + 1 : stop])

        places = self._ends.numbers(lines, end - _SHORT, end, place_of)
        for i in np.flatnonzero(places < 0).tolist():
            blank = chunk.rfind(b" ", int(begin[i]), int(end[i]))
            places[i] = -1 if blank < 0 else self._address(chunk[blank + 1 : int(end[i])])
        return places, end - self._lengths[places] - len(_FROM)

    def _address(self, text: bytes) -> int:
        place = self._address_of.get(text)
        if place is not None:
            return place
        return self._add_address(text) if _ADDRESS.fullmatch(text) else -1

    def _add_address(self, text: bytes) -> int:
        place = self._address_of[text] = len(self._addresses)
        self._addresses.append(text.decode("ascii"))
        if place >= len(self._lengths) - 1:  # the last one is that of no address
            self._lengths = np.append(self._lengths, np.zeros(len(self._lengths), np.int64))
        self._lengths[place] = len(text)
        self._weight += len(text) + ENTRY_BYTES
        return place

    def _names_at(self, lines: Lines, begin: Ints, end: Ints) -> Ints:
        """Places in the table of the names between each two places; -1 for one that no name is like."""
        chunk, longest = lines.chunk, self._shorts.longest
        short = (end - begin <= longest) & (begin <= len(chunk) - longest)
        places = np.full(len(begin), -1, np.int64)
        places[short] = self._shorts.numbers(
            lines, begin[short], end[short], lambda start, stop: self._name(chunk[start:stop])
        )
        long = np.flatnonzero(~short)
        places[long] = [self._name(text) for text in lines.texts(begin[long], end[long])]
        return places

    def _name(self, text: bytes) -> int:
        place = self._name_of.get(text)
        if place is not None:
            return place
        if b" " in text:
            return -1
        self._name_of[text] = len(self._names)
        return self._add_name(text.decode("latin-1"))

    def _add_name(self, name: str) -> int:
        self._names.append(name)
        self._weight += 2 * len(name) + ENTRY_BYTES
        return len(self._names) - 1

    def _leased(self, lines: Lines, rows: Ints, words: Ints, t: Ints, found: _Found, slow: Bools) -> None:
        """Take lines with a lease."""
        for row, at, text in zip(rows.tolist(), t.tolist(), lines.texts(words, lines.end[rows]), strict=True):
            pair = self._given.get(text)
            if pair is None:
                given = _GIVEN.match(text)
                if given is None:
                    continue
                if not HARDWARE.match(given[2]):
                    slow[row] = True
                    continue
                pair = given[1].decode("latin-1"), given[2].replace(b":", b"").lower().decode("ascii")
                self._given[text] = pair
                self._weight += 3 * len(text) + ENTRY_BYTES
            found.leases.append((row, Lease(at, *pair)))

    def _slowly(self, lines: Lines, rows: Ints, times: LogTime, found: _Found, reading: Reading) -> int:
        """Read these lines one by one; the newest time of all lines that can be believed, or -1."""
        latest = int(min(times.latest, END_OF_TIME))
        quick, t = in_order(found.times) if found.times else (rows[:0], rows[:0])
        # What lies after `latest` counts for nothing.
        until = np.maximum.accumulate(np.where(t <= latest, t, -1)) if len(t) else t
        newest = int(until[-1]) if len(t) else -1
        contacts: list[tuple[int, int, int, int]] = []
        for row, before in zip(rows.tolist(), np.searchsorted(quick, rows).tolist(), strict=True):
            if before:
                times.advance(int(until[before - 1]))
            at = read_line(reading, lines.chunk[lines.begin[row] : lines.end[row]], times)
            if at is not None and newest < at <= latest:
                newest = at
            if reading.facts:
                fact = reading.facts.pop()
                if isinstance(fact, Contact):
                    contacts.append((row, fact.t, self._place_of(fact.address), self._add_name(fact.name)))
                else:
                    found.leases.append((row, fact))
        if newest >= 0:
            times.advance(newest)
        if contacts:
            columns = np.array(contacts, np.int64)
            found.contacts.append((columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3]))
        return newest

    def _place_of(self, address: str) -> int:
        text = address.encode("ascii")
        place = self._address_of.get(text)
        return self._add_address(text) if place is None else place

    def _finish(self, found: _Found, reading: Reading) -> None:
        none = np.zeros(0, np.int64)
        rows, t, address, name = in_order(found.contacts) if found.contacts else (none,) * 4
        found.leases.sort(key=lambda item: item[0])
        reading.facts = [fact for _, fact in found.leases]
        reading.after = np.searchsorted(rows, [row for row, _ in found.leases]).tolist()
        reading.contacts = Contacts(t, address, name, self._addresses, self._names)


def _after_serial(lines: Lines, rows: Ints, words: Ints) -> tuple[Ints, Bools | None]:
    """Where the words begin behind a serial number and `address/port`, and for which rows that is known."""
    digit = lines.data[words] - np.uint8(ord("0")) <= 9
    if not digit.any():
        return words, None
    words = words.copy()
    match, chunk = _SERIAL.match, lines.chunk
    at = np.flatnonzero(digit)
    moved = []
    for begin, end in zip(words[at].tolist(), lines.end[rows[at]].tolist(), strict=True):
        found = match(chunk, begin, end)
        moved.append(begin if found is None else found.end())
    words[at] = moved
    return words, (words < lines.end[rows]) & (words < len(chunk) - 2 * _SHORT)
