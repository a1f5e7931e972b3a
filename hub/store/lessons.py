"""Lessons of one group of records: the newest revision of each stands, and all are written as one."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from hub.store.scales import Scales
from shared.errors import BadInput
from shared.records import LessonRecord

_LONGEST_S: Final = 600 * 60  # the longest lesson that a record can tell of
_NEAR: Final = """
SELECT start_s, start_s + 60 * minutes, revision, id FROM lessons
WHERE school_id = ? AND class = ? AND start_s > ? AND start_s < ?
"""

_json: Final = msgspec.json.Encoder()


@dataclass(slots=True)
class _Lesson:
    """From when it lasts until when, in epoch seconds; its row, if the store has this revision."""

    start: int
    end: int
    revision: int
    stored: int | None = None


class Lessons:
    """What a transaction's lessons find in the store, and what they leave there after `write`."""

    def __init__(self, connection: sqlite3.Connection, scales: Scales, received: float) -> None:
        self._connection = connection
        self._received = received
        self._scales = scales
        self._known: dict[tuple[int, str], dict[int, _Lesson]] = {}  # by school and class, then by start
        self._taken: dict[tuple[int, int, str], LessonRecord] = {}  # by school, start and class
        self._replaced: list[tuple[int]] = []  # rows

    def take(self, school_id: int, record: LessonRecord) -> str:
        """One lesson; returns the name of its counter.

        Raises BadInput where the class has another lesson between its start and its end.
        """
        start = int(datetime.fromisoformat(record.start).timestamp())
        end = start + 60 * record.minutes
        lessons = self._near(school_id, record.class_, start, end)
        known = lessons.get(start)
        if known and known.revision >= record.revision:
            return "lesson_older_revision"
        if any(one.start < end and start < one.end and one is not known for one in lessons.values()):
            raise BadInput("lesson_overlaps", "the class has another lesson at that time")
        if known and known.stored is not None:
            self._replaced.append((known.stored,))
        lessons[start] = _Lesson(start, end, record.revision)
        self._taken[school_id, start, record.class_] = record
        return "lesson_replaced" if known else "lesson_new"

    def _near(self, school_id: int, code: str, start: int, end: int) -> dict[int, _Lesson]:
        """The class's lessons that are known here, with all that the store has about that time."""
        lessons = self._known.setdefault((school_id, code), {})
        for row in self._connection.execute(_NEAR, (school_id, code, start - _LONGEST_S, end)):
            lessons.setdefault(row[0], _Lesson(*row))
        return lessons

    def write(self) -> None:
        """Put them into the store."""
        self._connection.executemany("DELETE FROM placements WHERE lesson_id = ?", self._replaced).close()
        self._connection.executemany("DELETE FROM lessons WHERE id = ?", self._replaced).close()
        (newest,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM lessons").fetchone()
        taken = [(number, *one) for number, one in enumerate(self._taken.items(), start=newest + 1)]
        self._connection.executemany(
            "INSERT INTO lessons (id, school_id, class, start_s, start, minutes, grade_band, subject,"
            " devices, expected, evidence, visibility, sources, features, strip, revision, received)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (*_row(number, school_id, start, record), self._received)
                for number, (school_id, start, _), record in taken
            ),
        ).close()
        self._connection.executemany(
            "INSERT INTO placements (lesson_id, scale_id, probs, low, high, verdict)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [row for number, _, record in taken for row in self._placements(number, record)],
        ).close()

    def _placements(self, number: int, record: LessonRecord) -> Iterator[tuple[object, ...]]:
        for p in record.placements:
            scale = self._scales.id_of((p.model, p.dimension, p.version, len(p.probs)))
            yield number, scale, _text(p.probs), p.low, p.high, p.verdict


def _row(number: int, school_id: int, start: int, record: LessonRecord) -> tuple[object, ...]:
    return (
        number,
        school_id,
        record.class_,
        start,
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
    )


def _text(value: object) -> str:
    return _json.encode(value).decode()
