"""Second stage of a fit: how far a school's true mean level lies from what its features say.

Apps are habits of a school, so a school whose features say half a level more may be only partly above the
others. Ratings minus the level foretold by a fit that never saw the school tell how much: they are regressed
on how far the school's foretold mean lies from the others' (Mundlak 1978), with what is left as a school's
own bias. Two hundred ratings in twenty schools hardly tell the size of that bias, so a belief about it,
relative to the spread of the foretold means, has its say.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.fitting.crossfit import fitted
from models.fitting.design import Design, Scale
from models.fitting.hyper import Chosen
from models.fitting.nested import Coefficients, Folded, coefficients
from models.grouping.clusters import sampling, variance_of
from models.scoring.fit_file import Agreement, Groups, KnownSchool

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FOLDS: Final = 10
ENOUGH_TWICE: Final = 30  # windows rated by two coaches, for their agreement to be believed
USUAL_KAPPA: Final = 0.75

# Of the coefficients: all schools' offset; per level that a school's foretold mean lies above the others';
# per level that a class's foretold mean lies above its school's.
_MEAN: Final = np.array([0.0, -0.15, 0.0])
_VARIANCE: Final = np.array([0.3, 0.35, 0.35]) ** 2
_RATIO: Final = 0.55  # of the schools' own bias to the spread of their foretold means
_RATIO_SD: Final = 0.5  # of its logarithm
_RATIOS: Final = 0.5 * np.exp(np.linspace(-1.4, 1.2, 9))
_COACH_SDS: Final = np.array([0.02, 0.1, 0.2, 0.3, 0.45])
_COACH_STEPS: Final = np.array([0.08, 0.08, 0.1, 0.12, 0.15])
_COACH_SCALE: Final = 0.3
_USUAL_SPREAD: Final = 0.25  # of schools' foretold means, worth that of ...
_SPREAD_SCHOOLS: Final = 3


@dataclass(frozen=True, slots=True)
class Windows:
    """Every window of the features [N], rated or not, and which of them each rating [n] is of.

    z: [N, 23] standardised, not shrunk; share: [N] evidence by the median; school, class_: [N] codes, classes
    within schools (None where none is named); visible: [N, 24]; row: [n].
    """

    z: Floats
    share: Floats
    school: Ints
    class_: Ints | None
    visible: Bools
    row: Ints


@dataclass(frozen=True, slots=True)
class Spreads:
    """Foretold levels of windows that saw anything, in parts: standard deviations, and schools' means."""

    schools: float
    classes: float
    lessons: float
    icc: float
    means: Floats
    doubt: Floats


def school_doubt(
    design: Design, windows: Windows, taught: Bools, chosen: Chosen, scale: Scale, agreed: Agreement | None
) -> Groups:
    """What levels of groups need beyond the scale; taught [n]: the ratings that the scale was fitted to."""
    stages = np.arange(design.stages)
    shown = windows.share > 0
    foretold = np.full(len(windows.share), np.nan)
    noise_share = chosen.hyper.noise_share
    shrunk = design.shrunk_rows(windows.z, windows.share)
    raise NotImplementedError
