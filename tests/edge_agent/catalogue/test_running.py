"""A running agent takes up what school and district say of the catalogue, and loses nothing by it."""

import threading
from pathlib import Path

import httpx

from edge_agent.catalogue import own
from edge_agent.catalogue.asking import DistrictAsker
from edge_agent.catalogue.in_use import district_file, load_in_use
from edge_agent.paths import AgentFolder
from models.catalogue.layers import FIRST_OWN
from models.catalogue.overlay import District, Entry, Overlay, encode_district, overlay_version
from shared import signals
from shared.storage import reader
from tests.edge_agent.backpressure import DURING, RunningAgent, leases, look_ups
from tests.hub.agents import until

CASTLE = own.entry_of("Castle", domains=["castle.example"], off_task=True)
SAID = Overlay(("noise.example",), (Entry("moat", "Moat", ("moat.example",), off_task=True),))


def apps(school: RunningAgent) -> list[int]:
    """The app of every stored signal."""
    connection = reader(school.folder.database)
    found = [
        int(app)
        for (payload,) in connection.execute("SELECT payload FROM batches ORDER BY id")
        for app in signals.decode(payload, apps=1 << 15).app
    ]
    connection.close()
    return found


def test_a_running_agent_takes_up_a_change_and_loses_and_doubles_nothing(tmp_path: Path) -> None:
    school = RunningAgent(tmp_path / "school", tmp_path / "log", "free_mib = 1")
    school.log.write_text(leases() + look_ups(0, 100))
    school.set_clock(DURING - 2_400)
    asked = "Sep 14 09:10:{:02d} dnsmasq[9]: query[A] www.castle.example from 10.0.0.1\n"
    with school.running():
        until(lambda: school.status().get("signals") == 100)
        with school.log.open("a") as file:
            file.write(asked.format(1))
        until(lambda: school.status().get("signals") == 101)
        own.put(school.folder, CASTLE)
        version = load_in_use(school.folder).catalogue.version
        until(lambda: version in _page(school))
        with school.log.open("a") as file:
            file.write(asked.format(2))
        until(lambda: school.status().get("signals") == 102)
    assert len(apps(school)) == 102
    assert apps(school)[-2:] == [0, FIRST_OWN]


def _page(school: RunningAgent) -> str:
    try:
        return httpx.get(f"{school.site}/catalogue", timeout=10).text
    except httpx.TransportError:
        return ""


def test_what_the_district_says_is_kept_if_it_is_sound_and_asked_again_if_there_is_no_answer(
    tmp_path: Path,
) -> None:
    folder = AgentFolder(tmp_path)
    sound = encode_district(District(1, overlay_version(SAID), SAID))
    answers: list[bytes | None] = [None, b"rubbish", sound, b"rubbish"]
    asker = DistrictAsker(folder, lambda what, patience: answers.pop(0))
    kept = []
    while answers:
        assert asker.look()
        kept.append(district_file(folder).read_bytes() if district_file(folder).exists() else None)
    assert kept == [None, None, sound, sound]

    def silent(what: str, patience: float) -> bytes | None:
        raise TimeoutError(what)

    assert not DistrictAsker(folder, silent).look()


def test_asking_ends_when_it_is_told_to(tmp_path: Path) -> None:
    heard = threading.Event()
    asker = DistrictAsker(AgentFolder(tmp_path), lambda what, patience: heard.set())
    asker.start()
    assert heard.wait(30)
    asker.stop()
    until(lambda: "district catalogue" not in {thread.name for thread in threading.enumerate()})
