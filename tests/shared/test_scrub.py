"""The shape of bad input lets nobody be named, in whatever letters they were written."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.scrub import LIMIT, shape


def test_a_log_line_keeps_its_shape() -> None:
    assert shape("Sep 14 08:31:02 x[1]: query") == "aaa 99 99:99:99 a[9]: aaaaa"
    assert shape(b"\xff\xfe a\x00b") == "?? a?a"


@pytest.mark.parametrize(
    "name",
    ["Ⓜⓐⓡⓘⓐ", "🅜🅐🅡🅘🅐", "𝓜𝓪𝓻𝓲𝓪", "Мария", "مريم", "マリア", "M⃝aria", "🇲🇦", "ﷺ", "½", "٣", "M\u200daria"],
)
def test_letters_of_every_kind_become_the_same_letter(name: str) -> None:
    assert re.fullmatch(r"[a9?/ ]+", shape(name))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_nothing_is_left_but_one_letter_one_digit_and_ascii_punctuation(text: str) -> None:
    scrubbed = shape(text)
    assert len(scrubbed) <= LIMIT
    assert re.fullmatch(r"[ -/:-@\[-`{-~a9]*", scrubbed)
    assert shape(unicodedata.normalize("NFKC", scrubbed)) == scrubbed
