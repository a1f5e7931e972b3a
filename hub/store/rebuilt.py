"""Every lesson and week of the store as the record that it came in as, byte for byte."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec

from shared.records import FeatureRow, LessonRecord, Placement, Record, WeekPlacement, WeekRecord, encode

_LESSONS: Final = """
SELECT l.*, p.probs, p.low, p.high, p.verdict, p.rowid AS place, s.model, s.dimension, s.version
FROM lessons l LEFT JOIN placements p ON p.lesson_id = l.id LEFT JOIN scales s ON s.id = p.scale_id
WHERE l.school_id = ? ORDER BY l.id, p.rowid
"""
_WEEKS: Final = """
SELECT w.*, p.expected, p.placed, p.thin, p.evidence_only, p.rowid AS place, s.model, s.dimension, s.version
FROM weeks w LEFT JOIN week_placements p ON p.week_id = w.id LEFT JOIN scales s ON s.id = p.scale_id
WHERE w.school_id = ? ORDER BY w.id, p.rowid
"""

_features: Final = msgspec.json.Decoder(FeatureRow)
_strip: Final = msgspec.json.Decoder(tuple[dict[str, float], ...])
_words: Final = msgspec.json.Decoder(tuple[str, ...])
_numbers: Final = msgspec.json.Decoder(tuple[float, ...])


def lessons(connection: sqlite3.Connection, school_id: int, school: str) -> Iterator[tuple[str, bytes]]:
    """What each lesson is about, as its receipt says it, and its bytes; rows by column name."""
    for rows in _grouped(connection, _LESSONS, school_id):
        first = rows[0]
        about = f"{first['class']} {first['start_s']} {first['revision']}"
        yield about, _bytes(partial(_lesson, rows, school))


def weeks(connection: sqlite3.Connection, school_id: int, school: str) -> Iterator[tuple[str, bytes]]:
    """What each week is about, as its receipt says it, and its bytes; rows by column name."""
    for rows in _grouped(connection, _WEEKS, school_id):
        about = f"{rows[0]['week']} {rows[0]['grade_band']}"
        yield about, _bytes(partial(_week, rows, school))


def _lesson(rows: Sequence[sqlite3.Row], school: str) -> LessonRecord:
    first = rows[0]
    return LessonRecord(
        school=school,
        class_=first["class"],
        start=first["start"],
        minutes=first["minutes"],
        grade_band=first["grade_band"],
        subject=first["subject"],
        devices=first["devices"],
        expected=first["expected"],
        evidence=first["evidence"],
        visibility=first["visibility"],
        sources=_words.decode(first["sources"]),
        feature_set="1",
        features=_features.decode(first["features"]),
        strip=_strip.decode(first["strip"]),
        placements=tuple(_placement(row) for row in rows if row["place"] is not None),
        revision=first["revision"],
    )


def _placement(row: sqlite3.Row) -> Placement:
    return Placement(
        model=row["model"],
        dimension=row["dimension"],
        version=row["version"],
        probs=_numbers.decode(row["probs"]),
        verdict=row["verdict"],
        low=row["low"],
        high=row["high"],
    )


def _week(rows: Sequence[sqlite3.Row], school: str) -> WeekRecord:
    first = rows[0]
    return WeekRecord(
        school=school,
        week=first["week"],
        grade_band=first["grade_band"],
        lessons=first["lessons"],
        classes=first["classes"],
        teachers=first["teachers"],
        devices=first["devices"],
        evidence=first["evidence"],
        visibility=first["visibility"],
        sources=_words.decode(first["sources"]),
        features=_features.decode(first["features"]),
        placements=tuple(_week_placement(row) for row in rows if row["place"] is not None),
    )


def _week_placement(row: sqlite3.Row) -> WeekPlacement:
    return WeekPlacement(
        model=row["model"],
        dimension=row["dimension"],
        version=row["version"],
        expected=_numbers.decode(row["expected"]),
        placed=row["placed"],
        thin=row["thin"],
        evidence_only=row["evidence_only"],
    )


def _grouped(connection: sqlite3.Connection, query: str, school_id: int) -> Iterator[Sequence[sqlite3.Row]]:
    found = connection.execute(query, (school_id,))
    for _, rows in groupby(found, key=itemgetter("id")):
        yield list(rows)


def _bytes(make: Callable[[], Record]) -> bytes:
    try:
        return encode(make())
    except (msgspec.MsgspecError, TypeError, ValueError):
        return b""  # a value that no record can hold: it is not what was disclosed
