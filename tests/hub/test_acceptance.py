"""What a hub cannot show truthfully it refuses whole, with a reason; the records around it are taken."""

import msgspec
import pytest

from hub import taking
from hub.known import Known
from hub.store import acceptance
from models.integration.load import load_model, model_names
from shared.link.outcomes import Later, Missing, Outcome, Rejected, Settled
from shared.records import LessonRecord, WeekPlacement, WeekRecord
from tests.hub.hubs import Hub
from tests.hub.records import SCHOOL, feature_row, lesson, week

DAY = 86_400.0
LATER = Later(30 * 60 * 1000)
MONDAY_W45 = 1_762_128_000.0  # 2025-11-03T00:00:00Z


def changed(record: LessonRecord | WeekRecord, **changes: object) -> bytes:
    """A record whose first placement is changed, unchecked."""
    first, *others = record.placements
    placements = (msgspec.structs.replace(first, **changes), *others)
    return msgspec.json.encode(msgspec.structs.replace(record, placements=placements))


def why(outcome: Outcome) -> str | None:
    """The reason of a refusal, None for what was taken."""
    return outcome.reason if isinstance(outcome, Rejected) else None


@pytest.mark.parametrize("name", model_names())
def test_every_dimension_of_every_model_shipped_is_known_with_its_stages(name: str) -> None:
    known, model = Known.load(), load_model(name)
    for one in model.dimensions:
        stages = len(one.stages)
        placement = WeekPlacement(name, one.id, model.version, (1.0,) * stages, 0, 0, 10)
        acceptance.check(msgspec.structs.replace(week(), placements=(placement,)), known)
        assert known.stage_names(name, one.id, stages) == tuple(stage.name for stage in one.stages)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": "z"}, "unknown_model"),
        ({"model": "tim2"}, "unknown_model"),
        ({"dimension": "evil"}, "unknown_dimension"),
        ({"version": "2"}, "unknown_version"),
        ({"version": "1+abc"}, "unknown_version"),
        ({"version": "2+0123456789ab"}, "unknown_version"),
        ({"expected": (10.0,) + (0.0,) * 6}, "record_stages"),
        ({"expected": (2.5,) * 4}, "record_stages"),
    ],
)
def test_a_week_stands_on_scales_that_the_hub_knows(
    hub: Hub, changes: dict[str, object], reason: str
) -> None:
    enrolment = hub.join(SCHOOL)
    outcomes = hub.send(enrolment, changed(week(), **changes), week())
    assert outcomes == [Rejected(1, reason), Settled(2)]
    assert hub.rows("SELECT DISTINCT model, stages FROM scales") == [("tim", 5)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"model": "z"}, "unknown_model"), ({"probs": (1 / 7,) * 7}, "record_stages")],
)
def test_so_does_a_lesson(hub: Hub, changes: dict[str, object], reason: str) -> None:
    outcomes = hub.send(hub.join(SCHOOL), changed(lesson(), **changes), lesson())
    assert outcomes == [Rejected(1, reason), Settled(2)]


@pytest.mark.parametrize("value", [-1e-9, 1e10])
def test_a_rate_beyond_all_measure_is_no_feature(hub: Hub, value: float) -> None:
    record = msgspec.structs.replace(lesson(), features=feature_row({"switch_rate": value}))
    assert hub.send(hub.join(SCHOOL), record) == [Rejected(1, "record_feature_range")]


def test_a_week_that_has_not_begun_two_days_from_now_is_refused(hub: Hub) -> None:
    hub.now = MONDAY_W45 - 2 * DAY
    enrolment = hub.join(SCHOOL)
    outcomes = hub.send(enrolment, week(name="2099-W01"), week(name="2025-W45"), week(name="2025-W46"))
    assert outcomes == [Rejected(1, "record_in_the_future"), Settled(2), LATER]
    assert hub.views.district().week == "2025-W45"


@pytest.mark.parametrize(
    ("start", "taken"),
    [
        ("2025-11-05T00:00:00Z", True),
        ("2025-11-05T00:00:01Z", False),
        ("2025-11-04T23:00:00-04:00", False),
    ],
)
def test_a_lesson_of_the_future_waits(hub: Hub, start: str, taken: bool) -> None:
    hub.now = MONDAY_W45
    assert hub.send(hub.join(SCHOOL), lesson(start=start)) == [Settled(1) if taken else LATER]


def test_what_waits_for_a_hub_whose_clock_is_behind_comes_in_whole_once_it_is_set(hub: Hub) -> None:
    behind, right = MONDAY_W45 - 60 * DAY, MONDAY_W45 + DAY
    hub.now = behind
    enrolment = hub.join(SCHOOL)
    sent = [hub.delivery(enrolment, one) for one in (week(name="2025-W45"), week(name="2025-W44"))]
    assert hub.inbox.deliver(sent) == [LATER, Missing(1)]
    assert hub.inbox.deliver(sent) == [LATER, Missing(1)]
    assert [alarm.reason for alarm in hub.views.alarms()] == ["ahead"]
    assert hub.rows("SELECT count(*) FROM receipt_lines") == [(0,)], "it stands nowhere yet"
    hub.now = right
    assert hub.inbox.deliver(sent) == [Settled(1), Settled(2)]
    assert [one.reason for one in hub.views.alarms()] == ["ahead"], "a gone back log would be another"


def test_one_school_whose_clock_was_ahead_holds_up_its_own_records_for_a_week_only(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    sent = [hub.delivery(enrolment, one) for one in (week(name="2026-W30"), week())]
    for _ in range(taking.PATIENCE):
        assert hub.inbox.deliver(sent) == [LATER, Missing(1)]
        hub.now += DAY
    assert hub.inbox.deliver(sent) == [Rejected(1, "record_in_the_future"), Settled(2)]
    assert hub.send(hub.join("Birch"), week("Birch", name="2026-W30")) == [LATER]


def test_a_simulated_schools_clock_may_run_ahead(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL, simulated=True)
    outcomes = hub.send(enrolment, week(name="2031-W40"), lesson(start="2031-10-01T09:00:00+02:00"))
    assert outcomes == [Settled(1), Settled(2)]
    assert hub.views.district().week == "2031-W40"


@pytest.mark.parametrize(("first", "second"), [("all", "3-5"), ("3-5", "all")])
def test_a_week_that_left_as_one_has_no_bands_beside_it(hub: Hub, first: str, second: str) -> None:
    enrolment = hub.join(SCHOOL)
    hub.send(enrolment, week(band=first))
    assert [why(one) for one in hub.send(enrolment, week(band=second), week(band=first))] == [
        "week_bands_conflict",
        "week_already_known",
    ]
    assert hub.send(enrolment, week(band=second, name="2025-W37")) == [Settled(4)]
    assert hub.views.district(weeks=2).facts.lessons == 20
