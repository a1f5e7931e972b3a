"""The parts of a statement that nobody reads: looked at as the standard asks, and then let go."""

from typing import Final

from edge_agent.sources.xapi_actor import actor, agent, authority, group
from edge_agent.sources.xapi_values import (
    Check,
    Table,
    array_of,
    as_table,
    duration,
    extensions,
    identifier,
    iri,
    language,
    language_map,
    needed,
    number,
    one_of,
    properties,
    text,
    true_or_false,
    whole_number,
    wrong,
)

__all__ = ["activity", "attachments", "authority", "context", "reference", "result", "verb"]

INTERACTIONS: Final = (
    *("true-false", "choice", "fill-in", "long-fill-in", "matching", "performance", "sequencing"),
    *("likert", "numeric", "other"),
)
_INTERACTIVE: Final = frozenset({"correctResponsesPattern", "choices", "scale", "source", "target", "steps"})


def verb(value: object, part: str) -> str:
    """The verb's id."""
    table = as_table(value, part)
    properties(table, part, _VERB)
    return needed(table, "id", part)


def activity(value: object, part: str) -> str:
    """The activity's id."""
    table = as_table(value, part)
    properties(table, part, _ACTIVITY)
    return needed(table, "id", part)


def reference(value: object, part: str) -> str:
    """The id of the statement that is meant."""
    table = as_table(value, part)
    if table.get("objectType") != "StatementRef":
        raise wrong(f"{part}.objectType must be StatementRef")
    properties(table, part, _REFERENCE)
    return needed(table, "id", part).lower()


def result(value: object, part: str) -> Table:
    """What came of it."""
    table = as_table(value, part)
    properties(table, part, _RESULT)
    return table


def context(value: object, *, second: bool, with_activity: bool) -> Table:
    """In which circumstances; the second edition knows more of them than the first."""
    table = as_table(value, "context")
    properties(table, "context", _CONTEXT_2 if second else _CONTEXT_1)
    if not with_activity and ("revision" in table or "platform" in table):
        raise wrong("context must have revision and platform only where the object is an activity")
    return table


def attachments(value: object, part: str) -> tuple[tuple[str, bool], ...]:
    """Of each attachment its hash, and whether it lies at an address of its own."""
    if type(value) is not list:
        raise wrong(f"{part} must be an array")
    found = []
    for one in value:
        table = as_table(one, part)
        properties(table, part, _ATTACHMENT)
        missing = [name for name in _ATTACHMENT_NEEDS if name not in table]
        if missing:
            raise wrong(f"{part}.{missing[0]} is missing")
        found.append((text(table["sha2"], part), "fileUrl" in table))
    return tuple(found)


def _definition(value: object, part: str) -> None:
    table = as_table(value, part)
    properties(table, part, _DEFINITION)
    if not _INTERACTIVE.isdisjoint(table) and "interactionType" not in table:
        raise wrong(f"{part}.interactionType is missing")


def _components(value: object, part: str) -> None:
    if type(value) is not list:
        raise wrong(f"{part} must be an array")
    seen = set()
    for one in value:
        table = as_table(one, part)
        properties(table, part, _COMPONENT)
        seen.add(needed(table, "id", part))
    if len(seen) < len(value):
        raise wrong(f"{part}.id must be another one each time")


def _score(value: object, part: str) -> None:
    table = as_table(value, part)
    properties(table, part, _SCORE)
    low, high = (number(table.get(name, edge), part) for name, edge in _EDGES)
    if low >= high:
        raise wrong(f"{part}.min must be less than max")
    if not low <= number(table.get("raw", low), part) <= high:
        raise wrong(f"{part}.raw must lie between min and max")


def _scaled(value: object, part: str) -> None:
    if not -1 <= number(value, part) <= 1:
        raise wrong(f"{part} must lie between -1 and 1")


def _activities(value: object, part: str) -> None:
    if type(value) is list:
        for one in value:
            activity(one, part)
    else:
        activity(value, part)


def _context_activities(value: object, part: str) -> None:
    properties(as_table(value, part), part, _CONTEXT_ACTIVITIES)


def _context_agent(value: object, part: str) -> None:
    _related(value, part, _CONTEXT_AGENT, "agent")


def _context_group(value: object, part: str) -> None:
    _related(value, part, _CONTEXT_GROUP, "group")


def _related(value: object, part: str, known: dict[str, Check], needed: str) -> None:
    table = as_table(value, part)
    properties(table, part, known)
    for name in ("objectType", needed):
        if name not in table:
            raise wrong(f"{part}.{name} is missing")


_EDGES: Final = (("min", float("-inf")), ("max", float("inf")))
_VERB: Final[dict[str, Check]] = {"id": iri, "display": language_map}
_REFERENCE: Final[dict[str, Check]] = {"objectType": text, "id": identifier}
_COMPONENT: Final[dict[str, Check]] = {"id": text, "description": language_map}
_DEFINITION: Final[dict[str, Check]] = {
    "name": language_map,
    "description": language_map,
    "type": iri,
    "moreInfo": iri,
    "extensions": extensions,
    "interactionType": one_of(*INTERACTIONS),
    "correctResponsesPattern": array_of(text),
    **dict.fromkeys(("choices", "scale", "source", "target", "steps"), _components),
}
_ACTIVITY: Final[dict[str, Check]] = {"objectType": one_of("Activity"), "id": iri, "definition": _definition}
_SCORE: Final[dict[str, Check]] = {"scaled": _scaled, "raw": number, "min": number, "max": number}
_RESULT: Final[dict[str, Check]] = {
    "score": _score,
    "success": true_or_false,
    "completion": true_or_false,
    "response": text,
    "duration": duration,
    "extensions": extensions,
}
_CONTEXT_ACTIVITIES: Final = dict.fromkeys(("parent", "grouping", "category", "other"), _activities)
_CONTEXT_1: Final[dict[str, Check]] = {
    "registration": identifier,
    "instructor": actor,
    "team": group,
    "contextActivities": _context_activities,
    "revision": text,
    "platform": text,
    "language": language,
    "statement": reference,
    "extensions": extensions,
}
_CONTEXT_AGENT: Final[dict[str, Check]] = {
    "objectType": one_of("contextAgent"),
    "agent": agent,
    "relevantTypes": array_of(iri),
}
_CONTEXT_GROUP: Final[dict[str, Check]] = {
    "objectType": one_of("contextGroup"),
    "group": group,
    "relevantTypes": array_of(iri),
}
_CONTEXT_2: Final[dict[str, Check]] = {
    **_CONTEXT_1,
    "contextAgents": array_of(_context_agent),
    "contextGroups": array_of(_context_group),
}
_ATTACHMENT: Final[dict[str, Check]] = {
    "usageType": iri,
    "display": language_map,
    "description": language_map,
    "contentType": text,
    "length": whole_number,
    "sha2": text,
    "fileUrl": iri,
}
_ATTACHMENT_NEEDS: Final = ("usageType", "display", "contentType", "length", "sha2")
