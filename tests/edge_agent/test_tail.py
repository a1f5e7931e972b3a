"""A growing log is read once, whole line by whole line, through restarts, rotation and truncation."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.sources.tail import CHUNK, Position, Tail, decode_position

FIXTURES = HealthCheck.function_scoped_fixture  # it only closes files
LINE = "Sep 14 08:31:{:02d} line {}\n"


@pytest.fixture(autouse=True)
def every_file_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    opened: list[Tail] = []
    make = Tail.__init__

    def remember(self: Tail, path: Path, position: Position | None) -> None:
        opened.append(self)
        make(self, path, position)

    monkeypatch.setattr(Tail, "__init__", remember)
    yield
    for tail in opened:
        tail.close()


def lines(start: int, count: int) -> str:
    return "".join(LINE.format(number % 60, number) for number in range(start, start + count))


def read_all(tail: Tail) -> tuple[str, Position | None]:
    text, position = "", None
    while (found := tail.read()) is not None:
        text += found[0].decode()
        position = found[1]
    return text, position


def test_a_line_is_read_only_once_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 2) + "Sep 14 08:31:0")
    tail = Tail(log, None)
    assert read_all(tail)[0] == lines(0, 2)
    with log.open("a") as file:
        file.write("2 line 2\n")
    assert read_all(tail)[0] == lines(2, 1)


def test_reading_goes_on_where_it_stood_after_a_restart(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 5))
    _, position = read_all(Tail(log, None))
    with log.open("a") as file:
        file.write(lines(5, 5))
    assert position is not None
    again = Tail(log, decode_position(position.encode()))
    assert again.before() == lines(0, 5).encode(), "what was read before can be looked at again for leases"
    assert read_all(again)[0] == lines(5, 5)


def test_a_copied_log_is_known_again_although_its_inode_is_another(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 5))
    _, position = read_all(Tail(log, None))
    copy = tmp_path / "copy" / "log"
    copy.parent.mkdir()
    copy.write_text(lines(0, 8))
    assert read_all(Tail(copy, position))[0] == lines(5, 3)


def test_another_log_at_the_same_place_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 5))
    _, position = read_all(Tail(log, None))
    log.write_text(lines(20, 9))
    assert read_all(Tail(log, position))[0] == lines(20, 9)


def test_a_rotated_log_is_finished_before_the_new_one_begins(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 5))
    tail = Tail(log, None)
    first = tail.read()
    assert first is not None
    with log.open("a") as file:
        file.write(lines(5, 5))
    log.rename(tmp_path / "log.1")
    log.write_text(lines(10, 5))
    assert read_all(tail)[0] == lines(5, 10)


def test_rotation_while_nobody_read_loses_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 5))
    _, position = read_all(Tail(log, None))
    with log.open("a") as file:
        file.write(lines(5, 5))
    log.rename(tmp_path / "log.1")
    log.write_text(lines(10, 5))
    assert read_all(Tail(log, position))[0] == lines(5, 10)


def test_a_log_truncated_in_place_begins_anew(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(lines(0, 50))
    tail = Tail(log, None)
    read_all(tail)
    log.write_text(lines(60, 3))
    assert read_all(tail)[0] == lines(60, 3)


def test_a_missing_log_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tail = Tail(log, None)
    assert tail.read() is None
    log.write_text(lines(0, 1))
    assert read_all(tail)[0] == lines(0, 1)


def test_a_line_without_end_is_handed_on_in_pieces_of_bounded_size(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * (CHUNK * 3) + "\n" + lines(0, 1))
    tail = Tail(log, None)
    pieces = []
    while (found := tail.read()) is not None:
        pieces.append(found[0])
    assert max(map(len, pieces)) <= CHUNK
    assert b"".join(pieces).endswith(lines(0, 1).encode())


@settings(derandomize=True, max_examples=60, deadline=None, suppress_health_check=[FIXTURES])
@given(st.lists(st.integers(0, 3000), max_size=6), st.lists(st.integers(0, 5), max_size=6))
def test_whatever_the_growth_and_restarts_every_line_is_read_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, growth: list[int], restarts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("tail")
    log, written, read, position = folder / "log", "", "", None
    for step, count in enumerate(growth):
        text = lines(len(written), count)
        written += text
        with log.open("a") as file:
            file.write(text)
        if step in restarts or step == len(growth) - 1:
            more, after = read_all(Tail(log, position))
            read += more
            position = after or position
    assert read == written
