"""Devices' tokens, which are any texts, as numbers that rise with the texts.

The number of a device decides nothing but the order in which a window's devices are summed up. It follows
from the texts alone, so that neither the order of rows nor a chance of hashing shows in a last digit.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.features.columns import Ints, small_codes
from models.tables.words import Words, mixed


def side_by_side(parts: Sequence[Words]) -> Words:
    """Tokens [n, k] of several k as one table of the largest."""
    width = max(part.shape[1] for part in parts)
    found = np.zeros((sum(map(len, parts)), width), np.uint64)
    at = 0
    for part in parts:
        found[at : at + len(part), : part.shape[1]] = part
        at += len(part)
    return found


def numbered(parts: Iterable[Words]) -> NDArray[np.uint64]:
    """A number for each token of all parts [n, k]: equal for equal texts, in the order of the texts' bytes.

    Parts may have several k. Of one part at a time more is held than its distinct texts.
    """
    found = [_distinct(part) for part in parts]
    if not found:
        return np.zeros(0, np.uint64)
    texts, code = _distinct(side_by_side([own for own, _ in found]))
    rank = np.empty(len(texts), np.uint64)
    rank[np.lexsort(texts.byteswap().T[::-1])] = np.arange(len(texts), dtype=np.uint64)
    ranks = np.split(rank.take(code), np.cumsum([len(own) for own, _ in found])[:-1])
    return np.concatenate([own.take(which) for own, (_, which) in zip(ranks, found, strict=True)])


def _distinct(tokens: Words) -> tuple[Words, Ints]:
    """The distinct tokens, and which of them each token is."""
    code = small_codes(mixed(list(tokens.T)))
    holder = np.zeros(int(code.max(initial=-1)) + 1, np.int64)
    holder[code] = np.arange(len(code))
    texts = tokens.take(holder, axis=0)
    if not np.array_equal(texts.take(code, axis=0), tokens):
        # Different texts met in one hash: sorting all of them is slow, and never wrong.
        texts, code = np.unique(tokens, axis=0, return_inverse=True)
    return texts, code.reshape(-1)
