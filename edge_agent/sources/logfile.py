"""One log file on disk: known again by its lines' times, and found among the files that rotation left.

Rotated files are those that logrotate names: `log.1`, `log-20260914`. Compressed ones are not read.
"""

import io
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

CHUNK: Final = 48 * 1024  # what a chunk of the shortest lines comes to must fit into one parcel
MARK: Final = 15  # a log's first bytes are its first line's time: enough to know it again
_ROTATED: Final = re.compile(r"\.(?P<age>\d{1,4})|[.-](?P<date>\d{4}-?\d\d-?\d\d[-_T:\d]*)", re.ASCII)


class Position(msgspec.Struct, frozen=True):
    """How far a file was read, and by what to know it again: its first line's time, and the last read one's.

    An inode would not do: a copied or restored folder has others. `line` is the length of the line that
    ends at `offset`, `mark` and `last` are hashes of the first bytes of the file and of that line;
    `written` is when the file had been written last, in nanoseconds since 1970 (0: not known).
    """

    mark: str
    offset: int
    line: int
    last: str
    written: int = 0

    def encode(self) -> bytes:
        """As bytes for the link."""
        return msgspec.json.encode(self)

    def within(self, chunk: bytes, end: int) -> "Position":
        """The position after `chunk[:end]`, where this one is after the whole of `chunk`."""
        offset = self.offset - len(chunk) + end
        start = _last_line(chunk, end)
        mark = self.mark if offset >= MARK else ""
        return Position(mark, offset, end - start, _hash(chunk[start : min(end, start + MARK)]), self.written)


def decode_position(data: bytes | None) -> Position | None:
    """Bytes of the link as a position; None if there is none, or none of this kind."""
    try:
        return msgspec.json.decode(data, type=Position) if data else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that was there when the folder was looked at."""

    path: Path
    stat: os.stat_result


@dataclass(slots=True)
class LogFile:
    """An open file, and how far it was read."""

    file: io.FileIO  # without a buffer: what was truncated must not be read from memory
    position: Position | None = None

    @property
    def offset(self) -> int:
        """How many bytes were read."""
        return self.position.offset if self.position is not None else 0

    def stat(self) -> os.stat_result:
        """The file as it is now, wherever it was moved."""
        return os.fstat(self.file.fileno())

    def fits(self, position: Position | None) -> bool:
        """Whether what was read up to `position` is what is in the file."""
        if position is None:
            return True
        if not 0 < position.line <= position.offset <= self.stat().st_size:
            return False
        mark = _hash(self._bytes(0, min(MARK, position.offset)))
        last = _hash(self._bytes(position.offset - position.line, min(MARK, position.line)))
        return position.mark in ("", mark) and position.last in ("", last)

    def chunk(self) -> bytes:
        """The next whole lines, at most 48 KiB; nothing if there are none yet."""
        data = self._bytes(self.offset, CHUNK)
        return data[: cut(data, CHUNK)]

    def rest(self) -> bytes:
        """A last line that will never get its newline."""
        return self._bytes(self.offset, CHUNK)

    def take(self, chunk: bytes) -> tuple[bytes, Position]:
        """`chunk` was read: it, and the position after it."""
        offset = self.offset + len(chunk)
        if self.position is not None and self.offset >= MARK:
            mark = self.position.mark
        else:
            mark = _hash((self._bytes(0, self.offset) + chunk)[:MARK])
        start = _last_line(chunk, len(chunk))
        last, written = _hash(chunk[start : start + MARK]), self.stat().st_mtime_ns
        self.position = Position(mark, offset, len(chunk) - start, last, written)
        return chunk, self.position

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def _bytes(self, at: int, size: int) -> bytes:
        self.file.seek(at)
        return self.file.read(size)


def resumed(path: Path, position: Position | None) -> LogFile | None:
    """The file, if it is there and what was read up to `position` is in it. Raises OSError."""
    try:
        opened = LogFile(path.open("rb", buffering=0))
    except FileNotFoundError:
        return None
    fits = False
    try:
        fits = opened.fits(position)
    finally:
        if not fits:
            opened.close()
    opened.position = position
    return opened if fits else None


def rotated_files(path: Path) -> list[Listed]:
    """The plain rotated files of the log at `path`, oldest first; none if the folder cannot be listed."""
    found = []
    with suppress(OSError):
        for sibling in path.parent.iterdir():
            name = sibling.name
            match = _ROTATED.fullmatch(name, len(path.name)) if name.startswith(path.name) else None
            if match is None:
                continue
            with suppress(OSError):
                status = sibling.stat()
                if stat.S_ISREG(status.st_mode):
                    order = (re.sub(r"\D", "", match["date"] or ""), -int(match["age"] or 0))
                    found.append((order, Listed(sibling, status)))
    return [listed for _, listed in sorted(found, key=lambda item: item[0])]


def cut(data: bytes, size: int) -> int:
    """How much of `data` is whole lines; all of it if one line alone has `size` bytes."""
    end = data.rfind(b"\n") + 1
    return len(data) if end == 0 and len(data) >= size else end


def _last_line(chunk: bytes, end: int) -> int:
    return chunk.rfind(b"\n", 0, end - 1) + 1


def _hash(data: bytes) -> str:
    return sha256(data).hexdigest()[:16]
