"""Every record has its effect exactly once, and only on the school that sent it."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.link.outcomes import Rejected, Settled
from tests.hub.hubs import Hub, temporary_hub
from tests.hub.records import DIMENSIONS, SCHOOL, feature_row, lesson, status, week


def test_a_lesson_delivered_twice_is_stored_once(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    delivery = hub.delivery(enrolment, lesson())
    assert hub.inbox.deliver([delivery]) == [Settled(1)]
    assert hub.inbox.deliver([delivery, delivery]) == [Settled(1), Settled(1)]
    assert hub.counters() == {"lesson_new": 1}
    assert hub.rows("SELECT count(*) FROM lessons") == [(1,)]
    assert hub.rows("SELECT count(*) FROM placements") == [(len(DIMENSIONS),)]


def test_a_higher_revision_replaces_the_lesson_and_an_older_one_is_counted(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    hub.send(enrolment, lesson(revision=1), lesson(revision=3, probs=(0, 0, 1, 0, 0)), lesson(revision=2))
    assert hub.counters() == {"lesson_new": 1, "lesson_replaced": 1, "lesson_older_revision": 1}
    view = hub.views.school_class("alder-primary", "7f3k")
    assert view is not None
    (shown,) = view.lessons
    assert shown.revision == 3
    assert {placement.probs for placement in shown.placements} == {(0, 0, 1, 0, 0)}
    assert len(shown.placements) == len(DIMENSIONS)


def test_the_same_revision_again_changes_nothing(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    hub.send(enrolment, lesson(subject="Science"), lesson(subject="History"))
    assert hub.counters() == {"lesson_new": 1, "lesson_older_revision": 1}
    assert hub.rows("SELECT subject FROM lessons") == [("Science",)]


def test_one_instant_written_with_two_offsets_is_one_lesson(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    hub.send(enrolment, lesson(start="2025-09-01T09:00:00+02:00"), lesson(start="2025-09-01T07:00:00Z"))
    assert hub.rows("SELECT count(*) FROM lessons") == [(1,)]


def test_a_second_week_record_of_the_same_band_is_refused_and_the_first_stays(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    outcomes = hub.send(enrolment, week(lessons=10), week(lessons=99), week(band="6-8"))
    assert outcomes == [Settled(1), Rejected(2, "week_already_known"), Settled(3)]
    assert hub.rows("SELECT grade_band, lessons FROM weeks ORDER BY grade_band") == [("3-5", 10), ("6-8", 10)]
    assert hub.rows("SELECT count(*) FROM week_placements") == [(2 * len(DIMENSIONS),)]


def test_a_school_cannot_write_records_of_another(hub: Hub) -> None:
    alder, birch = hub.join(SCHOOL), hub.join("Birch Academy")
    hub.send(alder, lesson())
    outcomes = hub.send(birch, lesson(revision=2, subject="Forged"), week(), status())
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, Rejected)] == [
        "record_of_another_school"
    ] * 3
    assert hub.rows("SELECT subject, revision FROM lessons") == [("Science", 1)]
    assert hub.rows("SELECT count(*) FROM weeks") == [(0,)]
    (refused,) = hub.views.status().refused
    assert (refused.school, refused.reason, refused.count) == (
        "Birch Academy",
        "record_of_another_school",
        3,
    )


def test_a_refused_record_does_not_hold_back_the_good_ones_around_it(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    outcomes = hub.send(enrolment, lesson(), b"not a record", status())
    assert outcomes == [Settled(1), Rejected(2, "record_malformed"), Settled(3)]
    assert hub.counters() == {"lesson_new": 1, "status": 1, "refused": 1}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (
            msgspec.structs.replace(lesson(), features={"screen_time": 1.0}),
            "record_feature_name",
        ),
        (
            msgspec.structs.replace(lesson(), features=feature_row({"create_share": 1.5})),
            "record_feature_range",
        ),
        (
            msgspec.structs.replace(lesson(), features=feature_row({"artefact_rate": -1.0})),
            "record_feature_range",
        ),
        (
            msgspec.structs.replace(lesson(), placements=lesson().placements[:1] * 2),
            "record_placement_twice",
        ),
        (week(name="2025-W54"), "record_week"),
    ],
)
def test_what_no_agent_would_send_is_refused_whole(hub: Hub, record: object, reason: str) -> None:
    enrolment = hub.join(SCHOOL)
    assert hub.send(enrolment, msgspec.json.encode(record)) == [Rejected(1, reason)]
    assert hub.rows("SELECT (SELECT count(*) FROM lessons) + (SELECT count(*) FROM weeks)") == [(0,)]


def test_missing_features_stay_missing(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), lesson())
    view = hub.views.school_class("alder-primary", "7f3k")
    assert view is not None
    assert view.lessons[0].features["artefact_rate"] is None
    assert view.lessons[0].features["consume_share"] == 0.5


def test_the_latest_heartbeat_is_kept_with_the_time_the_hub_heard_it(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    hub.send(enrolment, status(backlog=9))
    hub.now += 60
    hub.send(enrolment, status(backlog=2))
    hub.now += 120
    (school,) = hub.views.district().schools
    assert (school.backlog, school.last_heard) == (2, "2025-11-01T12:01:00Z")
    assert (school.freshness, school.freshness_words) == ("fresh", "heard 2 minutes ago")
    assert [(source.kind, source.fresh) for source in school.sources] == [
        ("dnsmasq", "2025-09-01T09:44:00+02:00")
    ]


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.data())
def test_any_interleaving_of_redeliveries_ends_in_the_same_store(data: st.DataObject) -> None:
    """Sent once each, or again from any point back: the highest revision stands, and counts agree."""
    revisions = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=6))
    rewinds = data.draw(st.lists(st.integers(0, len(revisions)), max_size=4))
    with temporary_hub() as hub:
        enrolment = hub.join(SCHOOL)
        deliveries = [hub.delivery(enrolment, lesson(revision=revision)) for revision in revisions]
        for back in rewinds:
            hub.inbox.deliver(deliveries[:back])
        hub.inbox.deliver(deliveries)
        assert hub.rows("SELECT revision FROM lessons") == [(max(revisions),)]
        assert sum(hub.counters().values()) == len(revisions)
