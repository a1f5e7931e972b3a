"""The reference features are standardised by: mean, standard deviation, and a median of evidence."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURE_SET, FEATURES
from models.scoring.fit_file import Fit
from shared.errors import SettingsError

SHIPPED: Final = Path(__file__).with_name("reference_set1.json")

_ROUNDING: Final = 1e-9  # a deviation below this share of the mean is the rounding of one value
LEAST_SD: Final = 1e-9  # less is no spread of anything that set 1 measures

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reference:
    """mean and sd float64 [24] in the order of set 1; median_evidence in device-minutes.

    simulated: whether no real lesson stands behind it; made: how it was made.
    """

    mean: Floats
    sd: Floats
    median_evidence: float
    simulated: bool
    made: dict[str, Any]

    def standardise(self, x: Floats) -> Floats:
        """Rows [n, 24] less the means, by the deviations; 0 where missing or infinite."""
        z = x - self.mean
        z /= self.sd
        bits = z.view(np.int64)
        # A missing value's bits times 0 are the bits of 0: far faster than an assignment under a mask.
        np.multiply(bits, np.isfinite(z), out=bits)
        return z

    @classmethod
    def of_fit(cls, fit: Fit) -> "Reference":
        """The reference of a fit: the windows it was fitted among."""
        own = fit.reference
        return cls(
            mean=np.array(own.mean),
            sd=np.array(own.sd),
            median_evidence=own.median_evidence,
            simulated=fit.simulated,
            made={"how": f"{own.windows} windows of a fit"},
        )


class _Spread(msgspec.Struct, forbid_unknown_fields=True):
    mean: float
    sd: float


class _File(msgspec.Struct, forbid_unknown_fields=True):
    feature_set: str
    simulated: bool
    made: dict[str, Any]
    median_evidence: float
    features: dict[str, _Spread]


def reference_of(x: NDArray[np.floating[Any]], *, simulated: bool, made: dict[str, Any]) -> Reference:
    """The reference of feature rows [n, 24]; missing values are left out column by column.

    A feature that was never seen, or never varies beyond what rounding does to its mean, gets deviation 1, so
    that it moves nothing by itself.
    """
    known = np.isfinite(x)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, x, 0.0).sum(axis=0) / count
    sd = np.sqrt(np.where(known, (x - mean) ** 2, 0.0).sum(axis=0) / count)
    evidence = x[known[:, EVIDENCE], EVIDENCE]
    return Reference(
        mean=mean,
        sd=np.where(sd > np.maximum(_ROUNDING * np.abs(mean), LEAST_SD), sd, 1.0),
        median_evidence=float(np.median(evidence)) if len(evidence) else 1.0,
        simulated=simulated,
        made=made,
    )


def encode(reference: Reference) -> bytes:
    """The reference as indented JSON."""
    rows = zip(FEATURES, reference.mean.tolist(), reference.sd.tolist(), strict=True)
    file = _File(
        feature_set=FEATURE_SET,
        simulated=reference.simulated,
        made=reference.made,
        median_evidence=reference.median_evidence,
        features={name: _Spread(mean, sd) for name, mean, sd in rows},
    )
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def decode(data: bytes, name: str) -> Reference:
    """JSON as a checked reference; `name` is what messages call it. Raises SettingsError."""
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: {error}") from None
    if file.feature_set != FEATURE_SET or tuple(file.features) != FEATURES:
        raise SettingsError(
            f"{name}: it must name the {len(FEATURES)} features of set {FEATURE_SET} in order"
        )
    if file.median_evidence <= 0 or any(spread.sd <= 0 for spread in file.features.values()):
        raise SettingsError(f"{name}: standard deviations and the median of evidence must be above 0")
    return Reference(
        mean=np.array([spread.mean for spread in file.features.values()]),
        sd=np.array([spread.sd for spread in file.features.values()]),
        median_evidence=file.median_evidence,
        simulated=file.simulated,
        made=file.made,
    )


@lru_cache(maxsize=1)
def shipped_reference() -> Reference:
    """The reference that comes with set 1, made by the simulator."""
    return decode(SHIPPED.read_bytes(), SHIPPED.name)
