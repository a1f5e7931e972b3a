"""Facts to signals: each put into its lesson, identifiers replaced; what does not fit is counted.

Pure apart from what its placer asks: the same facts and the same placer give the same signals.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from edge_agent.parcel import Heard, Parcel
from edge_agent.placing import Placer, Spot
from edge_agent.sources.facts import Contact, Present, Reading, Use, Visit, Whereabouts
from models.catalogue.match import BACKGROUND, NameMatcher
from shared import signals
from shared.signals import SignalBatch
from shared.words import Action

FUTURE_SECONDS: Final = 36 * 3600

Row = tuple[int, int, int, int, int, float]


@dataclass(slots=True)
class _Day:
    """One local day's rows on their way into batches."""

    codes: dict[str, int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)


class Collector:
    """Turns the readings of one source into batches."""

    def __init__(
        self, *, kind: str, source: str, placer: Placer, matcher: NameMatcher, catalogue: str
    ) -> None:
        self._kind = kind
        self._source = source
        self._placer = placer
        self._matcher = matcher
        self._catalogue = catalogue
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
        place = self._placer.at(now)
        days: dict[str, _Day] = {}
        counts: dict[str, Counter[str]] = {name: Counter() for name in ("unmatched", "outside", "late")}
        counts["refused"] = Counter(reading.refused)
        counts["outside"].update(reading.passed_over)
        heard: dict[tuple[str, int, str], list[int]] = {}
        for fact in reading.facts:
            if isinstance(fact, Whereabouts):
                self.learn((fact,))
            elif fact.t > now + FUTURE_SECONDS:
                counts["refused"]["in_the_future"] += 1
            elif isinstance(spot := place(fact), Spot):
                self._keep(fact, spot, days, heard, counts)
            else:
                counts[spot.what][spot.reason] += 1
        kept = [(day, state) for day, state in days.items() if state.rows]
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

    def beat(self, read_until: int) -> Parcel:
        """Nothing but how far the source has been read (seconds UTC)."""
        return Parcel(self._kind, self._source, [], 0, None, {}, [], [], [], read_until)

    def learn(self, facts: Sequence[Whereabouts]) -> None:
        """Take who had which address, and who was where, that was told before."""
        self._placer.learn(facts)

    def _keep(
        self,
        fact: Use,
        spot: Spot,
        days: dict[str, _Day],
        heard: dict[tuple[str, int, str], list[int]],
        counts: dict[str, Counter[str]],
    ) -> None:
        day, code, start, device = spot
        if (code, start, device) not in self._known_heard:
            self._known_heard.add((code, start, device))
            heard.setdefault((code, start, day), []).append(device)
        if isinstance(fact, Present):
            return
        if isinstance(fact, Contact | Visit):
            app = self._matcher.match(fact.name)
            if app == BACKGROUND:
                counts["outside"]["background"] += 1
                return
            action, amount = Action.CONTACT, 0.0
        else:
            app, action, amount = fact.app, fact.action, fact.amount
        state = days.get(day)
        if state is None:
            state = days[day] = _Day()
        index = state.codes.setdefault(code, len(state.codes))
        state.rows.append((fact.t, device, index, app, action, amount))

    def begin(self) -> None:
        """Reading begins at the position that was accepted last: what was read after it counts anew."""
        self._last_rows = set()
        self._known_heard = set()

    def again(self) -> None:
        """A reading could not be finished and is tried again: who was heard in it was not told yet."""
        self._known_heard = set()

    def _merge(self, rows: list[Row]) -> list[Row]:
        """A browser asks for A, AAAA and HTTPS at once: one contact, said three times."""
        merged = [row for row in dict.fromkeys(rows) if row not in self._last_rows]
        newest = max(row[0] for row in rows)
        # A chunk may end between the three.
        self._last_rows = {row for row in rows if row[0] >= newest - 1}
        return merged

    def _batch(self, day: str, state: _Day) -> SignalBatch:
        return SignalBatch.from_rows(
            state.rows,
            kind=self._kind,
            source=self._source,
            catalogue=self._catalogue,
            day_key=day,
            class_codes=tuple(state.codes),
        )

    def forget_before(self, moment: float) -> None:
        """Drop memory of lessons that began before `moment`, at the next reading (any thread may ask)."""
        self._forget = moment
