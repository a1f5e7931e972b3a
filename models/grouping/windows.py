"""The windows of F.csv as fits and groups see them: standardised, with school and class as codes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE
from models.scoring.reference import Reference
from models.tables import FeatureTable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows [N], rated or not.

    z: [N, 24] standardised, not shrunk, 0 where missing; share: [N] evidence by the reference's median, NaN
    where missing; visible: [N, 24]; school, class_: [N] codes from 0 of the names.

    class_ is None where no class is named; else each class lies within one school, and classes of two
    schools may have the same name.
    """

    z: Floats
    share: Floats
    visible: Bools
    school: Ints
    schools: tuple[str, ...]
    class_: Ints | None
    classes: tuple[str, ...]

    @property
    def shown(self) -> Bools:
        """Whether a window [N] saw anything."""
        return self.share > 0

    def rows(self, pick: NDArray[Any]) -> "Windows":
        """Some of the windows, by index or mask, with all codes kept."""
        class_ = None if self.class_ is None else self.class_[pick]
        return Windows(
            self.z[pick],
            self.share[pick],
            self.visible[pick],
            self.school[pick],
            self.schools,
            class_,
            self.classes,
        )


def windows_of(features: FeatureTable, order: Ints, reference: Reference) -> Windows:
    """The windows in the order given, rows of the features."""
    x = features.x[order]
    rows = order.tolist()
    home = [features.school[row] for row in rows]
    schools = sorted(set(home))
    code = {name: i for i, name in enumerate(schools)}
    class_, classes = None, []
    if features.class_ is not None and any(features.class_):
        pairs = [(features.class_[row], name) for row, name in zip(rows, home, strict=True)]
        classes = sorted(set(pairs))
        place = {pair: i for i, pair in enumerate(classes)}
        class_ = np.array([place[pair] for pair in pairs], np.int64)
    return Windows(
        z=reference.standardise(x),
        share=x[:, EVIDENCE] / reference.median_evidence,
        visible=~np.isnan(x),
        school=np.array([code[name] for name in home], np.int64),
        schools=tuple(schools),
        class_=class_,
        classes=tuple(name for name, _ in classes),
    )
