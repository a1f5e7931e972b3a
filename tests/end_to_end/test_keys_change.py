"""Agent and hub change their keys while a school day goes on: no gap, nothing twice, old keys are refused."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from shared.storage import reader
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.end_to_end.town import Town, command, fetch, free_ports, until

ZONE = ZoneInfo("Europe/Zurich")
PEOPLE = learners(24)
BELLS = [(str(p), "Mon", f"{8 + p:02d}:00", f"{8 + p:02d}:45") for p in range(1, 6)]
EVENING = datetime(2026, 9, 14, 20, 0, tzinfo=ZONE).timestamp()


def lines_of(period: int) -> str:
    return "".join(
        f"Sep 14 {8 + period:02d}:10:{second:02d} dnsmasq[9]: query[A] padlet.com from 10.0.0.{i}\n"
        for second in range(0, 60, 10)
        for i in range(1, len(PEOPLE) + 1)
    )


def leases() -> str:
    return "".join(
        f"Sep 14 08:00:00 dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad\n"
        for i, person in enumerate(PEOPLE, start=1)
    )


class Day:
    """One school, its agent and its hub, from lesson to lesson."""

    def __init__(self, root: Path) -> None:
        self.town = Town(root)
        spec = SchoolSpec([ClassSpec("c1", "t1", PEOPLE, "1,2,3,4,5")], BELLS, name="Key School")
        self.folder = make_school(root / "school", spec)
        (page,) = free_ports(1)
        self.folder.settings.write_text(
            f'{self.folder.settings.read_text()}\n[clock]\nfile = "../clock.json"\n[page]\nport = {page}\n'
            '[[sources]]\nkind = "dnsmasq"\nid = "resolver"\npath = "input/dnsmasq.log"\n'
        )
        self.log = self.folder.root / "input" / "dnsmasq.log"
        self.log.write_text(leases())
        self.town.set_clock(EVENING - 12 * 3600)
        self.town.start_hub()
        self.town.join(self.folder.root, "Key School")
        (row,) = json.loads(command("agent", "classes", str(self.folder.root), "--json").stdout)
        command("agent", "share", str(self.folder.root), row["code"], "--until", "2026-12-31")
        self.page = f"/api/v1/schools/key-school/classes/{row['code']}"
        self.town.start_agent(self.folder.root)

    def lesson(self, period: int) -> None:
        """One lesson is held and arrives at the hub."""
        with self.log.open("a") as file:
            file.write(lines_of(period))
        self.town.set_clock(datetime(2026, 9, 14, 9 + period, 5, tzinfo=ZONE).timestamp())
        until(lambda: len(self.lessons()) == period, f"lesson {period} on the hub")

    def lessons(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(fetch(self.town.hub_url(self.page)))["lessons"]
        return found

    def fingerprints(self) -> dict[str, str]:
        said = json.loads(command("agent", "status", str(self.folder.root), "--json").stdout)
        found: dict[str, str] = said["fingerprints"]
        return found

    def hub(self, *words: str, check: bool = True) -> str:
        return command("hub", words[0], str(self.town.hub_folder), *words[1:], check=check).stdout

    def changed(self, whose: str, before: str) -> Callable[[], bool]:
        return lambda: self.fingerprints()[whose] != before


def test_both_sides_change_their_keys_without_a_gap_and_nothing_counts_twice(tmp_path: Path) -> None:
    day = Day(tmp_path)
    try:
        day.lesson(1)
        first = day.fingerprints()
        said = command("agent", "rotate-key", str(day.folder.root)).stdout
        until(day.changed("agent", first["agent"]), "the agent's new key is in use")
        assert day.fingerprints()["agent"] in said
        day.lesson(2)
        (school,) = json.loads(day.hub("schools", "--json"))
        assert school["fingerprint"] == day.fingerprints()["agent"]
        connection = reader(day.town.hub_folder / "hub.db")
        (old,) = connection.execute("SELECT count(*) FROM enrolments WHERE revoked IS NOT NULL").fetchone()
        connection.close()
        assert old == 1, "the old key is refused"
        announced = re.search(r"[0-9a-f-]{39}", day.hub("rotate-key"))
        assert announced
        day.lesson(3)
        until(lambda: "do not know it" not in day.hub("rotate-key"), "the agent knows the hub's next key")
        day.hub("rotate-key", "--switch")
        until(day.changed("hub", first["hub"]), "the agent has found the hub under its new key")
        day.lesson(4)
        assert day.fingerprints()["hub"] == announced[0] != first["hub"]
        day.lesson(5)
        lessons = day.lessons()
    finally:
        day.town.stop()
    assert [(lesson["devices"], lesson["revision"]) for lesson in lessons] == [(24, 1)] * 5
    connection = reader(day.folder.database)
    (sent,) = connection.execute("SELECT count(*) FROM disclosures WHERE kind = 'lesson'").fetchone()
    connection.close()
    assert sent == 5


def test_a_hub_does_not_switch_to_a_key_that_a_school_has_not_heard_of(tmp_path: Path) -> None:
    day = Day(tmp_path)
    try:
        day.lesson(1)
        day.town.processes[-1].stop()
        day.hub("rotate-key")
        done = command("hub", "rotate-key", str(day.town.hub_folder), "--switch", check=False)
    finally:
        day.town.stop()
    assert done.returncode == 2
    assert "Key School" in done.stderr
