"""What pages and API show agrees with what schools sent, says how much stands behind it, and ranks nobody."""

import pytest

from hub.views import Distribution
from hub.views.words import freshness
from tests.hub.hubs import NOON, Hub
from tests.hub.records import DIMENSIONS, SCHOOL, SHARES, lesson, status, week

FITTED = "1+0123456789ab"


def dimension(found: tuple[Distribution, ...], name: str = "active") -> Distribution:
    (one,) = (item for item in found if item.dimension == name)
    return one


def test_an_empty_hub_shows_an_empty_district(hub: Hub) -> None:
    view = hub.views.district()
    assert (view.name, view.week, view.schools, view.distribution) == ("North District", None, (), ())
    assert (view.facts.lessons, view.facts.schools, view.facts.schools_missing) == (0, 0, 0)
    assert hub.views.school("nobody") is None
    assert hub.views.school_class("nobody", "x") is None
    assert hub.views.usage_districts().districts == ()
    assert hub.views.usage_district("1") is None


def test_schools_come_by_name_whatever_they_sent(hub: Hub) -> None:
    enrolments = {name: hub.join(name) for name in ("Willow", "alder", "Birch")}
    hub.send(enrolments["Willow"], week("Willow", visibility=0.9))
    hub.send(enrolments["alder"], week("alder", visibility=0.1))
    assert [school.name for school in hub.views.district().schools] == ["alder", "Birch", "Willow"]


def test_the_newest_week_merges_its_schools_and_bands(hub: Hub) -> None:
    alder, birch = hub.join(SCHOOL), hub.join("Birch Academy")
    hub.join("Cedar School")
    hub.send(alder, week(name="2025-W35", lessons=50, expected=(50, 0, 0, 0, 0)))
    hub.send(
        alder,
        week(lessons=10, expected=(1, 2, 4, 2, 1)),
        week(band="6-8", lessons=6, expected=(6, 0, 0, 0, 0)),
    )
    hub.send(birch, week("Birch Academy", lessons=4, expected=(0, 0, 0, 0, 4)))
    view = hub.views.district()
    assert (view.week, view.weeks) == ("2025-W36", ("2025-W36",))
    assert (view.facts.lessons, view.facts.classes) == (20, 12)
    assert (view.facts.schools, view.facts.schools_missing) == (2, 1)
    assert [one.dimension for one in view.distribution] == list(DIMENSIONS)
    active = dimension(view.distribution)
    assert list(active.expected) == [7, 2, 4, 2, 5]
    assert active.shares == pytest.approx((0.35, 0.1, 0.2, 0.1, 0.25))
    assert (active.lessons, active.placed, active.thin, active.evidence_only) == (20, 0, 6, 14)
    assert (active.schools, active.calibrated) == (2, False)
    assert dimension(hub.views.district(weeks=2).distribution).expected == pytest.approx((57, 2, 4, 2, 5))


def test_the_range_between_schools_needs_three_of_them(hub: Hub) -> None:
    spread = {"Alder": (10, 0, 0, 0, 0), "Birch": (5, 5, 0, 0, 0), "Cedar": (0, 5, 5, 0, 0)}
    for name, expected in spread.items():
        assert all(one.between_low is None for one in hub.views.district().distribution)
        hub.send(hub.join(name), week(name, expected=expected))
    active = dimension(hub.views.district().distribution)
    assert active.between_low == pytest.approx((0, 0, 0, 0, 0))
    assert active.between_high == pytest.approx((1, 0.5, 0.5, 0, 0))


def test_placements_of_two_versions_are_never_added_up(hub: Hub) -> None:
    hub.send(hub.join("Alder"), week("Alder", lessons=10, version="1"))
    hub.send(hub.join("Birch"), week("Birch", lessons=30, expected=(0, 0, 0, 0, 30), version=FITTED))
    active = dimension(hub.views.district().distribution)
    assert (active.version, active.lessons, active.other_versions) == (FITTED, 30, 10)
    assert active.expected == (0, 0, 0, 0, 30)


def test_a_schools_weeks_merge_bands_by_their_weight(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    hub.send(
        enrolment,
        week(lessons=30, visibility=0.2, evidence=3000.0, shares=SHARES | {"create_share": 0.1}),
        week(band="6-8", lessons=10, visibility=0.6, evidence=1000.0, shares=SHARES | {"create_share": 0.3}),
        week(name="2025-W38"),
    )
    view = hub.views.school("alder-primary")
    assert view is not None
    assert [one.week for one in view.weeks] == ["2025-W36", "2025-W38"]
    first = view.weeks[0]
    assert first.bands == ("3-5", "6-8")
    assert (first.lessons, first.classes, first.teachers, first.devices) == (40, 8, 6, 25)
    assert first.visibility == pytest.approx(0.3)
    assert first.channels.create == pytest.approx(0.15)
    assert first.channels.other == pytest.approx(1 - (0.5 + 0.05 + 0.15 + 0.05 + 0.05))
    assert dimension(first.distribution).lessons == 40
    assert dimension(view.distribution).lessons == 50
    assert view.school.latest_week == "2025-W38"
    assert view.school.visibility == pytest.approx(0.5)


def test_a_channel_that_no_source_saw_is_missing_and_so_is_the_rest(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), week(shares={"consume_share": 0.5}))
    view = hub.views.school("alder-primary")
    assert view is not None
    assert view.weeks[0].channels.consume == 0.5
    assert view.weeks[0].channels.create is None
    assert view.weeks[0].channels.other is None


def test_a_shared_class_shows_its_newest_lessons_oldest_first(hub: Hub) -> None:
    starts = [f"2025-09-0{day}T09:00:00+02:00" for day in (3, 1, 2)]
    hub.send(hub.join(SCHOOL), *(lesson(start=start, subject=start[8:10]) for start in starts))
    school = hub.views.school("alder-primary")
    assert school is not None
    (shared,) = school.classes
    assert (shared.code, shared.lessons, shared.subject) == ("7f3k", 3, "03")
    assert (shared.first_start[:10], shared.last_start[:10]) == ("2025-09-01", "2025-09-03")
    view = hub.views.school_class("alder-primary", "7f3k", lessons=2)
    assert view is not None
    assert [one.start[:10] for one in view.lessons] == ["2025-09-02", "2025-09-03"]
    newest = view.lessons[-1]
    assert newest.strip == ({"consume": 0.4, "other": 0.1}, {"create": 0.25})
    assert [one.dimension for one in newest.placements] == list(DIMENSIONS)
    assert not any(one.calibrated for one in newest.placements)


def test_a_class_of_one_school_is_not_found_in_another(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), lesson())
    hub.join("Birch Academy")
    assert hub.views.school_class("birch-academy", "7f3k") is None


def test_simulated_data_anywhere_marks_the_district(hub: Hub) -> None:
    hub.join(SCHOOL)
    assert not hub.views.district().simulated
    hub.join("Birch Academy", simulated=True)
    assert hub.views.district().simulated
    assert [school.simulated for school in hub.views.district().schools] == [False, True]


@pytest.mark.parametrize(
    ("ago", "word", "words"),
    [
        (5, "fresh", "heard just now"),
        (60, "fresh", "heard 1 minute ago"),
        (3 * 3600, "quiet", "last heard 3 hours ago"),
        (2 * 86_400, "silent", "silent, last heard 2 days ago"),
        (-30, "fresh", "heard just now"),
    ],
)
def test_freshness_is_said_in_words(ago: float, word: str, words: str) -> None:
    assert freshness(NOON - ago, True, False, NOON) == (word, words)


def test_a_view_is_one_snapshot_and_waits_for_no_writer(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    with hub.writer_busy():
        assert hub.views.district().schools[0].lessons_shared == 0
    hub.send(enrolment, lesson(), status())
    assert hub.views.district().schools[0].lessons_shared == 1
