"""A usage export's weeks: how much was loaded, and for what. These are not lessons."""

from collections.abc import Sequence
from typing import NamedTuple

from hub.charts import Band, channel_key, channel_weeks, line_weeks, matrix_key, weeks
from hub.charts.keys import CHANNEL_WORDS
from hub.charts.weeks import LONGEST, calendar
from hub.pages.figures.distribution import levels_link
from hub.pages.figures.school import channel_row
from hub.usage.telling import LEAST_COUNTED, LEAST_SPREAD
from hub.usage.telling import telling as enough
from hub.views import UsageWeek
from shared.pages.figure import Figure, Kind, Table
from shared.pages.formats import (
    Order,
    capital,
    count,
    listing,
    monday,
    number,
    plural,
    share,
    short_day,
)
from shared.words import CHANNELS

ON_WHAT = "Page loads on Chromebooks and laptops, not iPads, and not lessons."


class Counted(NamedTuple):
    """What an export counts, in words."""

    short: str = "page loads"
    long: str = "page loads per 1,000 students"
    on_what: str = ON_WHAT
    caution: str = "A page load is neither time nor attention."


PAGE_LOADS = Counted()
NO_ACTS = (
    "An export knows what products are for, and neither what was done in them nor with whom: signs of that"
    " count for nothing here."
)


def telling(held: Sequence[UsageWeek]) -> list[UsageWeek]:
    """Weeks with enough page loads to say what they were for."""
    told = enough([week.engagement for week in held])
    return [week for week, tells in zip(held, told, strict=True) if tells]


def _left_blank(blank: int, why: str) -> str:
    if not blank:
        return ""
    return f" {capital(count(blank, 'week'))} with {why} to tell {plural('is', blank)} left blank."


def no_levels_words(counted: Counted) -> str:
    """Why none of the weeks has levels, and what would change it."""
    return (
        f"Not enough evidence yet to say at which levels: a week needs {LEAST_COUNTED:.0f} {counted.long} or"
        f" more, spread as over {LEAST_SPREAD:.0f} products that are used alike. Of less, one would only hear"
        " what those products are usually for."
    )


def counted_in(unit: str | None) -> Counted:
    """The words for an import through a mapping, which says its unit; else page loads."""
    if unit is None:
        return PAGE_LOADS
    return Counted(unit, unit, f"Counted in {unit}: products by day, not lessons.", "Use is not attention.")


def engagement_figure(
    name: str, held: Sequence[UsageWeek], order: Order, counted: Counted = PAGE_LOADS
) -> Figure:
    """What was counted by week, as a line broken where a week has none."""
    by_week = {week.week: week for week in held}
    span = calendar(list(by_week))
    values = [by_week[week].engagement if week in by_week else None for week in span]
    most = max(held, key=lambda week: week.engagement)
    title = f"{capital(counted.long)} by week"
    text = f"{len(held)} weeks; the most in the week from {short_day(monday(most.week), order)}."
    unit = f"{capital(counted.long)}, by week"
    return Figure(
        name=name,
        says=f"{count(len(held), 'week')} with use; at most {number(most.engagement)} {counted.long}"
        f" in a week, in the week from {short_day(monday(most.week), order)}.",
        wide=line_weeks(f"{name}-wide", span, values, unit, order, title=title, text=text, size="wide"),
        narrow=line_weeks(f"{name}-narrow", span, values, unit, order, title=title, text=text, size="narrow"),
        limits=f"{counted.on_what} {counted.caution} The line breaks where a week has no data.",
        table=Table(
            columns=(
                ("Week from", "text"),
                ("Days with use", "count"),
                ("Products", "count"),
                (capital(counted.long), "number"),
            ),
            rows=tuple(
                (monday(week.week).isoformat(), week.days, week.products, week.engagement) for week in held
            ),
        ),
        origins=(),
    )


def channels_figure(
    name: str, held: Sequence[UsageWeek], order: Order, counted: Counted = PAGE_LOADS
) -> Figure:
    """Shares of what was counted by channel and week, stacked to all."""
    by_week = {week.week: week for week in held}
    span = calendar(list(by_week))
    blank = (None,) * len(CHANNELS)
    told = {week.week for week in telling(held)}
    rows = [channel_row(by_week[week].channels) if week in told else blank for week in span]
    used = [channel for i, channel in enumerate(CHANNELS) if any((row[i] or 0) > 0 for row in rows)]
    means = {channel: _mean([row[i] for row in rows]) for i, channel in enumerate(CHANNELS)}
    top = sorted((channel for channel in used if channel != "other"), key=lambda channel: -means[channel])[:2]
    said = listing([f"{CHANNEL_WORDS[channel]} ({share(means[channel])})" for channel in top])
    title, text = (
        f"Shares of {counted.short} by week and channel",
        f"{len(held)} weeks; the table has every number.",
    )
    columns: list[tuple[str, Kind]] = [("Week from", "text")]
    columns += [(CHANNEL_WORDS[channel], "share") for channel in CHANNELS]
    whole = counted.short if counted is PAGE_LOADS else "what was counted"
    unit = f"Share of {whole}, by week"
    return Figure(
        name=name,
        says=f"Products used were mostly for {said}, on average over the weeks."
        if said
        else "What products are for is not known.",
        wide=channel_weeks(
            f"{name}-wide", span, rows, unit, order, title=title, text=text, percent=True, size="wide"
        ),
        narrow=channel_weeks(
            f"{name}-narrow", span, rows, unit, order, title=title, text=text, percent=True, size="narrow"
        ),
        limits=f"{counted.on_what} All count toward what their product is usually for."
        f"{_left_blank(len(held) - len(told), f'too few {counted.short}')}",
        table=Table(
            columns=tuple(columns),
            rows=tuple((monday(week.week).isoformat(), *channel_row(week.channels)) for week in held),
        ),
        key=channel_key(name, used),
    )


def placements_figure(
    name: str, held: Sequence[UsageWeek], model: str, order: Order, counted: Counted = PAGE_LOADS
) -> Figure:
    """What the model's starting point would make of the weeks that tell; evidence only, always hatched."""
    blank = sum(not week.placements for week in held)
    first = next(item for week in held for item in week.placements if item.model == model)
    kept = {
        week.week: [item for item in week.placements if (item.model, item.stages) == (model, first.stages)]
        for week in held
    }
    labels = list(dict.fromkeys(item.label for items in kept.values() for item in items))
    bands = [
        Band(
            label=label,
            shares={
                week: item.probs for week, items in kept.items() for item in items if item.label == label
            },
        )
        for label in labels
    ]
    loads = {week.week: round(week.engagement) for week in held}
    columns: list[tuple[str, Kind]] = [("Week from", "text"), ("Characteristic", "text")]
    columns += [(stage, "share") for stage in first.stages]
    longer = f" Drawn: the newest {LONGEST} weeks." if len(calendar(list(loads))) > LONGEST else ""
    return Figure(
        name=name,
        says="What the model would make of these weeks before any visit has taught it better: evidence only,"
        " nothing is placed.",
        wide=weeks(
            f"{name}-wide",
            bands,
            loads,
            first.stages,
            order,
            calibrated=False,
            size="wide",
            counted=counted.short,
        ),
        narrow=weeks(
            f"{name}-narrow",
            bands,
            loads,
            first.stages,
            order,
            calibrated=False,
            size="narrow",
            counted=counted.short,
        ),
        limits=f"{counted.on_what} In each band {first.stages[0]} is at the foot, {first.stages[-1]} on top,"
        f" with {counted.long} beneath as bars. {NO_ACTS}"
        f"{_left_blank(blank, 'too little or too few products')}{longer}",
        table=Table(
            columns=tuple(columns),
            rows=tuple(
                (monday(week).isoformat(), item.label, *item.probs)
                for week, items in kept.items()
                for item in items
            ),
        ),
        key=matrix_key(name, calibrated=False, outlined=False, spread=False, missing=blank > 0, seen=False),
        origins=("inferred",),
        more=levels_link(model),
    )


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 0.0
