"""What a teacher has in mind for one made-up lesson."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of a lesson. `apps` are catalogue indices on offer, the teacher's first; `follow` is the
    share of children who use that one; `shown` means the class watches the teacher's screen.
    """

    activity: str
    minutes: float
    apps: tuple[int, ...]
    follow: float
    shown: bool


@dataclass(frozen=True, slots=True)
class LessonPlan:
    """A lesson at a latent level 0..4, which no page ever knows; `shown_as` is how it comes across, 0..4.

    The rest is what the school's fleet shows of its apps: see `Habits`.
    """

    level: int
    subject: str
    grade: int
    steps: tuple[Step, ...]
    shown_as: float
    reporting: frozenset[int]
    online: frozenset[int]
    cached: Mapping[int, float]
    distractions: tuple[int, ...]
