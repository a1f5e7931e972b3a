"""A usage export's figures leave blank what too few page loads cannot tell."""

import re

from hub.pages.figures.usage import channels_figure, placements_figure, telling
from hub.views import Channels, PlacementView, UsageWeek


def a_week(name: str, engagement: float, *, levels: bool = True) -> UsageWeek:
    """A week of an export, all of its loads for practising; with `levels` or with too little for them."""
    shares = dict.fromkeys(("consume", "create", "collaborate", "publish", "reflect", "plan", "other"), 0.0)
    placement = PlacementView(
        grain="lesson",
        shown_as="stages",
        band=None,
        model="tim",
        dimension="active",
        label="Active",
        stages=("Entry", "Adoption"),
        version="1",
        probs=(0.6, 0.4),
        low=None,
        high=None,
        verdict="evidence_only",
        calibrated=False,
    )
    return UsageWeek(
        week=name,
        days=5,
        products=9,
        engagement=engagement,
        features={},
        channels=Channels(practise=1.0, **shares),
        placements=(placement,) if levels else (),
    )


HELD = [a_week("2020-W05", 900.0), a_week("2020-W06", 1000.0), a_week("2020-W07", 12.0, levels=False)]


def test_a_week_of_few_loads_is_not_drawn_and_stays_in_the_numbers() -> None:
    assert [week.week for week in telling(HELD)] == ["2020-W05", "2020-W06"]
    channels, placements = channels_figure("c", HELD, "dmy"), placements_figure("p", HELD, "tim", "dmy")
    assert "1 week with too few page loads to tell is left blank." in channels.limits
    assert len(channels.table.rows) == 3
    assert "1 week with too little or too few products to tell is left blank." in placements.limits
    assert len(placements.table.rows) == 2, "of too little there is no number either"
    (boxes,) = re.findall(r'class="ch-practise" d="([^"]+)"', channels_figure("c", HELD, "dmy").wide)
    assert boxes.count("M") == 2


def test_nothing_is_left_blank_where_weeks_are_alike() -> None:
    assert "left blank" not in channels_figure("c", HELD[:2], "dmy").limits
