"""Hyperparameters: ratings choose how far the rubric is trusted, and how far schools and coaches differ."""

import math
from dataclasses import replace

import numpy as np
import pytest

from models.fitting.hyper import BELIEFS, Hyper, choose, prior_of
from models.fitting.posterior import find_mode
from models.fitting.simplex import highest
from tests.models.fit_lessons import design

RUBRIC = np.array([0.4, -0.4, 0.5, 0.3, 0.3, -0.3, 0.4, 0.3, -0.5, 0.4, *[0.0] * 13])


def mean_evidence(values: list[float], name: str, drawn_with: dict[str, float]) -> list[float]:
    totals = np.zeros(len(values))
    for seed in range(4):
        one = design(seed, 400, schools=25, coaches=25, **drawn_with)  # type: ignore[arg-type]
        for i, value in enumerate(values):
            hyper = replace(Hyper(weight_sd=0.1), **{name: value})
            problem = one.problem(hyper.noise_share)
            totals[i] += find_mode(problem, prior_of(one, hyper, problem)).log_evidence
    return totals.tolist()


@pytest.mark.parametrize("name", ["school_sd", "coach_sd"])
@pytest.mark.parametrize("true", [0.3, 0.6, 1.2])
def test_evidence_prefers_the_deviation_that_the_ratings_were_drawn_with(name: str, true: float) -> None:
    values = [true / 3, true, true * 3]
    found = mean_evidence(values, name, {name: true})
    assert int(np.argmax(found)) == 1


def test_a_rubric_that_is_right_is_trusted_and_a_wrong_one_is_not() -> None:
    right = choose(design(1, 500, weights=RUBRIC, rubric=RUBRIC)).hyper
    wrong = choose(design(1, 500, weights=RUBRIC, rubric=-RUBRIC)).hyper
    assert 0.7 < right.rubric_weight < 1.4
    assert right.weight_sd < 0.2
    assert wrong.rubric_weight < 0.3
    assert wrong.weight_sd > 0.2


def test_features_that_say_nothing_get_next_to_no_weight() -> None:
    assert choose(design(2, 400)).hyper.weight_sd < 0.12


def test_what_is_given_is_held() -> None:
    fixed = {"weight_sd": 0.2, "rubric_weight": 0.7, "school_sd": 0.1, "coach_sd": 0.9, "noise_share": 0.3}
    found = choose(design(3, 100), fixed)
    assert found.hyper == Hyper(**fixed)
    assert found.school_sd.sd.tolist() == [0.1]
    assert found.coach_sd.variance == pytest.approx(0.81)
    assert choose(design(3, 100), {"noise_share": 1e-6}).hyper.noise_share == 1e-6


def test_how_far_schools_differ_is_known_better_from_many_schools() -> None:
    few, many = (choose(design(4, 900, schools=n)).school_sd for n in (3, 90))
    for spread in (few, many):
        assert spread.weight.sum() == pytest.approx(1)
        assert len(spread.sd) == 7
    relative = [
        math.sqrt(spread.variance / float(spread.weight @ spread.sd) ** 2 - 1) for spread in (few, many)
    ]
    assert relative[0] > 2 * relative[1]


def test_with_one_coach_the_deviation_of_coaches_stays_as_believed() -> None:
    found = choose(design(5, 300, coaches=1))
    assert found.hyper.coach_sd == pytest.approx(BELIEFS["coach_sd"].centre, abs=0.12)
    assert found.coach_sd.sd.max() > 1.0


def test_the_prior_puts_the_cutpoints_at_the_base_rates() -> None:
    one = design(6, 2000, weights=RUBRIC, rubric=RUBRIC)
    hyper = Hyper(weight_sd=0.01, school_sd=0.5, coach_sd=0.5)
    prior = prior_of(one, hyper, one.problem(0.5))
    rng = np.random.default_rng(0)
    eta = one.shrunk(0.5) @ RUBRIC + math.sqrt(0.5) * rng.normal(size=2000) + rng.logistic(size=2000)
    shares = np.bincount(np.searchsorted(prior.cuts, eta), minlength=5) / 2000
    np.testing.assert_allclose(shares, one.base_rates, atol=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_the_share_of_noise_never_ends_where_its_belief_does(seed: int) -> None:
    belief = BELIEFS["noise_share"]
    one = design(seed, 200, weights=RUBRIC, rubric=RUBRIC)
    for share in (one.share, np.full(200, 0.05), np.full(200, 0.5)):  # full of evidence, hardly any, some
        found = choose(replace(one, share=share))
        assert belief.low + 0.03 < found.hyper.noise_share < belief.high - 0.03
        assert "noise_share" not in found.at_limit


def test_the_belief_in_the_share_of_noise_is_highest_at_its_centre_and_as_curved_there_as_it_says() -> None:
    belief = BELIEFS["noise_share"]
    top, step = belief.log_density(belief.centre), 1e-3
    sides = belief.log_density(belief.centre - step) + belief.log_density(belief.centre + step)
    assert (2 * top - sides) / step**2 == pytest.approx(belief.spread**-2, rel=1e-3)
    assert belief.log_density(1e-6) < top - 30


def test_what_is_chosen_where_its_belief_ends_is_named() -> None:
    wide = replace(BELIEFS["coach_sd"], high=0.3)
    found = choose(design(9, 300, coach_sd=1.5), beliefs={**BELIEFS, "coach_sd": wide})
    assert found.hyper.coach_sd == 0.3
    assert found.at_limit == ("coach_sd",)


def test_choosing_again_gives_the_same() -> None:
    assert choose(design(8, 150)).hyper == choose(design(8, 150)).hyper


def test_the_simplex_finds_a_curved_top_and_stays_out_of_where_nothing_is_known() -> None:
    def banana(point: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        if point[0] < -1.5:
            return -math.inf
        return -float((1 - point[0]) ** 2 + 10 * (point[1] - point[0] ** 2) ** 2)

    found = highest(banana, [-1.2, 1.0], [0.3, 0.3], tolerance=1e-10, most=500)
    np.testing.assert_allclose(found, [1, 1], atol=1e-3)
    assert highest(lambda point: 1.0, [], []).shape == (0,)
