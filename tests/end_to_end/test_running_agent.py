"""A running agent keeps up with a clock that runs, and with files that the school changes under it."""

import json
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.edge_agent.school import ClassSpec, Learner, SchoolSpec, learners, make_school
from tests.end_to_end.town import Process, fetch, free_ports, until

ZONE = ZoneInfo("Europe/Zurich")
MONDAY = datetime(2026, 9, 14, 7, 0, tzinfo=ZONE).timestamp()
NOON = datetime(2026, 9, 14, 12, 0, tzinfo=ZONE).timestamp()


def leases(people: list[Learner]) -> str:
    return "".join(
        f"Sep 14 08:00:00 dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad\n"
        for i, person in enumerate(people, start=1)
    )


def look_ups(people: list[Learner], minute: int) -> str:
    return "".join(
        f"Sep 14 09:{minute:02d}:{i:02d} dnsmasq[9]: query[A] padlet.com from 10.0.0.{i}\n"
        for i in range(1, len(people) + 1)
    )


class Alone:
    """One agent that has joined no hub."""

    def __init__(self, root: Path, people: list[Learner], classes: int) -> None:
        self.people, size = people, len(people) // classes
        specs = [ClassSpec(f"c{k}", f"t{k}", people[k * size : (k + 1) * size]) for k in range(classes)]
        self.folder = make_school(root / "school", SchoolSpec(specs))
        self.log = self.folder.root / "input" / "dnsmasq.log"
        self.clock = root / "clock.json"
        (self._page,) = free_ports(1)
        self.folder.settings.write_text(
            self.folder.settings.read_text()
            + f'\n[clock]\nfile = "../clock.json"\n[page]\nport = {self._page}\n'
            + '[[sources]]\nkind = "dnsmasq"\nid = "resolver"\npath = "input/dnsmasq.log"\n'
        )

    def set_clock(self, moment: float, rate: float) -> None:
        self.clock.write_text(json.dumps({"simulated": moment, "real": time.time(), "rate": rate}))

    def status(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(fetch(f"http://127.0.0.1:{self._page}/status.json"))
        return found


@pytest.mark.parametrize("rate", [20_000])
def test_lessons_close_keys_die_and_weeks_leave_while_the_clock_runs(tmp_path: Path, rate: float) -> None:
    school = Alone(tmp_path, learners(36), 3)
    school.log.write_text(leases(school.people) + look_ups(school.people, 10))
    school.set_clock(MONDAY, rate)
    process = Process(tmp_path / "log", "agent", "run", str(school.folder.root))
    try:
        weeks = until(lambda: school.status()["weeks"], "the week")
        assert weeks == [{"week": "2026-W38", "bands": 1, "held_back": None}]
        assert school.status()["signals"] == 36
        until(lambda: not list(school.folder.day_keys.iterdir()), "the end of the day's key")
    finally:
        assert process.stop() == 0


def test_a_roster_that_changes_while_the_agent_runs_is_taken_and_a_broken_one_is_not(tmp_path: Path) -> None:
    everyone = learners(12)
    school = Alone(tmp_path, everyone, 1)
    inventory = school.folder.root / "input" / "inventory.csv"
    whole = inventory.read_text()
    inventory.write_text("\n".join(whole.splitlines()[:7]) + "\n")
    school.set_clock(NOON - 3 * 3600, 0)
    school.log.write_text(leases(everyone) + look_ups(everyone, 10))
    process = Process(tmp_path / "log", "agent", "run", str(school.folder.root))
    try:
        until(lambda: school.status()["signals"] == 6, "the six known devices")
        inventory.write_text("this is no inventory\n")
        until(lambda: "new file is not used" in str(school.status()["working"]), "the warning")
        inventory.write_text(whole)
        until(lambda: "new file is not used" not in str(school.status()["working"]), "the end of the warning")
        with school.log.open("a") as file:
            file.write(look_ups(everyone, 20))
        until(lambda: school.status()["signals"] == 6 + 12, "all twelve devices")
    finally:
        assert process.stop() == 0


def test_nothing_of_a_stopped_agent_is_left_behind(tmp_path: Path) -> None:
    school = Alone(tmp_path, learners(12), 1)
    school.set_clock(NOON, 0)
    process = Process(tmp_path / "log", "agent", "run", str(school.folder.root))
    until(lambda: school.status()["caught_up"], "the agent")
    began = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - began < 5
    assert "Traceback" not in (tmp_path / "log").read_text()
