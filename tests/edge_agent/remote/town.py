"""A school with learners, a cart, staff, an opt-out and a visitor, for collectors on other machines."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from edge_agent.identity.directory import Directory
from edge_agent.identity.load import load_directory
from edge_agent.placing.daykeys import MemoryKeys
from edge_agent.remote import day_table
from edge_agent.settings import load_settings
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

ZONE = ZoneInfo("Europe/Zurich")
DAY = date(2026, 9, 14)
KEY = bytes(range(32))
PEOPLE = learners(8)
CART = ("SERCART", "a4:83:e7:ff:00:01", "", "room-9")
STAFF = ("SERSTAFF", "a4:83:e7:ff:00:02", "t1", "")
SPARE = ("SERSPARE", "a4:83:e7:ff:00:03", "nobody", "")
PRIVATE, UNKNOWN = "a6:00:00:00:00:01", "a4:83:e7:ff:ff:ff"
HARDWARE = [*(person.hardware for person in PEOPLE), CART[1], STAFF[1], SPARE[1], PRIVATE, UNKNOWN]
CODES = {"c1": "codeone1", "c2": "codetwo2", "c3": "codethr3"}


class OneKey(MemoryKeys):
    """The day's key, known to the test."""

    def key(self, day: object, now: float) -> bytes | str:
        return KEY


def at(hour: int, minute: int = 0) -> int:
    """A moment of the school's day, in seconds UTC."""
    return int(datetime(2026, 9, DAY.day, hour, minute, tzinfo=ZONE).timestamp())


def directory(root: Path) -> Directory:
    """The school's directory; one learner's family opted out, one class meets in the cart's room."""
    bells = [
        ("1", "Mon Tue", "09:00", "09:45"),
        ("2", "Mon Tue", "09:30", "10:15"),
        ("3", "Mon", "11:00", "11:45"),
    ]
    classes = [
        ClassSpec("c1", "t1", PEOPLE[:5], "1"),
        ClassSpec("c2", "t2", PEOPLE[3:7], "2"),
        ClassSpec("c3", "t3", [], "3", room="room-9"),
    ]
    folder = make_school(root, SchoolSpec(classes, bells, extra_devices=[CART, STAFF, SPARE]))
    inventory = root / "input" / "inventory.csv"
    lines = inventory.read_text().splitlines()
    out = [
        f"{lines[0]},opt_out",
        *(f"{line},{'yes' if PEOPLE[1].serial in line else ''}" for line in lines[1:]),
    ]
    inventory.write_text("\n".join(out) + "\n")
    return load_directory(folder, load_settings(folder))[0]


def table(found: Directory) -> day_table.DayTable:
    """The day's table, as a collector would get it."""
    return day_table.decode(day_table.encode(day_table.make(found, CODES, KEY, DAY, ZONE)))
