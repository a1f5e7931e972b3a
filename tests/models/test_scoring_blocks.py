"""Probabilities in float32 blocks: those of the exact scorer, for any rows, models and fits."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE
from models.integration.load import load_model, read_model
from models.scoring.reference import Reference, shipped_reference
from models.scoring.scorer import Scorer
from tests.models.scored_fits import drawn_fit
from tests.models.test_integration_models import written

Floats32 = NDArray[np.float32]

AGREE = 1e-6
TIM = load_model("tim")
SCORERS = {
    "tim by its rubric": Scorer.for_model("tim"),
    "samr by its rubric": Scorer.for_model("samr"),
    "tim as fitted": Scorer.fitted(TIM, drawn_fit(TIM, 1)),
    "triple_e as fitted": Scorer.fitted(load_model("triple_e"), drawn_fit(load_model("triple_e"), 2)),
}


def rows(n: int, reference: Reference, seed: int = 1) -> Floats32:
    """Rows with features up to six deviations off, missing ones, and evidence of 0, missing and much."""
    rng = np.random.default_rng(seed)
    x = reference.mean + reference.sd * rng.uniform(-6, 6, (n, 24))
    x[rng.random(x.shape) < 0.2] = np.nan
    x[rng.random(n) < 0.05] = np.nan
    share = np.exp(rng.normal(size=n))
    share[rng.random(n) < 0.1] = 0.0
    share[rng.random(n) < 0.1] = np.nan
    x[:, EVIDENCE] = reference.median_evidence * share
    return x.astype(np.float32)


@pytest.mark.parametrize("name", SCORERS)
@pytest.mark.parametrize("n", [0, 1, 63, 64, 100, 30_001])
def test_it_agrees_with_the_exact_scorer(name: str, n: int) -> None:
    scorer = SCORERS[name]
    x = rows(n, scorer.reference)
    found, exact = scorer.probabilities(x), scorer.score(x).probs
    assert found.dtype == np.float32
    assert found.shape == exact.shape
    np.testing.assert_allclose(found, exact, rtol=0, atol=AGREE)


def test_it_agrees_where_scales_differ_in_length(tmp_path: Path) -> None:
    house = read_model(written(tmp_path))
    for scorer in (Scorer(house, shipped_reference()), Scorer.fitted(house, drawn_fit(house, 3))):
        x = rows(2000, scorer.reference)
        found = scorer.probabilities(x)
        assert np.isnan(found[:, 0, 2]).all()
        np.testing.assert_allclose(found, scorer.score(x).probs, rtol=0, atol=AGREE)


def test_float64_rows_in_any_layout_give_the_same() -> None:
    scorer = SCORERS["tim as fitted"]
    x = rows(500, scorer.reference)
    expected = scorer.probabilities(x)
    for same in (x.astype(np.float64), np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2]):
        np.testing.assert_array_equal(scorer.probabilities(same), expected)


def test_rows_do_not_depend_on_their_block() -> None:
    scorer = SCORERS["tim as fitted"]
    x = rows(20_000, scorer.reference)
    whole = scorer.probabilities(x)
    for at in (0, 8190, 8192, 16_000):
        part = scorer.probabilities(x[at : at + 300])
        np.testing.assert_allclose(part, whole[at : at + 300], rtol=0, atol=1e-7)


def test_a_given_place_is_where_they_are_written() -> None:
    scorer = SCORERS["samr by its rubric"]
    x = rows(300, scorer.reference)
    out = np.empty((4, 1, 300), np.float32)
    found = scorer.probabilities(x, out)
    assert np.shares_memory(found, out)
    np.testing.assert_array_equal(out.T, scorer.probabilities(x))


@pytest.mark.parametrize("out", [np.empty((300, 1, 4), np.float32), np.empty((4, 1, 300))])
def test_a_place_of_another_shape_or_kind_is_refused(out: NDArray[np.floating[Any]]) -> None:
    scorer = SCORERS["samr by its rubric"]
    with pytest.raises(ValueError, match=r"float32 \(4, 1, 300\)"):
        scorer.probabilities(rows(300, scorer.reference), out)


def test_scores_beyond_all_cutpoints_stay_probabilities() -> None:
    scorer = SCORERS["tim as fitted"]
    x = np.concatenate([rows(50, scorer.reference) * 1e6, rows(50, scorer.reference) * -1e6])
    x[:, EVIDENCE] = np.abs(x[:, EVIDENCE])
    found = scorer.probabilities(x)
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-6)
    np.testing.assert_allclose(found, scorer.score(x).probs, rtol=0, atol=AGREE)


def test_cutpoints_too_far_for_float32_are_left_to_the_exact_scorer() -> None:
    fit = drawn_fit(TIM, 4)
    name = TIM.dimensions[0].id
    far = msgspec.structs.replace(fit.dimensions[name], cutpoints=(-200.0, -100.0, 100.0, 200.0))
    dimensions = fit.dimensions | {name: far}
    scorer = Scorer.fitted(TIM, msgspec.structs.replace(fit, dimensions=dimensions))
    x = rows(200, scorer.reference)
    np.testing.assert_allclose(scorer.probabilities(x), scorer.score(x).probs, rtol=0, atol=AGREE)


def test_means_far_from_zero_cost_no_agreement() -> None:
    shipped = shipped_reference()
    shifted = replace(shipped, mean=shipped.mean + 100 * shipped.sd)
    scorer = Scorer(TIM, shifted)
    x = rows(2000, shifted)
    np.testing.assert_allclose(scorer.probabilities(x), scorer.score(x).probs, rtol=0, atol=AGREE)


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="24 features"):
        SCORERS["tim by its rubric"].probabilities(np.zeros((3, 23), np.float32))
