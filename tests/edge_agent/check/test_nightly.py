"""The agent checks itself once a night, in a process of its own, and waits for none."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from edge_agent.check.nightly import NightlyCheck, is_due
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

ZONE = ZoneInfo("America/Denver")


def at(day: int, hour: int, minute: int = 0) -> float:
    return datetime(2026, 9, day, hour, minute, tzinfo=ZONE).timestamp()


def test_it_is_due_once_after_two_at_night_and_after_a_night_that_was_missed() -> None:
    assert not is_due(at(15, 1, 59), at(14, 2, 1), ZONE)
    assert is_due(at(15, 2), at(14, 2, 1), ZONE)
    assert not is_due(at(15, 3), at(15, 2), ZONE)
    assert is_due(at(15, 9), at(13, 2), ZONE), "the machine was off at night"


def test_a_new_agent_waits_for_its_first_night(tmp_path: Path) -> None:
    started: list[float] = []

    def start() -> "subprocess.Popen[bytes]":
        started.append(1)
        return subprocess.Popen([sys.executable, "-c", ""])

    nightly = NightlyCheck(tmp_path, ZONE, None, start)
    assert not nightly.look(at(14, 9))
    assert nightly.look(at(15, 2))
    nightly.stop()
    assert not nightly.look(at(15, 2, 5))
    assert len(started) == 1


def test_a_check_that_hangs_is_ended(tmp_path: Path) -> None:
    hanging = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
    nightly = NightlyCheck(tmp_path, ZONE, at(14, 2), lambda: hanging)
    assert nightly.look(at(15, 2))
    nightly.look(at(15, 2, 30))
    assert hanging.poll() is None
    nightly.look(at(15, 3, 1))
    assert hanging.poll() is not None


def test_the_process_is_the_command_itself(tmp_path: Path) -> None:
    folder = make_school(tmp_path / "a", SchoolSpec([ClassSpec("c1", "t1", learners(3))]))
    nightly = NightlyCheck(folder.root, ZONE, at(14, 2))
    assert nightly.look(at(15, 2))
    running = nightly._running
    assert running is not None
    assert running.wait(timeout=60) == 4, "it has no source"
