"""Real programs that leave no file: what rsyslog, dnsmasq and Unbound send is what they were asked."""

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.sources.facts import Reading
from tests.edge_agent.resolver import ask, dnsmasq, needs_dnsmasq
from tests.edge_agent.sources.asking import NAMES, counted
from tests.edge_agent.sources.closet import Closet, parser
from tests.edge_agent.sources.programs import needs, rsyslogd, unbound
from tests.shared.link.site import until

PATIENCE = 30.0
FORWARD = 'action(type="omfwd" target="127.0.0.1" port="{port}" protocol="{by}" template="{form}"{more}'
QUEUE = ' queue.type="LinkedList" queue.size="50000" queue.timeoutEnqueue="0" action.resumeRetryCount="-1")'
FORMS = {
    "RFC 3164 by UDP": ("udp", "RSYSLOG_TraditionalForwardFormat", ""),
    "RFC 3339 times by UDP": ("udp", "RSYSLOG_ForwardFormat", ""),
    "RFC 5424 by UDP": ("udp", "RSYSLOG_SyslogProtocol23Format", ""),
    "RFC 3164 by TCP": ("tcp", "RSYSLOG_TraditionalForwardFormat", ""),
    "RFC 5424 by TCP, on lines": ("tcp", "RSYSLOG_SyslogProtocol23Format", ""),
    "RFC 5424 by TCP, counted": ("tcp", "RSYSLOG_SyslogProtocol23Format", ' TCP_Framing="octet-counted"'),
}


class Heard:
    """What a parser read, added up."""

    def __init__(self, kind: str) -> None:
        self._parse = parser(kind)
        self.all = Reading()

    def __call__(self, chunk: bytes, now: float) -> Reading:
        reading = self._parse(chunk, now)
        self.all.facts += reading.all_facts()
        self.all.lines += reading.lines
        for reason, number in reading.refused.items():
            self.all.refused[reason] = self.all.refused.get(reason, 0) + number
        return reading


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


@pytest.fixture
def closet(tmp_path: Path, stack: ExitStack) -> Closet:
    return Closet(tmp_path, stack)


def ask_from_many(port: int, rounds: int = 60) -> Counter[tuple[str, str]]:
    """How often each address asked for which name."""
    asked: Counter[tuple[str, str]] = Counter()
    for step in range(rounds):
        address, name = f"127.0.0.{20 + step % 7}", NAMES[step % 3]
        for kind in ("A", "AAAA", "HTTPS")[: 1 + step % 3]:
            ask(port, address, name, kind)
            asked[address, name.lower()] += 1
    ask(port, "127.0.0.20", "7.0.0.127.in-addr.arpa", "PTR")
    return asked


def log_to(entry: Path, log: Path) -> int:
    """Send dnsmasq's log to a log daemon, as it would itself; how many lines that were."""
    lines = log.read_bytes().splitlines()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(entry))
        for line in lines:
            sender.send(b"<30>" + line)
    return len(lines)


def arrives(heard: Heard, asked: Counter[tuple[str, str]]) -> None:
    until(lambda: counted(heard.all).total() >= asked.total(), "everything arrives", PATIENCE)
    assert counted(heard.all) == asked


@needs_dnsmasq
@needs("rsyslogd")
@pytest.mark.parametrize("form", FORMS)
def test_what_rsyslog_forwards_of_dnsmasq_is_what_was_asked(
    closet: Closet, tmp_path: Path, form: str
) -> None:
    by, template, more = FORMS[form]
    heard = Heard("dnsmasq")
    listener, _ = closet.listen("dnsmasq", f"{by}://127.0.0.1:0", parse=heard, clock=SystemClock())
    port = listener.where.rpartition(":")[2]
    log, begun = tmp_path / "dnsmasq.log", int(time.time())
    with dnsmasq(log) as resolver:
        asked = ask_from_many(resolver)
    action = (FORWARD + QUEUE).format(port=port, by=by, form=template, more=more)
    with rsyslogd(tmp_path, action) as entry:
        sent = log_to(entry, log)
        arrives(heard, asked)
        until(lambda: heard.all.lines >= sent, "the last line arrives", PATIENCE)
    until(lambda: closet.total("lines") == heard.all.lines, "the agent has them", PATIENCE)
    assert heard.all.lines - sent <= 1, "rsyslog tells of its own start at most"
    assert sum(heard.all.refused.values()) == heard.all.lines - sent
    if "3164" not in form:  # that one says no zone
        assert all(begun <= fact.t <= time.time() for fact in heard.all.facts)


@needs_dnsmasq
@needs("rsyslogd")
def test_what_rsyslog_writes_into_a_pipe_is_what_was_asked(closet: Closet, tmp_path: Path) -> None:
    pipe, log = closet.folder.root / "input" / "dns.pipe", tmp_path / "dnsmasq.log"
    os.mkfifo(pipe)
    heard = Heard("dnsmasq")
    closet.listen("dnsmasq", path="input/dns.pipe", parse=heard, clock=SystemClock())
    with dnsmasq(log) as resolver:
        asked = ask_from_many(resolver)
    action = f'action(type="ompipe" pipe="{pipe}" template="RSYSLOG_FileFormat")'
    with rsyslogd(tmp_path, action) as entry:
        log_to(entry, log)
        arrives(heard, asked)


@needs("unbound")
@pytest.mark.parametrize(
    ("listen", "settings"),
    [
        ("unix:tap.sock", 'dnstap-socket-path: "{path}"'),
        ("tcp://127.0.0.1:0", 'dnstap-socket-path: ""\n  dnstap-ip: {address}\n  dnstap-tls: no'),
    ],
)
@pytest.mark.parametrize("bidirectional", ["yes", "no"])
def test_what_unbound_taps_is_what_was_asked(
    closet: Closet, tmp_path: Path, listen: str, settings: str, bidirectional: str
) -> None:
    heard = Heard("dnstap")
    listener, _ = closet.listen("dnstap", listen, parse=heard, clock=SystemClock())
    address = listener.where.removeprefix("tcp://").replace(":", "@")
    options = (
        "dnstap:",
        "dnstap-enable: yes",
        f"dnstap-bidirectional: {bidirectional}",
        settings.format(path=closet.folder.root / "tap.sock", address=address),
        "dnstap-log-client-query-messages: yes",
        "dnstap-log-client-response-messages: yes",
    )
    begun = int(time.time())
    with unbound(tmp_path, *options) as (port, log):
        asked = ask_from_many(port)
        arrives(heard, asked)
        assert b"padlet" in log.read_bytes(), "it runs with `log-queries` here, but need not"
    until(lambda: closet.total("lines") == heard.all.lines, "the agent has them", PATIENCE)
    assert heard.all.refused == {}
    assert heard.all.lines >= 2 * asked.total(), "its answers came too, and were passed over"
    assert all(begun <= fact.t <= time.time() for fact in heard.all.facts)


@needs("unbound")
def test_unbound_comes_back_after_the_agent_was_away(closet: Closet, tmp_path: Path) -> None:
    heard = Heard("dnstap")
    options = (
        "dnstap:",
        "dnstap-enable: yes",
        f'dnstap-socket-path: "{closet.folder.root / "tap.sock"}"',
        "dnstap-log-client-query-messages: yes",
    )
    with unbound(tmp_path, *options) as (port, _):
        first, _ = closet.listen("dnstap", "unix:tap.sock", parse=heard, clock=SystemClock())
        asked = ask_from_many(port, 6)
        arrives(heard, asked)
        first.stop()
        closet.listen("dnstap", "unix:tap.sock", parse=heard, clock=SystemClock())
        asked += ask_from_many(port, 6)
        arrives(heard, asked)
