"""Fits of a model with every number drawn, for tests of scoring with a fit."""

import numpy as np

from models.features.set1 import EVIDENCE, FEATURES
from models.integration.model import Dimension, IntegrationModel
from models.scoring.fit_file import (
    DimensionFit,
    EvidenceGroup,
    FeatureReference,
    Fit,
    LeftOut,
    Quadrature,
    Sets,
    sealed,
)
from models.scoring.reference import shipped_reference


def drawn_fit(model: IntegrationModel, seed: int) -> Fit:
    """Weights on all features, another noise share and other cutpoints a dimension, three evidence groups."""
    rng = np.random.default_rng(seed)
    reference = shipped_reference()
    return sealed(
        Fit(
            format=1,
            model=model.id,
            version=model.version,
            feature_set="1",
            prior="rubric",
            seed=seed,
            fitted="2026-09-01",
            simulated=True,
            ratings_digest="0" * 64,
            reference=FeatureReference(
                mean=tuple(reference.mean.tolist()),
                sd=tuple(reference.sd.tolist()),
                median_evidence=reference.median_evidence,
                windows=500,
                bins=((),) * len(FEATURES),
            ),
            dimensions={one.id: _drawn(rng, one) for one in model.dimensions},
        )
    )


def _drawn(rng: np.random.Generator, dimension: Dimension) -> DimensionFit:
    weights = 0.4 * rng.normal(size=len(FEATURES))
    weights[EVIDENCE] = 0.0
    groups = ((0.0, 0.85, 60), (0.6, 0.75, 60), (1.1, 0.7, 80))
    return DimensionFit(
        stages=tuple(stage.id for stage in dimension.stages),
        ratings=200,
        left_out=LeftOut(0, 0),
        calibrated=True,
        noise_share=float(rng.uniform(0.1, 0.9)),
        weights=tuple(weights.tolist()),
        cutpoints=tuple(np.sort(1.5 * rng.normal(size=len(dimension.stages) - 1)).tolist()),
        conditional=0.9,
        covariance=(),
        rubric_weight=1.0,
        weight_sd=0.35,
        school_sd=Quadrature((0.5,), (1.0,)),
        coach_sd=Quadrature((0.5,), (1.0,)),
        schools=(),
        coaches=(),
        agreement=None,
        sets=Sets("cross", 0.1, tuple(EvidenceGroup(*group) for group in groups)),
        held_out=None,
        notes=(),
    )
