"""What leaves a school: lesson, week and status records, one JSON object each, checked on both sides."""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from shared.errors import BadInput
from shared.words import CHANNELS, SOURCE_KINDS

MAX_RECORD_BYTES: Final = 32 * 1024
GRADE_BANDS: Final = ("k-2", "3-5", "6-8", "9-12", "mixed", "other", "all")
ALL_BANDS: Final = "all"  # a week that leaves as one, and then in no other band
YEARS: Final = range(2015, 2100)

MOST_REVISIONS: Final = 1_000_000
MOST_LESSONS: Final = 60  # of a class in a week

STEP_MINUTES: Final = 5  # of the strip
_LONGEST_MINUTES: Final = 600

# What the agent's rounding may add up to: shares of a step have four digits, probabilities six.
_FULL_STEP: Final = 1 + 5e-4
_PROBS_SLACK: Final = 1e-5
_EVIDENCE_SLACK: Final = 1e-2

Text = Annotated[str, Meta(min_length=1, max_length=120)]
Code = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*\Z")]
GradeBand = Annotated[str, Meta(pattern=rf"^(?:{'|'.join(GRADE_BANDS)})\Z")]
Count = Annotated[int, Meta(ge=0, le=10_000_000)]
Few = Annotated[int, Meta(ge=0, le=10_000)]  # of a school's week: lessons, classes, teachers, devices
Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(ge=0, le=1e9)]
Week = Annotated[str, Meta(pattern=r"^[0-9]{4}-W[0-9]{2}\Z")]
Probabilities = Annotated[tuple[Share, ...], Meta(max_length=16)]
Expected = Annotated[tuple[Positive, ...], Meta(min_length=2, max_length=16)]
Kinds = Annotated[tuple[str, ...], Meta(max_length=32)]
Verdict = Literal["placed", "thin", "evidence_only"]
FeatureRow = dict[str, float | None]


class Placement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the scorer says of one window on one dimension; `low` and `high` are inclusive or absent."""

    model: Code
    dimension: Code
    version: Text
    probs: Probabilities
    verdict: Verdict
    low: int | None = None
    high: int | None = None


class WeekPlacement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A week's lessons on one dimension: expected number of lessons by stage, and verdicts counted."""

    model: Code
    dimension: Code
    version: Text
    expected: Expected
    placed: Few
    thin: Few
    evidence_only: Few


class LessonRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="lesson", tag_field="kind"):
    """One window of a class that its teacher shares. `start` is RFC 3339; `evidence` in device-minutes."""

    school: Text
    class_: Code = msgspec.field(name="class")
    start: str
    minutes: Annotated[int, Meta(ge=1, le=_LONGEST_MINUTES)]
    grade_band: GradeBand
    subject: Text
    devices: Few
    expected: Few
    evidence: Positive
    visibility: Share
    sources: Kinds
    feature_set: Literal["1"]
    features: FeatureRow
    strip: Annotated[tuple[dict[str, Share], ...], Meta(max_length=120)]
    placements: Annotated[tuple[Placement, ...], Meta(max_length=32)]
    revision: Annotated[int, Meta(ge=1, le=MOST_REVISIONS)]


class WeekRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="week", tag_field="kind"):
    """A school's ISO week in one grade band. `devices` is of the largest lesson."""

    school: Text
    week: Week
    grade_band: GradeBand
    lessons: Few
    classes: Few
    teachers: Few
    devices: Few
    evidence: Positive
    visibility: Share
    sources: Kinds
    features: FeatureRow
    placements: Annotated[tuple[WeekPlacement, ...], Meta(max_length=32)]


class SourceFreshness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One source as the heartbeat tells it; `fresh` is the RFC 3339 time of its newest line, or null."""

    kind: str
    fresh: str | None


class StatusRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="status", tag_field="kind"):
    """The heartbeat: no signal, no class. Two sources may be of one kind."""

    school: Text
    sources: Annotated[tuple[SourceFreshness, ...], Meta(max_length=64)]
    backlog: Count
    version: Text


Record = LessonRecord | WeekRecord | StatusRecord

_CHANNELS: Final = frozenset(CHANNELS)
_KINDS: Final = frozenset(SOURCE_KINDS)
_LONGEST_TIME: Final = len("2026-01-01T00:00:00+00:00")

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})")


def encode(record: Record) -> bytes:
    """One JSON line without its newline."""
    return _encoder.encode(record)


def decode(data: bytes) -> Record:
    """One JSON object as a checked record; raises BadInput with the reason."""
    if len(data) > MAX_RECORD_BYTES:
        raise BadInput("record_too_large", f"{len(data)} bytes")
    try:
        record = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("record_malformed", _where(error)) from None
    _check(record)
    return record


def _where(error: Exception) -> str:
    # msgspec names the field in its message, and quotes no value of it.
    return str(error)[:160]


def _check(record: Record) -> None:
    if isinstance(record, StatusRecord):
        _check_kinds(source.kind for source in record.sources)
        for source in record.sources:
            if source.fresh is not None and not is_time(source.fresh):
                raise BadInput("record_time", "not an RFC 3339 time with its offset")
        return
    _check_kinds(record.sources)
    if len(set(record.sources)) != len(record.sources):
        raise BadInput("record_source_twice", "each kind of source once")
    if isinstance(record, LessonRecord):
        if not is_time(record.start):
            raise BadInput("record_time", "not an RFC 3339 time with its offset")
        _check_year(record.start)
        _check_class(record)
        _check_strip(record)
        for placement in record.placements:
            _check_placement(placement)
    else:
        _check_week(record)


def _check_kinds(kinds: Iterable[str]) -> None:
    if not _KINDS.issuperset(kinds):
        raise BadInput("record_source_kind", "unknown source kind")


def is_time(text: str) -> bool:
    """Whether `text` is an RFC 3339 time to the second, with its offset."""
    return len(text) <= _LONGEST_TIME and _is_time(text)


@lru_cache(maxsize=1024)  # the schools of a district have the same few bells
def _is_time(text: str) -> bool:
    try:
        return bool(_RFC3339.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False


def _check_year(text: str) -> None:
    if int(text[:4]) not in YEARS:
        raise BadInput("record_year", f"not of the years {YEARS[0]} to {YEARS[-1]}")


def _check_class(record: LessonRecord) -> None:
    # The roster may grow while a lesson runs, so that more are seen than were expected; not any number.
    if record.devices > 2 * record.expected + 100:
        raise BadInput("record_devices", "far more devices than expected")
    if record.visibility > 0 and not record.expected:
        raise BadInput("record_visibility", "a share of no expected device")
    # `minutes` are whole ones: a lesson may have been up to one longer.
    if record.evidence > record.devices * (record.minutes + 1) + _EVIDENCE_SLACK:
        raise BadInput("record_evidence", "more device-minutes than devices and minutes")


def _check_strip(record: LessonRecord) -> None:
    if len(record.strip) > record.minutes // STEP_MINUTES + 1:
        raise BadInput("record_strip_length", "a strip longer than its lesson")
    shares = map(sum, map(dict.values, record.strip))
    if _CHANNELS.issuperset(chain.from_iterable(record.strip)) and max(shares, default=0) <= _FULL_STEP:
        return
    for step in record.strip:
        if not _CHANNELS.issuperset(step):
            raise BadInput("record_strip_channel", "unknown channel")
        if sum(step.values()) > _FULL_STEP:
            raise BadInput("record_strip_sum", "shares of a step sum to more than 1")


def _check_placement(placement: Placement) -> None:
    probs = placement.probs
    stages = len(probs)
    if stages < 2 or abs(sum(probs) - 1) > _PROBS_SLACK:
        raise BadInput("record_probs", "probabilities must sum to 1")
    low, high = placement.low, placement.high
    if (low is None) != (high is None):
        raise BadInput("record_set", "a set has both ends or none")
    if low is not None and high is not None and not 0 <= low <= high < stages:
        raise BadInput("record_set", "the set lies outside the stages")
    if placement.verdict == "evidence_only" and low is not None:
        raise BadInput("record_set", "evidence_only has no set")
    if placement.verdict == "placed" and low is None:
        raise BadInput("record_set", "placed nowhere")
    # A set grows from the likeliest stage; rounding may make two stages equal.
    if low is not None and max(probs[low : (high or 0) + 1]) < max(probs) - _PROBS_SLACK:
        raise BadInput("record_set", "the set leaves out the likeliest stage")


def _check_week(record: WeekRecord) -> None:
    _check_year(record.week)
    # A lesson may have several teachers.
    if not 1 <= record.classes <= record.lessons or not record.teachers:
        raise BadInput("record_counts", "lessons, classes and teachers do not go together")
    if record.lessons > record.classes * MOST_LESSONS:
        raise BadInput("record_counts", "more lessons than its classes have time for")
    if record.evidence > record.lessons * record.devices * (_LONGEST_MINUTES + 1) + _EVIDENCE_SLACK:
        raise BadInput("record_evidence", "more device-minutes than lessons and devices")
    for placement in record.placements:
        judged = placement.placed + placement.thin + placement.evidence_only
        if judged != record.lessons:
            raise BadInput("record_verdicts", "verdicts do not add up to the lessons")
        if abs(sum(placement.expected) - record.lessons) > 1e-3 + _PROBS_SLACK * record.lessons:
            raise BadInput("record_expected", "expected lessons do not add up to the lessons")
