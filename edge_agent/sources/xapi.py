"""xAPI statements as facts: who did what with which app, when; titles, paths and results stay unread."""

import re
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, cast
from urllib.parse import urlsplit

from edge_agent.sources.facts import Did
from models.catalogue.load import Catalogue
from models.catalogue.match import NameMatcher
from shared.errors import BadInput
from shared.signals import MAX_AMOUNT
from shared.words import Action

_WORD: Final = re.compile(r"^[a-z][a-z_-]*$")
_DURATION: Final = re.compile(
    r"^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$"
)

# A verb is known by the last word of its IRI, whatever vocabulary it comes from.
_WORDS: Final = {
    Action.VIEW: "experienced viewed read watched watch accessed access played play listen open",
    Action.PRACTISE: "answered attempted completed complete passed failed interacted submit practised",
    Action.CREATE: "create created author authored build",
    Action.REVISE: "update updated edited revised save",
    Action.CAPTURE: "captured photographed recorded",
    Action.AR: "augmented",
    Action.SHARE_PEER: "share shared",
    Action.COEDIT: "collaborated coedited",
    Action.MESSAGE: "commented comment replied asked responded",
    Action.PUBLISH: "publish published post",
    Action.SHARE_OUTSIDE: "send shared-outside",
    Action.REFLECT: "reflected evaluated",
    Action.PLAN: "planned planned_learning scheduled schedule",
    Action.MIRROR: "presented present mirrored",
}
VERBS: Final = MappingProxyType({word: action for action, words in _WORDS.items() for word in words.split()})


class StatementReader:
    """Statements to facts; knows the catalogue to turn an activity's host into an app."""

    def __init__(self, catalogue: Catalogue, matcher: NameMatcher) -> None:
        self._by_bundle = catalogue.by_bundle_id
        self._matcher = matcher

    def read(self, statement: object, received: float) -> Did | None:
        """The fact, or None for a verb that says nothing of use. `received` (seconds UTC) if it has no time.

        Raises BadInput with the reason; its detail names the part, never its content.
        """
        table = _table(statement, "statement")
        user = _user(_table(table.get("actor"), "actor"))
        verb = _iri(_table(table.get("verb"), "verb").get("id"), "verb.id")
        target = _iri(_table(table.get("object"), "object").get("id"), "object.id")
        moment = _moment(table.get("timestamp"), received)
        action = VERBS.get(_last_word(verb))
        if action is None:
            return None
        result = table.get("result")
        amount = 0.0 if result is None else _seconds(_table(result, "result").get("duration"))
        return Did(moment, user, self._app(target, table.get("context")), action, amount)

    def _app(self, target: str, context: object) -> int:
        found = self._matcher.match(urlsplit(target).hostname or "")
        platform = cast("dict[str, object]", context).get("platform") if isinstance(context, dict) else None
        if found <= 0 and isinstance(platform, str):
            found = self._by_bundle.get(platform, 0) or self._matcher.match(platform)
        return max(found, 0)


def _table(value: object, part: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadInput("statement_invalid", f"{part} must be an object")
    return cast("dict[str, object]", value)


def _user(actor: dict[str, object]) -> str:
    if actor.get("objectType", "Agent") != "Agent":
        raise BadInput("actor_is_no_agent", "groups cannot be matched to a device")
    account = actor.get("account")
    if isinstance(account, dict):
        name = cast("dict[str, object]", account).get("name")
        if isinstance(name, str) and name:
            return name
    mbox = actor.get("mbox")
    if isinstance(mbox, str) and mbox.startswith("mailto:"):
        return mbox.removeprefix("mailto:").partition("@")[0]
    raise BadInput("actor_unidentified", "actor needs account.name or mbox")


def _iri(value: object, part: str) -> str:
    if isinstance(value, str) and len(value) <= 2000:
        try:
            split = urlsplit(value)
        except ValueError:
            split = None
        if split is not None and split.scheme:
            return value
    raise BadInput("statement_invalid", f"{part} must be an IRI")


def _moment(value: object, received: float) -> int:
    if value is None:
        return int(received)
    try:
        moment = datetime.fromisoformat(cast("str", value))
    except (TypeError, ValueError):
        raise BadInput("statement_invalid", "timestamp must be ISO 8601") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _seconds(value: object) -> float:
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        if value is None:
            return 0.0
        raise BadInput("statement_invalid", "result.duration must be an ISO 8601 duration")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return min(days * 86400 + hours * 3600 + minutes * 60 + seconds, MAX_AMOUNT)


def _last_word(iri: str) -> str:
    word = re.split(r"[/#:]", iri.rstrip("/"))[-1].lower()
    return word if _WORD.match(word) else ""
