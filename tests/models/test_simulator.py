"""The simulator: made-up lessons look like lessons, and the shipped reference is what it makes."""

import dataclasses
from collections import defaultdict
from types import MappingProxyType

import numpy as np
import pytest

from models.catalogue.load import load_catalogue
from models.features.compute import compute_features
from models.features.set1 import FEATURE_INDEX, FEATURES
from models.scoring.reference import SHIPPED, decode
from models.simulator import reference, tables
from models.simulator.lessons import LEVELS, Events, Habits, LessonPlan, lesson_events, plan_lesson
from shared.errors import SettingsError
from shared.words import Action

CATALOGUE = load_catalogue()


def lesson(
    seed: int, level: int | None = None, devices: int = 25, minutes: int = 45
) -> tuple[LessonPlan, Events]:
    rng = np.random.default_rng(seed)
    habits = Habits.draw(rng, CATALOGUE)
    plan = plan_lesson(rng, habits, subject="Science", grade=5, level=level)
    return plan, lesson_events(rng, plan, devices=devices, minutes=minutes)


def test_the_shipped_reference_is_what_the_simulator_makes() -> None:
    made, shipped = reference.make_reference(), decode(SHIPPED.read_bytes(), SHIPPED.name)
    np.testing.assert_allclose(shipped.mean, made.mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(shipped.sd, made.sd, rtol=1e-9, atol=1e-9)
    assert shipped.median_evidence == pytest.approx(made.median_evidence, rel=1e-9)
    assert shipped.made == made.made


def test_a_seed_makes_the_same_lesson_twice_and_another_seed_another() -> None:
    plan, first = lesson(4)
    again, second = lesson(4)
    assert plan == again
    for field in dataclasses.fields(Events):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))
    assert lesson(5)[0] != plan


@pytest.mark.parametrize("seed", range(6))
def test_events_stay_inside_the_lesson_the_class_and_the_catalogue(seed: int) -> None:
    _, events = lesson(seed, devices=12, minutes=40)
    assert len(events) > 0
    assert (np.diff(events.t) >= 0).all()
    assert events.t.min() >= 0
    assert events.t.max() < 40 * 60
    assert set(events.device.tolist()) <= set(range(12))
    assert events.app.min() >= 0
    assert events.app.max() <= len(CATALOGUE.apps)
    assert ((events.amount >= 0) & (events.amount <= 1800)).all()


def test_some_devices_are_absent() -> None:
    seen = [len(set(lesson(seed, level=1, devices=30)[1].device.tolist())) for seed in range(8)]
    assert max(seen) <= 30
    assert min(seen) < 30


def test_an_app_that_works_offline_is_never_contacted() -> None:
    offline = {i for i, app in enumerate(CATALOGUE.apps, start=1) if not app.domains}
    contacted, used = set(), set()
    for seed in range(40):
        plan, events = lesson(seed, level=4)
        contacted |= set(events.app[events.action == Action.CONTACT].tolist())
        used |= {app for step in plan.steps for app in step.apps}
    assert used & offline
    assert not contacted & offline


def test_only_reporting_apps_say_what_was_done() -> None:
    for seed in range(20):
        plan, events = lesson(seed)
        assert set(events.app[events.action != Action.CONTACT].tolist()) <= plan.reporting


def test_an_answer_is_remembered_so_that_contacts_come_in_lumps() -> None:
    _, events = lesson(11, level=0, minutes=60)
    at = events.action == Action.CONTACT
    times = defaultdict(list)
    for t, device, app in zip(events.t[at], events.device[at], events.app[at], strict=True):
        if app:
            times[int(device), int(app)].append(int(t))
    gaps = np.concatenate([np.diff(t) for t in times.values()])
    # Two hosts of one app are asked for within seconds; then nothing until the answer is forgotten.
    assert (gaps > 50).any()
    assert not ((gaps > 20) & (gaps < 38)).any()


def test_levels_show_in_the_features_but_only_on_the_whole() -> None:
    lessons, lengths, levels = [], [], []
    for seed in range(150):
        plan, events = lesson(seed, level=seed % LEVELS)
        lessons.append(events)
        lengths.append(45 * 60)
        levels.append(plan.level)
    signals, windows = reference.as_columns(lessons, lengths)
    x = compute_features(signals, windows, CATALOGUE.channel_weights(), CATALOGUE.off_task())
    level = np.array(levels)
    for name, sign in (
        ("create_share", 1),
        ("choice_dispersion", 1),
        ("synchrony", -1),
        ("consume_share", -1),
    ):
        column = x[:, FEATURE_INDEX[name]]
        assert sign * (np.nanmean(column[level >= 3]) - np.nanmean(column[level <= 1])) > 0
        low, high = column[level == 1], column[level == 2]
        assert np.nanmin(sign * high) < np.nanmax(sign * low)


def test_every_action_and_every_feature_occurs_somewhere() -> None:
    made = reference.make_reference(seed=1, schools=12, lessons_a_school=25)
    assert (made.mean[:-1] != 0).sum() >= len(FEATURES) - 2
    named = {action for says in tables.REPORTS.values() for action, _, _ in says}
    assert named | {Action.CONTACT, Action.CREATE, Action.REVISE, Action.MIRROR} == set(Action)


@pytest.mark.parametrize("grade", [0, 12, "04", "KG", "Grade 7", "?"])
@pytest.mark.parametrize("subject", ["Mathematics", "Art and Design", "Advisory", ""])
def test_any_subject_and_grade_can_be_planned(subject: str, grade: int | str) -> None:
    rng = np.random.default_rng(2)
    plan = plan_lesson(rng, Habits.draw(rng, CATALOGUE), subject=subject, grade=grade)
    assert 0 <= plan.level < LEVELS
    assert plan.subject == subject
    assert all(step.activity in tables.ACTIVITIES and step.apps for step in plan.steps)


def test_a_class_without_devices_has_no_events() -> None:
    assert len(lesson(3, devices=0)[1]) == 0


def test_a_catalogue_without_an_app_of_the_tables_is_refused_by_name() -> None:
    names = {name: i for name, i in CATALOGUE.by_id.items() if name != "book_creator"}
    poorer = dataclasses.replace(CATALOGUE, by_id=MappingProxyType(names))
    with pytest.raises(SettingsError, match="`book_creator`"):
        Habits.draw(np.random.default_rng(0), poorer)
