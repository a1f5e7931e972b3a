"""Findings about sources: can each be read, is it fresh, are its lines of its kind, is its clock right."""

from collections.abc import Iterator
from typing import Final

from edge_agent.check.facts import Facts, SourceFacts
from edge_agent.check.findings import Finding
from edge_agent.check.words import counted, length, share

QUIET_IN_LESSONS: Final = 3600.0
PAST: Final = 7 * 86400.0
AHEAD: Final = 120.0
BEHIND: Final = 300.0
COPIED: Final = 26 * 3600.0  # further behind, somebody put an older file there
HALF_HOUR: Final = 1800.0
OF_A_ZONE: Final = 240.0
MANY_REFUSED: Final = 1.0  # percent


def about_sources(facts: Facts) -> Iterator[Finding]:
    """Every source in turn; and whether there is any."""
    if not facts.sources:
        yield Finding(
            "sources",
            "fix",
            "No source is set: nothing will be seen.",
            do='Add to agent.toml, for example: [[sources]] kind = "dnsmasq", id = "resolver",'
            ' path = "/var/log/dnsmasq.log".',
        )
    for source in facts.sources:
        yield _readable(source)
        if not source.trouble and source.looked_into:
            if not source.listens or source.newest is not None:
                yield _fresh(facts, source)
            if source.newest is not None:
                yield _clock(facts, source)
            if source.lines:
                yield _lines(source)
        if source.is_open:
            yield _open(source)
        if source.listens and source.tells_leases and not facts.has_addresses:
            yield _forgets_leases(source)
    for path, trouble in facts.addresses:
        fault = bool(trouble)
        yield Finding(
            f"addresses.{path}",
            "fix" if fault else "ok",
            f"The file of addresses {path} {trouble or 'can be read'}.",
            do="Correct its path in agent.toml, and let the agent’s user read it." if fault else "",
        )


def _readable(source: SourceFacts) -> Finding:
    name = f"source.{source.id}.readable"
    if source.trouble:
        return Finding(name, "fix", f"Source {source.id}: {source.where} {source.trouble}.", do=source.advice)
    can = "can be listened at" if source.listens else "can be read"
    return Finding(name, "ok", f"Source {source.id}: {source.where} {can}.")


def _open(source: SourceFacts) -> Finding:
    return Finding(
        f"source.{source.id}.senders",
        "look",
        f"Source {source.id} listens at {source.where}, and everybody in that network may send.",
        do='Name who may, by the resolver’s address, for example from = ["10.1.0.53"], beside `listen` in'
        " agent.toml; let the firewall admit it alone.",
    )


def _fresh(facts: Facts, source: SourceFacts) -> Finding:
    name = f"source.{source.id}.fresh"
    if source.newest is None:
        return Finding(
            name,
            "fix",
            f"Source {source.id} holds no line with a time.",
            do="Check that the program writes its look-ups there: dnsmasq and Pi-hole need `log-queries`,"
            " Unbound `log-queries: yes`, BIND `querylog yes`. Look a name up on an iPad, and check again.",
        )
    age = facts.now - source.newest
    quiet = _in_lessons(facts, source.newest)
    figures = {"minutes_of_lessons_without_a_line": round(quiet / 60)}
    if age > PAST:
        return Finding(
            name,
            "look",
            f"Source {source.id}: its newest line is {length(age)} old.",
            {"days": round(age / 86400)},
            "A past log? Then replay it, and name in agent.toml the log that is written now.",
        )
    if quiet > QUIET_IN_LESSONS:
        return Finding(
            name,
            "fix",
            f"Source {source.id} has been silent for {length(quiet)} of lessons.",
            figures,
            "See whether the program runs (`systemctl status dnsmasq`, `pihole status`) and still logs:"
            " after an update `log-queries` is often off, after a rotation it may write to the old file.",
        )
    return Finding(name, "ok", f"Source {source.id} is fresh: newest line {length(max(0.0, age))} ago.")


def _in_lessons(facts: Facts, since: float) -> float:
    """Seconds of lessons from then until now."""
    spans = facts.school.lessons if facts.school is not None else ()
    return sum(max(0.0, min(end, facts.now) - max(begin, since)) for begin, end in spans)


def _clock(facts: Facts, source: SourceFacts) -> Finding:
    name = f"source.{source.id}.clock"
    newest = source.newest or facts.now
    ahead = newest - facts.now
    if source.written is not None and ahead <= AHEAD:
        ahead = newest - source.written
    if ahead > AHEAD or -COPIED < ahead < -BEHIND:
        is_ahead = ahead > 0
        zone = abs(ahead - round(ahead / HALF_HOUR) * HALF_HOUR) < OF_A_ZONE and abs(ahead) > HALF_HOUR - 1
        return Finding(
            name,
            "fix" if is_ahead else "look",
            f"Source {source.id}: its clock seems {length(ahead)} {'ahead of' if is_ahead else 'behind'}"
            " this machine’s.",
            {"seconds": round(ahead / 60) * 60},
            (
                "That looks like a time zone: the log is in another one than `timezone` in agent.toml says."
                f" If that is right: `sudo timedatectl set-timezone {facts.zone.key}` where the resolver"
                " runs, and restart it. A container writes UTC unless it is told otherwise"
                f" (TZ={facts.zone.key} in its environment)."
                if zone
                else "Let both machines take their time from the network: `timedatectl set-ntp true`, and"
                " `timedatectl` must say `System clock synchronized: yes`."
            )
            + ("" if is_ahead else " If you copied the log here by hand, nothing is wrong."),
        )
    return Finding(name, "ok", f"Source {source.id}: its clock agrees with this machine’s.")


def _lines(source: SourceFacts) -> Finding:
    refused = sum(source.refused.values())
    bad = share(refused, source.lines)
    figures = {"lines": source.lines, **source.refused}
    name = f"source.{source.id}.lines"
    if bad <= MANY_REFUSED:
        lines = counted(source.lines, "line")
        return Finding(name, "ok", f"Source {source.id}: {lines} read, {bad} % refused.", figures)
    most = max(source.refused, key=lambda reason: source.refused[reason])
    return Finding(
        name,
        "fix" if bad > 50 else "look",
        f"Source {source.id}: {bad} % of its lines are refused, most as {most.replace('_', ' ')}.",
        {"refused_percent": bad},
        f'Is it `kind = "{source.kind}"` that wrote {source.where}? If several programs write there, give the'
        " resolver a file of its own.",
    )


def _forgets_leases(source: SourceFacts) -> Finding:
    return Finding(
        f"source.{source.id}.leases",
        "look",
        f"Source {source.id} hears of leases as they are given; after a restart of the agent they are gone.",
        do='Give the lease file too: [[addresses]] kind = "dnsmasq", path = "/var/lib/misc/dnsmasq.leases"'
        " (Pi-hole: /etc/pihole/dhcp.leases).",
    )
