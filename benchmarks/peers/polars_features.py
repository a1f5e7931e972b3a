"""Features of contacts in Polars: one sort, then groups. Dwell without amounts, for contacts have none."""

import math
from typing import Final

import polars as pl

from shared.words import CHANNELS

SHARES: Final = tuple(f"{channel}_share" for channel in CHANNELS if channel != "other")

_WINDOW, _DEVICE, _AT, _APP = (pl.col(name) for name in ("window", "device", "at", "app"))
_APPS: Final = 1 << 16  # more than there are
_MINUTES: Final = 1 << 10  # more than a lesson has
_TINY: Final = 1e-6


def polars_features(signals: pl.DataFrame, windows: pl.DataFrame, apps: pl.DataFrame) -> pl.DataFrame:
    """The 14 features that a resolver's log can see, a row a window by `window`; null where missing.

    signals: window, t, device, app. windows: window, start, end. apps: app, off_task and the 8 channels.
    """
    seen = _dwelt(signals, windows)
    parts = [
        *_apps(seen.lazy(), apps.lazy()),
        _switches(seen.lazy()),
        _transitions(seen.lazy(), apps.lazy()),
        _synchrony(seen.lazy()),
    ]
    table = windows.select("window")
    for part in pl.collect_all(parts):
        table = table.join(part, on="window", how="left", maintain_order="left")
    hours = pl.col("total") / 3600
    return table.select(
        "window",
        *(pl.col(name) / pl.col("total") for name in SHARES),
        "transition_entropy",
        "app_entropy",
        choice_dispersion=(pl.col("app_entropy") - pl.col("own_entropy")).clip(lower_bound=0),
        synchrony="synchrony",
        switch_rate=pl.col("switches") / hours,
        unlisted_share=pl.col("unlisted") / pl.col("total"),
        evidence=pl.col("total").fill_null(0) / 60,
    )


def _dwelt(signals: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """Signals inside their windows by window, device, second and app, each with its dwell.

    `run` numbers the seconds of devices; `here` is how many signals a second has; `owner` numbers the
    devices of windows.
    """
    goes_on = (_WINDOW.shift(-1) == _WINDOW) & (_DEVICE.shift(-1) == _DEVICE)
    later = _AT.shift(-1) > _AT
    until = (
        pl.when(~goes_on.fill_null(value=False))
        .then(_AT + 60)
        .when(later)
        .then(pl.min_horizontal(_AT.shift(-1), _AT + 300))
    )
    return (
        signals.lazy()
        .join(windows.lazy(), on="window")
        .select(
            "window",
            "device",
            "app",
            at=(pl.col("t") - pl.col("start")).cast(pl.Int32),
            span=(pl.col("end") - pl.col("start")).cast(pl.Int32),
        )
        .filter((_AT >= 0) & (pl.col("span") > _AT))
        .sort("window", "device", "at", "app")
        .with_columns(
            until=pl.min_horizontal(until.backward_fill(), "span"),
            goes_on=goes_on.fill_null(value=False),
            run=(~(goes_on & (_AT.shift(-1) == _AT)).shift(1).fill_null(value=False)).cum_sum(),
            owner=(~goes_on.shift(1).fill_null(value=False)).cum_sum().cast(pl.Int64),
        )
        .with_columns(here=pl.len().over("run"))
        .with_columns(dwell=(pl.col("until") - _AT) / pl.col("here"))
        .collect()
    )


def _entropy(total: str, weighted: str, cells: str, behind: str) -> pl.Expr:
    """Bits with the Miller-Madow correction, from sum d, sum d log2 d, occupied cells and signals behind."""
    plain = pl.col(total).log(2) - pl.col(weighted) / pl.col(total)
    few = pl.min_horizontal(cells, behind).cast(pl.Float64) - 1
    return plain + few.clip(lower_bound=0) / (2 * pl.col(behind) * math.log(2))


def _apps(seen: pl.LazyFrame, apps: pl.LazyFrame) -> list[pl.LazyFrame]:
    """By window: channel dwell, total, unlisted, entropy of apps; and the mean entropy of its devices."""
    dwell = pl.col("dwell")
    sums = {
        "total": dwell.sum(),
        "weighted": (dwell * dwell.log(2)).sum(),
        "cells": pl.len(),
        "behind": pl.col("n").sum(),
    }
    by_device_app = seen.group_by("window", "device", "app").agg(dwell.sum(), n=pl.len())
    by_app = by_device_app.group_by("window", "app").agg(dwell.sum(), pl.col("n").sum())
    own = (
        by_device_app.group_by("window", "device")
        .agg(**sums)
        .with_columns(bits=_entropy("total", "weighted", "cells", "behind"))
        .group_by("window")
        .agg(own_entropy=(pl.col("total") * pl.col("bits")).sum() / pl.col("total").sum())
    )
    whole = (
        by_app.join(apps, on="app")
        .group_by("window")
        .agg(
            **sums,
            unlisted=dwell.filter(pl.col("off_task")).sum(),
            **{f"{name}_share": (dwell * pl.col(name)).sum() for name in CHANNELS if name != "other"},
        )
        .with_columns(app_entropy=_entropy("total", "weighted", "cells", "behind"))
        .drop("weighted", "cells", "behind")
    )
    return [whole, own]


def _switches(seen: pl.LazyFrame) -> pl.LazyFrame:
    switch = pl.col("goes_on") & (_APP.shift(-1) != _APP)
    return seen.select("window", switch=switch).group_by("window").agg(switches=pl.col("switch").sum())


def _transitions(seen: pl.LazyFrame, apps: pl.LazyFrame) -> pl.LazyFrame:
    """Entropy of the channel table: pairs of apps of neighbouring seconds, then their channels' products."""
    here = seen.select("window", "device", "app", "run", weight=1 / pl.col("here"))
    pairs = (
        here.join(
            here.select("window", "device", app_then="app", run=pl.col("run") - 1, weight_then="weight"),
            on=["run", "window", "device"],
        )
        .group_by("window", "app", "app_then")
        .agg(weight=(pl.col("weight") * pl.col("weight_then")).sum())
    )
    then = apps.select(app_then="app", **{f"{name}_then": pl.col(name) for name in CHANNELS})
    cells = [f"{a}>{b}" for a in CHANNELS for b in CHANNELS]
    table = (
        pairs.join(apps, on="app")
        .join(then, on="app_then")
        .group_by("window")
        .agg(
            behind=pl.col("weight").sum(),
            **{
                f"{a}>{b}": (pl.col("weight") * pl.col(a) * pl.col(f"{b}_then")).sum()
                for a in CHANNELS
                for b in CHANNELS
            },
        )
    )
    # Weights of one second sum to 1, so that a window's weights sum to its number of transitions.
    return table.select(
        "window",
        pl.col("behind").round(),
        total=pl.sum_horizontal(cells),
        weighted=pl.sum_horizontal(
            pl.when(pl.col(cell) > 0).then(pl.col(cell) * pl.col(cell).log(2)) for cell in cells
        ),
        cells=pl.sum_horizontal((pl.col(cell) > 0).cast(pl.Int64) for cell in cells),
    ).select(
        "window",
        transition_entropy=_entropy("total", "weighted", "cells", "behind").clip(upper_bound=6),
    )


def _synchrony(seen: pl.LazyFrame) -> pl.LazyFrame:
    """Mean, over minutes with 5 or more active devices, of the share of them on the commonest app.

    Keys are packed into one whole number: Polars groups by one nearly twice as fast as by four columns.
    """
    minute = pl.col("minute") * 60
    seconds = (pl.min_horizontal("until", minute + 60) - pl.max_horizontal("at", minute)) / pl.col("here")
    # Dwell to the microsecond and, for ties, the smaller app.
    rank = (pl.col("seconds") / _TINY).round().cast(pl.Int64) * _APPS + (_APPS - 1 - pl.col("key") % _APPS)
    first_window = _WINDOW.first().cast(pl.Int64)
    return (
        seen.with_columns(minute=pl.int_ranges(_AT // 60, (pl.col("until") + 59) // 60, dtype=pl.Int32))
        .explode("minute")
        .select(
            "window",
            key=(pl.col("owner") * _MINUTES + pl.col("minute")) * _APPS + _APP,
            seconds=seconds,
        )
        .group_by("key")
        .agg(first_window, seconds=pl.col("seconds").sum())
        .group_by(place=pl.col("key") // _APPS)
        .agg(first_window, rank=rank.max())
        .filter(pl.col("rank") >= 2 * _APPS)
        .group_by(key=(_WINDOW * _MINUTES + pl.col("place") % _MINUTES) * _APPS + pl.col("rank") % _APPS)
        .agg(devices=pl.len())
        .group_by(place=pl.col("key") // _APPS)
        .agg(active=pl.col("devices").sum(), most=pl.col("devices").max())
        .filter(pl.col("active") >= 5)
        .group_by(window=(pl.col("place") // _MINUTES).cast(pl.Int32))
        .agg(synchrony=(pl.col("most") / pl.col("active")).mean())
    )
