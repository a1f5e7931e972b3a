"""Lessons that have begun are written down: what the school changes afterwards changes later lessons only.

Without this, new bells would close a lesson a second time, and a class that left the roster would take
its accepted signals with it.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Final

from edge_agent.identity.directory import Directory
from edge_agent.identity.roster import SchoolClass
from edge_agent.identity.timetable import Lesson
from shared.settings import read_secret, write_secret
from shared.storage import Writer

TEACHERS_KEY: Final = "teachers"


@dataclass(frozen=True, slots=True)
class Begun:
    """A lesson as it stood when it began; its class's teachers are opaque names."""

    class_code: str
    lesson: Lesson
    expected: int


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
        self._kept: dict[date, frozenset[tuple[str, int]]] = {}

    def keep(self, days: Iterable[date], now: float) -> None:
        """Write down every lesson of these local days that has begun by `now` (seconds UTC)."""
        for day in days:
            begun = [lesson for lesson in self._directory.timetable.lessons(day) if lesson.start <= now]
            keys = frozenset((lesson.school_class.id, lesson.start) for lesson in begun)
            if keys != self._kept.get(day):
                self._writer.run(partial(self._write, day=day, lessons=begun))
                self._kept[day] = keys

    def of(self, day: date) -> list[Begun]:
        """The lessons of a local day that were written down, by start."""
        found = self._reader.execute(
            """SELECT s.*, c.class_id FROM schedule s JOIN classes c ON c.code = s.class_code
               WHERE s.day = ? ORDER BY s.start, s.class_code""",
            (day.isoformat(),),
        )
        return [_begun(row) for row in found]

    def _write(self, connection: sqlite3.Connection, day: date, lessons: Sequence[Lesson]) -> None:
        for lesson in lessons:
            expected = self._directory.expected(lesson)
            if expected and not _is_taken(connection, day, lesson):
                school_class = lesson.school_class
                teachers = sorted(self._opaque(name) for name in school_class.teachers)
                connection.execute(
                    "INSERT INTO schedule VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
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
        """SELECT 1 FROM schedule s JOIN classes c ON c.code = s.class_code
           WHERE s.day = ? AND c.class_id = ? AND s.start < ? AND s.ends > ?""",
        (day.isoformat(), lesson.school_class.id, lesson.end, lesson.start),
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
    return Begun(row["class_code"], Lesson(school_class, row["start"], row["ends"]), row["expected"])
