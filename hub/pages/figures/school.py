"""A school's weeks: bands along the term, apps contacted by channel, and the blind spot."""

from collections.abc import Sequence

from hub.charts import Band, blind_spot, channel_key, channel_weeks, matrix_key, weeks
from hub.charts.blind_spot import of_hundred
from hub.charts.keys import CHANNEL_WORDS, seen_key
from hub.charts.weeks import LONGEST, calendar
from hub.known import Known
from hub.pages import words
from hub.pages.figures.distribution import band_ends, distribution_figure, levels_link
from hub.views import Channels, Distribution, SchoolWeek, Term
from shared.pages.figure import Cell, Figure, Kind, Table
from shared.pages.formats import Order, count, listing, monday, share, short_day
from shared.pages.sources import sources_words
from shared.words import CHANNELS


def channel_row(channels: Channels) -> tuple[float | None, ...]:
    """The eight shares in the order of the channels."""
    return tuple(getattr(channels, channel) for channel in CHANNELS)


def span_words(n: int, lessons: int) -> str:
    """How much a series covers."""
    return f"{count(n, 'week')}, {count(lessons, 'lesson')}"


def longer_words(weeks_held: int) -> str:
    """What a drawing of the newest weeks leaves to the CSV."""
    return f" Shown: the newest {LONGEST} weeks; the CSV has all." if weeks_held > LONGEST else ""


def weeks_figure(name: str, held: Sequence[SchoolWeek], scale: Distribution, order: Order) -> Figure:
    """Bands along the term for the model and stages of `scale`; weeks without an aggregate stay gaps."""
    model, stages = scale.model, scale.stages
    kept = {
        week.week: [
            item
            for item in week.distribution
            if (item.model, item.stages, item.shown_as) == (model, stages, scale.shown_as) and item.shares
        ]
        for week in held
    }
    labels = list(dict.fromkeys(item.label for items in kept.values() for item in items))
    bands = [
        Band(
            label=label,
            shares={
                week: item.shares for week, items in kept.items() for item in items if item.label == label
            },
            runs={
                week: item.band
                for week, items in kept.items()
                for item in items
                if item.label == label and item.band is not None
            },
            calibrated=all(
                item.calibrated for items in kept.values() for item in items if item.label == label
            ),
        )
        for label in labels
    ]
    lessons = {week.week: week.lessons for week in held}
    calibrated = all(item.calibrated for items in kept.values() for item in items)
    blank = any(week not in band.shares for band in bands for week in lessons)
    total, missing = len(held), len(calendar(list(lessons))) - len(held)
    gaps = f" {count(missing, 'week')} without lessons in between stay gaps." if missing else ""
    drawn = set(calendar(list(lessons))[-LONGEST:])
    columns: list[tuple[str, Kind]] = [
        ("Week from", "text"),
        ("Characteristic", "text"),
        ("Lessons", "count"),
    ]
    wide = scale.shown_as == "band"
    columns += [("From", "text"), ("To", "text")] if wide else [(stage, "share") for stage in stages]
    rows: list[tuple[str, tuple[Cell, ...]]] = [
        (week, (monday(week).isoformat(), item.label, item.lessons, *_cells(item)))
        for week, items in kept.items()
        for item in items
    ]
    return Figure(
        name=name,
        says=f"Along the term: {span_words(total, sum(lessons.values()))}.{gaps}",
        wide=weeks(f"{name}-wide", bands, lessons, stages, order, calibrated=calibrated, size="wide"),
        narrow=weeks(f"{name}-narrow", bands, lessons, stages, order, calibrated=calibrated, size="narrow"),
        limits=f"In each band {stages[0]} is at the foot and {stages[-1]} on top. A difference"
        " between two weeks may be a difference in what was taught, or in what could be seen."
        f"{longer_words(total + missing)}",
        table=Table(columns=tuple(columns), rows=tuple(row for week, row in rows if week in drawn)),
        full=Table(columns=tuple(columns), rows=tuple(row for _, row in rows)),
        key=matrix_key(
            name, calibrated=calibrated, outlined=False, spread=False, missing=blank, seen=False, banded=wide
        ),
        origins=(
            *words.origins({kind for week in held for kind in week.sources}),
            *words.standing(item.calibrated for items in kept.values() for item in items),
        ),
        more=levels_link(model),
    )


def term_figure(name: str, term: Term, items: Sequence[Distribution], known: Known, order: Order) -> Figure:
    """A term's lessons by a model that says nothing of less than a term."""
    first, last = short_day(monday(term.first_week), order), short_day(monday(term.last_week), order)
    lead = f"Over the term, {span_words(term.weeks, term.lessons)} in the weeks from {first} to {last}:"
    return distribution_figure(name, lead, items, term.sources, known, term.visibility)


def _cells(item: Distribution) -> tuple[Cell, ...]:
    return item.shares if item.band is None else band_ends(item.band, item.stages)


def contacted_figure(name: str, held: Sequence[SchoolWeek], order: Order) -> Figure:
    """Device-minutes by channel and week, stacked; what the sources could not see draws nothing."""
    by_week = {week.week: week for week in held}
    span = calendar(list(by_week))[-LONGEST:]
    rows = [_minutes(by_week[week]) if week in by_week else (None,) * len(CHANNELS) for week in span]
    used = [channel for i, channel in enumerate(CHANNELS) if any((row[i] or 0) > 0 for row in rows)]
    newest = held[-1]
    largest = [
        (CHANNEL_WORDS[channel], value)
        for channel, value in zip(CHANNELS, channel_row(newest.channels), strict=True)
        if value is not None and channel != "other"
    ]
    top = sorted(largest, key=lambda pair: -pair[1])[:2]
    said = listing([f"{text} ({share(value)})" for text, value in top if value > 0])
    kinds = {kind for week in held for kind in week.sources}
    title = "Active device-minutes by week and channel"
    text = f"{len(by_week)} weeks; the table beneath has every number."
    columns: list[tuple[str, Kind]] = [("Week from", "text"), ("Device-minutes", "number")]
    columns += [(CHANNEL_WORDS[channel], "share") for channel in CHANNELS]
    table_rows: list[tuple[Cell, ...]] = [
        (monday(week.week).isoformat(), week.evidence, *channel_row(week.channels)) for week in held
    ]
    verb = "Apps contacted" if "contacted" in words.origins(kinds) else "Use"
    return Figure(
        name=name,
        says=f"{verb} in the newest week were mostly for {said}."
        if said
        else "What apps were for is not known yet.",
        wide=channel_weeks(
            f"{name}-wide", span, rows, "Device-minutes", order, title=title, text=text, size="wide"
        ),
        narrow=channel_weeks(
            f"{name}-narrow", span, rows, "Device-minutes", order, title=title, text=text, size="narrow"
        ),
        limits="A contact counts toward what its app is usually for, and says nothing of what a child did."
        " More minutes are not better ones. Weeks without an aggregate stay gaps."
        f"{longer_words(len(calendar(list(by_week))))}",
        table=Table(
            columns=tuple(columns),
            rows=tuple(row for week, row in zip(held, table_rows, strict=True) if week.week in span),
        ),
        full=Table(columns=tuple(columns), rows=tuple(table_rows)),
        key=channel_key(name, used),
        origins=words.origins(kinds),
    )


def _minutes(week: SchoolWeek) -> tuple[float | None, ...]:
    return tuple(
        None if value is None else round(value * week.evidence, 3) for value in channel_row(week.channels)
    )


def blind_spot_figure(name: str, weeks_held: Sequence[SchoolWeek]) -> Figure:
    """Of 100 expected device-minutes, how many the newest week's sources could see."""
    week = weeks_held[-1]
    seen = week.visibility or 0.0
    minutes = of_hundred(seen)
    return Figure(
        name=name,
        says=f"Of 100 expected device-minutes, {minutes} could be seen by the"
        f" {sources_words(week.sources)}; {100 - minutes} could not.",
        wide=blind_spot(f"{name}-wide", seen, "wide"),
        narrow=blind_spot(f"{name}-narrow", seen, "narrow"),
        limits="An iPad counts as seen from ten minutes before its first sign of life to ten minutes after"
        " its last, whatever it was used for. Not seen is not unused: one that works offline or looks names"
        f" up past the school’s resolver leaves the same blank as one that lies in a bag. {words.OFFLINE}"
        f" {words.reporting_words((one.lessons, one.sources) for one in weeks_held)}",
        table=Table(
            columns=(("Of the expected device-minutes", "text"), ("Share", "share")),
            rows=(("Seen", seen), ("Not seen", 1 - seen)),
        ),
        key=seen_key(name),
        origins=words.origins(week.sources),
    )
