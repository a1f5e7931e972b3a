"""A disk dies on a Monday morning: what was put back elsewhere goes on, and every lesson counts once."""

import json
import shutil
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from edge_agent.paths import AgentFolder
from shared.storage import reader
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.end_to_end.town import Town, command, fetch, free_ports, until

ZONE = ZoneInfo("Europe/Zurich")
PEOPLE = learners(12)
STARTS = [f"{9 + n // 3:02d}:{n % 3 * 20:02d}" for n in range(7)]
BELLS = [(str(n), "Mon", STARTS[n], STARTS[n + 1]) for n in range(6)]
NAMES = ("padlet.com", "kahoot.it", "wikipedia.org")


def moment(hour: int, minute: int) -> float:
    return datetime(2026, 9, 14, hour, minute, tzinfo=ZONE).timestamp()


def lines(first: int, last: int) -> str:
    """Minutes `first` to `last` after nine: each device asks twice a minute, its own names."""
    found = []
    for minute in range(first, last):
        for i in range(1, len(PEOPLE) + 1):
            for second in (i, i + 30):
                name = NAMES[(minute + i) % (1 + i % 3)]
                stamp = f"Sep 14 {9 + minute // 60:02d}:{minute % 60:02d}:{second:02d}"
                found.append(f"{stamp} dnsmasq[9]: query[A] {name} from 10.0.0.{i}\n")
    return "".join(found)


LEASES = "".join(
    f"Sep 14 08:00:00 dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad\n"
    for i, person in enumerate(PEOPLE, start=1)
)


def open_school(root: Path) -> AgentFolder:
    own = ClassSpec("c1", "t1", PEOPLE, ",".join(str(n) for n in range(6)))
    folder = make_school(root, SchoolSpec([own], BELLS, name="Restored School"))
    (page,) = free_ports(1)
    folder.settings.write_text(
        f'{folder.settings.read_text()}\n[clock]\nfile = "../clock.json"\n[page]\nport = {page}\n'
        '[[sources]]\nkind = "dnsmasq"\nid = "resolver"\npath = "../dnsmasq.log"\n'
    )
    return folder


def lessons_on_hub(town: Town, code: str) -> list[dict[str, Any]]:
    found = json.loads(fetch(town.hub_url(f"/api/v1/schools/restored-school/classes/{code}")))
    lessons: list[dict[str, Any]] = found["lessons"]
    return sorted(lessons, key=lambda lesson: str(lesson["start"]))


def features(folder: AgentFolder) -> dict[int, dict[str, float]]:
    """Of each closed window, by start."""
    with closing(reader(folder.database)) as connection:
        rows = connection.execute("SELECT start, window FROM windows").fetchall()
    return {start: json.loads(window)["features"] for start, window in rows}


def test_a_restored_agent_goes_on_and_its_lessons_are_those_of_one_that_never_stopped(tmp_path: Path) -> None:
    town = Town(tmp_path)
    old = open_school(tmp_path / "old")
    log = tmp_path / "dnsmasq.log"
    log.write_text(LEASES + lines(0, 37))
    town.set_clock(moment(9, 37))
    town.start_hub()
    town.join(old.root, "Restored School")
    (row,) = json.loads(command("agent", "classes", str(old.root), "--json").stdout)
    command("agent", "share", str(old.root), row["code"], "--until", "2026-12-31")
    agent = town.start_agent(old.root)
    lost = AgentFolder(tmp_path / "never")
    try:
        town.caught_up(old.root, moment(9, 37))
        said = command("agent", "backup", str(old.root), str(tmp_path / "backup"), "--with-input").stdout
        assert "1 lessons under way" in said
        with log.open("a") as file:
            file.write(lines(37, 60))
        town.set_clock(moment(9, 57))
        town.caught_up(old.root, moment(9, 57))
        until(lambda: len(lessons_on_hub(town, row["code"])) == 2, "two lessons of the old machine")
        agent.kill()
        shutil.move(old.root, lost.root)  # the disk is gone; it is looked at once more at the end

        new = AgentFolder(tmp_path / "new")
        command("agent", "restore", str(tmp_path / "backup"), str(new.root))
        town.start_agent(new.root)
        with log.open("a") as file:
            file.write(lines(60, 120))
        town.set_clock(moment(11, 30))
        town.caught_up(new.root, moment(11, 30))
        until(lambda: len(lessons_on_hub(town, row["code"])) == 6, "six lessons")
        until(lambda: town.status(new.root)["outbox"]["pending"] == 0, "everything delivered")
        lessons = lessons_on_hub(town, row["code"])
    finally:
        town.stop()
    assert [lesson["revision"] for lesson in lessons] == [1] * 6
    assert {lesson["devices"] for lesson in lessons} == {12}
    expected = replayed(tmp_path, new, log)
    before, after = features(lost), features(new)
    assert sorted(before | after) == sorted(expected)
    assert len(after) == 5, "the lesson under way at the backup is the old machine's alone"
    assert before | after == expected, "no lesson lacks a signal or has one twice"
    command("hub", "verify", str(town.hub_folder))


def replayed(root: Path, folder: AgentFolder, log: Path) -> dict[int, dict[str, float]]:
    """What an agent that read the whole log at once makes of the same lessons."""
    out = root / "records.jsonl"
    command(
        "agent",
        "replay",
        str(folder.root),
        "--source",
        "dnsmasq",
        str(log),
        "--year",
        "2026",
        "--out",
        str(out),
    )
    records = [json.loads(line) for line in out.read_text().splitlines()]
    return {
        int(datetime.fromisoformat(record["start"]).timestamp()): record["features"]
        for record in records
        if record["kind"] == "lesson"
    }
