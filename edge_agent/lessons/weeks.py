"""Weeks that are over: once the last day key is destroyed the aggregate leaves, or why not is kept."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial
from typing import Final

import msgspec
import numpy as np

from edge_agent.days import key_expires, week_days
from edge_agent.identity.directory import Directory
from edge_agent.leaving.records import WeekLesson, week_record
from edge_agent.leaving.rules import Left, LessonFacts, week_groups
from edge_agent.lessons.closing import hand_over, impossible
from edge_agent.lessons.scoring import Scoring
from edge_agent.settings import AgentSettings
from models.features.set1 import FEATURES
from shared.storage import Writer

_lesson: Final = msgspec.json.Decoder(WeekLesson)


class Weeks:
    """Sends each week once; called from the agent's main loop only."""

    def __init__(
        self,
        writer: Writer,
        reader: sqlite3.Connection,
        directory: Directory,
        settings: AgentSettings,
        scoring: Scoring,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._directory = directory
        self._settings = settings
        self._scoring = scoring

    def send_due(self, now: float) -> list[str]:
        """Send, or hold back, every week whose last lesson day's key is destroyed; which weeks."""
        due = [week for week in self._open_weeks() if now >= self._over(week)]
        for week in due:
            self._writer.run(partial(self._send, week=week, lessons=self._lessons(week), now=now))
        return due

    def _open_weeks(self) -> list[str]:
        # From one week to the next by the index's edges: not a look at every window there ever was.
        found = self._reader.execute(
            """WITH RECURSIVE found(week) AS (
                   SELECT min(week) FROM windows
                   UNION ALL SELECT (SELECT min(week) FROM windows WHERE week > found.week) FROM found
                   WHERE week IS NOT NULL)
               SELECT week FROM found WHERE week IS NOT NULL AND week NOT IN (SELECT week FROM weeks)"""
        )
        return [week for (week,) in found]

    def _over(self, week: str) -> int:
        """The moment after which no signal of the week can be accepted any more."""
        days = week_days(week)
        (last_held,) = self._reader.execute("SELECT max(day) FROM windows WHERE week = ?", (week,)).fetchone()
        to_come = [day for day in days if self._directory.timetable.lessons(day)]
        return key_expires(max([date.fromisoformat(last_held), *to_come]), self._settings.zone)

    def _lessons(self, week: str) -> list[tuple[LessonFacts, WeekLesson]]:
        """Lessons in which any device was seen; of a lesson that left, the revision that left."""
        found = self._reader.execute(
            """SELECT grade_band, class_code, start, devices, window FROM windows
               WHERE week = ? AND devices > 0 ORDER BY start, class_code""",
            (week,),
        )
        lessons = []
        for row, (band, code, start, devices, window) in enumerate(found.fetchall()):
            lesson = _lesson.decode(window)
            facts = LessonFacts(row, band, code, lesson.teachers, devices, self._left(code, start))
            lessons.append((facts, lesson))
        return lessons

    def _left(self, code: str, start: int) -> Left:
        """What became of the records of one window: a withdrawn one may have been under way."""
        found = self._reader.execute(
            """SELECT o.state IS 'pending' OR EXISTS (
                   SELECT 1 FROM disclosures d WHERE d.number = n.number AND d.kind = 'withdrawn')
               FROM lesson_numbers n LEFT JOIN outbox o ON o.number = n.number
               WHERE n.class_code = ? AND n.start = ?""",
            (code, start),
        )
        unsure = {bool(value) for (value,) in found}
        if not unsure:
            return Left.NO
        return Left.YES if False in unsure else Left.PERHAPS

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
                judged_alike([lessons[facts.row][1] for facts in group], self._scoring),
                school=self._settings.school,
                week=week,
                grade_band=band,
                teachers=count_teachers(group),
            )
            held_back = impossible(record)
            if held_back is None:
                hand_over(connection, record, "week", now)
        connection.execute("INSERT INTO weeks VALUES (?, ?, ?)", (week, len(groups), held_back))
        connection.execute("DELETE FROM schedule WHERE day <= ?", (week_days(week)[-1].isoformat(),))


def judged_alike(lessons: Sequence[WeekLesson], scoring: Scoring) -> list[WeekLesson]:
    """The lessons, all judged by the models at work now: anew where another model or fit was at work then.

    A week counts each scale over all of its lessons, so one that changed inside it cannot be added up.
    """
    if all({(p.model, p.dimension, p.version) for p in one.placements} == scoring.scales for one in lessons):
        return list(lessons)
    rows = [[one.features.get(name) for name in FEATURES] for one in lessons]
    judged = scoring.placements(np.array(rows, np.float64), [one.devices for one in lessons])
    return [
        msgspec.structs.replace(one, placements=placements)
        for one, placements in zip(lessons, judged, strict=True)
    ]


def count_teachers(group: Iterable[LessonFacts]) -> int:
    """How many different teachers the lessons have."""
    return len(frozenset[str]().union(*(facts.teachers for facts in group)))
