"""The cells of a plain block of CSV as machine words: eight bytes at a time, every row at once.

A block is plain if it is ASCII without control characters, every line has the same number of cells, no cell
is overlong, and quotes stand only around whole cells that would not need them. Whatever is not plain raises
Odd, which says nothing: the careful way reads the block again.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.csv_columns import LONGEST, Floats, Ints

Words = NDArray[np.uint64]

BYTES_A_WORD: Final = 8
_COMMA, _NEWLINE, _ZERO, _POINT, _SPACE = (ord(sign) for sign in ",\n0. ")
_SIGNS: Final = np.uint8(ord("~") - _SPACE)
_BEFORE: Final = bytes(2 * BYTES_A_WORD)  # so that the words that end with the first cell exist
_AFTER: Final = bytes(LONGEST + BYTES_A_WORD)
_BLANK_LINES: Final = re.compile(rb"\n\n+")
# A quote that opens a cell, up to the next one, which closes it. Of a quoted cell that holds a comma, a quote
# or a line's end, the first quote is not taken: it is left over, and the block is not plain.
_QUOTED: Final = re.compile(rb'"(?<![^,\n]")([^",\n]*)"(?=[,\n])')
_MOST_DIGITS: Final = 16
_EXACT_DIGITS: Final = 15  # as whole numbers they are below 2**53

_FIRST: Final = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)  # keeps a word's first n bytes
_LAST: Final = ~_FIRST[::-1]  # keeps its last n
_TENS: Final = 10.0 ** np.arange(_MOST_DIGITS)
_MULTIPLIER: Final = 0x9E3779B97F4A7C15


class Odd(Exception):  # noqa: N818 - not a fault: a block for the careful way
    """The block is not plain, or a cell of it is not what its column wants."""


class PlainCells:
    """The cells of a plain block by the number of their column."""

    def __init__(self, data: bytes, columns: int) -> None:
        body = _plain(data)
        self._bytes = _BEFORE + body + _AFTER
        single = np.frombuffer(self._bytes, np.uint8)
        # One word for each byte, overlapping: `_words[i]` are the eight bytes from byte i on.
        self._words: Words = np.ndarray((len(single) - 7,), "<u8", self._bytes, 0, (1,))
        separators = np.flatnonzero((single == _COMMA) | (single == _NEWLINE))
        self.rows = body.count(b"\n")
        # A byte below the space becomes one of the largest; a line's end is the only control there may be.
        beyond = single[len(_BEFORE) : len(_BEFORE) + len(body)] - np.uint8(_SPACE) > _SIGNS
        if np.count_nonzero(beyond) != self.rows:
            raise Odd
        if len(separators) != self.rows * columns:
            raise Odd
        self._end = np.ascontiguousarray(separators.reshape(self.rows, columns).T)
        if (single.take(self._end[-1]) != _NEWLINE).any():
            raise Odd
        self._start = np.empty_like(self._end)
        self._start[1:] = self._end[:-1] + 1
        self._start[0, 1:] = self._end[-1, :-1] + 1
        self._start[0, :1] = len(_BEFORE)
        self._length = self._end - self._start
        if self._length.max(initial=0) > LONGEST:
            raise Odd

    def filled(self, column: int) -> list[Words]:
        """The column's texts, none of them blank, as words padded with zeros, the first words first."""
        if not self._length[column].all():
            raise Odd
        return self.texts(column)

    def texts(self, column: int) -> list[Words]:
        """`filled`, blanks among them."""
        start, length = self._start[column], self._length[column]
        found = []
        for begin in range(0, max(1, int(length.max(initial=0))), BYTES_A_WORD):
            kept = np.clip(length - begin, 0, BYTES_A_WORD)
            found.append(self._words[start + begin] & _FIRST.take(kept))
        return found

    def integers(self, column: int, most: int) -> Ints:
        """The column as whole numbers 0 to `most`."""
        end, length = self._end[column], self._length[column]
        longest = int(length.max(initial=0))
        if longest > _MOST_DIGITS or not length.all():
            raise Odd
        values = _whole(self._words[end - BYTES_A_WORD], np.minimum(length, BYTES_A_WORD))
        if longest > BYTES_A_WORD:
            above = np.maximum(length - BYTES_A_WORD, 0)
            values += _whole(self._words[end - 2 * BYTES_A_WORD], above) * 10**BYTES_A_WORD
        if values.max(initial=0) > most:
            raise Odd
        return values

    def numbers(self, column: int) -> Floats:
        """The column as numbers, a blank as 0; to the last bit what Python's `float` makes of the texts."""
        first = self._words[self._start[column]] & _FIRST.take(np.minimum(self._length[column], BYTES_A_WORD))
        values = np.zeros(self.rows)
        some = np.flatnonzero((first != 0) & (first != _ZERO))
        if len(some):
            values[some] = self._decimals(self._end[column].take(some), self._length[column].take(some))
        return values

    def _decimals(self, end: Ints, length: Ints) -> Floats:
        """Digits with at most one point. A quotient of two exact numbers is rounded once, as `float` does."""
        pair = np.stack([self._words[end - 2 * BYTES_A_WORD], self._words[end - BYTES_A_WORD]], axis=1)
        signs = pair.astype("<u8", copy=False).view(np.uint8)
        inside = np.arange(signs.shape[1]) >= signs.shape[1] - length[:, None]
        point = inside & (signs == _POINT)
        value = signs - np.uint8(_ZERO)
        digit = inside & (value <= 9)
        digits, points = digit.sum(axis=1), point.sum(axis=1)
        simple = (digits + points == length) & (points <= 1) & (digits > 0) & (digits <= _EXACT_DIGITS)
        whole = np.zeros(len(end), np.int64)
        for i in range(signs.shape[1] - min(int(length.max()), signs.shape[1]), signs.shape[1]):
            whole = np.where(digit[:, i], whole * 10 + value[:, i], whole)
        behind = np.where(points == 1, signs.shape[1] - 1 - point.argmax(axis=1), 0)
        found: Floats = whole / _TENS.take(behind)
        for row in np.flatnonzero(~simple).tolist():
            found[row] = _float(self._bytes[end[row] - length[row] : end[row]])
        return found


class Vocabulary:
    """Texts and their numbers, for looking up a whole column at once."""

    def __init__(self, index: Mapping[str, int]) -> None:
        texts = joined_words([text.encode() for text in index])
        # A row that no text equals stands for what is not there.
        self._texts = np.concatenate([texts, np.full((1, texts.shape[1]), ~np.uint64(0))])
        self._numbers = np.array(list(index.values()), np.int32)
        self._bits = max(4, 2 + len(index).bit_length())
        self._rows = np.full(1 << self._bits, len(index))
        pending = np.arange(len(index))
        slot = self._slot(list(texts.T))
        while len(pending):
            at = slot.take(pending)
            free = self._rows.take(at) == len(index)
            self._rows[at[free]] = pending[free]
            pending = pending[self._rows.take(at) != pending]
            slot[pending] = self._next(slot.take(pending))

    def find(self, words: Sequence[Words]) -> NDArray[np.int32]:
        """The number of each text. Raises Odd if one is not among them."""
        if len(words) > self._texts.shape[1]:
            raise Odd
        slot = self._slot(words)
        row = self._rows.take(slot)
        left = np.flatnonzero(self._differs(row, words))
        while len(left):
            if (row.take(left) == len(self._numbers)).any():
                raise Odd
            slot[left] = self._next(slot.take(left))
            row[left] = self._rows.take(slot.take(left))
            left = left[self._differs(row.take(left), [word.take(left) for word in words])]
        return self._numbers.take(row)

    def _differs(self, row: Ints, words: Sequence[Words]) -> NDArray[np.bool_]:
        found = np.zeros(len(row), np.bool_)
        for i in range(self._texts.shape[1]):
            found |= self._texts[:, i].take(row) != (words[i] if i < len(words) else 0)
        return found

    def _slot(self, words: Sequence[Words]) -> Ints:
        return (mixed(words) >> np.uint64(64 - self._bits)).astype(np.int64)

    def _next(self, slot: Ints) -> Ints:
        return (slot + 1) & ((1 << self._bits) - 1)


def joined_words(texts: Sequence[bytes]) -> Words:
    """Texts without zero bytes as words [n, k] padded with zeros."""
    count = max(1, -(-max(map(len, texts), default=0) // BYTES_A_WORD))
    table: NDArray[Any] = np.array(texts, f"S{count * BYTES_A_WORD}")
    return table.view("<u8").astype(np.uint64, copy=False).reshape(len(texts), count)


def mixed(words: Sequence[Words]) -> Words:
    """One number for each row of words, its upper bits from all of them; words of zeros add nothing."""
    found = np.zeros(len(words[0]), np.uint64)
    for i, word in enumerate(words):
        folded = (word ^ (word >> np.uint64(32))) * np.uint64(pow(_MULTIPLIER, 2 * i + 1, 1 << 64))
        found += folded ^ (folded >> np.uint64(29))
    return found * np.uint64(_MULTIPLIER)


def _plain(data: bytes) -> bytes:
    """The lines without blank ones and without quotes, each ended by `\\n` alone."""
    if not data.isascii() or b"\0" in data:
        raise Odd
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
        if b"\r" in data:
            raise Odd
    if data.startswith(b"\n") or b"\n\n" in data:
        data = _BLANK_LINES.sub(b"\n", data).lstrip(b"\n")
    if data and not data.endswith(b"\n"):
        data += b"\n"
    if b'"' in data:
        data = b"".join(_QUOTED.split(data))
        if b'"' in data:
            raise Odd
    return data


def _whole(word: Words, count: Ints) -> NDArray[np.int64]:
    """The number that the last `count` bytes of each word write in digits."""
    value = (word ^ np.uint64(0x3030303030303030)) & _LAST.take(count)
    if (((value + np.uint64(0x7676767676767676)) | value) & np.uint64(0x8080808080808080)).any():
        raise Odd
    # Neighbours are brought together: digits to pairs, pairs to fours, fours to eight.
    value = (value * np.uint64(10) + (value >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    value = (value * np.uint64(100) + (value >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    value = (value * np.uint64(10_000) + (value >> np.uint64(32))) & np.uint64(0x00000000FFFFFFFF)
    return value.astype(np.int64)


def _float(cell: bytes) -> float:
    if b"_" in cell:  # Python would read it as part of a number
        raise Odd
    try:
        return float(cell)
    except ValueError:
        raise Odd from None
