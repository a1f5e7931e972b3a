"""The scorer: base rates where nothing is known, contributions that explain, doubt where evidence is thin."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURE_INDEX, FEATURES
from models.integration.load import load_model, read_model
from models.scoring.ordinal import cutpoints, stage_probabilities
from models.scoring.reference import decode, encode, reference_of, shipped_reference
from models.scoring.scorer import Scorer
from models.scoring.shrink import shrink
from shared.errors import SettingsError
from tests.models.test_integration_models import written

lawful = settings(derandomize=True, max_examples=60, deadline=None)
TIM = Scorer.for_model("tim")
BASE = np.array(load_model("tim").dimensions[0].base_rates)
MEDIAN = TIM.reference.median_evidence

z_values = st.floats(-6, 6) | st.just(float("nan"))


def row(z: list[float], evidence: float) -> NDArray[np.float64]:
    """A feature row [1, 24] from standardised values, with evidence in device-minutes."""
    x = TIM.reference.mean + np.array(z) * TIM.reference.sd
    x[EVIDENCE] = evidence
    return x[None]


rows = st.lists(z_values, min_size=24, max_size=24)
evidences = st.floats(0, 4 * MEDIAN) | st.just(float("nan")) | st.just(0.0)


@lawful
@given(rows, evidences)
def test_probabilities_sum_to_one_and_contributions_to_the_score(z: list[float], evidence: float) -> None:
    scored = TIM.score(row(z, evidence))
    assert scored.probs.shape == (1, 5, 5)
    assert (scored.probs >= 0).all()
    np.testing.assert_allclose(scored.probs.sum(axis=2), 1, atol=1e-12)
    np.testing.assert_allclose(scored.contributions.sum(axis=2), scored.score, atol=1e-9)


@lawful
@given(rows)
def test_without_evidence_a_window_gets_exactly_the_base_rates(z: list[float]) -> None:
    scored = TIM.score(row(z, 0.0))
    np.testing.assert_allclose(scored.probs[0], np.tile(BASE, (5, 1)), atol=1e-12)
    assert (scored.contributions == 0).all()


@lawful
@given(rows, st.floats(1, MEDIAN))
def test_half_the_evidence_pulls_every_score_toward_the_base_rates(z: list[float], evidence: float) -> None:
    full, half = TIM.score(row(z, evidence)), TIM.score(row(z, evidence / 2))
    assert (np.abs(half.score) <= np.abs(full.score)).all()
    assert (half.score * full.score >= 0).all()
    nearer = np.abs(half.probs - BASE)[..., [0, -1]] <= np.abs(full.probs - BASE)[..., [0, -1]] + 1e-12
    assert nearer.all()


@lawful
@given(rows, st.floats(1, 4))
def test_more_evidence_than_the_reference_changes_nothing(z: list[float], times: float) -> None:
    usual, more = TIM.score(row(z, MEDIAN)), TIM.score(row(z, MEDIAN * times))
    np.testing.assert_allclose(more.probs, usual.probs, atol=1e-12)


@lawful
@given(rows)
def test_where_evidence_is_missing_nothing_is_shrunk(z: list[float]) -> None:
    np.testing.assert_allclose(
        TIM.score(row(z, float("nan"))).score, TIM.score(row(z, MEDIAN)).score, atol=1e-12
    )


@pytest.mark.parametrize(("evidence", "keep"), [(0, 0), (25, 0.4), (50, 2 / 3), (100, 1), (300, 1)])
def test_shrinking_follows_its_formula(evidence: float, keep: float) -> None:
    # e = .25: 1 / (.5 + .5 / .25) = .4; e = .5: 1 / 1.5
    found = shrink(np.array([[2.0, -1.0]]), np.array([float(evidence)]), 100.0)
    np.testing.assert_allclose(found, [[2 * keep, -keep]], atol=1e-12)


def test_the_share_of_noise_decides_how_hard_it_shrinks() -> None:
    found = shrink(np.array([[1.0]]), np.array([10.0]), 100.0, v=0.2)
    np.testing.assert_allclose(found, 1 / (0.8 + 0.2 / 0.1), atol=1e-12)


def test_a_missing_feature_contributes_nothing() -> None:
    z = [1.0] * 24
    whole = TIM.score(row(z, MEDIAN))
    z[FEATURE_INDEX["create_share"]] = float("nan")
    without = TIM.score(row(z, MEDIAN))
    gone = whole.contributions - without.contributions
    assert (without.contributions[..., FEATURE_INDEX["create_share"]] == 0).all()
    np.testing.assert_allclose(whole.score - without.score, gone.sum(axis=2), atol=1e-12)


def test_a_contribution_is_weight_times_standardised_value() -> None:
    scored = TIM.score(row([2.0] * 24, MEDIAN))
    for d, dimension in enumerate(load_model("tim").dimensions):
        for indicator in dimension.indicators:
            found = scored.contributions[0, d, FEATURE_INDEX[indicator.feature]]
            assert found == pytest.approx(2 * indicator.weight)
        assert scored.score[0, d] == pytest.approx(2 * sum(i.weight for i in dimension.indicators))


def test_evidence_never_carries_weight() -> None:
    assert (TIM.weights[:, EVIDENCE] == 0).all()


def test_without_a_fit_every_verdict_is_evidence_only() -> None:
    scored = TIM.score(np.concatenate([row([0.0] * 24, MEDIAN), row([3.0] * 24, 0.0)]))
    assert scored.verdicts == (("evidence_only",) * 5,) * 2


def test_one_row_scores_as_it_does_among_many() -> None:
    x = np.random.default_rng(1).normal(size=(200, 24)) * TIM.reference.sd + TIM.reference.mean
    x[:, EVIDENCE] = np.abs(x[:, EVIDENCE])
    together = TIM.score(x)
    for i in (0, 57, 199):
        alone = TIM.score(x[i : i + 1])
        np.testing.assert_allclose(alone.probs[0], together.probs[i], atol=1e-12)


def test_scales_of_different_length_leave_their_missing_stages_blank(tmp_path: Path) -> None:
    scorer = Scorer(read_model(written(tmp_path)), shipped_reference())
    probs = scorer.score(row([0.0] * 24, 0.0)).probs[0]
    np.testing.assert_allclose(probs[0, :2], [0.5, 0.5], atol=1e-12)
    assert np.isnan(probs[0, 2])
    np.testing.assert_allclose(probs[1], [0.2, 0.3, 0.5], atol=1e-12)


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="24 features"):
        TIM.score(np.zeros((3, 23)))


@pytest.mark.parametrize("score", [-800.0, -3.0, 0.0, 2.5, 800.0])
def test_probabilities_are_differences_of_logistic_curves(score: float) -> None:
    cuts = cutpoints([0.22, 0.33, 0.25, 0.14, 0.06])
    with np.errstate(over="ignore"):
        below = [0.0, *(1 / (1 + np.exp(score - cuts))), 1.0]
    np.testing.assert_allclose(stage_probabilities(np.array(score), cuts), np.diff(below), atol=1e-14)


def test_a_higher_score_makes_higher_stages_likelier() -> None:
    probs = stage_probabilities(np.linspace(-3, 3, 20), cutpoints(BASE.tolist()))
    below = np.cumsum(probs, axis=1)[:, :-1]
    assert (np.diff(below, axis=0) < 0).all()


def test_the_reference_leaves_missing_values_out_and_never_divides_by_zero() -> None:
    x = np.full((3, 24), np.nan)
    x[:, 0] = [1.0, 3.0, np.nan]
    x[:, 1] = 7.0
    x[:, EVIDENCE] = [10.0, 30.0, 20.0]
    found = reference_of(x, simulated=True, made={})
    assert (found.mean[0], found.sd[0]) == (2.0, 1.0)
    assert (found.mean[1], found.sd[1]) == (7.0, 1.0)
    assert (found.mean[2], found.sd[2]) == (0.0, 1.0)
    assert found.median_evidence == 20.0


def test_what_only_rounding_varies_does_not_vary() -> None:
    x = np.full((7, 24), 0.1)  # whose mean of seven is not 0.1
    found = reference_of(x, simulated=True, made={})
    assert (found.sd == 1.0).all()
    assert np.abs(found.standardise(np.full((1, 24), 0.2))).max() < 1


def test_a_reference_survives_its_file_to_the_last_bit() -> None:
    shipped = shipped_reference()
    again = decode(encode(shipped), "again")
    assert (again.mean == shipped.mean).all()
    assert (again.sd == shipped.sd).all()
    assert again.median_evidence == shipped.median_evidence


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"feature_set": "1"', '"feature_set": "2"'),
        ('"consume_share"', '"consumption"'),
        ('"median_evidence": ', '"median_evidence": -'),
        ('"simulated": true', '"simulate": true'),
        ("{", ""),
    ],
)
def test_a_broken_reference_is_refused_by_name(old: str, new: str) -> None:
    text = encode(shipped_reference()).decode().replace(old, new, 1)
    with pytest.raises(SettingsError, match=r"^mine\.json: "):
        decode(text.encode(), "mine.json")


def test_the_reference_says_that_it_is_simulated() -> None:
    shipped = shipped_reference()
    assert shipped.simulated
    assert shipped.made["lessons"] > 0
    assert len(shipped.mean) == len(FEATURES)
