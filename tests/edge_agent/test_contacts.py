"""Contacts in columns come to what they come to one by one: same places, same signals, same counts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent import collector as collectors
from edge_agent.collector import Collector
from edge_agent.contacts import place_all
from edge_agent.identity.directory import Directory
from edge_agent.placing import DirectoryPlacer, Miss, Place, Placer, Spot
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

moments = st.one_of(
    st.sampled_from([at(hour, minute) for hour, minute in ((9, 0), (9, 30), (9, 45), (10, 15), (5, 0))]),
    st.integers(at(8, 50), at(10, 30)),
    st.integers(at(0), at(23, 59)),
)
contacts = st.builds(Contact, moments, st.sampled_from(ADDRESSES), st.sampled_from(NAMES))
leases = st.builds(
    Lease, moments, st.sampled_from(ADDRESSES), st.sampled_from([one.replace(":", "") for one in HARDWARE])
)
readings = st.lists(st.one_of(contacts, contacts, contacts, contacts, leases), max_size=60)


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
    st.lists(leases, max_size=8), st.sampled_from(ADDRESSES), moments, st.integers(0, 20_000), st.booleans()
)
def test_a_stay_is_where_every_contact_before_its_end_belongs(
    school: Directory, told: list[Lease], address: str, moment: int, later: int, remote: bool
) -> None:
    place = placer(school, told, remote=remote).at(NOON)
    found, until = place.stay(address, moment)
    assert until > moment
    for t in (moment, min(until - 1, moment + later), min(until - 1, at(23, 59))):
        assert place(Contact(t, address, "")) == found


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
            placer=placer(school, (), remote=remote),
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
    """Says of every second something else."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, fact: Use, /) -> Spot | Miss:
        raise NotImplementedError

    def stay(self, address: str, moment: int, /) -> tuple[Spot | Miss, int]:
        self.asked += 1
        return Miss("outside", f"{address} at {moment}"), moment + 1


def test_a_log_of_which_every_second_is_another_lesson_takes_no_more_than_its_length() -> None:
    facts = [Contact(9 * i % 1000, "10.0.0.1", "x") for i in range(1000)]
    place = Nowhere()
    where, found = place_all(Contacts.of(facts), place)
    assert [found[i] for i in where.tolist()] == [Miss("outside", f"10.0.0.1 at {fact.t}") for fact in facts]
    assert place.asked <= len(facts)


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
