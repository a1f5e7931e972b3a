"""Which models judge a school's lessons: `[scoring]` of agent.toml, checked, as one scorer a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings
from models.integration.load import Grain, IntegrationModel, load_model
from models.scoring.fit_file import Fit, matched, read_fit
from models.scoring.reference import shipped_reference
from models.scoring.scorer import NO_SET, Scorer
from shared.errors import BadInput, SettingsError, UsageError
from shared.records import Placement, Verdict
from shared.versions import DIGITS, placed_by

MOST_PLACEMENTS: Final = 32  # what a record has room for

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """One model at work: what people call it, its version, and the fit behind it if there is one.

    fit: the first digits of the fit's content hash; calibrated: dimensions that walkthroughs calibrated.
    """

    id: str
    name: str
    version: str
    grain: Grain
    fit: str | None
    dimensions: int
    calibrated: int


@dataclass(frozen=True, slots=True)
class Scoring:
    """The scorers of a school's models; `minimum`: with fewer devices seen, nothing is placed."""

    scorers: tuple[Scorer, ...]
    minimum: int

    @property
    def judged(self) -> tuple[Judged, ...]:
        """What is at work, in the order of the settings."""
        return tuple(_judged(scorer) for scorer in self.scorers)

    @property
    def lesson_models(self) -> frozenset[str]:
        """Models whose grain lets one speak of a single lesson."""
        return frozenset(s.model.id for s in self.scorers if s.model.grain == "lesson")

    @property
    def scales(self) -> frozenset[tuple[str, str, str]]:
        """Model, dimension and version of every placement that these scorers make."""
        return frozenset((s.model.id, name, version_of(s)) for s in self.scorers for name in s.dimensions)

    def placements(self, features: Floats, devices: Sequence[int]) -> list[tuple[Placement, ...]]:
        """Of every window (feature rows [n, 24], devices seen) its placements by every model."""
        few = np.asarray(devices, np.int64) < self.minimum
        by_model = [_placements(scorer, features, few) for scorer in self.scorers]
        return [tuple(p for own in row for p in own) for row in zip(*by_model, strict=True)]


def load_scoring(folder: AgentFolder, settings: AgentSettings) -> Scoring:
    """The scorers that the settings name; raises SettingsError with one line that says what to do."""
    where = f"{folder.settings}: [scoring]"
    models: dict[str, IntegrationModel] = {}
    for name in settings.scoring.models:
        if name in models:
            raise SettingsError(f"{where} models: `{name}` stands twice: remove one")
        models[name] = _model(folder, name, where)
    most = sum(len(model.dimensions) for model in models.values())
    if most > MOST_PLACEMENTS:
        raise SettingsError(
            f"{where} models: {most} dimensions, a record carries {MOST_PLACEMENTS}: name fewer models"
        )
    fits = _fits(folder, settings, models, where)
    scorers = (
        Scorer.fitted(model, fits[name]) if name in fits else Scorer(model, shipped_reference())
        for name, model in models.items()
    )
    return Scoring(tuple(scorers), settings.privacy.minimum_devices)


def version_of(scorer: Scorer) -> str:
    """What a placement names as its version: the model's, and after a + the fit that placed it."""
    return placed_by(scorer.model.version, scorer.fit.content if scorer.fit else None)


def _model(folder: AgentFolder, name: str, where: str) -> IntegrationModel:
    if name.endswith(".toml"):
        raise SettingsError(
            f"{where} models: name a model by its id, not by a file: put `{Path(name).name}` into"
            f" {folder.models} and write `{Path(name).stem}`"
        )
    try:
        return load_model(name, folder.models)
    except UsageError as error:
        raise SettingsError(f"{where} models: {error}; files of your own go into {folder.models}") from None


def _fits(
    folder: AgentFolder, settings: AgentSettings, models: dict[str, IntegrationModel], where: str
) -> dict[str, Fit]:
    fits: dict[str, Fit] = {}
    for name in settings.scoring.fits:
        path = folder.resolve(name)
        try:
            fit = read_fit(path)
            if fit.model not in models:
                raise SettingsError(
                    f"{where} fits: {path} is a fit of `{fit.model}`: add it to `models`, or remove this fit"
                )
            if fit.model in fits:
                raise SettingsError(f"{where} fits: two fits of `{fit.model}`: keep the newer one")
            fits[fit.model] = matched(fit, models[fit.model], str(path))
        except BadInput as error:
            raise SettingsError(f"{where} fits: {error.detail}") from None
        except UsageError as error:
            raise SettingsError(f"{where} fits: {error}") from None
    return fits


def _judged(scorer: Scorer) -> Judged:
    fit, model = scorer.fit, scorer.model
    return Judged(
        id=model.id,
        name=model.name,
        version=model.version,
        grain=model.grain,
        fit=fit.content[:DIGITS] if fit else None,
        dimensions=len(model.dimensions),
        calibrated=sum(one.calibrated for one in fit.dimensions.values()) if fit else 0,
    )


def _placements(scorer: Scorer, features: Floats, few: NDArray[np.bool_]) -> list[tuple[Placement, ...]]:
    scored = scorer.score(features, few=few)
    version, stages = version_of(scorer), scorer.stages.tolist()
    rows = zip(scored.probs.tolist(), scored.verdicts, scored.low.tolist(), scored.high.tolist(), strict=True)
    return [
        tuple(
            Placement(
                model=scored.model,
                dimension=dimension,
                version=version,
                probs=tuple([round(p, 6) for p in probs[:count]]),
                verdict=cast("Verdict", verdict),
                low=_end(low),
                high=_end(high),
            )
            for dimension, count, probs, verdict, low, high in zip(
                scored.dimensions, stages, *row, strict=True
            )
        )
        for row in rows
    ]


def _end(stage: int) -> int | None:
    return None if stage == NO_SET else stage
