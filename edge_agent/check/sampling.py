"""The newest lines of every log through the real parser and the real placer; nothing of it is stored."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge_agent.check.facts import SeenFacts
from edge_agent.check.matching import MATCHED
from edge_agent.identity.directory import Directory
from edge_agent.parts import Parts, parser
from edge_agent.placing.daykeys import MemoryKeys
from edge_agent.placing.placer import DirectoryPlacer, Place, Spot
from edge_agent.settings import SourceSettings
from edge_agent.sources.facts import Contact, Fact, Lease, Present, Use, Visit, Whereabouts
from edge_agent.sources.kinds import KINDS
from edge_agent.sources.logfile import CHUNK, LINES, pieces, resumed, rotated_files
from edge_agent.sources.parsing import Parser
from edge_agent.sources.scrub_names import scrub_name
from edge_agent.sources.tail import select
from models.catalogue.match import BACKGROUND
from models.catalogue.registrable import registrable

MIB: Final = 1024 * 1024
LEASES_BEFORE: Final = 16  # times as much is looked through for leases
UNPACKED_MOST: Final = 256 * MIB
HEAD: Final = 16 * 1024
QUARTER: Final = 900
FUTURE: Final = 36 * 3600.0
NAMES_KEPT: Final = 10_000
_OF_A_CLASS: Final = frozenset({"outside_lessons", "testing"})
_ORDER: Final = (MATCHED, "staff", "opted_out", "no_class", "private_address", "unknown_device")
_LOOPBACK: Final = ("127.", "::1")

Progress = Callable[[float], None]


@dataclass(slots=True)
class Read:
    """What was read of one source."""

    lines: int = 0
    newest: float | None = None
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Slice:
    """A part of a file from an offset on; `whole` says that it begins where the file does."""

    path: Path
    start: int
    size: int


class Sampler:
    """Reads sources one after the other; `seen` is what they come to. Identifiers live in it alone."""

    def __init__(self, parts: Parts, folder: Path, now: float, since: float, limit: int) -> None:
        """`now` and `since` in seconds UTC; `limit`: bytes of each source's newest lines."""
        self._parts = parts
        self._folder = folder
        self._now = now
        self._since = since
        self._limit = limit
        codes = {key: key for key in parts.directory.roster.classes}
        self._placer = DirectoryPlacer(parts.directory, MemoryKeys(), codes)
        self._outcome: dict[str, str] = {}  # by hardware, address or user
        self._leased: dict[str, float] = {}  # hardware, and when it last got an address; 0 if that is unknown
        self._asked: set[str] = set()
        self._ipv6: set[str] = set()
        self._activity: Counter[int] = Counter()
        self._listed = 0
        self._unlisted = 0
        self._names: set[str] = set()
        self._lines = 0
        self._begin = float("inf")
        self._end = float("-inf")

    def learn(self, fact: Whereabouts) -> None:
        """Take who had which address, from files of addresses or from a log."""
        if isinstance(fact, Lease):
            self._leased[fact.hardware] = max(fact.t, self._leased.get(fact.hardware, 0))
        self._placer.learn((fact,))

    def learn_leases(self, source: SourceSettings, path: Path) -> None:
        """Leases that the source tells, also long before its newest lines. Raises OSError."""
        only = KINDS[source.kind].tells_leases
        if only is not None:
            parse = self._parser(source)
            for piece in newest_slices(path, self._limit * LEASES_BEFORE):
                for chunk in select(chunks_of(piece), only):
                    for fact in parse(chunk, self._now).facts:
                        if isinstance(fact, Lease):
                            self.learn(fact)

    def read(self, source: SourceSettings, path: Path) -> Read:
        """The source's newest lines. Raises OSError."""
        parse, found = self._parser(source), Read()
        for piece in newest_slices(path, self._limit):
            parse.begin(head_of(piece), self._now)
            for chunk in chunks_of(piece):
                reading = parse(chunk, self._now)
                found.lines += reading.lines
                found.refused.update(reading.refused)
                if reading.newest is not None:
                    found.newest = max(found.newest or 0.0, float(reading.newest))
                self._place(reading.all_facts())
        self._lines += found.lines
        return found

    def seen(self) -> SeenFacts:
        """What all sources came to, in counts."""
        return SeenFacts(
            lines=self._lines,
            begin=None if self._begin > self._end else self._begin,
            end=None if self._begin > self._end else self._end,
            devices=Counter(self._outcome.values()),
            unleased_ipv6=len(self._ipv6),
            silent=self._silent(),
            listed=self._listed,
            unlisted=self._unlisted,
            unlisted_names=len(self._names),
            activity=dict(self._activity),
        )

    def _parser(self, source: SourceSettings) -> Parser:
        return parser(source.kind, self._parts.settings.zone, mapping=source.mapping, folder=self._folder)

    def _place(self, facts: list[Fact]) -> None:
        place = self._placer.at(self._now)
        for fact in facts:
            if isinstance(fact, Whereabouts):
                self.learn(fact)
                if self._since <= fact.t <= self._now:
                    self._begin = min(self._begin, fact.t)
            elif self._since <= fact.t <= self._now + FUTURE:
                self._count(fact, place)

    def _count(self, fact: Use, place: Place) -> None:
        if isinstance(fact, Contact | Present):
            if fact.address.startswith(_LOOPBACK):
                return  # the resolver asks itself
            who = self._parts.directory.leases.at(fact.address, fact.t) or fact.address
        else:
            who = fact.user
        found = place(fact)
        reason = MATCHED if isinstance(found, Spot) or found.reason in _OF_A_CLASS else found.reason
        self._begin, self._end = min(self._begin, fact.t), max(self._end, fact.t)
        self._asked.add(who)
        before = self._outcome.get(who)
        if before is None or _rank(reason) < _rank(before):
            self._outcome[who] = reason
        if reason == "no_lease" and ":" in who:
            self._ipv6.add(who)
        if reason == MATCHED and isinstance(fact, Contact | Visit):
            self._use(fact, isinstance(found, Spot))

    def _use(self, fact: Contact | Visit, in_lesson: bool) -> None:
        app = self._parts.matcher.match(fact.name)
        if app == BACKGROUND:
            return
        self._activity[fact.t - fact.t % QUARTER] += 1
        if not in_lesson:
            return
        self._listed += app > 0
        self._unlisted += app == 0
        if app == 0 and len(self._names) < NAMES_KEPT and (name := registrable(scrub_name(fact.name))):
            self._names.add(name)

    def _silent(self) -> int:
        """Devices of a class that got an address in the sampled time and asked nothing."""
        directory: Directory = self._parts.directory
        if not self._activity:
            return 0
        silent = 0
        for hardware, at in self._leased.items():
            device = directory.inventory.by_hardware.get(hardware)
            is_known = device is not None and not isinstance(directory.admit(device), str)
            if device is None or not is_known or hardware in self._asked or not directory.has_class(device):
                continue
            in_time = at == 0 or (
                self._begin <= at <= self._end and not isinstance(directory.lesson_at(device, int(at)), str)
            )
            silent += in_time
        return silent


def _rank(reason: str) -> int:
    return _ORDER.index(reason) if reason in _ORDER else len(_ORDER)


def newest_slices(path: Path, limit: int) -> list[_Slice]:
    """Where the newest `limit` bytes of a log lie, rotated files too, oldest first. Raises OSError."""
    files = _files(path)
    found: list[_Slice] = []
    left = limit
    for file in reversed(files):
        if left <= 0:
            break
        size = file.stat().st_size
        take = min(size, left)
        found.append(_Slice(file, size - take, take))
        left -= take
    return found[::-1]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        inside = [file for file in path.rglob("*") if file.is_file() and not file.name.startswith(".")]
        return sorted(inside, key=lambda file: file.stat().st_mtime)
    return [listed.path for listed in rotated_files(path)] + [path]


def chunks_of(piece: _Slice) -> Iterator[bytes]:
    """Whole lines of a slice; of a compressed file all that it holds, up to a bound. Raises OSError."""
    opened = resumed(piece.path, None)
    if opened is None:
        return
    with opened.file:
        if opened.is_packed:
            yield from pieces(opened.stream(0, UNPACKED_MOST), CHUNK, LINES)
            return
        start = piece.start
        if start:
            opened.file.seek(start - 1)
            start += opened.file.read(MIB).find(b"\n")  # the line that begins before is left out
        yield from pieces(opened.stream(start, piece.start + piece.size), CHUNK, LINES)


def head_of(piece: _Slice) -> bytes:
    """The first whole lines of the slice's file, if the slice begins behind them. Raises OSError."""
    if not piece.start:
        return b""
    with piece.path.open("rb") as file:
        data = file.read(HEAD)
    return data[: data.rfind(b"\n") + 1]
