"""What is refused is counted by school, reason and day; of its content only a scrubbed trace is kept."""

import hashlib
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.store import refusals
from shared.link.outcomes import Rejected
from shared.records import encode
from tests.hub.hubs import Hub
from tests.hub.records import SCHOOL, lesson


def test_nothing_personal_survives_in_the_trace(hub: Hub) -> None:
    hostile = (
        b'{"kind":"lesson","school":"Alder Primary","child":"Maria Lopez","id":"F9FXK1AB2C","born":20140506}'
    )
    assert hub.send(hub.join(SCHOOL), hostile) == [Rejected(1, "record_malformed")]
    ((reason, kind, size, digest, excerpt),) = hub.rows(
        "SELECT reason, kind, size, hash, excerpt FROM quarantine"
    )
    assert (reason, kind, size) == ("record_malformed", "lesson", len(hostile))
    assert digest == hashlib.sha256(hostile).hexdigest()
    assert excerpt == '{"kind":"lesson","school":"a a","a":"a a","a":"a","a":0}'


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_a_trace_of_any_bytes_holds_known_words_and_punctuation_only(payload: bytes) -> None:
    words = re.findall(r"\w+", refusals.scrub(payload), re.ASCII)
    assert all(word in refusals.KNOWN or set(word) <= set("a0_") for word in words)


def test_a_good_record_keeps_its_shape_in_the_trace() -> None:
    trace = refusals.scrub(encode(lesson()))
    assert trace.startswith('{"kind":"lesson","school":"a a","class":"0a","start":"0-0-0a')
    assert "Alder" not in trace
    assert "consume_share" not in trace


def test_only_the_newest_two_hundred_traces_stay_and_each_is_capped(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    count = refusals.KEEP + 20
    hub.send(enrolment, *(b"!" * (10_000 + i) for i in range(count)))
    status = hub.views.status()
    assert status.quarantine == refusals.KEEP
    assert status.quarantine_bytes == refusals.KEEP * refusals.EXCERPT_BYTES
    assert hub.rows("SELECT min(size), max(size) FROM quarantine") == [(10_020, 10_000 + count - 1)]
    (refused,) = status.refused
    assert refused.count == count


def test_refusals_are_counted_by_the_day_they_happened(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    hub.send(enrolment, b"bad", b"worse")
    hub.now += 24 * 3600
    hub.send(enrolment, b"bad again")
    assert [(one.day, one.count) for one in hub.views.status().refused] == [
        ("2025-11-02", 1),
        ("2025-11-01", 2),
    ]


def test_a_redelivered_bad_record_is_counted_once(hub: Hub) -> None:
    bad = hub.delivery(hub.join(SCHOOL), b"bad")
    hub.inbox.deliver([bad])
    hub.inbox.deliver([bad])
    assert [one.count for one in hub.views.status().refused] == [1]
