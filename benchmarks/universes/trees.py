"""A peer: gradient-boosted trees, as scikit-learn's defaults for small data would have them."""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.universes.make import World

Ints = NDArray[np.int64]


def placed_by_trees(world: World, seed: int = 1) -> Ints:
    """Levels [n] of every window by trees that saw the same ratings, all 24 features, missing ones as such.

    Small leaves and a slow pace, since its defaults are made for more rows than walkthroughs bring.
    """
    rated = world.ratings.dimensions[world.dimension]
    trees = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=15, random_state=seed
    )
    trees.fit(world.features.x[rated.row], rated.level)
    found: Ints = trees.predict(world.features.x).astype(np.int64)
    return found
