"""What the resolver is told: Unbound and dnsmasq snippets, Private Relay's names answered as Apple asks."""

from dataclasses import dataclass
from typing import Final

from edge_agent.setup.wishes import Wishes

RELAY_NAMES: Final = ("mask.icloud.com", "mask-h2.icloud.com")
NETWORKS: Final = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the agent listens for dnstap (`tcp://...` or `unix:...`, empty: nowhere), and the TLS files."""

    dnstap: str = ""
    key: str = "/etc/unbound/commonground.key"
    certificate: str = "/etc/unbound/commonground.pem"
    plain_port: int = 53
    tls_port: int = 853


def unbound(wishes: Wishes, listening: Listening) -> str:
    """A file for /etc/unbound/unbound.conf.d/."""
    lines = [
        "# /etc/unbound/unbound.conf.d/commonground.conf",
        "# Check it with: unbound-checkconf; then: systemctl restart unbound",
        "server:",
        "    # No query log on the disk: it would be a browsing history. The agent is told by dnstap.",
        "    log-queries: no",
        "    log-replies: no",
        "    # Who may ask: this machine and private networks. Narrow it to the school's own.",
        *(f"    access-control: {network} allow" for network in NETWORKS),
    ]
    if wishes.resolvers:
        lines.append("    # Each address by itself, not 0.0.0.0: by it the agent knows which cart asks.")
        lines += [f"    interface: {address}@{listening.plain_port}" for address in wishes.resolvers]
    if wishes.encrypted:
        names = ", ".join((wishes.dns_name, *(cart.name for cart in wishes.carts)))
        lines += [
            "    # DNS over TLS. The certificate must be valid for every one of these names:",
            f"    # {names}",
            *(f"    interface: {address}@{listening.tls_port}" for address in wishes.resolvers),
            f"    tls-port: {listening.tls_port}",
            f'    tls-service-key: "{listening.key}"',
            f'    tls-service-pem: "{listening.certificate}"',
        ]
    lines.append(
        "    # Private Relay: no such name is the answer that tells an iPad at once that it is off here."
    )
    lines += [f'    local-zone: "{name}." always_nxdomain' for name in RELAY_NAMES]
    return "\n".join([*lines, *_dnstap(listening.dnstap)]) + "\n"


def _dnstap(listen: str) -> list[str]:
    kind, _, where = listen.partition(":")
    if kind == "unix":
        target = [f'    dnstap-socket-path: "{where}"']
    elif kind == "tcp":
        host, _, port = where.removeprefix("//").rpartition(":")
        target = [
            '    dnstap-socket-path: ""',
            f"    dnstap-ip: {host.strip('[]')}@{port}",
            "    dnstap-tls: no",
        ]
    else:
        return [
            "# The agent has no dnstap source yet. Add one to agent.toml, run `agent profile` again:",
            '# this part is written for it then: [[sources]] kind = "dnstap", listen = "tcp://127.0.0.1:6000"',
        ]
    return [
        "dnstap:",
        "    dnstap-enable: yes",
        *target,
        "    dnstap-log-client-query-messages: yes",
    ]


_RELAY: Final = (
    "# Private Relay: no such name is the answer that tells an iPad at once that it is off here.",
    *(f"address=/{name}/" for name in RELAY_NAMES),
)


def dnsmasq(*, by_syslog: bool) -> str:
    """A file for /etc/dnsmasq.d/; `by_syslog`: the agent listens for what it logs, and reads no file."""
    lines = [
        "# /etc/dnsmasq.d/commonground.conf, not for Pi-hole. dnsmasq speaks no encrypted DNS.",
        "# Check it with: dnsmasq --test; then: systemctl restart dnsmasq",
        *_RELAY,
        "# Look-ups, and who has which address.",
        "log-queries",
        "log-dhcp",
    ]
    if by_syslog:
        lines += [
            "# By the log daemon, not into a file: docs/sources/listening.md. If another file has one of",
            "# these two already, take it out there: with a second one dnsmasq does not start.",
            "log-facility=local5",
            "log-async=100",
        ]
    else:
        lines.append(
            "# Where it logs stays as it is: `log-facility=` says it, once, and agent.toml the same."
        )
    return "\n".join(lines) + "\n"


def pihole() -> str:
    """A file for a Pi-hole's /etc/dnsmasq.d/; it logs into its own file, and a second place stops it."""
    lines = [
        "# /etc/dnsmasq.d/commonground.conf on a Pi-hole. Pi-hole 6 reads that folder only after:",
        "#   sudo pihole-FTL --config misc.etc_dnsmasq_d true",
        "# Look-ups are logged by Pi-hole itself (pihole logging on). No log-facility may stand here: with a",
        "# second one it does not start.",
        "# Check it with: sudo pihole-FTL dnsmasq-test; then: sudo systemctl restart pihole-FTL",
        *_RELAY,
    ]
    return "\n".join(lines) + "\n"
