"""The universes' figures as the tables that are kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from benchmarks.universes.tolerance import lowest_share

Many = Sequence[Mapping[str, float]]

USUAL: Final = "as drawn"
_RATINGS: Final = 200
_METHODS: Final = ("rubric only", "fit", "fit, flat", "trees", "oracle")


def _mean(many: Many, name: str) -> float:
    return float(np.mean([one[name] for one in many]))


def _worst(many: Many) -> tuple[float, float]:
    """The lowest coverage of a universe, and how low it may be."""
    worst = min(many, key=lambda one: one["coverage"])
    return worst["coverage"], lowest_share(_RATINGS, int(worst["judged"]))


def render(family: str, universes: int, found: Mapping[str, Many]) -> str:
    """The two tables of one family."""
    usual, flat = found[USUAL], found["shuffled, flat"]
    wrong, mixed = found["half the signs wrong"], found["interactions, 1000 ratings"]
    lowest, allowed = _worst(usual)
    trees = _mean(mixed, "trees")
    mean_flat = float(np.mean([abs(one["kappa"]) for one in flat]))
    rows = [
        _row("QWK against truth, share of the oracle's", _mean(usual, "share"), ">= .84", ">= .90", _least(0.84)),
        _row("ECE against the coach's rating", _mean(usual, "ece"), "<= .06", "<= .035", _most(0.06)),
        _row("coverage of the coach's rating", _mean(usual, "coverage"), ".89-.93", ".90-.91", _between(0.89, 0.93)),
        *(
            _row(f"- {name} evidence", _mean(usual, f"coverage_{name}"), ">= .87", ">= .89", _least(0.87))
            for name in ("thin", "middle", "full")
        ),
        _row("- schools without a rating", _mean(usual, "coverage_unseen_schools"), "", "", None),
        _row("- worst universe", lowest, f">= {allowed:.3f}", "same", _least(allowed)),
        _row("stages in a set", _mean(usual, "size"), "", "", None),
        _row("a school's level, schools not in the fit", _mean(usual, "school_coverage"), ".85-.95", ".88-.92", _between(0.85, 0.95)),
        _row("- width of its interval, levels", _mean(usual, "school_width"), "", "", None),
        _row("- the same, half the signs wrong", _mean(wrong, "school_coverage"), "", "", None),
        _row("shuffled ratings, flat: mean absolute QWK", mean_flat, "< .12", "< .05", _most(0.12)),
        _row("half the signs wrong, share of the oracle's", _mean(wrong, "share"), ">= .80", ">= .84", _least(0.80)),
        _row("interactions, 1000 ratings, share", _mean(mixed, "share"), f"trees {trees:.3f}", "better", _least(trees)),
        _row("stages a set grows by at half the evidence, least", min(one["wider_by_half"] for one in usual), ">= 0", "", _least(0.0)),
        _row("empty windows placed", sum(one["empty_placed"] for one in usual), "0", "", _most(0.0)),
    ]  # fmt: skip
    head = f"## Family `{family}`, {universes} universes, {_RATINGS} ratings\n"
    lines = [head, "| | measured | must | aim | met |", "|---|---|---|---|---|", *rows, "", *_labels(found)]
    return "\n".join(lines) + "\n"


def footer(machine: str, options: Sequence[str], seconds: float) -> str:
    """On what and how it was measured."""
    command = " ".join(["python -m benchmarks.universes", *options])
    return f"{machine}. `{command}`, {seconds / 60:.0f} minutes. Everything in it is simulated."


def _labels(found: Mapping[str, Many]) -> list[str]:
    lines = [f"| QWK against truth | {' | '.join(_METHODS)} |", "|---|" + "---|" * len(_METHODS)]
    for name in (name for name in found if name.startswith("labels ")):
        cells = " | ".join(f"{_mean(found[name], method):.3f}" for method in _METHODS)
        lines.append(f"| {name.removeprefix('labels ')} ratings | {cells} |")
    return lines


def _row(name: str, value: float, must: str, aim: str, good: Callable[[float], bool] | None) -> str:
    met = "" if good is None else "yes" if good(value) else "**no**"
    return f"| {name} | {value:.3f} | {must} | {aim} | {met} |"


def _least(bound: float) -> Callable[[float], bool]:
    return lambda value: value >= bound


def _most(bound: float) -> Callable[[float], bool]:
    return lambda value: value <= bound


def _between(low: float, high: float) -> Callable[[float], bool]:
    return lambda value: low <= value <= high
