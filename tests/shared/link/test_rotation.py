"""A sender changes its key, whatever goes wrong: nothing is lost, nothing doubled, and the old key ends."""

import random
import sqlite3
from collections.abc import Callable

import pytest
import sqlite_utils
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.link import ledger, outbox
from shared.link.answering import Answers
from shared.link.credentials import Credentials
from shared.link.errands import Errands
from shared.link.frames import Renewed, decode_to_sender, encode
from shared.link.keys import KeyPair
from shared.link.rotation import Keeper, Rotation
from shared.link.sender import Pace, Phase
from shared.link.succession import RETIRED_KEPT, Succession
from shared.storage import transaction
from tests.shared.link.world import (
    ENROLMENT,
    DiskFeed,
    PowerCutError,
    ReceiverHost,
    SenderHost,
    histogram_table,
    memory,
)

STEPS = 300
KEYS = Succession("members", "name", copied=("kind",))
SERVER = "s" * 40


def members_table(db: sqlite_utils.Database) -> None:
    """Who may speak, as a receiver keeps it."""
    db.table("members").create(
        {"public_key": str, "name": str, "kind": str, "joined": float, "revoked": float}, pk="public_key"
    )
    KEYS.add_column(db)


def enrol(disk: sqlite3.Connection, key: str, name: str = ENROLMENT) -> None:
    disk.execute("INSERT INTO members (public_key, name, kind, joined) VALUES (?, ?, 'test', 0)", (key, name))


def active(disk: sqlite3.Connection, name: str = ENROLMENT) -> set[str]:
    rows = disk.execute("SELECT public_key FROM members WHERE revoked IS NULL AND name = ?", (name,))
    return {key for (key,) in rows}


@pytest.fixture
def disk() -> sqlite3.Connection:
    made = memory(members_table)
    enrol(made, "a")
    enrol(made, "z", "other")
    return made


def test_a_new_key_speaks_beside_the_old_one_until_it_has_spoken(disk: sqlite3.Connection) -> None:
    KEYS.renew(disk, ENROLMENT, "a", "b", 1.0)
    KEYS.renew(disk, ENROLMENT, "a", "b", 2.0)
    KEYS.retire(disk, ENROLMENT, "a", 3.0)
    assert active(disk) == {"a", "b"}
    assert disk.execute("SELECT kind, joined FROM members WHERE public_key = 'b'").fetchall() == [
        ("test", 1.0)
    ]
    KEYS.retire(disk, ENROLMENT, "b", 4.0)
    KEYS.retire(disk, ENROLMENT, "b", 5.0)
    assert active(disk) == {"b"}
    assert KEYS.before(disk, "b") is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("a", "z", "key_of_another_enrolment"),
        ("z", "b", "not_enrolled"),
        ("nobody", "b", "not_enrolled"),
        ("gone", "b", "not_enrolled"),
        ("a", "gone", "revoked"),
    ],
)
def test_a_key_of_somebody_else_or_a_revoked_one_is_refused(
    disk: sqlite3.Connection, old: str, new: str, reason: str
) -> None:
    enrol(disk, "gone")
    disk.execute("UPDATE members SET revoked = 1 WHERE public_key = 'gone'")
    with pytest.raises(BadInput, match=reason):
        KEYS.renew(disk, ENROLMENT, old, new, 1.0)
    assert (active(disk), active(disk, "other")) == ({"a"}, {"z"})


def test_a_peer_that_renews_without_end_fills_no_disk(disk: sqlite3.Connection) -> None:
    for i in range(100):
        KEYS.renew(disk, ENROLMENT, "a", f"never used {i}", 1.0)
    assert active(disk) == {"a", "never used 99"}
    key = "a"
    for i in range(100):
        KEYS.renew(disk, ENROLMENT, key, f"used {i}", 2.0 + i)
        KEYS.retire(disk, ENROLMENT, key := f"used {i}", 2.0 + i)
    assert active(disk) == {key}
    assert disk.execute("SELECT count(*) FROM members WHERE name = ?", (ENROLMENT,)).fetchone() == (
        RETIRED_KEPT + 1,
    )
    assert active(disk, "other") == {"z"}


def test_until_the_receivers_new_key_is_kept_the_keeper_keeps_the_announcement_that_leads_to_it() -> None:
    told: list[tuple[str, str]] = []
    full = True

    def write(which: str) -> Callable[[str], None]:
        def keep(public: str) -> None:
            if full:
                raise OSError(28, "No space left on device")
            told.append((which, public))

        return keep

    ours, credentials = KeyPair("a", b""), Credentials((KeyPair("a", b""),), ("old", "new"))
    errands = Errands(random.Random(1), Pace(), lambda: True)
    keeper = Keeper(server_key=write("server"), next_key=write("next"))
    rotation = Rotation(credentials, errands, keeper)
    credentials.no_handshake()
    rotation.welcomed("newer")
    assert (credentials.server, credentials.announced, credentials.pair) == ("new", "newer", ours)
    assert told == []
    full = False
    rotation.welcomed("newer")
    rotation.welcomed("newer")
    rotation.welcomed("")
    assert told == [("server", "new"), ("next", "newer"), ("next", "")]


class Lines:
    """Connections that come and go, each with its number; a tame one keeps the order of what it delivers."""

    def __init__(self, rng: random.Random, wild: bool) -> None:
        self.rng, self.wild = rng, wild
        self.made = self.standing = 0
        self.up: list[tuple[int, str, bytes]] = []
        self.down: list[tuple[int, bytes]] = []

    def connect(self) -> None:
        self.made += 1
        self.standing = self.made

    def broken(self) -> None:
        """Of what was said some still arrives, perhaps after what the next connection says."""
        self.standing = 0
        if not self.wild:
            del self.up[self.rng.randrange(10) :]

    def disturb(self) -> None:
        if not self.up:
            return
        at = self.rng.randrange(len(self.up))
        match self.rng.randrange(3):
            case 0:
                del self.up[at]
            case 1:
                self.up.insert(self.rng.randrange(len(self.up) + 1), self.up[at])
            case _:
                self.up.insert(0, self.up.pop(at))

    def newest_first(self) -> None:
        self.up.sort(key=lambda frame: -frame[0])


class School:
    """A sender that renews its key now and then, under a schedule drawn from one seed.

    On its disk are the outbox and its keys: the one in force, and beside it the next one while it is renewed.
    """

    def __init__(self, seed: int, *, wild: bool, trouble: float = 0.02) -> None:
        self.rng = random.Random(seed)
        self.trouble = trouble
        self.outbox = memory(lambda db: outbox.create_tables(db, lambda: 1000))
        self.keys = [self.new_pair(0)]
        self.rotations = 0
        self.payloads: list[bytes] = []
        self.lines = Lines(self.rng, wild)
        self.right = ReceiverHost(
            self.rng,
            trouble,
            disk=memory(ledger.create_tables, histogram_table, members_table),
            enrolment=lambda key: ENROLMENT if key in active(self.right.disk) else None,
            answers=Answers(self),
        )
        enrol(self.right.disk, self.keys[0].public)
        self.start()

    def new_pair(self, number: int) -> KeyPair:
        return KeyPair(f"{number:040d}", b"")

    # What the receiver's inbox does.

    def renew(self, enrolment: str, old_key: str, new_key: str) -> None:
        with transaction(self.right.disk):
            KEYS.renew(self.right.disk, enrolment, old_key, new_key, 0.0)

    def retire(self, enrolment: str, key_in_use: str) -> None:
        with transaction(self.right.disk):
            KEYS.retire(self.right.disk, enrolment, key_in_use, 0.0)

    # What the sender does.

    def start(self) -> None:
        """Its process begins, with what is on the disk."""
        self.credentials = Credentials(tuple(self.keys), (SERVER,))
        self.errands = Errands(self.rng, Pace(), lambda: True)
        self.rotation = Rotation(self.credentials, self.errands, Keeper(renewed=self.keep))
        for pair in self.keys[1:]:
            self.errands.renew(pair)
        self.hang_up()

    def keep(self, pair: KeyPair) -> None:
        """The new key is in use."""
        self.perhaps_cut()
        self.keys = [pair]
        self.perhaps_cut()

    def rotate(self) -> None:
        if len(self.keys) == 1:
            self.rotations += 1
            self.keys = [*self.keys, self.new_pair(self.rotations)]
            self.errands.renew(self.keys[1])

    def hang_up(self) -> None:
        """No connection."""
        self.lines.broken()
        self.left = SenderHost(
            DiskFeed(self.outbox, lambda: 1000),
            self.rng,
            self.trouble,
            welcomed=lambda: self.rotation.welcomed(""),
        )
        self.errands.asker.again()

    def dial(self) -> None:
        """A new connection, with the key whose turn it is; a refused one ends in the handshake."""
        self.hang_up()
        if self.credentials.pair.public in active(self.right.disk):
            self.lines.connect()
            self.left.connect()
        else:
            self.credentials.refused()

    def perhaps_cut(self) -> None:
        if self.rng.random() < self.left.trouble:
            raise PowerCutError

    def look(self) -> None:
        if self.left.machine.phase is Phase.DOWN:
            self.dial()
        self.left.look()
        self.errands.take_over()
        asker = self.errands.asker
        if self.left.machine.phase is Phase.OPEN and asker.deadline < float("inf"):
            self.left.out += [encode(frame) for frame in asker.due(asker.deadline)]

    def hear(self, data: bytes) -> None:
        frame = decode_to_sender(data)
        if isinstance(frame, Renewed):
            assert frame.reason == ""
            self.perhaps_cut()
            if self.rotation.answered(frame):
                self.dial()
            return
        self.left.hear(data)
        if self.left.machine.refusal == "not_enrolled":
            self.credentials.refused()
            self.dial()

    def exchange(self, most: int) -> None:
        lines, key = self.lines, self.credentials.pair.public
        if lines.standing:
            lines.up += [(lines.standing, key, data) for data in self.left.out]
        self.left.out.clear()
        arrived, lines.up[:] = lines.up[:most], lines.up[most:]
        replies = self.right.take([(b"%d" % line, key, data) for line, key, data in arrived])
        if self.rng.random() < self.right.trouble:
            self.right.crash()
            self.right.answers = Answers(self)
        else:
            lines.down += [(int(reply.route), encode(reply.frame)) for reply in replies]
        heard, lines.down[:] = lines.down[:most], lines.down[most:]
        for line, data in heard:
            if line == lines.standing:
                self.hear(data)

    def append(self) -> None:
        self.payloads.append(b"%d" % len(self.payloads))
        with transaction(self.outbox):
            outbox.append(self.outbox, "test", self.payloads[-1], now=0.0)

    def step(self) -> None:
        try:
            match self.rng.randrange(16):
                case 0 | 1 | 2:
                    self.append()
                case 3 if self.lines.wild:
                    self.lines.disturb()
                case 4 if self.rng.random() < 0.3:
                    self.rotate()
                case 5 if self.rng.random() < 0.3:
                    self.dial()
                case 6:
                    self.lines.newest_first()
                case 7 | 8 | 9:
                    self.look()
                case _:
                    self.exchange(self.rng.randrange(1, 8))
        except PowerCutError:
            self.start()

    def finish(self) -> None:
        self.trouble = self.right.trouble = 0.0
        self.lines.wild = False
        self.lines.up.clear()
        self.lines.down.clear()
        self.dial()
        for _ in range(5_000):
            self.look()
            self.exchange(100)
            machine = self.left.machine
            sent = machine.phase is Phase.OPEN and machine.acked == self.left.feed.tail()
            if sent and len(self.keys) == 1 and not self.lines.up:
                return
        raise AssertionError(f"still {self.left.machine.phase} {self.keys}")


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_renewing_at_any_time_loses_and_doubles_nothing_and_ends_the_old_key(seed: int, wild: bool) -> None:
    school = School(seed, wild=wild)
    for _ in range(STEPS):
        school.step()
    school.rotate()
    school.finish()
    assert school.right.histogram() == dict.fromkeys(school.payloads, 1)
    assert active(school.right.disk) == {school.keys[0].public}
    assert school.keys[0].public == school.new_pair(school.rotations).public, "each renewal went through"
    assert outbox.counts(school.outbox).renewals == 0, "never under another epoch"
    assert outbox.counts(school.outbox).pending == 0
