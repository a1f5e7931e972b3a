"""The second stage of a fit: schools' habits, told from levels foretold without a school's own ratings."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from models.features.set1 import EVIDENCE
from models.fitting.fit import Options, fit_model
from models.fitting.hyper import choose
from models.fitting.nested import Folded, coefficients
from models.fitting.ratings import read_ratings
from models.fitting.school_search import Search, Shares, school_shifts, tie
from models.fitting.schools import ASSUMED, coach_share, foretold_afresh, true_centre
from models.grouping.foretold import Spread
from models.scoring.fit_file import Fit, decode, encode
from models.scoring.fit_groups import Groups
from shared.errors import BadInput
from tests.models.fit_lessons import TIM, Lessons, design, lessons, rated, write_ratings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def nested(seed: int, n: int) -> tuple[Floats, Ints, Ints]:
    """Columns [n, 4], classes and schools that hold them."""
    rng = np.random.default_rng(seed)
    class_ = rng.integers(0, 9, n)
    return rng.normal(size=(n, 4)), class_, class_ // 3


def same(code: Ints) -> Floats:
    alike: Floats = (code[:, None] == code).astype(np.float64)
    return alike


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_folded_sums_say_what_the_whole_matrix_says(seed: int, n: int) -> None:
    columns, class_, school = nested(seed, n)
    folded = Folded.of(columns, 0.5).grouped(class_).shared(0.2).grouped(school).scaled(2.0).shared(0.3)
    noise = 2 * (0.5 * np.eye(n) + 0.2 * same(class_)) + 0.3 * same(school)
    np.testing.assert_allclose(folded.gram, columns.T @ np.linalg.solve(noise, columns), atol=1e-9)
    assert folded.log_det == pytest.approx(np.linalg.slogdet(noise)[1], abs=1e-9)

    mean, variance = np.array([0.3, -0.2, 0.1]), np.array([0.5, 1.0, 2.0])
    x, y = columns[:, :3], columns[:, 3]
    found = coefficients(folded, mean, variance)
    whole = multivariate_normal(x @ mean, noise + x @ np.diag(variance) @ x.T)
    assert found.log_density == pytest.approx(float(whole.logpdf(y)), abs=1e-7)
    gain = np.diag(variance) @ x.T @ np.linalg.inv(whole.cov_object.covariance)
    np.testing.assert_allclose(found.mean, mean + gain @ (y - x @ mean), atol=1e-7)
    np.testing.assert_allclose(found.covariance, np.diag(variance) - gain @ x @ np.diag(variance), atol=1e-7)


def test_a_rated_schools_shift_is_its_posterior_given_all_ratings() -> None:
    columns, class_, school = nested(3, 40)
    school[:3] = [0, 1, 2]
    class_[:3] = [0, 3, 6]
    above = np.array([0.4, -0.1, 0.2])
    columns[:, 0], columns[:, 1] = 1.0, above[school]
    own, variance = 0.3, np.array([0.5, 1.0, 2.0])
    before = Folded.of(columns, 0.5).grouped(class_).shared(0.2).grouped(school)
    found = coefficients(before.shared(own), np.zeros(3), variance)
    shift, doubt = school_shifts(before, found, own, above)

    x, y = columns[:, :3], columns[:, 3]
    prior = np.diag(np.concatenate([variance, np.full(3, own)]))
    whole = np.hstack([x, np.eye(3)[school]])
    noise = 0.5 * np.eye(40) + 0.2 * same(class_)
    covariance = np.linalg.inv(np.linalg.inv(prior) + whole.T @ np.linalg.solve(noise, whole))
    mean = covariance @ whole.T @ np.linalg.solve(noise, y)
    lines = np.column_stack([np.ones(3), above, np.zeros(3), np.eye(3)])
    np.testing.assert_allclose(shift, lines @ mean, atol=1e-9)
    np.testing.assert_allclose(doubt, np.diagonal(lines @ covariance @ lines.T), atol=1e-9)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(*[st.floats(0.01, 1.0) for _ in range(4)])
def test_slope_and_bias_together_spread_schools_as_far_as_they_truly_do(
    true: float, foretold: float, inside: float, error: float
) -> None:
    slope, own = tie(true, Spread(foretold, 0.2 * inside, 0.8 * inside), error)
    assert slope**2 * foretold + own == pytest.approx(true)
    assert 0 < slope <= (inside + error) / inside + 1e-9
    more, _ = tie(true, Spread(1.5 * foretold, 0.2 * inside, 0.8 * inside), error)
    assert more <= slope  # the wider foretold means spread, the more of it is habit


def errors(habit: float, seed: int = 0) -> tuple[Search, Floats]:
    """Errors of 400 ratings in 40 schools whose foretold means are habit to a given part."""
    rng = np.random.default_rng(seed)
    above = 0.4 * rng.normal(size=40)
    school = np.arange(400) % 40
    error = -habit * above[school] + 0.1 * rng.normal(size=40)[school] + 0.7 * rng.normal(size=400)
    columns = np.column_stack([np.ones(400), above[school], np.zeros(400), np.ones(400), error])
    lesson = np.arange(400)
    return Search(columns, lesson, lesson, school, Shares(0.4, 0.3), Spread(0.16, 0.1, 0.5), 1.15), above


def test_ratings_tell_how_much_of_a_schools_distance_is_habit() -> None:
    found = []
    for habit in (0.0, 0.4, 0.8):
        search, above = errors(habit)
        bias = search.run(above).bias
        assert sum(one.weight for one in bias) == pytest.approx(1.0)
        found.append(sum(one.weight * one.mean[1] for one in bias))
    assert found[0] > found[1] + 0.1 > found[2] + 0.2


def test_where_schools_look_alike_their_own_bias_is_what_roughly_known_weights_leave() -> None:
    search, above = errors(0.0)
    unit = 1.15
    alike = replace(search, spread=Spread(1e-6, 0.1, 0.5), columns=search.columns.copy())
    alike.columns[:, -1] = 0.0  # no error: schools' true spread is all that is left, and goes to their own
    for one in alike.run(above).bias:
        assert one.sd > 0.05 * unit
    wide = replace(search, spread=Spread(0.04, 0.1, 0.5))
    total = 0.7 * float(wide.columns[:, -1].var())
    steps = np.linspace(-2.4, 2.4, 9)
    for step, one in zip(steps.tolist(), wide.run(above).bias, strict=True):
        _, own = tie((0.28 * unit * np.exp(0.3 * step)) ** 2, wide.spread, (1 - 0.4) * total / 0.7)
        assert one.sd**2 == pytest.approx(own + (0.05 * unit) ** 2)


def test_the_share_of_a_visit_is_what_two_coaches_disagree_by() -> None:
    error = np.array([-1.0, 1.0] * 20)  # of variance 1, as the ratings
    assert coach_share(0.6, 1.0, error) == pytest.approx(0.4)
    assert coach_share(0.6, 1.0, 2 * error) == pytest.approx(0.15)  # .1 would be nobody's opinion at all
    assert coach_share(0.6, 0.5, 0.5 * error) == pytest.approx(0.4)


def test_half_of_what_coaches_draw_toward_the_middle_is_given_back() -> None:
    assert true_centre(1.2, 0.64, 5) == pytest.approx(2 - 0.8 / 0.8)
    assert true_centre(3.0, 0.64, 5) == pytest.approx(2 + 1.0 / 0.8)
    assert true_centre(2.0, 0.64, 5) == true_centre(2.0, 1.0, 5) == 2.0
    assert true_centre(0.1, 0.3, 5) == 0.0


@pytest.mark.parametrize("schools", [1, 2, 12])
def test_a_schools_own_ratings_never_foretell_its_levels(schools: int) -> None:
    seen = design(5, 150, schools=schools)
    chosen = choose(seen)
    changed = seen.level.copy()
    changed[seen.school == 0] = 4
    before = foretold_afresh(seen, np.ones(150, np.bool_), chosen)
    after = foretold_afresh(replace(seen, level=changed), np.ones(150, np.bool_), chosen)
    own = seen.school == 0
    if schools > 1:
        np.testing.assert_allclose(after[own], before[own], atol=1e-9)
        assert np.abs(after[~own] - before[~own]).max() > 0.01
    else:  # nobody else to learn from: only its own window is left out
        assert np.isfinite(before).all()


@pytest.fixture(scope="module")
def known() -> Lessons:
    return lessons(21, 400, schools=14)


def fit_of(folder: Path, known: Lessons, rows: list[tuple[str, str, str, str, int]]) -> Fit:
    ratings = read_ratings(write_ratings(folder / "R.csv", rows), TIM, known.features)
    return fit_model(TIM, known.features, ratings, Options(), day="2026-02-03")


def groups_of(fit: Fit) -> Groups:
    found = fit.dimensions["active"].groups
    assert found is not None
    return found


def test_a_fit_knows_its_rated_schools_and_forgets_them_for_others(known: Lessons, tmp_path: Path) -> None:
    rows = [row for row in rated(known, 22) if row[3] < "school-10" and row[0] < "w00300"]
    fit = fit_of(tmp_path, known, rows)
    groups = groups_of(fit)
    assert [school.id for school in groups.schools] == [f"school-{code:02d}" for code in range(10)]
    assert sum(school.ratings for school in groups.schools) == fit.dimensions["active"].ratings
    assert groups_of(fit.without_people()).schools == ()
    assert groups_of(fit.without_people()).bias == groups.bias
    assert decode(encode(fit), "FIT.json") == fit


def test_a_school_that_coaches_rate_higher_than_foretold_is_shifted_up_and_the_others_are_not(
    known: Lessons, tmp_path: Path
) -> None:
    rows = rated(known, 22)[:1000]
    raised = [
        (window, dimension, coach, school, min(4, level + (school == "school-03")))
        for window, dimension, coach, school, level in rows
    ]
    before = {school.id: school for school in groups_of(fit_of(tmp_path, known, rows)).schools}
    after = {school.id: school for school in groups_of(fit_of(tmp_path, known, raised)).schools}
    moved = {name: after[name].shift - before[name].shift for name in before}
    assert moved.pop("school-03") > 0.3
    assert max(map(abs, moved.values())) < 0.15


def test_ratings_of_windows_without_evidence_tell_nothing_of_groups(known: Lessons, tmp_path: Path) -> None:
    x = known.features.x.copy()
    x[:, EVIDENCE] = np.nan
    blind = replace(known, features=replace(known.features, x=x))
    fit = fit_of(tmp_path, blind, rated(known, 22)[:600])
    assert fit.dimensions["active"].groups is None


def test_without_enough_windows_rated_twice_the_fit_says_what_it_leans_on(
    known: Lessons, tmp_path: Path
) -> None:
    once = fit_of(tmp_path, known, rated(known, 22, twice=0.0)[:1000])
    assert ASSUMED in once.dimensions["active"].notes
    assert groups_of(once).compression == pytest.approx(0.75**0.5)
    twice = fit_of(tmp_path, known, rated(known, 22, twice=0.5)[:1500])
    assert ASSUMED not in twice.dimensions["active"].notes
    assert groups_of(twice).twice >= 30


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"centre": 5.0}, "centre of schools"),
        ({"compression": 0.0}, "compression"),
        ({"lesson_variance": -1.0}, "variances of groups"),
        ({"visible": (0.5,)}, "24 shares"),
        ({"bias": ()}, "weights that sum to 1"),
    ],
)
def test_groups_that_make_no_sense_are_refused(
    change: dict[str, object], told: str, known: Lessons, tmp_path: Path
) -> None:
    fit = fit_of(tmp_path, known, rated(known, 22)[:300])
    own = fit.dimensions["active"]
    wrong = msgspec.structs.replace(groups_of(fit), **change)
    broken = {**fit.dimensions, "active": msgspec.structs.replace(own, groups=wrong)}
    with pytest.raises(BadInput, match=told):
        decode(encode(msgspec.structs.replace(fit, dimensions=broken)), "FIT.json")
