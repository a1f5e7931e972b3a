"""The agent's state as one plain dictionary: for its page, for `agent status`, for whoever watches it."""

import sqlite3
import threading
import time
from dataclasses import asdict
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

from edge_agent.days import day_of
from edge_agent.leaving import school_key
from edge_agent.links import SourceState
from edge_agent.store import collectors, held_by_hub, sight
from edge_agent.store.disclosed_days import DisclosedDays
from edge_agent.store.rejected import DROPPED
from shared.link import outbox
from shared.storage import reader

if TYPE_CHECKING:
    from edge_agent.agent import Agent

NEWEST: Final = 20
HASHES: Final = 20
LEFT_ROWS: Final = 100
LEFT_OUT: Final = frozenset({"staff", "opted_out"})  # on purpose
ENOUGH_TO_JUDGE: Final = 200
REVOKED: Final = "revoked: nothing more is taken from it; what it sent stays"
UNKNOWN_KEY: Final = frozenset({"not_enrolled", "revoked"})
VERDICTS: Final = ("placed", "thin", "evidence_only")


class Status:
    """Reads the state of a running agent; any thread."""

    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._lock = threading.Lock()
        self._connection = reader(agent.folder.database)
        self._days = DisclosedDays(agent.settings.zone, HASHES)

    def close(self) -> None:
        """Close the reading connection."""
        with self._lock:
            self._connection.close()

    def read(self) -> dict[str, Any]:
        """The state now; times are RFC 3339, but for `now_epoch` in seconds UTC."""
        with self._lock:
            return self._read(self._connection)

    def _read(self, connection: sqlite3.Connection) -> dict[str, Any]:
        agent = self._agent
        counts = outbox.counts(connection)
        settled = agent.settled
        zone = agent.settings.zone
        sources = self._sources(connection)
        status: dict[str, Any] = {
            "school": agent.settings.school,
            "simulated": agent.settings.clock is not None,
            "version": agent.version,
            "contact": agent.settings.page.contact,
            "now": when(settled, zone),
            "now_epoch": settled if settled > float("-inf") else None,
            "caught_up": settled > float("-inf") and counts.pending == 0,
            "sources": sources,
            "signals": sum(n for (n,) in connection.execute("SELECT signals FROM sources")),
            "signals_by_minute": _minutes(connection, zone),
            "refused": _by_reason(connection, "refused"),
            "unmatched": _by_reason(connection, "unmatched"),
            "outside": _by_reason(connection, "outside"),
            "late": sum(_by_reason(connection, "late").values()),
            "quarantine": _quarantine(connection, zone),
            "models": [asdict(one) for one in agent.judged],
            "windows": _windows(connection),
            "sight": sight.read(connection),
            "weeks": _weeks(connection),
            "outbox": self._outbox(counts) | {"dropped": sum(_by_reason(connection, DROPPED).values())},
            **self._left(connection),
            "sharing": _sharing(connection, day_of(agent.clock.now(), zone)),
        }
        (rejected,) = connection.execute("SELECT coalesce(sum(rejected), 0) FROM link_stream").fetchone()
        status["rejected_by_intake"] = rejected
        use, shortage = agent.room.look()
        status["room"] = {"short": shortage.budget if shortage else None, **asdict(use)}
        status["next_steps"] = next_steps(status, shortage.words if shortage else agent.trouble)
        status["working"] = status["next_steps"][0] if status["next_steps"] else "ok"
        return status

    def _sources(self, connection: sqlite3.Connection) -> list[dict[str, Any]]:
        stored = {row["id"]: row for row in connection.execute("SELECT * FROM sources")}
        zone = self._agent.settings.zone
        found = []
        told = self._agent.links.told()
        names = {source.id for source in told}
        revoked = {one.name: one.kind for one in collectors.listed(connection) if one.name not in names}
        told += [SourceState(*item, REVOKED) for item in revoked.items()]
        for source in told:
            row = stored.get(source.id)
            found.append(
                {
                    "kind": source.kind,
                    "id": source.id,
                    "state": source.state,
                    "fresh": when(row["newest"], zone) if row and row["newest"] else None,
                    "lines": row["lines"] if row else 0,
                    "signals": row["signals"] if row else 0,
                    "refused": _by_reason(connection, "refused", source.id),
                    "unmatched": _by_reason(connection, "unmatched", source.id),
                }
            )
        return found

    def _left(self, connection: sqlite3.Connection) -> dict[str, Any]:
        self._days.read(connection)
        held = held_by_hub.read(connection, self._agent.settings.zone)
        return {
            **self._days.told(LEFT_ROWS),
            "district_holds": asdict(held) if held else None,
            "key_is_here": (self._agent.folder.secrets / school_key.PRIVATE).exists(),
        }

    def _outbox(self, counts: outbox.Counts) -> dict[str, Any]:
        client, zone = self._agent.links.client, self._agent.settings.zone
        state = client.state if client is not None else None
        ago = None if state is None or state.last_ack is None else time.monotonic() - state.last_ack
        return {
            "pending": counts.pending,
            "sent": counts.sent,
            "set_aside": counts.aside,
            "withdrawn": counts.withdrawn,
            "bytes": counts.bytes,
            "renewals": counts.renewals,
            "state": state.name if state else "not_joined",
            "detail": state.detail if state else "",
            "last_ack": when(time.time() - ago, zone) if ago is not None else None,
        }


def when(moment: float, zone: tzinfo = UTC) -> str | None:
    """Seconds UTC as RFC 3339 in `zone`, or None before anything happened."""
    if moment == float("-inf"):
        return None
    return datetime.fromtimestamp(int(moment), zone).isoformat()


def next_steps(status: dict[str, Any], trouble: str) -> list[str]:
    """What somebody should do now, most pressing first; empty when all is well."""
    link = status["outbox"]
    steps = [_refused(link["detail"])] if link["state"] == "refused" else []
    steps += [trouble] if trouble else []
    steps += [
        f"Source {source['id']}: {source['state']}. Check its path in agent.toml and the rights on the file."
        for source in status["sources"]
        if "missing" in source["state"] or "cannot" in source["state"]
    ]
    steps += _about_matching(status)
    held = status["district_holds"]
    if held and not held["agrees"]:
        steps.append(
            f"The district holds entry {held['seq']}, which this school’s log does not have: this folder was"
            " put back to an older state, or another agent speaks in the school’s name. Tell the district’s"
            " administrator."
        )
    if link["state"] == "not_joined":
        steps.append("Not joined to a hub yet: run `commonground agent join` with the district’s invitation.")
    elif link["state"] == "waiting" and link["pending"]:
        steps.append(f"The hub does not answer; {link['pending']} records wait here and nothing is lost.")
    if link["set_aside"]:
        steps.append(
            f"The hub would not take {link['set_aside']} records: `commonground agent rejected DIR list` says"
            " why; tell the district’s administrator."
        )
    return steps


def _refused(detail: str) -> str:
    """What a hub that refuses this agent may mean, and what to do."""
    if detail in UNKNOWN_KEY:
        return (
            "The hub refuses this agent’s key: it was revoked, or another agent with a copy of this folder"
            " has changed it. Is this the copy? Then stop it. If not, tell the district’s administrator and"
            " ask for a new invitation. Records wait here and nothing is lost."
        )
    return f"The hub refuses this agent: {detail.replace('_', ' ')}. Tell the district’s administrator."


def _about_matching(status: dict[str, Any]) -> list[str]:
    steps = []
    unmatched = sum(n for reason, n in status["unmatched"].items() if reason not in LEFT_OUT)
    known = status["signals"] + sum(status["outside"].values())  # outside lessons a device is known too
    if unmatched > ENOUGH_TO_JUDGE and unmatched > known:
        steps.append(
            "More look-ups have no known device than have one: see the reasons under what is refused."
        )
    identity = sum(n for reason, n in status["refused"].items() if ".csv: " in reason)
    if identity:
        rows = (
            "1 row of the school’s files is"
            if identity == 1
            else f"{identity:,} rows of the school’s files are"
        )
        steps.append(f"{rows} of no use: see the reasons below.")
    if status["rejected_by_intake"]:
        steps.append(
            f"{status['rejected_by_intake']} batches of signals were refused: report it with the log."
        )
    return steps


def _by_reason(connection: sqlite3.Connection, what: str, source: str | None = None) -> dict[str, int]:
    found = connection.execute(
        """SELECT reason, sum(n) FROM counts WHERE what = ? AND (? IS NULL OR source = ?)
           GROUP BY reason ORDER BY reason""",
        (what, source, source),
    )
    return dict(found.fetchall())


def _minutes(connection: sqlite3.Connection, zone: tzinfo) -> list[dict[str, Any]]:
    found = connection.execute("SELECT minute, n FROM minutes ORDER BY minute DESC LIMIT 60").fetchall()
    return [{"minute": when(minute * 60, zone), "count": number} for minute, number in reversed(found)]


def _quarantine(connection: sqlite3.Connection, zone: tzinfo) -> list[dict[str, Any]]:
    found = connection.execute("SELECT * FROM quarantine ORDER BY id DESC LIMIT ?", (NEWEST,))
    return [
        {
            "when": when(row["at"], zone),
            "source": row["source"],
            "reason": row["reason"],
            "excerpt": row["excerpt"],
        }
        for row in found
    ]


def _windows(connection: sqlite3.Connection) -> dict[str, Any]:
    (closed, empty, sent) = connection.execute(
        "SELECT count(*), sum(devices = 0), sum(sent_batch IS NOT NULL) FROM windows"
    ).fetchone()
    held = connection.execute(
        """SELECT held_back, count(*) FROM windows WHERE held_back IS NOT NULL AND devices > 0
           GROUP BY held_back"""
    )
    return {
        "closed": closed,
        "without_devices": empty or 0,
        "lessons_sent": sent or 0,
        "placements": _placements(connection),
        "held_back": dict(held.fetchall()),
    }


def _placements(connection: sqlite3.Connection) -> dict[str, int]:
    """Verdicts over all closed windows and dimensions."""
    verdicts = connection.execute("SELECT total(placed), total(thin), total(evidence_only) FROM windows")
    return {name: int(number) for name, number in zip(VERDICTS, verdicts.fetchone(), strict=True)}


def _weeks(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    found = connection.execute("SELECT * FROM weeks ORDER BY week DESC LIMIT ?", (NEWEST,))
    return [{"week": row["week"], "bands": row["bands"], "held_back": row["held_back"]} for row in found]


def _sharing(connection: sqlite3.Connection, today: date) -> list[dict[str, Any]]:
    found = connection.execute(
        "SELECT class_code, until FROM sharing WHERE until >= ? ORDER BY class_code", (today.isoformat(),)
    )
    return [{"class_code": row["class_code"], "until": row["until"]} for row in found]
