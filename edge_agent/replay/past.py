"""Past logs of any kinds, read side by side in order of time, however their files were named and given."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_agent.sources.facts import Reading
from edge_agent.sources.framestream import whole_frames
from edge_agent.sources.logfile import CHUNK, LogFile, pieces, resumed
from edge_agent.sources.parsing import Parser
from edge_agent.sources.tail import select
from shared.errors import UsageError

STEADY: Final = 8  # blocks of facts that must have come to a time before it counts: single lines may have any
BLOCK: Final = 256
PIECE: Final = 2 * 1024 * 1024  # bytes of a file at a time: nothing of it has to fit into a parcel
LOOKS: Final = 32  # places of a file at which its time is looked at
LOOK_BYTES: Final = 2048
BACK_SECONDS: Final = 2 * 3600  # less may be a clock that was put right, or daylight saving's end
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
    makes the days before look over. `latest` is where the latest block of the newest piece is.
    """

    until: float
    limit: float
    _last: deque[float]
    latest: float = BEGINNING

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
        self.latest = max(moments, default=self.latest)


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
        self._chunks = _chunks(path, advance, only, PIECE, framed=parse.kind.framed)

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
    chunks = _chunks(path, lambda _: None, None, CHUNK, framed=parse.kind.framed)
    try:
        for chunk in chunks:
            if isinstance(chunk, Torn):
                return None
            return next(iter(middles(parse(chunk, now), limit)), None)
    finally:
        chunks.close()
    return None


def goes_back(path: Path, parse: Parser, now: float, limit: float) -> bool:
    """Whether a log has earlier days behind later ones, as where files were joined newest first; one that is
    compressed may have. Raises UsageError.
    """
    try:
        opened = resumed(path, None)
        if opened is None:
            raise UsageError(f"{path} cannot be read: it is gone")
        with opened.file:
            if opened.is_packed:
                return True
            latest, size = BEGINNING, opened.stat().st_size
            for at in range(0, size, max(size // LOOKS, LOOK_BYTES)):
                lines = opened.bytes_at(at, LOOK_BYTES)
                whole = lines[lines.find(b"\n") + 1 : lines.rfind(b"\n") + 1]
                for moment in middles(parse(whole, now), limit)[:1]:
                    if moment < latest - BACK_SECONDS:
                        return True
                    latest = max(latest, moment)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    return False


def middles(reading: Reading, limit: float) -> list[float]:
    """Of each block of facts the middle one of their times, of those up to `limit`."""
    told = np.array([fact.t for fact in reading.facts], np.int64)
    times = told if reading.contacts is None else np.concatenate((reading.contacts.t, told))
    times = times[times <= limit]
    # Blocks as even as can be: some have one more than the others.
    blocks = max(len(times) // BLOCK, 1)
    size, longer = divmod(len(times), blocks)
    longer_ones, others = np.split(times, [longer * (size + 1)])
    halves = _halves(longer_ones, size + 1), _halves(others, size)
    return [float(moment) for moment in np.concatenate(halves).tolist()]


def _halves(times: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Of each so many times the lower one of the two in the middle, or the one."""
    return np.sort(times.reshape(-1, size))[:, (size - 1) // 2] if len(times) else times


def _chunks(
    path: Path, advance: Advance, only: bytes | None, size: int, *, framed: bool
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
