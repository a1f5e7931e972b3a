"""A key file of no use, or a port that is taken for a moment, shuts no school out and says what to do."""

import shutil
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from hub import folder
from hub.cli import app
from hub.inbox import HubInbox
from hub.link import HubLink, next_key
from hub.paths import Layout
from shared.errors import SettingsError
from shared.link import keys
from shared.link.joining import join
from shared.link.limits import Limits
from shared.link.server import LinkServer
from tests.hub.agents import until
from tests.hub.hubs import EPOCH, Hub
from tests.hub.records import SCHOOL


def written(path: Path, data: bytes, mode: int = 0o600) -> None:
    """A file with this content."""
    path.write_bytes(data)
    path.chmod(mode)


BAD: dict[str, Callable[[Path], object]] = {
    "rubbish": lambda path: written(path, b"\xff\x00no key"),
    "empty": lambda path: path.touch(0o600),
    "a folder": lambda path: path.mkdir(0o700),
    "readable by others": lambda path: written(path, b"x" * 40, 0o644),
}


@pytest.mark.parametrize("what", BAD)
def test_a_next_key_of_no_use_counts_as_none_and_is_shown(hub: Hub, what: str) -> None:
    path = hub.layout.keys / "link.next.key"
    BAD[what](path)
    assert next_key(hub.layout, folder.link_keys(hub.layout).public)() == ""
    enrolment = hub.join(SCHOOL)
    hub.inbox.close()
    hub.inbox = HubInbox(
        hub.writer, lambda: hub.now, next_key=next_key(hub.layout, folder.link_keys(hub.layout).public)
    )
    assert hub.inbox.hello(enrolment, "records", EPOCH).last_seq == 0
    assert f"{path} is no key" in hub.views.status().trouble
    said = CliRunner().invoke(app, ["status", str(hub.layout.folder)]).stdout
    assert "remove it, and `rotate-key` again" in said
    done = CliRunner().invoke(app, ["rotate-key", str(hub.layout.folder)])
    assert isinstance(done.exception, SettingsError) and "remove it" in str(done.exception)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert CliRunner().invoke(app, ["rotate-key", str(hub.layout.folder)]).exit_code == 0
    assert hub.views.status().trouble == ""


@pytest.mark.parametrize("what", BAD)
def test_a_key_of_no_use_says_which_file_and_what_to_do(layout: Layout, what: str) -> None:
    path = layout.keys / "link.key"
    path.unlink()
    BAD[what](path)
    with pytest.raises(SettingsError, match=r"link\.key.*(restore it from the backup|chmod 600)"):
        folder.link_keys(layout)


class Crowded(LinkServer):
    """Somebody else takes the port between the hub's old key and its new one, and then lets go."""

    started: ClassVar[list[str]] = []

    def start(self) -> None:
        """Start; the second one finds the port taken."""
        self.started.append(self.endpoint)
        with ExitStack() as held:
            if len(self.started) == 2:
                host, _, port = self.endpoint.removeprefix("tcp://").rpartition(":")
                held.enter_context(socket.create_server((host, int(port))))
            super().start()


def test_after_a_switch_the_link_comes_up_as_soon_as_its_port_is_free(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.link.LinkServer", Crowded)
    link = HubLink(hub.layout, "tcp://127.0.0.1:*", hub.inbox, Limits())
    link.start()
    address = link.endpoint
    try:
        with capture_logs() as logged:
            keys.make_next(hub.layout.keys, folder.LINK_KEY)
            pair = keys.promote(hub.layout.keys, folder.LINK_KEY)
            until(lambda: "link_key_changed" in [one["event"] for one in logged])
        assert ["in use" in str(one.get("error")) for one in logged] == [True, False]
        assert Crowded.started == ["tcp://127.0.0.1:*", address, address]
        secret = hub.invite(SCHOOL)
        join(address, pair.public, keys.KeyPair.new(), secret, SCHOOL, 30.0)
    finally:
        link.stop()


def test_a_key_that_has_just_taken_its_place_is_announced_until_the_hub_goes_over(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "hub")
    folder.create(layout, "District", 8000, "tcp://127.0.0.1:5710", simulated=True)
    look = next_key(layout, folder.link_keys(layout).public)
    assert look() == ""
    made = keys.make_next(layout.keys, folder.LINK_KEY)
    assert look() == made.public
    keys.promote(layout.keys, folder.LINK_KEY)
    assert look() == made.public, "schools that ask now must not be told that there is none"
    assert next_key(layout, made.public)() == ""
