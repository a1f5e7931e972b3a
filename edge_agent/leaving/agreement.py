"""The schedule of data of a student-data agreement, filled from what was really disclosed; pure.

Categories follow those that such schedules ask for, in our own words. A field that was in no record is not
claimed; a field that no category knows is listed as such.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from edge_agent.store.disclosed_fields import Field
from models.features.set1 import FEATURES
from shared.words import CHANNELS

_FEATURES: Final = tuple(f"features.{name}" for name in FEATURES)
_STRIP: Final = tuple(f"strip[].{name}" for name in CHANNELS)
_JUDGED: Final = tuple(
    f"placements[].{name}"
    for name in (
        *("model", "dimension", "version", "verdict", "probs[]", "low", "high"),
        *("expected[]", "placed", "thin", "evidence_only"),
    )
)


class _Element(msgspec.Struct, frozen=True):
    name: str
    fields: tuple[str, ...] = ()


class _Category(msgspec.Struct, frozen=True):
    name: str
    elements: tuple[_Element, ...]


def _category(name: str, elements: Mapping[str, tuple[str, ...]]) -> _Category:
    return _Category(name, tuple(_Element(*item) for item in elements.items()))


_NEVER: Final[tuple[str, ...]] = ()
_SCHEDULE: Final = (
    _category("Technical data of devices", {"Network addresses, device identifiers, cookies": _NEVER}),
    _category(
        "Use of apps",
        {
            "Kinds of work in a lesson or week, of a whole class or grade band": _FEATURES,
            "Kinds of work by the minute of a lesson, of a whole class": _STRIP,
            "Minutes of iPads in use, and the share that could be seen, of a whole class": (
                *("evidence", "visibility"),
            ),
            "What one student used": _NEVER,
        },
    ),
    _category("Assessment", {"Scores, observations or recordings of a student": _NEVER}),
    _category(
        "Judgement of teaching with technology",
        {"Stages of integration models, of a whole lesson or of a week’s lessons": _JUDGED},
    ),
    _category(
        "Attendance",
        {
            "Number of iPads seen and expected in a lesson or week": ("devices", "expected"),
            "Attendance of a student": _NEVER,
        },
    ),
    _category("Communications", {"Messages, posts, files, searches": _NEVER}),
    _category("Conduct", {"Conduct or behaviour of a student": _NEVER}),
    _category("Demographics", {"Birth, gender, ethnicity, language of a student": _NEVER}),
    _category(
        "Enrolment",
        {
            "School": ("school",),
            "Grade band of a class or of a week’s lessons": ("grade_band",),
            "Enrolment or grade of a student": _NEVER,
        },
    ),
    _category("Parents and guardians", {"Names, identifiers, contact details": _NEVER}),
    _category(
        "Schedule",
        {
            "Code of a class whose teacher shares it": ("class",),
            "Subject of that class": ("subject",),
            "Beginning and length of its lesson": ("start", "minutes"),
            "Week of a summary": ("week",),
            "Number of lessons, classes and teachers in a week": ("lessons", "classes", "teachers"),
            "Courses of a student, names of teachers": _NEVER,
        },
    ),
    _category("Special circumstances", {"Language support, income, health, special education": _NEVER}),
    _category("Student identifiers", {"Names, numbers, user names, pseudonyms of students": _NEVER}),
    _category("Student contact details", {"Addresses, e-mail, telephone": _NEVER}),
    _category("Student work, surveys, transcripts", {"Work, answers, marks": _NEVER}),
    _category("Transport and programmes", {"Bus, meals, memberships of a student": _NEVER}),
    _category(
        "How the service itself runs",
        {
            "Kind and version of a record": ("kind", "feature_set", "revision", "version"),
            "Kinds of source, and when each was last heard": (
                *("sources[]", "sources[].kind", "sources[].fresh"),
            ),
            "Records that wait": ("backlog",),
        },
    ),
)

RETENTION: Final = (
    "An iPad’s name is replaced by a code before anything is written down.",
    "The key to the codes is destroyed 36 hours after its day began, and that day’s signals are deleted.",
    "What stays in the school are numbers about whole classes, and the log of what left.",
    "The records in that log open with the school’s own key alone.",
    "A record that has arrived is kept ready in the school for 14 days, should the district lose it.",
    "The district keeps what it received until it deletes it: agree on a term here.",
)


class ElementRow(msgspec.Struct, frozen=True):
    """One element: in how many records at most, which fields, first and last day in UTC; 0: not collected."""

    category: str
    element: str
    collected: bool
    records: int = 0
    fields: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    first: str | None = None
    last: str | None = None


class KindRow(msgspec.Struct, frozen=True):
    """Records of one kind: how many, and the first and last day in UTC."""

    kind: str
    records: int
    first: str
    last: str


class Agreement(msgspec.Struct, frozen=True):
    """The schedule, with who receives the records and how long they are kept.

    `recipient` is the fingerprint of the hub's public key; None before the school joined one. `chain` is the
    hash of the log's entry number `entries`, the last one.
    """

    school: str
    written: str
    simulated: bool
    recipient: str | None
    address: str | None
    records: tuple[KindRow, ...]
    withdrawn: int
    schedule: tuple[ElementRow, ...]
    unknown: tuple[ElementRow, ...]
    entries: int
    chain: str
    unbroken: bool
    retention: tuple[str, ...] = RETENTION


def schedule(fields: Sequence[Field]) -> tuple[tuple[ElementRow, ...], tuple[ElementRow, ...]]:
    """Every element of every category as disclosed or not, and the fields that belong to none."""
    rows = []
    known: set[str] = set()
    for category in _SCHEDULE:
        for element in category.elements:
            known.update(element.fields)
            found = [field for field in fields if field.name in element.fields]
            rows.append(_row(category.name, element.name, found))
    rest = sorted({field.name for field in fields} - known)
    unknown = [_row("In no category", name, [f for f in fields if f.name == name]) for name in rest]
    return tuple(rows), tuple(unknown)


def _row(category: str, name: str, found: Sequence[Field]) -> ElementRow:
    if not found:
        return ElementRow(category, name, collected=False)
    most: dict[str, int] = {}
    for field in found:
        most[field.kind] = max(most.get(field.kind, 0), field.records)
    return ElementRow(
        category,
        name,
        collected=True,
        records=sum(most.values()),
        fields=tuple(sorted({field.name for field in found})),
        kinds=tuple(sorted(most)),
        first=min(field.first for field in found),
        last=max(field.last for field in found),
    )
