"""A small school for tests: a folder with agent.toml, inventory, roster and bells as in real ones."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings
from shared.link import keys
from shared.settings import write_secret


@dataclass(frozen=True)
class Learner:
    """One learner with an iPad of their own."""

    username: str
    serial: str
    hardware: str
    given: str = "Given"
    family: str = "Family"


@dataclass(frozen=True)
class ClassSpec:
    """One class: its learners, its teacher, when it meets."""

    id: str
    teacher: str
    learners: Sequence[Learner]
    periods: str = "1"
    grades: str = "05"
    subject: str = "Maths"
    room: str = ""


@dataclass
class SchoolSpec:
    """Everything that `make_school` writes."""

    classes: Sequence[ClassSpec]
    bells: Sequence[tuple[str, str, str, str]] = (("1", "Mon Tue Wed Thu Fri", "09:00", "09:45"),)
    timezone: str = "Europe/Zurich"
    name: str = "Test School"
    leases: str | None = None
    settings: str = ""
    extra_devices: Sequence[tuple[str, str, str, str]] = field(default_factory=tuple)


def learner(number: int, prefix: str = "a") -> Learner:
    """The learner of that number, with a serial and a hardware address of their own."""
    hardware = f"a4:83:e7:{ord(prefix):02x}:{number // 256:02x}:{number % 256:02x}"
    return Learner(f"{prefix}{number}", f"SER{prefix.upper()}{number:04d}", hardware)


def learners(count: int, prefix: str = "a") -> list[Learner]:
    """That many learners."""
    return [learner(number, prefix) for number in range(1, count + 1)]


def make_school(root: Path, spec: SchoolSpec) -> AgentFolder:
    """Write the folder; its settings load without an error."""
    (root / "input" / "oneroster").mkdir(parents=True)
    folder = AgentFolder(root)
    folder.secrets.mkdir(mode=0o700)
    keys.load_or_create(folder.secrets, "agent")
    write_secret(folder.secrets / "xapi_password", b"xapi-secret")
    leases = f'leases = "{spec.leases}"\n' if spec.leases else ""
    folder.settings.write_text(
        f'school = "{spec.name}"\ntimezone = "{spec.timezone}"\n[identity]\n{leases}{spec.settings}'
    )
    _write_inventory(root / "input" / "inventory.csv", spec)
    _write_roster(root / "input" / "oneroster", spec)
    _write(root / "input" / "bells.csv", ("period", "days", "start", "end"), spec.bells)
    load_settings(folder)
    return folder


def _write_inventory(path: Path, spec: SchoolSpec) -> None:
    own = {
        (person.serial, person.hardware, person.username, "")
        for school_class in spec.classes
        for person in school_class.learners
    }
    _write(path, ("serial_number", "wifi_mac", "user", "room"), [*sorted(own), *spec.extra_devices])


def _write_roster(folder: Path, spec: SchoolSpec) -> None:
    users = {(f"u-{c.teacher}", "teacher", c.teacher, "Teach", "Er") for c in spec.classes}
    users |= {
        (f"u-{p.username}", "student", p.username, p.given, p.family)
        for c in spec.classes
        for p in c.learners
    }
    _write(folder / "users.csv", ("sourcedId", "role", "username", "givenName", "familyName"), sorted(users))
    _write(
        folder / "classes.csv",
        ("sourcedId", "title", "grades", "termSourcedIds", "subjects", "periods", "location"),
        [(c.id, c.id, c.grades, "term1", c.subject, c.periods, c.room) for c in spec.classes],
    )
    rows = [(f"t-{c.id}", c.id, f"u-{c.teacher}", "teacher") for c in spec.classes]
    rows += [
        (f"s-{c.id}-{p.username}", c.id, f"u-{p.username}", "student")
        for c in spec.classes
        for p in c.learners
    ]
    _write(folder / "enrollments.csv", ("sourcedId", "classSourcedId", "userSourcedId", "role"), rows)


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
