"""A disk that is really full: the agent and the hub say so, lose nothing, and go on when there is room again.

The disk is a small tmpfs, which only root may mount; elsewhere these tests are skipped and prove nothing.
"""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge_agent.settings import DiskSettings
from edge_agent.sources.follow import WAITS
from hub import folder
from hub.paths import Layout
from shared.link import outbox
from shared.storage import Writer
from tests.edge_agent.backpressure import DURING, PEOPLE, RunningAgent, School, leases, look_ups
from tests.hub.agents import Agent, until
from tests.hub.records import SCHOOL, lesson
from tests.hub.test_delivery import invite, listening

MIB = 1024 * 1024
SIZE_MIB = 32
LINES = 100_000  # their signals come to some 2 MiB
LESSONS = 400


class SmallDisk:
    """A mounted disk, and a file on it that takes what room there is."""

    def __init__(self, point: Path) -> None:
        self.point = point
        self._ballast = point / "ballast"

    def fill(self, leave: int = 0) -> None:
        """Take everything but `leave` bytes."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (MIB, 4096):
                while self.free() >= leave + size:
                    file.write(bytes(size))

    def make_room(self) -> None:
        """Give it back."""
        self._ballast.unlink()

    def free(self) -> int:
        """Bytes."""
        status = os.statvfs(self.point)
        return status.f_bavail * status.f_frsize


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A tmpfs of its own."""
    point = tmp_path / "disk"
    point.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0700", "tmpfs", str(point)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("cannot mount tmpfs here")
    yield SmallDisk(point)
    subprocess.run(["umount", str(point)], check=True)


@pytest.fixture
def stack(disk: SmallDisk) -> Iterator[ExitStack]:
    """Closed before the disk is taken away."""
    del disk
    with ExitStack() as made:
        yield made


def test_an_agent_on_a_disk_without_a_byte_left_reads_on_when_there_is_room(
    disk: SmallDisk, stack: ExitStack
) -> None:
    """No budget keeps anything free here: SQLite itself is refused."""
    school = School(disk.point, None, stack)
    with school.log.open("a") as log:
        log.write(look_ups(0, 500))
    follower = school.follow()
    until(lambda: school.total("signals") == 500)

    disk.fill()
    with school.log.open("a") as log:
        log.write(look_ups(500, LINES))
    until(lambda: follower.state == WAITS)
    assert "Signals cannot be stored" in school.inbox.trouble
    assert school.server.counters["failures"] > 0
    assert 500 <= school.stored_signals() < 500 + LINES
    assert school.stored_signals() == school.total("signals"), "a parcel is stored whole or not at all"

    disk.make_room()
    until(lambda: follower.state == "up to date")
    assert school.inbox.trouble == ""
    assert school.stored_signals() == school.total("signals") == 500 + LINES
    assert school.total("lines") == len(PEOPLE) + 500 + LINES
    assert school.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_an_agent_that_keeps_some_room_free_stops_before_anything_fails(
    disk: SmallDisk, stack: ExitStack
) -> None:
    school = School(disk.point, DiskSettings(free_mib=16), stack)
    follower = school.follow()
    until(lambda: follower.state == "up to date")
    disk.fill(leave=15 * MIB)
    with school.log.open("a") as log:
        log.write(look_ups(0, LINES))
    until(lambda: follower.state == WAITS)
    found = school.room.shortage()
    assert found is not None and found.budget == "free_mib"
    assert school.stored_signals() == 0
    assert school.writer.run(lambda c: outbox.append(c, "status", b"{}")) == 1, "records still find room"

    disk.make_room()
    until(lambda: follower.state == "up to date")
    assert school.stored_signals() == school.total("signals") == LINES
    assert "failures" not in school.server.counters


def test_an_agent_killed_on_a_full_disk_opens_its_file_and_reads_on(
    disk: SmallDisk, stack: ExitStack
) -> None:
    school = School(disk.point, None, stack)
    with school.log.open("a") as log:
        log.write(look_ups(0, LINES))
    disk.fill(leave=MIB)
    first = school.follow()
    until(lambda: first.state == WAITS)
    first.stop()
    disk.make_room()
    second = school.follow()
    until(lambda: second.state == "up to date")
    assert school.stored_signals() == school.total("signals") == LINES


def test_a_whole_agent_on_a_full_disk_stays_up_says_so_and_closes_its_lessons_later(
    disk: SmallDisk, stack: ExitStack, tmp_path: Path
) -> None:
    school = RunningAgent(disk.point / "school", tmp_path / "log", "free_mib = 1")
    school.log.write_text(leases())
    school.set_clock(DURING)
    stack.enter_context(school.running())
    until(lambda: school.source()["state"] == "up to date")
    disk.fill()
    with school.log.open("a") as log:
        log.write(look_ups(0, LINES))
    until(lambda: str(school.source()["state"]).startswith("waits"))
    status = school.status()
    assert "the disk has 0 MiB left" in status["working"]
    assert status["signals"] == 0

    disk.make_room()
    until(lambda: school.source()["state"] == "up to date")
    school.set_clock(DURING + 3600)
    until(lambda: school.status()["windows"]["closed"] == 1)
    status = school.status()
    assert status["signals"] == LINES and status["late"] == 0
    assert status["working"].startswith("Not joined to a hub yet")


def test_a_hub_on_a_full_disk_puts_schools_off_and_has_each_record_once_at_the_end(
    disk: SmallDisk, stack: ExitStack, tmp_path: Path
) -> None:
    layout = Layout(disk.point / "hub")
    folder.create(layout, "North District", 8000, "tcp://127.0.0.1:5710", simulated=False)
    school = Agent(tmp_path / "agent", SCHOOL)
    stack.callback(school.close)
    server, inbox = stack.enter_context(listening(layout))
    token = school.join(invite(layout, SCHOOL), server.endpoint)
    stack.enter_context(school.connected(server.endpoint, token.server_public))
    school.put(lesson(code="class000"))
    until(lambda: lessons_of(layout) == 1)
    disk.fill()
    school.put(*(lesson(code=f"class{number:03d}") for number in range(1, LESSONS)))
    until(lambda: server.counters.get("busy", 0) > 0)
    assert server.counters["failures"] > 0

    disk.make_room()
    until(lambda: lessons_of(layout) == LESSONS)
    until(lambda: outbox_counts(tmp_path / "agent" / "agent.db") == (LESSONS, 0))
    assert not [name for name in server.counters if name.startswith("rejected:")]
    assert inbox.enrolments(), "the hub goes on"


def test_a_record_refused_for_want_of_room_leaves_nothing_of_its_transaction(
    disk: SmallDisk, stack: ExitStack
) -> None:
    writer = Writer(disk.point / "agent.db", [outbox.create_tables])
    stack.callback(writer.close)
    disk.fill()

    def append(connection: sqlite3.Connection) -> None:
        for _ in range(100):
            outbox.append(connection, "test", bytes(60_000))

    with pytest.raises(sqlite3.OperationalError, match="full"):
        writer.run(append)
    disk.make_room()
    assert writer.run(outbox.counts).pending == 0
    assert writer.run(lambda connection: outbox.append(connection, "test", b"x")) == 1


def lessons_of(layout: Layout) -> int:
    """Lessons in the hub's store; 0 while its disk is too full even to look."""
    connection = sqlite3.connect(f"file:{layout.database}?mode=ro", uri=True)
    try:
        (found,) = connection.execute("SELECT count(*) FROM lessons").fetchone()
        return int(found)
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def outbox_counts(path: Path) -> tuple[int, int]:
    """Records sent and pending."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        found = outbox.counts(connection)
        return found.sent, found.pending
    finally:
        connection.close()
