"""What the hub knows, as typed read-only views: the pages and the API are built on these alone.

    views = Views(folder)
    views.district(weeks=1)              -> DistrictView
    views.school(slug)                   -> SchoolView, or None
    views.school_class(slug, code)       -> ClassView, or None
    views.school_lesson(slug, code, at)  -> ClassView of that lesson alone, or None
    views.usage_districts()              -> UsageView
    views.usage_district(district_id)    -> UsageDistrictView, or None
    views.status()                       -> StatusView
    views.alarms(cleared=False)          -> (Alarm, ...)

Nothing here is a ranking: schools come by name, classes by code, districts by number.
"""

from hub.views.alarms import Alarm
from hub.views.common import Channels, Distribution, PlacementView, SourceSeen, Tally
from hub.views.district import DistrictView, SchoolSummary, WeekFacts
from hub.views.moved import Contribution, Moved
from hub.views.reader import Views
from hub.views.school import ClassView, LessonView, SchoolView, SchoolWeek, SharedClass, Term
from hub.views.status import Enrolment, KnownModel, Refused, StatusView, Verified
from hub.views.usage import LeftOut, UsageDistrictView, UsageSummary, UsageView, UsageWeek

__all__ = [
    "Alarm",
    "Channels",
    "ClassView",
    "Contribution",
    "Distribution",
    "DistrictView",
    "Enrolment",
    "KnownModel",
    "LeftOut",
    "LessonView",
    "Moved",
    "PlacementView",
    "Refused",
    "SchoolSummary",
    "SchoolView",
    "SchoolWeek",
    "SharedClass",
    "SourceSeen",
    "StatusView",
    "Tally",
    "Term",
    "UsageDistrictView",
    "UsageSummary",
    "UsageView",
    "UsageWeek",
    "Verified",
    "Views",
    "WeekFacts",
]
