"""The charts draw the numbers they are given, say them in words, and leave out nothing unseen."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from hub.charts import (
    Band,
    MatrixRow,
    blind_spot,
    channel_key,
    channel_weeks,
    depth,
    line_weeks,
    matrix,
    matrix_key,
    shortened,
    strip,
    weeks,
)
from hub.charts.axes import scale_step, scale_top
from hub.charts.blind_spot import of_hundred
from hub.charts.lettering import explained, short
from hub.charts.pushes import Push, pushes, signed
from hub.charts.strip import means
from hub.charts.weeks import LONGEST, calendar, ticks
from shared.words import CHANNELS

SVG = "{http://www.w3.org/2000/svg}"
STAGES = ("Entry", "Adoption", "Adaptation", "Infusion", "Transformation")
UNIT = st.floats(0, 1, allow_nan=False)


def parsed(drawing: Markup) -> ElementTree.Element:
    """A drawing as XML; one that is not well-formed fails here."""
    return ElementTree.fromstring(drawing)  # noqa: S314 - drawn by the code under test


def with_class(drawing: Markup, name: str) -> list[ElementTree.Element]:
    """Its elements of one class."""
    return [one for one in parsed(drawing).iter() if name in one.get("class", "").split()]


SHARES = (0.1, 0.2, 0.4, 0.2, 0.1)


def row(label: str = "Active", shares: tuple[float, ...] = SHARES, **more: object) -> MatrixRow:
    """A row of the matrix, uncalibrated."""
    given_ = {"label": label, "shares": shares, "calibrated": False, "seen": 0.5} | more
    return MatrixRow(**given_)  # type: ignore[arg-type] # a test names only what it is about


@given(UNIT, UNIT)
@settings(derandomize=True, max_examples=200, deadline=None)
def test_deeper_is_always_likelier(p: float, q: float) -> None:
    assert 0 <= depth(p) <= 1
    if p + 1e-6 < q:
        assert depth(p) < depth(q)


@pytest.mark.parametrize("size", ["wide", "narrow", "small"])
def test_the_matrix_has_a_cell_for_every_level_as_deep_as_it_is_likely(size: str) -> None:
    drawing = matrix("m", [row()], STAGES, size)  # type: ignore[arg-type] # a literal each
    cells = with_class(drawing, "c-cell")
    assert [float(cell.get("fill-opacity", "")) for cell in cells] == pytest.approx(
        [depth(p) for p in SHARES], abs=0.01
    )


def test_the_matrix_is_hatched_while_uncalibrated_and_plain_after() -> None:
    hatched = matrix("m", [row()], STAGES)
    plain = matrix("m", [row(calibrated=True)], STAGES)
    assert hatched.count('fill="url(#m-hatch)"') == len(STAGES)
    assert 'fill="url(#m-hatch)"' not in plain


def test_the_set_is_outlined_over_exactly_its_levels() -> None:
    drawing = matrix("m", [row(low=1, high=3)], STAGES)
    (outline,) = with_class(drawing, "c-set")
    cells = with_class(drawing, "c-cell")
    left, right = float(outline.get("x", "")), float(outline.get("x", "")) + float(outline.get("width", ""))
    inside = [left <= float(cell.get("x", "")) < right for cell in cells]
    assert inside == [False, True, True, True, False]
    assert not with_class(matrix("m", [row()], STAGES), "c-set")


def test_too_little_evidence_is_drawn_as_an_outline_and_said_in_words() -> None:
    drawing = matrix("m", [row(shares=())], STAGES)
    assert len(with_class(drawing, "c-missing")) == len(STAGES)
    assert not with_class(drawing, "c-cell")
    description = parsed(drawing).findtext(f"{SVG}desc")
    assert description == "Active: not enough evidence yet."


@given(UNIT)
@settings(derandomize=True, max_examples=50, deadline=None)
def test_the_thin_bar_is_as_high_as_what_was_seen(seen: float) -> None:
    drawing = matrix("m", [row(seen=seen)], STAGES)
    (track,), (bar,) = with_class(drawing, "c-track"), with_class(drawing, "c-bar")
    assert float(bar.get("height", "")) == pytest.approx(seen * float(track.get("height", "")), abs=0.01)


def test_a_drawing_says_its_numbers_to_who_cannot_see_it() -> None:
    drawing = parsed(matrix("m", [row()], STAGES))
    assert drawing.get("role") == "img"
    described = drawing.findtext(f"{SVG}desc")
    assert described == (
        "Active: Entry 10%, Adoption 20%, Adaptation 40%, Infusion 20% and Transformation 10%."
    )


def test_hostile_labels_are_text_in_every_drawing() -> None:
    label = '</text><script>alert("x")</script>'
    drawings = [
        matrix("m", [row(label=label)], (label, *STAGES[1:])),
        weeks(
            "w",
            [Band(label=label, shares={"2025-W01": (1.0,)})],
            {"2025-W01": 1},
            [label],
            "dmy",
            calibrated=True,
        ),
        line_weeks("l", ["2025-W01"], [1.0], label, "dmy", title=label, text=label),
    ]
    for drawing in drawings:
        assert "<script" not in drawing
        assert label in "".join(parsed(drawing).itertext())


@given(
    st.lists(
        st.dictionaries(st.sampled_from(CHANNELS), st.floats(0, 0.125), max_size=8), min_size=1, max_size=12
    )
)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_the_strip_fills_every_step_with_what_was_seen_and_what_was_not(
    steps: list[dict[str, float]],
) -> None:
    found = means(steps)
    assert sum(found.values()) == pytest.approx(1)
    drawing = strip("s", steps, 5 * len(steps))
    drawn = sum(len(with_class(drawing, f"ch-{channel}")) for channel in CHANNELS)
    assert drawn == sum(1 for step in steps for value in step.values() if value > 0)
    tall = [one for one in with_class(drawing, "c-unseen") if one.tag == f"{SVG}rect"]
    whole = [sum(step.values()) < 0.99 for step in steps]
    assert len(tall) >= sum(whole)


def test_channels_stack_in_one_order_and_the_unseen_lies_on_top() -> None:
    drawing = strip("s", [{"other": 0.2, "consume": 0.3, "create": 0.1}], 5)
    top = {
        name: float(with_class(drawing, name)[0].get("y", ""))
        for name in ("ch-consume", "ch-create", "ch-other", "c-unseen")
    }
    assert top["c-unseen"] < top["ch-other"] < top["ch-create"] < top["ch-consume"]


@given(UNIT)
@settings(derandomize=True, max_examples=200, deadline=None)
def test_the_blind_spot_has_a_hundred_squares_and_never_rounds_something_to_nothing(seen: float) -> None:
    minutes = of_hundred(seen)
    assert abs(minutes - 100 * seen) <= 1
    assert (minutes == 0) == (seen == 0)
    assert (minutes == 100) == (seen == 1)
    drawing = blind_spot("b", seen)
    assert len(with_class(drawing, "c-accent")) == minutes
    assert len([one for one in with_class(drawing, "c-unseen") if one.tag == f"{SVG}rect"]) == 100 - minutes


def test_a_week_without_lessons_stays_a_gap() -> None:
    held = ["2024-W51", "2025-W02"]
    assert calendar(held) == ["2024-W51", "2024-W52", "2025-W01", "2025-W02"]
    band = Band(label="Active", shares=dict.fromkeys(held, (1.0, 0.0)))
    drawing = weeks("w", [band], dict.fromkeys(held, 7), STAGES[:2], "dmy", calibrated=True)
    (outline,) = with_class(drawing, "c-outline")
    assert outline.get("d", "").count("M") == 2
    assert len(with_class(drawing, "c-bar")) == 2


def test_a_long_history_is_drawn_by_its_newest_year() -> None:
    held = dict.fromkeys(calendar(["2022-W01", "2024-W30"]), 3)
    band = Band(label="Active", shares=dict.fromkeys(held, (0.5, 0.5)))
    drawing = weeks("w", [band], held, STAGES[:2], "mdy", calibrated=False)
    assert len(with_class(drawing, "c-bar")) == LONGEST


@given(st.integers(1, 300), st.integers(1, 12))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_ticks_are_few_even_and_start_at_the_start(n: int, most: int) -> None:
    found = ticks([""] * n, most)
    assert found[0] == 0
    assert len(found) <= most
    assert len({b - a for a, b in pairwise(found)}) <= 1


def test_a_series_is_drawn_in_the_pages_own_colours() -> None:
    share = tuple(0.125 for _ in CHANNELS)
    drawing = channel_weeks(
        "c", ["2025-W01", "2025-W02"], [share, (None,) * 8], "Minutes", "dmy", title="t", text="x"
    )
    bars = {one.get("class"): one.get("d", "") for one in parsed(drawing).iter(f"{SVG}path")}
    assert {f"ch-{channel}" for channel in CHANNELS} == set(bars)
    assert "style=" not in drawing and "#" not in re.sub(r"url\(#", "", drawing)
    assert all(d.count("M") == 1 for d in bars.values()), "the week that was not seen draws nothing"


@pytest.mark.parametrize(
    ("most", "top", "step"),
    [
        (0.0, 1.0, 0.25),
        (3.0, 3.0, 1.0),
        (7.0, 8.0, 2.0),
        (60_000.0, 60_000.0, 20_000.0),
        (290_000.0, 300_000.0, 100_000.0),
    ],
)
def test_an_axis_ends_at_a_round_number_just_above_the_most(most: float, top: float, step: float) -> None:
    assert (scale_top(most), scale_step(top)) == (top, step)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.floats(1e-6, 1e9))
def test_an_axis_holds_every_amount_and_wastes_less_than_a_step(most: float) -> None:
    top, step = scale_top(most), scale_step(most)
    assert most <= top * (1 + 1e-9) and top - most < step * (1 + 1e-9)
    assert 2 <= round(top / step) <= 5


def test_bars_are_as_high_as_their_amounts() -> None:
    row = (10.0, 30.0, *(None,) * 6)
    drawing = channel_weeks("c", ["2025-W01"], [row], "Minutes", "dmy", title="t", text="x")
    bars = {one.get("class"): one.get("d", "") for one in parsed(drawing).iter(f"{SVG}path")}
    tall = {name: float(re.findall(r"v([\d.]+)", d)[0]) for name, d in bars.items()}
    assert tall["ch-practise"] / tall["ch-consume"] == pytest.approx(3, rel=0.03)


def test_a_series_names_its_weeks_as_the_reader_writes_dates() -> None:
    span = calendar(["2025-W01", "2025-W12"])
    values = [float(i) for i in range(len(span))]
    texts = {
        order: "".join(parsed(line_weeks("l", span, values, "Loads", order, title="t", text="x")).itertext())
        for order in ("dmy", "mdy")
    }
    assert "30 Dec" in texts["dmy"]
    assert "Dec 30" in texts["mdy"]
    assert "Loads" in texts["dmy"]


def test_a_line_breaks_where_nothing_was_seen() -> None:
    span = calendar(["2025-W01", "2025-W05"])
    drawing = line_weeks("l", span, [1.0, 2.0, None, 3.0, 4.0], "Loads", "dmy", title="t", text="x")
    (line,) = [one.get("d", "") for one in parsed(drawing).iter(f"{SVG}path") if one.get("class") == "c-line"]
    assert line.count("M") == 2


def test_keys_name_only_what_is_drawn() -> None:
    assert "practising" not in channel_key("k", ["consume"])
    assert "no trace of an app" in channel_key("k", ["consume"], unseen=True)
    plain = matrix_key("k", calibrated=True, outlined=False, spread=False, missing=False, seen=False)
    full = matrix_key("k", calibrated=False, outlined=True, spread=True, missing=True, seen=True)
    for words in ("not calibrated", "may be", "not enough evidence", "smallest", "that could be seen"):
        assert words not in plain
        assert words in full


def test_a_week_with_too_little_to_say_is_an_outline_between_its_neighbours() -> None:
    held = {"2025-W01": 9, "2025-W02": 2, "2025-W03": 8}
    band = Band(label="Active", shares={"2025-W01": (0.5, 0.5), "2025-W03": (0.5, 0.5)})
    drawing = weeks("w", [band], held, STAGES[:2], "dmy", calibrated=True)
    (missing,) = with_class(drawing, "c-missing")
    assert missing.get("d", "").count("M") == 1


def test_counts_are_written_only_where_there_is_room_for_them() -> None:
    def written(count: int) -> int:
        held = dict.fromkeys(calendar(["2025-W01", "2025-W06"]), count)
        drawing = weeks("w", [], held, STAGES, "dmy", calibrated=True)
        return sum(one.text == (f"{count:,d}") for one in parsed(drawing).iter(f"{SVG}text"))

    assert written(12) == 6
    assert written(120_000) == 1


@pytest.mark.parametrize("size", ["wide", "narrow", "small"])
def test_a_band_is_one_seamless_box_over_its_levels_and_says_no_share(size: str) -> None:
    cells = with_class(matrix("m", [row(calibrated=True)], STAGES, size), "c-cell")  # type: ignore[arg-type] # a literal
    drawing = matrix("m", [row(band=(1, 3))], STAGES, size)  # type: ignore[arg-type] # a literal each
    (box,) = with_class(drawing, "c-cell")
    left, right = (
        float(cells[1].get("x", "")),
        float(cells[3].get("x", "")) + float(cells[3].get("width", "")),
    )
    assert float(box.get("x", "")) == pytest.approx(left, abs=0.02)
    assert float(box.get("x", "")) + float(box.get("width", "")) == pytest.approx(right, abs=0.02)
    assert drawing.count('fill="url(#m-hatch)"') == 1
    assert "Active: somewhere from Adoption to Infusion." in drawing
    assert "%" not in drawing
    assert matrix("m", [row(band=(1, 3), calibrated=True)], STAGES).count("url(#m-hatch)") == 0


def test_a_band_with_too_little_to_say_is_missing_like_any_other() -> None:
    drawing = matrix("m", [row(shares=(), band=(0, 1))], STAGES)
    assert not with_class(drawing, "c-cell")
    assert len(with_class(drawing, "c-missing")) == len(STAGES)


def test_weeks_of_a_band_are_one_box_each() -> None:
    held = {"2025-W01": 9, "2025-W02": 8}
    shares = dict.fromkeys(held, SHARES)
    band = Band(label="Task", shares=shares, runs=dict.fromkeys(held, (1, 2)))
    (cells,) = with_class(weeks("w", [band], held, STAGES, "dmy", calibrated=True), "c-cell")
    assert cells.get("d", "").count("M") == 2
    tall = float(re.findall(r"v([\d.]+)", cells.get("d", ""))[0])
    (plain, *_) = with_class(
        weeks("w", [Band(label="T", shares=shares)], held, STAGES, "dmy", calibrated=True), "c-cell"
    )
    assert tall == pytest.approx(2 * float(re.findall(r"v([\d.]+)", plain.get("d", ""))[0]))


def test_a_calibrated_row_of_weeks_is_not_hatched_for_its_neighbours_sake() -> None:
    held = {"2025-W01": 9}
    shares = {"2025-W01": SHARES}
    bands = [Band(label="A", shares=shares, calibrated=True), Band(label="B", shares=shares)]
    assert weeks("w", bands, held, STAGES, "dmy", calibrated=False).count("url(#w-hatch)") == 1


@given(st.lists(st.floats(-5, 5, allow_nan=False), min_size=1, max_size=8))
@settings(derandomize=True, max_examples=100, deadline=None)
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_pushes_go_left_and_right_of_one_line_as_far_as_they_push(size: str, values: list[float]) -> None:
    rows = [Push(label=f"s{i}", note="n", value=value) for i, value in enumerate(values)]
    drawing = pushes("p", rows, calibrated=True, size=size)  # type: ignore[arg-type] # a literal each
    bars, lines = with_class(drawing, "c-cell"), with_class(drawing, "c-middle")
    (middle,) = {float(line.get("x1", "")) for line in lines}
    most = max(map(abs, values)) or 1.0
    longest = max(float(bar.get("width", "")) for bar in bars)
    width = float(parsed(drawing).get("width", ""))
    for bar, value in zip(bars, values, strict=True):
        x, long = float(bar.get("x", "")), float(bar.get("width", ""))
        assert long == pytest.approx(abs(value) / most * longest, abs=0.02)
        assert (x if value > 0 else x + long) == pytest.approx(middle, abs=0.02)
        assert x >= 0
        assert x + long <= width


def test_pushes_are_hatched_while_uncalibrated_and_say_their_numbers() -> None:
    rows = [
        Push(label="Making", note="34%, typical 21%", value=0.31),
        Push(label="Watching", note="", value=-2.0),
    ]
    drawing = pushes("p", rows, calibrated=False)
    assert drawing.count("url(#p-hatch)") == 2
    assert "Making (34%, typical 21%): +0.31." in drawing
    assert [signed(value) for value in (0.314, -0.5, 0.0)] == ["+0.31", "−0.5", "0"]


LONG = "What learners of this valley are seen to make out of whatever they were given to do"


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_long_names_of_rows_stay_in_their_column_and_apart(size: str) -> None:
    rows = [row(label=LONG[:80]), row(label=LONG[:80])]
    drawing = matrix("m", rows, STAGES, size)  # type: ignore[arg-type] # a literal each
    cells = with_class(drawing, "c-cell")
    lines = [one for one in parsed(drawing).iter(f"{SVG}text") if one.get("class") == "c-text"]
    assert "".join(line.text or "" for line in lines[: len(lines) // 2]).replace(" ", "") == LONG[
        :80
    ].replace(" ", "")
    room = float(cells[0].get("x", "")) if size == "wide" else 340.0
    assert all(len(line.text or "") * 7.7 <= room for line in lines)
    feet = [float(line.get("y", "")) for line in lines]
    assert all(below - above >= 16 for above, below in pairwise(feet))


def test_levels_whose_names_do_not_fit_carry_signs_that_the_key_explains() -> None:
    loti = (
        "0 Non-use",
        "1 Awareness",
        "4a Integration: mechanical",
        "4b Integration: routine",
        "6 Refinement",
    )
    assert not shortened(["Active"], STAGES)
    assert shortened(["Active"], loti) and short(loti) == ("0", "1", "4a", "4b", "6")
    assert short(("First of all", "Second")) == ("1", "2")
    assert explained(("First of all", "Second")) == ["1 First of all", "2 Second"]
    for size in ("wide", "narrow"):
        drawing = matrix("m", [row()], loti, size)
        heads = [one.text for one in parsed(drawing).iter(f"{SVG}text") if one.get("class") == "c-quiet"]
        assert heads == ["0", "1", "4a", "4b", "6"]
    key = matrix_key(
        "k", calibrated=True, outlined=False, spread=False, missing=False, seen=False, signs=loti
    )
    assert all(name in key for name in loti)


def test_weeks_with_long_names_leave_room_for_them() -> None:
    held = {"2025-W01": 9}
    bands = [Band(label=LONG[:80], shares={"2025-W01": (0.5, 0.5)}) for _ in range(2)]
    for size in ("wide", "narrow"):
        drawing = weeks("w", bands, held, STAGES[:2], "dmy", calibrated=True, size=size)
        lines = [one for one in parsed(drawing).iter(f"{SVG}text") if one.get("class") == "c-text"]
        feet = [float(line.get("y", "")) for line in lines]
        assert len(feet) > 2
        assert all(below - above >= 16 for above, below in pairwise(feet))
