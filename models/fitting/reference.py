"""The reference of a fit: how the features of its windows spread, rated or not."""

import math
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE
from models.scoring.fit_file import FeatureReference
from models.scoring.reference import Reference, reference_of, shipped_reference

Floats = NDArray[np.float64]

ENOUGH_WINDOWS: Final = 50  # the mean of a few lessons is those lessons, and a fit may travel


def reference_among(x: Floats, simulated: bool) -> Reference:
    """The reference of all rows, or, of fewer than 50, the one shipped with set 1; if half the windows are
    empty, the median is of those that are not.
    """
    if len(x) < ENOUGH_WINDOWS:
        return shipped_reference()
    found = reference_of(x, simulated=simulated, made={"how": f"{len(x)} windows of a fit"})
    if found.median_evidence > 0:
        return found
    some = x[x[:, EVIDENCE] > 0, EVIDENCE]
    return replace(found, median_evidence=float(np.median(some)) if len(some) else 1.0)


def _deciles(x: Floats) -> tuple[tuple[float, ...], ...]:
    """Nine deciles of each feature; none for a feature that no window shows."""
    found = []
    for column in x.T:
        seen = column[~np.isnan(column)]
        deciles = np.quantile(seen, np.arange(1, 10) / 10).tolist() if len(seen) else ()
        # To a hundredth of their spread or finer: a fit may travel, and holds no lesson's own number.
        digits = 2 - math.floor(math.log10(float(seen.std()) or 1.0)) if len(seen) else 0
        found.append(tuple(round(value, digits) for value in deciles))
    return tuple(found)


def told(reference: Reference, x: Floats) -> FeatureReference:
    """The reference of windows x [n, 24] as a fit's file tells it."""
    return FeatureReference(
        mean=tuple(reference.mean.tolist()),
        sd=tuple(reference.sd.tolist()),
        median_evidence=reference.median_evidence,
        windows=len(x),
        bins=_deciles(x) if len(x) >= ENOUGH_WINDOWS else ((),) * x.shape[1],
    )
