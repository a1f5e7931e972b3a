"""Lessons that are over: find them, close their windows, hand on what may leave, then forget the signals."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final

import numpy as np

from edge_agent.days import day_of, key_expires, living_days, rfc3339
from edge_agent.identity.timetable import Lesson
from edge_agent.leaving import lesson_held_back, revision_held_back
from edge_agent.records import lesson_record
from edge_agent.schedule import Schedule
from edge_agent.scoring import Scoring
from edge_agent.settings import AgentSettings
from edge_agent.store import collectors
from edge_agent.store.classes import shared_until
from edge_agent.store.disclosures import disclose
from edge_agent.store.windows import Known, forget_day, known_windows, pass_over, put, remember_number
from edge_agent.windows import ClosedWindow, OpenWindow, WindowKey, by_device, close_windows, gather
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
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._schedule = schedule
        self._settings = settings
        self._catalogue = catalogue
        self._scoring = scoring
        self._last_seen: tuple[int, int] | None = None

    def close_due(self, now: float, read_until: float) -> int:
        """Close every window whose lesson and grace are over and whose sources are read that far; how many.

        `read_until` (seconds UTC): the moment up to which every source that answers has been read.
        """
        days = self._days(now)
        self._schedule.keep(days, now)
        seen = self._seen(days, min(now, read_until))
        if seen == self._last_seen:
            return 0
        closed = 0
        for day in days:
            due = self._due(day, min(now, read_until))
            # Lessons of one bell together: their signals lie in the same batches.
            for start in sorted({item.window.key.start for item in due}):
                closed += self._close([item for item in due if item.window.key.start == start], now)
        self._last_seen = seen
        return closed

    def forget(self, now: float) -> list[date]:
        """Delete the signals of days whose key has been destroyed; which days."""
        zone = self._settings.zone
        gone = [day for day in self._stored_days() if now >= key_expires(day, zone)]
        for day in gone:
            self._writer.run(partial(forget_day, day=day.isoformat(), orphans=self._orphans(day)))
        return gone

    def over_at(self, now: float) -> float:
        """When the newest day that has signals and no key any more was over; minus infinity if none has."""
        expiries = (key_expires(day, self._settings.zone) for day in self._stored_days())
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

    def _seen(self, days: Sequence[date], until: float) -> tuple[int, int]:
        """Changes exactly when a window may have become due: newest batch, lessons over."""
        (newest,) = self._reader.execute("SELECT coalesce(max(id), 0) FROM batches").fetchone()
        names = [day.isoformat() for day in days]
        (over,) = self._reader.execute(
            f"SELECT count(*) FROM schedule WHERE ends + ? <= ? AND day IN ({','.join('?' * len(names))})",  # noqa: S608 - only question marks
            (GRACE_SECONDS, until, *names),
        ).fetchone()
        return newest, over

    def _days(self, now: float) -> list[date]:
        # Days whose key died while the agent was away may still hold accepted signals.
        return sorted({*living_days(now, self._settings.zone), *self._stored_days()})

    def _stored_days(self) -> list[date]:
        found = self._reader.execute("SELECT DISTINCT day FROM batches UNION SELECT DISTINCT day FROM heard")
        return [date.fromisoformat(day) for (day,) in found]

    def _due(self, day: date, until: float) -> list[_Due]:
        over = [item for item in self._schedule.of(day) if item.lesson.end + GRACE_SECONDS <= until]
        if not over:
            return []
        known = known_windows(self._reader, day)
        fresh = self._fresh_batches(day)
        heard = self._heard(day)
        due = []
        for item in over:
            key = WindowKey(item.class_code, item.lesson.start)
            before = known.get(key)
            if before is None or self._newest(fresh, key, item.lesson) > before.upto_batch:
                window = OpenWindow(key, item.lesson, item.expected, heard.get(key, 0))
                due.append(_Due(window, day, before))
        return due

    def _fresh_batches(self, day: date) -> dict[str, list[tuple[int, int, int]]]:
        """Batches since the last look: whatever was over then is closed up to them."""
        before = self._last_seen[0] if self._last_seen else 0
        found = self._reader.execute(
            """SELECT c.class_code, c.batch, c.t_min, c.t_max FROM batches b
               JOIN batch_classes c ON c.batch = b.id WHERE b.id > ? AND b.day = ?""",
            (before, day.isoformat()),
        )
        table: dict[str, list[tuple[int, int, int]]] = {}
        for code, batch, t_min, t_max in found:
            table.setdefault(code, []).append((batch, t_min, t_max))
        return table

    def _newest(self, newest: dict[str, list[tuple[int, int, int]]], key: WindowKey, lesson: Lesson) -> int:
        touching = [
            batch
            for batch, t_min, t_max in newest.get(key.class_code, ())
            if t_max >= lesson.start and t_min < lesson.end
        ]
        return max(touching, default=0)

    def _heard(self, day: date) -> dict[WindowKey, int]:
        found = self._reader.execute(
            "SELECT class_code, start, count(*) FROM heard WHERE day = ? GROUP BY class_code, start",
            (day.isoformat(),),
        )
        return {WindowKey(code, start): number for code, start, number in found}

    def _close(self, due: Sequence[_Due], now: float) -> int:
        windows = [item.window for item in due]
        batches = self._batches(due[0].day, windows)
        upto = max(batches, default=0)
        closed = close_windows(windows, list(batches.values()), self._kinds(), self._catalogue, self._scoring)
        changed = [_changed_devices(item, batches) for item in due]

        def write(connection: sqlite3.Connection) -> None:
            shared = shared_until(connection)
            for item, window, devices in zip(due, closed, changed, strict=True):
                self._write(connection, item, window, devices, upto, shared, now)

        self._writer.run(write)
        return len(closed)

    def _batches(self, day: date, windows: Sequence[OpenWindow]) -> dict[int, SignalBatch]:
        start = min(window.key.start for window in windows)
        end = max(window.lesson.end for window in windows)
        found = self._reader.execute(
            "SELECT id, payload FROM batches WHERE day = ? AND t_max >= ? AND t_min < ? ORDER BY id",
            (day.isoformat(), start, end),
        )
        return {number: self._decode(payload) for number, payload in found}

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


def _changed_devices(item: _Due, batches: dict[int, SignalBatch]) -> int:
    """Devices whose signals in the window differ from those behind its last sent revision."""
    if item.known is None or item.known.sent_batch is None:
        return 0
    sent = item.known.sent_batch
    before = by_device(gather([item.window], [batch for number, batch in batches.items() if number <= sent]))
    now = by_device(gather([item.window], list(batches.values())))
    return sum(before.get(device) != rows for device, rows in now.items())


def _outside(batch: SignalBatch, spans: dict[str, list[tuple[int, int]]]) -> int:
    inside = np.zeros(len(batch), bool)
    for index, code in enumerate(batch.class_codes):
        for start, end in spans.get(code, ()):
            inside |= (batch.class_ == index) & (batch.t >= start) & (batch.t < end)
    return int((~inside).sum())
