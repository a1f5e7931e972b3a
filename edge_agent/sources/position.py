"""How far a log file was read, and by what to know it again: kept by whoever accepted what was read."""

from hashlib import sha256
from typing import Final, Protocol

import msgspec

MARK: Final = 15  # most logs' first bytes are their first line's time: enough to know a file again
HEAD: Final = 1024  # of files that begin with a header, which is the same in each


class Place(Protocol):
    """Where a source stands after what was read."""

    def encode(self) -> bytes:
        """As bytes for the link, at most 1,024."""

    def within(self, chunk: bytes, end: int) -> "Place":
        """The place after `chunk[:end]`, where this one is after the whole of `chunk`."""


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a file was read, and by what to know it again: its first line's time, and the last read one's.

    An inode would not do: a copied, restored or compressed file has another. Offsets are of decompressed
    bytes. `line` is the length of the line that ends at `offset`, `mark` and `last` are hashes of the first
    bytes of the file and of that line, `head` of its first 1,024 bytes where they begin with a header;
    `written` is when the file had been written last, in nanoseconds since 1970 (0: not known).
    """

    mark: str
    offset: int
    line: int
    last: str
    written: int = 0
    head: str = ""

    def encode(self) -> bytes:
        """As bytes for the link."""
        return msgspec.json.encode(self)

    def within(self, chunk: bytes, end: int) -> "Position":
        """The position after `chunk[:end]`, where this one is after the whole of `chunk`."""
        offset = self.offset - len(chunk) + end
        start = last_line(chunk, end)
        mark = self.mark if offset >= MARK else ""
        head = self.head if offset >= HEAD else ""
        last = hashed(chunk[start : min(end, start + MARK)])
        return Position(mark, offset, end - start, last, self.written, head)


def decode_position(data: bytes | None) -> Position | None:
    """Bytes of the link as a position; None if there is none, or none of this kind."""
    try:
        return msgspec.json.decode(data, type=Position) if data else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def last_line(chunk: bytes, end: int) -> int:
    """Where in `chunk` the line begins that ends at `end`."""
    return chunk.rfind(b"\n", 0, end - 1) + 1


def hashed(data: bytes) -> str:
    """64 bits, as hexadecimal digits."""
    return sha256(data).hexdigest()[:16]
