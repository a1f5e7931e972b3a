"""What the receiver refused for good lies apart until somebody sends it again or lets it go."""

import random
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.errors import BadInput, UsageError
from shared.link import aside, ledger, outbox, outbox_epochs
from shared.link.aside import Aside
from shared.link.client import LinkClient
from shared.link.keys import KeyPair
from shared.link.outbox_feed import OutboxFeed
from shared.link.outcomes import Delivery, Outcome
from shared.link.sender import Pace
from shared.link.server import LinkServer
from shared.storage import Writer
from tests.shared.link.site import Site, until
from tests.shared.link.world import count, memory


class OldSite(Site):
    """A receiver that refuses what it does not know, until it is upgraded."""

    knows_all = False

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        return self.writer.run(lambda c: ledger.deliver_in_transaction(c, deliveries, self._effect))

    def _effect(self, connection: sqlite3.Connection, delivery: Delivery) -> None:
        if not self.knows_all and delivery.payload.startswith(b"new"):
            raise BadInput("unknown_model")
        count(connection, delivery)


@pytest.fixture
def disk() -> sqlite3.Connection:
    """Four batches, of which the receiver took the first and the last."""
    made = memory(lambda db: outbox.create_tables(db, lambda: 1000))
    for number in range(1, 5):
        outbox.append(made, "week", b"record %d" % number, now=float(number))
    outbox.set_aside(made, 2, "unknown_model")
    outbox.set_aside(made, 3, "sums")
    outbox.settle(made, 4, now=50.0)
    return made


def states(disk: sqlite3.Connection) -> str:
    return "".join(state[0] for (state,) in disk.execute("SELECT state FROM outbox ORDER BY number"))


def test_it_is_listed_with_when_why_and_how_much(disk: sqlite3.Connection) -> None:
    assert aside.listed(disk) == [
        Aside(2, "week", 50.0, "unknown_model", 8),
        Aside(3, "week", 50.0, "sums", 8),
    ]
    assert aside.payload(disk, 3) == b"record 3"


def test_a_retried_one_goes_as_a_new_batch_and_leaves_no_bytes_behind(disk: sqlite3.Connection) -> None:
    assert aside.retry(disk, 2) == (5, "week", b"record 2")
    assert states(disk) == "srasp"
    assert [item.payload for item in outbox.read(disk, 2, 5)] == [b"", b"record 3", b"record 4", b"record 2"]
    assert [item.number for item in aside.listed(disk)] == [3]


def test_a_dropped_one_leaves_its_number_and_no_bytes(disk: sqlite3.Connection) -> None:
    before = outbox.counts(disk).bytes
    assert aside.drop(disk, 3) == "week"
    assert outbox.counts(disk).bytes == before - len(b"record 3")
    outbox.withdraw(disk, [3])
    assert disk.execute("SELECT state, reason FROM outbox WHERE number = 3").fetchall() == [
        ("dropped", "sums")
    ]


@pytest.mark.parametrize("number", [1, 99])
def test_only_what_was_refused_can_be_touched(disk: sqlite3.Connection, number: int) -> None:
    aside.drop(disk, 2)
    for touch in (aside.payload, aside.retry, aside.drop):
        for wrong in (number, 2):
            with pytest.raises(UsageError, match=f"number {wrong}"):
                touch(disk, wrong)
    assert states(disk) == "sdas"


def test_a_full_outbox_still_retries(disk: sqlite3.Connection) -> None:
    outbox.settle(disk, 4, now=60.0)
    outbox.set_budget(disk, outbox.unsent_bytes(disk))
    aside.retry(disk, 2)
    aside.retry(disk, 3)
    assert outbox.counts(disk).pending == 2


def test_a_receiver_put_back_to_a_backup_is_not_sent_what_was_dropped_or_retried(
    disk: sqlite3.Connection,
) -> None:
    aside.retry(disk, 2)
    aside.drop(disk, 3)
    outbox_epochs.resume(disk, 0, now=60.0, now_ms=60_000)
    payloads = [item.payload for item in outbox.read(disk, 1, 5)]
    assert payloads == [b"record 1", b"", b"", b"record 4", b"record 2"]


def test_numbers_given_twice_are_meant_once_and_none_means_all(disk: sqlite3.Connection) -> None:
    assert aside.every(disk, [3, 3, 2]) == [3, 2]
    assert aside.every(disk, []) == [2, 3]


def test_what_an_old_receiver_refused_arrives_once_after_its_upgrade(tmp_path: Path) -> None:
    ours, theirs = KeyPair.new(), KeyPair.new()
    with ExitStack() as stack:
        site = OldSite(tmp_path / "receiver.db", {ours.public: "school"})
        stack.callback(site.close)
        writer = Writer(tmp_path / "sender.db", [outbox.create_tables])
        stack.callback(writer.close)
        server = LinkServer("tcp://127.0.0.1:*", theirs, site)
        server.start()
        stack.callback(server.stop)
        payloads = [b"old 1", b"new 2", b"old 3", b"new 4"]
        writer.run(lambda c: [outbox.append(c, "week", payload) for payload in payloads])
        pace = Pace(first=0.2, longest=1.0, refused=0.1)
        feed = OutboxFeed(writer)
        client = LinkClient(
            server.endpoint, theirs.public, ours, "records", feed, random.Random(1), pace=pace
        )
        client.start()
        stack.callback(client.stop)
        until(lambda: writer.run(outbox.counts).pending == 0, "everything was answered")
        refused = [(item.number, item.reason) for item in writer.run(aside.listed)]
        assert refused == [(2, "unknown_model"), (4, "unknown_model")]
        assert site.histogram() == {b"old 1": 1, b"old 3": 1}

        site.knows_all = True
        writer.run(lambda c: [aside.retry(c, number) for number, _ in refused])
        feed.wake()
        until(lambda: writer.run(outbox.counts).pending == 0, "what was retried arrived")
        assert site.histogram() == dict.fromkeys(payloads, 1)
        assert writer.run(aside.listed) == []
