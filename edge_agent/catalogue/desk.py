"""What the agent's page shows of the catalogue, and how it takes an entry: to try, to add, to change."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from edge_agent.catalogue import own
from edge_agent.catalogue.in_use import InUse, school_file
from edge_agent.catalogue.overruling import Overruled, overruled
from edge_agent.catalogue.report import Coverage, coverage
from edge_agent.catalogue.trying import Tried, try_entry
from edge_agent.paths import AgentFolder
from models.catalogue.load import load_catalogue, load_functions
from models.catalogue.overlay import Entry, Overlay, overlay_version, read_overlay
from shared.errors import SettingsError, UsageError
from shared.storage import reader

OFF_TASK: Final = "off task"
WEIGHTS: Final = "weights"
BACKGROUND: Final = "background"


@dataclass(frozen=True, slots=True)
class ShownCatalogue:
    """What is in use, what the school's file says, what was counted; `waits` until the file is taken up."""

    in_use: InUse
    own: Overlay
    waits: bool
    coverage: Coverage
    functions: tuple[str, ...]
    token: str
    trouble: str
    overruled: tuple[Overruled, ...]


@dataclass(frozen=True, slots=True)
class CatalogueDesk:
    """Reads and writes `catalogue.toml`; any thread. `token`: so that no other page may post."""

    folder: AgentFolder
    in_use: InUse
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def shown(self) -> ShownCatalogue:
        """What the page shows now."""
        trouble, said = self.in_use.trouble, self.in_use.school
        try:
            said = read_overlay(school_file(self.folder))
        except SettingsError as error:
            trouble = str(error)
        waits = overlay_version(said) != overlay_version(self.in_use.school)
        functions = tuple(sorted(load_functions()))
        district = self.in_use.district
        taken = overruled(load_catalogue(), district.overlay) if district else ()
        return ShownCatalogue(
            self.in_use, said, waits, self.coverage(), functions, self.token, trouble, taken
        )

    def coverage(self) -> Coverage:
        """The coverage report."""
        connection = reader(self.folder.database)
        try:
            return coverage(connection)
        finally:
            connection.close()

    def try_out(self, form: Mapping[str, str]) -> tuple[Entry, Tried]:
        """What the form's entry would have made of a week. Raises UsageError for what is no entry."""
        if form.get("affords") == BACKGROUND:
            raise UsageError("there is nothing to try: names that are not use are left out")
        entry, report = _entry(form), self.coverage()
        return entry, try_entry(entry, self.in_use.catalogue, report.unlisted, report.week)

    def take(self, form: Mapping[str, str]) -> None:
        """Add, change or take away what the form says. Raises UsageError or SettingsError."""
        if "remove" in form:
            own.remove(self.folder, form["remove"])
            done = "removed"
        elif form.get("affords") == BACKGROUND:
            names = _listed(form.get("domains", ""))
            if not names:
                raise UsageError("give the host names that are not use")
            own.put_background(self.folder, names)
            done = "background"
        else:
            own.put(self.folder, _entry(form))
            done = "put"
        structlog.get_logger("agent").info("catalogue changed on the page", done=done)


def _entry(form: Mapping[str, str]) -> Entry:
    affords = form.get("affords", "")
    return own.entry_of(
        form.get("name", ""),
        entry_id=form.get("id", ""),
        domains=_listed(form.get("domains", "")),
        bundle_ids=_listed(form.get("bundle_ids", "")),
        function="" if affords in (OFF_TASK, WEIGHTS) else affords,
        channels=own.weights_of(form.get("weights", "")) if affords == WEIGHTS else None,
        off_task=affords == OFF_TASK,
    )


def _listed(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,;]+", text) if part]
