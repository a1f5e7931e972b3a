"""Apple School Manager's six files: students, staff, courses, classes, rosters, locations.

They say who is in which class, and not when: periods and rooms come from the timetable file.
"""

from collections.abc import Mapping
from typing import Final

from edge_agent.identity.bundle import Bundle
from edge_agent.identity.people import Names
from edge_agent.identity.roster import Roster, SchoolClass, grade_band
from edge_agent.identity.subjects import subject_among
from edge_agent.identity.tables import Refused
from edge_agent.identity.which_school import which_school

Row = dict[str, str]
PERSON: Final = ("sis_username", "email_address", "person_number")
INSTRUCTORS: Final = ("instructor_id", *(f"instructor_id_{number}" for number in range(2, 16)))
NEEDED: Final = ("students.csv", "classes.csv", "rosters.csv")


def read_apple(bundle: Bundle, refused: Refused, names: Names, *, school: str, org: str | None) -> Roster:
    """The roster of one export; a person is who the device inventory calls them.

    Raises SettingsError if a file is no use, or it holds several locations and none is the school's.
    """
    students = _table(bundle, "students.csv", "person_id", (*PERSON, "grade_level"), refused)
    staff = _table(bundle, "staff.csv", "person_id", PERSON, refused)
    courses = _table(bundle, "courses.csv", "course_id", ("course_name", "course_number"), refused)
    columns = ("class_number", "course_id", "location_id", *INSTRUCTORS)
    every = _table(bundle, "classes.csv", "class_id", columns, refused)
    locations = _table(bundle, "locations.csv", "location_id", ("location_name",), refused)
    called = {key: [name] for key, row in locations.items() if (name := row["location_name"])}
    chosen = which_school(bundle.path, (row["location_id"] for row in every.values()), called, school, org)
    classes = {key: row for key, row in every.items() if chosen is None or row["location_id"] == chosen}
    learners = _learners(bundle, refused, every, classes, students)
    name_of = {key: names.one([*(row[name] for name in PERSON), key]) for key, row in students.items()}
    teacher_of = {key: names.one([*(row[name] for name in PERSON), key]) for key, row in staff.items()}
    found = {}
    for key, row in classes.items():
        course = courses.get(row["course_id"], {"course_name": "", "course_number": ""})
        levels = {_grade(students[person]["grade_level"]) for person in learners.get(key, ())}
        found[key] = SchoolClass(
            id=key,
            term="",
            grade_band=grade_band(",".join(sorted(levels))),
            subject=subject_among((course["course_name"],), ()),
            room="",
            periods=(),
            sessions=(),
            teachers=frozenset(teacher_of[row[name]] for name in INSTRUCTORS if row[name] in teacher_of),
            learners=frozenset(name_of[person] for person in learners.get(key, ())),
            code=row["class_number"],
            title=course["course_name"],
        )
    # Numbers of persons are left out: a badge of staff may be a learner's number elsewhere.
    own = {
        name
        for key, row in staff.items()
        for name in names.every((row["sis_username"], row["email_address"], key))
    }
    return Roster(found, frozenset(own))


def _table(bundle: Bundle, name: str, key: str, columns: tuple[str, ...], refused: Refused) -> dict[str, Row]:
    """Rows by their id; a file that may be missing has none."""
    if name not in NEEDED and not bundle.has(name):
        return {}
    found: dict[str, Row] = {}
    for line, row in bundle.rows(name, (key,), columns, refused):
        if row[key]:
            found[row[key]] = row
        else:
            refused.add(bundle.path / name, line, f"no {key}", ",".join(row.values()))
    return found


def _learners(
    bundle: Bundle,
    refused: Refused,
    every: Mapping[str, Row],
    classes: Mapping[str, Row],
    students: Mapping[str, Row],
) -> dict[str, set[str]]:
    """Ids of the students of each class."""
    found: dict[str, set[str]] = {}
    for line, row in bundle.rows("rosters.csv", ("class_id", "student_id"), (), refused):
        class_, person = row["class_id"], row["student_id"]
        if class_ in every and class_ not in classes:
            continue  # another location's
        if class_ not in classes or person not in students:
            reason = "unknown class" if class_ not in classes else "unknown student"
            refused.add(bundle.path / "rosters.csv", line, reason, ",".join(row.values()))
            continue
        found.setdefault(class_, set()).add(person)
    return found


def _grade(level: str) -> str:
    """OneRoster's code for a grade level as Apple's files have it: `9`, `K`, `Grade 9`."""
    words = level.lower().replace("grade", "").replace("year", "").strip()
    plain = {"k": "KG", "kindergarten": "KG", "pre-k": "PK", "prek": "PK", "tk": "PK"}
    return plain.get(words, words.removesuffix("th").removesuffix("rd").removesuffix("nd").removesuffix("st"))
