"""Sender, receiver, network and disks under random orders of everything that can happen to them.

The pure machines, the outbox, the ledger and what is set aside are the real ones, on real SQLite. Every batch
carries a histogram bucket of its own; when a run ends, peace comes, everything left is sent, and each bucket
must hold 0 or 1 as its fate says.

What counts as a failure
- A bucket with a 2, or with a payload that nobody accepted: something counted twice, or made up.
- A 0 for a batch that was accepted, not withdrawn, and would be taken: something lost.
- An acknowledgement of what is not on the receiver's disk; a batch marked as sent before it was acknowledged.
- A batch on its way after its withdrawal; a 1 for one withdrawn before it ever was on its way.
- Over a network that behaves like TCP, with a sender whose disk works: a batch refused for good that is not
  set aside with its bytes, or a source position at the receiver that is not the one of its last batch.
- Any exception that is not the injected fault, and a sender that never comes to rest.

What does not
- A batch whose acceptance failed (full disk, budget, power cut before the commit) is nobody's.
- A batch withdrawn after it was on its way has a 0 or a 1.
- A lost outbox takes with it what it had not delivered: 0 or 1. One that is put back to a copy sends again
  what the copy had waiting, under a new epoch, since it knows by its log that the receiver's newest batch is
  not its own: a 2 is possible, once for each time it was put back, but what it accepts afterwards is never
  lost. Where another outbox took its place meanwhile, it rests.
- Two outboxes of one sender never begin in the same millisecond, whatever the clock does.
- After an outbox was put back, no older copy of the hub is: numbers of one epoch would mean two batches.
- What an outbox that was put back accepts before it has heard of a hub that was put back, too: the hub may
  have been sent empty places since, for what the outbox no longer kept, and these carry no entry.
- A hub is not put back to one copy and then to a newer one: the epoch that an outbox began in between would
  be new to it, and what it has under the former one is sent again.
- What left the outbox for its age or for room is not sent again to a hub put back to before it.
- A hub put back to before a key was renewed does not know it: people enrol it again.
- A REJECT lost by a network that loses single frames leaves a refused batch among the sent ones. So does a
  sender struck between the two commits that follow a WELCOME (what is settled, what was refused), when the
  batch leaves the outbox for its age or for room, or the hub is put back, before the next WELCOME.

What is not deterministic
- Nothing: schedules are derived from the test itself, and no thread, clock or file takes part. Threads,
  processes and files are struck in test_kill, in the order of their writes in test_power.
"""

import os
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.errors import BadInput
from shared.link import aside, outbox, sender
from shared.link.frames import Batch, decode_to_receiver
from shared.link.outbox import OutboxFull
from shared.link.outcomes import Delivery
from shared.link.versions import SPOKEN, Versions
from shared.storage import transaction
from tests.shared.link.fates import Fates
from tests.shared.link.faults import Fault, FaultyDisk
from tests.shared.link.lines import Lines
from tests.shared.link.sides import Hub, Office
from tests.shared.link.world import PowerCutError, count, log

STEPS: Final = 500
OPERATIONS: Final = 100_000
OPERATIONS_A_RUN: Final = 340  # less than runs have on average
NEXT: Final = Versions(((1, 1), (2, 1)))  # speaks a major version more
SPEAKS: Final = (Versions(((1, 0),)), SPOKEN, SPOKEN, NEXT, Versions(((2, 1),)))

FEW = st.integers(0, 12)
SIDES = st.booleans()
DONE: Counter[str] = Counter()  # operations by name
REACHED: Counter[str] = Counter()  # what they led to


class LinkMachine(RuleBasedStateMachine):
    """One sender, one receiver; see the head of this file."""

    @initialize(
        wild=st.booleans(), disk_fails=st.booleans(), outbox_suffers=st.booleans(), seed=st.integers(0, 2**16)
    )
    def begin(self, wild: bool, disk_fails: bool, outbox_suffers: bool, seed: int) -> None:
        rng = random.Random(seed)
        self.lines = Lines(wild)
        self.fates = Fates()
        self.modern = False
        self.office_disk_fails = disk_fails
        self.outbox_suffers = outbox_suffers
        self.office = Office(rng, self.lines, heard=self._heard, said=self._said)
        self.hub = Hub(rng, self.lines, self._effect)
        self.hub_copies: list[bytes] = []
        self.outbox_copies: list[bytes] = []
        self.made = 0
        self._accept(4, "good", 1)

    def _effect(self, connection: sqlite3.Connection, delivery: Delivery) -> None:
        count(connection, delivery)
        if delivery.payload.startswith(b"new") and not self.modern:
            raise BadInput("unknown_kind")

    def _heard(self) -> None:
        self.fates.unsure = False

    def _said(self, data: bytes) -> None:
        frame = decode_to_receiver(data)
        if isinstance(frame, Batch) and frame.payload:
            self.fates.said(frame.payload)

    def _disk(self, sending: bool) -> FaultyDisk:
        return self.office.disk if sending else self.hub.disk

    def _rows(self) -> dict[int, tuple[str, bytes]]:
        rows = self.office.disk.execute("SELECT number, state, payload FROM outbox")
        return {number: (state, payload) for number, state, payload in rows}

    def _administer(self, work: Callable[[sqlite3.Connection], None]) -> bool:
        """A transaction of the sender's owner; False when it failed. After a cut the disk knows."""
        disk, self.cut = self.office.disk, False
        try:
            with transaction(disk):
                work(disk)
        except PowerCutError:
            self.cut = True
            self.office.boot(len(self.lines.to_receiver))
        except (sqlite3.Error, OutboxFull):
            return False
        return True

    # What people and programs ask for

    @rule(many=st.integers(1, 4), kind=st.sampled_from(("good", "good", "good", "bad", "new")), size=FEW)
    def accept(self, many: int, kind: str, size: int) -> None:
        DONE["accept"] += 1
        self._accept(many, kind, size)

    def _accept(self, many: int, kind: str, size: int) -> None:
        payloads = [b"%s %d %s" % (kind.encode(), self.made + i, b"." * 40 * size) for i in range(many)]
        self.made += many

        def append(connection: sqlite3.Connection) -> None:
            for payload in payloads:
                number = outbox.append(connection, kind, payload, now=self.office.wall_ms / 1000)
                log(connection, number)

        if self._administer(append):
            self._find(payloads)
        self.office.wake()

    def _find(self, payloads: list[bytes]) -> None:
        for payload in payloads:
            found = self.office.disk.execute("SELECT number FROM outbox WHERE payload = ?", (payload,))
            if row := found.fetchone():
                self.fates.accepted(row[0], payload)

    @precondition(lambda self: self.fates.numbers)
    @rule(at=st.integers(0, 255), many=st.integers(1, 3))
    def withdraw(self, at: int, many: int) -> None:
        DONE["withdraw"] += 1
        numbers = sorted(self.fates.numbers)
        chosen = [numbers[-(1 + at + i) % len(numbers)] for i in range(many)]
        if self._administer(lambda connection: _withdraw(connection, chosen)):
            rows = self._rows()
            gone = [number for number in dict.fromkeys(chosen) if not rows.get(number, ("", b""))[1]]
            assert self.cut or len(gone) == len(set(chosen)), "withdrawn bytes are still there"
            for number in gone:
                self.fates.withdrawn(number)

    @rule(at=FEW, drops=st.booleans())
    def decide_on_refused(self, at: int, drops: bool) -> None:
        DONE["decide on refused"] += 1
        found = aside.listed(self.office.disk)
        if not found:
            return
        number = found[at % len(found)].number
        payload = aside.payload(self.office.disk, number)
        decide = aside.drop if drops else _retry
        if not self._administer(lambda connection: _ignore(decide(connection, number))):
            return
        if not aside_still(self.office.disk, number):
            self.fates.numbers.pop(number, None)
            self._find([payload])
            self.fates.of[payload].dropped = drops

    @rule(what=st.sampled_from(("upgrade records", "hub version", "office version")), at=FEW)
    def rebuild(self, what: str, at: int) -> None:
        DONE[what] += 1
        match what:
            case "upgrade records":
                self.modern = True
            case "hub version":
                self.hub.versions = SPEAKS[at % len(SPEAKS)]
                self._kill(sending=False, arriving=0)
            case _:
                self.office.versions = SPEAKS[at % len(SPEAKS)]
                self._kill(sending=True, arriving=at)

    @rule()
    def renew_key(self) -> None:
        DONE["renew key"] += 1
        self.office.renew_key()
        self.office.wake()

    # The network

    @rule(most=FEW)
    def carry_to_hub(self, most: int) -> None:
        DONE["carry to hub"] += 1
        self.office.dial()
        self._carry_to_hub(most + 1)

    def _carry_to_hub(self, most: int) -> None:
        arrived = self.lines.take_frames(most)
        if arrived and not self.hub.take(arrived):
            self.office.hang_up(0)

    @rule(most=FEW)
    def carry_to_office(self, most: int) -> None:
        DONE["carry to office"] += 1
        self._carry_to_office(most + 1)

    def _carry_to_office(self, most: int) -> None:
        for data in self.lines.take_answers(most):
            self.office.hear(data)
        early = "SELECT 1 FROM outbox, outbox_state WHERE state = 'sent' AND number > acked"
        assert self.office.disk.execute(early).fetchone() is None, "sent before it was acknowledged"

    @rule(most=FEW)
    def carry_both_ways(self, most: int) -> None:
        DONE["carry both ways"] += 1
        self.office.dial()
        self._carry_to_hub(most + 1)
        self._carry_to_office(most + 1)
        self.office.wake()

    @rule(share=FEW)
    def carry_on(self, share: int) -> None:
        """A day's work, and everything that is on its way, and all that follows from it, for a while."""
        DONE["carry on"] += 1
        self._accept(2, "good", share)
        self.office.dial()
        for _ in range(1 + share // 4):
            self._carry_to_hub(100)
            self._carry_to_office(100)
            self.office.wake()

    @rule(what=st.sampled_from(("break", "faster")), to_hub=SIDES, at=FEW)
    def disturb(self, what: str, to_hub: bool, at: int) -> None:
        self._disturb(what, to_hub, at)

    @rule(what=st.sampled_from(("lose", "double", "double", "overtake")), to_hub=SIDES, at=FEW)
    def disturb_one_frame(self, what: str, to_hub: bool, at: int) -> None:
        self._disturb(what if self.lines.wild else "break", to_hub, at)

    def _disturb(self, what: str, to_hub: bool, at: int) -> None:
        if not self.lines.to_receiver:
            self.office.dial()
            self._accept(2, "good" if at % 3 else "bad", 0)
        DONE[f"network: {what}"] += 1
        match what:
            case "lose":
                self.lines.lose(to_hub, at)
            case "double":
                self.lines.double(to_hub, at, at + 1 + at % 3)
            case "overtake":
                self.lines.overtake(to_hub, at)
            case "break":
                if not to_hub:  # the answers are lost
                    self._carry_to_hub(100)
                self.office.hang_up(at)
            case _:
                self.lines.new_line_first()

    # Time

    @rule()
    def wait(self) -> None:
        DONE["wait"] += 1
        self.office.dial()
        self.office.wait()

    @rule(seconds=st.sampled_from((-100_000, -900, -1, 1, 60, 100_000)), prune=st.booleans())
    def jump_clock(self, seconds: int, prune: bool) -> None:
        DONE["clock forward" if seconds > 0 else "clock back"] += 1
        self.office.wall_ms = max(0, self.office.wall_ms + seconds * 1000)
        if prune:
            DONE["prune"] += 1
            before = self.office.wall_ms / 1000 - 60
            self._administer(lambda connection: _prune(connection, before))

    # What breaks

    @rule(sending=SIDES, arriving=FEW)
    def kill(self, sending: bool, arriving: int) -> None:
        DONE["kill office" if sending else "kill hub"] += 1
        self._kill(sending, arriving)

    def _kill(self, sending: bool, arriving: int) -> None:
        if sending:
            self.office.boot(arriving)
        else:
            self.hub.boot()
            self.office.hang_up(0)

    @rule(sending=SIDES, fault=st.sampled_from(Fault), steps=st.integers(0, 30))
    def strike_later(self, sending: bool, fault: Fault, steps: int) -> None:
        sending &= self.office_disk_fails
        DONE[f"strike later: {fault.value}"] += 1
        self._disk(sending).light(fault, steps)

    @rule(sending=SIDES, full=st.booleans())
    def change_room(self, sending: bool, full: bool) -> None:
        sending &= self.office_disk_fails
        DONE["disk full" if full else "disk room"] += 1
        if full:
            self._disk(sending).fill()
        else:
            self._disk(sending).make_room()

    @rule(taken=FEW)
    def keep_hub_busy(self, taken: int) -> None:
        DONE["hub busy"] += 1
        self.hub.host.busy_after = taken // 2

    @rule(sending=SIDES)
    def back_up(self, sending: bool) -> None:
        DONE["back up outbox" if sending else "back up hub"] += 1
        copies = self.outbox_copies if sending else self.hub_copies
        copies.append(self._disk(sending).copy())
        del copies[:-3]

    @rule(which=FEW)
    def put_back(self, which: int) -> None:
        if which == 0 and self.outbox_suffers:
            self._lose_outbox()
            self._lose_outbox_in_traffic()
        elif which < 5 and self.outbox_suffers:
            copies = self.outbox_copies or [self.office.disk.copy()]
            if which % 2:
                self._work()  # so that the receiver has more than the copy can know of
            self._put_outbox_back(copies[which % len(copies)])
        elif which < 9:
            self._work()
        elif self.hub_copies:
            del self.hub_copies[1 + which % len(self.hub_copies) :]
            self._put_hub_back(self.hub_copies[-1])

    def _work(self) -> None:
        self.office.dial()
        self._accept(3, "good", 0)
        for _ in range(2):
            self._carry_to_hub(100)
            self._carry_to_office(100)
        self._accept(2, "good", 0)

    def _put_hub_back(self, copy: bytes) -> None:
        DONE["put hub back"] += 1
        self.fates.hub_put_back = True
        before = self.hub.host.histogram().keys()
        self.hub.disk.put_back(copy)
        for payload in before - self.hub.host.histogram().keys():
            self.fates.of[payload].forgotten = True
        self._kill(sending=False, arriving=0)
        self.lines.clear()

    def _put_outbox_back(self, copy: bytes) -> None:
        DONE["put outbox back"] += 1
        had = self._rows()
        self.office.disk.put_back(copy)
        self.fates.put_back(had, self._rows())
        self.hub_copies.clear()
        self.office.boot(0)
        self.lines.clear()

    def _lose_outbox(self) -> None:
        DONE["lose outbox"] += 1
        self.fates.begun_anew = True
        self.fates.lost()
        self.office.lose_disk()

    def _lose_outbox_in_traffic(self) -> None:
        """Batches of an epoch are on their way, and as many of a newer one as came before overtake them."""
        self._work()
        self._lose_outbox()
        self.office.dial()
        self._accept(4, "good", 0)
        for frames in (1, 3):
            self.lines.new_line_first()
            self._carry_to_hub(frames)
            self._carry_to_office(100)

    # The end

    def teardown(self) -> None:
        if not hasattr(self, "made"):
            return
        self._peace()
        self._settle_down()
        for refused in aside.listed(self.office.disk):
            payload = aside.payload(self.office.disk, refused.number)
            if payload.startswith(b"new"):
                with transaction(self.office.disk):
                    _retry(self.office.disk, refused.number)
        self._settle_down()
        self._check()

    def _peace(self) -> None:
        self.modern = True
        self.office.versions, self.hub.versions = NEXT, SPOKEN
        for disk in (self.office.disk, self.hub.disk):
            disk.recover()
            disk.make_room()
        self.hub.host.busy_after = None
        self.lines.clear()
        self.hub.boot()
        outbox.set_budget(self.office.disk, outbox.BUDGET)
        if self.made % 2 or self.office.process.versions.minor(SPOKEN.newest) is None:
            self.office.boot(0)
        else:
            self.office.hang_up(0)
        if not any(self.hub.enrolment(key.public) for key in self.office.keys):
            self.hub.enrol(self.office.keys[0].public)

    def _settle_down(self) -> None:
        machine = self.office.process.machine
        for _ in range(2000):
            self.office.dial()
            self._carry_to_hub(100)
            self._carry_to_office(100)
            if self.lines.to_receiver or self.lines.to_sender:
                continue
            machine = self.office.process.machine
            if machine.phase is sender.Phase.OPEN and machine.acked == outbox.tail(self.office.disk):
                return
            if self._fenced:
                return
            self.office.wait()
        raise AssertionError(f"never at rest: {machine.phase}, {machine.acked}, {machine.refusal}")

    @property
    def _fenced(self) -> bool:
        """Only an outbox that was put back may find another in its place."""
        return self.office.process.machine.refusal == "old_epoch" and self.fates.restored

    def _check(self) -> None:
        found = self.hub.host.histogram()
        self._count(found)
        assert found.keys() <= self.fates.of.keys()
        faithful = not (self.lines.wild or self.office_disk_fails)
        fenced, rows = self._fenced, self._rows()
        kept = {payload for _, payload in rows.values()}
        for payload in self.fates.of:
            least, most = self.fates.bounds(payload, kept=payload in kept, fenced=fenced, faithful=faithful)
            fate = self.fates.of[payload]
            assert least <= found[payload] <= most, f"{payload!r} counts {found[payload]}: {fate}"
        if not fenced:
            assert outbox.counts(self.office.disk).pending == 0
        if faithful and not self.fates.restored:
            bad = {payload for payload in self.fates.numbers.values() if payload.startswith(b"bad")}
            assert {payload for state, payload in rows.values() if state == "aside"} == bad
            if not self.fates.begun_anew:
                self._check_position()

    def _count(self, found: Counter[bytes]) -> None:
        REACHED["batches accepted"] += len(self.fates.of)
        REACHED["batches with a 1"] += sum(times == 1 for times in found.values())
        for what in ("withdrawn", "dropped", "unsaid", "gone", "doubtful", "forgotten", "returned"):
            REACHED[f"batches {what}"] += sum(bool(getattr(fate, what)) for fate in self.fates.of.values())
        REACHED["batches with a 2"] += sum(times > 1 for times in found.values())
        REACHED["batches bad"] += sum(fate.taken == "bad" for fate in self.fates.of.values())
        REACHED["keys renewed"] += int(self.office.keys[0].public)
        REACHED["epochs renewed"] += outbox.counts(self.office.disk).renewals
        REACHED["runs at rest for another outbox"] += self._fenced
        REACHED["runs"] += 1

    def _check_position(self) -> None:
        """At least that of the newest batch still in the outbox."""
        row = self.hub.disk.execute("SELECT last_seq, position FROM link_stream").fetchone()
        (base,) = self.office.disk.execute("SELECT base FROM outbox_state").fetchone()
        if row is None or row[1] is None:
            return
        (newest,) = self.office.disk.execute(
            "SELECT max(number) FROM outbox WHERE number <= ? AND position IS NOT NULL", (base + row[0],)
        ).fetchone()
        assert (newest or 0) <= int(row[1].split(b" ")[-1]) <= base + row[0]


def _withdraw(connection: sqlite3.Connection, numbers: list[int]) -> None:
    outbox.withdraw(connection, numbers)


def _prune(connection: sqlite3.Connection, before: float) -> None:
    outbox.prune_sent(connection, before)


def _retry(connection: sqlite3.Connection, number: int) -> None:
    again, _, _ = aside.retry(connection, number)
    log(connection, again)


def _ignore(_found: object) -> None:
    pass


def aside_still(connection: sqlite3.Connection, number: int) -> bool:
    """Whether people have not decided on this one yet."""
    return any(item.number == number for item in aside.listed(connection))


def run(operations: int, seed: int | None = None) -> None:
    """At least so many operations; what was done and reached is in DONE and REACHED.

    Schedules are derived from this file, or from `seed`.
    A schedule that fails is shown as it was found; MACHINE_SHRINK=1 makes it as short as can be, in minutes.
    """
    DONE.clear()
    REACHED.clear()
    LinkMachine._hypothesis_internal_use_seed = seed  # what @seed would set
    shrinks = [Phase.shrink] if os.environ.get("MACHINE_SHRINK") else []
    run_state_machine_as_test(
        LinkMachine,
        settings=settings(
            max_examples=operations // OPERATIONS_A_RUN,
            stateful_step_count=STEPS,
            derandomize=seed is None,
            database=None,
            deadline=None,
            phases=[Phase.generate, *shrinks],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )


def test_every_batch_counts_as_its_fate_says() -> None:
    run(OPERATIONS)
    assert DONE.total() >= OPERATIONS
    assert REACHED["batches with a 1"] > OPERATIONS // 40, "the runs do too little"
    for what in ("batches forgotten", "batches returned", "keys renewed", "epochs renewed"):
        assert REACHED[what] > 20, f"the runs miss {what}"
