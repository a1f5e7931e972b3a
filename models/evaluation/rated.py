"""Ratings of one dimension beside the placements of the windows they rate: what an evaluation looks at."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.evaluation import agreement

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class LeftOut(msgspec.Struct, frozen=True):
    """Ratings that were not looked at: the coach had seen the placement; the window is not in the features.
    other_school were looked at, under the features' school.
    """

    briefed: int = 0
    unknown_window: int = 0
    other_school: int = 0


@dataclass(frozen=True, slots=True)
class Rated:
    """n ratings of a dimension of K stages, each with the placement of its window.

    probs: [n, K]; low, high: [n], -1 where there is no set; verdict: [n], indices of
    `models.scoring.sets.VERDICTS`; evidence: [n], by the reference's median, NaN where missing; window: [n],
    numbers from 0; coach: [n], indices of `coaches`; school: [n], any numbers; level: [n], 0..K-1. least:
    [g], lower ends of the evidence groups, rising from 0.
    """

    dimension: str
    stages: tuple[str, ...]
    probs: Floats
    low: Ints
    high: Ints
    verdict: NDArray[np.integer]
    evidence: Floats
    least: Floats
    window: Ints
    coach: Ints
    coaches: tuple[str, ...]
    school: Ints
    level: Ints

    def __len__(self) -> int:
        return len(self.level)

    def kappa_alpha(self) -> tuple[agreement.Pairs, agreement.Agreed, agreement.Agreed]:
        """Pairs of ratings of one window, their quadratic weighted kappa, and Krippendorff's alpha."""
        stages = len(self.stages)
        pairs = agreement.shared_pairs(self.window, self.coach, self.level)
        windows = int(self.window.max(initial=-1)) + 1
        counts = agreement.level_counts(self.window, self.level, windows, stages)
        return pairs, agreement.kappa_between(pairs, stages), agreement.krippendorff_alpha(counts)
