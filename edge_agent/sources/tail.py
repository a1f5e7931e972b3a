"""A growing file read in whole lines: resumed by position and identity, followed through rotation."""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

CHUNK: Final = 48 * 1024  # what a chunk of the shortest lines comes to must fit into one parcel
MARK: Final = 15  # a log's first bytes are its first line's time: enough to know it again


class Position(msgspec.Struct, frozen=True):
    """How far a file was read, and by what to know it again: its first line's time, and the last read one's.

    An inode would not do: a copied or restored folder has others. `line` is the length of the line that
    ends at `offset`, `mark` and `last` are hashes of the first bytes of the first line and of that one.
    """

    mark: str
    offset: int
    line: int
    last: str

    def encode(self) -> bytes:
        """As bytes for the link."""
        return msgspec.json.encode(self)


def decode_position(data: bytes | None) -> Position | None:
    """Bytes of the link as a position; None if there is none, or none of this kind."""
    try:
        return msgspec.json.decode(data, type=Position) if data else None
    except msgspec.DecodeError:
        return None


@dataclass(slots=True)
class _Open:
    file: BinaryIO
    inode: int
    mark: str
    offset: int
    line: int = 0

    def position(self) -> Position:
        """Where the reading stands."""
        return Position(self.mark, self.offset, self.line, _mark(self.file, self.offset - self.line))

    def moved(self, chunk: bytes) -> None:
        """`chunk` was read; a file that was just begun gets its mark."""
        self.offset += len(chunk)
        self.line = len(chunk) - (chunk.rfind(b"\n", 0, len(chunk) - 1) + 1)
        self.mark = self.mark or _mark(self.file, 0)


class Tail:
    """Reads one path. `read` gives whole lines; None at the end of what is there now."""

    def __init__(self, path: Path, position: Position | None) -> None:
        self._path = path
        self._open: _Open | None = None
        self._resume = position

    def read(self) -> tuple[bytes, Position] | None:
        """The next whole lines (at most 48 KiB) and the position after them, or None for now.

        Raises OSError if the file is there and cannot be read.
        """
        current = self._current()
        if current is None:
            return None
        chunk = self._chunk(current)
        if chunk is None and self._rotated(current):
            chunk = current.file.read(CHUNK)  # a last line without its newline stays so for ever
            current.moved(chunk)
            position = current.position()
            self._open = self._after(current)
            current.file.close()
            return (chunk, position) if chunk else self.read()
        if chunk is None:
            return None
        current.moved(chunk)
        return chunk, current.position()

    def before(self) -> bytes:
        """What was read of the file before the position it resumed from (at most 64 MiB of it)."""
        current = self._current()
        if current is None:
            return b""
        start = max(0, current.offset - 64 * 1024 * 1024)
        current.file.seek(start)
        return current.file.read(current.offset - start)

    def close(self) -> None:
        """Close the file; the next read opens what lies at the path then."""
        if self._open is not None:
            self._open.file.close()
            self._open = None

    def _current(self) -> _Open | None:
        if self._open is None:
            self._open = self._find()
        return self._open

    def _find(self) -> _Open | None:
        position, self._resume = self._resume, None
        candidates = [self._path]
        if position is not None:
            candidates += sorted(self._path.parent.glob(f"{self._path.name}.*"))
        for path in candidates:
            opened = _open(path)
            if opened is None:
                continue
            if position is None:
                return opened
            if _is_same(opened, position):
                opened.offset, opened.line = position.offset, position.line
                return opened
            opened.file.close()
        return _open(self._path)

    def _after(self, finished: _Open) -> _Open | None:
        """The file that the log went on in: the oldest of those written after the finished one."""
        changed = os.fstat(finished.file.fileno()).st_mtime_ns
        newer = [
            (found.stat().st_mtime_ns, found)
            for found in self._path.parent.glob(f"{self._path.name}.*")
            if found.stat().st_ino != finished.inode and found.stat().st_mtime_ns > changed
        ]
        return _open(min(newer)[1] if newer else self._path)

    def _chunk(self, current: _Open) -> bytes | None:
        if os.fstat(current.file.fileno()).st_size < current.offset:
            current.offset, current.line, current.mark = 0, 0, ""  # truncated in place: it begins anew
        current.file.seek(current.offset)
        data = current.file.read(CHUNK)
        end = data.rfind(b"\n") + 1
        if end:
            return data[:end]
        return data if len(data) == CHUNK else None

    def _rotated(self, current: _Open) -> bool:
        try:
            return os.stat(self._path).st_ino != current.inode  # noqa: PTH116 - only the number is wanted
        except FileNotFoundError:
            return False


def _open(path: Path) -> _Open | None:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    return _Open(file, os.fstat(file.fileno()).st_ino, _mark(file, 0), 0)


def _is_same(opened: _Open, position: Position) -> bool:
    if os.fstat(opened.file.fileno()).st_size < position.offset or position.mark not in ("", opened.mark):
        return False
    return _mark(opened.file, position.offset - position.line) == position.last


def _mark(file: BinaryIO, at: int) -> str:
    file.seek(at)
    data = file.read(MARK)
    return sha256(data).hexdigest()[:16] if len(data) == MARK else ""
