"""Shapes that several views share: distributions over stages, placements, sources, counts."""

from typing import Literal

from hub.views.shape import shape

Verdict = Literal["placed", "thin", "evidence_only"]
Grain = Literal["lesson", "week", "term"]
ShownAs = Literal["stages", "band"]


@shape
class Distribution:
    """Lessons on one dimension of an integration model, spread over its stages."""

    model: str
    """Integration model, for example `tim`."""
    dimension: str
    """Dimension inside the model, for example `goal_directed`."""
    label: str
    """The dimension's name for people."""
    stages: tuple[str, ...]
    """Names of the stages, lowest first."""
    version: str
    """Version of the placements that were merged; other versions are left out and counted."""
    grain: Grain
    """The shortest span of time that its stages may be said of."""
    shown_as: ShownAs
    """`band` where one wide band is all that may be shown, never one stage."""
    band: tuple[int, int] | None
    """Of such a dimension the lowest and highest stage of the band, from 0: at least 80% of the lessons."""
    calibrated: bool
    """Whether walkthroughs have calibrated every lesson in it; false: inferred, not calibrated."""
    lessons: int
    """Lessons that were judged."""
    schools: int
    """Schools that these lessons come from."""
    expected: tuple[float, ...]
    """Expected number of lessons in each stage."""
    shares: tuple[float, ...]
    """`expected` over its sum; empty when there is nothing to spread."""
    placed: int
    """Lessons placed in a set of stages."""
    thin: int
    """Lessons with not enough evidence."""
    evidence_only: int
    """Lessons whose distribution is an uncalibrated inference."""
    between_low: tuple[float, ...] | None
    """By stage, the smallest share that any school has; null with fewer than three schools."""
    between_high: tuple[float, ...] | None
    """By stage, the largest share that any school has; null with fewer than three schools."""
    other_versions: int
    """Lessons judged by another version of the model, left out here."""


@shape
class PlacementView:
    """What the scorer says of one lesson, or of one week of a usage export, on one dimension."""

    model: str
    """Integration model, for example `tim`."""
    dimension: str
    """Dimension inside the model."""
    label: str
    """The dimension's name for people."""
    stages: tuple[str, ...]
    """Names of the stages, lowest first."""
    version: str
    """Version of the model and fit."""
    probs: tuple[float, ...]
    """Probability of each stage."""
    low: int | None
    """Lowest stage of the set, from 0; null when there is no set."""
    high: int | None
    """Highest stage of the set, inclusive; null when there is no set."""
    verdict: Verdict
    """`placed`, `thin` (not enough evidence) or `evidence_only` (an uncalibrated inference)."""
    grain: Grain
    """The shortest span of time that its stages may be said of."""
    shown_as: ShownAs
    """`band` where one wide band is all that may be shown, never one stage."""
    band: tuple[int, int] | None
    """Of such a dimension the lowest and highest stage of the band: its set, or at least 80% likely."""
    calibrated: bool
    """Whether walkthroughs have calibrated it."""


@shape
class SourceSeen:
    """A source of signals in a school, as its last heartbeat tells."""

    kind: str
    """Kind of source, for example `dnsmasq`."""
    fresh: str | None
    """RFC 3339 time of its newest line, by the school's clock; null when it has none."""


@shape
class Tally:
    """Something counted by a reason."""

    reason: str
    """What was counted, a short code."""
    count: int
    """How often."""


@shape
class Channels:
    """Use by channel as shares that sum to 1; null where the sources could not see it.

    From resolver logs these are apps contacted, and say nothing of what was done.
    """

    consume: float | None
    """Reading, watching, listening."""
    practise: float | None
    """Drill and exercises."""
    create: float | None
    """Making something."""
    collaborate: float | None
    """Working with others."""
    publish: float | None
    """Showing work outside the class."""
    reflect: float | None
    """Looking back on work."""
    plan: float | None
    """Planning work."""
    other: float | None
    """The rest, unlisted and off-task apps among it; null unless the others are known."""
