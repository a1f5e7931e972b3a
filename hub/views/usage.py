"""What the pages of usage exports show; these are not lessons and never mix with the schools' numbers."""

from hub.views.common import Channels, PlacementView, Tally
from hub.views.shape import shape


@shape
class UsageSummary:
    """One district of a usage export."""

    id: str
    """Its number in the export, or the short name that it was imported under."""
    name: str
    """What it is called: `District 2872`, `School elm-street`."""
    state: str | None
    """State, as the export gives it."""
    locale: str | None
    """Locale (City, Suburb, Town, Rural), as the export gives it."""
    weeks: int
    """ISO weeks with use."""
    first_week: str | None
    """The first of them."""
    last_week: str | None
    """The last of them."""
    days: int
    """Days with use."""
    products: int
    """Products used."""
    engagement: float
    """Page loads per 1,000 students, summed over days and products."""
    rows: int
    """Rows of the file."""
    used: int
    """Rows that count as use."""
    not_used: int
    """Rows that say nobody used the product: neither use nor fault."""
    refused: int
    """Rows left out with a reason."""


@shape
class UsageWeek:
    """One ISO week of a district in a usage export."""

    week: str
    """ISO week, for example `2020-W14`."""
    days: int
    """Days with use."""
    products: int
    """Products used."""
    engagement: float
    """Page loads per 1,000 students, summed over days and products."""
    features: dict[str, float | None]
    """The features that an export can show: shares by page loads, `app_entropy` in bits."""
    channels: Channels
    """Page loads by channel."""
    placements: tuple[PlacementView, ...]
    """One for each model and dimension, always `evidence_only`; none for a week that holds too little."""


@shape
class LeftOut:
    """What was left out of a file around the districts, or that nothing of it was of use."""

    file: str
    """Its name."""
    reason: str
    """A short code."""
    count: int
    """How often."""


@shape
class UsageView:
    """All districts of the usage exports that were imported."""

    label: str
    """What was measured, and on what."""
    attribution: str
    """Whose data these are."""
    districts: tuple[UsageSummary, ...]
    """By number."""
    refused: tuple[Tally, ...]
    """Faults of the files around the districts, by reason."""
    left_out: tuple[LeftOut, ...]
    """The same by file."""


@shape
class UsageDistrictView:
    """One district of a usage export, week by week."""

    label: str
    """What was measured, and on what."""
    attribution: str
    """Whose data these are."""
    district: UsageSummary
    """The district."""
    facts: dict[str, str | None]
    """What the export says of the district, as given; null where it was suppressed."""
    weeks: tuple[UsageWeek, ...]
    """Oldest first."""
    refused: tuple[Tally, ...]
    """Rows left out, by reason."""
    notes: tuple[str, ...]
    """What a reader should know of this file."""
