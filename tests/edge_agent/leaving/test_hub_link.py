"""A new key that cannot be used, or is refused, is told to people and stops nothing."""

from pathlib import Path
from typing import Any

import pytest

from edge_agent.leaving.hub_link import OWN, HubLink
from edge_agent.paths import AgentFolder
from shared.link import keys
from shared.link.client import LinkClient
from shared.link.keys import KeyPair
from shared.link.peer_file import Peer
from shared.link.spool import Spool


class Client(LinkClient):
    """Remembers what it was asked for; never started."""

    asked: tuple[str, ...] = ()

    def renew(self, pair: KeyPair) -> None:
        self.asked += (pair.public,)
        super().renew(pair)


@pytest.fixture
def folder(tmp_path: Path) -> AgentFolder:
    found = AgentFolder(tmp_path)
    found.secrets.mkdir(mode=0o700)
    return found


def a_link(folder: AgentFolder) -> HubLink:
    """As the agent makes it."""
    made: list[Any] = []

    def make(*arguments: Any, **named: Any) -> LinkClient:
        made.append(Client(*arguments, **named))
        return made[0]  # type: ignore[no-any-return] # what was just made

    return HubLink(folder, Peer("tcp://127.0.0.1:9", KeyPair.new().public), Spool(), make=make)


def asked(link: HubLink) -> tuple[str, ...]:
    assert isinstance(link.client, Client)
    return link.client.asked


@pytest.mark.parametrize("content", ["", "no key", "#" * 40])
@pytest.mark.parametrize("when", ["before the start", "while it runs"])
def test_a_file_that_holds_no_next_key_is_told_until_it_is_gone(
    folder: AgentFolder, content: str, when: str
) -> None:
    link = a_link(folder) if when == "while it runs" else None
    path = folder.secrets / "agent.next.key"
    path.touch(0o600)
    path.write_text(content)
    link = link or a_link(folder)
    link.look()
    assert "cannot be used" in link.trouble and "agent.next.key" in link.trouble
    assert asked(link) == ()
    path.unlink()
    link.look()
    assert link.trouble == ""


def test_a_next_key_that_others_can_read_is_taken_up_once_they_cannot(folder: AgentFolder) -> None:
    link = a_link(folder)
    following = keys.make_next(folder.secrets, OWN)
    path = folder.secrets / "agent.next.key"
    path.chmod(0o644)
    link.look()
    assert "chmod 600" in link.trouble and asked(link) == ()
    path.chmod(0o600)
    link.look()
    assert link.trouble == "" and asked(link) == (following.public,)


def test_a_next_key_that_is_a_folder_stops_nothing(folder: AgentFolder) -> None:
    (folder.secrets / "agent.next.key").mkdir(mode=0o700)
    link = a_link(folder)
    link.look()
    assert "cannot be used" in link.trouble


def test_a_refused_key_is_told_until_the_advice_was_followed(folder: AgentFolder) -> None:
    link = a_link(folder)
    keys.make_next(folder.secrets, OWN)
    link.look()
    link._not_renewed("key_of_another_enrolment")
    link.look()
    assert "key_of_another_enrolment" in link.trouble, "until then"
    (folder.secrets / "agent.next.key").unlink()
    link.look()
    assert link.trouble == ""
    again = keys.make_next(folder.secrets, OWN)
    link.look()
    assert asked(link)[-1] == again.public


def test_a_new_key_is_asked_for_once_and_becomes_the_agents_own(folder: AgentFolder) -> None:
    following = keys.make_next(folder.secrets, OWN)
    link = a_link(folder)
    link.look()
    assert asked(link) == (following.public,)
    link._renewed(following)
    link._renewed(following)
    link.look()
    assert keys.pairs(folder.secrets, OWN) == (following,)
    assert asked(link) == (following.public,) and link.trouble == ""
