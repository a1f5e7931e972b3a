"""Contacts in columns come to what they come to one by one: same places, same signals, same counts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.identity.directory import Directory
from edge_agent.placing import collector as collectors
from edge_agent.placing.collector import Collector
from edge_agent.placing.contacts import place_all
from edge_agent.placing.placer import DirectoryPlacer, Miss, Place, Placer, Spot
from edge_agent.remote import day_table
from edge_agent.remote.placer import TablePlacer, Tables
from edge_agent.remote.telling import DAY as TOPIC
from edge_agent.sources.facts import Contact, Contacts, Fact, Lease, Reading, Use
from models.catalogue.load import load_catalogue
from models.catalogue.match import NameMatcher
from shared import signals
from tests.edge_agent.remote.town import CODES, DAY, HARDWARE, ZONE, OneKey, at, directory, table

NAMES = (
    "padlet.com",
    "PADLET.com.",
    "app.bookcreator.com",
    "captive.apple.com",
    "mask.icloud.com",
    "x.example",
)
ADDRESSES = [f"10.0.0.{i}" for i in range(len(HARDWARE) + 1)]
NOON = float(at(12))
PLAIN = [one.replace(":", "") for one in HARDWARE]
MORNING = [Lease(at(8), *pair) for pair in zip(ADDRESSES, PLAIN[:5], strict=False)]

moments = st.one_of(
    st.sampled_from([at(hour, minute) for hour, minute in ((9, 0), (9, 30), (9, 45), (10, 15), (5, 0))]),
    st.integers(at(8, 50), at(10, 30)),
    st.integers(at(0), at(23, 59)),
)
contacts = st.builds(Contact, moments, st.sampled_from(ADDRESSES), st.sampled_from(NAMES))
leases = st.builds(Lease, moments, st.sampled_from(ADDRESSES), st.sampled_from(PLAIN))
# What a browser asks for at once is told several times, one among the other.
bursts = st.builds(
    Contact, st.integers(at(9, 30), at(9, 30) + 1), st.sampled_from(ADDRESSES[:2]), st.sampled_from(NAMES)
)
readings = st.lists(st.one_of(contacts, contacts, bursts, bursts, leases), max_size=60)


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    yield directory(tmp_path_factory.mktemp("town") / "school")


def placer(school: Directory, told: Sequence[Lease], *, remote: bool) -> Placer:
    fresh = Directory(school.inventory, school.roster, school.timetable, ZONE)
    found: Placer = DirectoryPlacer(fresh, OneKey(), CODES)
    if remote:
        data = {f"{TOPIC}{DAY.isoformat()}": day_table.encode(table(school))}
        found = TablePlacer(Tables(data.get, ZONE, lambda: 0.0))
    found.learn(told)
    return found


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.lists(leases, max_size=8),
    st.sampled_from(ADDRESSES),
    st.lists(moments | st.integers(at(0) - 90_000, at(0) + 180_000), min_size=1, max_size=30).map(sorted),
    st.sampled_from([NOON, NOON + 2 * 86_400]),
    st.booleans(),
)
def test_contacts_of_an_address_are_placed_together_where_each_is_alone(
    school: Directory, told: list[Lease], address: str, asked: list[int], now: float, remote: bool
) -> None:
    place = placer(school, told, remote=remote).at(now)
    stays = list(place.stays(address, asked))
    assert all(number > 0 for _, number in stays)
    together = [found for found, number in stays for _ in range(number)]
    assert together == [place(Contact(t, address, "")) for t in asked]


def columns(facts: Sequence[Fact]) -> Reading:
    """The same as a reader of columns has it."""
    of_use = [fact for fact in facts if isinstance(fact, Contact)]
    rest = [i for i, fact in enumerate(facts) if not isinstance(fact, Contact)]
    after = [sum(isinstance(fact, Contact) for fact in facts[:i]) for i in rest]
    return Reading(facts=[facts[i] for i in rest], contacts=Contacts.of(of_use), after=after)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(readings, min_size=1, max_size=3), st.booleans())
def test_columns_make_the_parcels_that_facts_make_one_by_one(
    school: Directory, told: list[list[Fact]], remote: bool
) -> None:
    catalogue = load_catalogue()
    matcher = NameMatcher(catalogue)

    def collector() -> Collector:
        return Collector(
            kind="dnsmasq",
            source="s",
            placer=placer(school, MORNING, remote=remote),
            matcher=matcher,
            catalogue=catalogue.version,
            off_task=frozenset(range(1, len(catalogue.apps), 7)),
        )

    together, apart = collector(), collector()
    for facts in told:
        assert columns(facts).all_facts() == facts
        found = together.collect(columns(facts), NOON)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(collectors, "columns_of", lambda reading: None)
            wanted = apart.collect(Reading(facts=list(facts)), NOON)
        assert [batch_of(data) for data in found.batches] == [batch_of(data) for data in wanted.batches]
        for name in ("counts", "heard", "present", "idle", "met", "lines", "newest"):
            assert getattr(found, name) == getattr(wanted, name), name


def batch_of(data: bytes) -> tuple[object, ...]:
    batch = signals.decode(data, apps=len(load_catalogue().apps))
    arrays = (batch.t, batch.device, batch.class_, batch.app, batch.action, batch.amount)
    return batch.day_key, batch.class_codes, *(column.tolist() for column in arrays)


class Nowhere(Place):
    """Says something else of every second; of an address the moments in order, two days at a time at most."""

    def __call__(self, fact: Use, /) -> Spot | Miss:
        raise NotImplementedError

    def stays(self, address: str, moments: Sequence[int], /) -> Iterator[tuple[Spot | Miss, int]]:
        assert list(moments) == sorted(moments)
        assert moments[-1] - moments[0] < 2 * 86_400
        for moment, same in groupby(moments):
            yield Miss("outside", f"{address} at {moment}"), len(list(same))


DAYS = st.sampled_from([0, 1, 2, 256, 65_536, 65_537])  # a log may have any, if a clock was wrong
SECONDS = st.integers(0, 20) | st.integers(0, 86_399)
TIMES = st.tuples(DAYS, SECONDS).map(lambda time: time[0] * 86_400 + time[1])


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.tuples(TIMES, st.sampled_from(ADDRESSES)), min_size=1, max_size=60))
def test_every_contact_of_a_log_in_any_order_is_where_its_own_second_and_address_are(
    log: list[tuple[int, str]],
) -> None:
    where, found = place_all(Contacts.of([Contact(t, address, "x") for t, address in log]), Nowhere())
    placed = [found[i][0] for i in where.tolist()]
    assert placed == [Miss("outside", f"{address} at {t}") for t, address in log]
    assert Counter(placed) == Counter(dict(found))


def test_what_is_before_a_moment_is_left_out_with_its_place_in_the_log() -> None:
    told: list[Fact] = [
        Contact(5, "a", "x"),
        Lease(6, "a", "h"),
        Contact(9, "a", "y"),
        Lease(3, "b", "h"),
        Contact(2, "c", "z"),
    ]
    reading = columns(told)
    assert reading.drop_before(5) == 1
    assert reading.all_facts() == told[:3]
    plain = Reading(facts=list(told))
    assert (plain.drop_before(5), plain.facts) == (1, told[:3])
    assert reading.take_leases() == [told[1]]
    assert reading.all_facts() == [told[0], told[2]]
    assert replace(reading).contacts is reading.contacts
