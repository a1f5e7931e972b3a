"""`agent collectors` says of each key whether it speaks, was replaced or was revoked."""

import json
from functools import partial

import pytest
from typer.testing import CliRunner

from edge_agent.cli import app
from edge_agent.paths import AgentFolder
from edge_agent.store import collectors
from edge_agent.store.schema import MIGRATIONS
from shared.link import invitations
from shared.link.keys import KeyPair, fingerprint
from shared.storage import Writer
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

OLD, NEW, NEVER = (KeyPair.new().public for _ in range(3))
NOW = 1_789_400_000.0


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> AgentFolder:
    """An agent whose collector `annex` has changed its key, and has a third one that never spoke."""
    folder = make_school(tmp_path_factory.mktemp("school"), SchoolSpec([ClassSpec("c1", "t1", learners(2))]))
    writer = Writer(folder.database, MIGRATIONS)
    address = "tcp://192.0.2.1:5711"
    token = writer.run(
        lambda own: collectors.invite(own, "annex", "dnsmasq", address, KeyPair.new().public, NOW)
    )
    writer.run(lambda own: collectors.enrol(own, OLD, invitations.decode(token).secret, NOW))
    writer.run(lambda own: collectors.KEYS.renew(own, "annex", OLD, NEW, NOW + 1))
    writer.run(lambda own: collectors.KEYS.retire(own, "annex", NEW, NOW + 2))
    writer.run(lambda own: collectors.KEYS.renew(own, "annex", NEW, NEVER, NOW + 3))
    writer.close()
    return folder


def listed(folder: AgentFolder, *words: str) -> str:
    return CliRunner().invoke(app, ["collectors", str(folder.root), *words], catch_exceptions=False).output


def test_an_old_key_is_replaced_and_says_by_which(folder: AgentFolder) -> None:
    old, new, never = listed(folder).splitlines()
    assert fingerprint(OLD) in old and "replaced" in old and old.endswith(f"by {fingerprint(NEW)}")
    assert "joined" in new and "joined" in never
    rows = json.loads(listed(folder, "--json"))
    assert [row["replaced_by"] for row in rows] == [fingerprint(NEW), None, None]


def test_a_key_that_was_revoked_before_the_next_one_spoke_was_not_replaced(folder: AgentFolder) -> None:
    writer = Writer(folder.database, MIGRATIONS)
    writer.run(partial(collectors.revoke, name="annex", now=NOW + 4))
    writer.close()
    old, new, never = listed(folder).splitlines()
    assert "replaced" in old and "revoked" in new and "revoked" in never
