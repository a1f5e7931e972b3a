"""What changes while a day goes on (bells, classes, rosters, keys) counts nothing twice, loses nothing."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge_agent.identity.directory import Directory
from edge_agent.identity.load import load_directory
from edge_agent.identity.subjects import subject_of
from edge_agent.paths import AgentFolder
from edge_agent.placing.daykeys import DESTROYED, LOST, KeyFolder, pseudonym
from edge_agent.settings import load_settings
from edge_agent.store.schema import MIGRATIONS
from shared.storage import Writer
from tests.edge_agent.lessons.test_lessons import PEOPLE, Desk, at, contacts
from tests.edge_agent.lessons.test_lessons import desk as desk
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

Bells = Sequence[tuple[str, str, str, str]]

ZONE = ZoneInfo("Europe/Zurich")
DAY = date(2026, 9, 14)


def other_school(
    root: Path, specs: Sequence[ClassSpec], bells: Sequence[tuple[str, str, str, str]]
) -> Directory:
    folder = make_school(root, SchoolSpec(specs, bells))
    return load_directory(folder, load_settings(folder))[0]


def change(desk: Desk, fresh: Directory) -> None:
    desk.directory.replace(fresh.inventory, fresh.roster, fresh.timetable)


def four_classes() -> list[ClassSpec]:
    return [ClassSpec(f"c{k}", f"t{k}", PEOPLE[k * 12 : k * 12 + 12]) for k in range(4)]


def test_bells_that_change_after_a_lesson_do_not_make_it_count_twice(desk: Desk, tmp_path: Path) -> None:
    desk.take(contacts(range(48)), at(9, 10))
    assert desk.lessons.close_due(at(10), at(10)) == 4
    change(desk, other_school(tmp_path / "b", four_classes(), [("1", "Mon", "09:02", "09:47")]))
    assert desk.lessons.close_due(at(11), at(11)) == 0


def test_a_class_that_leaves_the_roster_keeps_the_lesson_that_had_begun(desk: Desk, tmp_path: Path) -> None:
    desk.take(contacts(range(48)), at(9, 10))
    desk.lessons.close_due(at(9, 30), at(9, 30))
    change(desk, other_school(tmp_path / "b", four_classes()[:1], [("1", "Mon", "09:00", "09:45")]))
    assert desk.lessons.close_due(at(10), at(10)) == 4
    desk.weeks.send_due(at(12, 0, day=19))
    (record,) = desk.sent("week")
    assert (record["classes"], record["teachers"]) == (4, 4)


def test_signals_that_no_lesson_claims_any_more_are_counted_when_they_are_deleted(
    desk: Desk, tmp_path: Path
) -> None:
    desk.take(contacts(range(48)), at(9, 10))
    change(desk, other_school(tmp_path / "b", four_classes()[:1], [("1", "Mon", "09:00", "09:45")]))
    desk.lessons.close_due(at(10), at(10))
    desk.lessons.forget(at(12, 0, day=15))
    (counted,) = desk.connection.execute("SELECT n FROM counts WHERE reason = 'lesson_changed'").fetchone()
    assert counted == 36


class Keys:
    """A key folder with its store."""

    def __init__(self, root: Path) -> None:
        self.folder = AgentFolder(root)
        self.writer = Writer(self.folder.database, MIGRATIONS)
        self.keys = self.again()

    def again(self) -> KeyFolder:
        return KeyFolder(self.folder.day_keys, ZONE, self.writer)

    @property
    def path(self) -> Path:
        return self.folder.day_keys / f"{DAY.isoformat()}.key"


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    made = Keys(tmp_path)
    yield made
    made.writer.close()


def test_a_key_that_is_lost_is_never_made_a_second_time(keys: Keys) -> None:
    assert isinstance(keys.keys.key(DAY, at(9)), bytes)
    keys.path.unlink()
    assert keys.again().key(DAY, at(10)) == LOST, "a second key would make two devices of each"


def test_a_key_destroyed_by_a_clock_that_ran_ahead_stays_destroyed(keys: Keys) -> None:
    keys.keys.key(DAY, at(9))
    assert keys.keys.destroy_expired(at(12, 0, day=16)) == [DAY]
    assert keys.keys.key(DAY, at(9, 30)) == DESTROYED
    assert keys.again().key(DAY, at(9, 30)) == DESTROYED


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_key_file_of_the_wrong_size_is_no_key(keys: Keys, content: bytes) -> None:
    keys.keys.key(DAY, at(9))
    keys.path.write_bytes(content)
    assert keys.again().key(DAY, at(10)) == LOST
    with pytest.raises(ValueError, match="32 bytes"):
        pseudonym(content, "SERIAL")


def test_a_crash_while_a_key_was_made_leaves_nothing_behind_that_counts(keys: Keys) -> None:
    draft = keys.path.with_suffix(".draft")
    draft.touch(mode=0o600)
    assert isinstance(keys.again().key(DAY, at(9)), bytes)
    (keys.folder.day_keys / "notes.key").touch()
    assert keys.keys.destroy_expired(at(12, 0, day=16)) == [DAY], "somebody else's file is left alone"


def test_a_learner_whose_ipad_was_replaced_is_still_one_device(tmp_path: Path) -> None:
    people = learners(3)
    spare = ("SER-NEW", "a4:83:e7:ff:00:01", people[0].username, "")
    spec = SchoolSpec([ClassSpec("c1", "t1", people)], extra_devices=[spare])
    folder = make_school(tmp_path / "a", spec)
    school, _ = load_directory(folder, load_settings(folder))
    ids = {
        school.inventory.by_hardware[hw].id for hw in ("a483e7ff0001", people[0].hardware.replace(":", ""))
    }
    assert len(ids) == 1
    (lesson,) = school.timetable.lessons(DAY)
    assert school.expected(lesson) == 3
    found = school.lesson_at(school.inventory.by_hardware["a483e7ff0001"], at(9, 10))
    assert isinstance(found, tuple), "the new iPad is in the lesson, not silently outside"


def test_overlapping_periods_of_a_class_give_each_signal_one_lesson_and_are_reported(tmp_path: Path) -> None:
    bells = [("1", "Mon", "09:00", "09:45"), ("2", "Mon", "09:30", "10:15"), ("3", "Mon", "10:15", "11:00")]
    folder = make_school(tmp_path / "a", SchoolSpec([ClassSpec("c1", "t1", learners(3), "1,1,2,3")], bells))
    school, refused = load_directory(folder, load_settings(folder))
    lessons = school.timetable.lessons(DAY)
    assert [lesson.start for lesson in lessons] == [at(9), at(10, 15)]
    assert refused.counts() == {"bells.csv: two periods of a class overlap": 2}


@pytest.mark.parametrize(
    "row", ["1,Mon,08:30+02:00,09:15", "1,Mon,09:15,08:30", "1,Mon,06:00,17:00", "1,Xyz,8,9"]
)
def test_a_hostile_bell_is_refused_and_the_others_ring(tmp_path: Path, row: str) -> None:
    folder = make_school(tmp_path / "a", SchoolSpec([ClassSpec("c1", "t1", learners(3))]))
    with (folder.root / "input" / "bells.csv").open("a") as file:
        file.write(row + "\n")
    school, refused = load_directory(folder, load_settings(folder))
    assert len(school.timetable.lessons(DAY)) == 1
    assert sum(refused.counts().values()) == 1


def test_a_class_meets_only_in_its_academic_sessions(tmp_path: Path) -> None:
    folder = make_school(tmp_path / "a", SchoolSpec([ClassSpec("c1", "t1", learners(3))]))
    sessions = folder.root / "input" / "oneroster" / "academicSessions.csv"
    sessions.write_text("sourcedId,startDate,endDate\nterm1,2026-09-14,2026-12-18\nbad,soon,later\n")
    school, refused = load_directory(folder, load_settings(folder))
    assert len(school.timetable.lessons(DAY)) == 1
    assert school.timetable.lessons(date(2026, 9, 7)) == () == school.timetable.lessons(date(2026, 12, 21))
    assert refused.counts() == {"academicSessions.csv: unreadable date": 1}


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Maths", "Mathematics"),
        ("Algebra II", "Mathematics"),
        ("English Language Arts", "English language arts"),
        ("AP Biology (Ms Vogelsang)", "Science"),
        ("Spanish 3", "World languages"),
        ("Frau Vogelsang", "Other"),
        ("", "Other"),
    ],
)
def test_a_subject_is_one_of_a_closed_list_whatever_the_roster_says(text: str, subject: str) -> None:
    assert subject_of(text) == subject
