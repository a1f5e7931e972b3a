"""The scorer in ONNX's standard operators: standardise, mask, shrink, score, probabilities.

Inside, numbers are float64 in the order of numpy's scorer: a rate in the hundreds loses digits when its mean
is taken away in float32, and two runtimes that add in another order would then differ by more than 1e-6.
"""

import numpy as np

from models.features.set1 import EVIDENCE
from models.graph.scales import Scales
from models.graph.sheet import DOUBLE, FLOAT, Sheet


def write_score(sheet: Sheet, scales: Scales) -> None:
    """From `x` float32 [N, 24] to `score` float32 [N, D]; names `share` [N, 1] and `exact_score` [N, D]."""
    s = sheet
    s.add("exact_x", "Cast", "x", to=DOUBLE)
    s.add("above_mean", "Sub", "exact_x", s.constant("mean", scales.mean))
    s.add("raw_z", "Div", "above_mean", s.constant("sd", scales.sd))
    s.add("unknown", "IsNaN", "raw_z")
    s.add("z", "Where", "unknown", s.real("zero", 0.0), "raw_z")
    s.add("evidence", "Gather", "exact_x", s.numbers("evidence_column", EVIDENCE), axis=1)
    s.add("share", "Div", "evidence", s.real("median_evidence", scales.median_evidence))
    s.add("no_evidence", "IsNaN", "evidence")
    s.add("known_share", "Where", "no_evidence", s.real("one", 1.0), "share")
    s.add("e", "Min", "known_share", "one")
    s.add("signal_part", "Mul", "e", s.constant("signal_share", 1 - scales.noise_share))
    s.add("both_parts", "Add", "signal_part", s.constant("noise_share", scales.noise_share))
    s.add("kept_part", "Div", "e", "both_parts")
    s.add("kept", "Min", "kept_part", "one")
    s.add("full_score", "MatMul", "z", s.constant("weights", scales.weights))
    s.add("exact_score", "Mul", "full_score", "kept")
    s.add("score", "Cast", "exact_score", to=FLOAT)


def write_probabilities(sheet: Sheet, scales: Scales) -> None:
    """From `exact_score` to `probs` float32 [N, D, K], NaN past a dimension's last stage; names
    `exact_probs`, 0 there.
    """
    s = sheet
    s.add("score_column", "Unsqueeze", "exact_score", s.numbers("last_axis", 2))
    s.add("below_cut", "Sub", s.constant("cuts", scales.cuts), "score_column")
    s.add("half_below_cut", "Mul", "below_cut", s.real("half", 0.5))
    s.add("tanh", "Tanh", "half_below_cut")
    s.add("tanh_from_zero", "Add", "one", "tanh")
    s.add("up_to", "Mul", "half", "tanh_from_zero")
    s.add("up_to_stage", "Pad", "up_to", s.numbers("one_more", 0, 0, 0, 0, 0, 1), "one")
    s.add("up_to_last", "Pad", "up_to", s.numbers("one_before", 0, 0, 1, 0, 0, 0), "zero")
    s.add("exact_probs", "Sub", "up_to_stage", "up_to_last")
    own = "exact_probs"
    if scales.past.any():
        own = s.add("own_probs", "Where", s.constant("past", scales.past), s.real("nan", np.nan), own)
    s.add("probs", "Cast", own, to=FLOAT)
