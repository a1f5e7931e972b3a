"""What of a parcel from another machine is taken: only its own source, only devices where they belong.

A collector is trusted to read its log, not to know better than the agent who is in which lesson: whatever
does not fit the day's table is left out and counted, and what no honest collector says is refused whole.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.catalogue.met import of_the_day
from edge_agent.placing.collector import FUTURE_SECONDS
from edge_agent.placing.daykeys import DESTROYED
from edge_agent.placing.parcel import Heard, Parcel
from edge_agent.placing.reasons import OF_SOURCES, OTHER
from edge_agent.remote.day_table import DayTable
from edge_agent.sources.facts import EXCERPTS_A_CHUNK
from shared import signals
from shared.errors import BadInput
from shared.scrub import shape
from shared.signals import SignalBatch
from shared.words import SOURCE_KINDS, Sight

NOT_THERE: Final = "not_of_that_lesson"
REPEATED: Final = "repeated"
TOO_MANY: Final = "too_many_of_a_device"
MOST_A_MINUTE: Final = 240  # signals of one device in a parcel: four apps in each second
_WHAT: Final = frozenset({"unmatched", "outside", "late", "refused"})
_REASON: Final = re.compile(r"[a-z0-9_]{1,48}\Z")
_REASONS_A_PARCEL: Final = 40
_MOST: Final = 1_000_000  # lines, or counts of one reason: far more than 64 KiB can stand for

TableOf = Callable[[str], DayTable | None]


def admit(parcel: Parcel, *, source: str, kind: str, apps: int, table_of: TableOf, now: float) -> Parcel:
    """The parcel as it is taken at `now` (seconds UTC). Raises BadInput for what no honest collector says.

    `table_of` gives the table of a day that lives, None for any other: what is of those is late.
    """
    if (parcel.source, parcel.kind) != (source, kind):
        raise BadInput("source_of_another", "a collector sends for its own source only")
    if parcel.seen:
        raise BadInput("statements_from_elsewhere", "statements are posted to the agent itself")
    _check_counts(parcel)
    _check_groups(parcel)
    table_of = cache(table_of)
    counts: dict[str, Counter[str]] = {}
    for what, reasons in parcel.counts.items():
        for reason, number in reasons.items():
            counts.setdefault(what, Counter())[_known(reason)] += number
    batches: list[bytes] = []
    days: set[str] = set()
    for data in parcel.batches:
        batch = signals.decode(data, apps=apps)
        _check_batch(batch, source, kind, days)
        table = table_of(batch.day_key)
        if table is None:
            counts.setdefault("late", Counter())[DESTROYED] += len(batch)
            continue
        kept, left_out = _sift(batch, table)
        for what, reason, number in left_out:
            if number:
                counts.setdefault(what, Counter())[reason] += number
        if len(kept):
            batches.append(data if len(kept) == len(batch) else signals.encode(kept))
    return Parcel(
        kind=kind,
        source=source,
        batches=batches,
        lines=parcel.lines,
        # A clock that is far ahead would make the source look fresh for ever.
        newest=None if parcel.newest is None or parcel.newest > now + FUTURE_SECONDS else parcel.newest,
        counts={what: dict(reasons) for what, reasons in counts.items()},
        excerpts=[(_known(reason), shape(text)) for reason, text in parcel.excerpts],
        heard=[group for group in _heard(parcel.heard, table_of) if group.devices],
        seen=[],
        read_until=parcel.read_until,
        present=[group for group in _heard(parcel.present, table_of) if group.devices],
        met=of_the_day(parcel.met, {one.day: table_of(one.day) for one in parcel.met}),
    )


def belongs(batch: SignalBatch, table: DayTable) -> NDArray[np.bool_]:
    """Which signals [n] lie in a lesson of the day that has their class and their device, and in no test."""
    found = np.zeros(len(batch), bool)
    indexes = {code: index for index, code in enumerate(batch.class_codes)}
    for lesson in table.lessons:
        index = indexes.get(lesson.code) if lesson.code else None
        if index is None:
            continue
        inside = (batch.class_ == index) & (batch.t >= lesson.start) & (batch.t < lesson.end)
        if inside.any():
            found |= inside & np.isin(batch.device, np.asarray(lesson.devices, np.uint64))
    for test in (lesson for lesson in table.lessons if not lesson.code):
        inside = found & (batch.t >= test.start) & (batch.t < test.end)
        if inside.any():
            found &= ~(inside & np.isin(batch.device, np.asarray(test.devices, np.uint64)))
    return found


def _where(batch: SignalBatch, mask: NDArray[np.bool_]) -> SignalBatch:
    if mask.all():
        return batch
    return replace(
        batch,
        t=batch.t[mask],
        device=batch.device[mask],
        class_=batch.class_[mask],
        app=batch.app[mask],
        action=batch.action[mask],
        amount=batch.amount[mask],
    )


def _sift(batch: SignalBatch, table: DayTable) -> tuple[SignalBatch, list[tuple[str, str, int]]]:
    """The signals that are taken, and of the others what, why and how many."""
    there = _where(batch, belongs(batch, table))
    once = _where(there, _first_of_equals(there))
    few = _where(once, _rank_in_minute(once) < MOST_A_MINUTE)
    return few, [
        ("unmatched", NOT_THERE, len(batch) - len(there)),
        ("refused", REPEATED, len(there) - len(once)),
        ("refused", TOO_MANY, len(once) - len(few)),
    ]


def _first_of_equals(batch: SignalBatch) -> NDArray[np.bool_]:
    """Which signals [n] were not said before in the batch."""
    columns = (batch.t, batch.device, batch.class_, batch.app)
    rows = np.stack([column.astype(np.uint64) for column in columns], axis=1)
    found = np.zeros(len(batch), bool)
    found[np.unique(rows, axis=0, return_index=True)[1]] = True
    return found


def _rank_in_minute(batch: SignalBatch) -> NDArray[np.intp]:
    """How many signals of the same device in the same minute come before each [n]."""
    minute = batch.t // 60
    order = np.lexsort((minute, batch.device))
    starts = np.ones(len(batch), bool)
    starts[1:] = (np.diff(batch.device[order]) != 0) | (np.diff(minute[order]) != 0)
    place = np.arange(len(batch))
    ranks = np.empty(len(batch), np.intp)
    ranks[order] = place - np.maximum.accumulate(np.where(starts, place, 0))
    return ranks


def _heard(groups: Sequence[Heard], table_of: TableOf) -> Iterator[Heard]:
    lessons: dict[tuple[str, str, int], frozenset[int]] = {}
    for day in {group.day for group in groups}:
        table = table_of(day)
        for lesson in () if table is None else table.lessons:
            lessons[day, lesson.code, lesson.start] = frozenset(lesson.devices if lesson.code else ())
    for group in groups:
        there = lessons.get((group.day, group.class_code, group.start), frozenset())
        spans = {device: span for device, *span in group.spans() if device in there}
        whole = not group.first
        yield Heard(
            *(group.class_code, group.start, group.day, list(spans)),
            first=[] if whole else [first for first, _ in spans.values()],
            last=[] if whole else [last for _, last in spans.values()],
        )


def _known(reason: str) -> str:
    return reason if reason in OF_SOURCES else OTHER


def _check_batch(batch: SignalBatch, source: str, kind: str, days: set[str]) -> None:
    if (batch.source, batch.kind) != (source, kind):
        raise BadInput("source_of_another", "a collector sends for its own source only")
    if SOURCE_KINDS[kind] < Sight.ACTIONS and (batch.action.any() or batch.amount.any()):
        raise BadInput("beyond_its_sight", "this kind of source sees contacts only")
    if batch.day_key in days:
        raise BadInput("batch_day_twice", "one batch a day")
    days.add(batch.day_key)


def _check_groups(parcel: Parcel) -> None:
    for groups in (parcel.heard, parcel.present):
        places = {(group.class_code, group.start, group.day) for group in groups}
        if len(places) < len(groups) or not all(group.devices for group in groups):
            raise BadInput("groups_malformed", "empty or repeated groups")
        if any(len(set(group.devices)) < len(group.devices) for group in groups):
            raise BadInput("groups_malformed", "a device twice")


def _check_counts(parcel: Parcel) -> None:
    pairs = [(reason, number) for reasons in parcel.counts.values() for reason, number in reasons.items()]
    reasons = [*(reason for reason, _ in pairs), *(reason for reason, _ in parcel.excerpts)]
    honest = (
        parcel.counts.keys() <= _WHAT
        and len(pairs) <= _REASONS_A_PARCEL
        and len(parcel.excerpts) <= EXCERPTS_A_CHUNK
        and all(_REASON.match(reason) for reason in reasons)
        and all(0 <= number <= _MOST for number in (*(number for _, number in pairs), parcel.lines))
        and (parcel.newest is None or 0 <= parcel.newest < 2**32)
    )
    if not honest:
        raise BadInput("counts_malformed", "counts that no collector makes")
