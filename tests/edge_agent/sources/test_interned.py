"""Texts are known again by their number, and never one for another, however many there are or how alike."""

import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.columns import Ints, Lines
from edge_agent.sources.interned import _MIX, MOST, Interned

WORDS = 2
LONGEST = 8 * WORDS
NONE = b"!"  # with this in it a text has no number


class Book:
    """Gives each text its number when it is asked; `asked` are all that it was asked for."""

    def __init__(self) -> None:
        self.table = Interned(WORDS)
        self.asked: list[bytes] = []
        self._numbers: dict[bytes, int] = {}

    def number(self, text: bytes) -> int:
        return -1 if NONE in text else self._numbers.setdefault(text, len(self._numbers))

    def knows(self, texts: Sequence[bytes]) -> bool:
        """Look all of them up at once; whether every one got its own number."""
        lines = Lines(b"".join(texts) + b"\n" * LONGEST)
        end = np.cumsum([len(text) for text in texts], dtype=np.int64)
        begin = end - np.array([len(text) for text in texts], np.int64)

        def ask(begin: Ints, end: Ints) -> Ints:
            asked = lines.texts(begin, end)
            self.asked += asked
            return np.array([self.number(text) for text in asked], np.int64)

        found = self.table.numbers(lines, begin, end, ask).tolist()
        return bool(found == [self.number(text) for text in texts])


# Few letters, so that texts come again; a nought and an end are told apart.
texts = st.lists(
    st.lists(st.sampled_from([b"a", b"b", b"\0", b"!", b"\xff"]), max_size=LONGEST).map(b"".join)
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(texts, max_size=4))
def test_every_text_has_its_own_number_and_is_asked_for_once(chunks: list[list[bytes]]) -> None:
    book = Book()
    for chunk in chunks:
        assert book.knows(chunk)
    assert sorted(book.asked) == sorted({text for chunk in chunks for text in chunk})


def test_the_table_grows_and_loses_nothing() -> None:
    rng = np.random.default_rng(7)
    book = Book()
    names = [b"h%d.x%d" % (i, i % 7) for i in range(30_000)]
    for begin in range(0, len(names), 2500):
        again = [names[i] for i in rng.integers(0, begin + 1, 2500).tolist()]
        assert book.knows(names[begin : begin + 2500] + again)
    assert book.knows(names)
    assert len(book.asked) - len(names) <= 3, "hardly one finds no slot"


def test_a_thousand_texts_of_one_hash_are_told_apart() -> None:
    # What one word adds to the hash the other takes away.
    pairs = [(i * _MIX[1] % 2**64, -i * _MIX[0] % 2**64) for i in range(1, 1001)]
    alike = [b"".join(word.to_bytes(8, "little") for word in pair) for pair in pairs]
    book = Book()
    others = [b"padlet.com", b"kahoot.it", b"x" * LONGEST]
    for _ in range(3):
        assert book.knows(alike + others + alike)
    assert all(book.asked.count(other) == 1 for other in others)


@pytest.mark.parametrize(("number", "most_bytes"), [(8, 100_000), (6 * MOST, 9_000_000)])
def test_memory_is_little_for_few_and_bounded_for_many(number: int, most_bytes: int) -> None:
    tracemalloc.start()
    try:
        table = Interned(WORDS)
        for first in range(0, number, MOST // 2):
            many = np.arange(first, min(first + MOST // 2, number))
            lines = Lines(np.append(many, [0, 0]).tobytes())
            begin = np.arange(len(many)) * 8

            def ask(places: Ints, _: Ints, many: Ints = many) -> Ints:
                return many[places // 8]

            found = table.numbers(lines, begin, begin + 8, ask)
            assert (found == many).all()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < most_bytes
