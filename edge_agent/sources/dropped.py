"""A folder into which files are dropped: each is read once, in the order in which they came."""

import heapq
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from edge_agent.sources.logfile import LogFile, resumed
from edge_agent.sources.packed import ForeignFileError
from edge_agent.sources.position import Position, hashed

SETTLED_SECONDS: Final = 5.0  # a file that has not changed for so long is whole
LOOK_SECONDS: Final = 1.0
LOOKED_AT: Final = 64  # files at a time
REMEMBERED: Final = 48  # files that were read last
PROBED: Final = 64 * 1024  # of a file's beginning, and of its end
AHEAD_NS: Final = 3600 * 10**9


class FolderPlace(msgspec.Struct, frozen=True, omit_defaults=True):
    """Files that came up to `until` (their change time in nanoseconds, then a hash of the name) are read.

    `done` holds what the last files read were known by, their size and what is in them: they are known again
    where change time and name say nothing, as after a restore, or when somebody tidies up. `file` is the
    name's hash of the one that was read last, up to `at`.
    """

    until: tuple[int, str] = (0, "")
    done: tuple[str, ...] = ()
    file: str = ""
    at: Position | None = None

    def encode(self) -> bytes:
        """As bytes for the link."""
        return msgspec.json.encode(self)

    def within(self, chunk: bytes, end: int) -> "FolderPlace":
        """See Place."""
        return msgspec.structs.replace(self, at=None if self.at is None else self.at.within(chunk, end))


def decode_place(data: bytes | None) -> FolderPlace:
    """Bytes of the link as a place; the beginning if there is none, or none of this kind."""
    try:
        return msgspec.json.decode(data, type=FolderPlace) if data else FolderPlace()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return FolderPlace()


class _Arrived(NamedTuple):
    """A file as it was when the folder was looked at; in order of coming. `name` is a hash of its name."""

    changed: int
    name: str
    path: Path

    @property
    def came(self) -> tuple[int, str]:
        """When, as `FolderPlace.until` has it."""
        return self.changed, self.name


class Dropped:
    """Reads a folder, with what lies in its folders. Nothing in it is ever changed or deleted.

    Names that begin with a dot are drafts of whoever drops files. A file that grew since it was read last
    is read on where it stood; any other that changed is another file, but not one that was only renamed or
    copied. See `Tail` for the attributes.
    """

    def __init__(
        self,
        folder: Path,
        place: FolderPlace,
        monotonic: Callable[[], float] = time.monotonic,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.lost = 0
        self.torn = 0
        self.unread = 0
        self.head: bytes | None = None
        self.behind = False
        self._folder = folder
        self._place = place
        self._monotonic = monotonic
        self._now_ns = now_ns
        self._open: LogFile | None = None
        self._reading: tuple[_Arrived, str] | None = None  # and what it is known by
        self._seen: dict[_Arrived, float] = {}  # since when files are as they are
        self._next_look = float("-inf")

    def read(self) -> tuple[bytes, FolderPlace] | None:
        """The next whole lines and the place after them, or None for now. Raises OSError."""
        while self._open is not None or self._go_on():
            opened = self._open
            if opened is None:
                continue
            chunk = opened.chunk() or opened.rest()
            if chunk:
                _, position = opened.take(chunk)
                self._place = msgspec.structs.replace(self._place, at=position)
                return chunk, self._place
            self._finish(opened)
        return None

    def before(self, only: bytes) -> Iterator[bytes]:
        """Nothing: leases are told by logs that go on."""
        del only
        return iter(())

    def close(self) -> None:
        """Close the file that is read."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _go_on(self) -> bool:
        """Begin with the next file, if there is one that is whole."""
        found = self._next()
        if found is None:
            return False
        content = _content(found.path)
        if content in self._place.done:
            self._done(found, content)
            return True
        self._reading = found, content
        opened = self._opened(found)
        if opened is None:
            self.unread += 1
            self._done(found, content)
        else:
            self._place = msgspec.structs.replace(self._place, file=found.name, at=opened.position)
            self._open, self.head = opened, opened.head()
        return True

    def _opened(self, found: _Arrived) -> LogFile | None:
        """The file where it is to be read on; None if it was deleted, or nobody could read it."""
        at = self._place.at if found.name == self._place.file else None
        with suppress(PermissionError, ForeignFileError):
            return resumed(found.path, at, header=True) or resumed(found.path, None, header=True)
        return None

    def _finish(self, opened: LogFile) -> None:
        self.torn += opened.torn
        self.close()
        if self._reading is not None:
            self._done(*self._reading)

    def _done(self, file: _Arrived, content: str) -> None:
        done = (*(known for known in self._place.done if known != content), content)[-REMEMBERED:]
        until = max(self._place.until, file.came)
        self._place = msgspec.structs.replace(self._place, until=until, done=done)
        self._seen.pop(file, None)
        self._reading = None

    def _next(self) -> _Arrived | None:
        now = self._monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            arrived = heapq.nsmallest(LOOKED_AT, self._arrived())
            self._seen = {file: self._seen.get(file, now) for file in arrived}
        first = min(self._seen, default=None)
        self.behind = first is not None
        return first if first is not None and now - self._seen[first] >= SETTLED_SECONDS else None

    def _arrived(self) -> Iterator[_Arrived]:
        """The files that are not read yet. Raises OSError if the folder cannot be listed."""
        # A clock that was ahead when files came must not hide those that come now.
        until = min(self._place.until, (self._now_ns() + AHEAD_NS, ""))
        for path in _files(self._folder):
            with suppress(OSError):
                found = path.stat()
                name = hashed(os.fsencode(path.relative_to(self._folder)))
                file = _Arrived(found.st_ctime_ns, name, path)
                if stat.S_ISREG(found.st_mode) and file.came > until:
                    yield file


def _content(path: Path) -> str:
    """What a file is known by, whatever its name and times; nothing if it cannot be read."""
    with suppress(OSError), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        begin = file.read(PROBED)
        file.seek(max(0, size - PROBED))
        return hashed(b"%d " % size + begin + file.read(PROBED))[:10]
    return ""


def _files(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                with suppress(PermissionError, FileNotFoundError):
                    yield from _files(Path(entry.path))
            else:
                yield Path(entry.path)
