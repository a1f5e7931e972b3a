"""However deliveries are grouped, outcomes and store are those of taking them one at a time."""

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import taking
from hub.inbox import HubInbox
from hub.store import rebuilt
from hub.store.ceilings import BYTES, LESSONS, REFUSED
from shared import disclosure, storage
from shared.link.outcomes import Delivery
from shared.records import Record, encode
from tests.hub.hubs import Hub, temporary_hub
from tests.hub.one_at_a_time import OneAtATime
from tests.hub.records import SCHOOL, SPREAD, lesson, status, week

# School, record, how far its number is off, how old its epoch is, and what the log tells of it.
Sending = tuple[str, Record | bytes, int, int, str]

OTHER = "Birch Academy"
STARTS = ("2025-09-01T09:00:00+02:00", "2025-09-01T07:00:00Z", "2025-09-01T09:30:00+02:00")
AHEAD = ("2025-11-09T09:00:00+01:00", "2027-09-01T09:00:00+02:00")  # to wait for, and to refuse
OTHER_SPREAD = (0.2, 0.2, 0.2, 0.2, 0.2)


def records(school: str) -> st.SearchStrategy[Record | bytes]:
    """What a school may send: few lessons and weeks, so that they meet."""
    lessons = st.builds(
        lesson,
        school=st.just(school),
        code=st.sampled_from(["a", "b"]),
        start=st.sampled_from([*STARTS, "2025-09-02T09:00:00+02:00", *AHEAD]),
        revision=st.integers(1, 3),
        probs=st.sampled_from([SPREAD, OTHER_SPREAD]),
    )
    longer = lessons.map(lambda record: msgspec.structs.replace(record, minutes=20))
    weeks = st.builds(
        week,
        school=st.just(school),
        name=st.sampled_from(["2025-W36", "2025-W37"]),
        band=st.sampled_from(["3-5", "6-8", "all"]),
        lessons=st.sampled_from([10, 12]),
    )
    beats = st.builds(status, school=st.just(school), backlog=st.integers(0, 9))
    odd = st.sampled_from([b"", b"not a record", encode(lesson("Cedar Hill")), b'{"kind":"week"}'])
    return st.one_of(lessons, lessons, longer, weeks, beats, odd)


@st.composite
def sendings(draw: st.DrawFn) -> Sending:
    """What one of the two schools sends next."""
    school = draw(st.sampled_from([SCHOOL, OTHER]))
    off = draw(st.sampled_from([0] * 8 + [-1, -2, 1]))
    told = draw(st.sampled_from(["entry"] * 4 + ["nothing", "another's"]))
    return school, draw(records(school)), off, draw(st.sampled_from([0] * 9 + [1])), told


groups = st.lists(
    st.tuples(
        st.lists(sendings(), max_size=24),
        st.sampled_from(["", "", "a day later", "a new epoch", "a restart"]),
    ),
    max_size=5,
)


@settings(derandomize=True, max_examples=120, deadline=None)
@given(
    groups,
    st.sampled_from(
        [
            {LESSONS: 4, BYTES: 10**6, REFUSED: 99},
            {LESSONS: 99, BYTES: 9_000, REFUSED: 99},
            {LESSONS: 99, BYTES: 10**6, REFUSED: 3},
        ]
    ),
    st.sampled_from([1, 3, taking.SLICE]),
)
def test_a_group_is_its_deliveries_one_at_a_time(
    plan: Sequence[tuple[Sequence[Sending], str]], daily: dict[str, int], size: int
) -> None:
    with temporary_hub() as hub, pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking, "SLICE", size)
        enrolments = {name: hub.join(name) for name in (SCHOOL, OTHER)}
        reference = OneAtATime({e: name for name, e in enrolments.items()}, daily, hub.views.known)
        restart(hub, daily)
        epoch = 1
        for enrolment in enrolments.values():
            reference.hello(enrolment, epoch)
        for sent, then in plan:
            deliveries = numbered(hub, reference, enrolments, sent)
            expected = [reference.deliver(delivery, hub.now) for delivery in deliveries]
            assert hub.inbox.deliver(deliveries) == expected
            if then == "a day later":
                hub.now += 86_400
            elif then == "a new epoch":
                epoch += 1
                for enrolment in enrolments.values():
                    hub.inbox.hello(enrolment, "records", epoch)
                    reference.hello(enrolment, epoch)
            elif then == "a restart":
                restart(hub, daily)
        assert_same_store(hub, reference)


def restart(hub: Hub, daily: dict[str, int]) -> None:
    """Another inbox over the same store."""
    hub.inbox.close()
    hub.inbox = HubInbox(hub.writer, lambda: hub.now, daily, hub.views.known)


def numbered(
    hub: Hub, reference: OneAtATime, enrolments: Mapping[str, str], sent: Sequence[Sending]
) -> list[Delivery]:
    """Deliveries with the numbers that follow what the hub has, except those that shall be off."""
    last = {enrolment: stream[1] for enrolment, stream in reference.streams.items()}
    found = []
    for school, record, off, old, told in sent:
        enrolment = enrolments[school]
        delivery = hub.delivery(enrolment, record)
        seq = max(1, last[enrolment] + 1 + off)
        last[enrolment] = seq if off == 0 and not old else last[enrolment]
        position = {"entry": delivery.position, "nothing": None}.get(told, ANOTHERS)
        epoch = max(1, reference.streams[enrolment][0] - old)
        found.append(Delivery(enrolment, "records", epoch, seq, delivery.payload, position))
    return found


ANOTHERS = disclosure.pack(
    disclosure.Entry(1, disclosure.GENESIS, "1" * 64, "lesson", 1, 9, "2" * 64, "2025-11-01T12:00:00Z")
)


def assert_same_store(hub: Hub, reference: OneAtATime) -> None:
    """Table by table."""
    reader = storage.reader(hub.layout.database)
    for enrolment, name in reference.names.items():
        mine = [record for (school, *_), record in reference.lessons.items() if school == enrolment]
        assert sorted(data for _, data in rebuilt.lessons(reader, int(enrolment), name)) == encoded(mine)
        own = [record for (school, *_), record in reference.weeks.items() if school == enrolment]
        assert sorted(data for _, data in rebuilt.weeks(reader, int(enrolment), name)) == encoded(own)
    reader.close()
    placements = sum(len(record.placements) for record in reference.lessons.values())
    assert hub.rows("SELECT count(*) FROM placements") == [(placements,)]
    assert hub.rows("SELECT enrolment, epoch, last_seq, position, rejected FROM link_stream ORDER BY 1") == [
        (enrolment, *stream) for enrolment, stream in sorted(reference.streams.items())
    ]
    assert (
        hub.rows("SELECT enrolment, epoch, seq, reason FROM link_rejection ORDER BY id")
        == reference.rejections
    )
    assert hub.counters() == dict(+reference.counters)
    assert hub.rows("SELECT school_id, day, lessons, size, refused FROM intake ORDER BY 1") == [
        (int(enrolment), *intake) for enrolment, intake in sorted(reference.intake.items())
    ]
    assert hub.rows(
        "SELECT school_id, backlog FROM heartbeats WHERE backlog IS NOT NULL ORDER BY 1"
    ) == sorted((int(enrolment), beat.backlog) for enrolment, beat in reference.beats.items())
    assert {
        (str(school), seq, chain): about
        for school, seq, chain, about in hub.rows("SELECT school_id, seq, chain, about FROM receipts")
    } == reference.receipts
    assert hub.rows("SELECT school_id, seq FROM receipt_lines ORDER BY 1") == sorted(
        (int(enrolment), seq) for enrolment, seq in reference.lines.items()
    )


def encoded(found: Sequence[Record]) -> list[bytes]:
    """As the store gives them."""
    return sorted(encode(record) for record in found)
