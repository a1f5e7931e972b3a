"""A clock that goes back, a two-hour delay, an address that changes hands: each look-up lands once."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.edge_agent.school import ClassSpec, Learner, SchoolSpec, learners, make_school

ZURICH = ZoneInfo("Europe/Zurich")
EVERY = timedelta(seconds=30)  # each iPad asks for another of two apps that often
ANNA_LEAVES = datetime(2026, 10, 26, 11, 30, tzinfo=ZURICH)
SHARED = "10.20.0.1"

BELLS = [
    ("night", "Sun", "01:30", "03:30"),  # the school's astronomers are up when the clock goes back
    ("1", "Mon", "08:00", "09:00"),
    ("2", "Mon", "09:30", "10:30"),
    ("3", "Mon", "11:00", "12:00"),
]


def commonground(*arguments: str) -> Any:
    command = [sys.executable, "-m", "commonground", "agent", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def stamp(moment: datetime) -> str:
    return moment.astimezone(ZURICH).strftime("%b %e %H:%M:%S")


def asked(first: datetime, last: datetime, owners: dict[str, Learner]) -> list[str]:
    """Every address asks every half minute, `first` included and `last` not, in real seconds."""
    lines, moment, step = [], first.astimezone(UTC), 0
    while moment < last.astimezone(UTC):
        name = ("padlet.com", "kahoot.it")[step % 2]
        lines += [f"{stamp(moment)} dnsmasq[9]: query[A] {name} from {address}" for address in owners]
        moment, step = moment + EVERY, step + 1
    return lines


def leased(moment: datetime, owners: dict[str, Learner]) -> list[str]:
    return [
        f"{stamp(moment)} dnsmasq-dhcp[9]: DHCPACK(wlan0) {address} {person.hardware}"
        for address, person in owners.items()
    ]


@pytest.fixture
def replayed(tmp_path: Path) -> tuple[dict[str, Any], dict[tuple[str, str], dict[str, Any]]]:
    """What the command said, and each lesson's record by its teacher's class and its local start."""
    first, second = learners(12, "a"), learners(12, "b")
    classes = [
        ClassSpec("first", "teacher1", first, "night,1,2,3", subject="Science"),
        ClassSpec("second", "teacher2", second, "night,1,2,3", subject="Music"),
    ]
    folder = make_school(tmp_path / "agent", SchoolSpec(classes, BELLS, settings='[clock]\nfile = "clock"\n'))
    before = datetime(2026, 10, 25, 0, 10, tzinfo=ZURICH).timestamp()
    (folder.root / "clock").write_text(json.dumps({"simulated": before, "real": 0, "rate": 0}))
    delay = commonground("today", str(folder.root), "two-hour delay", "--date", "2026-10-26")
    assert delay.returncode == 0, delay.stderr

    anna, late = first[0], second[0]
    present = [*first, *second[1:]]  # of the second class one comes only when Anna leaves
    owners = {f"10.20.0.{i}": person for i, person in enumerate(present, 1)}
    assert owners[SHARED] is anna
    sunday, monday = datetime(2026, 10, 25, tzinfo=ZURICH), datetime(2026, 10, 26, tzinfo=ZURICH)
    lines = leased(sunday + timedelta(minutes=20), owners)
    lines += asked(sunday.replace(hour=1), sunday.replace(hour=4), owners)
    lines += leased(monday.replace(hour=7), owners)
    lines += asked(monday.replace(hour=7, minute=30), ANNA_LEAVES, owners)
    lines += leased(ANNA_LEAVES, {SHARED: late})
    lines += asked(ANNA_LEAVES, monday.replace(hour=12, minute=30), owners)
    log, out = tmp_path / "dnsmasq.log", tmp_path / "records.jsonl"
    log.write_text("\n".join(lines) + "\n")

    done = commonground(
        "replay",
        str(folder.root),
        str(log),
        "--source",
        "dnsmasq",
        "--year",
        "2026",
        "--out",
        str(out),
        "--json",
    )
    assert done.returncode == 0, done.stderr
    lessons = {}
    for line in out.read_text().splitlines():
        record = json.loads(line)
        if record["kind"] == "lesson":
            begins = datetime.fromisoformat(record["start"]).astimezone(ZURICH)
            lessons[record["subject"], begins.strftime("%a %H:%M")] = record
    said = json.loads(done.stdout)
    said["asked"] = sum(": query[" in line for line in lines)
    return said, lessons


def test_every_look_up_is_in_one_lesson_or_counted_outside(
    replayed: tuple[dict[str, Any], dict[tuple[str, str], dict[str, Any]]],
) -> None:
    said, _ = replayed
    outside = said["counts"]["outside"]
    assert said["asked"] == said["signals"] + sum(outside.values())
    # Outside by hand, of 23 addresses that ask twice a minute. Sunday: half an hour before
    # the lesson and after it. Monday: 07:30 to 10:00 (the delay), 10:30 to 11:00, 12:00 to 12:30.
    minutes = 30 + 30 + 150 + 30 + 30
    assert outside == {"outside_lessons": 23 * 2 * minutes}
    assert "unmatched" not in said["counts"]
    assert "late" not in said["counts"]


def test_a_lesson_in_which_the_clock_goes_back_lasts_as_long_as_it_lasted(
    replayed: tuple[dict[str, Any], dict[tuple[str, str], dict[str, Any]]],
) -> None:
    _, lessons = replayed
    record = lessons["Science", "Sun 01:30"]
    assert record["minutes"] == 180, "half past one to half past three, with one hour twice"
    assert record["evidence"] == 12 * 180


def test_after_a_two_hour_delay_the_day_begins_at_ten(
    replayed: tuple[dict[str, Any], dict[tuple[str, str], dict[str, Any]]],
) -> None:
    _, lessons = replayed
    assert sorted(start for subject, start in lessons if subject == "Science" and "Mon" in start) == [
        "Mon 10:00",
        "Mon 11:00",
    ]
    assert lessons["Science", "Mon 10:00"]["minutes"] == 30
    assert lessons["Science", "Mon 10:00"]["evidence"] == 12 * 30


def test_an_address_that_changes_hands_in_mid_lesson_belongs_to_each_for_its_time(
    replayed: tuple[dict[str, Any], dict[tuple[str, str], dict[str, Any]]],
) -> None:
    _, lessons = replayed
    hers, theirs = lessons["Science", "Mon 11:00"], lessons["Music", "Mon 11:00"]
    # Anna asks for the last time at 11:29:30; what follows a last look-up counts for a minute.
    assert hers["devices"] == 12
    assert hers["evidence"] == 11 * 60 + 30.5
    # Who follows her begins at 11:30.
    assert theirs["devices"] == 12
    assert theirs["evidence"] == 11 * 60 + 30
