"""A record that no lesson and no week could give is refused whole, with its reason, and leaves a trace."""

from typing import Any

import msgspec
import pytest

from hub.pages import reasons
from models.integration.load import load_model
from shared.link.outcomes import Rejected, Settled
from shared.records import LessonRecord, Placement, WeekPlacement, WeekRecord
from tests.hub.hubs import NOON, Hub
from tests.hub.records import SCHOOL, SHARES, feature_row, lesson, week

FITTED = "1+0123456789ab"
DAY_S = 86_400.0


def changed(record: LessonRecord | WeekRecord, **changes: Any) -> LessonRecord | WeekRecord:
    return msgspec.structs.replace(record, **changes)


def placed(**changes: Any) -> LessonRecord:
    """A lesson with one placement, changed."""
    plain = Placement("tim", "active", FITTED, (0.1, 0.2, 0.4, 0.2, 0.1), "placed", 1, 3)
    return msgspec.structs.replace(lesson(), placements=(msgspec.structs.replace(plain, **changes),))


def featured(
    record: LessonRecord | WeekRecord, sources: tuple[str, ...] = ("xapi",), **features: float
) -> LessonRecord | WeekRecord:
    """A record with these features besides the shares."""
    return changed(record, sources=sources, features=feature_row({**SHARES, **features}))


def week_by(model: str, version: str, count: int) -> WeekRecord:
    """A week of ten lessons, so many of them placed, on the first dimension of a model."""
    one = load_model(model).dimensions[0]
    spread = (10.0,) + (0.0,) * (len(one.stages) - 1)
    placement = WeekPlacement(model, one.id, version, spread, count, 0, 10 - count)
    return msgspec.structs.replace(week(), placements=(placement,))


TAKEN: dict[str, LessonRecord | WeekRecord] = {
    "as it should be": lesson(),
    "a week as it should be": week(),
    "more seen than expected": changed(lesson(), devices=30, expected=24),
    "seen from the first second to the last": changed(lesson(), evidence=20 * 45.9),
    "nobody expected, nobody seen": changed(lesson(), devices=0, expected=0, visibility=0.0, evidence=0.0),
    "a strip to the end": changed(lesson(), strip=({"consume": 0.1},) * 10),
    "a step rounded up": changed(lesson(), strip=({"consume": 0.5002, "create": 0.5001},)),
    "probabilities rounded": placed(probs=(0.166667,) * 4 + (0.333333,), low=2, high=4),
    "placed": placed(),
    "two stages that rounding made equal": placed(probs=(0.3, 0.3, 0.2, 0.1, 0.1), low=1, high=2),
    "more teachers than lessons": changed(week(), teachers=15),
    "a week placed by a fit": week_by("tim", FITTED, 4),
    "shares of all that was seen": featured(lesson(), consume_share=0.75),
    "yes": featured(lesson(), ar_use=1.0, outside_audience=0.0),
    "some lessons yes": featured(week(), ar_use=0.4),
    "evidence said twice": featured(lesson(), evidence=310.0),
    "mean evidence of lessons alike": featured(week(), evidence=100.0),
    "all evidence in one lesson": featured(week(), evidence=1000.0),
}

REFUSED: dict[str, tuple[str, LessonRecord | WeekRecord]] = {
    "far more seen than expected": ("record_devices", changed(lesson(), devices=400)),
    "part of nobody seen": ("record_visibility", changed(lesson(), expected=0)),
    "more time than there is": ("record_evidence", changed(lesson(), evidence=20 * 46.1)),
    "time of no device": ("record_evidence", changed(lesson(), devices=0)),
    "evidence said twice and differently": ("record_evidence", featured(lesson(), evidence=900.0)),
    "a strip past the end": ("record_strip_length", changed(lesson(), strip=({},) * 11)),
    "a step of more than all": (
        "record_strip_sum",
        changed(lesson(), strip=({"consume": 0.6, "create": 0.5},)),
    ),
    "an unknown channel": ("record_strip_channel", changed(lesson(), strip=({"staring": 0.1},))),
    "probabilities of more than 1": ("record_probs", placed(probs=(0.1, 0.2, 0.4, 0.2, 0.1001))),
    "probabilities of nothing": ("record_probs", placed(probs=(0.0,) * 5)),
    "a set upside down": ("record_set", placed(low=3, high=1)),
    "a set beyond the scale": ("record_set", placed(low=3, high=5)),
    "a set below the scale": ("record_set", placed(low=-1, high=2)),
    "half a set": ("record_set", placed(low=None)),
    "placed nowhere": ("record_set", placed(low=None, high=None)),
    "a set without the likeliest": ("record_set", placed(low=3, high=4)),
    "placed anywhere": ("record_set", placed(low=0, high=3)),
    "a set of what is only inferred": ("record_set", placed(verdict="evidence_only")),
    "placed without a fit": ("record_uncalibrated", placed(version="1")),
    "a week placed without a fit": ("record_uncalibrated", week_by("tim", "1", 4)),
    "a week placed by a model of a term": ("record_grain", week_by("acot", FITTED, 4)),
    "no lesson": ("record_counts", changed(week(), lessons=0, classes=0, placements=())),
    "no class": ("record_counts", changed(week(), classes=0)),
    "more lessons than a week has": (
        "record_counts",
        changed(week(), lessons=241, placements=(), features=feature_row({})),
    ),
    "no teacher": ("record_counts", changed(week(), teachers=0)),
    "more classes than lessons": ("record_counts", changed(week(), classes=11)),
    "more time than a week has": ("record_evidence", changed(week(), evidence=10 * 25 * 602.0)),
    "mean evidence above the sum": ("record_evidence", featured(week(), evidence=1000.1)),
    "mean evidence below the mean": ("record_evidence", featured(week(), evidence=99.0)),
    "verdicts of other lessons": ("record_verdicts", changed(week(), lessons=11)),
    "stages of more lessons": ("record_expected", week(expected=(3.0, 3.0, 3.0, 1.0, 0.1))),
    "stages of fewer lessons": ("record_expected", week(expected=(3.0, 3.0, 3.0, 0.9, 0.0))),
    "shares of more than all": ("record_feature_sum", featured(lesson(), consume_share=0.99)),
    "a week's shares of more than all": ("record_feature_sum", featured(week(), publish_share=0.5)),
    "apart by more than there is": (
        "record_feature_sum",
        featured(lesson(), app_entropy=1.0, choice_dispersion=1.1),
    ),
    "a share of two": ("record_feature_range", featured(lesson(), unlisted_share=2.0)),
    "less than none": ("record_feature_range", featured(lesson(), switch_rate=-1.0)),
    "more bits than cells": ("record_feature_range", featured(lesson(), transition_entropy=6.1)),
    "more bits than apps": ("record_feature_range", featured(week(), app_entropy=17.1)),
    "more than even": ("record_feature_range", featured(lesson(), contribution_evenness=1.1)),
    "all together and more": ("record_feature_range", featured(week(), synchrony=1.1)),
    "half a yes": ("record_feature_range", featured(lesson(), ar_use=0.5)),
    "an unknown feature": ("record_feature_name", changed(lesson(), features={"screen_time": 0.5})),
    "what a resolver cannot see": (
        "record_feature_unseen",
        featured(lesson(), sources=("dnsmasq",), artefact_rate=2.0),
    ),
    "what an inventory cannot see": ("record_feature_unseen", featured(week(), sources=("mdm",))),
    "what no source can see": ("record_feature_unseen", changed(lesson(), sources=())),
    "years ago": ("record_too_old", lesson(start="2021-10-01T09:00:00+02:00")),
    "a week of years ago": ("record_too_old", week(name="2021-W40")),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_a_school_can_have_is_taken(hub: Hub, what: str) -> None:
    assert hub.send(hub.join(SCHOOL), TAKEN[what]) == [Settled(1)]


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_school_can_have_is_refused_with_its_reason_and_nothing_of_it_is_kept(
    hub: Hub, what: str
) -> None:
    reason, record = REFUSED[what]
    enrolment = hub.join(SCHOOL)
    good = week(name="2025-W30")
    assert hub.send(enrolment, msgspec.json.encode(record), good) == [Rejected(1, reason), Settled(2)]
    assert hub.rows("SELECT (SELECT count(*) FROM lessons), (SELECT count(*) FROM weeks)") == [(0, 1)]
    assert hub.rows("SELECT reason, count FROM refused") == [(reason, 1)]
    ((trace,),) = hub.rows("SELECT excerpt FROM quarantine")
    assert str(trace).startswith('{"kind":"') and "Alder" not in str(trace)


@pytest.mark.parametrize("what", REFUSED)
def test_the_reason_has_words_on_the_hubs_page(what: str) -> None:
    reason, _ = REFUSED[what]
    assert reasons.refused_words(reason).lower() != reason.replace("_", " ")


@pytest.mark.parametrize(
    ("start", "minutes", "taken"),
    [
        ("2025-09-01T08:15:00+02:00", 45, True),  # up to its first second
        ("2025-09-01T09:45:00+02:00", 45, True),  # from its end
        ("2025-09-01T08:16:00+02:00", 45, False),
        ("2025-09-01T09:44:00+02:00", 45, False),
        ("2025-09-01T09:10:00+02:00", 10, False),
        ("2025-09-01T01:00:00+02:00", 600, False),
        ("2025-09-01T07:30:00Z", 5, False),  # half past nine there
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["one commit", "two commits"])
def test_a_class_is_in_one_lesson_at_a_time(
    hub: Hub, start: str, minutes: int, taken: bool, together: bool
) -> None:
    enrolment = hub.join(SCHOOL)
    second = msgspec.structs.replace(lesson(start=start), minutes=minutes, evidence=9.0)
    groups = [[lesson(), second]] if together else [[lesson()], [second]]
    outcomes = [one for group in groups for one in hub.send(enrolment, *group)]
    assert outcomes == [Settled(1), Settled(2) if taken else Rejected(2, "lesson_overlaps")]


def test_another_class_another_school_and_a_later_revision_may_be_at_the_same_time(hub: Hub) -> None:
    enrolment, birch = hub.join(SCHOOL), hub.join("Birch Academy")
    later = msgspec.structs.replace(lesson(revision=2), minutes=50)
    outcomes = hub.send(enrolment, lesson(), lesson(code="other"), later, lesson(revision=3))
    assert outcomes == [Settled(1), Settled(2), Settled(3), Settled(4)]
    assert hub.send(birch, lesson("Birch Academy")) == [Settled(1)]


def test_a_school_that_was_away_for_three_years_is_heard_out_and_a_simulated_one_has_any_clock(
    hub: Hub,
) -> None:
    enrolment, simulated = hub.join(SCHOOL), hub.join("Birch", simulated=True)
    hub.now = NOON + 3 * 366 * DAY_S
    assert hub.send(enrolment, week(), lesson()) == [Settled(1), Settled(2)]
    assert hub.send(simulated, week("Birch", name="2016-W40")) == [Settled(1)]
