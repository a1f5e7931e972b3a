"""Lessons that are over: find them, close their windows, hand on what may leave, then forget the signals."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import groupby
from typing import Final

import numpy as np

from edge_agent.days import day_of, key_expires, living_days, rfc3339
from edge_agent.leaving.records import lesson_record
from edge_agent.leaving.rules import lesson_held_back, revision_held_back
from edge_agent.lessons.late import Late
from edge_agent.lessons.schedule import Begun, Schedule
from edge_agent.lessons.scoring import Scoring
from edge_agent.lessons.windows import ClosedWindow, OpenWindow, WindowKey, by_device, close_windows, gather
from edge_agent.settings import AgentSettings
from edge_agent.sight.around import Around
from edge_agent.sight.visibility import Seen, bypassing, visible_seconds
from edge_agent.store import collectors
from edge_agent.store.arrivals import as_signed
from edge_agent.store.classes import shared_until
from edge_agent.store.disclosures import disclose
from edge_agent.store.resting import idle_talkers
from edge_agent.store.windows import (
    Known,
    forget_day,
    heard,
    heard_before,
    known_window,
    pass_over,
    present,
    put,
    remember_number,
    stored_days,
)
from models.catalogue.load import Catalogue
from shared import records, signals
from shared.errors import BadInput
from shared.link import outbox
from shared.signals import SignalBatch
from shared.storage import Writer

GRACE_SECONDS: Final = 15 * 60
ANY_APP: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class _Due:
    """A window to close now, for the first time or again."""

    window: OpenWindow
    day: date
    known: Known | None


class Lessons:
    """Closes windows of one school; called from the agent's main loop only."""

    def __init__(
        self,
        writer: Writer,
        reader: sqlite3.Connection,
        schedule: Schedule,
        settings: AgentSettings,
        catalogue: Catalogue,
        scoring: Scoring,
        around: Around | None = None,
    ) -> None:
        self._around = around
        self._writer = writer
        self._reader = reader
        self._schedule = schedule
        self._settings = settings
        self._catalogue = catalogue
        self._scoring = scoring
        self._late = Late(reader, self._decode)

    def close_due(self, now: float, read_until: float) -> int:
        """Close every window whose lesson and grace are over and whose sources are read that far; how many.

        `read_until` (seconds UTC): the moment up to which every source that answers has been read.
        """
        days = self._days(now)
        self._schedule.keep(days, now)
        self._late.look()
        over = min(now, read_until) - GRACE_SECONDS
        due = dict.fromkeys(self._schedule.open(days, over))
        due |= dict.fromkeys(key for key, end in self._late.lessons.items() if end <= over)
        # Lessons of one bell together: their signals lie in the same batches.
        bells = groupby(sorted(due, key=lambda key: (key.start, key.class_code)), lambda key: key.start)
        return sum(self._close(self._due(keys, now), now) for _, keys in bells)

    def forget(self, now: float) -> list[date]:
        """Delete the signals of days whose key has been destroyed; which days."""
        zone = self._settings.zone
        gone = [day for day in stored_days(self._reader) if now >= key_expires(day, zone)]
        for day in gone:
            newest = self._writer.run(partial(forget_day, day=day.isoformat(), orphans=self._orphans(day)))
            self._late.forgotten(newest)
        return gone

    def over_at(self, now: float) -> float:
        """When the newest day that has signals and no key any more was over; minus infinity if none has."""
        expiries = (key_expires(day, self._settings.zone) for day in stored_days(self._reader))
        return max((expiry for expiry in expiries if expiry <= now), default=float("-inf"))

    def _orphans(self, day: date) -> int:
        """Signals of the day that lie in no closed window: a bell schedule changed under them."""
        spans: dict[str, list[tuple[int, int]]] = {}
        found = self._reader.execute(
            "SELECT class_code, start, ends FROM windows WHERE day = ?", (day.isoformat(),)
        )
        for code, start, end in found:
            spans.setdefault(code, []).append((start, end))
        stored = self._reader.execute("SELECT payload FROM batches WHERE day = ?", (day.isoformat(),))
        return sum(_outside(self._decode(payload), spans) for (payload,) in stored)

    def _days(self, now: float) -> list[date]:
        # Days whose key died while the agent was away may still hold accepted signals.
        return sorted({*living_days(now, self._settings.zone), *stored_days(self._reader)})

    def _due(self, keys: Iterable[WindowKey], now: float) -> list[_Due]:
        due = []
        for key in keys:
            item = self._schedule.begun(key)
            if item is None:  # its week has left without what came since
                self._late.lessons.pop(key, None)
                continue
            window = OpenWindow(key, item.lesson, item.expected, self._seen(key, item, now))
            due.append(_Due(window, item.day, known_window(self._reader, key)))
        return due

    def _seen(self, key: WindowKey, item: Begun, now: float) -> Seen:
        spans, there = heard(self._reader, key), present(self._reader, key)
        around = frozenset[int]() if self._around is None else self._around.addressed(item.day, key, now)
        silent = frozenset(map(as_signed, around)) - spans.keys() - there.keys()
        earlier = heard_before(self._reader, item.day.isoformat(), key.start, silent)
        unheard = bypassing(spans.keys(), there.keys(), silent, earlier)
        return Seen(visible_seconds(spans.values(), key.start, item.lesson.end), unheard)

    def _close(self, due: Sequence[_Due], now: float) -> int:
        if not due:
            return 0
        windows = [item.window for item in due]
        batches = self._batches(due[0].day, windows)
        upto = max(batches, default=0)
        idle = idle_talkers(self._reader, due[0].day)
        closed = close_windows(
            windows, list(batches.values()), self._kinds(), self._catalogue, self._scoring, idle
        )
        changed = [_changed_devices(item, batches, idle) for item in due]

        def write(connection: sqlite3.Connection) -> None:
            shared = shared_until(connection)
            for item, window, devices in zip(due, closed, changed, strict=True):
                self._write(connection, item, window, devices, upto, shared, now)

        self._writer.run(write)
        for window in windows:
            self._late.closed(window.key, window.lesson.end)
        return len(closed)

    def _batches(self, day: date, windows: Sequence[OpenWindow]) -> dict[int, SignalBatch]:
        start = min(window.key.start for window in windows)
        end = max(window.lesson.end for window in windows)
        found = self._reader.execute(
            "SELECT id, payload FROM batches WHERE day = ? AND t_max >= ? AND t_min < ?",
            (day.isoformat(), start, end),
        )
        return dict(sorted((number, self._decode(payload)) for number, payload in found))

    def _decode(self, payload: bytes) -> SignalBatch:
        """A stored batch; it was checked when it came, perhaps under an older catalogue.

        The catalogue only ever grows at its end, so that an index keeps its meaning; one from a newer
        catalogue than ours, after a downgrade, is unlisted.
        """
        batch = signals.decode(payload, apps=ANY_APP)
        known = len(self._catalogue.apps)
        return replace(batch, app=np.where(batch.app > known, 0, batch.app).astype(np.uint16))

    def _write(
        self,
        connection: sqlite3.Connection,
        item: _Due,
        window: ClosedWindow,
        changed: int,
        upto: int,
        shared: dict[str, date],
        now: float,
    ) -> None:
        known = item.known or Known()
        code = window.key.class_code
        today = day_of(now, self._settings.zone)
        is_shared = code in shared and max(item.day, today) <= shared[code]
        sent = known.sent_batch is not None
        few = revision_held_back(sent_before=sent, changed_devices=changed)
        if few is not None:
            # What left stays what the week counts, shared still or not: or their difference would tell
            # of few devices.
            pass_over(connection, window.key, upto, few)
            return
        minimum = self._settings.privacy.minimum_devices
        held = lesson_held_back(devices=window.devices, minimum=minimum, shared=is_shared)
        record = self._record(window, known.revision + 1)
        held = held or impossible(record)
        if held is None:
            number = hand_over(connection, record, "lesson", now)
            remember_number(connection, window.key, number)
            known = Known(upto, known.revision + 1, upto)
        known = replace(known, upto_batch=upto)
        put(connection, item.day, window, self._kinds(), known, held)

    def _kinds(self) -> frozenset[str]:
        """What this agent reads, here and on other machines: what it could see follows from that."""
        return self._settings.kinds | collectors.kinds(self._reader)

    def _record(self, window: ClosedWindow, revision: int) -> records.LessonRecord:
        return lesson_record(
            window,
            school=self._settings.school,
            zone=self._settings.zone,
            kinds=self._kinds(),
            revision=revision,
        )


def impossible(record: records.Record) -> str | None:
    """Why the hub would refuse this record, or None: better to notice, count and show it here."""
    try:
        records.decode(records.encode(record))
    except BadInput as refusal:
        return refusal.reason
    return None


def hand_over(connection: sqlite3.Connection, record: records.Record, kind: str, now: float) -> int:
    """Put a record into the outbox and the disclosure log, in the caller's transaction; its number."""
    # As the hub would write it again: a whole number where a fraction belongs becomes one.
    payload = records.encode(records.decode(records.encode(record)))
    number = outbox.append(connection, kind, payload)
    disclose(connection, at=rfc3339(now), kind=kind, number=number, payload=payload)
    return number


def _changed_devices(item: _Due, batches: dict[int, SignalBatch], idle: frozenset[int]) -> int:
    """Devices whose signals in the window differ from those behind its last sent revision."""
    if item.known is None or item.known.sent_batch is None:
        return 0
    sent = item.known.sent_batch
    known = [batch for number, batch in batches.items() if number <= sent]
    before = by_device(gather([item.window], known, idle))
    now = by_device(gather([item.window], list(batches.values()), idle))
    return sum(before.get(device) != rows for device, rows in now.items())


def _outside(batch: SignalBatch, spans: dict[str, list[tuple[int, int]]]) -> int:
    inside = np.zeros(len(batch), bool)
    first, last = batch.t.min(), batch.t.max()
    for index, code in enumerate(batch.class_codes):
        for start, end in spans.get(code, ()):
            if end <= first or start > last:
                continue
            inside |= (batch.class_ == index) & (batch.t >= start) & (batch.t < end)
    return int((~inside).sum())
