"""The outbox accepts durably, forgets nothing unsent, and never sends what was withdrawn."""

import sqlite3
from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.link import aside, outbox, outbox_epochs
from shared.link.feed import Item
from shared.link.frames import MAX_PAYLOAD, MAX_POSITION, WINDOW
from shared.link.outbox import OutboxFull
from shared.link.outbox_feed import OutboxFeed
from shared.storage import Migration, Writer, transaction
from tests.shared.link.world import memory


@pytest.fixture
def disk() -> sqlite3.Connection:
    return memory(lambda db: outbox.create_tables(db, lambda: 1000))


def fill(disk: sqlite3.Connection, n: int, size: int = 10) -> list[int]:
    first = outbox.counts(disk)
    start = first.pending + first.sent + first.aside + first.withdrawn
    return [outbox.append(disk, "test", b"%d" % (start + i) + bytes(size), now=1.0) for i in range(n)]


def states(disk: sqlite3.Connection) -> str:
    return "".join(state[0] for (state,) in disk.execute("SELECT state FROM outbox ORDER BY number"))


def test_numbers_count_from_one_without_holes_even_after_a_rollback(disk: sqlite3.Connection) -> None:
    assert fill(disk, 2) == [1, 2]
    with pytest.raises(ZeroDivisionError), transaction(disk):
        fill(disk, 1)
        raise ZeroDivisionError
    assert fill(disk, 2) == [3, 4]
    assert outbox.tail(disk) == 4


@pytest.mark.parametrize("size", [0, 64 * 1024 + 1])
def test_a_payload_that_cannot_be_sent_is_not_accepted(disk: sqlite3.Connection, size: int) -> None:
    with pytest.raises(BadInput, match="payload_size"):
        outbox.append(disk, "test", bytes(size))


def test_what_was_acknowledged_is_kept_until_it_is_pruned(disk: sqlite3.Connection) -> None:
    fill(disk, 3)
    outbox.settle(disk, 2, now=50.0)
    assert states(disk) == "ssp"
    assert outbox.prune_sent(disk, before=50.0) == 0
    assert outbox.prune_sent(disk, before=51.0) == 2
    counts = outbox.counts(disk)
    assert (counts.pending, counts.sent, counts.bytes) == (1, 0, 11)


def test_a_receiver_restored_from_a_backup_is_sent_again_what_it_lost(disk: sqlite3.Connection) -> None:
    fill(disk, 5)
    outbox.settle(disk, 4, now=50.0)
    outbox.set_aside(disk, 3, "bad")
    assert states(disk) == "ssasp"
    assert outbox_epochs.resume(disk, 1, now=60.0, now_ms=60_000) == 1000
    assert states(disk) == "spppp"
    assert [len(item.payload) for item in outbox.read(disk, 2, 5)] == [11] * 4


def test_what_is_gone_is_sent_as_an_empty_batch(disk: sqlite3.Connection) -> None:
    fill(disk, 3)
    outbox.settle(disk, 2, now=50.0)
    outbox.prune_sent(disk, before=51.0)
    outbox_epochs.resume(disk, 0, now=60.0, now_ms=60_000)
    assert [bool(item.payload) for item in outbox.read(disk, 1, 3)] == [False, False, True]


def test_lost_acknowledgements_are_made_good_by_the_welcome(disk: sqlite3.Connection) -> None:
    fill(disk, 5)
    assert outbox_epochs.resume(disk, 4, now=60.0, now_ms=60_000) == 1000
    assert states(disk) == "ssssp"


def test_withdrawn_bytes_are_gone_sent_or_not(disk: sqlite3.Connection) -> None:
    fill(disk, 4)
    outbox.settle(disk, 2, now=50.0)
    assert outbox.withdraw(disk, [1, 3, 3, 99]) == 1
    assert states(disk) == "wswp"
    assert outbox.read(disk, 1, 1) == [Item(b"")]
    outbox_epochs.resume(disk, 0, now=60.0, now_ms=60_000)
    assert states(disk) == "wpwp"
    assert outbox.read(disk, 1, 3)[0::2] == [Item(b""), Item(b"")]


def test_a_withdrawn_batch_is_pruned_once_its_place_in_line_has_passed(disk: sqlite3.Connection) -> None:
    fill(disk, 2)
    outbox.withdraw(disk, [1])
    assert outbox.prune_sent(disk, before=1e12) == 0
    outbox.settle(disk, 2, now=50.0)
    assert outbox.prune_sent(disk, before=1e12) == 2


def test_a_refused_batch_that_was_sent_again_or_dropped_is_pruned_as_well(disk: sqlite3.Connection) -> None:
    fill(disk, 3)
    for seq in (1, 2):
        outbox.set_aside(disk, seq, "bad")
    outbox.settle(disk, 3, now=50.0)
    aside.retry(disk, 1)
    aside.drop(disk, 2)
    assert states(disk) == "rdsp"
    assert outbox.prune_sent(disk, before=51.0) == 3
    assert states(disk) == "p"


def test_what_was_set_aside_stays_for_people_to_see(disk: sqlite3.Connection) -> None:
    fill(disk, 1)
    outbox.set_aside(disk, 1, "bad")
    outbox.set_aside(disk, 1, "bad")
    outbox.settle(disk, 1, now=50.0)
    assert outbox.prune_sent(disk, before=1e12) == 0
    assert disk.execute("SELECT state, reason FROM outbox").fetchall() == [("aside", "bad")]


def test_a_full_outbox_first_forgets_what_was_sent_and_then_accepts_no_more(
    disk: sqlite3.Connection,
) -> None:
    outbox.set_budget(disk, 400)
    fill(disk, 4, size=99)
    outbox.settle(disk, 2, now=50.0)
    outbox.append(disk, "test", bytes(100))
    assert states(disk) == "ppp"
    outbox.append(disk, "test", bytes(100))
    with pytest.raises(OutboxFull, match="reconnect"), transaction(disk):
        outbox.append(disk, "test", bytes(100))
    counts = outbox.counts(disk)
    assert (counts.pending, counts.sent, counts.bytes) == (4, 0, 400)


def test_it_is_full_once_what_waits_may_leave_no_room_for_one_more(disk: sqlite3.Connection) -> None:
    outbox.set_budget(disk, 3 * MAX_PAYLOAD)
    for _ in range(3):
        assert not outbox.is_full(disk)
        outbox.append(disk, "test", bytes(MAX_PAYLOAD))
    assert outbox.is_full(disk)
    outbox.set_aside(disk, 1, "bad")
    assert outbox.is_full(disk), "what was refused still lies there"
    outbox.settle(disk, 2, now=50.0)
    assert not outbox.is_full(disk), "what was sent makes room"
    assert outbox.unsent_bytes(disk) == 2 * MAX_PAYLOAD


def test_a_position_goes_with_its_batch_and_stays_with_a_withdrawn_one(disk: sqlite3.Connection) -> None:
    numbers = fill(disk, 3)
    outbox.put_position(disk, 1, b"entry 7")
    outbox.put_position(disk, 2, b"entry 8")
    outbox.withdraw(disk, numbers[1:2])
    positions = [(bool(item.payload), item.position) for item in outbox.read(disk, 1, 4)]
    assert positions == [(True, b"entry 7"), (False, b"entry 8"), (True, None), (False, None)]
    with pytest.raises(BadInput, match="position_size"):
        outbox.put_position(disk, 3, bytes(MAX_POSITION + 1))


@pytest.mark.parametrize("step", [outbox.add_position, outbox.add_budget])
def test_a_step_changes_nothing_in_a_file_that_has_it(step: Migration) -> None:
    again = memory(lambda db: outbox.create_tables(db, lambda: 1000), step, step)
    outbox.append(again, "test", b"x")
    assert outbox.read(again, 1, 1) == [Item(b"x")]
    assert again.execute("SELECT budget FROM outbox_state").fetchone() == (outbox.BUDGET,)


@pytest.mark.parametrize(
    "known", [6, 3 + WINDOW], ids=["beyond the newest", "more than can have been on its way"]
)
def test_an_outbox_put_back_to_a_backup_sends_what_is_new_under_a_new_epoch(
    disk: sqlite3.Connection, known: int
) -> None:
    """Otherwise the receiver would take new batches for those of the lost time, and drop them."""
    fill(disk, 5 if known == 6 else 50)
    outbox.settle(disk, 2, now=50.0)
    assert outbox_epochs.resume(disk, known, now=60.0, now_ms=60_000) == 60_000
    assert outbox.counts(disk).renewals == 1
    first = outbox.read(disk, 1, 1)
    assert first[0].payload.startswith(b"2")
    assert outbox.tail(disk) == (3 if known == 6 else 48)
    numbers = fill(disk, 1)
    outbox.withdraw(disk, numbers)
    assert outbox.read(disk, outbox.tail(disk), outbox.tail(disk)) == [Item(b"")], "numbers stay good"


def test_a_new_epoch_is_newer_than_any_known_one_whatever_the_clock_says(disk: sqlite3.Connection) -> None:
    fill(disk, 1)
    assert outbox_epochs.outdated(disk, current=5000, now_ms=7) == 5001
    assert outbox_epochs.outdated(disk, current=5001, now_ms=90_000) == 90_000


def test_an_epoch_that_took_part_and_was_fenced_rests(disk: sqlite3.Connection) -> None:
    fill(disk, 2)
    outbox.settle(disk, 1, now=50.0)
    assert outbox_epochs.outdated(disk, current=5000, now_ms=7) is None


def test_the_epoch_is_the_time_the_table_was_made(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.db", [lambda db: outbox.create_tables(db, lambda: 1234)])
    writer.close()
    writer = Writer(tmp_path / "a.db", [lambda db: outbox.create_tables(db, lambda: 9999)])
    assert writer.run(outbox.epoch) == 1234
    writer.close()


def test_the_feed_remembers_on_disk_before_it_answers(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.db", [outbox.create_tables])
    writer.run(lambda c: fill(c, 3))
    feed = OutboxFeed(writer, clock=lambda: 99.0)
    feed.attach(lambda: None)
    assert feed.tail() == 3
    assert feed.resume(1, None) == feed.epoch()
    feed.settle(2)
    feed.set_aside(3, "bad")
    assert [item.payload[:1] for item in feed.read(2, 3)] == [b"1", b"2"]
    feed.detach()
    writer.close()
    writer = Writer(tmp_path / "a.db", [outbox.create_tables])
    assert writer.run(states) == "ssa"
    writer.close()


def test_an_outbox_put_back_to_a_backup_knows_by_the_position_that_the_receiver_has_other_batches(
    disk: sqlite3.Connection,
) -> None:
    """Nor is it beyond what may be on its way: the number alone would take them for its own."""
    fill(disk, 10)
    outbox_epochs.resume(disk, 10, now=1.0, now_ms=1000)
    fill(disk, 5)
    assert outbox_epochs.resume(disk, 13, now=2.0, now_ms=2000, ours=False) == 2000
    assert states(disk) == "s" * 10 + "p" * 5
    assert [item.payload[:2] for item in outbox.read(disk, 1, 5)] == [b"10", b"11", b"12", b"13", b"14"]
    assert outbox_epochs.resume(disk, 0, now=3.0, now_ms=3000, ours=False) == 2000, "once is enough"


def test_the_receivers_position_is_recognised_in_the_transaction_that_acts_on_it(tmp_path: Path) -> None:
    asked: list[tuple[bytes, bool]] = []

    def recognises(connection: sqlite3.Connection, position: bytes) -> bool:
        asked.append((position, connection.in_transaction))
        return position != b"another's"

    writer = Writer(tmp_path / "a.db", [outbox.create_tables])
    writer.run(lambda c: fill(c, 5))
    feed = OutboxFeed(writer, lambda: 99.0, recognises)
    feed.attach(lambda: None)
    epoch = feed.resume(2, b"entry 2")
    assert feed.outdated(epoch + 1) is None, "it took part"
    assert feed.resume(3, None) == epoch, "a receiver that tells none is believed"
    renewed = feed.resume(4, b"another's")
    assert renewed > epoch
    assert feed.resume(0, b"another's") == renewed == feed.epoch()
    assert feed.tail() == 2, "what was not settled before"
    feed.detach()
    writer.close()
    assert asked == [(b"entry 2", True), (b"another's", True), (b"another's", True)]


def test_pruned_bytes_are_overwritten_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    writer = Writer(path, [outbox.create_tables])
    writer.run(lambda c: outbox.append(c, "test", b"SECRET-OF-A-CLASS" * 100))
    writer.run(lambda c: outbox.withdraw(c, [1]))
    writer.close()
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"SECRET-OF-A-CLASS" not in left
