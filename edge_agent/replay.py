"""Past logs through the same pipeline, no hub needed: a folder's identity files, keys made for the run."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from edge_agent.collector import Collector
from edge_agent.daykeys import MemoryKeys
from edge_agent.days import week_name
from edge_agent.drafts import replacing
from edge_agent.identity.load import read_known_leases
from edge_agent.leaving import Left, LessonFacts, lesson_held_back, week_groups
from edge_agent.parcel import Parcel
from edge_agent.parts import PARSERS, Parse, Parts, parser
from edge_agent.paths import AgentFolder
from edge_agent.records import lesson_record, week_lesson, week_record
from edge_agent.settings import load_settings
from edge_agent.sources.facts import Whereabouts
from edge_agent.sources.tail import whole_lines
from edge_agent.store.classes import ensure_codes
from edge_agent.store.schema import MIGRATIONS
from edge_agent.weeks import count_teachers
from edge_agent.windows import ClosedWindow, OpenWindow, WindowKey, close_windows
from shared import records, signals
from shared.errors import UsageError
from shared.records import LessonRecord, WeekRecord
from shared.signals import SignalBatch
from shared.storage import LARGE_PAGE, Writer

FOREVER: Final = float("inf")

Progress = Callable[[float], None]  # told which share of the reading is done, 0 to 1


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


def replay_folder(
    folder: AgentFolder,
    logs: Sequence[Path],
    out: Path,
    *,
    source: str,
    year: int | None,
    now: float,
    progress: Progress | None = None,
) -> Replayed:
    """The logs, oldest first, through the pipeline of the folder's school; the records go to `out`.

    `source` is the kind of the logs, `year` and `now` (seconds UTC) date lines that name no year. Raises
    UsageError or SettingsError for whatever cannot be read or written, before the first line is read; `out`
    is then, and after any other fault, as it was before.
    """
    if source not in PARSERS:
        raise UsageError(f"cannot replay `{source}` yet; known: {', '.join(sorted(PARSERS))}")
    settings = load_settings(folder)
    for path in logs:
        _check_log(path, out)
    with replacing(out, "choose another --out") as file:
        parts = Parts.load(folder, settings)
        read_known_leases(folder, settings, parts.directory.leases)
        writer = Writer(folder.database, MIGRATIONS, LARGE_PAGE)
        try:
            codes = writer.run(lambda connection: ensure_codes(connection, parts.directory.roster))
        finally:
            writer.close()
        done = Replay(parts, codes, source, year).run(logs, now, progress)
        for reason, number in parts.refused.counts().items():
            done.count("identity rows refused", reason, number)
        file.writelines(records.encode(record) + b"\n" for record in done.records)
    return done


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
        self._year = year
        self._days: dict[date, _Day] = {}

    def run(self, paths: Sequence[Path], now: float, progress: Progress | None = None) -> Replayed:
        """Read the logs, oldest first; `now` (seconds UTC) dates lines without a year."""
        done = Replayed()
        advance = _advancing(2 * sum(path.stat().st_size for path in paths), progress)
        parse = self._parser()
        for path in paths:
            # A lease may be told in a later file than the first look-up it explains.
            for chunk in _chunks(path, advance, only=b"DHCPACK"):
                facts = parse(chunk, now).facts
                self._collector.learn([fact for fact in facts if isinstance(fact, Whereabouts)])
        parse = self._parser()
        for path in paths:
            for chunk in _chunks(path, advance):
                self._take(self._collector.collect(parse(chunk, now), FOREVER), done)
        self._finish(done)
        return done

    def _parser(self) -> Parse:
        # A new one for each reading: in the hour that is repeated, time goes on from the line before.
        return parser(self._kind, self._parts.settings.zone, self._year)

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
        return close_windows(windows, state.batches, kinds, self._parts.catalogue, self._parts.scoring)

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
                left=Left.NO,
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


def _check_log(path: Path, out: Path) -> None:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UsageError(f"{path} is no file: a replay reads its logs twice; write it to a file first")
        with path.open("rb"):
            pass
        if out.exists() and out.samefile(path):
            raise UsageError(f"{out} is one of the logs: choose another --out")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; give the path of a log") from None


def _advancing(total: int, progress: Progress | None) -> Callable[[int], None]:
    """A function to call with every number of bytes read of `total`."""
    done = 0

    def advance(number: int) -> None:
        nonlocal done
        done += number
        if progress is not None:
            progress(min(done / total, 1.0))

    return advance


def _chunks(path: Path, advance: Callable[[int], None], only: bytes | None = None) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            before = 0
            for chunk in whole_lines(file, only):
                yield chunk
                at = file.tell()
                advance(at - before)
                before = at
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
