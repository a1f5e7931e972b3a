"""Signals of many lessons as a resolver's log tells them, in the order in which they come in."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.catalogue.load import Catalogue
from models.features.compute import Signals, Windows
from models.simulator.lessons import Habits, lesson_events, plan_lesson
from shared.words import Action

KINDS: Final = frozenset({"dnsmasq"})
MONDAY: Final = 1_788_764_400  # 2026-09-07T09:00:00+02:00
MINUTES: Final = 45
PERIOD: Final = 3600
CLASSES_AT_ONCE: Final = 40

_LESSONS_DRAWN: Final = 400
_SCHOOLS: Final = 8
_SUBJECTS: Final = ("Mathematics", "English", "Science", "History", "Music", "Computing")


def contacts(catalogue: Catalogue, seed: int, count: int) -> tuple[Signals, Windows]:
    """At least `count` contacts of simulated lessons, `CLASSES_AT_ONCE` of them at every bell, by time.

    Some hundred lessons are drawn from the simulator and told again with other devices until they suffice.
    """
    rng = np.random.default_rng(seed)
    drawn = [_lesson(rng, catalogue, number) for number in range(min(_LESSONS_DRAWN, 2 + count // 200))]
    parts: list[tuple[NDArray[Any], ...]] = []
    total = 0
    while total < count:
        number = len(parts)
        t, device, app = drawn[int(rng.integers(len(drawn)))]
        names = rng.integers(0, 1 << 64, size=int(device.max(initial=0)) + 1, dtype=np.uint64)
        began = MONDAY + number // CLASSES_AT_ONCE * PERIOD
        parts.append((np.full(len(t), number, np.int32), t + began, names[device], app))
        total += len(t)
    columns: list[NDArray[Any]] = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[1], kind="stable")
    window, seconds, devices, apps = (column[order] for column in columns)
    signals = Signals(window, seconds, devices, apps, np.zeros(total, np.uint8), np.zeros(total))
    start = MONDAY + np.arange(len(parts), dtype=np.int64) // CLASSES_AT_ONCE * PERIOD
    kinds = [KINDS] * len(parts)
    return signals, Windows(start, start + MINUTES * 60, kinds, np.full(len(parts), 28))


def _lesson(
    rng: np.random.Generator, catalogue: Catalogue, number: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Second, device and app of one lesson's contacts."""
    habits = Habits.draw(np.random.default_rng([number % _SCHOOLS]), catalogue)
    plan = plan_lesson(rng, habits, subject=_SUBJECTS[number % len(_SUBJECTS)], grade=number % 9)
    events = lesson_events(rng, plan, devices=int(rng.integers(18, 31)), minutes=MINUTES)
    kept = events.action == Action.CONTACT
    return events.t[kept], events.device[kept], events.app[kept]
