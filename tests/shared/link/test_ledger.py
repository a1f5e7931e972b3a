"""The ledger: effect and advance are one transaction, in order, once."""

import sqlite3

import pytest

from shared.errors import BadInput
from shared.link import ledger
from shared.link.frames import Rejection
from shared.link.ledger import deliver_in_transaction, hello
from shared.link.outcomes import Delivery, Fenced, Missing, Outcome, Rejected, Settled, Standing
from shared.storage import transaction
from tests.shared.link.world import count, histogram_table, memory


@pytest.fixture
def disk() -> sqlite3.Connection:
    connection = memory(ledger.create_tables, histogram_table)
    hello(connection, "school", "records", 5)
    return connection


def deliver(disk: sqlite3.Connection, *batches: tuple[int, bytes], epoch: int = 5) -> list[Outcome]:
    deliveries = [Delivery("school", "records", epoch, seq, payload, b"%d" % seq) for seq, payload in batches]
    with transaction(disk):
        return deliver_in_transaction(disk, deliveries, count)


def effects(disk: sqlite3.Connection) -> dict[bytes, int]:
    return dict(disk.execute("SELECT payload, times FROM bucket").fetchall())


def test_a_new_stream_stands_at_nothing(disk: sqlite3.Connection) -> None:
    assert hello(disk, "school", "other", 5) == Standing(5, 0)
    assert hello(disk, "other school", "records", 1) == Standing(1, 0)


def test_batches_in_order_have_their_effect_and_move_the_position(disk: sqlite3.Connection) -> None:
    assert deliver(disk, (1, b"a"), (2, b"b")) == [Settled(1), Settled(2)]
    assert hello(disk, "school", "records", 5) == Standing(5, 2, b"2")
    assert effects(disk) == {b"a": 1, b"b": 1}


def test_a_duplicate_is_acknowledged_again_without_effect(disk: sqlite3.Connection) -> None:
    deliver(disk, (1, b"a"), (2, b"b"))
    assert deliver(disk, (1, b"a"), (2, b"b")) == [Settled(2), Settled(2)]
    assert effects(disk) == {b"a": 1, b"b": 1}


def test_after_a_gap_nothing_is_taken(disk: sqlite3.Connection) -> None:
    assert deliver(disk, (2, b"b"), (3, b"c")) == [Missing(1), Missing(1)]
    assert effects(disk) == {}


def test_an_empty_batch_takes_its_place_and_does_nothing(disk: sqlite3.Connection) -> None:
    assert deliver(disk, (1, b""), (2, b"b")) == [Settled(1), Settled(2)]
    assert effects(disk) == {b"b": 1}


def test_bad_input_is_undone_passed_over_and_remembered(disk: sqlite3.Connection) -> None:
    assert deliver(disk, (1, b"a"), (2, b"bad"), (3, b"c")) == [
        Settled(1),
        Rejected(2, "bad_payload"),
        Settled(3),
    ]
    assert effects(disk) == {b"a": 1, b"c": 1}
    assert hello(disk, "school", "records", 5) == Standing(5, 3, b"3", (Rejection(2, "bad_payload"),))
    assert disk.execute("SELECT rejected FROM link_stream").fetchone() == (1,)


def test_any_other_error_undoes_the_whole_group(disk: sqlite3.Connection) -> None:
    def fail(connection: sqlite3.Connection, delivery: Delivery) -> None:
        count(connection, delivery)
        if delivery.seq == 2:
            raise OSError("disk full")

    deliveries = [Delivery("school", "records", 5, seq, b"x%d" % seq) for seq in (1, 2)]
    with pytest.raises(OSError, match="disk full"), transaction(disk):
        deliver_in_transaction(disk, deliveries, fail)
    assert effects(disk) == {}
    assert hello(disk, "school", "records", 5) == Standing(5, 0)


def test_a_newer_epoch_fences_the_older_and_keeps_the_position(disk: sqlite3.Connection) -> None:
    deliver(disk, (1, b"a"), (2, b"b"))
    assert hello(disk, "school", "records", 9) == Standing(9, 0, b"2")
    assert deliver(disk, (3, b"c"), epoch=5) == [Fenced(9)]
    assert hello(disk, "school", "records", 5).epoch == 9
    assert deliver(disk, (1, b"d"), epoch=9) == [Settled(1)]
    assert disk.execute("SELECT epochs FROM link_stream").fetchone() == (2,)


def test_a_batch_of_a_stream_that_never_said_hello_is_not_taken(disk: sqlite3.Connection) -> None:
    stranger = Delivery("other school", "records", 5, 1, b"x")
    assert deliver_in_transaction(disk, [stranger], count) == [Missing(1)]
    assert deliver(disk, (1, b"x"), epoch=6) == [Missing(1)]


def test_a_position_of_none_leaves_the_one_remembered(disk: sqlite3.Connection) -> None:
    here = Delivery("school", "records", 5, 1, b"a", b"here")
    silent = [Delivery("school", "records", 5, seq, b"b") for seq in (2, 3)]
    with transaction(disk):
        deliver_in_transaction(disk, [here, silent[0]], count)
    with transaction(disk):
        deliver_in_transaction(disk, silent[1:], count)
    assert hello(disk, "school", "records", 5) == Standing(5, 3, b"here")


def test_a_mad_peer_cannot_fill_the_table_of_streams(disk: sqlite3.Connection) -> None:
    for i in range(ledger.STREAMS_AN_ENROLMENT - 1):
        hello(disk, "school", f"stream{i}", 5)
    with pytest.raises(BadInput, match="too_many_streams"):
        hello(disk, "school", "one-more", 5)
    assert hello(disk, "school", "records", 5) == Standing(5, 0)
    assert hello(disk, "another", "records", 5) == Standing(5, 0)


def test_an_epoch_after_which_none_could_follow_is_refused_and_changes_nothing(
    disk: sqlite3.Connection,
) -> None:
    now = 1_000_000
    for epoch in (2**53, now + ledger.AHEAD_MS + 1):
        for stream in ("records", "new"):
            with pytest.raises(BadInput, match="epoch_in_the_future"):
                hello(disk, "school", stream, epoch, now)
    assert hello(disk, "school", "records", 5, now) == Standing(5, 0)
    ahead = now + ledger.AHEAD_MS
    assert hello(disk, "school", "records", ahead, now) == Standing(ahead, 0)
    assert hello(disk, "school", "records", ahead + 1, now - 10**6) == Standing(ahead + 1, 0)


def test_a_stream_that_is_forgotten_begins_anew_in_any_epoch(disk: sqlite3.Connection) -> None:
    deliver(disk, (1, b"a"), (2, b"bad"))
    hello(disk, "another", "records", 7)
    ledger.forget(disk, "school")
    assert hello(disk, "school", "records", 3) == Standing(3, 0)
    assert hello(disk, "another", "records", 1) == Standing(7, 0)


def test_only_the_newest_rejections_are_kept(
    disk: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "REJECTIONS_KEPT", 3)
    deliver(disk, *((seq, b"bad%d" % seq) for seq in range(1, 11)))
    assert disk.execute("SELECT seq FROM link_rejection ORDER BY seq").fetchall() == [(8,), (9,), (10,)]
    assert disk.execute("SELECT rejected FROM link_stream").fetchone() == (10,)
