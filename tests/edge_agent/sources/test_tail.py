"""A growing log is read once, whole line by whole line, through restarts and truncation."""

import itertools
import os
from pathlib import Path

import pytest

from edge_agent.sources.logfile import CHUNK, decode_position
from edge_agent.sources.tail import Tail
from tests.edge_agent.sources.tails import (
    Watch,
    append,
    lines,
    position_after,
    read_all,
    read_and_wait,
    rotate,
)
from tests.edge_agent.sources.tails import every_file_is_closed_in_the_end as every_file_is_closed_in_the_end


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
