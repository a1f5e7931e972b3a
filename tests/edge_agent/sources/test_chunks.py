"""A file comes in chunks of whole lines."""

import io
from typing import BinaryIO

import pytest

from edge_agent.sources.logfile import CHUNK
from edge_agent.sources.tail import whole_lines
from tests.edge_agent.sources.tails import lines


class Slow(io.BytesIO):
    """A file that gives less than it is asked for, as a pipe does."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 777))


@pytest.mark.parametrize("kind", [io.BytesIO, Slow])
@pytest.mark.parametrize("end", ["", "Sep 14 09:00:00 the last line has no newline"])
def test_a_file_comes_in_chunks_of_whole_lines(kind: type[io.BytesIO], end: str) -> None:
    text = (lines(0, 5000) + end).encode()
    file: BinaryIO = kind(text)
    chunks = list(whole_lines(file))
    assert b"".join(chunks) == text
    assert max(map(len, chunks)) <= CHUNK
    assert all(chunk.endswith(b"\n") for chunk in chunks[:-1])


@pytest.mark.parametrize("kind", [io.BytesIO, Slow])
def test_of_an_endless_line_only_the_beginning_comes(kind: type[io.BytesIO]) -> None:
    file: BinaryIO = kind(lines(0, 1).encode() + b"x" * (3 * CHUNK + 5) + b"\n" + lines(1, 1).encode())
    found = list(whole_lines(file))
    assert b"".join(found) == lines(0, 1).encode() + b"x" * CHUNK + lines(1, 1).encode()
    assert max(map(len, found)) <= CHUNK


def test_only_lines_of_one_kind_come_where_only_these_are_wanted() -> None:
    text = b"".join(b"DHCPACK %d\n%s" % (n, lines(n, 99).encode()) for n in range(50)) + b"DHCPACK 50"
    chunks = list(whole_lines(io.BytesIO(text), only=b"DHCPACK"))
    assert b"".join(chunks) == b"".join(b"DHCPACK %d\n" % n for n in range(51))
