"""Equal sharing: a moment that several intervals of one group cover belongs to each of them alike."""

from typing import Final

import numpy as np

from models.features.columns import Floats, Ints, stable_order

# Clock ticks a second. 64 seconds fit 56 bits, and integer sums make a group's result independent
# of which other groups are swept with it.
TICKS: Final = float(1 << 50)


def shared_seconds(group: Ints, start: Floats, end: Floats) -> Floats:
    """Seconds [n] that each interval `[start, end)` gets of the time its group covers.

    A moment covered by k intervals of the group gives each 1/k; so a group's seconds sum to the
    length of its union. Times lie in 0..64 seconds. One sweep over all ends in order: with k(x)
    intervals covering x, an interval gets F(end) - F(start), where F' = 1/k.
    """
    n = len(group)
    if not n:
        return np.zeros(0)
    ticks = (np.concatenate([start, end]) * TICKS).astype(np.int64)
    both = np.concatenate([group, group])
    order = stable_order(both, ticks)
    step = np.where(order < n, 1, -1)
    covering = np.cumsum(step)
    # Outside every interval `covering` is 0: the way from one group to the next adds nothing.
    gap = np.diff(ticks.take(order), append=0)
    rise = np.where(covering > 0, gap // np.maximum(covering, 1), 0)
    area = np.empty(2 * n, np.int64)
    area[order[0]] = 0
    area[order[1:]] = np.cumsum(rise)[:-1]
    return (area[n:] - area[:n]) / TICKS
