"""What the hub says of itself: who joined, what was counted, what was refused."""

from hub.views.common import Grain, Tally
from hub.views.district import SchoolSummary
from hub.views.shape import shape


@shape
class Refused:
    """Records refused, by school, reason and day."""

    school: str | None
    """Name of the school; null where no school is known."""
    reason: str
    """A short code."""
    day: str
    """Day by the hub's clock, in UTC."""
    count: int
    """How many."""


@shape
class Enrolment:
    """A school's place on the link."""

    school: str
    """Name of the school."""
    key: str
    """Fingerprint of its public key."""
    joined: str
    """RFC 3339 in UTC."""
    revoked: bool
    """Whether it is refused."""


@shape
class KnownModel:
    """An integration model whose placements this hub takes."""

    id: str
    """Its id, as records name it."""
    name: str
    """Its name."""
    version: str
    """The version that records must be of."""
    grain: Grain
    """The shortest span of time that its stages may be said of."""
    own: bool
    """Whether it is the district's own, from the hub's `models` folder."""


@shape
class StatusView:
    """The hub."""

    district: str
    """The district's name."""
    simulated: bool
    """Whether any data are made by the simulator."""
    schema: int
    """Version of the database's schema."""
    schools: tuple[SchoolSummary, ...]
    """Its schools, by name."""
    models: tuple[KnownModel, ...]
    """Models it knows; records of others are refused."""
    enrolments: tuple[Enrolment, ...]
    """By school and time."""
    inviting: bool
    """Whether an invitation waits to be used."""
    counters: tuple[Tally, ...]
    """What was received, by name."""
    refused: tuple[Refused, ...]
    """What was refused, newest day first."""
    quarantine: int
    """Refused records kept, scrubbed."""
    quarantine_bytes: int
    """Bytes that they take."""
