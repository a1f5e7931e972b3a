"""Past logs through the whole pipeline: what a real resolver wrote equals a count made independently."""

import bz2
import gzip
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
import zstandard

from edge_agent.paths import AgentFolder
from edge_agent.replay import past
from edge_agent.replay.days import ReplayDays
from edge_agent.replay.outcome import Replayed
from edge_agent.replay.past import PIECE
from edge_agent.replay.run import replay_folder
from edge_agent.sources.framestream import DNSTAP, control
from models.catalogue.load import load_catalogue
from models.features.set1 import FEATURES
from tests.edge_agent.resolver import ask, dnsmasq, needs_dnsmasq
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.edge_agent.sources.dnstap_frames import frame
from tests.models.polars_features import polars_features

USE = {"app.bookcreator.com": "book_creator", "padlet.com": "padlet", "kahoot.it": "kahoot"}
BACKGROUND = [
    "1-courier.push.apple.com",
    "gateway.icloud.com",
    "captive.apple.com",
    "mask.icloud.com",
    "mask-h2.icloud.com",
    "7.2.0.192.in-addr.arpa",
]
SOME_HOURS = 256 * 1024  # bytes of the logs here, which are short
UNKNOWN = ["wiki.some-school.example", "unheard-of.example"]


def replay(folder: Path, out: Path, *logs: Path, source: str = "dnsmasq", year: str = "") -> Any:
    """Run the command as school IT would; the finished process."""
    command = [sys.executable, "-m", "commonground", "agent", "replay", str(folder), *map(str, logs)]
    command += ["--source", source, "--out", str(out), "--json"]
    command += ["--year", year] if year else []
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def zone_in_which_it_is_about_noon() -> str:
    offset = datetime.now(UTC).hour - 12  # POSIX names count westward
    return f"Etc/GMT{offset:+d}" if offset else "UTC"


def all_day(periods: str = "1") -> list[tuple[str, str, str, str]]:
    return [(periods, "Mon Tue Wed Thu Fri Sat Sun", "08:00", "17:00")]


@needs_dnsmasq
def test_what_a_real_dnsmasq_logged_is_counted_as_an_independent_count_has_it(tmp_path: Path) -> None:
    zone = zone_in_which_it_is_about_noon()
    people = learners(12)
    addresses = {f"127.0.0.{10 + i}": person for i, person in enumerate(people)}
    spec = SchoolSpec([ClassSpec("c1", "teacher1", people)], all_day(), zone, leases="input/leases")
    folder = make_school(tmp_path / "agent", spec)
    (folder.root / "input" / "leases").write_text(
        "".join(f"1800000000 {p.hardware} {address} iPad *\n" for address, p in addresses.items())
    )
    log = tmp_path / "dnsmasq.log"
    with dnsmasq(log, zone=zone) as port:
        for step, address in enumerate([*addresses] * 3):
            for name in [list(USE)[step % 3], UNKNOWN[step % 2], BACKGROUND[step % len(BACKGROUND)]]:
                for kind in ("A", "AAAA", "HTTPS"):
                    ask(port, address, name, kind)
        ask(port, "127.0.0.99", "padlet.com")  # nobody's address

    out = tmp_path / "records.jsonl"
    done = replay(folder.root, out, log)
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)["counts"]
    (record,) = [item for item in records(out) if item["kind"] == "lesson"]

    contacts = independent_contacts(log, zone, addresses)
    assert record["devices"] == len({device for _, device, _ in contacts}) == 12
    assert record["expected"] == 12
    assert json.loads(done.stdout)["signals"] == len(contacts)
    assert counts["unmatched"] == {"no_lease": 2}, "its own probe at the start, and nobody's address"
    background = sum(
        len(re.findall(rf"query\[(?:A|AAAA|HTTPS)\] {re.escape(n)} ", log.read_text())) for n in BACKGROUND
    )
    assert counts["outside"]["background"] == background > 0
    assert_features(record, independent_features(contacts, record))


def independent_contacts(log: Path, zone: str, addresses: dict[str, Any]) -> set[tuple[int, str, str]]:
    """(second, address, app) of every contact, read with another pattern than the agent's."""
    year, found = datetime.now(ZoneInfo(zone)).year, set()
    for line in log.read_text().splitlines():
        words = line.split()
        if len(words) == 8 and words[4] in {"query[A]", "query[AAAA]", "query[HTTPS]"}:
            name, address = words[5], words[7]
            if address in addresses and name not in BACKGROUND:
                stamp = datetime.strptime(f"{year} {' '.join(words[:3])}", "%Y %b %d %H:%M:%S")
                second = int(stamp.replace(tzinfo=ZoneInfo(zone)).timestamp())
                found.add((second, address, USE.get(name, "")))
    return found


def independent_features(
    contacts: set[tuple[int, str, str]], record: dict[str, Any]
) -> dict[str, float | None]:
    catalogue = load_catalogue()
    start = int(datetime.fromisoformat(record["start"]).timestamp())
    rows = sorted(contacts)
    signals = pl.DataFrame(
        {
            "window": [0] * len(rows),
            "t": [t for t, _, _ in rows],
            "device": [address for _, address, _ in rows],
            "app": [catalogue.index(app) if app else 0 for _, _, app in rows],
            "action": [0] * len(rows),
            "amount": [0.0] * len(rows),
        }
    )
    windows = pl.DataFrame(
        {
            "window": ["w"],
            "start": [start],
            "end": [start + record["minutes"] * 60],
            "kinds": [["dnsmasq"]],
            "expected": [12],
        }
    )
    frame = polars_features(signals, windows, catalogue.channel_weights(), catalogue.off_task())
    return frame.row(0, named=True)


def assert_features(record: dict[str, Any], expected: dict[str, float | None]) -> None:
    assert list(record["features"]) == list(FEATURES)
    for name in FEATURES:
        ours, theirs = record["features"][name], expected[name]
        assert (ours is None) == (theirs is None), name
        if ours is not None and theirs is not None:
            assert np.isclose(ours, theirs, rtol=0, atol=1e-8), name


def written_log(path: Path, line: Callable[[int, int], str], count: int = 12) -> Path:
    """A log of one lesson: each of `count` devices gets its lease at 08:55 and looks up Padlet at 09:05."""
    leases = [
        f"Sep 14 08:55:{i:02d} dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad"
        for i, person in enumerate(learners(count), start=1)
    ]
    path.write_text("\n".join([*leases, *(line(i, j) for j in range(3) for i in range(1, count + 1))]) + "\n")
    return path


def plain(i: int, j: int) -> str:
    return f"Sep 14 09:0{5 + j}:{i:02d} dnsmasq[9]: query[A] padlet.com from 10.0.0.{i}"


def numbered(i: int, j: int) -> str:
    question = f"{i + j} 10.0.0.{i}/5353 query[A] padlet.com from 10.0.0.{i}"
    return f"Sep 14 09:0{5 + j}:{i:02d} pi.hole dnsmasq[9]: {question}"


@pytest.mark.parametrize(("source", "line"), [("dnsmasq", plain), ("pihole", numbered)])
def test_a_lesson_of_a_past_log_is_dated_by_the_year_given(
    tmp_path: Path, source: str, line: Callable[[int, int], str]
) -> None:
    folder = make_school(tmp_path / "agent", SchoolSpec([ClassSpec("c1", "t1", learners(12))]))
    out = tmp_path / "records.jsonl"
    done = replay(folder.root, out, written_log(tmp_path / "log", line), source=source, year="2026")
    assert done.returncode == 0, done.stderr
    (lesson,) = records(out)
    assert (lesson["start"], lesson["minutes"]) == ("2026-09-14T09:00:00+02:00", 45)
    assert (lesson["devices"], lesson["sources"]) == (12, [source])
    seconds = sum(17 * 60 + i for i in range(1, 13))  # to ten minutes after the last look-up of each
    assert lesson["visibility"] == pytest.approx(seconds / (12 * 45 * 60))
    assert {placement["verdict"] for placement in lesson["placements"]} == {"evidence_only"}
    assert len(lesson["strip"]) == 9


def test_a_class_of_nine_leaves_no_lesson_record(tmp_path: Path) -> None:
    folder = make_school(tmp_path / "agent", SchoolSpec([ClassSpec("c1", "t1", learners(9))]))
    out = tmp_path / "records.jsonl"
    done = replay(folder.root, out, written_log(tmp_path / "log", plain, 9), year="2026")
    assert done.returncode == 1
    assert out.read_text() == ""
    assert json.loads(done.stdout)["counts"]["lesson not written"] == {"few_devices": 1}
    assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr


def test_a_week_of_three_classes_is_written_as_one_aggregate(tmp_path: Path) -> None:
    people = learners(36)
    specs = [ClassSpec(f"c{k}", f"t{k}", people[k * 12 : k * 12 + 12]) for k in range(3)]
    folder = make_school(tmp_path / "agent", SchoolSpec(specs))
    out = tmp_path / "records.jsonl"
    done = replay(folder.root, out, written_log(tmp_path / "log", plain, 36), year="2026")
    assert done.returncode == 0, done.stderr
    *lessons, week = records(out)
    assert [lesson["kind"] for lesson in lessons] == ["lesson"] * 3
    assert (week["kind"], week["week"], week["grade_band"]) == ("week", "2026-W38", "3-5")
    assert (week["lessons"], week["classes"], week["teachers"], week["devices"]) == (3, 3, 3, 12)
    assert week["evidence"] == pytest.approx(sum(lesson["evidence"] for lesson in lessons), abs=1e-3)


LEASE = "Sep 14 08:00:00 dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.1 {} iPad\n"
QUERY = "Sep 14 {}:05:00 dnsmasq[9]: query[A] padlet.com from 10.0.0.1\n"
KNOWN, PRIVATE = "a4:83:e7:61:00:01", "a6:83:e7:61:00:01"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no lines"),
        ("not a log at all\n" * 5, "No line could be read"),
        (QUERY.format("09"), "No address could be matched"),
        (LEASE.format(KNOWN) + QUERY.format("12"), "Nothing fell into a lesson"),
        (LEASE.format(PRIVATE) + QUERY.format("09"), "Devices were seen that no class claims"),
    ],
)
def test_a_log_without_a_lesson_ends_with_what_to_do_and_no_stack_trace(
    tmp_path: Path, text: str, says: str
) -> None:
    folder = make_school(tmp_path / "agent", SchoolSpec([ClassSpec("c1", "t1", learners(12))]))
    log, out = tmp_path / "log", tmp_path / "records.jsonl"
    log.write_text(text)
    done = replay(folder.root, out, log, year="2026")
    assert done.returncode == 1
    assert says in done.stderr and len(done.stderr.splitlines()) == 1
    assert out.read_text() == ""


@pytest.fixture
def school(tmp_path: Path) -> AgentFolder:
    return make_school(tmp_path / "agent", SchoolSpec([ClassSpec("c1", "t1", learners(12))]))


def assert_refused(done: Any, says: str) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert says in done.stderr


def test_an_output_that_cannot_be_written_is_refused_before_the_run(
    tmp_path: Path, school: AgentFolder
) -> None:
    log = written_log(tmp_path / "log", plain)
    assert_refused(replay(school.root, tmp_path / "none" / "out", log), "No such file or directory; choose")
    assert_refused(replay(school.root, tmp_path, log), "Is a directory; choose another --out")
    assert_refused(replay(school.root, log / "out", log), "Not a directory")
    assert_refused(replay(school.root, log, log), "is one of the logs")
    assert log.read_text().startswith("Sep 14")
    assert not school.database.exists(), "nothing was begun"


def test_a_log_that_cannot_be_read_is_refused_before_the_run(tmp_path: Path, school: AgentFolder) -> None:
    log, out = written_log(tmp_path / "log", plain), tmp_path / "out"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    for wrong, says in (
        ("none", "No such file"),
        ("empty", "holds no files"),
        ("pipe", "may read its logs twice"),
    ):
        assert_refused(replay(school.root, out, log, tmp_path / wrong), says)
    assert_refused(replay(school.root, out, log, source="sendmail"), "known: adguard, bind, dnsmasq")
    assert not school.database.exists() and not out.exists()


def test_a_replay_that_fails_leaves_the_old_records_and_no_draft(tmp_path: Path, school: AgentFolder) -> None:
    log, out = written_log(tmp_path / "log", plain), tmp_path / "out.jsonl"
    out.write_text("the records of last week")
    (school.root / "input" / "bells.csv").unlink()
    before = set(tmp_path.iterdir())
    assert replay(school.root, out, log, year="2026").returncode == 1
    assert out.read_text() == "the records of last week"
    assert set(tmp_path.iterdir()) == before


def test_records_take_the_place_of_older_ones_also_behind_a_link(tmp_path: Path, school: AgentFolder) -> None:
    log, target, out = written_log(tmp_path / "log", plain), tmp_path / "target", tmp_path / "out"
    target.write_text("older " * 10_000)
    out.symlink_to(target)
    assert replay(school.root, out, log, year="2026").returncode == 0
    assert out.is_symlink()
    assert [record["kind"] for record in records(target)] == ["lesson"]


def test_records_can_go_down_a_pipe(tmp_path: Path, school: AgentFolder) -> None:
    command = [sys.executable, "-m", "commonground", "agent", "replay", str(school.root)]
    command += [str(written_log(tmp_path / "log", plain)), "--source", "dnsmasq", "--year", "2026"]
    done = subprocess.run([*command, "--out", "/dev/stdout"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[0])["kind"] == "lesson"


def everything(terminal: int) -> str:
    """What was written to a terminal whose other end is closed."""
    shown = b""
    with suppress(OSError):
        while data := os.read(terminal, 65536):
            shown += data
    os.close(terminal)
    return shown.decode()


def test_progress_shows_on_a_terminal_and_nowhere_else(tmp_path: Path, school: AgentFolder) -> None:
    log, out = written_log(tmp_path / "log", plain), tmp_path / "out.jsonl"
    assert replay(school.root, out, log, year="2026").stderr == ""
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "commonground", "agent", "replay", str(school.root), str(log)]
    command += ["--source", "dnsmasq", "--year", "2026", "--out", str(out), "--json"]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
        timeout=120,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    shown = everything(terminal)
    assert "Reading the logs" in shown and "100%" in shown
    assert json.loads(done.stdout)["records"] == 1


def test_progress_is_told_as_a_share_of_the_bytes_that_only_grows(
    tmp_path: Path, school: AgentFolder
) -> None:
    log, told = written_log(tmp_path / "log", plain), list[float]()
    done = replay_folder(
        school,
        [log, log],
        tmp_path / "out",
        source="dnsmasq",
        year=2026,
        now=0.0,
        progress=told.append,
    )
    assert done.lines > 0
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.25, 1.0), "each of two files is read twice"


@pytest.mark.parametrize("year", ["1969", "2106", "9999"])
def test_a_year_that_no_signal_can_have_is_bad_usage(tmp_path: Path, school: AgentFolder, year: str) -> None:
    done = replay(school.root, tmp_path / "out", written_log(tmp_path / "log", plain), year=year)
    assert_refused(done, "--year")


@pytest.mark.parametrize(
    "stamp", ["9999-12-31T23:59:59Z", "2107-01-01T09:05:00+01:00", "0001-01-01T00:00:00Z"]
)
def test_lines_of_impossible_years_are_counted_and_cost_nothing_else(
    tmp_path: Path, school: AgentFolder, stamp: str
) -> None:
    log, out = written_log(tmp_path / "log", plain), tmp_path / "out"
    with log.open("a") as file:
        file.write(f"{stamp} dnsmasq[9]: query[A] padlet.com from 10.0.0.1\n")
        file.write(f"{stamp} dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.1 a4:83:e7:61:00:01 iPad\n")
    done = replay(school.root, out, log, year="2026")
    assert (done.returncode, done.stderr) == (0, "")
    (lesson,) = records(out)
    assert lesson["devices"] == 12


def test_in_the_hour_that_is_repeated_a_lesson_is_found_whatever_came_after_it(tmp_path: Path) -> None:
    bells = [("1", "Sun", "02:00", "02:45")]
    school = make_school(tmp_path / "agent", SchoolSpec([ClassSpec("c1", "t1", learners(12))], bells))
    log, out = tmp_path / "log", tmp_path / "out"
    lease = "Oct 25 {} dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{} {} iPad\n"
    query = "Oct 25 02:0{}:00 dnsmasq[9]: query[A] padlet.com from 10.0.0.{}\n"
    people = list(enumerate(learners(12), start=1))
    lines = [lease.format("01:55:00", i, person.hardware) for i, person in people]
    lines += [query.format(minute, i) for minute in (5, 6, 7) for i, _ in people]
    lines += [lease.format("09:00:00", i, person.hardware) for i, person in people]
    log.write_text("".join(lines))
    assert replay(school.root, out, log, year="2026").returncode == 0
    assert records(out)[0]["start"] == "2026-10-25T02:00:00+02:00"


def week_of(day: int) -> str:
    """A lesson's lines on one day of September: leases at 08:55, look-ups at 09:05."""
    people = list(enumerate(learners(12), start=1))
    lease = "Sep {} 08:55:{:02d} dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{} {} iPad\n"
    query = "Sep {} 09:{:02d}:{:02d} dnsmasq[9]: query[A] padlet.com from 10.0.0.{}\n"
    lines = [lease.format(day, i, i, person.hardware) for i, person in people]
    # Enough of them for the file to have come to that day beyond doubt.
    return "".join(lines + [query.format(day, 5 + n // 60, n % 60, i) for n in range(800) for i, _ in people])


def starts(path: Path) -> list[str]:
    return [record["start"][:10] for record in records(path) if record["kind"] == "lesson"]


def test_compressed_files_and_folders_of_them_are_replayed_in_order_of_time(
    tmp_path: Path, school: AgentFolder
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "log").write_text(week_of(17))
    (logs / "log.1").write_bytes(gzip.compress(week_of(16).encode()))  # by its first bytes, not its name
    (logs / "log.2.gz").write_bytes(zstandard.ZstdCompressor().compress(week_of(15).encode()))
    first = tmp_path / "first"
    first.write_text(week_of(14))
    done = replay_folder(
        school, [logs, first], tmp_path / "out", source="dnsmasq", year=2026, now=0.0, mapping=None
    )
    assert starts(tmp_path / "out") == [f"2026-09-{day}" for day in (14, 15, 16, 17)]
    assert "late" not in done.counts and "refused" not in done.counts


def test_leases_in_the_log_or_in_a_file_beside_it_give_the_same_records(
    tmp_path: Path, school: AgentFolder
) -> None:
    lines = "".join(map(week_of, (14, 15, 16))).splitlines(keepends=True)
    whole, asked, leased = (tmp_path / name for name in ("whole", "asked", "leased"))
    whole.write_text("".join(lines))
    asked.write_text("".join(line for line in lines if "DHCPACK" not in line))
    leased.write_text("".join(line for line in lines if "DHCPACK" in line))
    found = []
    for logs in ([whole], [leased, asked], [asked, leased]):
        done = replay_folder(school, logs, tmp_path / "out", source="dnsmasq", year=2026, now=0.0)
        found.append((done.counts, records(tmp_path / "out")))
    assert found[0][1] and found[0] == found[1] == found[2]


def test_a_log_joined_newest_first_finds_the_leases_that_stand_behind(
    tmp_path: Path, school: AgentFolder
) -> None:
    before = week_of(14)
    asked = "".join(line for line in week_of(15).splitlines(keepends=True) if "DHCPACK" not in line)
    after = asked * (PIECE // len(asked) + 1)  # leases that last for days are told on the first alone
    log, out, found = tmp_path / "log", tmp_path / "out", []
    for joined in (before + after, after + before):
        log.write_text(joined)
        done = replay_folder(school, [log], out, source="dnsmasq", year=2026, now=0.0)
        found.append((done.counts, sorted(out.read_text().splitlines())))
    assert found[0] == found[1]
    assert len(found[0][1]) == 2


def test_a_truncated_file_is_replayed_as_far_as_it_goes_and_counted(
    tmp_path: Path, school: AgentFolder
) -> None:
    log = tmp_path / "log.gz"
    log.write_bytes(gzip.compress(week_of(14).encode())[:-5])
    done = replay_folder(school, [log], tmp_path / "out", source="dnsmasq", year=2026, now=0.0)
    assert starts(tmp_path / "out") == ["2026-09-14"]
    assert done.counts["refused"] == {"truncated_file": 1}
    assert done.lines == week_of(14).count("\n")


def test_a_file_compressed_in_a_way_that_is_not_read_is_refused_before_the_run(
    tmp_path: Path, school: AgentFolder
) -> None:
    log = tmp_path / "log.bz2"
    log.write_bytes(bz2.compress(week_of(14).encode()))
    assert_refused(replay(school.root, tmp_path / "out", log), "neither by gzip nor by zstd")


def test_days_are_closed_as_the_log_passes_them_and_single_wrong_times_close_none(
    tmp_path: Path, school: AgentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, written = tmp_path / "log", list[tuple[date, int]]()
    wrong = "Dec 24 09:05:00 dnsmasq[9]: query[A] padlet.com from 10.0.0.1\n" * 900
    log.write_text(week_of(14) + wrong + "".join(week_of(day) for day in (15, 16, 17, 18)))
    close = ReplayDays._close_day

    def remember(self: ReplayDays, day: date, done: Replayed) -> None:
        written.append((day, len(self._days)))
        close(self, day, done)

    monkeypatch.setattr(ReplayDays, "_close_day", remember)
    monkeypatch.setattr(past, "PIECE", SOME_HOURS)
    done = replay_folder(school, [log], tmp_path / "out", source="dnsmasq", year=2026, now=0.0)
    assert starts(tmp_path / "out") == [f"2026-09-{day}" for day in (14, 15, 16, 17, 18)]
    assert "late" not in done.counts
    assert max(held for day, held in written if day < date(2026, 9, 17)) <= 4, "some days, not the log"


def test_what_comes_when_its_day_is_closed_is_counted_as_late(
    tmp_path: Path, school: AgentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "PIECE", SOME_HOURS)
    log = tmp_path / "log"
    log.write_text("".join(week_of(day) for day in (14, 16, 18, 14)))
    done = replay_folder(school, [log], tmp_path / "out", source="dnsmasq", year=2026, now=0.0)
    assert starts(tmp_path / "out") == [f"2026-09-{day}" for day in (14, 16, 18)]
    assert done.counts["late"] == {"day_key_destroyed": 9600}


def test_lines_of_the_future_are_refused_in_a_replay_too(tmp_path: Path, school: AgentFolder) -> None:
    log = tmp_path / "log"
    log.write_text(week_of(14) + "2031-09-15T09:05:00Z dnsmasq[9]: query[A] padlet.com from 10.0.0.1\n")
    done = replay_folder(school, [log], tmp_path / "out", source="dnsmasq", year=2026, now=0.0)
    assert done.counts["refused"] == {"in_the_future": 1}


def test_a_resolvers_log_and_statements_are_replayed_together(tmp_path: Path, school: AgentFolder) -> None:
    log, statements, out = tmp_path / "log", tmp_path / "statements.jsonl", tmp_path / "out"
    log.write_text(week_of(14))
    statement = {
        "actor": {"account": {"homePage": "https://school.example", "name": "a1"}},
        "verb": {"id": "http://activitystrea.ms/schema/1.0/create"},
        "object": {"id": "https://padlet.com/board/7"},
        "timestamp": "2026-09-14T09:20:00+02:00",
    }
    identified = [{**statement, "id": f"12345678-1234-4321-8234-00000000000{n}"} for n in range(3)]
    statements.write_text("".join(json.dumps(one) + "\n" for one in identified))
    command = [sys.executable, "-m", "commonground", "agent", "replay", str(school.root), str(log)]
    command += ["--source", "dnsmasq", "--also", f"xapi={statements}", "--year", "2026", "--out", str(out)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout)["signals"] == 9600 + 3
    (lesson,) = records(out)
    assert lesson["sources"] == ["dnsmasq", "xapi"]
    refused = subprocess.run([*command, "--also", "xapi"], capture_output=True, text=True, check=False)
    assert_refused(refused, "write KIND=PATH")


def test_frames_that_a_resolver_wrote_to_a_file_are_replayed_as_their_log_would_be(tmp_path: Path) -> None:
    people = learners(12)
    folder = make_school(
        tmp_path / "agent", SchoolSpec([ClassSpec("c1", "teacher1", people)], all_day(), "UTC")
    )
    hosts = {f"10.20.0.{i}": person for i, person in enumerate(people, 1)}
    (folder.root / "input" / "leases").write_text(
        "".join(f"1800000000 {person.hardware} {address} iPad *\n" for address, person in hosts.items())
    )
    with folder.settings.open("a") as settings:
        settings.write('\n[[addresses]]\nkind = "dnsmasq"\npath = "input/leases"\n')
    nine = int(datetime(2026, 9, 14, 9, tzinfo=UTC).timestamp())
    asked = [(nine + 60 * step, address) for step in range(40) for address in hosts]
    frames = tmp_path / "dnstap.fstrm"
    body = b"".join(frame(t, address, "padlet.com") for t, address in asked)
    frames.write_bytes(control(2, DNSTAP) + body + control(3))  # START and STOP
    log = tmp_path / "dnsmasq.log"
    stamps = [(datetime.fromtimestamp(t, UTC).strftime("%b %d %H:%M:%S"), address) for t, address in asked]
    log.write_text(
        "".join(f"{at} dnsmasq[1]: query[A] padlet.com from {address}\n" for at, address in stamps)
    )
    told = []
    for source, path in (("dnstap", frames), ("dnsmasq", log)):
        out = tmp_path / f"{source}.jsonl"
        done = replay(folder.root, out, path, source=source, year="2026")
        assert done.returncode == 0, done.stderr
        (lesson,) = [record for record in records(out) if record["kind"] == "lesson"]
        told.append((lesson["features"], lesson["visibility"], json.loads(done.stdout)["signals"]))
    assert told[0] == told[1]
    assert told[0][2] == len(asked)
