"""Short texts of a chunk by number, all at once: each that was seen before costs a few looks at numbers."""

from collections.abc import Callable
from typing import Final

import numpy as np

from edge_agent.sources.columns import Ints, Lines, Words

LEAST_SLOTS: Final = 1 << 12
MOST: Final = 1 << 16  # texts: once there are more, all are forgotten
SPARSE: Final = 4  # slots for each row: with fewer, more texts need a second look, and a third
PROBES: Final = 16
_MIX: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
_MIX_LENGTH: Final = np.uint64(0xFF51AFD7ED558CCD)
_ROW: Final = np.uint64((1 << 20) - 1)  # the part of a slot that is a row; above it is as much of the hash
_HALF: Final = np.uint64(32)
_NUMBER: Final = np.uint64((1 << 32) - 1)
_NUMBERED: Final = 2  # kept is a number and this: 1 is of a text that has none, 0 of no text

# Numbers of texts by their two places [n]; -1 for one that has none.
Ask = Callable[[Ints, Ints], Ints]


class Interned:
    """Remembers numbers of texts of up to `8 * words` bytes, in tables that grow with them.

    What a hash finds is compared in full: it forgets, and never takes one text for another.
    """

    def __init__(self, words: int) -> None:
        self.longest: Final = 8 * words
        sizes = [[min(max(size - 8 * i, 0), 8) for i in range(words)] for size in range(self.longest + 1)]
        self._masks = np.array([[(1 << 8 * size) - 1 for size in row] for row in sizes], np.uint64)
        self._mix = np.array(_MIX[:words], np.uint64)
        self._forget()

    def _forget(self) -> None:
        self._slots: Words = np.zeros(LEAST_SLOTS, np.uint64)
        # A row has the text's words, and then its length above its number: one look fetches all.
        self._rows: Words = np.zeros((LEAST_SLOTS // SPARSE, len(self._mix) + 1), np.uint64)
        self._used = 1  # the first row is that of no text

    def numbers(self, lines: Lines, begin: Ints, end: Ints, ask: Ask) -> Ints:
        """Numbers [n] of the texts between each two places, which are at most `longest` bytes apart.

        ask: for those that are not remembered. At `begin` there are `longest` bytes more before the end of
        the chunk.
        """
        if self._used > MOST:
            self._forget()
        length = end - begin
        words = lines.spans(begin, self.longest).table() & self._masks.take(length, axis=0)
        length_above = length.view(np.uint64) << _HALF
        hashes = words @ self._mix + length_above * _MIX_LENGTH
        found = self._look_up(hashes, words, length_above)
        missed = np.flatnonzero(found == 0)
        if len(missed):
            # One of each hash is asked for and kept.
            once = np.unique(hashes[missed], return_index=True)[1]
            asked = missed[once]
            found[asked] = ask(begin[asked], end[asked]) + _NUMBERED
            tails = length_above[asked] | found[asked].view(np.uint64)
            self._add(hashes[asked], np.column_stack((words[asked], tails)))
            missed = np.delete(missed, once)
            found[missed] = self._look_up(hashes[missed], words[missed], length_above[missed])
            # What has the hash of another text, or found no slot, is asked for every time.
            missed = missed[found[missed] == 0]
            found[missed] = ask(begin[missed], end[missed]) + _NUMBERED
        return found - _NUMBERED

    def _look_up(self, hashes: Words, words: Words, length_above: Words) -> Ints:
        """What is kept as each text's number; 0 for one that is not remembered."""
        at = self._homes(hashes)
        row = np.zeros(len(hashes), np.uint64)
        left: Ints | slice = slice(None)
        for probe in range(1, PROBES + 1):
            slots = self._slots.take(at)
            here = (slots ^ hashes[left]) <= _ROW
            row[left] = np.where(here, slots & _ROW, 0)
            on = np.flatnonzero(~here & (slots != 0))
            if not len(on):
                break
            left = on if isinstance(left, slice) else left[on]
            at = self._next(at[on], probe)
        rows = self._rows.take(row.view(np.int64), axis=0)
        tails = rows[:, -1]
        apart = (tails ^ length_above) >> _HALF
        for i in range(words.shape[1]):
            apart |= rows[:, i] ^ words[:, i]
        return np.where(apart == 0, tails & _NUMBER, 0).view(np.int64)

    def _add(self, hashes: Words, rows: Words) -> None:
        begin, self._used = self._used, self._used + len(rows)
        while self._used > len(self._rows):
            self._rows = np.concatenate((self._rows, np.zeros_like(self._rows)))
        self._rows[begin : self._used] = rows
        filled = (hashes & ~_ROW) | np.arange(begin, self._used, dtype=np.uint64)
        if SPARSE * len(self._rows) > len(self._slots):
            filled = np.concatenate((self._slots[self._slots != 0], filled))
            self._slots = np.zeros(SPARSE * len(self._rows), np.uint64)
        at = self._homes(filled)
        for probe in range(1, PROBES + 1):
            # Of those that want one slot the last one has it; what never gets one is forgotten.
            free = np.flatnonzero(self._slots[at] == 0)
            self._slots[at[free]] = filled[free]
            on = np.flatnonzero(self._slots[at] != filled)
            if not len(on):
                break
            filled, at = filled[on], self._next(at[on], probe)

    def _homes(self, hashes: Words) -> Ints:
        bits = len(self._slots).bit_length() - 1
        return (hashes >> np.uint64(64 - bits)).view(np.int64)

    def _next(self, at: Ints, probe: int) -> Ints:
        return (at + probe) & (len(self._slots) - 1)
