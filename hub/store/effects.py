"""What a record does to the store: one checked record of one known school, in the caller's transaction."""

import sqlite3
from datetime import datetime
from typing import Final

import msgspec

from hub.known import Known
from hub.store import acceptance, scales
from shared.errors import BadInput
from shared.records import (
    ALL_BANDS,
    LessonRecord,
    Placement,
    Record,
    StatusRecord,
    WeekPlacement,
    WeekRecord,
)

_json: Final = msgspec.json.Encoder()


def apply(
    connection: sqlite3.Connection, school_id: int, school: str, record: Record, heard: float, known: Known
) -> str:
    """Do what `record` says for the school it came from; returns the name of the counter it belongs to.

    `heard` is hub time in epoch seconds, `known` the hub's models. Raises BadInput for a record of another
    school, for what this hub cannot show, for the future (unless the school is simulated, whose clock may
    run ahead), for a second week record of the same school, week and grade band, and for all bands beside
    one of them.
    """
    if record.school != school:
        raise BadInput("record_of_another_school", "a school writes its own records only")
    # Everything that can be refused is refused before the first write.
    if not isinstance(record, StatusRecord):
        acceptance.check(record, known)
        if acceptance.starts(record) > heard + acceptance.AHEAD_S and not _simulated(connection, school_id):
            raise BadInput("record_in_the_future", "later than two days from now by the hub's clock")
    if isinstance(record, LessonRecord):
        outcome = _lesson(connection, school_id, record)
    elif isinstance(record, WeekRecord):
        outcome = _week(connection, school_id, record)
    else:
        outcome = _status(connection, school_id, record)
    hear(connection, school_id, heard)
    return outcome


def hear(connection: sqlite3.Connection, school_id: int, heard: float) -> None:
    """Remember that the school was heard at `heard`, in epoch seconds."""
    connection.execute(
        "INSERT INTO heartbeats (school_id, heard) VALUES (?, ?) "
        "ON CONFLICT (school_id) DO UPDATE SET heard = max(coalesce(heard, 0), excluded.heard)",
        (school_id, heard),
    ).close()


def _simulated(connection: sqlite3.Connection, school_id: int) -> bool:
    (simulated,) = connection.execute("SELECT simulated FROM schools WHERE id = ?", (school_id,)).fetchone()
    return bool(simulated)


def _lesson(connection: sqlite3.Connection, school_id: int, record: LessonRecord) -> str:
    start = int(datetime.fromisoformat(record.start).timestamp())
    key = (school_id, record.class_, start)
    known = connection.execute(
        "SELECT id, revision FROM lessons WHERE school_id = ? AND class = ? AND start_s = ?", key
    ).fetchone()
    if known and known[1] >= record.revision:
        return "lesson_older_revision"
    if known:
        connection.execute("DELETE FROM placements WHERE lesson_id = ?", (known[0],)).close()
        connection.execute("DELETE FROM lessons WHERE id = ?", (known[0],)).close()
    lesson_id = connection.execute(
        "INSERT INTO lessons (school_id, class, start_s, start, minutes, grade_band, subject, devices,"
        " expected, evidence, visibility, sources, features, strip, revision)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *key,
            record.start,
            record.minutes,
            record.grade_band,
            record.subject,
            record.devices,
            record.expected,
            record.evidence,
            record.visibility,
            _text(record.sources),
            _text(record.features),
            _text(record.strip),
            record.revision,
        ),
    ).lastrowid
    ids = _scale_ids(connection, [(p, len(p.probs)) for p in record.placements])
    connection.executemany(
        "INSERT INTO placements (lesson_id, scale_id, probs, low, high, verdict) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (lesson_id, scale_id, _text(p.probs), p.low, p.high, p.verdict)
            for scale_id, p in zip(ids, record.placements, strict=True)
        ],
    ).close()
    return "lesson_replaced" if known else "lesson_new"


def _week(connection: sqlite3.Connection, school_id: int, record: WeekRecord) -> str:
    known = connection.execute(
        "SELECT grade_band FROM weeks WHERE school_id = ? AND week = ?", (school_id, record.week)
    )
    bands = {band for (band,) in known}
    if record.grade_band not in bands and (ALL_BANDS in bands or (bands and record.grade_band == ALL_BANDS)):
        raise BadInput("week_bands_conflict", "a week leaves band by band, or as one")
    week_id = connection.execute(
        "INSERT INTO weeks (school_id, week, grade_band, lessons, classes, teachers, devices, evidence,"
        " visibility, sources, features) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (school_id, week, grade_band) DO NOTHING RETURNING id",
        (
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
        ),
    ).fetchone()
    if week_id is None:
        raise BadInput("week_already_known", "a week is sent once for each grade band")
    ids = _scale_ids(connection, [(p, len(p.expected)) for p in record.placements])
    connection.executemany(
        "INSERT INTO week_placements (week_id, scale_id, expected, placed, thin, evidence_only)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (week_id[0], scale_id, _text(p.expected), p.placed, p.thin, p.evidence_only)
            for scale_id, p in zip(ids, record.placements, strict=True)
        ],
    ).close()
    return "week_new"


def _status(connection: sqlite3.Connection, school_id: int, record: StatusRecord) -> str:
    connection.execute(
        "INSERT INTO heartbeats (school_id, backlog, version, sources) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (school_id) DO UPDATE SET backlog = excluded.backlog, version = excluded.version,"
        " sources = excluded.sources",
        (school_id, record.backlog, record.version, _text(record.sources)),
    ).close()
    return "status"


def _scale_ids(
    connection: sqlite3.Connection, placements: list[tuple[Placement | WeekPlacement, int]]
) -> list[int]:
    named = [(p.model, p.dimension, p.version, stages) for p, stages in placements]
    ids = scales.ensure(connection, named)
    return [ids[scale] for scale in named]


def _text(value: object) -> str:
    return _json.encode(value).decode()
