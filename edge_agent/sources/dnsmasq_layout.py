"""How lines of dnsmasq's log begin: learnt from one line, and then found in all the others at once."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_agent.sources.columns import WORD, Ints, Lines, Spans

LAYOUTS_KEPT: Final = 16
LONGEST_HEAD: Final = 128
TRIES: Final = 4

# Time as far as its hour, rest of the clock, fraction, zone, and what follows up to the words. The brackets
# around the process's number leave one way to read it.
_HEAD: Final = re.compile(
    rb"(?:([A-Z][a-z]{2} [ \d]\d \d\d):\d\d:\d\d()()|"
    rb"(\d{4}-\d\d-\d\dT\d\d):\d\d:\d\d((?:\.\d{3}|\.\d{6})?)(Z|[+-]\d\d:\d\d|))"
    rb"((?: [^ \[\]]*[^ \[\]:])? (?:dnsmasq|pihole-FTL)(-dhcp|-tftp|-script)?\[\d+\]: )"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines of one process begin: the time as far as its hour is `hour` long, then `:MM:SS`, `fraction`
    digits and their full stop, then `rest`, which begins with `zone`.
    """

    hour: int
    fraction: int
    zone: bytes
    rest: bytes
    role: bytes

    @property
    def to_rest(self) -> int:
        """From a line's first byte to `rest`."""
        return self.hour + 6 + (self.fraction + 1 if self.fraction else 0)

    @property
    def length(self) -> int:
        """From a line's first byte to its words."""
        return self.to_rest + len(self.rest)


def _layout_of(line: bytes) -> Layout | None:
    found = _HEAD.match(line)
    if found is None or found.end() > LONGEST_HEAD:
        return None
    syslog, _, _, iso, fraction, zone, rest, role = found.groups(b"")
    return Layout(len(syslog or iso), max(len(fraction) - 1, 0), zone, zone + rest, role)


class Layouts:
    """The layouts of one log, as far as they were met; the commonest one first."""

    def __init__(self, room: int) -> None:
        """`room`: bytes that are wanted behind a line's beginning before the chunk ends."""
        self._room = room
        self._known: list[Layout] = []

    def divide(self, lines: Lines, left: Ints) -> list[tuple[Layout, Ints, Spans]]:
        """Of the rows `left` those of each layout, and what they are as far as the first eight bytes of their
        words; what begins in no way that can be learnt is left out.
        """
        found: list[tuple[Layout, Ints, Spans]] = []
        unseen = list(self._known)
        tries = TRIES
        while len(left) and (unseen or tries):
            if unseen:
                layout = unseen.pop(0)
            else:
                tries -= 1
                row = left[0]
                learnt = _layout_of(lines.chunk[lines.begin[row] : lines.end[row]])
                if learnt is None or learnt in self._known:
                    left = left[1:]
                    continue
                layout = learnt
                self._known = [layout, *self._known[: LAYOUTS_KEPT - 1]]
            begin = lines.begin[left]
            near = int(np.searchsorted(begin, len(lines.chunk) - layout.length - self._room))
            heads = lines.spans(begin[:near], layout.length + WORD)
            here = heads.hold(layout.to_rest, layout.rest)
            if here.all():
                found.append((layout, left[:near], heads))
                left = left[near:]
            elif here.any():
                found.append((layout, left[:near][here], heads.select(here)))
                left = np.delete(left, np.flatnonzero(here))
        # The commonest one first.
        found.sort(key=lambda item: -len(item[1]))
        common = [layout for layout, _, _ in found]
        self._known = common + [layout for layout in self._known if layout not in common]
        return found
