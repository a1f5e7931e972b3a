"""Batches that the receiver refused for good: kept apart in the outbox until people decide."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared.errors import UsageError
from shared.link import outbox


@dataclass(frozen=True, slots=True)
class Aside:
    """One refused batch: when it was refused (seconds since 1970), why, and how many bytes it has."""

    number: int
    kind: str
    refused: float
    reason: str
    bytes: int


def listed(connection: sqlite3.Connection) -> list[Aside]:
    """Every batch that is set aside, the oldest first."""
    rows = connection.execute(
        "SELECT number, kind, coalesce(settled, created), coalesce(reason, ''), length(payload) FROM outbox"
        " WHERE state = 'aside' ORDER BY number"
    )
    return [Aside(*row) for row in rows]


def payload(connection: sqlite3.Connection, number: int) -> bytes:
    """The bytes of one refused batch. Raises UsageError when that number is not set aside."""
    return _find(connection, number)[1]


def retry(connection: sqlite3.Connection, number: int) -> tuple[int, str, bytes]:
    """Accept the same bytes as a new batch; returns its number, its kind and the bytes.

    The old one keeps its place in line, without bytes. Raises UsageError as `payload` does.
    """
    kind, found = _find(connection, number)
    _empty(connection, number, "retried")
    return outbox.append(connection, kind, found), kind, found


def drop(connection: sqlite3.Connection, number: int) -> str:
    """Take the bytes away for good; returns the kind. Raises UsageError as `payload` does."""
    kind, _ = _find(connection, number)
    _empty(connection, number, "dropped")
    return kind


def every(connection: sqlite3.Connection, numbers: Iterable[int]) -> list[int]:
    """These numbers once each, or all that are set aside when none are given."""
    return list(dict.fromkeys(numbers)) or [item.number for item in listed(connection)]


def _find(connection: sqlite3.Connection, number: int) -> tuple[str, bytes]:
    row = connection.execute(
        "SELECT kind, payload FROM outbox WHERE number = ? AND state = 'aside'", (number,)
    ).fetchone()
    if row is None:
        raise UsageError(f"no refused record has the number {number}: `rejected DIR list` names them")
    return str(row[0]), bytes(row[1])


def _empty(connection: sqlite3.Connection, number: int, state: Literal["retried", "dropped"]) -> None:
    connection.execute("UPDATE outbox SET payload = x'', state = ? WHERE number = ?", (state, number))
    outbox.recount(connection)
