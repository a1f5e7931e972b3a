"""The timetable as a file of its own: which class meets in which period, on which days, in which room."""

from dataclasses import replace
from pathlib import Path

from edge_agent.identity.bells import read_days, time_fault
from edge_agent.identity.local_time import time_of_day
from edge_agent.identity.roster import Meeting, Roster, SchoolClass
from edge_agent.identity.tables import Refused, rows

OPTIONAL = ("period", "days", "room", "start", "end")


def with_timetable(roster: Roster, path: Path, refused: Refused, labels: frozenset[str]) -> Roster:
    """The roster with the meetings of `class,period,days,room,start,end`; faulty rows are refused.

    A class is named by its id, code or title. Its rows stand for whatever periods the roster gave it; a
    class without rows keeps those. Raises SettingsError for an unusable file.
    """
    known = _known(roster)
    meetings: dict[str, list[Meeting]] = {}
    for line, row in rows(path, ("class",), refused, OPTIONAL):
        found = known.get(row["class"].casefold(), frozenset())
        meeting = _meeting(row, labels)
        if len(found) != 1 or isinstance(meeting, str):
            unclear = "more than one class of this name" if found else "unknown class"
            reason = meeting if isinstance(meeting, str) else unclear
            refused.add(path, line, reason, ",".join(row.values()))
        else:
            meetings.setdefault(next(iter(found)), []).append(meeting)
    classes = {
        key: replace(item, meetings=tuple(meetings[key])) if key in meetings else item
        for key, item in roster.classes.items()
    }
    return replace(roster, classes=classes)


def _known(roster: Roster) -> dict[str, frozenset[str]]:
    """Classes by what they are called; an id stands before a code, and a code before a title."""
    known: dict[str, frozenset[str]] = {}
    for names in (_titles, _codes, _ids):
        level: dict[str, frozenset[str]] = {}
        for item in roster.classes.values():
            name = names(item).strip().casefold()
            if name:
                level[name] = level.get(name, frozenset()) | {item.id}
        known |= level
    return known


def _ids(item: SchoolClass) -> str:
    return item.id


def _codes(item: SchoolClass) -> str:
    return item.code


def _titles(item: SchoolClass) -> str:
    return item.title


def _meeting(row: dict[str, str], labels: frozenset[str]) -> Meeting | str:
    """What a row says, or why it says nothing."""
    days = read_days(row["days"], labels)
    if days is None:
        return "a day that is no weekday and no rotation day of the calendar"
    if not row["start"] and not row["end"]:
        return Meeting(row["period"], days, row["room"]) if row["period"] else "neither period nor times"
    start, end = time_of_day(row["start"]), time_of_day(row["end"])
    if start is None or end is None:
        return "unreadable time"
    return time_fault(start, end) or Meeting(row["period"], days, row["room"], start, end)
