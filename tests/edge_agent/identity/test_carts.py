"""A cart that asks at an address of its own is known by it, and only where nothing better is known."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge_agent.clock import SystemClock
from edge_agent.identity.carts import carts
from edge_agent.parts import Parts, parser
from edge_agent.placing.daykeys import MemoryKeys
from edge_agent.placing.placer import DirectoryPlacer, Miss, Place, Spot
from edge_agent.settings import CartSettings, load_settings
from edge_agent.sources.facts import Contact, Lease
from edge_agent.sources.framestream import framed
from shared.errors import SettingsError
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.edge_agent.sources import programs
from tests.edge_agent.sources.closet import Closet
from tests.edge_agent.sources.dnstap_frames import data, message, number, query
from tests.edge_agent.sources.programs import needs, unbound
from tests.edge_agent.sources.test_listening_to_programs import Heard
from tests.hub.agents import until

ZONE = ZoneInfo("Europe/Zurich")
SERVER = "10.1.0.112"
PRIVATE, KNOWN, LEFT_OUT = "a6aaaaaaaaaa", "a483e7000001", "a483e7000002"


def at(hour: int, minute: int) -> int:
    return int(datetime(2026, 9, 14, hour, minute, tzinfo=ZONE).timestamp())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    cart = ClassSpec("cart", "t1", [], room="12")
    own = ClassSpec("own", "t2", learners(1))
    extra = [("CART1", KNOWN, "", "12"), ("CART2", LEFT_OUT, "", "12")]
    settings = f'opt_outs = "input/no.csv"\n[[carts]]\nserver = "{SERVER}"\nroom = "12"\n'
    spec = SchoolSpec([cart, own], settings=settings, extra_devices=extra)
    folder = make_school(tmp_path / "school", spec)
    (folder.root / "input" / "no.csv").write_text("serial_number\nCART2\n")
    parts = Parts.load(folder, load_settings(folder))
    placer = DirectoryPlacer(parts.directory, MemoryKeys(), {"cart": "CART", "own": "OWN"})
    placer.learn([Lease(at(8, 0), "10.0.0.7", PRIVATE), Lease(at(8, 0), "10.0.0.8", KNOWN)])
    placer.learn([Lease(at(8, 0), "10.0.0.9", LEFT_OUT)])
    return placer.at(float(at(9, 30)))


def test_a_look_up_at_the_carts_address_belongs_to_the_class_in_its_room(place: Place) -> None:
    found = place(Contact(at(9, 10), "10.0.0.5", "padlet.com", SERVER))
    assert isinstance(found, Spot) and found.code == "CART"
    assert place(Contact(at(9, 20), "10.0.0.5", "kahoot.it", SERVER)) == found
    other = place(Contact(at(9, 10), "10.0.0.6", "padlet.com", SERVER))
    assert isinstance(other, Spot) and other.code == "CART" and other.device != found.device


def test_so_does_one_of_an_ipad_that_hides_its_hardware_address(place: Place) -> None:
    found = place(Contact(at(9, 10), "10.0.0.7", "padlet.com", SERVER))
    assert isinstance(found, Spot) and found.code == "CART"


def test_what_is_known_of_a_device_goes_before_where_it_asks(place: Place) -> None:
    here = place(Contact(at(9, 10), "10.0.0.8", "padlet.com", SERVER))
    there = place(Contact(at(9, 10), "10.0.0.8", "padlet.com", "10.1.0.53"))
    assert isinstance(here, Spot) and here == there
    assert place(Contact(at(9, 10), "10.0.0.9", "padlet.com", SERVER)) == Miss("unmatched", "opted_out")


def test_outside_its_lessons_and_at_other_addresses_nothing_is_anybodys(place: Place) -> None:
    assert place(Contact(at(12, 0), "10.0.0.5", "padlet.com", SERVER)) == Miss("outside", "outside_lessons")
    assert place(Contact(at(3, 0), "10.0.0.5", "padlet.com", SERVER)) == Miss("outside", "outside_lessons")
    assert place(Contact(at(9, 10), "10.0.0.5", "padlet.com", "10.1.0.53")) == Miss("unmatched", "no_lease")
    assert place(Contact(at(9, 10), "10.0.0.5", "padlet.com")) == Miss("unmatched", "no_lease")


def test_an_address_that_is_none_or_two_rooms_is_refused() -> None:
    assert carts([CartSettings("FD00:0::0112", "12")]).device("fd00::112", "10.0.0.5") is not None
    with pytest.raises(SettingsError, match="no IP address"):
        carts([CartSettings("cart12", "12")])
    with pytest.raises(SettingsError, match="twice"):
        carts([CartSettings("10.0.0.1", "12"), CartSettings("10.0.0.1", "14")])


def test_dnstap_tells_at_which_address_was_asked_and_a_broken_one_costs_nothing() -> None:
    told = []
    for server in (socket.inet_aton(SERVER), socket.inet_pton(socket.AF_INET6, "fd00::112"), b"abc", None):
        whole = message(at(9, 10), "10.0.0.5", query("padlet.com"))
        inner = whole[whole.index(data(2, b"resolver 1.0")) + len(data(2, b"resolver 1.0")) :]
        body = _message_of(inner) + (b"" if server is None else data(5, server))
        reading = parser("dnstap", ZONE)(framed(data(14, body) + number(15, 1)), float(at(9, 30)))
        told += [fact.server for fact in reading.facts if isinstance(fact, Contact)]
    assert told == [SERVER, "fd00::112", "", ""]


def _message_of(field: bytes) -> bytes:
    """The content of field 14, whose length takes one byte."""
    assert field[0] == 14 << 3 | 2 and field[1] < 0x80
    return field[2 : 2 + field[1]]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


@needs("unbound")
def test_a_real_unbound_tells_the_carts_apart_by_the_address_that_they_ask(
    tmp_path: Path, stack: ExitStack
) -> None:
    heard = Heard("dnstap")
    closet = Closet(tmp_path, stack)
    closet.listen("dnstap", "unix:tap.sock", parse=heard, clock=SystemClock())
    port = programs._free_port()
    addresses = ("127.0.0.112", "127.0.0.113")
    options = (
        *(f"interface: {address}@{port}" for address in addresses),
        "dnstap:",
        "dnstap-enable: yes",
        f'dnstap-socket-path: "{closet.folder.root / "tap.sock"}"',
        "dnstap-log-client-query-messages: yes",
    )
    with unbound(tmp_path, *options):
        for address in addresses:
            _ask(address, port, f"cart{address[-1]}.example")
        until(lambda: len(_told(heard)) == 2)
    assert _told(heard) == {"cart2.example": "127.0.0.112", "cart3.example": "127.0.0.113"}


def _ask(server: str, port: int, name: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(query(name), (server, port))
        client.recv(4096)


def _told(heard: Heard) -> dict[str, str]:
    """At which address each name of the carts was asked for."""
    return {
        fact.name: fact.server
        for fact in heard.all.facts
        if isinstance(fact, Contact) and fact.name.startswith("cart")
    }
