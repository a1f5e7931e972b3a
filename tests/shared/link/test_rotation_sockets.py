"""Keys change over real sockets, under load: every batch once, and the old key is refused."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlite_utils

from shared.errors import UsageError
from shared.link.client import LinkClient
from shared.link.keys import KeyPair
from shared.link.rotation import NOBODY, Keeper
from shared.link.sender import Pace
from shared.link.server import LinkServer
from shared.link.spool import Spool
from shared.link.succession import Succession
from shared.storage import Migration, Writer
from tests.shared.link.site import MIGRATIONS, Site, until

PACE = Pace(first=0.2, longest=1.0, refused=0.1)
KEYS = Succession("members", "name")


def members_table(db: sqlite_utils.Database) -> None:
    db.table("members").create(
        {"public_key": str, "name": str, "joined": float, "revoked": float}, pk="public_key"
    )
    KEYS.add_column(db)


class Office(Site):
    """A site whose members may change their keys."""

    def __init__(self, path: Path, member: KeyPair) -> None:
        super().__init__(path)
        self.writer.close()
        steps: tuple[Migration, ...] = (*MIGRATIONS, members_table)
        self.writer = Writer(path, steps)
        self.enrol(member.public, "school")

    def enrol(self, public: str, name: str) -> None:
        self.writer.run(
            lambda c: c.execute("INSERT INTO members VALUES (?, ?, 0, NULL, NULL)", (public, name)).close()
        )

    def enrolments(self) -> dict[str, str]:
        return self.writer.run(
            lambda c: dict(c.execute("SELECT public_key, name FROM members WHERE revoked IS NULL").fetchall())
        )

    def renew(self, enrolment: str, old_key: str, new_key: str) -> None:
        self.writer.run(lambda c: KEYS.renew(c, enrolment, old_key, new_key, time.time()))

    def retire(self, enrolment: str, key_in_use: str) -> None:
        self.writer.run(lambda c: KEYS.retire(c, enrolment, key_in_use, time.time()))


class Load:
    """Batches put as fast as they go, in a thread of its own."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.put = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.spool.opened(10)
        while not self._stopping.is_set():
            self.spool.put(b"%d" % self.put, b"%d" % (self.put + 1), timeout=20)
            self.put += 1

    def go_on(self, more: int) -> None:
        """So many further batches."""
        enough = self.put + more
        until(lambda: self.put >= enough, "further batches are sent", 20)

    def end(self) -> dict[bytes, int]:
        """Everything is acknowledged; what must be there, each once."""
        self._stopping.set()
        self._thread.join()
        assert self.spool.flush(20)
        return {b"%d" % i: 1 for i in range(self.put)}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing


@pytest.fixture
def pairs() -> list[KeyPair]:
    return [KeyPair.new() for _ in range(6)]


@pytest.fixture
def office(tmp_path: Path, stack: ExitStack, pairs: list[KeyPair]) -> Office:
    made = Office(tmp_path / "receiver.db", pairs[0])
    stack.callback(made.close)
    return made


def listen(
    office: Office, keys: KeyPair, stack: ExitStack, address: str = "tcp://127.0.0.1:*", **more: object
) -> LinkServer:
    server = LinkServer(address, keys, office, **more)  # type: ignore[arg-type] # as the test says
    server.start()
    stack.callback(server.stop)
    return server


def dial(
    server: LinkServer,
    theirs: str | tuple[str, ...],
    ours: KeyPair | tuple[KeyPair, ...],
    stack: ExitStack,
    stream: str = "records",
    keeper: Keeper = NOBODY,
) -> tuple[LinkClient, Spool]:
    spool = Spool()
    client = LinkClient(
        server.endpoint,
        theirs,
        ours,
        stream,
        spool,
        random.Random(1),
        pace=PACE,
        keeper=keeper,
    )
    client.start()
    stack.callback(client.stop)
    return client, spool


def test_a_sender_renews_its_key_thrice_under_load_and_every_batch_arrives_once(
    office: Office, pairs: list[KeyPair], stack: ExitStack
) -> None:
    hub, *ours = pairs[-1], *pairs[:4]
    server = listen(office, hub, stack)
    renewed: list[KeyPair] = []
    client, spool = dial(server, hub.public, ours[0], stack, keeper=Keeper(renewed=renewed.append))
    load = Load(spool)
    for number, pair in enumerate(ours[1:], start=1):
        load.go_on(100)
        client.renew(pair)
        until(lambda number=number: len(renewed) == number, "the new key is in use")  # type: ignore[misc] # bound
        assert office.enrolments() == {pair.public: "school"}
    load.go_on(100)
    assert load.end() == office.histogram()
    assert renewed == ours[1:]
    assert server.counters["renewed"] >= 3
    assert "failures" not in server.counters


def test_the_old_key_is_refused_within_a_second_of_the_new_ones_first_word(
    office: Office, pairs: list[KeyPair], stack: ExitStack
) -> None:
    now = [0.0]
    hub, old, new = pairs[-1], *pairs[:2]
    server = listen(office, hub, stack, clock=lambda: now[0])
    renewed: list[KeyPair] = []
    first, _ = dial(server, hub.public, old, stack, "first", keeper=Keeper(renewed=renewed.append))
    second, spool = dial(server, hub.public, old, stack, "second")
    until(lambda: first.state.name == second.state.name == "connected", "both are connected")
    first.renew(new)
    until(lambda: renewed == [new], "the new key is in use")
    now[0] += 0.999
    spool.opened(5)
    spool.put(b"late", b"1")
    until(lambda: second.state.name == "refused", "the old key is refused")
    assert office.histogram() == {}
    third, _ = dial(server, hub.public, old, stack, "third")
    until(lambda: "not enrolled" in third.state.detail, "a new connection is refused, too")


def test_whoever_holds_both_keys_finds_the_one_that_is_in_force(
    office: Office, pairs: list[KeyPair], stack: ExitStack
) -> None:
    hub, old, new = pairs[-1], *pairs[:2]
    office.renew("school", old.public, new.public)
    office.retire("school", new.public)
    server = listen(office, hub, stack)
    for open_invitation in (False, True):  # a key that is not enrolled then passes the handshake
        if open_invitation:
            office.invite(server.endpoint, hub, "another")
        renewed: list[KeyPair] = []
        client, spool = dial(server, hub.public, (old, new), stack, keeper=Keeper(renewed=renewed.append))
        assert spool.opened(10) is None
        assert renewed == [new]
        client.stop()


def test_a_renewal_that_is_refused_is_told_and_the_old_key_goes_on(
    office: Office, pairs: list[KeyPair], stack: ExitStack
) -> None:
    hub, old, other = pairs[-1], *pairs[:2]
    office.enrol(other.public, "another school")
    server = listen(office, hub, stack)
    refused: list[str] = []
    client, spool = dial(server, hub.public, old, stack, keeper=Keeper(not_renewed=refused.append))
    load = Load(spool)
    client.renew(other)
    until(lambda: refused == ["key_of_another_enrolment"], "it is told")
    load.go_on(50)
    assert load.end() == office.histogram()
    assert office.enrolments() == {old.public: "school", other.public: "another school"}


def test_an_inbox_that_renews_no_keys_says_so(tmp_path: Path, pairs: list[KeyPair], stack: ExitStack) -> None:
    site = Site(tmp_path / "plain.db", {pairs[0].public: "school"})
    stack.callback(site.close)
    server = LinkServer("tcp://127.0.0.1:*", pairs[-1], site)
    server.start()
    stack.callback(server.stop)
    refused: list[str] = []
    client, _ = dial(server, pairs[-1].public, pairs[0], stack, keeper=Keeper(not_renewed=refused.append))
    client.renew(pairs[1])
    until(lambda: refused == ["keys_are_not_renewed_here"], "it is told")


def test_a_receiver_turns_to_its_next_key_under_load_and_senders_follow(
    office: Office, pairs: list[KeyPair], stack: ExitStack
) -> None:
    ours, *hubs = pairs[:4]
    announced: list[str] = []
    in_force: list[str] = []
    coming = [""]
    server = listen(office, hubs[0], stack, next_key=lambda: coming[0])
    client, spool = dial(
        server,
        hubs[0].public,
        ours,
        stack,
        keeper=Keeper(next_key=announced.append, server_key=in_force.append),
    )
    load = Load(spool)
    for number, pair in enumerate(hubs[1:], start=1):
        load.go_on(50)
        coming[0] = pair.public
        until(lambda pair=pair: announced[-1:] == [pair.public], "the next key is announced")  # type: ignore[misc] # bound
        load.go_on(50)
        server.stop()
        coming[0] = ""
        server = listen(office, pair, stack, server.endpoint, next_key=lambda: coming[0])
        until(lambda number=number: len(in_force) == number, "the sender follows", 20)  # type: ignore[misc] # bound
    load.go_on(50)
    assert load.end() == office.histogram()
    assert in_force == [pair.public for pair in hubs[1:]]
    server.stop()
    listen(office, hubs[0], stack, server.endpoint)
    until(lambda: client.state.name == "waiting", "a receiver with the old key is nobody")
    assert in_force == [pair.public for pair in hubs[1:]]


def test_a_sender_that_slept_through_the_change_finds_the_announced_key(
    office: Office, pairs: list[KeyPair], stack: ExitStack
) -> None:
    ours, old, new = pairs[:3]
    server = listen(office, new, stack)
    in_force: list[str] = []
    _, spool = dial(server, (old.public, new.public), ours, stack, keeper=Keeper(server_key=in_force.append))
    assert spool.opened(10) is None
    assert in_force == [new.public]


def test_an_announcement_that_is_taken_back_is_forgotten(
    office: Office, pairs: list[KeyPair], stack: ExitStack
) -> None:
    ours, hub, never = pairs[:3]
    server = listen(office, hub, stack)
    announced: list[str] = []
    _, spool = dial(server, (hub.public, never.public), ours, stack, keeper=Keeper(next_key=announced.append))
    spool.opened(10)
    assert announced == [""]


def test_that_the_receivers_next_key_cannot_be_kept_stops_no_batch_and_it_is_told_again(
    office: Office, pairs: list[KeyPair], stack: ExitStack
) -> None:
    ours, hub, following = pairs[:3]
    server = listen(office, hub, stack, next_key=lambda: following.public)
    told: list[str] = []

    def read_only(public: str) -> None:
        told.append(public)
        if len(told) < 3:
            raise UsageError("hub.toml cannot be written: choose another place")

    client, spool = dial(server, hub.public, ours, stack, keeper=Keeper(next_key=read_only))
    spool.opened(10)
    for number in range(1, 4):
        until(lambda number=number: len(told) >= number, "it is told again")  # type: ignore[misc] # bound
        spool.put(b"%d" % number, b"%d" % number)
        assert spool.flush(10)
        assert client.state.name == "connected"
        server.stop()
        server.start()
        spool.opened(10)
    assert told == [following.public] * 3


def test_a_key_of_our_own_that_cannot_be_kept_is_not_spoken_with_and_the_state_names_it(
    office: Office, pairs: list[KeyPair], stack: ExitStack
) -> None:
    hub, old, new = pairs[-1], *pairs[:2]
    server = listen(office, hub, stack)
    full = [True]
    renewed: list[KeyPair] = []

    def keep(pair: KeyPair) -> None:
        if full[0]:
            raise PermissionError(13, "Permission denied", "agent.key")
        renewed.append(pair)

    client, spool = dial(server, hub.public, old, stack, keeper=Keeper(renewed=keep))
    spool.opened(10)
    client.renew(new)
    until(lambda: "agent.key" in client.state.detail, "it is said")
    assert "outbox" not in client.state.detail
    spool.put(b"1", b"1")
    assert not spool.flush(0.5)
    full[0] = False
    assert spool.flush(10)
    assert renewed == [new]
    assert office.histogram() == {b"1": 1}
