"""Roster, inventory and bells have the form that their field's standards and exports have."""

import csv
import io
import re

from demo.bells import render_bells
from demo.inventory import render_inventory
from demo.oneroster import render_oneroster
from demo.school import School

# OneRoster 1.1, CSV tables: the required columns in their order.
COMMON = "sourcedId,status,dateLastModified,"
REQUIRED = {
    "users.csv": COMMON + "enabledUser,orgSourcedIds,role,username",
    "classes.csv": COMMON + "title,grades,courseSourcedId",
    "enrollments.csv": COMMON + "classSourcedId,schoolSourcedId,userSourcedId,role",
    "orgs.csv": COMMON + "name,type,identifier",
    "courses.csv": COMMON + "schoolYearSourcedId,title",
    "academicSessions.csv": COMMON + "title,type,startDate,endDate",
}


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_manifest_says_of_every_file_whether_it_is_there(schools: tuple[School, ...]) -> None:
    files = render_oneroster(schools[0])
    said = {row["propertyName"]: row["value"] for row in _rows(files["manifest.csv"])}
    assert said["oneroster.version"] == "1.1"
    present = {name.removeprefix("file.") for name, value in said.items() if value == "bulk"}
    assert {f"{name}.csv" for name in present} == set(files) - {"manifest.csv"}
    assert sum(name.startswith("file.") for name in said) == 13


def test_every_table_begins_with_the_columns_of_the_standard(schools: tuple[School, ...]) -> None:
    for school in schools:
        files = render_oneroster(school)
        for name, columns in REQUIRED.items():
            header = files[name].splitlines()[0]
            assert header.startswith(columns)
            assert {len(row) for row in csv.reader(io.StringIO(files[name]))} == {header.count(",") + 1}


def test_every_reference_in_the_roster_points_somewhere(schools: tuple[School, ...]) -> None:
    for school in schools:
        tables = {name: _rows(text) for name, text in render_oneroster(school).items()}
        ids = {name: {row.get("sourcedId") for row in rows} for name, rows in tables.items()}
        for row in tables["enrollments.csv"]:
            assert row["classSourcedId"] in ids["classes.csv"]
            assert row["userSourcedId"] in ids["users.csv"]
        for row in tables["classes.csv"]:
            assert row["courseSourcedId"] in ids["courses.csv"]
            assert row["termSourcedIds"] in ids["academicSessions.csv"]
            assert row["schoolSourcedId"] in ids["orgs.csv"]
        assert len(ids["enrollments.csv"]) == len(tables["enrollments.csv"])


def test_the_inventory_lists_staff_carts_and_learners_but_no_visitor(schools: tuple[School, ...]) -> None:
    for school in schools:
        rows = _rows(render_inventory(school))
        visitors = {device.hardware for device in school.devices if device.kind == "visitor"}
        assert not visitors & {row["wifi_mac"] for row in rows}
        assert all(re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", row["wifi_mac"]) for row in rows)
        assert all(bool(row["user"]) != bool(row["room"]) for row in rows)
        staff = {teacher.username for teacher in school.teachers}
        assert staff <= {row["user"] for row in rows}


def test_bells_are_local_times_by_weekday(schools: tuple[School, ...]) -> None:
    for school in schools:
        rows = _rows(render_bells(school))
        assert list(rows[0]) == ["period", "days", "start", "end"]
        for row in rows:
            assert set(row["days"].split()) <= {"Mon", "Tue", "Wed", "Thu", "Fri"}
            assert re.fullmatch(r"\d\d:\d\d", row["start"])
            assert row["start"] < row["end"]
