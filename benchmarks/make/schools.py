"""Schools' folders as an agent reads them: the demo's schools, or one as large as a row asks for."""

import csv
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from demo.bells import render_bells
from demo.inventory import render_inventory
from demo.oneroster import render_oneroster
from demo.school import TIMEZONE, School
from edge_agent.paths import AgentFolder
from shared.link import keys
from shared.settings import write_secret

SEED: Final = 20260914
DAYS: Final = "Mon Tue Wed Thu Fri Sat Sun"


@dataclass(frozen=True, slots=True)
class Fleet:
    """A school of equal classes: `addresses[c]` and `hardware[c]` are those of class c's devices."""

    addresses: Sequence[Sequence[str]]
    hardware: Sequence[Sequence[str]]

    def leases(self, stamp: str) -> str:
        """One DHCPACK line a device."""
        chain = itertools.chain.from_iterable
        pairs = zip(chain(self.addresses), chain(self.hardware), strict=True)
        return "".join(f"{stamp} dnsmasq-dhcp[9]: DHCPACK(eth0) {ip} {mac} iPad\n" for ip, mac in pairs)


def write_demo_school(
    root: Path, school: School, *, clock: Path | None = None, port: int = 8100
) -> AgentFolder:
    """The agent's folder of one of the demo's schools, its log empty."""
    files = {f"oneroster/{name}": text for name, text in render_oneroster(school).items()}
    files |= {"inventory.csv": render_inventory(school), "bells.csv": render_bells(school)}
    return _write(root, school.name, TIMEZONE, files, clock, port)


def write_fleet(
    root: Path,
    *,
    classes: int,
    devices: int,
    bells: Sequence[tuple[str, str, str]],
    clock: Path | None = None,
    port: int = 8100,
) -> tuple[AgentFolder, Fleet]:
    """`classes` of `devices` iPads each, all with a lesson at every bell (period, start, end), in UTC."""
    users, sections, enrolments, inventory = [], [], [], []
    addresses: list[list[str]] = []
    hardware: list[list[str]] = []
    for c in range(classes):
        users.append((f"t{c}", "teacher", f"teacher{c}"))
        sections.append((f"c{c}", f"c{c}", "05", "term1", "Science", ",".join(name for name, *_ in bells)))
        enrolments.append((f"t{c}", f"c{c}", "teacher"))
        addresses.append([f"10.{30 + c // 250}.{c % 250}.{d + 1}" for d in range(devices)])
        hardware.append([f"a4:83:e7:{c // 256:02x}:{c % 256:02x}:{d:02x}" for d in range(devices)])
        for d in range(devices):
            users.append((f"s{c}-{d}", "student", f"s{c}-{d}"))
            enrolments.append((f"s{c}-{d}", f"c{c}", "student"))
            inventory.append((f"SER{c:04d}{d:03d}", hardware[c][d], f"s{c}-{d}", ""))
    files = {
        "oneroster/users.csv": _csv(("sourcedId", "role", "username"), users),
        "oneroster/classes.csv": _csv(
            ("sourcedId", "title", "grades", "termSourcedIds", "subjects", "periods"), sections
        ),
        "oneroster/enrollments.csv": _csv(("userSourcedId", "classSourcedId", "role"), enrolments),
        "inventory.csv": _csv(("serial_number", "wifi_mac", "user", "room"), inventory),
        "bells.csv": _csv(("period", "days", "start", "end"), [(name, DAYS, *span) for name, *span in bells]),
    }
    return _write(root, "Large School", "UTC", files, clock, port), Fleet(addresses, hardware)


def _write(
    root: Path, name: str, timezone: str, files: dict[str, str], clock: Path | None, port: int
) -> AgentFolder:
    folder = AgentFolder(root)
    (root / "input" / "oneroster").mkdir(parents=True)
    folder.secrets.mkdir(mode=0o700)
    keys.load_or_create(folder.secrets, "agent")
    write_secret(folder.secrets / "xapi_password", b"unused")
    for path, text in files.items():
        (root / "input" / path).write_text(text, encoding="utf-8", newline="")
    (root / "input" / "dnsmasq.log").touch()
    lines = [f'school = "{name}"', f'timezone = "{timezone}"', "[page]", f"port = {port}"]
    lines += [] if clock is None else ["[clock]", f'file = "{clock}"']
    lines += ["[[sources]]", 'kind = "dnsmasq"', 'id = "resolver"', 'path = "input/dnsmasq.log"']
    folder.settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
