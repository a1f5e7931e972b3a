"""Rotated files are read to their end, in their order and once, whatever happened between."""

import gzip
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources import tail as tail_module
from edge_agent.sources.logfile import decode_position
from edge_agent.sources.tail import QUIET_SECONDS, Tail
from tests.edge_agent.sources.tails import (
    FIXTURES,
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
