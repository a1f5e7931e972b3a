"""What the hub says of itself: who joined, what was counted, what was refused."""

from hub.views.alarms import Alarm
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
class NotDisclosed:
    """A record that is not what its school disclosed."""

    school: str
    """Name of the school."""
    entry: int
    """Number of the entry in the school's disclosure log; 0 where it has none."""
    kind: str
    """`lesson` or `week`."""
    what: str
    """`differs`, `missing`, or `undisclosed`."""


@shape
class Verified:
    """The last comparison of the records here with the schools' own disclosure logs."""

    at: str
    """When the first of the schools was compared, RFC 3339 in UTC."""
    schools: int
    """How many schools were compared."""
    agree: int
    """Records that are what was disclosed."""
    differ: int
    """Records that are other than what was disclosed."""
    missing: int
    """Records that were disclosed and taken, and are not here."""
    without: int
    """Records whose agent told no entry of its log."""
    skipped: int
    """Entries of the schools' logs that came with no record, because it was withdrawn there."""
    not_disclosed: tuple[NotDisclosed, ...]
    """Those that differ or are missing, at most 100 of a school."""


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
    fingerprint: str
    """Fingerprint of the hub's key, which invitations carry and agents show."""
    next_key: str | None
    """Fingerprint of the key that it goes over to next; null while none was made."""
    not_told: tuple[str, ...]
    """Names of the schools that do not know that key yet."""
    trouble: str
    """What keeps the hub from announcing its next key, and what to do; empty while nothing does."""
    alarms: tuple[Alarm, ...]
    """Alarms that stand, newest first."""
    unsent: tuple[Tally, ...]
    """Messages of schools' silence that could not be read back and were never sent, in the last week."""
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
    verified: Verified | None
    """Whether the records here are those that the schools disclosed; null before the first comparison."""
    counters: tuple[Tally, ...]
    """What was received, by name."""
    refused: tuple[Refused, ...]
    """What was refused, newest day first."""
    quarantine: int
    """Refused records kept, scrubbed."""
    quarantine_bytes: int
    """Bytes that they take."""
