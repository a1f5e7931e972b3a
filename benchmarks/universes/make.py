"""One universe by its seed, written as CSV files and read again as anybody else's files would be."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.fitting.ratings import RatingTable, read_ratings
from models.integration.load import IntegrationModel, load_model
from models.simulator.options import Options
from models.simulator.oracle import oracle
from models.simulator.oracle_figures import oracle_figures
from models.simulator.study import Plan, conduct
from models.simulator.study_files import write_study
from models.simulator.universe import Universe
from models.tables import FeatureTable, read_features

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class World:
    """A universe as its files tell it, and what only its maker knows.

    truth: level [n] of every row of `features`; told: the oracle's probabilities [n, K]; unseen [n]: rows of
    schools without a rating; school_means: true mean level by school code; report: oracle.json.
    """

    model: IntegrationModel
    dimension: str
    features: FeatureTable
    ratings: RatingTable
    new_ratings: RatingTable
    truth: Ints
    told: Floats
    unseen: NDArray[np.bool_]
    school_means: dict[str, float]
    report: dict[str, Any]


def world(seed: int, options: Options, plan: Plan) -> World:
    """A universe of one of TIM's dimensions, which the seed picks in turn."""
    model = load_model("tim")
    dimension = model.dimensions[seed % len(model.dimensions)].id
    draws = np.random.default_rng(seed).spawn(3)
    universe = Universe.draw(draws[0], model=model, dimensions=(dimension,), options=options)
    study = conduct(draws[1], universe, plan)
    figures = oracle_figures(draws[2], universe, study.lessons)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        report = write_study(folder, study, figures, {"seed": seed})
        features = read_features(folder / "F.csv")
        ratings = read_ratings(folder / "R.csv", model, features)
        new_ratings = read_ratings(folder / "R_new.csv", model, features)
    schools = report["schools"]
    return World(
        model=model,
        dimension=dimension,
        features=features,
        ratings=ratings,
        new_ratings=new_ratings,
        truth=study.lessons.level[:, 0],
        told=oracle(universe, study.lessons)[:, 0],
        unseen=np.array([schools[code]["held_out"] for code in features.school]),
        school_means={code: schools[code]["mean"][dimension] for code in schools},
        report=report,
    )
