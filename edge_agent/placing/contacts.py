"""Contacts in columns put into lessons: an address is asked for once a lesson, a name once altogether."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.catalogue.met import MetCount
from edge_agent.identity.directory import DAYS_KEPT
from edge_agent.identity.leases import plain_address
from edge_agent.idle.resting import IdleCount
from edge_agent.placing.placer import Miss, Place, Spot
from edge_agent.sight.hearing import Spans, note
from edge_agent.sources.facts import Contact, Contacts, Lease, Reading, Whereabouts
from models.catalogue.elsewhere import all_elsewhere
from models.catalogue.match import BACKGROUND, UNLISTED, NameMatcher
from shared.signals import SignalBatch
from shared.words import Action

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FEW: Final = 48  # facts that are sooner placed one by one
_NOWHERE: Final = -1
PART_SECONDS: Final = (DAYS_KEPT - 1) * 86_400 - 3600  # of no more local days, however long they are
LATE: Final = np.int64(1) << np.int64(62)

Found = list[tuple[Spot | Miss, int]]  # of how many contacts in a row
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
            apps = self._matcher.match_all(new)
            elsewhere = apps <= UNLISTED
            elsewhere[elsewhere] = all_elsewhere([new[i] for i in np.flatnonzero(elsewhere).tolist()])
            self._apps = np.append(self._apps, apps)
            self._elsewhere = np.append(self._elsewhere, elsewhere)
        return self._apps[contacts.name], self._elsewhere[contacts.name]


def place_all(contacts: Contacts, place: Place) -> tuple[Ints, Found]:
    """Where contacts belong: for each a place in the list [n]."""
    # One address after the other; of a long time part by part, for what is known of a day is kept for a few.
    part = (contacts.t - contacts.t.min()) // PART_SECONDS
    groups = part * len(contacts.addresses) + contacts.address
    if groups.max() <= np.iinfo(np.uint16).max:
        groups = groups.astype(np.uint16)  # which numpy sorts by counting
    order = np.argsort(contacts.t, kind="stable")
    groups = groups[order]
    inside = np.argsort(groups, kind="stable")
    order, groups = order[inside], groups[inside]
    times = contacts.t[order].data
    begins = [0, *(np.flatnonzero(groups[1:] != groups[:-1]) + 1).tolist()]
    addresses = [contacts.addresses[i] for i in contacts.address[order[begins]].tolist()]
    found: Found = []
    for address, begin, end in zip(addresses, begins, [*begins[1:], len(times)], strict=True):
        found.extend(place.stays(address, times[begin:end]))
    where = np.empty(len(times), np.int64)
    where[order] = np.repeat(np.arange(len(found)), [number for _, number in found])
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
        app = np.where(elsewhere, BACKGROUND, app)
        where, found = place_all(contacts, place)
        _note_resting(contacts.t, where, found, app, tally.idle)
        seats: list[int] = []
        for spot, number in found:
            if isinstance(spot, Spot):
                seats.append(self.seats.setdefault(spot, len(self.seats)))
            else:
                seats.append(_NOWHERE)
                tally.counts[spot.what][spot.reason] += number
        seat = np.array(seats, np.int64)[where]
        placed = np.flatnonzero(seat != _NOWHERE)
        t, seat, app = contacts.t[placed], seat[placed], app[placed]
        spots = list(self.seats)
        _note_spans(t, seat, elsewhere[placed], spots, tally)
        who = [(spot.day, spot.device) for spot in spots]
        tally.met.note_all(who, seat, app, contacts.name[placed], contacts.names)
        use = np.flatnonzero(app != BACKGROUND)
        if len(use) < len(placed):
            tally.counts["outside"]["background"] += len(placed) - len(use)
        self.parts.append((t[use], seat[use], app[use]))

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
        order = np.argsort(key, kind="stable")
        key = key[order]
        is_first = np.ones(len(key), np.bool_)
        is_first[order[1:]] = key[1:] != key[:-1]
        once = np.flatnonzero(is_first)
        t, seat, app = t[once], seat[once], app[once]
        device = [spot.device for spot in self.seats]
        # What was told again is still the last that was told.
        following = {_row(t, seat, app, device, i) for i in np.flatnonzero(t >= t.max() - 1).tolist()}
        until = max((row[0] for row in last), default=begin - 1)
        again = [i for i in np.flatnonzero(t <= until).tolist() if _row(t, seat, app, device, i) in last]
        if again:
            t, seat, app = np.delete(t, again), np.delete(seat, again), np.delete(app, again)
        return (t, seat, app), following

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


def _note_resting(t: Ints, where: Ints, found: Found, app: Ints, idle: IdleCount) -> None:
    """Note what devices at rest ask for, in order of the log."""
    rests = {i: spot.rest for i, (spot, _) in enumerate(found) if isinstance(spot, Miss) and spot.rest}
    if not rests:
        return
    at_rest = np.zeros(len(found), np.bool_)
    at_rest[list(rests)] = True
    rows = np.flatnonzero(at_rest[where] & (app != BACKGROUND))
    columns = where[rows].tolist(), app[rows].tolist(), t[rows].tolist()
    for i, app_, moment in zip(*columns, strict=True):
        idle.note(rests[i], app_, moment)


def _note_spans(t: Ints, seat: Ints, elsewhere: Bools, spots: Sequence[Spot], tally: Tally) -> None:
    """Note who was heard from when to when, in order of the log."""
    group = 2 * seat + elsewhere
    size = 2 * len(spots)
    first, last, at = np.full(size, LATE), np.full(size, -1), np.full(size, len(t))
    np.minimum.at(first, group, t)
    np.maximum.at(last, group, t)
    np.minimum.at(at, group, np.arange(len(t)))
    order = np.argsort(at, kind="stable")[: np.count_nonzero(at < len(t))]
    for i, one, other in zip(order.tolist(), first[order].tolist(), last[order].tolist(), strict=True):
        note(tally.present if i % 2 else tally.heard, spots[i // 2], one, other)
