"""From a scorer, features and ratings to a report: every rating beside its window's placement."""

import numpy as np

from models.evaluation.metrics import DEFAULT_RULE
from models.evaluation.notes import report_notes
from models.evaluation.rated import LeftOut, Rated
from models.evaluation.report import DRAWS, Report, dimension_report
from models.features.set1 import EVIDENCE
from models.fitting.ratings import RatingTable
from models.scoring.fit_file import DimensionFit
from models.scoring.scorer import Scorer
from models.tables import FeatureTable


def evaluate(
    scorer: Scorer, features: FeatureTable, ratings: RatingTable, *, seed: int, draws: int = DRAWS
) -> Report:
    """How the scorer's placements meet the ratings; the scorer's fit, if it has one, decides sets and notes.

    seed: of bootstrap, shuffling and chance calibration; draws: how many of the first two.
    """
    fit = scorer.fit
    left_out = LeftOut(
        briefed=sum(one.briefed for one in ratings.dimensions.values()),
        unknown_window=sum(one.unknown_window for one in ratings.dimensions.values()),
        other_school=ratings.other_school,
    )
    dimensions = []
    for rated in rated_dimensions(scorer, features, ratings):
        own = fit.dimensions[rated.dimension] if fit else None
        schools = {features.school[row] for row in ratings.dimensions[rated.dimension].row.tolist()}
        report = dimension_report(
            rated,
            seed=seed,
            promised=1 - own.sets.miscoverage if own and own.sets else None,
            seen_schools=len(schools & {school.id for school in own.schools}) if own else 0,
            draws=draws,
        )
        dimensions.append(report)
    return Report(
        model=scorer.model.id,
        version=scorer.model.version,
        fitted=fit.fitted if fit else None,
        simulated=fit.simulated if fit else scorer.reference.simulated,
        seed=seed,
        rule=DEFAULT_RULE,
        left_out=left_out,
        dimensions=tuple(dimensions),
        notes=report_notes(
            fitted=fit is not None,
            simulated=fit.simulated if fit else scorer.reference.simulated,
            trained_on_these=fit is not None and fit.ratings_digest == ratings.digest,
            left_out=left_out,
        ),
    )


def rated_dimensions(scorer: Scorer, features: FeatureTable, ratings: RatingTable) -> list[Rated]:
    """Each dimension's ratings with the placements of their windows; only rated windows are scored."""
    rows = np.unique(np.concatenate([one.row for one in ratings.dimensions.values()]))
    x = features.x[rows]
    scored = scorer.score(x)
    share = x[:, EVIDENCE] / scorer.reference.median_evidence
    _, school = np.unique([features.school[row] for row in rows.tolist()], return_inverse=True)
    found = []
    for d, dimension in enumerate(scorer.model.dimensions):
        own = ratings.dimensions[dimension.id]
        window = np.searchsorted(rows, own.row)
        rated = Rated(
            dimension=dimension.id,
            stages=tuple(stage.id for stage in dimension.stages),
            probs=scored.probs[window, d, : len(dimension.stages)],
            low=scored.low[window, d],
            high=scored.high[window, d],
            verdict=scored.codes[window, d],
            evidence=share[window],
            least=_least(scorer.fit.dimensions[dimension.id] if scorer.fit else None),
            window=window,
            coach=own.coach,
            coaches=ratings.coaches,
            school=school[window],
            level=own.level,
        )
        found.append(rated)
    return found


def _least(fit: DimensionFit | None) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(fit.sets.rated_from if fit and fit.sets else (0.0,))
