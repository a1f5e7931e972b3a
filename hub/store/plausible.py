"""What the features of set 1 can say, and how they hang together; pure. A missing one is never wrong."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from models.features.set1 import FEATURES, visible
from models.features.transitions import MOST_BITS
from shared.errors import BadInput
from shared.records import FeatureRow, LessonRecord, WeekRecord

_ROUNDED: Final = 1e-6  # of a share, after a mean over lessons
_EVIDENCE_SLACK: Final = 1e-2
_ANY: Final = 1e9
_APP_BITS: Final = 17.0  # 16 bits of catalogue, and less than one for the correction of few signals

_NAMES: Final = frozenset(FEATURES)
_SHARES: Final = (*FEATURES[:6], "plan_share")
_WHOLE: Final = ("ar_use", "outside_audience")  # of one lesson: yes or no

# The largest value of each feature; a plain dictionary, since every value of every record is held against it.
_MOST: Final[dict[str, float]] = (
    dict.fromkeys(FEATURES, _ANY)
    | {name: 1 + _ROUNDED for name in FEATURES if name.endswith(("_share", "_fraction"))}
    | dict.fromkeys(("contribution_evenness", "ar_use", "synchrony", "outside_audience"), 1 + _ROUNDED)
    | {"transition_entropy": MOST_BITS, "app_entropy": _APP_BITS, "choice_dispersion": _APP_BITS}
)


def check(record: LessonRecord | WeekRecord) -> None:
    """Raises BadInput for features that no lesson or week could have."""
    if not record.features.keys() <= _NAMES:
        raise BadInput("record_feature_name", "not a feature of set 1")
    given = {name: value for name, value in record.features.items() if value is not None}
    for name, value in given.items():
        if not 0 <= value <= _MOST[name]:
            raise BadInput("record_feature_range", f"{name} out of range")
    if not given.keys() <= _seen_by(record.sources):
        raise BadInput("record_feature_unseen", "a feature that these sources cannot see")
    if sum(given.get(name, 0.0) for name in _SHARES) > 1 + _ROUNDED:
        raise BadInput("record_feature_sum", "shares of channels sum to more than 1")
    if isinstance(record, LessonRecord):
        _check_lesson(record, given)
    else:
        _check_week(record, record.features)


def _check_lesson(record: LessonRecord, given: Mapping[str, float]) -> None:
    if any(given.get(name, 0.0) not in (0.0, 1.0) for name in _WHOLE):
        raise BadInput("record_feature_range", "neither yes nor no")
    if given.get("choice_dispersion", 0.0) > given.get("app_entropy", _ANY) + _ROUNDED:
        raise BadInput("record_feature_sum", "devices differ by more than there is to differ by")
    if abs(given.get("evidence", record.evidence) - record.evidence) > _EVIDENCE_SLACK:
        raise BadInput("record_evidence", "evidence said twice, and not alike")


def _check_week(record: WeekRecord, features: FeatureRow) -> None:
    # The mean weighted by itself lies between the plain mean and the sum.
    mean = features.get("evidence")
    least, most = record.evidence / record.lessons, record.evidence
    if mean is not None and not least - _EVIDENCE_SLACK <= mean <= most + _EVIDENCE_SLACK:
        raise BadInput("record_evidence", "the mean evidence does not go with the sum")


@lru_cache(maxsize=1024)
def _seen_by(kinds: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name for name, seen in zip(FEATURES, visible(kinds), strict=True) if seen)
