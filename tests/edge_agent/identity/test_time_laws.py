"""Laws of time: whatever roster, bells, calendar and zone, each second of a device has one place."""

from bisect import bisect_right
from collections.abc import Set
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.days import day_of, day_start
from edge_agent.identity.bells import Bell
from edge_agent.identity.directory import Directory
from edge_agent.identity.inventory import Device, Inventory
from edge_agent.identity.local_time import moment
from edge_agent.identity.roster import Meeting, Roster, SchoolClass
from edge_agent.identity.school_calendar import DAYS, Calendar, Entry
from edge_agent.identity.timetable import Lesson, Timetable
from edge_agent.identity.today import Change, Kind
from edge_agent.placing.daykeys import DESTROYED
from edge_agent.placing.placer import DirectoryPlacer
from edge_agent.sources.facts import Contact, Lease, Located, Released

ZONES = ["Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
# Ordinary days, days on which a clock changes, and one that Apia never had.
SPECIAL = [
    *(date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1)),
    *(date(2026, 4, 5), date(2026, 10, 4), date(2011, 12, 29), date(2011, 12, 30), date(2011, 12, 31)),
]
USERS = ("a", "b", "c")
ROOMS = ("", "R1", "R2")
ADDRESSES = ("10.0.0.1", "fe80::1", "FE80:0::1")  # the last two are one

zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.sampled_from(SPECIAL) | st.dates(date(2026, 1, 1), date(2026, 12, 31))
minutes = st.integers(0, 24 * 12 - 1).map(lambda step: time(step // 12, step % 12 * 5))
spans = st.tuples(minutes, minutes).filter(lambda span: span[0] < span[1])
some_days = st.frozensets(st.sampled_from([*DAYS, "A", "B"]), min_size=1)


@st.composite
def bell(draw: st.DrawFn) -> Bell:
    start, end = draw(spans)
    schedule = draw(st.sampled_from(["regular", "half_day"]))
    return Bell(
        draw(st.sampled_from("123")), draw(st.just(frozenset(DAYS)) | some_days), start, end, schedule
    )


@st.composite
def meeting(draw: st.DrawFn) -> Meeting:
    chosen, room = draw(st.just(frozenset[str]()) | some_days), draw(st.sampled_from(ROOMS))
    if draw(st.booleans()):
        return Meeting(draw(st.sampled_from("123")), chosen, room)
    start, end = draw(spans)
    return Meeting("", chosen, room, start, end)


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    classes = {}
    for number in range(draw(st.integers(1, 4))):
        classes[f"c{number}"] = SchoolClass(
            id=f"c{number}",
            term="",
            grade_band="3-5",
            subject="Other",
            room=draw(st.sampled_from(ROOMS)),
            periods=tuple(draw(st.lists(st.sampled_from(["1", "2", "3", "2(A)"]), max_size=3))),
            sessions=(),
            teachers=frozenset(),
            learners=draw(st.just(frozenset(USERS)) | st.frozensets(st.sampled_from(USERS))),
            meetings=tuple(draw(st.lists(meeting(), max_size=2))),
        )
    return Roster(classes, frozenset())


@st.composite
def calendars(draw: st.DrawFn, around: date) -> Calendar:
    near = st.integers(-4, 4).map(lambda number: around + timedelta(days=number))
    entry = st.builds(
        Entry, st.sampled_from(["", "A", "closed", "Mon"]), st.sampled_from(["", "half_day", "testing"])
    )
    rotation = draw(st.sampled_from([(), ("A", "B"), ("A", "B", "C")]))
    return Calendar(draw(st.dictionaries(near, entry, max_size=4)), rotation, around - timedelta(days=9))


@st.composite
def changes(draw: st.DrawFn, day: date, zone: ZoneInfo) -> Change:
    since = day_start(day, zone) + draw(st.integers(-3_600, 90_000))
    kind = draw(st.sampled_from(get_args(Kind)))
    return Change(day, kind, since, minutes=draw(st.integers(1, 200)), at="12:30", schedule="half_day")


class School:
    """A directory from thin air, its zone, and a day to look at."""

    def __init__(self, data: st.DataObject, zone: ZoneInfo, day: date) -> None:
        self.zone, self.day = zone, day
        roster = data.draw(rosters())
        calendar = data.draw(calendars(day))
        bells = data.draw(st.lists(bell(), max_size=6))
        changed = data.draw(st.lists(changes(day, zone), max_size=3))
        self.bells, self.calendar = bells, calendar
        self.timetable = Timetable(roster, bells, zone, calendar, changed)
        own = [Device(f"S-{user}", f"0000000000{ord(user):02x}", user, "", False) for user in USERS]
        carts = [
            Device(f"C-{room}", f"1000000000{i:02x}", "", room, False) for i, room in enumerate(ROOMS[1:])
        ]
        self.devices = [*own, *carts]
        inventory = Inventory(
            {item.hardware: item for item in self.devices}, {item.user: item for item in own}
        )
        self.inventory, self.roster = inventory, roster
        points = {f"point {room.lower()}": room for room in ROOMS[1:]}
        self.directory = Directory(inventory, roster, self.timetable, zone, points)

    def of(self, device: Device, day: date) -> list[Lesson]:
        """Everything that the device has on a day, tests too, in order of start."""
        planned = (*self.timetable.lessons(day), *self.timetable.testing(day))
        mine = [item for item in planned if device in self.directory.members(item)]
        return sorted(mine, key=lambda item: item.start)


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.data(), zones, days)
def test_every_second_of_a_device_is_in_one_lesson_or_outside_and_boundaries_are_on_one_side(
    data: st.DataObject, zone: ZoneInfo, day: date
) -> None:
    school = School(data, zone, day)
    some = day_start(day, zone) + data.draw(st.integers(-3_600, 90_000))
    for device in school.devices:
        mine = school.of(device, day)
        edges = {second + step for item in mine for second in (item.start, item.end) for step in (-1, 0, 1)}
        for second in sorted({*edges, some}):
            local = day_of(second, zone)
            planned = mine if local == day else school.of(device, local)
            # By hand: of those that have begun the one that began last, if it is not over.
            at = bisect_right([item.start for item in planned], second)
            now = planned[at - 1] if at and second < planned[at - 1].end else None
            found = school.directory.lesson_at(device, second)
            if now is None:
                assert found in ("outside_lessons", "no_class")
            else:
                assert found == ((local, now) if now.collected else "testing")


class SomeKeys:
    """Keys of which those of some days are destroyed."""

    def __init__(self, gone: Set[date]) -> None:
        self._gone = gone

    def key(self, day: date, now: float) -> bytes | str:
        return DESTROYED if day in self._gone else bytes(32)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.data(), zones, days)
def test_contacts_of_an_address_are_placed_together_where_each_is_alone_whatever_is_told_meanwhile(
    data: st.DataObject, zone: ZoneInfo, day: date
) -> None:
    school = School(data, zone, day)
    directory, start = school.directory, day_start(day, zone)
    planned = (*school.timetable.lessons(day), *school.timetable.testing(day))
    edges = sorted({start, *(second for item in planned for second in (item.start, item.end))})
    near = st.tuples(st.sampled_from(edges), st.integers(-2, 2)).map(sum)
    second = near | st.integers(start - 90_000, start + 180_000)
    every = [one.hardware for one in school.devices]
    address, hardware = st.sampled_from(ADDRESSES), st.sampled_from([*every, every[-1], "a60000000001"])
    fact = st.one_of(
        st.builds(Lease, second, address, hardware),
        st.builds(Released, second, address),
        st.builds(Located, second, st.just(every[-1]), st.sampled_from(["Point R1", "Point R2", "?", ""])),
    )
    gone = data.draw(st.frozensets(st.sampled_from([day + timedelta(days=one) for one in (-1, 0, 1)])))
    codes = {name: f"code{name}" for name in school.roster.classes}
    placer = DirectoryPlacer(directory, SomeKeys(gone), codes)
    place = placer.at(0.0)
    for since, where, owner in data.draw(st.lists(st.tuples(second, address, hardware), max_size=2)):
        directory.leases.assume(since, where, owner)  # and only later is it known who has it
        placer.learn([Lease(since + data.draw(st.integers(0, 20_000)), where, owner)])
        edges.append(since)
    for opted_out in (None, data.draw(st.sampled_from(school.devices))):
        told = data.draw(st.lists(fact, max_size=12))
        placer.learn(told)
        if opted_out is not None:
            left = {one.hardware: replace(one, opted_out=one is opted_out) for one in school.devices}
            changed = data.draw(st.lists(changes(day, zone), max_size=2))
            timetable = Timetable(school.roster, school.bells, zone, school.calendar, changed)
            directory.replace(Inventory(left, school.inventory.by_user), school.roster, timetable)
        for one in ADDRESSES:
            asked = sorted([start, *data.draw(st.lists(second, max_size=20)), *(item.t for item in told)])
            together = [found for found, number in place.stays(one, asked) for _ in range(number)]
            assert together == [place(Contact(t, one, "")) for t in asked]


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.data(), zones, days)
def test_lessons_lie_within_their_local_day_and_a_class_never_has_two_at_once(
    data: st.DataObject, zone: ZoneInfo, day: date
) -> None:
    school = School(data, zone, day)
    first, last = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    for lessons in (school.timetable.lessons(day), school.timetable.testing(day)):
        ends: dict[str, int] = {}
        for item in lessons:
            assert first <= item.start < item.end <= last
            assert item.start >= ends.get(item.school_class.id, item.start)
            ends[item.school_class.id] = item.end


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.data(), zones, days)
def test_a_change_never_touches_a_lesson_that_has_begun(
    data: st.DataObject, zone: ZoneInfo, day: date
) -> None:
    roster, bells = data.draw(rosters()), data.draw(st.lists(bell(), max_size=6))
    change = data.draw(changes(day, zone))
    before = Timetable(roster, bells, zone)
    after = Timetable(roster, bells, zone, None, [change])
    begun = [item for item in before.lessons(day) if item.start < change.since]
    assert [item for item in after.lessons(day) if item.start < change.since] == begun
    if change.change == "closed":
        assert list(after.lessons(day)) == begun
    if change.change == "testing":
        assert list(after.lessons(day)) == begun
        still = [item for item in before.lessons(day) if change.since < item.end]
        tests = after.testing(day)
        for item in still:
            middle = max(item.start, change.since)
            assert any(
                test.start <= middle < test.end for test in tests if test.school_class == item.school_class
            )


@settings(derandomize=True, max_examples=400, deadline=None)
@given(zones, days, minutes, minutes)
def test_a_lesson_is_as_long_as_on_paper_unless_the_clock_changed_within_it(
    zone: ZoneInfo, day: date, one: time, other: time
) -> None:
    first, second = sorted((one, other))
    start, end = moment(day, first, zone), moment(day, second, zone)
    assert start <= end, "what is later on paper is never earlier"
    paper = int((datetime.combine(day, second) - datetime.combine(day, first)).total_seconds())
    offsets = [datetime.fromtimestamp(at, zone).utcoffset() for at in (start, end)]
    local = [datetime.fromtimestamp(at, zone).replace(tzinfo=None) for at in (start, end)]
    is_there = local == [datetime.combine(day, first), datetime.combine(day, second)]
    if is_there:
        assert offsets[0] is not None and offsets[1] is not None
        assert end - start == paper - int((offsets[1] - offsets[0]).total_seconds())
        if offsets[0] == offsets[1]:
            assert end - start == paper
    else:
        assert 0 <= end - start <= paper, "what is missing is not made up for"


@pytest.mark.parametrize(
    ("zone", "day", "missing", "repeated"),
    [
        ("Europe/Zurich", date(2026, 3, 29), time(2, 30), None),
        ("America/New_York", date(2026, 3, 8), time(2, 30), None),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), None),
        ("Pacific/Apia", date(2011, 12, 30), time(9), None),
        ("Europe/Zurich", date(2026, 10, 25), None, time(2, 30)),
        ("America/New_York", date(2026, 11, 1), None, time(1, 30)),
        ("Australia/Lord_Howe", date(2026, 4, 5), None, time(1, 45)),
    ],
)
def test_a_missing_time_is_the_change_itself_and_a_repeated_one_its_first_pass(
    zone: str, day: date, missing: time | None, repeated: time | None
) -> None:
    place = ZoneInfo(zone)
    if missing is not None:
        at = moment(day, missing, place)
        before, after = (datetime.fromtimestamp(at + step, place) for step in (-1, 0))
        assert before.utcoffset() != after.utcoffset(), "it is the second at which the clock leaps"
    if repeated is not None:
        at = moment(day, repeated, place)
        found = datetime.fromtimestamp(at, place)
        assert (found.time(), found.fold) == (repeated, 0)


def test_a_day_that_a_zone_never_had_has_no_lessons() -> None:
    bells = [Bell("1", frozenset(DAYS), time(9), time(10))]
    item = SchoolClass("c", "", "3-5", "Other", "", ("1",), (), frozenset(), frozenset())
    timetable = Timetable(Roster({"c": item}, frozenset()), bells, ZoneInfo("Pacific/Apia"))
    counts = [len(timetable.lessons(date(2011, 12, day))) for day in (29, 30, 31)]
    assert counts == [1, 0, 1]


@settings(derandomize=True, max_examples=120, deadline=None)
@given(
    st.data(),
    st.sampled_from([("A", "B"), ("1", "2", "3", "4", "5", "6"), tuple("ABCDEFGHIJ")]),
    st.dates(date(2026, 8, 1), date(2027, 7, 1)),
)
def test_a_rotation_never_skips_or_doubles_a_school_day(
    data: st.DataObject, rotation: tuple[str, ...], start: date
) -> None:
    near = st.integers(0, 120).map(lambda number: start + timedelta(days=number))
    closed = data.draw(
        st.dictionaries(near, st.sampled_from([Entry("closed"), Entry("", "half_day"), Entry("Mon")]))
    )
    calendar = Calendar(closed, rotation, start)
    asked = [start + timedelta(days=number) for number in range(120)]
    for day in data.draw(st.permutations(asked[:8])):
        calendar.rotates(day)  # the answer does not depend on what was asked before
    labels = [calendar.rotates(day) for day in asked if calendar.plan(day) is not None and day.weekday() < 5]
    assert labels == [rotation[number % len(rotation)] for number in range(len(labels))]
    assert not any(calendar.rotates(day) for day in asked if day.weekday() >= 5)
    assert calendar.rotates(start - timedelta(days=1)) == ""
