"""A model's rubric as if walkthroughs had calibrated it: what scoring with a fit, sets and verdicts costs."""

from typing import Final

import msgspec

from models.graph.rubric import rubric_fit
from models.integration.model import IntegrationModel
from models.scoring.fit_file import EvidenceGroup, Sets, sealed
from models.scoring.reference import shipped_reference
from models.scoring.scorer import Scorer

_GROUPS: Final = ((0.0, 0.85, 66), (0.6, 0.8, 67), (1.2, 0.75, 67))


def calibrated(model: IntegrationModel) -> Scorer:
    """The scorer of the rubric with three evidence groups a dimension, and another noise share in each."""
    fit = rubric_fit(model, shipped_reference())
    groups = tuple(EvidenceGroup(*group) for group in _GROUPS)
    dimensions = {
        name: msgspec.structs.replace(
            own,
            calibrated=True,
            ratings=sum(group.ratings for group in groups),
            noise_share=0.3 + 0.05 * i,
            sets=Sets("cross", 0.1, groups),
        )
        for i, (name, own) in enumerate(fit.dimensions.items())
    }
    return Scorer.fitted(model, sealed(msgspec.structs.replace(fit, dimensions=dimensions)))
