"""Short texts of a chunk by number, all at once: each that was seen before costs a few looks at numbers."""

from collections.abc import Callable
from typing import Final

import numpy as np

from edge_agent.sources.columns import Bools, Ints, Lines, Words

SLOTS_BITS: Final = 16
ROUNDS: Final = 3
_MIX: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)


def _masks(words: int) -> list[Words]:
    """By length of a text what to keep of each of its words."""
    lengths = range(8 * words + 1)
    return [
        np.array([(1 << 8 * min(max(length - 8 * word, 0), 8)) - 1 for length in lengths], np.uint64)
        for word in range(words)
    ]


class Interned:
    """Remembers numbers of texts of up to `8 * words` bytes; where two texts share a slot it has the later.

    What it finds is compared in full: it forgets, and never takes one text for another.
    """

    def __init__(self, words: int) -> None:
        self.longest: Final = 8 * words
        self._masks = _masks(words)
        self._keys = [np.zeros(1 << SLOTS_BITS, np.uint64) for _ in range(words)]
        self._lengths = np.full(1 << SLOTS_BITS, -1, np.int64)
        self._numbers = np.full(1 << SLOTS_BITS, -1, np.int64)

    def numbers(self, lines: Lines, begin: Ints, end: Ints, number_of: Callable[[int, int], int]) -> Ints:
        """Numbers [n] of the texts between each two places, which are at most `longest` bytes apart.

        number_of: the number of one that is not remembered, by its two places; it may be negative, for a
        text that has none. At `begin` there are `longest` bytes more before the end of the chunk.
        """
        length = end - begin
        words = [lines.words(begin + 8 * i) & mask[length] for i, mask in enumerate(self._masks)]
        slots = self._slots(words)
        found = self._look_up(words, length, slots)
        missed = np.flatnonzero(found < 0)
        for last in range(ROUNDS):
            if not len(missed):
                break
            # One of each slot is asked for; then most of the others are known too.
            once = np.unique(slots[missed], return_index=True)[1] if last < ROUNDS - 1 else slice(None)
            asked = missed[once]
            places = zip(begin[asked].tolist(), end[asked].tolist(), strict=True)
            found[asked] = np.array([number_of(start, stop) for start, stop in places], np.int64)
            self._put(asked[found[asked] >= 0], words, length, slots, found)
            missed = np.delete(missed, once)
            found[missed] = self._look_up([part[missed] for part in words], length[missed], slots[missed])
            missed = missed[found[missed] < 0]
        return found

    def _slots(self, words: list[Words]) -> Ints:
        mixed = words[0] * np.uint64(_MIX[0])
        for part, by in zip(words[1:], _MIX[1:], strict=False):
            mixed ^= mixed >> np.uint64(29)
            mixed += part
            mixed *= np.uint64(by)
        return (mixed >> np.uint64(64 - SLOTS_BITS)).astype(np.int64)

    def _look_up(self, words: list[Words], length: Ints, slots: Ints) -> Ints:
        found = self._compare(words, length, slots)
        missed = np.flatnonzero(found < 0)
        if len(missed):  # two texts with the same slot share it and its neighbour
            found[missed] = self._compare([part[missed] for part in words], length[missed], slots[missed] ^ 1)
        return found

    def _compare(self, words: list[Words], length: Ints, slots: Ints) -> Ints:
        same: Bools = self._lengths[slots] == length
        for key, part in zip(self._keys, words, strict=True):
            same &= key[slots] == part
        return np.where(same, self._numbers[slots], -1)

    def _put(self, at: Ints, words: list[Words], length: Ints, slots: Ints, numbers: Ints) -> None:
        into = slots[at] ^ (self._numbers[slots[at]] >= 0)
        for key, part in zip(self._keys, words, strict=True):
            key[into] = part[at]
        self._lengths[into], self._numbers[into] = length[at], numbers[at]
