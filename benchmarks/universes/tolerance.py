"""How low the coverage of one universe may fall when its sets are just right."""

import math

from scipy.stats import betabinom


def lowest_share(calibrated: int, judged: int, miscoverage: float = 0.1, tail: float = 0.001) -> float:
    """The lower `tail` quantile of the share of `judged` ratings covered, thresholds set on `calibrated`.

    Coverage given the calibration is Beta(r, n + 1 - r) with r = ceil((n + 1)(1 - miscoverage)) (Vovk 2012);
    what is then counted is beta-binomial.
    """
    rank = math.ceil((calibrated + 1) * (1 - miscoverage))
    return float(betabinom(judged, rank, calibrated + 1 - rank).ppf(tail)) / judged
