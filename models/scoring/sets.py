"""Contiguous ordinal sets of stages, and the verdict that goes with them.

A set grows from the likeliest stage by the likelier of its two neighbours (Lu et al. 2022). How much of the
probability it holds before a stage joins is that stage's nonconformity: 0 for the likeliest one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

VERDICTS: Final = ("placed", "thin", "evidence_only")
PLACED, THIN, EVIDENCE_ONLY = range(3)

WIDE: Final = 0.8  # a set of at least this share of all stages says too little to place a lesson
NO_STAGE: Final = -1.0  # in place of a probability: beyond a scale's end


def mass_before(probs: Floats) -> Floats:
    """Probability [n, K] in the growing set when each stage joins it; probs [n, K] sum to 1.

    Of two equally likely neighbours the lower joins first, of several likeliest stages the lowest is the
    start. In memory the result lies stage by stage.
    """
    growth = _Growth.start(probs.T)
    found = np.zeros((probs.shape[1], len(probs)))
    flat = found.reshape(-1)
    for _ in range(probs.shape[1] - 1):
        below, above = growth.neighbours()
        down = below >= above
        flat[np.where(down, growth.low, growth.high) - growth.line] = growth.held  # no border in `found`
        growth.held += np.where(down, below, above)
        growth.low -= growth.line * down
        growth.high += growth.line * ~down
    return found.T


def stage_sets(probs: Floats, threshold: Floats) -> tuple[Ints, Ints]:
    """The sets' lowest and highest stage, inclusive, [...]: every stage whose nonconformity is at most the
    threshold [...], of probabilities [..., K]. Stages marked NO_STAGE, above a scale's own last, never join.
    """
    turned = probs.T
    growth = _Growth.start(turned.reshape(len(turned), -1))
    limit = threshold.T.reshape(-1)
    for _ in range(len(turned) - 1):
        below, above = growth.neighbours()
        next_one = np.maximum(below, above)
        grows = (growth.held <= limit) & (next_one > NO_STAGE)
        down = grows & (below >= above)
        growth.held += next_one * grows
        growth.low -= growth.line * down
        growth.high += growth.line * (grows ^ down)
    shape = turned.shape[1:]
    return growth.low_stage().reshape(shape).T, growth.high_stage().reshape(shape).T


def stage_set(probs: Sequence[float], threshold: float) -> tuple[int, int]:
    """The set of one placement as `stage_sets` has it, to the last bit: quicker where there is only one."""
    last = len(probs) - 1
    held = max(probs)
    low = high = probs.index(held)
    while held <= threshold and high - low < last:
        below = probs[low - 1] if low > 0 else NO_STAGE
        above = probs[high + 1] if high < last else NO_STAGE
        if below >= above:
            low -= 1
            held += below
        else:
            high += 1
            held += above
    return low, high


@dataclass(slots=True)
class _Growth:
    """Growing sets over m placements, stages first: `flat` is the probabilities [K + 2, m] within a border
    of NO_STAGE; low and high [m] are where in it the sets' neighbours stand; held [m] is what they hold.
    """

    flat: Floats
    line: int
    low: Ints
    high: Ints
    held: Floats

    @classmethod
    def start(cls, probs: Floats) -> "_Growth":
        """Every set with its likeliest stage alone; probs [K, m]."""
        stages, line = probs.shape
        bordered = np.full((stages + 2, line), NO_STAGE)
        bordered[1:-1] = probs
        held = bordered[1].copy()
        mode = np.zeros(line, np.int64)
        for stage in range(1, stages):
            np.maximum(mode, stage * (bordered[stage + 1] > held), out=mode)
            np.maximum(held, bordered[stage + 1], out=held)
        low = mode * line + np.arange(line)
        return cls(bordered.reshape(-1), line, low, low + 2 * line, held)

    def neighbours(self) -> tuple[Floats, Floats]:
        """The probability of the stage below and above each set."""
        return self.flat.take(self.low), self.flat.take(self.high)

    def low_stage(self) -> Ints:
        """Each set's lowest stage."""
        return self.low // max(self.line, 1)

    def high_stage(self) -> Ints:
        """Each set's highest stage."""
        return self.high // max(self.line, 1) - 2


def group_thresholds(
    share: Floats, least: Sequence[float] | Floats, threshold: Sequence[float] | Floats
) -> Floats:
    """The threshold [n] of each window's evidence group.

    share [n]: evidence by the reference's median, NaN where missing (the thinnest group's); least [g]: the
    groups' lower ends, from 0 up; threshold [g].
    """
    found = np.full(share.shape, threshold[0])
    for edge, own in zip(least[1:], threshold[1:], strict=True):
        found = np.where(share >= edge, own, found)
    return found


def limits(threshold: Floats) -> Floats:
    """Thresholds [...] for sets to grow by: at 1 every stage is meant, though rounding may add up to more."""
    return np.where(threshold >= 1.0, np.inf, threshold)


def verdicts(low: Ints, high: Ints, stages: int | Ints, thin: Bools, evidence: Floats) -> NDArray[np.uint8]:
    """Verdict codes [...] of a calibrated dimension of so many stages, indices of VERDICTS.

    thin [...]: a feature is missing without which the dimension cannot be placed, or too few devices were
    seen; evidence [...], in any unit: 0 is thin, missing (NaN) is evidence only.
    """
    wide = high - low + 1 >= WIDE * stages
    found = np.where(wide | thin | (evidence == 0), np.uint8(THIN), np.uint8(PLACED))
    return np.where(np.isnan(evidence), np.uint8(EVIDENCE_ONLY), found)
