"""Changes on the day itself, by command or on the page: lessons that have begun stay as they are."""

import asyncio
import json
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from edge_agent.identity.load import load_directory
from edge_agent.identity.today import Change, _toml, add_change, load_changes, parse_change, today_file
from edge_agent.page import create_page
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings
from edge_agent.today_desk import TodayDesk
from shared.errors import SettingsError, UsageError
from tests.edge_agent.identity.test_school_days import MONDAY, ZONE, at, told
from tests.edge_agent.lessons.test_lessons import PEOPLE, Desk, contacts
from tests.edge_agent.lessons.test_lessons import desk as desk
from tests.edge_agent.pages.pages_status import busy
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.shared.pages_reading import Page, check_page

BELLS = [("1", "Mon", "08:00", "08:45"), ("2", "Mon", "09:00", "10:30"), ("3", "Mon", "10:45", "11:30")]
EARLY, BEGUN = at(6), at(9, 20)


def folder_of(root: Path) -> AgentFolder:
    return make_school(root, SchoolSpec([ClassSpec("c1", "t1", learners(3), "1,2,3")], BELLS))


def lessons(root: Path, *said: tuple[str, int], extra: str = "") -> list[str]:
    """The day's lessons once this was said at those moments; `extra` are further bells."""
    folder = folder_of(root)
    if extra:
        path = root / "input" / "bells.csv"
        rows = [f"{row}," for row in path.read_text().splitlines()]
        path.write_text("\n".join([f"{rows[0]}schedule", *rows[1:], extra]))
    schedules = load_directory(folder, load_settings(folder))[0].timetable.schedules
    for words, since in said:
        add_change(today_file(root), parse_change(words, MONDAY, since, schedules))
    found, refused = load_directory(folder, load_settings(folder))
    assert not refused.rows
    return [item[3:14] for item in told(found, MONDAY)]


@pytest.mark.parametrize(
    ("words", "since", "left"),
    [
        ("closed", EARLY, []),
        ("closed", BEGUN, ["08:00-08:45", "09:00-10:30"]),
        ("two-hour delay", EARLY, ["10:00-10:30", "10:45-11:30"]),
        ("90 minute delay", EARLY, ["09:30-10:30", "10:45-11:30"]),
        ("2 hours delay", BEGUN, ["08:00-08:45", "09:00-10:30", "10:45-11:30"]),
        ("early dismissal 11:00", EARLY, ["08:00-08:45", "09:00-10:30", "10:45-11:00"]),
        ("early dismissal 10:50", EARLY, ["08:00-08:45", "09:00-10:30"]),
        ("early dismissal at 10:00", BEGUN, ["08:00-08:45", "09:00-10:30"]),
        ("testing", EARLY, []),
        ("testing", BEGUN, ["08:00-08:45", "09:00-10:30"]),
        ("normal", EARLY, ["08:00-08:45", "09:00-10:30", "10:45-11:30"]),
    ],
)
def test_a_change_holds_from_now_on(tmp_path: Path, words: str, since: int, left: list[str]) -> None:
    assert lessons(tmp_path / "a", (words, since)) == left


def test_a_delay_goes_by_the_schools_own_bells_where_it_has_them(tmp_path: Path) -> None:
    extra = "1,Mon,10:00,10:30,Two-hour delay\n2,Mon,10:35,11:05,two_hour_delay\n"
    assert lessons(tmp_path / "a", ("two hour delay", EARLY), extra=extra) == ["10:00-10:30", "10:35-11:05"]


@pytest.mark.parametrize("words", ["half day", "schedule half_day", "Half-Day"])
def test_a_schedule_of_the_bells_is_called_by_its_name(tmp_path: Path, words: str) -> None:
    assert lessons(tmp_path / "a", (words, EARLY), extra="1,Mon,08:00,08:20,half day\n") == ["08:00-08:20"]


def test_the_last_word_holds_and_normal_takes_back_what_has_not_happened(tmp_path: Path) -> None:
    said = (("closed", EARLY), ("two-hour delay", EARLY + 60), ("early dismissal 11:00", at(9, 50)))
    assert lessons(tmp_path / "a", said[0], said[1]) == []
    assert lessons(tmp_path / "b", said[1], said[2]) == ["10:00-10:30", "10:45-11:00"]
    assert lessons(tmp_path / "c", said[0], ("normal", at(8, 30))) == ["09:00-10:30", "10:45-11:30"]


def test_a_delay_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    two, one = ("two-hour delay", EARLY), ("one hour delay", EARLY + 60)
    assert lessons(tmp_path / "a", two, one) == ["09:00-10:30", "10:45-11:30"]
    early = ("early dismissal 11:00", EARLY + 120)
    assert lessons(tmp_path / "b", one, two, early, (two[0], EARLY + 180)) == ["10:00-10:30", "10:45-11:00"]
    assert lessons(tmp_path / "c", two, early, one) == ["09:00-10:30", "10:45-11:00"]


@pytest.mark.parametrize(
    "words", ["closed", "testing", "two-hour delay", "90 minute delay", "early dismissal 11:00", "normal"]
)
def test_what_is_said_again_changes_nothing_and_is_written_down_once(tmp_path: Path, words: str) -> None:
    folder = folder_of(tmp_path / "a")
    for since in (EARLY, BEGUN, at(10, 40)):
        plans = []
        for moments in ([since], [since, since + 600]):
            changes = [parse_change(words, MONDAY, moment, ()) for moment in moments]
            today_file(folder.root).write_text(_toml(changes))
            plans.append(told(load_directory(folder, load_settings(folder))[0], MONDAY))
        assert plans[0] == plans[1], "or leaving the second out would lose something"
    path = tmp_path / "today.toml"
    for since in (EARLY, EARLY, BEGUN):
        add_change(path, parse_change(words, MONDAY, since, ()))
    assert [item.since for item in load_changes(path)] == [EARLY]
    add_change(path, parse_change("schedule x", MONDAY, BEGUN, {"x"}))
    add_change(path, parse_change(words, MONDAY, BEGUN + 1, ()))
    assert len(load_changes(path)) == 3, "it came back, and that is news"
    add_change(path, parse_change(words, MONDAY, EARLY - 1, ()))
    assert len(load_changes(path)) == 4, "so is an earlier moment"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("holiday maybe", "is not understood"),
        ("half day", "no schedule `half_day`"),
        ("schedule assembly", "they have: regular"),
        ("early dismissal", "needs its time"),
        ("early dismissal 25:00", "no time of the day"),
        ("early dismissal 1:15", "13:15"),
        ("9 hour delay", "at most 6 hours"),
        ("", "is not understood"),
    ],
)
def test_what_cannot_be_done_is_one_line_that_says_what_can(words: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse_change(words, MONDAY, EARLY, {"regular"})
    assert "\n" not in str(caught.value)


def test_an_afternoon_may_be_written_in_two_ways() -> None:
    found = [
        parse_change(f"early dismissal {text}", MONDAY, 0, ()).at for text in ("13:15", "1:15 pm", "12:30pm")
    ]
    assert found == ["13:15", "13:15", "12:30"]


def test_a_change_is_of_its_date_alone_and_is_forgotten_after_a_year(tmp_path: Path) -> None:
    path = tmp_path / "today.toml"
    for day in (date(2025, 1, 1), MONDAY):
        add_change(path, Change(day, "closed", 0))
    assert [item.date for item in load_changes(path)] == [MONDAY]
    assert lessons(tmp_path / "a") != []


@pytest.mark.parametrize("text", ["[[changes]]\ndate = 2026-09-14\n", "what", '[[changes]]\nschedul = "x"\n'])
def test_a_file_that_somebody_spoilt_is_one_line_that_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "today.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="remove the file"):
        load_changes(path)


def test_no_signal_of_a_test_enters_and_a_lesson_under_way_keeps_what_it_had(
    desk: Desk, tmp_path: Path
) -> None:
    desk.take(contacts(range(48)), at(9, 10))
    folder = make_school(
        tmp_path / "b",
        SchoolSpec([ClassSpec(f"c{k}", f"t{k}", PEOPLE[k * 12 : k * 12 + 12]) for k in range(4)]),
    )
    add_change(today_file(folder.root), Change(MONDAY, "testing", at(9, 20)))
    fresh, _ = load_directory(folder, load_settings(folder))
    desk.lessons.close_due(at(9, 20), at(9, 20))
    desk.directory.replace(fresh.inventory, fresh.roster, fresh.timetable)
    device = desk.directory.inventory.by_user[PEOPLE[0].username]
    assert isinstance(desk.directory.lesson_at(device, at(9, 19)), tuple)
    assert desk.directory.lesson_at(device, at(9, 20)) == "testing"
    assert desk.lessons.close_due(at(11), at(11)) == 4, "the lesson that had begun closes once"


def agent(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "commonground", "agent", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def simulated(root: Path, moment: int) -> AgentFolder:
    folder = folder_of(root)
    folder.settings.write_text(folder.settings.read_text() + '[clock]\nfile = "clock.json"\n')
    (root / "clock.json").write_text(json.dumps({"simulated": moment, "real": 0, "rate": 0}))
    return folder


def test_the_command_writes_the_change_down_and_shows_what_holds(tmp_path: Path) -> None:
    folder = simulated(tmp_path / "a", EARLY)
    said = agent("today", str(folder.root), "two-hour", "delay")
    assert said.returncode == 0, said.stderr
    assert "2026-09-14: 2-hour delay, for lessons that begin from 2026-09-14T06:00+02:00 on" in said.stdout
    shown = json.loads(agent("today", str(folder.root), "--json").stdout)
    assert shown["changes"] == [{"change": "2-hour delay", "since": "2026-09-14T06:00+02:00"}]
    assert agent("today", str(folder.root), "closed", "--date", "2026-09-21").returncode == 0
    found, _ = load_directory(folder, load_settings(folder))
    assert (len(told(found, MONDAY)), told(found, date(2026, 9, 21))) == (2, [])


@pytest.mark.parametrize("words", [("closed", "--date", "2026-09-13"), ("closed", "--date", "soon"), ("hm",)])
def test_the_command_says_in_one_line_what_it_will_not_do(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = simulated(tmp_path / "a", EARLY)
    said = agent("today", str(folder.root), *words)
    assert said.returncode != 0 and "Traceback" not in said.stderr
    assert not today_file(folder.root).exists()


class Clock:
    """A clock that stands."""

    def now(self) -> float:
        """Early on the day."""
        return float(EARLY)


@pytest.fixture
def office(tmp_path: Path) -> tuple[Starlette, TodayDesk]:
    folder = folder_of(tmp_path / "a")
    found, _ = load_directory(folder, load_settings(folder))
    today = TodayDesk(today_file(folder.root), ZONE, Clock(), found)
    return create_page(busy, today), today


def ask(app: Starlette, method: str, path: str, body: str = "", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        sent = form | {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100") as client:
            return await client.request(method, path, content=body, headers=sent)

    return asyncio.run(send())


def test_the_pages_own_button_changes_the_day(office: tuple[Starlette, TodayDesk]) -> None:
    app, today = office
    first = ask(app, "GET", "/")
    page = Page(first.text)
    check_page(page)
    assert first.headers["referrer-policy"] == "same-origin", (
        "else a browser does not say where a form is from"
    )
    token = page.all("input")[0].attributes["value"]
    choices = [button.attributes["value"] for button in page.all("button")]
    assert choices == ["two-hour delay", "closed", "testing", "normal", "early dismissal"]
    done = ask(app, "POST", "/today", f"token={token}&change=two-hour+delay", Origin="http://127.0.0.1:8100")
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert [item.words for item in load_changes(today.path)] == ["2-hour delay"]
    assert "2-hour delay, said at 06:00." in Page(ask(app, "GET", "/").text).text
    ask(
        app,
        "POST",
        "/today",
        f"token={token}&at=12%3A30&change=early+dismissal",
        Sec_Fetch_Site="same-origin",
    )
    assert load_changes(today.path)[-1].at == "12:30"


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        ("", {}),
        ("guess", {}),
        ("right", {"Origin": "https://evil.example"}),
        ("right", {"Origin": "null"}),
        ("right", {"Origin": "http://127.0.0.1:9999"}),
        ("right", {"Sec_Fetch_Site": "cross-site"}),
        ("right", {"Sec_Fetch_Site": "same-site"}),
        ("right", {"Host": "evil.example"}),
    ],
)
def test_no_other_page_can_change_the_day(
    office: tuple[Starlette, TodayDesk], token: str, headers: dict[str, str]
) -> None:
    app, today = office
    sent = today.token if token == "right" else token
    answer = ask(app, "POST", "/today", f"token={sent}&change=closed", **headers)
    assert answer.status_code in (400, 403)
    assert not today.path.exists()


@pytest.mark.parametrize(
    "body", ["change=nonsense", "change=early+dismissal", "x" * 9_000, "a=1&" * 50, "%ff=%fe"]
)
def test_a_form_that_makes_no_sense_changes_nothing(office: tuple[Starlette, TodayDesk], body: str) -> None:
    app, today = office
    answer = ask(app, "POST", "/today", f"{body}&token={today.token}")
    assert answer.status_code in (400, 403)
    check_page(Page(answer.text))
    assert not today.path.exists()


def test_the_button_only_answers_to_a_post(office: tuple[Starlette, TodayDesk]) -> None:
    app, today = office
    assert ask(app, "GET", f"/today?token={today.token}&change=closed").status_code in (404, 405)
    assert not today.path.exists()


def test_the_page_shows_no_buttons_where_nothing_can_be_changed() -> None:
    assert not Page(ask(create_page(busy), "GET", "/").text).all("button")
    assert datetime.fromtimestamp(EARLY, ZONE).hour == 6
