"""What a check knows of apps: the app lists of the inventory, and what lessons of the last days met."""

import sqlite3
from contextlib import closing
from datetime import date

from edge_agent.catalogue.met import LEAST_DEVICES
from edge_agent.check.facts import AppFacts, ListedApp
from edge_agent.days import day_of
from edge_agent.identity.inventory import listed_apps
from edge_agent.parts import Parts
from edge_agent.paths import AgentFolder
from edge_agent.store import app_days
from shared.storage import reader


def app_facts(folder: AgentFolder, parts: Parts, now: float) -> AppFacts | None:
    """Every listed app but those off task; None where the inventory has no app lists."""
    inventory, catalogue = parts.directory.inventory, parts.catalogue
    if not inventory.installed:
        return None
    installed = listed_apps(inventory, catalogue)
    today = day_of(now, parts.settings.zone)
    apps = {
        app.id: ListedApp(app.name, installed.get(app.id, 0), bool(app.bundle_ids))
        for app in catalogue.apps
        if not app.off_task
    }
    days = {
        day: {name: devices for name, devices in met.items() if devices or _is_told(apps[name])}
        for day, met in _days(folder, parts, today).items()
    }
    return AppFacts(inventory.lists, apps, days, today.isoformat())


def _is_told(app: ListedApp) -> bool:
    """Whether it is of use that few devices met it: of what few have, it would be a word about them."""
    return app.installed >= LEAST_DEVICES


def _days(folder: AgentFolder, parts: Parts, today: date) -> app_days.AppDays:
    if not folder.database.exists():
        return {}
    try:
        with closing(reader(folder.database)) as connection:
            return app_days.known(connection, parts.catalogue, today)
    except sqlite3.Error:
        return {}  # in the middle of an upgrade, or spoilt: said elsewhere
