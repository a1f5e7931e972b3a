"""Levels of classes and schools: intervals hold in schools that no fit has seen, and say when they cannot."""

from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURE_INDEX
from models.fitting.fit import Options, fit_model
from models.fitting.ratings import DimensionRatings, RatingTable
from models.grouping.levels import Levels, levels_of
from models.grouping.windows import Windows
from models.scoring.fit_file import DimensionFit, Fit
from models.scoring.fit_groups import Groups
from models.scoring.scorer import Scorer
from models.simulator import options as simulated
from models.simulator.study import Plan, Study, conduct
from models.simulator.universe import UNSEEN_BY_RESOLVERS, Universe
from models.tables import FeatureTable
from tests.models.fit_lessons import TIM

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FAMILIES: tuple[simulated.Family, ...] = ("steps", "skewed")


@lru_cache
def study(family: simulated.Family, seed: int) -> tuple[Study, Fit, Floats]:
    """A universe, the fit of 200 ratings a dimension in it, and probabilities [n, D, K] of its lessons."""
    draws = np.random.default_rng(seed).spawn(2)
    universe = Universe.draw(draws[0], model=TIM, options=simulated.Options(family=family))
    made = conduct(draws[1], universe, Plan(ratings=200, new_ratings=0))
    rows = {}
    for d, dimension in enumerate(TIM.dimensions):
        mine = np.flatnonzero(made.ratings.dimension == d)
        mine = mine[np.lexsort((made.ratings.coach[mine], made.ratings.window[mine]))]
        r = made.ratings
        rows[dimension.id] = DimensionRatings(r.window[mine], r.level[mine], r.coach[mine], 0, 0)
    coaches = tuple(f"c{i:02d}" for i in range(len(universe.severity)))
    ratings = RatingTable(coaches, MappingProxyType(rows), 0, "")
    fit = fit_model(TIM, table(made), ratings, Options(simulated=True), day="2026-02-03")
    return made, fit, Scorer.fitted(TIM, fit).score(made.lessons.x).probs


def table(made: Study) -> FeatureTable:
    known = windows(made)
    school = tuple(known.schools[code] for code in made.lessons.school.tolist())
    class_ = tuple(known.classes[code] for code in made.lessons.class_.tolist())
    return FeatureTable(made.lessons.ids, school, class_, None, made.lessons.x)


def windows(made: Study) -> Windows:
    lessons = made.lessons
    return Windows(
        z=np.zeros_like(lessons.x),
        share=lessons.x[:, EVIDENCE],
        visible=~np.isnan(lessons.x),
        school=lessons.school,
        schools=tuple(f"s{i:03d}" for i in range(len(made.held_out))),
        class_=lessons.class_,
        classes=tuple(f"k{i:05d}" for i in range(int(lessons.class_.max()) + 1)),
    )


def means(group: Ints, level: Ints | Floats) -> Floats:
    some = np.maximum(np.bincount(group), 1)
    found: Floats = np.bincount(group, level) / some
    return found


def active(fit: Fit) -> tuple[DimensionFit, Groups]:
    own = fit.dimensions["active"]
    assert own.groups is not None
    return own, own.groups


@pytest.mark.parametrize("family", FAMILIES)
def test_ninety_in_a_hundred_intervals_hold_the_level_of_schools_that_no_fit_has_seen(
    family: simulated.Family,
) -> None:
    held, naive, classes = [], [], []
    for seed in range(6):
        made, fit, probs = study(family, 700 + seed)
        known, school, new = windows(made), made.lessons.school, made.held_out
        home = np.zeros(len(known.classes), np.int64)
        home[made.lessons.class_] = school
        for d, dimension in enumerate(TIM.dimensions):
            own = fit.dimensions[dimension.id]
            true = means(school, made.lessons.level[:, d])
            found = levels_of(probs[:, d], known, own, "school")
            held.append(((found.low <= true) & (true <= found.high))[new].mean())

            level = probs[:, d] @ np.arange(5)
            spread = probs[:, d] @ np.arange(5) ** 2 - level**2
            half = 1.645 * np.sqrt(means(school, spread) / np.bincount(school))
            naive.append((np.abs(means(school, level) - true) <= half)[new].mean())

            true = means(made.lessons.class_, made.lessons.level[:, d])
            found = levels_of(probs[:, d], known, own, "class")
            compared = new[home] & (np.array(found.status) == "comparable")
            classes.append(((found.low <= true) & (true <= found.high))[compared].mean())
    # Six universes of five dimensions stand for about 50 independent schools: 90% +- 7% is chance.
    assert 0.83 <= np.mean(held) <= 0.97
    assert 0.85 <= np.mean(classes) <= 0.97
    assert np.mean(naive) < 0.5  # lessons taken as independent and features at their word


def test_a_fit_knows_the_schools_it_was_rated_in_better() -> None:
    made, fit, probs = study("steps", 700)
    found = levels_of(probs[:, 0], windows(made), active(fit)[0], "school")
    width = found.high - found.low
    assert width[~made.held_out].mean() < 0.9 * width[made.held_out].mean()
    stranger = levels_of(probs[:, 0], windows(made), fit.without_people().dimensions["active"], "school")
    np.testing.assert_array_equal(stranger.mean[made.held_out], found.mean[made.held_out])
    assert (stranger.high - stranger.low)[~made.held_out].mean() > width[~made.held_out].mean()


def part(made: Study, probs: Floats, rows: Ints) -> tuple[Floats, Windows]:
    return probs[rows, 0], windows(made).rows(rows)


def test_fewer_lessons_and_fewer_classes_leave_more_open() -> None:
    made, fit, probs = study("steps", 700)
    own = active(fit)[0]
    school = int(np.flatnonzero(made.held_out)[0])
    rows = np.flatnonzero(made.lessons.school == school)
    class_ = made.lessons.class_[rows]
    one_class = rows[class_ == np.bincount(class_).argmax()]
    spread_out = np.concatenate([rows[class_ == code][:1] for code in np.unique(class_)])[: len(one_class)]

    def width(some: Ints) -> float:
        found = levels_of(*part(made, probs, some), own, "school")
        return float((found.high - found.low)[school])

    assert len(spread_out) >= 5
    assert width(rows) < width(spread_out)
    assert width(spread_out) < width(one_class[: len(spread_out)])


def test_each_reason_not_to_compare_is_given() -> None:
    made, fit, probs = study("steps", 700)
    own = active(fit)[0]
    whole = windows(made)
    assert set(levels_of(probs[:, 0], whole, own, "school").status) <= {"comparable", "visibility_differs"}

    school = int(np.bincount(made.lessons.school).argmax())
    rows = np.flatnonzero(made.lessons.school == school)
    few = levels_of(*part(made, probs, rows[:9]), own, "school")
    assert few.status[school] == "too_few_lessons"
    assert few.n[school] <= 9
    assert few.low[school] < few.mean[school] < few.high[school]
    assert few.status[school - 1] == "no_evidence"
    assert np.isnan([few.mean[school - 1], few.low[school - 1], few.high[school - 1]]).all()

    same = np.concatenate([rows[:1]] * 12)
    lone = levels_of(*part(made, probs, same), own, "school")
    assert lone.status[school] == "too_few_classes"
    by_class = levels_of(*part(made, probs, same), own, "class")
    assert by_class.n[made.lessons.class_[rows[0]]] == 12

    blind = whole.visible.copy()
    blind[np.ix_(rows, UNSEEN_BY_RESOLVERS)] = False
    shares = np.array([FEATURE_INDEX["create_share"], FEATURE_INDEX["consume_share"]])
    blind[np.ix_(rows, shares)] = False
    seen = replace(whole, visible=blind)
    before, after = levels_of(probs[:, 0], whole, own, "school"), levels_of(probs[:, 0], seen, own, "school")
    assert after.status[school] == "visibility_differs"
    assert (after.high - after.low)[school] > (before.high - before.low)[school]

    bare = msgspec.structs.replace(own, groups=None)
    none = levels_of(probs[:, 0], whole, bare, "school")
    assert set(none.status) == {"not_calibrated"}
    assert np.isnan(none.mean).all()
    assert none.n.sum() == whole.shown.sum()


def test_empty_windows_move_nothing() -> None:
    made, fit, probs = study("steps", 700)
    own = active(fit)[0]
    shown = np.flatnonzero(windows(made).shown)
    one = levels_of(*part(made, probs, shown), own, "school")
    other = levels_of(probs[:, 0], windows(made), own, "school")
    assert len(shown) < len(made.lessons)
    np.testing.assert_allclose(one.mean, other.mean)
    np.testing.assert_array_equal(one.n, other.n)


def test_levels_stay_on_the_scale() -> None:
    made, fit, _ = study("steps", 700)
    for stage in (0, 4):
        certain = np.zeros((len(made.lessons), 5))
        certain[:, stage] = 1.0
        found: Levels = levels_of(certain, windows(made), active(fit)[0], "class")
        some = found.n > 0
        assert (found.low[some] >= 0).all()
        assert (found.high[some] <= 4).all()
        assert (found.low[some] <= found.mean[some]).all()
