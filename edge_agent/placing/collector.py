"""Facts to signals: each put into its lesson, identifiers replaced; what does not fit is counted.

Pure apart from what its placer asks: the same facts and the same placer give the same signals.
"""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from edge_agent.catalogue.met import MetCount
from edge_agent.idle.resting import IdleCount
from edge_agent.placing.contacts import Apps, Last, Rows, Tally, columns_of, segments
from edge_agent.placing.parcel import Parcel
from edge_agent.placing.placer import Place, Placer, Rest, Spot
from edge_agent.sight.hearing import Hearing, Spans, note
from edge_agent.sources.facts import Contact, Fact, Present, Reading, Use, Visit, Whereabouts
from models.catalogue.elsewhere import leads_elsewhere
from models.catalogue.match import BACKGROUND, UNLISTED, NameMatcher
from shared import signals
from shared.signals import SignalBatch
from shared.words import Action

FUTURE_SECONDS: Final = 36 * 3600
LONGEST: Final = 86_400  # seconds of one connection that may matter to a lesson

Row = tuple[int, int, int, int, int, float]


@dataclass(slots=True)
class _Day:
    """One local day's rows on their way into batches."""

    codes: dict[str, int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)


class Collector:
    """Turns the readings of one source into batches."""

    def __init__(
        self,
        *,
        kind: str,
        source: str,
        placer: Placer,
        matcher: NameMatcher,
        catalogue: str,
        off_task: Set[int] = frozenset(),
    ) -> None:
        self._kind = kind
        self._source = source
        self._placer = placer
        self._matcher = matcher
        self._catalogue = catalogue
        self._heard = Hearing()
        self._present = Hearing()
        self._idle = IdleCount()
        self._met = MetCount(off_task)
        self._apps = Apps(matcher)
        self._last: Last = set()
        self._forget = 0.0
        self._adopted: tuple[NameMatcher, str, Set[int]] | None = None

    def collect(self, reading: Reading, now: float, seen: Sequence[int] = ()) -> Parcel:
        """Signals and counts of one reading; `now` (seconds UTC) decides what is late or in the future.

        A reading must be small enough for one batch of the link: at most some 1,200 facts.
        """
        parcel, batches = self.gather(reading, now, seen)
        parcel.batches = [signals.encode(batch) for batch in batches]
        return parcel

    def gather(
        self, reading: Reading, now: float, seen: Sequence[int] = ()
    ) -> tuple[Parcel, list[SignalBatch]]:
        """As `collect`, of a reading of any size; its batches, one for each local day, beside the parcel."""
        if self._forget:
            self._heard.forget_before(self._forget)
            self._present.forget_before(self._forget)
            self._forget = 0.0
        if self._adopted is not None:
            (self._matcher, self._catalogue, off_task), self._adopted = self._adopted, None
            self._apps = Apps(self._matcher)
            self._met.adopt(off_task)
        place = self._placer.at(now)
        counts: dict[str, Counter[str]] = {name: Counter() for name in ("unmatched", "outside", "late")}
        counts["refused"] = Counter(reading.refused)
        counts["outside"].update(reading.passed_over)
        heard: Spans = {}
        present: Spans = {}
        tally = Tally(heard, present, counts, self._idle, self._met)
        columns = columns_of(reading)
        if columns is None:
            batches = self._one_by_one(reading.facts, place, now + FUTURE_SECONDS, tally)
        else:
            batches = self._by_columns(columns, place, now + FUTURE_SECONDS, tally)
        parcel = Parcel(
            kind=self._kind,
            source=self._source,
            batches=[],
            lines=reading.lines,
            newest=reading.newest,
            counts={what: dict(reasons) for what, reasons in counts.items() if reasons},
            excerpts=reading.excerpts,
            heard=self._heard.tell(heard),
            seen=list(seen),
            present=self._present.tell(
                # Who is heard is there: no need to say so.
                {spot: span for spot, span in present.items() if spot not in self._heard}
            ),
            idle=self._idle.tell(),
            met=self._met.tell(),
        )
        return parcel, batches

    def _one_by_one(
        self, facts: Sequence[Fact], place: Place, limit: float, tally: Tally
    ) -> list[SignalBatch]:
        days: dict[str, _Day] = {}
        counts = tally.counts
        for fact in facts:
            if isinstance(fact, Whereabouts):
                self.learn((fact,))
            elif fact.t > limit:
                counts["refused"]["in_the_future"] += 1
            elif isinstance(spot := place(fact), Spot):
                self._keep(fact, spot, days, tally.heard, tally.present, counts)
            else:
                counts[spot.what][spot.reason] += 1
                if spot.rest is not None and isinstance(fact, Contact | Visit):
                    self._note_idle(spot.rest, fact)
        kept = [(day, state) for day, state in days.items() if state.rows]
        if self._kind != "xapi":
            for _, state in kept:
                state.rows = self._merge(state.rows)
        return [self._batch(*item) for item in kept if item[1].rows]

    def _by_columns(self, reading: Reading, place: Place, limit: float, tally: Tally) -> list[SignalBatch]:
        rows = Rows()
        for learnt, contacts in segments(reading):
            self.learn(learnt)
            good = contacts.t <= limit
            if not good.all():
                tally.counts["refused"]["in_the_future"] += len(good) - int(good.sum())
                contacts = contacts.select(good)
            if len(contacts):
                rows.take(contacts, self._apps.of(contacts), place, tally)
        if not rows.parts:
            return []
        merged, self._last = rows.merged(self._last)
        return rows.batches(merged, kind=self._kind, source=self._source, catalogue=self._catalogue)

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
        heard: Spans,
        present: Spans,
        counts: dict[str, Counter[str]],
    ) -> None:
        day, code, _, device = spot
        if isinstance(fact, Present):
            seconds = int(min(fact.seconds, LONGEST)) if fact.seconds > 0 else 0
            note(present, spot, fact.t, fact.t + seconds)
            return
        if isinstance(fact, Contact | Visit):
            app = self._matcher.match(fact.name)
            # Who asks for a resolver elsewhere is there, and may not ask this one again.
            elsewhere = app <= UNLISTED and leads_elsewhere(fact.name)
            note(present if elsewhere else heard, spot, fact.t, fact.t)
            self._met.note(day, BACKGROUND if elsewhere else app, device, fact.name)
            if elsewhere or app == BACKGROUND:
                counts["outside"]["background"] += 1
                return
            action, amount = Action.CONTACT, 0.0
        else:
            note(heard, spot, fact.t, fact.t)
            app, action, amount = fact.app, fact.action, fact.amount
        state = days.get(day)
        if state is None:
            state = days[day] = _Day()
        index = state.codes.setdefault(code, len(state.codes))
        state.rows.append((fact.t, device, index, app, action, amount))

    def _note_idle(self, rest: Rest, fact: Contact | Visit) -> None:
        app = self._matcher.match(fact.name)
        if app != BACKGROUND and not (app == UNLISTED and leads_elsewhere(fact.name)):
            self._idle.note(rest, app, fact.t)

    def begin(self) -> None:
        """Reading begins at the position that was accepted last: what was read after it counts anew."""
        self._last = set()
        self._forget_told()

    def again(self) -> None:
        """A reading could not be finished and is tried again: who was heard in it was not told yet."""
        self._forget_told()

    def _forget_told(self) -> None:
        for told in (self._heard, self._present, self._idle, self._met):
            told.forget()

    def _merge(self, rows: list[Row]) -> list[Row]:
        """A browser asks for A, AAAA and HTTPS at once: one contact, said three times."""
        said: dict[tuple[int, int, int, int, float], Row] = {}
        for row in rows:
            t, device, _, app, action, amount = row  # the class's number is another one in each reading
            said.setdefault((t, device, app, action, amount), row)
        merged = [row for key, row in said.items() if key not in self._last]
        newest = max(row[0] for row in rows)
        # A chunk may end between the three.
        self._last = {key for key in said if key[0] >= newest - 1}
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

    def adopt(self, matcher: NameMatcher, catalogue: str, off_task: Set[int]) -> None:
        """Go over to another catalogue at the next reading (any thread may ask)."""
        self._adopted = matcher, catalogue, off_task

    def forget_before(self, moment: float) -> None:
        """Drop memory of lessons that began before `moment`, at the next reading (any thread may ask)."""
        self._forget = moment
