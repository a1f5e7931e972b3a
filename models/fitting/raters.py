"""Coaches: how severe each is, how far they agree, and when that cannot be told from the ratings."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.agreement import kappa_between, krippendorff_alpha, level_counts, shared_pairs
from models.evaluation.metrics import Z90
from models.fitting.design import Design
from models.fitting.posterior import Posterior
from models.scoring.fit_file import Agreement, Effect

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEW_PAIRS: Final = 20

ONE_COACH: Final = (
    "One coach rated everything: that coach's severity cannot be identified, and it is in every placement."
)
OWN_SCHOOLS: Final = (
    "No school was rated by two coaches: a coach's severity and a school's own level cannot be told apart."
)
NOTHING_TWICE: Final = "No window was rated by two coaches: how far they agree is not known."


def effects(design: Design, posterior: Posterior) -> tuple[tuple[Effect, ...], tuple[Effect, ...]]:
    """Schools' shifts and coaches' severities (below 0: lower ratings than others'), with 90% intervals."""
    at = len(posterior.weights) + len(posterior.cuts)
    sd = np.sqrt(np.maximum(np.diagonal(posterior.covariance), 0.0))[at:]
    schools = len(posterior.school)
    return (
        _effects(design.schools, design.school, posterior.school, sd[:schools]),
        _effects(design.coaches, design.coach, posterior.coach, sd[schools:]),
    )


def agreement(design: Design) -> Agreement | None:
    """Agreement of coaches on the windows that two or more rated; None where there is none."""
    pairs = shared_pairs(design.window, design.coach, design.level)
    if not len(pairs):
        return None
    counts = level_counts(design.window, design.level, int(design.window.max()) + 1, design.stages)
    return Agreement(
        windows=int((counts.sum(axis=1) >= 2).sum()),
        kappa=_told(kappa_between(pairs, design.stages).value),
        alpha=_told(krippendorff_alpha(counts).value),
    )


def notes(design: Design, agreed: Agreement | None) -> list[str]:
    """What the ratings cannot tell of coaches, a sentence each."""
    coaches = len(np.unique(design.coach))
    if coaches == 1:
        return [ONE_COACH]
    said = []
    pairs = np.unique(np.stack([design.school, design.coach]), axis=1)
    if len(np.unique(pairs[0])) == pairs.shape[1]:
        said.append(OWN_SCHOOLS)
    elif (parts := _parts(pairs, len(design.schools), len(design.coaches))) > 1:
        said.append(
            f"Coaches fall into {parts} parts that share no school: severities compare within a part only."
        )
    if agreed is None:
        said.append(NOTHING_TWICE)
    elif agreed.windows < FEW_PAIRS:
        said.append(f"Only {agreed.windows} windows were rated by two coaches: agreement is a rough guess.")
    return said


def _effects(names: tuple[str, ...], code: Ints, mean: Floats, sd: Floats) -> tuple[Effect, ...]:
    count = np.bincount(code, minlength=len(names)).tolist()
    rows = zip(names, count, mean.tolist(), (Z90 * sd).tolist(), strict=True)
    return tuple(Effect(name, n, middle, middle - half, middle + half) for name, n, middle, half in rows)


def _parts(pairs: Ints, schools: int, coaches: int) -> int:
    """In how many parts the schools and coaches fall that are linked by ratings; pairs [2, m]."""
    label = np.arange(schools + coaches)
    one, two = pairs[0], pairs[1] + schools
    while True:
        low = label.copy()
        np.minimum.at(low, one, label[two])
        np.minimum.at(low, two, low[one])
        if (low == label).all():
            return len(np.unique(label[np.unique(one)]))
        label = low


def _told(value: float) -> float | None:
    return None if math.isnan(value) else value
