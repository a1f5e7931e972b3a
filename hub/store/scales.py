"""Scales: each (model, dimension, version, number of stages) is stored once and pointed at."""

import sqlite3

Scale = tuple[str, str, str, int]


def ensure(connection: sqlite3.Connection, scales: list[Scale]) -> dict[Scale, int]:
    """The ids of `scales`, new ones added."""
    connection.executemany(
        "INSERT INTO scales (model, dimension, version, stages) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        scales,
    ).close()
    return {scale: _find(connection, scale) for scale in scales}


def _find(connection: sqlite3.Connection, scale: Scale) -> int:
    (found,) = connection.execute(
        "SELECT id FROM scales WHERE model = ? AND dimension = ? AND version = ? AND stages = ?", scale
    ).fetchone()
    return int(found)
