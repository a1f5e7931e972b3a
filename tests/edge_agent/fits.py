"""Fits and models of one's own as files, small and exact: what agents and hubs read in their tests."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from models.features.set1 import FEATURES
from models.integration.load import IntegrationModel, load_model
from models.scoring.fit_file import (
    DimensionFit,
    EvidenceGroup,
    FeatureReference,
    Fit,
    LeftOut,
    Quadrature,
    Sets,
    encode,
    sealed,
)
from models.scoring.scorer import rubric_weights

THRESHOLD = 0.6
OWN = """\
id = "{id}"
name = "{name}"
version = "{version}"
owner = "Two schools of one valley"
source = "Agreed among their teachers"
link = "https://example.org/own"
grain = "{grain}"
text = "What our schools look for in a lesson with iPads."
base_rates = [0.4, 0.4, 0.2]
{more}
[[stages]]
id = "begins"
name = "Begins"
text = "First steps."

[[stages]]
id = "grows"
name = "Grows"
text = "Steps of their own."

[[stages]]
id = "carries"
name = "Carries"
text = "The class could not do it otherwise."
"""
DIMENSION = """
[[dimensions]]
id = "{id}"
name = "{name}"
text = "How far children make things."

[dimensions.descriptions]
begins = "Children look on."
grows = "Children make what they were shown."
carries = "Children make what they planned."

[[dimensions.indicators]]
feature = "create_share"
weight = 0.5
source = "our own"
why = "Making shows."

[[dimensions.indicators]]
feature = "consume_share"
weight = -0.4
source = "our own"
why = "Looking on is the other end."
"""
BAND = 'shown_as = "band"\nwhy_band = "It depends on the task that was replaced, which no log can see."\n'


def write_model(
    folder: Path, name: str = "valley", *, grain: str = "lesson", version: str = "1", band: bool = False
) -> Path:
    """A school's own model of one dimension and three stages, in a folder of such."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.toml"
    text = OWN.format(
        id=name, name=f"The {name} model", version=version, grain=grain, more=BAND if band else ""
    )
    path.write_text(text + DIMENSION.format(id="making", name="Making"))
    return path


def make_fit(
    model: IntegrationModel | None = None, *, ratings: Mapping[str, int] | None = None, shift: float = 0.4
) -> Fit:
    """A fit with the rubric's weights and a cutpoint's shift; `ratings` by dimension, 200 where not said."""
    model = model or load_model("tim")
    known = ratings or {}
    n = len(FEATURES)
    reference = FeatureReference(
        mean=(0.2,) * (n - 1) + (300.0,),
        sd=(0.1,) * (n - 1) + (100.0,),
        median_evidence=300.0,
        windows=500,
        bins=((),) * n,
    )
    dimensions = {}
    for one in model.dimensions:
        count = known.get(one.id, 200)
        below = np.cumsum(one.base_rates)[:-1]
        dimensions[one.id] = DimensionFit(
            stages=tuple(stage.id for stage in one.stages),
            ratings=count,
            left_out=LeftOut(0, 0),
            calibrated=count >= 50,
            noise_share=0.5,
            weights=tuple(rubric_weights(one).tolist()),
            cutpoints=tuple((np.log(below / (1 - below)) + shift).tolist()),
            conditional=0.8,
            covariance=(),
            rubric_weight=1.0,
            weight_sd=0.35,
            school_sd=Quadrature((0.5,), (1.0,)),
            coach_sd=Quadrature((0.5,), (1.0,)),
            schools=(),
            coaches=(),
            agreement=None,
            sets=Sets("cross", 0.1, (EvidenceGroup(0.0, THRESHOLD, count),)) if count >= 50 else None,
            held_out=None,
            notes=(),
        )
    return sealed(
        Fit(
            format=1,
            model=model.id,
            version=model.version,
            feature_set="1",
            prior="rubric",
            seed=1,
            fitted="2026-09-01",
            simulated=True,
            ratings_digest="0" * 64,
            reference=reference,
            dimensions=dimensions,
        )
    )


def write_fit(path: Path, fit: Fit) -> Fit:
    """The fit in a file."""
    path.write_bytes(encode(fit))
    return fit


def altered(path: Path) -> None:
    """One rating more than its hash speaks of."""
    fit = msgspec.json.decode(path.read_bytes())
    fit["dimensions"]["active"]["ratings"] += 1
    path.write_bytes(msgspec.json.encode(fit))
