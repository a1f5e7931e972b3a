"""Whether the stated intervals hold the true mean level of schools that the fit never saw."""

import numpy as np

from benchmarks.universes.make import World
from models.grouping.tables import group_rows
from models.scoring.fit_file import Fit
from models.scoring.scorer import Scorer
from models.tables import PlacementTable


def school_intervals(world: World, fit: Fit) -> dict[str, float]:
    """Over unseen schools: share of intervals that hold the true mean of their lessons, mean width, error."""
    scored = Scorer.fitted(world.model, fit).score(world.features.x)
    placements = PlacementTable.of(world.features.ids, world.features.x, scored)
    unseen = {code for code, away in zip(world.features.school, world.unseen.tolist(), strict=True) if away}
    rows = [
        row
        for row in group_rows(placements, world.features, fit, "school", ("P.csv", "F.csv"))
        if row.dimension == world.dimension and row.group in unseen
    ]
    truth = np.array([world.school_means[row.group] for row in rows])
    low, high, mean = (np.array([getattr(row, name) for row in rows]) for name in ("low", "high", "mean"))
    return {
        "school_coverage": float(((low <= truth) & (truth <= high)).mean()),
        "school_width": float((high - low).mean()),
        "school_error": float(np.sqrt(((mean - truth) ** 2).mean())),
    }
