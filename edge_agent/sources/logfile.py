"""One log file on disk, plain or compressed: whole lines from a position on, and found among rotated files.

Rotated files are those that logrotate names: `log.1`, `log-20260914`, and with any ending: `log.2.gz`.
"""

import errno
import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.sources.packed import LONGEST_MAGIC, ForeignFileError, Unpacked, form_of, is_foreign
from edge_agent.sources.position import HEAD, MARK, Position, decode_position, hashed, last_line

__all__ = ["CHUNK", "LINES", "Listed", "LogFile", "Position", "cut", "decode_position", "resumed"]

CHUNK: Final = 48 * 1024  # what a chunk of a query log's shortest lines comes to must fit into one parcel
LINES: Final = 1000  # other logs have shorter lines
HEAD_LINES: Final = 16 * 1024  # what is shown again of a file's head
SKIPPED: Final = 1024 * 1024  # of an overlong line at a time
_ROTATED: Final = re.compile(
    r"(?:\.(?P<age>\d{1,4})|[.-](?P<date>\d{4}-?\d\d-?\d\d[-_T:\d]*))(?P<ending>\.[A-Za-z]\w{0,4})?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that was there when the folder was looked at."""

    path: Path
    stat: os.stat_result


class LogFile:
    """An open file, and how far it was read. With `header` its head tells it from others of its kind.

    A line as long as a chunk is handed on once, as far as a chunk goes; its rest is skipped.
    """

    def __init__(self, file: io.FileIO, *, header: bool = False) -> None:
        self.file = file  # without a buffer: what was truncated must not be read from memory
        self.position: Position | None = None
        self._header = header
        self._at = 0
        self._inside: bool | None = False  # an overlong line; None: not looked yet
        self._sniffed = False
        self._unpacked: Unpacked | None = None
        self._looked_at: tuple[int, int] | None = None  # size and time of writing when it was found to fit

    @property
    def offset(self) -> int:
        """How many bytes were read."""
        return self.position.offset if self.position is not None else 0

    @property
    def is_packed(self) -> bool:
        """Whether it is compressed. Raises ForeignFileError where that is not read here."""
        if not self._sniffed:
            self.file.seek(0)
            first = self.file.read(LONGEST_MAGIC)
            if is_foreign(first):
                raise ForeignFileError
            form = form_of(first)
            self._unpacked = None if form is None else Unpacked(self.file, form)
            self._sniffed = len(first) >= LONGEST_MAGIC or form is not None
        return self._unpacked is not None

    @property
    def torn(self) -> bool:
        """Whether a compressed file is damaged or has no end; to ask only where no chunk comes any more."""
        return self._unpacked is not None and self._unpacked.torn

    @property
    def taken(self) -> int:
        """How many bytes of the disk were read by `stream`."""
        return self._unpacked.taken if self._unpacked is not None else self.file.tell()

    def stat(self) -> os.stat_result:
        """The file as it is now, wherever it was moved."""
        return os.fstat(self.file.fileno())

    def fits(self, position: Position | None) -> bool:
        """Whether what was read up to `position` is what is in the file. Raises as `is_packed` does."""
        packed = self.is_packed
        if position is None:
            return True
        if not 0 < position.line <= position.offset:
            return False
        if not packed and position.offset > self.stat().st_size:
            return False
        if position.mark and hashed(self._bytes(0, min(MARK, position.offset))) != position.mark:
            return False
        if position.head and hashed(self._bytes(0, min(HEAD, position.offset))) != position.head:
            return False
        last = self._bytes(position.offset - position.line, min(MARK, position.line))
        # Of a compressed file nobody knows the length: its last byte must be there.
        whole = not packed or len(self._bytes(position.offset - 1, 1)) == 1
        return whole and position.last in ("", hashed(last))

    def still_fits(self) -> bool:
        """`fits` of its own position; a compressed file is only looked at again once it was written to."""
        status = self.stat()
        written = status.st_size, status.st_mtime_ns
        # What was read is decompressed from the beginning for it: for every chunk that would be quadratic.
        if self.is_packed and written == self._looked_at:
            return True
        self._looked_at = written
        return self.fits(self.position)

    def is_copy_of(self, other: "LogFile") -> bool:
        """Whether what was read of `other` is in this one too, which `fits` its position."""
        position = other.position
        if position is None:
            return False
        line = position.offset - position.line, position.line
        spans = (line, (0, min(HEAD, position.offset)))
        return all(self._bytes(*span) == other.bytes_at(*span) for span in spans)

    def bytes_at(self, at: int, size: int) -> bytes:
        """So many bytes from there on, or as many as there are."""
        return self._bytes(at, size)

    def go_to(self, position: Position | None) -> None:
        """Read on from there."""
        self.position = position
        self._at = self.offset
        self._inside = None if position is not None else False

    def chunk(self) -> bytes:
        """The next whole lines, at most 48 KiB and 1,000; nothing if there are none yet."""
        if not self._skip():
            return b""
        data = self._bytes(self._at, CHUNK)
        return data[: cut(data, CHUNK, LINES)]

    def rest(self) -> bytes:
        """A last line that will never get its newline."""
        return self._bytes(self._at, CHUNK) if self._skip() else b""

    def take(self, chunk: bytes) -> tuple[bytes, Position]:
        """`chunk` was read: it, and the position after it."""
        offset = self._at + len(chunk)
        start = last_line(chunk, len(chunk))
        self.position = Position(
            self._hash_of(MARK, "mark", chunk),
            offset,
            len(chunk) - start,
            hashed(chunk[start : start + MARK]),
            self.stat().st_mtime_ns,
            self._hash_of(HEAD, "head", chunk) if self._header else "",
        )
        self._at, self._inside = offset, not chunk.endswith(b"\n")
        return chunk, self.position

    def head(self) -> bytes:
        """The first whole lines of what was read already, at most 16 KiB."""
        data = self._bytes(0, min(HEAD_LINES, self.offset))
        return data[: data.rfind(b"\n") + 1]

    def stream(self, start: int, end: int) -> Callable[[int], bytes]:
        """A function that reads on from `start`, so many bytes at a time at most; nothing at `end`."""
        at = start

        def read(size: int) -> bytes:
            nonlocal at
            data = self._bytes(at, max(0, min(size, end - at)))
            at += len(data)
            return data

        return read

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def _skip(self) -> bool:
        """Go on to the beginning of a line; whether there is one yet."""
        if self._inside is None:
            self._inside = self._at > 0 and self._bytes(self._at - 1, 1) != b"\n"
        while self._inside:
            data = self._bytes(self._at, SKIPPED)
            end = data.find(b"\n") + 1
            self._at += end or len(data)
            self._inside = not end
            if not data:
                return False
        return True

    def _hash_of(self, size: int, name: str, chunk: bytes) -> str:
        if self.position is not None and self.offset >= size:
            return str(getattr(self.position, name))
        return hashed((self._bytes(0, min(self._at, size)) + chunk)[:size])

    def _bytes(self, at: int, size: int) -> bytes:
        if self.is_packed and self._unpacked is not None:
            return self._unpacked.read_at(at, size)
        self.file.seek(at)
        return self.file.read(size)


def resumed(path: Path, position: Position | None, *, header: bool = False) -> LogFile | None:
    """The file, if it is there and what was read up to `position` is in it. Raises OSError."""
    try:
        if stat.S_ISFIFO(path.stat().st_mode):
            raise OSError(errno.EINVAL, "a pipe has taken its place; restart to read that")
        opened = LogFile(path.open("rb", buffering=0), header=header)
    except FileNotFoundError:
        return None
    fits = False
    try:
        fits = opened.fits(position)
    finally:
        if not fits:
            opened.close()
    opened.go_to(position)
    return opened if fits else None


def rotated_files(path: Path) -> list[Listed]:
    """The rotated files of the log at `path`, oldest first; none if the folder cannot be listed."""
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
                    # While it is compressed there are both: the one that it is made from comes later.
                    plain = match["ending"] is None
                    order = (re.sub(r"\D", "", match["date"] or ""), -int(match["age"] or 0), plain)
                    found.append((order, Listed(sibling, status)))
    return [listed for _, listed in sorted(found, key=lambda item: item[0])]


def pieces(read: Callable[[int], bytes], size: int, lines: int | None = None) -> Iterator[bytes]:
    """Whole lines of what `read` gives, at most `size` bytes (and `lines` of them) at a time.

    A last line without its newline comes too; of a line as long as a piece nothing but the first piece.
    """
    held, inside = b"", False
    while data := read(left := size - len(held)):
        if inside:
            end = data.find(b"\n") + 1
            data, inside = data[end:] if end else b"", not end
        end = cut(data, left)
        if end:
            inside = data[end - 1 : end] != b"\n"
            # One copy of a large piece, not one for joining and one for what is whole of it.
            yield from _few(b"".join((held, memoryview(data)[:end])), lines)
            held = data[end:]
        else:
            held += data
    if held:
        yield from _few(held, lines)


def _few(piece: bytes, lines: int | None) -> Iterator[bytes]:
    """The piece, at most so many lines at a time."""
    while end := cut(piece, len(piece), lines):
        yield piece[:end] if end < len(piece) else piece
        piece = piece[end:]


def cut(data: bytes, size: int, lines: int | None = None) -> int:
    """How much of `data` is whole lines; all of it if one line alone has `size` bytes."""
    end = data.rfind(b"\n") + 1
    if end == 0 and len(data) >= size:
        return len(data)
    if lines is not None and data.count(b"\n") > lines:
        return end - len(data[:end].split(b"\n", lines)[lines])
    return end
