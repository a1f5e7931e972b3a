"""Fits to make cards of: small made-up lessons with their ratings, and what may come of them."""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from models.fitting.fit import Options, fit_model
from models.fitting.ratings import read_ratings
from models.scoring.fit_file import DimensionFit, Effect, Fit, sealed
from tests.models.fit_lessons import TIM, lessons, rated, write_ratings

DAY = "2025-03-04"
FEW = "authentic"  # the dimension that has too few ratings in `partly_fitted`


@lru_cache(maxsize=2)
def fitted(coaches: int = 4) -> Fit:
    """TIM by 90 made-up lessons, every dimension calibrated."""
    known = lessons(5, 90)
    return _fit(rated(known, 6, coaches=coaches), 5)


def partly_fitted() -> Fit:
    """The same with one dimension of 20 ratings."""
    rows = rated(lessons(5, 90), 6)
    few = [row for row in rows if row[1] == FEW][:20]
    return _fit([row for row in rows if row[1] != FEW] + few, 5)


def unfitted() -> Fit:
    """TIM with a single rating, which calibrates nothing."""
    return _fit(rated(lessons(5, 90), 6)[:1], 5)


def changed(fit: Fit, **parts: Any) -> Fit:
    """The fit with other parts, sealed as whoever made it would."""
    return sealed(msgspec.structs.replace(fit, **parts))


def with_dimension(fit: Fit, name: str, **parts: Any) -> Fit:
    """The fit with another dimension in the place of one."""
    one: DimensionFit = msgspec.structs.replace(fit.dimensions[name], **parts)
    return changed(fit, dimensions={**fit.dimensions, name: one})


def coach(code: str, mean: float = 0.1) -> Effect:
    """A coach of that code."""
    return Effect(code, 12, mean, mean - 0.4, mean + 0.4)


def _fit(rows: list[tuple[str, str, str, str, int]], seed: int) -> Fit:
    known = lessons(seed, 90)
    with TemporaryDirectory() as folder:
        ratings = read_ratings(write_ratings(Path(folder) / "R.csv", rows), TIM, known.features)
    return fit_model(TIM, known.features, ratings, Options(simulated=True, seed=7), day=DAY)
