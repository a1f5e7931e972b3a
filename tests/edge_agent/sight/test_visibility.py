"""What could be seen is told truly: by the time that devices were heard, and never as if silence were use."""

import json
import random
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.identity.roster import SchoolClass
from edge_agent.identity.timetable import Lesson
from edge_agent.lessons.scoring import load_scoring
from edge_agent.lessons.windows import ClosedWindow, OpenWindow, WindowKey, close_windows
from edge_agent.paths import AgentFolder
from edge_agent.placing import parcel
from edge_agent.placing.daykeys import pseudonym
from edge_agent.placing.parcel import Heard, Parcel
from edge_agent.placing.placer import Spot
from edge_agent.replay.run import replay_folder
from edge_agent.settings import load_settings
from edge_agent.sight import blind_spot
from edge_agent.sight.hearing import STEP_SECONDS, Hearing, Spans, merge, note
from edge_agent.sight.visibility import REACH_SECONDS, Seen, bypassing, visible_seconds
from edge_agent.sources.facts import Contact, Fact, Present
from edge_agent.store.arrivals import Arrivals, as_signed, check
from edge_agent.store.schema import MIGRATIONS
from edge_agent.store.windows import heard, heard_before, present
from models.catalogue.elsewhere import ELSEWHERE, leads_elsewhere
from models.catalogue.load import load_catalogue
from shared.errors import BadInput
from shared.signals import SignalBatch
from shared.storage import connect, migrate, transaction
from tests.edge_agent.backpressure import RunningAgent
from tests.edge_agent.lessons.test_lessons import Desk
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.hub.agents import until

ZONE = ZoneInfo("Europe/Zurich")
DAY = "2026-09-14"
START = int(datetime(2026, 9, 14, 9, 0, tzinfo=ZONE).timestamp())
END = START + 45 * 60
LAW = settings(derandomize=True, max_examples=60, deadline=None)
SECOND = st.integers(START, END - 1)
HEARINGS = st.lists(st.tuples(st.integers(1, 4), SECOND), min_size=1, max_size=40)
KEY = WindowKey("c1", START)


def spot(device: int) -> Spot:
    return Spot(DAY, "c1", START, device)


def told(hearing: Hearing, heard_at: Sequence[tuple[int, int]]) -> list[Heard]:
    spans: Spans = {}
    for device, t in heard_at:
        note(spans, spot(device), t, t)
    return hearing.tell(spans)


@LAW
@given(SECOND, SECOND)
def test_a_device_is_visible_from_ten_minutes_before_its_first_word_to_ten_after_its_last(
    one: int, other: int
) -> None:
    first, last = min(one, other), max(one, other)
    seconds = sum(first - REACH_SECONDS <= t < last + REACH_SECONDS for t in range(START, END))
    assert visible_seconds([(first, last)], START, END) == seconds


@LAW
@given(HEARINGS, st.integers(1, 9), st.randoms(use_true_random=False))
def test_however_it_is_cut_shuffled_and_repeated_the_same_is_known_of_who_was_heard(
    heard_at: list[tuple[int, int]], size: int, rng: Any
) -> None:
    groups = [
        group
        for begin in range(0, len(heard_at), size)
        for group in told(Hearing(), heard_at[begin : begin + size])
    ]
    groups += rng.sample(groups, len(groups) // 2)
    rng.shuffle(groups)
    known: dict[int, tuple[int, int]] = {}
    for group in groups:
        merge(known, group)
    assert known == {
        device: (
            min(t for one, t in heard_at if one == device),
            max(t for one, t in heard_at if one == device),
        )
        for device, _ in heard_at
    }
    connection = connect(Path(":memory:"))
    migrate(connection, MIGRATIONS)
    with transaction(connection):
        arrivals = Arrivals(connection)
        for group in groups:
            arrivals.add(check(Parcel("dnsmasq", "r", [], 1, None, {}, [], [group], [], present=[group]), 9))
        arrivals.write()
    stored = {as_signed(device): span for device, span in known.items()}
    assert heard(connection, KEY) == present(connection, KEY) == stored


@LAW
@given(HEARINGS)
def test_what_was_told_is_right_to_the_minute_and_told_at_most_once_a_minute(
    heard_at: list[tuple[int, int]],
) -> None:
    hearing, known, times = Hearing(), dict[int, tuple[int, int]](), 0
    for device, t in sorted(heard_at, key=lambda item: item[1]):
        for group in told(hearing, [(device, t)]):
            merge(known, group)
            times += 1
    for device, (first, last) in known.items():
        of_it = [t for one, t in heard_at if one == device]
        assert first == min(of_it)
        assert 0 <= max(of_it) - last < STEP_SECONDS
    assert times <= len(known) * (1 + (END - START) // STEP_SECONDS)


def test_what_an_older_program_sent_counts_as_heard_all_the_time() -> None:
    old = parcel.encode(Parcel("dnsmasq", "r", [], 1, None, {}, [], [Heard("c1", START, DAY, [7])], []))
    fields = parcel.decode(old)
    assert list(fields.heard[0].spans()) == [(7, 0, 2**32 - 1)]
    assert visible_seconds([(0, 2**32 - 1)], START, END) == END - START


@pytest.mark.parametrize(
    ("first", "last"), [([1], []), ([1, 2], [3]), ([5, 5], [6, 4]), ([-1, 0], [0, 0]), ([0, 0], [0, 2**32])]
)
def test_spans_that_make_no_sense_are_refused_before_anything_is_written(
    first: list[int], last: list[int]
) -> None:
    group = Heard("c1", START, DAY, [1, 2], first, last)
    for fields in ({"heard": [group], "present": []}, {"heard": [], "present": [group]}):
        found = Parcel("dnsmasq", "r", [], 1, None, {}, [], fields["heard"], [], present=fields["present"])
        with pytest.raises(BadInput, match="heard_malformed"):
            check(found, 9)


def test_who_is_there_and_never_heard_is_bypassed_unless_it_was_heard_before_that_day() -> None:
    assert bypassing({1, 2}, {2, 3}, {1, 4, 5}, {5}) == 2, "3 had traffic, 4 an address; 5 is asleep"
    assert bypassing(set(), set(), set(), {1}) == 0


def test_names_of_resolvers_and_relays_elsewhere_are_known_with_what_is_below_them() -> None:
    assert all(leads_elsewhere(name) and leads_elsewhere(f"x.{name.upper()}.") for name in ELSEWHERE)
    assert not any(
        map(leads_elsewhere, ("google", "padlet.com", "xdns.google", "icloud.com", "", ".", "a" * 999))
    )


# Devices that bypass never shift a placement.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> AgentFolder:
    return make_school(tmp_path_factory.mktemp("law") / "a", SchoolSpec([ClassSpec("c1", "t1", learners(2))]))


def closed(folder: AgentFolder, batch: SignalBatch, expected: int, seen: Seen) -> ClosedWindow:
    school_class = SchoolClass("c1", "term", "3-5", "maths", "", (), (), frozenset({"t"}), frozenset())
    window = OpenWindow(KEY, Lesson(school_class, START, END), expected, seen)
    scoring = load_scoring(folder, load_settings(folder))
    (found,) = close_windows([window], [batch], frozenset({"dnsmasq"}), load_catalogue(), scoring)
    return found


@settings(derandomize=True, max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(SECOND, st.integers(1, 12), st.integers(0, 40)), min_size=1, max_size=80),
    st.integers(1, 60),
)
def test_devices_that_bypass_change_no_feature_and_no_placement_only_what_could_be_seen(
    folder: AgentFolder, contacts: list[tuple[int, int, int]], bypassed: int
) -> None:
    rows = [(t, device, 0, app, 0, 0.0) for t, device, app in contacts]
    batch = SignalBatch.from_rows(
        rows, kind="dnsmasq", source="r", catalogue="1", day_key=DAY, class_codes=("c1",)
    )
    alone = closed(folder, batch, 12, Seen(12 * (END - START), 0))
    beside = closed(folder, batch, 12 + bypassed, Seen(12 * (END - START), bypassed))
    assert (beside.features, beside.placements, beside.coarser) == (
        alone.features,
        alone.placements,
        alone.coarser,
    )
    assert (beside.devices, beside.evidence) == (alone.devices, alone.evidence)
    assert beside.visibility == pytest.approx(12 / (12 + bypassed)) and alone.visibility == 1
    assert beside.seen.bypassed == bypassed


# Thirty of forty on encrypted DNS elsewhere, by replay and by a running agent.

PEOPLE = learners(40)
NAMES = ("padlet.com", "kahoot.it", "wikipedia.org", "geogebra.org", "canva.com", "quizlet.com")


def log_of(listed: int, bypassing_from: int) -> str:
    """Leases at eight; the first use apps all the lesson, of the others five ask where to go instead."""
    lines = [
        f"Sep 14 08:00:{i:02d} dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad"
        for i, person in enumerate(PEOPLE[:listed], start=1)
    ]
    for minute in range(45):
        for i in range(1, bypassing_from + 1):
            name = NAMES[(minute // 3 + i) % len(NAMES)]
            lines.append(f"Sep 14 09:{minute:02d}:{i:02d} dnsmasq[9]: query[A] {name} from 10.0.0.{i}")
        if minute == 1:
            lines += [
                f"Sep 14 09:01:{i:02d} dnsmasq[9]: query[A] dns.google from 10.0.0.{i}"
                for i in range(bypassing_from + 1, min(bypassing_from + 6, listed + 1))
            ]
    return "\n".join(lines) + "\n"


def replayed(root: Path, log: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The lesson's record, and what was seen."""
    people = PEOPLE[: log.count("DHCPACK")]
    school = make_school(root / "school", SchoolSpec([ClassSpec("c1", "t1", people)]))
    (root / "log").write_text(log)
    done = replay_folder(
        school, [root / "log"], root / "out", source="dnsmasq", year=2026, now=END + 86400.0 * 3
    )
    (line,) = [line for line in (root / "out").read_text().splitlines() if '"lesson"' in line]
    return json.loads(line), done.sight.told()


def test_thirty_of_forty_that_look_up_elsewhere_are_thirty_bypassed_and_move_no_placement(
    tmp_path: Path,
) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "ten").mkdir()
    record, seen = replayed(tmp_path / "all", log_of(40, 10))
    alone, every = replayed(tmp_path / "ten", log_of(10, 10))
    assert seen["bypassed"] == 30
    assert seen["expected_minutes"] == 40 * 45
    assert seen["bypassed_minutes"] == 30 * 45 and seen["unseen_minutes"] == 0
    assert record["visibility"] == pytest.approx(0.25, abs=0.01)
    assert alone["visibility"] == 1.0 and every["bypassed"] == 0
    for name in ("features", "placements", "devices", "evidence"):
        assert record[name] == alone[name], name
    assert "30 bypassed" in blind_spot.told(seen)


def test_whoever_a_replay_heard_in_an_earlier_lesson_of_the_day_is_asleep_in_a_later_one(
    tmp_path: Path,
) -> None:
    bells = [(str(i), "Mon", f"{hour:02d}:00", f"{hour:02d}:45") for i, hour in enumerate((9, 10, 11), 1)]
    school = make_school(
        tmp_path / "school", SchoolSpec([ClassSpec("c1", "t1", learners(12), periods="1,2,3")], bells)
    )
    heard_at = {9: range(1, 7), 10: range(7, 9), 11: range(1, 7)}
    asked = [
        f"Sep 14 {hour:02d}:05:{i:02d} dnsmasq[9]: query[A] padlet.com from 10.0.0.{i}\n"
        for hour, numbers in heard_at.items()
        for i in numbers
    ]
    (tmp_path / "log").write_text(log_of(12, 0) + "".join(asked))
    done = replay_folder(
        school, [tmp_path / "log"], tmp_path / "out", source="dnsmasq", year=2026, now=END + 86400.0 * 3
    )
    assert done.lessons == 3
    assert done.sight.told()["bypassed"] == 6 + 4 + 4, "first all who are silent, then those always silent"


def test_a_running_agent_says_thirty_bypassed_on_its_page_and_in_its_status(tmp_path: Path) -> None:
    school = RunningAgent(tmp_path / "school", tmp_path / "log", "free_mib = 1", PEOPLE)
    school.log.write_text(log_of(40, 10))
    school.set_clock(END + 20 * 60)
    with school.running():
        until(lambda: school.status().get("windows", {}).get("closed") == 1)
        sight = school.status()["sight"]
        page = httpx.get(school.site, timeout=10).text
    assert sight["bypassed"] == 30
    assert sight["expected_minutes"] == sum(
        sight[f"{what}_minutes"] for what in ("seen", "bypassed", "unseen")
    )
    assert sight["windows"] == [
        {"windows": 1, "sights": {"dnsmasq": "contacts"}, "missing": sight["windows"][0]["missing"]}
    ]
    assert "artefact_rate" in sight["windows"][0]["missing"]
    assert "30 bypassed" in page.replace("<strong>", "").replace("</strong>", "")
    assert "Of 100 expected device-minutes 25 were seen" in page


def test_traffic_alone_makes_a_device_bypassed_and_a_word_of_it_makes_it_seen(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    traffic: list[Fact] = [
        Present(START + 60 * i, f"10.0.0.{i}", float("nan") if i else 30.0) for i in range(5)
    ]
    desk.take([*traffic, Contact(START + 5, "10.0.0.9", "one.one.one.one")], START + 400)
    assert bypassed_of(desk) == 6
    desk.take([Contact(START + 600, "10.0.0.0", "1-courier.push.apple.com")], START + 601)
    assert bypassed_of(Desk.on(desk.folder)) == 5, "seen, whatever it says"
    desk.close()


def bypassed_of(desk: Desk) -> int:
    """How many of the first class bypassed every source."""
    desk.lessons.close_due(END + 1800, END + 1800)
    desk.writer.run(lambda c: c.execute("UPDATE schedule SET closed = 0"))
    (found,) = desk.connection.execute(
        "SELECT bypassed FROM windows WHERE class_code = ?", (desk.codes["c0"],)
    ).fetchone()
    return int(found)


def test_who_was_heard_earlier_in_the_day_is_found_without_a_look_at_everybody(tmp_path: Path) -> None:
    connection = connect(tmp_path / "a.db")
    migrate(connection, MIGRATIONS)
    said = [
        Heard("c1", START, DAY, [1, 2]),
        Heard("c2", END, DAY, [3]),
        Heard("c3", START, "2026-09-15", [4]),
    ]
    with transaction(connection):
        arrivals = Arrivals(connection)
        arrivals.add(check(Parcel("dnsmasq", "r", [], 1, None, {}, [], said, []), 9))
        arrivals.write()
    assert heard_before(connection, DAY, END, [1, 3, 4, 5]) == {1}
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT 1 FROM heard WHERE day = ? AND device = ? AND start < ?", (DAY, 1, END)
    ).fetchone()
    assert "COVERING INDEX heard_by_day (day=? AND device=? AND start<?)" in plan[3]


def test_columns_and_single_facts_tell_the_same_of_who_was_heard_who_was_there_and_what_rests(
    tmp_path: Path,
) -> None:
    rng = random.Random(11)
    names = ["padlet.com", "dns.google", "time.apple.com", "unlisted.example", "doh.opendns.com"]
    facts: list[Fact] = [
        Contact(START + 5 * i + shift, f"10.0.0.{rng.randrange(12)}", rng.choice(names))
        for shift in (-7 * 3600, 0)  # two in the morning, and in the lesson
        for i in range(400)
    ]
    found = []
    for size in (len(facts), 1):  # as columns, and one by one
        desk = Desk(tmp_path / str(size))
        for begin in range(0, len(facts), size):
            desk.take(facts[begin : begin + size], START + 3600)
        keys = {as_signed(one): i for i, one in enumerate(pseudonyms(desk))}
        spans = [table(desk.connection, key_of(desk)).items() for table in (heard, present)]
        minutes = [{(keys[one], first // 60, last // 60) for one, (first, last) in told} for told in spans]
        rests = desk.connection.execute("SELECT day, app, contacts, devices FROM idle").fetchall()
        found.append((minutes[0], {tuple(row) for row in rests}))
        desk.close()
    (columns, at_rest), (single, other_rest) = found
    assert at_rest == other_rest
    assert at_rest
    assert {row[0] for row in columns} == {row[0] for row in single} == set(range(12))
    for one, other in zip(sorted(columns), sorted(single), strict=True):
        assert abs(one[1] - other[1]) <= 1 and abs(one[2] - other[2]) <= 1


def key_of(desk: Desk) -> WindowKey:
    return WindowKey(desk.codes["c0"], START)


def pseudonyms(desk: Desk) -> list[int]:
    """Of the first class's devices, in order."""
    secret = desk.keys.key(date(2026, 9, 14), float(START))
    assert isinstance(secret, bytes)
    return [pseudonym(secret, person.serial) for person in learners(12)]
