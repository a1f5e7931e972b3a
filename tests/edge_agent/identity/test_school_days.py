"""Bells, calendar, rotation and timetable as files: what a school writes is when lessons are."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge_agent.identity.bells import load_bells, read_days
from edge_agent.identity.directory import Directory
from edge_agent.identity.load import load_directory, stamp
from edge_agent.identity.school_calendar import DAYS, load_calendar
from edge_agent.identity.tables import Refused
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

ZONE = ZoneInfo("Europe/Zurich")
MONDAY = date(2026, 9, 14)
FILES = 'calendar = "input/calendar.csv"\ntimetable = "input/timetable.csv"\n'
BELLS = """period,days,start,end,schedule
1,Mon-Fri,08:00,08:45,
2,Mon-Fri,09:00,09:45,
1,all,08:00,08:25,half day
2,all,08:30,08:55,half day
"""
CARTS = [
    (f"CART{room}{i}", f"a4:83:e7:0{room}:00:{i:02x}", "", f"R{room}") for room in (1, 2) for i in range(3)
]


def school(
    root: Path, calendar: str = "date,day,schedule\n", timetable: str = "class\n", bells: str = BELLS
) -> tuple[Directory, dict[str, int]]:
    folder = folder_of(root, calendar, timetable, bells)
    found, refused = load_directory(folder, load_settings(folder))
    return found, refused.counts()


def folder_of(root: Path, calendar: str, timetable: str, bells: str = BELLS) -> AgentFolder:
    classes = [
        ClassSpec("c1", "t1", learners(3, "a"), "1", room="R1"),
        ClassSpec("c2", "t2", learners(3, "b"), "2", room="R2"),
    ]
    folder = make_school(root, SchoolSpec(classes, settings=FILES, extra_devices=CARTS))
    for name, text in (("calendar", calendar), ("timetable", timetable), ("bells", bells)):
        (root / "input" / f"{name}.csv").write_text(text)
    return folder


def told(found: Directory, day: date) -> list[str]:
    """The lessons of a day as `c1 08:00-08:45 R1`."""
    return [
        f"{item.school_class.id} {clock(item.start)}-{clock(item.end)} {item.room}"
        for item in found.timetable.lessons(day)
    ]


def clock(moment: int) -> str:
    return datetime.fromtimestamp(moment, ZONE).strftime("%H:%M")


def at(hour: int, minute: int = 0, day: date = MONDAY) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).timestamp())


def test_without_a_calendar_every_weekday_is_a_school_day(tmp_path: Path) -> None:
    found, refused = school(tmp_path / "a")
    assert told(found, MONDAY) == ["c1 08:00-08:45 R1", "c2 09:00-09:45 R2"]
    assert told(found, date(2026, 9, 19)) == []
    assert refused == {}


def test_holidays_are_days_and_ranges_and_a_single_day_wins(tmp_path: Path) -> None:
    calendar = (
        "date,day,schedule\n2026-12-21..2027-01-02,closed,\n2026-12-22,,half day\n2026-09-14,Holiday,\n"
    )
    found, refused = school(tmp_path / "a", calendar)
    assert [told(found, date(2026, 12, 21)), told(found, date(2027, 1, 1)), told(found, MONDAY)] == [[]] * 3
    assert told(found, date(2026, 12, 22)) == ["c1 08:00-08:25 R1", "c2 08:30-08:55 R2"]
    assert len(told(found, date(2027, 1, 4))) == 2
    assert refused == {}


def test_a_schedule_that_has_no_bells_is_said_and_the_regular_bells_ring(tmp_path: Path) -> None:
    found, refused = school(tmp_path / "a", "date,schedule\n2026-09-14,Pep rally\n")
    assert len(told(found, MONDAY)) == 2
    assert refused == {"calendar.csv: a schedule that the bells do not have": 1}


def test_a_date_may_go_by_another_weekday(tmp_path: Path) -> None:
    bells = "period,days,start,end\n1,Mon,08:00,08:45\n2,Fri,10:00,10:45\n"
    found, _ = school(tmp_path / "a", "date,day\n2026-09-14,Friday\n", bells=bells)
    assert told(found, MONDAY) == ["c2 10:00-10:45 R2"]


def test_a_rotation_goes_on_over_weekends_and_holidays(tmp_path: Path) -> None:
    calendar = "date,day,rotation,start\n,,A B,2026-09-14\n2026-09-16,closed,,\n"
    bells = "period,days,start,end\n1,A,08:00,08:45\n2,Day B,09:00,09:45\n"
    found, refused = school(tmp_path / "a", calendar, bells=bells)
    days = [date(2026, 9, day) for day in (14, 15, 16, 17, 18, 19, 21)]
    assert [told(found, day)[0][:2] if told(found, day) else "" for day in days] == [
        *("c1", "c2", "", "c1", "c2", "", "c1")
    ]
    assert refused == {}


def test_rotation_days_may_be_given_date_by_date_and_by_number(tmp_path: Path) -> None:
    calendar = "date,day\n2026-09-14,Day 10\n2026-09-15,1\n"
    bells = "period,days,start,end\n1,10,08:00,08:45\n2,1 10,09:00,09:45\n"
    found, _ = school(tmp_path / "a", calendar, bells=bells)
    assert [len(told(found, date(2026, 9, day))) for day in (14, 15, 16)] == [2, 1, 0]


def test_a_rotation_day_that_no_calendar_has_is_refused(tmp_path: Path) -> None:
    _, refused = school(tmp_path / "a", bells="period,days,start,end\n1,M T W,08:00,08:45\n")
    assert refused == {"bells.csv: unreadable day or time": 1}


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon Wed", {"Mon", "Wed"}),
        ("monday, friday", {"Mon", "Fri"}),
        ("Mon-Wed", {"Mon", "Tue", "Wed"}),
        ("Sat-Mon", {"Sat", "Sun", "Mon"}),
        ("Mon - Tue A", {"Mon", "Tue", "A"}),
        ("all", set(DAYS)),
        ("", set()),
        ("Mon Q", None),
        ("A-B", None),
        ("closed", None),
    ],
)
def test_days_are_read_as_people_write_them(text: str, days: set[str] | None) -> None:
    assert read_days(text, frozenset({"A", "B"})) == days


@pytest.mark.parametrize(
    "row",
    [
        "2026-13-01,closed,,,",
        "2027-01-02..2026-12-21,closed,,,",
        "2026-01-01..2029-01-01,closed,,,",
        "2026-09-15,what now,,,",
        ",,,A A,2026-09-14",
        ",,,A B,soon",
        ",,,A Mon,2026-09-14",
    ],
)
def test_a_row_of_the_calendar_that_makes_no_sense_is_refused_and_the_others_hold(
    tmp_path: Path, row: str
) -> None:
    path = tmp_path / "calendar.csv"
    path.write_text(f"date,day,schedule,rotation,start\n2026-09-14,closed,,,\n{row}\n")
    refused = Refused()
    calendar = load_calendar(path, refused)
    assert calendar.plan(MONDAY) is None and calendar.plan(date(2026, 9, 15)) is not None
    assert len(refused.rows) == 1


def test_a_timetable_says_period_days_room_or_times_of_a_class_by_id_code_or_title(tmp_path: Path) -> None:
    timetable = "class,period,days,room,start,end\nC1,2,Mon,R2,,\nc1,1,Tue,,,\nc2,,Mon,,10:05,10:50\n"
    found, refused = school(tmp_path / "a", timetable=timetable)
    assert told(found, MONDAY) == ["c1 09:00-09:45 R2", "c2 10:05-10:50 R2"]
    assert told(found, date(2026, 9, 15)) == ["c1 08:00-08:45 R1"]
    assert refused == {}


def test_the_cart_of_the_room_belongs_to_the_class_that_is_there_in_that_period(tmp_path: Path) -> None:
    timetable = "class,period,days,room\nc1,1,,R1\nc1,2,,R2\nc2,1,,R2\nc2,2,,R1\n"
    found, _ = school(tmp_path / "a", timetable=timetable)
    cart = found.inventory.by_hardware["a483e7020000"]
    classes = [found.lesson_at(cart, at(hour, 10)) for hour in (8, 9)]
    assert [item[1].school_class.id for item in classes if isinstance(item, tuple)] == ["c2", "c1"]
    assert [found.expected(item) for item in found.timetable.lessons(MONDAY)] == [6, 6, 6, 6]
    assert found.has_class(cart)


def test_on_a_short_day_times_of_their_own_end_with_the_bells(tmp_path: Path) -> None:
    found, _ = school(
        tmp_path / "a",
        "date,schedule\n2026-09-14,half day\n",
        "class,start,end\nc1,08:40,09:30\nc2,10:00,11:00\n",
    )
    assert told(found, MONDAY) == ["c1 08:40-08:55 R1"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("c9,1,,,,", "unknown class"),
        ("c1,,,,,", "neither period nor times"),
        ("c1,,,,8,", "unreadable time"),
        ("c1,,,,09:00,08:00", "it ends before it starts"),
        ("c1,1,Q,,,", "a day that is no weekday and no rotation day of the calendar"),
        ("same,1,,,,", "more than one class of this name"),
    ],
)
def test_a_row_of_the_timetable_that_makes_no_sense_is_refused(tmp_path: Path, row: str, reason: str) -> None:
    folder = folder_of(tmp_path / "a", "date\n", f"class,period,days,room,start,end\n{row}\n")
    roster = folder.root / "input" / "oneroster" / "classes.csv"
    roster.write_text(roster.read_text().replace("c1,c1", "c1,Same").replace("c2,c2", "c2,Same"))
    _, refused = load_directory(folder, load_settings(folder))
    assert refused.counts() == {f"timetable.csv: {reason}": 1}


def test_periods_may_carry_their_rotation_days(tmp_path: Path) -> None:
    calendar = "rotation,start\nA B C,2026-09-14\n"
    folder = folder_of(tmp_path / "a", calendar, "class\n")
    roster = folder.root / "input" / "oneroster" / "classes.csv"
    roster.write_text(roster.read_text().replace("Maths,1,", 'Maths,"1(A,C),2(B)",'))
    found, _ = load_directory(folder, load_settings(folder))
    mine = [
        [item[:8] for item in told(found, date(2026, 9, day)) if item[:2] == "c1"] for day in (14, 15, 16)
    ]
    assert mine == [["c1 08:00"], ["c1 09:00"], ["c1 08:00"]]


def test_a_class_that_no_bell_rings_for_is_named(tmp_path: Path) -> None:
    found, _ = school(tmp_path / "a", timetable="class,period\nc1,7\n")
    assert found.timetable.without_lessons() == ("c1",)


def test_on_days_of_tests_nothing_is_taken_in_and_it_is_counted_as_that(tmp_path: Path) -> None:
    found, _ = school(tmp_path / "a", "date,schedule\n2026-09-14..2026-09-16,Testing\n")
    device = found.inventory.by_user["a1"]
    assert found.timetable.lessons(MONDAY) == ()
    assert found.lesson_at(device, at(8, 10)) == "testing"
    assert found.lesson_at(device, at(7, 59)) == "outside_lessons"


@pytest.mark.parametrize(
    "name",
    [
        "bells.csv",
        "calendar.csv",
        "timetable.csv",
        "oneroster/delta_2026-09-20.zip",
        "oneroster/roles.csv",
        "../today.toml",
    ],
)
def test_whatever_decides_about_lessons_is_watched(tmp_path: Path, name: str) -> None:
    folder = folder_of(tmp_path / "a", "date\n", "class\n")
    settings = load_settings(folder)
    before = stamp(folder, settings)
    with (folder.root / "input" / name).open("a") as file:
        file.write("\n\n")
    assert stamp(folder, settings) != before


def test_bells_of_every_schedule_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "bells.csv"
    path.write_text(BELLS)
    bells = load_bells(path, Refused())
    assert names(bell.schedule for bell in bells) == ["half_day", "regular"]


def names(found: Iterable[str]) -> list[str]:
    return sorted(set(found))


def test_a_session_that_lasts_for_ever_is_no_fault(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "a", "date\n", "class\n")
    sessions = folder.root / "input" / "oneroster" / "academicSessions.csv"
    sessions.write_text("sourcedId,startDate,endDate\nterm1,9999-12-30,9999-12-31\n")
    found, refused = load_directory(folder, load_settings(folder))
    assert told(found, MONDAY) == [] and not refused.rows
