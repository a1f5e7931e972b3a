"""The request to whoever runs the firewall: what to let through, what to refuse, and why."""

from edge_agent.setup.wishes import Wishes
from models.catalogue.elsewhere import ELSEWHERE


def request(wishes: Wishes, hub: str, collectors: str) -> str:
    """Markdown, ready to send; `hub` and `collectors` are addresses (`tcp://...`), or empty."""
    resolver = ", ".join(wishes.resolvers) or "the school's resolver (fill in its address)"
    encrypted = " and TCP 853" if wishes.encrypted else ""
    rows = [
        ("let through", "the iPads' network", resolver, f"UDP and TCP 53{encrypted}", "look-ups"),
        (
            "let through",
            resolver,
            "anywhere",
            "UDP and TCP 53 (853, if it forwards by TLS)",
            "what it asks others",
        ),
        ("refuse", "the iPads' network", "anywhere else", "UDP and TCP 53", "look-ups past the resolver"),
        ("refuse", "the iPads' network", "anywhere else", "UDP and TCP 853", "DNS over TLS and QUIC"),
        ("refuse", "the iPads' network", "the names below", "UDP and TCP 443", "DNS over HTTPS"),
        (
            "let through",
            "the agent's machine",
            hub.removeprefix("tcp://")
            or "the district's hub (TCP 5710, unless its invitation says otherwise)",
            f"TCP {hub.rpartition(':')[2]}" if hub else "TCP 5710",
            "records to the district: outward alone, nothing comes in",
        ),
    ]
    if collectors:
        rows.append(
            (
                "let through",
                "collectors (resolvers in other buildings)",
                collectors.removeprefix("tcp://"),
                f"TCP {collectors.rpartition(':')[2]}",
                "their signals, encrypted and signed",
            )
        )
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    names = "\n".join(f"- `{name}`" for name in sorted(ELSEWHERE) if not name.startswith("mask"))
    return f"""# Request: look-ups of the school's iPads

{wishes.school} measures, without identifying anybody, which kinds of learning apps its iPads reach. It
reads the look-ups at the school's own resolver. iPads that ask another resolver are not seen; nothing else
depends on it.

| what | from | to | ports | why |
|---|---|---|---|---|
{table}

Please **refuse** (reset, or ICMP), do not drop: an iPad that gets no answer waits, and a lesson waits with
it. Please do not inspect TLS for this.

Servers of DNS over HTTPS and of relays, by name (none of them is needed for lessons; your firewall's own
category "encrypted DNS" or "proxy avoidance" covers more and is kept up to date):

{names}

`mask.icloud.com` and `mask-h2.icloud.com` need no rule: the resolver answers that there is no such name,
which is how Apple asks networks to say that Private Relay is off here.

To take it back: remove these rules. No other system relies on them.
"""
