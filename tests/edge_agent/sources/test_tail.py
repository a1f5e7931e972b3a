"""A growing log is read once, whole line by whole line, through restarts, rotation and truncation."""

import bz2
import gzip
import io
import itertools
import os
import random
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.sources import tail as tail_module
from edge_agent.sources.logfile import CHUNK, Position, decode_position
from edge_agent.sources.packed import Unpacked
from edge_agent.sources.tail import QUIET_SECONDS, Tail, whole_lines

FIXTURES = HealthCheck.function_scoped_fixture  # it only closes files
START = datetime(2026, 9, 14, 8, 31, tzinfo=UTC)


class Watch:
    """A monotonic clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def wait(self) -> None:
        self.seconds += QUIET_SECONDS


@pytest.fixture(autouse=True)
def every_file_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    opened: list[Tail] = []
    make = Tail.__init__

    def remember(
        self: Tail,
        path: Path,
        position: Position | None,
        monotonic: Callable[[], float] | None = None,
        *,
        header: bool = False,
    ) -> None:
        opened.append(self)
        make(self, path, position, monotonic or Watch(), header=header)

    monkeypatch.setattr(Tail, "__init__", remember)
    yield
    for tail in opened:
        tail.close()


def lines(start: int, count: int) -> str:
    return "".join(
        f"{START + timedelta(seconds=number):%b %d %H:%M:%S} line {number}\n"
        for number in range(start, start + count)
    )


def append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def rotate(log: Path) -> None:
    """As logrotate does with `create`."""
    for age in range(8, 0, -1):
        older = log.with_name(f"{log.name}.{age}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{age + 1}"))
    log.rename(log.with_name(f"{log.name}.1"))
    log.touch()


def read_all(tail: Tail) -> tuple[str, Position | None]:
    """Everything that can be had without waiting."""
    text, position = "", None
    while (found := tail.read()) is not None:
        text += found[0].decode()
        position = found[1]
    return text, position


def read_and_wait(tail: Tail, watch: Watch, times: int = 6) -> str:
    """Everything, after enough quiet for every rotated file there is."""
    text = ""
    for _ in range(times):
        text += read_all(tail)[0]
        watch.wait()
    return text


def position_after(log: Path) -> Position:
    _, position = read_all(Tail(log, None))
    assert position is not None
    return position


def test_a_line_is_read_only_once_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 2) + "Sep 14 08:31:0")
    tail = Tail(log, None)
    assert read_all(tail)[0] == lines(0, 2)
    append(log, "2 line 2\n")
    assert read_all(tail)[0] == "Sep 14 08:31:02 line 2\n"


def test_reading_goes_on_where_it_stood_after_a_restart(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 5))
    position = position_after(log)
    append(log, lines(5, 5))
    assert read_all(Tail(log, decode_position(position.encode())))[0] == lines(5, 5)


def test_a_position_of_the_form_before_still_says_where_to_read_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 5))
    stored = b'{"mark":"4755aed5c71ff2a8","offset":115,"line":23,"last":"8dcadb968dde29d4"}'
    assert log.stat().st_size == 115
    append(log, lines(5, 2))
    assert read_all(Tail(log, decode_position(stored)))[0] == lines(5, 2)


@pytest.mark.parametrize("data", [None, b"", b"\xff\xfe", b"[]", b'{"inode": 7}', b'{"mark": "\xff"}'])
def test_bytes_that_are_no_position_mean_from_the_start(data: bytes | None) -> None:
    assert decode_position(data) is None


def test_a_short_last_line_is_known_again_after_more_was_written(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x\n")
    first = position_after(log)
    append(log, "y\n")
    tail = Tail(log, first)
    assert read_all(tail)[0] == "y\n"
    append(log, lines(0, 1))
    assert read_all(tail)[0] == lines(0, 1)
    assert tail.lost == 0


def test_a_copied_log_is_known_again_although_its_inode_is_another(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 5))
    position = position_after(log)
    copy = tmp_path / "copy" / "log"
    copy.parent.mkdir()
    copy.write_text(lines(0, 8))
    assert read_all(Tail(copy, position))[0] == lines(5, 3)


def test_a_log_that_is_copied_here_again_and_again_is_read_on_not_anew(tmp_path: Path) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    tail = Tail(log, None, watch)
    assert read_all(tail)[0] == lines(0, 5)
    for count in (8, 12):
        draft = tmp_path / "draft"
        draft.write_text(lines(0, count))
        draft.replace(log)
        assert read_and_wait(tail, watch) == lines(5, 3) if count == 8 else lines(8, 4)


def test_another_log_at_the_same_place_is_read_from_its_beginning_and_the_loss_is_told(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 5))
    position = position_after(log)
    log.write_text(lines(20, 9))
    tail = Tail(log, position)
    assert read_all(tail)[0] == lines(20, 9)
    assert tail.lost == 1


def test_a_rotated_log_is_finished_before_the_new_one_begins(tmp_path: Path) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    tail = Tail(log, None, watch)
    assert tail.read() is not None
    append(log, lines(5, 5))
    rotate(log)
    append(log, lines(10, 5))
    assert read_and_wait(tail, watch) == lines(5, 10)


def test_what_a_writer_still_writes_to_the_rotated_file_comes_first(tmp_path: Path) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 2))
    tail = Tail(log, None, watch)
    read_all(tail)
    with log.open("a") as writer:  # it has not been told of the rotation
        rotate(log)
        for number in range(2, 8):
            watch.wait()
            writer.write(lines(number, 1))
            writer.flush()
            assert read_all(tail)[0] == lines(number, 1)
            assert not tail.behind, "the new file is empty: nothing waits"
        append(log, lines(8, 3))  # now it has
        assert read_all(tail)[0] == ""
        writer.write(lines(100, 1))
        writer.flush()
        watch.seconds += QUIET_SECONDS / 2
        assert read_all(tail)[0] == lines(100, 1), "a late line in the old file is not lost"
        assert tail.behind, "there are lines that were not read yet"
        watch.seconds += QUIET_SECONDS * 0.9
        assert read_all(tail)[0] == "", "it was quiet for less than it takes"
    watch.wait()
    assert read_all(tail)[0] == lines(8, 3)
    assert not tail.behind


def test_a_last_line_without_its_newline_is_read_when_its_file_was_rotated(tmp_path: Path) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    tail = Tail(log, None, watch)
    read_all(tail)
    append(log, lines(5, 1).rstrip("\n"))
    rotate(log)
    append(log, lines(6, 2))
    assert read_and_wait(tail, watch) == lines(5, 1).rstrip("\n") + lines(6, 2)


def test_rotations_while_nobody_read_lose_nothing_and_keep_the_order(tmp_path: Path) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    position = position_after(log)
    append(log, lines(5, 5))
    for number in (10, 20, 30):
        rotate(log)
        append(log, lines(number, 10))
    for age in (1, 2, 3):  # a restored folder: the times of the files say nothing
        os.utime(tmp_path / f"log.{age}", (1e9 + age, 1e9 + age))
    assert read_and_wait(Tail(log, position, watch), watch) == lines(5, 35)


def test_files_rotated_by_date_are_read_in_their_order(tmp_path: Path) -> None:
    log, watch = tmp_path / "log", Watch()
    (tmp_path / "log-20260912").write_text(lines(0, 5))
    position = position_after(tmp_path / "log-20260912")
    (tmp_path / "log-20260914").write_text(lines(9, 3))
    (tmp_path / "log-20260913").write_text(lines(5, 4))
    log.write_text(lines(12, 2))
    assert read_and_wait(Tail(log, position, watch), watch) == lines(5, 9)


def test_a_log_truncated_in_place_begins_anew(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 50))
    tail = Tail(log, None)
    read_all(tail)
    log.write_text(lines(60, 3))
    assert read_all(tail)[0] == lines(60, 3)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_log_truncated_in_place_and_grown_again_is_not_read_from_its_middle(
    tmp_path: Path, restarted: bool
) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 50))
    tail = Tail(log, None, watch)
    _, position = read_all(tail)
    append(log, lines(50, 5))
    shutil.copyfile(log, tmp_path / "log.1")
    with log.open("r+") as file:
        file.truncate()
    append(log, lines(60, 500))
    if restarted:
        tail = Tail(log, position, watch)
    assert read_and_wait(tail, watch) == lines(50, 5) + lines(60, 500), (
        "and the copy has what was left unread"
    )
    assert tail.lost == 0


def test_a_line_of_the_same_second_at_the_same_place_does_not_make_another_log_the_same(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 1) + lines(5, 1))
    position = position_after(log)
    log.write_text(lines(4, 3))
    tail = Tail(log, position)
    assert read_all(tail)[0] == lines(4, 3)
    assert tail.lost == 1


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


def test_an_older_file_that_had_been_read_is_not_read_again_when_the_place_is_lost(tmp_path: Path) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    rotate(log)
    os.utime(tmp_path / "log.1", (1e9, 1e9))
    append(log, lines(5, 5))
    position = position_after(log)
    log.write_text(lines(10, 5))
    tail = Tail(log, position, watch)
    assert read_and_wait(tail, watch) == lines(10, 5)
    assert tail.lost == 1


def test_a_rotated_file_that_is_deleted_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    tail = Tail(log, None, watch)
    read_all(tail)
    append(log, lines(5, 5))
    rotate(log)
    (tmp_path / "log.1").unlink()
    append(log, lines(10, 5))
    assert read_and_wait(tail, watch) == lines(5, 10)
    assert tail.lost == 0


@pytest.mark.parametrize("odd", ["folder", "link to nothing", "pipe"])
def test_an_unreadable_sibling_does_not_matter(tmp_path: Path, odd: str) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    position = position_after(log)
    log.write_text(lines(20, 5))
    sibling = tmp_path / "log.1"
    if odd == "folder":
        sibling.mkdir()
    elif odd == "pipe":
        os.mkfifo(sibling)
    else:
        sibling.symlink_to(tmp_path / "nothing")
    tail = Tail(log, position, watch)
    assert list(tail.before(b"line")) == []
    assert read_all(tail)[0] == lines(20, 5)
    append(log, lines(25, 1))
    log.rename(tmp_path / "log.2")
    log.write_text(lines(26, 1))
    assert read_and_wait(tail, watch) == lines(25, 2)


def test_a_log_that_is_there_and_cannot_be_read_says_so(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    with pytest.raises(OSError, match="directory"):
        Tail(log, None).read()


def test_a_missing_log_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tail = Tail(log, None)
    assert tail.read() is None
    log.write_text(lines(0, 1))
    assert read_all(tail)[0] == lines(0, 1)


def test_a_log_that_is_missing_for_a_moment_is_not_lost(tmp_path: Path) -> None:
    log, watch = tmp_path / "log", Watch()
    log.write_text(lines(0, 5))
    position = position_after(log)
    append(log, lines(5, 1))
    log.rename(tmp_path / "elsewhere")
    tail = Tail(log, position, watch)
    assert tail.read() is None
    (tmp_path / "elsewhere").rename(tmp_path / "log.1")
    log.write_text(lines(6, 1))
    assert read_and_wait(tail, watch) == lines(5, 2)
    assert tail.lost == 0


def test_a_line_of_ten_megabytes_is_handed_on_once_and_skipped_to_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    forged = "x" * (CHUNK - 10) + lines(100, 1).rstrip()
    log.write_text(lines(0, 2) + forged * 200 + "\n" + lines(2, 3))
    tail = Tail(log, None)
    handed = []
    while (found := tail.read()) is not None:
        handed.append(found)
    assert [chunk for chunk, _ in handed] == [
        lines(0, 2).encode(),
        forged.encode()[:CHUNK] + b"x" * (CHUNK - len(forged)),
        lines(2, 3).encode(),
    ], "no later part of it is taken for a line"
    for (_, position), (following, _) in itertools.pairwise(handed):
        again = Tail(log, decode_position(position.encode())).read()
        assert again is not None and again[0] == following, "also after a restart within it"


def test_a_line_without_end_is_waited_for_without_being_held(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * (CHUNK * 3))
    tail = Tail(log, None)
    assert read_all(tail)[0] == "x" * CHUNK
    append(log, "x" * CHUNK)
    assert read_all(tail)[0] == ""
    append(log, "x\n" + lines(0, 1))
    assert read_all(tail)[0] == lines(0, 1)


def test_very_short_lines_come_a_thousand_at_a_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x\n" * 2500)
    tail, counts = Tail(log, None), []
    while (found := tail.read()) is not None:
        counts.append(found[0].count(b"\n"))
    assert counts == [1000, 1000, 500]


HEADER = "#separator \\x09\n#fields\tts\tid.orig_h\tquery\n"


def test_of_a_file_with_a_header_its_head_is_shown_again_after_a_restart(tmp_path: Path) -> None:
    log, watch = tmp_path / "dns.log", Watch()
    log.write_text(HEADER + "1757831462.1\ta\n")
    tail = Tail(log, None, watch, header=True)
    assert tail.read() is not None
    assert tail.head == b"", "a new file brings its own"
    _, position = read_all(Tail(log, None, header=True))
    assert position is not None
    append(log, "1757831463.1\tb\n")
    again = Tail(log, decode_position(position.encode()), watch, header=True)
    assert read_all(again)[0] == "1757831463.1\tb\n"
    assert again.head == (HEADER + "1757831462.1\ta\n").encode()
    again.head = None
    rotate(log)
    append(log, HEADER + "1757835000.1\tc\n")
    assert read_and_wait(again, watch) == HEADER + "1757835000.1\tc\n"
    assert again.head == b""


def test_files_that_all_begin_with_the_same_header_are_told_apart(tmp_path: Path) -> None:
    log, watch = tmp_path / "dns.log", Watch()
    row = "1757831462.100000\t10.0.0.1\tpadlet.com\n"
    log.write_text(HEADER + row * 3)
    position = position_after(log)  # by the first bytes alone they look the same
    _, better = read_all(Tail(log, None, header=True))
    assert better is not None
    append(log, "1757831470.100000\tend\n")
    rotate(log)
    append(log, HEADER + row.replace("462", "999") + row * 2 + "1757832000.100000\tnew\n")
    assert read_all(Tail(log, position))[0] == "1757832000.100000\tnew\n", "so a line is lost"
    tail = Tail(log, better, watch, header=True)
    assert read_and_wait(tail, watch).startswith("1757831470.100000\tend\n" + HEADER)
    assert tail.lost == 0


def test_a_pipe_in_a_files_place_holds_up_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    with pytest.raises(OSError, match="pipe has taken its place"):
        Tail(tmp_path / "log", None).read()


def test_the_position_within_a_chunk_is_the_one_that_a_shorter_chunk_would_have_had(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 9))
    found = Tail(log, None).read()
    assert found is not None
    chunk, after = found
    end = len(lines(0, 4))
    within = after.within(chunk, end)
    assert read_all(Tail(log, within))[0] == lines(4, 5)
    assert after.within(chunk, len(chunk)) == after


def test_what_was_written_before_is_found_again_in_rotated_files_oldest_first(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 3) + "DHCPACK 1\n")
    rotate(log)
    append(log, "DHCPACK 2\n" + lines(3, 3) + "DHCPACK 3")
    rotate(log)
    append(log, lines(6, 3) + "DHCPACK 4\n")
    position = position_after(log)
    append(log, "DHCPACK 5\n")
    (tmp_path / "log.3.gz").write_bytes(gzip.compress(b"DHCPACK 0\n"))
    found = b"".join(Tail(log, position).before(b"DHCPACK"))
    assert found == b"DHCPACK 0\nDHCPACK 1\nDHCPACK 2\nDHCPACK 3\nDHCPACK 4\n"
    assert b"".join(Tail(log, None).before(b"DHCPACK")).count(b"\n") == 4, "also before anything was read"


def test_looking_back_ends_after_two_days_and_after_so_many_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, now = tmp_path / "log", START.timestamp()
    for number, age in enumerate((72, 47, 0), start=1):
        if number > 1:
            rotate(log)
        append(log, f"DHCPACK {number}\n" * 10)
        os.utime(log, (now - age * 3600, now - age * 3600))
    position = position_after(log)
    assert set(b"".join(Tail(log, position).before(b"DHCPACK")).split(b"\n")) == {
        b"",
        b"DHCPACK 2",
        b"DHCPACK 3",
    }
    monkeypatch.setattr(tail_module, "LOOK_BACK_BYTES", 105)
    (found,) = [list(Tail(log, position).before(b"DHCPACK"))]
    assert b"".join(found).count(b"DHCPACK 3") == 10 and b"DHCPACK 2" not in b"".join(found)[5:]


def test_looking_back_holds_one_chunk_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "LOOK_BACK_CHUNK", 1000)
    log = tmp_path / "log"
    log.write_text(lines(0, 2000))
    chunks = list(Tail(log, position_after(log)).before(b"line"))
    assert b"".join(chunks) == lines(0, 2000).encode()
    assert max(map(len, chunks)) <= 1000


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


class Resolver:
    """Writes a log, a line a second, and keeps its file open until it is told of a rotation."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.written = b""
        self._lines = 0
        self._half = b""
        self._file = log.open("ab", buffering=0)

    def write(self, count: int) -> None:
        for _ in range(count):
            self._put(self._half or self._line())
            self._half = b""

    def write_half(self) -> None:
        if not self._half:
            line = self._line()
            self._put(line[:16])
            self._half = line[16:]

    def rotate(self) -> None:
        rotate(self.log)

    def reopen(self) -> None:
        if not os.path.samestat(self.log.stat(), os.fstat(self._file.fileno())):
            self.close()
            self._file = self.log.open("ab", buffering=0)
            self._half = b""

    def copy_and_truncate(self) -> None:
        self.reopen()
        for age in range(8, 0, -1):
            older = self.log.with_name(f"log.{age}")
            if older.exists():
                older.rename(self.log.with_name(f"log.{age + 1}"))
        shutil.copyfile(self.log, self.log.with_name("log.1"))
        os.truncate(self.log, 0)

    def close(self) -> None:
        self._file.close()

    def _line(self) -> bytes:
        self._lines += 1
        stamp = f"{START + timedelta(seconds=self._lines):%b %d %H:%M:%S}"
        return f"{stamp} {self._lines:015d} {'x' * (self._lines % 70)}\n".encode()

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self.written += data


STEPS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from([1, 2, 900])),
    st.tuples(
        st.sampled_from(
            ["write_half", "rotate", "reopen", "copy_and_truncate", "read", "read", "kill", "kill", "wait"]
        ),
        st.just(0),
    ),
)


@settings(derandomize=True, max_examples=300, deadline=None, suppress_health_check=[FIXTURES])
@given(st.lists(STEPS, max_size=25))
def test_whatever_is_written_rotated_and_killed_in_whatever_order_every_byte_is_read_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    log, watch = tmp_path_factory.mktemp("tail") / "log", Watch()
    resolver = Resolver(log)
    resolver.write(1)
    tail, read, position, lost = Tail(log, None, watch), b"", None, 0
    rotations = 0
    for step, count in [("read", 0), *steps]:
        if step == "write":
            resolver.write(count)
        elif step == "read":
            found = tail.read()
            if found is not None:
                read, position = read + found[0], found[1]
        elif step == "kill":
            lost += tail.lost
            tail.close()
            tail = Tail(log, decode_position(position.encode()) if position else None, watch)
        elif step == "wait":
            watch.wait()
        elif step in {"rotate", "copy_and_truncate"} and rotations == 8:
            continue  # the oldest would be deleted
        else:
            rotations += step in {"rotate", "copy_and_truncate"}
            getattr(resolver, step)()
    resolver.reopen()
    resolver.write(2)
    read += read_and_wait(tail, watch, times=12).encode()
    resolver.close()
    tail.close()
    assert read == resolver.written
    assert lost + tail.lost == 0
