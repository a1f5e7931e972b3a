"""A graph in the scorer's place: the same placements, probabilities and scores as onnxruntime gives them."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.graph.read import Graph
from models.integration.model import IntegrationModel
from models.scoring.scorer import Scored, Scorer

_FAR: Final = float(np.finfo(np.float32).max)


class GraphScorer:
    """Scores feature rows by a graph of this model.

    Sets and verdicts are those of the graph's fit on the rows as given: in float32 a row that lies exactly
    on a set's threshold, as one rated window of each evidence group does, may fall on its other side.
    """

    def __init__(self, graph: Graph, model: IntegrationModel) -> None:
        self._graph = graph
        self._scorer = Scorer.fitted(model, graph.fit)
        self.fit = graph.fit
        self.dimensions = self._scorer.dimensions

    def score(self, x: NDArray[Any]) -> Scored:
        """Placements of feature rows [n, 24], NaN where missing."""
        scored = self._scorer.score(x)
        told = self._graph.run(np.clip(x, -_FAR, _FAR))
        return replace(scored, probs=told.probs.astype(np.float64), score=told.score.astype(np.float64))
