"""A chunk in columns: its lines are those that splitting finds; side by side lies what is at each place."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.columns import Lines

sparse = st.lists(st.binary(max_size=40).map(lambda text: text.replace(b"\n", b" ") + b"12345678")).map(
    b"\n".join
)
dense = st.lists(st.sampled_from([b"\n", b"a", b"bc\n"])).map(b"".join)
chunks = st.builds(lambda begin, text, end: begin + text + end, sparse, dense, sparse).filter(
    lambda chunk: len(chunk) >= 8
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.one_of(chunks, sparse.filter(bool)))
def test_lines_are_those_that_splitting_finds(chunk: bytes) -> None:
    lines = Lines(chunk)
    assert lines.texts(lines.begin, lines.end) == [line for line in chunk.split(b"\n") if line]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=24, max_size=24), min_size=1), st.integers(0, 16), st.data())
def test_spans_hold_the_bytes_of_each_place(texts: list[bytes], offset: int, data: st.DataObject) -> None:
    chunk = b"".join(texts)
    lines = Lines(chunk)
    wanted = data.draw(st.sampled_from(texts))
    length = data.draw(st.integers(8, 24 - offset))
    spans = lines.spans(24 * np.arange(len(texts)), 24)
    held = spans.hold(offset, wanted[offset : offset + length])
    assert held.tolist() == [
        text[offset : offset + length] == wanted[offset : offset + length] for text in texts
    ]
    assert spans.table().tobytes() == chunk
