"""What of a parcel from another machine is taken: only its own source, only devices where they belong.

A collector is trusted to read its log, not to know better than the agent who is in which lesson: whatever
does not fit the day's table is left out and counted, and what no honest collector says is refused whole.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.daykeys import DESTROYED
from edge_agent.parcel import Heard, Parcel
from edge_agent.remote.day_table import DayTable
from edge_agent.sources.facts import EXCERPTS_A_CHUNK
from shared import signals
from shared.errors import BadInput
from shared.scrub import shape
from shared.signals import SignalBatch

NOT_THERE: Final = "not_of_that_lesson"
_WHAT: Final = frozenset({"unmatched", "outside", "late", "refused"})
_REASON: Final = re.compile(r"[a-z0-9_]{1,48}\Z")
_REASONS_A_PARCEL: Final = 40
_MOST: Final = 1_000_000  # lines, or counts of one reason: far more than 64 KiB can stand for

TableOf = Callable[[str], DayTable | None]


def admit(parcel: Parcel, *, source: str, kind: str, apps: int, table_of: TableOf) -> Parcel:
    """The parcel as it is taken. Raises BadInput for what no honest collector says.

    `table_of` gives the table of a day that lives, None for any other: what is of those is late.
    """
    if (parcel.source, parcel.kind) != (source, kind):
        raise BadInput("source_of_another", "a collector sends for its own source only")
    if parcel.seen:
        raise BadInput("statements_from_elsewhere", "statements are posted to the agent itself")
    _check_counts(parcel)
    counts = {what: Counter(reasons) for what, reasons in parcel.counts.items()}
    batches = []
    for data in parcel.batches:
        batch = signals.decode(data, apps=apps)
        if (batch.source, batch.kind) != (source, kind):
            raise BadInput("source_of_another", "a collector sends for its own source only")
        table = table_of(batch.day_key)
        kept = batch if table is None else _where(batch, belongs(batch, table))
        missed = len(batch) if table is None else len(batch) - len(kept)
        if missed:
            what, reason = ("late", DESTROYED) if table is None else ("unmatched", NOT_THERE)
            counts.setdefault(what, Counter())[reason] += missed
        if table is not None and len(kept):
            batches.append(data if not missed else signals.encode(kept))
    return Parcel(
        kind=kind,
        source=source,
        batches=batches,
        lines=parcel.lines,
        newest=parcel.newest,
        counts={what: dict(reasons) for what, reasons in counts.items()},
        excerpts=[(reason, shape(text)) for reason, text in parcel.excerpts],
        heard=[group for group in (_heard(item, table_of) for item in parcel.heard) if group.devices],
        seen=[],
        read_until=parcel.read_until,
    )


def belongs(batch: SignalBatch, table: DayTable) -> NDArray[np.bool_]:
    """Which signals [n] lie in a lesson of the day that has their class and their device."""
    found = np.zeros(len(batch), bool)
    indexes = {code: index for index, code in enumerate(batch.class_codes)}
    for lesson in table.lessons:
        index = indexes.get(lesson.code)
        if index is None:
            continue
        inside = (batch.class_ == index) & (batch.t >= lesson.start) & (batch.t < lesson.end)
        if inside.any():
            found |= inside & np.isin(batch.device, np.asarray(lesson.devices, np.uint64))
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


def _heard(group: Heard, table_of: TableOf) -> Heard:
    table = table_of(group.day)
    lessons = () if table is None else table.lessons
    there = {
        device
        for lesson in lessons
        if (lesson.code, lesson.start) == (group.class_code, group.start)
        for device in lesson.devices
    }
    return Heard(group.class_code, group.start, group.day, [one for one in group.devices if one in there])


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
