"""OneRoster 1.1 and 1.2 as CSV: whole exports (`bulk`), changes to them (`delta`), one school of several."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from edge_agent.identity.bundle import Bundle
from edge_agent.identity.people import Names
from edge_agent.identity.roster import Roster, SchoolClass, Stay, grade_band
from edge_agent.identity.subjects import subject_among
from edge_agent.identity.tables import Refused
from edge_agent.identity.which_school import which_school
from shared.errors import SettingsError

Row = dict[str, str]

# Columns that must be there, and those that may; no other is kept, no name of a person is read.
TABLES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "users": (("sourcedId", "username"), ("status", "role", "email", "grades")),
    "roles": (("userSourcedId", "role"), ("sourcedId", "status", "orgSourcedId")),
    "orgs": (("sourcedId", "name"), ("status", "type", "identifier")),
    "academicSessions": (("sourcedId", "startDate", "endDate"), ("status",)),
    "courses": (("sourcedId",), ("status", "title", "grades", "subjects", "subjectCodes")),
    "classes": (
        ("sourcedId",),
        (
            *("status", "title", "grades", "courseSourcedId", "classCode", "location", "schoolSourcedId"),
            *("termSourcedIds", "subjects", "subjectCodes", "periods"),
        ),
    ),
    "enrollments": (
        ("classSourcedId", "userSourcedId", "role"),
        ("sourcedId", "status", "beginDate", "endDate"),
    ),
}
_GONE: Final = frozenset({"tobedeleted", "inactive"})
_NOT_STAFF: Final = frozenset({"student", "parent", "guardian", "relative"})


@dataclass(slots=True)
class _Members:
    """Who belongs to one class: always, or on the days of a stay."""

    always: set[str] = field(default_factory=set)
    stays: list[Stay] = field(default_factory=list)

    @property
    def users(self) -> frozenset[str]:
        return frozenset(self.always | {stay.user for stay in self.stays})


def read_oneroster(
    found: Sequence[Bundle], refused: Refused, names: Names, *, school: str, org: str | None
) -> Roster:
    """The roster that these exports come to, oldest first; rows that point nowhere are refused and counted.

    `org` (id, identifier or name) or else `school` (a name) says which school is meant where there are
    several. Raises SettingsError if a needed table is missing, or the school is not to be told.
    """
    tables = _Tables(found, refused)
    every = tables.read("classes")
    called = {
        key: [name for name in (row["name"], row["identifier"]) if name]
        for key, row in tables.read("orgs").items()
    }
    used = (row["schoolSourcedId"] for row in every.values())
    chosen = which_school(found[-1].path, used, called, school, org)
    classes = {key: row for key, row in every.items() if chosen in (None, row["schoolSourcedId"])}
    users = tables.read("users")
    people = {key: names.one((row["username"], row["email"])) for key, row in users.items()}
    enrolled = _Enrolled()
    for line, path, row in tables.rows("enrollments"):
        if row["classSourcedId"] in every and row["classSourcedId"] not in classes:
            continue  # another school's
        if fault := enrolled.add(row, people, classes):
            refused.add(path, line, fault, ",".join(row.values()))
    roles = _roles(users, tables.rows("roles"), enrolled.roles, chosen)
    staff = {
        name
        for key, row in users.items()
        if _is_staff(roles.get(key, set()))
        for name in names.every((row["username"], row["email"]))
    }
    grades = {people[key]: row["grades"].split(",")[0] for key, row in users.items()}
    context = _Context(_sessions(tables, refused), tables.read("courses"), grades)
    none = _Members()
    found_classes = {
        key: context.school_class(row, enrolled.teachers.get(key, none), enrolled.learners.get(key, none))
        for key, row in classes.items()
    }
    return Roster(found_classes, frozenset(staff))


@dataclass(slots=True)
class _Enrolled:
    """Teachers and learners by class, and every role that a user is enrolled in."""

    teachers: dict[str, _Members] = field(default_factory=dict)
    learners: dict[str, _Members] = field(default_factory=dict)
    roles: dict[str, set[str]] = field(default_factory=dict)

    def add(self, row: Row, people: Mapping[str, str], classes: Container[str]) -> str:
        """Take one enrolment; why it cannot be taken, or nothing."""
        user, class_, role = row["userSourcedId"], row["classSourcedId"], row["role"].lower()
        if user not in people:
            return "unknown user"
        if class_ not in classes:
            return "unknown class"
        span = _span(row["beginDate"], row["endDate"])
        if span is None:
            return "unreadable date"
        self.roles.setdefault(user, set()).add(role)
        if role not in ("teacher", "student"):
            return ""  # aides, guardians and others are in no lesson of their own
        group = self.teachers if role == "teacher" else self.learners
        members = group.setdefault(class_, _Members())
        if span == _ALWAYS:
            members.always.add(people[user])
        else:
            members.stays.append(Stay(people[user], *span))
        return ""


@dataclass(slots=True)
class _Tables:
    """Each table as its last whole export and the changes since have it."""

    found: Sequence[Bundle]
    refused: Refused

    def read(self, name: str) -> dict[str, Row]:
        """Rows by `sourcedId`."""
        return {row["sourcedId"]: row for _, _, row in self.rows(name)}

    def rows(self, name: str) -> list[tuple[int, Path, Row]]:
        """Line, file and row, without what was deleted. Of a repeated `sourcedId` a whole export has all."""
        kept: dict[str, list[tuple[int, Path, Row]]] = {}
        is_there = False
        for bundle in self.found:
            mode = _mode(bundle, name, self.refused)
            if mode == "absent":
                continue
            is_there = True
            if mode == "bulk":
                kept = {}
            fresh: set[str] = set()
            for line, path, key, row in self._keyed(bundle, name):
                if mode == "delta" and key not in fresh:
                    kept.pop(key, None)
                fresh.add(key)
                if row["status"].lower() not in _GONE:
                    kept.setdefault(key, []).append((line, path, row))
        if not is_there and name in ("users", "classes", "enrollments"):
            list(self.found[-1].rows(f"{name}.csv", *TABLES[name], self.refused))  # says that it is missing
        return [item for items in kept.values() for item in items]

    def _keyed(self, bundle: Bundle, name: str) -> Iterator[tuple[int, Path, str, Row]]:
        path = bundle.path / f"{name}.csv"
        for line, row in bundle.rows(f"{name}.csv", *TABLES[name], self.refused):
            key = row["sourcedId"]
            if name in ("enrollments", "roles"):
                key = key or "\0".join(row.values())
            elif not key or (name == "users" and not (row["username"] or row["email"] or _is_gone(row))):
                reason = "no sourcedId or username" if name == "users" else "no sourcedId"
                self.refused.add(path, line, reason, ",".join(row.values()))
                continue
            yield line, path, key, row


@dataclass(frozen=True, slots=True)
class _Context:
    """What a class's own row leaves to other tables."""

    sessions: Mapping[str, tuple[date, date]]
    courses: Mapping[str, Row]
    grades: Mapping[str, str]

    def school_class(self, row: Row, teachers: _Members, learners: _Members) -> SchoolClass:
        course = self.courses.get(row["courseSourcedId"], dict.fromkeys(TABLES["courses"][1], ""))
        terms = [part.strip() for part in row["termSourcedIds"].split(",")]
        told = row["grades"] or course["grades"]
        grades = told or ",".join(sorted({self.grades.get(name, "") for name in learners.users}))
        dated = [
            stay for group in (teachers, learners) for stay in group.stays if stay.user not in group.always
        ]
        return SchoolClass(
            id=row["sourcedId"],
            term=terms[0],
            grade_band=grade_band(grades),
            subject=subject_among(
                (row["subjects"], course["subjects"], course["title"], row["title"]),
                (row["subjectCodes"], course["subjectCodes"]),
            ),
            room=row["location"],
            periods=split_periods(row["periods"]),
            sessions=tuple(self.sessions[term] for term in terms if term in self.sessions),
            teachers=teachers.users,
            learners=learners.users,
            code=row["classCode"],
            title=row["title"],
            stays=tuple(dated),
        )


def split_periods(text: str) -> tuple[str, ...]:
    """Periods of a list; commas within brackets, as in `3(A,C)`, part none."""
    parts, depth, at = [], 0, 0
    for i, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign in ",;" and depth <= 0:
            parts.append(text[at:i])
            at, depth = i + 1, 0
    return tuple(part.strip() for part in (*parts, text[at:]) if part.strip())


def _mode(bundle: Bundle, name: str, refused: Refused) -> str:
    """Whether a table of an export is `bulk`, `delta` or `absent`: as its manifest says, if it has one."""
    there = bundle.has(f"{name}.csv")
    if not bundle.has("manifest.csv"):
        is_whole = bundle.has("users.csv", "classes.csv", "enrollments.csv")
        is_delta = "delta" in bundle.path.name.lower() or (bool(bundle.dated) and not is_whole)
        return ("delta" if is_delta else "bulk") if there else "absent"
    manifest = {
        row["propertyName"].lower(): row["value"].lower()
        for _, row in bundle.rows("manifest.csv", ("propertyName", "value"), (), refused)
    }
    said = manifest.get(f"file.{name.lower()}", "bulk" if there else "absent")
    if said not in ("bulk", "delta", "absent"):
        raise SettingsError(f"{bundle.path / 'manifest.csv'} says `{said}` of {name}: bulk, delta or absent")
    if said != "absent" and not there:
        raise SettingsError(
            f"{bundle.path / 'manifest.csv'} says that {name}.csv is there, and it is not: export again"
        )
    return said


def _roles(
    users: Mapping[str, Row],
    rows: Iterable[tuple[int, Path, Row]],
    enrolled: Mapping[str, set[str]],
    chosen: str | None,
) -> dict[str, set[str]]:
    """What each user is: by roles.csv (1.2), else users.csv (1.1), else as they are enrolled."""
    told: dict[str, set[str]] = {}
    for _, _, row in rows:
        if chosen is None or row["orgSourcedId"] in ("", chosen):
            told.setdefault(row["userSourcedId"], set()).add(row["role"].lower())
    found = {}
    for key, row in users.items():
        own = {row["role"].lower()} - {""}
        found[key] = told.get(key) or own or enrolled.get(key, set())
    return found


def _is_staff(roles: set[str]) -> bool:
    # Somebody of whom nothing is known is nobody's learner: nothing of theirs is collected.
    return "student" not in roles or bool(roles - _NOT_STAFF)


def _is_gone(row: Row) -> bool:
    return row["status"].lower() in _GONE


_ALWAYS: Final = (date.min, date.max)


def _span(begin: str, end: str) -> tuple[date, date] | None:
    """First and last day of an enrolment, whose end date is the first day without it; None if unreadable."""
    try:
        first = date.fromisoformat(begin[:10]) if begin else date.min
        last = date.fromisoformat(end[:10]) - timedelta(days=1) if end else date.max
    except (ValueError, OverflowError):
        return None
    return first, last


def _sessions(tables: _Tables, refused: Refused) -> dict[str, tuple[date, date]]:
    """Academic sessions by id; a school that exports none has classes that always meet."""
    sessions: dict[str, tuple[date, date]] = {}
    for line, path, row in tables.rows("academicSessions"):
        try:
            first = date.fromisoformat(row["startDate"][:10])
            sessions[row["sourcedId"]] = first, date.fromisoformat(row["endDate"][:10])
        except ValueError:
            refused.add(path, line, "unreadable date", ",".join(row.values()))
    return sessions
