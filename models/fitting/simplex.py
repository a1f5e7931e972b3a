"""The highest point of a function of a few numbers without its slopes (Nelder and Mead 1965)."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def highest(
    height: Callable[[Floats], float],
    start: Sequence[float],
    steps: Sequence[float],
    *,
    tolerance: float = 0.01,
    most: int = 200,
) -> Floats:
    """Where `height` is highest, searched from `start` [d] with first steps [d] along each axis.

    Ends when the simplex's heights differ by less than `tolerance`, or after `most` calls. Where the height
    cannot be told it may be minus infinity, except at the start. The same calls give the same result.
    """
    points = [np.array(start, np.float64)]
    for axis, step in enumerate(steps):
        point = points[0].copy()
        point[axis] += step
        points.append(point)
    heights = [height(point) for point in points]
    calls = len(points)
    while calls < most and len(steps):
        order = np.argsort(heights, kind="stable")[::-1]
        points, heights = [points[i] for i in order], [heights[i] for i in order]
        if heights[0] - heights[-1] < tolerance:
            break
        centre = np.mean(points[:-1], axis=0)
        away = centre - points[-1]
        tried = [(away, height(centre + away))]
        if tried[0][1] > heights[0]:
            tried.append((2 * away, height(centre + 2 * away)))
        elif tried[0][1] <= heights[-2]:
            inside = 0.5 * away if tried[0][1] > heights[-1] else -0.5 * away
            tried.append((inside, height(centre + inside)))
        calls += len(tried)
        move, found = max(tried, key=lambda pair: pair[1])
        if found > heights[-1]:
            points[-1], heights[-1] = centre + move, found
            continue
        points = [points[0], *(points[0] + 0.5 * (point - points[0]) for point in points[1:])]
        heights = [heights[0], *(height(point) for point in points[1:])]
        calls += len(steps)
    return points[int(np.argmax(heights))]
