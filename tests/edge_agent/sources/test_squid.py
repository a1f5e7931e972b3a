"""The Squid source keeps of a request who, when it began, and the host; a real Squid's lines among them."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.facts import Contact, Visit
from edge_agent.sources.logtime import LogTime
from edge_agent.sources.squid import read_squid
from tests.edge_agent.sources.asking import SAMPLES, assert_every_line_is_accounted_for, counted
from tests.edge_agent.sources.programs import needs, squid

AT = 1789367462  # 14 September 2026, 08:31:02 in Zurich
TAIL = "- HIER_DIRECT/192.0.2.7 text/html"


def times() -> LogTime:
    return LogTime(ZoneInfo("Europe/Zurich"), year=2026)


def native(request: str, took: int = 5, who: str = "10.20.3.41", action: str = "TCP_MISS/200") -> bytes:
    return f"{AT}.500 {took:6d} {who} {action} 218 {request} {TAIL}\n".encode()


REQUESTS = [
    "CONNECT padlet.com:443",
    "GET http://padlet.com/",
    "GET http://padlet.com/a/b?c=d@e.example:80",
    "POST http://padlet.com:8080/a",
    "GET http://anna:secret@padlet.com/a",
    "GET http://padlet.com?x",
    "GET ftp://padlet.com/a",
    'GET http://padlet.com/a"b c',
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_of_a_request_nothing_but_its_host_is_kept(request_: str) -> None:
    expected = [Contact(AT, "10.20.3.41", "padlet.com")]
    quoted = f'"{request_} HTTP/1.1" 200 218'
    head = "10.20.3.41 - anna [14/Sep/2026:08:31:02 +0200]"
    for line in (
        native(request_),
        b"Sep 14 08:31:03 proxy (squid-1)[77]: " + native(request_),
        f"{head} {quoted} TCP_MISS:HIER_DIRECT\n".encode(),
        f'{head} {quoted} "http://x.example/y" "iPad "a" [b]" TCP_MISS:HIER_DIRECT\n'.encode(),
    ):
        reading = read_squid(line, times())
        assert reading.facts == expected, line
        assert (reading.newest, reading.refused, reading.passed_over) == (AT, {}, {})


@pytest.mark.parametrize(
    ("took", "before"), [(0, 0), (500, 0), (501, 1), (2_500, 2), (3_600_000, 3600), (-9, 0)]
)
def test_a_request_counts_where_it_began_and_the_log_has_come_to_its_end(took: int, before: int) -> None:
    reading = read_squid(native("CONNECT padlet.com:443", took), times())
    assert reading.facts == [Contact(AT - before, "10.20.3.41", "padlet.com")]
    assert reading.newest == AT


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (native("CONNECT padlet.com:443", action="TCP_DENIED/403"), "denied"),
        (native("CONNECT padlet.com:443", action="TCP_DENIED/407"), "denied"),
        (native("GET http://padlet.com/", action="TCP_DENIED_REPLY/403"), "denied"),
        (native("ICP_QUERY http://padlet.com/", action="UDP_MISS/000"), "other"),
        (native("CONNECT 192.0.2.7:443"), "no_name"),
        (native("GET http://192.0.2.7/padlet.com"), "no_name"),
        (native("GET http://anna@192.0.2.7:80/"), "no_name"),
        (native("CONNECT [2001:db8::7]:443"), "no_name"),
        (native('GET http://a"b.example/'), "no_name"),
        (native("GET http://a%20b.example/"), "no_name"),
        (native("GET /"), "no_name"),
        (native("rubbish error:invalid-request", action="NONE_NONE/400"), "no_name"),
        (native(f"GET http://{'a' * 300}/"), "no_name"),
        (native("CONNECT padlet.com:443", who="-"), "anonymised"),
    ],
)
def test_what_says_nothing_of_use_is_passed_over_by_reason(line: bytes, reason: str) -> None:
    reading = read_squid(line, times())
    assert (reading.facts, reading.refused, reading.passed_over) == ([], {}, {reason: 1})


def test_a_user_is_read_only_where_there_is_no_address() -> None:
    named = native("CONNECT padlet.com:443", who="-").replace(b" - HIER", b" anna%40school.example HIER")
    assert read_squid(named, times()).facts == [Visit(AT, "anna@school.example", "padlet.com")]
    both = native("CONNECT padlet.com:443").replace(b" - HIER", b" anna HIER")
    assert read_squid(both, times()).facts == [Contact(AT, "10.20.3.41", "padlet.com")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"rubbish\n", "malformed_line"),
        (b"Sep 14 08:31:02 dnsmasq[1]: query[A] a.example from 10.0.0.1\n", "malformed_line"),
        (native("CONNECT padlet.com:443", who="ipad-7.school.example"), "malformed_line"),
        (native("CONNECT padlet.com:443")[:50] + b"\n", "malformed_line"),
        (native("GET http://padlet.com/" + "a" * 5000), "line_too_long"),
        (native("CONNECT padlet.com:443").replace(b"1789367462", b"9999999999"), "unreadable_time"),
        (native("CONNECT padlet.com:443", took=99_999_999_999), "fact"),
        (native("CONNECT padlet.com:443", took=999_999_999_999 * 9), "malformed_line"),
        (native("CONNECT padlet.com:443").replace(b"1789367462", b"5"), "fact"),
        (native("CONNECT padlet.com:443", took=6000).replace(b"1789367462", b"5"), "unreadable_time"),
    ],
)
def test_what_cannot_be_used_is_refused_and_the_good_line_after_it_is_not_lost(
    line: bytes, reason: str
) -> None:
    reading = read_squid(line + native("CONNECT padlet.com:443"), times())
    assert reading.refused == ({} if reason == "fact" else {reason: 1})
    assert reading.facts[-1] == Contact(AT, "10.20.3.41", "padlet.com")
    assert all(fact.t >= 0 for fact in reading.facts)


def test_every_line_of_the_sample_is_accounted_for() -> None:
    data = (SAMPLES / "squid.log").read_bytes()
    reading = read_squid(data, times())
    assert_every_line_is_accounted_for(reading, data)
    assert (len(reading.facts), reading.refused) == (9, {})


ODD = [
    "10.0.0.9",
    "TCP_MISS/200",
    "1789367462.500",
    "9",
    "- HIER_DIRECT/1.2.3.4 -",
    "[14/Sep/2026:08:31:02 +0200]",
]
WRITTEN = st.one_of(
    st.text(st.characters(blacklist_characters="\n", max_codepoint=255), max_size=80),
    st.lists(st.sampled_from([*ODD, "CONNECT padlet.com:443", '"', "http://"])).map(" ".join),
)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(WRITTEN, WRITTEN, st.booleans())
def test_whatever_a_client_writes_it_speaks_for_its_own_address(url: str, agent: str, common: bool) -> None:
    line = (
        f'10.0.0.5 - - [14/Sep/2026:08:31:02 +0200] "GET {url}" 200 9 "-" "{agent}" TCP_MISS:HIER_NONE\n'
        if common
        else f"1789367462.500      5 10.0.0.5 TCP_MISS/200 218 GET {url} {agent} HIER_NONE/- -\n"
    )
    reading = read_squid(line.encode("latin-1"), times())
    assert {fact.address if isinstance(fact, Contact) else "" for fact in reading.facts} <= {"10.0.0.5"}
    assert_every_line_is_accounted_for(reading, line.encode("latin-1"))


@pytest.fixture
def site() -> Iterator[int]:
    """A server on loopback that answers each connection once it is told something; its port."""

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)


def through(proxy: int, source: str, request: str, *, hold: float = 0.0) -> bytes:
    """The first line that the proxy answers; a tunnel is held open for `hold` seconds."""
    with socket.create_connection(("127.0.0.1", proxy), 10, source_address=(source, 0)) as client:
        client.sendall(f'{request} HTTP/1.1\r\nHost: padlet.com\r\nUser-Agent: a "b" [c]\r\n\r\n'.encode())
        answer = client.recv(4096)
        if request.startswith("CONNECT") and b" 200 " in answer:
            if hold:
                threading.Event().wait(hold)
            client.sendall(b"hello")
            while client.recv(4096):
                pass
    return answer.split(b"\r\n")[0]


COMMON = '%>a %[ui %[un [%tl] "%rm %ru HTTP/%rv" %>Hs %<st'
FORMATS = (
    f'logformat combined {COMMON} "%{{{{Referer}}}}>h" "%{{{{User-Agent}}}}>h" %Ss:%Sh',
    f"logformat common {COMMON} %Ss:%Sh",
    "access_log stdio:{folder}/native.log squid",
    "access_log stdio:{folder}/combined.log combined",
    "access_log stdio:{folder}/common.log common",
    "acl denied dstdomain denied.example",
    "http_access deny denied",
)


@needs("squid")
def test_what_a_real_squid_wrote_is_who_reached_what(site: int) -> None:
    asked: Counter[tuple[str, str]] = Counter()
    with squid("127.0.0.1 padlet.com kahoot.it\n", *FORMATS) as (proxy, folder):
        for step in range(8):
            address, name = f"127.0.0.{20 + step % 3}", ("padlet.com", "kahoot.it")[step % 2]
            url = f"CONNECT {name}:{site}" if step % 4 < 2 else f"GET http://{name}:{site}/a/b?c=d"
            assert b" 200 " in through(proxy, address, url)
            asked[address, name] += 1
            assert b" 403 " in through(proxy, address, "CONNECT denied.example:443")
            assert b" 200 " in through(proxy, address, f"GET http://127.0.0.1:{site}/padlet.com")
        logs = {name: (folder / f"{name}.log") for name in ("native", "combined", "common")}
        began = time.time()
        through(proxy, "127.0.0.40", f"CONNECT padlet.com:{site}", hold=2.2)
        asked["127.0.0.40", "padlet.com"] += 1
        deadline = time.monotonic() + 10
        while any(b"127.0.0.40" not in log.read_bytes() for log in logs.values()):
            assert time.monotonic() < deadline, "Squid did not log the tunnel"
        texts = {name: log.read_bytes() for name, log in logs.items()}
    for name, data in texts.items():
        reading = read_squid(data, LogTime(ZoneInfo("UTC"), now=time.time()))
        assert counted(reading) == asked, name
        assert (reading.refused, reading.passed_over["denied"]) == ({}, 8)
        assert_every_line_is_accounted_for(reading, data)
        (tunnel,) = (f for f in reading.facts if isinstance(f, Contact) and f.address == "127.0.0.40")
        if name == "native":
            assert int(began) <= tunnel.t <= began + 1, "where it began, not where it ended"
            assert reading.newest is not None and reading.newest >= tunnel.t + 2
