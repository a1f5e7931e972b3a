"""What a counted reason means, and what to do about it, in words for a school's IT."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Reason:
    """One reason: what it means, and what helps; `helps` is empty where nothing needs doing."""

    means: str
    helps: str = ""


_REASONS: Final[Mapping[str, Reason]] = MappingProxyType(
    {
        # refused
        "line_too_long": Reason(
            "a line was longer than any real one", "Look at what else writes to this log."
        ),
        "malformed_line": Reason(
            "a line was not of this source’s format", "Check that the source’s kind is right."
        ),
        "unreadable_time": Reason("a line’s time could not be read", "Check the log’s time format."),
        "lease_without_hardware_address": Reason("a lease named no hardware address"),
        "in_the_future": Reason(
            "a time lay in the future", "Set the clocks of both machines by the network."
        ),
        "statement_invalid": Reason("a statement broke the xAPI rules", "Tell the app’s maker."),
        "body_is_no_json": Reason("a statement was not JSON", "Tell the app’s maker."),
        "actor_unidentified": Reason("a statement did not say who", "Tell the app’s maker."),
        "body_too_large": Reason("a request was too large", "Let the app send fewer statements at once."),
        "statement_conflict": Reason("two statements had the same id", "Tell the app’s maker."),
        "timestamp_out_of_range": Reason("a statement’s time was impossible", "Check the app’s clock."),
        "line_not_processed": Reason(
            "a line that the program could not deal with", "Report it with the agent’s log."
        ),
        "parcel_refused": Reason(
            "a parcel of signals that made no sense",
            "Report it with the agent’s log; its hash is kept below.",
        ),
        "forged_name": Reason(
            "a look-up whose name imitates a log line", "Somebody tries to speak for another iPad: ask who."
        ),
        "position_lost": Reason(
            "a log was gone before it was read to its end", "Let the resolver keep rotated logs for a day."
        ),
        # unmatched
        "no_lease": Reason("an address that no lease explains", "Check that DHCP events are in the log."),
        "private_address": Reason(
            "an iPad hides its hardware address",
            "Switch private addresses off for the school’s Wi-Fi by MDM.",
        ),
        "unknown_device": Reason(
            "a device that the inventory does not hold", "Export the inventory anew from MDM."
        ),
        "unknown_user": Reason(
            "a user that no device in the inventory has", "Check the inventory’s user column."
        ),
        "no_class": Reason("a device of no class", "Check the roster, or give the cart its room."),
        # outside
        "outside_lessons": Reason("outside lessons: let go at once"),
        "background": Reason("an iPad’s own background traffic: let go at once"),
        "testing": Reason("in a test, which is no lesson: let go at once"),
        "staff": Reason("a device of staff: let go at once"),
        "opted_out": Reason("a device that opted out: let go at once"),
        "statement_known": Reason("a statement that had come before"),
        "verb_of_no_use": Reason("a statement that tells nothing about use"),
        "actor_not_a_person": Reason("a statement about a group"),
        "actor_without_user_name": Reason("a statement whose person has no user name"),
        "object_is_no_activity": Reason("a statement about no activity"),
        "voided": Reason("a statement that takes another back"),
        # late
        "day_key_destroyed": Reason("too late: the day’s key was destroyed"),
        "day_key_lost": Reason("the day’s key was lost, and is not made twice", "Look at the disk."),
        "lesson_changed": Reason("a lesson’s time had changed meanwhile"),
        # held back
        "not_shared": Reason("the teacher does not share the class: the lesson counts in the week alone"),
        "few_devices": Reason("too few iPads to hide one child among them"),
        "few_devices_changed": Reason("too small a change: two versions could be subtracted"),
        "few_classes": Reason("fewer than three classes"),
        "few_teachers": Reason("fewer than three teachers"),
        "no_lessons": Reason("no lesson in that week"),
        "record_malformed": Reason("a record that the hub would refuse", "Report it with the agent’s log."),
    }
)

_LINK_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "connected": "Connected to the district",
        "waiting": "Waiting for the district to answer",
        "refused": "Refused by the district",
        "not_joined": "Not joined to a district yet",
    }
)

_KIND_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "week": "summary of a week",
        "lesson": "lesson of a shared class",
        "status": "heartbeat",
    }
)


def reason(code: str) -> Reason:
    """What a code means; an unknown one is said as it is."""
    return _REASONS.get(code) or Reason(code.replace("_", " "))


def link_words(state: str) -> str:
    """The link’s state in words."""
    return _LINK_WORDS.get(state) or state.replace("_", " ").capitalize()


def record_words(kind: str) -> str:
    """A kind of record in words."""
    return _KIND_WORDS.get(kind) or kind.replace("_", " ")
