"""How a fit does in one universe: against the truth, against coaches, in schools it never saw."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.universes.make import World
from models.evaluation.agreement import quadratic_weighted_kappa
from models.evaluation.calibration import calibration_error
from models.features.set1 import EVIDENCE
from models.fitting.fit import Options, fit_model
from models.scoring.fit_file import Fit
from models.scoring.reference import reference_of
from models.scoring.scorer import Scored, Scorer

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Figures = Mapping[str, float]

_DAY = "2026-11-21"
_GROUPS = ("thin", "middle", "full")


def fitted(world: World, *, prior: str = "rubric", seed: int = 1) -> Fit:
    """The fit of the world's ratings."""
    options = Options(prior="flat" if prior == "flat" else "rubric", seed=seed, simulated=True)
    return fit_model(world.model, world.features, world.ratings, options, day=_DAY)


def kappa(placed: Ints, level: Ints, stages: int) -> float:
    """Quadratic weighted kappa, 0 where it is undefined because everything was placed alike."""
    value = quadratic_weighted_kappa(placed, level, stages).value
    return 0.0 if math.isnan(value) else value


def judged(world: World, fit: Fit) -> dict[str, float]:
    """Figures over lessons without a rating in the fit, and over the ratings it has not seen."""
    scorer = Scorer.fitted(world.model, fit)
    scored = scorer.score(world.features.x)
    d = scorer.dimensions.index(world.dimension)
    return {
        **against_truth(world, scored.probs[:, d, : scorer.stages[d]].argmax(axis=1)),
        **_against_coaches(world, scored, d, int(scorer.stages[d])),
        **_halved(world, scorer, d),
    }


def truthful(world: World, fit: Fit) -> float:
    """Kappa of the fit's likeliest levels against the true ones."""
    scorer = Scorer.fitted(world.model, fit)
    d = scorer.dimensions.index(world.dimension)
    return against_truth(world, scorer.score(world.features.x).probs[:, d].argmax(axis=1))["kappa"]


def against_truth(world: World, placed: Ints) -> dict[str, float]:
    """Kappa of placed levels [n] against the true ones and its share of the oracle's, over fresh lessons."""
    stages = world.told.shape[1]
    own = kappa(placed[world.fresh], world.truth, stages)
    best = kappa(world.told.argmax(axis=1), world.truth, stages)
    return {"kappa": own, "oracle": best, "share": own / best}


def rubric_only(world: World) -> dict[str, float]:
    """The rubric without any rating, on the reference of the world's own windows."""
    reference = reference_of(world.features.x, simulated=True, made={})
    scorer = Scorer(world.model, reference)
    d = scorer.dimensions.index(world.dimension)
    return against_truth(world, scorer.score(world.features.x).probs[:, d].argmax(axis=1))


def _against_coaches(world: World, scored: Scored, d: int, stages: int) -> dict[str, float]:
    rated = world.new_ratings.dimensions[world.dimension]
    probs, level = scored.probs[rated.row, d, :stages], rated.level
    low, high = scored.low[rated.row, d], scored.high[rated.row, d]
    held, size = (low <= level) & (level <= high), high - low + 1
    evidence = world.features.x[rated.row, EVIDENCE]
    group = np.digitize(evidence, np.quantile(evidence, (1 / 3, 2 / 3)))
    unseen = world.unseen[rated.row]
    return {
        "ece": calibration_error(probs, level),
        "coverage": float(held.mean()),
        "covered": float(held.sum()),
        "judged": float(len(held)),
        "size": float(size.mean()),
        **{f"coverage_{name}": float(held[group == i].mean()) for i, name in enumerate(_GROUPS)},
        "coverage_unseen_schools": float(held[unseen].mean()),
    }


def _halved(world: World, scorer: Scorer, d: int) -> dict[str, float]:
    """How much wider sets are at half the evidence, and how many empty windows are placed all the same."""
    x = world.features.x.copy()
    whole = scorer.score(x)
    x[:, EVIDENCE] /= 2
    half = scorer.score(x)
    x[:, EVIDENCE] = 0
    empty = scorer.score(x)
    sizes = [float((one.high[:, d] - one.low[:, d]).mean()) for one in (whole, half)]
    return {
        "wider_by_half": sizes[1] - sizes[0],
        "empty_placed": float((empty.codes[:, d] == 0).sum()),
    }
