"""The scorer: feature rows to stages with their doubt, explained feature by feature."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURE_INDEX, FEATURES
from models.integration.load import Dimension, IntegrationModel, load_model
from models.scoring.fit_file import Fit, matched
from models.scoring.ordinal import cutpoints, stage_probabilities
from models.scoring.reference import Reference, shipped_reference
from models.scoring.sets import EVIDENCE_ONLY, VERDICTS, group_thresholds, stage_sets, verdicts
from models.scoring.shrink import NOISE_SHARE, kept

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NO_SET: Final = -1


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

    Without a fit the weights are the rubric's, and every verdict is `evidence_only`.
    """

    def __init__(self, model: IntegrationModel, reference: Reference, fit: Fit | None = None) -> None:
        scales = [_scale(dimension, fit) for dimension in model.dimensions]
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
        self._scales = scales
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

        few [n]: windows in which too few devices were seen to place anything.
        """
        if x.ndim != 2 or x.shape[1] != len(FEATURES):
            raise ValueError(f"expected rows of {len(FEATURES)} features, not an array of shape {x.shape}")
        x = x.astype(np.float64, copy=False)
        z = (x - self.reference.mean) / self.reference.sd
        z[np.isnan(z)] = 0.0
        share = x[:, EVIDENCE] / self.reference.median_evidence
        left = kept(share[:, None], self.noise_share)
        score = (z @ self.weights.T) * left
        probs = stage_probabilities(score, self.cuts)
        low, high, codes = self._sets(x, share, probs, few)
        if self._past is not None:
            probs[:, self._past] = np.nan
        return Scored(
            model=self.model.id,
            version=self.model.version,
            dimensions=self.dimensions,
            probs=probs,
            score=score,
            low=low,
            high=high,
            codes=codes,
            standardised=z,
            kept=left,
            weights=self.weights,
        )

    def _sets(
        self, x: Floats, share: Floats, probs: Floats, few: Bools | None
    ) -> tuple[Ints, Ints, NDArray[np.uint8]]:
        shape = probs.shape[:2]
        low, high = np.full(shape, NO_SET), np.full(shape, NO_SET)
        codes = np.full(shape, EVIDENCE_ONLY, np.uint8)
        for d, scale in enumerate(self._scales):
            if scale.thresholds is None:
                continue
            own = probs[:, d, : self.stages[d]]
            threshold = group_thresholds(share, scale.least, scale.thresholds)
            lowest, highest = stage_sets(own, threshold)
            thin: Bools = np.isnan(x[:, scale.needs]).any(axis=1)
            if few is not None:
                thin = thin | few
            codes[:, d] = verdicts(lowest, highest, own.shape[1], thin, x[:, EVIDENCE])
            told = codes[:, d] != EVIDENCE_ONLY
            low[told, d], high[told, d] = lowest[told], highest[told]
        return low, high, codes


@dataclass(frozen=True, slots=True)
class _Scale:
    """One dimension's numbers: weights [24], cuts [K - 1], groups' lower ends and thresholds [g]."""

    weights: Floats
    cuts: Floats
    noise_share: float
    needs: Ints
    least: Floats
    thresholds: Floats | None


def _scale(dimension: Dimension, fit: Fit | None) -> _Scale:
    found = fit.dimensions[dimension.id] if fit else None
    sets = found.sets if found else None
    return _Scale(
        weights=np.array(found.weights) if found else rubric_weights(dimension),
        cuts=np.array(found.cutpoints) if found else cutpoints(dimension.base_rates),
        noise_share=found.noise_share if found else NOISE_SHARE,
        needs=np.array([FEATURE_INDEX[name] for name in dimension.needs], np.int64),
        least=np.array([group.least for group in sets.groups]) if sets else np.zeros(1),
        thresholds=np.array([group.threshold for group in sets.groups]) if sets else None,
    )


def rubric_weights(dimension: Dimension) -> Floats:
    """The dimension's weights before any fit [24], 0 where its indicators name none."""
    weights = np.zeros(len(FEATURES))
    for indicator in dimension.indicators:
        weights[FEATURE_INDEX[indicator.feature]] = indicator.weight
    return weights
