"""Why placements came out as they did: their features once more through the scorer that placed them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub.known import Known
from hub.views.common import PlacementView
from hub.views.moved import Contribution, Moved
from hub.views.school import LessonView
from models.features.set1 import FEATURES
from models.integration.load import IntegrationModel
from models.scoring.fit_file import Fit, matched, read_fit
from models.scoring.reference import Reference, shipped_reference
from models.scoring.scorer import Scored, Scorer
from shared.errors import BadInput, SettingsError, UsageError
from shared.versions import fit_in

CLOSE: Final = 1e-3  # probabilities this near to the record's are the same placement

UNKNOWN: Final = (
    "This hub does not know the version of the model that placed it, so it cannot say what moved it."
)
RESHAPED: Final = (
    "The model has {now} levels here and had {then} when it placed this, under the same version: so what"
    " moved it cannot be worked out again."
)
NO_FIT: Final = (
    "It was placed with fit {fit}, which this hub does not hold: whoever looks after the hub can put that"
    " file into its `fits` folder and restart it."
)
DIFFERS: Final = (
    "Worked out again here, it comes out differently (by up to {by:.2g}): so nothing is shown that might be"
    " untrue."
)


class Explainer:
    """The scorers that this hub can place with again: rubrics of the models it knows, and fits it holds."""

    def __init__(self, known: Known, fits: Iterable[Fit] = ()) -> None:
        self._known = known
        self._fits: dict[str, list[Fit]] = {}
        for fit in fits:
            self._fits.setdefault(fit.model, []).append(fit)
        self._scorers: dict[tuple[str, str], Scorer] = {}

    @classmethod
    def load(cls, known: Known, folder: Path) -> "Explainer":
        """With the fits (`*.json`) of a folder that may be absent; raises SettingsError for one of no use."""
        return cls(known, [_fit(path, known) for path in sorted(folder.glob("*.json")) if path.is_file()])

    def explain(self, lesson: LessonView, model: str = "") -> tuple[Moved, ...]:
        """Of each of the lesson's placements (by one model, or all) what moved it, or why that is unsaid."""
        row = _row(lesson.features)
        scored: dict[int, Scored] = {}
        return tuple(
            self._moved(lesson, one, row, scored)
            for one in lesson.placements
            if not model or one.model == model
        )

    def _moved(
        self, lesson: LessonView, one: PlacementView, row: NDArray[np.float64], scored: dict[int, Scored]
    ) -> Moved:
        model = self._known.get(one.model)
        fit = fit_in(one.version, model.version) if model else None
        dimension = self._known.dimension(one.model, one.dimension)
        if model is None or fit is None or dimension is None:
            return _untold(lesson, one, UNKNOWN)
        now, then = len(dimension.stages), len(one.probs)
        if now != then:
            return _untold(lesson, one, RESHAPED.format(now=now, then=then))
        least = np.inf
        for scorer in self._candidates(model, fit, inferred=one.verdict == "evidence_only"):
            if id(scorer) not in scored:
                scored[id(scorer)] = scorer.score(row)
            found = scored[id(scorer)]
            d = found.dimensions.index(one.dimension)
            by = float(np.abs(found.probs[0, d, :then] - one.probs).max())
            if by <= CLOSE:
                return _told(lesson, one, scorer, found, d, row[0])
            least = min(least, by)
        return _untold(lesson, one, DIFFERS.format(by=least) if least < np.inf else NO_FIT.format(fit=fit))

    def _candidates(self, model: IntegrationModel, fit: str, *, inferred: bool) -> Iterator[Scorer]:
        """Scorers that may have placed it, the likeliest first.

        A fit handed on without its people has another hash and places the same.
        """
        fits = sorted(self._fits.get(model.id, ()), key=lambda one: not (fit and one.content.startswith(fit)))
        fitted = [self._scorer(model, one) for one in fits]
        if fit:
            yield from fitted
            return
        rubric = self._scorer(model, None)
        yield from (rubric, *fitted) if inferred else (*fitted, rubric)

    def _scorer(self, model: IntegrationModel, fit: Fit | None) -> Scorer:
        key = (model.id, fit.content if fit else "")
        if key not in self._scorers:
            self._scorers[key] = Scorer.fitted(model, fit) if fit else Scorer(model, shipped_reference())
        return self._scorers[key]


def _fit(path: Path, known: Known) -> Fit:
    try:
        fit = read_fit(path)
        model = known.get(fit.model)
        if model is None:
            raise SettingsError(
                f"{path} is a fit of `{fit.model}`, a model this hub does not know: remove it"
            )
        return matched(fit, model, str(path))
    except BadInput as error:
        raise SettingsError(error.detail) from None
    except UsageError as error:
        raise SettingsError(str(error)) from None


def _row(features: Mapping[str, float | None]) -> NDArray[np.float64]:
    return np.array([[features.get(name) for name in FEATURES]], np.float64)


def _untold(lesson: LessonView, one: PlacementView, why: str) -> Moved:
    return _shaped(lesson, one, why, None, None, (), simulated=False)


def _told(
    lesson: LessonView,
    one: PlacementView,
    scorer: Scorer,
    scored: Scored,
    d: int,
    row: NDArray[np.float64],
) -> Moved:
    pushes = scored.contributions[0, d].tolist()
    found = [
        Contribution(
            feature=name,
            value=None if np.isnan(row[i]) else float(row[i]),
            typical=float(scorer.reference.mean[i]),
            push=pushes[i],
        )
        for i, name in enumerate(FEATURES)
        if scorer.weights[d, i] != 0
    ]
    found.sort(key=lambda item: (-abs(item.push), item.value is None))
    total = float(scored.score[0, d])
    simulated = _simulated(scorer.reference)
    return _shaped(lesson, one, "", float(scored.kept[0, d]), total, found, simulated=simulated)


def _simulated(reference: Reference) -> bool:
    """Whether no real lesson is behind it: a fit of a few lessons keeps the means that ship."""
    return reference.simulated or np.array_equal(reference.mean, shipped_reference().mean)


def _shaped(
    lesson: LessonView,
    one: PlacementView,
    why: str,
    kept: float | None,
    total: float | None,
    found: Sequence[Contribution],
    *,
    simulated: bool,
) -> Moved:
    return Moved(
        start=lesson.start,
        model=one.model,
        dimension=one.dimension,
        label=one.label,
        version=one.version,
        calibrated=one.calibrated,
        typical_simulated=simulated,
        why_not=why,
        kept=kept,
        total=total,
        contributions=tuple(found),
    )
