"""A school whose agent is not heard for an hour is told of once, and once more when it is heard again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.silence import Heard, Listening, due
from hub.store.schema import MIGRATIONS
from shared.notice import NoticeSettings
from shared.storage import Writer

HOUR = 3600.0
TOLD = NoticeSettings(webhook="https://district.example/hook")


class Hub:
    """Listening over a real store; the test says who is heard, and what time it is."""

    def __init__(self, root: Path, settings: NoticeSettings = TOLD) -> None:
        self.now = 100_000.0
        self.writer = Writer(root / "hub.db", MIGRATIONS)
        self.settings = settings
        self.writer.run(
            lambda own: own.execute(
                "INSERT INTO schools (id, name, slug, invited) VALUES (1, 'Alder', 'alder', 0)"
            )
        )
        self.enrol(None)
        self.listening = self.started()

    def started(self) -> Listening:
        return Listening(self.writer, self.settings, lambda: self.now)

    def enrol(self, revoked: float | None) -> None:
        columns = "(public_key, school_id, joined, revoked)"
        query = f"INSERT OR REPLACE INTO enrolments {columns} VALUES ('key', 1, 0, ?)"  # noqa: S608 - fixed
        self.writer.run(lambda own: own.execute(query, (revoked,)))

    def hear(self) -> None:
        self.writer.run(
            lambda own: own.execute(
                """INSERT INTO heartbeats (school_id, heard) VALUES (1, ?1)
                   ON CONFLICT (school_id) DO UPDATE SET heard = ?1""",
                (self.now,),
            )
        )

    def after(self, hours: float) -> int:
        self.now += hours * HOUR
        return self.listening.look()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(tmp_path)
    made.hear()
    yield made
    made.writer.close()


def told(hub: Hub) -> list[str]:
    return [name for (name,) in hub.writer.run(lambda own: own.execute("SELECT id FROM notices").fetchall())]


def test_an_hour_without_a_word_is_told_once(hub: Hub) -> None:
    assert [hub.after(0.9), hub.after(0.2), hub.after(1), hub.after(48)] == [0, 1, 0, 0]
    assert told(hub) == ["school-1-100000-silent"]


def test_when_it_is_heard_again_that_is_told_once_and_a_new_silence_is_another(hub: Hub) -> None:
    hub.after(2)
    hub.hear()
    assert [hub.after(0.1), hub.after(0.1), hub.after(2)] == [1, 0, 1]
    assert len(told(hub)) == len(set(told(hub))) == 3


def test_a_hub_that_was_off_itself_gives_everybody_an_hour_to_call(hub: Hub) -> None:
    hub.now += 20 * HOUR
    hub.listening = hub.started()
    assert [hub.after(0.5), hub.after(0.6)] == [0, 1]


def test_a_school_whose_keys_are_revoked_is_expected_to_be_silent(hub: Hub) -> None:
    hub.enrol(revoked=hub.now)
    assert hub.after(5) == 0


def test_without_settings_nobody_is_told(tmp_path: Path) -> None:
    hub = Hub(tmp_path, NoticeSettings())
    hub.hear()
    assert hub.after(5) == 0
    hub.writer.close()


def test_a_school_with_a_number_that_begins_another_is_not_mixed_up() -> None:
    schools = [Heard(1, "A", 9_000.0), Heard(11, "B", 9_500.0)]
    found = due(schools, ["school-11-1000-silent"], now=9_600.0, since=0.0)
    assert [(name, heard.name) for name, heard, _ in found] == [("school-11-1000-over", "B")]


@pytest.mark.parametrize(
    "spoilt",
    ["CAST(X'FF' AS TEXT)", "X'FF'", "7", "''", "'school-1-x-silent'", f"'school-1-{'9' * 400}-silent'"],
)
def test_a_notice_whose_id_is_spoilt_keeps_no_silence_from_being_told(hub: Hub, spoilt: str) -> None:
    hub.after(2)
    hub.writer.run(lambda own: own.execute(f"UPDATE notices SET id = {spoilt}"))  # noqa: S608 - fixed
    assert [hub.after(0.1), hub.after(0.1)] == [1, 0]
    hub.hear()
    assert hub.after(0.1) == 1
