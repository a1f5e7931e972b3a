"""Whoever joins with an invitation that does not fit is told in clear words what to do."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_agent.cli import app
from hub.inbox import HubInbox
from hub.pages.reasons import refused_words
from hub.store import enrolments
from hub.views.status import Refused
from shared.errors import CommonGroundError, UsageError
from shared.link import invitations
from shared.link.keys import KeyPair, fingerprint
from shared.link.server import LinkServer
from tests.hub.hubs import Hub
from tests.hub.records import SCHOOL


class Door:
    """A hub that listens; `invite` gives tokens of it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.keys = KeyPair.new()
        self._inbox = HubInbox(hub.writer)
        self._server = LinkServer("tcp://127.0.0.1:*", self.keys, self._inbox)
        self._server.start()

    def invite(self, name: str = SCHOOL, *, ago: float = 0.0, key: str = "") -> str:
        """A token, made some seconds `ago`, of this hub or of one with another `key` at its address."""
        return self.hub.writer.run(
            lambda own: enrolments.invite(
                own, name, False, self._server.endpoint, key or self.keys.public, time.time() - ago
            )
        )

    def close(self) -> None:
        """Stop listening."""
        self._server.stop()
        self._inbox.close()


@pytest.fixture
def door(hub: Hub) -> Iterator[Door]:
    made = Door(hub)
    yield made
    made.close()


def agent(tmp_path: Path, name: str = "agent", school: str = SCHOOL) -> Path:
    """A new agent's folder."""
    folder = tmp_path / name
    words = ["init", str(folder), "--school", school, "--timezone", "Europe/Vienna"]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    return folder


def join(folder: Path, token: str) -> str:
    """What joining says; what it raises on purpose comes through."""
    done = CliRunner().invoke(app, ["join", str(folder), "-"], input=token, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def _counted(door: Door) -> tuple[Refused, ...]:
    return door.hub.views.status().refused


def test_both_ends_show_the_same_fingerprints(door: Door, tmp_path: Path) -> None:
    said = join(agent(tmp_path), door.invite())
    (school,) = door.hub.views.district().schools
    assert f"The hub's fingerprint: {fingerprint(door.keys.public)}" in said
    assert f"This agent's fingerprint: {school.fingerprint}" in said


def test_a_used_invitation_says_so_whether_or_not_another_is_open(door: Door, tmp_path: Path) -> None:
    token, other = door.invite(), agent(tmp_path, "other")
    join(agent(tmp_path), token)
    with pytest.raises(CommonGroundError, match=r"no invitation open: this one was used, replaced or ran"):
        join(other, token)
    door.invite("Birch")
    with pytest.raises(CommonGroundError, match=r"used already: ask for a new one"):
        join(other, token)


def test_an_expired_invitation_says_when(door: Door, tmp_path: Path) -> None:
    token = door.invite(ago=enrolments.LIFETIME_S + 3600)
    for name in ("Birch", "Cedar"):
        with pytest.raises(CommonGroundError, match=r"this invitation expired on 20..-..-..: ask for a new"):
            join(agent(tmp_path, name), token)
        door.invite("Dogwood")


def test_an_invitation_that_a_newer_one_made_void_says_so(door: Door, tmp_path: Path) -> None:
    first, _ = door.invite(), door.invite()
    with pytest.raises(CommonGroundError, match=r"a newer invitation was made, .* use that one"):
        join(agent(tmp_path), first)
    assert "an invitation that a newer one had made void" in [
        refused_words(one.reason).lower() for one in _counted(door)
    ]


def test_an_altered_invitation_is_noticed_before_anybody_is_asked(door: Door, tmp_path: Path) -> None:
    token, folder = door.invite(), agent(tmp_path)
    for at in (8, len(token) // 2, len(token) - 1):
        altered = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(UsageError, match=r"altered on its way: ask for a new invitation"):
            join(folder, altered)
    assert join(folder, token)


def test_an_invitation_of_a_hub_that_this_one_never_made_is_unknown_here(door: Door, tmp_path: Path) -> None:
    door.invite()
    token = invitations.decode(door.invite("Birch"))
    foreign = invitations.encode(
        invitations.Token(token.address, token.server_public, bytes(24), token.expires)
    )
    with pytest.raises(CommonGroundError, match=r"does not know this invitation: ask for a new one"):
        join(agent(tmp_path), foreign)


def test_an_agent_that_has_joined_keeps_its_hub_and_says_which(door: Door, tmp_path: Path) -> None:
    folder = agent(tmp_path)
    join(folder, door.invite())
    before = (folder / "hub.toml").read_bytes()
    with pytest.raises(UsageError, match=f"of fingerprint {fingerprint(door.keys.public)}; remove that file"):
        join(folder, door.invite("Birch", key=KeyPair.new().public))
    assert (folder / "hub.toml").read_bytes() == before


def test_an_agent_of_another_name_is_told_where_to_change_it(door: Door, tmp_path: Path) -> None:
    folder = agent(tmp_path, school="Alder Secondary")
    token = door.invite()
    with pytest.raises(CommonGroundError, match=r"another name: set `school` in agent.toml"):
        join(folder, token)
    settings = folder / "agent.toml"
    settings.write_text(settings.read_text().replace("Alder Secondary", SCHOOL))
    assert join(folder, token)


def test_a_school_that_has_joined_does_not_change_its_agent_by_an_old_invitation(
    door: Door, tmp_path: Path
) -> None:
    """As a backup of the hub, or two people at once, may have left one open."""
    token = door.invite()
    door.hub.inbox.join(KeyPair.new().public, door.hub.invite(SCHOOL), SCHOOL)
    before = door.hub.inbox.enrolments()
    door.hub.writer.run(
        lambda own: own.execute(
            "UPDATE link_invitation SET expires = ? WHERE used IS NULL", (time.time() + 60,)
        )
    )
    with pytest.raises(CommonGroundError, match=r"joined with another key: let the hub `revoke` that one"):
        join(agent(tmp_path), token)
    assert door.hub.inbox.enrolments() == before
    assert [one.reason for one in door.hub.views.alarms()] == ["other_key"]
