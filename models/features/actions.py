"""What was done: counts of actions, and the few features that need their order or who did them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.features import entropy
from models.features.columns import Bools, Floats, Ints, stable_order, starts_of_runs, tally
from models.features.dwell import MINUTE, Ordered
from shared.words import Action

CONTRIBUTIONS: Final = (Action.CREATE, Action.REVISE, Action.COEDIT)
AUDIENCES: Final = (Action.SHARE_PEER, Action.SHARE_OUTSIDE, Action.PUBLISH)

_NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Done:
    """The signals that say more than contact [n], in canonical order, with the groups they belong to."""

    windows: int
    group_window: Ints
    window: Ints
    group: Ints
    second: Ints
    action: NDArray[np.uint8]

    def of(self, *actions: Action) -> Ints:
        """Which of them are one of `actions`."""
        wanted = np.zeros(len(Action), np.bool_)
        wanted[list(actions)] = True
        return np.flatnonzero(wanted.take(self.action))

    def by_group(self, *actions: Action) -> Ints:
        """How many of `actions` each group has [groups]."""
        return tally(self.group.take(self.of(*actions)), len(self.group_window))


def done(ordered: Ordered) -> Done:
    """All that was done, contacts left out."""
    at = np.flatnonzero(ordered.action != Action.CONTACT)
    return Done(
        windows=ordered.windows,
        group_window=ordered.group_window,
        window=ordered.window.take(at),
        group=ordered.group.take(at),
        second=ordered.second.take(at),
        action=ordered.action.take(at),
    )


def counts(acts: Done) -> Ints:
    """How often each action happened, [windows, actions]."""
    kinds = len(Action)
    cell = acts.window * kinds + acts.action
    return tally(cell, acts.windows * kinds).reshape(-1, kinds)


def acting_devices(acts: Done) -> Ints:
    """Devices [windows] of which an app reported what was done."""
    return _devices(acts, tally(acts.group, len(acts.group_window)) > 0)


def coediting_devices(acts: Done) -> Ints:
    """Devices [windows] with a `coedit`."""
    return _devices(acts, acts.by_group(Action.COEDIT) > 0)


def contribution_entropy(acts: Done) -> Floats:
    """Entropy [windows] of contributions by device; NaN without one."""
    by_group = acts.by_group(*CONTRIBUTIONS)
    plain, occupied = entropy.of_segments(by_group, acts.group_window, acts.windows)
    total = tally(np.repeat(acts.group_window, by_group), acts.windows)
    return entropy.corrected(plain, occupied, total)


def chaining_devices(acts: Done) -> Ints:
    """Devices [windows] with a capture, a create not before it, and an audience not before that."""
    captured = _first_second(acts, (Action.CAPTURE,), np.zeros(len(acts.group_window), np.int64))
    created = _first_second(acts, (Action.CREATE,), captured)
    return _devices(acts, _first_second(acts, AUDIENCES, created) != _NEVER)


def mirrored_minutes(acts: Done) -> Ints:
    """Minutes [windows] in which a `mirror` signal starts."""
    at = acts.of(Action.MIRROR)
    window, minute = acts.window.take(at), acts.second.take(at) // MINUTE
    order = stable_order(window, minute)
    window, minute = window.take(order), minute.take(order)
    return tally(window.take(starts_of_runs(window, minute)), acts.windows)


def _devices(acts: Done, chosen: Bools) -> Ints:
    return tally(acts.group_window[chosen], acts.windows)


def _first_second(acts: Done, actions: tuple[Action, ...], since: Ints) -> Ints:
    """The first second [groups] of an action not before `since` [groups]; _NEVER where there is none."""
    at = acts.of(*actions)
    at = at[acts.second.take(at) >= since.take(acts.group.take(at))]
    found = np.full(len(acts.group_window), _NEVER)
    # Signals of a group stand in rising seconds: the first of its run is the earliest.
    group = acts.group.take(at)
    first = starts_of_runs(group)
    found[group.take(first)] = acts.second.take(at.take(first))
    return found
