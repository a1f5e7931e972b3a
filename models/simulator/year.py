"""When lessons are held: slots of a school year in which no class is ever in two lessons at once."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_MONDAY: Final = 1_756_713_600  # 2025-09-01 08:00 UTC
_WEEKS, _DAYS, _SLOTS, _SLOT_SECONDS = 38, 5, 7, 3300


def starts(rng: np.random.Generator, class_: Ints, classes: int) -> Ints:
    """Starts [n] in epoch seconds of lessons in the order of their classes [n], rising within a class."""
    slots = _WEEKS * _DAYS * _SLOTS
    count = np.bincount(class_, minlength=classes)
    rank = np.arange(len(class_)) - (np.cumsum(count) - count)[class_]
    stride = np.maximum(slots // np.maximum(count, 1), 1)[class_]
    slot = rank * stride + (rng.random(len(class_)) * stride).astype(np.int64)
    week, within = np.divmod(slot, _DAYS * _SLOTS)
    day, lesson = np.divmod(within, _SLOTS)
    start: Ints = _MONDAY + 86_400 * (7 * week + day) + _SLOT_SECONDS * lesson
    return start
