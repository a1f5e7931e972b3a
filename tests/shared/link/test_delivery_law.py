"""Whatever goes wrong on the way, every accepted batch has its effect exactly once."""

import random

import sqlite_utils
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.link import outbox
from shared.link.frames import WINDOW
from shared.link.spool import Closed, Rewound, Spool
from shared.storage import transaction
from tests.shared.link.world import (
    DiskFeed,
    Network,
    PowerCutError,
    ReceiverHost,
    SenderHost,
    exchange,
    log,
    log_table,
    memory,
    settle_down,
)

STEPS = 250
SEEDS = st.integers(0, 2**32 - 1)


class Office:
    """An outbox, its sender and its receiver, under a schedule drawn from one seed."""

    def __init__(self, seed: int, *, trouble: float = 0.02) -> None:
        self.rng = rng = random.Random(seed)
        self.disk = memory(lambda db: outbox.create_tables(db, lambda: 1000))
        self.feed = DiskFeed(self.disk, lambda: rng.randrange(2**40))
        self.trouble = trouble
        self.right = ReceiverHost(rng, trouble)
        self.network = Network(rng)
        self.left = SenderHost(self.feed, rng)
        self.payloads: dict[int, bytes] = {}
        self.restarts = self.restores = 0
        self.copy: bytes | None = None
        self.start()

    def start(self) -> None:
        self.left = SenderHost(self.feed, self.rng, now=self.left.now)
        self.left.connect()
        self.left.trouble = self.trouble / 4

    def append(self) -> None:
        payload = b"%s%d" % (self.rng.choice((b"bad", b"good", b"good", b"good")), len(self.payloads))
        with transaction(self.disk):
            self.payloads[outbox.append(self.disk, "test", payload, now=0.0)] = payload

    def step(self) -> None:
        try:
            match self.rng.randrange(10):
                case 0 | 1 | 2:
                    self.append()
                    self.left.look()
                case 3:
                    self.network.disturb()
                case 4:
                    self.left.look()
                case _:
                    exchange(self.network, self.left, self.right, self.rng.randrange(1, 6))
        except PowerCutError:
            self.restarts += 1
            self.start()

    def restore(self) -> None:
        if self.copy is None or self.rng.random() < 0.5:
            self.copy = self.right.backup()
        else:
            self.restores += 1
            self.right.restore(self.copy)
            self.network.cut()
            self.left.machine.down()
            self.left.trouble = 0.0
            self.left.connect()
            self.left.trouble = self.trouble / 4

    def expected(self) -> dict[bytes, int]:
        return {payload: 1 for payload in self.payloads.values() if payload.startswith(b"good")}


@settings(derandomize=True, max_examples=40, deadline=None)
@given(SEEDS)
def test_through_a_bad_network_and_crashes_of_either_side(seed: int) -> None:
    office = Office(seed)
    for _ in range(STEPS):
        office.step()
    settle_down(office.network, office.left, office.right)
    assert office.right.histogram() == office.expected()
    assert outbox.counts(office.disk).pending == 0
    assert outbox.counts(office.disk).renewals == 0


@settings(derandomize=True, max_examples=30, deadline=None)
@given(SEEDS)
def test_through_a_receiver_put_back_to_its_backup(seed: int) -> None:
    office = Office(seed)
    for step in range(STEPS):
        office.step()
        if step % 40 == 39:
            office.restore()
    settle_down(office.network, office.left, office.right)
    assert office.right.histogram() == office.expected()


@settings(derandomize=True, max_examples=30, deadline=None)
@given(SEEDS)
def test_what_is_withdrawn_unsent_has_no_effect_and_holds_up_nothing(seed: int) -> None:
    office = Office(seed)
    for _ in range(WINDOW + 12):
        office.append()
    unsent = {number for number in office.payloads if number > WINDOW}  # more than were ever on their way
    gone = set(office.rng.sample(sorted(unsent), 5))
    with transaction(office.disk):
        assert outbox.withdraw(office.disk, gone) == 5
    for _ in range(STEPS):
        office.step()
    settle_down(office.network, office.left, office.right)
    lost = {office.payloads[number] for number in gone}
    assert office.right.histogram() == {p: n for p, n in office.expected().items() if p not in lost}


@settings(derandomize=True, max_examples=30, deadline=None)
@given(SEEDS)
def test_what_was_rejected_is_set_aside_however_often_a_side_stops(seed: int) -> None:
    """Connections break, but none loses a frame and delivers a later one: what TCP promises."""
    office = Office(seed, trouble=0.03)
    for _ in range(STEPS):
        before = office.right.process, office.restarts
        if office.rng.random() < 0.5:
            office.append()
        try:
            office.left.look()
            exchange(office.network, office.left, office.right, 100)
        except PowerCutError:
            office.restarts += 1
            office.start()
        if before != (office.right.process, office.restarts):
            office.network.cut()
    settle_down(office.network, office.left, office.right)
    aside = {bytes(p) for (p,) in office.disk.execute("SELECT payload FROM outbox WHERE state = 'aside'")}
    assert aside == {payload for payload in office.payloads.values() if payload.startswith(b"bad")}


class LoggedOffice(Office):
    """An office that may be put back to a backup, and whose batches carry positions that are its own."""

    def __init__(self, seed: int) -> None:
        self.made = 0
        super().__init__(seed)
        log_table(sqlite_utils.Database(self.disk))

    def append(self) -> None:
        self.made += 1
        with transaction(self.disk):
            number = outbox.append(self.disk, "test", b"good%d" % self.made, now=0.0)
            log(self.disk, number)

    def put_back(self, backup: bytes) -> None:
        self.disk.deserialize(backup)
        self.network.cut()
        self.start()

    def accepted(self, after: int = 0) -> set[bytes]:
        found = self.disk.execute("SELECT payload FROM outbox").fetchall()
        return {bytes(payload) for (payload,) in found if int(payload[4:]) > after}


@settings(derandomize=True, max_examples=60, deadline=None)
@given(SEEDS, st.integers(0, 40), st.integers(0, 12))
def test_an_outbox_put_back_to_its_backup_loses_nothing_that_it_has_or_accepts_afterwards(
    seed: int, since: int, meanwhile: int
) -> None:
    """What had left before is sent twice at most; what is accepted afterwards has its effect once."""
    office = LoggedOffice(seed)
    for _ in range(STEPS // 4):
        office.step()
    backup = office.disk.serialize()
    for _ in range(since):
        office.step()
    put_back_at = office.made
    office.put_back(backup)
    for _ in range(meanwhile):
        office.append()
    for _ in range(STEPS // 4):
        office.step()
    settle_down(office.network, office.left, office.right)
    effects = office.right.histogram()
    assert office.accepted() <= effects.keys()
    assert outbox.counts(office.disk).pending == 0
    assert {effects[payload] for payload in office.accepted(put_back_at)} <= {1}
    assert max(effects.values(), default=1) <= 2


class Reader:
    """A collector that reads numbered lines of a source, and starts again at any point."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.lines = 150
        self.right = ReceiverHost(self.rng, 0.02)
        self.network = Network(self.rng)
        self.copy = self.right.backup()
        self.restarts = -1
        self.start()

    def start(self) -> None:
        self.restarts += 1
        self.spool = Spool(now_ms=lambda: self.rng.randrange(2**40))  # any clock will do
        self.at: int | None = None
        self.left = SenderHost(self.spool, self.rng, trouble=0.005)
        self.left.out.clear()

    def read_on(self) -> None:
        try:
            if self.at is None:
                position = self.spool.opened(timeout=0)
                self.at = int(position or b"0")
            if self.at < self.lines and self.spool.tail() - self.left.machine.acked < 8:
                self.spool.put(b"line %d" % self.at, b"%d" % (self.at + 1))
                self.at += 1
        except TimeoutError:
            return
        except Rewound:
            self.at = None

    def step(self) -> None:
        try:
            match self.rng.randrange(10):
                case 0 | 1 | 2 | 3:
                    self.read_on()
                    self.left.look()
                case 4:
                    self.network.disturb()
                case 5 if self.left.machine.phase.value == "down":
                    self.left.connect()
                case 6 if self.rng.random() < 0.1:
                    raise PowerCutError
                case _:
                    exchange(self.network, self.left, self.right, self.rng.randrange(1, 6))
        except PowerCutError:
            self.start()

    def finish(self) -> None:
        for _ in range(1000):
            settle_down(self.network, self.left, self.right)
            if self.at == self.lines:
                return
            self.read_on()
        raise AssertionError(f"stuck at line {self.at}")


@settings(derandomize=True, max_examples=40, deadline=None)
@given(SEEDS, st.booleans())
def test_a_source_is_read_to_its_end_once_whoever_forgets_what(seed: int, restores: bool) -> None:
    reader = Reader(seed)
    for step in range(STEPS):
        reader.step()
        if restores and step % 60 == 59:
            reader.right.restore(reader.copy)
            reader.copy = reader.right.backup()
            reader.network.cut()
            reader.left.machine.down()
    reader.finish()
    assert reader.right.histogram() == {b"line %d" % i: 1 for i in range(reader.lines)}


def test_two_collectors_of_one_stream_do_not_fight_the_first_one_stops() -> None:
    reader = Reader(7)
    reader.finish()
    first, first_spool = reader.left, reader.spool
    reader.start()
    reader.lines = 200
    reader.finish()
    first.machine.down()
    first.connect()
    reader.network.cut()
    exchange(reader.network, first, reader.right, 100)
    try:
        first_spool.put(b"line 0", b"1")
    except Closed as error:
        assert "another collector" in str(error)
    else:
        raise AssertionError("the fenced collector went on")
    assert set(reader.right.histogram().values()) == {1}
