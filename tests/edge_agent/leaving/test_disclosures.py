"""What left is sealed for the school's own key, told without an hour, and compared with what the hub has."""

import json
import re
import sqlite3
import stat
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge_agent.leaving import school_key
from edge_agent.leaving.agreement import schedule
from edge_agent.pages import agreement_file, leaving_file
from edge_agent.paths import AgentFolder
from edge_agent.store import agreed, disclosed_fields, disclosures, held_by_hub
from edge_agent.store.disclosed_days import DisclosedDays
from edge_agent.store.disclosed_fields import Field
from edge_agent.store.schema import MIGRATIONS
from shared import disclosure, storage
from shared.errors import BadInput, CommonGroundError, SettingsError
from shared.link import outbox
from shared.records import LessonRecord, StatusRecord, WeekRecord
from shared.storage import Writer
from tests.edge_agent.lessons.test_lessons import Desk, at, contacts
from tests.edge_agent.lessons.test_lessons import desk as desk

ZONE = ZoneInfo("Europe/Zurich")
SECRET = b'{"class":"K7QM-3FXD","kind":"lesson"}'


def a_lesson(desk: Desk) -> str:
    """One shared class, one lesson left; its code."""
    code = desk.share("c0")
    desk.take(contacts(range(48)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    return code


def holds(path: Path, what: bytes) -> bool:
    """Whether the file, or its log, has these bytes."""
    return any(what in one.read_bytes() for one in path.parent.glob(f"{path.name}*"))


def test_a_record_leaves_with_its_entry_of_the_log(desk: Desk) -> None:
    a_lesson(desk)
    (item,) = outbox.read(desk.connection, 1, 1)
    assert item.position is not None
    entry = disclosure.of_record(item.position, item.payload)
    told = desk.connection.execute("SELECT seq, chain, sha256, kind, number, bytes, at FROM disclosures")
    assert (entry.seq, entry.chain, entry.sha256, entry.kind, entry.number, entry.size, entry.at) == tuple(
        told.fetchone()
    )
    with pytest.raises(BadInput, match="not_as_disclosed"):
        disclosure.of_record(item.position, item.payload + b" ")


def test_the_record_lies_in_the_log_sealed_and_opens_with_the_schools_key_alone(desk: Desk) -> None:
    code = a_lesson(desk)
    row = desk.connection.execute("SELECT payload, sealed FROM disclosures").fetchone()
    assert code.encode() not in row[0]
    payload = disclosures.opened(desk.opener, *row)
    assert payload is not None and json.loads(payload)["class"] == code
    stranger = school_key.Opener(bytes(range(32)))
    assert disclosures.opened(stranger, *row) is None
    assert disclosures.verify(desk.connection, desk.opener) == (1, None)
    assert disclosures.verify(desk.connection, stranger) == (1, None), "another key can say nothing of it"


def test_once_the_outbox_lets_go_the_record_is_nowhere_as_it_was(desk: Desk) -> None:
    code = a_lesson(desk)
    mark = f'"class":"{code}"'.encode()
    assert holds(desk.writer.path, mark), "the outbox still has it, for a hub that loses it"
    desk.writer.run(lambda c: outbox.settle(c, 1, 0.0))
    desk.writer.run(lambda c: outbox.prune_sent(c, 1e12))
    assert desk.writer.empty_log()
    assert not holds(desk.writer.path, mark)


def test_what_an_older_program_kept_as_it_was_is_sealed_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    older = storage.connect(path)
    storage.migrate(older, MIGRATIONS[:1])
    with storage.transaction(older):
        number = outbox.append(older, "lesson", SECRET)
        old = (1, "2026-09-14T10:00:00+00:00", "lesson", number, len(SECRET), disclosure.digest(SECRET))
        chain = disclosure.link(disclosure.GENESIS, *old)
        older.execute("INSERT INTO disclosures VALUES (?,?,?,?,?,?,?,?)", (*old, chain, SECRET))
        outbox.settle(older, 1, 0.0)
        outbox.prune_sent(older, 1e12)
    older.close()
    writer = Writer(path, MIGRATIONS)
    opener = school_key.Opener(bytes(32))
    writer.run(lambda c: disclosures.adopt_key(c, opener.public))
    assert holds(path, SECRET)
    assert writer.run(disclosures.seal_earlier) == 1
    assert writer.run(disclosures.seal_earlier) == 0
    assert writer.empty_log()
    assert not holds(path, SECRET)
    reader = storage.reader(path)
    assert disclosures.verify(reader, opener) == (1, None)
    assert [field.name for field in disclosed_fields.read(reader)] == ["class", "kind"]
    reader.close()
    writer.close()


def test_the_private_key_is_the_owners_and_may_be_moved_away(tmp_path: Path) -> None:
    public = school_key.ensure(tmp_path)
    private = tmp_path / school_key.PRIVATE
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert "safe place" in private.read_text()
    private.rename(tmp_path / "stick")
    assert school_key.ensure(tmp_path) == public
    assert not private.exists(), "no second one is made"
    (tmp_path / school_key.PUBLIC).unlink()
    (tmp_path / "stick").rename(private)
    assert school_key.ensure(tmp_path) == public, "the public half follows from the private one"


@pytest.mark.parametrize("text", ["", "# only words\n", "AAAA\n", "no key\n", "A" * 44 + "\n" + "A" * 44])
def test_a_file_that_holds_no_key_is_refused_with_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / school_key.PRIVATE
    path.touch(0o600)
    path.write_text(text)
    with pytest.raises(SettingsError, match="holds no key"):
        school_key.read(path)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        school_key.read(path)


def position(connection: sqlite3.Connection, number: int) -> bytes:
    (found,) = connection.execute("SELECT position FROM outbox WHERE number = ?", (number,)).fetchone()
    return bytes(found)


def test_the_hubs_newest_entry_is_compared_with_the_log_and_a_difference_is_remembered(desk: Desk) -> None:
    for class_id in ("c1", "c2"):
        desk.share(class_id)
    a_lesson(desk)
    zone = ZoneInfo("Europe/Zurich")
    own = position(desk.connection, 3)
    compare = partial(held_by_hub.compare, position=own, at="2026-09-14T22:30:00+00:00")
    assert held_by_hub.read(desk.connection, zone) is None
    assert desk.writer.run(compare)
    held = held_by_hub.read(desk.connection, zone)
    assert held == held_by_hub.Held(3, True, "2026-09-15", 0, None), "days are the school's own"
    place = disclosure.unpack(own)
    entry = disclosure.Entry(3, place.before.hex(), place.chain.hex(), "lesson", 3, 0, "", place.at)
    for changed in (
        replace(entry, seq=4),
        replace(entry, chain="ab" * 32),
        replace(entry, before="ab" * 32),
        replace(entry, kind="week"),
        replace(entry, number=2),
        replace(entry, at="2026-09-14T10:00:01+00:00"),
    ):
        told = disclosure.pack(changed)
        assert not desk.writer.run(partial(held_by_hub.compare, position=told, at="2026-09-15T10:00:00Z"))
    assert not desk.writer.run(partial(held_by_hub.compare, position=b"junk", at="2026-09-16T10:00:00Z"))
    assert desk.writer.run(compare)
    held = held_by_hub.read(desk.connection, zone)
    assert held == held_by_hub.Held(3, True, "2026-09-15", 7, "2026-09-16"), "it is not forgotten"


def test_what_parents_see_has_days_and_hashes_and_no_order_within_a_day(desk: Desk) -> None:
    def log(connection: sqlite3.Connection) -> None:
        for i, kind in enumerate(("status", "lesson", "status", "lesson", "lesson", "week")):
            payload = f"{i}".encode()
            number = outbox.append(connection, kind, payload)
            told = f"2026-09-14T{20 + i // 2}:{i}0:00+00:00"
            disclosures.disclose(connection, at=told, kind=kind, number=number, payload=payload)

    desk.writer.run(log)
    days = DisclosedDays(ZONE, 10)
    days.read(desk.connection)
    days.read(desk.connection)
    assert [(one.day, one.kind, one.count) for one in days.left()] == [
        ("2026-09-15", "lesson", 1),
        ("2026-09-15", "week", 1),
        ("2026-09-14", "lesson", 2),
        ("2026-09-14", "status", 2),
    ], "what left at midnight in Zurich left on the 15th"
    prints = days.fingerprints()
    ordered = sorted(disclosure.digest(payload) for payload in (b"1", b"3"))
    assert [one.sha256 for one in prints if one.day == "2026-09-14"] == ordered
    assert "status" not in {one.kind for one in prints}, "between them one could count out the hour"
    assert [one.day for one in days.ends()] == ["2026-09-15", "2026-09-14"]
    desk.writer.run(lambda c: disclosures.withdraw(c, at="2026-09-15T06:00:00+00:00", numbers=[2]))
    days.read(desk.connection)
    assert [one.count for one in days.left() if (one.day, one.kind) == ("2026-09-14", "lesson")] == [1]


@pytest.fixture
def school(desk: Desk) -> tuple[Desk, AgentFolder, str]:
    """A school of which one shared lesson and one week left."""
    code = a_lesson(desk)
    desk.weeks.send_due(at(12, 0, day=19))
    return desk, AgentFolder(desk.writer.path.parent), code


def test_the_page_for_the_website_is_one_file_without_class_hour_or_anything_to_load(
    school: tuple[Desk, AgentFolder, str],
) -> None:
    desk, folder, code = school
    text = leaving_file.page(folder, desk.connection)
    assert "Lesson of a shared class" in text and "14 September 2026" in text
    (sha256, chain) = desk.connection.execute("SELECT sha256, chain FROM disclosures").fetchone()
    assert sha256 in text and chain in text
    assert code not in text
    assert '"Segoe UI"' in text, "its style is whole"
    assert not re.search(r"\d\d:\d\d", text), "no hour"
    assert not re.search(r"(src|href)=|url\(|@import|<script", text)


def test_the_schedule_claims_what_was_disclosed_and_nothing_else(
    school: tuple[Desk, AgentFolder, str],
) -> None:
    desk, folder, _ = school
    found = agreed.read(folder, desk.connection)
    rows = {row.element: row for row in found.schedule}
    assert rows["Code of a class whose teacher shares it"].collected
    assert rows["Code of a class whose teacher shares it"].records == 1
    assert not rows["Records that wait"].collected, "no heartbeat left yet"
    assert not [row for row in found.schedule if row.collected and "student" in row.element]
    assert found.unknown == () and found.unbroken and found.recipient is None
    assert ("lesson", 1, "2026-09-14") in [(row.kind, row.records, row.first) for row in found.records]
    text = agreement_file.markdown(found)
    assert "| Technical data of devices | Network addresses, device identifiers, cookies | no |" in text
    page = agreement_file.html(found)
    assert "features.consume_share" in page and "<script" not in page


def test_a_field_that_no_category_knows_is_listed_and_never_hidden() -> None:
    new = Field("lesson", "seat_plan[].row", 3, "2026-09-14", "2026-09-15")
    known, unknown = schedule([new])
    assert not [row for row in known if row.collected]
    assert [(row.element, row.records) for row in unknown] == [("seat_plan[].row", 3)]


def test_every_field_that_a_record_can_have_is_in_a_category(desk: Desk) -> None:
    a_lesson(desk)
    desk.weeks.send_due(at(12, 0, day=19))
    own = {field.name for field in disclosed_fields.read(desk.connection)}
    shapes: set[str] = set()
    for shape in (LessonRecord, WeekRecord, StatusRecord):
        shapes |= {name for name in shape.__struct_encode_fields__ if name not in _NESTED}
    fields = [Field("any", name, 1, "2026-09-14", "2026-09-14") for name in own | shapes]
    assert schedule(fields)[1] == ()


_NESTED = ("features", "strip", "placements", "sources")


def test_no_value_that_is_absent_is_claimed() -> None:
    payload = b'{"a":null,"b":[{"c":1,"d":null}],"e":{"f":0},"g":[]}'
    assert disclosed_fields.fields_of(payload) == {"b[].c", "e.f"}


def as_people_do(folder: AgentFolder, *words: str) -> Any:
    """The command, in this process."""
    from typer.testing import CliRunner

    from edge_agent.cli import app

    return CliRunner().invoke(app, [words[0], str(folder.root), *words[1:]], catch_exceptions=True)


def test_the_commands_open_records_with_a_key_kept_elsewhere(
    school: tuple[Desk, AgentFolder, str], tmp_path: Path
) -> None:
    desk, folder, code = school
    stick = tmp_path / "stick.key"
    (folder.secrets / school_key.PRIVATE).rename(stick)
    plain = as_people_do(folder, "disclosures", "--verify")
    assert plain.exit_code == 0 and re.fullmatch(r"\d+ entries, chain unbroken\n", plain.output)
    refused = as_people_do(folder, "disclosures", "--records")
    assert isinstance(refused.exception, SettingsError) and "--key FILE" in str(refused.exception)
    opened = as_people_do(folder, "disclosures", "--records", "--verify", "--key", str(stick))
    assert opened.exit_code == 0 and code in opened.output
    page = tmp_path / "page.html"
    assert as_people_do(folder, "disclosures", "--page", str(page)).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")
    table = json.loads(as_people_do(folder, "agreement", "--json").output)
    assert table["school"] and table["schedule"]
    out = tmp_path / "schedule.html"
    assert as_people_do(folder, "agreement", "--out", str(out)).exit_code == 0
    assert "<table>" in out.read_text()
    assert desk.connection.execute("SELECT count(*) FROM disclosures").fetchone()[0] >= 1


SPOILT = {
    "another value": "UPDATE disclosures SET bytes = bytes + 1 WHERE seq = 1",
    "another type of time": "UPDATE disclosures SET at = x'00ff' WHERE seq = 1",
    "another type of kind": "UPDATE disclosures SET kind = x'00ff' WHERE seq = 1",
    "another type of hash": "UPDATE disclosures SET sha256 = x'00ff' WHERE seq = 1",
    "another type of chain": "UPDATE disclosures SET chain = x'00ff' WHERE seq = 1",
    "another type of number": "UPDATE disclosures SET number = x'00ff' WHERE seq = 1",
    "text that is none": "UPDATE disclosures SET at = CAST(x'ff' AS TEXT) WHERE seq = 1",
}


@pytest.mark.parametrize("change", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_log_is_named_where_it_breaks_and_nothing_is_given_out_as_whole(
    school: tuple[Desk, AgentFolder, str], tmp_path: Path, change: str
) -> None:
    desk, folder, _ = school
    page, out = tmp_path / "page.html", tmp_path / "schedule.md"
    page.write_text("as it was")
    desk.writer.run(lambda own: own.execute(change).close())
    for words in (("--verify",), ("--json", "--verify"), ("--page", str(page))):
        refused = as_people_do(folder, "disclosures", *words)
        assert isinstance(refused.exception, CommonGroundError), refused.exception
        assert "breaks at entry 1" in str(refused.exception)
    assert page.read_text() == "as it was"
    for words in (("--out", str(out)), ("--json",)):
        refused = as_people_do(folder, "agreement", *words)
        assert isinstance(refused.exception, CommonGroundError), refused.exception
        assert "is broken" in str(refused.exception)
    assert "BROKEN" in out.read_text()


@pytest.mark.parametrize("change", [text for text in SPOILT.values() if "CAST" not in text])
def test_a_spoilt_entry_stops_no_status_page(desk: Desk, change: str) -> None:
    a_lesson(desk)
    desk.writer.run(lambda own: own.execute(change).close())
    days = DisclosedDays(ZONE, 10)
    days.read(desk.connection)
    assert len(json.dumps(days.told())) > 2


def test_the_page_says_when_its_log_was_found_whole(school: tuple[Desk, AgentFolder, str]) -> None:
    desk, folder, _ = school
    text = leaving_file.page(folder, desk.connection)
    assert re.search(r"Checked on .*: the log is whole, from its first entry to its last\.", text)


def test_the_schedule_begins_with_what_left(school: tuple[Desk, AgentFolder, str]) -> None:
    desk, folder, _ = school
    text = agreement_file.markdown(agreed.read(folder, desk.connection))
    said = re.findall(r"^\| [^|]+ \| [^|]+ \| (yes|no) \|", text, re.MULTILINE)
    assert "yes" in said and said == sorted(said, reverse=True)


def test_a_new_folder_has_its_key_and_says_what_to_do_with_it(tmp_path: Path) -> None:
    folder = AgentFolder(tmp_path / "school")
    made = as_people_do(folder, "init", "--school", "Alder", "--timezone", "Europe/Zurich")
    assert (
        made.exit_code == 0 and f"Move {folder.secrets / school_key.PRIVATE} to a safe place" in made.output
    )
    assert school_key.read(folder.secrets / school_key.PRIVATE).public == school_key.ensure(folder.secrets)


def test_a_log_that_grows_while_it_is_read_is_not_called_broken(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "agent.db", MIGRATIONS)
    reader = storage.reader(writer.path)

    def log(connection: sqlite3.Connection) -> None:
        number = outbox.append(connection, "status", SECRET)
        disclosures.disclose(
            connection, at="2026-09-14T10:00:00+00:00", kind="status", number=number, payload=SECRET
        )

    writer.run(log)
    between: list[str] = []

    def grow(statement: str) -> None:
        between.append(statement)
        if "max(number)" in statement:
            writer.run(log)  # as a running agent does, between any two of its reader's statements

    reader.set_trace_callback(grow)
    found = disclosures.verify(reader)
    reader.set_trace_callback(None)
    assert found == (1, None)
    assert sum("max(number)" in one for one in between) == 1, "it grew meanwhile"
    assert disclosures.verify(reader) == (2, None)
    reader.close()
    writer.close()
