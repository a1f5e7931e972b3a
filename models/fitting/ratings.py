"""Walkthrough ratings from R.csv, matched to windows; what cannot be used is counted, never silent."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.csv_columns import Columns, WrongCell, read_whole
from models.integration.load import IntegrationModel
from models.tables import FeatureTable

Ints = NDArray[np.int64]

_COLUMNS: Final = ("window", "dimension", "coach", "school", "level")
_BRIEFED: Final = MappingProxyType({"": 0, "0": 0, "no": 0, "false": 0, "1": 1, "yes": 1, "true": 1})


@dataclass(frozen=True, slots=True)
class DimensionRatings:
    """Usable ratings [n] of one dimension, in an order that the file's order does not change.

    row: of the features; level: 0..K-1; coach: of `RatingTable.coaches`. briefed, unknown_window: ratings
    left out because the coach had seen the placement, or because no features have that window.
    """

    row: Ints
    level: Ints
    coach: Ints
    briefed: int
    unknown_window: int


@dataclass(frozen=True, slots=True)
class RatingTable:
    """R.csv. dimensions: in the model's order; other_school: usable ratings that name another school than
    their window's features do, which count; digest: SHA-256 of all rows, whatever their order.
    """

    coaches: tuple[str, ...]
    dimensions: Mapping[str, DimensionRatings]
    other_school: int
    digest: str


def read_ratings(path: Path, model: IntegrationModel, features: FeatureTable) -> RatingTable:
    """R.csv: `window,dimension,coach,school,level[,briefed]`, levels from 0, briefed blank or true or false.

    Raises BadInput with file, line and what to do: a dimension the model does not have, a level outside its
    stages, a coach who rates a window's dimension twice.
    """
    table = read_whole(path, _COLUMNS, ("briefed",))
    names = {dimension.id: i for i, dimension in enumerate(model.dimensions)}
    stages = np.array([len(dimension.stages) for dimension in model.dimensions])
    with table.located():
        window, coach, school = (table.filled(name) for name in ("window", "coach", "school"))
        dimension = table.known("dimension", names, f"is no dimension of {model.id}")
        level = table.integers("level", int(stages.max()) - 1)
        for row in np.flatnonzero(level >= stages[dimension])[:1].tolist():
            most = stages[dimension[row]] - 1
            raise WrongCell(row, f"`level` must be a whole number from 0 to {most} on this dimension")
        briefed = _briefed(table)
        _no_rating_twice(window, coach, dimension)
    row_of = {name: i for i, name in enumerate(features.ids)}
    coaches = tuple(sorted(set(coach)))
    coach_of = {name: i for i, name in enumerate(coaches)}
    row = np.array([row_of.get(name, -1) for name in window], np.int64)
    coach_code = np.array([coach_of[name] for name in coach], np.int64)
    usable = (row >= 0) & (briefed == 0)
    found = {}
    for name, code in names.items():
        mine = dimension == code
        pick = np.flatnonzero(mine & usable)
        pick = pick[sorted(range(len(pick)), key=lambda i: (window[pick[i]], coach[pick[i]]))]
        found[name] = DimensionRatings(
            row=row[pick],
            level=level[pick],
            coach=coach_code[pick],
            briefed=int((mine & (briefed == 1)).sum()),
            unknown_window=int((mine & (briefed == 0) & (row < 0)).sum()),
        )
    elsewhere = sum(school[i] != features.school[row[i]] for i in np.flatnonzero(usable))
    columns = (window, table.cells["dimension"], coach, school, level.tolist(), briefed.tolist())
    return RatingTable(coaches, MappingProxyType(found), elsewhere, _digest(columns))


def _briefed(table: Columns) -> Ints:
    if "briefed" not in table.cells:
        return np.zeros(table.rows, np.int64)
    cells = [cell.strip().lower() for cell in table.cells["briefed"]]
    for row, cell in enumerate(cells):
        if cell not in _BRIEFED:
            raise WrongCell(row, f"`briefed` {cell[:20]!r} must be blank, true or false")
    return np.array([_BRIEFED[cell] for cell in cells], np.int64)


def _no_rating_twice(window: tuple[str, ...], coach: tuple[str, ...], dimension: Ints) -> None:
    seen = set()
    for row, rating in enumerate(zip(window, coach, dimension.tolist(), strict=True)):
        if rating in seen:
            raise WrongCell(row, f"coach {coach[row][:40]!r} rates this window and dimension twice: keep one")
        seen.add(rating)


def _digest(columns: tuple[object, ...]) -> str:
    rows = sorted(zip(*columns, strict=True))
    return hashlib.sha256(repr(rows).encode()).hexdigest()
