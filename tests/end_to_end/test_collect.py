"""A source on another machine: invited once, believed within limits, refused when revoked; nothing twice."""

import json
import random
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.storage import reader
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.end_to_end.town import Process, command, fetch, free_ports, until

ZONE = ZoneInfo("Europe/Zurich")
PEOPLE = learners(24)
MINUTES = 30


def at(hour: int, minute: int = 0) -> float:
    return datetime(2026, 9, 14, hour, minute, tzinfo=ZONE).timestamp()


def leases() -> str:
    return "".join(
        f"Sep 14 08:00:00 dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad\n"
        for i, person in enumerate(PEOPLE, start=1)
    )


def look_ups(minute: int) -> str:
    """A minute of the lesson: each device asks every ten seconds."""
    return "".join(
        f"Sep 14 09:{minute:02d}:{second:02d} dnsmasq[9]: query[A] padlet.com from 10.0.0.{i}\n"
        for second in range(0, 60, 10)
        for i in range(1, len(PEOPLE) + 1)
    )


class Annex:
    """An agent without a source of its own, and a collector in another building."""

    def __init__(self, root: Path, held: ExitStack) -> None:
        self.root = root
        self.folder = make_school(root / "school", SchoolSpec([ClassSpec("c1", "t1", PEOPLE)]))
        self._page, intake = free_ports(2)
        self.address = f"tcp://127.0.0.1:{intake}"
        self.clock = root / "clock.json"
        self.log = root / "annex.log"
        self.log.write_text(leases())
        self.folder.settings.write_text(
            f'{self.folder.settings.read_text()}\n[clock]\nfile = "../clock.json"\n'
            f'[page]\nport = {self._page}\n[intake]\naddress = "{self.address}"\n'
        )
        self.set_clock(at(9))
        self.token = root / "token"
        words = ("agent", "invite", str(self.folder.root), "--collector", "annex", "--kind", "dnsmasq")
        assert command(*words, "--out", str(self.token)).stdout == ""
        assert self.token.stat().st_mode & 0o777 == 0o600
        self.agent = Process(root / "agent.log", "agent", "run", str(self.folder.root))
        held.callback(self.agent.stop)
        until(self.status, "the agent's page")
        self.collector = Process(root / "collect.log", *self.words())
        held.callback(lambda: self.collector.stop())

    def words(self, where: str = "state") -> list[str]:
        collect = ["collect", "dnsmasq", str(self.log), "--agent", self.address, "--token", str(self.token)]
        return [*collect, "--dir", str(self.root / where), "--clock", str(self.clock)]

    def set_clock(self, moment: float) -> None:
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(json.dumps({"simulated": moment, "real": 0, "rate": 0}))
        fresh.replace(self.clock)

    def status(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(fetch(f"http://127.0.0.1:{self._page}/status.json"))
        return found

    def listed(self) -> list[dict[str, object]]:
        words = ("agent", "collectors", str(self.folder.root), "--json")
        found: list[dict[str, object]] = json.loads(command(*words).stdout)
        return found

    def signals(self) -> int:
        connection = reader(self.folder.database)
        (found,) = connection.execute("SELECT coalesce(sum(signals), 0) FROM sources").fetchone()
        connection.close()
        return int(found)


@pytest.fixture
def annex(tmp_path: Path) -> Iterator[Annex]:
    with ExitStack() as held:
        yield Annex(tmp_path, held)


def test_a_lesson_is_read_elsewhere_and_counts_once_however_often_either_side_is_killed(annex: Annex) -> None:
    rng = random.Random(4)
    for minute in range(MINUTES):
        with annex.log.open("a") as file:
            file.write(look_ups(minute))
        if minute % 6 == 5:
            goal = len(PEOPLE) * 6 * (minute - 3)
            until(lambda goal=goal: annex.signals() >= goal, "most of it has arrived")  # type: ignore[misc] # bound now
            victim = rng.choice([annex.collector, annex.agent])
            victim.kill()
            victim.start()
    expected = len(PEOPLE) * 6 * MINUTES
    until(lambda: annex.signals() >= expected, "everything has arrived")
    annex.agent.kill()
    annex.set_clock(at(10, 30))
    annex.agent.start()
    # It waits for its collector, which tells by the agent's clock how far it has read.
    until(lambda: annex.status()["windows"]["closed"] == 1, "the lesson is closed")  # type: ignore[index] # JSON
    assert annex.signals() == expected
    kept = [path for path in (annex.root / "state").rglob("*") if path.is_file()]
    assert sorted(path.name for path in kept) == ["collector.key", "collector.toml"], (
        "nothing else on its disk"
    )
    assert stat.S_IMODE((annex.root / "state" / "collector.key").stat().st_mode) == 0o600


def test_an_invitation_lets_one_collector_in_and_revoking_refuses_it(annex: Annex) -> None:
    until((annex.root / "state" / "collector.toml").exists, "it has joined")
    again = command(*annex.words("thief"), check=False)
    assert (again.returncode, "ask for a new one" in again.stderr) == (1, True)
    (listed,) = annex.listed()
    assert (listed["name"], listed["kind"], listed["revoked"]) == ("annex", "dnsmasq", None)
    said = annex.collector.log.read_text()
    assert f"This collector's fingerprint: {listed['fingerprint']}" in said and "The agent's finger" in said
    with annex.log.open("a") as file:
        file.write(look_ups(1))
    until(lambda: annex.signals() == len(PEOPLE) * 6, "what it read has arrived")
    annex.collector.stop()
    annex.collector = Process(annex.root / "collect.log", *annex.words(), "--new-key")
    until(lambda: len(annex.listed()) == 2, "it has gone over to a new key")
    command("agent", "revoke", str(annex.folder.root), "annex")
    with annex.log.open("a") as file:
        file.write(look_ups(2))
    until(lambda: re.search("refused", annex.collector.log.read_text()), "it is refused, and says so")
    assert annex.signals() == len(PEOPLE) * 6, "what it sent stays, and no more comes"
    told: dict[str, Any] = annex.status()
    (source,) = told["sources"]
    assert (source["id"], source["state"].partition(":")[0]) == ("annex", "revoked")
    assert told["signals"] == source["signals"] == len(PEOPLE) * 6


def test_a_collector_that_was_not_invited_says_what_to_do(tmp_path: Path) -> None:
    words = ("collect", "dnsmasq", "x.log", "--agent", "tcp://127.0.0.1:9", "--dir", str(tmp_path / "state"))
    done = command(*words, check=False)
    assert done.returncode == 2
    assert "agent invite" in done.stderr


def test_a_collector_that_is_started_for_another_kind_says_so(annex: Annex) -> None:
    until((annex.root / "state" / "collector.toml").exists, "it has joined")
    annex.collector.stop()
    words = ["pihole" if word == "dnsmasq" else word for word in annex.words()]
    done = command(*words, check=False)
    assert (done.returncode, "another kind of log" in done.stderr) == (1, True)


def test_a_collector_whose_file_holds_no_key_names_the_file(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "collector.toml").write_text('address = "tcp://127.0.0.1:9"\npublic_key = "abc"\n')
    done = command("collect", "dnsmasq", "x.log", "--dir", str(state), check=False)
    assert done.returncode == 1
    assert "collector.toml" in done.stderr


def test_an_agent_that_nobody_can_call_invites_nobody(tmp_path: Path) -> None:
    folder = make_school(tmp_path / "school", SchoolSpec([ClassSpec("c1", "t1", PEOPLE)]))
    words = ("agent", "invite", str(folder.root), "--collector", "annex", "--kind", "dnsmasq")
    done = command(*words, check=False)
    assert done.returncode in {1, 2}
    assert "[intake]" in done.stderr
