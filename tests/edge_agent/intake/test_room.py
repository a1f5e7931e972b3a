"""When there is no room, nothing more is read, the page says why, and reading goes on where it stood."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge_agent.intake.room import MIB, Room, Use, shortage
from edge_agent.settings import DiskSettings
from edge_agent.sources.follow import WAITS
from edge_agent.store.schema import MIGRATIONS
from shared.link import outbox
from shared.link.frames import MAX_PAYLOAD, WINDOW
from shared.link.spool import Spool
from shared.storage import Writer
from tests.edge_agent.backpressure import School, look_ups
from tests.shared.link.site import until

ALL_FREE = DiskSettings(free_mib=1)
ROOMY = Use(outbox_full=False, refused=0, signals=0, free=1 << 40)
ENOUGH_TO_FILL_THE_SPOOL = 40_000  # lines: more than a window's chunks of 48 KiB


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.mark.parametrize(
    ("use", "budget", "says"),
    [
        (Use(True, 0, 0, 1 << 40), "outbox_mib", "the 256 MiB that `outbox_mib`"),
        (Use(True, 7, 0, 1 << 40), "outbox_mib", "7 of them were refused: `commonground agent rejected"),
        (Use(False, 0, 1024 * MIB, 1 << 40), "signals_mib", "the 1024 MiB that `signals_mib`"),
        (Use(False, 0, 0, 512 * MIB - 1), "free_mib", "the disk has 511 MiB left"),
        (Use(True, 0, 1024 * MIB, 0), "free_mib", "Make room on the disk"),
    ],
)  # fmt: skip
def test_each_budget_says_what_is_short_and_what_to_do(use: Use, budget: str, says: str) -> None:
    found = shortage(use, DiskSettings())
    assert found is not None and found.budget == budget
    assert found.words.startswith("Nothing more is read for now, and nothing is lost: ")
    assert says in found.words
    assert found.words.endswith("Reading goes on where it stands.")


def test_up_to_a_budget_there_is_room() -> None:
    assert shortage(ROOMY, DiskSettings()) is None
    assert shortage(Use(False, 9, 1024 * MIB - 1, 512 * MIB), DiskSettings()) is None


def test_pages_that_the_database_can_fill_again_are_room(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "agent.db", MIGRATIONS)
    room = Room(tmp_path / "agent.db", ALL_FREE)

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO batches (day, kind, source, t_min, t_max, signals, payload)"
            " VALUES ('2026-09-14', 'dnsmasq', 'resolver', 0, 0, 1, zeroblob(?))",
            (8 * MIB,),
        )

    writer.run(fill)
    assert room.use().signals == 8 * MIB
    writer.run(lambda connection: connection.execute("DELETE FROM batches"))
    pages, size = (pragma(writer, name) for name in ("freelist_count", "page_size"))
    assert pages * size >= 8 * MIB
    assert room.use().signals == 0
    room.close()
    writer.close()


def pragma(writer: Writer, name: str) -> int:
    return int(writer.run(lambda connection: connection.execute(f"PRAGMA {name}").fetchone()[0]))


def fill_signals(school: School) -> Callable[[], object]:
    def write(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO batches (day, kind, source, t_min, t_max, signals, payload)"
            " VALUES ('2026-09-13', 'dnsmasq', 'other', 0, 0, 0, zeroblob(?))",
            (MIB,),
        )

    school.writer.run(write)
    return lambda: school.writer.run(lambda c: c.execute("DELETE FROM batches WHERE day = '2026-09-13'"))


def fill_outbox(school: School) -> Callable[[], object]:
    def write(connection: sqlite3.Connection) -> None:
        for _ in range(MIB // MAX_PAYLOAD):
            outbox.append(connection, "week", bytes(MAX_PAYLOAD))

    school.writer.run(write)
    return lambda: school.writer.run(lambda connection: outbox.settle(connection, 2, now=1.0))


FILLED = {
    "signals": (DiskSettings(signals_mib=1, free_mib=1), fill_signals, "signals_mib"),
    "outbox": (DiskSettings(outbox_mib=1, free_mib=1), fill_outbox, "outbox_mib"),
}


@pytest.mark.parametrize("kind", FILLED)
def test_a_full_budget_stops_the_reading_and_room_lets_it_go_on_where_it_stood(
    tmp_path: Path, stack: ExitStack, kind: str
) -> None:
    budgets, fill, name = FILLED[kind]
    (tmp_path / "disk").mkdir()
    school = School(tmp_path / "disk", budgets, stack)
    with school.log.open("a") as log:
        log.write(look_ups(0, 500))
    follower = school.follow()
    until(lambda: school.total("signals") == 500, "what there is room for")

    make_room = fill(school)
    with school.log.open("a") as log:
        log.write(look_ups(500, ENOUGH_TO_FILL_THE_SPOOL))
    until(lambda: follower.state == WAITS, "the follower says that it waits")
    found = school.room.shortage()
    assert found is not None and found.budget == name
    assert school.total("signals") == 500
    assert school.server.counters["busy"] > 0
    assert school.server.counters.get("failures", 0) == 0

    make_room()
    until(lambda: follower.state == "up to date", "the rest is read")
    assert school.total("signals") == school.stored_signals() == 500 + ENOUGH_TO_FILL_THE_SPOOL
    assert school.total("lines") == 12 + 500 + ENOUGH_TO_FILL_THE_SPOOL
    assert school.room.shortage() is None


def test_an_agent_that_is_stopped_while_it_waits_reads_on_after_a_start(
    tmp_path: Path, stack: ExitStack
) -> None:
    (tmp_path / "disk").mkdir()
    school = School(tmp_path / "disk", DiskSettings(signals_mib=1, free_mib=1), stack)
    make_room = fill_signals(school)
    with school.log.open("a") as log:
        log.write(look_ups(0, ENOUGH_TO_FILL_THE_SPOOL))
    first = school.follow()
    until(lambda: first.state == WAITS, "the follower says that it waits")
    first.stop()
    make_room()
    second = school.follow()
    until(lambda: second.state == "up to date", "everything is read")
    assert school.total("lines") == 12 + ENOUGH_TO_FILL_THE_SPOOL
    assert school.stored_signals() == ENOUGH_TO_FILL_THE_SPOOL


def test_a_parcel_that_makes_no_sense_is_counted_and_kept_without_what_it_says(
    tmp_path: Path, stack: ExitStack
) -> None:
    (tmp_path / "disk").mkdir()
    school = School(tmp_path / "disk", ALL_FREE, stack)
    spool = Spool()
    school.link(spool)
    spool.opened(30)
    nonsense = b"\x93 Ada Lovelace 10.0.0.7 " * 2000
    spool.put(nonsense, b"{}")
    assert spool.flush(30)
    assert sum(spool.rejected.values()) == 1
    counted = school.connection.execute("SELECT source, what, reason, n FROM counts").fetchall()
    assert [tuple(row) for row in counted] == [("resolver", "refused", "parcel_refused", 1)]
    [(source, reason, excerpt)] = school.connection.execute(
        "SELECT source, reason, excerpt FROM quarantine"
    ).fetchall()
    assert (source, reason) == ("resolver", next(iter(spool.rejected)))
    assert "Ada" not in excerpt and "10.0.0.7" not in excerpt
    assert f"({len(nonsense)} bytes, sha256 " in excerpt
    assert len(excerpt) < 220


def test_a_day_that_was_forgotten_takes_nothing_more(tmp_path: Path, stack: ExitStack) -> None:
    """Its lessons are closed: a few late signals alone would make others of them."""
    (tmp_path / "disk").mkdir()
    school = School(tmp_path / "disk", ALL_FREE, stack)
    school.writer.run(lambda c: c.execute("INSERT INTO forgotten VALUES ('2026-09-14')"))
    with school.log.open("a") as log:
        log.write(look_ups(0, 100))
    follower = school.follow()
    until(lambda: follower.state == "up to date", "everything is read")
    assert school.stored_signals() == 0
    late = school.connection.execute("SELECT reason, n FROM counts WHERE what = 'late'").fetchall()
    assert [tuple(row) for row in late] == [("day_key_destroyed", 100)]
    assert school.connection.execute("SELECT count(*) FROM heard").fetchone()[0] == 0


def test_a_window_is_more_than_the_spool_is_filled_with() -> None:
    assert len(look_ups(0, ENOUGH_TO_FILL_THE_SPOOL)) > WINDOW * 48 * 1024
