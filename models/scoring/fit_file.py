"""FIT.json: what walkthroughs taught a model, as plain data that anyone can read and nobody can alter unseen.

A file names the feature set, the model and its version, and carries a hash of its own content. Decoding
checks every number before use; nothing in it is ever executed.
"""

import hashlib
from pathlib import Path
from typing import Final, Literal

import msgspec

from models.features.set1 import FEATURE_SET
from models.integration.load import IntegrationModel
from models.scoring.fit_check import findings
from models.scoring.fit_groups import Groups
from models.scoring.strict import Struct
from shared.errors import BadInput, UsageError

FORMAT: Final = 1
LARGEST: Final = 32 * 1024 * 1024
ENOUGH_RATINGS: Final = 50  # fewer, and a dimension stays uncalibrated


class FeatureReference(Struct, frozen=True):
    """How the features of the fit's windows spread, in the order of set 1 [24].

    bins: nine rising deciles a feature, for the drift of later lessons; empty for one that was never seen.
    """

    mean: tuple[float, ...]
    sd: tuple[float, ...]
    median_evidence: float
    windows: int
    bins: tuple[tuple[float, ...], ...]


class EvidenceGroup(Struct, frozen=True):
    """Windows from `least` times the median evidence up, to the next group: threshold, ratings behind it.

    No ratings: a step towards none, where thresholds rise to 1 because nobody rated windows so thin.
    """

    least: float
    threshold: float
    ratings: int


class Sets(Struct, frozen=True):
    """Conformal sets: `split` (held-out ratings) or `cross` (out of fold; no exact guarantee)."""

    method: Literal["split", "cross"]
    miscoverage: float
    groups: tuple[EvidenceGroup, ...]

    @property
    def rated_from(self) -> tuple[float, ...]:
        """Where the groups begin that ratings stand behind: the first from 0, its steps counted with it."""
        ends = [i for i, group in enumerate(self.groups) if group.ratings]
        return tuple(self.groups[i].least for i in (0, *(end + 1 for end in ends[:-1])))


class Quadrature(Struct, frozen=True):
    """What is known of a standard deviation: some values and how likely each is (sum 1)."""

    sd: tuple[float, ...]
    weight: tuple[float, ...]


class Effect(Struct, frozen=True):
    """A coach's severity (below 0: lower ratings) or a school's shift: log-odds with a 90% interval."""

    id: str
    ratings: int
    mean: float
    low: float
    high: float


class Agreement(Struct, frozen=True):
    """Between coaches on windows that two or more of them rated."""

    windows: int
    kappa: float | None
    alpha: float | None


class CalibrationBin(Struct, frozen=True):
    """Of `ratings` predictions near `predicted` (P(level <= k)), the share `seen` that came true."""

    stage: int
    predicted: float
    seen: float
    ratings: int


class GroupCheck(Struct, frozen=True):
    """Held-out coverage and mean set size of one evidence group."""

    least: float
    ratings: int
    coverage: float
    size: float


class HeldOut(Struct, frozen=True):
    """How the fit does on ratings it had not seen (out of fold, or split off).

    kappa: quadratic weighted, None where all was rated and placed alike; confusion: [rated level][placed
    level] counts.
    """

    ratings: int
    kappa: float | None
    accuracy: float
    within_one: float
    ece: float
    rps: float
    coverage: float
    size: float
    confusion: tuple[tuple[int, ...], ...]
    calibration: tuple[CalibrationBin, ...]
    groups: tuple[GroupCheck, ...]


class LeftOut(Struct, frozen=True):
    """Ratings that were not used: the coach had seen the placement; the window is not in the features."""

    briefed: int
    unknown_window: int


class DimensionFit(Struct, frozen=True, omit_defaults=True):
    """One dimension's scale.

    weights [24] and cutpoints [K - 1] speak of a new coach in a new school (marginal over both);
    `conditional` is what both were multiplied by; covariance, of (weights, cutpoints) on the conditional
    scale [24 + K - 1, same], is what the ratings leave open. rubric_weight and weight_sd describe the prior
    as chosen. groups: None where ratings are too few, or all of windows without evidence.
    """

    stages: tuple[str, ...]
    ratings: int
    left_out: LeftOut
    calibrated: bool
    noise_share: float
    weights: tuple[float, ...]
    cutpoints: tuple[float, ...]
    conditional: float
    covariance: tuple[tuple[float, ...], ...]
    rubric_weight: float
    weight_sd: float
    school_sd: Quadrature
    coach_sd: Quadrature
    schools: tuple[Effect, ...]
    coaches: tuple[Effect, ...]
    agreement: Agreement | None
    sets: Sets | None
    held_out: HeldOut | None
    notes: tuple[str, ...]
    groups: Groups | None = None


class Fit(Struct, frozen=True):
    """A whole fit; `content` is the hash of everything else (see `content_hash`)."""

    format: int
    model: str
    version: str
    feature_set: str
    prior: Literal["rubric", "flat"]
    seed: int
    fitted: str
    simulated: bool
    ratings_digest: str
    reference: FeatureReference
    dimensions: dict[str, DimensionFit]
    content: str = ""

    def without_people(self) -> "Fit":
        """The same fit without the codes of coaches and schools, for whoever else shall score with it."""
        bare = {
            name: msgspec.structs.replace(
                dimension,
                schools=(),
                coaches=(),
                groups=dimension.groups and msgspec.structs.replace(dimension.groups, schools=()),
            )
            for name, dimension in self.dimensions.items()
        }
        return sealed(msgspec.structs.replace(self, dimensions=bare))


def content_hash(fit: Fit) -> str:
    """SHA-256 over the fit as JSON with sorted keys and an empty `content`, in hexadecimal."""
    bare = msgspec.structs.replace(fit, content="")
    return hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()


def sealed(fit: Fit) -> Fit:
    """The fit with its content hash."""
    return msgspec.structs.replace(fit, content=content_hash(fit))


def encode(fit: Fit) -> bytes:
    """The fit, sealed, as JSON of one line for each dimension and part."""
    return msgspec.json.format(msgspec.json.encode(sealed(fit)), indent=1) + b"\n"


def decode(data: bytes, name: str) -> Fit:
    """JSON as a checked fit; `name` is what messages call it. Raises BadInput in one line."""
    if len(data) > LARGEST:
        raise BadInput("fit_too_large", f"{name}: over {LARGEST >> 20} MiB is no fit")
    try:
        fit = msgspec.json.decode(data, type=Fit)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("fit_malformed", f"{name} is no fit: {error}") from None
    if fit.format != FORMAT:
        raise BadInput("fit_version", f"{name}: format {fit.format}; this version reads {FORMAT}, fit again")
    if fit.feature_set != FEATURE_SET:
        raise BadInput(
            "fit_version", f"{name}: feature set {fit.feature_set[:20]!r}, not {FEATURE_SET}: fit again"
        )
    if fit.content != content_hash(fit):
        raise BadInput("fit_altered", f"{name}: its content does not match its hash; fetch or fit it again")
    for wrong in findings(fit, ENOUGH_RATINGS):
        raise BadInput("fit_malformed", f"{name}: {wrong}: fetch or fit it again")
    return fit


def read_fit(path: Path) -> Fit:
    """The fit in a file. Raises UsageError if there is none, BadInput if it is wrong."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the name") from None
    return decode(data, str(path))


def matched(fit: Fit, model: IntegrationModel, name: str) -> Fit:
    """The fit, if it is one of this model; raises BadInput if it is another's."""
    if (fit.model, fit.version) != (model.id, model.version):
        told = f"model `{fit.model}` version {fit.version}, not `{model.id}` version {model.version}"
        raise BadInput("fit_other_model", f"{name} was fitted for {told}: fit again")
    stages = {row.id: tuple(stage.id for stage in row.stages) for row in model.dimensions}
    if {row: dimension.stages for row, dimension in fit.dimensions.items()} != stages:
        raise BadInput("fit_other_model", f"{name}: its dimensions or stages are not the model's: fit again")
    return fit
