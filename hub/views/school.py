"""What a school's page and a shared class's page show."""

from hub.views.common import Channels, Distribution, PlacementView
from hub.views.district import SchoolSummary
from hub.views.shape import shape


@shape
class SchoolWeek:
    """One ISO week of a school, its grade bands merged."""

    week: str
    """ISO week, for example `2025-W14`."""
    bands: tuple[str, ...]
    """Grade bands that it covers."""
    lessons: int
    """Lessons seen."""
    classes: int
    """Classes seen."""
    teachers: int
    """Teachers, one who teaches in two bands counted in both."""
    devices: int
    """Devices in the largest lesson."""
    evidence: float
    """Active device-minutes."""
    visibility: float | None
    """Share of the expected device-minutes that the sources could see, lessons weighing alike."""
    sources: tuple[str, ...]
    """Kinds of source behind it."""
    channels: Channels
    """Use by channel, bands weighted by evidence."""
    distribution: tuple[Distribution, ...]
    """One for each model and dimension; a model of a term says nothing of a week."""


@shape
class Term:
    """The newest term of a school: its weeks since the last break of three weeks, half a year at most."""

    first_week: str
    """Its first ISO week with lessons."""
    last_week: str
    """Its newest ISO week with lessons."""
    weeks: int
    """Weeks with lessons."""
    weeks_needed: int
    """With fewer of them, nothing is said that needs a term."""
    lessons: int
    """Lessons seen."""
    visibility: float | None
    """Share of the expected device-minutes that the sources could see, lessons weighing alike."""
    sources: tuple[str, ...]
    """Kinds of source behind it."""
    waiting: tuple[str, ...]
    """Models of a term that these weeks are too few for."""
    distribution: tuple[Distribution, ...]
    """All its weeks merged, one for each model and dimension; models of a term are here alone."""


@shape
class SharedClass:
    """A class that its teacher shares."""

    code: str
    """Its opaque code."""
    subject: str
    """Subject of its newest lesson."""
    grade_band: str
    """Grade band of its newest lesson."""
    lessons: int
    """Lessons shared."""
    first_start: str
    """Start of its oldest lesson here, RFC 3339 as sent."""
    last_start: str
    """Start of its newest lesson here, RFC 3339 as sent."""


@shape
class SchoolView:
    """One school."""

    school: SchoolSummary
    """The school."""
    district: str
    """The district's name."""
    weeks: tuple[SchoolWeek, ...]
    """Its weeks, oldest first; a week without an aggregate is left out."""
    distribution: tuple[Distribution, ...]
    """All these weeks merged, one for each model and dimension but those of models of a term."""
    term: Term | None
    """The newest term; null before the first week."""
    classes: tuple[SharedClass, ...]
    """Shared classes by code."""
    note: str
    """What is not shown, and why."""


@shape
class LessonView:
    """One lesson of a shared class."""

    start: str
    """RFC 3339 with the school's offset, as sent."""
    minutes: int
    """Length of the lesson."""
    grade_band: str
    """Grade band."""
    subject: str
    """Subject."""
    devices: int
    """Devices seen."""
    expected: int
    """Devices expected."""
    evidence: float
    """Active device-minutes."""
    visibility: float
    """Share of the expected device-minutes that the sources could see."""
    sources: tuple[str, ...]
    """Kinds of source."""
    features: dict[str, float | None]
    """Features of set 1 by name; null where the sources could not see."""
    channels: Channels
    """Use by channel."""
    strip: tuple[dict[str, float], ...]
    """Shares of the expected device-time by channel, one row for each five minutes; the rest was unseen."""
    placements: tuple[PlacementView, ...]
    """One for each model and dimension."""
    revision: int
    """Revision of the record."""


@shape
class ClassView:
    """A shared class."""

    school: SchoolSummary
    """Its school."""
    district: str
    """The district's name."""
    shared: SharedClass
    """The class."""
    lessons: tuple[LessonView, ...]
    """Its newest lessons, oldest first."""
