"""Background is not use: a fleet that sleeps does nothing, whatever it asks for; one in use loses little.

Every log here is simulated: no school's.
"""

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.idle.log import learn_idle
from edge_agent.idle.nights import (
    BURST_SECONDS,
    BURSTS_WITHIN,
    COMPANY_SECONDS,
    HOURS,
    NIGHTS,
    Night,
    Nights,
    in_use,
    talkers,
)
from edge_agent.idle.resting import EPISODE_SECONDS, IdleCount
from edge_agent.placing.parcel import Idle, Parcel
from edge_agent.placing.placer import Rest
from edge_agent.replay.outcome import Replayed
from edge_agent.replay.run import replay_folder
from edge_agent.sources.facts import Contact, Fact
from edge_agent.store.arrivals import check
from edge_agent.store.resting import idle_talkers
from models.catalogue.load import load_catalogue
from models.features.compute import Signals, Windows, compute_features
from models.features.set1 import EVIDENCE
from models.simulator.lessons import Habits, lesson_events, plan_lesson
from shared.errors import BadInput, CommonGroundError
from shared.storage import connect
from tests.edge_agent.lessons.test_lessons import Desk, at
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

ZONE = ZoneInfo("Europe/Zurich")
PEOPLE = learners(24)
REFRESHES = {  # host: every so many minutes
    "padlet.com": 10,
    "kahoot.it": 25,
    "telemetry.some-vendor.example": 15,
    "1-courier.push.apple.com": 12,
}
COLUMNS = ("window", "t", "device", "app", "action", "amount")


def asleep(rng: random.Random, first: int, last: int) -> Iterator[tuple[int, int, str]]:
    """What iPads with listed apps installed ask for by themselves between two moments: second, iPad, host."""
    for number in range(1, len(PEOPLE) + 1):
        for host, minutes in REFRESHES.items():
            t = first + rng.randrange(minutes * 60)
            while t < last:
                yield t, number, host
                yield t + rng.randrange(4), number, f"api.{host}"
                t += minutes * 60 + rng.randrange(-60, 60)


def written(path: Path, look_ups: Iterator[tuple[int, int, str]]) -> Path:
    """The same as dnsmasq would log it, after a lease for each iPad."""
    lines = [
        f"Sep 12 23:00:{i:02d} dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad"
        for i, person in enumerate(PEOPLE, start=1)
    ]
    for t, number, host in sorted(look_ups):
        when = datetime.fromtimestamp(t, ZONE).strftime("%b %d %H:%M:%S")
        lines.append(f"{when} dnsmasq[9]: query[A] {host} from 10.0.0.{number}")
    path.write_text("\n".join(lines) + "\n")
    return path


def replayed(root: Path, log: Path) -> Replayed:
    root.mkdir(exist_ok=True)
    school = make_school(root / "school", SchoolSpec([ClassSpec("c1", "t1", PEOPLE)]))
    return replay_folder(
        school, [log], root / "out", source="dnsmasq", year=2026, now=at(12, day=20), progress=None
    )


def test_a_fleet_that_sleeps_all_day_gives_no_active_minute_with_listed_apps_installed(
    tmp_path: Path,
) -> None:
    day = written(tmp_path / "day", asleep(random.Random(1), at(0), at(16)))
    done = replayed(tmp_path / "slept", day)
    assert (done.lessons, done.records) == (0, 0), "no iPad of any lesson did anything"
    assert done.signals > 300, "although listed apps were asked for"
    assert done.sight.seen == done.sight.expected > 0, "and every iPad was seen all the time"
    unlearnt = written(tmp_path / "unlearnt", asleep(random.Random(1), at(8), at(16)))
    assert replayed(tmp_path / "awake", unlearnt).lessons == 1, "what the night has not taught looks like use"


def test_what_the_night_taught_a_store_holds_for_the_days_lessons(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    rng = random.Random(2)
    hosts: list[Fact] = [
        Contact(t, f"10.0.0.{number - 1}", host) for t, number, host in sorted(asleep(rng, at(0), at(10)))
    ]
    for begin in range(0, len(hosts), 400):
        part = hosts[begin : begin + 400]
        desk.take(part, part[-1].t + 1.0)
    assert desk.lessons.close_due(at(10, 30), at(10, 30)) == 4
    found = desk.connection.execute("SELECT sum(devices), sum(visible) FROM windows").fetchone()
    assert found[0] == 0 and found[1] > 0
    catalogue = load_catalogue()
    names = {
        catalogue.apps[app - 1].id if app else "" for app in idle_talkers(desk.connection, date(2026, 9, 14))
    }
    assert names == {"padlet", "kahoot", ""}
    columns = [row[1] for row in desk.connection.execute("PRAGMA table_info(idle)")]
    assert columns == ["day", "app", "rests", "contacts", "devices"], "no iPad stands behind it"
    assert idle_talkers(desk.connection, date(2026, 9, 13)) == frozenset(), "nor is it known the day before"
    desk.close()


def simulated_lessons(lessons: int = 40) -> tuple[Signals, Windows]:
    """Contacts of made-up lessons of 24 iPads in real use."""
    catalogue, rng, parts = load_catalogue(), np.random.default_rng(7), []
    habits = Habits.draw(rng, catalogue)
    for window in range(lessons):
        plan = plan_lesson(rng, habits, subject="maths", grade=5)
        events = lesson_events(rng, plan, devices=24, minutes=45)
        kept = events.action == 0
        rows = events.t[kept] + 1_700_000_000, events.device[kept].astype(np.uint64), events.app[kept]
        number = np.full(int(kept.sum()), window, np.int32)
        parts.append((number, *rows, events.action[kept], events.amount[kept]))
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    start = np.full(lessons, 1_700_000_000)
    kinds = [frozenset({"dnsmasq"})] * lessons
    return Signals(*columns), Windows(start, start + 2700, kinds, np.full(lessons, 24))


def chosen(signals: Signals, kept: np.ndarray) -> Signals:
    return Signals(*(getattr(signals, name)[kept] for name in COLUMNS))


def test_a_fleet_in_real_use_loses_less_than_a_tenth_of_its_active_minutes_to_five_idle_talkers() -> None:
    signals, windows = simulated_lessons()
    catalogue = load_catalogue()
    weights = catalogue.channel_weights(), catalogue.off_task()
    whole = compute_features(signals, windows, *weights)[:, EVIDENCE].sum()
    rng, listed = np.random.default_rng(3), np.unique(signals.app[signals.app > 0])
    losses = []
    for _ in range(10):
        idle = frozenset(rng.choice(listed, 5, replace=False).tolist())
        used = chosen(signals, in_use(signals, idle))
        losses.append(1 - compute_features(used, windows, *weights)[:, EVIDENCE].sum() / whole)
    assert 0 < float(np.mean(losses)) < 0.1, losses


ROWS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 900),
        st.integers(1, 2),
        st.integers(0, 3),
        st.sampled_from([0, 0, 3]),
    ),
    min_size=1,
    max_size=40,
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(ROWS, st.frozensets(st.integers(0, 3)))
def test_which_contacts_are_use_is_as_the_rule_says_it(
    rows: list[tuple[int, int, int, int, int]], idle: frozenset[int]
) -> None:
    window, t, device, app, action = (np.array(column) for column in zip(*rows, strict=True))
    signals = Signals(
        *(window.astype(np.int32), t.astype(np.int64), device.astype(np.uint64), app.astype(np.int32)),
        *(action.astype(np.uint8), np.zeros(len(rows))),
    )
    assert in_use(signals, idle).tolist() == [is_use(row, rows, idle) for row in rows]


def is_use(
    row: tuple[int, int, int, int, int], rows: list[tuple[int, int, int, int, int]], idle: frozenset[int]
) -> bool:
    """The rule, said once more without columns."""

    def talks(one: tuple[int, int, int, int, int]) -> bool:
        return one[4] == 0 and one[3] in idle

    if not talks(row):
        return True
    own = [one for one in rows if (one[0], one[2]) == (row[0], row[2])]
    if any(not talks(one) and abs(one[1] - row[1]) <= COMPANY_SECONDS for one in own):
        return True
    bursts: list[list[int]] = []
    for t in sorted(one[1] for one in own if talks(one) and one[3] == row[3]):
        if bursts and t - bursts[-1][-1] <= BURST_SECONDS:
            bursts[-1].append(t)
        else:
            bursts.append([t])
    (mine,) = [i for i, burst in enumerate(bursts) if row[1] in burst]
    runs = [bursts[i : i + 3] for i in range(max(0, mine - 2), mine + 1) if len(bursts[i : i + 3]) == 3]
    return any(run[-1][0] - run[0][0] <= BURSTS_WITHIN for run in runs)


def test_an_app_talks_by_itself_from_twenty_nights_and_a_contact_in_three_hours_on() -> None:
    enough = Night(1, contacts=34, devices=NIGHTS, rests=5.0)
    assert talkers([enough]) == {1}
    assert talkers([enough._replace(devices=NIGHTS - 1)]) == frozenset()
    assert talkers([enough._replace(contacts=int(NIGHTS * 5 / HOURS))]) == frozenset(), "33 in 100 hours"
    assert talkers([enough._replace(devices=10, contacts=17)] * 2) == {1}, "nights add up"


def test_one_refresh_of_several_hosts_counts_once_and_nobody_is_named() -> None:
    count, rest = IdleCount(), Rest("2026-09-14", 5.0, "SERIAL1")
    for t in (0, 1, 3, EPISODE_SECONDS + 1, EPISODE_SECONDS + 2):
        count.note(rest, 7, t)
    count.note(rest._replace(device="SERIAL2"), 7, 5)
    assert count.tell() == [Idle("2026-09-14", 5.0, {7: (3, 2)})]
    assert count.tell() == []
    nights = Nights()
    nights.take([Idle("2026-09-14", 5.0, {7: (200, NIGHTS)})])
    assert nights.talkers(date(2026, 9, 14)) == {7}
    assert nights.talkers(date(2026, 9, 13)) == frozenset()
    assert nights.talkers(date(2026, 10, 12)) == frozenset(), "forgotten after four weeks"


@pytest.mark.parametrize(
    ("rests", "counts"),
    [(0.0, {1: (1, 1)}), (float("nan"), {}), (99.0, {}), (5.0, {1: (1, 2)}), (5.0, {51: (1, 1)})],
)
def test_counts_that_nobody_makes_are_refused(rests: float, counts: dict[int, tuple[int, int]]) -> None:
    idle = [Idle("2026-09-14", rests, counts)]
    with pytest.raises(BadInput, match="idle_malformed"):
        check(Parcel("dnsmasq", "r", [], 1, None, {}, [], [], [], idle=idle), 50)


def test_logs_of_a_fleet_that_slept_teach_what_the_nights_would_have(tmp_path: Path) -> None:
    school = make_school(tmp_path / "school", SchoolSpec([ClassSpec("c1", "t1", PEOPLE)]))
    weekend = written(tmp_path / "weekend", asleep(random.Random(4), at(0, day=13), at(0, day=14)))
    for _ in range(2):
        learnt = learn_idle(school, [weekend], source="dnsmasq", year=2026, now=at(12, day=20))
        assert (learnt.days, learnt.talkers) == (1, ("", "kahoot", "padlet"))
    with closing(connect(school.database)) as connection:
        (most,) = connection.execute("SELECT max(devices) FROM idle").fetchone()
        assert most == len(PEOPLE), "the same days again stand in place of themselves"
    lesson = written(tmp_path / "lesson", asleep(random.Random(5), at(8), at(16)))
    done = replay_folder(
        school, [lesson], tmp_path / "out", source="dnsmasq", year=2026, now=at(12, day=20), progress=None
    )
    assert done.lessons == 0 and done.signals > 300
    nobody = written(tmp_path / "nobody", iter([(at(3), 99, "padlet.com")]))
    with pytest.raises(CommonGroundError, match="no look-up of a known iPad"):
        learn_idle(school, [nobody], source="dnsmasq", year=2026, now=at(12, day=20))
