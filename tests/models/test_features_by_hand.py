"""Feature set 1 on windows small enough to work out by hand."""

import math

import numpy as np
import pytest

from models.features.compute import compute_features
from models.features.set1 import FEATURES
from shared.words import Action
from tests.models.small_windows import (
    EVERYTHING,
    GAME,
    PLANNER,
    READER,
    STUDIO,
    Row,
    columns,
    compute,
    features,
    windows,
)

A, B, C, D, E = 1, 2, 3, 4, 5
UNLISTED = 0
LN2 = math.log(2)


def contact(t: int, device: int, app: int) -> Row:
    return (t, device, app, Action.CONTACT, 0.0)


def act(t: int, device: int, action: Action, amount: float = 0.0, app: int = STUDIO) -> Row:
    return (t, device, app, action, amount)


# What a device's signals get, and so T: the claim, the signals, T in seconds.
DWELL: list[tuple[str, list[Row], float]] = [
    ("a last signal lasts 60 s", [contact(0, A, READER)], 60),
    ("a signal lasts to the device's next second", [contact(0, A, READER), contact(100, A, STUDIO)], 160),
    ("but 300 s at most", [contact(0, A, READER), contact(400, A, STUDIO)], 360),
    ("another device's signal ends nothing", [contact(0, A, READER), contact(10, B, READER)], 120),
    ("the window's end cuts it", [contact(590, A, READER)], 10),
    ("an amount says how long", [act(0, A, Action.VIEW, 90.5)], 90.5),
    ("an amount may be longer than 300 s", [act(0, A, Action.VIEW, 450)], 450),
    ("but not longer than the window", [act(0, A, Action.VIEW, 3600)], 600),
    (
        "an amount ends before the next signal",
        [act(0, A, Action.VIEW, 30), contact(100, A, READER)],
        90,
    ),
    (
        "a moment under two signals counts once",
        [act(0, A, Action.VIEW, 120), contact(60, A, READER)],
        120,
    ),
    (
        "two sources of one fact count once",
        [contact(0, A, READER), contact(0, A, READER), act(0, A, Action.VIEW, 60, READER)],
        60,
    ),
    (
        "signals of one second all last to the next second",
        [contact(0, A, READER), contact(0, A, STUDIO), contact(40, A, READER)],
        100,
    ),
    ("what lies outside the window is ignored", [contact(-1, A, READER), contact(600, A, READER)], 0),
    ("its first second is inside", [contact(0, A, READER)], 60),
]


@pytest.mark.parametrize(("rows", "total"), [case[1:] for case in DWELL], ids=[case[0] for case in DWELL])
def test_dwell_is_what_the_definition_says(rows: list[Row], total: float) -> None:
    assert features(rows)["evidence"] == pytest.approx(total / 60)


CASES: list[tuple[str, str, list[Row], float]] = [
    # 100 s in the studio, half create and half collaborate; then 60 s in the reader.
    (
        "consume_share",
        "a contact takes its app's weights",
        [contact(0, A, STUDIO), contact(100, A, READER)],
        60 / 160,
    ),
    (
        "create_share",
        "a contact takes its app's weights",
        [contact(0, A, STUDIO), contact(100, A, READER)],
        50 / 160,
    ),
    ("collaborate_share", "and so", [contact(0, A, STUDIO), contact(100, A, READER)], 50 / 160),
    ("create_share", "an action keeps its own channel", [act(0, A, Action.REVISE, app=READER)], 1),
    ("collaborate_share", "a message collaborates", [act(0, A, Action.MESSAGE, app=READER)], 1),
    ("consume_share", "the teacher's screen is consumed", [act(0, A, Action.MIRROR)], 1),
    # [0, 60) is A's alone; [60, 120) is shared by two: create gets 60 + 30 of 120.
    (
        "create_share",
        "overlap is shared equally",
        [act(0, A, Action.CREATE, 120), contact(60, A, READER)],
        90 / 120,
    ),
    ("practise_share", "practise", [act(0, A, Action.PRACTISE), contact(0, B, READER)], 0.5),
    (
        "publish_share",
        "going outside publishes",
        [act(0, A, Action.SHARE_OUTSIDE), contact(0, B, READER)],
        0.5,
    ),
    ("reflect_share", "reflect", [act(0, A, Action.REFLECT), contact(0, B, READER)], 0.5),
    ("plan_share", "plan by contact", [contact(0, A, PLANNER), contact(0, B, READER)], 0.5),
    # 300 + 60 s are a tenth of an hour.
    ("artefact_rate", "creates an hour", [act(0, A, Action.CREATE), act(300, A, Action.CREATE)], 20),
    (
        "revisions_per_artefact",
        "revisions over creates",
        [act(t, A, a) for t, a in enumerate([Action.CREATE] * 2 + [Action.REVISE] * 3)],
        1.5,
    ),
    (
        "revisions_per_artefact",
        "over one where nothing was made",
        [act(t, A, Action.REVISE) for t in range(3)],
        3,
    ),
    ("peer_share_rate", "one in a minute is sixty an hour", [act(0, A, Action.SHARE_PEER)], 60),
    (
        "coedit_fraction",
        "one device of four, however often",
        [act(0, A, Action.COEDIT), act(9, A, Action.COEDIT), *(contact(0, d, READER) for d in (B, C, D))],
        0.25,
    ),
    # Counts 3 and 1 among four devices: H = .811278, correction 1 / (2 * 4 ln 2), over log2 4.
    (
        "contribution_evenness",
        "corrected entropy over log2 of the devices",
        [
            *(act(t, A, a) for t, a in enumerate((Action.CREATE, Action.REVISE, Action.COEDIT))),
            act(0, B, Action.CREATE),
            contact(0, C, READER),
            contact(0, D, READER),
        ],
        (0.25 * 2 + 0.75 * math.log2(4 / 3) + 1 / (8 * LN2)) / 2,
    ),
    ("contribution_evenness", "is 1 at most", [act(0, A, Action.CREATE), act(0, B, Action.CREATE)], 1),
    (
        "contribution_evenness",
        "of one contributor is 0",
        [act(0, A, Action.CREATE), contact(0, B, READER)],
        0,
    ),
    ("contribution_evenness", "is missing for one device", [act(0, A, Action.CREATE)], math.nan),
    (
        "contribution_evenness",
        "and without a contribution",
        [contact(0, A, READER), contact(0, B, READER)],
        math.nan,
    ),
    ("capture_rate", "captures an hour", [act(0, A, Action.CAPTURE)], 60),
    ("ar_use", "any will do", [act(0, A, Action.AR), act(5, A, Action.AR)], 1),
    ("ar_use", "none is 0", [contact(0, A, READER)], 0),
    (
        "chain_fraction",
        "all in one second is a chain",
        [*(act(9, A, a) for a in (Action.SHARE_PEER, Action.CREATE, Action.CAPTURE)), contact(0, B, READER)],
        0.5,
    ),
    (
        "chain_fraction",
        "a create before every capture starts none",
        [act(1, A, Action.CREATE), act(2, A, Action.CAPTURE), act(3, A, Action.PUBLISH)],
        0,
    ),
    (
        "chain_fraction",
        "a share before the create ends none",
        [act(1, A, Action.CAPTURE), act(2, A, Action.SHARE_OUTSIDE), act(3, A, Action.CREATE)],
        0,
    ),
    (
        "chain_fraction",
        "an early create does not spoil a later one",
        [
            act(1, A, Action.CREATE),
            act(2, A, Action.CAPTURE),
            act(3, A, Action.CREATE),
            act(4, A, Action.SHARE_OUTSIDE),
        ],
        1,
    ),
    (
        "chain_fraction",
        "two devices make no chain together",
        [act(1, A, Action.CAPTURE), act(2, A, Action.CREATE), act(3, B, Action.PUBLISH)],
        0,
    ),
    # consume -> plan and plan -> consume: 1 bit, two cells, two transitions.
    (
        "transition_entropy",
        "two transitions in two cells",
        [contact(0, A, READER), contact(50, A, PLANNER), contact(99, A, READER)],
        1 + 1 / (4 * LN2),
    ),
    # One transition from (consume + plan) / 2 to consume: two cells, counted as one.
    (
        "transition_entropy",
        "a second is the mean of its signals, and cells count at most the transitions",
        [contact(0, A, READER), contact(0, A, PLANNER), contact(50, A, READER)],
        1,
    ),
    (
        "transition_entropy",
        "is at most the bits of its table",
        [contact(t, A, EVERYTHING) for t in range(20)],
        6,
    ),
    ("transition_entropy", "needs a transition", [contact(0, A, READER), contact(9, B, PLANNER)], math.nan),
    # Two apps, 60 s each, two signals.
    ("app_entropy", "of a class", [contact(0, A, READER), contact(0, B, STUDIO)], 1 + 1 / (4 * LN2)),
    ("app_entropy", "of one app", [contact(0, A, READER), contact(0, B, READER)], 0),
    (
        "choice_dispersion",
        "devices that differ",
        [contact(0, A, READER), contact(0, B, STUDIO)],
        1 + 1 / (4 * LN2),
    ),
    (
        "choice_dispersion",
        "devices that do the same, 0 at least",
        [contact(t, d, app) for d in (A, B) for t, app in ((0, READER), (60, PLANNER))],
        0,
    ),
    # A: 60 s in each of two apps, 1 + 1 / (4 ln 2) bits, two thirds of the dwell; B: one app.
    # The class: 60 of 180 s in the planner, three signals.
    (
        "choice_dispersion",
        "weighs devices by their dwell",
        [contact(0, A, READER), contact(60, A, PLANNER), contact(0, B, READER)],
        (math.log2(3) - 2 / 3 + 1 / (6 * LN2)) - 2 / 3 * (1 + 1 / (4 * LN2)),
    ),
    (
        "synchrony",
        "four of five on one app",
        [*(contact(0, d, READER) for d in (A, B, C, D)), contact(0, E, PLANNER)],
        0.8,
    ),
    ("synchrony", "needs five devices in a minute", [contact(0, d, READER) for d in (A, B, C, D)], math.nan),
    # Minute 0: five on the reader. Minute 1: four stay, one has moved on.
    (
        "synchrony",
        "is a mean over minutes",
        [
            *(contact(0, d, READER) for d in (A, B, C, D, E)),
            *(contact(60, d, READER) for d in (A, B, C, D)),
            contact(60, E, PLANNER),
        ],
        0.9,
    ),
    # E spends 30 s in each: the smaller index, the reader, is its app.
    (
        "synchrony",
        "ties go to the smaller id",
        [
            *(contact(0, d, READER) for d in (A, B, C, D)),
            contact(0, E, PLANNER),
            act(30, E, Action.VIEW, 30, READER),
        ],
        1,
    ),
    (
        "synchrony",
        "dwells within a millionth of a second are equal",
        [
            *(contact(0, d, READER) for d in (A, B, C, D)),
            act(0, E, Action.VIEW, 20.0000005, PLANNER),
            act(30, E, Action.VIEW, 20, READER),
        ],
        1,
    ),
    (
        "synchrony",
        "the app with most dwell is a device's, whatever it opened first",
        [
            *(contact(0, d, READER) for d in (A, B, C, D)),
            act(0, E, Action.VIEW, 10, READER),
            act(10, E, Action.VIEW, 10, PLANNER),
            act(20, E, Action.VIEW, 9, READER),
            act(30, E, Action.VIEW, 10, PLANNER),
        ],
        0.8,
    ),
    # Minutes 0 and 1 of eleven begun.
    (
        "mirror_share",
        "minutes in which the screen starts",
        [act(t, A, Action.MIRROR) for t in (10, 20, 70)],
        2 / 11,
    ),
    ("outside_audience", "published", [act(0, A, Action.PUBLISH)], 1),
    ("outside_audience", "shared outside", [act(0, A, Action.SHARE_OUTSIDE)], 1),
    ("outside_audience", "shared with a classmate", [act(0, A, Action.SHARE_PEER)], 0),
    # One second holds reader then planner, the next the reader: two changes in 61 s.
    (
        "switch_rate",
        "adjacent signals in sorted order",
        [contact(0, A, PLANNER), contact(0, A, READER), contact(1, A, READER)],
        2 / (61 / 3600),
    ),
    ("switch_rate", "devices do not mix", [contact(0, A, READER), contact(1, B, PLANNER)], 0),
    (
        "unlisted_share",
        "unlisted and off-task",
        [contact(0, A, UNLISTED), contact(0, B, GAME), contact(0, C, READER)],
        2 / 3,
    ),
    ("unlisted_share", "whatever was done there", [act(0, A, Action.CREATE, app=GAME)], 1),
    ("evidence", "is device-minutes", [contact(0, A, READER), contact(0, B, READER)], 2),
]


@pytest.mark.parametrize(
    ("name", "rows", "expected"),
    [(name, rows, expected) for name, _, rows, expected in CASES],
    ids=[f"{name}: {claim}" for name, claim, _, _ in CASES],
)
def test_a_feature_is_what_its_definition_says(name: str, rows: list[Row], expected: float) -> None:
    seconds = 630 if name == "mirror_share" else 600
    assert features(rows, seconds=seconds)[name] == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_every_feature_has_a_worked_example() -> None:
    assert {name for name, *_ in CASES} == set(FEATURES)


def test_in_an_empty_window_a_zero_denominator_is_missing_and_a_count_is_zero() -> None:
    zero = {"revisions_per_artefact", "ar_use", "outside_audience", "mirror_share", "evidence"}
    found = features([])
    assert {name for name, value in found.items() if value == 0} == zero
    assert {name for name, value in found.items() if math.isnan(value)} == set(FEATURES) - zero


def test_an_export_has_no_evidence_and_no_corrected_entropy() -> None:
    found = features([contact(0, A, READER), contact(0, B, STUDIO)], kinds=("learnplatform",))
    assert math.isnan(found["evidence"])
    assert found["app_entropy"] == pytest.approx(1, abs=1e-12)


def test_beside_a_resolver_log_an_export_changes_nothing() -> None:
    rows = [contact(0, A, READER), contact(0, B, STUDIO)]
    assert features(rows, kinds=("learnplatform", "dnsmasq")) == pytest.approx(
        features(rows, kinds=("dnsmasq",)), nan_ok=True
    )


def test_what_the_declared_kinds_cannot_see_stays_missing_whatever_came() -> None:
    found = features([act(0, A, Action.CREATE), act(9, A, Action.PUBLISH)], kinds=("dnsmasq",))
    assert math.isnan(found["artefact_rate"])
    assert math.isnan(found["outside_audience"])
    assert found["create_share"] > 0


def test_many_apps_do_not_change_how_synchrony_is_counted() -> None:
    # Sixty apps in the window, so that its table of apps is far larger than the minutes it stands for.
    rows = [contact(0, device, READER) for device in (A, B, C)]
    rows += [contact(0, D, PLANNER), contact(0, E, PLANNER)]
    rows += [contact(120 + t, A, 6 + t) for t in range(60)]
    signals = columns(rows)
    channels = np.zeros((70, 8))
    channels[:, 7] = 1
    x = compute_features(signals, windows(), channels, np.zeros(70, np.bool_))
    assert x[0, FEATURES.index("synchrony")] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("column", "value"), [("window", 9), ("app", 99), ("action", 200), ("amount", math.nan), ("amount", -1)]
)
def test_columns_that_point_nowhere_are_refused(column: str, value: float) -> None:
    signals = columns([contact(0, A, READER)])
    getattr(signals, column)[0] = value
    with pytest.raises(ValueError, match=column):
        compute(signals, windows())
