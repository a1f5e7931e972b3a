"""Past logs through the same pipeline, no hub needed: a folder's identity files, keys made for the run.

Days are closed as the logs pass them, at the moment at which a running agent would destroy their keys: what
is in memory are some two days, however long the logs are.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from heapq import heappop, heappush, heapreplace
from pathlib import Path
from typing import Final

from edge_agent.around import Around
from edge_agent.blind_spot import Sight
from edge_agent.daykeys import DESTROYED, MemoryKeys
from edge_agent.days import day_of, day_start, key_expires, week_days, week_name
from edge_agent.drafts import replacing
from edge_agent.hearing import merge
from edge_agent.identity.whereabouts import learn_all
from edge_agent.idle import Nights
from edge_agent.leaving import Left, LessonFacts, lesson_held_back, week_groups
from edge_agent.parcel import Heard, Parcel
from edge_agent.parts import PARSERS, Parts, parser
from edge_agent.past import BEGINNING, END, Cursor, Past, Reach, first_moment
from edge_agent.paths import AgentFolder
from edge_agent.records import lesson_record, week_lesson, week_record
from edge_agent.settings import load_settings
from edge_agent.sources.facts import Lease
from edge_agent.sources.packed import LONGEST_MAGIC, is_foreign
from edge_agent.sources.parsing import Parser
from edge_agent.store.classes import ensure_codes
from edge_agent.store.resting import nights_told
from edge_agent.store.schema import MIGRATIONS
from edge_agent.visibility import Seen, Span, bypassing, visible_seconds
from edge_agent.weeks import count_teachers
from edge_agent.windows import ClosedWindow, OpenWindow, WindowKey, close_windows
from shared import records
from shared.errors import UsageError
from shared.records import LessonRecord, WeekRecord
from shared.signals import SignalBatch
from shared.storage import LARGE_PAGE, Writer

AHEAD_SECONDS: Final = 86400.0  # so far leases are read before the look-ups that they may explain

Progress = Callable[[float], None]  # told which share of the reading is done, 0 to 1
Write = Callable[[LessonRecord | WeekRecord], object]
Queue = list[tuple[float, int, str, Cursor]]  # a heap: the file that has come least far in time is first


@dataclass(slots=True)
class Replayed:
    """What a replay came to: how many records, and counts of everything that was not used."""

    records: int = 0
    lines: int = 0
    signals: int = 0
    lessons: int = 0
    sight: Sight = field(default_factory=Sight)
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
    also: Sequence[Past] = (),
    mapping: str | None = None,
) -> Replayed:
    """The logs through the pipeline of the folder's school; the records go to `out`.

    `source` is the kind of the logs, files or folders, in any order; `also` are logs of other kinds, read
    beside them; `mapping` is for kinds that have one. `year` and `now` (seconds UTC) date lines that name no
    year. Raises UsageError or SettingsError for whatever cannot be read or written, before the first line is
    read; `out` is then, and after any other fault, as it was before.
    """
    given = (Past(source, logs), *also)
    settings = load_settings(folder)
    for past in given:
        check_kind(past.kind)
        for path in past.files():
            check_log(path, out)
    with replacing(out, "choose another --out") as file:
        parts = Parts.load(folder, settings)
        replay = Replay(
            parts, {}, source, year, also=also, mapping=mapping, write=lambda one: file.write(_line(one))
        )
        learn_all(folder, settings, parts.directory.learn)
        writer = Writer(folder.database, MIGRATIONS, LARGE_PAGE)
        try:
            codes = writer.run(lambda connection: ensure_codes(connection, parts.directory.roster))
            replay.nights.take(writer.run(nights_told))
        finally:
            writer.close()
        replay.codes.update(codes)
        done = replay.run(logs, now, progress)
        for reason, number in parts.refused.counts().items():
            done.count("identity rows refused", reason, number)
    return done


class _Keys(MemoryKeys):
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


class Replay:
    """One run. `codes` are the classes' codes; `write` gets every record as soon as it is made.

    Raises SettingsError or UsageError for a `mapping` that cannot be used.
    """

    def __init__(
        self,
        parts: Parts,
        codes: dict[str, str],
        kind: str,
        year: int | None,
        *,
        also: Sequence[Past] = (),
        mapping: str | None = None,
        write: Write = lambda record: None,
    ) -> None:
        self.codes = codes
        self._parts = parts
        self._kind = kind
        self._also = also
        self._year = year
        self._mapping = mapping
        self._write = write
        self._keys = _Keys()
        self._kinds = frozenset((kind, *(past.kind for past in also)))
        self._collectors = {kind: parts.collector(kind, "replay", self._keys, codes) for kind in self._kinds}
        self._closed = 0  # facts before this moment are late
        self._around = Around(parts.directory, self._keys, codes, parts.settings.zone)
        self.nights = Nights()
        self._days: dict[date, _Day] = {}
        self._weeks: dict[str, list[ClosedWindow]] = {}
        for kind_ in self._kinds:
            self._parser(kind_)

    def run(self, paths: Sequence[Path], now: float, progress: Progress | None = None) -> Replayed:
        """Read the logs; `now` (seconds UTC) dates lines without a year, and nothing is later than it.

        With a year given, nothing is later than the end of that year.
        """
        done = Replayed()
        logs = (Past(self._kind, paths), *self._also)
        given = [(past.kind, path) for past in logs for path in past.files()]
        limit = now
        if self._year is not None:
            limit = max(now, float(day_start(date(self._year + 1, 1, 1), self._parts.settings.zone)))
        passes = {kind: 1 if PARSERS[kind].tells_leases is None else 2 for kind in self._kinds}
        advance = _advancing(sum(passes[kind] * path.stat().st_size for kind, path in given), progress)
        readers, leases = self._cursors(given, now, limit, advance)
        while readers:
            until, _, kind, cursor = readers[0]
            reading = cursor.step(now)
            self._learn_ahead(leases, max(until, cursor.reach.middle) + AHEAD_SECONDS, now)
            if PARSERS[kind].tells_leases is not None:
                reading.drop_leases()
            late = reading.drop_before(self._closed)  # before leases that are forgotten by now are missed
            if late:
                done.count("late", DESTROYED, late)
            self._take(*self._collectors[kind].gather(reading, limit), done)
            _put_back(readers)
            self._close_until(readers[0][0] if readers else END, done)
        return done

    def _cursors(
        self, given: Sequence[tuple[str, Path]], now: float, limit: float, advance: Callable[[int], None]
    ) -> tuple[Queue, Queue]:
        """A cursor for each file, and one more for the leases that it tells, each where its file begins."""
        readers: Queue = []
        leases: Queue = []
        began = dict.fromkeys(self._kinds, BEGINNING)
        for number, (kind, path) in enumerate(given):
            # Of a file that does not say when it begins the one before it says as much as is known.
            found = first_moment(path, self._parser(kind), now, limit)
            began[kind] = moment = began[kind] if found is None else found
            for queue, only in ((readers, None), (leases, PARSERS[kind].tells_leases)):
                if queue is readers or only is not None:
                    cursor = Cursor(path, self._parser(kind), Reach.begin(moment, limit), advance, only)
                    heappush(queue, (moment, number, kind, cursor))
        return readers, leases

    def _learn_ahead(self, leases: Queue, until: float, now: float) -> None:
        """A lease may be told in another file than the first look-up it explains."""
        while leases and leases[0][0] <= until:
            _, _, kind, cursor = leases[0]
            facts = cursor.step(now).facts
            self._collectors[kind].learn([fact for fact in facts if isinstance(fact, Lease)])
            _put_back(leases)

    def _parser(self, kind: str) -> Parser:
        # A new one for each reading: in the hour that is repeated, time goes on from the line before.
        mapping = self._mapping if PARSERS[kind].mapped else None
        return parser(kind, self._parts.settings.zone, self._year, mapping)

    def _take(self, parcel: Parcel, batches: Sequence[SignalBatch], done: Replayed) -> None:
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

    def _close_until(self, moment: float, done: Replayed) -> None:
        """Close the days whose keys are over at that moment (seconds UTC), and the weeks before them."""
        if moment == BEGINNING:
            return
        zone = self._parts.settings.zone
        open_from = date.max if moment == END else day_of(moment, zone)
        while moment < END and key_expires(open_from - timedelta(days=1), zone) > moment:
            open_from -= timedelta(days=1)
        if open_from <= self._keys.open_from:
            return
        for day in sorted(day for day in self._days if day < open_from):
            self._close_day(day, done)
        self._keys.close(open_from)
        over = [week for week in self._weeks if week_days(week)[-1] < open_from]
        for week in sorted(over):
            self._week(week, self._weeks.pop(week), done)
        if moment < END:
            self._closed = start = day_start(open_from, zone)
            self._parts.directory.forget_before(start)
            for collector in self._collectors.values():
                collector.forget_before(start)

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
        windows = []
        for lesson in directory.timetable.lessons(day):
            key = WindowKey(self.codes[lesson.school_class.id], lesson.start)
            seen = self._seen(day, key, lesson.end, state)
            windows.append(OpenWindow(key, lesson, directory.expected(lesson), seen))
        idle = self.nights.talkers(day)
        parts = self._parts
        return close_windows(windows, state.batches, self._kinds, parts.catalogue, parts.scoring, idle)

    def _seen(self, day: date, key: WindowKey, end: int, state: _Day) -> Seen:
        heard = state.heard.get(key, {})
        earlier = {
            device for other, found in state.heard.items() if other.start < key.start for device in found
        }
        around = self._around.addressed(day, key, float(end))
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


def _put_back(queue: Queue) -> None:
    """The first one was read on."""
    _, number, kind, cursor = queue[0]
    if cursor.is_over:
        heappop(queue)
    else:
        heapreplace(queue, (cursor.reach.until, number, kind, cursor))


def check_kind(kind: str) -> None:
    """Raises UsageError for a kind of log that is none, or of which no file can be read."""
    row = PARSERS.get(kind)
    if row is None or row.framed:
        known = ", ".join(sorted(name for name, one in PARSERS.items() if not one.framed))
        raise UsageError(f"cannot replay `{kind}` yet; known: {known}")


def check_log(path: Path, out: Path) -> None:
    """Raises UsageError for a log that cannot be read again and again, or that is `out` itself."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file: a replay reads its logs twice; write it to a file first")
        with path.open("rb") as file:
            first = file.read(LONGEST_MAGIC)
        if is_foreign(first):
            raise UsageError(f"{path} is compressed, and neither by gzip nor by zstd: decompress it first")
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
        if progress is not None and total and number:
            progress(min(done / total, 1.0))

    return advance


def _line(record: LessonRecord | WeekRecord) -> bytes:
    return records.encode(record) + b"\n"
