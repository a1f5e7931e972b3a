"""What a made-up class's devices do in a lesson, as a network and reporting apps would tell of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.features.columns import Floats, Ints, spread, starts_of_runs
from models.simulator import tables
from models.simulator.plan import LessonPlan, Step
from shared.words import Action

ABSENT: Final = 0.07
REQUESTS_A_MINUTE: Final = 2.0
UNLISTED_A_MINUTE: Final = 0.03
KNOWS_DURATION: Final = 0.6


@dataclass(frozen=True, slots=True)
class Events:
    """Signals of one lesson [n] by time: t in seconds from its start, device 0.., app as catalogue index
    (0 is unlisted), action, amount in seconds or 0.
    """

    t: NDArray[np.int64]
    device: NDArray[np.int64]
    app: NDArray[np.int32]
    action: NDArray[np.uint8]
    amount: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.t)


@dataclass(frozen=True, slots=True)
class Visits:
    """Stretches [v] in which a device has an app before it, in seconds; `step` numbers the plan's steps."""

    device: Ints
    app: Ints
    step: Ints
    start: Floats
    end: Floats


_Rows = tuple[Floats, Ints, Ints, Ints, Floats]  # t, device, app, action, amount


def lesson_events(rng: np.random.Generator, plan: LessonPlan, *, devices: int, minutes: int) -> Events:
    """The events of a lesson of `minutes` with devices 0..devices - 1, some of them absent.

    Contacts come in lumps, since an answer is remembered for minutes; apps that work offline show
    nothing; only the plan's reporting apps tell what was done.
    """
    length = minutes * 60.0
    visits = _visits(rng, plan, devices, length)
    parts = [
        _contacts(rng, plan, visits),
        _unlisted(rng, visits),
        _reports(rng, plan, visits),
        _mirrored(rng, plan, devices, length),
    ]
    t, device, app, action, amount = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    t = np.minimum(np.floor(t), length - 1).astype(np.int64)
    order = np.lexsort((amount, action, app, device, t))
    return Events(
        t=t[order],
        device=device[order],
        app=app[order].astype(np.int32),
        action=action[order].astype(np.uint8),
        amount=amount[order],
    )


def _edges(plan: LessonPlan, length: float) -> Floats:
    minutes = np.array([step.minutes for step in plan.steps])
    return np.concatenate([[0.0], np.cumsum(minutes / minutes.sum())]) * length


def _at(row: tables.Levels, plan: LessonPlan) -> float:
    return float(np.interp(plan.shown_as, range(len(row)), row))


def _visits(rng: np.random.Generator, plan: LessonPlan, devices: int, length: float) -> Visits:
    present = np.flatnonzero(rng.random(devices) >= ABSENT)
    edges = _edges(plan, length)
    tempted = rng.gamma(1.0, _at(tables.OFF_TASK, plan), devices)
    parts = [
        _step_visits(rng, plan, number, step, present, tempted, edges[number], edges[number + 1])
        for number, step in enumerate(plan.steps)
        if not step.shown
    ]
    if not parts:
        none = np.zeros(0, np.int64)
        return Visits(none, none, none, np.zeros(0), np.zeros(0))
    device, app, step, start, end = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Visits(device, app, step, start, end)


def _step_visits(
    rng: np.random.Generator,
    plan: LessonPlan,
    number: int,
    step: Step,
    present: Ints,
    tempted: Floats,
    start: float,
    end: float,
) -> tuple[Ints, Ints, Ints, Floats, Floats]:
    n = len(present)
    apps = np.array(step.apps)
    begin = np.minimum(start + rng.exponential(30 if number else 75, n), end)
    first = np.where(rng.random(n) < step.follow, 0, rng.integers(0, len(apps), n))
    # A second app, or something off-task, takes the stretch's last part.
    turn = begin + (end - begin) * rng.uniform(0.3, 0.9, n)
    strays = rng.random(n) < tempted.take(present)
    wanders = ~strays & (rng.random(n) < _at(tables.WANDER, plan)) & (len(apps) > 1)
    other = apps.take((first + rng.integers(1, max(len(apps), 2), n)) % len(apps))
    other = np.where(strays, rng.choice(np.array(plan.distractions), n), other)
    second = np.flatnonzero(strays | wanders)
    until = np.where(strays | wanders, turn, end)
    return (
        np.concatenate([present, present[second]]),
        np.concatenate([apps.take(first), other[second]]),
        np.full(n + len(second), number),
        np.concatenate([begin, turn[second]]),
        np.concatenate([until, np.full(len(second), end)]),
    )


def _contacts(rng: np.random.Generator, plan: LessonPlan, visits: Visits) -> _Rows:
    """Look-ups: an app asks at its start and now and then, but an answer is remembered for a while."""
    shows = np.array([app in plan.online for app in visits.app.tolist()], np.bool_)
    at = np.flatnonzero(shows)
    seconds = (visits.end - visits.start).take(at)
    asks = 1 + rng.poisson(seconds / 60 * REQUESTS_A_MINUTE)
    place, row = spread(np.zeros(len(at), np.int64), asks)
    when = rng.random(len(row)) * seconds.take(row)
    when = np.where(place == 0, np.minimum(when, rng.random(len(row)) * 8), when) + visits.start.take(at[row])
    device, app = visits.device.take(at[row]), visits.app.take(at[row])
    order = np.lexsort((when, app, device))
    when, device, app = when.take(order), device.take(order), app.take(order)
    kept = _outside_cache(when, device, app, np.array([plan.cached[a] for a in app.tolist()]))
    when, device, app = when[kept], device[kept], app[kept]
    # Many apps live on two hosts, asked for almost at once.
    twice = rng.random(len(when)) < 0.35
    when = np.concatenate([when, when[twice] + rng.exponential(1.0, int(twice.sum()))])
    return _rows(when, np.concatenate([device, device[twice]]), np.concatenate([app, app[twice]]))


def _outside_cache(when: Floats, device: Ints, app: Ints, cached: Floats) -> Ints:
    """Which look-ups, sorted by device, app and time, reach the resolver: those not answered from memory."""
    left = np.arange(len(when))
    kept = [left[:0]]
    while len(left):
        first = starts_of_runs(device.take(left), app.take(left))
        asked = left.take(first)
        kept.append(asked)
        run = np.zeros(len(left), np.int64)
        run[first] = 1
        last = asked.take(np.cumsum(run) - 1)
        left = left[when.take(left) >= when.take(last) + cached.take(last)]
    return np.sort(np.concatenate(kept))


def _unlisted(rng: np.random.Generator, visits: Visits) -> _Rows:
    seconds = visits.end - visits.start
    _, row = spread(np.zeros(len(seconds), np.int64), rng.poisson(seconds / 60 * UNLISTED_A_MINUTE))
    when = visits.start.take(row) + rng.random(len(row)) * seconds.take(row)
    return _rows(when, visits.device.take(row), np.zeros(len(row), np.int64))


def _reports(rng: np.random.Generator, plan: LessonPlan, visits: Visits) -> _Rows:
    """What reporting apps say was done in them, activity by activity."""
    reports = np.array([app in plan.reporting for app in visits.app.tolist()], np.bool_)
    parts = [_rows(np.zeros(0), visits.device[:0], visits.app[:0])]
    for number, step in enumerate(plan.steps):
        at = np.flatnonzero(reports & (visits.step == number))
        says = list(tables.REPORTS[step.activity])
        seconds = (visits.end - visits.start).take(at)
        if step.activity in tables.MAKING:
            says.append((Action.REVISE, _at(tables.REVISING, plan), 0.0))
            begin = visits.start.take(at) + np.minimum(rng.exponential(40, len(at)), seconds)
            new = np.full(len(at), int(Action.CREATE))
            parts.append((begin, visits.device.take(at), visits.app.take(at), new, np.zeros(len(at))))
        for action, rate, typical in says:
            _, row = spread(np.zeros(len(at), np.int64), rng.poisson(seconds / 60 * rate))
            when = visits.start.take(at[row]) + rng.random(len(row)) * seconds.take(row)
            knows = (rng.random(len(row)) < KNOWS_DURATION) & (typical > 0)
            amount = np.where(knows, np.ceil(rng.gamma(2.0, max(typical, 1.0) / 2, len(row))), 0.0)
            done = np.full(len(row), int(action))
            parts.append((when, visits.device.take(at[row]), visits.app.take(at[row]), done, amount))
    t, device, app, action_, amount = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return t, device, app, action_, np.minimum(amount, 1800.0)


def _mirrored(rng: np.random.Generator, plan: LessonPlan, devices: int, length: float) -> _Rows:
    """A teacher's screen, shown through one device of the class, tells of itself every minute or two."""
    edges = _edges(plan, length)
    parts = [_rows(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for number, step in enumerate(plan.steps):
        if step.shown and devices and step.apps[0] in plan.reporting:
            when = np.arange(edges[number], edges[number + 1], 75.0)
            device = np.full(len(when), rng.integers(0, devices))
            done = np.full(len(when), int(Action.MIRROR))
            parts.append((when, device, np.full(len(when), step.apps[0]), done, np.zeros(len(when))))
    t, device, app, action, amount = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return t, device, app, action, amount


def _rows(t: Floats, device: Ints, app: Ints) -> _Rows:
    return t, device, app, np.full(len(t), int(Action.CONTACT)), np.zeros(len(t))
