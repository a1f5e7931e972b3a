"""Protobuf's wire format, as far as an ONNX file needs it: fields out, and a careful walk over fields in.

Written out here because the bytes must be the same on every machine (protobuf promises no such thing), so
that a reader can make a graph again from its fit and compare the two.
"""

from collections.abc import Iterator
from typing import Final

VARINT: Final = 0
LENGTH: Final = 2

_LONGEST_VARINT: Final = 10


class MalformedError(ValueError):
    """The bytes are no message."""


def varint(number: int) -> bytes:
    """A number from 0 up, seven bits a byte, lowest first."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def number(field: int, value: int) -> bytes:
    """A field that holds an integer; negative ones count from 2^64."""
    return varint(field << 3 | VARINT) + varint(value % (1 << 64))


def data(field: int, value: bytes | str) -> bytes:
    """A field that holds bytes, text or a message."""
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | LENGTH) + varint(len(raw)) + raw


def walk(message: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(field, start, end) of the value of each field between start and end.

    Raises MalformedError at a value that is neither bytes nor an integer, or that ends past the message.
    """
    while start < end:
        tag, start = _varint(message, start, end)
        if tag & 7 == VARINT:
            _, stop = _varint(message, start, end)
        elif tag & 7 == LENGTH:
            size, start = _varint(message, start, end)
            stop = start + size
        else:
            raise MalformedError
        if stop > end:
            raise MalformedError
        yield tag >> 3, start, stop
        start = stop


def _varint(message: bytes, start: int, end: int) -> tuple[int, int]:
    found = 0
    for i, byte in enumerate(message[start : min(start + _LONGEST_VARINT, end)]):
        found |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return found, start + i + 1
    raise MalformedError
