"""What a card says of each dimension and of the whole fit, as values: nothing here knows of pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.card.doubt import Baseline, Doubted, baseline, kappa_doubt, share_of
from models.evaluation.metrics import Z90
from models.features.set1 import FEATURE_INDEX, FEATURES
from models.integration.model import Dimension, IntegrationModel
from models.scoring.fit_file import ENOUGH_RATINGS, DimensionFit, Fit, Quadrature
from shared.pages.formats import count, listing, plural

KEPT: Final = "kept its sign"
TURNED: Final = "turned"
OPEN: Final = "undecided"


@dataclass(frozen=True, slots=True)
class Moved:
    """An indicator's weight against its rubric: log-odds of a higher stage for one standard deviation.

    expected is where the prior put it; low and high are None without a covariance; apart is how far the
    weight went from the prior, in the prior's standard deviations (None where that is 0).
    """

    feature: int
    rubric: float
    expected: float
    weight: float
    low: float | None
    high: float | None
    apart: float | None

    @property
    def verdict(self) -> str:
        """Whether the ratings left the rubric's sign as it was."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return OPEN
        return KEPT if (self.weight > 0) == (self.rubric > 0) else TURNED


@dataclass(frozen=True, slots=True)
class Held:
    """Held-out figures with their doubt, None where undefined, and what one reaches without any feature."""

    ratings: int
    kappa: Doubted | None
    accuracy: Doubted
    within_one: Doubted
    coverage: Doubted
    size: float
    ece: float
    rps: float
    without: Baseline


@dataclass(frozen=True, slots=True)
class Part:
    """One dimension: the model's own, as fitted, and what follows from both."""

    model: Dimension
    fit: DimensionFit
    held: Held | None
    moved: tuple[Moved, ...]
    coaches: int
    schools: int

    @property
    def name(self) -> str:
        """As people call it."""
        return self.model.name

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages, lowest first."""
        return tuple(stage.name for stage in self.model.stages)

    @property
    def promised(self) -> float | None:
        """The coverage that its sets aim at."""
        return 1 - self.fit.sets.miscoverage if self.fit.sets else None

    @property
    def stand(self) -> str:
        """Calibrated or prior only, and by how many ratings."""
        if not self.fit.calibrated:
            return f"prior only: {self.fit.ratings} of {ENOUGH_RATINGS} ratings"
        return f"calibrated by {count(self.fit.ratings, 'rating')}"


def parts_of(fit: Fit, model: IntegrationModel) -> tuple[Part, ...]:
    """Every dimension of a model's fit."""
    return tuple(_part(dimension, fit.dimensions[dimension.id], fit) for dimension in model.dimensions)


def headline(fit: Fit, parts: Sequence[Part]) -> str:
    """What this is and what it rests on, in one or two sentences."""
    made = "An inference from simulated lessons" if fit.simulated else "An inference"
    known = [part for part in parts if part.fit.calibrated]
    rest = len(parts) - len(known)
    if not known:
        return f"{made}, not calibrated: it rests on the rubric alone, which no walkthrough has checked yet."
    low, high = min(part.fit.ratings for part in known), max(part.fit.ratings for part in known)
    many = count(high, "walkthrough rating") if low == high else f"{low:,d} to {high:,d} walkthrough ratings"
    people = _of_people(*people_of(fit))
    if not rest:
        each = " in each dimension" if len(parts) > 1 else ""
        return f"{made}, calibrated by {many}{each}{',' if each and people else ''}{people}."
    other = listing([part.name for part in parts if not part.fit.calibrated])
    return (
        f"{made}. {listing([part.name for part in known])} {plural('is', len(known))} calibrated by {many}"
        f"{people}; {other} {'rests' if rest == 1 else 'rest'} on the rubric alone."
    )


def people_of(fit: Fit) -> tuple[int, int]:
    """How many coaches and schools stand behind any dimension; 0 where the fit does not keep them."""
    rows = fit.dimensions.values()
    return (
        len({coach.id for row in rows for coach in row.coaches}),
        len({school.id for school in (school for row in rows for school in row.schools)}),
    )


def never_seen(fit: Fit) -> tuple[int, ...]:
    """Features that no window of the fit showed."""
    return tuple(i for i, bins in enumerate(fit.reference.bins) if not bins)


def sd_of(spread: Quadrature) -> float:
    """The mean of what a standard deviation may be."""
    return float(np.dot(spread.sd, spread.weight))


def _of_people(coaches: int, schools: int) -> str:
    if not coaches or not schools:
        return ""
    one = "1 coach" if coaches == 1 else f"{coaches:,d} coaches"
    return f" of {one} in {count(schools, 'school')}"


def _part(model: Dimension, fit: DimensionFit, whole: Fit) -> Part:
    return Part(
        model=model,
        fit=fit,
        held=_held(fit, whole.seed),
        moved=tuple(_moved(model, fit)) if fit.calibrated else (),
        coaches=len(fit.coaches),
        schools=len(fit.schools),
    )


def _held(fit: DimensionFit, seed: int) -> Held | None:
    own = fit.held_out
    if own is None or not fit.calibrated:
        return None
    n = sum(map(sum, own.confusion))
    with_evidence = sum(group.ratings for group in own.groups) or n
    return Held(
        ratings=n,
        kappa=kappa_doubt(own, seed),
        accuracy=share_of(own.accuracy, n),
        within_one=share_of(own.within_one, n),
        coverage=share_of(own.coverage, with_evidence),
        size=own.size,
        ece=own.ece,
        rps=own.rps,
        without=baseline(own),
    )


def _moved(model: Dimension, fit: DimensionFit) -> list[Moved]:
    found = []
    for indicator in sorted(model.indicators, key=lambda one: FEATURES.index(one.feature)):
        j = FEATURE_INDEX[indicator.feature]
        weight, expected = fit.weights[j], fit.rubric_weight * indicator.weight * fit.conditional
        sd = fit.conditional * fit.covariance[j][j] ** 0.5 if fit.covariance else None
        apart = abs(weight - expected) / (fit.weight_sd * fit.conditional) if fit.weight_sd else None
        low, high = (None, None) if sd is None else (weight - Z90 * sd, weight + Z90 * sd)
        found.append(Moved(j, indicator.weight, expected, weight, low, high, apart))
    return found
