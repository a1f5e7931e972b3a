"""From an address or a user at a moment to a device in a lesson, or the reason why not."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from edge_agent.days import day_of, day_start
from edge_agent.identity.carts import Carts
from edge_agent.identity.hardware import is_private
from edge_agent.identity.inventory import Device, Inventory
from edge_agent.identity.leases import Leases
from edge_agent.identity.places import Places
from edge_agent.identity.roster import Roster
from edge_agent.identity.timetable import Lesson, Timetable
from edge_agent.identity.whereabouts import Watch
from edge_agent.sources.facts import Whereabouts

OUTSIDE: Final = "outside_lessons"
ASLEEP_HOURS: Final = 5  # from midnight; on a day without any lesson all of them
DAYS_KEPT = 3  # those asked for last: a day of a large school takes a MiB


@dataclass(frozen=True, slots=True)
class _Day:
    """One local day: its span in seconds UTC; each device's lessons, and each room's, in order of start."""

    day: date
    start: int
    end: int
    devices: dict[str, "_Course"]
    rooms: dict[str, "_Course"]
    free: bool


@dataclass(slots=True)
class _Course:
    """Lessons in order of start. Where two overlap, the later one counts from its start on."""

    starts: list[int] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)

    def add(self, lesson: Lesson) -> None:
        self.starts.append(lesson.start)
        self.lessons.append(lesson)

    def at(self, moment: int) -> Lesson | None:
        at = bisect_right(self.starts, moment)
        return self.lessons[at - 1] if at and moment < self.lessons[at - 1].end else None

    def stay(self, moment: int, until: int) -> tuple[Lesson | None, int]:
        """What `at` says, and before when (seconds UTC, at most `until`) it says the same."""
        at = bisect_right(self.starts, moment)
        if at < len(self.starts) and self.starts[at] < until:
            until = self.starts[at]
        if at and moment < self.lessons[at - 1].end:
            return self.lessons[at - 1], min(until, self.lessons[at - 1].end)
        return None, until


_NO_LESSONS: Final = _Course()


class _Files:
    """One reading of the school's files; never changed, so that threads may share it."""

    def __init__(self, inventory: Inventory, roster: Roster, timetable: Timetable, zone: ZoneInfo) -> None:
        self.inventory = inventory
        self.roster = roster
        self.timetable = timetable
        self.learners = {user for item in roster.classes.values() for user in item.learners}
        self.rooms = {room for item in roster.classes.values() for room in item.rooms}
        self._carts: dict[str, list[Device]] = {}
        for device in inventory.devices:
            if device.room and not device.user:
                self._carts.setdefault(device.room, []).append(device)
        self._zone = zone
        self._days: dict[date, _Day] = {}
        self._today: _Day | None = None

    def day(self, moment: int) -> _Day:
        today = self._today
        if today is not None and today.start <= moment < today.end:
            return today
        kept = (day for day in tuple(self._days.values()) if day.start <= moment < day.end)
        found = next(kept, None) or self._build(day_of(moment, self._zone))
        self._days.pop(found.day, None)
        self._days[found.day] = found
        for unused in list(self._days)[:-DAYS_KEPT]:
            self._days.pop(unused, None)  # another thread may have done so
        self._today = found
        return found

    def has_class(self, device: Device) -> bool:
        return device.user in self.learners if device.user else device.room in self.rooms

    def members(self, lesson: Lesson) -> list[Device]:
        school_class = lesson.school_class
        by_user = self.inventory.by_user
        own = [by_user[user] for user in school_class.learners if user in by_user]
        cart = self._carts.get(lesson.room or school_class.room, ())
        return [device for device in (*own, *cart) if not device.opted_out]

    def _build(self, day: date) -> _Day:
        devices: dict[str, _Course] = {}
        rooms: dict[str, _Course] = {}
        planned = (*self.timetable.lessons(day), *self.timetable.testing(day))
        for lesson in sorted(planned, key=lambda lesson: lesson.start):
            for device in self.members(lesson):
                devices.setdefault(device.id, _Course()).add(lesson)
            room = lesson.room or lesson.school_class.room
            if room:
                rooms.setdefault(room, _Course()).add(lesson)
        following = date.fromordinal(day.toordinal() + 1)
        start, end = day_start(day, self._zone), day_start(following, self._zone)
        return _Day(day, start, end, devices, rooms, not planned)


class Directory:
    """Everything that says who is where; built from files, kept in memory."""

    def __init__(
        self,
        inventory: Inventory,
        roster: Roster,
        timetable: Timetable,
        zone: ZoneInfo,
        access_points: Mapping[str, str] | None = None,
    ) -> None:
        self.leases = Leases()
        self.places = Places({} if access_points is None else access_points)
        self.watch = Watch(())
        self.carts = Carts()
        self._zone = zone
        self._files = _Files(inventory, roster, timetable, zone)

    def replace(self, inventory: Inventory, roster: Roster, timetable: Timetable) -> None:
        """Go on with newer files; leases stay."""
        self._files = _Files(inventory, roster, timetable, self._zone)

    @property
    def inventory(self) -> Inventory:
        """The devices."""
        return self._files.inventory

    @property
    def roster(self) -> Roster:
        """The classes."""
        return self._files.roster

    @property
    def timetable(self) -> Timetable:
        """The lessons."""
        return self._files.timetable

    def learn(self, fact: Whereabouts) -> None:
        """Take who has which address since when, and who is at which access point."""
        self.leases.learn(fact)
        self.places.learn(fact)

    def look(self, now: float) -> None:
        """Learn what files say newly of addresses and places (`now` in seconds UTC)."""
        self.watch.look(now)

    def forget_before(self, moment: int) -> None:
        """Drop what no signal can ask for any more of addresses and places."""
        self.leases.forget_before(moment)
        self.places.forget_before(moment)

    def device_at(self, address: str, moment: int) -> Device | str:
        """The inventory device behind an address at a moment, or the reason why none is known."""
        return self._behind(self.leases.at(address, moment))

    def device_stay(self, address: str, moment: int, end: int) -> tuple[Device | str, int]:
        """What `device_at` says, and before when (seconds UTC, at most `end`) it says so."""
        hardware, until = self.leases.stay(address, moment, end)
        return self._behind(hardware), until

    def _behind(self, hardware: str | None) -> Device | str:
        if hardware is None:
            return "no_lease"
        device = self._files.inventory.by_hardware.get(hardware)
        if device is None:
            return "private_address" if is_private(hardware) else "unknown_device"
        return self.admit(device)

    def device_of(self, user: str) -> Device | str:
        """The device that a user carries, or the reason why none is known."""
        device = self._files.inventory.by_user.get(user)
        if device is None:
            return "staff" if user in self._files.roster.staff else "unknown_user"
        return self.admit(device)

    def lesson_at(self, device: Device, moment: int) -> tuple[date, Lesson] | str:
        """The local day and lesson of a device at a moment, or the reason why there is none."""
        files = self._files
        day = files.day(moment)
        room = None if device.user or not self.places else self.places.room(device.hardware, moment)
        if not device.hardware:
            room = device.room  # known by its cart alone
        # The school's own iPads travel: one whose access point is known belongs to the class in that room.
        course = day.devices.get(device.id) if room is None else day.rooms.get(room)
        lesson = course.at(moment) if course is not None else None
        if lesson is not None:
            return (day.day, lesson) if lesson.collected else "testing"
        return OUTSIDE if room is not None or files.has_class(device) else "no_class"

    def lesson_stays(
        self, device: Device, moments: Sequence[int]
    ) -> Iterator[tuple[tuple[date, Lesson] | str, int]]:
        """What `lesson_at` and `rest_at` say of moments (seconds UTC, in order), and how many in a row do."""
        files, at, last = self._files, 0, moments[-1] + 1
        while at < len(moments):
            day = files.day(moments[at])
            room, end = None, min(day.end, last)
            if not device.user and self.places:
                room, end = self.places.stay(device.hardware, moments[at], end)
            course = (day.devices.get(device.id) if room is None else day.rooms.get(room)) or _NO_LESSONS
            outside = OUTSIDE if room is not None or files.has_class(device) else "no_class"
            awake = day.start + ASLEEP_HOURS * 3600
            beyond = bisect_left(moments, end, at) if end < last else len(moments)
            while at < beyond:
                lesson, until = course.stay(moments[at], end)
                found: tuple[date, Lesson] | str = outside
                if lesson is not None:
                    found = (day.day, lesson) if lesson.collected else "testing"
                elif moments[at] < awake < until:
                    until = awake
                following = bisect_left(moments, until, at, beyond) if until < end else beyond
                yield found, following - at
                at = following

    def rest_at(self, moment: int) -> tuple[str, float] | None:
        """The local day of a moment at which the school sleeps, and for how many of its hours; else None."""
        day = self._files.day(moment)
        if not day.free and moment >= day.start + ASLEEP_HOURS * 3600:
            return None
        return day.day.isoformat(), 24.0 if day.free else float(ASLEEP_HOURS)

    def is_around(self, device: Device, since: int, until: int) -> bool:
        """Whether the device was given an address, or seen at an access point, in these seconds (UTC)."""
        hardware = device.hardware
        return self.leases.given(hardware, since, until) or self.places.told(hardware, since, until)

    def members(self, lesson: Lesson) -> list[Device]:
        """The devices that the lesson should have: its learners' own, or its room's cart."""
        return self._files.members(lesson)

    def has_class(self, device: Device) -> bool:
        """Whether any class has the device's learner, or its room."""
        return self._files.has_class(device)

    def expected(self, lesson: Lesson) -> int:
        """How many devices the lesson should have."""
        return len(self._files.members(lesson))

    def admit(self, device: Device) -> Device | str:
        """The device, or the reason why nothing of it is collected."""
        if device.opted_out:
            return "opted_out"
        if device.user and device.user in self._files.roster.staff:
            return "staff"
        return device
