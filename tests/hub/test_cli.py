"""The hub's commands, each as a person types them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.paths import Layout
from shared.errors import SettingsError, UsageError
from shared.link import invitations
from tests.hub.hubs import Hub
from tests.hub.records import SCHOOL, lesson, week


def call(*arguments: str | Path) -> Result:
    """Run a command; what it raises on purpose comes through."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


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
    for command in ("init", "run", "invite", "schools", "revoke", "import-usage", "status"):
        said = call(command, "--help")
        assert said.exit_code == 0
        assert "DIR" in said.stdout


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
