"""Files dropped into a folder are read once, in their order, whole, and are never touched."""

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

from edge_agent.sources import dropped
from edge_agent.sources.dropped import (
    REMEMBERED,
    SETTLED_SECONDS,
    Dropped,
    FolderPlace,
    decode_place,
)
from edge_agent.sources.logfile import CHUNK


class Watch:
    """A monotonic clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def wait(self) -> None:
        self.seconds += SETTLED_SECONDS


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def follow(tmp_path: Path, watch: Watch) -> Iterator[Callable[..., Dropped]]:
    """A reader of the folder `in`, as after a start; every file is closed in the end."""
    (tmp_path / "in").mkdir()
    opened = []

    def start(place: bytes | None = None, **more: Callable[[], int]) -> Dropped:
        opened.append(Dropped(tmp_path / "in", decode_place(place), watch, **more))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def drop(folder: Path, name: str, data: bytes) -> Path:
    """A file that is later than those before it, whatever the clock of the disk counts in."""
    path = folder / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    latest = max((found.stat().st_ctime_ns for found in folder.rglob("*") if found != path), default=0)
    path.write_bytes(data)
    while path.is_file() and path.stat().st_ctime_ns <= latest and not path.name.startswith("."):
        path.chmod(0o600)
    return path


def read_all(source: Dropped, watch: Watch) -> tuple[bytes, bytes | None]:
    """Everything there is, after it has settled; and the place after it."""
    text, place = b"", None
    for _ in range(3):
        while (found := source.read()) is not None:
            text += found[0]
            place = found[1].encode()
        watch.wait()
    return text, place


def test_files_are_read_once_in_the_order_in_which_they_came(
    tmp_path: Path, watch: Watch, follow: Callable[..., Dropped]
) -> None:
    for name, text in (("b.csv", b"1\n2\n"), ("a.csv", b"3\n"), ("day/c.csv", b"4\n")):
        drop(tmp_path, name, text)
    source = follow()
    found, place = read_all(source, watch)
    assert found == b"1\n2\n3\n4\n"
    drop(tmp_path, "0.csv", b"5\n")
    assert read_all(source, watch)[0] == b"5\n"
    assert read_all(follow(place), watch)[0] == b"5\n", "after a restart what was read is known"
    assert len(list((tmp_path / "in").rglob("*.csv"))) == 4


def test_a_file_that_still_grows_is_waited_for(
    tmp_path: Path, watch: Watch, follow: Callable[..., Dropped]
) -> None:
    source = follow()
    path = drop(tmp_path, "a.csv", b"1\n")
    for number in range(2, 5):
        assert source.read() is None
        assert source.behind, "lessons wait for it"
        watch.seconds += SETTLED_SECONDS - 1
        with path.open("ab") as file:
            file.write(b"%d\n" % number)
    assert read_all(source, watch)[0] == b"1\n2\n3\n4\n"
    assert not source.behind


def test_a_file_that_grew_after_it_was_read_is_read_on(
    tmp_path: Path, watch: Watch, follow: Callable[..., Dropped]
) -> None:
    path = drop(tmp_path, "a.csv", b"head\n1\n")
    source = follow()
    _, place = read_all(source, watch)
    with path.open("ab") as file:
        file.write(b"2\n")
    assert read_all(source, watch)[0] == b"2\n"
    again = follow(place)
    watch.wait()
    assert again.read() is None
    watch.wait()
    assert again.read() is not None
    assert again.head == b"head\n1\n", "its head is shown again"


def test_a_restart_in_the_middle_of_a_file_goes_on_there_with_its_head(
    tmp_path: Path, watch: Watch, follow: Callable[..., Dropped]
) -> None:
    text = b"head\n" + b"".join(b"row %06d\n" % number for number in range(9000))
    drop(tmp_path, "a.csv.gz", gzip.compress(text))
    source = follow()
    source.read()
    watch.wait()
    found = source.read()
    assert found is not None and len(found[0]) <= CHUNK
    assert source.head == b""
    again = follow(found[1].encode())
    assert found[0] + read_all(again, watch)[0] == text
    assert again.head is not None and again.head.startswith(b"head\nrow 000000\n")


def test_another_file_of_the_same_name_is_another_file(
    tmp_path: Path, watch: Watch, follow: Callable[..., Dropped]
) -> None:
    drop(tmp_path, "export.csv", b"1\n2\n")
    source = follow()
    assert read_all(source, watch)[0] == b"1\n2\n"
    drop(tmp_path, "export.csv", b"3\n4\n5\n")
    assert read_all(source, watch)[0] == b"3\n4\n5\n"


def test_drafts_and_what_cannot_be_read_hold_up_nobody_and_are_told(
    tmp_path: Path, watch: Watch, follow: Callable[..., Dropped]
) -> None:
    drop(tmp_path, ".a.csv.x7", b"half")
    os.mkfifo(tmp_path / "in" / "pipe")
    drop(tmp_path, "a.zip", b"PK\x03\x04 and so on\n")
    drop(tmp_path, "b.csv", zstandard.ZstdCompressor().compress(b"1\n" * 500)[:-3])
    drop(tmp_path, "c.csv", b"2\n")
    source = follow()
    assert read_all(source, watch)[0].endswith(b"2\n")
    assert (source.unread, source.torn, source.lost) == (1, 1, 0)


def test_what_is_remembered_is_bounded_and_a_restored_folder_costs_little(
    tmp_path: Path, watch: Watch, follow: Callable[..., Dropped], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropped, "LOOKED_AT", 4)
    for number in range(REMEMBERED * 2):
        drop(tmp_path, f"{number:02d}.csv", b"%d\n" % number)
    source, text, place = follow(), b"", None
    for _ in range(REMEMBERED * 2 // 4):
        more, at = read_all(source, watch)
        text, place = text + more, at or place
    assert text == b"".join(b"%d\n" % number for number in range(REMEMBERED * 2))
    assert place is not None and len(place) < 1024, "what the link takes"
    for number in range(REMEMBERED, REMEMBERED * 2):
        (tmp_path / "in" / f"{number:02d}.csv").chmod(0o640)  # as a restore does: another change time
    assert read_all(follow(place), watch)[0] == b""


def test_a_file_that_is_renamed_moved_linked_or_copied_counts_once(
    tmp_path: Path, watch: Watch, follow: Callable[..., Dropped]
) -> None:
    first, second = drop(tmp_path, "a.csv", b"1\n"), drop(tmp_path, "b.csv", b"2\n")
    text, place = read_all(follow(), watch)
    assert text == b"1\n2\n"
    first.rename(first.with_name("read.csv"))
    (tmp_path / "in" / "done").mkdir()
    os.link(second, tmp_path / "in" / "done" / "b.csv")
    drop(tmp_path, "copy of b.csv", b"2\n")
    drop(tmp_path, "c.csv", b"3\n")
    assert read_all(follow(place), watch)[0] == b"3\n"


def test_a_clock_that_was_ahead_once_hides_no_later_file(
    tmp_path: Path, watch: Watch, follow: Callable[..., Dropped]
) -> None:
    path = drop(tmp_path, "a.csv", b"1\n")
    ahead = FolderPlace(until=(path.stat().st_ctime_ns + 10**18, ""))
    past = path.stat().st_ctime_ns - 2 * 3600 * 10**9
    assert read_all(follow(ahead.encode(), now_ns=lambda: past), watch)[0] == b"1\n"


@pytest.mark.parametrize("data", [None, b"", b"[]", b"\xff", b'{"until": 7}'])
def test_bytes_that_are_no_place_mean_from_the_beginning(data: bytes | None) -> None:
    assert decode_place(data) == FolderPlace()
