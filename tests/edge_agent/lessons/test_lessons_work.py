"""A look at the store costs what is new in it: not what was closed before, nor what was said long ago."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from edge_agent.placing.parcel import Parcel
from edge_agent.sight import hearing
from edge_agent.store.arrivals import Arrivals, check
from shared import signals
from shared.signals import SignalBatch
from tests.edge_agent.lessons.test_lessons import Desk, at, contacts

FEW, MANY = 10, 1000


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def fill(desk: Desk, lessons: int) -> None:
    """So many closed lessons of this morning, each with a batch and a device that was heard."""
    day, start, end = date(2026, 9, 14).isoformat(), at(7), at(8)
    codes = [f"x{number:07d}" for number in range(lessons)]

    def write(connection: sqlite3.Connection) -> None:
        connection.executemany("INSERT INTO classes VALUES (?1, ?1, '')", [(code,) for code in codes])
        connection.executemany(
            "INSERT INTO schedule (class_code, start, ends, day, grade_band, subject, teachers, expected,"
            " closed) VALUES (?, ?, ?, ?, '7-8', 'maths', '[]', 12, 1)",
            [(code, start, end, day) for code in codes],
        )
        connection.executemany(
            "INSERT INTO windows (class_code, start, ends, day, week, grade_band, devices, placed,"
            " thin, evidence_only, upto_batch, window)"
            " VALUES (?, ?, ?, ?, '2026-W38', '7-8', 12, 0, 0, 1, ?, '{}')",
            [(code, start, end, day, lessons) for code in codes],
        )
        connection.executemany(
            "INSERT INTO heard (class_code, start, device, day) VALUES (?, ?, 1, ?)",
            [(code, start, day) for code in codes],
        )
        arrivals = Arrivals(connection)
        for code in codes:
            arrivals.add(
                check(Parcel("dnsmasq", "resolver", [batch(code, start)], 1, start, {}, [], [], []), 9)
            )
        arrivals.write()

    desk.writer.run(write)


def batch(code: str, t: int) -> bytes:
    """One signal of a class at a moment of Monday."""
    return signals.encode(
        SignalBatch.from_rows(
            [(t, 1, 0, 0, 1, 0.0)],
            kind="dnsmasq",
            source="resolver",
            catalogue="1",
            day_key="2026-09-14",
            class_codes=(code,),
        )
    )


def steps(desk: Desk, work: Callable[[], object]) -> int:
    """How many steps SQLite takes for it on the reading side."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    desk.connection.set_progress_handler(step, 1)
    work()
    desk.connection.set_progress_handler(None, 0)
    return count


def costs(desk: Desk) -> list[int]:
    """Of a tick with nothing new, of one with signals of a lesson under way, of one that closes lessons."""
    now = at(9, 10)

    def tick() -> None:
        desk.lessons.close_due(now, now)
        desk.lessons.forget(now)
        desk.lessons.over_at(now)
        desk.weeks.send_due(now)

    tick()
    found = [steps(desk, tick)]
    desk.take(contacts(range(48)), now)
    found.append(steps(desk, tick))
    now = at(10)
    found.append(steps(desk, tick))
    return found


def test_a_tick_costs_the_same_with_ten_lessons_closed_and_with_a_thousand(tmp_path: Path) -> None:
    found = []
    for lessons in (FEW, MANY):
        made = Desk(tmp_path / str(lessons))
        fill(made, lessons)
        found.append(costs(made))
        (closed,) = made.connection.execute("SELECT count(*) FROM windows").fetchone()
        assert closed == lessons + 4, "the four of nine o'clock"
        made.close()
    few, many = found
    assert all(abs(more - less) < less / 50 for more, less in zip(many, few, strict=True)), (few, many)
    assert 0 < max(few[:2]) < 1000 < few[2], "and a quiet one next to nothing"


def test_late_signals_of_an_earlier_run_count_although_the_sources_are_read_only_later(desk: Desk) -> None:
    desk.share("c0")
    desk.take(contacts(range(12)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    desk.take(contacts(range(6), minute=20), at(10, 30))
    again = Desk.on(desk.folder)
    assert again.lessons.close_due(at(11), at(9, 30)) == 0, "its sources are not read that far yet"
    assert again.lessons.close_due(at(11), at(11)) == 1
    assert again.lessons.close_due(at(11), at(11)) == 0
    assert [record["revision"] for record in again.sent()] == [1, 2]
    again.close()


def test_late_signals_wait_while_a_source_is_behind_again(desk: Desk) -> None:
    desk.share("c0")
    desk.take(contacts(range(12)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    desk.take(contacts(range(3), minute=20), at(10, 30))
    assert desk.lessons.close_due(at(10, 31), at(9, 20)) == 0
    desk.take(contacts(range(3, 6), minute=20), at(10, 32))
    assert desk.lessons.close_due(at(10, 33), at(10, 33)) == 1
    assert [record["revision"] for record in desk.sent()] == [1, 2], "once, with what came in both parts"


def test_a_late_signal_is_found_after_everything_was_deleted_and_numbers_began_anew(desk: Desk) -> None:
    desk.share("c0")
    for minute in range(1, 6):
        desk.take(contacts(range(12), minute=minute), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    noon = at(12, day=15)
    desk.lessons.close_due(noon, noon)
    assert desk.lessons.forget(noon) == [date(2026, 9, 14)]
    assert len(desk.sent()) == 1, "Tuesday's lesson was an empty one"
    desk.take(contacts(range(12), day=15), noon)
    assert desk.lessons.close_due(noon, noon) == 1
    assert len(desk.sent()) == 2


def test_only_signals_that_come_late_are_looked_into_before_their_lesson_closes(desk: Desk) -> None:
    desk.take(contacts(range(48)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    read: list[str] = []
    desk.connection.set_trace_callback(read.append)
    for day, looked_into in ((15, 0), (14, 1)):
        desk.take(contacts(range(12), minute=20, day=day), at(9, 30, day))
        desk.lessons.close_due(at(9, 30, day), at(9, 30, day))
        assert sum("SELECT payload" in query for query in read) == looked_into


def test_a_collector_remembers_a_bounded_number_of_devices_and_the_store_counts_each_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "KEPT", 20)
    for minute in range(3):
        desk.take(contacts(range(48), minute=minute), at(9, 10))
        (heard,) = desk.connection.execute("SELECT count(*) FROM heard").fetchone()
        assert heard == 48
    parcels = [desk.collect(contacts(range(12), minute=minute), at(9, 30)) for minute in (20, 20, 20, 21)]
    assert [sum(len(group.devices) for group in parcel.heard) for parcel in parcels] == [12, 0, 0, 12]
