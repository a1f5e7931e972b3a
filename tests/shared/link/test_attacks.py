"""What is done to a receiver on a real wire: refused, counted, and who is honest delivers all the while."""

import random
import re
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import zmq

from shared.link.client import LinkClient
from shared.link.frames import Batch, Hello, Refused, decode_to_sender, encode
from shared.link.keys import KeyPair, load_or_create
from shared.link.limits import Limits
from shared.link.quota import Quota
from shared.link.sender import Pace
from shared.link.server import LinkServer
from shared.link.sockets import harden
from shared.link.spool import Spool
from tests.shared.link.relay import Relay
from tests.shared.link.site import Site, histogram, until

PACE = Pace(first=0.2, longest=1.0, refused=0.1)
SERVER_KEYS, KEYS, MAD = KeyPair.new(), KeyPair.new(), KeyPair.new()
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01"  # ZMTP 3.1, up to the name of the mechanism
ROOT = Path(__file__).parents[3]
GIB = 2**30


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing


@pytest.fixture
def site(tmp_path: Path, stack: ExitStack) -> Site:
    made = Site(tmp_path / "receiver.db", {KEYS.public: "school-1", MAD.public: "school-2"})
    stack.callback(made.close)
    return made


Listen = Callable[..., LinkServer]


@pytest.fixture
def listen(site: Site, stack: ExitStack) -> Listen:
    def start(**limits: object) -> LinkServer:
        server = LinkServer("tcp://127.0.0.1:*", SERVER_KEYS, site, Limits(**limits))  # type: ignore[arg-type] # as the test says
        server.start()
        stack.callback(server.stop)
        return server

    return start


class Honest:
    """A school that sends numbered batches, and knows which."""

    def __init__(self, endpoint: str, stack: ExitStack, keys: KeyPair = KEYS, name: str = "") -> None:
        self.name = name or keys.public[:4]
        self.spool = Spool()
        self.sent: list[bytes] = []
        self.client = LinkClient(
            endpoint, SERVER_KEYS.public, keys, "records", self.spool, random.Random(1), pace=PACE
        )
        self.client.start()
        stack.callback(self.client.stop)
        self.spool.opened(10)

    def put(self, count: int, size: int = 20) -> None:
        """Hand over that many."""
        for _ in range(count):
            number = len(self.sent)
            self.sent.append(f"{self.name}:{number}:".encode().ljust(size, b"."))
            self.spool.put(self.sent[-1], b"%d" % number, timeout=30)

    def deliver(self, count: int, size: int = 20) -> None:
        """Hand over that many, and wait until they are acknowledged."""
        self.put(count, size)
        assert self.spool.flush(30)


class Stranger:
    """A socket that passes the handshake, if it may, and says what it likes."""

    def __init__(self, endpoint: str, stack: ExitStack, keys: KeyPair = MAD, route: bytes = b"") -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self._context.socket(zmq.DEALER)
        stack.callback(self._close)
        harden(self.socket, keys, endpoint)
        if route:
            self.socket.set(zmq.ROUTING_ID, route)
        self.socket.set(zmq.CURVE_SERVERKEY, SERVER_KEYS.public.encode())
        self.socket.connect(endpoint)

    def answer(self) -> object:
        """The next answer."""
        assert self.socket.poll(5000), "no answer"
        return decode_to_sender(self.socket.recv())

    def _close(self) -> None:
        self.socket.close(linger=0)
        self._context.term()


def port_of(server: LinkServer) -> int:
    return int(server.endpoint.rpartition(":")[2])


def dial(server: LinkServer, stack: ExitStack) -> socket.socket:
    return stack.enter_context(socket.create_connection(("127.0.0.1", port_of(server)), timeout=10))


def ended(connection: socket.socket) -> bool:
    """Whether the other side hangs up; whatever it says first is read."""
    with suppress(ConnectionError):
        while connection.recv(65536):
            pass
    return True


def resident_mib() -> float:
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    assert found
    return int(found[1]) / 1024


def greeting(mechanism: bytes) -> bytes:
    return GREETING[:10] + b"\x03\x00" + mechanism.ljust(20, b"\0") + bytes(32)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n" + bytes(64), id="http"),
        pytest.param(bytes(random.Random(3).randbytes(4096)), id="noise"),
        pytest.param(greeting(b"NULL") + b"\x04\x06\x05READY", id="no-encryption"),
        pytest.param(greeting(b"PLAIN") + b"\x04\x08\x05HELLO\x01a", id="password"),
        pytest.param(greeting(b"CURVE") + b"\x04\x06\x05HELLO", id="a-hello-cut-short"),
        pytest.param(greeting(b"CURVE") + b"\x06" + GIB.to_bytes(8, "big"), id="a-command-of-1-GiB"),
        pytest.param(greeting(b"CURVE") + b"\x02" + (2**62).to_bytes(8, "big"), id="a-frame-of-4-EiB"),
        pytest.param(
            greeting(b"CURVE") + b"\x04\xc8\x05HELLO\x01\x00" + random.Random(4).randbytes(192),
            id="a-hello-to-another-key",
        ),
    ],
)
def test_who_does_not_speak_as_we_do_is_hung_up_on(
    listen: Listen, site: Site, stack: ExitStack, said: bytes
) -> None:
    server = listen()
    honest = Honest(server.endpoint, stack)
    before = resident_mib()
    stranger = dial(server, stack)
    stranger.sendall(said)
    honest.deliver(20)
    assert ended(stranger)
    assert resident_mib() - before < 64
    until(lambda: server.counters["connections"] == 1, "only the honest one is left")
    assert site.histogram() == dict.fromkeys(honest.sent, 1)


def test_a_client_for_another_servers_key_gets_nowhere(listen: Listen, stack: ExitStack) -> None:
    server = listen()
    lost = LinkClient(
        server.endpoint, KeyPair.new().public, KEYS, "records", Spool(), random.Random(1), pace=PACE
    )
    lost.start()
    stack.callback(lost.stop)
    until(lambda: "no handshake" in lost.state.detail, "it notices")
    Honest(server.endpoint, stack).deliver(5)
    assert server.counters["batches"] == 5


def test_a_handshake_that_is_played_again_opens_nothing(listen: Listen, site: Site, stack: ExitStack) -> None:
    server = listen()
    relay = Relay(server.endpoint)
    stack.callback(relay.close)
    honest = Honest(relay.endpoint, stack)
    honest.deliver(10)
    (recorded,) = relay.recorded
    again = dial(server, stack)
    with suppress(ConnectionError):
        again.sendall(bytes(recorded))
    assert ended(again)
    honest.deliver(10)
    assert site.histogram() == dict.fromkeys(honest.sent, 1)
    assert server.counters["batches"] == 20


@pytest.mark.parametrize("kind", ["altered", "cut short", "lengthened", "1 GiB announced"])
def test_what_somebody_on_the_wire_alters_ends_the_connection_and_everything_still_arrives_once(
    listen: Listen, site: Site, stack: ExitStack, kind: str
) -> None:
    server = listen()
    relay = Relay(server.endpoint)
    stack.callback(relay.close)
    honest = Honest(relay.endpoint, stack)
    honest.deliver(3)
    before = resident_mib()
    rng, done = random.Random(5), [0]

    def alter(sent: int, data: bytes) -> bytes | None:
        if done[0] == 4 or len(data) < 100:
            return data
        done[0] += 1
        match kind:
            case "altered":
                at = rng.randrange(len(data))
                return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
            case "cut short":
                return None
            case "lengthened":
                return data + rng.randbytes(40)
            case _:
                return b"\x02" + GIB.to_bytes(8, "big") + data

    relay.alter = alter
    honest.deliver(60, size=3000)
    assert done[0] == 4
    assert len(relay.recorded) > 1
    assert resident_mib() - before < 64
    assert site.histogram() == dict.fromkeys(honest.sent, 1)


def test_two_thousand_connections_that_say_nothing_keep_nobody_out(
    listen: Listen, site: Site, stack: ExitStack
) -> None:
    server = listen()
    first = Honest(server.endpoint, stack)
    for number in range(2000):
        with suppress(ConnectionError):
            dial(server, stack)
        if number % 200 == 0:
            first.deliver(5)
    late = Honest(server.endpoint, stack, MAD)
    late.deliver(50)
    first.deliver(50)
    until(lambda: server.counters["connections"] <= 260, "only so many are left")
    assert server.counters["cut:strangers"] >= 2000 - 256 - 2
    assert site.histogram() == dict.fromkeys(first.sent + late.sent, 1)


def test_silent_connections_are_ended_after_their_time(listen: Listen, stack: ExitStack) -> None:
    server = listen(handshake_s=0.3, silent_s=0.3)
    honest = Honest(server.endpoint, stack)
    Stranger(server.endpoint, stack)
    assert ended(dial(server, stack)), "no handshake"
    until(lambda: server.counters.get("cut:silent", 0) >= 1, "a handshake, and then not a word")
    honest.deliver(5)


def test_five_hundred_handshakes_of_strangers_are_refused_and_keep_nobody_out(
    listen: Listen, site: Site, stack: ExitStack
) -> None:
    server = listen()
    honest = Honest(server.endpoint, stack)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    stack.callback(context.term)
    for number in range(500):
        stranger = stack.enter_context(context.socket(zmq.DEALER))
        harden(stranger, KeyPair.new(), server.endpoint)
        stranger.set(zmq.CURVE_SERVERKEY, SERVER_KEYS.public.encode())
        stranger.connect(server.endpoint)
        stranger.send(encode(Hello(1, "records", 1, 1)))
        if number % 100 == 0:
            honest.deliver(5)
    until(lambda: server.counters["handshakes_refused"] >= 400, "refused and counted", 30)
    late = Honest(server.endpoint, stack, MAD)
    late.deliver(50)
    honest.deliver(50)
    assert "refused:not_enrolled" not in server.counters, "none of them said a word"
    assert site.histogram() == dict.fromkeys(honest.sent + late.sent, 1)


def test_one_key_may_not_connect_without_end(listen: Listen, stack: ExitStack) -> None:
    server = listen(quota=Quota(sessions=4))
    for number in range(7):
        stranger = Stranger(server.endpoint, stack)
        stranger.socket.send(encode(Hello(1, f"records{number}", 1, 1)))
        stranger.answer()
    until(lambda: server.counters.get("cut:too_many_of_one_account", 0) >= 3, "the oldest go")
    for _ in range(10):
        Stranger(server.endpoint, stack)
    until(lambda: server.counters["handshakes_refused"] > 0, "it is told to come later")
    Honest(server.endpoint, stack).deliver(5)


def test_a_mad_peer_is_slowed_refused_and_cut_while_honest_ones_finish_with_everything_once(
    listen: Listen, site: Site, stack: ExitStack
) -> None:
    server = listen(quota=Quota(batches_per_second=200, bytes_per_second=8e6), queue=4)
    others = [KeyPair.new() for _ in range(3)]
    site.known = {**site.known, **{pair.public: f"other-{i}" for i, pair in enumerate(others)}}
    honest = [Honest(server.endpoint, stack, pair, f"s{i}") for i, pair in enumerate(others)]
    mad = Stranger(server.endpoint, stack)
    mad.socket.send(encode(Hello(1, "records", 1, 1)))
    mad.answer()
    enough = threading.Event()

    def rage() -> None:
        frame = encode(Batch(1, 7, bytes(60_000)))  # there is no batch 1: it would never be taken
        while not enough.is_set():
            if mad.socket.poll(20, zmq.POLLOUT):
                with suppress(zmq.Again):
                    mad.socket.send(frame, zmq.NOBLOCK)

    raging = threading.Thread(target=rage)
    raging.start()
    try:
        for school in honest:
            school.put(300)  # over the quota itself, and patient
        until(lambda: server.counters.get("cut:over_limits", 0) > 0, "the mad one is cut", 30)
        for school in honest:
            assert school.spool.flush(30)
    finally:
        enough.set()
        raging.join()
    assert server.counters["refused:over_limits"] >= 1
    assert server.counters["dropped"] > 0
    assert all(school.client.state.name == "connected" for school in honest)
    assert site.histogram() == dict.fromkeys([sent for school in honest for sent in school.sent], 1)


def test_a_message_of_several_parts_costs_its_sender_the_connection(listen: Listen, stack: ExitStack) -> None:
    server = listen()
    stranger = Stranger(server.endpoint, stack)
    stranger.socket.send_multipart([bytes(60_000)] * 100)
    until(lambda: server.counters.get("cut:parts", 0) > 0, "cut")
    stranger.socket.send(encode(Hello(1, "records", 1, 1)))
    until(lambda: server.counters["handshakes_refused"] > 0, "and kept out for a while")
    assert server.counters["refused:parts"] >= 1
    Honest(server.endpoint, stack).deliver(5)


def test_a_message_that_never_ends_is_noticed_though_no_frame_of_it_ever_comes_out(
    listen: Listen, stack: ExitStack
) -> None:
    server = listen()
    relay = Relay(server.endpoint)
    stack.callback(relay.close)
    stranger = Stranger(relay.endpoint, stack)
    stranger.socket.send(encode(Hello(1, "records", 1, 1)))
    stranger.answer()
    held = threading.Event()
    stack.callback(held.set)

    def alter(sent: int, data: bytes) -> bytes | None:
        if sent > 20_000_000:
            held.wait(30)  # the last part never comes
        return data

    relay.alter = alter
    stranger.socket.send_multipart([bytes(60_000)] * 500)
    until(lambda: server.counters.get("cut:endless", 0) > 0, "cut")
    assert "refused:parts" not in server.counters
    held.set()
    Honest(server.endpoint, stack).deliver(5)


@pytest.mark.parametrize("route", [b"\0\x6b\x8b\x45\x67", b"\0", b"mine!"])
def test_a_peer_that_chooses_the_number_of_its_connection_is_refused(
    listen: Listen, stack: ExitStack, route: bytes
) -> None:
    server = listen()
    stranger = Stranger(server.endpoint, stack, route=route)
    stranger.socket.send(encode(Hello(1, "records", 1, 1)))
    until(lambda: server.counters.get("cut:chosen_route", 0) > 0, "cut")
    assert "commits" not in server.counters
    Honest(server.endpoint, stack).deliver(5)


def test_nobody_can_foresee_the_numbers_of_connections() -> None:
    program = """
import zmq
from shared.link.routes import new_router
context = zmq.Context()
router, dealer = new_router(context), context.socket(zmq.DEALER)
router.bind("inproc://x")
dealer.connect("inproc://x")
dealer.send(b"")
print(router.recv_multipart()[0].hex())
context.destroy(0)
"""
    seen = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(3)
    }
    assert len(seen) == 3


def test_a_flood_of_noise_from_an_enrolled_key_is_refused_in_the_end(
    listen: Listen, stack: ExitStack
) -> None:
    server = listen(quota=Quota(talk_per_second=5, talk_burst=20))
    stranger = Stranger(server.endpoint, stack)
    for _ in range(200):
        stranger.socket.send(b"\xc1noise")
    assert stranger.answer() == Refused("bad_frame")
    until(lambda: server.counters.get("refused:over_limits", 0) > 0, "refused")
    Honest(server.endpoint, stack).deliver(5)


def test_descriptors_do_not_run_out_for_the_database(tmp_path: Path, stack: ExitStack) -> None:
    few = 300
    keys = load_or_create(tmp_path, "receiver")
    program = f"""
import resource, runpy
resource.setrlimit(resource.RLIMIT_NOFILE, ({few}, {few}))
runpy.run_module("tests.shared.link.receiver_process", run_name="__main__", alter_sys=True)
"""
    arguments = [tmp_path / "receiver.db", "tcp://127.0.0.1:*", tmp_path, KEYS.public]
    child = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.enter_context(child)
    assert child.stdin
    assert child.stdout
    stack.callback(child.stdin.close)
    endpoint = child.stdout.readline().strip()
    port = int(endpoint.rpartition(":")[2])
    for _ in range(2 * few):
        with suppress(OSError):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
    descriptors = Path(f"/proc/{child.pid}/fd")
    until(lambda: len(list(descriptors.iterdir())) < few // 2, "there are descriptors to spare")
    client = LinkClient(endpoint, keys.public, KEYS, "records", spool := Spool(), random.Random(1), pace=PACE)
    client.start()
    stack.callback(client.stop)
    spool.opened(10)
    spool.put(b"x", b"1")
    assert spool.flush(10)
    assert histogram(tmp_path / "receiver.db") == {b"x": 1}
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > few, "only the child was short of them"
