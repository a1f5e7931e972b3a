"""Mixtures of normals: their quantiles are those that scipy finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from models.grouping.mixture import Mixture


def drawn(seed: int, m: int = 3, g: int = 5) -> Mixture:
    rng = np.random.default_rng(seed)
    return Mixture(rng.dirichlet(np.ones(g)), 3 * rng.normal(size=(m, g)), rng.uniform(0.05, 3, (m, g)))


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.001, 0.05, 0.5, 0.95]))
def test_quantiles_are_the_roots_of_the_distribution(seed: int, share: float) -> None:
    mixture = drawn(seed)
    found = mixture.quantile(share)
    for mean, sd, value in zip(mixture.mean, mixture.sd, found.tolist(), strict=True):

        def over(at: float, mean: object = mean, sd: object = sd) -> float:
            return float(mixture.weight @ norm.cdf(at, mean, sd)) - share

        assert value == pytest.approx(brentq(over, -60, 60, xtol=1e-13), abs=1e-9)


def test_a_mixture_of_one_is_the_normal_distribution() -> None:
    one = Mixture(np.ones(1), np.array([[1.5]]), np.array([[0.2]]))
    assert one.means == pytest.approx(1.5)
    assert one.quantile(0.05)[0] == pytest.approx(norm.ppf(0.05, 1.5, 0.2), abs=1e-9)
    assert one.below(np.array([1.7]))[0] == pytest.approx(norm.cdf(1.0), abs=1e-12)
