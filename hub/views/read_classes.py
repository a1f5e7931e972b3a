"""Shared classes and their lessons read from the store."""

import sqlite3

import msgspec

from hub.views.common import PlacementView
from hub.views.merge import channels
from hub.views.names import dimension_order, label, stage_names
from hub.views.school import LessonView, SharedClass

_floats = msgspec.json.Decoder(tuple[float, ...])
_names = msgspec.json.Decoder(tuple[str, ...])
_features = msgspec.json.Decoder(dict[str, float | None])
_strip = msgspec.json.Decoder(tuple[dict[str, float], ...])

# SQLite takes the bare columns of a row that has the maximum, so they are the newest lesson's.
_CLASSES = """
SELECT class, subject, grade_band, start, max(start_s), count(*) AS lessons,
       (SELECT start FROM lessons o WHERE o.school_id = l.school_id AND o.class = l.class
        ORDER BY start_s LIMIT 1) AS first_start
FROM lessons l WHERE school_id = ? AND (? IS NULL OR class = ?) GROUP BY class ORDER BY class
"""
_LESSONS = """
SELECT * FROM (SELECT * FROM lessons WHERE school_id = ? AND class = ? ORDER BY start_s DESC LIMIT ?)
ORDER BY start_s
"""
_PLACEMENTS = """
SELECT s.model, s.dimension, s.version, p.probs, p.low, p.high, p.verdict
FROM placements p JOIN scales s ON s.id = p.scale_id WHERE p.lesson_id = ?
"""


def shared_classes(
    connection: sqlite3.Connection, school_id: int, code: str | None = None
) -> tuple[SharedClass, ...]:
    """Every shared class of a school by code, or the one with `code`."""
    return tuple(
        SharedClass(
            code=row["class"],
            subject=row["subject"],
            grade_band=row["grade_band"],
            lessons=row["lessons"],
            first_start=row["first_start"],
            last_start=row["start"],
        )
        for row in connection.execute(_CLASSES, (school_id, code, code))
    )


def lessons(connection: sqlite3.Connection, school_id: int, code: str, count: int) -> tuple[LessonView, ...]:
    """The newest `count` lessons of a class, oldest first."""
    rows = connection.execute(_LESSONS, (school_id, code, count)).fetchall()
    return tuple(_lesson(row, connection.execute(_PLACEMENTS, (row["id"],)).fetchall()) for row in rows)


def placement(row: sqlite3.Row, low: int | None, high: int | None) -> PlacementView:
    """A placement from a row with its scale, `probs` and `verdict`."""
    probs = _floats.decode(row["probs"])
    return PlacementView(
        model=row["model"],
        dimension=row["dimension"],
        label=label(row["model"], row["dimension"]),
        stages=stage_names(row["model"], row["dimension"], len(probs)),
        version=row["version"],
        probs=probs,
        low=low,
        high=high,
        verdict=row["verdict"],
        calibrated=False,
    )


def in_order(placements: list[PlacementView]) -> tuple[PlacementView, ...]:
    """Placements in the order of their models' dimensions."""
    return tuple(sorted(placements, key=lambda one: dimension_order(one.model, one.dimension)))


def _lesson(row: sqlite3.Row, placements: list[sqlite3.Row]) -> LessonView:
    features = _features.decode(row["features"])
    return LessonView(
        start=row["start"],
        minutes=row["minutes"],
        grade_band=row["grade_band"],
        subject=row["subject"],
        devices=row["devices"],
        expected=row["expected"],
        evidence=row["evidence"],
        visibility=row["visibility"],
        sources=_names.decode(row["sources"]),
        features=features,
        channels=channels(features),
        strip=_strip.decode(row["strip"]),
        placements=in_order([placement(own, own["low"], own["high"]) for own in placements]),
        revision=row["revision"],
    )
