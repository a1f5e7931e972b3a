"""What this hub can take of a well-formed record: models with their stages, features, times; pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from models.features.set1 import FEATURES
from models.integration.load import load_model, model_names
from shared.errors import BadInput
from shared.records import LessonRecord, Placement, WeekPlacement, WeekRecord

AHEAD_S: Final = 2 * 86_400.0  # a school's clock, and its time zone, may be this far before the hub's
MOST: Final = 1e9


@lru_cache(maxsize=1)
def stage_counts() -> Mapping[tuple[str, str], int]:
    """How many stages each dimension of the models shipped has, by `(model, dimension)`."""
    models = (load_model(name) for name in model_names())
    return {(model.id, one.id): len(one.stages) for model in models for one in model.dimensions}


def check(record: LessonRecord | WeekRecord) -> None:
    """Raises BadInput for what no hub of this edition can show; its time is `starts`' matter."""
    dimensions = [(p.model, p.dimension) for p in record.placements]
    if len(set(dimensions)) != len(dimensions):
        raise BadInput("record_placement_twice", "one placement for each model and dimension")
    for placement in record.placements:
        _check_scale(placement)
    if not record.features.keys() <= set(FEATURES):
        raise BadInput("record_feature_name", "not a feature of set 1")
    for name, value in record.features.items():
        most = 1 + 1e-6 if name.endswith(("_share", "_fraction")) else MOST
        if value is not None and not 0 <= value <= most:
            raise BadInput("record_feature_range", f"{name} out of range")


def _check_scale(placement: Placement | WeekPlacement) -> None:
    known = stage_counts()
    if placement.model not in {model for model, _ in known}:
        raise BadInput("unknown_model", "not an integration model of this hub")
    stages = known.get((placement.model, placement.dimension))
    if stages is None:
        raise BadInput("unknown_dimension", f"not a dimension of {placement.model}")
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
