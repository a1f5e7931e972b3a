"""Fits, models and feature rows for tests of the graph."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURES
from models.fitting.fit import Options, fit_model
from models.fitting.ratings import read_ratings
from models.graph.rubric import rubric_fit
from models.integration.model import IntegrationModel, Stage
from models.scoring.fit_file import EvidenceGroup, Fit, Sets, sealed
from models.scoring.reference import shipped_reference
from tests.models.fit_lessons import TIM, Lessons, lessons, rated, write_ratings

KNOWN: Lessons = lessons(3, 150)


def walkthrough_fit(folder: Path) -> Fit:
    """A fit of TIM to made-up walkthroughs."""
    ratings = read_ratings(write_ratings(folder / "R.csv", rated(KNOWN, 4)), TIM, KNOWN.features)
    return fit_model(TIM, KNOWN.features, ratings, Options(simulated=True), day="2026-02-03")


def model_of_widths(*widths: int) -> IntegrationModel:
    """A model of dimensions with so many stages each; the last one needs nothing."""
    dimensions = []
    for d, (width, like) in enumerate(zip(widths, (*TIM.dimensions, *TIM.dimensions), strict=False)):
        stages = tuple(Stage(f"s{k}", f"Stage {k}", "") for k in range(width))
        needs = like.needs if d < len(widths) - 1 else ()
        # Uneven, or windows without evidence would have likeliest stages only as rounding has it.
        rates = tuple((2 + k) / sum(range(2, width + 2)) for k in range(width))
        dimensions.append(replace(like, id=f"d{d}", stages=stages, base_rates=rates, needs=needs))
    return replace(TIM, id="own", version="3", dimensions=tuple(dimensions))


def calibrated_by_hand(model: IntegrationModel, *groups: tuple[EvidenceGroup, ...]) -> Fit:
    """The model's rubric with sets: a dimension's evidence groups, none for one that is not calibrated."""
    fit = rubric_fit(model, shipped_reference())
    dimensions = dict(fit.dimensions)
    for (name, found), own in zip(fit.dimensions.items(), groups, strict=True):
        if own:
            sets = Sets("cross", 0.1, own)
            dimensions[name] = msgspec.structs.replace(found, ratings=60, calibrated=True, sets=sets)
    return sealed(msgspec.structs.replace(fit, fitted="2026-02-03", dimensions=dimensions))


def random_rows(fit: Fit, rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Rows around the fit's reference with heavy tails, a tenth of the values missing; some have no evidence,
    and in some it is missing.
    """
    reference = fit.reference
    x = np.array(reference.mean) + np.array(reference.sd) * rng.standard_t(4, size=(n, len(FEATURES)))
    x[:, EVIDENCE] = reference.median_evidence * np.exp(rng.normal(size=n))
    x[rng.random(x.shape) < 0.1] = np.nan
    x[rng.random(n) < 0.05, EVIDENCE] = 0.0
    return x.astype(np.float32)
