"""A model's rubric told as a fit that no rating has touched, so that one kind of graph serves both."""

from typing import Final

from models.features.set1 import FEATURE_SET, FEATURES
from models.integration.model import Dimension, IntegrationModel
from models.scoring.fit_check import RUBRIC
from models.scoring.fit_file import FORMAT, DimensionFit, FeatureReference, Fit, LeftOut, Quadrature, sealed
from models.scoring.ordinal import cutpoints
from models.scoring.reference import Reference
from models.scoring.scorer import rubric_weights
from models.scoring.shrink import NOISE_SHARE

_UNKNOWN: Final = Quadrature((0.0,), (1.0,))


def rubric_fit(model: IntegrationModel, reference: Reference) -> Fit:
    """What `Scorer(model, reference)` scores by, as a fit with no ratings and nothing calibrated."""
    return sealed(
        Fit(
            format=FORMAT,
            model=model.id,
            version=model.version,
            feature_set=FEATURE_SET,
            prior="rubric",
            seed=0,
            fitted=RUBRIC,
            simulated=reference.simulated,
            ratings_digest="",
            reference=FeatureReference(
                mean=tuple(reference.mean.tolist()),
                sd=tuple(reference.sd.tolist()),
                median_evidence=reference.median_evidence,
                windows=0,
                bins=((),) * len(FEATURES),
            ),
            dimensions={dimension.id: _by_rubric(dimension) for dimension in model.dimensions},
        )
    )


def _by_rubric(dimension: Dimension) -> DimensionFit:
    return DimensionFit(
        stages=tuple(stage.id for stage in dimension.stages),
        ratings=0,
        left_out=LeftOut(0, 0),
        calibrated=False,
        noise_share=NOISE_SHARE,
        weights=tuple(rubric_weights(dimension).tolist()),
        cutpoints=tuple(cutpoints(dimension.base_rates).tolist()),
        conditional=1.0,
        covariance=(),
        rubric_weight=1.0,
        weight_sd=0.0,
        school_sd=_UNKNOWN,
        coach_sd=_UNKNOWN,
        schools=(),
        coaches=(),
        agreement=None,
        sets=None,
        held_out=None,
        notes=("The rubric alone: no rating stands behind it.",),
    )
