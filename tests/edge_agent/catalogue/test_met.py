"""What was met is counted by day; a name is known once ten devices asked for it, and never who they were."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.catalogue import met as counts
from edge_agent.catalogue.met import TOLD_BYTES, MetCount, check, of_the_day
from edge_agent.placing.collector import Collector
from edge_agent.placing.parcel import Met, Parcel
from edge_agent.placing.parcel import decode as decode_parcel
from edge_agent.placing.parcel import encode as encode_parcel
from edge_agent.placing.placer import DirectoryPlacer
from edge_agent.sources.facts import Contact, Lease, Reading
from edge_agent.store import met
from edge_agent.store.arrivals import Arrivals
from edge_agent.store.arrivals import check as check_parcel
from edge_agent.store.schema import MIGRATIONS
from models.catalogue.load import load_catalogue
from models.catalogue.match import BACKGROUND, UNLISTED, NameMatcher
from shared.errors import BadInput
from shared.storage import connect, migrate
from tests.edge_agent.remote.town import CODES, DAY, KEY, PEOPLE, OneKey, at, directory, table

TODAY, NEXT = "2026-09-14", "2026-09-15"
CATALOGUE = load_catalogue()
APPS = len(CATALOGUE.apps)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(tmp_path / "agent.db")) as connection:
        migrate(connection, MIGRATIONS)
        yield connection


def asked(domain: str, devices: int, day: str = TODAY, contacts: int = 30) -> Met:
    """Unlisted contacts of that many devices."""
    return Met(day, 0, 0, contacts, 0, {domain: (contacts, devices)})


def test_a_name_is_told_from_ten_devices_on_and_below_never() -> None:
    count = MetCount()
    for device in range(9):
        count.note(TODAY, UNLISTED, device, "www.nine.example")
        count.note(TODAY, UNLISTED, device, "ten.example", 3)
    count.note(TODAY, UNLISTED, 3, "nine.example")  # one of the nine again
    assert count.tell()[0].names == {}
    count.note(TODAY, UNLISTED, 9, "ten.example")
    assert count.tell()[0].names == {"ten.example": (28, 10)}
    count.note(TODAY, UNLISTED, 10, "ten.example", 2)
    assert count.tell()[0].names == {"ten.example": (2, 11)}


def test_nine_on_one_day_and_nine_on_the_next_are_not_ten() -> None:
    count = MetCount()
    for device in range(9):
        count.note(TODAY, UNLISTED, device, "a.example")
        count.note(NEXT, UNLISTED, 20 + device, "a.example")
    assert [told.names for told in count.tell()] == [{}, {}]


def test_a_day_adds_up_what_its_sources_told(store: sqlite3.Connection) -> None:
    met.add(store, [asked("a.example", 12), asked("a.example", 10, contacts=5), asked("b.example", 10, NEXT)])
    assert [(one.domain, one.contacts, one.devices) for one in met.top_unlisted(store)] == [
        ("a.example", 35, 12),
        ("b.example", 30, 10),
    ]


def test_counts_are_dropped_after_two_months(store: sqlite3.Connection) -> None:
    met.add(store, [asked("ten.example", 10, "2026-06-01"), asked("ten.example", 10)])
    met.forget(store, "2026-06-01")
    met.forget(store, TODAY)
    assert [share.day for share in met.shares(store)] == [TODAY]
    assert store.execute("SELECT day FROM unlisted_days").fetchall() == [(TODAY,)]


def test_made_up_names_do_not_fill_the_disk(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(met, "MOST_NAMES", 5)
    for number in range(40):
        met.add(store, [asked(f"made-up-{number}.example", 10)])
    met.add(store, [asked("made-up-0.example", 10)])
    assert len(met.top_unlisted(store)) == 5
    assert met.top_unlisted(store)[0].contacts == 60, "a known name is counted on"
    assert met.shares(store)[0].unlisted == 41 * 30, "shares are counted all the same"


def test_a_collector_counts_in_lessons_by_registered_name(tmp_path: Path) -> None:
    placer = DirectoryPlacer(directory(tmp_path / "school"), OneKey(), CODES)
    off_task = CATALOGUE.off_task_apps()
    game = next(CATALOGUE.apps[i - 1].domains[0] for i in sorted(off_task) if CATALOGUE.apps[i - 1].domains)
    collector = Collector(
        kind="dnsmasq",
        source="r",
        placer=placer,
        matcher=NameMatcher(CATALOGUE),
        catalogue=CATALOGUE.version,
        off_task=off_task,
    )
    person = PEOPLE[0]
    collector.learn([Lease(at(8), "10.0.0.1", person.hardware.replace(":", ""))])
    names = [
        *("padlet.com", game, "time.apple.com", "dns.google", "a.b.unlisted.example", "c.unlisted.example"),
        *("janes-ipad.local", "jane.x.securly.com", "10.0.0.9"),
    ]
    facts = [Contact(at(9, 1) + i, "10.0.0.1", name) for i, name in enumerate(names)]
    outside = Contact(at(20), "10.0.0.1", "evening.example")
    [told] = collector.collect(Reading(facts=[*facts, outside], lines=10), at(9, 5)).met
    assert told == Met(TODAY, 1, 1, 3, 4, {}), "one device's names stay in memory"
    assert DAY.isoformat() == TODAY and len(KEY) == 32


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=200), st.integers(0, 2**64 - 1)), max_size=300))
def test_whatever_names_are_asked_for_what_is_told_stays_small_and_is_taken(
    asked_for: list[tuple[str, int]],
) -> None:
    count = MetCount()
    for name, device in asked_for:
        for more in range(12):
            count.note(TODAY, UNLISTED, device ^ more, name + ".example")
    for told in count.tell():
        check(told)
        assert told.unlisted == 12 * len(asked_for)
        assert sum(len(name) + 9 for name in told.names) <= TOLD_BYTES


contacts = st.tuples(
    st.sampled_from([TODAY, NEXT, "2026-09-16"]),
    st.sampled_from([BACKGROUND, UNLISTED, UNLISTED, UNLISTED, 3, 7]),
    st.integers(0, 14),
    st.sampled_from(["a.example", "www.a.example", "A.b.example.", "janes-ipad.local", "10.0.0.9", ""]),
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(st.lists(contacts, max_size=120), max_size=3), st.integers(1, 40))
def test_columns_are_counted_as_contacts_one_by_one(
    readings: list[list[tuple[str, int, int, str]]], most: int
) -> None:
    together, apart = MetCount({7}), MetCount({7})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "MOST_PAIRS", most)
        patch.setattr(counts, "LEAST_DEVICES", 3)
        for reading in readings:
            told = sorted(reading, key=lambda contact: contact[0])
            for day, app, device, name in told:
                apart.note(day, app, device, name)
            seats = list(dict.fromkeys((day, device) for day, _, device, _ in told))
            names = sorted({name for *_, name in told})
            together.note_all(
                seats,
                np.array([seats.index((day, device)) for day, _, device, _ in told], np.int64),
                np.array([app for _, app, _, _ in told], np.int64),
                np.array([names.index(name) for *_, name in told], np.int64),
                names,
            )
            found, wanted = together.tell(), apart.tell()
            assert found == wanted
            assert [list(one.names) for one in found] == [list(one.names) for one in wanted]


def test_background_is_counted_apart() -> None:
    count = MetCount({7})
    for app in (BACKGROUND, BACKGROUND, 7, 3, UNLISTED):
        count.note(TODAY, app, 1, "a.example")
    assert count.tell() == [Met(TODAY, 1, 1, 1, 2, {})]
    assert count.tell() == []


@pytest.mark.parametrize(
    "told",
    [
        Met(TODAY, -1, 0, 0, 0, {}),
        Met(TODAY, 0, 0, 2**40, 0, {}),
        Met(TODAY, 0, 0, 1, 0, {"www.jane.example": (1, 10)}),
        Met(TODAY, 0, 0, 1, 0, {"Jane.example": (1, 10)}),
        Met(TODAY, 0, 0, 1, 0, {"a b.example": (1, 10)}),
        Met(TODAY, 0, 0, 1, 0, {"a.example": (-1, 10)}),
        Met(TODAY, 0, 0, 1, 0, {"a.example": (1, 9)}),
        Met("yesterday", 0, 0, 1, 0, {}),
    ],
)
def test_counts_that_no_collector_makes_are_refused_whole(told: Met) -> None:
    parcel = _parcel()
    parcel.met = [told]
    with pytest.raises(BadInput):
        check_parcel(decode_parcel(encode_parcel(parcel)), APPS)


def test_what_comes_after_a_day_was_forgotten_is_not_counted(
    store: sqlite3.Connection,
) -> None:
    store.execute("INSERT INTO forgotten VALUES (?)", (TODAY,))
    parcel = _parcel()
    parcel.met = [asked("a.example", 10), asked("b.example", 10, NEXT)]
    arrivals = Arrivals(store)
    arrivals.add(check_parcel(decode_parcel(encode_parcel(parcel)), APPS))
    arrivals.write()
    assert [one.domain for one in met.top_unlisted(store)] == ["b.example"]


def test_another_machine_may_only_tell_of_days_that_live(tmp_path: Path) -> None:
    known = table(directory(tmp_path / "school"))
    told = asked("a.example", 10)
    assert of_the_day([told], {TODAY: known}) == [told]
    assert of_the_day([told], {TODAY: None}) == []


def _parcel() -> Parcel:
    return Parcel("dnsmasq", "r", [], 0, None, {}, [], [], [])
