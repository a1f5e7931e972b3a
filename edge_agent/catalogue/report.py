"""The coverage report: how much of what is met in lessons the catalogue knows, and what it does not know."""

import sqlite3
from dataclasses import dataclass
from typing import Any, Final

from edge_agent.store.met import Share, Unlisted, shares, top_unlisted
from shared.pages.figure import Cell, Kind, Table

WEEK: Final = 7
_COLUMNS: Final[tuple[tuple[str, Kind], ...]] = (
    *(("what", "text"), ("name", "text"), ("listed", "count"), ("off_task", "count")),
    *(("unlisted", "count"), ("background", "count"), ("devices", "count")),
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """`days`, the newest first, and a week's unlisted names that ten or more devices asked for on a day."""

    days: tuple[Share, ...]
    unlisted: tuple[Unlisted, ...]

    @property
    def week(self) -> tuple[Share, ...]:
        """The newest days that have a week's length."""
        return self.days[:WEEK]

    @property
    def known(self) -> float | None:
        """Which share of a week's contacts, background apart, the catalogue knows."""
        listed = sum(day.listed + day.off_task for day in self.week)
        use = listed + sum(day.unlisted for day in self.week)
        return listed / use if use else None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "known": self.known,
            "days": [day._asdict() | {"known": day.known} for day in self.days],
            "unlisted": [name._asdict() for name in self.unlisted],
        }

    def as_csv(self) -> str:
        """Days, then names, each row with what it is."""
        rows: list[tuple[Cell, ...]] = [
            ("day", day.day, day.listed, day.off_task, day.unlisted, day.background, None)
            for day in self.days
        ]
        rows += [("name", one.domain, None, None, one.contacts, None, one.devices) for one in self.unlisted]
        return Table(columns=_COLUMNS, rows=tuple(rows)).csv()


def coverage(connection: sqlite3.Connection) -> Coverage:
    """What the agent's file holds of it."""
    return Coverage(tuple(shares(connection)), tuple(top_unlisted(connection, WEEK)))
