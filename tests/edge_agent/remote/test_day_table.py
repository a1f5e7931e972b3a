"""What a collector on another machine is told places facts as the agent itself would, and names nobody."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.days import key_expires
from edge_agent.identity.directory import Directory
from edge_agent.placing.daykeys import DESTROYED
from edge_agent.placing.placer import DirectoryPlacer, Miss, Spot
from edge_agent.remote import day_table
from edge_agent.remote.placer import TablePlacer, Tables
from edge_agent.remote.telling import DAY as TOPIC
from edge_agent.sources.facts import Contact, Did, Lease
from shared.errors import BadInput, CommonGroundError
from shared.words import Action
from tests.edge_agent.remote.town import CODES, DAY, HARDWARE, KEY, PEOPLE, ZONE, OneKey, at, directory, table

LEASES = [Lease(at(6), f"10.0.0.{i}", one.replace(":", "")) for i, one in enumerate(HARDWARE)]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    found = directory(tmp_path_factory.mktemp("town") / "school")
    yield found


def remote(school: Directory, clock: list[float] | None = None) -> TablePlacer:
    data = day_table.encode(table(school))
    told = {f"{TOPIC}{DAY.isoformat()}": data}
    placer = TablePlacer(Tables(told.get, ZONE, lambda: clock[0] if clock else 0.0))
    placer.learn(LEASES)
    return placer


@settings(derandomize=True, max_examples=400, deadline=None)
@given(address=st.integers(0, len(HARDWARE)), moment=st.integers(at(0), at(23, 59)))
def test_a_fact_is_placed_as_on_the_agent(school: Directory, address: int, moment: int) -> None:
    local = DirectoryPlacer(school, OneKey(), CODES)
    local.learn(LEASES)
    fact = Contact(moment, f"10.0.0.{address}", "padlet.com")
    assert remote(school).at(at(12))(fact) == local.at(at(12))(fact)


def test_each_kind_of_place_and_miss_occurs(school: Directory) -> None:
    place = remote(school).at(at(12))
    found = {
        place(Contact(moment, f"10.0.0.{i}", ""))[:2]
        for i in range(len(HARDWARE) + 1)
        for moment in (at(5), at(9, 10), at(9, 40), at(11, 10), at(20))
    }
    assert {reason for what, reason in found if what in {"unmatched", "outside"}} == {
        *(
            "no_lease",
            "unknown_device",
            "private_address",
            "opted_out",
            "staff",
            "no_class",
            "outside_lessons",
        )
    }
    assert {code for day, code in found if day == DAY.isoformat()} == set(CODES.values())


def test_the_table_holds_no_name_no_serial_no_class_id_and_no_key(school: Directory) -> None:
    data = day_table.encode(table(school))
    names = {text for one in PEOPLE for text in (one.serial, one.given, one.family)}
    secret = [*names, "nobody", "room-9", "SERCART", "SERSTAFF"]
    assert not [text for text in secret if text.encode() in data]
    assert KEY not in data


def test_nothing_is_asked_of_a_day_whose_key_is_destroyed_and_its_table_is_dropped(school: Directory) -> None:
    asked: list[str] = []
    data = day_table.encode(table(school))

    def ask(what: str) -> bytes | None:
        asked.append(what)
        return data

    tables = Tables(ask, ZONE, lambda: 0.0)
    assert not isinstance(tables.at(at(9), at(12)), str)
    over = key_expires(DAY, ZONE)
    assert tables.at(at(9), over) == DESTROYED
    tables.forget(over)
    assert asked == [f"{TOPIC}{DAY.isoformat()}"]


def test_a_changed_roster_is_in_force_within_a_minute(school: Directory) -> None:
    clock, asked = [0.0], []

    def ask(what: str) -> bytes | None:
        asked.append(what)
        return None if len(asked) > 1 else day_table.encode(table(school))

    tables = Tables(ask, ZONE, lambda: clock[0])
    for moment, times in ((0.0, 1), (59.0, 1), (60.0, 2)):
        clock[0] = moment
        tables.at(at(9), at(9))
        assert len(asked) == times


def test_a_table_that_cannot_be_read_is_not_the_logs_fault() -> None:
    tables = Tables(lambda _: b"junk", ZONE, lambda: 0.0)
    with pytest.raises(CommonGroundError, match="same version") as raised:
        tables.at(at(9), at(9))
    assert not isinstance(raised.value, BadInput)


def test_user_names_find_nobody_on_another_machine(school: Directory) -> None:
    fact = Did(at(9, 10), PEOPLE[0].username, 1, Action.VIEW, 0.0)
    assert remote(school).at(at(12))(fact) == Miss("unmatched", "unknown_user")


def test_of_two_overlapping_lessons_the_later_one_has_the_device(school: Directory) -> None:
    place = remote(school).at(at(12))
    both = next(i for i, one in enumerate(HARDWARE) if one == PEOPLE[4].hardware)
    spots = [place(Contact(moment, f"10.0.0.{both}", "")) for moment in (at(9, 29), at(9, 30))]
    assert [spot.code for spot in spots if isinstance(spot, Spot)] == [CODES["c1"], CODES["c2"]]


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.data())
def test_a_mutated_table_is_refused_or_read_and_breaks_nothing(
    school: Directory, data: st.DataObject
) -> None:
    good = bytearray(day_table.encode(table(school)))
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = day_table.decode(bytes(good))
    except BadInput:
        return
    found.place(HARDWARE[0].replace(":", ""), at(9, 10))
