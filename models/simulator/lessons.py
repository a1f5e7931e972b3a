"""Made-up lessons: a school's habits, a plan at a latent level, and what the class's devices then do."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from models.catalogue.load import Catalogue
from models.simulator import tables
from models.simulator.events import Events, lesson_events
from models.simulator.plan import LessonPlan, Step
from shared.errors import SettingsError

__all__ = ["Events", "Habits", "LessonPlan", "Step", "lesson_events", "plan_lesson"]

LEVELS: Final = 5
BASE_RATES: Final = (0.22, 0.33, 0.25, 0.14, 0.06)
USUAL_MINUTES: Final = 45

_YOUNG_NAMES: Final = ("k", "pk", "tk", "ec")
_MIDDLE_GRADE: Final = 6


@dataclass(frozen=True, slots=True)
class Habits:
    """A school's habits: how much it likes each app for each activity, and what its fleet shows of them.

    liking: (activity, subject family) -> catalogue index -> weight, summing to 1; subject "" for the common
    apps. reporting: apps that report actions. online: apps whose use the network shows. cached: seconds
    for which an answer is remembered, by app. distractions: off-task apps. grades: app -> lowest and
    highest grade.
    """

    liking: Mapping[tuple[str, str], Mapping[int, float]]
    reporting: frozenset[int]
    online: frozenset[int]
    cached: Mapping[int, float]
    distractions: tuple[int, ...]
    grades: Mapping[int, tuple[int, int]]

    @classmethod
    def draw(cls, rng: np.random.Generator, catalogue: Catalogue) -> "Habits":
        """Habits of one made-up school. Raises SettingsError if the catalogue lacks an app of the tables."""
        pools = {(activity, ""): names for activity, names in tables.APPS.items()} | dict(tables.SUBJECT_APPS)
        liking = {}
        for key, names in pools.items():
            weights = rng.dirichlet(np.full(len(names), 0.7))
            liking[key] = MappingProxyType(
                {_index(catalogue, name): float(w) for name, w in zip(names, weights, strict=True)}
            )
        used = sorted({app for pool in liking.values() for app in pool})
        distractions = tuple(_index(catalogue, name) for name in tables.DISTRACTIONS)
        cached = np.clip(rng.lognormal(np.log(300), 0.7, len(catalogue.apps) + 1), 60, 1800)
        may_report = [_index(catalogue, name) for name in tables.MAY_REPORT]
        return cls(
            liking=MappingProxyType(liking),
            reporting=frozenset(app for app in may_report if rng.random() < 0.6),
            online=frozenset(app for app in (*used, *distractions) if catalogue.apps[app - 1].domains),
            cached=MappingProxyType({app: float(cached[app]) for app in (0, *used, *distractions)}),
            distractions=tuple(rng.permutation(distractions)[:4].tolist()),
            grades=MappingProxyType({_index(catalogue, name): span for name, span in tables.GRADES.items()}),
        )


def plan_lesson(
    rng: np.random.Generator, habits: Habits, *, subject: str, grade: int | str, level: int | None = None
) -> LessonPlan:
    """A plan for one lesson; `level` 0..4 is drawn at the base rates if not given.

    subject: any name; grade: a number, or a name as in class lists ("KG", "04"). The level shows only
    through noise: two lessons of one level differ, and lessons of neighbouring levels may look alike.
    """
    if level is None:
        level = int(rng.choice(LEVELS, p=BASE_RATES))
    number = _grade_number(grade)
    shown_as = float(np.clip(level + rng.normal(0, 0.55), 0, LEVELS - 1))
    activities = list(tables.ACTIVITIES)
    chance = np.array([_at(row, shown_as) for row in tables.ACTIVITIES.values()])
    count = 2 + rng.poisson(0.8 + 0.25 * shown_as)
    chosen = rng.choice(len(activities), size=count, p=chance / chance.sum())
    phase = np.argsort(chosen + rng.normal(0, 1.2, count), kind="stable")
    minutes = rng.dirichlet(np.full(count, 4.0)) * USUAL_MINUTES
    family = _family(subject)
    steps = tuple(
        _step(rng, habits, activities[chosen[i]], family, number, float(minutes[i]), shown_as) for i in phase
    )
    return LessonPlan(
        level=level,
        subject=subject,
        grade=number,
        steps=steps,
        shown_as=shown_as,
        reporting=habits.reporting,
        online=habits.online,
        cached=habits.cached,
        distractions=habits.distractions,
    )


def _step(
    rng: np.random.Generator,
    habits: Habits,
    activity: str,
    family: str,
    grade: int,
    minutes: float,
    shown_as: float,
) -> Step:
    pool = habits.liking.get((activity, family), habits.liking[activity, ""])
    fits = [app for app in pool if _suits(habits.grades.get(app), grade)] or list(pool)
    weights = np.array([pool[app] for app in fits]) + 1e-6
    options = min(len(fits), max(1, round(_at(tables.OPTIONS, shown_as) + rng.normal(0, 0.5))))
    chosen = rng.choice(fits, size=options, replace=False, p=weights / weights.sum())
    return Step(
        activity=activity,
        minutes=minutes,
        apps=tuple(int(app) for app in chosen),
        follow=float(np.clip(_at(tables.FOLLOW, shown_as) + rng.normal(0, 0.08), 0.1, 1)),
        shown=activity == "watch" and bool(rng.random() < _at(tables.SHOWN, shown_as)),
    )


def _at(row: tables.Levels, shown_as: float) -> float:
    return float(np.interp(shown_as, range(LEVELS), row))


def _suits(span: tuple[int, int] | None, grade: int) -> bool:
    return span is None or span[0] <= grade <= span[1]


def _family(subject: str) -> str:
    name = subject.strip().lower()
    return next((family for word, family in tables.SUBJECT_WORDS.items() if name.startswith(word)), "")


def _grade_number(grade: int | str) -> int:
    if isinstance(grade, int):
        return grade
    digits = "".join(c for c in grade if c in "0123456789")
    if digits:
        return int(digits[:2])
    return 0 if grade.strip().lower().startswith(_YOUNG_NAMES) else _MIDDLE_GRADE


def _index(catalogue: Catalogue, name: str) -> int:
    try:
        return catalogue.index(name)
    except KeyError:
        raise SettingsError(
            f"the catalogue has no app `{name}`, which the simulator uses: keep the app, or change "
            "models/simulator/tables.py"
        ) from None
