"""Contacts in columns put into lessons: an address is asked for once a lesson, a name once altogether."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.catalogue.met import MetCount
from edge_agent.hearing import Spans, note
from edge_agent.identity.leases import plain_address
from edge_agent.placing import Miss, Place, Spot
from edge_agent.resting import IdleCount
from edge_agent.sources.facts import Contact, Contacts, Lease, Reading, Whereabouts
from models.catalogue.elsewhere import leads_elsewhere
from models.catalogue.match import BACKGROUND, UNLISTED, NameMatcher
from shared.signals import SignalBatch
from shared.words import Action

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FEW: Final = 48  # facts that are sooner placed one by one
_ADDRESS_BITS: Final = 24
_NOWHERE: Final = BACKGROUND - 1
_SHIFT: Final = 20  # more than an index of an app takes
LATE: Final = np.int64(1) << np.int64(62)

Last = set[tuple[int, int, int, int, float]]  # second, pseudonym, app, action, amount


def columns_of(reading: Reading) -> Reading | None:
    """The reading with its contacts in columns; None if it has other use, or so few that it does not pay."""
    if reading.contacts is not None:
        return reading
    if len(reading.facts) < FEW or not all(isinstance(fact, Contact | Whereabouts) for fact in reading.facts):
        return None
    contacts = [fact for fact in reading.facts if isinstance(fact, Contact)]
    before = np.cumsum([isinstance(fact, Contact) for fact in reading.facts])
    rest = [i for i, fact in enumerate(reading.facts) if not isinstance(fact, Contact)]
    return Reading(
        facts=[reading.facts[i] for i in rest],
        contacts=Contacts.of(contacts),
        after=before[rest].tolist(),
    )


def segments(reading: Reading) -> Iterator[tuple[list[Whereabouts], Contacts]]:
    """What is to be learnt, and the contacts to be placed then, as often as it takes to keep the log's order.

    A lease may be learnt before contacts that stand before it, if none of them has its address.
    """
    contacts = reading.contacts
    if contacts is None:
        return
    learn: list[Whereabouts] = []
    seen: set[str] = set()
    begin = looked = 0
    for fact, end in zip(reading.facts, reading.after, strict=True):
        seen.update(
            plain_address(contacts.addresses[i]) for i in np.unique(contacts.address[looked:end]).tolist()
        )
        looked = end
        if not isinstance(fact, Lease) or plain_address(fact.address) in seen:
            yield learn, contacts.select(slice(begin, end))
            learn, begin = [], end
            seen.clear()
        if isinstance(fact, Whereabouts):
            learn.append(fact)
    yield learn, contacts.select(slice(begin, None)) if begin else contacts


class Apps:
    """What names stand for, by their place in a reader's table."""

    def __init__(self, matcher: NameMatcher) -> None:
        self._matcher = matcher
        self._table: list[str] = []
        self._apps: Ints = np.zeros(0, np.int64)
        self._elsewhere: Bools = np.zeros(0, np.bool_)

    def of(self, contacts: Contacts) -> tuple[Ints, Bools]:
        """The app (index, 0 or BACKGROUND) of each contact, and which ask for a resolver elsewhere."""
        if contacts.names is not self._table:
            self._table = contacts.names
            self._apps, self._elsewhere = self._apps[:0], self._elsewhere[:0]
        new = self._table[len(self._apps) :]
        if new:
            match = self._matcher.match
            apps = [match(name) for name in new]
            pairs = zip(new, apps, strict=True)
            elsewhere = [app <= UNLISTED and leads_elsewhere(name) for name, app in pairs]
            self._apps = np.append(self._apps, np.array(apps, np.int64))
            self._elsewhere = np.append(self._elsewhere, np.array(elsewhere, np.bool_))
        return self._apps[contacts.name], self._elsewhere[contacts.name]


def place_all(contacts: Contacts, place: Place) -> tuple[Ints, list[Spot | Miss]]:
    """Where contacts belong: for each a place in the list [n]."""
    found: list[Spot | Miss] = []
    lengths: list[int] = []
    # Day by day, for what is known of a day is kept for a few of them; in each one address after the other.
    day, second = np.divmod(contacts.t, 86_400)
    groups = day << _ADDRESS_BITS | contacts.address
    order = np.argsort(groups * 86_400 + second, kind="stable")
    t, address = contacts.t[order].tolist(), contacts.address[order]
    ends = [*np.flatnonzero(np.diff(groups[order])).tolist(), len(t) - 1]
    at = 0
    for end in ends:
        name = contacts.addresses[address[end]]
        while at <= end:
            spot, until = place.stay(name, t[at])
            following = bisect_left(t, until, at + 1, end + 1)
            found.append(spot)
            lengths.append(following - at)
            at = following
    where = np.empty(len(t), np.int64)
    where[order] = np.repeat(np.arange(len(found)), lengths)
    return where, found


@dataclass(slots=True)
class Tally:
    """What one reading adds to, beside signals: who was heard or there, numbers of what is no use."""

    heard: Spans
    present: Spans
    counts: dict[str, Counter[str]]
    idle: IdleCount
    met: MetCount


@dataclass(slots=True)
class Rows:
    """Contacts that become signals, part by part: second, seat (a place in `seats`), app."""

    seats: dict[Spot, int] = field(default_factory=dict)
    parts: list[tuple[Ints, Ints, Ints]] = field(default_factory=list)

    def take(self, contacts: Contacts, apps: tuple[Ints, Bools], place: Place, tally: Tally) -> None:
        """Place these, note who was heard, count what is no use."""
        app, elsewhere = apps
        where, found = place_all(contacts, place)
        counts = tally.counts
        is_spot = np.array([isinstance(spot, Spot) for spot in found], np.bool_)
        total = np.bincount(where, minlength=len(found)).tolist()
        for number, spot in zip(total, found, strict=True):
            if isinstance(spot, Miss):
                counts[spot.what][spot.reason] += number
        app = np.where(elsewhere, BACKGROUND, app)
        _note_resting(contacts.t, where, found, app, tally.idle)
        placed = is_spot[where]
        _note_spans(contacts.t[placed], where[placed], found, elsewhere[placed], tally)
        _note_met(contacts, where, found, np.where(placed, app, _NOWHERE), tally.met)
        use = placed & (app != BACKGROUND)
        background = int(placed.sum()) - int(use.sum())
        if background:
            counts["outside"]["background"] += background
        seats = [
            self.seats.setdefault(spot, len(self.seats)) if isinstance(spot, Spot) else -1 for spot in found
        ]
        self.parts.append((contacts.t[use], np.array(seats, np.int64)[where[use]], app[use]))

    def merged(self, last: Last) -> tuple[tuple[Ints, Ints, Ints], Last]:
        """Each contact once, and none of `last`, in order of the log; and what may come again with the next.

        A browser asks for A, AAAA and HTTPS at once: one contact, said three times.
        """
        t, seat, app = (np.concatenate(column) for column in zip(*self.parts, strict=True))
        if not len(t):
            return (t, seat, app), last
        begin = int(t.min())
        apps = int(app.max()) + 1
        key = ((t - begin) * len(self.seats) + seat) * apps + app
        once = np.sort(np.unique(key, return_index=True)[1])
        t, seat, app = t[once], seat[once], app[once]
        device = [spot.device for spot in self.seats]
        newest = int(t.max())
        if last:
            until = max(row[0] for row in last)
            again = [i for i in np.flatnonzero(t <= until).tolist() if _row(t, seat, app, device, i) in last]
            # What was told again is still the last that was told.
            kept = np.delete(np.arange(len(t)), again)
        else:
            kept = np.arange(len(t))
        following = {_row(t, seat, app, device, i) for i in np.flatnonzero(t >= newest - 1).tolist()}
        return (t[kept], seat[kept], app[kept]), following

    def batches(
        self, columns: tuple[Ints, Ints, Ints], *, kind: str, source: str, catalogue: str
    ) -> list[SignalBatch]:
        """The signals, a batch for each local day."""
        t, seat, app = columns
        if not len(t):
            return []
        spots = list(self.seats)
        first = np.full(len(spots), len(t))
        np.minimum.at(first, seat, np.arange(len(t)))
        in_order = [i for i in np.argsort(first, kind="stable").tolist() if first[i] < len(t)]
        codes: dict[str, dict[str, int]] = {}
        index = np.zeros(len(spots), np.uint16)
        for i in in_order:
            of_day = codes.setdefault(spots[i].day, {})
            index[i] = of_day.setdefault(spots[i].code, len(of_day))
        device = np.array([spot.device for spot in spots], np.uint64)
        days = list(codes)
        day_of = np.array([days.index(spot.day) if spot.day in codes else -1 for spot in spots])
        found = []
        for number, day in enumerate(days):
            rows = slice(None) if len(days) == 1 else np.flatnonzero(day_of[seat] == number)
            at = seat[rows]
            found.append(
                SignalBatch(
                    kind=kind,
                    source=source,
                    catalogue=catalogue,
                    day_key=day,
                    class_codes=tuple(codes[day]),
                    t=t[rows].astype(np.uint32),
                    device=device[at],
                    class_=index[at],
                    app=app[rows].astype(np.uint16),
                    action=np.full(len(at), Action.CONTACT, np.uint8),
                    amount=np.zeros(len(at), np.float32),
                )
            )
        return found


def _row(t: Ints, seat: Ints, app: Ints, device: Sequence[int], i: int) -> tuple[int, int, int, int, float]:
    return int(t[i]), device[seat[i]], int(app[i]), Action.CONTACT, 0.0


def _note_resting(t: Ints, where: Ints, found: Sequence[Spot | Miss], app: Ints, idle: IdleCount) -> None:
    """Note what devices at rest ask for, in order of the log."""
    rests = [spot.rest if isinstance(spot, Miss) else None for spot in found]
    at_rest = np.array([rest is not None for rest in rests], np.bool_)
    rows = np.flatnonzero(at_rest[where] & (app != BACKGROUND))
    columns = where[rows].tolist(), app[rows].tolist(), t[rows].tolist()
    for i, app_, moment in zip(*columns, strict=True):
        rest = rests[i]
        if rest is not None:
            idle.note(rest, app_, moment)


def _note_met(
    contacts: Contacts, where: Ints, found: Sequence[Spot | Miss], app: Ints, met: MetCount
) -> None:
    """Note how much of what was met is known; `app` is below BACKGROUND for what is in no lesson."""
    days = list(dict.fromkeys(spot.day for spot in found if isinstance(spot, Spot)))
    day_of = np.array([days.index(spot.day) if isinstance(spot, Spot) else 0 for spot in found], np.int64)
    known = np.flatnonzero((app > _NOWHERE) & (app != UNLISTED))
    pairs, numbers = np.unique(day_of[where[known]] << _SHIFT | app[known] - _NOWHERE, return_counts=True)
    for pair, number in zip(pairs.tolist(), numbers.tolist(), strict=True):
        met.note(days[pair >> _SHIFT], (pair & (1 << _SHIFT) - 1) + _NOWHERE, 0, "", number)
    rows = np.flatnonzero(app == UNLISTED)
    key = where[rows] << 32 | contacts.name[rows]
    _, at, numbers = np.unique(key, return_index=True, return_counts=True)
    for i in np.argsort(at, kind="stable").tolist():
        row = rows[at[i]]
        spot = found[where[row]]
        if isinstance(spot, Spot):
            met.note(spot.day, UNLISTED, spot.device, contacts.names[contacts.name[row]], int(numbers[i]))


def _note_spans(t: Ints, where: Ints, found: Sequence[Spot | Miss], elsewhere: Bools, tally: Tally) -> None:
    """Note who was heard from when to when, in order of the log."""
    if not len(t):
        return
    group = 2 * where + elsewhere
    size = 2 * len(found)
    first, last, at = np.full(size, LATE), np.full(size, -1), np.full(size, len(t))
    np.minimum.at(first, group, t)
    np.maximum.at(last, group, t)
    np.minimum.at(at, group, np.arange(len(t)))
    for i in np.argsort(at, kind="stable").tolist():
        if at[i] == len(t):
            break
        spot = found[i // 2]
        if isinstance(spot, Spot):
            note(tally.present if i % 2 else tally.heard, spot, int(first[i]), int(last[i]))
