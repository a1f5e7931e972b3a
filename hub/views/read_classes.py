"""Shared classes and their lessons read from the store."""

import sqlite3

import msgspec

from hub.known import Known
from hub.views.bands import band
from hub.views.common import PlacementView
from hub.views.merge import channels
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
_LESSON_AT = "SELECT * FROM lessons WHERE school_id = ? AND class = ? AND substr(start, 1, 19) = ?"
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


def lessons(
    connection: sqlite3.Connection, school_id: int, code: str, count: int, known: Known
) -> tuple[LessonView, ...]:
    """The newest `count` lessons of a class, oldest first; no model of a week or a term speaks of them."""
    rows = connection.execute(_LESSONS, (school_id, code, count)).fetchall()
    return tuple(
        _lesson(row, connection.execute(_PLACEMENTS, (row["id"],)).fetchall(), known) for row in rows
    )


def lesson_at(
    connection: sqlite3.Connection, school_id: int, code: str, start: str, known: Known
) -> tuple[LessonView, ...]:
    """The lesson of a class that started then by its school's clock (ISO, to the second), if there is one."""
    rows = connection.execute(_LESSON_AT, (school_id, code, start)).fetchmany(1)
    return tuple(
        _lesson(row, connection.execute(_PLACEMENTS, (row["id"],)).fetchall(), known) for row in rows
    )


def placement(row: sqlite3.Row, low: int | None, high: int | None, known: Known) -> PlacementView:
    """A placement from a row with its scale, `probs` and `verdict`."""
    model, dimension, probs = row["model"], row["dimension"], _floats.decode(row["probs"])
    wide = known.shown_as(model, dimension) == "band"
    placed = (low, high) if row["verdict"] == "placed" and low is not None and high is not None else None
    return PlacementView(
        model=model,
        dimension=dimension,
        label=known.label(model, dimension),
        stages=known.stage_names(model, dimension, len(probs)),
        version=row["version"],
        probs=probs,
        low=low,
        high=high,
        verdict=row["verdict"],
        grain=known.grain(model),
        shown_as="band" if wide else "stages",
        band=band(probs, placed) if wide else None,
        calibrated=row["verdict"] != "evidence_only",
    )


def in_order(placements: list[PlacementView], known: Known) -> tuple[PlacementView, ...]:
    """Placements in the order of their models' dimensions."""
    return tuple(sorted(placements, key=lambda one: known.order(one.model, one.dimension)))


def _lesson(row: sqlite3.Row, placements: list[sqlite3.Row], known: Known) -> LessonView:
    own = [one for one in placements if known.grain(one["model"]) == "lesson"]
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
        placements=in_order([placement(one, one["low"], one["high"], known) for one in own], known),
        revision=row["revision"],
    )
