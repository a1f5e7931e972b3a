"""How much to trust the rubric, and how far schools and coaches differ: chosen by Laplace's evidence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.fitting.design import DOUBT, Design
from models.fitting.posterior import Mode, Prior, Problem, find_mode
from models.fitting.simplex import highest
from models.scoring.ordinal import cutpoints

Floats = NDArray[np.float64]

_SEARCH_TOLERANCE: Final = 1e-6
_GRID: Final = np.arange(-3.0, 4.0)
_PROBE: Final = 0.25  # step in a logarithm from which the spread of a standard deviation is told
_STEP_LIMITS: Final = (0.1, 0.5)


@dataclass(frozen=True, slots=True)
class Hyper:
    """weight_sd: of weights around the rubric's; rubric_weight: what the rubric's are multiplied by;
    school_sd, coach_sd: of the intercepts, in log-odds; noise_share: v of the shrink by evidence.
    """

    weight_sd: float = 0.35
    rubric_weight: float = 1.0
    school_sd: float = 0.5
    coach_sd: float = 0.5
    noise_share: float = 0.5


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one number before any rating, between `low` and `high`.

    positive: half-normal with scale `centre`, searched on the logarithm, where its density is highest at
    `centre` and falls to nothing at 0 (so that no standard deviation ends there); `may_vanish` takes the
    density on the value's own scale, highest at 0. share: Beta with its mode at `centre` and there as curved
    as a normal with `spread`, so that neither 0 nor 1 is believed. Else normal with `spread`.
    """

    centre: float
    spread: float
    low: float
    high: float
    positive: bool = False
    may_vanish: bool = False
    share: bool = False

    def to_search(self, value: float) -> float:
        """The value on the scale of the search."""
        return math.log(value) if self.positive else value

    def of_search(self, at: float) -> float:
        """The value between the limits that stands for a point of the search."""
        return min(max(math.exp(min(at, 50.0)) if self.positive else at, self.low), self.high)

    def log_density(self, value: float) -> float:
        """Up to a constant."""
        if self.positive:
            return (0.0 if self.may_vanish else math.log(value)) - 0.5 * (value / self.centre) ** 2
        if self.share:
            one, rest = self.centre, 1.0 - self.centre
            strength = one * rest / self.spread**2
            return strength * (one * math.log(value) + rest * math.log1p(-value))
        return -0.5 * ((value - self.centre) / self.spread) ** 2


BELIEFS: Final[Mapping[str, Belief]] = MappingProxyType(
    {
        "weight_sd": Belief(0.35, 0.5, 0.01, 3.0, positive=True),
        "rubric_weight": Belief(1.0, 0.5, 0.0, 4.0),
        "school_sd": Belief(0.5, 0.5, 0.02, 4.0, positive=True),
        "coach_sd": Belief(0.5, 0.5, 0.02, 4.0, positive=True),
        # Noise that a class's features have in common does not fade with evidence, so ratings alone would
        # often end at no noise at all, and with it at no shrink.
        "noise_share": Belief(0.5, 0.2, 0.02, 0.98, share=True),
    }
)
# Without a rubric the weights may well be nothing: what shuffled ratings teach must vanish.
FLAT_BELIEFS: Final[Mapping[str, Belief]] = MappingProxyType(
    {**BELIEFS, "weight_sd": replace(BELIEFS["weight_sd"], may_vanish=True)}
)


@dataclass(frozen=True, slots=True)
class Spread:
    """Some values of a standard deviation and how likely each is (sum 1)."""

    sd: Floats
    weight: Floats

    @property
    def variance(self) -> float:
        """The mean of the squares."""
        return float(self.weight @ self.sd**2)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the ratings chose, what they say of schools' and coaches' spread, and the mode found there.

    at_limit: names of those chosen where their belief ends, so that the ratings may have wanted more.
    """

    hyper: Hyper
    school_sd: Spread
    coach_sd: Spread
    mode: Mode
    at_limit: tuple[str, ...]


def prior_of(design: Design, hyper: Hyper, problem: Problem) -> Prior:
    """The prior of a dimension's weights and cutpoints at given hyperparameters.

    Cutpoints are at the base rates once scores spread as the prior expects them to over these ratings.
    """
    z = problem.z - problem.z.mean(axis=0) if len(problem.z) else problem.z
    rows = max(1, len(z))
    loose = float((z * z).sum()) / rows
    told = float(((z @ design.rubric) ** 2).sum()) / rows
    variance = hyper.rubric_weight**2 * told + hyper.weight_sd**2 * loose
    variance += hyper.school_sd**2 + hyper.coach_sd**2
    return Prior(
        mean=hyper.rubric_weight * design.rubric,
        precision=np.full(len(design.rubric), hyper.weight_sd**-2),
        cuts=cutpoints(design.base_rates) * math.sqrt(1 + DOUBT * variance),
        school_sd=hyper.school_sd,
        coach_sd=hyper.coach_sd,
    )


def choose(
    design: Design,
    fixed: Mapping[str, float] = MappingProxyType({}),
    beliefs: Mapping[str, Belief] = BELIEFS,
) -> Chosen:
    """The hyperparameters with the highest evidence times belief; those in `fixed` are held.

    Where the rubric is all zero its weight says nothing and is held at its belief's centre.
    """
    held = dict(fixed)
    if not design.rubric.any():
        held.setdefault("rubric_weight", beliefs["rubric_weight"].centre)
    base = replace(Hyper(**{name: belief.centre for name, belief in beliefs.items()}), **held)
    free = [name for name in beliefs if name not in held]
    search = _Search(design, {name: beliefs[name] for name in free})

    def at(point: Floats) -> Hyper:
        values = {name: beliefs[name].of_search(float(v)) for name, v in zip(free, point, strict=True)}
        return replace(base, **values)

    start = [beliefs[name].to_search(beliefs[name].centre) for name in free]
    steps = [0.5 if beliefs[name].positive else beliefs[name].spread / 2 for name in free]
    hyper = at(highest(lambda point: search.height(at(point)), start, steps))
    return Chosen(
        hyper=hyper,
        school_sd=_spread(search, hyper, "school_sd", held),
        coach_sd=_spread(search, hyper, "coach_sd", held),
        mode=search.mode(hyper),
        at_limit=tuple(
            name for name in free if getattr(hyper, name) in (beliefs[name].low, beliefs[name].high)
        ),
    )


class _Search:
    """Evidence times belief of what is free; each fit starts where the best one so far ended."""

    def __init__(self, design: Design, beliefs: Mapping[str, Belief]) -> None:
        self.design, self.beliefs = design, beliefs
        self.best = -math.inf
        self.point: Floats | None = None

    def mode(self, hyper: Hyper) -> Mode:
        problem = self.design.problem(hyper.noise_share)
        prior = prior_of(self.design, hyper, problem)
        return find_mode(problem, prior, self.point, _SEARCH_TOLERANCE)

    def height(self, hyper: Hyper) -> float:
        mode = self.mode(hyper)
        height = mode.log_evidence + sum(
            belief.log_density(getattr(hyper, name)) for name, belief in self.beliefs.items()
        )
        if height > self.best:
            self.best, self.point = height, mode.point
        return height


def _spread(search: _Search, hyper: Hyper, name: str, held: Mapping[str, float]) -> Spread:
    """How likely values around the chosen one are, the other hyperparameters held."""
    if name in held:
        return Spread(np.array([held[name]]), np.ones(1))
    belief = search.beliefs[name]
    middle = math.log(getattr(hyper, name))

    def height(at: float) -> float:
        return search.height(replace(hyper, **{name: belief.of_search(at)}))

    bend = (2 * height(middle) - height(middle - _PROBE) - height(middle + _PROBE)) / _PROBE**2
    low, high = _STEP_LIMITS
    step = min(max(0.8 / math.sqrt(max(bend, 1e-9)), low), high)
    values = np.array([belief.of_search(at) for at in middle + step * _GRID])
    heights = np.array([height(at) for at in middle + step * _GRID])
    weight = np.exp(heights - heights.max())
    return Spread(values, weight / weight.sum())
