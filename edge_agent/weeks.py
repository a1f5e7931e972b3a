"""Weeks that are over: once the last day key is destroyed the aggregate leaves, or why not is kept."""

import sqlite3
from collections.abc import Iterable
from functools import partial
from typing import Final

import msgspec

from edge_agent.days import key_expires, week_days
from edge_agent.identity.directory import Directory
from edge_agent.leaving import LessonFacts, week_groups
from edge_agent.lessons import hand_over
from edge_agent.records import WeekLesson, week_record
from edge_agent.settings import AgentSettings
from shared.storage import Writer

_lesson: Final = msgspec.json.Decoder(WeekLesson)


class Weeks:
    """Sends each week once; called from the agent's main loop only."""

    def __init__(
        self, writer: Writer, reader: sqlite3.Connection, directory: Directory, settings: AgentSettings
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._directory = directory
        self._settings = settings

    def send_due(self, now: float) -> list[str]:
        """Send, or hold back, every week whose last lesson day's key is destroyed; which weeks."""
        due = [week for week in self._open_weeks() if now >= self._over(week)]
        for week in due:
            self._writer.run(partial(self._send, week=week, lessons=self._lessons(week), now=now))
        return due

    def _open_weeks(self) -> list[str]:
        found = self._reader.execute(
            "SELECT DISTINCT week FROM windows WHERE week NOT IN (SELECT week FROM weeks) ORDER BY week"
        )
        return [week for (week,) in found]

    def _over(self, week: str) -> int:
        """The moment after which no signal of the week can be accepted any more."""
        days = week_days(week)
        with_lessons = [day for day in days if self._directory.timetable.lessons(day)]
        return key_expires(max(with_lessons, default=days[-1]), self._settings.zone)

    def _lessons(self, week: str) -> list[tuple[LessonFacts, WeekLesson]]:
        """Lessons in which any device was seen."""
        found = self._reader.execute(
            """SELECT w.grade_band, w.class_code, w.devices, w.sent_batch IS NOT NULL, w.window, c.class_id
               FROM windows w JOIN classes c ON c.code = w.class_code
               WHERE w.week = ? AND w.devices > 0 ORDER BY w.start, w.class_code""",
            (week,),
        )
        lessons = []
        for row, (band, code, devices, shared, window, class_id) in enumerate(found):
            teachers = self._teachers(class_id)
            facts = LessonFacts(row, band, code, teachers, devices, bool(shared))
            lessons.append((facts, _lesson.decode(window)))
        return lessons

    def _teachers(self, class_id: str) -> frozenset[str]:
        school_class = self._directory.roster.classes.get(class_id)
        return school_class.teachers if school_class else frozenset()

    def _send(
        self,
        connection: sqlite3.Connection,
        *,
        week: str,
        lessons: list[tuple[LessonFacts, WeekLesson]],
        now: float,
    ) -> None:
        groups, held_back = week_groups(facts for facts, _ in lessons)
        for band, group in groups.items():
            record = week_record(
                [lessons[facts.row][1] for facts in group],
                school=self._settings.school,
                week=week,
                grade_band=band,
                teachers=count_teachers(group),
            )
            hand_over(connection, record, "week", now)
        connection.execute("INSERT INTO weeks VALUES (?, ?, ?)", (week, len(groups), held_back))


def count_teachers(group: Iterable[LessonFacts]) -> int:
    """How many different teachers the lessons have."""
    return len(frozenset[str]().union(*(facts.teachers for facts in group)))
