"""Lessons that are over: find them, close their windows, hand on what may leave, then forget the signals."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

import msgspec
import numpy as np

from edge_agent.days import day_of, key_expires, living_days, week_name
from edge_agent.identity.directory import Directory
from edge_agent.identity.timetable import Lesson
from edge_agent.leaving import lesson_held_back, revision_held_back
from edge_agent.records import lesson_record, week_lesson
from edge_agent.settings import AgentSettings
from edge_agent.store.classes import shared_until
from edge_agent.store.disclosures import disclose
from edge_agent.windows import ClosedWindow, OpenWindow, WindowKey, close_windows
from models.catalogue.load import Catalogue
from models.scoring.scorer import Scorer
from shared import records, signals
from shared.link import outbox
from shared.signals import SignalBatch
from shared.storage import Writer

GRACE_SECONDS: Final = 15 * 60


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store knows of a window that was closed before."""

    upto_batch: int
    revision: int
    sent_batch: int | None
    sent_number: int | None


@dataclass(frozen=True, slots=True)
class _Due:
    """A window to close now, for the first time or again."""

    window: OpenWindow
    day: date
    known: _Known | None


class Lessons:
    """Closes windows of one school; called from the agent's main loop only."""

    def __init__(
        self,
        writer: Writer,
        reader: sqlite3.Connection,
        directory: Directory,
        codes: dict[str, str],
        settings: AgentSettings,
        catalogue: Catalogue,
        scorer: Scorer,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._directory = directory
        self._codes = codes
        self._settings = settings
        self._catalogue = catalogue
        self._scorer = scorer
        self._last_seen: tuple[int, int] | None = None

    def close_due(self, now: float, read_until: float) -> int:
        """Close every window whose lesson and grace are over and whose sources are read that far; how many.

        `read_until` (seconds UTC): the moment up to which every source that answers has been read.
        """
        days = self._days(now)
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
        if gone:
            names = [(day.isoformat(),) for day in gone]
            self._writer.run(lambda connection: _forget(connection, names))
        return gone

    def _seen(self, days: Sequence[date], until: float) -> tuple[int, int]:
        """Changes exactly when a window may have become due: newest batch, lessons over."""
        (newest,) = self._reader.execute("SELECT coalesce(max(id), 0) FROM batches").fetchone()
        lessons = (lesson for day in days for lesson in self._directory.timetable.lessons(day))
        return newest, max(
            (lesson.end for lesson in lessons if lesson.end + GRACE_SECONDS <= until), default=0
        )

    def _days(self, now: float) -> list[date]:
        # Days whose key died while the agent was away may still hold accepted signals.
        return sorted({*living_days(now, self._settings.zone), *self._stored_days()})

    def _stored_days(self) -> list[date]:
        found = self._reader.execute("SELECT DISTINCT day FROM batches UNION SELECT DISTINCT day FROM heard")
        return [date.fromisoformat(day) for (day,) in found]

    def _due(self, day: date, until: float) -> list[_Due]:
        over = [
            lesson
            for lesson in self._directory.timetable.lessons(day)
            if lesson.end + GRACE_SECONDS <= until and self._directory.expected(lesson)
        ]
        if not over:
            return []
        known = self._known(day)
        newest = self._fresh_batches(day)
        heard = self._heard(day)
        due = []
        for lesson in over:
            key = WindowKey(self._codes[lesson.school_class.id], lesson.start)
            before = known.get(key)
            if before is None or self._newest(newest, key, lesson) > before.upto_batch:
                window = OpenWindow(key, lesson, self._directory.expected(lesson), heard.get(key, 0))
                due.append(_Due(window, day, before))
        return due

    def _known(self, day: date) -> dict[WindowKey, _Known]:
        found = self._reader.execute(
            """SELECT class_code, start, upto_batch, revision, sent_batch, sent_number
               FROM windows WHERE day = ?""",
            (day.isoformat(),),
        )
        return {WindowKey(code, start): _Known(*rest) for code, start, *rest in found}

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
        closed = close_windows(
            windows, list(batches.values()), self._settings.kinds, self._catalogue, self._scorer
        )
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
        apps = len(self._catalogue.apps)
        return {number: signals.decode(payload, apps=apps) for number, payload in found}

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
        known = item.known or _Known(0, 0, None, None)
        code = window.key.class_code
        today = day_of(now, self._settings.zone)
        is_shared = code in shared and max(item.day, today) <= shared[code]
        held = lesson_held_back(
            devices=window.devices, minimum=self._settings.privacy.minimum_devices, shared=is_shared
        ) or revision_held_back(sent_before=known.sent_batch is not None, changed_devices=changed)
        if held is None:
            known = self._send(connection, window, known, upto, now)
        known = replace(known, upto_batch=upto)
        _upsert(connection, item.day, window, self._settings.kinds, known, held)

    def _send(
        self, connection: sqlite3.Connection, window: ClosedWindow, known: _Known, upto: int, now: float
    ) -> _Known:
        record = lesson_record(
            window,
            school=self._settings.school,
            zone=self._settings.zone,
            kinds=self._settings.kinds,
            revision=known.revision + 1,
        )
        number = hand_over(connection, record, "lesson", now)
        return _Known(upto, known.revision + 1, upto, number)


def hand_over(connection: sqlite3.Connection, record: records.Record, kind: str, now: float) -> int:
    """Put a record into the outbox and the disclosure log, in the caller's transaction; its number."""
    payload = records.encode(record)
    number = outbox.append(connection, kind, payload)
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    disclose(connection, at=at, kind=kind, number=number, payload=payload)
    return number


def _changed_devices(item: _Due, batches: dict[int, SignalBatch]) -> int:
    """Devices of the window with signals that came after its last sent revision."""
    if item.known is None or item.known.sent_batch is None:
        return 0
    devices: set[int] = set()
    for number, batch in batches.items():
        if number > item.known.sent_batch and item.window.key.class_code in batch.class_codes:
            index = batch.class_codes.index(item.window.key.class_code)
            inside = (batch.t >= item.window.key.start) & (batch.t < item.window.lesson.end)
            devices.update(np.unique(batch.device[(batch.class_ == index) & inside]).tolist())
    return len(devices)


def _upsert(
    connection: sqlite3.Connection,
    day: date,
    window: ClosedWindow,
    kinds: frozenset[str],
    known: _Known,
    held: str | None,
) -> None:
    school_class = window.lesson.school_class
    summary = week_lesson(window, kinds)
    verdicts = [placement.verdict for placement in window.placements]
    connection.execute(
        """INSERT OR REPLACE INTO windows (class_code, start, ends, day, week, grade_band, devices,
           placed, thin, evidence_only, upto_batch, window, held_back, revision, sent_batch, sent_number)
           VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)""",
        (
            window.key.class_code,
            window.key.start,
            window.lesson.end,
            day.isoformat(),
            week_name(day),
            school_class.grade_band,
            window.devices,
            *(verdicts.count(verdict) for verdict in ("placed", "thin", "evidence_only")),
            known.upto_batch,
            msgspec.json.encode(summary),
            held,
            known.revision,
            known.sent_batch,
            known.sent_number,
        ),
    )


def _forget(connection: sqlite3.Connection, days: Sequence[tuple[str]]) -> None:
    connection.executemany(
        "DELETE FROM batch_classes WHERE batch IN (SELECT id FROM batches WHERE day = ?)", days
    )
    connection.executemany("DELETE FROM batches WHERE day = ?", days)
    connection.executemany("DELETE FROM heard WHERE day = ?", days)
