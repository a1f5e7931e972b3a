"""Compressed files are read on from within, once, in bounded memory, as far as they are whole."""

import bz2
import gzip
import os
import random
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from edge_agent.sources.logfile import CHUNK, decode_position
from edge_agent.sources.packed import Unpacked
from edge_agent.sources.tail import Tail
from tests.edge_agent.sources.tails import (
    START,
    Watch,
    append,
    lines,
    position_after,
    read_all,
    read_and_wait,
    rotate,
)
from tests.edge_agent.sources.tails import every_file_is_closed_in_the_end as every_file_is_closed_in_the_end

PACKERS = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor(write_checksum=True).compress}
packed = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


def compress(path: Path, pack: Callable[[bytes], bytes], name: str) -> None:
    """As logrotate does: the copy has the times of what it was made from, which is then deleted."""
    times = path.stat()
    target = path.with_name(name)
    target.write_bytes(pack(path.read_bytes()))
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
    path.unlink()


@packed
@pytest.mark.parametrize("name", ["log.2.gz", "log.2.zst", "log.2", "log-20260912.gz"])
def test_reading_goes_on_inside_a_file_that_was_compressed_meanwhile(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    position = position_after(log)
    append(log, lines(5, 5))
    compress(log, pack, name)
    (tmp_path / ("log-20260913" if "-" in name else "log.1")).write_text(lines(10, 5))
    log.write_text(lines(15, 5))
    tail = Tail(log, position, watch)
    assert read_and_wait(tail, watch) == lines(5, 15), "known by its first bytes, whatever its name says"
    assert (tail.lost, tail.torn) == (0, 0)


@packed
def test_a_file_that_is_compressed_while_it_is_read_is_read_once(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    tail = Tail(log, None, watch)
    assert read_all(tail)[0] == lines(0, 5)
    append(log, lines(5, 5))
    rotate(log)
    compress(tmp_path / "log.1", pack, "log.1.gz")
    os.utime(tmp_path / "log.1.gz")  # also where the copy has a time of its own
    append(log, lines(10, 5))
    assert read_and_wait(tail, watch) == lines(5, 10)
    assert tail.lost == 0


@packed
def test_a_position_taken_inside_a_compressed_file_is_one_of_its_lines(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 4000))
    compress(log, pack, "log.1.gz")
    log.write_text(lines(4000, 5))
    found = Tail(tmp_path / "log.1.gz", None).read()
    assert found is not None
    rest = read_and_wait(Tail(log, decode_position(found[1].encode()), watch), watch)
    assert found[0].decode() + rest == lines(0, 4005)


@packed
@pytest.mark.parametrize("damage", ["cut", "spoilt"])
def test_of_a_damaged_compressed_file_everything_before_the_damage_is_read_and_it_is_told(
    tmp_path: Path, pack: Callable[[bytes], bytes], damage: str
) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    position = position_after(log)
    noise = random.Random(1).randbytes(90_000).hex()
    append(log, "".join(f"{START:%b %d %H:%M:%S} {noise[i : i + 60]}\n" for i in range(0, 180_000, 60)))
    text = log.read_text()
    data = bytearray(pack(text.encode()))
    if damage == "cut":
        del data[len(data) * 9 // 10 :]
    else:
        data[-4] ^= 0xFF  # of the check sum at the end
    log.unlink()
    (tmp_path / "log.1.gz").write_bytes(data)
    log.write_text(lines(5, 5))
    tail = Tail(log, position, watch)
    found = read_and_wait(tail, watch)
    assert found.endswith(lines(5, 5))
    before = found.removesuffix(lines(5, 5))
    assert text[len(lines(0, 5)) :].startswith(before)
    assert len(before) > len(text) * (0.4 if damage == "cut" else 0.99)
    assert (tail.lost, tail.torn) == (0, 1)


def _copied(path: Path) -> None:
    shutil.copy2(path, path.with_name(f"{path.name}.bak"))


def _linked(path: Path) -> None:
    os.link(path, path.with_name("log-20260914"))


def _dated(path: Path) -> None:
    shutil.copy2(path, path.with_name("log-20260914"))


def _compressed_beside(path: Path) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))


def _half_compressed_beside(path: Path) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes())[:-20])


@pytest.mark.parametrize(
    ("again", "age"),
    [
        *((again, 1) for again in (_copied, _linked, _dated, _compressed_beside, _half_compressed_beside)),
        *((again, 2) for again in (_copied, _compressed_beside)),
    ],
)
def test_a_rotated_file_that_is_there_twice_is_read_once(
    tmp_path: Path, again: Callable[[Path], None], age: int
) -> None:
    log, watch = tmp_path / "log", Watch()
    append(log, lines(0, 40))
    position = position_after(log)
    rotate(log)
    append(log, lines(40, 40))
    rotate(log)
    append(log, lines(80, 40))
    again(tmp_path / f"log.{age}")
    assert read_and_wait(Tail(log, position, watch), watch, 12) == lines(40, 80)


def test_a_compressed_file_is_decompressed_once_not_once_for_every_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log.gz"
    log.write_bytes(gzip.compress(lines(0, 20_000).encode()))
    begun: list[int] = []
    begin = Unpacked._begin

    def counted(self: Unpacked) -> None:
        begun.append(1)
        begin(self)

    monkeypatch.setattr(Unpacked, "_begin", counted)
    assert read_all(Tail(log, None))[0] == lines(0, 20_000)
    assert len(begun) <= 3, "20 chunks"


def test_a_file_compressed_in_another_way_is_never_read_as_text_and_told(tmp_path: Path) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    tail = Tail(log, None, watch)
    read_all(tail)
    rotate(log)
    rotate(log)
    (tmp_path / "log.1").write_bytes(bz2.compress(lines(5, 5).encode()))
    append(log, lines(10, 5))
    assert read_and_wait(tail, watch) == lines(10, 5)
    assert tail.unread == 1


@packed
def test_a_decompression_bomb_is_read_in_bounded_memory(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(pack(b"x" * (64 << 20) + b"\n" + lines(0, 1).encode()))
    tail = Tail(path, None)
    tracemalloc.start()
    try:
        found = read_all(tail)[0]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == "x" * CHUNK + lines(0, 1), "the long line is handed on once, and skipped to its end"
    assert peak < 40 << 20
