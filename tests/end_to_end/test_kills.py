"""Nothing lost, nothing twice: agent and hub are killed without warning while a school day goes on."""

import json
import random
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from shared.storage import reader
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.end_to_end.town import Town, command, fetch, free_ports, until

ZONE = ZoneInfo("Europe/Zurich")
NOON = datetime(2026, 9, 14, 12, 0, tzinfo=ZONE).timestamp()
EVENING = datetime(2026, 9, 14, 20, 0, tzinfo=ZONE).timestamp()
BELLS = [(str(p), "Mon Tue Wed Thu Fri", f"{8 + p:02d}:00", f"{8 + p:02d}:45") for p in range(1, 9)]


def lines_of(period: int, people: int) -> list[str]:
    """A lesson's look-ups: each device asks once a second for five minutes."""
    names = ("padlet.com", "app.bookcreator.com", "kahoot.it")
    stamps = [f"Sep 14 {8 + period:02d}:{5 + s // 60:02d}:{s % 60:02d}" for s in range(300)]
    return [
        f"{stamp} dnsmasq[9]: query[A] {names[second % 3]} from 10.0.0.{i}"
        for second, stamp in enumerate(stamps)
        for i in range(1, people + 1)
    ]


def test_every_signal_counts_once_however_often_either_side_is_killed(tmp_path: Path) -> None:
    people, town, rng = learners(24), Town(tmp_path), random.Random(7)
    periods = ",".join(str(p) for p in range(1, 9))
    spec = SchoolSpec([ClassSpec("c1", "t1", people, periods)], BELLS, name="Kill School")
    folder = make_school(tmp_path / "school", spec)
    (page,) = free_ports(1)
    folder.settings.write_text(
        f'{folder.settings.read_text()}\n[clock]\nfile = "../clock.json"\n[page]\nport = {page}\n'
        '[[sources]]\nkind = "dnsmasq"\nid = "resolver"\npath = "input/dnsmasq.log"\n'
    )
    log = folder.root / "input" / "dnsmasq.log"
    log.write_text(
        "".join(
            f"Sep 14 08:00:00 dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad\n"
            for i, person in enumerate(people, start=1)
        )
    )
    town.set_clock(NOON - 4 * 3600)
    hub = town.start_hub()
    town.join(folder.root, "Kill School")
    (row,) = json.loads(command("agent", "classes", str(folder.root), "--json").stdout)
    command("agent", "share", str(folder.root), row["code"], "--until", "2026-12-31")
    agent = town.start_agent(folder.root)
    try:
        for period in range(1, 9):
            lines = lines_of(period, len(people))
            cut = rng.randrange(1, len(lines))
            for part, victim in ((lines[:cut], agent), (lines[cut:], rng.choice([agent, hub]))):
                until(lambda: town.status(folder.root), "the agent's page")
                with log.open("a") as file:
                    file.write("\n".join(part) + "\n")
                time.sleep(rng.uniform(0, 0.4))  # any moment will do: before, while or after it is read
                victim.kill()
                victim.start()
            town.set_clock(datetime(2026, 9, 14, 9 + period, 0, tzinfo=ZONE).timestamp())
        town.set_clock(EVENING)
        status = town.caught_up(folder.root, EVENING)
        shared = until(
            lambda: json.loads(fetch(town.hub_url(f"/api/v1/schools/kill-school/classes/{row['code']}"))),
            "the shared class",
        )
    finally:
        town.stop()
    assert status["signals"] == 8 * 300 * 24, "each signal was accepted exactly once"
    assert [lesson["devices"] for lesson in shared["lessons"]] == [24] * 8
    assert {lesson["revision"] for lesson in shared["lessons"]} == {1}
    connection = reader(folder.database)
    (sent,) = connection.execute("SELECT count(*) FROM disclosures WHERE kind = 'lesson'").fetchone()
    connection.close()
    assert sent == 8, "each lesson left exactly once"
