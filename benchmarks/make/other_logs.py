"""A dnsmasq log's queries as other programs would have logged them: the same names, addresses and seconds."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from edge_agent.sources.logtime import LogTime

_QUERY: Final = re.compile(rb"^(.{15}) [^ ]+ query\[([A-Z]+)\] (\S+) from (\S+)$", re.MULTILINE)


class Asked(NamedTuple):
    """One query."""

    t: int
    kind: str
    name: str
    address: str


def queries(log: bytes, times: LogTime) -> list[Asked]:
    """The queries of a dnsmasq log, in its order."""
    found = []
    for stamp, kind, name, address in _QUERY.findall(log):
        t = times.seconds(stamp)
        if t is not None:
            found.append(Asked(t, kind.decode(), name.decode(), address.decode()))
    return found


def _unbound(one: Asked) -> str:
    return f"[{one.t}] unbound[813:0] info: {one.address} {one.name}. {one.kind} IN"


def _adguard(one: Asked) -> str:
    return (
        f'{{"T":"{_iso(one.t)}.123456789Z","QH":"{one.name}","QT":"{one.kind}","QC":"IN","CP":"",'
        f'"IP":"{one.address}","Upstream":"9.9.9.9:53","Result":{{}},"Elapsed":1000000}}'
    )


def _bind(one: Asked) -> str:
    return (
        f"{_iso(one.t)}.123Z queries: info: client @0x7f1b73e74098 {one.address}#47935 ({one.name}):"
        f" query: {one.name} IN {one.kind} + (10.0.0.53)"
    )


def _squid(one: Asked) -> str:
    head = f"{one.t}.187    250 {one.address}"
    return f"{head} TCP_TUNNEL/200 9817 CONNECT {one.name}:443 - HIER_DIRECT/192.0.2.7 -"


def _zeek(one: Asked) -> str:
    return f"{one.t}.187000\tC1\t{one.address}\t51123\t10.0.0.53\t53\tudp\t{one.name}\t{one.kind}"


_ZEEK_HEAD: Final = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tqtype_name\n"
    "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tstring\n"
)
LOGS: Final[dict[str, tuple[str, Callable[[Asked], str]]]] = {
    "unbound": ("", _unbound),
    "bind": ("", _bind),
    "adguard": ("", _adguard),
    "squid": ("", _squid),
    "zeek": (_ZEEK_HEAD, _zeek),
}


def log_of(kind: str, asked: list[Asked]) -> bytes:
    """What a program of that kind (a key of LOGS) would have logged."""
    head, line = LOGS[kind]
    return (head + "".join(f"{line(one)}\n" for one in asked)).encode()


def _iso(t: int) -> str:
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%S")
