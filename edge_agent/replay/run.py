"""Past logs through the same pipeline, no hub needed: a folder's identity files, keys made for the run.

Days are closed as the logs pass them, at the moment at which a running agent would destroy their keys: what
is in memory are some two days, or the days of 2 MiB of a log where these are more, however long the logs are.
"""

from collections.abc import Callable, Sequence, Set
from datetime import date
from heapq import heappop, heappush, heapreplace
from pathlib import Path
from typing import Final

from edge_agent.days import day_start
from edge_agent.drafts import replacing
from edge_agent.identity.whereabouts import learn_all
from edge_agent.idle.nights import Nights
from edge_agent.parts import Parts, parser
from edge_agent.paths import AgentFolder
from edge_agent.placing.daykeys import DESTROYED
from edge_agent.replay.days import ReplayDays, Write
from edge_agent.replay.outcome import Replayed
from edge_agent.replay.past import BEGINNING, END, Cursor, Past, Reach, first_moment, goes_back
from edge_agent.settings import load_settings
from edge_agent.sources.facts import Lease
from edge_agent.sources.kinds import KINDS
from edge_agent.sources.packed import LONGEST_MAGIC, is_foreign
from edge_agent.sources.parsing import Parser
from edge_agent.store.classes import ensure_codes
from edge_agent.store.resting import nights_told
from edge_agent.store.schema import MIGRATIONS
from shared import records
from shared.errors import UsageError
from shared.records import LessonRecord, WeekRecord
from shared.storage import LARGE_PAGE, Writer

AHEAD_SECONDS: Final = 86400.0  # so far leases are read before the look-ups that they may explain

Progress = Callable[[float], None]  # told which share of the reading is done, 0 to 1
Queue = list[tuple[float, int, str, Cursor]]  # a heap: the file that has come least far in time is first


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
        self._kinds = frozenset((kind, *(past.kind for past in also)))
        self._days = ReplayDays(parts, codes, self._kinds, write)
        keys = self._days.keys
        self._collectors = {kind: parts.collector(kind, "replay", keys, codes) for kind in self._kinds}
        self._closed = 0  # facts before this moment are late
        for kind_ in self._kinds:
            self._parser(kind_)

    @property
    def nights(self) -> Nights:
        """What was told of nights, by this run and before it."""
        return self._days.nights

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
        ahead = self._kinds_read_ahead(given, now, limit)
        passes = {kind: 2 if kind in ahead else 1 for kind in self._kinds}
        advance = _advancing(sum(passes[kind] * path.stat().st_size for kind, path in given), progress)
        readers, leases = self._cursors(given, ahead, now, limit, advance)
        while readers:
            until, _, kind, cursor = readers[0]
            reading = cursor.step(now)
            self._learn_ahead(leases, max(until, cursor.reach.latest) + AHEAD_SECONDS, now)
            told = reading.take_leases()
            if kind not in ahead:
                self._collectors[kind].learn(told)
            late = reading.drop_before(self._closed)  # before leases that are forgotten by now are missed
            if late:
                done.count("late", DESTROYED, late)
            self._days.take(*self._collectors[kind].gather(reading, limit), done)
            _put_back(readers)
            self._forget_before(self._days.close_until(readers[0][0] if readers else END, done))
        return done

    def _kinds_read_ahead(self, given: Sequence[tuple[str, Path]], now: float, limit: float) -> Set[str]:
        """Kinds whose leases are read ahead: all that tell any, unless it is one log in order of time."""
        kinds = {kind for kind in self._kinds if KINDS[kind].tells_leases is not None}
        if len(given) == 1 and kinds and not goes_back(given[0][1], self._parser(given[0][0]), now, limit):
            return frozenset()
        return kinds

    def _cursors(
        self,
        given: Sequence[tuple[str, Path]],
        ahead: Set[str],
        now: float,
        limit: float,
        advance: Callable[[int], None],
    ) -> tuple[Queue, Queue]:
        """A cursor for each file, where it begins; one more for its leases where they are read ahead."""
        readers: Queue = []
        leases: Queue = []
        began = dict.fromkeys(self._kinds, BEGINNING)
        for number, (kind, path) in enumerate(given):
            # Of a file that does not say when it begins the one before it says as much as is known.
            found = first_moment(path, self._parser(kind), now, limit)
            began[kind] = moment = began[kind] if found is None else found
            for queue, only in ((readers, None), (leases, KINDS[kind].tells_leases)):
                if queue is readers or kind in ahead:
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

    def _forget_before(self, moment: int | None) -> None:
        """What is before `moment` (seconds UTC) is over."""
        if moment is not None:
            self._closed = moment
            self._parts.directory.forget_before(moment)
            for collector in self._collectors.values():
                collector.forget_before(moment)

    def _parser(self, kind: str) -> Parser:
        # A new one for each reading: in the hour that is repeated, time goes on from the line before.
        mapping = self._mapping if KINDS[kind].mapped else None
        return parser(kind, self._parts.settings.zone, self._year, mapping)


def _put_back(queue: Queue) -> None:
    """The first one was read on."""
    _, number, kind, cursor = queue[0]
    if cursor.is_over:
        heappop(queue)
    else:
        heapreplace(queue, (cursor.reach.until, number, kind, cursor))


def check_kind(kind: str) -> None:
    """Raises UsageError for a kind of log that is none."""
    if kind not in KINDS:
        raise UsageError(f"cannot replay `{kind}` yet; known: {', '.join(sorted(KINDS))}")


def check_log(path: Path, out: Path) -> None:
    """Raises UsageError for a log that cannot be read again and again, or that is `out` itself."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file: a replay may read its logs twice; write it to a file first")
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
