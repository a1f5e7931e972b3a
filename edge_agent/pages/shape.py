"""What the agent's pages read from its status dictionary; what is missing has its plain default."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.pages.formats import capital


class Source(msgspec.Struct, frozen=True):
    """One source; `fresh` is the RFC 3339 time of its newest line."""

    kind: str
    id: str
    state: str = ""
    fresh: str | None = None
    lines: int = 0
    signals: int = 0
    refused: dict[str, int] = {}
    unmatched: dict[str, int] = {}


class Minute(msgspec.Struct, frozen=True):
    """Signals that belong to one minute (RFC 3339)."""

    minute: str
    count: int


class Quarantined(msgspec.Struct, frozen=True):
    """One refused piece of input, its letters and digits replaced."""

    when: str | None
    source: str
    reason: str
    excerpt: str


class Placements(msgspec.Struct, frozen=True):
    """Verdicts over all lessons and dimensions."""

    placed: int = 0
    thin: int = 0
    evidence_only: int = 0


class Lessons(msgspec.Struct, frozen=True):
    """Windows: closed ones, and what became of them; `next` says which come next."""

    closed: int = 0
    open: int = 0
    without_devices: int = 0
    lessons_sent: int = 0
    placements: Placements = Placements()
    held_back: dict[str, int] = {}
    next: list[str] = []


class SightOfWindows(msgspec.Struct, frozen=True):
    """So many windows, what each kind of their sources sees, and which features that leaves out."""

    windows: int = 0
    sights: dict[str, str] = {}
    missing: list[str] = []


class BlindSpot(msgspec.Struct, frozen=True):
    """Of a week's closed windows: expected device-minutes and what became of them; `bypassed` are devices."""

    week: str | None = None
    lessons: int = 0
    expected_minutes: int = 0
    seen_minutes: int = 0
    bypassed_minutes: int = 0
    unseen_minutes: int = 0
    bypassed: int = 0
    reporting_lessons: int = 0
    reported_minutes: int = 0
    windows: list[SightOfWindows] = []


class Model(msgspec.Struct, frozen=True):
    """A model that lessons are judged by; `fit` is the first of its fit's hash, if it has one."""

    id: str
    name: str
    version: str
    grain: str = "lesson"
    fit: str | None = None
    dimensions: int = 0
    calibrated: int = 0


class Week(msgspec.Struct, frozen=True):
    """One week that is over: how many bands left, or why none did."""

    week: str
    bands: int | None = 0
    held_back: str | None = None


class Outbox(msgspec.Struct, frozen=True):
    """What waits to leave, and the link to the district."""

    pending: int = 0
    sent: int = 0
    set_aside: int = 0
    withdrawn: int = 0
    dropped: int = 0
    state: str = "not_joined"
    detail: str = ""
    last_ack: str | None = None


class Left(msgspec.Struct, frozen=True):
    """What left on one day, of one kind."""

    day: str
    kind: str
    count: int
    bytes: int


class LeftHash(msgspec.Struct, frozen=True):
    """One record that left, and on which day: neither its hour nor its place among the others of the day."""

    day: str
    kind: str
    sha256: str


class DayEnd(msgspec.Struct, frozen=True):
    """The log's hash at the end of a day."""

    day: str
    chain: str


class DistrictHolds(msgspec.Struct, frozen=True):
    """The district's newest entry of the log, when it was last asked: is it the log's own?"""

    seq: int
    agrees: bool
    day: str
    differed: int = 0
    last_differed: str | None = None


class Sharing(msgspec.Struct, frozen=True):
    """A class shared until a date, inclusive."""

    class_code: str
    until: str


class AgentStatus(msgspec.Struct, frozen=True):
    """The agent's state, as `app.state.status()` gives it."""

    school: str
    now: str | None = None
    simulated: bool = False
    version: str = ""
    working: str = "ok"
    next_steps: list[str] = []
    sources: list[Source] = []
    signals: int | None = None
    signals_by_minute: list[Minute] = []
    refused: dict[str, int] = {}
    unmatched: dict[str, int] = {}
    outside: dict[str, int] = {}
    late: int = 0
    quarantine: list[Quarantined] = []
    models: list[Model] = []
    windows: Lessons = Lessons()
    sight: BlindSpot = BlindSpot()
    weeks: list[Week] = []
    outbox: Outbox = Outbox()
    left: list[Left] = []
    left_days: list[DayEnd] = []
    left_hashes: list[LeftHash] = []
    district_holds: DistrictHolds | None = None
    key_is_here: bool = False
    """Whether the private key that opens the records in the log still lies on this machine."""
    sharing: list[Sharing] = []
    contact: str = ""
    """Whom parents may ask, if the school has named somebody."""


def read(status: Mapping[str, Any]) -> AgentStatus:
    """The dictionary as a checked shape; `now` may be epoch seconds."""
    now = status.get("now")
    if isinstance(now, int | float):
        now = datetime.fromtimestamp(int(now), UTC).isoformat()
    return msgspec.convert({**status, "now": now}, AgentStatus)


def model_words(model: Model) -> str:
    """Whether walkthroughs have calibrated a model here, in words."""
    if model.fit is None:
        return "inferred, not calibrated: no fit is given in `agent.toml`"
    every = model.calibrated == model.dimensions
    part = "" if every else f" in {model.calibrated} of its {model.dimensions} dimensions"
    known = (
        f"calibrated by walkthroughs{part}" if model.calibrated else "not calibrated: too few walkthroughs"
    )
    return f"{known}, fit {model.fit}"


def sentence(status: AgentStatus) -> str:
    """The one line: whether it works, and if so what that means now."""
    if status.working != "ok":
        return capital(status.working)
    if not status.windows.closed:
        return "It works. No lesson has closed yet."
    return "It works: signals arrive, lessons close, and what may leave has left."
