"""A sending and a receiving machine with disks that fail, keys that are renewed, and versions that differ.

What the client's and the server's threads do with sockets is done here with `Lines`: the same machines, the
same functions over SQLite, in the same order.
"""

import random
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import sqlite_utils

from shared.link import ledger, outbox
from shared.link.answering import Answers
from shared.link.asking import Asker
from shared.link.credentials import Credentials
from shared.link.frames import Ack, Reject, Renewed, decode_to_sender, encode
from shared.link.instructions import Reply
from shared.link.keys import KeyPair
from shared.link.receiver import Receiver
from shared.link.sender import Phase
from shared.link.versions import SPOKEN, Versions
from shared.storage import transaction
from tests.shared.link import faults
from tests.shared.link.faults import FaultyDisk
from tests.shared.link.lines import Frame, Lines
from tests.shared.link.world import (
    ENROLMENT,
    DiskFeed,
    PowerCutError,
    ReceiverHost,
    SenderHost,
    histogram_table,
    log_table,
)

BUDGET: Final = 20_000
HUB_KEY: Final = "h" * 40


def pair(number: int) -> KeyPair:
    """The sender's key of this number."""
    return KeyPair(f"{number:040d}", b"")


def key_table(db: sqlite_utils.Database) -> None:
    """Keys that speak for the one enrolment, each with the one that it was renewed from."""
    db.table("key").insert({"key": pair(0).public, "renewed_from": ""}, pk="key")


@dataclass
class Office:
    """The sender: its disk, its key files and its clock stay; its process comes and goes."""

    rng: random.Random
    lines: Lines
    wall_ms: int = 1_000_000
    versions: Versions = SPOKEN
    keys: tuple[KeyPair, ...] = (pair(0),)  # in force, and the next one if there is one
    heard: Callable[[], None] = lambda: None  # a WELCOME, and the outbox knows
    said: Callable[[bytes], None] = lambda _data: None

    def __post_init__(self) -> None:
        self._begun: set[int] = set()
        self.disk = self._empty()
        self.boot(0)

    def _empty(self) -> FaultyDisk:
        while self.wall_ms in self._begun:  # no two outboxes begin in one millisecond
            self.wall_ms += 1
        self._begun.add(self.wall_ms)
        disk = faults.disk(lambda db: outbox.create_tables(db, lambda: self.wall_ms), log_table)
        outbox.set_budget(disk, BUDGET)
        return disk

    def lose_disk(self) -> None:
        """The outbox is gone; a new one begins. What is on its way may still arrive."""
        self.disk = self._empty()
        self.boot(len(self.lines.to_receiver))

    def boot(self, arriving: int) -> None:
        """The process starts, after whatever happened to the one before it."""
        self.disk.recover()
        self.lines.broken(arriving)
        self.credentials = Credentials(self.keys, (HUB_KEY,))
        self.asker = Asker(self.rng)
        self.wanted = self.keys[-1]
        if len(self.keys) > 1:
            self.asker.renew(self.wanted.public)
        self.now = 0.0
        self._converse()

    def hang_up(self, arriving: int) -> None:
        """The connection breaks."""
        self.lines.broken(arriving)
        self.process.machine.down()

    def dial(self) -> None:
        """A connection stands, if none did."""
        if not self.lines.route:
            self.lines.connect()
            self._spoken = self.credentials.pair.public
            self.act(self.process.connect)

    def wake(self) -> None:
        """There may be more to send."""
        machine, now = self.process.machine, self.process.now
        self.act(lambda: self.process.run(machine.available(self.process.feed.tail(), now)))
        self._ask()

    def wait(self) -> None:
        """Until the sender's patience is at its end."""
        self.act(self.process.look)
        self._ask()

    def hear(self, data: bytes) -> None:
        """One frame arrived."""
        frame = decode_to_sender(data)
        if isinstance(frame, Renewed):
            self._renewed(frame)
        else:
            machine, now = self.process.machine, self.process.now
            self.act(lambda: self.process.run(machine.received(frame, now)))
        if self.process.machine.refusal == "not_enrolled" and self.credentials.several:
            self.credentials.refused()
            self._redial()

    def renew_key(self) -> None:
        """A next key is on the disk: speak with it as soon as the receiver has it."""
        if len(self.keys) == 1:
            self.wanted = pair(int(self.keys[0].public) + 1)
            self.keys = (self.keys[0], self.wanted)
            self.asker.renew(self.wanted.public)

    def act(self, work: Callable[[], object]) -> None:
        """Do this, with the power failing, or the disk being full, anywhere within."""
        try:
            work()
        except PowerCutError:
            self._flush()
            self.boot(len(self.lines.to_receiver))
        except sqlite3.Error:
            self._flush()
            self._redial()
        else:
            self._flush()

    def _converse(self) -> None:
        feed = DiskFeed(self.disk, lambda: self.wall_ms)
        self.process = SenderHost(
            feed,
            self.rng,
            now=self.now,
            versions=self.versions,
            between=self.disk.between,
            welcomed=self._welcomed,
        )
        self._spoken = self.credentials.pair.public
        self.asker.again()

    def _redial(self) -> None:
        self.now = self.process.now
        self.lines.broken(len(self.lines.to_receiver))
        self._converse()

    def _ask(self) -> None:
        machine = self.process.machine
        if machine.phase is Phase.OPEN and machine.minor >= 1:
            self.process.out += [encode(frame) for frame in self.asker.due(self.process.now)]
            self._flush()

    def _renewed(self, frame: Renewed) -> None:
        if self.asker.renewed(frame) and not frame.reason:
            self.credentials.turn_to(self.wanted)
            self._redial()

    def _welcomed(self) -> None:
        if self.credentials.renewed:
            self.keys = (self.credentials.pair,)
        self.credentials.settle("")
        self.disk.between()
        self.heard()

    def _flush(self) -> None:
        for data in self.process.out:
            self.said(data)
        self.lines.say(self._spoken, self.process.out)
        self.process.out.clear()


@dataclass
class Hub:
    """The receiver; as an inbox it renews keys."""

    rng: random.Random
    lines: Lines
    effect: ledger.Effect
    versions: Versions = SPOKEN
    disk: FaultyDisk = field(
        default_factory=lambda: faults.disk(ledger.create_tables, histogram_table, key_table)
    )

    def __post_init__(self) -> None:
        self.host = ReceiverHost(self.rng, disk=self.disk, effect=self.effect, enrolment=self.enrolment)
        self.boot()

    def boot(self) -> None:
        """The process starts; whoever was connected is not."""
        self.disk.recover()
        self.host.process = Receiver(versions=self.versions)
        self.host.answers = Answers(self)

    def take(self, frames: Iterable[Frame]) -> bool:
        """Take what arrived together, and answer; whether the process lives."""
        try:
            replies = self.host.take(frames)
        except PowerCutError:
            self.boot()
            return False
        self._keeps_its_word(replies)
        self.lines.answer(replies)
        return True

    def _keeps_its_word(self, replies: Iterable[Reply]) -> None:
        """What is acknowledged is on the disk by now."""
        words = [reply.frame for reply in replies if isinstance(reply.frame, Ack | Reject)]
        if words:
            epoch, last = self.disk.execute("SELECT epoch, last_seq FROM link_stream").fetchone()
            early = [frame for frame in words if frame.epoch == epoch and frame.seq > last]
            assert not early, f"acknowledged, and not on the disk: {early}"

    def enrolment(self, key: str) -> str | None:
        """As the server's gate has it."""
        known = self.disk.execute("SELECT 1 FROM key WHERE key = ?", (key,)).fetchone()
        return ENROLMENT if known else None

    def enrol(self, key: str) -> None:
        """People do that, after a restore from before this key was known."""
        self.disk.execute("INSERT OR IGNORE INTO key VALUES (?, '')", (key,))

    def renew(self, enrolment: str, old_key: str, new_key: str) -> None:
        """See answering.Renewing."""
        with transaction(self.disk):
            self.disk.execute("INSERT OR IGNORE INTO key VALUES (?, ?)", (new_key, old_key))

    def retire(self, enrolment: str, key_in_use: str) -> None:
        """See answering.Renewing."""
        with transaction(self.disk):
            self.disk.execute(
                "DELETE FROM key WHERE key = (SELECT renewed_from FROM key WHERE key = ?)", (key_in_use,)
            )
