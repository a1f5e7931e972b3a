"""What is listened to reaches the agent's store once; what cannot be taken is counted."""

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from edge_agent.paths import AgentFolder
from edge_agent.placing.collector import Collector
from edge_agent.placing.parcel import Parcel
from edge_agent.settings import SourceSettings
from edge_agent.sources import handing, listening, receivers
from edge_agent.sources.facts import Contact, Reading
from edge_agent.sources.framestream import DNSTAP, control, framed
from edge_agent.sources.listening import STREAM_LIMIT, Listener, listens
from shared.errors import BusyError, CommonGroundError, SettingsError
from tests.edge_agent.sources.closet import LEASES, NOW, PEOPLE, Closet, look_up, parser
from tests.edge_agent.sources.dnstap_frames import message, query
from tests.shared.link.site import until

LOOPBACK = "127.0.0.1"


class Fragile(Collector):
    """A collector with an error in it: it cannot stand one name."""

    def collect(self, reading: Reading, now: float, seen: Sequence[int] = ()) -> Parcel:
        parcel = super().collect(reading, now, seen)
        if any(isinstance(fact, Contact) and "poison" in fact.name for fact in reading.all_facts()):
            raise ZeroDivisionError("poison.example from 10.0.0.1")
        return parcel


@pytest.fixture(autouse=True)
def nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(handing, "BATCH_SECONDS", 0.05)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


@pytest.fixture
def closet(tmp_path: Path, stack: ExitStack) -> Closet:
    return Closet(tmp_path, stack)


def port_of(listener: Listener) -> int:
    return int(listener.where.rpartition(":")[2])


def datagrams(listener: Listener, texts: Sequence[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for text in texts:
            sender.sendto(f"<30>{text}".encode(), (LOOPBACK, port_of(listener)))


def connect(listener: Listener) -> socket.socket:
    return socket.create_connection((LOOPBACK, port_of(listener)), timeout=10)


def on_lines(texts: Sequence[str]) -> bytes:
    return "".join(f"<30>{text}\n" for text in texts).encode()


def sent_to_pipe(path: Path, data: bytes) -> None:
    with path.open("wb") as pipe:
        pipe.write(data)


LESSON = [*LEASES, *(look_up(1 + i % 12, i) for i in range(120))]


def test_datagrams_reach_the_store(closet: Closet) -> None:
    listener, _ = closet.listen("dnsmasq", "udp://127.0.0.1:0")
    datagrams(listener, LESSON)
    until(lambda: closet.total("signals") == 120, "every look-up is stored")
    until(lambda: listener.read_until == NOW, "all that came is accepted")
    assert (closet.total("lines"), closet.counts("refused")) == (132, {})
    assert listener.state == f"listening on udp://127.0.0.1:{port_of(listener)}"


def test_connections_reach_the_store(closet: Closet) -> None:
    listener, _ = closet.listen("dnsmasq", "tcp://localhost:0")
    with connect(listener) as one, connect(listener) as two:
        one.sendall(on_lines(LESSON[:72]))
        until(lambda: closet.total("signals") == 60, "the first half")
        data = b"".join(b"%d <30>%s" % (len(text) + 4, text.encode()) for text in LESSON[72:])
        two.sendall(data[:1000])
        two.sendall(data[1000:])
        until(lambda: closet.total("signals") == 120, "the second half")
    assert (closet.total("lines"), closet.counts("refused")) == (132, {})


def test_a_pipe_is_read_writer_after_writer(closet: Closet) -> None:
    path = closet.folder.root / "input" / "dns.pipe"
    os.mkfifo(path)
    closet.listen("dnsmasq", path="input/dns.pipe")
    data = "".join(text + "\n" for text in LESSON).encode()
    for start in range(0, len(data), 3000):
        end = data.rfind(b"\n", 0, start + 3000) + 1
        begin = data.rfind(b"\n", 0, start) + 1
        sent_to_pipe(path, data[begin:end])
    until(lambda: closet.total("signals") == 120, "every look-up is stored")
    assert (closet.total("lines"), closet.counts("refused")) == (132, {})


def test_who_writes_into_a_pipe_never_waits(closet: Closet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.sources.listening.WAITING_LIMIT", 100_000)
    path = closet.folder.root / "input" / "dns.pipe"
    os.mkfifo(path)
    listener, go = closet.listen("dnsmasq", path="input/dns.pipe", connected=False)
    texts = [*LEASES, *(look_up(1 + i % 12, i % 1800) for i in range(6000))]
    sent_to_pipe(path, "".join(text + "\n" for text in texts).encode())
    until(lambda: "when there was no room and are lost" in listener.state, "it is said")
    go()
    until(lambda: closet.total("lines") == len(texts), "each line is taken or counted")
    assert 3000 < closet.counts("refused")["listener_overflow"] < 6000


@pytest.mark.parametrize("where", ["unix:dnstap.sock", "tcp://127.0.0.1:0"])
@pytest.mark.parametrize("asks", [True, False])
def test_frames_reach_the_store(closet: Closet, where: str, asks: bool) -> None:
    listener, _ = closet.listen("dnstap", where)
    closet.parts.directory.leases.add(int(NOW) - 3600, "10.0.0.7", PEOPLE[6].hardware.replace(":", ""))
    frames = [framed(message(int(NOW) - 900 + i, "10.0.0.7", query("padlet.com"))) for i in range(100)]
    with ExitStack() as open_:
        if where.startswith("unix"):
            peer = open_.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            peer.settimeout(10)
            peer.connect(str(closet.folder.root / "dnstap.sock"))
        else:
            peer = open_.enter_context(connect(listener))
        if asks:
            peer.sendall(control(4, DNSTAP))
            assert peer.recv(100) == control(1, DNSTAP)
        peer.sendall(control(2, DNSTAP) + b"".join(frames) + control(3))
        assert peer.recv(100) == (control(5) if asks else b"")
        assert peer.recv(100) == b""
    until(lambda: closet.total("lines") == 100, "every frame is counted")
    assert closet.total("signals") == 100
    assert closet.counts("refused") == {}
    listener.stop()
    assert not (closet.folder.root / "dnstap.sock").exists()


def test_datagrams_that_find_no_room_are_counted_to_the_last_one(
    closet: Closet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.sources.listening.WAITING_LIMIT", 100_000)
    monkeypatch.setattr(receivers, "DATAGRAM_BUFFER", 4096)
    listener, go = closet.listen("dnsmasq", "udp://127.0.0.1:0", connected=False)
    datagrams(listener, LEASES)
    texts = [look_up(1 + i % 12, i % 1800) for i in range(6000)]
    for at in range(0, 6000, 50):
        datagrams(listener, texts[at : at + 50])
    until(lambda: "when there was no room and are lost" in listener.state, "it is said")
    go()
    until(lambda: closet.total("lines") == 6012, "each one is taken or counted")
    assert 3000 < closet.counts("refused")["listener_overflow"] < 6000
    datagrams(listener, texts[:10])
    until(lambda: closet.total("lines") == 6022, "what comes later is read")


def test_a_connection_waits_while_the_agent_takes_nothing_and_nothing_is_lost(closet: Closet) -> None:
    listener, go = closet.listen("dnsmasq", "tcp://127.0.0.1:0", connected=False)
    texts = [*LEASES, *(look_up(1 + i % 12, i % 1800, f"{i}.padlet.com") for i in range(100_000))]
    data, sent = on_lines(texts), 0
    with connect(listener) as peer:
        peer.settimeout(0.5)
        with suppress(TimeoutError):
            while sent < len(data):
                sent += peer.send(data[sent : sent + 65_536])
        assert sent < len(data), "the sender was made to wait"
        assert listener._handing._bytes < 2 * STREAM_LIMIT
        go()
        peer.settimeout(60)
        peer.sendall(data[sent:])
        until(lambda: closet.total("lines") == len(texts), "all of it arrives", 60)
    assert closet.counts("refused") == {}


def test_what_was_received_is_handed_on_at_the_end(closet: Closet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "BATCH_SECONDS", 3600.0)
    listener, _ = closet.listen("dnsmasq", "udp://127.0.0.1:0")
    datagrams(listener, LESSON)
    listener.stop()
    assert (closet.total("lines"), closet.total("signals")) == (132, 120)


def test_one_message_that_breaks_the_program_is_refused_and_all_others_count(closet: Closet) -> None:
    listener, _ = closet.listen("dnsmasq", "tcp://127.0.0.1:0", make=Fragile)
    texts = [*LEASES, *(look_up(1 + i % 12, i) for i in range(400))]
    texts[200] = look_up(1, 200, "poison.example")
    with connect(listener) as peer:
        peer.sendall(on_lines(texts))
        until(lambda: closet.total("lines") == 412, "every line is told")
    assert closet.total("signals") == 399
    assert closet.counts("refused") == {"line_not_processed": 1}


def test_an_error_that_passes_costs_nothing(closet: Closet) -> None:
    read, calls = parser("dnsmasq"), []

    def parse(chunk: bytes, now: float) -> Reading:
        calls.append(chunk)
        if len(calls) == 1:
            raise CommonGroundError("run `chmod 600` first")
        return read(chunk, now)

    listener, _ = closet.listen("dnsmasq", "udp://127.0.0.1:0", parse=parse)
    datagrams(listener, LESSON)
    until(lambda: closet.total("signals") == 120, "it was tried again")
    assert closet.counts("refused") == {}


def test_a_message_whose_sender_dies_is_not_taken_for_a_shorter_one(closet: Closet) -> None:
    listener, _ = closet.listen("dnsmasq", "tcp://127.0.0.1:0")
    with connect(listener) as peer:
        peer.sendall(on_lines(LEASES) + f"<30>{look_up(12, 0)[:-1]}".encode())
    until(lambda: closet.counts("refused") == {"cut_off": 1}, "its end may be missing: it is refused")
    assert (closet.total("lines"), closet.total("signals")) == (13, 0)


def test_who_is_slow_is_cut_off_and_a_ninth_connection_is_refused(
    closet: Closet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receivers, "SLOW_SECONDS", 0.2)
    listener, _ = closet.listen("dnsmasq", "tcp://127.0.0.1:0")
    with ExitStack() as open_:
        peers = [open_.enter_context(connect(listener)) for _ in range(9)]
        assert peers[8].recv(1) == b"", "eight are enough"
        peers[0].sendall(b"<30>Sep 14")
        assert peers[0].recv(1) == b"", "half a message is not waited for"
        peers[1].sendall(on_lines(LESSON))
        until(lambda: closet.total("signals") == 120, "a silent connection is still good")
        until(lambda: closet.counts("refused") == {"cut_off": 1, "no_place": 1}, "both are counted")
    assert closet.total("lines") == 133, "somebody who knocks is no line"


def test_a_new_connection_takes_the_place_of_the_longest_silent_one(
    closet: Closet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receivers, "IDLE_SECONDS", 0.0)
    listener, _ = closet.listen("dnsmasq", "tcp://127.0.0.1:0")
    with ExitStack() as open_:
        peers = [open_.enter_context(connect(listener)) for _ in range(9)]
        assert peers[0].recv(1) == b""
        peers[8].sendall(on_lines(LESSON))
        until(lambda: closet.total("signals") == 120, "it is read")


def test_one_host_keeps_no_other_out_and_both_are_counted(closet: Closet) -> None:
    """Linux answers at all of 127.0.0.0/8: whoever calls from another address of it is another host here."""
    listener, _ = closet.listen("dnsmasq", "tcp://127.0.0.1:0")
    with ExitStack() as open_, pytest.MonkeyPatch.context() as patched:
        patched.setattr(receivers, "host_of", lambda peer, own: peer)

        def call(host: str) -> socket.socket:
            made = socket.create_connection((LOOPBACK, port_of(listener)), 10, source_address=(host, 0))
            return open_.enter_context(made)

        greedy = [call("127.0.0.2") for _ in range(5)]
        assert greedy[4].recv(1) == b"", "four are its share"
        others = [call("127.0.0.3") for _ in range(4)]
        greedy[0].sendall(on_lines(LEASES))
        until(lambda: closet.total("lines") == 13 - 1, "the first one has brought something")
        resolver = call("127.0.0.4")
        assert greedy[1].recv(1) == b"", "the one of a fullest host that was silent longest gives way"
        resolver.sendall(on_lines(LESSON[12:]))
        until(lambda: closet.total("signals") == 120, "the newcomer is read")
        others[0].sendall(on_lines([look_up(1, 200)]))
        until(lambda: closet.total("signals") == 121, "and the others are still there")
        until(lambda: closet.counts("refused") == {"no_place": 1, "gave_way": 1}, "what was dropped")


def test_a_connection_that_says_only_empty_lines_is_silent(
    closet: Closet, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, _ = closet.listen("dnsmasq", "tcp://127.0.0.1:0")
    with ExitStack() as open_:
        peers = [open_.enter_context(connect(listener)) for _ in range(8)]
        for peer in peers[1:]:
            peer.sendall(on_lines(LEASES[:1]))
        until(lambda: closet.total("lines") == 7, "seven bring something")
        peers[0].sendall(b"\n" * 1000)
        monkeypatch.setattr(receivers, "IDLE_SECONDS", 0.0)
        open_.enter_context(connect(listener))
        assert peers[0].recv(1) == b"", "it was the longest silent one"


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_whom_from_does_not_name_is_not_heard_and_counted_as_no_line(closet: Closet, scheme: str) -> None:
    senders = ("127.0.0.2", "127.0.0.64/30")
    listener, _ = closet.listen("dnsmasq", f"{scheme}://127.0.0.1:0", senders=senders)
    kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
    said = [
        (LOOPBACK, LESSON),
        ("127.0.0.2", LESSON[:72]),
        ("127.0.0.3", LESSON),
        ("127.0.0.66", LESSON[72:]),
    ]
    for number, (host, texts) in enumerate(said):
        with socket.socket(socket.AF_INET, kind) as sender:
            sender.bind((host, 0))
            sender.connect((LOOPBACK, port_of(listener)))
            with suppress(ConnectionError):
                for text in texts:
                    sender.sendall(on_lines([text]))
        if number == 1:
            until(lambda: closet.total("signals") == 60, "the first one that is named")
    until(lambda: closet.total("signals") == 120, "all that came from those who are named")
    until(lambda: closet.counts("refused").keys() == {"sender_not_listed"}, "the others are counted")
    assert closet.counts("refused")["sender_not_listed"] == (264 if scheme == "udp" else 2)
    assert closet.total("lines") == 132


def test_a_sender_that_never_rests_does_not_hold_up_the_lessons_of_others(
    closet: Closet, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "HELD_UP_SECONDS", 0.1)
    listener, _ = closet.listen("dnsmasq", "tcp://127.0.0.1:0")
    sender, rests = stack.enter_context(connect(listener)), threading.Event()

    def flood() -> None:
        with suppress(OSError):
            while not rests.is_set():
                sender.sendall(on_lines([look_up(1, 1)]) * 2000)

    flooding = threading.Thread(target=flood)
    monkeypatch.setattr(receivers.Connections, "turn", _never_at_rest(receivers.Connections.turn))
    flooding.start()
    try:
        until(lambda: listener.read_until == NOW, "what came before is in")
    finally:
        rests.set()
        listener.stop()
        sender.close()
        flooding.join()


def _never_at_rest(turn: Callable[..., bool]) -> Callable[..., bool]:
    """Also where the sender of a test is too slow to be always ahead."""

    def unrested(receiver: receivers.Connections, now: float, seconds: float) -> bool:
        turn(receiver, now, seconds)
        return False

    return unrested


def test_rubbish_on_every_socket_stops_nothing(closet: Closet, stack: ExitStack) -> None:
    listener, _ = closet.listen("dnstap", "tcp://127.0.0.1:0")
    for rubbish in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(10_000) + b"\xff" * 8, struct.pack(">II", 0, 9)):
        with connect(listener) as peer, suppress(ConnectionError):
            peer.sendall(rubbish)
            peer.shutdown(socket.SHUT_WR)
            assert peer.recv(1) == b""
    with connect(listener) as peer:
        peer.sendall(
            control(2, DNSTAP)
            + framed(b"\xff" * 20)
            + framed(message(int(NOW), "10.0.0.7", query("a.example")))
        )
        until(lambda: closet.counts("unmatched").get("no_lease") == 1, "an honest peer is read")
    assert closet.counts("refused")["malformed_frame"] == 1


def test_an_agent_elsewhere_is_told_how_far_everything_is_in(
    closet: Closet, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()

    class Told(Collector):
        def beat(self, read_until: int) -> Parcel:
            assert read_until == 77
            told.set()
            return super().beat(read_until)

    listener, _ = closet.listen("dnsmasq", "udp://127.0.0.1:0", make=Told, agent_time=lambda: 77)
    assert told.wait(10)
    assert listener.read_until == NOW


@pytest.mark.parametrize(
    ("kind", "listen", "says"),
    [
        ("dnsmasq", "udp://0.0.0.0:5514", "name the address"),
        ("dnsmasq", "udp://[::]:5514", "name the address"),
        ("dnsmasq", "tcp://resolver.school.example:5514", "no address of this machine"),
        ("dnsmasq", "tcp://203.0.113.9:5514", "use an address of this machine"),
        ("dnsmasq", "tcp://127.0.0.1:70000", "no address to listen at"),
        ("dnsmasq", "tcp://[::ffff:0.0.0.0]:5514", "in every network"),
        ("dnsmasq", "http://127.0.0.1", "no address to listen at"),
        ("dnsmasq", "unix:" + "x" * 120, "too long a path"),
        ("dnsmasq", "unix:agent.toml", "is no socket"),
        ("dnstap", "udp://127.0.0.1:5514", "comes by a connection"),
        ("mdm", "tcp://127.0.0.1:5514", "cannot listen to `mdm`"),
    ],
)
def test_an_address_that_cannot_be_used_is_said_with_what_to_do(
    closet: Closet, kind: str, listen: str, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        closet.listen(kind, listen, parse=lambda chunk, now: Reading())


def test_a_taken_address_is_said_and_what_a_dead_process_left_is_replaced(
    closet: Closet, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(closet.folder.root / "syslog.sock"))
    closet.listen("dnsmasq", "unix:syslog.sock")
    with pytest.raises(BusyError, match="is taken"):
        closet.listen("dnsmasq", "unix:syslog.sock")
    assert (closet.folder.root / "syslog.sock").stat().st_mode & 0o777 == 0o660
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        with pytest.raises(BusyError, match="is taken"):
            closet.listen("dnsmasq", f"tcp://127.0.0.1:{taken.getsockname()[1]}")


def test_only_pipes_and_addresses_are_listened_to(tmp_path: Path) -> None:
    folder = AgentFolder(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "log").touch()
    assert listens(SourceSettings("dnsmasq", "a", path="pipe"), folder)
    assert listens(SourceSettings("dnsmasq", "a", listen="udp://127.0.0.1:5514"), folder)
    assert not listens(SourceSettings("dnsmasq", "a", path="log"), folder)
    assert not listens(SourceSettings("dnsmasq", "a", path="not there yet"), folder)
    assert not listens(SourceSettings("xapi", "a", port=8101), folder)
