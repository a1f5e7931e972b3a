"""Past logs of any kinds, read side by side in order of time, however their files were named and given."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low
from typing import Final, NamedTuple

import numpy as np

from edge_agent.sources.facts import Reading
from edge_agent.sources.framestream import whole_frames
from edge_agent.sources.logfile import CHUNK, LogFile, pieces, resumed
from edge_agent.sources.parsing import Parser
from edge_agent.sources.tail import select
from shared.errors import UsageError

STEADY: Final = 8  # blocks of facts that must have come to a time before it counts: single lines may have any
BLOCK: Final = 256
LARGEST: Final = 2 * 1024 * 1024  # of a file at a time: nothing of it has to fit into a parcel
SHORT_SECONDS: Final = 8 * 3600  # a piece that takes less time may be twice as large the next time
LONG_SECONDS: Final = 12 * 3600  # one that takes more is too large
ANYWHERE: Final = 1 << 62  # bytes: no file is longer
BEGINNING: Final = float("-inf")
END: Final = float("inf")

Advance = Callable[[int], None]  # told how many bytes of the disk were read


class Past(NamedTuple):
    """Logs of one kind, files or folders of them."""

    kind: str
    paths: Sequence[Path]

    def files(self) -> list[Path]:
        """Every file, those of a folder in order of their names. Raises UsageError for an empty folder."""
        found: list[Path] = []
        for path in self.paths:
            inside = sorted(_inside(path)) if path.is_dir() else [path]
            if not inside:
                raise UsageError(f"{path} holds no files: give the path of a log")
            found += inside
        return found


@dataclass(slots=True)
class Reach:
    """How far a file has come in time: a moment (seconds UTC) that eight blocks in a row have reached.

    Half of a block's 256 facts count; so no rubbish in a log, and no clock that was wrong for a moment,
    makes the days before look over. `middle` is where most of the newest piece is; `size` is how many bytes
    the next one should have: many, where they are of a few hours.
    """

    until: float
    limit: float
    _last: deque[float]
    middle: float = BEGINNING
    size: int = CHUNK

    @classmethod
    def begin(cls, until: float, limit: float) -> "Reach":
        """`until`: what is known before; `limit`: later facts are not believed."""
        return cls(until, limit, deque(maxlen=STEADY))

    def take(self, reading: Reading) -> None:
        """See what a piece says."""
        moments = middles(reading, self.limit)
        for moment in moments:
            self._last.append(moment)
            if len(self._last) == STEADY:
                self.until = max(self.until, min(self._last))
        if moments:
            before, self.middle = self.middle, float(median_low(moments))
            passed = abs(self.middle - before) if before > BEGINNING else 0.0
            if passed < SHORT_SECONDS:
                self.size = min(2 * self.size, LARGEST)
            elif passed > LONG_SECONDS:
                self.size = max(self.size // 2, CHUNK)


class Cursor:
    """One file on its way: `step` reads a chunk; `reach.until` is END when it is read.

    `only`: just the lines that hold this are read. A file is open from its first step to its last.
    """

    def __init__(
        self, path: Path, parse: Parser, reach: Reach, advance: Advance, only: bytes | None = None
    ) -> None:
        self.path = path
        self.reach = reach
        self._parse = parse
        self._chunks = _chunks(path, advance, only, lambda: reach.size, framed=parse.kind.framed)

    def step(self, now: float) -> Reading:
        """The next chunk's facts (`now`: seconds UTC); raises UsageError if the file cannot be read."""
        chunk = next(self._chunks, None)
        if chunk is None:
            self.reach.until = END
            return Reading()
        if isinstance(chunk, Torn):
            reading = Reading()
            reading.refused["truncated_file"] = 1
            return reading
        reading = self._parse(chunk, now)
        self.reach.take(reading)
        return reading

    @property
    def is_over(self) -> bool:
        """Whether all of it was read."""
        return self.reach.until == END


class Torn(NamedTuple):
    """In place of a chunk: the compressed file is damaged, or ends too early."""


def first_moment(path: Path, parse: Parser, now: float, limit: float) -> float | None:
    """About when a file begins (seconds UTC); None if its first lines do not say. Raises UsageError."""
    chunks = _chunks(path, lambda _: None, None, lambda: CHUNK, framed=parse.kind.framed)
    try:
        for chunk in chunks:
            if isinstance(chunk, Torn):
                return None
            return next(iter(middles(parse(chunk, now), limit)), None)
    finally:
        chunks.close()
    return None


def middles(reading: Reading, limit: float) -> list[float]:
    """Of each block of facts the middle one of their times, of those up to `limit`."""
    told = np.array([fact.t for fact in reading.facts], np.int64)
    times = told if reading.contacts is None else np.concatenate((reading.contacts.t, told))
    times = times[times <= limit]
    whole = max(len(times) // BLOCK, 1)
    return [float(median_low(block.tolist())) for block in np.array_split(times, whole) if len(block)]


def _chunks(
    path: Path, advance: Advance, only: bytes | None, size: Callable[[], int], *, framed: bool
) -> Generator[bytes | Torn, None, None]:
    try:
        opened = resumed(path, None)
        if opened is None:
            raise UsageError(f"{path} cannot be read: it is gone")
        with opened.file:
            before = 0
            read = opened.stream(0, ANYWHERE)
            for chunk in whole_frames(read) if framed else select(pieces(read, size), only):
                yield chunk
                before = _tell(opened, before, advance)
            _tell(opened, before, advance)
            if opened.torn:
                yield Torn()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _tell(opened: LogFile, before: int, advance: Advance) -> int:
    at = opened.taken
    advance(at - before)
    return at


def _inside(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root, name) for name in names if not name.startswith("."))
