"""Classes with their teachers, learners, periods and rooms: what every kind of roster comes to."""

from dataclasses import dataclass, replace
from datetime import date, time
from typing import Final

BANDS = (("k-2", ("PK", "KG", "K", "01", "02")), ("3-5", ("03", "04", "05")), ("6-8", ("06", "07", "08")))
UPPER = ("09", "10", "11", "12", "13")
_BAND_OF: Final = {code.zfill(2): band for band, codes in (*BANDS, ("9-12", UPPER)) for code in codes}


@dataclass(frozen=True, slots=True)
class Meeting:
    """When and where a class meets: a period of the bell schedule, or its own local times.

    `days` are weekdays (`Mon`) and rotation days, empty for every day; `room` is empty for the class's own.
    """

    period: str
    days: frozenset[str] = frozenset()
    room: str = ""
    start: time | None = None
    end: time | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody who belongs to a class from a first to a last day, both included."""

    user: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """One class section of a term. `learners` and `teachers` are usernames: in memory only.

    `sessions` are the first and last days of its academic sessions; none means that it always meets.
    `meetings` are those of a timetable file and stand for the periods; `stays` are of learners and teachers
    who are there on some days only. `code` and `title` are for finding the class in other files.
    """

    id: str
    term: str
    grade_band: str
    subject: str
    room: str
    periods: tuple[str, ...]
    sessions: tuple[tuple[date, date], ...]
    teachers: frozenset[str]
    learners: frozenset[str]
    code: str = ""
    title: str = ""
    meetings: tuple[Meeting, ...] = ()
    stays: tuple[Stay, ...] = ()

    @property
    def rooms(self) -> frozenset[str]:
        """Every room that the class has a lesson in."""
        return frozenset({self.room, *(meeting.room for meeting in self.meetings)} - {""})

    def on(self, day: date) -> "SchoolClass":
        """The class with those who belong to it on that day."""
        there = {stay.user for stay in self.stays if stay.first <= day <= stay.last}
        away = {stay.user for stay in self.stays} - there
        if not away:
            return self
        return replace(self, teachers=self.teachers - away, learners=self.learners - away)


@dataclass(frozen=True, slots=True)
class Roster:
    """Classes by id, and which usernames are staff."""

    classes: dict[str, SchoolClass]
    staff: frozenset[str]


def grade_band(grades: str) -> str:
    """The band of a class from OneRoster's `grades`; `mixed` if they span bands, `other` if unknown."""
    codes = [code.strip().upper().zfill(2) for code in grades.split(",") if code.strip()]
    found = {_BAND_OF.get(code, "other") for code in codes}
    if not found:
        return "other"
    return found.pop() if len(found) == 1 else "mixed"
