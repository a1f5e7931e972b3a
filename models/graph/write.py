"""From a fit to the bytes of its ONNX graph: always the same ones, ending with their own hash."""

import hashlib
from typing import Any, Final

import msgspec

from models.features.set1 import FEATURE_SET, FEATURES
from models.graph.nodes import write_probabilities, write_score
from models.graph.scales import scales_of
from models.graph.set_nodes import write_sets
from models.graph.sheet import FLOAT, INT64, Sheet
from models.integration.model import Dimension, IntegrationModel
from models.scoring.fit_file import DimensionFit, Fit, matched
from models.scoring.sets import VERDICTS

GRAPH_FORMAT: Final = "1"  # another one whenever the operators change: readers make the graph again
HASH_LENGTH: Final = 64
_BLANK: Final = "0" * HASH_LENGTH


def encode(model: IntegrationModel, fit: Fit, name: str = "the fit") -> bytes:
    """The ONNX file of a fit of this model, the codes of coaches and schools left out.

    Input `x` float32 [N, 24] in the order of set 1, NaN where missing. Outputs: `probs` float32 [N, D, K],
    NaN past a dimension's last stage; `score` float32 [N, D]; `low`, `high` (the set's ends, -1: none) and
    `verdict` (index of `verdicts`), int64 [N, D]. Windows with too few devices are for the caller to call
    thin. Raises BadInput if the fit is another model's.
    """
    bare = matched(fit, model, name).without_people()
    scales = scales_of(model, bare)
    dimensions, stages = scales.past.shape
    sheet = Sheet()
    write_score(sheet, scales)
    write_probabilities(sheet, scales)
    write_sets(sheet, scales)
    placed = (INT64, ("N", dimensions))
    blank = sheet.file(
        f"{model.id}_scorer",
        {"x": (FLOAT, ("N", len(FEATURES)))},
        {
            "probs": (FLOAT, ("N", dimensions, stages)),
            "score": (FLOAT, ("N", dimensions)),
            "low": placed,
            "high": placed,
            "verdict": placed,
        },
        _properties(model, bare),
    )
    return blank[:-HASH_LENGTH] + content_hash(blank).encode()


def content_hash(file: bytes) -> str:
    """SHA-256, in hexadecimal, of a graph's file with zeros where it holds its hash: its last 64 bytes."""
    return hashlib.sha256(file[:-HASH_LENGTH] + _BLANK.encode()).hexdigest()


def _properties(model: IntegrationModel, fit: Fit) -> dict[str, str]:
    """The file's metadata; the hash must come last."""
    rows = [_about(dimension, fit.dimensions[dimension.id]) for dimension in model.dimensions]
    return {
        "commonground_graph": GRAPH_FORMAT,
        "model": fit.model,
        "version": fit.version,
        "feature_set": FEATURE_SET,
        "features": _json(FEATURES),
        "fitted": fit.fitted,
        "status": _status(fit),
        "simulated": _json(fit.simulated),
        "windows": str(fit.reference.windows),
        "ratings": _json({row["id"]: row["ratings"] for row in rows}),
        "dimensions": _json(rows),
        "verdicts": _json(VERDICTS),
        "fit": _json(fit),
        "content_hash": _BLANK,
    }


def _about(dimension: Dimension, fit: DimensionFit) -> dict[str, Any]:
    return {
        "id": dimension.id,
        "stages": fit.stages,
        "ratings": fit.ratings,
        "calibrated": fit.calibrated,
        "needs": dimension.needs,
        "evidence_groups": fit.sets.groups if fit.sets else (),
    }


def _status(fit: Fit) -> str:
    """`prior` where nothing is calibrated, else `simulated` or `calibrated`."""
    if not any(dimension.calibrated for dimension in fit.dimensions.values()):
        return "prior"
    return "simulated" if fit.simulated else "calibrated"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
