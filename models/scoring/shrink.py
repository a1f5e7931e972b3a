"""Shrinking by evidence: the less a window saw, the nearer its features move to the reference's mean."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NOISE_SHARE: Final = 0.5  # v: share of a feature's variance that is noise at median evidence


def kept(share: NDArray[Any], noise_share: float | Floats = NOISE_SHARE) -> Floats:
    """What is kept of standardised features: 1 / ((1 - v) + v / e), e = min(1, share), v the noise share.

    share: evidence by the reference's median, any shape; 0 keeps nothing; missing (NaN) keeps all.
    """
    e = np.minimum(share, 1.0)
    # The same fraction, multiplied out so that e = 0 needs no case of its own; fmin takes NaN for 1.
    left: Floats = np.fmin(e / ((1 - noise_share) * e + noise_share), 1.0)
    return left


def shrink(z: NDArray[Any], evidence: NDArray[Any], median_evidence: float, v: float = NOISE_SHARE) -> Floats:
    """Standardised features [n, f] shrunk by evidence [n]."""
    moved: Floats = z * kept(evidence / median_evidence, v)[:, None]
    return moved
