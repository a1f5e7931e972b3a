"""Universes of lessons whose true stages are known, made from a seed, at the level of feature rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURES
from models.integration.load import Dimension, IntegrationModel
from models.scoring.reference import shipped_reference
from models.simulator import draws, parameters
from models.simulator.draws import HABITS, NUISANCES, PAIR
from models.simulator.options import Family, Options
from models.simulator.parameters import WEIGHED
from models.simulator.warp import unwarped, warped
from models.simulator.year import starts
from shared.errors import UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# What a resolver's log cannot show: features 7 to 14, 19 and 20.
UNSEEN_BY_RESOLVERS: Final = np.array([*range(6, 14), 18, 19])

_LEAST_RATIO: Final = 0.03  # below this share of the median evidence noise grows no further
_VISITORS: Final = 4  # coaches who rate only what no fit has seen


@dataclass(frozen=True, slots=True)
class Schools:
    """latent [S, D]: where a school stands; shift [S, 23]: its habits of apps, in units of the noise."""

    latent: Floats
    shift: Floats

    def __len__(self) -> int:
        return len(self.latent)


@dataclass(frozen=True, slots=True)
class Lessons:
    """Lessons [n]: school and class_ are indices, start is in epoch seconds, level [n, D] is the truth,
    latent [n, D] what it was cut from, x [n, 24] in natural units, NaN where not visible.
    """

    ids: tuple[str, ...]
    school: Ints
    class_: Ints
    start: Ints
    latent: Floats
    level: Ints
    x: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Ints) -> "Lessons":
        """Some of the lessons, in the order asked for."""
        return Lessons(
            tuple(self.ids[i] for i in rows.tolist()),
            self.school[rows],
            self.class_[rows],
            self.start[rows],
            self.latent[rows],
            self.level[rows],
            self.x[rows],
        )


@dataclass(frozen=True, slots=True)
class Universe:
    """The parameters of one universe of D dimensions.

    A lesson's latent is normal, with `between_schools` and `between_classes` as shares of its variance and
    `loading` [D] as correlation with what is common to all dimensions; `cuts` [D][K - 1] make levels of it.
    z = effects at the lesson's places + f' nuisance [2, 23] + shift of the school + modes of pairs + noise;
    f ~ N(0, I), of which `nuisance_of_class` stays with the class; shifts ~ g' habit [2, 23] + N(0,
    habit_own^2); noise ~ N(0, noise^2 s), s = ((1 - v) + v / e) * one of `tails` * exp(rise * h), e the
    evidence over its median and h the lesson's levels from -1/2 to 1/2.
    A feature is centre + unit * warp(z / spread): log-normal where skew > 0, else linear.
    A coach's cumulative logits are sharpness * (k + 1/2 - place) - severity; `regulars` of the coaches rate
    what is fitted, the others come later.
    """

    family: Family
    dimensions: tuple[str, ...]
    cuts: tuple[Floats, ...]
    loading: Floats
    between_schools: float
    between_classes: float
    effects: tuple[Floats, ...]
    peaked: tuple[str, ...]
    pairs: Ints
    pair_size: float
    nuisance: Floats
    nuisance_of_class: float
    habit: Floats
    habit_own: Floats
    noise: Floats
    v: float
    tails: Floats
    rise: float
    skew: Floats
    spread: Floats
    centre: Floats
    unit: Floats
    median_evidence: float
    evidence_spread: float
    thin: float
    resolver_only: float
    regulars: int
    severity: Floats
    sharpness: Floats
    schools: Schools = field(repr=False)

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        *,
        model: IntegrationModel,
        dimensions: Sequence[str] = (),
        options: Options | None = None,
    ) -> "Universe":
        """A universe of the model's dimensions, or of some of them. Raises UsageError."""
        options = options or Options()
        options.check()
        scales = _chosen(model, dimensions)
        stepped = options.family == "steps"
        answers = draws.answers(rng, scales, options)
        wandering = draws.wandering(rng, options.interactions, len(scales))
        regulars = 1 if options.single_coach else options.coaches or int(rng.integers(4, 13))
        units = draws.units(rng, stepped=stepped)
        universe = cls(
            family=options.family,
            dimensions=tuple(scale.id for scale in scales),
            cuts=answers.cuts,
            loading=np.sqrt(np.clip(rng.normal(0.5, 0.08, len(scales)), 0.2, 0.8)),
            between_schools=0.088 * np.exp(rng.normal(0.0, 0.2)),
            between_classes=float(np.clip(rng.normal(0.23, 0.03), 0.1, 0.35)),
            effects=answers.effects,
            peaked=tuple(FEATURES[j] for j in np.flatnonzero(answers.peaked)),
            pairs=wandering.pairs,
            pair_size=PAIR,
            nuisance=wandering.nuisance,
            nuisance_of_class=rng.uniform(0.3, 0.6),
            habit=wandering.habit,
            habit_own=wandering.habit_own,
            noise=wandering.noise,
            v=rng.uniform(0.35, 0.65),
            tails=np.ones(1) if stepped else parameters.student_scales(rng.uniform(3.5, 6.0)),
            rise=0.0 if stepped else rng.uniform(0.3, 1.2),
            skew=units.skew,
            spread=np.sqrt((answers.sizes**2).sum(axis=0) + wandering.variance()),
            centre=units.centre,
            unit=units.unit,
            median_evidence=shipped_reference().median_evidence * np.exp(rng.normal(0.0, 0.2)),
            evidence_spread=rng.uniform(0.35, 0.6),
            thin=rng.uniform(0.03, 0.09),
            resolver_only=options.resolver_only,
            regulars=regulars,
            severity=rng.normal(0.0, 0.5, regulars + _VISITORS),
            sharpness=(3.2 if stepped else 3.4) * np.exp(rng.normal(0.0, 0.15, regulars + _VISITORS)),
            schools=Schools(np.zeros((0, len(scales))), np.zeros((0, WEIGHED))),
        )
        return universe.settled(universe.new_schools(rng, options.schools or int(rng.integers(8, 41))))

    @property
    def stages(self) -> tuple[int, ...]:
        """K of each dimension."""
        return tuple(len(cuts) + 1 for cuts in self.cuts)

    @property
    def stepped(self) -> bool:
        """Whether features answer to the level itself rather than to the latent it was cut from."""
        return self.family == "steps"

    def settled(self, schools: Schools) -> "Universe":
        """The same universe with other schools."""
        return replace(self, schools=schools)

    def new_schools(self, rng: np.random.Generator, count: int) -> Schools:
        """Schools drawn from the universe's own spread of levels and habits."""
        latent = np.sqrt(self.between_schools) * self.correlated(rng, count)
        shift = rng.normal(size=(count, HABITS)) @ self.habit
        return Schools(latent, shift + rng.normal(size=(count, WEIGHED)) * self.habit_own)

    def lessons(
        self, rng: np.random.Generator, per_school: int | Ints, *, per_class: float = 10.0
    ) -> Lessons:
        """Lessons of every school: `per_school` of each (or [S]), in classes of about `per_class` lessons.

        They come school by school, class by class, in the order of time.
        """
        counts = np.broadcast_to(np.asarray(per_school, np.int64), len(self.schools))
        school = np.repeat(np.arange(len(self.schools)), counts)
        n = len(school)
        classes = np.maximum(np.round(counts / per_class).astype(np.int64), 1)
        first = np.cumsum(classes) - classes
        class_ = np.sort(first[school] + (rng.random(n) * classes[school]).astype(np.int64))
        total = int(classes.sum())
        own = 1.0 - self.between_schools - self.between_classes
        latent = self.schools.latent[school] + np.sqrt(own) * self.correlated(rng, n)
        latent += np.sqrt(self.between_classes) * self.correlated(rng, total)[class_]
        level = self.levels(latent)
        ratio = self._evidence_ratios(rng, n)
        z = self._answers(rng, latent, class_, total)
        z += self.schools.shift[school] + self._noise(rng, level, ratio)
        x = np.full((n, len(FEATURES)), np.nan)
        x[:, :WEIGHED] = np.round(self.centre + self.unit * warped(z / self.spread, self.skew), 6)
        x[np.ix_(self._by_resolver(rng, school), UNSEEN_BY_RESOLVERS)] = np.nan
        x[:, EVIDENCE] = np.round(self.median_evidence * ratio, 3)
        x[x[:, EVIDENCE] == 0, :WEIGHED] = np.nan
        width = max(4, len(str(n)))
        ids = tuple(f"w{i:0{width}d}" for i in range(1, n + 1))
        return Lessons(ids, school, class_, starts(rng, class_, total), latent, level, x)

    def levels(self, latent: Floats) -> Ints:
        """Levels [n, D] of latents [n, D]."""
        columns = [np.searchsorted(cuts, latent[:, d]) for d, cuts in enumerate(self.cuts)]
        return np.stack(columns, axis=1).astype(np.int64)

    def place(self, latent: Floats, d: int) -> Floats:
        """Where on dimension d's scale lessons of latents [n, D] stand, as features and coaches see it."""
        return parameters.places(latent[:, d], self.cuts[d], stepped=self.stepped)

    def means(self, latent: Floats) -> Floats:
        """What z [n, 23] is on average at latents [n, D]; pairs, habits and noise are 0 on average."""
        z = np.zeros((len(latent), WEIGHED))
        for d, table in enumerate(self.effects):
            grid = parameters.grid_of(self.stages[d], stepped=self.stepped)
            z += parameters.at_places(table, grid, self.place(latent, d))
        return z

    def mode(self, latent: Floats, pair: int) -> Floats:
        """What one sign of an interacting pair's hidden mode adds to z [n, 23]; the other takes it away."""
        one, other, d = self.pairs[pair].tolist()
        relative = self.place(latent, d) / (self.stages[d] - 1)
        z = np.zeros((len(latent), WEIGHED))
        z[:, one] = self.pair_size
        z[:, other] = self.pair_size * (2.0 * relative - 1.0)
        return z

    def noise_scale(self, evidence: Floats) -> Floats:
        """Variance of the noise by evidence [n] in device-minutes, over that at the median."""
        return (1.0 - self.v) + self.v / np.maximum(evidence / self.median_evidence, _LEAST_RATIO)

    def level_scale(self, level: Ints) -> Floats:
        """Variance of the noise by levels [n, D], over that in the middle of the scales."""
        relative = level.sum(axis=1) / (sum(self.stages) - len(self.stages)) - 0.5
        scale: Floats = np.exp(self.rise * relative)
        return scale

    def straight(self, x: Floats) -> Floats:
        """z [n, 23] of features [n, 24]: the inverse of how they got their natural units."""
        return unwarped((x[:, :WEIGHED] - self.centre) / self.unit, self.skew) * self.spread

    def correlated(self, rng: np.random.Generator, n: int) -> Floats:
        """[n, D] standard normal, dimensions correlated through what is common to all."""
        common, own = rng.normal(size=(n, 1)), rng.normal(size=(n, len(self.loading)))
        return common * self.loading + own * np.sqrt(1.0 - self.loading**2)

    def _answers(self, rng: np.random.Generator, latent: Floats, class_: Ints, classes: int) -> Floats:
        n = len(latent)
        f = np.sqrt(self.nuisance_of_class) * rng.normal(size=(classes, NUISANCES))[class_]
        f += np.sqrt(1.0 - self.nuisance_of_class) * rng.normal(size=(n, NUISANCES))
        z: Floats = self.means(latent) + f @ self.nuisance
        for pair in range(len(self.pairs)):
            z += rng.choice([-1.0, 1.0], (n, 1)) * self.mode(latent, pair)
        return z

    def _noise(self, rng: np.random.Generator, level: Ints, ratio: Floats) -> Floats:
        n = len(level)
        scale = self.noise_scale(ratio * self.median_evidence) * self.level_scale(level)
        scale *= rng.choice(self.tails, n)
        return rng.normal(size=(n, WEIGHED)) * self.noise * np.sqrt(scale)[:, None]

    def _evidence_ratios(self, rng: np.random.Generator, n: int) -> Floats:
        """Log-normal around 1, some nearly nothing, one in two hundred nothing at all."""
        usual, little = np.exp(rng.normal(0.0, self.evidence_spread, n)), rng.uniform(0.005, 0.2, n)
        kind = rng.random(n)
        return np.where(kind > 0.995, 0.0, np.where(kind < self.thin, little, usual))

    def _by_resolver(self, rng: np.random.Generator, school: Ints) -> Ints:
        """Rows that only a resolver saw; schools differ in how many of theirs are such."""
        share = np.full(len(self.schools), self.resolver_only)
        if 0.0 < self.resolver_only < 1.0:
            share = rng.beta(2.0 * share, 2.0 * (1.0 - share))
        return np.flatnonzero(rng.random(len(school)) < share[school])


def _chosen(model: IntegrationModel, dimensions: Sequence[str]) -> list[Dimension]:
    unknown = set(dimensions) - {scale.id for scale in model.dimensions}
    if unknown:
        raise UsageError(f"{model.id} has no dimension `{min(unknown)}`; see `models show {model.id}`")
    return [scale for scale in model.dimensions if not dimensions or scale.id in dimensions]
