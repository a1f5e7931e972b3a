"""Small made-up lessons with known levels, and coaches' ratings of them, for tests of the fit."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURES
from models.fitting.design import Design
from models.integration.load import IntegrationModel, load_model
from models.scoring.scorer import rubric_weights
from models.tables import FeatureTable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MEDIAN = 300.0
RATES = (0.22, 0.33, 0.25, 0.14, 0.06)
TIM: IntegrationModel = load_model("tim")


@dataclass(frozen=True)
class Lessons:
    """Features of n lessons, their true level [n, D], and each school's number [n]."""

    features: FeatureTable
    level: Ints
    school: Ints


def lessons(seed: int, n: int, schools: int = 12, missing: float = 0.05) -> Lessons:
    """Features follow each dimension's level along its rubric, with noise that grows as evidence thins."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, len(TIM.dimensions))) + rng.normal(size=(n, 1))
    latent /= np.sqrt(2)
    rubric = np.stack([rubric_weights(dimension) for dimension in TIM.dimensions])
    share = np.exp(0.6 * rng.normal(size=n))
    school = rng.integers(0, schools, n)
    x = latent @ rubric * 1.3 + 0.3 * rng.normal(size=(schools, len(FEATURES)))[school]
    x += rng.normal(size=x.shape) * np.sqrt(0.5 + 0.5 / share)[:, None]
    x[rng.random(x.shape) < missing] = np.nan
    x[:, EVIDENCE] = MEDIAN * share
    cuts = np.quantile(latent, np.cumsum(RATES)[:-1], axis=0)
    level = np.stack([np.searchsorted(cuts[:, d], latent[:, d]) for d in range(latent.shape[1])], axis=1)
    ids = tuple(f"w{i:05d}" for i in range(n))
    names = tuple(f"school-{code:02d}" for code in school.tolist())
    return Lessons(FeatureTable(ids, names, None, None, x), level, school)


def rated(
    known: Lessons, seed: int, coaches: int = 4, severity: float = 0.5, twice: float = 0.1
) -> list[tuple[str, str, str, str, int]]:
    """Rows of R.csv: each lesson rated on every dimension by one coach, some by a second one too."""
    rng = np.random.default_rng(seed)
    severe = severity * rng.normal(size=coaches)
    most = len(RATES) - 1
    rows = []
    for i, window in enumerate(known.features.ids):
        raters = rng.permutation(coaches)[: 2 if coaches > 1 and rng.random() < twice else 1]
        for d, dimension in enumerate(TIM.dimensions):
            for coach in raters.tolist():
                heard = known.level[i, d] + 0.5 * severe[coach] + 0.45 * rng.normal()
                level = int(np.clip(np.round(heard), 0, most))
                rows.append((window, dimension.id, f"coach-{coach}", known.features.school[i], level))
    return rows


def write_ratings(path: Path, rows: list[tuple[str, str, str, str, int]]) -> Path:
    """R.csv of rows."""
    lines = ["window,dimension,coach,school,level", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def design(
    seed: int,
    n: int = 200,
    *,
    weights: Floats | None = None,
    rubric: Floats | None = None,
    schools: int = 12,
    school_sd: float = 0.5,
    coaches: int = 6,
    coach_sd: float = 0.5,
    features: int = 23,
) -> Design:
    """Ratings drawn from the very model that is fitted: proportional odds with normal intercepts."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, features))
    true = np.zeros(features) if weights is None else weights
    school, coach = rng.integers(0, schools, n), rng.integers(0, coaches, n)
    eta = z @ true + (school_sd * rng.normal(size=schools))[school]
    eta += (coach_sd * rng.normal(size=coaches))[coach]
    level = np.searchsorted([-1.5, 0.2, 1.5, 3.0], eta + rng.logistic(size=n))
    return Design(
        z=z,
        share=np.exp(0.5 * rng.normal(size=n)).clip(1.0),
        level=level,
        school=school,
        coach=coach,
        window=np.arange(n),
        schools=tuple(f"s{i:03d}" for i in range(schools)),
        coaches=tuple(f"c{i:02d}" for i in range(coaches)),
        rubric=np.zeros(features) if rubric is None else rubric,
        base_rates=RATES,
    )
