"""The oracle of feature set 1 against numbers worked out by hand."""

import math

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from shared.words import CHANNELS, Action
from tests.models.polars_features import FEATURES, polars_features

START = 1_700_000_000
UNLISTED, VIDEO, SLIDES, GAME = range(4)
CORRECTION = 1 / (2 * math.log(2))

SIGNAL_TYPES = {
    "window": pl.Int64,
    "t": pl.UInt32,
    "device": pl.String,
    "app": pl.UInt16,
    "action": pl.UInt8,
    "amount": pl.Float64,
}
Signal = tuple[str, int, int, Action, float]
Row = dict[str, float | None]


def catalogue() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    channels = np.zeros((4, len(CHANNELS)))
    channels[UNLISTED, CHANNELS.index("other")] = 1
    channels[VIDEO, CHANNELS.index("consume")] = 1
    channels[SLIDES, CHANNELS.index("consume")] = 0.25
    channels[SLIDES, CHANNELS.index("create")] = 0.75
    channels[GAME, CHANNELS.index("other")] = 1
    return channels, np.array([True, False, False, True])


def measure(*signals: Signal, minutes: float = 10, kinds: tuple[str, ...] = ("xapi",)) -> Row:
    """One window's features from signals `(device, seconds since start, app, action, amount)`."""
    return measure_all([list(signals)], minutes=minutes, kinds=kinds)[0]


def measure_all(
    lessons: list[list[Signal]], minutes: float = 10, kinds: tuple[str, ...] = ("xapi",)
) -> list[Row]:
    signals = [
        (window, START + at, device, app, int(action), amount)
        for window, lesson in enumerate(lessons)
        for device, at, app, action, amount in lesson
    ]
    windows = [
        (f"w{window}", START, START + round(60 * minutes), list(kinds), 20) for window in range(len(lessons))
    ]
    table = polars_features(
        pl.DataFrame(signals, schema=SIGNAL_TYPES, orient="row"),
        pl.DataFrame(windows, schema=["window", "start", "end", "kinds", "expected"], orient="row"),
        *catalogue(),
    )
    assert table.columns == list(FEATURES)
    return table.to_dicts()


def contact(device: str, at: int, app: int = VIDEO) -> Signal:
    return (device, at, app, Action.CONTACT, 0.0)


def deed(action: Action, device: str, at: int, amount: float = 0.0, app: int = VIDEO) -> Signal:
    return (device, at, app, action, amount)


def test_dwell_runs_to_the_next_second_at_most_300_s_and_60_s_after_the_last() -> None:
    row = measure(contact("a", 0), contact("a", 100), contact("a", 500))
    assert row["evidence"] == pytest.approx((100 + 300 + 60) / 60)


def test_dwell_is_clipped_at_the_window_end_and_signals_outside_do_not_count() -> None:
    row = measure(
        contact("a", -1),
        deed(Action.VIEW, "a", 500, 3600.0),
        contact("b", 570, SLIDES),
        deed(Action.COEDIT, "c", 600),
    )
    assert row["evidence"] == pytest.approx((100 + 30) / 60)
    assert row["create_share"] == pytest.approx(0.75 * 30 / 130)
    assert row["consume_share"] == pytest.approx((100 + 0.25 * 30) / 130)
    assert row["coedit_fraction"] == 0


def test_a_moment_seen_by_two_sources_is_shared_by_their_signals() -> None:
    row = measure(deed(Action.VIEW, "a", 0, 100.0), contact("a", 50, SLIDES))
    assert row["evidence"] == pytest.approx(110 / 60)
    assert row["create_share"] == pytest.approx(0.75 * 35 / 110)
    assert row["consume_share"] == pytest.approx((75 + 0.25 * 35) / 110)


def test_three_signals_of_one_second_share_it_in_thirds_and_two_devices_share_nothing() -> None:
    shared = [contact("a", 0, VIDEO), contact("a", 0, SLIDES), contact("a", 0, GAME)]
    row = measure(*shared, contact("b", 0, UNLISTED))
    assert row["evidence"] == pytest.approx(2)
    assert row["unlisted_share"] == pytest.approx((20 + 60) / 120)
    assert row["create_share"] == pytest.approx(0.75 * 20 / 120)
    assert row["switch_rate"] == pytest.approx(2 / (120 / 3600))


def test_a_deed_keeps_its_channel_whatever_the_app() -> None:
    row = measure(
        deed(Action.PLAN, "a", 0, 10.0, GAME),
        deed(Action.REFLECT, "a", 10, 20.0, UNLISTED),
        deed(Action.MESSAGE, "a", 30, 30.0, SLIDES),
        deed(Action.PRACTISE, "a", 60, 40.0),
    )
    assert [row[f"{name}_share"] for name in ("plan", "reflect", "collaborate", "practise")] == pytest.approx(
        [0.1, 0.2, 0.3, 0.4]
    )
    assert row["unlisted_share"] == pytest.approx(0.3)
    assert row["consume_share"] == 0


@pytest.mark.parametrize(
    ("second_dwell", "share"), [(20.0, 3 / 5), (20.0000005, 3 / 5), (20.00001, 2 / 5), (19.0, 3 / 5)]
)
def test_a_device_with_equal_dwells_is_on_the_smaller_app(second_dwell: float, share: float) -> None:
    row = measure(
        deed(Action.VIEW, "a", 0, 60.0, VIDEO),
        deed(Action.VIEW, "b", 0, 60.0, VIDEO),
        deed(Action.VIEW, "c", 0, 60.0, SLIDES),
        deed(Action.VIEW, "d", 0, 60.0, GAME),
        deed(Action.VIEW, "e", 0, second_dwell, SLIDES),
        deed(Action.VIEW, "e", 30, 20.0, VIDEO),
    )
    assert row["synchrony"] == pytest.approx(share)


def test_synchrony_is_a_mean_over_minutes_with_five_active_devices() -> None:
    class_of_four = [deed(Action.VIEW, device, 0, 120.0) for device in "abcd"]
    fifth = [deed(Action.VIEW, "e", 0, 60.0), deed(Action.VIEW, "e", 60, 60.0, SLIDES)]
    alone = deed(Action.VIEW, "a", 200, 60.0, GAME)
    assert measure(*class_of_four, *fifth, alone)["synchrony"] == pytest.approx((1 + 4 / 5) / 2)
    assert measure(*class_of_four, alone)["synchrony"] is None


def test_transition_entropy_is_corrected_by_its_transitions() -> None:
    row = measure(
        deed(Action.VIEW, "a", 0), deed(Action.CREATE, "a", 10), deed(Action.VIEW, "a", 400), contact("b", 5)
    )
    assert row["transition_entropy"] == pytest.approx(1 + CORRECTION / 2)


def test_transition_entropy_uses_the_mean_of_a_second_and_counts_at_most_n_cells() -> None:
    mixed = [deed(Action.VIEW, "a", 0), deed(Action.CREATE, "a", 0), deed(Action.PLAN, "a", 10)]
    plain = [deed(Action.PLAN, "b", 0), deed(Action.PLAN, "b", 10)]
    assert measure(*mixed)["transition_entropy"] == pytest.approx(1)
    assert measure(*mixed, *plain)["transition_entropy"] == pytest.approx(1.5 + CORRECTION / 2)
    assert measure(contact("a", 0), contact("b", 10))["transition_entropy"] is None


def test_transition_entropy_is_at_most_six_bits() -> None:
    kinds = (
        Action.VIEW,
        Action.PRACTISE,
        Action.CREATE,
        Action.MESSAGE,
        Action.PUBLISH,
        Action.REFLECT,
        Action.PLAN,
    )
    everything = [
        signal
        for at in (0, 10, 20)
        for signal in (contact("a", at, GAME), *(deed(kind, "a", at) for kind in kinds))
    ]
    assert measure(*everything)["transition_entropy"] == pytest.approx(6)


def test_app_entropy_is_corrected_by_signals_unless_only_a_usage_export_was_seen() -> None:
    signals = [deed(Action.VIEW, "a", 0, 60.0), deed(Action.VIEW, "a", 60, 60.0, SLIDES)]
    assert measure(*signals)["app_entropy"] == pytest.approx(1 + CORRECTION / 2)
    assert measure(*signals, kinds=("catchon", "mdm"))["app_entropy"] == pytest.approx(1)
    assert measure(*signals, kinds=("catchon", "dnsmasq"))["app_entropy"] == pytest.approx(1 + CORRECTION / 2)


def test_choice_dispersion_is_what_devices_do_not_share() -> None:
    split = [deed(Action.VIEW, "a", 0, 30.0), deed(Action.VIEW, "a", 100, 30.0, SLIDES)]
    whole = deed(Action.VIEW, "b", 0, 60.0)
    class_bits = 2 - 0.75 * math.log2(3) + CORRECTION / 3
    row = measure(*split, whole)
    assert row["app_entropy"] == pytest.approx(class_bits)
    assert row["choice_dispersion"] == pytest.approx(class_bits - 0.5 * (1 + CORRECTION / 2))
    twin = [("b", *signal[1:]) for signal in split]
    assert measure(*split, *twin)["choice_dispersion"] == 0


def test_a_chain_is_a_capture_then_a_create_then_a_sharing() -> None:
    row = measure(
        deed(Action.CAPTURE, "a", 0),
        deed(Action.CREATE, "a", 10),
        deed(Action.PUBLISH, "a", 20),
        deed(Action.CREATE, "b", 0),
        deed(Action.CAPTURE, "b", 10),
        deed(Action.SHARE_PEER, "b", 20),
        deed(Action.SHARE_PEER, "c", 7),
        deed(Action.CREATE, "c", 7),
        deed(Action.CAPTURE, "c", 7),
        deed(Action.CAPTURE, "d", 0),
        deed(Action.SHARE_OUTSIDE, "d", 5),
        deed(Action.CREATE, "d", 10),
    )
    assert row["chain_fraction"] == pytest.approx(2 / 4)
    assert row["outside_audience"] == 1
    assert row["ar_use"] == 0


def test_contribution_evenness_is_over_all_devices_and_at_most_one() -> None:
    made = [deed(Action.CREATE, "a", 0), deed(Action.CREATE, "a", 9)]
    edited = [deed(Action.REVISE, "b", 0), deed(Action.COEDIT, "b", 9)]
    row = measure(*made, *edited, contact("c", 0), contact("d", 0))
    assert row["contribution_evenness"] == pytest.approx((1 + CORRECTION / 4) / 2)
    assert row["coedit_fraction"] == pytest.approx(1 / 4)
    assert row["revisions_per_artefact"] == pytest.approx(1 / 2)
    assert measure(*made, *edited)["contribution_evenness"] == 1
    assert measure(*made, contact("b", 0))["contribution_evenness"] == 0
    assert measure(*made)["contribution_evenness"] is None
    assert measure(contact("a", 0), contact("b", 0))["contribution_evenness"] is None


def test_rates_are_by_hour_of_dwell_and_mirror_by_started_minute_of_the_window() -> None:
    row = measure(
        deed(Action.MIRROR, "a", 0, 20.0),
        deed(Action.MIRROR, "b", 59, 20.0),
        deed(Action.MIRROR, "a", 130, 60.0),
        deed(Action.CREATE, "c", 0, 60.0),
        deed(Action.CAPTURE, "c", 60, 30.0),
        deed(Action.AR, "c", 90, 30.0),
        minutes=2.5,
    )
    hours = 180 / 3600
    assert row["mirror_share"] == pytest.approx(2 / 3)
    assert row["artefact_rate"] == pytest.approx(1 / hours)
    assert row["capture_rate"] == pytest.approx(1 / hours)
    assert row["peer_share_rate"] == 0
    assert row["ar_use"] == 1


@pytest.mark.parametrize(
    ("kinds", "numbers"),
    [
        (("mdm",), []),
        ((), []),
        (("catchon",), [1, 2, 3, 4, 5, 6, 16, 21, 23]),
        (("mdm", "zeek"), [1, 2, 3, 4, 5, 6, 15, 16, 17, 18, 21, 22, 23, 24]),
        (("unbound", "caliper"), list(range(1, 25))),
    ],
)
def test_what_the_sources_cannot_see_is_missing(kinds: tuple[str, ...], numbers: list[int]) -> None:
    lesson = [deed(kind, device, 10 * kind) for kind in Action for device in "abcde"]
    row = measure(*lesson, kinds=kinds)
    assert [number for number, name in enumerate(FEATURES, 1) if row[name] is not None] == numbers


def test_a_window_without_signals_has_its_row_in_its_place() -> None:
    empty, full, last = measure_all([[], [contact("a", 0)], []])
    assert empty == last
    assert full["evidence"] == pytest.approx(1)
    known = {name: value for name, value in empty.items() if value is not None}
    assert known == {
        "revisions_per_artefact": 0,
        "ar_use": 0,
        "mirror_share": 0,
        "outside_audience": 0,
        "evidence": 0,
    }
