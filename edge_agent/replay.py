"""Past logs through the same pipeline, no hub needed: a folder's identity files, keys made for the run."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final

from edge_agent.collector import Collector
from edge_agent.daykeys import MemoryKeys
from edge_agent.days import week_name
from edge_agent.leaving import LessonFacts, lesson_held_back, week_groups
from edge_agent.parcel import Parcel
from edge_agent.parts import Parse, Parts, parser
from edge_agent.records import lesson_record, week_lesson, week_record
from edge_agent.sources.facts import Lease
from edge_agent.weeks import count_teachers
from edge_agent.windows import ClosedWindow, OpenWindow, WindowKey, close_windows
from shared import signals
from shared.errors import UsageError
from shared.records import LessonRecord, WeekRecord
from shared.signals import SignalBatch

CHUNK: Final = 64 * 1024
FOREVER: Final = float("inf")


@dataclass(slots=True)
class Replayed:
    """What a replay came to: records, and counts of everything that was not used."""

    records: list[LessonRecord | WeekRecord] = field(default_factory=list)
    lines: int = 0
    signals: int = 0
    lessons: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, what: str, reason: str, number: int = 1) -> None:
        """Add to a reason."""
        self.counts.setdefault(what, Counter())[reason] += number


@dataclass(slots=True)
class _Day:
    batches: list[SignalBatch] = field(default_factory=list)
    heard: dict[WindowKey, set[int]] = field(default_factory=dict)


class Replay:
    """One run over the logs of one source kind."""

    def __init__(self, parts: Parts, codes: dict[str, str], kind: str, year: int | None) -> None:
        self._parts = parts
        self._codes = codes
        self._kind = kind
        self._collector: Collector = parts.collector(kind, "replay", MemoryKeys(), codes)
        self._parse: Parse = parser(kind, parts.settings.zone, year)
        self._days: dict[date, _Day] = {}

    def run(self, paths: Sequence[Path], now: float) -> Replayed:
        """Read the logs, oldest first; `now` (seconds UTC) dates lines without a year."""
        done = Replayed()
        for path in paths:
            # A lease may be told in a later file than the first look-up it explains.
            for chunk in _chunks(path, only=b"DHCPACK"):
                facts = self._parse(chunk, now).facts
                self._collector.learn([fact for fact in facts if isinstance(fact, Lease)])
        for path in paths:
            for chunk in _chunks(path):
                self._take(self._collector.collect(self._parse(chunk, now), FOREVER), done)
        self._finish(done)
        return done

    def _take(self, parcel: Parcel, done: Replayed) -> None:
        done.lines += parcel.lines
        for what, reasons in parcel.counts.items():
            for reason, number in reasons.items():
                done.count(what, reason, number)
        for data in parcel.batches:
            batch = signals.decode(data, apps=len(self._parts.catalogue.apps))
            done.signals += len(batch)
            self._days.setdefault(date.fromisoformat(batch.day_key), _Day()).batches.append(batch)
        for group in parcel.heard:
            day = self._days.setdefault(date.fromisoformat(group.day), _Day())
            day.heard.setdefault(WindowKey(group.class_code, group.start), set()).update(group.devices)

    def _finish(self, done: Replayed) -> None:
        weeks: dict[str, list[ClosedWindow]] = {}
        for day in sorted(self._days):
            closed = [window for window in self._close(day) if window.devices]
            done.lessons += len(closed)
            weeks.setdefault(week_name(day), []).extend(closed)
            for window in closed:
                self._lesson(window, done)
        for week, windows in weeks.items():
            self._week(week, windows, done)

    def _close(self, day: date) -> list[ClosedWindow]:
        state, directory = self._days[day], self._parts.directory
        windows = []
        for lesson in directory.timetable.lessons(day):
            key = WindowKey(self._codes[lesson.school_class.id], lesson.start)
            heard = len(state.heard.get(key, ()))
            windows.append(OpenWindow(key, lesson, directory.expected(lesson), heard))
        kinds = frozenset((self._kind,))
        return close_windows(windows, state.batches, kinds, self._parts.catalogue, self._parts.scorer)

    def _lesson(self, window: ClosedWindow, done: Replayed) -> None:
        settings = self._parts.settings
        # Nothing is sent by a replay: what it writes stays with whoever runs it, shared or not.
        held = lesson_held_back(devices=window.devices, minimum=settings.privacy.minimum_devices, shared=True)
        if held is not None:
            done.count("lesson not written", held)
            return
        kinds = frozenset((self._kind,))
        record = lesson_record(window, school=settings.school, zone=settings.zone, kinds=kinds, revision=1)
        done.records.append(record)

    def _week(self, week: str, windows: Sequence[ClosedWindow], done: Replayed) -> None:
        facts = [
            LessonFacts(
                row=row,
                grade_band=window.lesson.school_class.grade_band,
                class_code=window.key.class_code,
                teachers=window.lesson.school_class.teachers,
                devices=window.devices,
                shared=False,
            )
            for row, window in enumerate(windows)
        ]
        groups, held_back = week_groups(facts)
        if held_back is not None:
            done.count("week not written", held_back)
        kinds = frozenset((self._kind,))
        for band, group in groups.items():
            lessons = [week_lesson(windows[item.row], kinds) for item in group]
            school, teachers = self._parts.settings.school, count_teachers(group)
            record = week_record(lessons, school=school, week=week, grade_band=band, teachers=teachers)
            done.records.append(record)


def advice(done: Replayed) -> str:
    """What to do when a replay found no lesson, in one sentence."""
    if not done.lines:
        return "The log holds no lines: check that the resolver writes its queries there (`log-queries`)."
    unmatched = done.counts.get("unmatched", Counter())
    if done.counts.get("refused", Counter()).total() >= done.lines:
        return "No line could be read: check that --source names the program that wrote this log."
    if unmatched["no_lease"]:
        return "No address could be matched: add `log-dhcp` to the resolver, or give `leases` in agent.toml."
    if unmatched.total():
        return "Devices were seen that no class claims: check inventory and roster, reason by reason above."
    return "Nothing fell into a lesson: check the bell schedule, the time zone, and --year."


def _chunks(path: Path, only: bytes | None = None) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from _whole_lines(file, only)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _whole_lines(file: BinaryIO, only: bytes | None) -> Iterator[bytes]:
    rest = b""
    while data := file.read(CHUNK):
        end = data.rfind(b"\n") + 1
        if not end and len(rest) < CHUNK:
            rest += data
            continue
        yield _select(rest + data[:end], only)
        rest = data[end:]
    if rest:
        yield _select(rest, only)


def _select(chunk: bytes, only: bytes | None) -> bytes:
    if only is None:
        return chunk
    return b"\n".join(line for line in chunk.split(b"\n") if only in line)
