"""OneRoster 1.1 CSV files: classes with their teachers, learners, periods and rooms."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from edge_agent.identity.subjects import subject_of
from edge_agent.identity.tables import Refused, rows

BANDS = (("k-2", ("PK", "KG", "K", "01", "02")), ("3-5", ("03", "04", "05")), ("6-8", ("06", "07", "08")))
UPPER = ("09", "10", "11", "12", "13")


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """One class section of a term. `learners` and `teachers` are usernames: in memory only.

    `sessions` are the first and last days of its academic sessions; none means that it always meets.
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


@dataclass(frozen=True, slots=True)
class Roster:
    """Classes by id, and which usernames are staff."""

    classes: dict[str, SchoolClass]
    staff: frozenset[str]


def grade_band(grades: str) -> str:
    """The band of a class from OneRoster's `grades`; `mixed` if they span bands, `other` if unknown."""
    codes = [code.strip().upper().zfill(2) for code in grades.split(",") if code.strip()]
    table = {code.zfill(2): band for band, members in (*BANDS, ("9-12", UPPER)) for code in members}
    found = {table.get(code, "other") for code in codes}
    if not found:
        return "other"
    return found.pop() if len(found) == 1 else "mixed"


def load_roster(folder: Path, refused: Refused) -> Roster:
    """Read users, classes and enrolments; rows that point nowhere are refused and counted."""
    users = _users(folder / "users.csv", refused)
    sessions = _sessions(folder / "academicSessions.csv", refused)
    teachers: dict[str, set[str]] = {}
    learners: dict[str, set[str]] = {}
    table = {
        row["sourcedId"]: row
        for line, row in rows(folder / "classes.csv", ("sourcedId", "title", "grades", "periods"), refused)
        if _active(row) and _identified(folder / "classes.csv", line, row, refused)
    }
    path = folder / "enrollments.csv"
    for line, row in rows(path, ("classSourcedId", "userSourcedId", "role"), refused):
        user = users.get(row["userSourcedId"])
        if not _active(row):
            continue
        if user is None or row["classSourcedId"] not in table:
            reason = "unknown user" if user is None else "unknown class"
            refused.add(path, line, reason, ",".join(row.values()))
            continue
        group = {"teacher": teachers, "student": learners}.get(row["role"])
        if group is not None:  # aides, guardians and others are in no lesson of their own
            group.setdefault(row["classSourcedId"], set()).add(user[0])
    classes = {
        key: _school_class(row, sessions, frozenset(teachers.get(key, ())), frozenset(learners.get(key, ())))
        for key, row in table.items()
    }
    return Roster(classes, frozenset(name for name, role in users.values() if role != "student"))


def _users(path: Path, refused: Refused) -> dict[str, tuple[str, str]]:
    users: dict[str, tuple[str, str]] = {}
    for line, row in rows(path, ("sourcedId", "username", "role"), refused):
        if not row["sourcedId"] or not row["username"]:
            refused.add(path, line, "no sourcedId or username", ",".join(row.values()))
        elif _active(row):
            users[row["sourcedId"]] = (row["username"], row["role"])
    return users


def _sessions(path: Path, refused: Refused) -> dict[str, tuple[date, date]]:
    """Academic sessions by id; a school that exports none has classes that always meet."""
    sessions: dict[str, tuple[date, date]] = {}
    if not path.exists():
        return sessions
    for line, row in rows(path, ("sourcedId", "startDate", "endDate"), refused):
        try:
            first, last = date.fromisoformat(row["startDate"]), date.fromisoformat(row["endDate"])
        except ValueError:
            refused.add(path, line, "unreadable date", ",".join(row.values()))
            continue
        if _active(row):
            sessions[row["sourcedId"]] = (first, last)
    return sessions


def _school_class(
    row: dict[str, str],
    sessions: dict[str, tuple[date, date]],
    teachers: frozenset[str],
    learners: frozenset[str],
) -> SchoolClass:
    terms = [part.strip() for part in row.get("termSourcedIds", "").split(",")]
    return SchoolClass(
        id=row["sourcedId"],
        term=terms[0],
        grade_band=grade_band(row["grades"]),
        subject=subject_of(row.get("subjects", "").split(",")[0]),
        room=row.get("location", ""),
        periods=tuple(part.strip() for part in row["periods"].split(",") if part.strip()),
        sessions=tuple(sessions[term] for term in terms if term in sessions),
        teachers=teachers,
        learners=learners,
    )


def _active(row: dict[str, str]) -> bool:
    # A bulk file leaves `status` blank; a delta says what to remove.
    return row.get("status", "").lower() != "tobedeleted"


def _identified(path: Path, line: int, row: dict[str, str], refused: Refused) -> bool:
    if row["sourcedId"]:
        return True
    refused.add(path, line, "no sourcedId", ",".join(row.values()))
    return False
