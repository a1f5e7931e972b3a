"""What the district's page shows: the schools by name, the newest week, the distribution by dimension."""

from typing import Literal

from hub.views.alarms import Alarm
from hub.views.common import Distribution, SourceSeen
from hub.views.shape import shape

Freshness = Literal["fresh", "quiet", "silent", "never", "revoked"]


@shape
class SchoolSummary:
    """One school as the hub knows it."""

    slug: str
    """Its name in addresses."""
    name: str
    """Its name."""
    simulated: bool
    """Whether its data are made by the simulator."""
    joined: str | None
    """When its agent joined, RFC 3339 in UTC; null while its invitation is unused."""
    last_heard: str | None
    """When the hub last heard from it, RFC 3339 in UTC by the hub's clock."""
    freshness: Freshness
    """`fresh` (10 minutes), `quiet` (a day), `silent` (longer), `never` heard, or `revoked`."""
    freshness_words: str
    """The same for people, for example `heard 3 minutes ago`."""
    lessons_shared: int
    """Lesson records that it sent, of classes whose teachers share them."""
    weeks: int
    """Weeks that it sent an aggregate of."""
    latest_week: str | None
    """The newest of these, an ISO week such as `2025-W14`."""
    visibility: float | None
    """Share of the expected device-minutes that its sources could see in that week."""
    backlog: int | None
    """Records that wait in the school for delivery, at its last heartbeat."""
    sources: tuple[SourceSeen, ...]
    """Its sources at its last heartbeat."""
    version: str | None
    """Version of its agent, at its last heartbeat."""
    revoked: bool
    """Whether its enrolment is revoked."""
    fingerprint: str | None
    """Fingerprint of the key that stands for it; null while none does."""
    enrolled: str | None
    """Since when that key stands for it, RFC 3339 in UTC."""


@shape
class WeekFacts:
    """How much stands behind the weeks shown."""

    lessons: int
    """Lessons seen."""
    classes: int
    """Classes seen; in several weeks, of the fullest week of each school."""
    schools: int
    """Schools that sent an aggregate."""
    schools_missing: int
    """Schools in the district that sent none."""


@shape
class DistrictView:
    """The district."""

    name: str
    """Its name."""
    simulated: bool
    """Whether any data shown are made by the simulator."""
    alarms: tuple[Alarm, ...]
    """Alarms that stand, newest first."""
    schools: tuple[SchoolSummary, ...]
    """Its schools, by name."""
    week: str | None
    """Newest ISO week that any school sent; null before the first."""
    weeks: tuple[str, ...]
    """The weeks merged below, oldest first."""
    facts: WeekFacts
    """How much stands behind the distribution."""
    distribution: tuple[Distribution, ...]
    """One for each model and dimension, in the model's order; a model of a term says nothing of weeks."""
    term_models: tuple[str, ...]
    """Models of a term that these weeks carry: schools show them over theirs."""
