"""Scales: each (model, dimension, version, number of stages) is stored once and pointed at."""

import sqlite3

Scale = tuple[str, str, str, int]


class Scales:
    """The ids of scales, for the length of one transaction; a new one is added."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ids: dict[Scale, int] = {}

    def id_of(self, scale: Scale) -> int:
        """The id of a scale."""
        found = self._ids.get(scale)
        if found is None:
            found = self._ids[scale] = _ensure(self._connection, scale)
        return found


def ensure(connection: sqlite3.Connection, scales: list[Scale]) -> dict[Scale, int]:
    """The ids of `scales`, new ones added."""
    return {scale: _ensure(connection, scale) for scale in scales}


def _ensure(connection: sqlite3.Connection, scale: Scale) -> int:
    connection.execute(
        "INSERT INTO scales (model, dimension, version, stages) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        scale,
    ).close()
    (found,) = connection.execute(
        "SELECT id FROM scales WHERE model = ? AND dimension = ? AND version = ? AND stages = ?", scale
    ).fetchone()
    return int(found)
