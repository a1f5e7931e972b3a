"""Rows go into the store by few statements, as they would one by one, and are asked for by few."""

import sqlite3
from collections.abc import Iterator

import pytest

from hub.store import many

COUNTS = (0, 1, 3, 4, 15, 63, 64, 65, 200)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """A store of numbers and words."""
    own = sqlite3.connect(":memory:", isolation_level=None)
    own.execute("CREATE TABLE words (number INTEGER PRIMARY KEY, word TEXT)")
    yield own
    own.close()


@pytest.mark.parametrize("count", COUNTS)
def test_every_row_is_there_once_and_in_its_order(connection: sqlite3.Connection, count: int) -> None:
    rows = [(None, f"word {n}") for n in range(count)]
    many.insert(connection, "INSERT INTO words (number, word)", rows, 2)
    found = connection.execute("SELECT number, word FROM words ORDER BY number").fetchall()
    assert found == [(n + 1, f"word {n}") for n in range(count)]


def test_what_follows_the_rows_holds_for_each(connection: sqlite3.Connection) -> None:
    rows = [(n % 50, f"word {n}") for n in range(150)]
    tail = "ON CONFLICT (number) DO UPDATE SET word = excluded.word"
    many.insert(connection, "INSERT INTO words (number, word)", rows, 2, tail)
    assert dict(connection.execute("SELECT number, word FROM words")) == dict(rows)


@pytest.mark.parametrize("count", COUNTS)
def test_what_is_asked_for_is_found_and_nothing_else(connection: sqlite3.Connection, count: int) -> None:
    rows = [(n, f"word {n}") for n in range(0, 500, 2)]
    many.insert(connection, "INSERT INTO words (number, word)", rows, 2)
    query = "SELECT a, word FROM asked CROSS JOIN words ON number = a AND word <> b"
    found = many.ask(connection, query, [(n, "word 4") for n in range(count)], 2)
    assert {tuple(row) for row in found} == {(n, f"word {n}") for n in range(0, count, 2) if n != 4}
