"""Feature set 1 written a second time from its definition, as joins and groups, to check the kernel."""

import math
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared.words import CHANNEL_OF_ACTION, CHANNELS, SOURCE_KINDS, Action, Sight

FEATURES: Final = (
    "consume_share",
    "practise_share",
    "create_share",
    "collaborate_share",
    "publish_share",
    "reflect_share",
    "artefact_rate",
    "revisions_per_artefact",
    "peer_share_rate",
    "coedit_fraction",
    "contribution_evenness",
    "capture_rate",
    "ar_use",
    "chain_fraction",
    "transition_entropy",
    "app_entropy",
    "choice_dispersion",
    "synchrony",
    "mirror_share",
    "outside_audience",
    "plan_share",
    "switch_rate",
    "unlisted_share",
    "evidence",
)


def _numbered(*numbers: int) -> list[str]:
    return [FEATURES[number - 1] for number in numbers]


FEATURES_BY_SIGHT: Final = {
    Sight.NOTHING: [],
    Sight.USAGE: _numbered(1, 2, 3, 4, 5, 6, 16, 21, 23),
    Sight.CONTACTS: _numbered(1, 2, 3, 4, 5, 6, 15, 16, 17, 18, 21, 22, 23, 24),
    Sight.ACTIONS: list(FEATURES),
}

LONGEST_GAP: Final = 300.0
LAST_DWELL: Final = 60.0
EQUAL_DWELL: Final = 1e-6
CROWD: Final = 5
TABLE_BITS: Final = math.log2(len(CHANNELS) ** 2)

DEVICE: Final = ("row", "device")


def polars_features(
    signals: pl.DataFrame,
    windows: pl.DataFrame,
    channels: NDArray[np.float64],
    off_task: NDArray[np.bool_],
) -> pl.DataFrame:
    """Feature set 1: one row a window in the order of `windows`, 24 columns, null if missing or not visible.

    signals: window (row number in `windows`), t (s), device, app (catalogue index, 0 unlisted), action and
    amount (s, 0 where unknown). windows: start and end (whole s), kinds (list of source kinds). channels:
    [A + 1, 8] weights that sum to 1, and off_task: [A + 1], both by catalogue index; unlisted and off-task
    rows are all `other`.
    """
    rows = windows.with_row_index("row").with_columns(pl.col("row", "start", "end").cast(pl.Int64))
    seen = _signals_of_windows(signals, rows)
    pieces = _pieces(seen, rows)
    dwell = pieces.group_by("signal").agg(dwell=pl.col("seconds").sum())
    dwelt = seen.join(dwell, on="signal", how="left").with_columns(pl.col("dwell").fill_null(0.0))
    weighted = dwelt.join(_channel_weights(channels), on=["app", "action"])

    table = rows.select("row", "kinds", minutes=((pl.col("end") - pl.col("start")) / 60).ceil())
    for part in (
        _totals(dwelt, off_task),
        _channel_dwell(weighted),
        _counts(seen),
        _chains(seen),
        _evenness(seen),
        _transition_entropy(seen, weighted),
        _app_entropies(dwelt),
        _synchrony(pieces),
        _sight(rows),
    ):
        table = table.join(part, on="row", how="left")
    return _visible_only(_features(table))


def _signals_of_windows(signals: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Signals inside their window, sorted by all columns; `at` and `until` are seconds since its start."""
    second = pl.col("at")
    length = (
        pl.when(pl.col("amount") > 0)
        .then(pl.col("amount"))
        .when(pl.col("next").is_null())
        .then(LAST_DWELL)
        .otherwise((pl.col("next") - second).clip(upper_bound=LONGEST_GAP))
    )
    inside = (
        signals.with_columns(
            row=pl.col("window").cast(pl.Int64),
            app=pl.col("app").cast(pl.Int64),
            action=pl.col("action").cast(pl.Int64),
            amount=pl.col("amount").cast(pl.Float64),
        )
        .join(rows.select("row", "start", "end"), on="row")
        .with_columns(
            at=(pl.col("t").cast(pl.Int64) - pl.col("start")).cast(pl.Float64),
            span=(pl.col("end") - pl.col("start")).cast(pl.Float64),
        )
        .filter((second >= 0) & (second < pl.col("span")))
        .sort("row", "at", "device", "app", "action", "amount")
        .with_row_index("signal")
    )
    seconds = (
        inside.select(*DEVICE, "at")
        .unique()
        .sort("at")
        .with_columns(next=pl.col("at").shift(-1).over(*DEVICE))
    )
    return inside.join(seconds, on=[*DEVICE, "at"], maintain_order="left").select(
        "row",
        "signal",
        "device",
        "app",
        "action",
        "at",
        "next",
        until=pl.min_horizontal(second + length, "span"),
    )


def _pieces(seen: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Each signal's dwell, cut where its device's signals begin or end and at every minute."""
    minute_marks = (
        seen.select(*DEVICE)
        .unique()
        .join(rows.select("row", span=pl.col("end") - pl.col("start")), on="row")
        .with_columns(at=pl.int_ranges(0, pl.col("span") + 1, 60))
        .explode("at")
        .select(*DEVICE, at=pl.col("at").cast(pl.Float64))
    )
    slices = (
        pl.concat(
            [seen.select(*DEVICE, "at"), seen.select(*DEVICE, at=pl.col("until")), minute_marks],
        )
        .unique()
        .sort("at")
        .select(*DEVICE, left="at", right=pl.col("at").shift(-1).over(*DEVICE))
        .drop_nulls("right")
    )
    return (
        slices.join(seen, on=list(DEVICE))
        .filter((pl.col("at") <= pl.col("left")) & (pl.col("right") <= pl.col("until")))
        .with_columns(seconds=(pl.col("right") - pl.col("left")) / pl.len().over(*DEVICE, "left"))
        .select("row", "signal", "device", "app", "seconds", minute=(pl.col("left") / 60).floor())
    )


def _channel_weights(channels: NDArray[np.float64]) -> pl.DataFrame:
    """The channels of every app and action in long form: app, action, channel, weight above 0."""
    catalogue = pl.DataFrame(channels, schema=list(CHANNELS)).with_row_index("app")
    contacts = catalogue.unpivot(index="app", variable_name="channel", value_name="weight").with_columns(
        action=pl.lit(Action.CONTACT.value)
    )
    deeds = pl.DataFrame(
        [(action.value, channel, 1.0) for action, channel in CHANNEL_OF_ACTION.items()],
        schema=["action", "channel", "weight"],
        orient="row",
    )
    columns = (pl.col("app").cast(pl.Int64), pl.col("action").cast(pl.Int64), "channel", "weight")
    return pl.concat(
        [contacts.select(*columns), catalogue.select("app").join(deeds, how="cross").select(*columns)]
    ).filter(pl.col("weight") > 0)


def _totals(dwelt: pl.DataFrame, off_task: NDArray[np.bool_]) -> pl.DataFrame:
    catalogue = pl.DataFrame({"off_task": off_task}).with_row_index("app").cast({"app": pl.Int64})
    stray = (pl.col("app") == 0) | pl.col("off_task")
    return (
        dwelt.join(catalogue, on="app")
        .group_by("row")
        .agg(
            total=pl.col("dwell").sum(),
            unlisted=pl.col("dwell").filter(stray).sum(),
            devices=pl.col("device").n_unique(),
        )
    )


def _channel_dwell(weighted: pl.DataFrame) -> pl.DataFrame:
    dwell = pl.col("dwell") * pl.col("weight")
    return weighted.group_by("row").agg(
        **{channel: dwell.filter(pl.col("channel") == channel).sum() for channel in CHANNELS}
    )


def _counts(seen: pl.DataFrame) -> pl.DataFrame:
    """Actions counted, and devices and minutes counted by their actions, for each window."""
    action = pl.col("action")
    other_app = pl.col("app") != pl.col("app").shift(1).over(*DEVICE)
    return (
        seen.sort("signal")
        .with_columns(switch=other_app.fill_null(value=False))
        .group_by("row")
        .agg(
            **{f"n_{kind.name.lower()}": (action == kind.value).sum() for kind in Action},
            coeditors=pl.col("device").filter(action == Action.COEDIT.value).n_unique(),
            mirrored=(pl.col("at") / 60).floor().filter(action == Action.MIRROR.value).n_unique(),
            switches=pl.col("switch").sum(),
        )
    )


def _chains(seen: pl.DataFrame) -> pl.DataFrame:
    """Devices of each window with a capture, a create not before it and a sharing not before that."""

    def moments(name: str, *actions: Action) -> pl.DataFrame:
        values = [action.value for action in actions]
        return seen.filter(pl.col("action").is_in(values)).select(*DEVICE, pl.col("at").alias(name)).unique()

    device = list(DEVICE)
    made = (
        moments("captured", Action.CAPTURE)
        .join(moments("created", Action.CREATE), on=device)
        .filter(pl.col("created") >= pl.col("captured"))
        .select(*DEVICE, "created")
        .unique()
    )
    return (
        made.join(moments("shared", Action.SHARE_PEER, Action.SHARE_OUTSIDE, Action.PUBLISH), on=device)
        .filter(pl.col("shared") >= pl.col("created"))
        .group_by("row")
        .agg(chained=pl.col("device").n_unique())
    )


def _entropy(cells: pl.DataFrame, evidence: pl.DataFrame, *by: str, corrected: bool = True) -> pl.DataFrame:
    """Bits of the distribution of `cells.mass` within each group `by`, with `evidence.n` signals behind it.

    Miller-Madow unless not `corrected`; groups without mass or evidence are absent.
    """
    share = pl.col("mass") / pl.col("mass").sum().over(*by)
    correction = (pl.min_horizontal("occupied", "n") - 1) / (2 * pl.col("n") * math.log(2))
    return (
        cells.filter(pl.col("mass") > 0)
        .with_columns(surprise=-share * share.log(2))
        .group_by(*by)
        .agg(plain=pl.col("surprise").sum(), occupied=pl.len().cast(pl.Float64))
        .join(evidence.filter(pl.col("n") > 0).with_columns(pl.col("n").cast(pl.Float64)), on=list(by))
        .select(*by, bits=pl.col("plain") + (correction if corrected else 0.0))
    )


def _evenness(seen: pl.DataFrame) -> pl.DataFrame:
    contributions = seen.filter(
        pl.col("action").is_in([Action.CREATE.value, Action.REVISE.value, Action.COEDIT.value])
    )
    return _entropy(
        contributions.group_by(*DEVICE).agg(mass=pl.len()),
        contributions.group_by("row").agg(n=pl.len()),
        "row",
    ).rename({"bits": "contribution_bits"})


def _transition_entropy(seen: pl.DataFrame, weighted: pl.DataFrame) -> pl.DataFrame:
    """Bits of the channel-to-channel table summed over the transitions of all devices."""
    seconds = seen.group_by(*DEVICE, "at", "next").agg(here=pl.len())
    means = (
        weighted.group_by(*DEVICE, "at", "channel")
        .agg(weight=pl.col("weight").sum())
        .join(seconds, on=[*DEVICE, "at"])
        .with_columns(mean=pl.col("weight") / pl.col("here"))
    )
    cells = (
        means.join(means, left_on=[*DEVICE, "next"], right_on=[*DEVICE, "at"], suffix="_then")
        .group_by("row", "channel", "channel_then")
        .agg(mass=(pl.col("mean") * pl.col("mean_then")).sum())
    )
    transitions = seconds.drop_nulls("next").group_by("row").agg(n=pl.len())
    return _entropy(cells, transitions, "row").select(
        "row", transition_bits=pl.col("bits").clip(upper_bound=TABLE_BITS)
    )


def _app_entropies(dwelt: pl.DataFrame) -> pl.DataFrame:
    """Bits of the class's dwell by app, with and without correction, and its devices' own mean bits."""
    mass = pl.col("dwell").sum()
    by_class = dwelt.group_by("row", "app").agg(mass=mass)
    signals = dwelt.group_by("row").agg(n=pl.len())
    by_device = _entropy(
        dwelt.group_by(*DEVICE, "app").agg(mass=mass), dwelt.group_by(*DEVICE).agg(n=pl.len()), *DEVICE
    )
    own = (
        dwelt.group_by(*DEVICE)
        .agg(dwell=mass)
        .join(by_device, on=list(DEVICE))
        .group_by("row")
        .agg(own_bits=(pl.col("dwell") * pl.col("bits")).sum() / pl.col("dwell").sum())
    )
    return (
        _entropy(by_class, signals, "row")
        .rename({"bits": "app_bits"})
        .join(
            _entropy(by_class, signals, "row", corrected=False).rename({"bits": "plain_app_bits"}), on="row"
        )
        .join(own, on="row")
    )


def _synchrony(pieces: pl.DataFrame) -> pl.DataFrame:
    """Mean, over minutes with enough active devices, of the share of them on the minute's commonest app."""
    minute = ["row", "minute"]
    by_app = (
        pieces.filter(pl.col("seconds") > 0)
        .group_by(*minute, "device", "app")
        .agg(dwell=pl.col("seconds").sum())
    )
    most = pl.col("dwell").max().over(*minute, "device")
    return (
        by_app.filter(pl.col("dwell") >= most - EQUAL_DWELL)
        .group_by(*minute, "device")
        .agg(app=pl.col("app").min())
        .group_by(*minute, "app")
        .agg(followers=pl.len())
        .group_by(*minute)
        .agg(active=pl.col("followers").sum(), most=pl.col("followers").max())
        .filter(pl.col("active") >= CROWD)
        .group_by("row")
        .agg(synchrony=(pl.col("most") / pl.col("active")).mean())
    )


def _sight(rows: pl.DataFrame) -> pl.DataFrame:
    """The names that each window's kinds of sources can see, and whether signals behind them are counted."""
    kinds = pl.DataFrame(
        [(kind, sight >= Sight.CONTACTS, FEATURES_BY_SIGHT[sight]) for kind, sight in SOURCE_KINDS.items()],
        schema={"kinds": pl.String, "counted": pl.Boolean, "names": pl.List(pl.String)},
        orient="row",
    )
    return (
        rows.select("row", pl.col("kinds").cast(pl.List(pl.String)))
        .explode("kinds")
        .join(kinds, on="kinds")
        .group_by("row")
        .agg(names=pl.col("names").explode().unique(), counted=pl.col("counted").any())
    )


def _ratio(top: str | pl.Expr, bottom: str) -> pl.Expr:
    numerator = pl.col(top) if isinstance(top, str) else top
    return pl.when(pl.col(bottom) > 0).then(numerator / pl.col(bottom))


def _features(table: pl.DataFrame) -> pl.DataFrame:
    counts = [f"n_{kind.name.lower()}" for kind in Action]
    zero_without_signals = ["total", "unlisted", "devices", "coeditors", "mirrored", "switches", "chained"]
    device_bits = pl.when(pl.col("devices") >= 2).then(pl.col("devices").log(2))
    return (
        table.with_columns(
            pl.col(*counts, *CHANNELS, *zero_without_signals).fill_null(0).cast(pl.Float64),
        )
        .with_columns(
            hours=pl.col("total") / 3600,
            **{f"{channel}_share": _ratio(channel, "total") for channel in CHANNELS if channel != "other"},
        )
        .with_columns(
            artefact_rate=_ratio("n_create", "hours"),
            revisions_per_artefact=pl.col("n_revise") / pl.col("n_create").clip(lower_bound=1.0),
            peer_share_rate=_ratio("n_share_peer", "hours"),
            coedit_fraction=_ratio("coeditors", "devices"),
            contribution_evenness=(pl.col("contribution_bits") / device_bits).clip(upper_bound=1.0),
            capture_rate=_ratio("n_capture", "hours"),
            ar_use=(pl.col("n_ar") > 0).cast(pl.Float64),
            chain_fraction=_ratio("chained", "devices"),
            transition_entropy="transition_bits",
            app_entropy=pl.when("counted").then("app_bits").otherwise("plain_app_bits"),
            choice_dispersion=(pl.col("app_bits") - pl.col("own_bits")).clip(lower_bound=0.0),
            mirror_share=_ratio("mirrored", "minutes"),
            outside_audience=(pl.col("n_share_outside") + pl.col("n_publish") > 0).cast(pl.Float64),
            switch_rate=_ratio("switches", "hours"),
            unlisted_share=_ratio("unlisted", "total"),
            evidence=pl.col("total") / 60,
        )
    )


def _visible_only(table: pl.DataFrame) -> pl.DataFrame:
    return table.sort("row").select(
        pl.when(pl.col("names").list.contains(name)).then(pl.col(name)).cast(pl.Float64).alias(name)
        for name in FEATURES
    )
