"""Weeks of one group of records: each once, band by band or as one, and all written as one."""

import sqlite3
from collections.abc import Iterator
from typing import Final

import msgspec

from hub.store.scales import Scales
from shared.errors import BadInput
from shared.records import ALL_BANDS, WeekRecord

_json: Final = msgspec.json.Encoder()


class Weeks:
    """What a transaction's weeks find in the store, and what they leave there after `write`."""

    def __init__(self, connection: sqlite3.Connection, scales: Scales, received: float) -> None:
        self._connection = connection
        self._received = received
        self._scales = scales
        self._bands: dict[tuple[int, str], set[str]] = {}  # by school and week, in the store or here
        self._taken: list[tuple[int, WeekRecord]] = []

    def take(self, school_id: int, record: WeekRecord) -> str:
        """One week; returns the name of its counter.

        Raises BadInput for a second record of the same school, week and band, and for all bands beside one.
        """
        key = (school_id, record.week)
        bands = self._bands.get(key)
        if bands is None:
            known = self._connection.execute(
                "SELECT grade_band FROM weeks WHERE school_id = ? AND week = ?", key
            )
            bands = self._bands[key] = {band for (band,) in known}
        if record.grade_band in bands:
            raise BadInput("week_already_known", "a week is sent once for each grade band")
        if ALL_BANDS in bands or (bands and record.grade_band == ALL_BANDS):
            raise BadInput("week_bands_conflict", "a week leaves band by band, or as one")
        bands.add(record.grade_band)
        self._taken.append((school_id, record))
        return "week_new"

    def write(self) -> None:
        """Put them into the store."""
        (newest,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM weeks").fetchone()
        taken = list(enumerate(self._taken, start=newest + 1))
        self._connection.executemany(
            "INSERT INTO weeks (id, school_id, week, grade_band, lessons, classes, teachers, devices,"
            " evidence, visibility, sources, features, received)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((*_row(number, school_id, record), self._received) for number, (school_id, record) in taken),
        ).close()
        self._connection.executemany(
            "INSERT INTO week_placements (week_id, scale_id, expected, placed, thin, evidence_only)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [row for number, (_, record) in taken for row in self._placements(number, record)],
        ).close()

    def _placements(self, number: int, record: WeekRecord) -> Iterator[tuple[object, ...]]:
        for p in record.placements:
            scale = self._scales.id_of((p.model, p.dimension, p.version, len(p.expected)))
            yield number, scale, _text(p.expected), p.placed, p.thin, p.evidence_only


def _row(number: int, school_id: int, record: WeekRecord) -> tuple[object, ...]:
    return (
        number,
        school_id,
        record.week,
        record.grade_band,
        record.lessons,
        record.classes,
        record.teachers,
        record.devices,
        record.evidence,
        record.visibility,
        _text(record.sources),
        _text(record.features),
    )


def _text(value: object) -> str:
    return _json.encode(value).decode()
