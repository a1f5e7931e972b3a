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

DAYS_KEPT = 400


@dataclass(frozen=True, slots=True)
class _Day:
    """One local day: its span in seconds UTC, and each device's lessons in order of start."""

    day: date
    start: int
    end: int
    starts: dict[str, list[int]]
    lessons: dict[str, list[Lesson]]


class Directory:
    """Everything that says who is where; built from files, kept in memory."""

    def __init__(self, inventory: Inventory, roster: Roster, timetable: Timetable, zone: ZoneInfo) -> None:
        self.leases = Leases()
        self._zone = zone
        self.replace(inventory, roster, timetable)

    def replace(self, inventory: Inventory, roster: Roster, timetable: Timetable) -> None:
        """Go on with newer files; leases stay."""
        self.inventory = inventory
        self.roster = roster
        self.timetable = timetable
        self._learners = {user for school_class in roster.classes.values() for user in school_class.learners}
        self._rooms = {school_class.room for school_class in roster.classes.values()} - {""}
        self._days: dict[date, _Day] = {}
        self._today: _Day | None = None

    def device_at(self, address: str, moment: int) -> Device | str:
        """The inventory device behind an address at a moment, or the reason why none is known."""
        hardware = self.leases.at(address, moment)
        if hardware is None:
            return "no_lease"
        device = self.inventory.by_hardware.get(hardware)
        if device is None:
            return "private_address" if is_private(hardware) else "unknown_device"
        return self._admit(device)

    def device_of(self, user: str) -> Device | str:
        """The device that a user carries, or the reason why none is known."""
        device = self.inventory.by_user.get(user)
        if device is None:
            return "staff" if user in self.roster.staff else "unknown_user"
        return self._admit(device)

    def lesson_at(self, device: Device, moment: int) -> tuple[date, Lesson] | str:
        """The local day and lesson of a device at a moment, or the reason why there is none."""
        day = self._day(moment)
        starts = day.starts.get(device.id, ())
        at = bisect_right(starts, moment)
        if at:
            lesson = day.lessons[device.id][at - 1]
            if moment < lesson.end:
                return day.day, lesson
        return "outside_lessons" if self._has_class(device) else "no_class"

    def _has_class(self, device: Device) -> bool:
        return device.user in self._learners if device.user else device.room in self._rooms

    def expected(self, lesson: Lesson) -> int:
        """How many devices the lesson should have: its learners' own, or its room's cart."""
        return len(self._members(lesson))

    def _admit(self, device: Device) -> Device | str:
        if device.opted_out:
            return "opted_out"
        if device.user and device.user in self.roster.staff:
            return "staff"
        return device

    def _members(self, lesson: Lesson) -> list[Device]:
        school_class = lesson.school_class
        own = [
            self.inventory.by_user[user] for user in school_class.learners if user in self.inventory.by_user
        ]
        cart = [
            device
            for device in self.inventory.devices
            if school_class.room and device.room == school_class.room and not device.user
        ]
        return [device for device in (*own, *cart) if not device.opted_out]

    def _day(self, moment: int) -> _Day:
        today = self._today
        if today is None or not today.start <= moment < today.end:
            day = day_of(moment, self._zone)
            if day not in self._days:
                if len(self._days) >= DAYS_KEPT:
                    self._days.clear()
                self._days[day] = self._build(day)
            today = self._today = self._days[day]
        return today

    def _build(self, day: date) -> _Day:
        starts: dict[str, list[int]] = {}
        lessons: dict[str, list[Lesson]] = {}
        # In order of start: where two lessons of one device overlap, the later one has it from its start on.
        for lesson in self.timetable.lessons(day):
            for device in self._members(lesson):
                starts.setdefault(device.id, []).append(lesson.start)
                lessons.setdefault(device.id, []).append(lesson)
        following = date.fromordinal(day.toordinal() + 1)
        return _Day(day, day_start(day, self._zone), day_start(following, self._zone), starts, lessons)
