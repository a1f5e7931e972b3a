"""xAPI statements as facts: who did what with which app, when; titles, paths and results stay unread."""

import re
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

from edge_agent.sources.facts import EXCERPTS_A_CHUNK, Did, Reading
from edge_agent.sources.logtime import END_OF_TIME
from edge_agent.sources.xapi_statement import VOIDED, Statement, check
from models.catalogue.load import Catalogue
from models.catalogue.match import NameMatcher
from shared.errors import BadInput
from shared.words import Action

TIMES: Final = range(END_OF_TIME)  # seconds UTC that a signal can hold
OUT_OF_RANGE: Final = "timestamp_out_of_range"
NO_USE: Final = "verb_of_no_use"

_WORD: Final = re.compile(r"[a-z][a-z_-]*")
_AUTHORITY: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://([^/?#]*)")

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

    def read(self, statement: object, received: float, *, second: bool = False) -> Did | str:
        """The fact of decoded JSON, or why there is none; raises BadInput if it breaks the standard.

        `second` judges it by 2.0 instead of 1.0.3.
        """
        return self.fact(check(statement, second=second), received)

    def fact(self, statement: Statement, received: float) -> Did | str:
        """The fact, or the reason why a statement that is in order is of no use.

        `received` (seconds UTC) stands for a timestamp that is not there.
        """
        moment = int(received) if statement.t is None else statement.t
        if moment not in TIMES:
            return OUT_OF_RANGE
        if statement.verb == VOIDED:
            return "voided"
        if statement.unused:
            return statement.unused
        action = VERBS.get(_last_word(statement.verb))
        if action is None:
            return NO_USE
        app = self._app(statement.target, statement.platform)
        return Did(moment, statement.user, app, action, statement.amount)

    def _app(self, target: str, platform: str) -> int:
        found = self._matcher.match(_host(target))
        if found <= 0 and platform:
            found = self._by_bundle.get(platform, 0) or self._matcher.match(platform)
        return max(found, 0)


def statement_hash(id_: str) -> int:
    """63 bits of a statement id, for knowing it again."""
    return int.from_bytes(blake2b(id_.encode(), digest_size=8).digest(), "little") >> 1


def refuse(reading: Reading, refusal: BadInput) -> None:
    """Count a refusal by its reason and the name of the part: a statement is about a person throughout."""
    reading.refused[refusal.reason] = reading.refused.get(refusal.reason, 0) + 1
    if len(reading.excerpts) < EXCERPTS_A_CHUNK:
        reading.excerpts.append((refusal.reason, refusal.detail[:100]))


def _host(iri: str) -> str:
    # The library's own function remembers what it split: whole addresses of what children do.
    found = _AUTHORITY.match(iri)
    return found[1].rpartition("@")[2].partition(":")[0] if found else ""


def _last_word(iri: str) -> str:
    word = re.split(r"[/#:]", iri.rstrip("/"))[-1].lower()
    return word if _WORD.fullmatch(word) else ""
