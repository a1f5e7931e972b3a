"""`python -m benchmarks.universes [--universes N]`: the scoring core's targets over simulated universes.

Minutes, not seconds; prints the table that is kept under `benchmarks/results/`.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from benchmarks import machine
from benchmarks.universes import judge, report
from benchmarks.universes.make import World, world
from benchmarks.universes.schools import school_intervals
from benchmarks.universes.trees import placed_by_trees
from models.simulator.options import FAMILIES, Family, Options
from models.simulator.study import Plan

NEW_RATINGS: Final = 900
FAMILIAR: Final = (50, 200, 1000)
MANY_LESSONS: Final = 6000

Many = list[Mapping[str, float]]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.universes", description=__doc__)
    parser.add_argument("--universes", type=int, default=20, help="how many of each family")
    parser.add_argument("--family", choices=FAMILIES, action="append", help="this family alone")
    asked = parser.parse_args()
    began = time.monotonic()
    for family in asked.family or FAMILIES:
        found = {name: _many(name, family, asked.universes) for name in SETTINGS}
        if family == FAMILIES[0]:  # the other's oracle takes minutes over thousands of lessons
            found |= {f"labels {n}": _labels(family, n, asked.universes) for n in FAMILIAR}
        print(report.render(family, asked.universes, found))
    words = sys.argv[1:]
    print(report.footer(machine.line(machine.describe()), words, time.monotonic() - began))


def _usual(one: World) -> dict[str, float]:
    fit = judge.fitted(one)
    return judge.judged(one, fit) | school_intervals(one, fit)


def _flat(one: World) -> dict[str, float]:
    return judge.judged(one, judge.fitted(one, prior="flat"))


def _beside_trees(one: World) -> dict[str, float]:
    trees = judge.against_truth(one, placed_by_trees(one))
    return judge.judged(one, judge.fitted(one)) | {"trees": trees["share"]}


# What is asked of every universe: options, plan, and what is measured in it.
SETTINGS: Final = {
    "as drawn": (Options(), Plan(new_ratings=NEW_RATINGS), _usual),
    "shuffled, flat": (Options(), Plan(new_ratings=NEW_RATINGS, shuffled=True), _flat),
    "half the signs wrong": (Options(signs_wrong=0.5), Plan(new_ratings=NEW_RATINGS), _usual),
    "interactions, 1000 ratings": (
        Options(interactions=2),
        Plan(lessons=MANY_LESSONS, ratings=1000, new_ratings=NEW_RATINGS),
        _beside_trees,
    ),
}


def _many(name: str, family: Family, universes: int) -> Many:
    options, plan, measure = SETTINGS[name]
    found: Many = []
    for seed in range(universes):
        _say(f"{family}, {name}: {seed + 1} of {universes}")
        found.append(measure(world(seed, replace(options, family=family), plan)))
    return found


def _labels(family: Family, ratings: int, universes: int) -> Many:
    """Kappa against truth by method, for the same ratings."""
    found: Many = []
    for seed in range(universes):
        _say(f"{family}, {ratings} ratings: {seed + 1} of {universes}")
        one = world(seed, Options(family=family), Plan(lessons=MANY_LESSONS, ratings=ratings, new_ratings=60))
        found.append(
            {
                "rubric only": judge.rubric_only(one)["kappa"],
                "fit": judge.truthful(one, judge.fitted(one)),
                "fit, flat": judge.truthful(one, judge.fitted(one, prior="flat")),
                "trees": judge.against_truth(one, placed_by_trees(one))["kappa"],
                "oracle": judge.against_truth(one, np.zeros(len(one.unseen), np.int64))["oracle"],
            }
        )
    return found


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", flush=True, file=sys.stderr)


if __name__ == "__main__":
    main()
