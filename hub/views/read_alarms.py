"""Alarms read from the store, each with its words."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hub.store import alarms
from hub.views.alarms import Alarm
from hub.views.words import rfc3339

_MOST: Final = 1000
_ALARMS: Final = """
SELECT a.*, s.name, s.slug FROM alarms a JOIN schools s ON s.id = a.school_id
WHERE a.cleared IS NULL OR ? ORDER BY a.cleared IS NOT NULL, a.last DESC, a.id LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class _Words:
    """What happened, and what to do; `{school}` is the school's name."""

    happened: str
    advice: str


_WORDS: Final[Mapping[str, _Words]] = MappingProxyType(
    {
        alarms.OTHER_KEY: _Words(
            "Another agent tried to join as {school}. It was refused, and nothing was replaced.",
            "Ask the school whether it set its agent up anew. If so, `revoke` it here and `invite` it again."
            " If not, somebody holds an invitation that was meant for it: find out how it was carried.",
        ),
        alarms.REVOKED_KEY: _Words(
            "A revoked agent of {school} still calls. It is refused, and what it sent before stays.",
            "Stop it, if the school set its agent up anew. If it should take part, `invite` it again. If"
            " nobody knows it, compare the fingerprint with what `agent status` says at the school.",
        ),
        alarms.ANOTHER_SCHOOL: _Words(
            "The agent of {school} sent records in another school’s name. They were refused.",
            "Look at `school` in its agent.toml, which must be {school}. If it is, the machine is not to be"
            " trusted: `revoke` it, and invite it again from a machine set up anew.",
        ),
        alarms.NOT_AS_DISCLOSED: _Words(
            "Records of {school} were not what its disclosure log says that it sent. They were refused.",
            "Run `agent disclosures DIR --verify` at the school. Whole or not, the agent there does not send"
            " what it writes down: `revoke` it until somebody knows why.",
        ),
        alarms.LOG_WENT_BACK: _Words(
            "The disclosure log of {school} does not go on from where it was. Nothing was refused for it.",
            "Look for a second agent that speaks in its place: a copy of its folder on another machine. Stop"
            " the copy. If there is none, ask whether the folder was put back from a backup: what it sent in"
            " between is here and no longer in its log.",
        ),
        alarms.TWO_AGENTS: _Words(
            "Two agents speak with the key of {school}, and the one that fell behind is refused.",
            "Look for a copy of the agent’s folder: a backup that was started, a machine that was cloned."
            " Stop it, or `revoke` the school and invite one agent.",
        ),
        alarms.AHEAD: _Words(
            "What {school} sends is of a time that has not come by this hub’s clock. It waits in the school.",
            "Compare both clocks. If several schools are named here, it is this hub’s that is behind: set it,"
            " and what waits comes in. If the school’s is ahead, set that one: what it made meanwhile is"
            " refused after a week.",
        ),
        alarms.FORGOTTEN: _Words(
            "What came from {school} since some time was removed from this hub with `forget`.",
            "Nothing, if the district did so. If not, somebody else can write to this hub’s folder: restore a"
            " backup, and find out who.",
        ),
    }
)
_UNKNOWN: Final = _Words("Something of {school} needs a look.", "The hub’s log says more.")


def read(connection: sqlite3.Connection, *, cleared: bool = False) -> tuple[Alarm, ...]:
    """The alarms that stand, newest first; after them those that were `cleared`, if wanted."""
    return tuple(map(_alarm, connection.execute(_ALARMS, (cleared, _MOST))))


def _alarm(row: sqlite3.Row) -> Alarm:
    words = _WORDS.get(row["reason"], _UNKNOWN)
    return Alarm(
        id=row["id"],
        school=row["name"],
        slug=row["slug"],
        reason=row["reason"],
        fingerprint=row["fingerprint"],
        first=rfc3339(row["first"]) or "",
        last=rfc3339(row["last"]) or "",
        count=row["count"],
        cleared=rfc3339(row["cleared"]),
        happened=words.happened.format(school=row["name"]),
        advice=words.advice.format(school=row["name"]),
    )
