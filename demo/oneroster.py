"""A OneRoster 1.1 bulk export of a school: manifest, orgs, sessions, courses, classes, users, enrolments."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from demo.names import Person
from demo.school import School
from demo.term import TERM_END, TERM_START

HEADERS: Final = {
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,"
    "schoolYear",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,"
    "subjects,subjectCodes",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,"
    "primary,beginDate,endDate",
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "users": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,"
    "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
}
_ABSENT: Final = (
    "categories",
    "classResources",
    "courseResources",
    "demographics",
    "lineItems",
    "resources",
    "results",
)

Row = dict[str, str]


def render_oneroster(school: School) -> dict[str, str]:
    """File name -> content of the bundle."""
    tables = {
        "academicSessions": [_session(school)],
        "classes": _classes(school),
        "courses": _courses(school),
        "enrollments": _enrolments(school),
        "orgs": [_org(school)],
        "users": _users(school),
    }
    files = {f"{name}.csv": _csv(HEADERS[name].split(","), rows) for name, rows in tables.items()}
    return {"manifest.csv": _manifest(tables), **files}


def _manifest(present: Iterable[str]) -> str:
    modes = dict.fromkeys(present, "bulk") | dict.fromkeys(_ABSENT, "absent")
    rows = [
        ("manifest.version", "1.0"),
        ("oneroster.version", "1.1"),
        *((f"file.{name}", modes[name]) for name in sorted(modes)),
        ("source.systemName", "Simulated student information system"),
        ("source.systemCode", "SIM"),
    ]
    names = ["propertyName", "value"]
    return _csv(names, [dict(zip(names, row, strict=True)) for row in rows])


def _session(school: School) -> Row:
    return {
        "sourcedId": school.term_id,
        "title": "Fall 2026",
        "type": "term",
        "startDate": TERM_START.isoformat(),
        "endDate": TERM_END.isoformat(),
        "schoolYear": "2027",
    }


def _org(school: School) -> Row:
    return {"sourcedId": school.org_id, "name": school.name, "type": "school", "identifier": school.slug}


def _courses(school: School) -> list[Row]:
    courses = {section.course_id: section for section in school.sections}
    return [
        {
            "sourcedId": course_id,
            "title": f"{section.subject} {section.grade}",
            "courseCode": f"{section.subject[:3].upper()}{section.grade}",
            "grades": section.grade,
            "orgSourcedId": school.org_id,
            "subjects": section.subject,
        }
        for course_id, section in courses.items()
    ]


def _classes(school: School) -> list[Row]:
    return [
        {
            "sourcedId": section.sourced_id,
            "title": section.title,
            "grades": section.grade,
            "courseSourcedId": section.course_id,
            "classCode": section.code,
            "classType": "scheduled",
            "location": section.room,
            "schoolSourcedId": school.org_id,
            "termSourcedIds": school.term_id,
            "subjects": section.subject,
            "periods": ",".join(section.periods),
        }
        for section in school.sections
    ]


def _users(school: School) -> list[Row]:
    grades = {
        learner.sourced_id: section.grade for section in school.sections for learner in section.learners
    }
    return [
        {
            "sourcedId": person.sourced_id,
            "enabledUser": "true",
            "orgSourcedIds": school.org_id,
            "role": person.role,
            "username": person.username,
            "givenName": person.given,
            "familyName": person.family,
            "email": f"{person.username}@{school.character.domain}",
            "grades": grades.get(person.sourced_id, ""),
        }
        for person in (*school.teachers, *school.learners)
    ]


def _enrolments(school: School) -> list[Row]:
    members: list[tuple[str, Person]] = [
        (section.sourced_id, person)
        for section in school.sections
        for person in (section.teacher, *section.learners)
    ]
    return [
        {
            "sourcedId": f"{class_id[:8]}-{person.sourced_id[:8]}",
            "classSourcedId": class_id,
            "schoolSourcedId": school.org_id,
            "userSourcedId": person.sourced_id,
            "role": person.role,
            "primary": "true" if person.role == "teacher" else "",
        }
        for class_id, person in members
    ]


def _csv(names: list[str], rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
