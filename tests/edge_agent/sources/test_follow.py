"""A followed log reaches the agent's store once, line by line, whatever breaks between the two."""

import gzip
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge_agent.intake.intake import IntakeInbox
from edge_agent.parts import Parts, parser
from edge_agent.placing.collector import Collector
from edge_agent.placing.daykeys import KeyFolder
from edge_agent.placing.parcel import Parcel
from edge_agent.placing.placer import DirectoryPlacer
from edge_agent.settings import load_settings
from edge_agent.sources import follow, tail
from edge_agent.sources.facts import Contact, Reading
from edge_agent.sources.follow import LOST, Follower
from edge_agent.sources.logfile import CHUNK
from edge_agent.sources.parsing import Parser
from edge_agent.store.classes import ensure_codes
from edge_agent.store.schema import MIGRATIONS
from shared.errors import CommonGroundError, SettingsError
from shared.link.client import LinkClient
from shared.link.keys import KeyPair
from shared.link.sender import Pace
from shared.link.server import LinkServer
from shared.link.spool import Spool
from shared.storage import Writer, reader
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.shared.link.site import until

ZONE = ZoneInfo("Europe/Zurich")
NOW = datetime(2026, 9, 14, 9, 30, tzinfo=ZONE).timestamp()
PEOPLE = learners(12)
PACE = Pace(first=0.05, longest=0.2, refused=0.1)


class StandingClock:
    """Always the same moment of a lesson."""

    def now(self) -> float:
        return NOW


class Fragile(Collector):
    """A collector with an error in it: it cannot stand one name."""

    def collect(self, reading: Reading, now: float, seen: Sequence[int] = ()) -> Parcel:
        parcel = super().collect(reading, now, seen)
        if any(isinstance(fact, Contact) and "poison" in fact.name for fact in reading.all_facts()):
            raise ZeroDivisionError("poison.example from 10.0.0.1")
        return parcel


class LockedKeys:
    """Day keys that cannot be read until the school has put it right."""

    def __init__(self, keys: KeyFolder) -> None:
        self.locked = True
        self.tries = 0
        self._keys = keys

    def key(self, day: date, now: float) -> bytes | str:
        self.tries += 1
        if self.locked:
            raise SettingsError("the day key can be read by others: run `chmod 600`")
        return self._keys.key(day, now)


class Desk:
    """An agent's store behind its real intake, and followers in front of it."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self.folder = make_school(root / "school", SchoolSpec([ClassSpec("c1", "t1", PEOPLE)]))
        self.settings = load_settings(self.folder)
        self.log = self.folder.root / "input" / "dnsmasq.log"
        self._stack = stack
        self.writer = Writer(self.folder.database, MIGRATIONS)
        stack.callback(self.writer.close)
        self._reader = reader(self.folder.database)
        stack.callback(self._reader.close)
        self.keys = KeyFolder(self.folder.day_keys, ZONE, self.writer)
        self._pair, self._collectors = KeyPair.new(), KeyPair.new()
        apps = len(Parts.load(self.folder, self.settings).catalogue.apps)
        inbox = IntakeInbox(self.writer, self._collectors.public, apps, lambda: None)
        self._server = LinkServer("tcp://127.0.0.1:*", self._pair, inbox)
        self._server.start()
        stack.callback(self._server.stop)

    def collector(
        self, keys: KeyFolder | LockedKeys | None = None, kind: type[Collector] = Collector
    ) -> Collector:
        """One whose memory is empty."""
        parts = Parts.load(self.folder, self.settings)
        codes = self.writer.run(lambda connection: ensure_codes(connection, parts.directory.roster))
        return kind(
            kind="dnsmasq",
            source="resolver",
            placer=DirectoryPlacer(parts.directory, keys or self.keys, codes),
            matcher=parts.matcher,
            catalogue=parts.catalogue.version,
        )

    def follow(
        self,
        keys: KeyFolder | LockedKeys | None = None,
        parse: Parser | None = None,
        kind: type[Collector] = Collector,
        collector: Collector | None = None,
        agent_time: Callable[[], int | None] | None = None,
    ) -> Follower:
        """As after a start of the agent: nothing is in memory."""
        spool = Spool()
        client = LinkClient(
            self._server.endpoint,
            self._pair.public,
            self._collectors,
            "resolver",
            spool,
            random.Random(1),
            pace=PACE,
        )
        client.start()
        follower = Follower(
            self.log,
            parse or parser("dnsmasq", ZONE),
            collector or self.collector(keys, kind),
            spool,
            StandingClock(),
            "resolver",
            agent_time,
        )

        def stop() -> None:
            follower.stop()
            client.stop()

        self._stack.callback(stop)
        follower.start()
        return follower

    def counts(self, what: str) -> dict[str, int]:
        found = self._reader.execute("SELECT reason, n FROM counts WHERE what = ?", (what,))
        return {str(reason): int(n) for reason, n in found}

    def total(self, column: str) -> int:
        (found,) = self._reader.execute(f"SELECT coalesce(sum({column}), 0) FROM sources").fetchone()  # noqa: S608 - our own column names
        return int(found)

    def shapes(self, reason: str) -> list[str]:
        found = self._reader.execute("SELECT excerpt FROM quarantine WHERE reason = ?", (reason,))
        return [str(shape) for (shape,) in found]

    def heard(self) -> int:
        (found,) = self._reader.execute("SELECT count(*) FROM heard").fetchone()
        return int(found)


@pytest.fixture(autouse=True)
def nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(follow, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(follow, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(tail, "QUIET_SECONDS", 0.05)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


@pytest.fixture
def desk(tmp_path: Path, stack: ExitStack) -> Desk:
    return Desk(tmp_path, stack)


def leases() -> str:
    return "".join(
        f"Sep 14 08:55:{i:02d} dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad\n"
        for i, person in enumerate(PEOPLE, start=1)
    )


def look_up(device: int, second: int, name: str = "padlet.com") -> str:
    minute, second = divmod(second, 60)
    return f"Sep 14 09:{minute:02d}:{second:02d} dnsmasq[9]: query[A] {name} from 10.0.0.{device}\n"


def up_to_date(follower: Follower) -> Callable[[], bool]:
    return lambda: follower.state in {"up to date", LOST}


def test_a_log_is_followed_into_the_store(desk: Desk) -> None:
    desk.log.write_text(leases() + "".join(look_up(1 + i % 12, i) for i in range(120)))
    follower = desk.follow()
    until(lambda: desk.total("signals") == 120, "every look-up is stored")
    until(up_to_date(follower), "everything was read")
    assert follower.read_until == NOW
    assert desk.heard() == 12


@pytest.mark.parametrize("where", [0, 70, 1199])
def test_one_line_that_breaks_the_program_is_refused_and_all_others_count(desk: Desk, where: int) -> None:
    texts = [look_up(1 + i % 12, i) for i in range(1200)]
    texts[where] = look_up(1 + where % 12, where, "poison.example")
    desk.log.write_text(leases() + "".join(texts))
    follower = desk.follow(kind=Fragile)
    until(lambda: desk.total("signals") == 1199, "every other look-up is stored")
    until(up_to_date(follower), "the reading goes on")
    assert desk.total("lines") == 1212
    assert desk.counts("refused") == {"line_not_processed": 1}
    shape = "aaa 99 99:99:99 aaaaaaa[9]: aaaaa[a] aaaaaa.aaaaaaa aaaa 99.9.9." + "9" * len(
        str(1 + where % 12)
    )
    assert desk.shapes("line_not_processed") == [shape]
    assert desk.heard() == 12, "what a failed attempt had noted is noted again"
    with desk.log.open("a") as file:
        file.write(look_up(1, 1300))
    until(lambda: desk.total("signals") == 1200, "what comes later is read")


def test_a_line_that_the_parser_cannot_stand_stops_neither_the_reading_nor_the_leases(desk: Desk) -> None:
    class Poisoned(Parser):
        def __call__(self, chunk: bytes, now: float) -> Reading:
            if b"poison" in chunk:
                raise RecursionError(chunk.decode())
            return super().__call__(chunk, now)

    parse = Poisoned("dnsmasq", ZONE)
    poison = "Sep 14 08:56:00 dnsmasq-dhcp[9]: DHCPACK(eth0) poison\n"
    desk.log.write_text(leases() + poison + look_up(1, 0))
    first = desk.follow(parse=parse)
    until(lambda: desk.total("signals") == 1, "the line after it counts")
    until(up_to_date(first), "everything was read")
    first.stop()
    with desk.log.open("a") as file:
        file.write(look_up(12, 1))
    desk.follow(parse=parse)
    until(lambda: desk.total("signals") == 2, "leases around it are learnt again after a start")
    assert desk.counts("refused") == {"line_not_processed": 1}
    assert desk.counts("unmatched") == {}


def test_an_error_that_passes_costs_nothing(desk: Desk) -> None:
    calls = Counter[str]()

    class Racing(Parser):
        def __call__(self, chunk: bytes, now: float) -> Reading:
            calls["parse"] += 1
            if calls["parse"] == 1:
                raise RuntimeError("dictionary changed size during iteration")
            return super().__call__(chunk, now)

    desk.log.write_text(leases() + look_up(1, 0))
    desk.follow(parse=Racing("dnsmasq", ZONE))
    until(lambda: desk.total("signals") == 1, "it was tried again")
    assert desk.counts("refused") == {}


def test_what_the_school_can_put_right_is_said_and_waited_for(desk: Desk) -> None:
    keys = LockedKeys(desk.keys)
    desk.log.write_text(leases() + "".join(look_up(1 + i % 12, i) for i in range(50)))
    follower = desk.follow(keys)
    until(lambda: "run `chmod 600`" in follower.state, "the message is shown as it is")
    assert desk.total("lines") == 0, "nothing was passed over"
    keys.locked = False
    until(lambda: desk.total("signals") == 50, "it goes on by itself")
    assert desk.counts("refused") == {}


def test_a_lost_place_is_shown_and_counted_once(desk: Desk) -> None:
    desk.log.write_text(leases() + look_up(1, 0))
    first = desk.follow()
    until(lambda: desk.total("signals") == 1, "read")
    until(up_to_date(first), "everything was read")
    first.stop()
    assert first.state == "up to date"
    desk.log.write_text(look_up(1, 90) + leases() + look_up(2, 100))
    second = desk.follow()
    until(lambda: second.state == LOST, "the loss is shown")
    assert desk.total("signals") == 2
    assert desk.counts("refused") == {"position_lost": 1}
    second.stop()
    third = desk.follow()
    until(lambda: third.state == "up to date", "that was told")
    assert desk.counts("refused") == {"position_lost": 1}
    assert desk.total("signals") == 2


def test_a_lost_place_is_counted_once_however_many_parcels_follow(desk: Desk) -> None:
    desk.log.write_text(leases() + look_up(1, 0))
    first = desk.follow()
    until(lambda: desk.total("signals") == 1, "read")
    until(up_to_date(first), "everything was read")
    first.stop()
    texts = [look_up(1 + i % 12, i) for i in range(2000)]
    texts[5] = look_up(6, 5, "poison.example")
    # Its first line is of another second: another log.
    desk.log.write_text("".join(reversed(leases().splitlines(keepends=True))) + "".join(texts))
    assert desk.log.stat().st_size > 2 * CHUNK
    desk.follow(kind=Fragile)
    until(lambda: desk.total("signals") == 2000, "all of it is read")
    assert desk.counts("refused") == {"position_lost": 1, "line_not_processed": 1}


def test_leases_are_known_after_rotation_and_restart(desk: Desk) -> None:
    desk.log.write_text(leases() + look_up(1, 0))
    first = desk.follow()
    until(lambda: desk.total("signals") == 1, "read")
    until(up_to_date(first), "everything was read")
    first.stop()
    desk.log.rename(desk.log.with_name("dnsmasq.log.1"))
    desk.log.write_text(look_up(2, 1))
    second = desk.follow()
    until(lambda: desk.total("signals") == 2, "after the rotated file was quiet, the new one is read")
    until(up_to_date(second), "everything was read")
    second.stop()
    with desk.log.open("a") as file:
        file.write(look_up(3, 2))
    desk.follow()
    until(lambda: desk.total("signals") == 3, "the leases lie in the rotated file")
    assert desk.counts("unmatched") == {}


def test_a_log_that_cannot_be_read_holds_up_nobody_and_says_why(desk: Desk) -> None:
    desk.log.mkdir()
    follower = desk.follow()
    until(lambda: follower.state == "cannot be read: Is a directory", "the reason")
    until(lambda: follower.read_until == NOW, "other sources' lessons close")
    desk.log.rmdir()
    desk.log.write_text(leases() + look_up(1, 0))
    until(lambda: desk.total("signals") == 1, "it is read once it can be")


def test_what_has_to_wait_for_the_agent_is_tried_again_without_a_new_search_of_the_log(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[bytes | None] = []
    before = tail.Tail.before

    def search(self: tail.Tail, only: bytes) -> Iterator[bytes]:
        searched.append(only)
        return before(self, only)

    monkeypatch.setattr(tail.Tail, "before", search)
    keys = LockedKeys(desk.keys)
    keys.locked = False
    desk.log.write_text(leases() + look_up(1, 5))
    follower = desk.follow(keys)
    until(lambda: desk.total("signals") == 1, "the first of three is stored")
    until(up_to_date(follower), "it was accepted")
    keys.locked, keys.tries = True, 0
    with desk.log.open("a") as file:
        file.write(look_up(1, 5).replace("[A]", "[AAAA]") + look_up(2, 5))
    until(lambda: keys.tries > 3, "it is tried again and again")
    assert "chmod" in follower.state
    keys.locked = False
    until(lambda: desk.total("lines") == 15, "it goes on")
    until(up_to_date(follower), "and says so")
    assert (desk.total("signals"), desk.heard()) == (2, 2), "one contact, said twice, and another's"
    assert len(searched) == 1, "leases were sought once"


def test_the_agent_is_told_a_moment_of_its_own_clock_up_to_which_all_is_read(desk: Desk) -> None:
    times = iter([1_000, 2_000, 3_000])
    told: list[int] = []
    collector = desk.collector()
    beat = collector.beat

    def say(read_until: int) -> Parcel:
        told.append(read_until)
        return beat(read_until)

    collector.beat = say  # type: ignore[method-assign] # only to hear it
    desk.log.write_text(leases())
    follower = desk.follow(collector=collector, agent_time=lambda: next(times, None))
    until(lambda: told == [1_000, 2_000, 3_000], "each was told once, after what was read since")
    until(lambda: desk.total("lines") == 12, "the log was read")
    assert follower.state in {"up to date", LOST}


def test_an_agent_that_does_not_say_what_time_it_is_stops_no_reading(desk: Desk) -> None:
    def away() -> int:
        raise CommonGroundError("the agent does not answer")

    desk.log.write_text(leases() + look_up(1, 5))
    desk.follow(agent_time=away)
    until(lambda: desk.total("signals") == 1, "it is read all the same")


def test_a_log_that_was_compressed_while_the_agent_was_down_is_read_on_without_a_loss(desk: Desk) -> None:
    desk.log.write_text(leases() + look_up(1, 0))
    first = desk.follow()
    until(lambda: desk.total("signals") == 1, "read")
    until(up_to_date(first), "everything was read")
    first.stop()
    text = desk.log.read_text() + look_up(2, 100)
    desk.log.with_name("dnsmasq.log.1.gz").write_bytes(gzip.compress(text.encode()))
    desk.log.write_text(look_up(3, 200))
    second = desk.follow()
    until(lambda: desk.total("signals") == 3, "its rest, then the new file; leases lie in the compressed one")
    until(up_to_date(second), "everything was read")
    assert second.state == "up to date"
    assert (desk.counts("refused"), desk.counts("unmatched")) == ({}, {})


def test_a_compressed_log_without_its_end_is_counted(desk: Desk) -> None:
    desk.log.write_text(leases() + look_up(1, 0))
    first = desk.follow()
    until(lambda: desk.total("signals") == 1, "read")
    until(up_to_date(first), "everything was read")
    first.stop()
    packed = gzip.compress((desk.log.read_text() + look_up(2, 100)).encode())
    desk.log.with_name("dnsmasq.log.1.gz").write_bytes(packed[:-6])
    desk.log.write_text(look_up(3, 200))
    desk.follow()
    until(lambda: desk.total("signals") == 3, "nothing good is lost")
    assert desk.counts("refused") == {"truncated_file": 1}
