"""Findings about the house: what the resolver's log keeps and shows, keys, disk, and the district's hub."""

from collections.abc import Iterator
from typing import Final

from edge_agent.check.facts import Facts, LogFacts, SourceFacts
from edge_agent.check.findings import Finding
from edge_agent.check.words import counted

MIB: Final = 1024 * 1024
ENOUGH_DAYS: Final = 2.5  # a day, the one before it, and the hours until the rotation
TOO_MANY_DAYS: Final = 30.0
NEARLY: Final = 0.8


def about_house(facts: Facts) -> Iterator[Finding]:
    """Every log's retention and rights, then keys, disk, hub, and what the district made of the catalogue."""
    for source in facts.sources:
        if source.log is not None and source.log.files:
            yield _retention(facts, source, source.log)
            yield _rights(source, source.log)
    yield from _secrets(facts)
    yield from _disk(facts)
    yield Finding(
        "hub.joined",
        "ok" if facts.house.joined else "look",
        "This school has joined its district’s hub."
        if facts.house.joined
        else "Not joined to a district’s hub yet: records wait here.",
        do="" if facts.house.joined else "Run `commonground agent join DIR TOKEN_FILE` with its invitation.",
    )
    if facts.house.overruled:
        yield _overruled(facts.house.overruled, facts.house.district_version)


def _overruled(names: tuple[str, ...], version: str) -> Finding:
    """Ticked off, it comes back with the next version."""
    shown = ", ".join(names[:5])
    return Finding(
        "catalogue.district",
        "look",
        f"The district’s catalogue makes something else of {counted(len(names), 'shipped name')}: {shown}.",
        {"names": len(names), "version": version},
        "Look at the page /catalogue. If it is not meant so, call the district; an own entry goes before it.",
    )


def _retention(facts: Facts, source: SourceFacts, log: LogFacts) -> Finding:
    name = f"source.{source.id}.retention"
    lies = 0.0 if log.oldest is None else max(0.0, (facts.now - log.oldest) / 86400)
    kept = max((days for _, _, days in log.keeps), default=0.0)
    planned = log.rotation_days or 0.0
    days = max(lies, kept, planned)
    figures: dict[str, int | float | str] = {
        "days": round(lies, 1),
        "files": log.files,
        "mib": round(log.size / MIB, 1),
    }
    figures |= {called: round(number) for _, called, number in log.keeps}
    if log.rotation_days is not None:
        figures["rotation_days"] = round(log.rotation_days)
    if days <= ENOUGH_DAYS:
        return Finding(name, "ok", f"Source {source.id} keeps {_days(days)} of look-ups.", figures)
    parts = [f"{_days(lies)} of look-ups lie in {source.where} and its rotated files"] if lies else []
    parts += [f"{called} in {path} keeps {_days(number)}" for path, called, number in log.keeps]
    if planned > lies:
        parts.append(f"{log.rotation} keeps {_days(planned)}")
    return Finding(
        name,
        "fix" if days > TOO_MANY_DAYS else "look",
        f"Source {source.id}: {'; '.join(parts)}. A query log is a browsing history.",
        figures,
        _shorter(source, log),
    )


def _shorter(source: SourceFacts, log: LogFacts) -> str:
    steps = {
        "MAXDBDAYS": "Pi-hole 5: the line `MAXDBDAYS=2` in /etc/pihole/pihole-FTL.conf, then `pihole"
        " restartdns`.",
        "maxDBdays": "Pi-hole 6: `pihole-FTL --config database.maxDBdays 2`.",
        "querylog.interval": "AdGuard Home: Settings, General settings, Query logs retention: 24 hours"
        " (`querylog: interval: 24h` in AdGuardHome.yaml).",
    }
    found = [steps[called] for _, called, _ in log.keeps if called in steps]
    if source.kind != "adguard":
        rules = (
            f"In {log.rotation}, among the rules of this log: `daily`, `rotate 1`, `maxage 2`"
            if log.rotation
            else f"In a new file /etc/logrotate.d/commonground-dns: `{source.where} {{ daily  rotate 1 "
            " maxage 2  missingok  create 0640 }`"
        )
        found.append(f"The agent needs a day. {rules}; then delete the older files.")
    return " ".join(found)


def _rights(source: SourceFacts, log: LogFacts) -> Finding:
    number = log.open_to_all
    return Finding(
        f"source.{source.id}.rights",
        "fix" if number else "ok",
        f"Source {source.id}: everybody on this machine can read {counted(number, 'file')} of look-ups."
        if number
        else f"Source {source.id}: its files are not open to everybody on this machine.",
        {"files": number},
        f"`chmod o-r {source.where}*`, and `create 0640` in the rotation; give the agent’s user the file’s"
        " group instead."
        if number
        else "",
    )


def _days(number: float) -> str:
    return "less than a day" if number < 1 else counted(round(number), "day")


def _secrets(facts: Facts) -> Iterator[Finding]:
    house = facts.house
    wide = house.open_secrets
    yield Finding(
        "secrets.modes",
        "fix" if wide else "ok",
        f"Others on this machine can reach {counted(len(wide), 'secret')}: {', '.join(wide[:3])}."
        if wide
        else "Keys and passwords are for the agent’s user alone.",
        {"files": len(wide)},
        f"`chmod -R go= {' '.join(wide[:3])}`" if wide else "",
    )
    missing = house.missing_secrets
    if missing:
        yield Finding(
            "secrets.missing",
            "fix",
            f"{counted(len(missing), 'password file')} missing: {', '.join(missing[:3])}.",
            {"files": len(missing)},
            "Write the password into the file, `chmod 600` it, and start the agent anew.",
        )
    if house.key_is_here:
        yield Finding(
            "secrets.disclosures_key",
            "look",
            "The private key that opens the records in the disclosure log still lies on this machine.",
            do="The agent does not need it: move secrets/disclosures.key to a safe place.",
        )


def _disk(facts: Facts) -> Iterator[Finding]:
    house = facts.house
    free, wanted = house.free // MIB, house.free_wanted // MIB
    short = house.free < house.free_wanted
    tight = house.free < 2 * house.free_wanted
    yield Finding(
        "disk.free",
        "fix" if short else "look" if tight else "ok",
        f"The disk has {free:,} MiB free; the agent stops reading below {wanted:,}.",
        {"free_mib": free},
        "Make room, old logs first (`journalctl --vacuum-time=2d`, `du -xh /var | sort -h | tail`)."
        if tight
        else "",
    )
    yield Finding(
        "disk.outbox",
        "fix" if house.outbox_full else "ok",
        "The outbox is full: nothing more is read." if house.outbox_full else "The outbox has room.",
        do="Reconnect the district, or allow more: `outbox_mib` under [disk] in agent.toml."
        if house.outbox_full
        else "",
    )
    part = house.signals / house.signals_wanted
    yield Finding(
        "disk.signals",
        "fix" if part >= 1 else "look" if part >= NEARLY else "ok",
        f"Signals of the last two days take {house.signals // MIB:,} of {house.signals_wanted // MIB:,} MiB.",
        {"mib": house.signals // MIB},
        "Allow more: `signals_mib` under [disk] in agent.toml." if part >= NEARLY else "",
    )
