"""Notices that wait to be sent, in a store: each there once for every way that it goes."""

import sqlite3
from typing import TYPE_CHECKING, Final

import msgspec

from shared import notice as notices
from shared.notice import Notice, NoticeSettings

if TYPE_CHECKING:
    from sqlite_utils import Database

KEPT: Final = 90 * 86_400.0

_json: Final = msgspec.json.Encoder()


def add_table(db: "Database") -> None:
    """Notices by way; `state` is waiting, sent or given_up; times in seconds UTC of the machine."""
    db.execute(
        """CREATE TABLE notices (
            id TEXT NOT NULL, way TEXT NOT NULL, at REAL NOT NULL, state TEXT NOT NULL,
            tries INTEGER NOT NULL, next REAL NOT NULL, notice TEXT NOT NULL, PRIMARY KEY (id, way))"""
    )


def put(connection: sqlite3.Connection, notice: Notice, settings: NoticeSettings, now: float) -> bool:
    """Hand a notice over, once for each id; whether it is new and goes anywhere."""
    rows = [(notice.id, way, now, now, _json.encode(notice).decode()) for way in notices.channels(settings)]
    insert = "INSERT OR IGNORE INTO notices VALUES (?, ?, ?, 'waiting', 0, ?, ?)"
    return sum(connection.execute(insert, row).rowcount for row in rows) > 0


def prune(connection: sqlite3.Connection, now: float) -> None:
    """Drop notices that went long ago."""
    connection.execute("DELETE FROM notices WHERE state != 'waiting' AND at < ?", (now - KEPT,))


def settle(
    connection: sqlite3.Connection, *, key: tuple[str, str], state: str, tries: int, next_at: float
) -> None:
    """What became of one notice on one way; `next_at` is when to try again, if it waits on."""
    connection.execute(
        "UPDATE notices SET state = ?, tries = ?, next = ? WHERE id = ? AND way = ?",
        (state, tries, next_at, *key),
    )
