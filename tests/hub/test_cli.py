"""The hub's commands, each as a person types them."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
import segno
from typer.testing import CliRunner, Result

from hub import folder
from hub.cli import app
from hub.paths import Layout
from hub.store import announced
from shared.errors import SettingsError, UsageError
from shared.link import invitations, keys
from shared.link.keys import fingerprint
from tests.hub.hubs import Hub, new_key
from tests.hub.records import SCHOOL, lesson, week
from tests.shared.pages_reading import Page


def call(*arguments: str | Path) -> Result:
    """Run a command; what it raises on purpose comes through."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


INNER = {"xmldecl": False, "nl": False}  # as it stands inside a picture


def svg_of(token: str) -> bytes:
    """The QR code of exactly this text."""
    drawing = BytesIO()
    segno.make_qr(token, error="m").save(drawing, kind="svg", scale=4, dark="black", light="white", **INNER)
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
    assert "Records that are none" in said and "record_malformed" not in said
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
    drawn = picture.read_bytes()
    assert svg_of(token) in drawn
    assert f"<title>Common Ground: invitation for {SCHOOL}</title>".encode() in drawn
    words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", drawn.decode()))
    expires = datetime.fromtimestamp(invitations.decode(token).expires, UTC)
    assert f"invitation for {SCHOOL} Once, until {expires:%Y-%m-%d %H:%M} UTC." in words
    before = call("invite", layout.folder, "--school", "Birch").stdout
    with pytest.raises(UsageError, match="exists"):
        call("invite", layout.folder, "--school", "Birch", "--qr", picture)
    with pytest.raises(UsageError, match="no folder"):
        call("invite", layout.folder, "--school", "Birch", "--qr", tmp_path / "nowhere" / "x.svg")
    assert invitations.decode(before).server_public
    assert json.loads(call("status", layout.folder, "--json").stdout)["inviting"], "the one before is open"


def test_a_hostile_name_stays_text_in_the_picture(layout: Layout, tmp_path: Path) -> None:
    name, picture = (
        'Birch "<script>alert(1)</script>" & Sons of the valley beyond the hills',
        tmp_path / "x.svg",
    )
    call("invite", layout.folder, "--school", name, "--qr", picture)
    drawn = Page(picture.read_text())
    assert not [tag for tag in drawn.tags if "script" in tag.name]
    assert drawn.one("svg:title").text == f"Common Ground: invitation for {name}"
    said = [one.text for one in drawn.all("svg:text")]
    assert max(map(len, said)) < 40 and name.replace(" ", "") in "".join(said).replace(" ", "")


def test_a_token_goes_into_a_file_for_its_owner_alone_and_nowhere_else(
    layout: Layout, tmp_path: Path
) -> None:
    out = tmp_path / "token"
    said = call("invite", layout.folder, "--school", SCHOOL, "--out", out)
    assert said.stdout == ""
    assert out.stat().st_mode & 0o777 == 0o600
    assert invitations.decode(out.read_text()).server_public
    assert out.read_text().strip() not in said.stderr
    assert "void" not in said.stderr
    with pytest.raises(UsageError, match="exists"):
        call("invite", layout.folder, "--school", SCHOOL, "--out", out)
    with pytest.raises(UsageError, match="name two files"):
        call("invite", layout.folder, "--school", SCHOOL, "--out", tmp_path / "a", "--qr", tmp_path / "a")
    again = call("invite", layout.folder, "--school", SCHOOL)
    assert f"The earlier one for {SCHOOL} is void." in again.stderr


def test_a_key_that_waits_is_told_of_with_who_lacks_it(hub: Hub, layout: Layout) -> None:
    enrolment = hub.join(SCHOOL)
    said = call("rotate-key", layout.folder).stdout
    assert "1 school does not know it yet" in said and "learns it within a few seconds" in said
    assert f"  {SCHOOL}\n" in said
    made = json.loads(call("rotate-key", layout.folder, "--json").stdout)
    assert made["fingerprint"] in said
    assert (made["in_force"], made["not_told"]) == (False, [SCHOOL])
    shown = call("status", layout.folder).stdout
    assert f"The key to come: {made['fingerprint']}" in shown and f"  {SCHOOL}\n" in shown
    with pytest.raises(UsageError, match=f"not known to 1 of the schools yet .{SCHOOL}.: wait"):
        call("rotate-key", layout.folder, "--switch")
    following = keys.next_pair(layout.keys, folder.LINK_KEY)
    assert following is not None
    hub.writer.run(lambda own: announced.tell(own, int(enrolment), following.public))
    assert "every school knows it" in call("status", layout.folder).stdout
    assert json.loads(call("rotate-key", layout.folder, "--switch", "--json").stdout) == {
        "fingerprint": made["fingerprint"],
        "in_force": True,
        "not_told": [],
    }
    assert "key to come" not in call("status", layout.folder).stdout


def test_simulated_is_said_once(tmp_path: Path) -> None:
    for district in ("North", "North (simulated)"):
        call("init", tmp_path / district, "--district", district, "--simulated")
        assert call("status", tmp_path / district).stdout.startswith("North (simulated): no schools\n")


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
    assert call("alarms", layout.folder).stdout == "Nothing needs a look.\n"
    assert "cleared 20" in call("alarms", layout.folder, "--all").stdout
    assert call("alarms", layout.folder, "--clear", "all").stdout.startswith("Nothing to clear.\n")
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
