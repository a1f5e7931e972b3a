"""Many rows by one statement: what SQLite does with them is done at once, with the interpreter let go.

Row by row the interpreter is given up and asked for again each time, and whoever else computes may keep it
for milliseconds.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

Row = Sequence[Any]

_SIZES: Final = (64, 16, 4, 1)  # rows of one statement; few kinds, so that each stays prepared


def insert(
    connection: sqlite3.Connection, into: str, rows: Sequence[Row], columns: int, tail: str = ""
) -> None:
    """Insert rows in their order; `into` is SQL up to VALUES, `tail` what comes after the rows."""
    at = 0
    for size in _SIZES:
        sql = _statement(into, columns, size, tail)
        while at + size <= len(rows):
            connection.execute(sql, tuple(chain.from_iterable(rows[at : at + size]))).close()
            at += size


def ask(connection: sqlite3.Connection, query: str, rows: Sequence[Row], columns: int) -> list[Row]:
    """What `query` says of these rows, which it finds as the table `asked(a, b, ...)`.

    Rows are filled up to a statement's number by repeating the last: what is found of that may come again.
    """
    found: list[Row] = []
    size, names = _SIZES[0], ", ".join("abcdefgh"[:columns])
    for at in range(0, len(rows), size):
        part = rows[at : at + size]
        fitting = next(one for one in reversed(_SIZES) if one >= len(part))
        held = [*part, *[part[-1]] * (fitting - len(part))]
        sql = _statement(f"WITH asked({names}) AS (", columns, fitting, f") {query}")
        found += connection.execute(sql, tuple(chain.from_iterable(held))).fetchall()
    return found


@lru_cache(maxsize=64)  # the same text each time, so that SQLite's statement is found by it
def _statement(head: str, columns: int, rows: int, tail: str) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{head} VALUES {', '.join([row] * rows)} {tail}"
