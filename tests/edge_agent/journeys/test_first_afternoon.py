"""The first afternoon: Pi-hole's log, Apple School Manager's zip, a Mosyle export; init, check, replay."""

import json
import os
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from models.catalogue.load import load_catalogue
from tests.edge_agent.replay.test_replay import assert_features
from tests.models.polars_features import polars_features

FILES = Path(__file__).parent / "first"
ZONE = ZoneInfo("Europe/Zurich")
APPLE = ("students", "staff", "courses", "classes", "rosters", "locations")
APPS = {"app.bookcreator.com": "book_creator", "padlet.com": "padlet", "kahoot.it": "kahoot"}
KNOWN = {f"10.20.0.{number}": number for number in range(11, 22)}  # eleven learners; the twelfth hides
NOON = datetime(2026, 9, 14, 12, tzinfo=ZONE).timestamp()


def agent(*words: str) -> Any:
    command = [sys.executable, "-m", "commonground", "agent", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """A folder as `init` makes it, with the school's files where somebody put them that Monday."""
    root = tmp_path / "agent"
    done = agent("init", str(root), "--school", "Alder Creek", "--timezone", ZONE.key)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(root / "input" / "apple.zip", "w") as archive:
        for name in APPLE:
            archive.write(FILES / f"{name}.csv", f"{name}.csv")
    for name in ("mosyle.csv", "bells.csv", "timetable.csv", "pihole.log"):
        (root / "input" / name).write_bytes((FILES / name).read_bytes())
    (root / "input" / "pihole.log").chmod(0o640)
    os.utime(root / "input" / "pihole.log", (NOON, NOON))
    (root / "clock.json").write_text(json.dumps({"simulated": NOON, "real": 0.0, "rate": 0.0}))
    (root / "agent.toml").write_text(
        f"""school = "Alder Creek"\ntimezone = "{ZONE.key}"
[page]\nport = 8199
[identity]\ninventory = "input/mosyle.csv"\nroster = "input/apple.zip"\ntimetable = "input/timetable.csv"
[clock]\nfile = "clock.json"
[[sources]]\nkind = "pihole"\nid = "resolver"\npath = "input/pihole.log"\n"""
    )
    return root


def checked(root: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = agent("check", str(root), "--json", *words)
    assert done.returncode in (0, 3, 4), done.stderr
    return done.returncode, {one["id"]: one for one in json.loads(done.stdout)["findings"]}


def test_the_check_tells_the_match_rate_and_why_each_of_the_others_is_not_matched(school: Path) -> None:
    code, found = checked(school)
    rate = found["devices.matched"]
    assert rate["figures"] == {"matched": 11, "devices": 15, "percent": 73.3}
    missed = {"private_address": 1, "no_class": 1, "unknown_device": 1, "no_lease": 1, "unknown_user": 0}
    assert {reason: found[f"devices.{reason}"]["figures"]["devices"] for reason in missed} == missed
    assert all(found[f"devices.{reason}"]["do"] for reason, number in missed.items() if number)
    assert found["devices.left_out"]["figures"] == {"staff": 1, "opted_out": 0}
    assert found["classes.period"]["examples"] == found["classes.learners"]["examples"] == ["7B-OLD"]
    assert found["identity.rows"]["figures"] == {"rows": 1}
    assert found["source.resolver.retention"]["level"] == found["source.resolver.rights"]["level"] == "ok"
    assert (code, found["hub.joined"]["level"]) == (4, "look")


def test_nothing_of_what_was_sampled_is_kept_and_nobody_is_named(school: Path) -> None:
    before = {path.name for path in school.iterdir()}
    done = agent("check", str(school), "--json")
    assert {path.name for path in school.iterdir()} == before
    for told in ("learner0", "10.20.0", "a4:83", "A483E7", "DMPX", "bookcreator", "padlet"):
        assert told not in done.stdout


def test_the_exit_code_says_how_bad_it_is(school: Path) -> None:
    assert checked(school)[0] == 4
    assert agent("check", str(school), "--since", "someday").returncode == 2
    (school / "agent.toml").write_text("school = 1")
    assert agent("check", str(school)).returncode == 1


def test_look_ups_before_the_day_that_was_named_do_not_count(school: Path) -> None:
    assert "devices.matched" not in checked(school, "--since", "2026-09-15")[1]


def test_one_lesson_of_the_replay_equals_a_count_by_hand(school: Path, tmp_path: Path) -> None:
    out = tmp_path / "records.jsonl"
    log = str(school / "input" / "pihole.log")
    done = agent(
        "replay", str(school), log, "--source", "pihole", "--year", "2026", "--out", str(out), "--json"
    )
    assert done.returncode == 0, done.stderr
    (record,) = [
        one for line in out.read_text().splitlines() if (one := json.loads(line))["kind"] == "lesson"
    ]
    contacts = by_hand()
    assert len(contacts) == 66, "six look-ups of eleven iPads"
    assert record["start"] == "2026-09-14T09:05:00+02:00"
    assert (record["minutes"], record["devices"], record["expected"]) == (45, 11, 12)
    assert_features(record, features_by_hand(contacts, record))
    counts = json.loads(done.stdout)["counts"]
    # Of the hidden iPad 20 look-ups, as each comes up to three times; of the others one each.
    expected = {"private_address": 20, "no_class": 1, "unknown_device": 1, "no_lease": 2, "staff": 1}
    assert counts["unmatched"] == expected
    assert counts["refused"] == {"malformed_line": 1}
    assert counts["lesson not written"] == {"few_devices": 1}, "art, with eight iPads"


def by_hand() -> set[tuple[int, int, str]]:
    """(second, learner, app) of every contact in maths, read with nothing of the agent's."""
    found = set()
    for line in (FILES / "pihole.log").read_text().splitlines():
        words = line.split()
        if len(words) == 8 and words[4].startswith("query[") and words[7] in KNOWN:
            stamp = datetime.strptime(f"2026 {' '.join(words[:3])}", "%Y %b %d %H:%M:%S").replace(tzinfo=ZONE)
            if "09:05:00" <= words[2] < "09:50:00" and "apple.com" not in words[5]:
                found.add((int(stamp.timestamp()), KNOWN[words[7]], APPS.get(words[5], "")))
    return found


def features_by_hand(contacts: set[tuple[int, int, str]], record: dict[str, Any]) -> dict[str, float | None]:
    catalogue, rows = load_catalogue(), sorted(contacts)
    start = int(datetime.fromisoformat(record["start"]).timestamp())
    signals = pl.DataFrame(
        {
            "window": [0] * len(rows),
            "t": [t for t, _, _ in rows],
            "device": [str(learner) for _, learner, _ in rows],
            "app": [catalogue.index(app) if app else 0 for _, _, app in rows],
            "action": [0] * len(rows),
            "amount": [0.0] * len(rows),
        }
    )
    lesson = {
        "window": ["w"],
        "start": [start],
        "end": [start + 2700],
        "kinds": [["pihole"]],
        "expected": [12],
    }
    frame = polars_features(signals, pl.DataFrame(lesson), catalogue.channel_weights(), catalogue.off_task())
    return frame.row(0, named=True)
