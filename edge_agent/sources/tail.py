"""A growing log read in whole lines: resumed where it was left, followed through every kind of rotation."""

import os
import time
from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from edge_agent.sources.logfile import CHUNK, Listed, LogFile, pieces, resumed, rotated_files
from edge_agent.sources.packed import ForeignFileError
from edge_agent.sources.position import Position

QUIET_SECONDS: Final = 5.0  # a writer goes on in the old file until it is told of the rotation
LOOK_BACK_CHUNK: Final = 1024 * 1024
LOOK_BACK_BYTES: Final = 256 * 1024 * 1024
LOOK_BACK_NS: Final = 48 * 3600 * 10**9
PACKED_TO: Final = 10  # a log is compressed to about a tenth


def whole_lines(file: BinaryIO, only: bytes | None = None) -> Iterator[bytes]:
    """A file's lines in chunks of at most 48 KiB, or just those lines that hold `only`.

    A last line without its newline comes too; of a line as long as a chunk nothing but its beginning.
    """
    return select(pieces(file.read, CHUNK), only)


def select(chunks: Iterator[bytes], only: bytes | None) -> Iterator[bytes]:
    """The chunks, or just those of their lines that hold `only`."""
    for chunk in chunks:
        if only is None:
            yield chunk
        elif only in chunk:
            yield b"".join(_lines_with(chunk, only))


def _lines_with(chunk: bytes, only: bytes) -> Iterator[bytes]:
    at = chunk.find(only)
    while at >= 0:
        end = chunk.find(b"\n", at)
        end = len(chunk) if end < 0 else end
        yield chunk[chunk.rfind(b"\n", 0, at) + 1 : end]
        yield b"\n"
        at = chunk.find(only, end)


class Tail:
    """Reads one path. `read` gives whole lines; None at the end of what is there now.

    `lost` counts how often the place to read on from was gone, `torn` the compressed files that were damaged
    or had no end, `unread` those that cannot be read at all; whoever tells of it sets them to 0. `head` is
    set when another file begins, or this one is taken up again: the first lines of what was read of it
    before, where these say what is where (`header`); whoever takes it sets it to None.
    `behind` says that a newer file waits, until this one is read and quiet.
    """

    def __init__(
        self,
        path: Path,
        position: Position | None,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        header: bool = False,
    ) -> None:
        self.lost = 0
        self.torn = 0
        self.unread = 0
        self.head: bytes | None = None
        self.behind = False
        self._path = path
        self._open: LogFile | None = None
        self._resume = position
        self._monotonic = monotonic
        self._header = header
        self._still: tuple[int, int] | None = None
        self._still_since = 0.0

    def read(self) -> tuple[bytes, Position] | None:
        """The next whole lines (at most 48 KiB) and the position after them, or None for now.

        Raises OSError if the file is there and cannot be read.
        """
        current = self._current()
        if current is None:
            return None
        chunk = current.chunk()
        newer = self._newer(current)
        self.behind = bool(newer)
        if chunk:
            return current.take(chunk)
        if not newer or not self._quiet(current, newer[0]):
            return None
        rest = current.rest()
        return current.take(rest) if rest else self._go_on(current.position, newer)

    def before(self, only: bytes) -> Iterator[bytes]:
        """Lines that hold `only`, of what was written before the position: in chunks, oldest first.

        It goes back through rotated files, at most 48 hours and 256 MiB. Raises OSError as `read` does.
        """
        current = self._current()
        end = current.offset if current is not None else 0
        for path, start in self._look_back(current, LOOK_BACK_BYTES - end):
            with suppress(OSError):
                past = resumed(path, None)
                if past is not None:
                    with past.file:
                        read = past.stream(start, start + LOOK_BACK_BYTES)
                        yield from select(pieces(read, LOOK_BACK_CHUNK), only)
        if current is not None:
            read = current.stream(max(0, end - LOOK_BACK_BYTES), end)
            yield from select(pieces(read, LOOK_BACK_CHUNK), only)

    def close(self) -> None:
        """Close the file; the next read opens what lies at the path then."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _current(self) -> LogFile | None:
        if self._open is not None and not self._open.still_fits():
            # Truncated in place: what was not read yet may lie in a copy beside it.
            self._resume = self._open.position
            self.close()
        if self._open is None:
            self._open = self._find(self._resume)
            if self._open is not None:
                self._resume = None
                self._show_head(self._open)
        return self._open

    def _show_head(self, opened: LogFile) -> None:
        self.head = opened.head() if self._header else b""

    def _opened(self, path: Path, position: Position | None) -> LogFile | None:
        return resumed(path, position, header=self._header)

    def _find(self, position: Position | None) -> LogFile | None:
        found = self._opened(self._path, position)
        if found is not None or position is None:
            return found
        # Listed only now: what was renamed since is in the list.
        rotated = rotated_files(self._path)
        for file in reversed(rotated):
            with suppress(OSError):
                found = self._opened(file.path, position)
            if found is not None:
                return found
        if not self._path.exists():
            return None  # between two steps of a rotation: it is looked for again
        unread = [file.path for file in rotated if 0 < position.written < file.stat.st_mtime_ns]
        for path in (*unread, self._path):
            with suppress(OSError):
                found = self._opened(path, None)
            if found is not None:
                self.lost += 1
                return found
        return None

    def _look_back(self, current: LogFile | None, most: int) -> list[tuple[Path, int]]:
        """Older files and where in them to begin, so that they come to `most` bytes; oldest first."""
        older = rotated_files(self._path)
        newest = older[-1].stat if older else None
        if current is not None:
            newest = current.stat()
            same = [i for i, file in enumerate(older) if os.path.samestat(file.stat, newest)]
            older = older[: same[0]] if same else older
        spans: list[tuple[Path, int]] = []
        for file in reversed(older):
            if newest is None or most <= 0 or newest.st_mtime_ns - file.stat.st_mtime_ns > LOOK_BACK_NS:
                break
            packed = _is_packed(file.path)
            # Where its last bytes are nobody knows before it is decompressed.
            spans.append((file.path, 0 if packed else max(0, file.stat.st_size - most)))
            most -= file.stat.st_size * (PACKED_TO if packed else 1)
        return spans[::-1]

    def _newer(self, current: LogFile) -> list[Listed]:
        """The files that the log went on in after this one, oldest first; empty ones are no matter."""
        status = current.stat()
        try:
            last = Listed(self._path, self._path.stat())
        except OSError:
            return []
        if os.path.samestat(last.stat, status):
            return []
        rotated = rotated_files(self._path)
        same = [i for i, file in enumerate(rotated) if os.path.samestat(file.stat, status)]
        newer = (
            rotated[same[0] + 1 :]
            if same
            else [file for file in rotated if file.stat.st_mtime_ns > status.st_mtime_ns]
        )
        # Another name of this file is no newer one; nor is what was made of a file that is still there.
        names = {file.path.name for file in newer}
        newer = [
            file
            for file in newer
            if not os.path.samestat(file.stat, status) and not _is_made_of(file.path.name, names)
        ]
        return [file for file in (*newer, last) if file.stat.st_size > 0]

    def _quiet(self, current: LogFile, following: Listed) -> bool:
        """Whether nothing was written to the finished file for a while since the next one was begun."""
        still = (current.stat().st_size, following.stat.st_ino)
        now = self._monotonic()
        if still != self._still:
            self._still, self._still_since = still, now
        return now - self._still_since >= QUIET_SECONDS

    def _go_on(self, position: Position | None, newer: list[Listed]) -> tuple[bytes, Position] | None:
        """The first chunk of the next file. Until there is one, the place is kept in the one before."""
        unreadable = unread = 0
        for file in newer:
            is_last = file is newer[-1]
            try:
                replaced = self._copy(file, position, newer)
                if replaced is not None:
                    self._leave()
                    self._open = replaced
                    self._show_head(replaced)
                    return self.read()
                opened = self._opened(file.path, None)
            except ForeignFileError:
                unread += 1
                continue
            except OSError:
                if is_last:
                    raise
                unreadable += 1
                continue
            if opened is None:
                return None
            moved = not os.path.samestat(opened.stat(), file.stat)
            chunk = b"" if moved else opened.chunk() or (b"" if is_last else opened.rest())
            if not chunk:
                opened.close()
                self.behind = moved
                return None
            self._leave()
            self._open, self._still, self.head = opened, None, b""
            self.lost += unreadable
            self.unread += unread
            self.behind = not is_last
            return opened.take(chunk)
        return None

    def _copy(self, file: Listed, position: Position | None, newer: list[Listed]) -> LogFile | None:
        """`file`, if it is no other log but this one: a copy of it, or what it was compressed to."""
        if position is None:
            return None
        found = self._opened(file.path, position)
        if found is None or len(newer) == 1 or found.is_packed:
            return found
        if self._open is not None and found.is_copy_of(self._open):
            return found
        found.close()
        return None

    def _leave(self) -> None:
        if self._open is not None and self._open.torn:
            self.torn += 1
        self.close()


def _is_made_of(name: str, names: Container[str]) -> bool:
    """Whether it is `log.1.gz` or `log.1.bak` beside `log.1`."""
    stem, dot, ending = name.rpartition(".")
    return bool(dot) and not ending.isdigit() and stem in names


def _is_packed(path: Path) -> bool:
    with suppress(OSError):
        opened = resumed(path, None)
        if opened is not None:
            with opened.file:
                return opened.is_packed
    return False
