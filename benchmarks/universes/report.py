"""The universes' figures as the tables that are kept."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from benchmarks.universes.tolerance import lowest_share

Many = Sequence[Mapping[str, float]]

USUAL: Final = "as drawn"
_RATINGS: Final = 200
_YES_NO: Final = ("**no**", "yes")
_METHODS: Final = ("rubric only", "fit", "fit, flat", "trees", "oracle")


def _mean(many: Many, name: str) -> float:
    return float(np.mean([one[name] for one in many]))


def _worst(many: Many) -> tuple[float, float]:
    """The lowest coverage of a universe, and how low it may be."""
    worst = min(many, key=lambda one: one["coverage"])
    return worst["coverage"], lowest_share(_RATINGS, int(worst["judged"]))


def render(family: str, universes: int, found: Mapping[str, Many]) -> str:
    """The two tables of one family."""
    head = f"## Family `{family}`, {universes} universes, {_RATINGS} ratings\n"
    lines = [head, "| | measured | must | aim | met |", "|---|---|---|---|---|", *_targets(found), ""]
    return "\n".join([*lines, *_labels(found)]) + "\n"


def _targets(found: Mapping[str, Many]) -> list[str]:
    usual, flat = found[USUAL], found["shuffled, flat"]
    wrong, mixed = found["half the signs wrong"], found["interactions, 1000 ratings"]
    lowest, allowed = _worst(usual)
    trees = _mean(mixed, "trees")
    by_luck = float(np.mean([abs(one["kappa"]) for one in flat]))
    least_wider = min(one["wider_by_half"] for one in usual)
    groups = [(name, _mean(usual, f"coverage_{name}")) for name in ("thin", "middle", "full")]
    return [
        _least("QWK against truth, share of the oracle's", _mean(usual, "share"), 0.84, ".90"),
        _most("ECE against the coach's rating", _mean(usual, "ece"), 0.06, ".035"),
        _within("coverage of the coach's rating", _mean(usual, "coverage"), (0.89, 0.93), ".90-.91"),
        *(_least(f"- {name} evidence", covered, 0.87, ".89") for name, covered in groups),
        _told("- schools without a rating", _mean(usual, "coverage_unseen_schools")),
        _least("- worst universe (its tolerance)", lowest, allowed, "same"),
        _told("stages in a set", _mean(usual, "size")),
        _within("level of schools not in the fit", _mean(usual, "school_coverage"), (0.85, 0.95), ".88-.92"),
        _told("- width of its interval, levels", _mean(usual, "school_width")),
        _told("- error of the mean, levels", _mean(usual, "school_error")),
        _told("- coverage with half the signs wrong", _mean(wrong, "school_coverage")),
        _most("shuffled ratings, flat: mean absolute QWK", by_luck, 0.12, ".05"),
        _least("half the signs wrong, share of the oracle's", _mean(wrong, "share"), 0.80, ".84"),
        _least("interactions, 1000 ratings, share; trees'", _mean(mixed, "share"), trees, "better"),
        _least("stages a set grows by at half the evidence, least", least_wider, 0.0, ""),
        _most("empty windows placed", sum(one["empty_placed"] for one in usual), 0.0, ""),
    ]


def footer(machine: str, options: Sequence[str], seconds: float) -> str:
    """On what and how it was measured."""
    command = " ".join(["python -m benchmarks.universes", *options])
    return f"{machine}. `{command}`, {seconds / 60:.0f} minutes. Everything in it is simulated."


def _labels(found: Mapping[str, Many]) -> list[str]:
    if not any(name.startswith("labels ") for name in found):
        return []
    lines = [f"| QWK against truth | {' | '.join(_METHODS)} |", "|---|" + "---|" * len(_METHODS)]
    for name in (name for name in found if name.startswith("labels ")):
        cells = " | ".join(f"{_mean(found[name], method):.3f}" for method in _METHODS)
        lines.append(f"| {name.removeprefix('labels ')} ratings | {cells} |")
    return lines


def _least(name: str, value: float, must: float, aim: str) -> str:
    return _row(name, value, f">= {must:.3g}", aim, _YES_NO[value >= must])


def _most(name: str, value: float, must: float, aim: str) -> str:
    return _row(name, value, f"<= {must:.3g}", aim, _YES_NO[value <= must])


def _within(name: str, value: float, must: tuple[float, float], aim: str) -> str:
    return _row(name, value, f"{must[0]:.2f}-{must[1]:.2f}", aim, _YES_NO[must[0] <= value <= must[1]])


def _told(name: str, value: float) -> str:
    return _row(name, value, "", "", "")


def _row(name: str, value: float, must: str, aim: str, met: str) -> str:
    return f"| {name} | {value:.3f} | {must} | {aim} | {met} |"
