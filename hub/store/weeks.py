"""Weeks of one group of records: each once, band by band or as one, and all written as one."""

import sqlite3
from typing import Final

import msgspec

from hub.store import many
from hub.store.scales import Scale, Scales
from shared.errors import BadInput
from shared.records import ALL_BANDS, WeekRecord

_json: Final = msgspec.json.Encoder()


_WEEKS: Final = (
    "INSERT INTO weeks (id, school_id, week, grade_band, lessons, classes, teachers, devices,"
    " evidence, visibility, sources, features, received)"
)
_PLACEMENTS: Final = "INSERT INTO week_placements (week_id, scale_id, expected, placed, thin, evidence_only)"


class Row(msgspec.Struct, frozen=True, gc=False):
    """A week as it is stored: columns from `week` to `features`; placements each with its scale first."""

    week: str
    band: str
    columns: tuple[object, ...]
    placements: tuple[tuple[Scale, str, int, int, int], ...]


def row_of(record: WeekRecord) -> Row:
    """The week's row."""
    columns = (
        *(record.week, record.grade_band),
        *(record.lessons, record.classes, record.teachers, record.devices),
        *(record.evidence, record.visibility),
        *(_text(record.sources), _text(record.features)),
    )
    placements = tuple(
        (
            (p.model, p.dimension, p.version, len(p.expected)),
            *(_text(p.expected), p.placed, p.thin, p.evidence_only),
        )
        for p in record.placements
    )
    return Row(record.week, record.grade_band, columns, placements)


class Weeks:
    """What a transaction's weeks find in the store, and what they leave there after `write`."""

    def __init__(self, connection: sqlite3.Connection, scales: Scales, received: float) -> None:
        self._connection = connection
        self._received = received
        self._scales = scales
        self._bands: dict[tuple[int, str], set[str]] = {}  # by school and week, in the store or here
        self._taken: list[tuple[int, Row]] = []

    def take(self, school_id: int, row: Row) -> str:
        """One week; returns the name of its counter.

        Raises BadInput for a second record of the same school, week and band, and for all bands beside one.
        """
        key = (school_id, row.week)
        bands = self._bands.get(key)
        if bands is None:
            known = self._connection.execute(
                "SELECT grade_band FROM weeks WHERE school_id = ? AND week = ?", key
            )
            bands = self._bands[key] = {band for (band,) in known}
        if row.band in bands:
            raise BadInput("week_already_known", "a week is sent once for each grade band")
        if ALL_BANDS in bands or (bands and row.band == ALL_BANDS):
            raise BadInput("week_bands_conflict", "a week leaves band by band, or as one")
        bands.add(row.band)
        self._taken.append((school_id, row))
        return "week_new"

    def write(self) -> None:
        """Put them into the store."""
        if not self._taken:
            return
        (newest,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM weeks").fetchone()
        taken = list(enumerate(self._taken, start=newest + 1))
        rows = [(number, school_id, *row.columns, self._received) for number, (school_id, row) in taken]
        many.insert(self._connection, _WEEKS, rows, 13)
        placements = [
            (number, self._scales.id_of(scale), *said)
            for number, (_, row) in taken
            for scale, *said in row.placements
        ]
        many.insert(self._connection, _PLACEMENTS, placements, 6)


def _text(value: object) -> str:
    return _json.encode(value).decode()
