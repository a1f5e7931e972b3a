"""The snapshot that findings are made from: counts and settings, no device, no learner, no address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What lies on disk of a log, rotated files too.

    `oldest` is when the oldest of it begins (seconds UTC); `open_to_all` counts files that everybody on the
    machine can read. `keeps` are other places that keep look-ups, with how many days: their settings' file,
    what they are called, days.
    """

    files: int = 0
    size: int = 0
    oldest: float | None = None
    open_to_all: int = 0
    rotation: str = ""
    rotation_days: float | None = None
    keeps: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """One source. `trouble` says why nothing can be read; `newest` and `written` are in seconds UTC.

    newest: the time that its newest line says; written: when this machine saw its file change. `misses`
    counts look-ups that belonged nowhere, by reason, of a source that left nothing on disk to sample.
    looked_into is False where the school's files are of no use: nothing is known of the log's lines then.
    is_open: it listens in a network, and `from` names nobody who alone may send.
    """

    id: str
    kind: str
    where: str
    listens: bool = False
    is_open: bool = False
    looked_into: bool = True
    trouble: str = ""
    advice: str = ""
    newest: float | None = None
    written: float | None = None
    lines: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    placed: int = 0
    misses: Mapping[str, int] = field(default_factory=dict)
    tells_leases: bool = False
    log: LogFacts | None = None


@dataclass(frozen=True, slots=True)
class SeenFacts:
    """What the sampled lines say. Devices are counted by outcome: `class`, or the reason of the miss.

    silent: devices of a class that got an address in the sampled time and asked nothing; activity: use by
    quarter of an hour (its start in seconds UTC).
    """

    lines: int = 0
    begin: float | None = None
    end: float | None = None
    devices: Mapping[str, int] = field(default_factory=dict)
    unleased_ipv6: int = 0
    silent: int = 0
    listed: int = 0
    unlisted: int = 0
    unlisted_names: int = 0
    activity: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SchoolFacts:
    """What the school's own files say. Classes are named by the roster's ids."""

    devices: int = 0
    classes: int = 0
    learners: int = 0
    private_in_inventory: int = 0
    without_lessons: tuple[str, ...] = ()
    without_devices: tuple[str, ...] = ()
    without_teacher: tuple[str, ...] = ()
    without_learners: tuple[str, ...] = ()
    learners_without_device: int = 0
    classes_of_those: tuple[str, ...] = ()
    devices_without_class: int = 0
    devices_of_nobody: int = 0
    overlaps: int = 0
    lessons_next_week: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    lessons: tuple[Span, ...] = ()
    school_days: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class HouseFacts:
    """Disk, keys, hub. Sizes are in bytes; modes are what is wrong with files, by path.

    overruled: shipped names that the district's catalogue of `district_version` makes something else of.
    """

    free: int = 0
    free_wanted: int = 0
    outbox_full: bool = False
    signals: int = 0
    signals_wanted: int = 1
    open_secrets: tuple[str, ...] = ()
    missing_secrets: tuple[str, ...] = ()
    key_is_here: bool = False
    joined: bool = False
    overruled: tuple[str, ...] = ()
    district_version: str = ""


@dataclass(frozen=True, slots=True)
class ListedApp:
    """An entry of the catalogue: on how many iPads it is, and whether an app list could name it at all."""

    name: str
    installed: int
    nameable: bool


@dataclass(frozen=True, slots=True)
class AppFacts:
    """Entries by id, without those off task; `lists`: how many iPads told theirs.

    days: local day: app id: how many devices met it in lessons, 0 where fewer than ten (only of apps that ten
    iPads or more have). `today` is not over yet: what it met was met, but it counts as no day.
    """

    lists: int
    apps: Mapping[str, ListedApp]
    days: Mapping[str, Mapping[str, int]]
    today: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything, as it was at `now` (seconds UTC). `school` is None where its files are of no use.

    bypassed: the most devices that went around the resolver in one of the newest lessons, as far as the
    store says so. `apps` is None where the inventory has no app lists.
    """

    now: float
    zone: ZoneInfo
    sources: tuple[SourceFacts, ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()
    seen: SeenFacts = SeenFacts()
    school: SchoolFacts | None = None
    school_trouble: str = ""
    house: HouseFacts = HouseFacts()
    bypassed: int = 0
    has_addresses: bool = False
    apps: AppFacts | None = None
