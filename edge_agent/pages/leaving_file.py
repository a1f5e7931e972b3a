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
from edge_agent.store import held_by_hub
from edge_agent.store.disclosed_days import DisclosedDays
from shared import files
from shared.pages.environment import HERE
from shared.pages.formats import order_for

HASHES: Final = 1000  # of the newest records; the hash of a day covers all of its records


def write(path: Path, folder: AgentFolder, connection: sqlite3.Connection) -> None:
    """Write the file. Raises SettingsError for a folder that is no agent's, UsageError for a bad place."""
    files.replace(path, page(folder, connection).encode())


def page(folder: AgentFolder, connection: sqlite3.Connection) -> str:
    """The page's text: every day that anything left, whether or not the agent runs now."""
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
    return pages.environment.get_template("leaving_file.html").render(
        order=order_for(language),
        path="",
        status=shape.read(told),
        style=Markup((HERE / "static" / "common.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        written=now.date().isoformat(),
    )
