"""However many connections one host makes, every other host gets a place, and keeps its first one."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.paths import AgentFolder
from edge_agent.settings import SourceSettings, check_sources, load_settings
from edge_agent.sources.places import OF_ONE_HOST, PLACES, THIS_MACHINE, Answer, Seat, admit
from edge_agent.sources.senders import host_of, may_send, networks
from shared.errors import SettingsError
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

IDLE = 60.0
HOSTS = (THIS_MACHINE, "a", "b", "c", "d", "e")

comings = st.lists(
    st.tuples(st.sampled_from(HOSTS), st.floats(0, 40), st.booleans()), min_size=1, max_size=80
)


class Room:
    """The places, as connections come and go by the rule."""

    def __init__(self) -> None:
        self.taken: list[Seat] = []
        self.now = 0.0

    def comes(self, host: str) -> tuple[Answer, list[Seat]]:
        """What the rule says; the places as they were before are given too."""
        before = list(self.taken)
        answer = admit(before, host, self.now, IDLE)
        if answer.instead_of is not None:
            del self.taken[answer.instead_of]
        if answer.is_let_in:
            self.taken.append(Seat(host, self.now))
        return answer, before

    def speaks(self, host: str) -> None:
        self.taken = [Seat(host, self.now) if seat.host == host else seat for seat in self.taken]


@settings(derandomize=True, max_examples=300, deadline=None)
@given(comings)
def test_the_rule_is_fair_whoever_comes(came: list[tuple[str, float, bool]]) -> None:
    room = Room()
    for host, passed, speaks in came:
        room.now += passed
        answer, before = room.comes(host)
        counts, then = Counter(seat.host for seat in before), Counter(seat.host for seat in room.taken)
        assert len(room.taken) <= PLACES
        assert all(n <= OF_ONE_HOST for name, n in then.items() if name != THIS_MACHINE)
        if answer.instead_of is not None:
            assert answer.is_let_in
            out = before[answer.instead_of]
            if room.now - out.heard < IDLE:
                assert len(before) == PLACES, "nobody gives way while there is room"
                assert then[out.host] >= then[host], "whoever gives way keeps as many as the newcomer has"
                assert counts[out.host] == max(counts.values())
                assert out.heard == min(s.heard for s in before if counts[s.host] == counts[out.host])
        elif not answer.is_let_in:
            assert counts[host] >= OF_ONE_HOST or len(before) == PLACES
            assert counts[host] + 1 >= max(counts.values()), "it has its share, or all have no more than it"
        if not counts[host] and max(counts.values(), default=0) >= 2:
            assert answer.is_let_in, "who has none gets one of whoever has several"
        if speaks:
            room.speaks(host)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(comings, st.integers(0, 80))
def test_hosts_that_come_without_end_take_nothing_from_who_has_one_place_and_speaks(
    came: list[tuple[str, float, bool]], first: int
) -> None:
    room, resolver = Room(), "resolver"
    for number, (host, passed, speaks) in enumerate(came):
        room.now += min(passed, IDLE / 2)
        if number == first % len(came):
            answer, _ = room.comes(resolver)
            assert answer.is_let_in
        room.speaks(resolver)
        room.comes(host)
        if speaks:
            room.speaks(host)
    assert [seat.host for seat in room.taken].count(resolver) == 1


def test_this_machine_may_have_every_place_until_somebody_else_comes() -> None:
    room = Room()
    assert all(room.comes(THIS_MACHINE)[0] == Answer(True) for _ in range(PLACES))
    assert room.comes(THIS_MACHINE)[0] == Answer(False)
    assert room.comes("a")[0] == Answer(True, 0)
    room.now = IDLE
    assert room.comes(THIS_MACHINE)[0] == Answer(True, 0), "one that was silent for long"


def test_a_host_beyond_its_share_gives_up_an_idle_place_of_its_own_alone() -> None:
    taken = [Seat("b", 0.0), *(Seat("a", 1.0 + n) for n in range(OF_ONE_HOST))]
    assert admit(taken, "a", 30.0, IDLE) == Answer(False)
    assert admit(taken, "a", 61.0, IDLE) == Answer(True, 1)


@pytest.mark.parametrize(
    ("peer", "own", "host"),
    [
        ("127.0.0.1", "127.0.0.1", THIS_MACHINE),
        ("127.8.8.8", "127.0.0.1", THIS_MACHINE),
        ("::1", "::1", THIS_MACHINE),
        ("::ffff:127.0.0.1", "::ffff:10.1.0.2", THIS_MACHINE),
        ("10.1.0.2", "10.1.0.2", THIS_MACHINE),
        ("::ffff:10.1.0.3", "::ffff:10.1.0.2", "10.1.0.3"),
        ("10.1.0.3", "10.1.0.2", "10.1.0.3"),
        ("fe80::1%lo", "fe80::2%lo", "fe80::1"),
    ],
)
def test_addresses_of_one_host_are_one(peer: str, own: str, host: str) -> None:
    assert host_of(peer, own) == host


@pytest.mark.parametrize(
    ("given_", "peer", "may"),
    [
        ((), "203.0.113.9", True),
        (("10.1.0.53",), "10.1.0.53", True),
        (("10.1.0.53",), "10.1.0.54", False),
        (("10.1.0.53",), "::ffff:10.1.0.53", True),
        (("10.1.0.0/28", "2001:db8::/64"), "10.1.0.15", True),
        (("10.1.0.0/28", "2001:db8::/64"), "10.1.0.16", False),
        (("10.1.0.0/28", "2001:db8::/64"), "2001:db8::7", True),
        (("fe80::1",), "fe80::1%lo", True),
        (("0.0.0.0/0",), "::1", False),
        (("::ffff:10.1.0.53",), "10.1.0.53", True),
        (("::ffff:10.1.0.48/124",), "::ffff:10.1.0.63", True),
        (("::ffff:10.1.0.48/124",), "10.1.0.64", False),
        (("::/0",), "10.1.0.53", False),
    ],
)
def test_from_names_addresses_and_networks(given_: tuple[str, ...], peer: str, may: bool) -> None:
    assert may_send(peer, networks(given_)) is may


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('listen = "udp://127.0.0.1:5514"\nfrom = ["resolver"]', "neither an address nor a network"),
        ('listen = "udp://127.0.0.1:5514"\nfrom = ["１０.1.0.53"]', "neither an address nor a network"),
        (
            'listen = "udp://127.0.0.1:5514"\nfrom = ["10.1.0.53/28"]',
            "write 10.1.0.53 for it alone, or 10.1.0.48/28 for all of them",
        ),
        ('listen = "tcp://[::1]:5514"\nfrom = ["fe80::1%eth0"]', "write fe80::1$"),
        ('listen = "tcp://127.0.0.1:5514"\nfrom = []', "`sources.0..from` is an empty list: name something"),
        ('listen = "unix:dns.sock"\nfrom = ["10.1.0.53"]', "udp:// or tcp:// alone"),
        ('path = "input/dns.log"\nfrom = ["10.1.0.53"]', "udp:// or tcp:// alone"),
    ],
)
def test_a_from_that_cannot_be_meant_is_refused_at_the_start(
    folder: AgentFolder, source: str, says: str
) -> None:
    write_source(folder, source)
    with pytest.raises(SettingsError, match=says):
        load_settings(folder)


def test_from_is_read_from_the_settings(folder: AgentFolder) -> None:
    write_source(folder, 'listen = "tcp://127.0.0.1:5514"\nfrom = ["10.1.0.53", "10.2.0.0/28"]')
    (source,) = load_settings(folder).sources
    assert source.senders == ("10.1.0.53", "10.2.0.0/28")
    assert SourceSettings("dnsmasq", "a").senders == ()
    check_sources(folder, load_settings(folder))


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> AgentFolder:
    return make_school(
        tmp_path_factory.mktemp("a") / "school", SchoolSpec([ClassSpec("c1", "t1", learners(3))])
    )


def write_source(folder: AgentFolder, source: str) -> None:
    text = folder.settings.read_text(encoding="utf-8").partition("[[sources]]")[0]
    said = f'{text}\n[[sources]]\nkind = "dnsmasq"\nid = "resolver"\n{source}\n'
    folder.settings.write_text(said, encoding="utf-8")
