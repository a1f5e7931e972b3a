"""What each kind of source can see of feature set 1."""

import numpy as np
import pytest

from models.features.set1 import FEATURES, usage_only, visible
from shared.errors import UsageError
from shared.words import SOURCE_KINDS

NUMBERED = {i + 1: name for i, name in enumerate(FEATURES)}
CONTACTS = {*range(1, 7), *range(15, 19), *range(21, 25)}
USAGE = {*range(1, 7), 16, 21, 23}
EVERYTHING = set(range(1, 25))


def seen(*kinds: str) -> set[int]:
    return {i + 1 for i in np.flatnonzero(visible(kinds)).tolist()}


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("dnsmasq", CONTACTS),
        ("zeek", CONTACTS),
        ("xapi", EVERYTHING),
        ("caliper", EVERYTHING),
        ("learnplatform", USAGE),
        ("mdm", set()),
    ],
)
def test_a_kind_sees_what_the_table_says(kind: str, numbers: set[int]) -> None:
    assert seen(kind) == numbers


def test_several_kinds_see_what_any_of_them_sees() -> None:
    assert seen("mdm", "learnplatform", "dnsmasq") == CONTACTS
    assert seen("learnplatform", "caliper") == EVERYTHING
    assert seen() == set()


def test_every_kind_of_source_has_its_sight() -> None:
    assert all(len(visible([kind])) == len(FEATURES) == 24 for kind in SOURCE_KINDS)


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean `dnsmasq`"):
        visible(["dnsmask"])


def test_only_exports_are_usage_only() -> None:
    assert usage_only(["catchon", "mdm"])
    assert not usage_only(["catchon", "dnsmasq"])
    assert not usage_only(["mdm"])
    assert not usage_only([])


def test_the_names_stand_at_their_numbers() -> None:
    assert (NUMBERED[1], NUMBERED[15], NUMBERED[24]) == ("consume_share", "transition_entropy", "evidence")
