"""From P.csv, F.csv and a fit to G.csv and S.csv, after a check that the three belong together."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.csv_columns import write_rows
from models.grouping.levels import By, Levels, levels_of
from models.grouping.windows import windows_of
from models.scoring.fit_file import Fit
from models.scoring.ordinal import stage_probabilities
from models.scoring.reference import Reference
from models.scoring.shrink import kept
from models.tables import FeatureTable, PlacementTable
from shared.errors import BadInput, UsageError

Floats = NDArray[np.float64]

COLUMNS: Final = ("group", "model", "dimension", "n", "mean", "low", "high", "status")
SHARE_COLUMNS: Final = ("group", "model", "dimension", "stage", "share", "low", "high")
_TOLERANCE: Final = 1e-3  # between probabilities given and those of the fit: roundings, not another fit
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class StageShare:
    """The expected share of a group's lessons at a stage, and its 90% interval."""

    stage: str
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One row of G.csv and, lowest stage first, those of S.csv; where nothing honest can be said, mean, low
    and high are None and there are no shares.
    """

    group: str
    model: str
    dimension: str
    n: int
    mean: float | None
    low: float | None
    high: float | None
    status: str
    shares: tuple[StageShare, ...]


def group_rows(
    placements: PlacementTable, features: FeatureTable, fit: Fit, by: By, names: tuple[str, str]
) -> tuple[GroupRow, ...]:
    """Rows by group's name and the fit's order of dimensions; names: of P.csv and F.csv, for messages.

    Raises UsageError where F.csv has no classes to group by, BadInput where the files do not belong together.
    """
    order = np.array(sorted(range(len(features.ids)), key=features.ids.__getitem__))
    windows = windows_of(features, order, Reference.of_fit(fit))
    if by == "class":
        _may_group(windows.classes, names[1])
    ids = [features.ids[row] for row in order.tolist()]
    groups = windows.schools if by == "school" else windows.classes
    found: dict[str, list[GroupRow]] = {name: [] for name in groups}
    for dimension, probs in _by_dimension(placements, ids, fit, names).items():
        own = fit.dimensions[dimension]
        score = windows.z @ np.array(own.weights) * kept(windows.share, own.noise_share)
        wanted = stage_probabilities(score, np.array(own.cutpoints))
        if not np.abs(probs - wanted).max() <= _TOLERANCE:  # NaN is no probability either
            raise BadInput(
                "placements_other_fit",
                f"{names[0]}: `{dimension}` was not scored by this fit; run `models score --fitted` again",
            )
        levels = levels_of(probs, windows, own, by)
        for i, name in enumerate(groups):
            found[name].append(_row(name, fit.model, dimension, own.stages, levels, i))
    return tuple(row for name in sorted(found) if name for row in found[name])


def write_groups(path: Path, rows: Iterable[GroupRow]) -> None:
    """G.csv: `group,model,dimension,n,mean,low,high,status`."""
    write_rows(path, COLUMNS, ([_text(getattr(row, name)) for name in COLUMNS] for row in rows))


def write_shares(path: Path, rows: Iterable[GroupRow]) -> None:
    """S.csv: `group,model,dimension,stage,share,low,high`, a row for each stage of a group with a level."""
    write_rows(
        path,
        SHARE_COLUMNS,
        (
            [row.group, row.model, row.dimension, one.stage, *map(str, (one.share, one.low, one.high))]
            for row in rows
            for one in row.shares
        ),
    )


def _row(
    name: str, model: str, dimension: str, stages: tuple[str, ...], levels: Levels, group: int
) -> GroupRow:
    mean, low, high = (_told(values[group]) for values in (levels.mean, levels.low, levels.high))
    table = np.stack([levels.share[group], levels.share_low[group], levels.share_high[group]], axis=1)
    shares: tuple[StageShare, ...] = ()
    if mean is not None:
        told = table.round(_DIGITS).tolist()
        shares = tuple(StageShare(stage, *row) for stage, row in zip(stages, told, strict=True))
    return GroupRow(
        name, model, dimension, int(levels.n[group]), mean, low, high, levels.status[group], shares
    )


def _may_group(classes: tuple[str, ...], name: str) -> None:
    if not any(classes):
        raise UsageError(
            f"{name} has no `class` column to group by: give windows their class, or use --by school"
        )
    for one, other in itertools.pairwise(classes):
        if one and one == other:
            raise BadInput(
                "class_in_two_schools",
                f"{name}: class {one[:40]!r} is in two schools: give each its own code",
            )


def _by_dimension(
    placements: PlacementTable, ids: list[str], fit: Fit, names: tuple[str, str]
) -> dict[str, Floats]:
    """Probabilities [N, K] of each dimension in the order of the ids."""
    where, other = names
    for model in sorted(set(placements.model)):
        if model != fit.model:
            raise BadInput(
                "placements_other_model",
                f"{where} has placements by `{model[:40]}`, the fit is of `{fit.model}`: score with this fit",
            )
    position = {name: i for i, name in enumerate(ids)}
    rows = {dimension: np.full(len(ids), -1) for dimension in fit.dimensions}
    for row, (window, dimension) in enumerate(zip(placements.window, placements.dimension, strict=True)):
        if dimension not in rows:
            raise BadInput("placements_other_model", f"{where}: the fit has no dimension {dimension[:40]!r}")
        at = position.get(window)
        if at is None:
            raise BadInput("windows_differ", f"{where} has window {window[:40]!r}, which {other} does not")
        if rows[dimension][at] >= 0:
            raise BadInput("windows_differ", f"{where} has window {window[:40]!r} twice on `{dimension}`")
        rows[dimension][at] = row
    found = {}
    for dimension, chosen in rows.items():
        if (chosen < 0).any():
            window = ids[int(np.argmax(chosen < 0))]
            raise BadInput(
                "windows_differ",
                f"{where} has no `{dimension}` of window {window[:40]!r}, which {other} has: score it again",
            )
        stages = len(fit.dimensions[dimension].stages)
        probs = placements.probs[chosen]
        if probs.shape[1] < stages or not np.isnan(probs[:, stages:]).all():
            raise BadInput("placements_other_model", f"{where}: `{dimension}` must have {stages} stages")
        found[dimension] = probs[:, :stages]
    return found


def _told(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), _DIGITS)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
