"""Notices that wait to be sent, in a store: each there once for every way that it goes."""

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, get_args

import msgspec

from shared import notice as notices
from shared.errors import BadInput
from shared.notice import Channel, Notice, NoticeSettings

if TYPE_CHECKING:
    from sqlite_utils import Database

KEPT: Final = 90 * 86_400.0
AT_ONCE: Final = 20  # by each way: one that fails fills no other's places
MOST_TRIES: Final = 1_000_000
SPOILT: Final = ("notice_unreadable", "way_unknown", "numbers_unreadable")  # states of what was set aside

Key = tuple[bytes, bytes]  # id and way as they lie there, whatever they hold

_json: Final = msgspec.json.Encoder()


def add_table(db: "Database") -> None:
    """Notices by way; `state`: waiting, sent, given_up or one of SPOILT. Seconds UTC of the machine."""
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


class Due(NamedTuple):
    """A notice that is to be sent one way; `at` is when it was handed over."""

    way: Channel
    at: datetime
    tries: int
    notice: Notice


def due(connection: sqlite3.Connection, now: float) -> list[tuple[Key, Due | BadInput]]:
    """What is to be sent now, those first that were tried least; or why a row is none, as one of SPOILT."""
    # As bytes, and numbers only where they are some: one spoilt row must not end the reading of all.
    rows = connection.execute(
        """SELECT CAST(id AS BLOB), CAST(way AS BLOB), CAST(notice AS BLOB),
                  CASE typeof(at) WHEN 'real' THEN at END, CASE typeof(tries) WHEN 'integer' THEN tries END
           FROM (SELECT *, row_number() OVER (PARTITION BY way ORDER BY tries, at, rowid) AS place
                 FROM notices WHERE state = 'waiting' AND (next <= ? OR typeof(next) != 'real'))
           WHERE place <= ? ORDER BY place""",
        (now, AT_ONCE),
    ).fetchall()
    return [((id_, way), _due(way, text, at, tries)) for id_, way, text, at, tries in rows]


def _due(way: bytes, text: bytes, at: float | None, tries: int | None) -> Due | BadInput:
    known = {channel.encode(): channel for channel in get_args(Channel)}
    if way not in known:
        return BadInput("way_unknown", "there is no such way")
    if at is None or tries is None or not 0 <= tries <= MOST_TRIES:
        return BadInput("numbers_unreadable", "a number is none")
    try:
        handed_over = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return BadInput("numbers_unreadable", "a time is none")
    try:
        return Due(known[way], handed_over, tries, msgspec.json.decode(text, type=Notice))
    except (ValueError, RecursionError):
        return BadInput("notice_unreadable", "it does not decode")


def settle(connection: sqlite3.Connection, *, key: Key, state: str, tries: int, next_at: float) -> None:
    """What became of one notice on one way; `next_at` is when to try again, if it waits on."""
    connection.execute(
        """UPDATE notices SET state = ?, tries = ?, next = ?
           WHERE CAST(id AS BLOB) = ? AND CAST(way AS BLOB) = ?""",
        (state, tries, next_at, *key),
    )


def postpone(connection: sqlite3.Connection, *, way: Channel, now: float, next_at: float) -> None:
    """All that is due by a way that just failed waits for it."""
    connection.execute(
        "UPDATE notices SET next = ? WHERE way = ? AND state = 'waiting' AND next <= ?", (next_at, way, now)
    )


def set_aside(connection: sqlite3.Connection, *, key: Key, reason: str, now: float) -> None:
    """A row that is no notice; it stays, with its reason, for KEPT from now on."""
    connection.execute(
        "UPDATE notices SET state = ?, at = ? WHERE CAST(id AS BLOB) = ? AND CAST(way AS BLOB) = ?",
        (reason, now, *key),
    )


def spoilt(connection: sqlite3.Connection, since: float) -> dict[str, int]:
    """How many were set aside since then, by reason."""
    marks = ", ".join("?" * len(SPOILT))
    rows = connection.execute(
        f"SELECT state, count(*) FROM notices WHERE state IN ({marks}) AND at >= ? GROUP BY state",  # noqa: S608 - marks only
        (*SPOILT, since),
    )
    return {str(state): int(number) for state, number in rows}
