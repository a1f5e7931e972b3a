"""What this hub can take of a well-formed record: models with their stages, features, times; pure."""

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from hub.known import Known
from hub.store import plausible
from models.integration.load import Grain
from models.scoring.sets import WIDE
from shared.errors import BadInput
from shared.records import LessonRecord, Placement, WeekPlacement, WeekRecord
from shared.versions import fit_in

FUTURE: Final = "record_in_the_future"
DAY_S: Final = 86_400.0
AHEAD_S: Final = 2 * DAY_S  # a school's clock, and its time zone, may be this far before the hub's
WAITS_S: Final = 366 * DAY_S  # further ahead it may be our clock that is wrong: it waits in the school
AHEAD: Final = "put_off_ahead"
BEHIND_S: Final = 4 * 366 * DAY_S  # the three years that pages show, and one in which a school was away


def check(record: LessonRecord | WeekRecord, known: Known) -> None:
    """Raises BadInput for what this hub cannot show with its models; the time is `untimely`'s matter."""
    dimensions = [(p.model, p.dimension) for p in record.placements]
    if len(set(dimensions)) != len(dimensions):
        raise BadInput("record_placement_twice", "one placement for each model and dimension")
    for placement in record.placements:
        _check_scale(placement, known)
    plausible.check(record)


def _check_scale(placement: Placement | WeekPlacement, known: Known) -> None:
    stages, grain, fit = _scale(known, placement.model, placement.dimension, placement.version)
    given = placement.probs if isinstance(placement, Placement) else placement.expected
    if len(given) != stages:
        raise BadInput("record_stages", f"{len(given)} stages, {placement.dimension} has {stages}")
    if _places(placement, stages):
        if grain != "lesson":
            raise BadInput("record_grain", f"{placement.model} places no lesson")
        if not fit:
            raise BadInput("record_uncalibrated", "placed by what no walkthrough has calibrated")


@lru_cache(maxsize=1024)  # every record names the same few
def _scale(known: Known, name: str, dimension_id: str, version: str) -> tuple[int, Grain, str]:
    """Stages, shortest span, and fit of a scale that the hub knows; raises BadInput for any other."""
    model = known.get(name)
    if model is None:
        raise BadInput("unknown_model", "not an integration model of this hub")
    fit = fit_in(version, model.version)
    if fit is None:
        raise BadInput("unknown_version", f"not version {model.version} of {model.id}, which this hub has")
    dimension = known.dimension(name, dimension_id)
    if dimension is None:
        raise BadInput("unknown_dimension", f"not a dimension of {name}")
    return len(dimension.stages), model.grain, fit


def _places(placement: Placement | WeekPlacement, stages: int) -> bool:
    """Whether it says where a lesson stands. Raises BadInput if it does so and leaves all open."""
    if isinstance(placement, WeekPlacement):
        return placement.placed > 0
    if placement.verdict != "placed" or placement.low is None or placement.high is None:
        return False
    if placement.high - placement.low + 1 >= WIDE * stages:
        raise BadInput("record_set", "placed in a set that leaves nearly every stage open")
    return True


def untimely(record: LessonRecord | WeekRecord, now: float) -> BadInput | None:
    """Why a record of that time cannot be by hub time `now`, or None. Raises BadInput for no ISO week.

    The reason `AHEAD` is for what will have its time, by this clock or once it is set: nothing to refuse yet.
    """
    at = starts(record)
    if at > now + WAITS_S:
        return BadInput(FUTURE, "later than a year from now by the hub's clock")
    if at > now + AHEAD_S:
        return BadInput(AHEAD, "later than two days from now by the hub's clock")
    if at < now - BEHIND_S:
        return BadInput("record_too_old", "older than four years by the hub's clock")
    return None


@lru_cache(maxsize=1024)  # a district's schools have the same few bells
def epoch(text: str) -> float:
    """The epoch seconds of a time that was checked to be one."""
    return datetime.fromisoformat(text).timestamp()


def starts(record: LessonRecord | WeekRecord) -> float:
    """When what it tells of began, in epoch seconds: the lesson, or the Monday in UTC. Raises BadInput."""
    if isinstance(record, LessonRecord):
        return epoch(record.start)
    try:
        monday = date.fromisocalendar(int(record.week[:4]), int(record.week[6:]), 1)
    except ValueError:
        raise BadInput("record_week", "no such ISO week") from None
    return datetime(monday.year, monday.month, monday.day, tzinfo=UTC).timestamp()
