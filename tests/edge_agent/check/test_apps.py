"""Apps on the iPads: app lists beside lessons, by number of devices from ten on, and never as a fault."""

import json
import plistlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_agent.check.apps import WEEK, AppRow, as_shown, compared, few
from edge_agent.check.desk import CheckDesk
from edge_agent.check.facts import AppFacts, ListedApp
from edge_agent.check.findings import EXIT_CODES
from edge_agent.cli import app as agent
from edge_agent.page import create_page
from edge_agent.paths import AgentFolder
from edge_agent.setup import snapshot
from edge_agent.store import app_days, checks
from edge_agent.store.schema import MIGRATIONS
from edge_agent.store.windows import forget_day
from models.catalogue.load import load_catalogue
from shared.signals import SignalBatch, encode
from shared.storage import LARGE_PAGE, Writer, connect, migrate, transaction
from tests.edge_agent.check.test_findings import WELL, by_id
from tests.edge_agent.check.test_gather import NOON
from tests.edge_agent.identity.test_today import ask
from tests.edge_agent.pages.pages_status import busy
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.shared.pages_reading import Page, check_page

TODAY = date(2026, 9, 14)  # where the school's clock stands
CATALOGUE = load_catalogue()
SHARED_IPAD = {
    "com.google.Docs": 12,
    "com.duolingo.DuolingoMobile": 11,
    "com.innersloth.amongus": 12,
}
APPS = {
    "docs": ListedApp("Docs", 48, nameable=True),
    "music": ListedApp("Music", 10, nameable=True),
    "rare": ListedApp("Rare", 9, nameable=True),
    "padlet": ListedApp("Padlet", 0, nameable=True),
    "site": ListedApp("Site", 0, nameable=False),
}


def days(count: int, **apps: int) -> dict[str, dict[str, int]]:
    """That many days before today."""
    return {(TODAY - timedelta(days=back)).isoformat(): dict(apps) for back in range(1, count + 1)}


def facts(met: dict[str, dict[str, int]], lists: int = 48) -> AppFacts:
    return AppFacts(lists, APPS, met, TODAY.isoformat())


def test_what_is_installed_and_was_met_in_no_lesson_of_five_days_is_named_with_its_ipads() -> None:
    shown = compared(facts(days(WEEK, docs=20)))
    assert shown.unseen == (AppRow("Music", 10),)
    assert (shown.unseen[0].words, shown.told) == ("10 iPads", "48 iPads")
    assert compared(facts(days(WEEK, music=0))).unseen == (AppRow("Docs", 48),), "met by few is met"


def test_what_few_days_do_not_show_is_not_said_and_today_is_no_day_yet() -> None:
    met = {**days(WEEK - 1), TODAY.isoformat(): {}}
    assert compared(facts(met)).unseen == ()
    assert compared(facts({**days(WEEK), TODAY.isoformat(): {"docs": 0}})).unseen == (AppRow("Music", 10),)
    assert compared(facts(days(2 * WEEK) | days(WEEK, docs=20, music=10))).unseen == ()


def test_only_what_ten_devices_met_and_a_list_could_name_is_told_to_be_on_none() -> None:
    assert compared(facts(days(1, padlet=31, site=31, docs=31))).elsewhere == (AppRow("Padlet", 31),)
    assert compared(facts(days(1, padlet=0))).elsewhere == ()


def test_what_fewer_than_ten_ipads_have_is_named_neither_met_nor_unmet() -> None:
    for met in (days(WEEK), days(WEEK, rare=0), days(WEEK, rare=9)):
        assert b"Rare" not in as_shown(facts(met))
        assert "Rare" not in by_id(replace(WELL, apps=facts(met)))["apps.unseen"].what


@pytest.mark.parametrize("number", [1, 9])
def test_numbers_below_ten_are_neither_told_nor_kept(number: int) -> None:
    assert few(number) == few(0) == "fewer than 10 iPads"
    assert few(10) == "10 iPads"
    assert json.loads(as_shown(facts(days(1), lists=number)))["lists"] == 0


def test_the_findings_are_well_whatever_they_name_and_none_is_there_without_app_lists() -> None:
    for met in (days(2), days(WEEK), days(WEEK, docs=20, music=0), days(WEEK, padlet=30)):
        found = by_id(replace(WELL, apps=facts(met)))
        told = [found[name] for name in ("apps.unseen", "apps.elsewhere") if name in found]
        assert told and {(one.level, one.do) for one in told} == {("ok", "")}
    assert "2 of 5 school days" in by_id(replace(WELL, apps=facts(days(2))))["apps.unseen"].what
    assert not [name for name in by_id(WELL) if name.startswith("apps.")]


@pytest.fixture
def school(tmp_path: Path) -> AgentFolder:
    """A folder whose clock stands at noon."""
    made = make_school(tmp_path / "agent", SchoolSpec([ClassSpec("c1", "t1", learners(12))]))
    (made.root / "clock.json").write_text(json.dumps({"simulated": float(NOON), "real": 0.0, "rate": 0.0}))
    with made.settings.open("a") as file:
        file.write('\n[clock]\nfile = "clock.json"\n')
    return made


def signals(app: str, devices: int, day: date) -> tuple[str, bytes]:
    rows = [(1, 7_000_000 + device, 0, CATALOGUE.index(app), 1, 0.0) for device in range(devices)]
    made = SignalBatch.from_rows(
        rows, kind="dnsmasq", source="dns", catalogue="x", day_key=day.isoformat(), class_codes=("c",)
    )
    return day.isoformat(), encode(made)


def with_signals(school: AgentFolder, *batches: tuple[str, bytes]) -> None:
    connection = connect(school.database, LARGE_PAGE)
    migrate(connection, MIGRATIONS)
    with closing(connection), transaction(connection):
        connection.execute("DELETE FROM batches")
        connection.executemany(
            "INSERT INTO batches (day, kind, source, t_min, t_max, signals, payload)"
            " VALUES (?, 'dnsmasq', 'dns', 0, 1, 1, ?)",
            batches,
        )


def with_app_lists(school: AgentFolder) -> Path:
    """The MDM's answers beside its CSV: what twelve iPads have."""
    folder = school.root / "input" / "mdm"
    folder.mkdir()
    (folder / "export.csv").write_bytes((school.root / "input" / "inventory.csv").read_bytes())
    for number in range(12):
        there = [{"Identifier": name} for name, count in SHARED_IPAD.items() if number < count]
        answer = {"UDID": f"udid-{number}", "InstalledApplicationList": there}
        (folder / f"{number}.plist").write_bytes(plistlib.dumps(answer))
    text = school.settings.read_text()
    school.settings.write_text(text.replace("[identity]", '[identity]\ninventory = "input/mdm"'))
    return folder


def checked(school: AgentFolder) -> str:
    done = CliRunner().invoke(agent, ["check", str(school.root)])
    assert done.exit_code in EXIT_CODES.values(), done.output
    return done.output


def kept(school: AgentFolder) -> dict[str, dict[str, int]]:
    with closing(sqlite3.connect(school.database)) as connection:
        return {day: json.loads(apps) for day, apps in connection.execute("SELECT day, apps FROM app_days")}


def test_each_check_keeps_its_day_until_there_is_a_week_and_then_says_what_was_not_met(
    school: AgentFolder,
) -> None:
    folder = with_app_lists(school)
    said = []
    for back in range(WEEK, 0, -1):
        day = TODAY - timedelta(days=back)
        met = [signals("google_docs", 4, day), signals("padlet", 31, day), signals("canva", 4, day)]
        with_signals(school, *met, signals("among_us", 12, day))
        said.append(checked(school))
    assert ["of 5 school days" in text for text in said] == [True, True, True, True, False]
    one = {"google_docs": 0, "padlet": 31}
    assert kept(school) == days(WEEK, **one), "neither what is off task nor what few met and few have"
    text = said[-1]
    assert "Duolingo (11 iPads)" in text
    assert "Among Us" not in text, "what is off task is nobody's business here"
    for file in folder.glob("*.plist"):
        file.unlink()
    assert "Apps on" not in checked(school)
    assert kept(school) == {}


def test_files_that_cannot_be_read_one_night_take_no_day_away(
    school: AgentFolder,
) -> None:
    with_app_lists(school)
    with_signals(school, signals("padlet", 31, TODAY - timedelta(days=1)))
    checked(school)
    bells = school.root / "input" / "bells.csv"
    bells.rename(bells.with_suffix(".away"))
    checked(school)
    assert len(kept(school)) == 1


def test_days_of_more_than_a_fortnight_ago_are_forgotten(school: AgentFolder) -> None:
    with_signals(
        school,
        *(signals("padlet", 12, TODAY - timedelta(days=back)) for back in (1, app_days.DAYS_KEPT, 40)),
    )
    with closing(sqlite3.connect(school.database)) as connection:
        assert list(app_days.known(connection, CATALOGUE, TODAY)) == [(TODAY - timedelta(days=1)).isoformat()]


def test_days_go_with_the_days_of_the_agent_whether_or_not_anybody_checks(school: AgentFolder) -> None:
    with_signals(school)
    old, young = (TODAY - timedelta(days=back) for back in (app_days.DAYS_KEPT + 1, app_days.DAYS_KEPT))
    with closing(sqlite3.connect(school.database)) as connection:
        met = {day.isoformat(): {"padlet": 0} for day in (old, young)}
        app_days.keep(connection, met, as_shown(facts(met)))
        forget_day(connection, day=(TODAY - timedelta(days=1)).isoformat(), orphans=0)
        assert [day for (day,) in connection.execute("SELECT day FROM app_days")] == [young.isoformat()]


def test_a_backup_has_nothing_of_it(school: AgentFolder, tmp_path: Path) -> None:
    with_app_lists(school)
    with_signals(school, signals("google_docs", 4, TODAY - timedelta(days=1)))
    checked(school)
    assert kept(school) == days(1, google_docs=0)
    snapshot.take(school.database, tmp_path / "copy.db")
    assert b'"google_docs"' in school.database.read_bytes() + wal(school)
    assert b'"google_docs"' not in (tmp_path / "copy.db").read_bytes()


def wal(school: AgentFolder) -> bytes:
    path = school.database.with_name(f"{school.database.name}-wal")
    return path.read_bytes() if path.exists() else b""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"padlet": "many"}', '{"padlet": 1e99}'])
def test_a_spoilt_day_is_a_day_less_and_a_spoilt_comparison_is_not_shown(
    school: AgentFolder, text: str
) -> None:
    with_signals(school)
    writer = Writer(school.database, MIGRATIONS)
    try:
        writer.run(lambda connection: checks.keep(connection, by_id(WELL).values(), WELL.now))
        writer.run(partial(app_days.keep, days=days(2, padlet=12), shown=text.encode()))
        yesterday = (TODAY - timedelta(days=1)).isoformat()
        writer.run(lambda c: c.execute("UPDATE app_days SET apps = ? WHERE day = ?", (text, yesterday)))
        found = writer.run(lambda connection: app_days.known(connection, CATALOGUE, TODAY))
        assert found == {(TODAY - timedelta(days=2)).isoformat(): {"padlet": 12}}
        assert (
            "Apps on the iPads"
            not in ask(create_page(busy, None, CheckDesk(writer, lambda: 0)), "GET", "/").text
        )
    finally:
        writer.close()


def test_the_page_has_a_section_only_where_there_are_app_lists(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "agent.db", MIGRATIONS)
    try:
        writer.run(lambda connection: checks.keep(connection, by_id(WELL).values(), WELL.now))
        page = create_page(busy, None, CheckDesk(writer, lambda: WELL.now))
        assert "Apps on the iPads" not in ask(page, "GET", "/").text
        for met, said in (
            (days(2), "2 so far"),
            (days(WEEK, docs=12, padlet=31), "10 iPads"),
            (days(WEEK, docs=12, music=0), "Every one of them that ten iPads or more have was met"),
        ):
            writer.run(partial(app_days.keep, days=met, shown=as_shown(facts(met))))
            text = ask(page, "GET", "/").text
            check_page(Page(text))
            assert "The app lists of 48 iPads" in text
            assert said in text
    finally:
        writer.close()
