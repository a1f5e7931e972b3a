"""What the xAPI standard asks of a statement, part by part; of what is in order only the used parts remain.

A refusal names the part and never what stood in it. Parts that are not read are not judged.
"""

import re
from datetime import UTC, datetime
from math import floor
from typing import Final, NamedTuple, cast

import msgspec

from shared.errors import BadInput
from shared.signals import MAX_AMOUNT

VOIDED: Final = "http://adlnet.gov/expapi/verbs/voided"

ACTOR_NOT_A_PERSON: Final = "actor_not_a_person"
ACTOR_WITHOUT_USER_NAME: Final = "actor_without_user_name"
OBJECT_IS_NO_ACTIVITY: Final = "object_is_no_activity"

Table = dict[str, object]

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_IRI: Final = re.compile(r"[a-z][a-z0-9+.-]*:[^\x00-\x20][^\x00-\x1f\x7f]*", re.IGNORECASE)
_MAILTO: Final = re.compile(r"mailto:([^\s@]+@[^\s@]+)", re.IGNORECASE)
_SHA1: Final = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)
_LEAP_SECOND: Final = re.compile(r"(?<=[T ][0-9]{2}:[0-9]{2}:)60")
_NUMBER: Final = r"([0-9]+(?:[.,][0-9]+)?)"
_DURATION: Final = re.compile(
    rf"P(?!\Z)(?:{_NUMBER}W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?!\Z)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)"
)
_UNITS: Final = (7 * 86400, 365 * 86400, 30 * 86400, 86400, 3600, 60, 1)  # seconds, in the pattern's order
_NEVER_INSIDE: Final = ("id", "stored", "version", "authority")


class Statement(msgspec.Struct, frozen=True, gc=False):
    """The used parts of a statement that is in order.

    `t`: seconds UTC, of any year, None without a timestamp. `amount`: seconds, 0 if unknown.
    `unused`: the reason why its actor or object tell nothing about a device, or "". `essence`: equal for two
    copies of one statement (who, which verb, which object), comparable within this process only.
    """

    id: str | None
    user: str
    verb: str
    target: str
    platform: str
    t: int | None
    amount: float
    unused: str
    essence: int


class _Actor(NamedTuple):
    user: str
    identity: tuple[str, str]
    unused: str


def check(value: object) -> Statement:
    """The statement, or BadInput for the first part that breaks the standard."""
    table = _table(value, "statement")
    id_ = check_id(table["id"], "id") if "id" in table else None
    return _check(table, id_, inside=False)


def check_id(value: object, part: str) -> str:
    """A UUID in its usual form, as lower case; raises BadInput."""
    if isinstance(value, str) and _UUID.fullmatch(value):
        return value.lower()
    raise _wrong(f"{part} must be a UUID")


def _check(table: Table, id_: str | None, *, inside: bool) -> Statement:
    actor = _actor(table.get("actor"), "actor")
    verb = _iri(_table(table.get("verb"), "verb").get("id"), "verb.id")
    kind, target = _object(table.get("object"), inside=inside)
    if verb == VOIDED and kind != "StatementRef":
        raise _wrong("object of a voiding statement must be a StatementRef")
    moment = _moment(table["timestamp"]) if "timestamp" in table else None
    context = _table(table.get("context", {}), "context")
    platform = context.get("platform", "")
    if not isinstance(platform, str):
        raise _wrong("context.platform must be text")
    result = _table(table.get("result", {}), "result")
    amount = _seconds(result["duration"]) if "duration" in result else 0.0
    unused = actor.unused or ("" if kind == "Activity" else OBJECT_IS_NO_ACTIVITY)
    essence = hash((actor.identity, verb, kind, target))
    return Statement(id_, actor.user, verb, target, platform, moment, amount, unused, essence)


def _actor(value: object, part: str, kinds: tuple[str, ...] = ("Agent", "Group")) -> _Actor:
    table = _table(value, part)
    kind = table.get("objectType", "Agent")
    if kind not in kinds:
        raise _wrong(f"{part}.objectType must be {' or '.join(kinds)}")
    found = [(name, read(table[name], part)) for name, read in _IDENTIFIERS.items() if name in table]
    if len(found) > 1:
        raise _wrong(f"{part} must have one identifier")
    if kind == "Group":
        _members(table, part, identified=bool(found))
        return _Actor("", found[0] if found else ("", ""), ACTOR_NOT_A_PERSON)
    if not found:
        raise BadInput("actor_unidentified", f"{part} needs an account, mbox, mbox_sha1sum or openid")
    name, user = found[0]
    named = name in ("account", "mbox")
    return _Actor(user if named else "", found[0], "" if named else ACTOR_WITHOUT_USER_NAME)


def _members(table: Table, part: str, *, identified: bool) -> None:
    if "member" not in table:
        if not identified:
            raise _wrong(f"{part} needs an identifier or members")
        return
    members = table["member"]
    if not isinstance(members, list):
        raise _wrong(f"{part}.member must be an array")
    for member in members:
        _actor(member, f"{part}.member", ("Agent",))


def _account(value: object, part: str) -> str:
    table = _table(value, f"{part}.account")
    _iri(table.get("homePage"), f"{part}.account.homePage")
    name = table.get("name")
    if not isinstance(name, str):
        raise _wrong(f"{part}.account.name must be text")
    return name


def _mbox(value: object, part: str) -> str:
    found = _MAILTO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _wrong(f"{part}.mbox must be mailto: and an address")
    return found[1]


def _mbox_sha1sum(value: object, part: str) -> str:
    if isinstance(value, str) and _SHA1.fullmatch(value):
        return value.lower()
    raise _wrong(f"{part}.mbox_sha1sum must be 40 hex digits")


def _openid(value: object, part: str) -> str:
    return _iri(value, f"{part}.openid")


_IDENTIFIERS: Final = {
    "account": _account,
    "mbox": _mbox,
    "mbox_sha1sum": _mbox_sha1sum,
    "openid": _openid,
}


def _object(value: object, *, inside: bool) -> tuple[str, str]:
    """What kind of object it is, and its identity."""
    table = _table(value, "object")
    match table.get("objectType", "Activity"):
        case "Activity":
            return "Activity", _iri(table.get("id"), "object.id")
        case "Agent" | "Group" as kind:
            return kind, "=".join(_actor(table, "object").identity)
        case "StatementRef":
            return "StatementRef", check_id(table.get("id"), "object.id")
        case "SubStatement" if not inside:
            if any(name in table for name in _NEVER_INSIDE):
                raise _wrong(f"object must not have {', '.join(_NEVER_INSIDE)}")
            return "SubStatement", str(_check(table, None, inside=True).essence)
    raise _wrong("object.objectType must be one that the standard knows")


def _moment(value: object) -> int:
    """Seconds UTC; without an offset it is UTC, as the standard has it."""
    if not isinstance(value, str):
        raise _wrong("timestamp must be text")
    text, leap = _LEAP_SECOND.subn("59", value.upper())
    # Year 0 is a year of ISO 8601 and none of Python's; year 4 has the same days.
    year_zero = text.startswith("0000")
    try:
        moment = datetime.fromisoformat("0004" + text[4:] if year_zero else text)
    except ValueError:
        raise _wrong("timestamp must be ISO 8601") from None
    seconds = floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return -1 if year_zero else seconds + leap


def _seconds(value: object) -> float:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _wrong("result.duration must be an ISO 8601 duration")
    parts = (float((part or "0").replace(",", ".")) for part in found.groups())
    return min(sum(part * unit for part, unit in zip(parts, _UNITS, strict=True)), MAX_AMOUNT)


def _table(value: object, part: str) -> Table:
    if not isinstance(value, dict):
        raise _wrong(f"{part} must be an object")
    return cast("Table", value)


def _iri(value: object, part: str) -> str:
    if isinstance(value, str) and _IRI.fullmatch(value):
        return value
    raise _wrong(f"{part} must be an IRI")


def _wrong(detail: str) -> BadInput:
    return BadInput("statement_invalid", detail)
