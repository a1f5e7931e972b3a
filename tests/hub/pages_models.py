"""A district that reads its lessons with several models, one of its own, as a school's agent places them."""

from collections.abc import Sequence

import msgspec
import numpy as np
from fastapi import FastAPI

from edge_agent.lessons.scoring import Scoring
from models.features.set1 import FEATURES
from models.integration.load import load_model
from models.scoring.fit_file import Fit
from models.scoring.reference import shipped_reference
from models.scoring.scorer import Scorer
from shared.records import LessonRecord, Placement, WeekPlacement, WeekRecord
from tests.edge_agent.fits import make_fit, write_fit, write_model
from tests.hub.hubs import Hub
from tests.hub.pages_district import served_by, shared_lesson
from tests.hub.records import SCHOOL, week

ALL = ("tim", "samr", "picrat", "acot", "loti", "valley")
LESSON_WIDE = ("tim", "samr", "picrat", "valley")


def reopened(hub: Hub) -> Hub:
    """The hub once more, on what its folder holds now."""
    hub.close()
    return Hub(hub.layout)


def scoring(hub: Hub, models: Sequence[str], fit: Fit | None = None) -> Scoring:
    """Scorers of models by id, TIM's by a fit where one is given."""
    own = hub.layout.models
    return Scoring(
        tuple(
            Scorer.fitted(load_model(name, own), fit)
            if fit is not None and fit.model == name
            else Scorer(load_model(name, own), shipped_reference())
            for name in models
        ),
        10,
    )


def placed_lesson(day: int, by: Scoring, **shares: float) -> LessonRecord:
    """The shared class's lesson of a day, placed from its own features."""
    plain = shared_lesson(day)
    features = plain.features | {"evidence": plain.evidence} | shares
    row = np.array([[features.get(name) for name in FEATURES]], np.float64)
    (placements,) = by.placements(row, [plain.devices])
    evidence = features["evidence"] or 0.0
    return msgspec.structs.replace(plain, features=features, placements=placements, evidence=evidence)


def week_of(by: Scoring, name: str, lessons: int = 12) -> WeekRecord:
    """A week of so many lessons that are all alike."""
    one = placed_lesson(1, by)
    return msgspec.structs.replace(
        week(name=name, lessons=lessons),
        placements=tuple(_counted(placement, lessons) for placement in one.placements),
    )


def _counted(one: Placement, lessons: int) -> WeekPlacement:
    held = {
        verdict: lessons if one.verdict == verdict else 0 for verdict in ("placed", "thin", "evidence_only")
    }
    expected = tuple(round(p * lessons, 4) for p in one.probs)
    return WeekPlacement(one.model, one.dimension, one.version, expected, **held)


def several(hub: Hub, *, weeks: Sequence[int] = (26, 27, 28, 29, 31, 32)) -> tuple[Hub, FastAPI]:
    """A school with six models, TIM calibrated by a fit that the hub holds, and a shared class."""
    write_model(hub.layout.models)
    fit = write_fit(hub.layout.fits / "tim.json", make_fit(ratings={"goal_directed": 20}))
    hub = reopened(hub)
    school = hub.join(SCHOOL, simulated=True)
    by, alone = scoring(hub, ALL, fit), scoring(hub, LESSON_WIDE, fit)
    hub.send(school, *(week_of(by, f"2025-W{n}", 10 + n % 7) for n in weeks))
    hub.send(school, *(placed_lesson(day, alone, create_share=0.1 + day / 20) for day in range(1, 6)))
    return hub, served_by(hub)
