"""Lessons get their signals as the rule says it, whatever the batches and however lessons overlap."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.identity.roster import SchoolClass
from edge_agent.identity.timetable import Lesson
from edge_agent.lessons.in_order import in_order
from edge_agent.lessons.windows import OpenWindow, WindowKey, by_device, gather
from edge_agent.sight.visibility import Seen
from shared.signals import SignalBatch
from shared.words import Action

START = 1_789_376_400
CODES = ("c1", "c2", "c3")

Row = tuple[int, int, int, int, int, float]  # second, device, class, app, action, amount

rows = st.lists(
    st.tuples(
        st.integers(START - 3, START + 30),
        st.integers(0, 3) | st.sampled_from([2**63, 2**64 - 1]),
        st.integers(0, 1),
        st.integers(0, 2),
        st.sampled_from([Action.CONTACT, Action.CONTACT, Action.CREATE]),
        st.sampled_from([0.0, 0.0, 1.5]),
    ),
    max_size=25,
)
batches = st.lists(st.tuples(st.permutations(CODES), rows), max_size=4)
spans = st.lists(
    st.tuples(st.sampled_from(CODES), st.integers(0, 20), st.integers(1, 20)), min_size=1, max_size=4
)


def batch_of(codes: Sequence[str], found: Sequence[Row]) -> SignalBatch:
    return SignalBatch.from_rows(
        found, kind="dnsmasq", source="r", catalogue="1", day_key="2026-09-14", class_codes=tuple(codes)
    )


def window(code: str, start: int, end: int) -> OpenWindow:
    school_class = SchoolClass(code, "term", "3-5", "maths", "", (), (), frozenset({"t"}), frozenset())
    return OpenWindow(WindowKey(code, start), Lesson(school_class, start, end), 1, Seen())


def by_the_rule(windows: list[OpenWindow], given_: list[SignalBatch]) -> list[tuple[float, ...]]:
    """The rule without columns: every action, and of each contact the one that stands first."""
    found: list[tuple[float, ...]] = []
    for row, one in enumerate(windows):
        said = set()
        for batch in given_:
            columns = (batch.t, batch.device, batch.class_, batch.app, batch.action, batch.amount)
            for t, device, class_, app, action, amount in zip(*(c.tolist() for c in columns), strict=True):
                own = batch.class_codes[class_] == one.key.class_code
                if not own or not one.key.start <= t < one.lesson.end:
                    continue
                if action == Action.CONTACT:
                    if (t, device, app) in said:
                        continue
                    said.add((t, device, app))
                found.append((row, t, device, app, action, amount))
    return sorted(found)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(spans, batches)
def test_windows_get_their_signals_and_a_contact_said_twice_counts_once_as_it_was_said_first(
    lessons: list[tuple[str, int, int]], said: list[tuple[list[str], list[Row]]]
) -> None:
    windows = [window(code, START + begin, START + begin + length) for code, begin, length in lessons]
    given_ = [batch_of(codes, found) for codes, found in said]
    signals = gather(windows, given_)
    columns = (signals.window, signals.t, signals.device, signals.app, signals.action, signals.amount)
    assert sorted(zip(*(c.tolist() for c in columns), strict=True)) == by_the_rule(windows, given_)
    # What is in order need not be sorted again.
    places = list(zip(signals.window.tolist(), signals.t.tolist(), strict=True))
    assert places == sorted(places)


def test_of_many_that_say_the_same_the_first_is_kept() -> None:
    found = [(START + i % 3, 7, 0, 1, Action.CONTACT, float(i)) for i in range(900)]
    signals = gather([window("c1", START, START + 9)], [batch_of(["c1"], found)])
    assert signals.amount.tolist() == [0.0, 1.0, 2.0]


def test_however_many_classes_there_are_every_app_of_one_second_counts() -> None:
    codes = {f"c{i}": i for i in range(1 << 16)}  # little room is left to tell apps apart
    apps = [(START, 7, 0, app, Action.CONTACT, 0.0) for app in range(40_000)]
    found = in_order([batch_of(["c9"], apps)], codes, START, START + 1)
    assert sorted(found.app.tolist()) == list(range(40_000))


def test_devices_chosen_to_look_alike_keep_contacts_of_their_own() -> None:
    inverse = pow(0x9E3779B97F4A7C15, -1, 2**64)
    devices = [k * inverse % 2**64 for k in range(40)]  # all of them have the same digits in front
    found = [(START, device, 0, 0, Action.CONTACT, 0.0) for device in devices * 2]
    signals = gather([window("c1", START, START + 9)], [batch_of(["c1"], found)])
    assert sorted(signals.device.tolist()) == sorted(devices)
    assert by_device(signals).keys() == set(devices)


def test_without_batches_a_window_has_no_signals_and_every_column_its_type() -> None:
    signals = gather([window("c1", START, START + 9)], [])
    assert len(signals) == 0
    kinds = [getattr(signals, name).dtype for name in ("window", "t", "device", "app", "action", "amount")]
    assert kinds == [np.dtype(kind) for kind in ("i4", "i8", "u8", "i4", "u1", "f8")]
