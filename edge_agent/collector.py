"""Facts to signals: devices found, lessons found, identifiers replaced; what does not fit is counted.

Pure apart from the day keys it is handed: the same facts and keys give the same signals.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from edge_agent.daykeys import DayKeys, pseudonym
from edge_agent.identity.directory import Directory
from edge_agent.identity.inventory import Device
from edge_agent.identity.timetable import Lesson
from edge_agent.parcel import Heard, Parcel
from edge_agent.sources.facts import Contact, Did, Lease, Reading
from models.catalogue.match import BACKGROUND, NameMatcher
from shared import signals
from shared.signals import SignalBatch
from shared.words import Action

FUTURE_SECONDS: Final = 36 * 3600

Row = tuple[int, int, int, int, int, float]


@dataclass(slots=True)
class _Day:
    """One local day's rows on their way into batches."""

    key: bytes
    pseudonyms: dict[str, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    def pseudonym(self, device: Device) -> int:
        found = self.pseudonyms.get(device.id)
        if found is None:
            found = self.pseudonyms[device.id] = pseudonym(self.key, device.id)
        return found


class Collector:
    """Turns the readings of one source into batches."""

    def __init__(
        self,
        *,
        kind: str,
        source: str,
        directory: Directory,
        keys: DayKeys,
        matcher: NameMatcher,
        catalogue: str,
        codes: dict[str, str],
    ) -> None:
        self._kind = kind
        self._source = source
        self._directory = directory
        self._keys = keys
        self._matcher = matcher
        self._catalogue = catalogue
        self._codes = codes
        self._known_heard: set[tuple[str, int, int]] = set()
        self._last_rows: set[Row] = set()
        self._forget = 0.0

    def collect(self, reading: Reading, now: float, seen: Sequence[int] = ()) -> Parcel:
        """Signals and counts of one reading; `now` (seconds UTC) decides what is late or in the future.

        A reading must be small enough for one batch of the link: at most some 1,200 facts.
        """
        if self._forget:
            self._known_heard = {item for item in self._known_heard if item[1] >= self._forget}
            self._forget = 0.0
        days: dict[date, _Day | str] = {}
        counts: dict[str, Counter[str]] = {name: Counter() for name in ("unmatched", "outside", "late")}
        counts["refused"] = Counter(reading.refused)
        counts["outside"].update(reading.passed_over)
        heard: dict[tuple[str, int, str], list[int]] = {}
        for fact in reading.facts:
            if isinstance(fact, Lease):
                self.learn((fact,))
                continue
            placed = self._place(fact, now, days, counts)
            if placed is not None:
                self._keep(fact, placed, heard, counts)
        kept = [(day, state) for day, state in days.items() if isinstance(state, _Day) and state.rows]
        if self._kind != "xapi":
            for _, state in kept:
                state.rows = self._merge(state.rows)
        return Parcel(
            kind=self._kind,
            source=self._source,
            batches=[signals.encode(self._batch(*item)) for item in kept if item[1].rows],
            lines=reading.lines,
            newest=reading.newest,
            counts={what: dict(reasons) for what, reasons in counts.items() if reasons},
            excerpts=reading.excerpts,
            heard=[Heard(code, start, day, devices) for (code, start, day), devices in heard.items()],
            seen=list(seen),
        )

    def learn(self, leases: Sequence[Lease]) -> None:
        """Take leases that were told before."""
        for lease in leases:
            self._directory.leases.add(lease.t, lease.address, lease.hardware)

    def _place(
        self, fact: Contact | Did, now: float, days: dict[date, _Day | str], counts: dict[str, Counter[str]]
    ) -> tuple[_Day, date, Lesson, int] | None:
        """The fact's day, lesson and pseudonym, or None once its reason has been counted."""
        if fact.t > now + FUTURE_SECONDS:
            counts["refused"]["in_the_future"] += 1
            return None
        directory = self._directory
        device = (
            directory.device_at(fact.address, fact.t)
            if isinstance(fact, Contact)
            else directory.device_of(fact.user)
        )
        if isinstance(device, str):
            counts["unmatched"][device] += 1
            return None
        found = directory.lesson_at(device, fact.t)
        if isinstance(found, str):
            counts["unmatched" if found == "no_class" else "outside"][found] += 1
            return None
        day, lesson = found
        if day not in days:
            key = self._keys.key(day, now)
            days[day] = key if isinstance(key, str) else _Day(key)
        state = days[day]
        if isinstance(state, str):
            counts["late"][state] += 1
            return None
        return state, day, lesson, state.pseudonym(device)

    def _keep(
        self,
        fact: Contact | Did,
        placed: tuple[_Day, date, Lesson, int],
        heard: dict[tuple[str, int, str], list[int]],
        counts: dict[str, Counter[str]],
    ) -> None:
        state, day, lesson, device = placed
        code = self._codes[lesson.school_class.id]
        if (code, lesson.start, device) not in self._known_heard:
            self._known_heard.add((code, lesson.start, device))
            heard.setdefault((code, lesson.start, day.isoformat()), []).append(device)
        if isinstance(fact, Contact):
            app = self._matcher.match(fact.name)
            if app == BACKGROUND:
                counts["outside"]["background"] += 1
                return
            action, amount = Action.CONTACT, 0.0
        else:
            app, action, amount = fact.app, fact.action, fact.amount
        index = state.codes.setdefault(code, len(state.codes))
        state.rows.append((fact.t, device, index, app, action, amount))

    def begin(self) -> None:
        """Reading begins at the position that was accepted last: what was read after it counts anew."""
        self._last_rows = set()
        self._known_heard = set()

    def _merge(self, rows: list[Row]) -> list[Row]:
        """A browser asks for A, AAAA and HTTPS at once: one contact, said three times."""
        merged = [row for row in dict.fromkeys(rows) if row not in self._last_rows]
        newest = max(row[0] for row in rows)
        # A chunk may end between the three.
        self._last_rows = {row for row in rows if row[0] >= newest - 1}
        return merged

    def _batch(self, day: date, state: _Day) -> SignalBatch:
        return SignalBatch.from_rows(
            state.rows,
            kind=self._kind,
            source=self._source,
            catalogue=self._catalogue,
            day_key=day.isoformat(),
            class_codes=tuple(state.codes),
        )

    def forget_before(self, moment: float) -> None:
        """Drop memory of lessons that began before `moment`, at the next reading (any thread may ask)."""
        self._forget = moment
