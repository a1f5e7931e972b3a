"""A model of two machines and the network between them, for random schedules of everything that goes wrong.

Failures it knows: frames lost, doubled, overtaken; either side stopped between any two instructions, also
after a commit and before its acknowledgement; a commit that the disk refuses; a receiver put back to an
earlier backup; clocks that jump. Disks keep what was committed, except for the backup.
Not a failure: time. Waiting is instant, and `deadline` is reached by asking for it.
"""

import itertools
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import sqlite_utils

from shared.errors import BadInput
from shared.link import ledger, outbox, outbox_epochs, sender
from shared.link.answering import Answers
from shared.link.feed import Feed, Item
from shared.link.frames import Batch, decode_to_sender, encode
from shared.link.instructions import Greet, Question, Renewal, Reply, Take
from shared.link.outcomes import Delivery, Later, Outcome
from shared.link.receiver import Receiver
from shared.link.sender import Sender
from shared.link.versions import SPOKEN, Versions
from shared.storage import transaction

ROUTE, KEY, ENROLMENT, STREAM = b"r", "k" * 40, "school", "records"


class PowerCutError(Exception):
    """The process is gone at this very point."""


class DiskFullError(Exception):
    """The commit is refused."""


def memory(*migrations: object) -> sqlite3.Connection:
    """A database file that needs no disk."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for migration in migrations:
        migration(sqlite_utils.Database(connection))  # type: ignore[operator] # each is a Migration
    return connection


def histogram_table(db: sqlite_utils.Database) -> None:
    """How often each payload had its effect: a 2 proves double counting."""
    db.table("bucket").create({"payload": bytes, "times": int}, pk="payload")


def count(connection: sqlite3.Connection, delivery: Delivery) -> None:
    """The effect under test."""
    connection.execute(
        "INSERT INTO bucket VALUES (?, 1) ON CONFLICT (payload) DO UPDATE SET times = times + 1",
        (delivery.payload,),
    )
    if delivery.payload.startswith(b"bad"):
        raise BadInput("bad_payload")


ENTRIES = itertools.count(1)  # as hashes of a chain: no two alike, whatever disk is put back


def log_table(db: sqlite_utils.Database) -> None:
    """Everything that ever left, for a sender to know again."""
    db.table("log").create({"entry": bytes}, pk="entry")


def log(connection: sqlite3.Connection, number: int) -> None:
    """Write down that this batch leaves, and let it carry its entry."""
    entry = b"entry %d, batch %d" % (next(ENTRIES), number)
    connection.execute("INSERT INTO log VALUES (?)", (entry,))
    outbox.put_position(connection, number, entry)


def is_logged(connection: sqlite3.Connection, position: bytes | None) -> bool | None:
    """Whether the receiver's newest batch is one that this sender knows; None without a log to tell by."""
    has_log = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'log'").fetchone()
    if position is None or not has_log:
        return None
    return connection.execute("SELECT 1 FROM log WHERE entry = ?", (position,)).fetchone() is not None


class DiskFeed:
    """The outbox's own functions as a feed, without a thread between."""

    def __init__(self, disk: sqlite3.Connection, now_ms: Callable[[], int]) -> None:
        self.disk = disk
        self.now_ms = now_ms

    def attach(self, wake: Callable[[], None]) -> None: ...

    def detach(self) -> None: ...

    def close(self) -> None: ...

    def epoch(self) -> int:
        return outbox.epoch(self.disk)

    def tail(self) -> int:
        return outbox.tail(self.disk)

    def read(self, first: int, last: int) -> Sequence[Item]:
        return outbox.read(self.disk, first, last)

    def resume(self, last_seq: int, position: bytes | None) -> int:
        with transaction(self.disk):
            ours = is_logged(self.disk, position)
            return outbox_epochs.resume(self.disk, last_seq, self.now_ms() / 1000, self.now_ms(), ours=ours)

    def outdated(self, current: int) -> int | None:
        with transaction(self.disk):
            return outbox_epochs.outdated(self.disk, current, self.now_ms())

    def settle(self, seq: int) -> None:
        with transaction(self.disk):
            outbox.settle(self.disk, seq, self.now_ms() / 1000)

    def set_aside(self, seq: int, reason: str) -> None:
        with transaction(self.disk):
            outbox.set_aside(self.disk, seq, reason)


@dataclass
class ReceiverHost:
    """The receiving machine: its disk stays, its process comes and goes."""

    rng: random.Random
    trouble: float = 0.0
    disk: sqlite3.Connection = field(default_factory=lambda: memory(ledger.create_tables, histogram_table))
    process: Receiver = field(default_factory=Receiver)
    effect: ledger.Effect = count
    enrolment: Callable[[str], str | None] = lambda _key: ENROLMENT
    answers: Answers | None = None
    now: float = 0.0
    busy_after: int | None = None  # of the next group, all deliveries but so many are put off

    def hear(self, frames: list[bytes]) -> list[bytes]:
        """Take what arrived together; what it answers, or nothing when the power is cut on the way."""
        answers = self.take([(ROUTE, KEY, data) for data in frames])
        if self.rng.random() < self.trouble:
            self.crash()
            return []
        return [encode(reply.frame) for reply in answers]

    def take(self, frames: Iterable[tuple[bytes, str, bytes]]) -> list[Reply]:
        """Take what arrived together, each frame with its route and the route's key, and answer."""
        self.now += 1.0
        replies: list[Reply] = []
        group: list[Take] = []
        for route, key, data in frames:
            match self.process.received(route, key, self.enrolment(key), data, now=self.now):
                case Reply() as reply:
                    replies.append(reply)
                case Greet() as greet:
                    replies += self._deliver(group)
                    group = []
                    replies += self._greet(greet)
                case Take() as take:
                    group.append(take)
                case Renewal() as renewal:
                    replies += self._renew(renewal)
                case Question():
                    pass
        return replies + self._deliver(group)

    def _greet(self, greet: Greet) -> list[Reply]:
        try:
            if self.answers:
                self.answers.heard(greet.enrolment, greet.key)
            with transaction(self.disk):
                standing = ledger.hello(self.disk, ENROLMENT, STREAM, greet.hello.epoch)
        except sqlite3.Error:  # no answer: it will say HELLO again
            return []
        return [self.process.greeted(greet, standing)]

    def _renew(self, renewal: Renewal) -> list[Reply]:
        try:
            return [Reply(renewal.route, self.answers.renewed(renewal))] if self.answers else []
        except sqlite3.Error:  # as above
            return []

    def _deliver(self, group: list[Take]) -> list[Reply]:
        if not group:
            return []
        taken, self.busy_after = group[: self.busy_after], None
        outcomes: list[Outcome]
        try:
            with transaction(self.disk):
                outcomes = ledger.deliver_in_transaction(
                    self.disk, [take.delivery for take in taken], self.effect
                )
                if self.rng.random() < self.trouble:
                    raise DiskFullError
        except (DiskFullError, sqlite3.Error):
            outcomes = [Later(10)] * len(taken)
        outcomes += [Later(10)] * (len(group) - len(taken))
        return self.process.settled(group, outcomes)

    def crash(self) -> None:
        """The process forgets who talked."""
        self.process = Receiver()

    def backup(self) -> bytes:
        """A copy of the disk."""
        return self.disk.serialize()

    def restore(self, copy: bytes) -> None:
        """The disk as it was then."""
        self.disk.deserialize(copy)
        self.crash()

    def histogram(self) -> Counter[bytes]:
        """Payload -> how often it had its effect."""
        return Counter(dict(self.disk.execute("SELECT payload, times FROM bucket")))


@dataclass
class SenderHost:
    """The sending machine's process, over a feed that may outlive it."""

    feed: Feed
    rng: random.Random
    trouble: float = 0.0
    now: float = 0.0
    versions: Versions = SPOKEN
    between: Callable[[], None] = lambda: None  # any two instructions
    welcomed: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.machine = Sender(STREAM, self.feed.epoch(), self.rng, versions=self.versions)
        self.out: list[bytes] = []

    def connect(self) -> None:
        """A connection stands."""
        self.run(self.machine.up(self.now))

    def hear(self, data: bytes) -> None:
        """One frame arrived."""
        self.run(self.machine.received(decode_to_sender(data), self.now))

    def look(self) -> None:
        """The feed may have more, and time may be up."""
        self.run(self.machine.available(self.feed.tail(), self.now))
        if self.machine.deadline is not None:
            self.now = max(self.now, self.machine.deadline)
            self.run(self.machine.tick(self.now))

    def run(self, instructions: Iterable[sender.Instruction]) -> None:
        """Carry out, with the power failing between any two."""
        queue = list(instructions)
        while queue:
            self.between()
            if self.rng.random() < self.trouble:
                raise PowerCutError
            queue += self._do(queue.pop(0))

    def _do(self, instruction: sender.Instruction) -> list[sender.Instruction]:
        match instruction:
            case sender.Say(frame):
                self.out.append(encode(frame))
            case sender.Transmit(first, last):
                epoch = self.machine.epoch
                for seq, item in enumerate(self.feed.read(first, last), start=first):
                    self.out.append(encode(Batch(epoch, seq, item.payload, item.position)))
            case sender.Settled(seq):
                self.feed.settle(seq)
            case sender.SetAside(seq, reason):
                self.feed.set_aside(seq, reason)
            case sender.Resume(last_seq, position):
                self.welcomed()
                epoch = self.feed.resume(last_seq, position)
                if epoch != self.machine.epoch:
                    return self.machine.renewed(epoch, self.now)
                return self.machine.resumed(last_seq, self.feed.tail(), self.now)
            case sender.Outdated(current):
                newer = self.feed.outdated(current)
                return [] if newer is None else self.machine.renewed(newer, self.now)
        return []


@dataclass
class Network:
    """Frames on their way, in two directions."""

    rng: random.Random
    to_receiver: list[bytes] = field(default_factory=list)
    to_sender: list[bytes] = field(default_factory=list)

    def disturb(self) -> None:
        """Lose one, double one, or let one overtake the others."""
        frames = self.rng.choice((self.to_receiver, self.to_sender))
        if not frames:
            return
        at = self.rng.randrange(len(frames))
        match self.rng.randrange(3):
            case 0:
                del frames[at]
            case 1:
                frames.insert(self.rng.randrange(len(frames) + 1), frames[at])
            case _:
                frames.insert(0, frames.pop(at))

    def cut(self) -> None:
        """Everything on its way is gone."""
        self.to_receiver.clear()
        self.to_sender.clear()


def exchange(network: Network, left: SenderHost, right: ReceiverHost, most: int) -> None:
    """Let up to `most` frames arrive on each side, in the order they now have."""
    network.to_receiver += left.out
    left.out.clear()
    arrived, network.to_receiver[:] = network.to_receiver[:most], network.to_receiver[most:]
    if arrived:
        network.to_sender += right.hear(arrived)
    arrived, network.to_sender[:] = network.to_sender[:most], network.to_sender[most:]
    for data in arrived:
        left.hear(data)


def settle_down(network: Network, left: SenderHost, right: ReceiverHost) -> None:
    """No more trouble: until nothing is on its way and nothing waits."""
    left.trouble = right.trouble = 0.0
    network.cut()
    left.machine.down()
    left.connect()
    for _ in range(10_000):
        exchange(network, left, right, most=100)
        quiet = not (left.out or network.to_receiver or network.to_sender)
        if quiet and left.machine.phase is sender.Phase.OPEN and left.machine.acked == left.feed.tail():
            return
        if quiet:
            left.look()
    raise AssertionError(f"still {left.machine.phase} at {left.machine.acked} of {left.feed.tail()}")
