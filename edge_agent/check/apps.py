"""Apps on the iPads: what app lists of the MDM name beside what lessons met; nothing is a fault."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from edge_agent.catalogue.met import LEAST_DEVICES
from edge_agent.check.facts import AppFacts, Facts
from edge_agent.check.findings import Finding
from edge_agent.check.words import counted

WEEK: Final = 5  # school days
NAMED: Final = 5  # apps in a sentence


class AppRow(msgspec.Struct, frozen=True):
    """An app, and how many devices, ten or more."""

    name: str
    devices: int

    @property
    def words(self) -> str:
        """How many, as pages and sentences say it."""
        return few(self.devices)


class AppsOnIpads(msgspec.Struct, frozen=True):
    """The comparison: `days` school days of lessons were looked at, of the WEEK that it takes.

    unseen: installed on ten iPads or more and met in no lesson, as long as there is no week none; elsewhere:
    met by ten devices or more on a day and installed on no iPad.
    """

    lists: int
    installed: int
    days: int
    unseen: tuple[AppRow, ...] = ()
    elsewhere: tuple[AppRow, ...] = ()

    @property
    def told(self) -> str:
        """How many iPads told their list, as pages and sentences say it."""
        return few(self.lists)


def few(number: int) -> str:
    """`48 iPads`; numbers of devices below ten are not told."""
    return counted(number, "iPad") if number >= LEAST_DEVICES else f"fewer than {LEAST_DEVICES} iPads"


def compared(facts: AppFacts) -> AppsOnIpads:
    """What the lists name and lessons do not, and the other way round."""
    week = sorted(day for day in facts.days if day < facts.today)[-WEEK:]
    most: dict[str, int] = {}
    for day in (*week, facts.today):
        for app, devices in facts.days.get(day, {}).items():
            most[app] = max(devices, most.get(app, 0))
    unseen = (
        AppRow(app.name, app.installed)
        for name, app in facts.apps.items()
        if app.installed >= LEAST_DEVICES and name not in most
    )
    elsewhere = (
        AppRow(app.name, most[name])
        for name, app in facts.apps.items()
        if app.nameable and not app.installed and most.get(name, 0) >= LEAST_DEVICES
    )
    return AppsOnIpads(
        facts.lists if facts.lists >= LEAST_DEVICES else 0,
        sum(app.installed > 0 for app in facts.apps.values()),
        len(week),
        _rows(unseen) if len(week) >= WEEK else (),
        _rows(elsewhere),
    )


def as_shown(facts: AppFacts) -> bytes:
    """The comparison as the page reads it."""
    return msgspec.json.encode(compared(facts))


def _rows(rows: Iterable[AppRow]) -> tuple[AppRow, ...]:
    return tuple(sorted(rows, key=lambda row: (-row.devices, row.name)))


def about_apps(facts: Facts) -> Iterator[Finding]:
    """Two findings that are always well; none where the inventory has no app lists."""
    if facts.apps is None:
        return
    shown = compared(facts.apps)
    figures = {"apps": len(shown.unseen), "installed": shown.installed, "days": shown.days}
    if shown.days < WEEK:
        what = (
            f"The app lists of {shown.told} name {counted(shown.installed, 'listed app')};"
            f" {shown.days} of {WEEK} school days of lessons are counted to compare them with."
        )
    elif not shown.unseen:
        what = (
            f"Every listed app that {LEAST_DEVICES} iPads or more have was met in lessons of the last five"
            " school days."
        )
    else:
        what = (
            f"{counted(len(shown.unseen), 'listed app')} on the iPads, not met in lessons of the last five"
            f" school days: {_named(shown.unseen)}. Not used in lessons, or used offline, where nothing can"
            " see it, or asked for by names that the catalogue lacks."
        )
    yield Finding("apps.unseen", "ok", what, figures)
    if shown.elsewhere:
        yield Finding(
            "apps.elsewhere",
            "ok",
            f"{counted(len(shown.elsewhere), 'listed app')} met in lessons, on no iPad’s app list:"
            f" {_named(shown.elsewhere)}. A browser needs no app.",
            {"apps": len(shown.elsewhere)},
        )


def _named(rows: tuple[AppRow, ...]) -> str:
    names = ", ".join(f"{row.name} ({row.words})" for row in rows[:NAMED])
    return names if len(rows) <= NAMED else f"{names} and {len(rows) - NAMED} more"
