"""What leaves the school as one HTML file that loads nothing, for the school's own website."""

import os
import sqlite3
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from edge_agent.clock import make_clock
from edge_agent.pages import shape
from edge_agent.pages.routes import pages
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings
from edge_agent.store import disclosures, held_by_hub
from edge_agent.store.disclosed_days import DisclosedDays
from shared import files
from shared.errors import CommonGroundError
from shared.pages.environment import HERE
from shared.pages.formats import order_for
from shared.storage import snapshot

HASHES: Final = 100  # of the newest records; the hash of a day covers all of its records


def write(path: Path, folder: AgentFolder, connection: sqlite3.Connection) -> None:
    """Write the file. Raises SettingsError for a folder that is no agent's, UsageError for a bad place, and
    CommonGroundError, with nothing written, for a log that is not whole.
    """
    files.replace(path, page(folder, connection).encode())


def page(folder: AgentFolder, connection: sqlite3.Connection) -> str:
    """The page's text: every day that anything left, whether or not the agent runs now; raises as `write`."""
    with snapshot(connection):  # the agent may be writing: what is checked is what is shown
        return _page(folder, connection)


def _page(folder: AgentFolder, connection: sqlite3.Connection) -> str:
    _, broken = disclosures.verify(connection)
    if broken is not None:
        raise CommonGroundError(
            f"the disclosure log breaks at entry {broken}, so nothing was written: compare it with a backup"
        )
    settings = load_settings(folder)
    days = DisclosedDays(settings.zone, HASHES)
    days.read(connection)
    held = held_by_hub.read(connection, settings.zone)
    told: dict[str, Any] = {
        "school": settings.school,
        "simulated": settings.clock is not None,
        "contact": settings.page.contact,
        "district_holds": asdict(held) if held else None,
        **days.told(),
    }
    now = datetime.fromtimestamp(make_clock(folder, settings).now(), settings.zone)
    language = os.environ.get("LANG", "").split(".")[0].replace("_", "-")
    today = now.date().isoformat()
    return pages.environment.get_template("leaving_file.html").render(
        checked=today,
        order=order_for(language),
        path="",
        status=shape.read(told),
        style=Markup((HERE / "static" / "common.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        written=today,
    )
