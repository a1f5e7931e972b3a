"""Sets up the hub and the schools' agents the way their owners would: by commands, files and settings."""

import json
import secrets
from pathlib import Path
from typing import Any, Final

from demo.bells import render_bells
from demo.inventory import render_inventory
from demo.layout import Layout
from demo.oneroster import render_oneroster
from demo.ports import LOOPBACK
from demo.processes import Commands
from demo.school import TIMEZONE, School
from demo.state import SchoolState
from demo.term import TERM_END
from demo.toml_edit import set_tail, set_value
from shared.settings import write_secret

DISTRICT: Final = "Lakeshore Unified (simulated)"
TAIL_MARK: Final = "# The simulated school: its clock, and its apps' reports."

_CLOCK: Final = '[clock]\nfile = "../../clock.json"\n'
_APPS: Final = """
[[sources]]
kind = "xapi"
id = "apps"
port = {port}
user = "apps"
password_file = "secrets/xapi_password"
"""


MODELS = '["tim", "samr", "acot"]'  # stages of a lesson, a band of a lesson, a band of a term


def set_up_hub(commands: Commands, layout: Layout, port: int, link_port: int) -> None:
    """Make the hub's folder if there is none, and let it listen on these ports."""
    link = f"tcp://{LOOPBACK}:{link_port}"
    settings = layout.hub / "hub.toml"
    if not settings.exists():
        options = ("--district", DISTRICT, "--port", str(port), "--link", link, "--simulated")
        commands.run("hub", "init", str(layout.hub), *options)
    text = set_value(settings.read_text(), "link", "address", f'"{link}"')
    settings.write_text(set_value(text, "page", "port", str(port)))


def set_up_agent(
    commands: Commands, layout: Layout, school: School, ports: dict[str, int], link_port: int
) -> None:
    """Make a school's agent folder with its input files if there is none; put the ports into its settings."""
    folder = layout.agent(school.slug)
    settings = folder / "agent.toml"
    page = str(ports[f"{school.slug}/page"])
    if not settings.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        options = ("--school", school.name, "--timezone", TIMEZONE, "--port", page)
        commands.run("agent", "init", str(folder), *options)
    _write_input(layout, school)
    text = set_value(settings.read_text(), "page", "port", page)
    text = set_value(text, "identity", "leases", '"input/dnsmasq.leases"')
    text = set_value(text, "scoring", "models", MODELS)
    tail = _CLOCK
    if school.character.reports_actions:
        if not layout.password(school.slug).exists():
            layout.password(school.slug).parent.mkdir(mode=0o700, exist_ok=True)
            write_secret(layout.password(school.slug), secrets.token_urlsafe(24).encode())
        tail += _APPS.format(port=ports[f"{school.slug}/apps"])
    settings.write_text(set_tail(text, TAIL_MARK, tail))
    joined = folder / "hub.toml"
    if joined.exists():
        joined.write_text(set_value(joined.read_text(), "", "address", f'"tcp://{LOOPBACK}:{link_port}"'))


def enrol(commands: Commands, layout: Layout, school: School, state: SchoolState) -> None:
    """Let the school's agent join the hub, and share what its teachers agreed to; whatever is left to do."""
    if not (layout.agent(school.slug) / "hub.toml").exists():
        _join(commands, layout, school)
    if not state.shared:
        _share(commands, layout, school, state)


def _join(commands: Commands, layout: Layout, school: School) -> None:
    token = commands.run("hub", "invite", str(layout.hub), "--school", school.name, "--simulated").strip()
    commands.run("agent", "join", str(layout.agent(school.slug)), "-", stdin=token + "\n")


def _share(commands: Commands, layout: Layout, school: School, state: SchoolState) -> None:
    folder = str(layout.agent(school.slug))
    codes = class_codes(commands.run("agent", "classes", folder, "--json"))
    wanted = [codes[section.sourced_id] for section in school.sections if section.shared]
    if wanted:
        commands.run("agent", "share", folder, *wanted, "--until", TERM_END.isoformat())
    state.shared = wanted


def class_codes(listed: str) -> dict[str, str]:
    """OneRoster id -> class code, from what `agent classes --json` prints."""
    rows: list[dict[str, Any]] = json.loads(listed)
    return {row["class_id"]: row["code"] for row in rows}


def _write_input(layout: Layout, school: School) -> None:
    folder = layout.agent(school.slug) / "input"
    roster = folder / "oneroster"
    roster.mkdir(parents=True, exist_ok=True)
    files = {f"oneroster/{name}": text for name, text in render_oneroster(school).items()}
    files |= {"inventory.csv": render_inventory(school), "bells.csv": render_bells(school)}
    for name, text in files.items():
        path = folder / name
        if not path.exists():
            path.write_text(text, encoding="utf-8", newline="")
    layout.resolver_log(school.slug).touch()
    layout.leases(school.slug).touch()


def import_usage(commands: Commands, layout: Layout, folder: Path) -> None:
    """Import the usage exports that the district already has."""
    commands.run("hub", "import-usage", str(layout.hub), str(folder))
