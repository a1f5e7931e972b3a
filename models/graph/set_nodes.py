"""Contiguous sets and verdicts in ONNX's standard operators, as models/scoring/sets.py has them."""

import numpy as np

from models.graph.scales import Scales
from models.graph.sheet import FLOAT, INT64, Sheet
from models.scoring.scorer import NO_SET
from models.scoring.sets import EVIDENCE_ONLY, NO_STAGE, PLACED, THIN


def write_sets(sheet: Sheet, scales: Scales) -> None:
    """From `exact_probs`, `share` and `x` to `low`, `high` (inclusive, -1: no set) and `verdict`, int64
    [N, D].

    Verdicts are indices of `sets.VERDICTS`. Where nothing is calibrated no set is grown.
    """
    s = sheet
    s.add("some_evidence", "Not", "no_evidence")
    s.add("told", "And", "some_evidence", s.constant("calibrated", scales.calibrated))
    lowest = highest = s.numbers("lowest_stage", 0)
    told_verdict = s.numbers("placed", PLACED)
    if scales.calibrated.any():
        _write_threshold(s, scales)
        lowest, highest = _write_growth(s, scales)
        told_verdict = _write_thin(s, scales, lowest, highest)
    s.add("low", "Where", "told", lowest, s.numbers("no_set", NO_SET))
    s.add("high", "Where", "told", highest, "no_set")
    s.add("verdict", "Where", "told", told_verdict, s.numbers("evidence_only", EVIDENCE_ONLY))


def _write_threshold(s: Sheet, scales: Scales) -> None:
    """`threshold` [N, D, 1] of each window's evidence group: the last one that starts at or below it."""
    dimensions, groups = scales.least.shape
    # Counted from each dimension's first group in the flat list of thresholds.
    before = np.arange(dimensions, dtype=np.int64) * groups
    s.add("no_share", "IsNaN", "share")
    s.add("share_or_zero", "Where", "no_share", "zero", "share")
    s.add("share_column", "Unsqueeze", "share_or_zero", "last_axis")
    s.add("reached", "GreaterOrEqual", "share_column", s.constant("least", scales.least))
    s.add("reached_ones", "Cast", "reached", to=INT64)
    s.add("groups_reached", "ReduceSum", "reached_ones", "last_axis", keepdims=0)
    s.add("last_reached", "Sub", "groups_reached", s.numbers("step", 1))
    s.add("group", "Max", "last_reached", "lowest_stage")
    s.add("flat_group", "Add", "group", s.constant("groups_before", before))
    s.add("flat_threshold", "Gather", s.constant("thresholds", scales.thresholds.ravel()), "flat_group")
    s.add("threshold", "Unsqueeze", "flat_threshold", "last_axis")


def _write_growth(s: Sheet, scales: Scales) -> tuple[str, str]:
    """From the likeliest stage, the likelier neighbour joins while what is held is within the threshold."""
    stages = scales.past.shape[1]
    outside = s.real("outside", NO_STAGE)
    inside = "exact_probs"
    if scales.past.any():
        inside = s.add("inside_probs", "Where", "past", outside, inside)
    s.add("walled", "Pad", inside, s.numbers("one_each_side", 0, 0, 1, 0, 0, 1), outside)
    low = high = s.add("mode", "ArgMax", inside, axis=2)
    held = s.add("held", "GatherElements", inside, "mode", axis=2)
    for i in range(1, stages):
        # In `walled`, a stage stands one place further up.
        below = s.add(f"below_{i}", "GatherElements", "walled", low, axis=2)
        upper = s.add(f"above_place_{i}", "Add", high, s.numbers("two", 2))
        above = s.add(f"above_{i}", "GatherElements", "walled", upper, axis=2)
        down = s.add(f"down_{i}", "GreaterOrEqual", below, above)
        best = s.add(f"best_{i}", "Where", down, below, above)
        within = s.add(f"within_{i}", "LessOrEqual", held, "threshold")
        left = s.add(f"left_{i}", "GreaterOrEqual", best, "zero")
        grows = s.add(f"grows_{i}", "And", within, left)
        grows_down = s.add(f"grows_down_{i}", "And", grows, down)
        step = s.add(f"step_{i}", "Cast", grows, to=INT64)
        step_down = s.add(f"step_down_{i}", "Cast", grows_down, to=INT64)
        step_up = s.add(f"step_up_{i}", "Sub", step, step_down)
        low = s.add(f"low_{i}", "Sub", low, step_down)
        high = s.add(f"high_{i}", "Add", high, step_up)
        joined = s.add(f"joined_{i}", "Where", grows, best, "zero")
        held = s.add(f"held_{i}", "Add", held, joined)
    ends = (("lowest", low), ("highest", high))
    lowest, highest = (s.add(to, "Squeeze", end, "last_axis") for to, end in ends)
    return lowest, highest


def _write_thin(s: Sheet, scales: Scales, lowest: str, highest: str) -> str:
    """Thin: too wide a set, a needed feature missing, or no evidence at all."""
    s.add("span", "Sub", highest, lowest)
    s.add("size", "Add", "span", "step")
    s.add("wide", "GreaterOrEqual", "size", s.constant("wide_from", scales.wide))
    s.add("missing", "IsNaN", "x")
    s.add("missing_ones", "Cast", "missing", to=FLOAT)
    s.add("needed_missing", "MatMul", "missing_ones", s.constant("needs", scales.needs))
    s.add("needs_more", "Greater", "needed_missing", s.constant("none", np.zeros(1, np.float32)))
    s.add("empty", "Equal", "evidence", "zero")
    s.add("wide_or_short", "Or", "wide", "needs_more")
    s.add("thin", "Or", "wide_or_short", "empty")
    return s.add("told_verdict", "Where", "thin", s.numbers("thin_code", THIN), "placed")
