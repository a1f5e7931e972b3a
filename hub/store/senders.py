"""Who sent a group of records: each school with what it has brought in today and where its log is."""

import sqlite3
from collections.abc import Iterable

from hub.store import many
from hub.store.ceilings import Intake
from hub.store.enrolments import School
from hub.store.receipts import Line

_SENDERS = """
SELECT a, schools.id, schools.name, intake.lessons, intake.size, intake.refused,
       receipt_lines.seq, receipt_lines.chain, receipt_lines.credit
FROM asked CROSS JOIN schools ON schools.id = a
LEFT JOIN intake ON intake.school_id = schools.id AND intake.day = b
LEFT JOIN receipt_lines ON receipt_lines.school_id = schools.id
"""


def find(
    connection: sqlite3.Connection, enrolments: Iterable[str], day: str
) -> dict[str, tuple[School, Intake, Line | None]]:
    """Of each enrolment its school, what that brought in on `day`, and its log's line, if any."""
    found = {}
    for row in many.ask(connection, _SENDERS, [(enrolment, day) for enrolment in enrolments], 2):
        enrolment, school_id, name, lessons, size, refused, seq, chain, credit = row
        intake = Intake(day) if lessons is None else Intake(day, lessons, size, refused)
        line = None if seq is None else Line(seq, chain, credit)
        found[enrolment] = School(school_id, name), intake, line
    return found
