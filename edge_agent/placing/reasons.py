"""Every reason that is counted: what it means, and what to do about it, in words for a school's IT."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

OTHER: Final = "other"


@dataclass(frozen=True)
class Reason:
    """One reason: what it means, and what helps; `helps` is empty where nothing needs doing."""

    means: str
    helps: str = ""


_FRAMES: Final = "a sender’s frames were not as dnstap has them"
_SENDER: Final = "Check that the resolver’s dnstap output alone is sent here."
_REQUEST: Final = "a request that the xAPI standard does not know"
_MAKER: Final = "Tell the app’s maker."
_COLLECTOR: Final = "See whether agent and collector have the same version and clock."

# What sources, placers and the reading itself count: of a collector elsewhere, other reasons are `other`.
OF_SOURCES: Final[Mapping[str, Reason]] = MappingProxyType(
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
        "statement_invalid": Reason("a statement broke the xAPI rules", _MAKER),
        "body_is_no_json": Reason("a statement was not JSON", _MAKER),
        "actor_unidentified": Reason("a statement did not say who", _MAKER),
        "body_too_large": Reason("a request was too large", "Let the app send fewer statements at once."),
        "statement_conflict": Reason("two statements had the same id", _MAKER),
        "timestamp_out_of_range": Reason("a statement’s time was impossible", "Check the app’s clock."),
        "line_not_processed": Reason(
            "a line that the program could not deal with", "Report it with the agent’s log."
        ),
        "forged_name": Reason(
            "a look-up whose name imitates a log line", "Somebody tries to speak for another iPad: ask who."
        ),
        "position_lost": Reason(
            "a log was gone before it was read to its end", "Let the resolver keep rotated logs for a day."
        ),
        "control_bytes": Reason("a line held bytes that are no text", "Check that the file is a log."),
        "utf_16": Reason("a line was in UTF-16", "Save the export as UTF-8."),
        "no_header": Reason("a line came before any header", "Give the log or export with its first lines."),
        "wrong_columns": Reason("a row had not the columns of its header", "Export it anew, unedited."),
        "too_many_columns": Reason("a row had more columns than any export", "Check the source’s kind."),
        "bad_address": Reason("an address was none", "Check that the source’s kind or mapping is right."),
        "bad_user": Reason("a user’s name was too long to be one", "Check which column the mapping names."),
        "bad_name": Reason("a host name was none", "Look at what else writes to this log."),
        "bad_number": Reason("a number was none", "Look at what else writes to this log."),
        "truncated_file": Reason("a compressed file was damaged or cut off", "Copy it anew."),
        "unreadable_file": Reason(
            "a file could not be read", "Let the agent’s user read the folder’s files."
        ),
        # of frames and of what listens
        "listener_overflow": Reason(
            "more came than could be taken",
            "See whether somebody floods the agent’s port, or read from a file.",
        ),
        "cut_off": Reason("a connection ended within a line", "Normal where the sender was started again."),
        "no_place": Reason(
            "a connection came when all places were taken",
            "See how many senders there are: eight may be connected, four of them of one machine.",
        ),
        "gave_way": Reason(
            "a connection was ended for that of another sender",
            "Normal now and then. If it goes on, see which machine holds so many.",
        ),
        "sender_not_listed": Reason(
            "somebody sent whom `from` does not name",
            "If it is the resolver, add its address. If not, ask who it is.",
        ),
        "frame_before_start": Reason(_FRAMES, _SENDER),
        "frame_too_long": Reason(_FRAMES, _SENDER),
        "control_frame_size": Reason(_FRAMES, _SENDER),
        "control_frame_malformed": Reason(_FRAMES, _SENDER),
        "control_frame_out_of_turn": Reason(_FRAMES, _SENDER),
        "other_content_type": Reason("a sender offered something other than dnstap", _SENDER),
        "malformed_frame": Reason(_FRAMES, _SENDER),
        "incomplete_message": Reason("a dnstap message lacked its time or its query", _SENDER),
        "malformed_query": Reason("a query that no resolver answers"),
        "malformed_name": Reason("a query for a name that is none"),
        "malformed_address": Reason("an address was none", _SENDER),
        # of requests with statements
        "statement_id_twice": Reason("a request had two statements of one id", _MAKER),
        "form_invalid": Reason(_REQUEST, _MAKER),
        "parameter_unknown": Reason(_REQUEST, _MAKER),
        "content_type": Reason(_REQUEST, _MAKER),
        "multipart_malformed": Reason(_REQUEST, _MAKER),
        "attachment_missing": Reason("a statement’s attachment did not come", _MAKER),
        "attachment_unknown": Reason("an attachment came that belongs to no statement", _MAKER),
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
        "reply": Reason("a resolver’s answer: the query before it counts"),
        "query_type": Reason("a look-up for machines, such as PTR or SRV"),
        "no_name": Reason("a look-up without a host name"),
        "blocked": Reason("a look-up that was blocked: nothing was reached"),
        "denied": Reason("a request that the proxy denied: nothing was reached"),
        "anonymised": Reason(
            "a line whose address the program had hidden",
            "Let the program write whole addresses to this log.",
        ),
        "no_internal_address": Reason(
            "a row that says neither address nor user", "Let the filter know inner addresses or users."
        ),
        "nobody_named": Reason("a row that says neither address nor user", "Check the mapping’s columns."),
        "nothing_named": Reason(
            "a row with neither a host name nor a known product", "Add the product to the catalogue."
        ),
        "not_kept": Reason("a row that the mapping does not keep"),
        "dropped": Reason("a row that the mapping drops"),
        "other_log": Reason("a line of a log that is not read"),
        "from_outside": Reason("a connection from outside the school"),
        "unanswered": Reason("a connection that nobody answered"),
        "to_nobody": Reason("traffic to a whole network, such as multicast"),
        "no_dns_message": Reason("a dnstap frame without a DNS message"),
        "not_a_client_query": Reason("a dnstap message other than a client’s query"),
        "no_timestamp": Reason("a statement without a time"),
        "voided_too_late": Reason("a statement taken back after its day was over"),
        OTHER: Reason("something else that is no use"),
        # late
        "day_key_destroyed": Reason("too late: the day’s key was destroyed"),
    }
)

# What the agent counts of what came from its sources.
OF_THE_AGENT: Final[Mapping[str, Reason]] = MappingProxyType(
    {
        "parcel_refused": Reason(
            "a parcel of signals that made no sense",
            "Report it with the agent’s log; its hash is kept below.",
        ),
        "not_of_that_lesson": Reason("a device that is not of that lesson", _COLLECTOR),
        "repeated": Reason("a signal that had come before"),
        "too_many_of_a_device": Reason("more of one device than any child can do", _COLLECTOR),
        "day_key_lost": Reason("the day’s key was lost, and is not made twice", "Look at the disk."),
        "lesson_changed": Reason("a lesson’s time had changed meanwhile"),
    }
)

# Why a lesson or a week does not leave, or leaves otherwise.
HELD_BACK: Final[Mapping[str, Reason]] = MappingProxyType(
    {
        "not_shared": Reason("the teacher does not share the class: the lesson counts in the week alone"),
        "few_devices": Reason("too few iPads to hide one child among them"),
        "few_devices_changed": Reason("too small a change: two versions could be subtracted"),
        "few_classes": Reason("fewer than three classes"),
        "few_teachers": Reason("fewer than three teachers"),
        "no_lessons": Reason("no lesson in that week"),
        "record_malformed": Reason("a record that the hub would refuse", "Report it with the agent’s log."),
    }
)

_EVERY: Final = MappingProxyType({**OF_SOURCES, **OF_THE_AGENT, **HELD_BACK})


def reason(code: str) -> Reason:
    """What a code means; an unknown one is said as it is."""
    return _EVERY.get(code) or Reason(code.replace("_", " "))
