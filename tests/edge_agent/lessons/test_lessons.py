"""Windows close, reopen and leave as the rules say: with a real store, real signals, and no network."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge_agent.leaving import school_key
from edge_agent.lessons.closing import Lessons
from edge_agent.lessons.schedule import Schedule
from edge_agent.lessons.weeks import Weeks
from edge_agent.parts import Parts
from edge_agent.paths import AgentFolder
from edge_agent.placing.collector import Collector
from edge_agent.placing.daykeys import KeyFolder, pseudonym
from edge_agent.placing.parcel import Parcel
from edge_agent.settings import load_settings
from edge_agent.sources.facts import Contact, Did, Fact, Reading
from edge_agent.store import classes, disclosures
from edge_agent.store.arrivals import Arrivals, check
from edge_agent.store.classes import ensure_codes
from edge_agent.store.schema import MIGRATIONS
from shared.storage import Writer, reader
from shared.words import Action
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

ZONE = ZoneInfo("Europe/Zurich")
PEOPLE = learners(48)
SOURCES = """
[[sources]]
kind = "dnsmasq"
id = "resolver"
path = "input/log"
[[sources]]
kind = "xapi"
id = "apps"
port = 9
user = "apps"
password_file = "secrets/xapi_password"
"""


def at(hour: int, minute: int = 0, day: int = 14) -> int:
    return int(datetime(2026, 9, day, hour, minute, tzinfo=ZONE).timestamp())


class Desk:
    """An agent's store and its rooms, without sockets: facts in, windows and records out."""

    def __init__(self, root: Path) -> None:
        specs = [ClassSpec(f"c{k}", f"t{k}", PEOPLE[k * 12 : k * 12 + 12]) for k in range(4)]
        self._open(make_school(root / "school", SchoolSpec(specs, settings=SOURCES)))

    @classmethod
    def on(cls, folder: AgentFolder) -> "Desk":
        """A desk on a school's folder that is there already."""
        made = cls.__new__(cls)
        made._open(folder)
        return made

    def _open(self, folder: AgentFolder) -> None:
        self.folder = folder
        settings = load_settings(folder)
        parts = Parts.load(folder, settings)
        for i, person in enumerate(PEOPLE):
            parts.directory.leases.add(0, f"10.0.0.{i}", person.hardware.replace(":", ""))
        self.writer = Writer(folder.database, MIGRATIONS)
        self.connection: sqlite3.Connection = reader(folder.database)
        public = school_key.ensure(folder.secrets)
        self.writer.run(lambda c: disclosures.adopt_key(c, public))
        self.opener = school_key.read(folder.secrets / school_key.PRIVATE)
        self.codes = self.writer.run(lambda c: ensure_codes(c, parts.directory.roster))
        self.keys = KeyFolder(folder.day_keys, ZONE, self.writer)
        self.directory = parts.directory
        schedule = Schedule(self.writer, self.connection, parts.directory, self.codes, bytes(32))
        self.lessons = Lessons(
            self.writer, self.connection, schedule, settings, parts.catalogue, parts.scoring
        )
        self.weeks = Weeks(self.writer, self.connection, parts.directory, settings, parts.scoring)
        self._collector: Collector = parts.collector("dnsmasq", "resolver", self.keys, self.codes)
        self._apps = len(parts.catalogue.apps)

    def close(self) -> None:
        self.connection.close()
        self.writer.close()

    def collect(self, facts: list[Fact], now: float) -> Parcel:
        return self._collector.collect(Reading(facts=facts, lines=len(facts), newest=int(now)), now)

    def take(self, facts: list[Fact], now: float) -> dict[str, dict[str, int]]:
        parcel = self.collect(facts, now)

        def store(connection: sqlite3.Connection) -> None:
            arrivals = Arrivals(connection)
            arrivals.add(check(parcel, self._apps))
            arrivals.write()

        self.writer.run(store)
        return parcel.counts

    def share(self, class_id: str, until: str = "2026-12-31") -> str:
        code = self.codes[class_id]
        self.writer.run(
            lambda c: classes.share(c, code, date.fromisoformat(until), "2026-09-01T00:00:00+00:00")
        )
        return code

    def sent(self, kind: str = "lesson") -> list[dict[str, Any]]:
        found = self.connection.execute(
            "SELECT payload FROM outbox WHERE kind = ? AND state != 'withdrawn' ORDER BY number", (kind,)
        )
        return [json.loads(payload) for (payload,) in found]

    def held_back(self) -> dict[str, str | None]:
        return dict(self.connection.execute("SELECT class_code, held_back FROM windows").fetchall())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def contacts(devices: range, minute: int = 5, name: str = "padlet.com", day: int = 14) -> list[Fact]:
    return [Contact(at(9, minute, day) + i % 60, f"10.0.0.{i}", name) for i in devices]


def test_a_window_closes_fifteen_minutes_after_its_lesson_and_not_before_its_sources_are_read(
    desk: Desk,
) -> None:
    desk.take(contacts(range(48)), at(9, 10))
    assert desk.lessons.close_due(at(9, 59), at(9, 59)) == 0
    assert desk.lessons.close_due(at(10), at(9, 50)) == 0, "a source still lags behind"
    assert desk.lessons.close_due(at(10), at(10)) == 4
    assert desk.lessons.close_due(at(10), at(10)) == 0, "and only once"


def test_only_shared_classes_leave_as_lessons(desk: Desk) -> None:
    code = desk.share("c0")
    desk.take(contacts(range(48)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    assert [record["class"] for record in desk.sent()] == [code]
    assert desk.held_back() == {c: None if c == code else "not_shared" for c in desk.codes.values()}


def test_sharing_ends_with_its_last_day(desk: Desk) -> None:
    desk.share("c0", until="2026-09-13")
    desk.share("c1", until="2026-09-14")
    desk.take(contacts(range(48)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    assert [record["class"] for record in desk.sent()] == [desk.codes["c1"]]


def test_late_signals_reopen_a_window_as_a_higher_revision_if_enough_devices_changed(desk: Desk) -> None:
    desk.share("c0")
    desk.take(contacts(range(12)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    desk.take(contacts(range(4), minute=20), at(11))
    assert desk.lessons.close_due(at(11), at(11)) == 1
    assert [record["revision"] for record in desk.sent()] == [1], "four changed devices could be subtracted"
    desk.take(contacts(range(4, 5), minute=20), at(11, 30))
    desk.lessons.close_due(at(11, 30), at(11, 30))
    assert [record["revision"] for record in desk.sent()] == [1, 2], "five since the one that was sent"
    first, second = desk.sent()
    assert second["evidence"] > first["evidence"]


def test_signals_of_a_day_whose_key_is_destroyed_are_late_and_counted(desk: Desk) -> None:
    now = at(12, 0, day=15)
    assert desk.take(contacts(range(48)), now) == {"late": {"day_key_destroyed": 48}}
    assert desk.take(contacts(range(48)), now - 1).get("late") is None


def test_the_pseudonym_of_a_device_changes_every_day(desk: Desk) -> None:
    monday, tuesday = (desk.keys.key(date(2026, 9, day), at(9, day=day)) for day in (14, 15))
    assert isinstance(monday, bytes) and isinstance(tuesday, bytes)
    assert pseudonym(monday, "SERA0001") == pseudonym(monday, "SERA0001") != pseudonym(tuesday, "SERA0001")


def test_day_keys_are_private_files_and_gone_after_thirty_six_hours(desk: Desk, tmp_path: Path) -> None:
    desk.take(contacts(range(48)), at(9, 10))
    (path,) = (tmp_path / "school" / "secrets" / "day-keys").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert desk.keys.destroy_expired(at(11, 59, day=15)) == []
    assert desk.keys.destroy_expired(at(12, 0, day=15)) == [date(2026, 9, 14)]
    assert not path.exists()


def test_accepted_signals_become_a_lesson_even_when_the_agent_slept_past_the_key(desk: Desk) -> None:
    desk.share("c0", until="2026-12-31")
    desk.take(contacts(range(48)), at(9, 10))
    late = at(12, 0, day=18)
    assert desk.lessons.close_due(late, late) == 4 + 4, "Monday's, and those of the day that still lives"
    assert desk.lessons.forget(late) == [date(2026, 9, 14)]
    assert len(desk.sent()) == 1
    assert desk.connection.execute("SELECT * FROM batches").fetchone() is None


def test_two_resolvers_tell_one_contact_and_two_sources_see_one_device(desk: Desk) -> None:
    desk.share("c0")
    twice = contacts(range(12))
    done: list[Fact] = [Did(at(9, 7), person.username, 0, Action.CREATE, 0.0) for person in PEOPLE[:12]]
    desk.take(twice, at(9, 10))
    desk.take(twice, at(9, 11))
    desk.take(done, at(9, 12))
    desk.lessons.close_due(at(10), at(10))
    (record,) = desk.sent()
    assert (record["devices"], record["expected"]) == (12, 12)
    features = record["features"]
    assert isinstance(features, dict)
    hours = sum((120 - i) + 60 for i in range(12)) / 3600
    assert features["switch_rate"] == pytest.approx(12 / hours), "one switch a device"


def test_a_device_that_only_sleeps_is_heard_and_uses_nothing(desk: Desk) -> None:
    desk.share("c0")
    desk.take(contacts(range(12), name="1-courier.push.apple.com"), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    (row,) = desk.connection.execute(
        """SELECT devices, json_extract(window, '$.visibility'), json_extract(window, '$.evidence')
           FROM windows WHERE class_code = ?""",
        (desk.codes["c0"],),
    ).fetchall()
    minutes = 15 + 11 / 2 / 60  # from the first bell to ten minutes after the one look-up of each
    assert tuple(row) == (0, pytest.approx(minutes / 45), 0.0)
    assert desk.sent() == []


def test_a_week_leaves_once_after_its_last_key_and_takes_every_lesson_with_it(desk: Desk) -> None:
    for day in (14, 15, 16, 17, 18):
        desk.take(contacts(range(48), day=day), at(9, 10, day))
        desk.lessons.close_due(at(10, 0, day), at(10, 0, day))
    assert desk.weeks.send_due(at(11, 59, day=19)) == []
    assert desk.weeks.send_due(at(12, 0, day=19)) == ["2026-W38"]
    assert desk.weeks.send_due(at(12, 1, day=19)) == []
    (record,) = desk.sent("week")
    assert (record["lessons"], record["classes"], record["teachers"]) == (20, 4, 4)


def test_a_week_whose_unshared_rest_is_too_small_is_held_back_with_its_reason(desk: Desk) -> None:
    for class_id in ("c0", "c1", "c2"):
        desk.share(class_id)
    desk.take(contacts(range(48)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    desk.weeks.send_due(at(12, 0, day=19))
    assert desk.sent("week") == []
    assert tuple(desk.connection.execute("SELECT * FROM weeks").fetchone()) == ("2026-W38", 0, "few_classes")


def test_unsharing_withdraws_what_was_not_delivered(desk: Desk) -> None:
    code = desk.share("c0")
    desk.take(contacts(range(48)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    assert len(desk.sent()) == 1
    assert desk.writer.run(lambda c: classes.unshare(c, code, "2026-09-14T10:00:00+00:00")) == 1
    assert desk.sent() == []


def test_the_disclosure_log_shows_every_change_of_an_entry(desk: Desk) -> None:
    for class_id in ("c0", "c1", "c2"):
        desk.share(class_id)
    desk.take(contacts(range(48)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    assert disclosures.verify(desk.connection) == (3, None)
    row = desk.connection.execute("SELECT * FROM disclosures WHERE seq = 2").fetchone()
    kept = tuple(row)
    for column, name in enumerate(row.keys()):
        if name in ("seq", "sealed"):
            continue
        forged = (*kept[:column], b"0" if name == "payload" else "0", *kept[column + 1 :])
        _replace(desk, forged)
        opener = desk.opener if name == "payload" else None  # what is sealed is for the school to compare
        assert disclosures.verify(desk.connection, opener)[1] == 2, name
    _replace(desk, kept)
    assert disclosures.verify(desk.connection) == (3, None)
    desk.writer.run(lambda c: c.execute("DELETE FROM disclosures WHERE seq = 2"))
    assert disclosures.verify(desk.connection)[1] == 3


def _replace(desk: Desk, row: tuple[object, ...]) -> None:
    desk.writer.run(lambda c: c.execute("REPLACE INTO disclosures VALUES (?,?,?,?,?,?,?,?,?)", row))
