"""Over real sockets, a sender and a receiver of another version: it delivers, or says whom to upgrade."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from shared.link import client as client_module
from shared.link import server as server_module
from shared.link.client import LinkClient
from shared.link.keys import KeyPair
from shared.link.receiver import Receiver
from shared.link.sender import Pace, Sender
from shared.link.server import LinkServer
from shared.link.spool import Spool
from shared.link.versions import UPGRADE_RECEIVER, UPGRADE_SENDER, Versions
from tests.shared.link.site import Site, until

SERVER_KEYS, KEYS = KeyPair.new(), KeyPair.new()
PACE = Pace(first=0.2, longest=1.0, refused=0.1)

Serve = Callable[[Versions], tuple[LinkServer, LinkClient, Spool, Site]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(versions: Versions) -> tuple[LinkServer, LinkClient, Spool, Site]:
            monkeypatch.setattr(server_module, "Receiver", partial(Receiver, versions=versions))
            site = Site(tmp_path / "receiver.db", {KEYS.public: "school"})
            stack.callback(site.close)
            server = LinkServer("tcp://127.0.0.1:*", SERVER_KEYS, site)
            server.start()
            stack.callback(server.stop)
            spool = Spool()
            client = LinkClient(
                server.endpoint, SERVER_KEYS.public, KEYS, "records", spool, random.Random(1), pace=PACE
            )
            client.start()
            stack.callback(client.stop)
            return server, client, spool, site

        yield start


def test_to_a_receiver_of_minor_0_everything_is_delivered_and_nothing_said_that_it_does_not_know(
    serve: Serve,
) -> None:
    server, client, spool, site = serve(Versions(((1, 0),)))
    spool.opened(10)
    client.renew(KeyPair.new())
    for i in range(50):
        spool.put(b"%d" % i, b"%d" % i)
    with pytest.raises(TimeoutError, match="upgrade the receiver"):
        client.ask("catalogue", 0.5)
    assert spool.flush(10)
    assert site.histogram() == {b"%d" % i: 1 for i in range(50)}
    assert not [name for name in server.counters if name.startswith(("refused:", "rene"))]


def test_a_receiver_that_also_speaks_a_newer_version_is_spoken_to_in_the_common_one(serve: Serve) -> None:
    _, client, spool, _ = serve(Versions(((1, 9), (2, 0))))
    assert spool.opened(10) is None
    until(lambda: client.state.name == "connected", "connected")


@pytest.mark.parametrize(
    ("ours", "theirs", "words"), [(1, 2, UPGRADE_SENDER), (2, 1, UPGRADE_RECEIVER)], ids=["older", "newer"]
)
def test_with_nothing_in_common_the_state_says_which_side_to_upgrade(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, ours: int, theirs: int, words: str
) -> None:
    monkeypatch.setattr(client_module, "Sender", partial(Sender, versions=Versions(((ours, 0),))))
    server, client, _, _ = serve(Versions(((theirs, 0),)))
    until(lambda: client.state.detail == words, "it says so")
    assert client.state.name == "refused"
    assert server.counters["refused:version"] >= 1
