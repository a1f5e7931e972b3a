"""The field's words as tables: channels, actions, source kinds and what each kind can see."""

from enum import IntEnum
from types import MappingProxyType
from typing import Final

CHANNELS: Final = ("consume", "practise", "create", "collaborate", "publish", "reflect", "plan", "other")
CHANNEL_INDEX: Final = MappingProxyType({name: i for i, name in enumerate(CHANNELS)})


class Action(IntEnum):
    """What a signal says was done. Values are the wire's `action` column: never renumber."""

    CONTACT = 0
    VIEW = 1
    PRACTISE = 2
    CREATE = 3
    REVISE = 4
    CAPTURE = 5
    AR = 6
    SHARE_PEER = 7
    COEDIT = 8
    MESSAGE = 9
    PUBLISH = 10
    SHARE_OUTSIDE = 11
    REFLECT = 12
    PLAN = 13
    MIRROR = 14


ACTION_NAMES: Final = tuple(action.name.lower() for action in Action)

# A contact takes its app's distribution from the catalogue; every other action keeps its own channel.
CHANNEL_OF_ACTION: Final = MappingProxyType(
    {
        Action.VIEW: "consume",
        Action.MIRROR: "consume",
        Action.PRACTISE: "practise",
        Action.CREATE: "create",
        Action.REVISE: "create",
        Action.CAPTURE: "create",
        Action.AR: "create",
        Action.SHARE_PEER: "collaborate",
        Action.COEDIT: "collaborate",
        Action.MESSAGE: "collaborate",
        Action.PUBLISH: "publish",
        Action.SHARE_OUTSIDE: "publish",
        Action.REFLECT: "reflect",
        Action.PLAN: "plan",
    }
)


class Sight(IntEnum):
    """How much of a lesson a kind of source can see; a higher sight includes every lower one of its line."""

    NOTHING = 0  # inventory and install state
    USAGE = 1  # products by day, no device-minutes
    CONTACTS = 2  # apps contacted, by device and second
    ACTIONS = 3  # what was done, for the apps that report it; includes contacts


# One row a kind of `--source` and `collect`.
SOURCE_KINDS: Final = MappingProxyType(
    {
        "dnsmasq": Sight.CONTACTS,
        "pihole": Sight.CONTACTS,
        "unbound": Sight.CONTACTS,
        "bind": Sight.CONTACTS,
        "adguard": Sight.CONTACTS,
        "dnstap": Sight.CONTACTS,
        "squid": Sight.CONTACTS,
        "umbrella": Sight.CONTACTS,
        "securly": Sight.CONTACTS,
        "events": Sight.CONTACTS,
        "zeek": Sight.CONTACTS,
        "xapi": Sight.ACTIONS,
        "caliper": Sight.ACTIONS,
        "learnplatform": Sight.USAGE,
        "lightspeed": Sight.USAGE,
        "catchon": Sight.USAGE,
        "mdm": Sight.NOTHING,
    }
)
