"""From probabilities to sets and verdicts: every calibrated dimension by its own thresholds and needs."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.scoring.sets import (
    EVIDENCE_ONLY,
    PLACED,
    THIN,
    WIDE,
    group_thresholds,
    stage_set,
    stage_sets,
    verdicts,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.uint8]

NO_SET: Final = -1

_BLOCK: Final = 4096  # rows whose sets grow together: their scratch stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Rule:
    """How a calibrated dimension of so many stages is placed. least and threshold [g]: evidence groups' lower
    ends, from 0 up, and limits of their sets (see `sets.limits`); needs: columns of features without which a
    window is thin; places: whether a lesson is ever more than thin, as it is not where the model speaks of a
    longer span.
    """

    stages: int
    least: tuple[float, ...]
    threshold: tuple[float, ...]
    needs: tuple[int, ...]
    places: bool = True


class Placing:
    """Sets and verdicts on D dimensions; None in place of a rule is a dimension that nothing calibrated."""

    def __init__(self, rules: Sequence[Rule | None]) -> None:
        self._rules = rules
        self._placed = [(d, rule) for d, rule in enumerate(rules) if rule is not None]
        self._columns = [d for d, _ in self._placed]
        self._stages = np.array([rule.stages for _, rule in self._placed], np.int64)
        self._needs = sorted({column for _, rule in self._placed for column in rule.needs})

    def place(self, x: Floats, share: Floats, probs: Floats, few: Bools | None) -> tuple[Ints, Ints, Codes]:
        """Lowest and highest stages, NO_SET where there is no set, and codes of VERDICTS, each [n, D].

        x [n, 24]; share [n]: evidence by the reference's median, NaN where missing; probs [n, D, K], NO_STAGE
        past a dimension's last stage; few [n]: windows in which too few devices were seen.
        """
        if len(x) == 1 and self._placed:
            return self._one(x[0].tolist(), float(share[0]), probs[0], few is not None and bool(few[0]))
        shape = (len(self._rules), len(x))
        low, high = np.full(shape, NO_SET), np.full(shape, NO_SET)
        codes = np.full(shape, EVIDENCE_ONLY, np.uint8)
        if self._placed:
            for at in range(0, len(x), _BLOCK):
                own = slice(at, at + _BLOCK)
                found = self._block(x[own], share[own], probs[own], None if few is None else few[own])
                low[self._columns, own], high[self._columns, own], codes[self._columns, own] = found
        return low.T, high.T, codes.T

    def _block(self, x: Floats, share: Floats, probs: Floats, few: Bools | None) -> tuple[Ints, Ints, Codes]:
        """The calibrated dimensions' alone, [dimensions, n]."""
        threshold = np.empty((len(self._placed), len(x)))
        thin = np.empty(threshold.shape, np.bool_)
        thin[:] = False if few is None else few
        missing = {column: ~np.isfinite(x[:, column]) for column in self._needs}
        for i, (_, rule) in enumerate(self._placed):
            threshold[i] = group_thresholds(share, rule.least, rule.threshold)
            if not rule.places:
                thin[i] = True
            for column in rule.needs:
                thin[i] |= missing[column]
        low, high = (ends.T for ends in stage_sets(probs[:, self._columns], threshold.T))
        codes = verdicts(low, high, self._stages[:, None], thin, share)
        known = ~np.isnan(share)
        return np.where(known, low, NO_SET), np.where(known, high, NO_SET), codes

    def _one(self, x: list[float], share: float, probs: Floats, few: bool) -> tuple[Ints, Ints, Codes]:
        """The same for one window, without arrays: a third of the time."""
        dimensions = len(self._rules)
        low, high, codes = [NO_SET] * dimensions, [NO_SET] * dimensions, [EVIDENCE_ONLY] * dimensions
        if share == share:  # known: NaN differs from itself
            thin = few or share == 0
            rows = probs.tolist()
            missing = {column for column in self._needs if not isfinite(x[column])}
            for d, rule in self._placed:
                group = max(bisect_right(rule.least, share) - 1, 0)
                low[d], high[d] = stage_set(rows[d][: rule.stages], rule.threshold[group])
                narrow = rule.places and high[d] - low[d] + 1 < WIDE * rule.stages
                codes[d] = PLACED if narrow and not thin and missing.isdisjoint(rule.needs) else THIN
        ends = np.array([low, high])
        return ends[:1], ends[1:], np.array([codes], np.uint8)
