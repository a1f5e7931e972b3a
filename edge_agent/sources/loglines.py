"""What parsers of resolver and proxy logs share: patterns of their words, and the times of lines."""

import re
from collections.abc import Callable
from typing import Final

from edge_agent.sources.facts import Reading
from edge_agent.sources.logtime import END_OF_TIME, MONTHS, LogTime

MAX_LINE: Final = 4096

ADDRESS: Final = r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,40}"
NAME: Final = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,253}"  # of a host: the root, blanks and escapes are none
USE_TYPES: Final = ("A", "AAAA", "HTTPS", "SVCB", "TYPE64", "TYPE65")  # others do not go before a visit
USE_TYPE: Final = "|".join(USE_TYPES)
ISO: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
STAMP: Final = rf"[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d|{ISO}"
# Fractions are left out, so that lines of one second have the same time to look up.
FRACTION_AND_ZONE: Final = r"(?:[.,]\d{1,9})?(Z|[+-]\d\d:?\d\d|)"

_DATED: Final = re.compile(r"(\d\d)[-/]([A-Z][a-z]{2})[-/](\d{4})[ :](\d\d:\d\d:\d\d) ?(.*)", re.ASCII)


class Stamps:
    """The times of one chunk's lines, and the newest of them that can be believed."""

    def __init__(self, times: LogTime, plain: Callable[[str], str] = str) -> None:
        self._times = times
        self._plain = plain
        self._latest = min(times.latest, END_OF_TIME - 1)
        self._last: tuple[str, int | None] = ("", None)
        self.newest: int | None = None

    def __call__(self, text: str) -> int | None:
        """Seconds UTC of an epoch, or of a time that `plain` puts as LogTime knows it; None for others."""
        if text != self._last[0]:
            t = self._read(text)
            if t is not None and t <= self._latest and (self.newest is None or t > self.newest):
                self.newest = t
            self._last = (text, t)
        return self._last[1]

    def _read(self, text: str) -> int | None:
        if text.isdigit():
            epoch = int(text)
            return epoch if epoch < END_OF_TIME else None
        return self._times.seconds(self._plain(text).encode("latin-1"))


def dated(text: str) -> str:
    """`22-Nov-2026 10:00:00`, `22/Nov/2026:10:00:00 +0000` as RFC 3339; other text as it is."""
    found = _DATED.fullmatch(text)
    if found is None or found[2] not in MONTHS:
        return text
    day, month, year, clock, zone = found.groups()
    return f"{year}-{MONTHS.index(month) + 1:02}-{day}T{clock}{zone}"


def whole_lines(chunk: bytes, reading: Reading) -> list[str]:
    """The lines of a chunk, empty ones among them, which are not counted."""
    lines = chunk.decode("latin-1").split("\n")
    reading.lines = len(lines) - lines.count("")
    return lines


def refuse_line(reading: Reading, line: str) -> None:
    """Count a line that no line of the program is like."""
    reading.refuse("line_too_long" if len(line) > MAX_LINE else "malformed_line", line)
