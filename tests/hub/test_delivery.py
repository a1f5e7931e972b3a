"""From invitation to view over real sockets: what a school sends is shown once, through a hub's restart."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zmq

from hub import folder
from hub.paths import Layout
from hub.store import enrolments
from hub.store.schema import MIGRATIONS
from hub.views import Views
from shared import storage
from shared.errors import CommonGroundError
from shared.link.frames import Join, encode
from shared.link.keys import KeyPair
from shared.link.limits import Limits
from shared.link.outcomes import Rejected, Settled
from shared.link.server import LinkServer
from shared.link.sockets import harden
from tests.hub.agents import PATIENCE_S, Agent, HeardInbox, until
from tests.hub.records import SCHOOL, lesson, status, week


@contextmanager
def listening(layout: Layout) -> Iterator[tuple[LinkServer, HeardInbox]]:
    """The hub's end of the link on a free port."""
    writer = storage.Writer(layout.database, MIGRATIONS)
    inbox = HeardInbox(writer)
    # The list of enrolments is read anew for every frame, so that a test need not wait for it to age.
    limits = Limits(enrolments_s=0.0)
    server = LinkServer("tcp://127.0.0.1:*", folder.link_keys(layout), inbox, limits)
    server.start()
    try:
        yield server, inbox
    finally:
        server.stop()
        inbox.close()
        writer.close()


def invite(layout: Layout, name: str) -> str:
    """As the command does, while the hub runs."""
    connection = folder.connect(layout)
    try:
        with storage.transaction(connection):
            public = folder.link_keys(layout).public
            return enrolments.invite(connection, name, False, "tcp://127.0.0.1:5710", public, 1.6e9 * 2)
    finally:
        connection.close()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    """A school that has not joined yet."""
    own = Agent(tmp_path / "agent", SCHOOL)
    yield own
    own.close()


def test_a_school_joins_and_its_records_reach_the_views_once(layout: Layout, agent: Agent) -> None:
    agent.put(lesson(), b"nonsense", week(), status(backlog=1))
    with listening(layout) as (server, inbox):
        token = agent.join(invite(layout, SCHOOL), server.endpoint)
        with agent.connected(server.endpoint, token.server_public):
            outcomes = [inbox.heard.get(timeout=PATIENCE_S) for _ in range(4)]
    assert outcomes == [Settled(1), Rejected(2, "record_malformed"), Settled(3), Settled(4)]
    with listening(layout) as (server, inbox), agent.connected(server.endpoint, token.server_public):
        agent.put(lesson(revision=2))
        assert inbox.heard.get(timeout=PATIENCE_S) == Settled(5)
    views = Views(layout.folder)
    (school,) = views.district().schools
    views.close()
    assert (school.name, school.lessons_shared, school.weeks, school.backlog) == (SCHOOL, 1, 1, 1)


def test_a_stranger_is_refused_with_one_line(layout: Layout, agent: Agent) -> None:
    token = invite(layout, SCHOOL)
    with listening(layout) as (server, _):
        agent.join(token, server.endpoint)
        stranger = Agent(layout.folder.parent / "stranger", SCHOOL)
        with pytest.raises(CommonGroundError) as refused:
            stranger.join(token, server.endpoint)
        stranger.close()
    assert "\n" not in str(refused.value)
    assert len(views_of(layout)) == 1


def test_a_school_revoked_while_it_sends_is_refused_and_nothing_more_is_taken(
    layout: Layout, agent: Agent
) -> None:
    with listening(layout) as (server, inbox):
        token = agent.join(invite(layout, SCHOOL), server.endpoint)
        with agent.connected(server.endpoint, token.server_public) as client:
            agent.put(lesson())
            assert inbox.heard.get(timeout=PATIENCE_S) == Settled(1)
            connection = folder.connect(layout)
            with storage.transaction(connection):
                enrolments.revoke(connection, SCHOOL, 1.7e9)
            connection.close()
            agent.put(week())
            until(lambda: client.state.name == "refused")
        assert inbox.heard.empty()


def views_of(layout: Layout) -> tuple[str, ...]:
    """Names of the schools on the district's page."""
    views = Views(layout.folder)
    try:
        return tuple(school.name for school in views.district().schools)
    finally:
        views.close()


FLOODERS = 4
FLOODED_S = 20.0


class Flood:
    """Strangers with keys of their own who guess secrets as fast as their sockets take them."""

    def __init__(self, address: str, server_public: str) -> None:
        self.sent = 0
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._guess, args=(address, server_public), daemon=True)
            for _ in range(FLOODERS)
        ]

    def __enter__(self) -> "Flood":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _guess(self, address: str, server_public: str) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        socket = context.socket(zmq.DEALER)
        harden(socket, KeyPair.new(), address)
        socket.set(zmq.CURVE_SERVERKEY, server_public.encode())
        socket.connect(address)
        frame = encode(Join(bytes(24), "x" * 200))
        while not self._stop.is_set():
            try:
                socket.send(frame, zmq.NOBLOCK)
                self.sent += 1
            except zmq.Again:
                socket.poll(1)
            while socket.poll(0):
                socket.recv()
        socket.close(linger=0)
        context.term()


def test_a_school_is_served_and_another_joins_while_strangers_flood_an_open_invitation(
    layout: Layout, agent: Agent
) -> None:
    with listening(layout) as (server, inbox):
        token = agent.join(invite(layout, SCHOOL), server.endpoint)
        newcomer = Agent(layout.folder.parent / "newcomer", "Birch Academy")
        invitation = invite(layout, "Birch Academy")
        with (
            agent.connected(server.endpoint, token.server_public),
            Flood(server.endpoint, token.server_public) as flood,
        ):
            until(lambda: flood.sent > 5_000)
            began = time.monotonic()
            for number in range(1, 6):
                agent.put(lesson(code=f"c{number}"))
                assert inbox.heard.get(timeout=FLOODED_S) == Settled(number)
            newcomer.join(invitation, server.endpoint)
            assert time.monotonic() - began < FLOODED_S
            assert flood.sent > server.counters["refused:invitation_unknown"]
        newcomer.close()
    assert views_of(layout) == (SCHOOL, "Birch Academy")
