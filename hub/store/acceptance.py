"""What this hub can take of a well-formed record: models with their stages, features, times; pure."""

from datetime import UTC, date, datetime
from typing import Final

from hub.known import Known
from models.features.set1 import FEATURES
from shared.errors import BadInput
from shared.records import LessonRecord, Placement, WeekPlacement, WeekRecord
from shared.versions import fit_in

AHEAD_S: Final = 2 * 86_400.0  # a school's clock, and its time zone, may be this far before the hub's
MOST: Final = 1e9


def check(record: LessonRecord | WeekRecord, known: Known) -> None:
    """Raises BadInput for what this hub cannot show with its models; the time is `starts`' matter."""
    dimensions = [(p.model, p.dimension) for p in record.placements]
    if len(set(dimensions)) != len(dimensions):
        raise BadInput("record_placement_twice", "one placement for each model and dimension")
    for placement in record.placements:
        _check_scale(placement, known)
    if not record.features.keys() <= set(FEATURES):
        raise BadInput("record_feature_name", "not a feature of set 1")
    for name, value in record.features.items():
        most = 1 + 1e-6 if name.endswith(("_share", "_fraction")) else MOST
        if value is not None and not 0 <= value <= most:
            raise BadInput("record_feature_range", f"{name} out of range")


def _check_scale(placement: Placement | WeekPlacement, known: Known) -> None:
    model = known.get(placement.model)
    if model is None:
        raise BadInput("unknown_model", "not an integration model of this hub")
    if fit_in(placement.version, model.version) is None:
        raise BadInput("unknown_version", f"not version {model.version} of {model.id}, which this hub has")
    dimension = known.dimension(placement.model, placement.dimension)
    if dimension is None:
        raise BadInput("unknown_dimension", f"not a dimension of {placement.model}")
    stages = len(dimension.stages)
    given = placement.probs if isinstance(placement, Placement) else placement.expected
    if len(given) != stages:
        raise BadInput("record_stages", f"{len(given)} stages, {placement.dimension} has {stages}")


def starts(record: LessonRecord | WeekRecord) -> float:
    """When what it tells of began, in epoch seconds: the lesson, or the Monday in UTC. Raises BadInput."""
    if isinstance(record, LessonRecord):
        return datetime.fromisoformat(record.start).timestamp()
    try:
        monday = date.fromisocalendar(int(record.week[:4]), int(record.week[6:]), 1)
    except ValueError:
        raise BadInput("record_week", "no such ISO week") from None
    return datetime(monday.year, monday.month, monday.day, tzinfo=UTC).timestamp()
