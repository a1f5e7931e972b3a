"""Nothing lost, nothing twice: agent and hub are killed without warning for two minutes of school days.

A failure here is a signal or a record that is missing at the end or was counted twice, a lesson that left
in two revisions, or a process that ended by itself. When the next kill comes and whom it strikes is from a
seed; where in its work it strikes them is not determined, and whatever each was doing then is fair.
"""

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from edge_agent.paths import AgentFolder
from shared import signals
from shared.storage import reader
from tests.edge_agent.school import ClassSpec, Learner, SchoolSpec, learners, make_school
from tests.end_to_end.town import Process, Town, command, fetch, free_ports, until

SECONDS = 120.0  # of load, in which the kills fall
SPEED = 240  # simulated seconds in each: the eight hours of a school day
SLICE = 0.25
MEAN_GAP = 4.0  # seconds between kills, on average

ZONE = ZoneInfo("Europe/Zurich")
MORNING = int(datetime(2026, 9, 14, 9, 0, tzinfo=ZONE).timestamp())
EVENING = datetime(2026, 9, 14, 20, 0, tzinfo=ZONE).timestamp()
LESSON = 20 * 60
LESSONS = int(SECONDS * SPEED) // LESSON
CLASSES = 6
DEVICES = 12
ASKS_EACH = 4  # simulated seconds from one look-up of a device to its next
NAMES = ("padlet.com", "app.bookcreator.com", "kahoot.it")
BELLS = [
    (str(n), "Mon", f"{9 + n // 3:02d}:{n % 3 * 20:02d}", f"{9 + (n + 1) // 3:02d}:{(n + 1) % 3 * 20:02d}")
    for n in range(LESSONS)
]


@dataclass
class School:
    """The school's folder, its log, and whose address each device has."""

    folder: AgentFolder
    people: list[list[Learner]]
    codes: list[str]

    @property
    def log(self) -> Path:
        return self.folder.root / "input" / "dnsmasq.log"

    def write(self, start: int, end: int) -> int:
        """The look-ups of `start <= t < end`; how many."""
        lines = []
        for t in range(start, end):
            stamp = datetime.fromtimestamp(t, ZONE).strftime("%b %d %H:%M:%S")
            name = NAMES[t // ASKS_EACH % len(NAMES)]
            lines += [
                f"{stamp} dnsmasq[9]: query[A] {name} from 10.0.{c}.{d}\n"
                for c in range(CLASSES)
                if meets(c, (t - MORNING) // LESSON)
                for d in range(1, DEVICES + 1)
                if (t + d) % ASKS_EACH == 0
            ]
        with self.log.open("a") as file:
            file.write("".join(lines))
        return len(lines)


def meets(number: int, lesson: int) -> bool:
    """Half of the classes have a lesson at every bell."""
    return (number + lesson) % 2 == 0


def open_school(root: Path) -> School:
    people = [learners(DEVICES, "abcdef"[c]) for c in range(CLASSES)]
    classes = [
        ClassSpec(f"c{c}", f"t{c}", people[c], ",".join(str(n) for n in range(LESSONS) if meets(c, n)))
        for c in range(CLASSES)
    ]
    folder = make_school(root, SchoolSpec(classes, BELLS, name="Kill School"))
    (page,) = free_ports(1)
    folder.settings.write_text(
        f'{folder.settings.read_text()}\n[clock]\nfile = "../clock.json"\n[page]\nport = {page}\n'
        '[[sources]]\nkind = "dnsmasq"\nid = "resolver"\npath = "input/dnsmasq.log"\n'
    )
    school = School(folder, people, [])
    school.log.write_text(
        "".join(
            f"Sep 14 08:00:00 dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.{c}.{d} {person.hardware} iPad\n"
            for c in range(CLASSES)
            for d, person in enumerate(people[c], start=1)
        )
    )
    return school


def share(school: School) -> None:
    """Every class is shared, so that every lesson leaves."""
    for row in json.loads(command("agent", "classes", str(school.folder.root), "--json").stdout):
        command("agent", "share", str(school.folder.root), row["code"], "--until", "2026-12-31")
        school.codes.append(row["code"])


def schedule(rng: random.Random) -> list[tuple[float, tuple[str, ...]]]:
    """When to strike, in seconds of load, and whom: the agent, the hub, or both at once."""
    moments, at = [], rng.expovariate(1 / MEAN_GAP)
    while at < SECONDS:
        moments.append((at, rng.choice([("agent",), ("hub",), ("agent", "hub")])))
        at += rng.expovariate(1 / MEAN_GAP)
    return moments


def day_under_fire(town: Town, school: School, victims: dict[str, Process]) -> tuple[int, Counter[str]]:
    """A school day in two minutes: log lines and simulated clock go on, whoever lives; lines, and kills."""
    strikes = schedule(random.Random(20))
    kills: Counter[str] = Counter()
    pace = threading.Event()
    written, began, reached = 0, time.monotonic(), MORNING
    for number in range(1, int(SECONDS / SLICE) + 1):
        upto = MORNING + int(number * SLICE * SPEED)
        written += school.write(reached, upto)
        town.set_clock(upto)
        reached = upto
        while strikes and strikes[0][0] <= number * SLICE:
            moment, names = strikes.pop(0)
            pace.wait(max(0.0, began + moment - time.monotonic()))  # the load's own pace, nobody is awaited
            for name in names:
                victims[name].kill()
            for name in names:
                victims[name].start()
            kills.update(names)
        pace.wait(max(0.0, began + number * SLICE - time.monotonic()))
    return written, kills


def test_every_signal_and_record_counts_once_after_two_minutes_of_kills(tmp_path: Path) -> None:
    town = Town(tmp_path)
    school = open_school(tmp_path / "school")
    town.set_clock(MORNING - 60)
    hub = town.start_hub()
    town.join(school.folder.root, "Kill School")
    share(school)
    agent = town.start_agent(school.folder.root)
    try:
        written, kills = day_under_fire(town, school, {"agent": agent, "hub": hub})
        town.set_clock(EVENING)
        status = town.caught_up(school.folder.root, EVENING)
        pages = [
            until(partial(lessons_on_hub, town, code), f"class {code} on the hub") for code in school.codes
        ]
    finally:
        town.stop()
    assert min(kills["agent"], kills["hub"]) >= 10, "both were struck again and again"
    assert status["signals"] == written, "each signal was accepted exactly once"
    assert set(buckets(school.folder).values()) == {1}, "no signal lies there twice"
    assert sum(buckets(school.folder).values()) == written
    assert sum(map(len, pages)) == CLASSES * LESSONS // 2, "each lesson is on the hub"
    assert {lesson["devices"] for page in pages for lesson in page} == {DEVICES}
    assert {lesson["revision"] for page in pages for lesson in page} == {1}
    assert disclosed(school.folder) == CLASSES * LESSONS // 2, "each lesson left exactly once"
    command("hub", "verify", str(town.hub_folder))  # what the hub holds is what was disclosed


def lessons_on_hub(town: Town, code: str) -> list[dict[str, int]]:
    found = json.loads(fetch(town.hub_url(f"/api/v1/schools/kill-school/classes/{code}")))
    lessons: list[dict[str, int]] = found["lessons"]
    return lessons


def buckets(folder: AgentFolder) -> Counter[tuple[int, int, int]]:
    """How often each signal (second, device, app) is stored."""
    connection = reader(folder.database)
    counted: Counter[tuple[int, int, int]] = Counter()
    for (payload,) in connection.execute("SELECT payload FROM batches"):
        batch = signals.decode(payload, apps=0xFFFF)
        counted.update(zip(batch.t.tolist(), batch.device.tolist(), batch.app.tolist(), strict=True))
    connection.close()
    return counted


def disclosed(folder: AgentFolder) -> int:
    connection = reader(folder.database)
    (sent,) = connection.execute("SELECT count(*) FROM disclosures WHERE kind = 'lesson'").fetchone()
    connection.close()
    return int(sent)
