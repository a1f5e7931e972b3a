"""xAPI 1.0.3 statements as cooperating apps send them: names, titles and long addresses included."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from demo.names import Person
from demo.xapi_verbs import OTHER_TYPE, PRACTICE_TYPE, UNKNOWN_VERB, VERBS
from models.catalogue.load import App
from shared.words import Action

UNKNOWN_ONE_IN: Final = 400
NO_HOST: Final = "content.vendor.example"

_TITLES: Final = (
    "My holiday in {}",
    "Letter to {}",
    "How {} sees the moon",
    "Interview with {}",
    "{} and the fox",
)
_PATHS: Final = ("books", "boards", "projects", "lessons", "assignments")


@dataclass(frozen=True, slots=True)
class Act:
    """At second `t` (UTC) a person did something in an app; `amount` in seconds, 0 if unknown."""

    t: int
    person: Person
    app: App
    action: Action
    amount: float


def statements(
    acts: Iterable[Act], home_page: str, zone: ZoneInfo, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """One valid statement an act, in order; now and then with a verb that no profile of ours knows."""
    return [_statement(act, home_page, zone, rng.bytes(20)) for act in acts]


def invalid_statements(like: dict[str, Any]) -> list[dict[str, Any]]:
    """What broken senders make of a good statement: each breaks one rule of the specification."""
    nobody = {key: value for key, value in like.items() if key != "actor"}
    return [
        nobody,
        like | {"verb": {"id": "did it"}},
        like | {"timestamp": "yesterday after lunch"},
        like | {"object": {"objectType": "Activity"}},
    ]


def encode(statement: dict[str, Any]) -> bytes:
    """One statement as JSON."""
    return msgspec.json.encode(statement)


def _statement(act: Act, home_page: str, zone: ZoneInfo, chance: bytes) -> dict[str, Any]:
    verbs = VERBS[act.action]
    verb = verbs[chance[0] % len(verbs)]
    if int.from_bytes(chance[1:3], "little") % UNKNOWN_ONE_IN == 0:
        verb = UNKNOWN_VERB
    millisecond = int.from_bytes(chance[3:5], "little") % 1000
    local = datetime.fromtimestamp(act.t, UTC).replace(microsecond=millisecond * 1000).astimezone(zone)
    path = _PATHS[chance[5] % len(_PATHS)]
    title = _TITLES[chance[6] % len(_TITLES)].format(act.person.given)
    host = act.app.domains[0] if act.app.domains else NO_HOST
    statement: dict[str, Any] = {
        "id": _uuid(chance[4:20]),
        "version": "1.0.3",
        "timestamp": local.isoformat(timespec="milliseconds"),
        "actor": {
            "objectType": "Agent",
            "name": act.person.full,
            "account": {"homePage": home_page, "name": act.person.username},
        },
        "verb": {"id": verb, "display": {"en-US": verb.rsplit("/", 1)[-1]}},
        "object": {
            "objectType": "Activity",
            "id": f"https://{host}/{path}/{chance[7:12].hex()}?author={act.person.username}&page={chance[12]}",
            "definition": {
                "name": {"en-US": title},
                "type": PRACTICE_TYPE if act.action is Action.PRACTISE else OTHER_TYPE,
            },
        },
        "context": {"platform": _platform(act.app), "language": "en-US"},
    }
    if act.amount > 0:
        statement["result"] = {"duration": duration(act.amount)}
    return statement


def duration(seconds: float) -> str:
    """Seconds as an ISO 8601 duration, such as `PT1M5.5S`."""
    minutes, rest = divmod(round(seconds, 2), 60)
    text = f"{rest:.2f}".rstrip("0").rstrip(".")
    return f"PT{int(minutes)}M{text}S" if minutes else f"PT{text}S"


def _uuid(data: bytes) -> str:
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _platform(app: App) -> str:
    # An app without a host of its own is known by its bundle id.
    return app.name if app.domains or not app.bundle_ids else app.bundle_ids[0]
