"""What `agent init` asks at a terminal: what was not said yet; an empty answer takes what stands there."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import typer

from edge_agent.identity import apple
from edge_agent.identity.bundle import bundles
from edge_agent.settings import check_timezone
from edge_agent.setup.answers import ADDRESSES, XAPI, Answers, known_kind, source_kinds
from edge_agent.setup.zones import doubt
from shared.errors import CommonGroundError

_KINDS: Final = (
    "What does the school have that knows which names iPads ask for?\n"
    "  dnsmasq, pihole, unbound, bind, adguard   a resolver's log\n"
    "  dnstap                                    Unbound or BIND, leaving no file\n"
    "  squid, zeek                               a proxy, a sensor\n"
    "  umbrella, securly, events                 a filter's export: a file, or a folder of them\n"
    "  xapi                                      apps that report (give a port, such as 8101)"
)
_FILES: Final = (
    ("inventory", "Inventory: the MDM's export (CSV or property lists), or a folder", "input/inventory.csv"),
    ("roster", "Roster: OneRoster (folder or zip) or Apple School Manager's zip", "input/oneroster"),
    ("bells", "Bell schedule (CSV)", "input/bells.csv"),
    ("opt_outs", "Families that said no (CSV; empty for none)", ""),
)
_TIMETABLE: Final = (
    "Apple School Manager never says when a class meets.\n"
    "Timetable (CSV: class,period,days,room; empty if you have none yet)"
)
_NOBODYS: Final = frozenset({"UTC", "UCT", "Universal", "Zulu", "GMT"})  # a server's clock, and no school's
_PLACES: Final = {"pihole": "/var/log/pihole/pihole.log", "dnstap": "tcp://127.0.0.1:6000", XAPI: "8101"}


def asked(known: Answers) -> Answers:
    """The answers, completed at this terminal."""
    school = known.school or _until_good("The school's name, as the district writes it", "", _named)
    timezone = known.timezone or _until_good("Time zone", _own_timezone(), _zone)
    sources = list(known.sources) or _sources()
    leases = list(known.leases) or _leases(dict(sources))
    files = dict(known.files)
    for key, question, usual in _FILES:
        if key not in files:
            said = typer.prompt(question, default=usual, show_default=bool(usual)).strip()
            if said and said != usual:
                files[key] = said
    if "timetable" not in files and _is_apple(files.get("roster", "")):
        said = typer.prompt(_TIMETABLE, default="", show_default=False).strip()
        files |= {"timetable": said} if said else {}
    return Answers(school, timezone, known.port, sources, leases, files)


def _sources() -> list[tuple[str, str]]:
    typer.echo(_KINDS)
    found: list[tuple[str, str]] = []
    while True:
        question = "Another (empty: no more)" if found else "Kind"
        kind = _until_good(question, "" if found else "dnsmasq", _kind)
        if not kind:
            return found
        usual = _PLACES.get(kind, f"/var/log/{kind}.log")
        found.append((kind, _until_good("  Where: a path, or udp://, tcp://, unix:", usual, _named)))


def _leases(sources: dict[str, str]) -> list[tuple[str, str]]:
    logs = {"dnsmasq", "pihole"} & sources.keys()
    if logs and typer.confirm("Does the same log have DHCP lines (log-dhcp)?", default=True):
        return []
    typer.echo(f"Who gives the iPads their addresses? {', '.join(ADDRESSES)}; empty if nobody can tell.")
    kind = _until_good("Kind", "", lambda text: known_kind(text, ADDRESSES) if text else "")
    return [(kind, _until_good("  Its lease file or log", "", _named))] if kind else []


def _until_good(question: str, usual: str, take: Callable[[str], str]) -> str:
    while True:
        said = str(typer.prompt(question, default=usual, show_default=bool(usual))).strip()
        try:
            return take(said)
        except CommonGroundError as error:
            typer.echo(f"  {error}")


def _named(text: str) -> str:
    if not text:
        raise CommonGroundError("this one is needed")
    return text


def _zone(text: str) -> str:
    check_timezone(text)
    against = doubt(text)
    if against and not typer.confirm(f"  {against}.\n  Take {text} all the same?", default=False):
        raise CommonGroundError("then another one")
    return text


def _kind(text: str) -> str:
    return known_kind(text, source_kinds()) if text else ""


def _own_timezone() -> str:
    """This machine's, as a suggestion; nothing where it does not say, or has a server's UTC."""
    for name in (os.environ.get("TZ", ""), _link("/etc/localtime")):
        if name.rpartition("/")[2] in _NOBODYS:
            continue
        try:
            check_timezone(name)
        except CommonGroundError:
            continue
        return name
    return ""


def _is_apple(roster: str) -> bool:
    """Whether a roster that is there already is Apple School Manager's."""
    try:
        found = bundles(Path(roster).expanduser()) if roster else []
    except CommonGroundError:
        return False
    return any(bundle.has(*apple.NEEDED) for bundle in found)


def _link(path: str) -> str:
    return os.path.realpath(Path(path)).partition("/zoneinfo/")[2]
