"""`agent rejected`: people see what the district would not take, and send it again or drop it."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from edge_agent.lessons.windows import WindowKey
from edge_agent.paths import AgentFolder
from edge_agent.store import classes, disclosures
from edge_agent.store.rejected import drop
from edge_agent.store.schema import MIGRATIONS
from edge_agent.store.windows import remember_number
from shared.link import outbox
from shared.storage import Writer, reader
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.edge_agent.test_cli import agent, assert_refused

AT = "2026-09-14T12:00:00+00:00"
TOMORROW = date.today() + timedelta(days=1)
RECORDS = (("status", '{"kind": "status"}'), ("lesson", '{"name": "Schüler"}'), ("week", '{"kind": "week"}'))


class Refused:
    """A school of which the district refused a lesson and a week.

    `writer` is held as a running agent holds it.
    """

    def __init__(self, root: Path) -> None:
        self.folder: AgentFolder = make_school(root, SchoolSpec([ClassSpec("c1", "t1", learners(2))]))
        self.writer = Writer(self.folder.database, MIGRATIONS)
        self.writer.run(self._fill)
        self.reader = reader(self.folder.database)

    def close(self) -> None:
        self.reader.close()
        self.writer.close()

    def run(self, *words: str) -> str:
        done = agent("rejected", str(self.folder.root), *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rejected(self) -> list[tuple[int, str, str, int]]:
        rows = json.loads(self.run("list", "--json"))["rejected"]
        return [(row["number"], row["kind"], row["reason"], row["bytes"]) for row in rows]

    def pending(self) -> list[tuple[int, str]]:
        found = self.reader.execute("SELECT number, payload FROM outbox WHERE state = 'pending'")
        return [(number, payload.decode()) for number, payload in found]

    def _fill(self, connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO classes VALUES ('abcdefgh', 'c1', 'term1')")
        classes.share(connection, "abcdefgh", TOMORROW, AT)
        for kind, text in RECORDS:
            number = outbox.append(connection, kind, text.encode())
            disclosures.disclose(connection, at=AT, kind=kind, number=number, payload=text.encode())
        remember_number(connection, WindowKey("abcdefgh", 0), 2)
        outbox.set_aside(connection, 2, "sums")
        outbox.set_aside(connection, 3, "unknown_model")
        outbox.settle(connection, 3, now=1_789_387_200.0)


@pytest.fixture
def school(tmp_path: Path) -> Iterator[Refused]:
    made = Refused(tmp_path / "school")
    yield made
    made.close()


def test_they_are_listed_by_number_kind_time_reason_and_size(school: Refused) -> None:
    assert school.rejected() == [(2, "lesson", "sums", 20), (3, "week", "unknown_model", 16)]
    assert "2  lesson  2026-09-14T12:00:00+00:00  sums  20 bytes\n" in school.run("list")


def test_one_is_shown_as_it_is_for_people_to_read(school: Refused) -> None:
    assert json.loads(school.run("show", "2")) == {"name": "Schüler"}
    assert "Schüler" in school.run("show", "2")


def test_retried_ones_wait_again_under_new_numbers_each_with_its_entry_in_the_log(school: Refused) -> None:
    assert school.run("retry", "3", "2") == "3 goes again as 4\n2 goes again as 5\n2 records sent again\n"
    assert school.pending() == [(4, RECORDS[2][1]), (5, RECORDS[1][1])]
    assert school.rejected() == []
    assert school.run("list") == "The district refused no record.\n"
    entries = school.reader.execute("SELECT number, kind FROM disclosures WHERE number > 3 ORDER BY seq")
    assert [tuple(row) for row in entries] == [(4, "week"), (5, "lesson")]
    assert disclosures.verify(school.reader) == (5, None)
    carried = school.reader.execute("SELECT number FROM outbox WHERE position IS NULL").fetchall()
    assert carried == [], "each goes with its entry"


def test_a_retried_lesson_is_still_its_class_s_and_is_withdrawn_with_it(school: Refused) -> None:
    school.run("retry", "--all")
    assert school.writer.run(lambda c: classes.unshare(c, "abcdefgh", AT)) == 1
    assert school.pending() == [(5, RECORDS[2][1])]


def test_what_a_class_no_longer_shared_sent_is_never_retried(school: Refused) -> None:
    yesterday = (date.today() - timedelta(days=1)).isoformat()
    school.writer.run(lambda c: c.execute("UPDATE sharing SET until = ?", (yesterday,)))
    done = agent("rejected", str(school.folder.root), "retry", "--all")
    assert_refused(done, 2, "record 2 is a lesson of class abcdefgh, which is not shared any more: drop it")
    assert school.pending() == [], "all or none"
    school.writer.run(lambda c: classes.unshare(c, "abcdefgh", AT))
    assert school.rejected() == [(3, "week", "unknown_model", 16)], "its bytes went with the sharing"


def test_dropped_ones_leave_no_bytes_and_stay_counted(school: Refused) -> None:
    assert school.run("drop", "2") == "1 record dropped\n"
    assert school.run("drop", "--all") == "1 record dropped\n"
    assert school.rejected() == []
    counted = school.reader.execute("SELECT what, reason, n FROM counts WHERE source = 'records'").fetchall()
    assert [tuple(row) for row in counted] == [("dropped", "lesson", 1), ("dropped", "week", 1)]
    left = school.reader.execute("SELECT state, length(payload) FROM outbox").fetchall()
    assert [tuple(row) for row in left] == [("sent", 18), ("dropped", 0), ("dropped", 0)]


def test_a_number_that_was_not_refused_stops_the_whole_command(school: Refused) -> None:
    for words in (("show", "1"), ("retry", "2", "1"), ("drop", "2", "1")):
        assert_refused(
            agent("rejected", str(school.folder.root), *words), 2, "no refused record has the number 1"
        )
    assert len(school.rejected()) == 2


@pytest.mark.parametrize("action", ["retry", "drop"])
def test_one_names_either_numbers_or_all_of_them(school: Refused, action: str) -> None:
    for words in ((action,), (action, "2", "--all")):
        assert_refused(agent("rejected", str(school.folder.root), *words), 2, "--all")


def test_a_folder_whose_agent_has_not_run_says_so(tmp_path: Path) -> None:
    folder = make_school(tmp_path / "new", SchoolSpec([ClassSpec("c1", "t1", learners(2))])).root
    assert_refused(agent("rejected", str(folder), "list"), 1, "has not run yet")


def test_dropping_is_one_transaction(school: Refused) -> None:
    with pytest.raises(Exception, match="number 9"):
        school.writer.run(lambda connection: drop(connection, [2, 9]))
    assert len(school.rejected()) == 2
