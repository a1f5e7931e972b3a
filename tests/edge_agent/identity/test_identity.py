"""From an address at a moment to a device in a lesson: rightly, or with the reason why not."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.days import day_of, day_start, key_expires, living_days, week_days, week_name
from edge_agent.identity.directory import Directory
from edge_agent.identity.hardware import hardware_address, is_private
from edge_agent.identity.inventory import Device
from edge_agent.identity.leases import Leases
from edge_agent.identity.load import load_directory
from edge_agent.identity.roster import grade_band
from edge_agent.settings import load_settings
from shared.errors import SettingsError
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

ZONES = ["Europe/Zurich", "America/New_York", "UTC"]
ZONE = ZoneInfo("Europe/Zurich")


def at(hour: int, minute: int = 0, day: int = 14) -> int:
    return int(datetime(2026, 9, day, hour, minute, tzinfo=ZONE).timestamp())


def directory(root: Path, spec: SchoolSpec) -> Directory:
    folder = make_school(root, spec)
    found, refused = load_directory(folder, load_settings(folder))
    assert not refused.rows
    return found


def test_an_address_belongs_to_whoever_held_it_at_that_moment(tmp_path: Path) -> None:
    people = learners(2)
    school = directory(tmp_path / "a", SchoolSpec([ClassSpec("c1", "t1", people)]))
    for moment, person in ((at(8), people[0]), (at(9, 20), people[1])):
        school.leases.add(moment, "10.0.0.1", person.hardware.replace(":", ""))
    before, after = school.device_at("10.0.0.1", at(9, 19)), school.device_at("10.0.0.1", at(9, 20))
    assert isinstance(before, Device) and before.id == people[0].serial
    assert isinstance(after, Device) and after.id == people[1].serial
    assert school.device_at("10.0.0.1", at(7)) == "no_lease"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.dictionaries(st.integers(0, 50), st.sampled_from(["aa", "bb", "cc"]), max_size=20),
    st.integers(-5, 60),
)
def test_lease_history_does_not_depend_on_the_order_it_was_told_in(told: dict[int, str], moment: int) -> None:
    one, other = Leases(), Leases()
    for t, hardware in told.items():
        one.add(t, "address", hardware)
    for t, hardware in sorted(told.items()):
        other.add(t, "address", hardware)
    known = [hardware for t, hardware in sorted(told.items()) if t <= moment]
    assert one.at("address", moment) == other.at("address", moment) == (known[-1] if known else None)


def test_each_kind_of_miss_has_its_reason(tmp_path: Path) -> None:
    people = learners(3)
    spec = SchoolSpec(
        [ClassSpec("c1", "t1", people[:2])],
        extra_devices=[
            ("SER-STAFF", "a4:83:e7:00:00:01", "t1", ""),
            ("SER-SPARE", "a4:83:e7:00:00:02", "", ""),
        ],
    )
    school = directory(tmp_path / "a", spec)
    for address, hardware in (
        ("1", "a483e7000001"),
        ("2", "a483e7000002"),
        ("3", "a683e7999999"),
        ("4", "001122334455"),
    ):
        school.leases.add(0, address, hardware)
    assert school.device_at("1", at(9)) == "staff"
    spare = school.device_at("2", at(9))
    assert isinstance(spare, Device) and school.lesson_at(spare, at(9)) == "no_class"
    assert school.device_at("3", at(9)) == "private_address"
    assert school.device_at("4", at(9)) == "unknown_device"
    assert school.device_of("nobody") == "unknown_user"
    assert school.device_of("t1") == "staff", "also when the teacher's own iPad is in the inventory"


def test_a_device_that_opted_out_is_neither_seen_nor_expected(tmp_path: Path) -> None:
    people = learners(3)
    folder = make_school(tmp_path / "a", SchoolSpec([ClassSpec("c1", "t1", people)]))
    path = folder.root / "input" / "inventory.csv"
    head, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},opt_out", f"{first},yes", *(f"{line}," for line in rest)]))
    school, _ = load_directory(folder, load_settings(folder))
    assert school.device_of(people[0].username) == "opted_out"
    (lesson,) = school.timetable.lessons(date(2026, 9, 14))
    assert school.expected(lesson) == 2


def test_a_cart_belongs_to_the_class_that_meets_in_its_room(tmp_path: Path) -> None:
    spec = SchoolSpec(
        [ClassSpec("c1", "t1", [], "1", room="R1"), ClassSpec("c2", "t2", [], "2", room="R1")],
        bells=[("1", "Mon", "09:00", "09:45"), ("2", "Mon", "10:00", "10:45")],
        extra_devices=[(f"CART{i}", f"a4:83:e7:01:00:{i:02x}", "", "R1") for i in range(4)],
    )
    school = directory(tmp_path / "a", spec)
    cart = school.inventory.by_hardware["a483e7010000"]
    first, second = school.lesson_at(cart, at(9, 10)), school.lesson_at(cart, at(10, 10))
    assert isinstance(first, tuple) and first[1].school_class.id == "c1"
    assert isinstance(second, tuple) and second[1].school_class.id == "c2"
    assert school.expected(first[1]) == 4


def test_a_lesson_holds_its_first_second_and_not_its_last(tmp_path: Path) -> None:
    people = learners(1)
    spec = SchoolSpec(
        [ClassSpec("c1", "t1", people, "1"), ClassSpec("c2", "t1", people, "2")],
        bells=[("1", "Mon", "09:00", "09:45"), ("2", "Mon", "09:45", "10:30")],
    )
    school = directory(tmp_path / "a", spec)
    device = school.inventory.by_user[people[0].username]
    assert school.lesson_at(device, at(9) - 1) == "outside_lessons"
    found = [school.lesson_at(device, moment) for moment in (at(9), at(9, 45) - 1, at(9, 45))]
    assert [item[1].school_class.id for item in found if isinstance(item, tuple)] == ["c1", "c1", "c2"]
    assert school.lesson_at(device, at(10, 30)) == "outside_lessons"


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 9, 14)])
def test_local_days_meet_without_gap_or_overlap_also_when_the_clock_changes(day: date) -> None:
    start = day_start(day, ZONE)
    following = date.fromordinal(day.toordinal() + 1)
    assert day_of(start, ZONE) == day and day_of(start - 1, ZONE) != day
    assert day_of(day_start(following, ZONE) - 1, ZONE) == day


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.integers(1_700_000_000, 1_900_000_000), st.sampled_from(["Europe/Zurich", "America/New_York", "UTC"])
)
def test_a_day_key_lives_from_its_day_on_for_thirty_six_hours(moment: int, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    today = day_of(moment, zone)
    assert today in living_days(moment, zone)
    for day in living_days(moment, zone):
        assert day_start(day, zone) <= moment < key_expires(day, zone)
        assert key_expires(day, zone) - day_start(day, zone) == 36 * 3600


def test_weeks_are_those_of_iso_8601() -> None:
    assert week_name(date(2027, 1, 3)) == "2026-W53"
    assert week_days("2026-W38")[0] == date(2026, 9, 14) and week_days("2026-W38")[6] == date(2026, 9, 20)


@pytest.mark.parametrize(
    ("grades", "band"),
    [
        ("05", "3-5"),
        ("KG", "k-2"),
        ("5", "3-5"),
        ("06,07", "6-8"),
        ("05,06", "mixed"),
        ("", "other"),
        ("UG", "other"),
    ],
)
def test_grade_bands(grades: str, band: str) -> None:
    assert grade_band(grades) == band


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("A4:83:E7:12:34:56", "a483e7123456"),
        ("a4-83-e7-12-34-56", "a483e7123456"),
        ("A483.E712.3456", "a483e7123456"),
    ],
)
def test_hardware_addresses_are_read_however_they_are_written(text: str, plain: str) -> None:
    assert hardware_address(text) == plain
    assert hardware_address("not one") is None


def test_addresses_that_a_device_made_up_are_known_by_their_second_digit() -> None:
    assert [is_private(f"a{digit}83e7123456") for digit in "26ae04"] == [True] * 4 + [False] * 2


def test_bad_rows_are_refused_one_by_one_and_the_good_ones_stay(tmp_path: Path) -> None:
    folder = make_school(tmp_path / "a", SchoolSpec([ClassSpec("c1", "t1", learners(5))]))
    with (folder.root / "input" / "inventory.csv").open("a") as file:
        file.write(",a4:83:e7:aa:aa:aa,x,\nSERX,no-mac,x,\nSERA0001,a4:83:e7:aa:aa:ab,x,\nonly,two\n")
    with (folder.root / "input" / "oneroster" / "enrollments.csv").open("a") as file:
        file.write("e9,c1,u-ghost,student\ne10,ghost,u-a1,student\n")
    school, refused = load_directory(folder, load_settings(folder))
    assert len(school.inventory.devices) == 5
    assert refused.counts() == {
        "inventory.csv: no serial number": 1,
        "inventory.csv: no hardware address": 1,
        "inventory.csv: serial number twice": 1,
        "inventory.csv: wrong number of columns": 1,
        "enrollments.csv: unknown user": 1,
        "enrollments.csv: unknown class": 1,
    }
    assert not any("ghost" in text for _, _, _, text in refused.rows), "only the shape is kept"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("inventory.csv", None, "is missing: export it"),
        ("inventory.csv", b"a,b\n1,2\n", "has no column `serial_number`"),
        ("bells.csv", b"period\x00", "is not UTF-8"),
        ("inventory.csv", b"PK\x03\x04\x14\x00", "Excel workbook or a zip: save it as CSV"),
        ("oneroster/users.csv", b"", "has no column `sourcedId`"),
    ],
)
def test_a_file_that_is_no_use_is_one_line_that_says_what_to_do(
    tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    folder = make_school(tmp_path / "a", SchoolSpec([ClassSpec("c1", "t1", learners(1))]))
    path = folder.root / "input" / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=says) as caught:
        load_directory(folder, load_settings(folder))
    assert "\n" not in str(caught.value)
