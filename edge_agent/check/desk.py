"""What the agent's page shows of the newest check, and how it takes a tick."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec

from edge_agent.check.apps import AppsOnIpads
from edge_agent.check.findings import Finding
from edge_agent.store import app_days, checks
from shared.errors import UsageError
from shared.storage import Writer, reader


@dataclass(frozen=True, slots=True)
class ShownChecks:
    """When the newest check was (seconds UTC), and its findings but for those that are well."""

    at: int
    open: tuple[Finding, ...]
    ticked: tuple[Finding, ...]
    well: int
    token: str
    apps: AppsOnIpads | None = None


class CheckDesk:
    """Reads findings and writes ticks; any thread. `token` is of this run, so that no other page may post."""

    def __init__(self, writer: Writer, clock: Callable[[], float]) -> None:
        self.token = secrets.token_urlsafe(32)
        self._writer = writer
        self._clock = clock

    def shown(self) -> ShownChecks | None:
        """What the page shows now; None before the first check."""
        connection = reader(self._writer.path)
        try:
            kept = checks.listed(connection)
            apps = app_days.shown(connection)
        finally:
            connection.close()
        if not kept:
            return None
        # What is to be fixed comes first; else in the order of the check.
        wrong = [one for level in ("fix", "look") for one in kept if one.finding.level == level]
        return ShownChecks(
            at=kept[0].at,
            open=tuple(one.finding for one in wrong if not one.ticked),
            ticked=tuple(one.finding for one in wrong if one.ticked),
            well=len(kept) - len(wrong),
            token=self.token,
            apps=None if apps is None else _compared(apps),
        )

    def take(self, name: str, *, on: bool) -> None:
        """Tick a finding off, or take that back. Raises UsageError for one that is not there (any more)."""
        now = self._clock()
        if not self._writer.run(partial(checks.tick, name=name, now=now, on=on)):
            raise UsageError("this finding is gone: a newer check does not have it")


def _compared(text: str) -> AppsOnIpads | None:
    """None for what another version of this program wrote: the coming night replaces it."""
    try:
        return msgspec.json.decode(text, type=AppsOnIpads)
    except msgspec.MsgspecError:
        return None
