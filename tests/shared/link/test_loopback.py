"""Client and server over real sockets with CURVE: what arrives, who is refused, and what survives."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import zmq

from shared.errors import BusyError, CommonGroundError, SettingsError
from shared.link import client as client_module
from shared.link import invitations, outbox
from shared.link.client import LinkClient
from shared.link.feed import Feed
from shared.link.frames import Batch, Refused, decode_to_sender, encode
from shared.link.joining import join
from shared.link.keys import KeyPair
from shared.link.limits import Limits
from shared.link.outbox_feed import OutboxFeed
from shared.link.quota import Quota
from shared.link.sender import Pace
from shared.link.server import LinkServer
from shared.link.sockets import harden
from shared.link.spool import Closed, Spool
from shared.storage import Writer
from tests.shared.link.site import Site, until

PACE = Pace(first=0.2, longest=1.0, refused=0.1)
SERVER_KEYS, KEYS = KeyPair.new(), KeyPair.new()

Dial = Callable[..., LinkClient]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing


@pytest.fixture
def site(tmp_path: Path, stack: ExitStack) -> Site:
    made = Site(tmp_path / "receiver.db", {KEYS.public: "school-1"})
    stack.callback(made.close)
    return made


@pytest.fixture
def server(site: Site, stack: ExitStack) -> LinkServer:
    return listen(site, stack)


def listen(site: Site, stack: ExitStack, address: str = "tcp://127.0.0.1:*", **limits: object) -> LinkServer:
    server = LinkServer(address, SERVER_KEYS, site, Limits(**limits))  # type: ignore[arg-type] # as the test says
    server.start()
    stack.callback(server.stop)
    return server


@pytest.fixture
def writer(tmp_path: Path, stack: ExitStack) -> Writer:
    made = Writer(tmp_path / "sender.db", [outbox.create_tables])
    stack.callback(made.close)
    return made


@pytest.fixture
def dial(stack: ExitStack) -> Dial:
    def connect(
        server: LinkServer, feed: Feed, keys: KeyPair = KEYS, public: str = SERVER_KEYS.public
    ) -> LinkClient:
        client = LinkClient(server.endpoint, public, keys, "records", feed, random.Random(1), pace=PACE)
        client.start()
        stack.callback(client.stop)
        return client

    return connect


def append(writer: Writer, payloads: list[bytes]) -> list[int]:
    return writer.run(lambda c: [outbox.append(c, "test", payload) for payload in payloads])


def pending(writer: Writer) -> int:
    return writer.run(outbox.counts).pending


def once(payloads: list[bytes]) -> dict[bytes, int]:
    return dict.fromkeys(payloads, 1)


def test_everything_in_the_outbox_arrives_once_and_many_batches_share_a_commit(
    server: LinkServer, site: Site, writer: Writer, dial: Dial
) -> None:
    payloads = [b"%d" % i for i in range(200)]
    append(writer, payloads)
    client = dial(server, OutboxFeed(writer))
    until(lambda: pending(writer) == 0, "the outbox is empty")
    assert site.histogram() == once(payloads)
    assert client.state.name == "connected"
    assert client.state.last_ack is not None
    assert client.state.unacked == 0
    assert server.counters["batches"] == 200
    assert len(site.groups) < 200


def test_something_new_goes_out_at_once_when_the_feed_says_so(
    server: LinkServer, writer: Writer, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_LOOK_S", 3600.0)  # by itself it would look in an hour
    feed = OutboxFeed(writer)
    client = dial(server, feed)
    until(lambda: client.state.name == "connected", "connected")
    for i in range(20):
        append(writer, [b"%d" % i])
        feed.wake()
        until(lambda: pending(writer) == 0, "sent")


def test_the_largest_payload_arrives(server: LinkServer, site: Site, writer: Writer, dial: Dial) -> None:
    payloads = [bytes([i]) * 64 * 1024 for i in range(3)]
    append(writer, payloads)
    dial(server, OutboxFeed(writer))
    until(lambda: pending(writer) == 0, "sent")
    assert site.histogram() == once(payloads)


def test_a_spool_goes_on_where_the_receiver_remembers(server: LinkServer, site: Site, dial: Dial) -> None:
    first = Spool()
    client = dial(server, first)
    assert first.opened(5) is None
    for i in range(20):
        first.put(b"line %d" % i, b"%d" % (i + 1))
    assert first.flush(5)
    client.stop()
    with pytest.raises(Closed):
        first.put(b"late", b"21")
    second = Spool()
    dial(server, second)
    assert second.opened(5) == b"20"
    second.put(b"line 20", b"21")
    assert second.flush(5)
    assert site.histogram() == once([b"line %d" % i for i in range(21)])


def test_an_unenrolled_key_is_refused_and_its_owner_notices(
    server: LinkServer, site: Site, dial: Dial
) -> None:
    client = dial(server, Spool(), keys=KeyPair.new())
    until(lambda: client.state.name == "refused", "refused")
    assert "not enrolled" in client.state.detail
    assert server.counters["handshakes_refused"] >= 1


def test_a_refused_client_goes_on_by_itself_once_it_is_enrolled(
    server: LinkServer, site: Site, writer: Writer, dial: Dial
) -> None:
    late = KeyPair.new()
    append(writer, [b"x"])
    client = dial(server, OutboxFeed(writer), keys=late)
    until(lambda: client.state.name == "refused", "refused")
    site.known = {**site.known, late.public: "school-2"}
    until(lambda: pending(writer) == 0, "sent")
    assert client.state.name == "connected"


def test_a_server_with_another_key_gets_nothing(
    server: LinkServer, site: Site, writer: Writer, dial: Dial
) -> None:
    append(writer, [b"x"])
    client = dial(server, OutboxFeed(writer), public=KeyPair.new().public)
    until(lambda: "no handshake" in client.state.detail, "the handshake fails")
    assert client.state.name == "waiting"
    assert pending(writer) == 1
    assert site.histogram() == {}


def test_revocation_bites_within_a_second(site: Site, writer: Writer, dial: Dial, stack: ExitStack) -> None:
    now = [0.0]
    server = LinkServer("tcp://127.0.0.1:*", SERVER_KEYS, site, clock=lambda: now[0])
    server.start()
    stack.callback(server.stop)
    feed = OutboxFeed(writer)
    client = dial(server, feed)
    append(writer, [b"before"])
    feed.wake()
    until(lambda: pending(writer) == 0, "sent")
    site.known = {}
    now[0] += 0.999
    append(writer, [b"after"])
    feed.wake()
    until(lambda: client.state.name == "refused", "refused")
    assert server.counters["refused:not_enrolled"] >= 1
    assert site.histogram() == {b"before": 1}
    assert pending(writer) == 1, "kept for the day that it is enrolled again"


def test_a_server_that_starts_again_on_its_port_is_found_again(
    site: Site, writer: Writer, dial: Dial, stack: ExitStack
) -> None:
    feed = OutboxFeed(writer)
    server = listen(site, stack)
    client = dial(server, feed)
    for i in range(3):
        append(writer, [b"%d" % i])
        feed.wake()
        until(lambda: pending(writer) == 0, "sent")
        server.stop()
        until(lambda: client.state.name == "waiting", "noticed")
        server = listen(site, stack, server.endpoint)
    until(lambda: client.state.name == "connected", "connected again")
    assert site.histogram() == once([b"0", b"1", b"2"])
    assert writer.run(outbox.counts).renewals == 0


def test_a_batch_whose_acknowledgement_was_lost_has_its_effect_once(
    server: LinkServer, site: Site, writer: Writer, dial: Dial
) -> None:
    site.dies_after_commit = 3
    payloads = [b"%d" % i for i in range(30)]
    append(writer, payloads)
    dial(server, OutboxFeed(writer))
    until(lambda: pending(writer) == 0, "sent")
    assert server.counters["failures"] == 3
    assert site.histogram() == once(payloads)


def test_a_rejected_batch_is_set_aside_and_the_line_goes_on(
    server: LinkServer, site: Site, writer: Writer, dial: Dial
) -> None:
    append(writer, [b"one", b"bad", b"two"])
    dial(server, OutboxFeed(writer))
    until(lambda: pending(writer) == 0, "sent")
    assert site.histogram() == once([b"one", b"two"])
    assert writer.run(
        lambda c: c.execute("SELECT payload, reason FROM outbox WHERE state = 'aside'").fetchall()
    ) == [(b"bad", "bad_payload")]
    assert server.counters["rejected:bad_payload"] == 1


def test_busy_slows_and_loses_nothing(server: LinkServer, site: Site, writer: Writer, dial: Dial) -> None:
    site.busy_for = 3
    payloads = [b"%d" % i for i in range(30)]
    append(writer, payloads)
    dial(server, OutboxFeed(writer))
    until(lambda: pending(writer) == 0, "sent")
    assert server.counters["busy"] == 3
    assert site.histogram() == once(payloads)


def test_a_peer_over_its_quota_is_slowed_and_loses_nothing(
    site: Site, writer: Writer, dial: Dial, stack: ExitStack
) -> None:
    server = listen(site, stack, quota=Quota(batches_per_second=50))
    payloads = [b"%d" % i for i in range(70)]
    append(writer, payloads)
    dial(server, OutboxFeed(writer))
    until(lambda: pending(writer) == 0, "sent")
    until(lambda: server.counters.get("busy", 0) > 0, "the sick one is told to come later")
    assert site.histogram() == once(payloads)


def test_two_streams_of_one_enrolment_do_not_mix(server: LinkServer, site: Site, stack: ExitStack) -> None:
    spools = [Spool(), Spool()]
    for name, spool in zip(("resolver", "apps"), spools, strict=True):
        client = LinkClient(
            server.endpoint, SERVER_KEYS.public, KEYS, name, spool, random.Random(1), pace=PACE
        )
        client.start()
        stack.callback(client.stop)
    for i in range(10):
        for prefix, spool in zip((b"r", b"a"), spools, strict=True):
            if i == 0:
                spool.opened(5)
            spool.put(b"%s%d" % (prefix, i), b"%d" % i)
    assert all(spool.flush(5) for spool in spools)
    assert site.histogram() == once([b"%s%d" % (name, i) for name in (b"r", b"a") for i in range(10)])


def test_one_peer_whose_batch_always_fails_holds_up_nobody_else(
    site: Site, server: LinkServer, stack: ExitStack, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = KeyPair.new()
    site.known = {**site.known, other.public: "school-2"}
    deliver = site.deliver

    def fails_for_one(deliveries):  # type: ignore[no-untyped-def] # as Site.deliver
        if any(d.enrolment == "school-2" for d in deliveries):
            raise RuntimeError("always")
        return deliver(deliveries)

    monkeypatch.setattr(site, "deliver", fails_for_one)
    sick, well = Spool(rereads=False), Spool(rereads=False)
    dial(server, sick, keys=other)
    dial(server, well)
    for i in range(40):
        if i < 8:
            sick.put(b"sick%d" % i)
        well.put(b"well%d" % i)
    assert well.flush(5)
    assert site.histogram() == once([b"well%d" % i for i in range(40)])
    assert not sick.flush(0)
    until(lambda: server.counters.get("busy", 0) > 0, "the sick one is told to come later")


def test_an_invited_key_joins_once_and_may_then_send(server: LinkServer, site: Site, dial: Dial) -> None:
    newcomer, thief = KeyPair.new(), KeyPair.new()
    token = invitations.decode(site.invite(server.endpoint, SERVER_KEYS, "school-2"))
    join(token.address, token.server_public, newcomer, token.secret, "Birch")
    join(token.address, token.server_public, newcomer, token.secret, "Birch")  # its answer was lost
    assert site.known[newcomer.public] == "school-2"
    with pytest.raises(CommonGroundError, match="no invitation open"):
        join(token.address, token.server_public, thief, token.secret, "Thief", timeout=5)
    site.invite(server.endpoint, SERVER_KEYS, "school-3")
    with pytest.raises(CommonGroundError, match="used already"):
        join(token.address, token.server_public, thief, token.secret, "Thief", timeout=5)
    spool = Spool()
    dial(server, spool, keys=newcomer)
    assert spool.opened(5) is None


def test_while_an_invitation_is_open_an_unknown_key_can_still_not_send(
    server: LinkServer, site: Site, dial: Dial
) -> None:
    site.invite(server.endpoint, SERVER_KEYS, "school-2")
    client = dial(server, Spool(), keys=KeyPair.new())
    until(lambda: client.state.name == "refused", "refused")
    assert client.state.detail == "not_enrolled"


def test_joining_says_in_one_line_what_is_wrong(server: LinkServer, site: Site) -> None:
    token = invitations.decode(site.invite(server.endpoint, SERVER_KEYS, "school-2"))
    with pytest.raises(CommonGroundError, match="does not know this invitation"):
        join(token.address, token.server_public, KeyPair.new(), bytes(24), "Birch", timeout=5)
    with pytest.raises(CommonGroundError, match="not the receiver of this invitation"):
        join(token.address, KeyPair.new().public, KEYS, token.secret, "Birch", timeout=0.5)
    server.stop()
    with pytest.raises(CommonGroundError, match="nobody answers"):
        join(token.address, token.server_public, KEYS, token.secret, "Birch", timeout=0.3)


def test_a_port_in_use_is_one_clear_line(server: LinkServer, site: Site) -> None:
    second = LinkServer(server.endpoint, SERVER_KEYS, site)
    with pytest.raises(BusyError, match="choose another port"):
        second.start()
    second.stop()


@pytest.mark.parametrize("address", ["", "5710", "udp://127.0.0.1:5710", "tcp://127.0.0.1", "tcp://h:99999"])
def test_an_address_that_is_none_is_refused_before_anything_starts(site: Site, address: str) -> None:
    with pytest.raises(SettingsError):
        LinkServer(address, SERVER_KEYS, site)
    with pytest.raises(SettingsError):
        LinkClient(address, SERVER_KEYS.public, KEYS, "records", Spool(), random.Random(1))


def test_stopping_is_quick_whatever_the_state_and_leaves_no_thread(
    site: Site, stack: ExitStack, dial: Dial
) -> None:
    before = threading.active_count()
    server = listen(site, stack)
    working, stuck = Spool(), Spool(rereads=False)
    clients = [dial(server, working), dial(server, stuck, keys=KeyPair.new())]
    working.opened(5)
    until(lambda: clients[1].state.name == "refused", "refused")
    began = time.monotonic()
    parts: list[LinkClient | LinkServer] = [*clients, server]
    for part in parts + parts:
        part.stop()
    assert time.monotonic() - began < 2.0
    assert threading.active_count() == before


class Scarce(Spool):
    """Cannot be attached at first, as when no file descriptor is left."""

    tries = 0

    def attach(self, wake: Callable[[], None]) -> None:
        self.tries += 1
        if self.tries < 3:
            raise OSError(24, "Too many open files")
        super().attach(wake)


def test_a_feed_that_cannot_be_opened_at_first_is_tried_again(
    server: LinkServer, site: Site, dial: Dial
) -> None:
    client = dial(server, spool := Scarce())
    until(lambda: "Too many open files" in client.state.detail, "it is said")
    spool.opened(10)
    spool.put(b"x", b"1")
    assert spool.flush(10)
    assert site.histogram() == once([b"x"])


def test_a_client_without_a_server_waits_and_says_so(stack: ExitStack, site: Site, dial: Dial) -> None:
    server = listen(site, stack)
    server.stop()
    spool = Spool()
    client = dial(server, spool)
    until(lambda: "no answer yet" in client.state.detail, "it says so")
    assert client.state.name == "waiting"
    server = listen(site, stack, server.endpoint)
    assert spool.opened(10) is None


def test_an_outbox_whose_file_refuses_writes_for_a_while_goes_on_afterwards(
    server: LinkServer, site: Site, writer: Writer, dial: Dial
) -> None:
    payloads = [b"%d" % i for i in range(20)]
    append(writer, payloads)

    writer.run(
        lambda c: c.execute(
            "CREATE TRIGGER full BEFORE UPDATE OF acked ON outbox_state BEGIN"
            " SELECT raise(ABORT, 'disk full'); END"
        ).fetchall()
    )
    client = dial(server, OutboxFeed(writer))
    until(lambda: "disk full" in client.state.detail, "it says so")
    writer.run(lambda c: c.execute("DROP TRIGGER full").fetchall())
    until(lambda: pending(writer) == 0, "sent")
    assert site.histogram() == once(payloads)


class Stranger:
    """A socket that passed the handshake and says what it likes."""

    def __init__(self, server: LinkServer, keys: KeyPair) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        harden(self.socket, keys, server.endpoint)
        self.socket.set(zmq.CURVE_SERVERKEY, SERVER_KEYS.public.encode())
        self.socket.connect(server.endpoint)

    def answer(self) -> object:
        assert self.socket.poll(5000), "no answer"
        return decode_to_sender(self.socket.recv())

    def close(self) -> None:
        self.socket.close(linger=0)
        self.context.term()


def test_hostile_frames_are_refused_counted_and_harm_nobody(
    server: LinkServer, site: Site, dial: Dial, stack: ExitStack
) -> None:
    stranger = Stranger(server, KEYS)
    stack.callback(stranger.close)
    for data in (b"", b"\xc1", bytes(1000), encode(Refused("up"))):
        stranger.socket.send(data)
        assert stranger.answer() == Refused("bad_frame")
    stranger.socket.send(encode(Batch(1, 1, b"x")))
    assert stranger.answer() == Refused("hello_first")
    assert server.counters["refused:bad_frame"] == 4
    spool = Spool()
    dial(server, spool)
    spool.opened(5)
    spool.put(b"x", b"1")
    assert spool.flush(5)
    assert site.histogram() == {b"x": 1}


def test_a_frame_over_the_limit_ends_that_connection_only(
    server: LinkServer, site: Site, dial: Dial, stack: ExitStack
) -> None:
    stranger = Stranger(server, KEYS)
    stack.callback(stranger.close)
    stranger.socket.send(bytes(10_000_000))
    spool = Spool()
    dial(server, spool)
    spool.opened(5)
    spool.put(b"x", b"1")
    assert spool.flush(5)
    assert "failures" not in server.counters
