"""A file has the pages that it was made with, and its write-ahead log is bounded in bytes."""

from pathlib import Path

import pytest

from shared.storage import LARGE_PAGE, LOG, PAGE, Writer, connect


def page(path: Path) -> int:
    """Bytes a page, as the file itself says (the format's offset 16)."""
    return int.from_bytes(path.read_bytes()[16:18], "big")


@pytest.mark.parametrize("wanted", [PAGE, LARGE_PAGE])
def test_a_new_file_has_the_pages_that_were_asked_for(tmp_path: Path, wanted: int) -> None:
    connection = connect(tmp_path / "new.db", wanted)
    connection.execute("CREATE TABLE some (number INTEGER)")
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (LOG // wanted,)
    connection.close()
    assert page(tmp_path / "new.db") == wanted


def test_a_file_that_is_there_keeps_its_pages_and_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = connect(path)
    connection.execute("CREATE TABLE some AS SELECT 7 AS number")
    connection.close()
    writer = Writer(path, [], LARGE_PAGE)
    assert writer.run(lambda own: own.execute("SELECT number FROM some").fetchone()) == (7,)
    assert writer.run(lambda own: own.execute("PRAGMA wal_autocheckpoint").fetchone()) == (LOG // PAGE,)
    writer.close()
    assert page(path) == PAGE


def test_the_log_of_large_payloads_stays_near_its_bound(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "large.db", [], LARGE_PAGE)
    writer.run(lambda own: own.execute("CREATE TABLE some (payload BLOB)").close())
    for _ in range(48):
        writer.run(lambda own: own.execute("INSERT INTO some VALUES (zeroblob(1000000))").close())
    size = (tmp_path / "large.db-wal").stat().st_size
    assert LOG / 2 < size < LOG + 2_000_000
    writer.close()
