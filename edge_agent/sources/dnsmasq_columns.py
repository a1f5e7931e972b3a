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
    Spans,
    Words,
    are_fractions,
    in_order,
    moments,
    repeated,
    word,
)
from edge_agent.sources.dnsmasq import HARDWARE, MAX_LINE, read_dnsmasq, read_line
from edge_agent.sources.dnsmasq_layout import LONGEST_HEAD, Layout, Layouts
from edge_agent.sources.facts import Contact, Contacts, Fact, Lease, Reading
from edge_agent.sources.interned import Interned
from edge_agent.sources.logtime import END_OF_TIME, LogTime

FEW_BYTES: Final = 4096  # of a chunk: less is read line by line
MEMO_BYTES: Final = 8 * 1024 * 1024
ENTRY_BYTES: Final = 150
_SERIAL: Final = re.compile(rb"\d+ (?:[0-9A-Fa-f.:]+/\d+ )?")
_ADDRESS: Final = re.compile(rb"[0-9A-Fa-f.:]+")
_GIVEN: Final = re.compile(rb"DHCPACK\([^)]*\) (\S+) (\S+)")
_STARTS: Final = (b"query[A] ", b"query[AAAA] ", b"query[HTTPS] ", b"query[SVCB] ", b"query[type=65] ")
_TYPES: Final = tuple((word(start[:WORD]), word(start[-WORD:]), len(start)) for start in _STARTS)
_FROM: Final = b" from "
_FROM_WORD: Final = word(_FROM)
_QUERY_WORD: Final = word(b"query[")
_FIRST_BYTE: Final = word(b"\xff")
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
    hours: dict[bytes, int]


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
        reading, lines, found = Reading(), Lines(chunk), _Found([], [], [], {})
        reading.lines = len(lines)
        slow = np.ones(len(lines), np.bool_)
        left = np.flatnonzero(
            (lines.end - lines.begin <= MAX_LINE) & (lines.begin < len(chunk) - LONGEST_HEAD)
        )
        for layout, rows, heads in self._layouts.divide(lines, left):
            self._read(lines, layout, rows, heads, times, found, slow)
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
        self,
        lines: Lines,
        layout: Layout,
        rows: Ints,
        heads: Spans,
        times: LogTime,
        found: _Found,
        slow: Bools,
    ) -> None:
        """Take the rows that begin so; those that must be read one by one stay `slow`."""
        words = lines.begin[rows] + layout.length
        good = words < lines.end[rows]
        if layout.fraction:
            good &= are_fractions(heads.words(layout.hour + 6), layout.fraction)
        first = heads.words(layout.length)
        numbered = (first & _FIRST_BYTE) - word(b"0") <= 9
        if numbered.any():
            at = np.flatnonzero(good & numbered)
            words[at], good[at] = _after_serial(lines, rows[at], words[at])
            at = at[good[at]]
            first[at] = lines.words(words[at])
        if not good.all():
            rows, words, first, heads = rows[good], words[good], first[good], heads.select(good)
        runs, t = moments(heads, layout.hour, times, layout.zone, found.hours)
        known = t >= 0
        found.times.append((rows[runs[known]], t[known]))
        t = repeated(t, runs, len(rows))
        slow[rows] = t < 0
        if not layout.role:
            asked = np.flatnonzero(((first & _SIX_BYTES) == _QUERY_WORD) & (t >= 0))
            self._asked(lines, rows[asked], words[asked], first[asked], t[asked], found, slow)
        elif layout.role == b"-dhcp":
            given = np.flatnonzero((first == _GIVEN_WORD) & (t >= 0))
            self._leased(lines, rows[given], words[given], t[given], found, slow)

    def _asked(
        self, lines: Lines, rows: Ints, words: Ints, heads: Words, t: Ints, found: _Found, slow: Bools
    ) -> None:
        """Take lines with a query; `heads` are the first eight bytes of their words."""
        end = lines.end[rows]
        end -= lines.data[end - 1] == ord("\r")
        begin = np.zeros(len(rows), np.int64)
        for first, last, length in _TYPES:
            of_type = np.flatnonzero(heads == first)
            at = words[of_type]
            whole = np.flatnonzero(lines.words(at + (length - WORD)) == last)
            begin[of_type[whole]] = at[whole] + length
        of_use = np.flatnonzero((begin > 0) & (begin < end))
        rows, t, begin, end = rows[of_use], t[of_use], begin[of_use], end[of_use]
        address, stop = self._askers(lines, begin, end)
        good = (address >= 0) & (stop >= begin) & (stop <= len(lines.chunk) - WORD)
        good &= (lines.words(np.where(good, stop, 0)) & _SIX_BYTES) == _FROM_WORD
        named = np.flatnonzero(good)
        name = np.full(len(rows), -1, np.int64)
        name[named] = self._names_at(lines, begin[named], stop[named])
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

        def places_of(_: Ints, ends: Ints) -> Ints:
            # Of a longer address the end does not tell it; it has no blank in it either.
            self._weight += ENTRY_BYTES * len(ends)
            blanks = [(chunk.rfind(b" ", stop - _SHORT, stop), stop) for stop in ends.tolist()]
            places = [-1 if at < 0 else self._address(chunk[at + 1 : stop]) for at, stop in blanks]
            return np.array(places, np.int64)

        places = self._ends.numbers(lines, end - _SHORT, end, places_of)
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

        def places_of(begin: Ints, end: Ints) -> Ints:
            return self._add_names(lines.texts(begin, end))

        longest = self._shorts.longest
        is_short = (end - begin <= longest) & (begin <= len(lines.chunk) - longest)
        short, long = np.flatnonzero(is_short), np.flatnonzero(~is_short)
        places = np.empty(len(begin), np.int64)
        places[short] = self._shorts.numbers(lines, begin[short], end[short], places_of)
        texts = lines.texts(begin[long], end[long])
        new = [text for text in dict.fromkeys(texts) if text not in self._name_of]
        self._name_of.update(zip(new, self._add_names(new).tolist(), strict=True))
        places[long] = [self._name_of[text] for text in texts]
        return places

    def _add_names(self, texts: list[bytes]) -> Ints:
        """Their places in the table; one with a blank in it is no name, and gets -1."""
        names = [text.decode("latin-1") for text in texts if b" " not in text]
        places = np.full(len(texts), -1, np.int64)
        good = slice(None) if len(names) == len(texts) else [b" " not in text for text in texts]
        places[good] = len(self._names) + np.arange(len(names))
        self._names += names
        self._weight += 2 * sum(map(len, texts)) + ENTRY_BYTES * len(texts)
        return places

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
                    name = int(self._add_names([fact.name.encode("latin-1")])[0])
                    contacts.append((row, fact.t, self._place_of(fact.address), name))
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


def _after_serial(lines: Lines, rows: Ints, words: Ints) -> tuple[Ints, Bools]:
    """Where the words begin behind a serial number and `address/port`, and for which rows that is known."""
    match, chunk = _SERIAL.match, lines.chunk
    moved = []
    for begin, end in zip(words.tolist(), lines.end[rows].tolist(), strict=True):
        found = match(chunk, begin, end)
        moved.append(begin if found is None else found.end())
    words = np.array(moved, np.int64)
    return words, (words < lines.end[rows]) & (words < len(chunk) - 2 * _SHORT)
