"""The handover page says everything that is set and nothing that is secret."""

import html
from pathlib import Path

import pytest

from edge_agent.check.findings import Finding
from edge_agent.commands.common import opened_store
from edge_agent.paths import AgentFolder
from edge_agent.settings import hub_file
from edge_agent.setup.handover import sections
from edge_agent.store import checks
from shared.link.keys import KeyPair
from shared.link.peer_file import Peer
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.edge_agent.test_cli import agent

SETTINGS = """
[page]
port = 8123
contact = "Ms Example, room 12"
[notice]
smtp = "mail.school.example"
from = "cg@school.example"
to = ["it@school.example"]
webhook = "https://chat.school.example/hooks/CANARY-TOKEN"
[[sources]]
kind = "dnstap"
id = "unbound"
listen = "tcp://127.0.0.1:6000"
[[sources]]
kind = "xapi"
id = "apps"
port = 8101
user = "apps"
password_file = "secrets/xapi_password"
[[addresses]]
kind = "kea"
path = "/var/lib/kea/leases.csv"
[[carts]]
server = "10.1.0.112"
room = "12"
"""


@pytest.fixture
def folder(tmp_path: Path) -> AgentFolder:
    made = make_school(
        tmp_path / "school",
        SchoolSpec([ClassSpec("c1", "t1", learners(2))], name="A <b> School", settings=SETTINGS),
    )
    hub_file(made).write(Peer("tcp://hub.district.example:5710", KeyPair.new().public))
    return made


def test_the_page_tells_all_that_is_set_and_no_secret(tmp_path: Path, folder: AgentFolder) -> None:
    done = agent("handover", str(folder.root), "--out", str(tmp_path / "h.html"))
    assert done.returncode == 0, done.stderr
    page = html.unescape((tmp_path / "h.html").read_text())
    for words in (
        "A <b> School",
        "http://127.0.0.1:8123/",
        "tcp://127.0.0.1:6000",
        "8101",
        "/var/lib/kea/leases.csv",
        "10.1.0.112",
        "hub.district.example",
        "Ms Example",
        "it@school.example",
        "chat.school.example",
        "input/inventory.csv",
        "agent.key",
    ):
        assert words in page, words
    assert "<b>" not in (tmp_path / "h.html").read_text()
    secrets = [file.read_bytes().strip().decode() for file in folder.secrets.iterdir() if file.is_file()]
    assert secrets and not any(secret in page for secret in (*secrets, "CANARY-TOKEN", "SERA0001", "Given"))


def test_a_file_that_is_missing_and_what_the_last_check_found_stand_there(folder: AgentFolder) -> None:
    (folder.root / "input" / "bells.csv").unlink()
    with opened_store(folder) as connection:
        checks.keep(
            connection,
            [Finding("a", "fix", "It is broken.", do="Mend it."), Finding("b", "ok", "Fine.")],
            1e9,
        )
        found = {section.title: section for section in sections(folder, connection)}
    assert ("when periods are", "input/bells.csv", "NOT THERE") in found["The school’s files"].rows
    assert found["The last check"].rows == [("It is broken.", "Mend it.")]
    assert "2001-09-09" in found["The last check"].said[0]


def test_before_the_first_run_there_is_a_page_too(folder: AgentFolder) -> None:
    found = {section.title: section for section in sections(folder, None)}
    assert "None yet" in found["The last check"].said[0]
