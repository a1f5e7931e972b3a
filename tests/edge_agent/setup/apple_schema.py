"""A small validator of configuration profiles against Apple's own schema of them (recorded/apple_schema)."""

import plistlib
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SCHEMA = Path(__file__).parent.parent / "recorded" / "apple_schema"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "<string>": str,
    "<boolean>": bool,
    "<integer>": int,
    "<real>": (int, float),
    "<data>": bytes,
    "<date>": datetime,
    "<array>": list,
    "<dictionary>": dict,
    "<any>": object,
}


@cache
def schema(kind: str) -> dict[str, Any]:
    """One payload type, as Apple describes it."""
    found: dict[str, Any] = yaml.safe_load((SCHEMA / f"{kind}.yaml").read_text(encoding="utf-8"))
    return found


def faults(profile: bytes) -> list[str]:
    """Everything that the schema does not allow in a profile and in its payloads."""
    top = plistlib.loads(profile)
    found = _dictionary(top, schema("TopLevel")["payloadkeys"], "profile")
    common = schema("CommonPayloadKeys")["payloadkeys"]
    for payload in top["PayloadContent"]:
        kind = payload["PayloadType"]
        if schema(kind)["payload"]["payloadtype"] != kind:
            found.append(f"{kind}: another type")
        own = {key["key"] for key in schema(kind)["payloadkeys"]}
        keys = [*schema(kind)["payloadkeys"], *(key for key in common if key["key"] not in own)]
        found += _dictionary(payload, keys, kind)
    identifiers = [part["PayloadUUID"] for part in (top, *top["PayloadContent"])]
    if len(set(identifiers)) != len(identifiers):
        found.append("two parts have one PayloadUUID")
    return found


def needs(profile: bytes) -> dict[str, tuple[str, bool]]:
    """Each key that says so itself: since which iOS, and whether for supervised devices alone."""
    found = {}
    for payload in plistlib.loads(profile)["PayloadContent"]:
        for key in schema(payload["PayloadType"])["payloadkeys"]:
            system = key.get("supportedOS", {}).get("iOS")
            if key["key"] in payload and system:
                found[key["key"]] = (str(system.get("introduced", "")), bool(system.get("supervised")))
    return found


def _dictionary(value: dict[str, Any], keys: list[dict[str, Any]], where: str) -> list[str]:
    known = {key["key"]: key for key in keys}
    if "ANY" in known:
        return []
    found = [f"{where}: unknown key {name}" for name in value if name not in known]
    found += [
        f"{where}: {name} is missing"
        for name, key in known.items()
        if key.get("presence") == "required" and name not in value
    ]
    for name in value.keys() & known.keys():
        found += _value(value[name], known[name], f"{where}.{name}")
    return found


def _value(value: object, key: dict[str, Any], where: str) -> list[str]:
    kind = _TYPES[key["type"]]
    if not isinstance(value, kind) or (isinstance(value, bool) and key["type"] != "<boolean>"):
        return [f"{where}: {type(value).__name__} is not {key['type']}"]
    if "rangelist" in key and value not in key["rangelist"]:
        return [f"{where}: {value!r} is none of {key['rangelist']}"]
    if "format" in key and not re.fullmatch(key["format"], str(value)):
        return [f"{where}: {value!r} is not of the form {key['format']}"]
    if isinstance(value, dict):
        return _dictionary(value, key["subkeys"], where)
    if isinstance(value, list):
        return [fault for item in value for fault in _value(item, key["subkeys"][0], f"{where}[]")]
    return []
