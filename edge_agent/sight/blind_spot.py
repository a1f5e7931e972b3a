"""The blind spot: of the expected device-minutes, how many were seen, bypassed every source, or neither."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edge_agent.lessons.windows import ClosedWindow

CAUTION: Final = (
    "Work done offline, as in Keynote, GarageBand or the camera, is almost invisible, and it is often the"
    " work at the highest levels."
)


@dataclass(slots=True)
class Sight:
    """Sums over closed lessons. `expected`, `seen`, `past` and `acted` in device-seconds.

    `bypassed` are devices, once in each lesson; `past` is their time. `acted` is the time of devices of
    which apps reported what was done, in `reporting` of the `lessons`.
    """

    lessons: int = 0
    reporting: int = 0
    expected: int = 0
    seen: int = 0
    past: int = 0
    bypassed: int = 0
    acted: int = 0

    def add(self, windows: "Iterable[ClosedWindow]") -> None:
        """Take closed lessons in."""
        for window in windows:
            length = window.lesson.end - window.key.start
            self.take(
                length, window.expected * length, window.seen.seconds, window.seen.bypassed, window.acted
            )

    def take(self, length: int, expected: int, seen: int, bypassed: int, acted: int) -> None:
        """One closed lesson of `length` seconds; `expected` and `seen` in device-seconds, then devices."""
        self.lessons += 1
        self.reporting += acted > 0
        self.expected += expected
        self.seen += seen
        # Who came late and was heard is not unseen twice.
        self.past += min(bypassed * length, expected - seen)
        self.bypassed += bypassed
        self.acted += min(acted * length, expected)

    def told(self) -> dict[str, int]:
        """The sums in whole device-minutes, which add up to those expected, and the counts."""
        return {
            "lessons": self.lessons,
            **_told_minutes(self.expected, self.seen, self.past),
            "bypassed": self.bypassed,
            "reporting_lessons": self.reporting,
            "reported_minutes": round(self.acted / 60),
        }


def _told_minutes(expected: int, seen: int, past: int) -> dict[str, int]:
    """Device-seconds as whole device-minutes that add up to those expected."""
    whole, first = round(expected / 60), round(seen / 60)
    second = min(round(past / 60), whole - first)
    return {
        "expected_minutes": whole,
        "seen_minutes": first,
        "bypassed_minutes": second,
        "unseen_minutes": whole - first - second,
    }


def hundred(seen: int, bypassed: int, expected: int) -> tuple[int, int, int]:
    """Seen, bypassed and unseen as whole minutes of 100; what is neither none nor all never reads so."""
    first = _whole(seen, expected)
    # The rounded ones leave room for each other: what is there at all gets its minute.
    second = min(_whole(bypassed, expected), 100 - first)
    if seen + bypassed >= expected > 0:
        second = 100 - first
    return first, second, 100 - first - second


def sentence(seen: int, bypassed: int, expected: int) -> str:
    """How many of 100 expected device-minutes were seen, in words."""
    if not expected:
        return "No device-minute was expected yet."
    first, second, third = hundred(seen, bypassed, expected)
    return (
        f"Of 100 expected device-minutes {first} were seen, {second} bypassed every source,"
        f" {third} were unseen."
    )


def told(sums: Mapping[str, int]) -> str:
    """The sentence, how many were bypassed, and the cautions; `sums` as `Sight.told` gives them."""
    expected = sums["expected_minutes"]
    words = sentence(sums["seen_minutes"], sums["bypassed_minutes"], expected)
    if sums["bypassed"]:
        words += f" {sums['bypassed']:,} bypassed, counted once in each lesson."
    caution = cautions(sums["reporting_lessons"], sums["lessons"], sums["reported_minutes"], expected)
    return f"{words} {caution}"


def cautions(reporting: int, lessons: int, reported: int, expected: int) -> str:
    """What no source sees, and how much less that is where apps report what was done."""
    if not reporting:
        return f"{CAUTION} No app reports what was done: an xAPI sender would make that blind spot smaller."
    share = _whole(reported, expected)
    return (
        f"{CAUTION} It is less so where apps report what was done: they did in {reporting} of {lessons}"
        f" lessons, for {share} of 100 expected device-minutes."
    )


def _whole(part: int, whole: int) -> int:
    if not 0 < part < whole:
        return 100 if whole and part >= whole else 0
    return min(99, max(1, round(100 * part / whole)))
