"""The days of a replay: closed when a running agent would destroy their keys, and written at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from edge_agent.days import day_of, day_start, key_expires, week_days, week_name
from edge_agent.idle.nights import Nights
from edge_agent.leaving.records import lesson_record, week_lesson, week_record
from edge_agent.leaving.rules import Left, LessonFacts, lesson_held_back, week_groups
from edge_agent.lessons.weeks import count_teachers
from edge_agent.lessons.windows import ClosedWindow, OpenWindow, WindowKey, close_windows
from edge_agent.parts import Parts
from edge_agent.placing.daykeys import DESTROYED, MemoryKeys
from edge_agent.placing.parcel import Heard, Parcel
from edge_agent.replay.outcome import Replayed
from edge_agent.replay.past import BEGINNING, END
from edge_agent.sight.around import Around
from edge_agent.sight.hearing import merge
from edge_agent.sight.visibility import Seen, Span, bypassing, visible_seconds
from shared.records import LessonRecord, WeekRecord
from shared.signals import SignalBatch

Write = Callable[[LessonRecord | WeekRecord], object]


class RunKeys(MemoryKeys):
    """Keys made for the run; those of days that are closed are gone."""

    def __init__(self) -> None:
        super().__init__()
        self.open_from = date.min

    def key(self, day: date, now: float) -> bytes | str:
        """See DayKeys."""
        return DESTROYED if day < self.open_from else super().key(day, now)

    def close(self, until: date) -> None:
        """Destroy the keys of the days before."""
        self.open_from = until
        self.forget_before(until)


@dataclass(slots=True)
class _Day:
    batches: list[SignalBatch] = field(default_factory=list)
    heard: dict[WindowKey, dict[int, Span]] = field(default_factory=dict)
    present: dict[WindowKey, dict[int, Span]] = field(default_factory=dict)

    def begun(self) -> dict[int, int]:
        """When (first second, UTC) the first lesson began in which each device was heard."""
        begun: dict[int, int] = {}
        for key in sorted(self.heard, key=lambda key: key.start, reverse=True):
            begun.update(dict.fromkeys(self.heard[key], key.start))
        return begun


class ReplayDays:
    """What is known of the days that are open. `write` gets every record as soon as it is made.

    `codes` are the classes' codes; they may come later. `kinds` are the kinds of the logs.
    """

    def __init__(self, parts: Parts, codes: Mapping[str, str], kinds: frozenset[str], write: Write) -> None:
        self.keys = RunKeys()
        self.nights = Nights()
        self._parts = parts
        self._codes = codes
        self._kinds = kinds
        self._write = write
        self._around = Around(parts.directory, self.keys, codes, parts.settings.zone)
        self._days: dict[date, _Day] = {}
        self._weeks: dict[str, list[ClosedWindow]] = {}

    def take(self, parcel: Parcel, batches: Sequence[SignalBatch], done: Replayed) -> None:
        """Take one reading in, with its batches beside it."""
        done.lines += parcel.lines
        for what, reasons in parcel.counts.items():
            for reason, number in reasons.items():
                done.count(what, reason, number)
        for batch in batches:
            done.signals += len(batch)
            self._day(batch.day_key).batches.append(batch)
        for group in parcel.heard:
            merge(self._day(group.day).heard.setdefault(_key(group), {}), group)
        for group in parcel.present:
            merge(self._day(group.day).present.setdefault(_key(group), {}), group)
        self.nights.take(parcel.idle)

    def _day(self, name: str) -> _Day:
        return self._days.setdefault(date.fromisoformat(name), _Day())

    def close_until(self, moment: float, done: Replayed) -> int | None:
        """Close the days whose keys are over at that moment (seconds UTC), and the weeks before them.

        The first second of the days that are left, if some were closed and more is to come.
        """
        if moment == BEGINNING:
            return None
        zone = self._parts.settings.zone
        open_from = date.max if moment == END else day_of(moment, zone)
        while moment < END and key_expires(open_from - timedelta(days=1), zone) > moment:
            open_from -= timedelta(days=1)
        if open_from <= self.keys.open_from:
            return None
        for day in sorted(day for day in self._days if day < open_from):
            self._close_day(day, done)
        self.keys.close(open_from)
        over = [week for week in self._weeks if week_days(week)[-1] < open_from]
        for week in sorted(over):
            self._week(week, self._weeks.pop(week), done)
        return day_start(open_from, zone) if moment < END else None

    def _close_day(self, day: date, done: Replayed) -> None:
        every = self._close(day)
        done.sight.add(every)
        closed = [window for window in every if window.devices]
        done.lessons += len(closed)
        self._weeks.setdefault(week_name(day), []).extend(closed)
        for window in closed:
            self._lesson(window, done)

    def _close(self, day: date) -> list[ClosedWindow]:
        state, directory = self._days.pop(day), self._parts.directory
        begun = state.begun()
        windows = []
        for lesson in directory.timetable.lessons(day):
            key = WindowKey(self._codes[lesson.school_class.id], lesson.start)
            seen = self._seen(day, key, lesson.end, state, begun)
            windows.append(OpenWindow(key, lesson, directory.expected(lesson), seen))
        idle = self.nights.talkers(day)
        parts = self._parts
        return close_windows(windows, state.batches, self._kinds, parts.catalogue, parts.scoring, idle)

    def _seen(self, day: date, key: WindowKey, end: int, state: _Day, begun: Mapping[int, int]) -> Seen:
        heard = state.heard.get(key, {})
        around = self._around.addressed(day, key, float(end))
        earlier = {device for device in around if begun.get(device, key.start) < key.start}
        unheard = bypassing(heard.keys(), state.present.get(key, {}).keys(), around, earlier)
        return Seen(visible_seconds(heard.values(), key.start, end), unheard)

    def _lesson(self, window: ClosedWindow, done: Replayed) -> None:
        settings = self._parts.settings
        # Nothing is sent by a replay: what it writes stays with whoever runs it, shared or not.
        held = lesson_held_back(devices=window.devices, minimum=settings.privacy.minimum_devices, shared=True)
        if held is not None:
            done.count("lesson not written", held)
            return
        record = lesson_record(
            window, school=settings.school, zone=settings.zone, kinds=self._kinds, revision=1
        )
        self._keep(record, done)

    def _keep(self, record: LessonRecord | WeekRecord, done: Replayed) -> None:
        self._write(record)
        done.records += 1

    def _week(self, week: str, windows: Sequence[ClosedWindow], done: Replayed) -> None:
        facts = [
            LessonFacts(
                row=row,
                grade_band=window.lesson.school_class.grade_band,
                class_code=window.key.class_code,
                teachers=window.lesson.school_class.teachers,
                devices=window.devices,
                left=Left.NO,
            )
            for row, window in enumerate(windows)
        ]
        groups, held_back = week_groups(facts)
        if held_back is not None:
            done.count("week not written", held_back)
        for band, group in groups.items():
            lessons = [week_lesson(windows[item.row], self._kinds) for item in group]
            school, teachers = self._parts.settings.school, count_teachers(group)
            record = week_record(lessons, school=school, week=week, grade_band=band, teachers=teachers)
            self._keep(record, done)


def _key(group: Heard) -> WindowKey:
    return WindowKey(group.class_code, group.start)
