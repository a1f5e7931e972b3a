"""One window scored by others: statsmodels' ordered model, and the formula written out in plain Python."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE
from models.scoring.scorer import Scorer
from models.scoring.shrink import NOISE_SHARE

Floats = NDArray[np.float64]


def statsmodels_predict(scorer: Scorer, cuts: Sequence[Floats]) -> Callable[[Floats], Floats]:
    """Probabilities [D n, K] of rows [n, 24], one dimension after the other, each by an OrderedModel with the
    scorer's weights in it.
    """
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    rng = np.random.default_rng(1)
    models: list[Any] = []
    parameters = []
    for weights, own in zip(scorer.weights, cuts, strict=True):
        stages = len(own) + 1
        # The model wants data to be built from; what it predicts depends on the parameters alone.
        exog = rng.normal(size=(10 * stages, len(weights)))
        models.append(OrderedModel(np.arange(len(exog)) % stages, exog, distr="logit"))
        parameters.append(np.concatenate([weights, own[:1], np.log(np.diff(own))]))
    reference = scorer.reference

    def predict(x: Floats) -> Floats:
        e = np.minimum(1.0, x[:, [EVIDENCE]] / reference.median_evidence)
        z = np.nan_to_num((x - reference.mean) / reference.sd * (e / ((1 - NOISE_SHARE) * e + NOISE_SHARE)))
        pairs = zip(models, parameters, strict=True)
        return np.concatenate([model.predict(own, exog=z) for model, own in pairs])

    return predict


def plain_predict(scorer: Scorer, cuts: Sequence[Floats]) -> Callable[[Floats], list[list[float]]]:
    """The same in plain Python, zero weights left out beforehand."""
    reference = scorer.reference
    rows = [
        [
            (i, float(weight), float(reference.mean[i]), float(reference.sd[i]))
            for i, weight in enumerate(weights)
            if weight
        ]
        for weights in scorer.weights
    ]
    dimensions = [(row, own.tolist()) for row, own in zip(rows, cuts, strict=True)]

    def predict(x: Floats) -> list[list[float]]:
        values = x[0].tolist()
        e = min(1.0, values[EVIDENCE] / reference.median_evidence)
        keep = e / ((1 - NOISE_SHARE) * e + NOISE_SHARE)
        found = []
        for row, own in dimensions:
            score = 0.0
            for i, weight, mean, sd in row:
                if values[i] == values[i]:  # not NaN
                    score += weight * keep * (values[i] - mean) / sd
            below = [1 / (1 + math.exp(score - cut)) for cut in own] + [1.0]
            found.append([below[0], *(after - before for before, after in itertools.pairwise(below))])
        return found

    return predict
