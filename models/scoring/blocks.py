"""Stage probabilities of many rows in float32, a block at a time: what `Scorer.score` says, faster.

The same formula in another order. Scores of all dimensions are one matrix product; every other step is one
pass over scratch that a block's rows leave in the cache, with long contiguous loops: features row after row
with the means laid out for many rows at once, probabilities stage by stage. All cutpoints of a dimension
share one exponential: P(Y <= k) = 1 / (1 + exp(score) exp(-cut_k)).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURES
from models.scoring.reference import Reference

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

BLOCK: Final = 8192
_TILE: Final = 64  # rows that one inner loop of the standardisation runs over
_WIDTH: Final = len(FEATURES)
# exp(80) and its inverse are normal float32 numbers; a score beyond it is beyond every cutpoint within 60.
_HIGHEST: Final = np.float32(80.0)
FARTHEST_CUT: Final = 60.0
_ONE: Final = np.float32(1.0)


class Blocks:
    """One model's scales in float32: weights [D, 24], cuts [D, K - 1] within FARTHEST_CUT or infinite,
    noise_share [D].
    """

    def __init__(self, reference: Reference, weights: Floats, cuts: Floats, noise_share: Floats) -> None:
        self._means = np.tile(reference.mean.astype(np.float32), _TILE)
        self._weights = np.ascontiguousarray((weights / reference.sd).T, np.float32)
        self._per_median = np.float32(1.0 / reference.median_evidence)
        alike = len(set(noise_share.tolist())) == 1
        self._noise = (noise_share[:1] if alike else noise_share)[:, None].astype(np.float32)
        self._signal = _ONE - self._noise
        self._odds = np.exp(-cuts).T[:, :, None].astype(np.float32)
        self.shape = (cuts.shape[1] + 1, cuts.shape[0])

    def probabilities(self, x: NDArray[np.floating[Any]], out: Floats32) -> None:
        """Into out [K, D, n] the probabilities of rows x [n, 24]; 0 past a dimension's last stage."""
        scratch = Scratch.make(min(len(x), BLOCK), self.shape)
        for at in range(0, len(x), BLOCK):
            rows = np.ascontiguousarray(x[at : at + BLOCK], np.float32)
            room = scratch.first(len(rows))
            self.standardise(rows, room)
            self.score(room)
            self.shrink(rows, room)
            self.spread(room, out[:, :, at : at + BLOCK])

    def standardise(self, x: Floats32, room: "Scratch") -> None:
        """Into room.z the rows less the means (the weights hold the division), 0 where missing."""
        whole = len(x) - len(x) % _TILE
        wide = (-1, _TILE * _WIDTH)
        np.subtract(x[:whole].reshape(wide), self._means, out=room.z[:whole].reshape(wide))
        np.subtract(x[whole:], self._means[:_WIDTH], out=room.z[whole:])
        np.equal(room.z, room.z, out=room.known)
        # A missing value's bits times 0 are the bits of 0: ten times as fast as a copy under a mask.
        np.multiply(room.bits, room.known, out=room.bits)

    def score(self, room: "Scratch") -> None:
        """Into room.score the scores, not yet shrunk."""
        np.matmul(room.z, self._weights, out=room.score)

    def shrink(self, x: Floats32, room: "Scratch") -> None:
        """Into room.shrunk the scores times `shrink.kept` of the rows' evidence."""
        e, kept = room.evidence, room.kept[: len(self._noise)]
        np.multiply(x[:, EVIDENCE], self._per_median, out=e)
        np.minimum(e, _ONE, out=e)
        np.multiply(e, self._signal, out=kept)
        np.add(kept, self._noise, out=kept)
        np.divide(e, kept, out=kept)
        np.fmin(kept, _ONE, out=kept)
        np.multiply(room.score.T, kept, out=room.shrunk)

    def spread(self, room: "Scratch", out: Floats32) -> None:
        """Into out [K, D, n] the probabilities of the stages; room.shrunk is used up."""
        odds, below = room.shrunk, room.below
        np.minimum(odds, _HIGHEST, out=odds)
        np.exp(odds, out=odds)
        np.multiply(odds, self._odds, out=below)
        np.add(below, _ONE, out=below)
        np.divide(_ONE, below, out=below)
        out[0] = below[0]
        np.subtract(below[1:], below[:-1], out=out[1:-1])
        np.subtract(_ONE, below[-1], out=out[-1])


@dataclass(frozen=True, slots=True)
class Scratch:
    """Room for n rows: z [n, 24], its bits, what of it is known; score [n, D]; evidence [n]; kept and shrunk
    [D, n]; below [K - 1, D, n].
    """

    z: Floats32
    bits: NDArray[np.int32]
    known: NDArray[np.bool_]
    score: Floats32
    evidence: Floats32
    kept: Floats32
    shrunk: Floats32
    below: Floats32

    @classmethod
    def make(cls, rows: int, shape: tuple[int, int]) -> "Scratch":
        """Made for one call, so that threads share nothing."""
        stages, dimensions = shape
        z = np.empty((rows, _WIDTH), np.float32)
        return cls(
            z=z,
            bits=z.view(np.int32),
            known=np.empty(z.shape, np.bool_),
            score=np.empty((rows, dimensions), np.float32),
            evidence=np.empty(rows, np.float32),
            kept=np.empty((dimensions, rows), np.float32),
            shrunk=np.empty((dimensions, rows), np.float32),
            below=np.empty((stages - 1, dimensions, rows), np.float32),
        )

    def first(self, rows: int) -> "Scratch":
        """The room of a smaller block."""
        if rows == len(self.z):
            return self
        own = slice(rows)
        return Scratch(
            z=self.z[own],
            bits=self.bits[own],
            known=self.known[own],
            score=self.score[own],
            evidence=self.evidence[own],
            kept=self.kept[:, own],
            shrunk=self.shrunk[:, own],
            below=self.below[:, :, own],
        )
