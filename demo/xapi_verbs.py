"""The verbs that cooperating apps use in the demo, by the action they stand for, and their objects' types."""

from types import MappingProxyType
from typing import Final

from shared.words import Action

_ADL: Final = "http://adlnet.gov/expapi/verbs/"
_STREAMS: Final = "http://activitystrea.ms/schema/1.0/"
_PROFILE: Final = "https://commonground.example/xapi/verbs/"

VERBS: Final = MappingProxyType(
    {
        Action.VIEW: (f"{_ADL}experienced", "https://w3id.org/xapi/video/verbs/played"),
        Action.PRACTISE: (f"{_ADL}answered", f"{_ADL}attempted", f"{_ADL}completed"),
        Action.CREATE: (f"{_STREAMS}create",),
        Action.REVISE: (f"{_STREAMS}update",),
        Action.CAPTURE: (f"{_PROFILE}captured",),
        Action.AR: (f"{_PROFILE}augmented",),
        Action.SHARE_PEER: (f"{_ADL}shared",),
        Action.COEDIT: (f"{_PROFILE}coedited",),
        Action.MESSAGE: (f"{_ADL}commented", "http://id.tincanapi.com/verb/replied"),
        Action.PUBLISH: (f"{_STREAMS}post",),
        Action.SHARE_OUTSIDE: (f"{_STREAMS}send",),
        Action.REFLECT: ("http://www.tincanapi.co.uk/verbs/evaluated",),
        Action.PLAN: ("http://www.tincanapi.co.uk/verbs/planned_learning",),
        Action.MIRROR: (f"{_STREAMS}present",),
    }
)
UNKNOWN_VERB: Final = f"{_STREAMS}like"

PRACTICE_TYPE: Final = "http://adlnet.gov/expapi/activities/assessment"
OTHER_TYPE: Final = "http://adlnet.gov/expapi/activities/media"
