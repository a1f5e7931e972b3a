"""Whom a statement is about: agents and groups as the standard has them, and the one identifier of each."""

from typing import Final, NamedTuple, cast

from edge_agent.sources.xapi_values import (
    Check,
    Table,
    as_table,
    iri,
    mailbox,
    needed,
    properties,
    sha1,
    text,
    within,
    wrong,
)
from shared.errors import BadInput

NOT_A_PERSON: Final = "actor_not_a_person"
WITHOUT_USER_NAME: Final = "actor_without_user_name"
MAX_MEMBERS: Final = 10_000


class Actor(NamedTuple):
    """`user` is what the school's files may know; `unused` is the reason why there is none."""

    user: str
    identity: tuple[str, str]
    unused: str


def agent(value: object, part: str) -> Actor:
    """One person or system."""
    return actor(value, part, ("Agent",))


def group(value: object, part: str) -> Actor:
    """A group, said to be one."""
    if "objectType" not in as_table(value, part):
        raise wrong(f"{part}.objectType must be Group")
    return actor(value, part, ("Group",))


def authority(value: object, part: str) -> None:
    """Who vouches for a statement: an agent, or a consumer and its user."""
    found = actor(value, part)
    if found.unused != NOT_A_PERSON:
        return
    members = as_table(value, part).get("member")
    if found.identity != ("", "") or not isinstance(members, list) or len(members) != 2:
        raise wrong(f"{part} must be an agent, or a group of two without an identifier")


def actor(value: object, part: str, kinds: tuple[str, ...] = ("Agent", "Group")) -> Actor:
    """An agent or a group."""
    table = as_table(value, part)
    kind = table.get("objectType", "Agent")
    if kind not in kinds:
        raise wrong(f"{part}.objectType must be {' or '.join(kinds)}")
    try:
        named = [(name, cast("str", read(table[name], name))) for name, read in _IDS if name in table]
    except BadInput as error:
        raise within(part, error) from None
    if len(named) > 1:
        raise wrong(f"{part} must have one identifier")
    if kind == "Group":
        properties(table, part, _GROUP)
        if not named and "member" not in table:
            raise wrong(f"{part} needs an identifier or members")
        return Actor("", named[0] if named else ("", ""), NOT_A_PERSON)
    if not named:
        raise BadInput("actor_unidentified", f"{part} needs an account, mbox, mbox_sha1sum or openid")
    properties(table, part, _AGENT)
    name, user = named[0]
    known = name in ("account", "mbox")
    return Actor(user if known else "", named[0], "" if known else WITHOUT_USER_NAME)


def _members(value: object, part: str) -> None:
    if type(value) is not list or len(value) > MAX_MEMBERS:
        raise wrong(f"{part} must be an array of at most {MAX_MEMBERS} agents")
    for member in value:
        agent(member, part)


def _account(value: object, part: str) -> str:
    table: Table = as_table(value, part)
    properties(table, part, _ACCOUNT)
    needed(table, "homePage", part)
    return needed(table, "name", part)


def _accepted(value: object, part: str) -> None:
    """What was looked at before."""


_IDS: Final[tuple[tuple[str, Check], ...]] = (
    ("account", _account),
    ("mbox", mailbox),
    ("mbox_sha1sum", sha1),
    ("openid", iri),
)
_ACCOUNT: Final[dict[str, Check]] = {"homePage": iri, "name": text}
_AGENT: Final[dict[str, Check]] = {
    **dict.fromkeys(("objectType", *(name for name, _ in _IDS)), _accepted),
    "name": text,
}
_GROUP: Final[dict[str, Check]] = {**_AGENT, "member": _members}
