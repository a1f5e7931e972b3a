"""Lessons that have begun are written down: what the school changes afterwards changes later lessons only.

Without this, new bells would close a lesson a second time, and a class that left the roster would take
its accepted signals with it.
"""

import json
import secrets
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from hashlib import blake2b
from operator import attrgetter
from pathlib import Path
from typing import Final

from edge_agent.identity.directory import Directory
from edge_agent.identity.roster import SchoolClass
from edge_agent.identity.timetable import Lesson
from edge_agent.lessons.windows import WindowKey
from edge_agent.store.windows import LONGEST
from shared.settings import read_secret, write_secret
from shared.storage import Writer

TEACHERS_KEY: Final = "teachers"
_start: Final = attrgetter("start")


@dataclass(frozen=True, slots=True)
class Begun:
    """A lesson as it stood when it began; its class's teachers are opaque names."""

    class_code: str
    lesson: Lesson
    expected: int
    day: date


class Schedule:
    """The begun lessons of one school; called from the agent's main loop only."""

    def __init__(
        self,
        writer: Writer,
        reader: sqlite3.Connection,
        directory: Directory,
        codes: dict[str, str],
        teachers_key: bytes,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._directory = directory
        self._codes = codes
        self._teachers_key = teachers_key
        self._kept: dict[date, tuple[Sequence[Lesson], int]] = {}

    def keep(self, days: Iterable[date], now: float) -> None:
        """Write down every lesson of these local days that has begun by `now` (seconds UTC)."""
        before, self._kept = self._kept, {}
        for day in days:
            lessons = self._directory.timetable.lessons(day)
            number = bisect_right(lessons, now, key=_start)
            known, kept = before.get(day, ((), 0))
            if lessons is not known:
                kept = 0
            if number > kept:
                self._writer.run(partial(self._write, day=day, lessons=lessons[kept:number]))
            self._kept[day] = lessons, max(number, kept)

    def open(self, days: Iterable[date], until: float) -> list[WindowKey]:
        """The lessons of these local days that ended by `until` and were never closed, oldest first."""
        found = self._reader.execute(
            "SELECT class_code, start, day FROM schedule WHERE closed = 0 AND ends <= ?"
            " ORDER BY day, start, class_code",
            (until,),
        )
        wanted = {day.isoformat() for day in days}
        return [WindowKey(code, start) for code, start, day in found if day in wanted]

    def begun(self, key: WindowKey) -> Begun | None:
        """A lesson that was written down; None of any other, and once its week has left."""
        row = self._reader.execute(
            """SELECT s.*, c.class_id FROM schedule s JOIN classes c ON c.code = s.class_code
               WHERE s.class_code = ? AND s.start = ?""",
            (key.class_code, key.start),
        ).fetchone()
        return None if row is None else _begun(row)

    def _write(self, connection: sqlite3.Connection, day: date, lessons: Sequence[Lesson]) -> None:
        for lesson in lessons:
            expected = self._directory.expected(lesson)
            if expected and not _is_taken(connection, day, lesson):
                school_class = lesson.school_class
                teachers = sorted(self._opaque(name) for name in school_class.teachers)
                connection.execute(
                    """INSERT INTO schedule
                       (class_code, start, ends, day, grade_band, subject, teachers, expected, closed)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
                       EXISTS (SELECT 1 FROM windows WHERE class_code = ?1 AND start = ?2))""",
                    (
                        self._codes[school_class.id],
                        lesson.start,
                        lesson.end,
                        day.isoformat(),
                        school_class.grade_band,
                        school_class.subject,
                        json.dumps(teachers),
                        expected,
                    ),
                )

    def _opaque(self, teacher: str) -> str:
        return blake2b(teacher.encode(), digest_size=8, key=self._teachers_key).hexdigest()


def load_teachers_key(folder: Path) -> bytes:
    """The key under which teachers are counted without being named; made once."""
    path = folder / TEACHERS_KEY
    if not path.exists():
        write_secret(path, secrets.token_bytes(32))
    return read_secret(path)


def _is_taken(connection: sqlite3.Connection, day: date, lesson: Lesson) -> bool:
    """Whether the class already has a lesson that overlaps, under whatever code."""
    found = connection.execute(
        """SELECT 1 FROM classes c CROSS JOIN schedule s ON s.class_code = c.code
           WHERE c.class_id = ? AND s.start > ? AND s.start < ? AND s.ends > ? AND s.day = ?""",
        (lesson.school_class.id, lesson.start - LONGEST, lesson.end, lesson.start, day.isoformat()),
    )
    return found.fetchone() is not None


def _begun(row: sqlite3.Row) -> Begun:
    school_class = SchoolClass(
        id=row["class_id"],
        term="",
        grade_band=row["grade_band"],
        subject=row["subject"],
        room="",
        periods=(),
        sessions=(),
        teachers=frozenset(json.loads(row["teachers"])),
        learners=frozenset(),
    )
    return Begun(
        row["class_code"],
        Lesson(school_class, row["start"], row["ends"]),
        row["expected"],
        date.fromisoformat(row["day"]),
    )
