"""A collector on another machine is believed about its log, not about who is in which lesson."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.placing.daykeys import DESTROYED, pseudonym
from edge_agent.placing.parcel import Heard, Parcel
from edge_agent.placing.reasons import OTHER
from edge_agent.remote.admission import MOST_A_MINUTE, NOT_THERE, REPEATED, TOO_MANY, admit
from edge_agent.remote.day_table import DayTable
from shared import signals
from shared.errors import BadInput
from shared.signals import SignalBatch
from tests.edge_agent.remote.town import CODES, DAY, KEY, PEOPLE, at, directory, table

APPS = 400


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DayTable]:
    yield table(directory(tmp_path_factory.mktemp("town") / "school"))


def of(number: int) -> int:
    return pseudonym(KEY, PEOPLE[number].serial)


def batch(*rows: tuple[int, int, int], source: str = "annex", kind: str = "dnsmasq") -> bytes:
    """Rows of (moment, device, class index)."""
    return signals.encode(
        SignalBatch.from_rows(
            [(t, device, index, 1, 0, 0.0) for t, device, index in rows],
            kind=kind,
            source=source,
            catalogue="1",
            day_key=DAY.isoformat(),
            class_codes=tuple(CODES.values()),
        )
    )


def beyond(action: int = 0, amount: float = 0.0) -> bytes:
    """What a resolver's log cannot show."""
    rows = [(at(9, 10), of(0), 0, 1, action, amount)]
    return signals.encode(
        SignalBatch.from_rows(
            rows,
            kind="dnsmasq",
            source="annex",
            catalogue="1",
            day_key=DAY.isoformat(),
            class_codes=("codeone1",),
        )
    )


def parcel(*batches: bytes, **other: object) -> Parcel:
    fields: dict[str, object] = {"counts": {}, "excerpts": [], "heard": [], "seen": [], **other}
    whole = {"kind": "dnsmasq", "source": "annex", "lines": 3, "newest": at(9, 20), **fields}
    return Parcel(batches=list(batches), **whole)  # type: ignore[arg-type] # as a test needs them


def taken(given: Parcel, today: DayTable | None) -> Parcel:
    return admit(given, source="annex", kind="dnsmasq", apps=APPS, table_of=lambda _: today, now=at(12))


def test_what_is_in_order_is_taken_as_it_is(today: DayTable) -> None:
    good = parcel(batch((at(9, 10), of(0), 0)), counts={"outside": {"background": 2}})
    assert taken(good, today) == good


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((at(9, 10), 12345, 0), "a device that nobody knows"),
        ((at(9, 10), of(0), 1), "a device of another class"),
        ((at(8, 59), of(0), 0), "before the lesson"),
        ((at(9, 45), of(0), 0), "at its end"),
    ],
)
def test_what_belongs_nowhere_is_left_out_and_counted_and_the_rest_stays(
    today: DayTable, row: tuple[int, int, int], why: str
) -> None:
    found = taken(parcel(batch((at(9, 10), of(0), 0), row)), today)
    (data,) = found.batches
    assert len(signals.decode(data, apps=APPS)) == 1, why
    assert found.counts == {"unmatched": {NOT_THERE: 1}}


def test_signals_of_a_day_whose_key_is_destroyed_are_late(today: DayTable) -> None:
    found = taken(parcel(batch((at(9, 10), of(0), 0)), heard=[Heard(CODES["c1"], at(9), "x", [of(0)])]), None)
    assert (found.batches, found.heard, found.counts) == ([], [], {"late": {DESTROYED: 1}})


def test_a_device_is_heard_only_in_its_own_lesson(today: DayTable) -> None:
    day = DAY.isoformat()
    said = [Heard(CODES["c1"], at(9), day, [of(0), 7]), Heard(CODES["c2"], at(9), day, [of(4)])]
    assert taken(parcel(heard=said), today).heard == [Heard(CODES["c1"], at(9), day, [of(0)])]


@pytest.mark.parametrize(
    "given",
    [
        parcel(source="resolver"),
        parcel(kind="pihole"),
        parcel(batch((at(9, 10), of(0), 0), source="resolver")),
        parcel(seen=[1]),
        parcel(counts={"signals": {"made_up": 1}}),
        parcel(counts={"refused": {"Emma typed this": 1}}),
        parcel(counts={"refused": {f"reason_{i}": 1 for i in range(100)}}),
        parcel(counts={"refused": {"malformed_line": -1}}),
        parcel(counts={"refused": {"malformed_line": 10**9}}),
        parcel(excerpts=[("malformed_line", "x")] * 100),
        parcel(lines=-1),
        parcel(newest=-5),
        parcel(batch((at(9, 10), of(0), 0)), batch((at(9, 11), of(0), 0))),
        parcel(beyond(action=3)),
        parcel(beyond(amount=3600.0)),
        parcel(heard=[Heard(CODES["c1"], at(9), DAY.isoformat(), [])]),
        parcel(heard=[Heard(CODES["c1"], at(9), DAY.isoformat(), [1])] * 2),
    ],
)
def test_what_no_honest_collector_says_is_refused_whole(today: DayTable, given: Parcel) -> None:
    with pytest.raises(BadInput):
        taken(given, today)


def test_excerpts_are_scrubbed_again(today: DayTable) -> None:
    (kept,) = taken(parcel(excerpts=[("malformed_line", "Emma 42")]), today).excerpts
    assert kept == ("malformed_line", "aaaa 99")


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(at(8), at(12)), st.integers(0, len(PEOPLE)), st.integers(0, 2)),
        min_size=1,
        max_size=30,
    )
)
def test_every_signal_is_taken_or_counted(today: DayTable, rows: list[tuple[int, int, int]]) -> None:
    devices = [*map(of, range(len(PEOPLE))), 99]
    found = taken(parcel(batch(*((t, devices[i], index) for t, i, index in rows))), today)
    kept = sum(len(signals.decode(data, apps=APPS)) for data in found.batches)
    assert kept + sum(sum(reasons.values()) for reasons in found.counts.values()) == len(rows)


def test_the_same_signal_counts_once(today: DayTable) -> None:
    found = taken(parcel(batch(*[(at(9, 10), of(0), 0)] * 2900)), today)
    assert [len(signals.decode(data, apps=APPS)) for data in found.batches] == [1]
    assert found.counts == {"refused": {REPEATED: 2899}}


def test_no_device_has_more_signals_in_a_minute_than_a_device_can_have(today: DayTable) -> None:
    rows = [
        (at(9, 10 + minute) + i % 60, of(device), 0, 1 + i // 60, 0, 0.0)
        for minute, device, number in ((0, 0, MOST_A_MINUTE + 60), (1, 0, 30), (0, 2, 20))
        for i in range(number)
    ]
    data = signals.encode(
        SignalBatch.from_rows(
            rows,
            kind="dnsmasq",
            source="annex",
            catalogue="1",
            day_key=DAY.isoformat(),
            class_codes=tuple(CODES.values()),
        )
    )
    found = taken(parcel(data), today)
    (kept,) = (signals.decode(data, apps=APPS) for data in found.batches)
    assert len(kept) == MOST_A_MINUTE + 50
    assert found.counts == {"refused": {TOO_MANY: 60}}


def test_reasons_that_nobody_knows_are_counted_as_one(today: DayTable) -> None:
    made_up = {"refused": {f"r{i}": 1 for i in range(30)}, "outside": {"background": 2}}
    found = taken(parcel(counts=made_up, excerpts=[("r1", "x")]), today)
    assert found.counts == {"refused": {OTHER: 30}, "outside": {"background": 2}}
    assert found.excerpts == [(OTHER, "a")]


def test_what_any_kind_of_source_counts_keeps_its_name(today: DayTable) -> None:
    counts = {"refused": {"no_header": 2, "bad_number": 1}, "outside": {"not_kept": 3, "to_nobody": 4}}
    assert taken(parcel(counts=counts), today).counts == counts


def test_a_clock_far_ahead_does_not_make_a_source_look_fresh_for_ever(today: DayTable) -> None:
    far = at(12) + 40 * 3600
    assert taken(parcel(newest=far), today).newest is None
    assert taken(parcel(newest=at(9, 20)), today).newest == at(9, 20)


def test_one_parcel_asks_for_one_table_a_day(today: DayTable) -> None:
    asked: list[str] = []

    def table_of(day: str) -> DayTable:
        asked.append(day)
        return today

    said = [Heard(lesson.code, lesson.start, DAY.isoformat(), [1]) for lesson in today.lessons]
    given = parcel(batch((at(9, 10), of(0), 0)), heard=said)
    admit(given, source="annex", kind="dnsmasq", apps=APPS, table_of=table_of, now=at(12))
    assert asked == [DAY.isoformat()]
