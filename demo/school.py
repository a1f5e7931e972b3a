"""Simulated schools from one seed: people, classes, timetable, iPads and whoever else is on the network."""

from dataclasses import dataclass, replace
from datetime import time
from typing import Final

import numpy as np

from demo.characters import CHARACTERS, Character, GroupRow
from demo.names import People, Person, hex_id

TIMEZONE: Final = "America/New_York"
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CART_SIZE: Final = 24
PRIVATE_IPADS: Final = 3
LEFT_AT_SCHOOL: Final = 0.08

_APPLE_PREFIXES: Final = ("a4:83:e7", "f0:18:98", "3c:06:30", "bc:d0:74", "14:98:77", "88:66:5a")
_SERIAL_LETTERS: Final = "CDFGHJKLMNPQRTVWXY0123456789"


@dataclass(frozen=True, slots=True)
class Period:
    """One row of the bell schedule; weekdays count from Monday as 0; local times."""

    name: str
    weekdays: tuple[int, ...]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Device:
    """One machine on the school's Wi-Fi.

    kind: `learner`, `cart`, `staff` or `visitor`. `hardware` is the address it shows; `listed` the one
    in the inventory, which differs when the iPad uses a private address, and is blank for visitors.
    `stays`: whether it remains at school overnight.
    """

    kind: str
    serial: str
    hardware: str
    listed: str
    host: str
    name: str
    owner: Person | None = None
    room: str = ""
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One class of a term: who teaches whom what, where and in which periods, on whose iPads.

    `devices` are in the order of `learners`: each learner's own, or the cart's.
    """

    sourced_id: str
    course_id: str
    title: str
    code: str
    subject: str
    grade: str
    room: str
    periods: tuple[str, ...]
    teacher: Person
    learners: tuple[Person, ...]
    devices: tuple[Device, ...]
    shared: bool


@dataclass(frozen=True, slots=True)
class School:
    """One school, ready to be rendered; `index` numbers it from 0, `seed` is the whole demo's."""

    index: int
    seed: int
    character: Character
    org_id: str
    term_id: str
    bells: tuple[Period, ...]
    teachers: tuple[Person, ...]
    learners: tuple[Person, ...]
    sections: tuple[Section, ...]
    devices: tuple[Device, ...]

    @property
    def slug(self) -> str:
        return self.character.slug

    @property
    def name(self) -> str:
        return self.character.name

    def rng(self, *purpose: int) -> np.random.Generator:
        """Random numbers for one purpose, the same whenever they are asked for."""
        return np.random.default_rng([self.seed, self.index, *purpose])

    def canaries(self) -> frozenset[str]:
        """Strings of the school's people and devices, none of which may ever leave it."""
        people = [
            text
            for person in (*self.teachers, *self.learners)
            for text in (person.username, person.full, person.family, person.sourced_id)
        ]
        machines = [
            text
            for device in self.devices
            for text in (device.serial, device.hardware, device.hardware.replace(":", ""), device.listed)
        ]
        classes = [text for section in self.sections for text in (section.sourced_id, section.title)]
        return frozenset(text for text in (*people, *machines, *classes) if text)


def build_schools(seed: int) -> tuple[School, ...]:
    """The demo's three schools; the same seed gives the same schools."""
    return tuple(_build(index, seed, character) for index, character in enumerate(CHARACTERS))


def _build(index: int, seed: int, character: Character) -> School:
    rng = np.random.default_rng([seed, index, 0])
    people = People(rng)
    makers = _Machines(rng, character)
    keys = sorted({course.teacher for group in character.groups for course in group.courses})
    teachers = {key: people.teacher() for key in keys}
    others = [people.teacher() for _ in range(character.staff_without_class)]
    courses = {
        (course.subject, group.grade): hex_id(rng) for group in character.groups for course in group.courses
    }
    carts = {
        group.room: tuple(makers.cart(group.room) for _ in range(CART_SIZE))
        for group in character.groups
        if group.cart
    }
    sections: list[Section] = []
    learners: list[Person] = []
    devices: list[Device] = [device for cart in carts.values() for device in cart]
    for group in character.groups:
        size = group.learners or int(rng.integers(20, CART_SIZE + 1 if group.cart else 29))
        members = tuple(people.learner() for _ in range(size))
        learners += members
        own = carts[group.room] if group.cart else tuple(makers.learner(member) for member in members)
        if not group.cart:
            devices += own
        sections += _sections(rng, character, group, members, own, teachers, courses)
    private = rng.choice(
        [i for i, device in enumerate(devices) if device.kind == "learner"], PRIVATE_IPADS, replace=False
    )
    swapped = {i: makers.with_private_address(devices[i]) for i in sorted(private)}
    devices = [swapped.get(i, device) for i, device in enumerate(devices)]
    by_serial = {device.serial: device for device in devices}
    devices += [makers.staff(person) for person in (*teachers.values(), *others)]
    devices += makers.visitors()
    return School(
        index=index,
        seed=seed,
        character=character,
        org_id=hex_id(rng),
        term_id=hex_id(rng),
        bells=tuple(_period(*row) for row in character.bells),
        teachers=(*teachers.values(), *others),
        learners=tuple(learners),
        sections=tuple(_with(section, by_serial) for section in sections),
        devices=tuple(devices),
    )


def _sections(
    rng: np.random.Generator,
    character: Character,
    group: GroupRow,
    members: tuple[Person, ...],
    own: tuple[Device, ...],
    teachers: dict[str, Person],
    courses: dict[tuple[str, str], str],
) -> list[Section]:
    return [
        Section(
            sourced_id=hex_id(rng),
            course_id=courses[course.subject, group.grade],
            title=f"{course.subject} {group.name} ({teachers[course.teacher].family})",
            code=f"{course.subject[:3].upper()}-{group.name.replace(' ', '')}",
            subject=course.subject,
            grade=group.grade,
            room=group.room,
            periods=tuple(course.periods.split(",")),
            teacher=teachers[course.teacher],
            learners=members,
            devices=own[: len(members)],
            shared=course.teacher in character.consenting,
        )
        for course in group.courses
    ]


def _with(section: Section, by_serial: dict[str, Device]) -> Section:
    return replace(section, devices=tuple(by_serial[device.serial] for device in section.devices))


def _period(name: str, weekdays: str, start: str, end: str) -> Period:
    days = tuple(WEEKDAYS.index(day) for day in weekdays.split())
    return Period(name, days, time.fromisoformat(start), time.fromisoformat(end))


class _Machines:
    """Makes a school's devices, each with its own serial number and hardware address."""

    def __init__(self, rng: np.random.Generator, character: Character) -> None:
        self._rng = rng
        self._label = character.slug[:3].upper()
        self._count = 0

    def cart(self, room: str) -> Device:
        hardware = self._apple_address()
        return Device("cart", self._serial(), hardware, hardware, "iPad", self._name(), room=room, stays=True)

    def learner(self, owner: Person) -> Device:
        hardware = self._apple_address()
        # Some iPads were named by their owner; the name is in the inventory and in every DHCP request.
        named = self._rng.random() < 0.15
        host = f"{owner.given}s-iPad" if named else "iPad"
        name = f"{owner.given}’s iPad" if named else self._name()
        stays = bool(self._rng.random() < LEFT_AT_SCHOOL)
        return Device("learner", self._serial(), hardware, hardware, host, name, owner=owner, stays=stays)

    def staff(self, owner: Person) -> Device:
        hardware = self._apple_address()
        name = f"{owner.family} iPad"
        return Device("staff", self._serial(), hardware, hardware, name.replace(" ", "-"), name, owner=owner)

    def with_private_address(self, device: Device) -> Device:
        return replace(device, hardware=self._private_address(), host="iPad")

    def visitors(self) -> list[Device]:
        """A visitor's phone with a private address, and a contractor's laptop that no inventory lists."""
        return [
            Device("visitor", "", self._private_address(), "", "iPhone", ""),
            Device("visitor", "", self._apple_address(), "", "MacBook-Air", ""),
        ]

    def _name(self) -> str:
        self._count += 1
        return f"{self._label}-iPad-{self._count:04d}"

    def _serial(self) -> str:
        return "".join(_SERIAL_LETTERS[i] for i in self._rng.integers(len(_SERIAL_LETTERS), size=10))

    def _apple_address(self) -> str:
        tail = self._rng.bytes(3).hex(":")
        return f"{_APPLE_PREFIXES[self._rng.integers(len(_APPLE_PREFIXES))]}:{tail}"

    def _private_address(self) -> str:
        data = bytearray(self._rng.bytes(6))
        data[0] = data[0] & 0xFC | 0x02
        return bytes(data).hex(":")
