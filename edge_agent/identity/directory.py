"""From an address or a user at a moment to a device in a lesson, or the reason why not."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from edge_agent.days import day_of, day_start
from edge_agent.identity.inventory import Device, Inventory, is_private
from edge_agent.identity.leases import Leases
from edge_agent.identity.roster import Roster
from edge_agent.identity.timetable import Lesson, Timetable
from edge_agent.sources.facts import Whereabouts

DAYS_KEPT = 400


@dataclass(frozen=True, slots=True)
class _Day:
    """One local day: its span in seconds UTC, and each device's lessons in order of start."""

    day: date
    start: int
    end: int
    starts: dict[str, list[int]]
    lessons: dict[str, list[Lesson]]


class _Files:
    """One reading of the school's files; never changed, so that threads may share it."""

    def __init__(self, inventory: Inventory, roster: Roster, timetable: Timetable, zone: ZoneInfo) -> None:
        self.inventory = inventory
        self.roster = roster
        self.timetable = timetable
        self.learners = {user for item in roster.classes.values() for user in item.learners}
        self.rooms = {item.room for item in roster.classes.values()} - {""}
        self._zone = zone
        self._days: dict[date, _Day] = {}
        self._today: _Day | None = None

    def day(self, moment: int) -> _Day:
        today = self._today
        if today is not None and today.start <= moment < today.end:
            return today
        day = day_of(moment, self._zone)
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= DAYS_KEPT:
                self._days = {}
            found = self._days[day] = self._build(day)
        self._today = found
        return found

    def has_class(self, device: Device) -> bool:
        return device.user in self.learners if device.user else device.room in self.rooms

    def members(self, lesson: Lesson) -> list[Device]:
        school_class = lesson.school_class
        by_user = self.inventory.by_user
        own = [by_user[user] for user in school_class.learners if user in by_user]
        cart = [
            device
            for device in self.inventory.devices
            if school_class.room and device.room == school_class.room and not device.user
        ]
        return [device for device in (*own, *cart) if not device.opted_out]

    def _build(self, day: date) -> _Day:
        starts: dict[str, list[int]] = {}
        lessons: dict[str, list[Lesson]] = {}
        # In order of start: where two lessons of one device overlap, the later one has it from its start on.
        for lesson in self.timetable.lessons(day):
            for device in self.members(lesson):
                starts.setdefault(device.id, []).append(lesson.start)
                lessons.setdefault(device.id, []).append(lesson)
        following = date.fromordinal(day.toordinal() + 1)
        return _Day(day, day_start(day, self._zone), day_start(following, self._zone), starts, lessons)


class Directory:
    """Everything that says who is where; built from files, kept in memory."""

    def __init__(self, inventory: Inventory, roster: Roster, timetable: Timetable, zone: ZoneInfo) -> None:
        self.leases = Leases()
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
        """Take who has which address since when."""
        self.leases.learn(fact)

    def device_at(self, address: str, moment: int) -> Device | str:
        """The inventory device behind an address at a moment, or the reason why none is known."""
        hardware = self.leases.at(address, moment)
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
        at = bisect_right(day.starts.get(device.id, ()), moment)
        if at:
            lesson = day.lessons[device.id][at - 1]
            if moment < lesson.end:
                return day.day, lesson
        return "outside_lessons" if files.has_class(device) else "no_class"

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
