"""What the next person in IT has to know of this agent: everything but the secrets, from what is set now."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from edge_agent.leaving.hub_link import OWN
from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings, SourceSettings, load_hub, load_settings
from edge_agent.store import checks
from shared.link import keys

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what to know, and a table: heads and rows, either may be empty."""

    title: str
    said: Sequence[str] = ()
    heads: Row = ()
    rows: Sequence[Row] = field(default_factory=tuple)


def sections(paths: AgentFolder, store: sqlite3.Connection | None) -> list[Section]:
    """The whole page; `store` is the agent's file, None before it first ran."""
    own = load_settings(paths)
    return [
        _machine(paths, own),
        _sources(own, store),
        _files(paths, own),
        _district(paths, own),
        _check(own, store),
        _outside(own),
        _secrets(paths),
        _backup(paths),
        _people(own),
        _when(paths),
    ]


def _said(text: str) -> str:
    """A paragraph as one line."""
    return " ".join(text.split())


def _machine(paths: AgentFolder, own: AgentSettings) -> Section:
    return Section(
        "What runs where",
        (
            _said("""
                An agent reads which learning apps the school’s iPads reach, makes records of whole
                lessons of it, and sends those to the district. No iPad depends on it: when it stops,
                nobody notices but the record.
            """),
        ),
        rows=(
            ("Folder", str(paths.root)),
            ("Settings", f"{paths.settings}: every key is explained there; restart after a change"),
            ("Status page", f"http://127.0.0.1:{own.page.port}/ on that machine alone"),
            ("Program", f"commonground {version('commonground')}, `commonground --help`"),
            ("As a service", f"made by `commonground agent service {paths.root}`; name commonground-agent"),
            ("Upgrade", "stop, `pipx upgrade commonground`, start: the folder is brought along, never back"),
            ("Time zone", own.timezone),
        ),
    )


def _sources(own: AgentSettings, store: sqlite3.Connection | None) -> Section:
    newest = dict(store.execute("SELECT id, newest FROM sources").fetchall()) if store else {}
    rows = [
        (source.id, source.kind, _where(source), _time(newest.get(source.id), own)) for source in own.sources
    ]
    rows += [("", f"addresses, {table.kind}", table.path, "") for table in own.addresses]
    rows += [("", f"places, {table.kind}", table.path, "") for table in own.places]
    rows += [
        ("", f"cart of room {cart.room}", f"the resolver’s address {cart.server}", "") for cart in own.carts
    ]
    if own.identity.leases:
        rows.append(("", "addresses, dnsmasq", own.identity.leases, ""))
    said = (
        _said("""
            These programs are the school’s, and go on without the agent. A query log is a browsing
            history: keep it short.
        """),
    )
    return Section("What it reads", said, ("name", "kind", "where", "newest line"), rows)


def _where(source: SourceSettings) -> str:
    if source.port is not None:
        return f"http://127.0.0.1:{source.port}/, user {source.user}"
    return source.path or source.listen or ""


_FILES: Final = {
    "inventory": "devices, from the MDM",
    "roster": "classes, from the student information system",
    "bells": "when periods are",
    "timetable": "when classes meet",
    "calendar": "holidays and half days",
    "opt_outs": "families that said no: never lose this one",
}


def _files(paths: AgentFolder, own: AgentSettings) -> Section:
    rows = []
    for key, about in _FILES.items():
        name = getattr(own.identity, key)
        if name:
            rows.append((about, name, _changed(paths.resolve(name), own)))
    said = (
        _said("""
            Export them anew each term, and when classes change; the agent reads them again by itself.
            They hold children’s names: they stay on this machine.
        """),
    )
    return Section("The school’s files", said, ("what", "where", "changed"), rows)


def _district(paths: AgentFolder, own: AgentSettings) -> Section:
    hub = load_hub(paths)
    rows = [("This agent’s fingerprint", keys.fingerprint(keys.load_or_create(paths.secrets, OWN).public))]
    if hub is not None:
        rows += [("The hub", hub.address), ("The hub’s fingerprint", keys.fingerprint(hub.public_key))]
    if own.intake.public:
        rows.append(("Collectors on other machines call", own.intake.public))
    said = (
        "Compare fingerprints by telephone."
        if hub
        else "It has joined no district yet: `commonground agent join`."
    )
    return Section("The district", (said,), rows=rows)


def _check(own: AgentSettings, store: sqlite3.Connection | None) -> Section:
    last = checks.last(store) if store else None
    if store is None or last is None:
        return Section("The last check", ("None yet: run `commonground agent check DIR`.",))
    found = [kept for kept in checks.listed(store) if kept.finding.level != "ok"]
    rows = [(kept.finding.what, kept.finding.do + (" (ticked off)" if kept.ticked else "")) for kept in found]
    said = f"Of {_time(last, own)}. " + (
        "What is not as it should be:" if rows else "All is as it should be."
    )
    return Section("The last check", (said,), ("what", "what to do") if rows else (), rows)


def _outside(own: AgentSettings) -> Section:
    kinds = ", ".join(sorted({source.kind for source in own.sources})) or "none"
    return Section(
        "In the MDM, the resolver and the firewall",
        (
            _said("""
                `commonground agent profile DIR --out FOLDER`, with the words that were used then,
                writes the same files again: profiles for the MDM, snippets for the resolver, the
                request for the firewall, and how each is taken back. Write those words down here:
                ________________
            """),
            f"Sources of these kinds are switched on: {kinds}. What each needs is in docs/sources/.",
        ),
    )


_SECRETS: Final = {
    "agent.key": "speaks for this school to the district: `agent rotate-key` changes it",
    "agent.next.key": "waits until the hub answers, then takes its place",
    "intake.key": "what collectors on other machines know this agent by",
    "collectors.key": "what its own collectors know themselves by",
    "smtp_password": "for the mail server",
    "disclosures.key": "opens the records that left: should NOT lie here, move it to the school’s safe",
    "disclosures.pub": "seals them; opens nothing",
    "teachers": "counts teachers without naming them",
    "xapi_password": "for apps that report",
    "day-keys": "one a day, destroyed after 36 hours; never copied",
}


def _secrets(paths: AgentFolder) -> Section:
    names = sorted(file.name for file in paths.secrets.iterdir() if not file.name.startswith("."))
    rows = [(name, _SECRETS.get(name, "")) for name in names]
    said = _said(f"""
        In {paths.secrets}, each for its owner alone. This page shows none of them, and nobody needs to
        see one.
    """)
    return Section("Secrets", (said,), ("file", "what it is for"), rows)


def _backup(paths: AgentFolder) -> Section:
    return Section(
        "Backup",
        (
            _said(f"""
                `commonground agent backup {paths.root} FILE --passphrase WORDFILE`, each night, to
                another machine. Roster and inventory are not in it unless `--with-input` is said:
                export them again.
            """),
            _said("""
                A dead disk: on the new machine install the same version, `commonground agent restore
                FILE DIR`, bring the school’s files, `agent check DIR`, start. The old machine must
                never run it again. Lessons under way at the backup are lost.
            """),
            "Where the backups are: ________________ Who has the passphrase: ________________",
        ),
    )


def _people(own: AgentSettings) -> Section:
    rows = [("Whom parents may ask", own.page.contact or "nobody is named: set `contact` under [page]")]
    notice = own.notice
    if notice.to:
        rows.append(("Who gets word of silence", ", ".join(notice.to)))
    if notice.webhook:
        rows.append(("and the webhook at", urlsplit(notice.webhook).hostname or ""))
    blank = "________________"
    rows += [
        (who, blank) for who in ("District’s administrator", "MDM", "Network and firewall", "Before you")
    ]
    return Section("People", rows=rows)


def _when(paths: AgentFolder) -> Section:
    root = paths.root
    rows: Iterable[Row] = (
        (
            "A late start, a day off, tests",
            f'`commonground agent today {root} "two-hour delay"`, or the status page',
        ),
        (
            "A source fell silent",
            "is its program running, is its log still written, may the agent’s user read it?",
        ),
        (
            "iPads look unused that are used",
            "`agent check`: are they bypassing the resolver, or hiding their address?",
        ),
        ("A teacher stops sharing", f"`commonground agent unshare {root} CLASS`"),
        ("A parent asks what left", "the page /what-leaves, or `agent disclosures DIR --page FILE.html`"),
        ("A family says no", "their line in the opt-out file; it counts within the minute"),
        ("Somebody may have seen the key", f"`commonground agent rotate-key {root}`"),
        ("The disk is full", "make room: nothing is lost, reading goes on where it stood"),
        ("The district revoked us", "remove hub.toml, `agent join` with a new invitation"),
        (
            "It is to end",
            "stop the service, unassign the profiles, take back resolver and firewall, delete the folder",
        ),
    )
    return Section("What to do when", heads=("when", "do"), rows=tuple(rows))


def _time(moment: float | None, own: AgentSettings) -> str:
    if moment is None:
        return "none yet"
    return datetime.fromtimestamp(moment, own.zone).strftime("%Y-%m-%d %H:%M")


def _changed(path: Path, own: AgentSettings) -> str:
    try:
        return _time(path.stat().st_mtime, own)
    except OSError:
        return "NOT THERE"
