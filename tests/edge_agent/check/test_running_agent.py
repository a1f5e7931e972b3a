"""A running agent: its check is kept and shown, a tick outlives the next check, and a notice goes out."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge_agent.agent import Agent
from edge_agent.paths import AgentFolder
from edge_agent.store.schema import MIGRATIONS
from shared import waiting
from shared.notice import Notice, NoticeSettings
from shared.serving import loopback_socket
from shared.storage import connect, migrate, transaction
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.hub.agents import until
from tests.shared.pages_reading import Page, check_page


def free_port() -> int:
    with loopback_socket(0) as free:
        port: int = free.getsockname()[1]
    return port


class School:
    """A folder, the agent that runs on it, and the webhook that it tells."""

    def __init__(self, root: Path, hook: str) -> None:
        self.port = free_port()
        self.listening = free_port()
        settings = f"""[page]\nport = {self.port}\n[notice]\nwebhook = "{hook}"
[[sources]]\nkind = "dnsmasq"\nid = "dns"\npath = "input/log"
[[sources]]\nkind = "dnsmasq"\nid = "heard"\nlisten = "udp://127.0.0.1:{self.listening}"\n"""
        self.folder: AgentFolder = make_school(
            root, SchoolSpec([ClassSpec("c1", "t1", learners(12))], settings=settings)
        )
        (root / "input" / "log").write_text("Sep 14 08:31:02 dnsmasq[1]: query[A] padlet.com from 10.0.0.9\n")
        self.agent = Agent(root)
        self.thread = threading.Thread(target=self.agent.run)
        self.thread.start()

    def check(self) -> dict[str, dict[str, Any]]:
        command = [sys.executable, "-m", "commonground", "agent", "check", str(self.folder.root), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 4, done.stderr
        return {one["id"]: one for one in json.loads(done.stdout)["findings"]}

    def page(self) -> Page:
        return Page(httpx.get(f"http://127.0.0.1:{self.port}/").text)


@pytest.fixture
def got() -> list[dict[str, str]]:
    return []


@pytest.fixture
def school(tmp_path: Path, got: list[dict[str, str]]) -> Iterator[School]:
    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Hook)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    made = School(tmp_path / "school", f"http://127.0.0.1:{server.server_port}/")
    yield made
    made.agent.stop()
    made.thread.join()
    server.shutdown()
    serving.join()
    server.server_close()


def is_up(school: School) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{school.port}/status.json").status_code == 200
    except httpx.HTTPError:
        return False


def test_what_the_command_finds_stands_on_the_page_and_a_tick_outlives_the_next_check(school: School) -> None:
    until(lambda: is_up(school))
    found = school.check()
    assert found["source.heard.readable"]["level"] == "ok", "the agent itself has the port"
    assert found["source.heard.leases"]["level"] == "look"
    page = school.page()
    check_page(page)
    assert found["source.heard.leases"]["what"] in page.text
    ticked = httpx.post(
        f"http://127.0.0.1:{school.port}/check",
        data={"token": tokens(page)["/check"], "tick": "source.heard.leases"},
    )
    assert ticked.status_code == 303
    again = school.check()
    assert again["source.heard.leases"]["ticked"]
    assert not again["devices.no_lease"]["ticked"]


def tokens(page: Page) -> dict[str, str]:
    """The hidden token of each form: forms and tokens stand in the same order."""
    forms = [one.attributes["action"] for one in page.all("form")]
    hidden = [one.attributes["value"] for one in page.all("input") if one.attributes.get("name") == "token"]
    return dict(zip(forms, hidden, strict=True))


def test_a_notice_that_is_handed_over_goes_out(school: School, got: list[dict[str, str]]) -> None:
    until(lambda: is_up(school))
    connection = connect(school.folder.database)
    migrate(connection, MIGRATIONS)
    notice = Notice("dns-1-silent", "School: source dns is silent", "Since 10:30.", {"event": "silent"})
    with transaction(connection):
        assert waiting.put(connection, notice, NoticeSettings(webhook="x"), 1000.0)
    connection.close()
    until(lambda: bool(got))
    assert [one["event"] for one in got] == ["silent"]
