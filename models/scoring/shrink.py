"""Shrinking by evidence: the less a window saw, the nearer its features move to the reference's mean."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NOISE_SHARE: Final = 0.5  # v: share of a feature's variance that is noise at median evidence


def shrink(z: NDArray[Any], evidence: NDArray[Any], median_evidence: float, v: float = NOISE_SHARE) -> Floats:
    """Standardised features [n, f] shrunk by evidence [n]: z' = z / ((1 - v) + v / e), e = min(1, evidence
    / median_evidence), and z' = 0 at e = 0. Where evidence is missing (NaN) nothing is shrunk.
    """
    e = np.minimum(evidence / median_evidence, 1.0)
    # The same fraction, multiplied out so that e = 0 needs no case of its own; fmin takes NaN for 1.
    keep: Floats = z * np.fmin(e / ((1 - v) * e + v), 1.0)[:, None]
    return keep
