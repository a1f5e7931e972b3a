"""A graph's file as something to score with: proven to be what its own fit makes before any of it runs.

The hash finds accidents; it is no signature, and anybody can give a hostile graph a fitting one. So the
reader takes the fit out, makes the graph again, and compares the bytes: other operators, outside data or
other sizes cannot pass.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import FEATURE_SET, FEATURES
from models.graph.wire import MalformedError, walk
from models.graph.write import GRAPH_FORMAT, HASH_LENGTH, content_hash, encode
from models.integration.model import IntegrationModel
from models.scoring.fit_file import Fit, decode
from shared.errors import BadInput, UsageError

LARGEST: Final = 32 * 1024 * 1024
BLOCK: Final = 4096  # rows that run at once, so that memory does not grow with them

_FIRST_BYTE: Final = b"\x08"  # the tag of `ir_version`; no JSON begins with it
_MOST_FIELDS: Final = 64
_PROPERTY: Final = 14


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the graph says of n rows: probs float32 [n, D, K], NaN past a dimension's last stage; score
    float32 [n, D]; low, high (-1: no set) and verdict (index of `sets.VERDICTS`), int64 [n, D].
    """

    probs: NDArray[np.float32]
    score: NDArray[np.float32]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    verdict: NDArray[np.int64]


@dataclass(frozen=True)
class Graph:
    """A graph that was found sound, and the fit (or the rubric told as one) that it is made of."""

    file: bytes
    fit: Fit

    @cached_property
    def session(self) -> Any:
        """The graph in onnxruntime, on one thread."""
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(self.file, options, providers=["CPUExecutionProvider"])

    def run(self, x: NDArray[Any]) -> Outputs:
        """Rows [n, 24] through the graph as float32, in blocks."""
        if x.ndim != 2 or x.shape[1] != len(FEATURES):
            raise ValueError(f"expected rows of {len(FEATURES)} features, not an array of shape {x.shape}")
        rows = np.ascontiguousarray(x, np.float32)
        names = Outputs.__slots__
        starts = range(0, max(len(rows), 1), BLOCK)
        parts = [self.session.run(names, {"x": rows[start : start + BLOCK]}) for start in starts]
        return Outputs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def is_graph(path: Path) -> bool:
    """Whether a file begins as an ONNX graph does, whatever it is called; False if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(1) == _FIRST_BYTE
    except OSError:
        return False


def read_graph(path: Path, model: IntegrationModel) -> Graph:
    """The graph of a model in a file. Raises UsageError if there is none, BadInput if it is wrong."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the name") from None
    return sound(data, model, str(path))


def sound(data: bytes, model: IntegrationModel, name: str) -> Graph:
    """A graph's bytes, checked; `name` is what messages call them. Raises BadInput in one line."""
    if len(data) > LARGEST:
        raise BadInput("graph_too_large", f"{name}: over {LARGEST >> 20} MiB is no graph of a scorer")
    told = _properties(data, name)
    if told.get("commonground_graph") != GRAPH_FORMAT:
        raise BadInput(
            "graph_version", f"{name} is no graph of format {GRAPH_FORMAT}: export it with this version"
        )
    if told.get("feature_set") != FEATURE_SET:
        found = told.get("feature_set", "")[:20]
        raise BadInput("graph_version", f"{name}: feature set {found!r}, not {FEATURE_SET}: export it again")
    if (told.get("model"), told.get("version")) != (model.id, model.version):
        found = f"{told.get('model', '')[:60]!r} version {told.get('version', '')[:20]!r}"
        raise BadInput(
            "graph_other_model",
            f"{name} is of model {found}, not {model.id!r} version {model.version!r}: export it again",
        )
    if told.get("content_hash") != content_hash(data):
        raise BadInput(
            "graph_altered", f"{name}: its content does not match its hash; fetch or export it again"
        )
    fit = decode(told.get("fit", "").encode(), f"the fit in {name}")
    if encode(model, fit, f"the fit in {name}") != data:
        raise BadInput("graph_foreign", f"{name} is not the graph that its own fit makes: export it again")
    return Graph(data, fit)


def _properties(data: bytes, name: str) -> dict[str, str]:
    """The file's metadata, of which the hash must be the last thing in it."""
    found: dict[str, str] = {}
    end = 0
    try:
        for count, (field, start, stop) in enumerate(walk(data, 0, len(data))):
            if count == _MOST_FIELDS:
                raise MalformedError
            end = stop
            if field == _PROPERTY:
                (_, *key), (_, *value) = walk(data, start, stop)
                word = data[slice(*key)].decode()
                if word in found:
                    raise MalformedError
                found[word] = data[slice(*value)].decode()
    except ValueError:  # MalformedError, a text that is none, or another number of fields
        raise BadInput("graph_malformed", f"{name} is no ONNX graph of a scorer: export it again") from None
    if end == 0 or found.get("content_hash") != data[-HASH_LENGTH:].decode("latin-1"):
        raise BadInput("graph_malformed", f"{name} does not end with its hash: export it again")
    return found
