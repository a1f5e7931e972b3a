"""How long look-ups lie on the disk: a log's rotated files, and what programs are set to keep."""

import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from edge_agent.check.facts import LogFacts
from edge_agent.sources.logfile import rotated_files

SETTINGS_BYTES: Final = 256 * 1024
NAMES: Final = 8192  # characters of the names before a block
PIHOLE: Final = "etc/pihole"
PIHOLE_5_DAYS: Final = 365.0
PIHOLE_6_DAYS: Final = 91.0
ADGUARD_HOURS: Final = 2160.0
_PERIODS: Final = {"hourly": 1 / 24, "daily": 1.0, "weekly": 7.0, "monthly": 31.0, "yearly": 366.0}
_INTERVAL: Final = re.compile(r"[ \t]+interval:[ \t]*[\"']?([0-9hms.]{1,20})")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([hms])")
_HOURS: Final = {"h": 1.0, "m": 1 / 60, "s": 1 / 3600}

FirstMoment = Callable[[Path], float | None]


def log_facts(path: Path, kind: str, first: FirstMoment, system: Path) -> LogFacts:
    """What is kept of the log at `path`. `first` says when a file begins; `system` is the machine's root.

    Whatever cannot be read is left out: this raises nothing.
    """
    files = [listed.path for listed in rotated_files(path)] + [path]
    known = [(file, status) for file in files if (status := _status(file)) is not None]
    moments = (first(file) for file, status in known if status.st_size)
    oldest = min((moment for moment in moments if moment is not None), default=None)
    rotation, days = logrotate_days(path, system)
    return LogFacts(
        files=len(known),
        size=sum(status.st_size for _, status in known),
        oldest=oldest,
        open_to_all=sum(bool(status.st_mode & stat.S_IROTH) for _, status in known),
        rotation=rotation,
        rotation_days=days,
        keeps=tuple(_keeps(path, kind, system)),
    )


def logrotate_days(path: Path, system: Path) -> tuple[str, float | None]:
    """The file of logrotate's configuration that names the log, and how many days it keeps; or nothing."""
    main = system / "etc/logrotate.conf"
    default = _rules("\n".join(_outside(part) for part in _blocks(_text(main))))
    folder = system / "etc/logrotate.d"
    try:
        others = sorted(folder.iterdir())
    except OSError:
        others = []
    for file in (*others, system / PIHOLE / "logrotate", main):
        for block in _blocks(_text(file)):
            names, brace, body = block.rpartition("{")
            is_named = any(
                fnmatch(str(path.absolute()), name.strip("\"'")) for name in names[-NAMES:].split()
            )
            if brace and is_named:
                return str(file), _days_of({**default, **_rules(body)})
    return "", None


def _blocks(text: str) -> list[str]:
    """What stands before each closing brace: names of logs, an opening brace, and their rules."""
    return _without_comments(text).split("}")


def _outside(block: str) -> str:
    """The rules that stand before a block, without the line that names its logs."""
    before, brace, _ = block.partition("{")
    return before.rpartition("\n")[0] if brace else before


def _rules(body: str) -> dict[str, str]:
    words = (line.split() for line in _without_comments(body).splitlines())
    return {parts[0]: " ".join(parts[1:]) for parts in words if parts}


def _days_of(rules: dict[str, str]) -> float | None:
    period = next((days for word, days in _PERIODS.items() if word in rules), None)
    rotate, oldest = rules.get("rotate", "0"), rules.get("maxage", "")
    if period is None or not rotate.isdigit():
        return None
    kept = (int(rotate) + 1) * period
    return min(kept, int(oldest) + period) if oldest.isdigit() else kept


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)^[ \t]*#.*$", "", text)


def _keeps(path: Path, kind: str, system: Path) -> Iterator[tuple[str, str, float]]:
    """Other places that this resolver keeps look-ups in: the file of the setting, its name, days."""
    if kind == "adguard":
        for file in (path.parent / "AdGuardHome.yaml", path.parent.parent / "AdGuardHome.yaml"):
            if text := _text(file):
                hours = _querylog_hours(text)
                yield str(file), "querylog.interval", hours / 24
                return
    if kind == "pihole" or path.name.startswith("pihole"):
        yield from _pihole(dict.fromkeys((path.parent, system / PIHOLE)))


def _pihole(folders: dict[Path, None]) -> Iterator[tuple[str, str, float]]:
    """Pi-hole keeps its own database of look-ups, whatever becomes of its log."""
    for folder in folders:
        newer, older = folder / "pihole.toml", folder / "pihole-FTL.conf"
        if text := _text(newer):
            days = PIHOLE_6_DAYS
            with suppress(tomllib.TOMLDecodeError, AttributeError, TypeError, ValueError):
                days = float(tomllib.loads(text).get("database", {}).get("maxDBdays", days))
            yield str(newer), "maxDBdays", days
            return
        if (folder / "pihole-FTL.db").exists() or older.exists():
            found = re.search(r"(?m)^[ \t]*MAXDBDAYS[ \t]*=[ \t]*(-?\d{1,9})", _text(older))
            days = float(found[1]) if found else PIHOLE_5_DAYS
            yield str(older), "MAXDBDAYS", PIHOLE_5_DAYS if days < 0 else days
            return


def _querylog_hours(text: str) -> float:
    """How long AdGuard Home keeps its query log: `interval` of the table `querylog`."""
    is_inside = False
    for line in text.splitlines():
        if line[:1].isalpha():
            is_inside = line.startswith("querylog:")
        elif is_inside and (found := _INTERVAL.match(line)):
            return _hours(found[1])
    return ADGUARD_HOURS


def _hours(text: str) -> float:
    return sum(float(number) * _HOURS[unit] for number, unit in _PART.findall(text))


def _text(path: Path) -> str:
    if _status(path) is None:
        return ""  # a pipe or a device may have no end, or nobody to write into it
    try:
        with path.open("rb") as file:
            return file.read(SETTINGS_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def _status(path: Path) -> os.stat_result | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None
