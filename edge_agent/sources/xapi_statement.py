"""What the xAPI standard asks of a statement; of what is in order only the used parts remain.

Both editions: 1.0.3, and 2.0 (IEEE 9274.1.1). A refusal names the part and never what stood in it.
"""

import re
from typing import Final

import msgspec

from edge_agent.sources import xapi_parts as parts
from edge_agent.sources.xapi_actor import actor
from edge_agent.sources.xapi_values import Check, Table, as_table, duration, identifier, moment, text, wrong

VOIDED: Final = "http://adlnet.gov/expapi/verbs/voided"
OBJECT_IS_NO_ACTIVITY: Final = "object_is_no_activity"

_VERSIONS: Final = (re.compile(r"1\.0(?:\.[0-9]+)?"), re.compile(r"(?:1|2)\.0(?:\.[0-9]+)?"))
_ONLY_OUTSIDE: Final = frozenset({"id", "stored", "version", "authority"})
_KNOWN: Final = _ONLY_OUTSIDE | {
    *("actor", "verb", "object", "result", "context", "timestamp", "attachments", "objectType")
}


class Statement(msgspec.Struct, frozen=True, gc=False):
    """The used parts of a statement that is in order.

    `t`: seconds UTC, of any year, None without a timestamp. `amount`: seconds, 0 if unknown.
    `unused`: the reason why its actor or object tell nothing about a device, or "". `essence`: equal for two
    copies of one statement (who, which verb, which object, which result), comparable within this process
    only. `attached`: of each attachment its hash, and whether it has an address of its own.
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
    attached: tuple[tuple[str, bool], ...] = ()


def check(value: object, *, second: bool = False) -> Statement:
    """The statement, or BadInput for the first part that breaks the standard; `second`: by 2.0."""
    table = as_table(value, "statement")
    if "objectType" in table:
        raise wrong("statement has a property that the standard does not know here")
    id_ = identifier(table["id"], "id") if "id" in table else None
    if "stored" in table:
        moment(table["stored"], second=second)
    if "version" in table and not _VERSIONS[second].fullmatch(text(table["version"], "version")):
        raise wrong("version must be one of the standard's")
    if "authority" in table:
        parts.authority(table["authority"], "authority")
    return _check(table, id_, second=second, inside=False)


def check_id(value: object, part: str) -> str:
    """A UUID in its usual form, as lower case; raises BadInput."""
    return identifier(value, part)


def _check(table: Table, id_: str | None, *, second: bool, inside: bool) -> Statement:
    if not _KNOWN.issuperset(table):
        raise wrong(f"{'object' if inside else 'statement'} has a property that the standard does not know")
    who = actor(table.get("actor"), "actor")
    verb = parts.verb(table.get("verb"), "verb")
    kind, target, attached = _object(table.get("object"), second=second, inside=inside)
    if verb == VOIDED and kind != "StatementRef":
        raise wrong("object of a voiding statement must be a StatementRef")
    when = moment(table["timestamp"], second=second) if "timestamp" in table else None
    platform, amount, came = "", 0.0, b""
    if "context" in table:
        context = parts.context(table["context"], second=second, with_activity=kind == "Activity")
        platform = str(context.get("platform", ""))
    if "result" in table:
        result = parts.result(table["result"], "result")
        amount = duration(result["duration"], "result.duration") if "duration" in result else 0.0
        came = _fingerprint(result)
    if "attachments" in table:
        attached += parts.attachments(table["attachments"], "attachments")
    unused = who.unused or ("" if kind == "Activity" else OBJECT_IS_NO_ACTIVITY)
    essence = hash((who.identity, verb, kind, target, came))
    return Statement(id_, who.user, verb, target, platform, when, amount, unused, essence, attached)


def _fingerprint(result: Table) -> bytes:
    try:
        return msgspec.json.encode(result, order="deterministic")
    except (UnicodeEncodeError, RecursionError):
        raise wrong("result must be JSON") from None


def _object(value: object, *, second: bool, inside: bool) -> tuple[str, str, tuple[tuple[str, bool], ...]]:
    """What kind of object it is, its identity, and what is attached to it."""
    table = as_table(value, "object")
    kind = table.get("objectType", "Activity")
    read = _OBJECTS.get(kind) if type(kind) is str else None
    if read is not None:
        return str(kind), str(read(table, "object")), ()
    if kind != "SubStatement" or inside:
        raise wrong("object.objectType must be one that the standard knows")
    if not _ONLY_OUTSIDE.isdisjoint(table):
        raise wrong(f"object must not have {', '.join(sorted(_ONLY_OUTSIDE))}")
    found = _check(table, None, second=second, inside=True)
    return "SubStatement", str(found.essence), found.attached


def _identity(value: object, part: str) -> str:
    return "=".join(actor(value, part).identity)


_OBJECTS: Final[dict[str, Check]] = {
    "Activity": parts.activity,
    "Agent": _identity,
    "Group": _identity,
    "StatementRef": parts.reference,
}
