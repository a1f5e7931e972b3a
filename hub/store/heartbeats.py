"""When each school was last heard, and what its newest heartbeat says; those of one group written as one."""

import sqlite3
from collections.abc import Iterable
from typing import Final

import msgspec

from shared.records import StatusRecord

_json: Final = msgspec.json.Encoder()


def hear(connection: sqlite3.Connection, schools: Iterable[int], heard: float) -> None:
    """Remember that these schools were heard at `heard`, in epoch seconds."""
    connection.executemany(
        "INSERT INTO heartbeats (school_id, heard) VALUES (?, ?) "
        "ON CONFLICT (school_id) DO UPDATE SET heard = max(coalesce(heard, 0), excluded.heard)",
        ((school_id, heard) for school_id in schools),
    ).close()


class Row(msgspec.Struct, frozen=True, gc=False):
    """A heartbeat as it is stored."""

    backlog: int
    version: str
    sources: str


def row_of(record: StatusRecord) -> Row:
    """The heartbeat's row."""
    return Row(record.backlog, record.version, _json.encode(record.sources).decode())


class Heartbeats:
    """What a transaction's heartbeats leave in the store after `write`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._newest: dict[int, Row] = {}

    def take(self, school_id: int, row: Row) -> str:
        """One heartbeat; returns the name of its counter."""
        self._newest[school_id] = row
        return "status"

    def write(self) -> None:
        """Put the newest of each school into the store."""
        self._connection.executemany(
            "INSERT INTO heartbeats (school_id, backlog, version, sources) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (school_id) DO UPDATE SET backlog = excluded.backlog, version = excluded.version,"
            " sources = excluded.sources",
            [(school_id, row.backlog, row.version, row.sources) for school_id, row in self._newest.items()],
        ).close()
