"""One universe by its seed, written as CSV files and read again as anybody else's files would be."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.fitting.ratings import RatingTable, read_ratings
from models.integration.load import IntegrationModel, load_model
from models.simulator.options import Options
from models.simulator.oracle import oracle
from models.simulator.oracle_figures import school_means
from models.simulator.study import Plan, conduct
from models.simulator.study_files import school_codes, write_tables
from models.simulator.universe import Universe
from models.tables import FeatureTable, read_features

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

JUDGED: Final = 1500  # lessons at most on which a fit is set beside the oracle, who takes his time


@dataclass(frozen=True, slots=True)
class World:
    """A universe as its files tell it, and what only its maker knows.

    fresh [m]: rows of lessons without a rating in `ratings`; truth, told: their level [m] and the oracle's
    probabilities [m, K]; unseen [n]: rows of schools without a rating; school_means: true mean by code.
    """

    model: IntegrationModel
    dimension: str
    features: FeatureTable
    ratings: RatingTable
    new_ratings: RatingTable
    fresh: Ints
    truth: Ints
    told: Floats
    unseen: NDArray[np.bool_]
    school_means: dict[str, float]


def world(seed: int, options: Options, plan: Plan) -> World:
    """A universe of one of TIM's dimensions, which the seed picks in turn."""
    model = load_model("tim")
    dimension = model.dimensions[seed % len(model.dimensions)].id
    draws = np.random.default_rng(seed).spawn(3)
    universe = Universe.draw(draws[0], model=model, dimensions=(dimension,), options=options)
    study = conduct(draws[1], universe, plan)
    lessons = study.lessons
    with tempfile.TemporaryDirectory() as place:
        write_tables(Path(place), study)
        features = read_features(Path(place) / "F.csv")
        ratings = read_ratings(Path(place) / "R.csv", model, features)
        new_ratings = read_ratings(Path(place) / "R_new.csv", model, features)
    fresh = np.setdiff1d(np.arange(len(lessons)), study.ratings.window)
    fresh = np.sort(draws[2].permutation(fresh)[:JUDGED])
    means = school_means(universe, lessons)[0][:, 0].tolist()
    return World(
        model=model,
        dimension=dimension,
        features=features,
        ratings=ratings,
        new_ratings=new_ratings,
        fresh=fresh,
        truth=lessons.level[fresh, 0],
        told=oracle(universe, lessons.take(fresh))[:, 0],
        unseen=study.held_out[lessons.school],
        school_means=dict(zip(school_codes(study), means, strict=True)),
    )
