"""What a school said when its agent was set up, and the agent.toml that says it."""

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from edge_agent.settings import TEMPLATE
from edge_agent.sources.kinds import KINDS
from shared.errors import UsageError

XAPI: Final = "xapi"
ADDRESSES: Final = ("dnsmasq", "dhcpd", "kea", "windows", "neighbours")
_LISTENS: Final = ("udp://", "tcp://", "unix:")
_SOURCE: Final = re.compile(r'^\[\[sources\]\]\nkind = "dnsmasq".*?(?=^$)', re.MULTILINE | re.DOTALL)
_MAPPED: Final = "events"


@dataclass(frozen=True, slots=True)
class Answers:
    """`sources` and `leases` are (kind, where); empty words are left as the template has them."""

    school: str
    timezone: str
    port: int = 8100
    sources: Sequence[tuple[str, str]] = ()
    leases: Sequence[tuple[str, str]] = ()
    files: Mapping[str, str] = field(default_factory=dict)  # key of [identity]: path


def pair(text: str, option: str, kinds: Sequence[str]) -> tuple[str, str]:
    """`KIND=WHERE`; raises UsageError naming the kinds that there are."""
    kind, sign, where = text.partition("=")
    if not sign or not where.strip():
        raise UsageError(f"`{option} {text}`: write KIND=PATH, such as {kinds[0]}=/var/log/{kinds[0]}.log")
    return known_kind(kind.strip().lower(), kinds), where.strip()


def known_kind(kind: str, kinds: Sequence[str]) -> str:
    """The kind; raises UsageError for one that is not in the list."""
    if kind not in kinds:
        near = difflib.get_close_matches(kind, kinds, n=1)
        hint = f"did you mean `{near[0]}`? Known" if near else "known"
        raise UsageError(f"unknown kind `{kind}`; {hint}: {', '.join(sorted(kinds))}")
    return kind


def source_kinds() -> list[str]:
    """Every kind of source that an agent reads, the commonest first."""
    return list(KINDS)


def settled(path: str, folder: Path) -> str:
    """A path as agent.toml takes it: of the folder if it lies there or is nowhere yet, else a whole one."""
    given = Path(path).expanduser()
    if given.is_absolute():
        return str(given)
    if (folder / given).exists() or not given.exists():
        return given.as_posix()
    return str(given.absolute())


def text(answers: Answers, folder: Path) -> str:
    """The commented file; what was not said is as in the template."""
    place = partial(settled, folder=folder)
    quoted = {"school": _quoted(answers.school), "timezone": _quoted(answers.timezone)}
    found = TEMPLATE.format(port=answers.port, **quoted)
    for key, path in answers.files.items():
        found = _set(found, key, place(path))
    if answers.sources:
        blocks = "\n".join(_sources(answers.sources, place))
        found = _SOURCE.sub(lambda _: blocks, found, count=1)
    more = [
        f"[[addresses]]\nkind = {_quoted(kind)}\npath = {_quoted(place(path))}\n"
        for kind, path in answers.leases
    ]
    return found + "".join(f"\n{block}" for block in more)


def _set(text: str, key: str, value: str) -> str:
    """A key of the template set, also one that it has as a comment; the comment behind it stays."""
    line = re.compile(rf'^(?:# )?{key} = "[^"]*"(\s*#.*)?$', re.MULTILINE)
    return line.sub(lambda match: f"{key} = {_quoted(value)}{match[1] or ''}", text, count=1)


def _sources(sources: Sequence[tuple[str, str]], place: Callable[[str], str]) -> list[str]:
    used: set[str] = set()
    blocks = []
    for kind, where in sources:
        name = next(name for name in _names(kind) if name not in used)
        used.add(name)
        lines = [
            "[[sources]]",
            f"kind = {_quoted(kind)}",
            f"id = {_quoted(name)}",
            *_where(kind, where, place),
        ]
        if kind == _MAPPED:
            lines.append('mapping = "lightspeed"      # which column says what: docs/sources/mapping.md')
        blocks.append("\n".join(lines) + "\n")
    return blocks


def _names(kind: str) -> Sequence[str]:
    first = "resolver" if kind in ("dnsmasq", "pihole", "unbound", "bind", "adguard", "dnstap") else kind
    return [first, *(f"{first}-{number}" for number in range(2, 100))]


def _where(kind: str, where: str, place: Callable[[str], str]) -> list[str]:
    if kind == XAPI and where.isdecimal():
        return [f"port = {int(where)}", 'user = "apps"', 'password_file = "secrets/xapi_password"']
    if where.startswith(_LISTENS):
        return [f"listen = {_quoted(where)}"]
    return [f"path = {_quoted(place(where))}"]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
