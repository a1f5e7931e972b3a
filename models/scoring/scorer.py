"""The scorer: feature rows to stages with their doubt, explained feature by feature."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURE_INDEX, FEATURES
from models.integration.load import Dimension, IntegrationModel, load_model
from models.scoring.blocks import FARTHEST_CUT, Blocks
from models.scoring.fit_file import Fit, Sets, matched
from models.scoring.ordinal import cutpoints, stage_probabilities
from models.scoring.placing import NO_SET, Placing, Rule
from models.scoring.reference import Reference, shipped_reference
from models.scoring.sets import NO_STAGE, VERDICTS, limits
from models.scoring.shrink import NOISE_SHARE, kept

__all__ = ["NO_SET", "Scored", "Scorer", "rubric_weights"]

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scored:
    """Placements of n windows on D dimensions of at most K stages.

    probs: [n, D, K], NaN past a dimension's own last stage; score: [n, D]; low and high: [n, D], the set's
    ends, NO_SET where there is none; codes: [n, D], indices of VERDICTS. standardised: [n, 24], 0 where
    missing; kept: [n, D], what evidence leaves of them; weights: [D, 24].
    """

    model: str
    version: str
    dimensions: tuple[str, ...]
    probs: Floats
    score: Floats
    low: Ints
    high: Ints
    codes: NDArray[np.uint8]
    standardised: Floats
    kept: Floats
    weights: Floats

    @property
    def contributions(self) -> Floats:
        """What each feature adds to the score, [n, D, 24] in the order of set 1; they sum to the score."""
        return self.kept[:, :, None] * self.weights * self.standardised[:, None, :]

    @property
    def verdicts(self) -> tuple[tuple[str, ...], ...]:
        """The verdicts' words, [n][D]."""
        return tuple(tuple(VERDICTS[code] for code in row) for row in self.codes.tolist())


class Scorer:
    """One model's proportional-odds scales, by its rubric or as walkthroughs fitted them.

    Without a fit the weights are the rubric's, and every verdict is `evidence_only`. A model that speaks of a
    week or a term places no lesson: with a fit its verdicts are `thin` at most.
    """

    def __init__(self, model: IntegrationModel, reference: Reference, fit: Fit | None = None) -> None:
        scales = [_scale(dimension, fit, model.grain == "lesson") for dimension in model.dimensions]
        self.model = model
        self.fit = fit
        self.reference = reference
        self.dimensions = tuple(dimension.id for dimension in model.dimensions)
        self.stages = np.array([len(dimension.stages) for dimension in model.dimensions])
        self.weights = np.stack([scale.weights for scale in scales])
        self.noise_share = np.array([scale.noise_share for scale in scales])
        self.cuts = np.full((len(scales), int(self.stages.max()) - 1), np.inf)
        for row, scale in zip(self.cuts, scales, strict=True):
            row[: len(scale.cuts)] = scale.cuts
        self._noise_column = self.noise_share[:, None]
        self._placing = Placing([scale.rule for scale in scales])
        near = np.abs(self.cuts[np.isfinite(self.cuts)]).max(initial=0.0) <= FARTHEST_CUT
        self.blocks = Blocks(reference, self.weights, self.cuts, self.noise_share) if near else None
        past = np.arange(int(self.stages.max())) >= self.stages[:, None]
        self._past = past if past.any() else None

    @classmethod
    def for_model(cls, name: str) -> "Scorer":
        """The scorer of a model by id or TOML path, on the reference shipped with set 1."""
        return cls(load_model(name), shipped_reference())

    @classmethod
    def fitted(cls, model: IntegrationModel, fit: Fit, name: str = "the fit") -> "Scorer":
        """The scorer of a model as fitted. Raises BadInput if the fit is another model's."""
        return cls(model, Reference.of_fit(matched(fit, model, name)), fit)

    def score(self, x: NDArray[Any], few: Bools | None = None) -> Scored:
        """Placements of feature rows [n, 24], NaN where missing: a missing feature contributes nothing.

        An infinite value is no measurement, so it counts as missing. few [n]: windows in which too few
        devices were seen to place anything.
        """
        _check_width(x)
        x = x.astype(np.float64, copy=False)
        z = self.reference.standardise(x)
        evidence = np.where(np.isfinite(x[:, EVIDENCE]), x[:, EVIDENCE], np.nan)
        share = evidence / self.reference.median_evidence
        left = kept(share, self._noise_column)
        score = self.weights @ z.T
        score *= left
        probs = stage_probabilities(score.T, self.cuts)
        if self._past is not None:
            probs[:, self._past] = NO_STAGE
        low, high, codes = self._placing.place(x, share, probs, few)
        if self._past is not None:
            probs[:, self._past] = np.nan
        return Scored(
            model=self.model.id,
            version=self.model.version,
            dimensions=self.dimensions,
            probs=probs,
            score=score.T,
            low=low,
            high=high,
            codes=codes,
            standardised=z,
            kept=left.T,
            weights=self.weights,
        )

    def probabilities(self, x: NDArray[np.floating[Any]], out: Floats32 | None = None) -> Floats32:
        """`score(x).probs` [n, D, K] alone, in float32 and blocks: for many rows at once, finite or NaN.

        out: float32 [K, D, n], where to write them; the result is a view of it, so that with `out` given
        nothing large is made. Both agree to 1e-6 while no weighted mean is over some hundred deviations from
        0, at which float32 itself cannot tell the features apart.
        """
        _check_width(x)
        shape = (self.cuts.shape[1] + 1, len(self.dimensions), len(x))
        if out is None:
            out = np.empty(shape, np.float32)
        elif out.shape != shape or out.dtype != np.float32:
            raise ValueError(f"`out` must be float32 {shape}, not {out.dtype} {out.shape}")
        if self.blocks is None:
            out[:] = self.score(x).probs.T
        else:
            self.blocks.probabilities(x, out)
            if self._past is not None:
                out[self._past.T] = np.nan
        return out.T


def _check_width(x: NDArray[Any]) -> None:
    if x.ndim != 2 or x.shape[1] != len(FEATURES):
        raise ValueError(f"expected rows of {len(FEATURES)} features, not an array of shape {x.shape}")


@dataclass(frozen=True, slots=True)
class _Scale:
    """One dimension's numbers: weights [24], cuts [K - 1], and how it is placed once it is calibrated."""

    weights: Floats
    cuts: Floats
    noise_share: float
    rule: Rule | None


def _scale(dimension: Dimension, fit: Fit | None, places: bool) -> _Scale:
    found = fit.dimensions[dimension.id] if fit else None
    return _Scale(
        weights=np.array(found.weights) if found else rubric_weights(dimension),
        cuts=np.array(found.cutpoints) if found else cutpoints(dimension.base_rates),
        noise_share=found.noise_share if found else NOISE_SHARE,
        rule=_rule(dimension, found.sets, places) if found and found.sets else None,
    )


def _rule(dimension: Dimension, sets: Sets, places: bool) -> Rule:
    return Rule(
        stages=len(dimension.stages),
        least=tuple(group.least for group in sets.groups),
        threshold=tuple(limits(np.array([group.threshold for group in sets.groups])).tolist()),
        needs=tuple(FEATURE_INDEX[name] for name in dimension.needs),
        places=places,
    )


def rubric_weights(dimension: Dimension) -> Floats:
    """The dimension's weights before any fit [24], 0 where its indicators name none."""
    weights = np.zeros(len(FEATURES))
    for indicator in dimension.indicators:
        weights[FEATURE_INDEX[indicator.feature]] = indicator.weight
    return weights
