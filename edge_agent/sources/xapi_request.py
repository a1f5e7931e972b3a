"""What an xAPI client asks for: headers, parameters and body, also where a form carries all of them."""

import re
import secrets
from base64 import b64decode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from edge_agent.sources.xapi_statement import Statement
from shared.errors import BadInput

VERSION_HEADER: Final = "X-Experience-API-Version"
VERSIONS: Final = {"1.0": "1.0.3", "2.0": "2.0.0"}  # asked for, answered with
SECOND: Final = "2.0"
FORM: Final = "application/x-www-form-urlencoded"
MAX_FIELDS: Final = 32
MAX_PARTS: Final = 1000
MAX_CREDENTIALS: Final = 8192  # characters: a form could bring megabytes of them

# What the standard calls a parameter of the statements resource, by method.
PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "PUT": frozenset({"statementId"}),
    "POST": frozenset(),
    "GET": frozenset(
        {
            *("statementId", "voidedStatementId", "agent", "verb", "activity", "registration", "limit"),
            *("related_activities", "related_agents", "since", "until", "format", "attachments", "ascending"),
        }
    ),
}
_HEADERS: Final = frozenset(
    {"authorization", VERSION_HEADER.lower(), "content-type", "content-length", "if-match", "if-none-match"}
)
_VERSION: Final = re.compile(r"(1\.0|2\.0)(?:\.[0-9]+)?")
_JSON: Final = re.compile(r"application/json\s*(?:;.*)?", re.IGNORECASE | re.DOTALL)
_MIXED: Final = re.compile(
    r'multipart/mixed\s*;(?:[^,]*;)?\s*boundary=(?:"([^"]{1,70})"|([^;\s"]{1,70}))', re.IGNORECASE
)


class Content(NamedTuple):
    """The JSON of a request, and the hashes of what came attached."""

    json: bytes
    attached: frozenset[str] = frozenset()


class Form(NamedTuple):
    """A request that a form carried: by its headers (lower case), parameters and content."""

    headers: dict[str, str]
    parameters: list[tuple[str, str]]
    content: bytes


def edition(header: str) -> str:
    """`1.0` or `2.0`, or "" for what is neither."""
    found = _VERSION.fullmatch(header)
    return found[1] if found else ""


def is_authorised(header: str, user: str, password: str) -> bool:
    """Whether basic authentication says the right user and password; takes as long whatever they are."""
    if len(header) > MAX_CREDENTIALS:
        return False
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = b64decode(value.strip(), validate=True)
    except ValueError:
        return False
    # By their hashes: a comparison of two lengths would tell the length.
    return secrets.compare_digest(sha256(given).digest(), sha256(f"{user}:{password}".encode()).digest())


def form(body: bytes, content_type: str, parameters: Sequence[tuple[str, str]]) -> Form:
    """The alternate request syntax of 1.0.3: POST with ?method=, everything else in a form.

    Raises BadInput.
    """
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise BadInput("form_invalid", f"with ?method= the content must be {FORM}")
    if len(parameters) > 1:
        raise BadInput("form_invalid", "the address must have no parameter but method")
    try:
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError:
        raise BadInput("form_invalid", "the body is no form that can be read") from None
    if len({name.lower() for name, _ in fields}) < len(fields):
        raise BadInput("form_invalid", "a field of the form came twice")
    headers = {name.lower(): value for name, value in fields if name.lower() in _HEADERS}
    others = [(name, value) for name, value in fields if name.lower() not in _HEADERS and name != "content"]
    return Form(headers, others, dict(fields).get("content", "").encode())


def check_parameters(method: str, parameters: Sequence[tuple[str, str]]) -> None:
    """Refuse parameters that the standard does not know for this method, or that come twice."""
    names = [name for name, _ in parameters]
    if not PARAMETERS[method].issuperset(names):
        raise BadInput("parameter_unknown", f"{method} knows {sorted(PARAMETERS[method]) or 'no parameter'}")
    if len(set(names)) < len(names):
        raise BadInput("parameter_unknown", "a parameter came twice")


def content(body: bytes, content_type: str) -> Content:
    """The JSON of a body, alone or followed by attachments, whose bytes are let go. Raises BadInput."""
    if not content_type or _JSON.fullmatch(content_type):
        return Content(body)
    found = _MIXED.match(content_type)
    if found is None:
        raise BadInput("content_type", "send application/json, or multipart/mixed with its boundary")
    parts = _parts(body, (found[1] or found[2]).encode())
    headers, statements = parts[0]
    if not _JSON.fullmatch(headers.get("content-type", "")):
        raise BadInput("multipart_malformed", "the first part must be application/json")
    hashes = {part.get("x-experience-api-hash", "") for part, _ in parts[1:]}
    if "" in hashes:
        raise BadInput("multipart_malformed", "every attachment must have its X-Experience-API-Hash")
    return Content(statements, frozenset(hashes))


def check_attached(statements: Sequence[Statement], attached: frozenset[str]) -> None:
    """Every attachment came along or lies at an address, and nothing else came. Raises BadInput."""
    named = {sha2 for one in statements for sha2, _ in one.attached}
    needed = {sha2 for one in statements for sha2, elsewhere in one.attached if not elsewhere}
    if not attached.issuperset(needed):
        raise BadInput("attachment_missing", "an attachment without fileUrl must come as a part")
    if not named.issuperset(attached):
        raise BadInput("attachment_unknown", "a part came that no statement names by its sha2")


def _parts(body: bytes, boundary: bytes) -> list[tuple[dict[str, str], bytes]]:
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_PARTS + 2)[1:]
    if len(pieces) < 2 or len(pieces) > MAX_PARTS or not pieces[-1].startswith(b"--"):
        raise BadInput(
            "multipart_malformed", f"the boundary must stand around each of 1 to {MAX_PARTS} parts"
        )
    found = []
    for piece in pieces[:-1]:
        # The line of the boundary ends, headers follow if there are any, then an empty line.
        head, _, data = piece.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines)
        found.append(({name.strip().lower(): value.strip() for name, _, value in pairs}, data))
    return found
