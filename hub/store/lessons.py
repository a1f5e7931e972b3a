"""Lessons of one group of records: the newest revision of each stands, and all are written as one."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from hub.store import acceptance, many
from hub.store.scales import Scale, Scales
from shared.errors import BadInput
from shared.records import LessonRecord

_LONGEST_S: Final = 600 * 60  # the longest lesson that a record can tell of
_NEAR: Final = """
SELECT school_id, class, start_s, start_s + 60 * minutes, revision, id
FROM asked CROSS JOIN lessons ON school_id = a AND class = b AND start_s > c AND start_s < d
"""
_LESSONS: Final = (
    "INSERT INTO lessons (id, school_id, class, start_s, start, minutes, grade_band, subject, devices,"
    " expected, evidence, visibility, sources, features, strip, revision, received)"
)
_PLACEMENTS: Final = "INSERT INTO placements (lesson_id, scale_id, probs, low, high, verdict)"

_encode: Final = msgspec.json.Encoder().encode


class Row(msgspec.Struct, frozen=True, gc=False):
    """A lesson as it is stored: columns from `class` to `revision`; placements each with its scale first.

    `start` and `end` in epoch seconds.
    """

    code: str
    start: int
    end: int
    revision: int
    columns: tuple[object, ...]
    placements: tuple[tuple[Scale, str, int | None, int | None, str], ...]


def row_of(record: LessonRecord) -> Row:
    """The lesson's row."""
    start = int(acceptance.epoch(record.start))
    columns = (
        *(record.class_, start, record.start, record.minutes, record.grade_band, record.subject),
        *(record.devices, record.expected, record.evidence, record.visibility),
        *(_text(record.sources), _text(record.features), _text(record.strip), record.revision),
    )
    placements = tuple(
        (
            (p.model, p.dimension, p.version, len(p.probs)),
            _encode(p.probs).decode(),
            *(p.low, p.high, p.verdict),
        )
        for p in record.placements
    )
    return Row(record.class_, start, start + 60 * record.minutes, record.revision, columns, placements)


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
        self._looked: set[tuple[int, str, int, int]] = set()
        self._taken: dict[tuple[int, int, str], Row] = {}  # by school, start and class
        self._replaced: list[tuple[int]] = []  # rows

    def look(self, lessons: Iterable[tuple[int, Row]]) -> None:
        """Find what the store has at the times of lessons that will be taken, each with its school."""
        asked = {(school_id, row.code, row.start - _LONGEST_S, row.end): None for school_id, row in lessons}
        self._looked.update(asked)
        for school_id, code, *found in many.ask(self._connection, _NEAR, list(asked), 4):
            self._known.setdefault((school_id, code), {}).setdefault(found[0], _Lesson(*found))

    def take(self, school_id: int, row: Row) -> str:
        """One lesson; returns the name of its counter.

        Raises BadInput where the class has another lesson between its start and its end.
        """
        start, end = row.start, row.end
        if (school_id, row.code, start - _LONGEST_S, end) not in self._looked:
            self.look([(school_id, row)])
        lessons = self._known.setdefault((school_id, row.code), {})
        known = lessons.get(start)
        if known and known.revision >= row.revision:
            return "lesson_older_revision"
        for one in lessons.values():
            if one.start < end and start < one.end and one is not known:
                raise BadInput("lesson_overlaps", "the class has another lesson at that time")
        if known and known.stored is not None:
            self._replaced.append((known.stored,))
        lessons[start] = _Lesson(start, end, row.revision)
        self._taken[school_id, start, row.code] = row
        return "lesson_replaced" if known else "lesson_new"

    def write(self) -> None:
        """Put them into the store."""
        if not self._taken:
            return
        if self._replaced:
            self._connection.executemany("DELETE FROM placements WHERE lesson_id = ?", self._replaced).close()
            self._connection.executemany("DELETE FROM lessons WHERE id = ?", self._replaced).close()
        (newest,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM lessons").fetchone()
        rows, placements = [], []
        for number, ((school_id, *_), row) in enumerate(self._taken.items(), start=newest + 1):
            rows.append((number, school_id, *row.columns, self._received))
            for scale, probs, low, high, verdict in row.placements:
                placements.append((number, self._scales.id_of(scale), probs, low, high, verdict))
        many.insert(self._connection, _LESSONS, rows, 17)
        many.insert(self._connection, _PLACEMENTS, placements, 6)


def _text(value: object) -> str:
    return _encode(value).decode()
