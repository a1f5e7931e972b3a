"""The district's entries of the catalogue: versioned in the hub, told to every school that may talk."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from hub import folder
from hub.commands.common import opened_store
from hub.inbox import HubInbox
from hub.paths import Layout
from hub.store import catalogue, enrolments
from hub.store.schema import MIGRATIONS
from models.catalogue.overlay import EMPTY, Entry, Overlay, decode_district
from shared import storage
from shared.link.server import LinkServer
from tests.hub.agents import Agent
from tests.hub.hubs import Hub
from tests.hub.records import SCHOOL

CASTLE = Overlay(("noise.example",), (Entry("castle", "Castle", ("castle.example",), off_task=True),))


def test_each_change_has_the_next_number_and_the_same_again_has_not(layout: Layout) -> None:
    with opened_store(layout) as connection:
        assert catalogue.newest(connection) is None
        numbers = [catalogue.put(connection, one, 0.0).number for one in (CASTLE, CASTLE, EMPTY, CASTLE)]
        assert numbers == [1, 1, 2, 3]
        assert catalogue.current(connection) == decode_district(catalogue.newest(connection) or b"")


def test_a_school_is_told_the_newest_and_nothing_else_by_that_name(hub: Hub) -> None:
    assert hub.inbox.tell("1", "catalogue") is None
    with opened_store(hub.layout) as connection:
        catalogue.put(connection, CASTLE, 0.0)
    assert decode_district(hub.inbox.tell("1", "catalogue") or b"").overlay == CASTLE
    assert hub.inbox.tell("1", "catalogues") is None


def test_it_comes_down_the_link_to_a_school(layout: Layout, tmp_path: Path) -> None:
    with opened_store(layout) as connection:
        catalogue.put(connection, CASTLE, 0.0)
    with ExitStack() as stack:
        writer = storage.Writer(layout.database, MIGRATIONS)
        stack.callback(writer.close)
        inbox = HubInbox(writer)
        stack.callback(inbox.close)
        keys = folder.link_keys(layout)
        server = LinkServer("tcp://127.0.0.1:*", keys, inbox)
        server.start()
        stack.callback(server.stop)
        agent = Agent(tmp_path / "agent", SCHOOL)
        stack.callback(agent.close)
        token = writer.run(
            lambda own: enrolments.invite(own, SCHOOL, False, "tcp://127.0.0.1:5710", keys.public, 3.2e9)
        )
        agent.join(token, server.endpoint)
        with agent.connected(server.endpoint, keys.public) as client:
            assert decode_district(client.ask("catalogue", 30) or b"").overlay == CASTLE
            assert client.ask("other", 30) is None


def run(layout: Layout, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command."""
    command = [sys.executable, "-m", "commonground", "hub", "catalogue", str(layout.folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done


def test_the_command_sets_shows_and_clears_and_what_it_shows_it_takes(layout: Layout, tmp_path: Path) -> None:
    file = tmp_path / "district.toml"
    file.write_text('background = ["noise.example"]\n[[app]]\nid = "castle"\nname = "C"\noff_task = true\n')
    refused = run(layout, "set", str(file))
    assert refused.returncode != 0 and "no domain and no bundle id" in refused.stderr
    file.write_text(file.read_text() + 'domains = ["castle.example"]\n')
    said = run(layout, "set", str(file)).stdout
    assert said.startswith("Number 1, version ") and said.endswith(": 1 entry, 1 name of no use.\n")
    shown = run(layout, "show").stdout
    again = tmp_path / "again.toml"
    again.write_text(shown)
    assert run(layout, "set", str(again)).stdout.startswith("Number 1, ")
    assert run(layout, "clear").stdout == "Number 2: no entries.\n"
    assert json.loads(run(layout, "show", "--json").stdout)["overlay"] == {}
