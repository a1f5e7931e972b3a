"""The school's own entries: written, read, put over the shipped catalogue; a bad file stops nothing."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_agent.catalogue import own
from edge_agent.catalogue.in_use import district_file, load_in_use, school_file
from edge_agent.catalogue.overruling import overruled
from edge_agent.catalogue.trying import try_entry
from edge_agent.catalogue.watching import LOOK_SECONDS, CatalogueWatch
from edge_agent.paths import AgentFolder
from edge_agent.placing.parcel import Met
from edge_agent.remote.catalogue import LOOK_SECONDS as ASK_AGAIN
from edge_agent.remote.catalogue import AgentCatalogue
from edge_agent.remote.telling import CATALOGUE, SETUP, Setup
from edge_agent.store import met
from edge_agent.store.met import Share, Unlisted
from edge_agent.store.schema import MIGRATIONS
from models.catalogue.layers import FIRST_OWN, encode_layers
from models.catalogue.load import load_catalogue
from models.catalogue.match import NameMatcher
from models.catalogue.overlay import District, Entry, Overlay, encode_district, overlay_version
from shared.errors import SettingsError, UsageError
from shared.storage import connect, migrate
from tests.edge_agent.catalogue.test_met import TODAY, asked
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

CASTLE = own.entry_of("Number Castle", domains=["https://Castle.Example/x?y"], function="LC - Study Tools")


@pytest.fixture
def folder(tmp_path: Path) -> AgentFolder:
    return make_school(tmp_path / "school", SchoolSpec([ClassSpec("c1", "t1", learners(2))]))


def say(folder: AgentFolder, number: int, overlay: Overlay) -> None:
    """What the district says."""
    said = District(number, overlay_version(overlay), overlay)
    district_file(folder).write_bytes(encode_district(said))


def found(folder: AgentFolder, name: str) -> str:
    """The id of the app that has a name, or nothing."""
    catalogue = load_in_use(folder).catalogue
    index = NameMatcher(catalogue).match(name)
    return catalogue.apps[index - 1].id if index > 0 else ""


def test_what_was_typed_becomes_an_entry_that_is_met(folder: AgentFolder) -> None:
    assert (CASTLE.id, CASTLE.domains) == ("number_castle", ("castle.example",))
    own.put(folder, CASTLE)
    assert found(folder, "www.castle.example") == "number_castle"
    own.remove(folder, "number_castle")
    assert found(folder, "www.castle.example") == ""
    with pytest.raises(UsageError, match="no own entry"):
        own.remove(folder, "number_castle")


def test_a_name_like_a_shipped_one_puts_no_shipped_entry_out_of_use(folder: AgentFolder) -> None:
    entry = own.entry_of("Padlet", domains=["castle.example"], off_task=True)
    own.put(folder, entry)
    assert (found(folder, "padlet.com"), found(folder, "castle.example")) == ("padlet", "padlet_school")


def test_the_school_goes_before_the_district_and_both_before_what_is_shipped(folder: AgentFolder) -> None:
    district = Entry("district_pad", "Pad", ("padlet.com", "castle.example"), off_task=True)
    say(folder, 1, Overlay(("quizlet.com",), (district,)))
    own.put(folder, CASTLE)
    names = ("padlet.com", "castle.example", "quizlet.com")
    assert [found(folder, name) for name in names] == ["district_pad", "number_castle", ""]


def test_indexes_are_kept_in_the_store_across_changes(folder: AgentFolder) -> None:
    with closing(connect(folder.database)) as connection:
        migrate(connection, MIGRATIONS)
    own.put(folder, CASTLE)
    assert load_in_use(folder, keep=True).catalogue.by_id["number_castle"] == FIRST_OWN
    own.remove(folder, "number_castle")
    own.put(folder, own.entry_of("Other", domains=["other.example"], off_task=True))
    kept = load_in_use(folder, keep=True).catalogue
    assert kept.by_id["other"] == FIRST_OWN + 1
    assert (kept.apps[FIRST_OWN - 1].id, "number_castle" in kept.by_id) == ("number_castle", False)
    own.put(folder, CASTLE)
    assert load_in_use(folder).catalogue.by_id["number_castle"] == FIRST_OWN


@pytest.mark.parametrize("text", ["app = 3", "[[app]]\nid = 'x'", "\x00", "[" * 5000, "[[app]]\ndomain = 1"])
def test_a_bad_file_is_left_out_and_the_district_still_counts(folder: AgentFolder, text: str) -> None:
    say(folder, 1, Overlay(("quizlet.com",)))
    school_file(folder).write_text(text)
    in_use = load_in_use(folder)
    assert "left out" in in_use.trouble and "catalogue.toml" in in_use.trouble
    assert NameMatcher(in_use.catalogue).match("quizlet.com") == -1


def test_a_district_that_talks_rubbish_is_left_out_and_said(folder: AgentFolder) -> None:
    own.put(folder, CASTLE)
    district_file(folder).write_bytes(b"\xff" * 100)
    assert "district's catalogue is left out" in load_in_use(folder).trouble
    assert found(folder, "castle.example") == "number_castle"


def test_a_steady_change_is_noticed_and_a_bad_one_changes_nothing(
    folder: AgentFolder,
) -> None:
    now = [0.0]
    watch = CatalogueWatch(folder, load_in_use(folder), lambda: now[0])

    def looks() -> list[bool]:
        found = []
        for _ in range(3):
            now[0] += LOOK_SECONDS
            found.append(watch.has_changed())
        return found

    assert not any(looks())
    school_file(folder).write_text("app = 3")
    assert not any(looks())
    assert "what was said before holds" in watch.trouble
    own_text = "background = ['quizlet.com']\n"
    school_file(folder).write_text(own_text)
    assert looks() == [False, True, False]
    assert watch.trouble == ""


def test_a_collector_has_the_agents_catalogue_and_goes_over_to_a_new_one(
    folder: AgentFolder,
) -> None:
    now, said = [0.0], {"in_use": load_in_use(folder)}

    def ask(what: str) -> bytes | None:
        in_use = said["in_use"]
        version = in_use.catalogue.version
        return {
            SETUP: msgspec.msgpack.encode(Setup("r", "dnsmasq", "UTC", version, len(in_use.catalogue.apps))),
            CATALOGUE: encode_layers(in_use.layers),
        }.get(what)

    remote = AgentCatalogue(ask, said["in_use"].catalogue.version, lambda: now[0])
    assert remote.load() is load_catalogue()
    own.put(folder, CASTLE)
    said["in_use"] = load_in_use(folder)
    assert remote.look() is None
    now[0] += ASK_AGAIN
    fresh = remote.look()
    assert fresh is not None and fresh.version == said["in_use"].catalogue.version
    assert fresh.apps == said["in_use"].catalogue.apps
    now[0] += ASK_AGAIN
    assert remote.look() is None
    with pytest.raises(SettingsError, match="install the same version"):
        AgentCatalogue(ask, "0" * 12).load()


def test_trying_says_what_a_week_would_have_become() -> None:
    counted = [Unlisted("castle.example", 300, 14, 3), Unlisted("other.example", 50, 11, 1)]
    entry = own.entry_of(
        "Castle", domains=["castle.example", "play.other.example", "padlet.com"], off_task=True
    )
    tried = try_entry(entry, load_catalogue(), counted, [Share(TODAY, 5, 0, 700, 9)])
    assert [(one.domain, one.whole) for one in tried.meets] == [
        ("castle.example", True),
        ("other.example", False),
    ]
    assert (tried.contacts, tried.unlisted, tried.becomes) == (350, 700, {"other": 1.0})
    assert tried.takes == (("padlet.com", "Padlet"),)


@pytest.mark.parametrize(
    "typed",
    [
        {"name": "", "domains": ["a.example"], "off_task": True},
        {"name": "A", "domains": ["com"], "off_task": True},
        {"name": "A", "domains": ["a.example"]},
        {"name": "A", "domains": ["a.example"], "function": "None"},
        {"name": "A", "domains": ["a.example"], "channels": {"dream": 1.0}},
        {"name": "A", "off_task": True},
        {"name": "A", "domains": ["a.example"], "entry_id": "Not An Id", "off_task": True},
    ],
)
def test_what_is_no_entry_is_refused_in_one_line(folder: AgentFolder, typed: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as said:
        own.entry_of(**typed)
    assert "\n" not in str(said.value)
    assert not school_file(folder).exists()


def test_the_command_lists_adds_tries_covers_and_removes(folder: AgentFolder) -> None:
    with closing(connect(folder.database)) as connection:
        migrate(connection, MIGRATIONS)
        met.add(connection, [asked("castle.example", 12), Met(TODAY, 0, 0, 30, 0, {})])
        connection.commit()

    def agent(*words: str) -> str:
        command = [sys.executable, "-m", "commonground", "agent", "catalogue", str(folder.root), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done.stdout if done.returncode == 0 else done.stderr

    report = json.loads(agent("coverage", "--json"))
    assert [one["domain"] for one in report["unlisted"]] == ["castle.example"]
    assert "unlisted" in (tried := agent("try", "castle.example")) and "30 look-ups" in tried
    added = agent("add", "Castle", "--domain", "castle.example", "--channels", "practise 0.7, consume 0.3")
    assert added.startswith("castle is written down")
    assert json.loads(agent("list", "--json"))["own"]["app"][0]["channels"] == {
        "practise": 0.7,
        "consume": 0.3,
    }
    assert "listed, Castle" in agent("try", "www.castle.example")
    assert "no known channel" in agent("add", "B", "--domain", "b.example", "--channels", "dream 1")
    agent("remove", "castle")
    assert "No entries beyond the shipped ones." in agent()


def made_up(round_: int) -> Overlay:
    """As many entries as a district may have, all with ids that nobody had before."""
    apps = [Entry(f"x{round_}_{n}", "X", (f"x{round_}-{n}.example",), off_task=True) for n in range(200)]
    return Overlay((), tuple(apps))


def test_a_hub_that_makes_up_entries_leaves_the_school_its_own_and_room_for_more(folder: AgentFolder) -> None:
    with closing(connect(folder.database)) as connection:
        migrate(connection, MIGRATIONS)
    own.put(folder, CASTLE)
    in_use = load_in_use(folder)
    for round_ in range(8):
        say(folder, round_ + 1, made_up(round_))
        in_use = load_in_use(folder, keep=True)
    assert "has used up" in in_use.trouble
    assert found(folder, "castle.example") == "number_castle"
    own.put(folder, own.entry_of("New One", domains=["new-one.example"], off_task=True))
    load_in_use(folder, keep=True)
    assert found(folder, "new-one.example") == "new_one"
    say(folder, 9, Overlay(("quizlet.com",)))
    assert load_in_use(folder).trouble == ""
    assert NameMatcher(load_in_use(folder).catalogue).match("quizlet.com") == -1


def test_what_a_district_takes_from_the_shipped_catalogue_is_said_by_name() -> None:
    shipped = load_catalogue()
    entries = (
        Entry("games", "Games", ("docs.padlet.com", "padlet.com"), off_task=True),
        Entry("quizlet", "Elsewhere", ("elsewhere.example",), off_task=True),
        Entry("plain", "New", ("new.example",), off_task=True),
    )
    said = overruled(shipped, Overlay(("kahoot.it", "nobody.example"), entries))
    assert [(one.name, one.becomes) for one in said if one.shipped == "Padlet"] == [
        ("docs.padlet.com", "off task"),
        ("padlet.com", "off task"),
    ]
    assert ("kahoot.it", "no use") in [(one.name, one.becomes) for one in said]
    assert any(one.becomes == "out of use" and one.shipped == "Quizlet" for one in said)
    assert not any("nobody" in one.name or "new.example" in one.name for one in said)
