"""From rows of use to ISO weeks with features: shares by page loads, entropy by app; pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub.usage.rows import Fault, NotUsed, Use
from models.catalogue.load import Catalogue
from models.features.set1 import FEATURES, visible
from shared.words import CHANNELS

KIND: Final = "learnplatform"


@dataclass(slots=True)
class Week:
    """One ISO week: page loads per 1,000 students by catalogue index (0 is unlisted)."""

    loads: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    days: set[date] = field(default_factory=set)
    products: set[str] = field(default_factory=set)

    @property
    def engagement(self) -> float:
        """Page loads per 1,000 students, summed."""
        return sum(self.loads.values())


@dataclass(slots=True)
class Tallied:
    """A district's file: its weeks, and what became of every row (`rows` = used + not_used + faults)."""

    weeks: dict[str, Week] = field(default_factory=dict)
    rows: int = 0
    used: int = 0
    not_used: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    unknown_engagement: float = 0.0


def tally(
    rows: Iterable[Use | NotUsed | Fault],
    app_of: Callable[[str], int],
    seen: set[tuple[date, str]] | None,
) -> Tallied:
    """Rows of use by ISO week, the rest counted; `app_of` gives a product's catalogue index (0: unlisted).

    Of two rows for one day and product the first counts; `seen` holds those of files before this one. If it
    is None, such rows are parts of one whole, and all of them count.
    """
    tallied = Tallied()
    for row in rows:
        tallied.rows += 1
        if isinstance(row, Fault):
            tallied.faults[row] += 1
        elif isinstance(row, NotUsed):
            tallied.not_used += 1
        elif seen is not None and (row.day, row.product) in seen:
            tallied.faults[Fault.DUPLICATE_ROW] += 1
        else:
            if seen is not None:
                seen.add((row.day, row.product))
            _add(tallied, row, app_of)
    return tallied


def merge(total: Tallied, part: Tallied) -> None:
    """Add what another file of the same district or school held."""
    total.rows += part.rows
    total.used += part.used
    total.not_used += part.not_used
    total.faults += part.faults
    total.unknown_engagement += part.unknown_engagement
    for name, week in part.weeks.items():
        own = total.weeks.setdefault(name, Week())
        own.days |= week.days
        own.products |= week.products
        for app, loads in week.loads.items():
            own.loads[app] += loads


def _add(tallied: Tallied, row: Use, app_of: Callable[[str], int]) -> None:
    if not row.known:
        tallied.faults[Fault.UNKNOWN_PRODUCT] += 1
        tallied.unknown_engagement += row.engagement
        return
    tallied.used += 1
    year, number, _ = row.day.isocalendar()
    week = tallied.weeks.setdefault(f"{year:04d}-W{number:02d}", Week())
    week.loads[app_of(row.product)] += row.engagement
    week.days.add(row.day)
    week.products.add(row.product)


def features(weeks: Iterable[Week], catalogue: Catalogue) -> NDArray[np.float64]:
    """Feature rows [n, 24] of set 1; NaN for everything that a usage export cannot see (FEATURES' order).

    Shares are of page loads, by the catalogue's channels; `app_entropy` is in bits, uncorrected (the
    number of signals is unknown), all unlisted products being one app; evidence is missing.
    """
    loads = np.array([_by_app(week, len(catalogue.apps) + 1) for week in weeks]).reshape(
        -1, len(catalogue.apps) + 1
    )
    shares = loads / loads.sum(axis=1, keepdims=True)
    channels = shares @ catalogue.channel_weights()
    columns = {f"{name}_share": channels[:, i] for i, name in enumerate(CHANNELS) if name != "other"}
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    columns["app_entropy"] = np.abs((shares * logs).sum(axis=1))
    columns["unlisted_share"] = shares[:, catalogue.off_task()].sum(axis=1)
    rows = np.full((len(loads), len(FEATURES)), np.nan)
    for i in np.flatnonzero(visible([KIND])):
        rows[:, i] = columns[FEATURES[i]]
    return rows


def _by_app(week: Week, size: int) -> NDArray[np.float64]:
    row = np.zeros(size)
    for app, loads in week.loads.items():
        row[app] = loads
    return row
