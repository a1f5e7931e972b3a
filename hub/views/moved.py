"""What moved a placement: shapes of an explanation, feature by feature."""

from hub.views.shape import shape


@shape
class Contribution:
    """What one feature adds."""

    feature: str
    """A feature of set 1."""
    value: float | None
    """Its value in the lesson; null where the sources could not see it, which moves nothing."""
    typical: float
    """Its mean over the lessons that it is compared with."""
    push: float
    """What it adds to the log-odds of a higher stage; below 0: of a lower one."""


@shape
class Moved:
    """Why one placement came out as it did, or why that cannot be said."""

    start: str
    """The lesson's start, RFC 3339 as sent."""
    model: str
    """Integration model."""
    dimension: str
    """Dimension inside the model."""
    label: str
    """The dimension's name for people."""
    version: str
    """Version of the model and fit that placed it."""
    calibrated: bool
    """Whether walkthroughs have calibrated it."""
    typical_simulated: bool
    """Whether a simulator made the lessons that `typical` is the mean of."""
    why_not: str
    """Why nothing is told; blank when it is."""
    kept: float | None
    """Share of every difference from what is typical that is kept: less where there was less evidence."""
    total: float | None
    """All contributions together."""
    contributions: tuple[Contribution, ...]
    """Of every feature that counts here, the strongest first."""
