"""Finds the longest listed suffix of host names: of one name, or of many at once, in columns."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NONE: Final = 0
MAX_NAME: Final = 253  # of a host name in text form (RFC 1035, section 3.1)
FEW: Final = 128  # names that are sooner looked up one by one
_DEEPER: Final = 1  # this bit says that a longer listed suffix may end so
_DOT, _NEWLINE, _SPACE, _DELETE = b".\n \x7f"


class Suffixes:
    """Whose a name is, by the longest listed suffix of whole labels. Case and one trailing dot do not matter.

    Any text is safe; what is no name in printable ASCII, or is longer than a name may be, is nobody's.
    """

    def __init__(self, owners: Mapping[str, int]) -> None:
        """`owners` says whose each suffix is, in lower case; NONE is nobody."""
        self._single = {suffix: owner for suffix, owner in owners.items() if "." not in suffix}
        # Suffixes of two labels and more, and what they end with: twice the owner, and the bit.
        self._known: dict[str, int] = {}
        self._most = 2
        for suffix in sorted(owners.keys() - self._single.keys(), key=lambda suffix: suffix.count(".")):
            labels = suffix.split(".")
            self._most = max(self._most, len(labels))
            above = self._single.get(labels[-1], NONE) << 1
            for start in range(len(labels) - 2, 0, -1):
                end = ".".join(labels[start:])
                above = self._known.get(end, above) & ~_DEEPER
                self._known[end] = above | _DEEPER
            self._known[suffix] = owners[suffix] << 1

    def find(self, name: str) -> int:
        """Whose a name is."""
        if len(name) > MAX_NAME + 1 or not (name.isascii() and name.isprintable()):
            return NONE
        text = name.lower()
        if text[-1:] == ".":
            text = text[:-1]
        last = text.rfind(".")
        before = text.rfind(".", 0, last) if last > 0 else -1
        known = self._known.get(text[before + 1 :])
        # Most names end as no suffix does.
        if known is None:
            return self._single.get(text[last + 1 :], NONE) if self._single else NONE
        while known & _DEEPER and before >= 0:
            before = text.rfind(".", 0, before)
            longer = self._known.get(text[before + 1 :])
            if longer is None:
                break
            known = longer
        return known >> 1

    def find_all(self, names: Sequence[str]) -> Ints:
        """Whose names are [n]: what `find` says of each, in less than half the time if there are many."""
        if len(names) < FEW:
            return np.array([self.find(name) for name in names], np.int64)
        text, begins, stops, dots = _laid_out(names)
        # So many as no suffix has more: before the first name there are dots enough to count back.
        dots = np.append(np.full(self._most, -1), dots)
        labels = np.searchsorted(dots, stops)
        found = _look_up(self._known, text, np.maximum(begins, dots[labels - 2] + 1), stops)
        if self._single:
            rows = np.flatnonzero(found == NONE)
            last = np.maximum(begins[rows], dots[labels[rows] - 1] + 1)
            found[rows] = _look_up(self._single, text, last, stops[rows]) << 1
        rows = np.flatnonzero(found & _DEEPER)
        for count in range(3, self._most + 1):
            starts = np.maximum(begins[rows], dots[labels[rows] - count] + 1)
            longer = _look_up(self._known, text, starts, stops[rows])
            found[rows] = np.where(longer, longer, found[rows])
            rows = rows[(longer & _DEEPER) > 0]
        return found >> 1


def _laid_out(names: Sequence[str]) -> tuple[str, Ints, Ints, Ints]:
    """Names in one text, in lower case: where each begins and stops [n], and where dots are.

    What is no name has no length, or less.
    """
    joined = "\n".join([*names, ""])
    if joined.count("\n") != len(names):
        joined = "\n".join(["" if "\n" in name else name for name in names] + [""])
    data = joined.encode("utf-8", "surrogatepass").lower()
    letters = np.frombuffer(data, np.uint8)
    stops = np.flatnonzero(letters == _NEWLINE)
    begins = np.append(0, stops[:-1] + 1)
    odd = np.flatnonzero((letters < _SPACE) | (letters >= _DELETE))
    if len(odd) > len(names):
        at = np.searchsorted(stops, odd[letters[odd] != _NEWLINE])
        begins[at] = stops[at]
    begins = np.where(stops - begins > MAX_NAME + 1, stops, begins)
    stops = stops - (letters[stops - 1] == _DOT)
    # A place in these bytes is a place in this text, whatever they are.
    return data.decode("latin-1"), begins, stops, np.flatnonzero(letters == _DOT)


def _look_up(table: Mapping[str, int], text: str, begins: Ints, stops: Ints) -> Ints:
    """What is known of parts of the text [n]; NONE where nothing is."""
    get, parts = table.get, zip(begins.tolist(), stops.tolist(), strict=True)
    return np.array([get(text[begin:stop], NONE) for begin, stop in parts], np.int64)
