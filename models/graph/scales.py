"""The numbers a graph is made of: every dimension of a fit padded to the widest, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import FEATURE_INDEX, FEATURES
from models.integration.model import IntegrationModel
from models.scoring.fit_file import Fit
from models.scoring.sets import WIDE, limits

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scales:
    """D dimensions of at most K stages and G evidence groups.

    mean, sd: [24]; weights: [24, D]; noise_share: [D]; cuts: [D, K - 1], infinite past a dimension's own;
    past: [D, K], whether a stage is none of the dimension's. calibrated: [D]; least, thresholds: [D, G],
    least NaN past a dimension's own groups, thresholds as `sets.limits` has them; needs: [24, D], 1 where a
    missing feature makes a window thin;
    wide: [D], the sets' least size that is thin: 1 where the model speaks of more than a lesson.
    """

    mean: Floats
    sd: Floats
    median_evidence: float
    weights: Floats
    noise_share: Floats
    cuts: Floats
    past: NDArray[np.bool_]
    calibrated: NDArray[np.bool_]
    least: Floats
    thresholds: Floats
    needs: NDArray[np.float32]
    wide: NDArray[np.int64]


def scales_of(model: IntegrationModel, fit: Fit) -> Scales:
    """The scales of a fit of this model (see `fit_file.matched`)."""
    dimensions = [fit.dimensions[dimension.id] for dimension in model.dimensions]
    groups = [found.sets.groups if found.sets else () for found in dimensions]
    stages = np.array([len(found.stages) for found in dimensions])
    share = WIDE if model.grain == "lesson" else 0.0  # which every set is as wide as
    needs = np.zeros((len(FEATURES), len(dimensions)), np.float32)
    for d, dimension in enumerate(model.dimensions):
        needs[[FEATURE_INDEX[name] for name in dimension.needs], d] = 1
    return Scales(
        mean=np.array(fit.reference.mean),
        sd=np.array(fit.reference.sd),
        median_evidence=fit.reference.median_evidence,
        weights=np.array([found.weights for found in dimensions]).T.copy(),
        noise_share=np.array([found.noise_share for found in dimensions]),
        cuts=_padded([found.cutpoints for found in dimensions], np.inf),
        past=np.arange(stages.max()) >= stages[:, None],
        calibrated=np.array([found.sets is not None for found in dimensions]),
        least=_padded([[group.least for group in own] for own in groups], np.nan),
        thresholds=limits(_padded([[group.threshold for group in own] for own in groups], 0.0)),
        needs=needs,
        wide=np.array([next(s for s in range(1, k + 1) if s >= share * k) for k in stages.tolist()]),
    )


def _padded(rows: Sequence[Sequence[float]], fill: float) -> Floats:
    found = np.full((len(rows), max(1, *map(len, rows), 1)), fill)
    for own, row in zip(found, rows, strict=True):
        own[: len(row)] = row
    return found
