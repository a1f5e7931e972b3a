"""The three simulated schools as tables: groups, carts, courses, bells, and which teachers share."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CourseRow:
    """What one group is taught: subject, the teacher's key in this table, and the periods."""

    subject: str
    teacher: str
    periods: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Learners who are taught together. `cart` names the room whose cart they use; else each has an iPad."""

    name: str
    grade: str
    room: str
    courses: tuple[CourseRow, ...]
    cart: bool = False
    learners: int | None = None


@dataclass(frozen=True, slots=True)
class Character:
    """One school. `bells` rows are period, weekdays, start, end; `consenting` are teachers' keys."""

    slug: str
    name: str
    domain: str
    network: str
    groups: tuple[GroupRow, ...]
    bells: tuple[tuple[str, str, str, str], ...]
    consenting: frozenset[str]
    reports_actions: bool
    wordy_resolver: bool
    staff_without_class: int


def _course(text: str) -> CourseRow:
    subject, teacher, periods = text.split(" | ")
    return CourseRow(subject, teacher, periods)


def _group(
    name: str, grade: str, room: str, *courses: str, cart: bool = False, learners: int | None = None
) -> GroupRow:
    return GroupRow(name, grade, room, tuple(_course(text) for text in courses), cart, learners)


_LONG: Final = "Mon Tue Thu Fri"

ALDER: Final = Character(
    slug="alder-primary-school",
    name="Alder Primary School",
    domain="alder-primary.example",
    network="10.20",
    groups=(
        _group(
            "1 Heron",
            "01",
            "Room 11",
            "English language arts | h1 | 2,4",
            "Science | science1 | 1",
            cart=True,
        ),
        _group(
            "2 Otter",
            "02",
            "Room 12",
            "English language arts | h2 | 1,5",
            "Science | science1 | 2",
            cart=True,
        ),
        _group("2 Wren", "02", "Room 14", "Mathematics | h3 | 2,4", "Science | science1 | 3", cart=True),
        _group("3 Maple", "03", "Room 21", "English language arts | h4 | 1,3", "Science | science1 | 5"),
        _group("4 Larch", "04", "Room 22", "Mathematics | h5 | 2,5", "Science | science2 | 1"),
        _group("4 Hazel", "04", "Room 24", "English language arts | h6 | 1,4", "Science | science2 | 2"),
        _group("5 Rowan", "05", "Room 25", "Mathematics | h7 | 2,6", "Art | science2 | 4"),
    ),
    bells=(
        ("1", _LONG, "08:30", "09:15"),
        ("2", _LONG, "09:20", "10:05"),
        ("3", _LONG, "10:25", "11:10"),
        ("4", _LONG, "11:15", "12:00"),
        ("5", _LONG, "12:50", "13:35"),
        ("6", _LONG, "13:40", "14:25"),
        ("1", "Wed", "08:30", "09:05"),
        ("2", "Wed", "09:10", "09:45"),
        ("3", "Wed", "10:00", "10:35"),
        ("4", "Wed", "10:40", "11:15"),
        ("5", "Wed", "11:55", "12:30"),
        ("6", "Wed", "12:35", "13:10"),
    ),
    consenting=frozenset({"h2", "h5", "h6", "h7"}),
    reports_actions=True,
    wordy_resolver=False,
    staff_without_class=3,
)

BIRCH: Final = Character(
    slug="birch-middle-school",
    name="Birch Middle School",
    domain="birch-middle.example",
    network="10.21",
    groups=(
        _group(
            "6A", "06", "Media Lab", "English language arts | b1 | 1,3", "Science | science1 | 5", cart=True
        ),
        _group("6B", "06", "Media Lab", "Social studies | b2 | 2,4", "Mathematics | maths | 6", cart=True),
        _group("7A", "07", "B 104", "English language arts | b3 | 1,4", "Science | science1 | 2,6"),
        _group("7B", "07", "B 106", "Social studies | b4 | 2,5", "Mathematics | maths | 1,3"),
        _group("8A", "08", "B 201", "English language arts | b5 | 3,6", "Science | science2 | 2,5"),
        _group("8B", "08", "B 203", "Social studies | b6 | 1,4", "Science | science2 | 3,7"),
        _group(
            "7 Support", "07", "B 012", "English language arts | b7 | 2,4", "Mathematics | b7 | 6", learners=9
        ),
    ),
    bells=(
        ("1", "Mon Tue Wed Thu Fri", "08:05", "08:47"),
        ("2", "Mon Tue Wed Thu Fri", "08:51", "09:33"),
        ("3", "Mon Tue Wed Thu Fri", "09:37", "10:19"),
        ("4", "Mon Tue Wed Thu Fri", "10:35", "11:17"),
        ("5", "Mon Tue Wed Thu Fri", "11:21", "12:03"),
        ("6", "Mon Tue Wed Thu Fri", "12:45", "13:27"),
        ("7", "Mon Tue Thu Fri", "13:31", "14:13"),
        ("7", "Wed", "13:31", "14:01"),
    ),
    consenting=frozenset({"b1", "b3", "b5", "b7", "science2"}),
    reports_actions=False,
    wordy_resolver=False,
    staff_without_class=4,
)

CEDAR: Final = Character(
    slug="cedar-high-school",
    name="Cedar High School",
    domain="cedar-high.example",
    network="10.22",
    groups=(
        _group(
            "9-1",
            "09",
            "C 110",
            "English | c1 | A1,B1,F1",
            "Biology | biology | A3,F3",
            "History | history | B3,F4",
        ),
        _group(
            "9-2",
            "09",
            "C 112",
            "English | c2 | A3,B3,F3",
            "Biology | biology | A2,F2",
            "History | history | B4,F1",
        ),
        _group(
            "10-1",
            "10",
            "C 205",
            "Mathematics | c3 | A4,B4,F4",
            "Biology | biology | A1,F1",
            "History | history | B2,F2",
        ),
        _group(
            "10-2",
            "10",
            "C 207",
            "English | c4 | A1,B1,F1",
            "Chemistry | chemistry | A3,F3",
            "Media arts | media | B2,F4",
        ),
        _group(
            "11-1",
            "11",
            "C 301",
            "Mathematics | c5 | A4,B3,F4",
            "Chemistry | chemistry | A2,F2",
            "Media arts | media | B1,F1",
        ),
        _group(
            "12-1",
            "12",
            "C 303",
            "Economics | c6 | A2,B2,F2",
            "Chemistry | chemistry | A4,F4",
            "Media arts | media | B4,F3",
        ),
    ),
    bells=(
        ("A1", "Mon Wed", "08:00", "09:20"),
        ("A2", "Mon Wed", "09:30", "10:50"),
        ("A3", "Mon Wed", "11:35", "12:55"),
        ("A4", "Mon Wed", "13:05", "14:25"),
        ("B1", "Tue Thu", "08:00", "09:20"),
        ("B2", "Tue Thu", "09:30", "10:50"),
        ("B3", "Tue Thu", "11:35", "12:55"),
        ("B4", "Tue Thu", "13:05", "14:25"),
        ("F1", "Fri", "08:00", "08:45"),
        ("F2", "Fri", "08:55", "09:40"),
        ("F3", "Fri", "09:50", "10:35"),
        ("F4", "Fri", "10:45", "11:30"),
    ),
    consenting=frozenset({"c1", "c3", "c5", "biology", "media"}),
    reports_actions=True,
    wordy_resolver=True,
    staff_without_class=5,
)

CHARACTERS: Final = (ALDER, BIRCH, CEDAR)
