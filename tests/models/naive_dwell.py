"""Dwell once more, as slowly and plainly as the definition reads, in exact fractions."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

Signal = tuple[int, int, float]  # seconds from the window's start, device, amount


def intervals(signals: Sequence[Signal], seconds: int) -> list[tuple[Fraction, Fraction]]:
    """The interval each signal occupies, clipped to the window."""
    found = []
    for t, device, amount in signals:
        later = [other for other, owner, _ in signals if owner == device and other > t]
        if amount > 0:
            end = t + Fraction(amount)
        elif later:
            end = Fraction(min(min(later), t + 300))
        else:
            end = Fraction(t + 60)
        found.append((Fraction(t), min(end, Fraction(seconds))))
    return found


def dwell(signals: Sequence[Signal], seconds: int) -> list[Fraction]:
    """Seconds each signal gets: a moment under several signals of one device is shared equally."""
    spans = intervals(signals, seconds)
    moments = sorted({moment for span in spans for moment in span})
    got = [Fraction(0)] * len(signals)
    for begin, end in pairwise(moments):
        for device in {owner for _, owner, _ in signals}:
            under = [
                i
                for i, ((low, high), (_, owner, _)) in enumerate(zip(spans, signals, strict=True))
                if owner == device and low <= begin and end <= high
            ]
            for i in under:
                got[i] += (end - begin) / len(under)
    return got
