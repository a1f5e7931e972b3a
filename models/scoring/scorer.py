"""The scorer: feature rows to stage probabilities that explain themselves feature by feature."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURE_INDEX, FEATURES
from models.integration.load import IntegrationModel, load_model
from models.scoring.ordinal import cutpoints, stage_probabilities
from models.scoring.reference import Reference, shipped_reference
from models.scoring.shrink import shrink

Floats = NDArray[np.float64]

EVIDENCE_ONLY = "evidence_only"


@dataclass(frozen=True, slots=True)
class Scored:
    """Placements of n windows on D dimensions of at most K stages.

    probs: [n, D, K], NaN past a dimension's own last stage; score: [n, D]; verdicts: [n][D]; moved: [n, 24],
    the standardised and shrunk features, 0 where missing; weights: [D, 24].
    """

    model: str
    version: str
    dimensions: tuple[str, ...]
    probs: Floats
    score: Floats
    verdicts: tuple[tuple[str, ...], ...]
    moved: Floats
    weights: Floats

    @property
    def contributions(self) -> Floats:
        """What each feature adds to the score, [n, D, 24] in the order of set 1; they sum to the score."""
        return self.moved[:, None, :] * self.weights


class Scorer:
    """One model's proportional-odds scales on features standardised by a reference.

    Until walkthroughs are fitted the weights are the rubric's, and every verdict is `evidence_only`.
    """

    def __init__(self, model: IntegrationModel, reference: Reference) -> None:
        self.model = model
        self.reference = reference
        self.dimensions = tuple(dimension.id for dimension in model.dimensions)
        self.stages = np.array([len(dimension.stages) for dimension in model.dimensions])
        self.weights = _weights(model)
        self._cuts = np.full((len(self.dimensions), int(self.stages.max()) - 1), np.inf)
        for row, dimension in zip(self._cuts, model.dimensions, strict=True):
            row[: len(dimension.stages) - 1] = cutpoints(dimension.base_rates)
        past = np.arange(int(self.stages.max())) >= self.stages[:, None]
        self._past = past if past.any() else None

    @classmethod
    def for_model(cls, name: str) -> "Scorer":
        """The scorer of a model by id or TOML path, on the reference shipped with set 1."""
        return cls(load_model(name), shipped_reference())

    def score(self, x: NDArray[Any]) -> Scored:
        """Placements of feature rows [n, 24], NaN where missing: a missing feature contributes nothing."""
        if x.ndim != 2 or x.shape[1] != len(FEATURES):
            raise ValueError(f"expected rows of {len(FEATURES)} features, not an array of shape {x.shape}")
        x = x.astype(np.float64, copy=False)
        z = (x - self.reference.mean) / self.reference.sd
        z = shrink(z, x[:, EVIDENCE], self.reference.median_evidence)
        z[np.isnan(z)] = 0.0
        score = z @ self.weights.T
        probs = stage_probabilities(score, self._cuts)
        if self._past is not None:
            probs[:, self._past] = np.nan
        return Scored(
            model=self.model.id,
            version=self.model.version,
            dimensions=self.dimensions,
            probs=probs,
            score=score,
            verdicts=((EVIDENCE_ONLY,) * len(self.dimensions),) * len(x),
            moved=z,
            weights=self.weights,
        )


def _weights(model: IntegrationModel) -> Floats:
    weights = np.zeros((len(model.dimensions), len(FEATURES)))
    for row, dimension in zip(weights, model.dimensions, strict=True):
        for indicator in dimension.indicators:
            row[FEATURE_INDEX[indicator.feature]] = indicator.weight
    return weights
