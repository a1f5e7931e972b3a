"""A source that goes quiet in lessons is noticed once, and once more when it is heard again."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.identity.load import load_directory
from edge_agent.settings import load_settings
from edge_agent.silence import LEAST, Pulse, Silences, notice_of, step
from edge_agent.store.schema import MIGRATIONS
from shared import waiting
from shared.courier import Courier
from shared.notice import Notice, NoticeSettings
from shared.storage import Writer
from tests.edge_agent.identity.test_school_days import at
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

BELLS = [(str(n), "Mon Tue Wed Thu Fri", f"{7 + n:02d}:00", f"{7 + n:02d}:45") for n in range(1, 7)]
TOLD = NoticeSettings(webhook="https://school.example/hook")


class School:
    """Silences over a real store, a real timetable, and a source that is heard when the test says so."""

    def __init__(self, root: Path, kind: str = "dnsmasq") -> None:
        folder = make_school(root, SchoolSpec([ClassSpec("c1", "t1", learners(3), "1,2,3,4,5,6")], BELLS))
        self.settings = msgspec.structs.replace(load_settings(folder), notice=TOLD)
        self.directory = load_directory(folder, self.settings)[0]
        self.writer = Writer(folder.database, MIGRATIONS)
        self.kind = kind
        self.silences = self.started()

    def started(self) -> Silences:
        """An agent that has just started."""
        told = [("resolver", self.kind, "reading")]
        return Silences(self.writer, self.settings, self.directory, lambda: told, lambda: 0.0)

    def hear(self) -> None:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                """INSERT INTO sources (id, kind, lines) VALUES ('resolver', 'dnsmasq', 1)
                   ON CONFLICT (id) DO UPDATE SET lines = lines + 1"""
            )

        self.writer.run(write)

    def goes_on(self, begin: int, end: int, *, heard: bool) -> int:
        """Look each minute; how many notices were handed over."""
        told = 0
        for now in range(begin, end, 60):
            if heard:
                self.hear()
            told += self.silences.look(now)
        return told

    def notices(self) -> list[Notice]:
        rows = self.writer.run(
            lambda own: own.execute("SELECT notice FROM notices ORDER BY rowid").fetchall()
        )
        return [msgspec.json.decode(text, type=Notice) for (text,) in rows]


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    made = School(tmp_path / "a")
    yield made
    made.writer.close()


def test_half_an_hour_of_lessons_without_a_line_is_told_once_with_what_to_try(school: School) -> None:
    assert school.goes_on(at(7), at(9), heard=True) == 0
    assert school.goes_on(at(9), at(9, 29), heard=False) == 0
    assert school.goes_on(at(9, 29), at(14), heard=False) == 1
    (notice,) = school.notices()
    assert notice.about["event"] == "silent"
    assert "systemctl status dnsmasq" in notice.text
    assert "resolver" in school.silences.trouble


def test_when_it_is_heard_again_that_is_told_once(school: School) -> None:
    school.goes_on(at(8), at(9), heard=True)
    school.goes_on(at(9), at(10), heard=False)
    assert school.goes_on(at(10), at(13), heard=True) == 1
    assert [one.about["event"] for one in school.notices()] == ["silent", "over"]
    assert not school.silences.trouble
    assert len({one.id for one in school.notices()}) == 2


def test_breaks_evenings_and_weekends_are_no_silence(school: School) -> None:
    school.goes_on(at(8), at(13, 45), heard=True)
    friday_to_monday = at(13, 45) + 66 * 3600
    assert school.goes_on(at(13, 45), min(friday_to_monday, at(23, 59)), heard=False) == 0


def test_an_agent_that_was_off_blames_no_source(school: School) -> None:
    school.goes_on(at(8), at(8, 30), heard=True)
    school.silences = school.started()
    assert school.goes_on(at(12), at(12, 20), heard=False) == 0
    assert school.goes_on(at(12, 20), at(12, 40), heard=False) == 1


def test_a_silence_that_was_told_is_not_told_again_by_an_agent_that_starts_anew(school: School) -> None:
    school.goes_on(at(8), at(9), heard=True)
    assert school.goes_on(at(9), at(10), heard=False) == 1
    school.silences = school.started()
    assert school.goes_on(at(10), at(12), heard=False) == 0
    assert school.goes_on(at(12), at(12, 5), heard=True) == 1


def test_a_source_that_was_never_heard_is_for_the_check_to_say(school: School) -> None:
    assert school.goes_on(at(8), at(13), heard=False) == 0


def test_notices_that_were_spoilt_are_shown_for_a_week(tmp_path: Path) -> None:
    school, wall = School(tmp_path / "a"), [1_000_000.0]
    school.silences = Silences(school.writer, school.settings, school.directory, list, lambda: wall[0])

    def hand_over(connection: sqlite3.Connection) -> None:
        waiting.put(connection, Notice("a", "silent", "Silent."), TOLD, wall[0])
        connection.execute("UPDATE notices SET notice = '{'")

    school.writer.run(hand_over)
    assert Courier(school.writer, TOLD, tmp_path, lambda: wall[0]).look() == 0
    school.silences.look(at(9))
    assert "set aside unsent (notice unreadable: 1): check the disk" in school.silences.trouble
    wall[0] += 8 * 86_400
    school.silences.look(at(10))
    assert not school.silences.trouble
    school.writer.close()


def test_files_that_are_dropped_once_a_day_may_be_quiet_all_day(tmp_path: Path) -> None:
    school = School(tmp_path / "a", "umbrella")
    school.goes_on(at(7), at(7, 5), heard=True)
    assert school.goes_on(at(7, 5), at(15), heard=False) == 0
    school.writer.close()


def test_a_pause_that_is_usual_is_no_silence_the_day_after() -> None:
    pulse = Pulse("apps", 1, 0.0, "2026-09-14")
    paused, _ = step(pulse, lines=2, now=2000.0, day="2026-09-14", quiet=1700.0, least=LEAST)
    quiet, event = step(paused, lines=2, now=90_000.0, day="2026-09-15", quiet=2500.0, least=LEAST)
    assert (event, quiet.usual) == ("", 1700.0)
    assert step(quiet, lines=2, now=90_100.0, day="2026-09-15", quiet=2600.0, least=LEAST)[1] == "silent"


LOOKS = st.lists(st.tuples(st.booleans(), st.floats(0, 40_000), st.integers(0, 5)), max_size=60)


@given(LOOKS)
@settings(derandomize=True, max_examples=200, deadline=None)
def test_every_silence_is_told_once_and_ends_once(looks: list[tuple[bool, float, int]]) -> None:
    pulse, lines, events = Pulse("s", 0, 0.0, "0"), 0, []
    for number, (heard, quiet, day) in enumerate(looks):
        lines += heard
        pulse, event = step(pulse, lines=lines, now=float(number), day=str(day), quiet=quiet, least=LEAST)
        events += [event] if event else []
    assert events == (["silent", "over"] * len(events))[: len(events)]
    assert pulse.silent == (events[-1:] == ["silent"])


def test_the_words_hold_the_school_and_the_source_and_nothing_else() -> None:
    now = datetime.fromisoformat("2026-09-14T10:30:00+02:00")
    pulse = Pulse("resolver", 9, now.timestamp() - 1800, "2026-09-14")
    notice = notice_of("silent", pulse, "pihole", "input/dns.log", "Alder", now)
    assert notice.subject == "Alder: source resolver is silent"
    assert "Monday 14 September, 10:00" in notice.text
    assert notice.about == {
        "school": "Alder",
        "source": "resolver",
        "event": "silent",
        "since": "2026-09-14T10:00:00+02:00",
    }
