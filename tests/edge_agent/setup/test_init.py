"""`agent init` writes what the school has, asks for it where somebody can answer, and never otherwise."""

import os
import pty
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edge_agent.identity import apple
from edge_agent.paths import AgentFolder
from edge_agent.settings import AddressSettings, SourceSettings, load_settings
from edge_agent.setup import answers, asking, zones
from edge_agent.setup.zones import doubt
from edge_agent.sources.kinds import KINDS
from tests.edge_agent.test_cli import agent, assert_refused

SAID = ("--school", "Hillside", "--timezone", "Europe/Zurich")


def settings(root: Path) -> tuple[str, AgentFolder]:
    folder = AgentFolder(root)
    return folder.settings.read_text(), folder


def test_what_flags_say_stands_in_the_file_and_every_comment_stays(tmp_path: Path) -> None:
    words = ["init", str(tmp_path / "a"), *SAID, "--roster", "/srv/roster.zip", "--inventory", "/srv/mdm"]
    words += [
        "--bells",
        "/srv/bells.csv",
        "--opt-outs",
        "/srv/no.csv",
        "--leases",
        "kea=/var/lib/kea/leases.csv",
    ]
    words += ["--source", "pihole=/var/log/pihole/pihole.log", "--source", "dnstap=tcp://127.0.0.1:6000"]
    done = agent(*words, "--source", "xapi=8101", "--source", "events=/srv/drop")
    assert done.returncode == 0, done.stderr
    text, folder = settings(tmp_path / "a")
    loaded = load_settings(folder)
    assert loaded.sources == (
        SourceSettings("pihole", "resolver", path="/var/log/pihole/pihole.log"),
        SourceSettings("dnstap", "resolver-2", listen="tcp://127.0.0.1:6000"),
        SourceSettings("xapi", "xapi", port=8101, user="apps", password_file="secrets/xapi_password"),
        SourceSettings("events", "events", path="/srv/drop", mapping="lightspeed"),
    )
    assert loaded.addresses == (AddressSettings("kea", "/var/lib/kea/leases.csv"),)
    own = loaded.identity
    assert (own.roster, own.inventory, own.bells) == ("/srv/roster.zip", "/srv/mdm", "/srv/bells.csv")
    assert own.opt_outs == "/srv/no.csv" and own.timetable is None
    plain = answers.text(answers.Answers("Hillside", "Europe/Zurich"), tmp_path)
    assert text.count("#") >= plain.count("#") - 5  # comments behind keys that were comments themselves


def test_without_a_word_about_sources_the_file_is_the_template_as_it_stands(tmp_path: Path) -> None:
    assert agent("init", str(tmp_path / "a"), *SAID).returncode == 0
    _, folder = settings(tmp_path / "a")
    assert load_settings(folder).sources == (SourceSettings("dnsmasq", "resolver", path="input/dnsmasq.log"),)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_source_makes_a_file_that_loads(tmp_path: Path, kind: str) -> None:
    folder = AgentFolder(tmp_path)
    said = answers.Answers('"Nord" \\ Süd', "UTC", sources=[(kind, "/var/log/x"), (kind, 'in "quotes"')])
    folder.settings.write_text(answers.text(said, tmp_path))
    loaded = load_settings(folder)
    assert [source.kind for source in loaded.sources] == [kind, kind]
    assert [source.path for source in loaded.sources] == ["/var/log/x", 'in "quotes"']
    assert loaded.school == '"Nord" \\ Süd'


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--source", "windows95=/x"), "unknown kind"),
        (("--source", "dnsmasq"), "KIND=PATH"),
        (("--leases", "dhcp=/x"), "unknown kind"),
    ],
)
def test_a_source_that_is_none_is_refused_before_anything_is_written(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    assert_refused(agent("init", str(tmp_path / "a"), *SAID, *words), 2, says)
    assert list(tmp_path.iterdir()) == []


def test_a_path_from_where_one_stands_is_kept_so_that_the_agent_finds_it(tmp_path: Path) -> None:
    log = tmp_path / "here.log"
    log.touch()
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert answers.settled("here.log", tmp_path / "a") == str(log)
        assert answers.settled("input/x.csv", tmp_path / "a") == "input/x.csv"
    finally:
        os.chdir(before)


def test_nobody_is_asked_without_a_terminal_or_with_no_input(tmp_path: Path) -> None:
    assert_refused(agent("init", str(tmp_path / "a")), 2, "--school and --timezone")
    code, said = at_a_terminal(["init", str(tmp_path / "a"), "--no-input"], [])
    assert code == 2 and "--school and --timezone" in said
    assert list(tmp_path.iterdir()) == []


def at_a_terminal(words: list[str], lines: list[str]) -> tuple[int, str]:
    """Run with a terminal of its own, into which these lines are typed; exit code, and what stood on it."""
    own, other = pty.openpty()
    command = [sys.executable, "-m", "commonground", "agent", *words]
    process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, close_fds=True)
    os.close(other)
    os.write(own, "".join(f"{line}\n" for line in lines).encode())
    said = b""
    try:
        while block := os.read(own, 4096):
            said += block
    except OSError:
        pass  # how a terminal says that the other side is gone
    os.close(own)
    return process.wait(timeout=60), said.decode()


def test_at_a_terminal_it_asks_for_what_is_missing_and_says_the_steps_on_and_back(tmp_path: Path) -> None:
    typed = ["Hillside", "Mars/Olympus", "Europe/Zurich", "squit", "pihole", "", "xapi", "", "", "n", "kea"]
    typed += ["/var/lib/kea/leases.csv", "/srv/mdm", "", "", ""]
    code, said = at_a_terminal(["init", str(tmp_path / "a")], typed)
    assert code == 0, said
    assert "unknown time zone `Mars/Olympus`" in said and "unknown kind `squit`" in said
    _, folder = settings(tmp_path / "a")
    loaded = load_settings(folder)
    assert (loaded.school, loaded.timezone) == ("Hillside", "Europe/Zurich")
    assert [(one.kind, one.path, one.port) for one in loaded.sources] == [
        ("pihole", "/var/log/pihole/pihole.log", None),
        ("xapi", None, 8101),
    ]
    assert loaded.addresses == (AddressSettings("kea", "/var/lib/kea/leases.csv"),)
    assert loaded.identity.inventory == "/srv/mdm" and loaded.identity.roster == "input/oneroster"
    for words in ("1. one cart", "2. check", "3. the fleet", "The steps back", "unassign its profiles"):
        assert words in said


def test_with_apple_school_managers_roster_it_asks_for_the_timetable_that_is_not_in_it(
    tmp_path: Path,
) -> None:
    roster = tmp_path / "apple.zip"
    with zipfile.ZipFile(roster, "w") as archive:
        for name in apple.NEEDED:
            archive.writestr(name, "x\n")
    typed = ["dnsmasq", "/srv/log", "", "y", "/srv/mdm", str(roster), "", "", "/srv/timetable.csv"]
    code, said = at_a_terminal(["init", str(tmp_path / "a"), *SAID[:2]], ["Europe/Zurich", *typed])
    assert code == 0, said
    assert "never says when a class meets" in said
    _, folder = settings(tmp_path / "a")
    assert load_settings(folder).identity.timetable == "/srv/timetable.csv"


@pytest.mark.parametrize(
    ("zone", "instead"),
    [
        ("MST", "America/Denver, or America/Phoenix if no clock changes there"),
        ("UTC", "such as Europe/Zurich"),
        ("Etc/GMT+7", "such as Europe/Zurich"),
        ("MST7MDT", "America/Denver"),
        ("US/Eastern", "America/New_York"),
        ("Japan", "such as Europe/Zurich"),
    ],
)
def test_a_zone_that_is_no_citys_is_told_what_to_write_instead(zone: str, instead: str) -> None:
    assert doubt(zone).endswith(instead)
    is_fixed = "never changes" in doubt(zone)
    assert is_fixed == (zone not in {"MST7MDT", "US/Eastern"})


def test_against_an_area_and_its_city_nothing_is_said_and_every_city_named_is_one() -> None:
    for zone in ("Europe/Zurich", "America/Phoenix", "America/Indiana/Knox", "Pacific/Honolulu"):
        assert doubt(zone) == ""
    named = {word for text in zones._CITIES.values() for word in re.findall(r"\w+/\w+", text)}
    assert len(named) > 10 and not any(map(doubt, named))


def test_a_flag_with_such_a_zone_is_taken_with_a_warning_and_a_terminal_asks_again(tmp_path: Path) -> None:
    done = agent("init", str(tmp_path / "a"), "--school", "Hillside", "--timezone", "MST")
    assert done.returncode == 0 and "warning: `MST` never changes its clock" in done.stderr
    assert agent("init", str(tmp_path / "b"), *SAID).stderr == ""
    typed = ["MST", "n", "America/Denver", "dnsmasq", "/srv/log", "", "y", "/srv/mdm", "/srv/r.zip", "", ""]
    code, said = at_a_terminal(["init", str(tmp_path / "c"), *SAID[:2]], typed)
    assert code == 0 and "Take MST all the same?" in said, said
    assert load_settings(settings(tmp_path / "c")[1]).timezone == "America/Denver"


def test_the_clock_of_a_server_is_suggested_to_no_school(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Zurich")
    assert asking._own_timezone() == "Europe/Zurich"
    monkeypatch.setenv("TZ", "Etc/UTC")
    assert asking._own_timezone() not in {"Etc/UTC", "UTC"}


def test_a_kind_that_is_nearly_one_is_told_which(tmp_path: Path) -> None:
    refused = agent("init", str(tmp_path / "a"), *SAID, "--source", "pi-hole=/var/log/x")
    assert_refused(refused, 2, "did you mean `pihole`?")
