"""Contiguous ordinal sets of stages, and the verdict that goes with them.

A set grows from the likeliest stage by the likelier of its two neighbours (Lu et al. 2022). How much of the
probability it holds before a stage joins is that stage's nonconformity: 0 for the likeliest one.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

VERDICTS: Final = ("placed", "thin", "evidence_only")
PLACED, THIN, EVIDENCE_ONLY = range(3)

WIDE: Final = 0.8  # a set of at least this share of all stages says too little to place a lesson


def mass_before(probs: Floats) -> Floats:
    """Probability [n, K] in the growing set when each stage joins it; probs [n, K] sum to 1.

    Of two equally likely neighbours the lower joins first.
    """
    n, stages = probs.shape
    rows = np.arange(n)
    found = np.zeros((n, stages))
    low = high = probs.argmax(axis=1)
    held = probs[rows, low]
    padded = np.full((n, stages + 2), -1.0)
    padded[:, 1:-1] = probs
    for _ in range(stages - 1):
        below, above = padded[rows, low], padded[rows, high + 2]
        down = below >= above
        joins = np.where(down, low - 1, high + 1)
        found[rows, joins] = held
        held = held + np.where(down, below, above)
        low, high = np.minimum(low, joins), np.maximum(high, joins)
    return found


def stage_sets(probs: Floats, threshold: Floats) -> tuple[Ints, Ints]:
    """The sets' lowest and highest stage [n], inclusive: every stage whose nonconformity is at most the
    threshold [n].
    """
    inside = mass_before(probs) <= threshold[:, None]
    low = inside.argmax(axis=1)
    return low, low + inside.sum(axis=1) - 1


def group_thresholds(share: Floats, least: Floats, threshold: Floats) -> Floats:
    """The threshold [n] of each window's evidence group.

    share [n]: evidence by the reference's median, NaN where missing; least [g]: the groups' lower ends, from
    0 up; threshold [g].
    """
    group = np.searchsorted(least, np.nan_to_num(share, nan=0.0), side="right") - 1
    return threshold.take(np.maximum(group, 0))


def verdicts(low: Ints, high: Ints, stages: int, thin: Bools, evidence: Floats) -> NDArray[np.uint8]:
    """Verdict codes [n] of a calibrated dimension, indices of VERDICTS.

    thin [n]: a feature is missing without which the dimension cannot be placed, or too few devices were
    seen; evidence [n]: 0 is thin, missing (NaN) is evidence only.
    """
    wide = high - low + 1 >= WIDE * stages
    found = np.where(wide | thin | (evidence == 0), THIN, PLACED)
    return np.where(np.isnan(evidence), EVIDENCE_ONLY, found).astype(np.uint8)
