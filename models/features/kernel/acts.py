"""What was done (features 7-14, 19, 20): counts of actions, and those that need order or who did them."""

from typing import Final

from models.features.columns import Floats, Ints
from models.features.dwell import MINUTE
from models.features.kernel import layout
from models.features.kernel.jit import aside
from models.features.kernel.layout import ACTION_MASK, SECOND_SHIFT, Lesson
from models.features.kernel.walk import corrected, plain_bits
from shared.words import Action

_CAPTURE: Final = int(Action.CAPTURE)
_CREATE: Final = int(Action.CREATE)
_REVISE: Final = int(Action.REVISE)
_COEDIT: Final = int(Action.COEDIT)
_SHARE_PEER: Final = int(Action.SHARE_PEER)
_SHARE_OUTSIDE: Final = int(Action.SHARE_OUTSIDE)
_PUBLISH: Final = int(Action.PUBLISH)
_MIRROR: Final = int(Action.MIRROR)


@aside
def acts(
    devices: int, minutes: int, lesson: Lesson, by_device: Floats, mirrored: Ints, facts: Floats
) -> None:
    """All facts about what was done in a window; `by_device` and `mirrored` are room by device and minute."""
    mirrored[:minutes] = 0
    contributions = coediting = chaining = 0
    for device in range(devices):
        low, high = lesson.first[device], lesson.first[device + 1]
        coedits = contributed = 0
        for i in range(low, high):
            action = lesson.key[i] & ACTION_MASK
            if action:
                facts[layout.DONE + action] += 1
                coedits += action == _COEDIT
                contributed += action in (_CREATE, _REVISE, _COEDIT)
                if action == _MIRROR:
                    mirrored[(lesson.key[i] >> SECOND_SHIFT) // MINUTE] = 1
        by_device[device] = contributed
        contributions += contributed
        coediting += coedits > 0
        chaining += _chains(low, high, lesson)
    _, plain, occupied = plain_bits(by_device, devices)
    facts[layout.CONTRIBUTION_BITS] = corrected(plain, occupied, contributions)
    facts[layout.COEDITING] = coediting
    facts[layout.CHAINING] = chaining
    facts[layout.MIRRORED] = mirrored[:minutes].sum()


@aside
def _chains(low: int, high: int, lesson: Lesson) -> bool:
    """Whether a device has a capture, a create not before it and an audience not before that (14)."""
    captured = _first(low, high, 0, _CAPTURE, _CAPTURE, _CAPTURE, lesson)
    created = _first(low, high, captured, _CREATE, _CREATE, _CREATE, lesson)
    return _first(low, high, created, _SHARE_PEER, _SHARE_OUTSIDE, _PUBLISH, lesson) >= 0


@aside
def _first(low: int, high: int, since: int, one: int, other: int, third: int, lesson: Lesson) -> int:
    """The first second, not before `since`, with one of three actions; -1 for none, or for no `since`."""
    if since < 0:
        return -1
    for i in range(low, high):
        action: int = lesson.key[i] & ACTION_MASK
        second: int = lesson.key[i] >> SECOND_SHIFT
        if second >= since and action in (one, other, third):
            return second
    return -1
