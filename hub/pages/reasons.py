"""What the hub counted, in words for whoever looks after it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.pages.formats import capital

MOST: Final = 50  # refusals on a page

_RECEIVED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "lesson_new": "Shared lessons",
        "lesson_replaced": "Shared lessons told of again, with what came late",
        "lesson_older_revision": "Lessons told of again, with nothing new",
        "week_new": "Weeks",
        "status": "Heartbeats: every five minutes a school’s agent says that it is there",
        "refused": "Records refused",
        "undisclosed": "Records without an entry of the school’s disclosure log",
    }
)

_REFUSED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "join_invitation_unknown": "an invitation that this hub never made",
        "join_invitation_used": "an invitation that another agent had used",
        "join_invitation_expired": "an invitation that had expired",
        "join_invitation_replaced": "an invitation that a newer one had made void",
        "join_school_name_differs": "an agent whose settings name another school than its invitation",
        "join_key_changed": "an agent of a school that has another key",
        "join_key_of_another_school": "an agent that is another school’s already",
        "join_revoked": "an agent whose key is revoked",
        "renew_key_of_another_enrolment": "an agent that wants a key which is another school’s",
        "renew_revoked": "an agent that wants a key which was revoked",
        "renew_not_enrolled": "an agent that wants a new key after its own was revoked",
        "put_off_daily_lessons": "put off: more lessons in a day than a school has",
        "put_off_daily_refused": "put off: more records refused in a day than mistakes make",
        "put_off_ahead": "put off: of a time that has not come: compare the school’s clock with this hub’s",
        "hello_epoch_in_the_future": "an agent whose clock is days ahead of this hub’s: compare them",
        "hello_too_many_streams": "an agent that begins ever more streams",
        "put_off_daily_bytes": "put off: more in a day than a school sends",
        "record_of_another_school": "records in another school’s name",
        "not_as_disclosed": "records that are not what the school’s disclosure log says",
        "record_malformed": "records that are none",
        "record_too_large": "records too large to be one",
        "record_in_the_future": "records of a time that has not come: look at the school’s clock",
        "record_too_old": "records of years ago: look at the school’s clock",
        "record_year": "records of another age: look at the school’s clock",
        "record_time": "records with a time that is none",
        "record_week": "weeks that no calendar has",
        "record_source_kind": "records from a kind of source that this hub does not know: upgrade it",
        "record_source_twice": "records that name a source twice",
        "record_devices": "lessons with far more iPads than were expected",
        "record_visibility": "lessons seen in part, of which nothing was expected",
        "record_evidence": "more device-minutes than iPads and time can give",
        "record_strip_channel": "lessons with a channel that this hub does not know: upgrade it",
        "record_strip_length": "lessons with a strip longer than they are",
        "record_strip_sum": "lessons with more than all of their time in a step",
        "record_probs": "placements whose probabilities do not sum to 1",
        "record_set": "placements whose set of stages cannot be",
        "record_stages": "placements on another number of stages than the model has",
        "record_grain": "lessons placed by a model that speaks of a longer time",
        "record_uncalibrated": "lessons placed by what no walkthrough has calibrated",
        "record_placement_twice": "records placed twice on one dimension",
        "record_feature_name": "features that this hub does not know: upgrade it",
        "record_feature_range": "features out of their range",
        "record_feature_sum": "features that do not go together",
        "record_feature_unseen": "features that the school’s sources cannot see",
        "record_counts": "weeks whose lessons, classes and teachers do not go together",
        "record_verdicts": "weeks whose verdicts do not add up to their lessons",
        "record_expected": "weeks whose stages do not add up to their lessons",
        "lesson_overlaps": "lessons across another lesson of the same class",
        "week_already_known": "weeks that were sent before",
        "week_bands_conflict": "weeks that left as one and by band",
        "unknown_model": "placements by a model that this hub does not have: put its file into `models`",
        "unknown_version": "placements by another version of a model than this hub has",
        "unknown_dimension": "placements on a dimension that the model does not have",
    }
)

# Of usage exports: why a row or a file was left out.
_LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "wrong_columns": "not as many columns as the header line has, or a file that is no such export",
        "no_header": "the header line lacks a column that the mapping names: compare the two",
        "bad_date": "no date as the mapping says, or one of another age",
        "blank_lp_id": "no product in it",
        "blank_product": "no product in it",
        "unknown_product": "a product that the catalogue does not know",
        "blank_engagement": "nothing counted in it",
        "bad_number": "a number that is none",
        "negative_number": "a number below 0",
        "number_too_large": "a number too large to be true",
        "more_than_users_can": "more than so many learners can reach in a day",
        "not_kept": "left out as the mapping asks",
        "duplicate_row": "told of before",
        "utf_16": "not in UTF-8: save the file as `CSV UTF-8`",
        "line_too_long": "a line too long to be a row",
        "control_bytes": "bytes that no text has",
        "malformed_line": "a line that cannot be read",
        "too_many_columns": "far too many columns",
        "empty_file": "a file without rows",
        "unreadable_file": "a file that cannot be read",
        "bad_file_name": "a file that is not named for its district’s number",
        "products_blank_id": "a product of the list without its id",
        "products_repeated_id": "a product that the list has twice",
        "districts_blank_id": "a district of the list without its number",
        "districts_repeated_id": "a district that the list has twice",
    }
)


def left_out_words(reason: str) -> str:
    """Why a usage export's row or file was left out; words in backticks are code."""
    return _LEFT_OUT.get(reason, reason.replace("_", " "))


def file_left_out_words(reason: str) -> str:
    """The same of a whole file that no mapping was named for."""
    if reason == "wrong_columns":
        return "not as LearnPlatform writes it: `--mapping` says how to read another export"
    return left_out_words(reason)


def received_words(counter: str) -> str:
    """A counter's name for people."""
    return _RECEIVED.get(counter, capital(counter.replace("_", " ")))


def refused_words(reason: str) -> str:
    """Why something was refused; words in backticks are code."""
    return capital(_REFUSED.get(reason, reason.replace("_", " ")))
