"""The hub's commands, each as a person types them."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
import segno
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.paths import Layout
from shared.errors import SettingsError, UsageError
from shared.link import invitations
from shared.link.keys import fingerprint
from tests.hub.hubs import Hub, new_key
from tests.hub.records import SCHOOL, lesson, week


def call(*arguments: str | Path) -> Result:
    """Run a command; what it raises on purpose comes through."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def svg_of(token: str) -> bytes:
    """The QR code of exactly this text."""
    drawing = BytesIO()
    segno.make_qr(token, error="m").save(drawing, kind="svg", scale=4, dark="black", light="white")
    return drawing.getvalue()


def test_a_new_hub_invites_and_lists_its_schools(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    assert call("init", folder, "--district", "North", "--port", "8111", "--simulated").exit_code == 0
    assert call("schools", folder).stdout.startswith("No school yet")
    said = call("invite", folder, "--school", SCHOOL).stdout
    assert said.count("\n") == 1
    assert invitations.decode(said).address == "tcp://127.0.0.1:5710"
    (school,) = json.loads(call("schools", folder, "--json").stdout)
    assert (school["name"], school["simulated"], school["freshness"]) == (SCHOOL, True, "never")
    assert "invited, not joined yet" in call("schools", folder).stdout
    assert json.loads(call("status", folder, "--json").stdout)["inviting"] is True


def test_commands_work_while_the_hub_writes(hub: Hub, layout: Layout) -> None:
    enrolment = hub.join(SCHOOL)
    hub.send(enrolment, lesson(), week(), b"nonsense")
    with hub.writer_busy():
        (school,) = json.loads(call("schools", layout.folder, "--json").stdout)
    assert (school["lessons_shared"], school["latest_week"]) == (1, "2025-W36")
    assert call("invite", layout.folder, "--school", "Birch Academy").exit_code == 0
    assert hub.inbox.inviting()
    said = call("status", layout.folder).stdout
    assert "North District: 2 schools" in said
    assert "record_malformed" in said
    assert SCHOOL in call("revoke", layout.folder, "alder-primary").stdout
    assert hub.inbox.enrolments() == {}
    assert "revoked" in call("schools", layout.folder).stdout


def test_usage_is_imported_with_a_table_of_what_became_of_each_file(layout: Layout) -> None:
    shipped = Path(__file__).parents[2] / "demo" / "usage"
    said = call("import-usage", layout.folder, shipped).stdout.splitlines()
    assert said[0].split()[:2] == ["file", "district"]
    assert [line.split()[0] for line in said[1:]] == [
        "districts_info.csv",
        "products_info.csv",
        "2872.csv",
        "3670.csv",
        "4373.csv",
    ]
    again = json.loads(call("import-usage", layout.folder, shipped, "--json").stdout)
    assert {report["file"]: report["days"] for report in again}["2872.csv"] == 33


@pytest.mark.parametrize("command", ["schools", "status", "run"])
def test_a_folder_that_is_no_hub_gets_one_line(tmp_path: Path, command: str) -> None:
    with pytest.raises(SettingsError, match="init") as said:
        call(command, tmp_path)
    assert "\n" not in str(said.value)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_value_is_bad_usage(tmp_path: Path) -> None:
    assert call("init", tmp_path, "--district", "North", "--port", "70000").exit_code == 2
    assert call("invite", tmp_path).exit_code == 2
    with pytest.raises(UsageError):
        call("init", tmp_path / "hub", "--district", " ")


def test_every_command_explains_itself() -> None:
    for command in ("init", "run", "invite", "schools", "revoke", "import-usage", "status", "alarms"):
        said = call(command, "--help")
        assert said.exit_code == 0
        assert "DIR" in said.stdout


def test_an_invitation_says_whom_to_trust_and_until_when_beside_the_token(layout: Layout) -> None:
    said = call("invite", layout.folder, "--school", SCHOOL)
    public = invitations.decode(said.stdout).server_public
    assert fingerprint(public) in said.stderr
    assert SCHOOL in said.stderr and "until 20" in said.stderr
    assert said.stdout.strip() not in said.stderr


def test_an_invitation_as_a_qr_code_is_for_its_owner_alone_and_reads_as_the_token(
    layout: Layout, tmp_path: Path
) -> None:
    picture = tmp_path / "alder.svg"
    token = call("invite", layout.folder, "--school", SCHOOL, "--qr", picture).stdout.strip()
    assert picture.stat().st_mode & 0o777 == 0o600
    assert picture.read_bytes() == svg_of(token)
    before = call("invite", layout.folder, "--school", "Birch").stdout
    with pytest.raises(UsageError, match="exists"):
        call("invite", layout.folder, "--school", "Birch", "--qr", picture)
    with pytest.raises(UsageError, match="no folder"):
        call("invite", layout.folder, "--school", "Birch", "--qr", tmp_path / "nowhere" / "x.svg")
    assert invitations.decode(before).server_public
    assert json.loads(call("status", layout.folder, "--json").stdout)["inviting"], "the one before is open"


def test_a_terminal_shows_the_code_and_a_pipe_does_not(layout: Layout) -> None:
    command = [sys.executable, "-m", "commonground", "hub", "invite", str(layout.folder), "--school", SCHOOL]
    piped = subprocess.run(command, capture_output=True, check=True)
    assert len(piped.stderr.splitlines()) == 2
    leader, follower = pty.openpty()
    try:
        # A pseudo-terminal holds little: it is read while the command still writes.
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower) as shown:
            os.close(follower)
            drawn = b""
            with contextlib.suppress(OSError):  # the other end is closed
                while some := os.read(leader, 65_536):
                    drawn += some
            assert shown.stdout is not None
            assert invitations.decode(shown.stdout.read().decode()).server_public
        assert "█".encode() in drawn
        assert len(drawn.splitlines()) > 20
    finally:
        os.close(leader)


def test_schools_are_shown_with_their_fingerprint_and_since_when(hub: Hub, layout: Layout) -> None:
    key = new_key()
    hub.inbox.join(key, hub.invite(SCHOOL), SCHOOL)
    said = call("schools", layout.folder).stdout
    assert fingerprint(key) in said and "2025-11-01T12:00:00Z" in said
    (school,) = json.loads(call("schools", layout.folder, "--json").stdout)
    assert (school["fingerprint"], school["enrolled"]) == (fingerprint(key), "2025-11-01T12:00:00Z")
    call("revoke", layout.folder, SCHOOL)
    (school,) = json.loads(call("schools", layout.folder, "--json").stdout)
    assert (school["fingerprint"], school["enrolled"]) == (None, None)


def test_alarms_are_listed_cleared_and_told_of_by_status(hub: Hub, layout: Layout) -> None:
    assert call("alarms", layout.folder).stdout == "Nothing needs a look.\n"
    enrolment = hub.join(SCHOOL)
    hub.send(enrolment, lesson("Birch Academy"), lesson("Cedar"))
    said = call("alarms", layout.folder).stdout
    assert "in another school’s name" in said and "2 times" in said and "agent.toml" in said
    assert "Alarms: 1." in call("status", layout.folder).stdout
    (one,) = json.loads(call("alarms", layout.folder, "--json").stdout)
    assert (one["school"], one["reason"], one["count"]) == (SCHOOL, "another_school", 2)
    assert json.loads(call("alarms", layout.folder, "--clear", str(one["id"]), "--json").stdout) == []
    assert "Alarms" not in call("status", layout.folder).stdout
    with pytest.raises(UsageError, match="`alarms` lists them"):
        call("alarms", layout.folder, "--clear", "99")


def test_an_invitation_names_the_public_address(tmp_path: Path) -> None:
    folder, name = tmp_path / "hub", "tcp://hub.north.example:443"
    words = ("init", folder, "--district", "North", "--link", "tcp://0.0.0.0:5710")
    with pytest.raises(UsageError, match="--public"):
        call(*words)
    assert not folder.exists()
    assert call(*words, "--public", name).exit_code == 0
    assert invitations.decode(call("invite", folder, "--school", SCHOOL).stdout).address == name


def test_a_hub_that_nobody_can_call_invites_nobody(layout: Layout) -> None:
    text = layout.settings.read_text()
    layout.settings.write_text(text.replace("tcp://127.0.0.1:5710", "tcp://*:5710"))
    with pytest.raises(SettingsError, match="no agent can call"):
        call("invite", layout.folder, "--school", SCHOOL)
    assert call("schools", layout.folder).stdout.startswith("No school yet")
