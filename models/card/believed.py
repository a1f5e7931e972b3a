"""The figures on which belief rests: agreement, calibration and coverage on ratings held out of the fit."""

from collections.abc import Sequence

from models.card.confusion import Square, confusion_plot
from models.card.intervals import Panel, Row, Scale, interval_plot
from models.card.keys import depth_key, interval_key, share_key
from models.card.layout import SIZES
from models.card.reliability import Reliability, reliability_plot
from models.card.summary import Part
from models.card.tables import RATINGS, table
from models.card.words import percent
from models.evaluation.metrics import wilson
from shared.pages.figure import Cell, Figure, Kind, Table
from shared.pages.formats import number


def confusion_figure(parts: Sequence[Part]) -> Figure | None:
    """What coaches rated by what was placed, on ratings the fit had not seen."""
    squares = [
        Square(part.name, part.stages, part.fit.held_out.confusion)
        for part in parts
        if part.held and part.fit.held_out
    ]
    if not squares:
        return None
    says = "Where coaches and placements agree, a lesson is counted in one of the framed squares."
    title = "Counts of ratings by the stage that the coach saw and the stage that was placed"
    wide, narrow = (
        confusion_plot("confusion", squares, title=title, text=_squares_text(squares), size=size)
        for size in SIZES
    )
    rows = [
        (square.title, seen, placed, n)
        for square in squares
        for seen, row in zip(square.stages, square.counts, strict=True)
        for placed, n in zip(square.stages, row, strict=True)
    ]
    return Figure(
        name="confusion",
        says=says,
        wide=wide,
        narrow=narrow,
        limits=(
            "Down: the stage that the coach gave. Across: the likeliest stage of the placement, lowest "
            "to the left. Depth is the share of a row. Coaches differ among themselves too: not every count "
            "outside a frame is the placement's mistake."
        ),
        table=_confusion_table(squares),
        full=table((("dimension", "text"), ("seen by the coach", "text"), ("placed", "text"), RATINGS), rows),
        key=depth_key(),
    )


def reliability_figure(parts: Sequence[Part]) -> Figure | None:
    """Predicted against seen, at every cutpoint."""
    found = [
        Reliability(part.name, len(part.stages) - 1, part.fit.held_out.calibration)
        for part in parts
        if part.held and part.fit.held_out and part.fit.held_out.calibration
    ]
    if not found:
        return None
    stages = {part.name: part.stages for part in parts}
    title = "What was predicted against what coaches saw"
    text = "One field a dimension; the nearer dots lie to the slanted line, the more a probability means."
    wide, narrow = (
        reliability_plot("calibration", found, title=title, text=text, size=size) for size in SIZES
    )
    rows = []
    for one in found:
        for bin_ in one.bins:
            seen = wilson(round(bin_.seen * bin_.ratings), bin_.ratings)
            at_most = stages[one.title][bin_.stage]
            between = f"{percent(seen.low)} to {percent(seen.high)}"
            rows.append((one.title, at_most, bin_.predicted, bin_.seen, between, bin_.ratings))
    columns: tuple[tuple[str, Kind], ...] = (
        ("dimension", "text"),
        ("at most", "text"),
        ("predicted", "share"),
        ("seen", "share"),
        ("90% interval of seen", "text"),
        RATINGS,
    )
    same = len({part.stages for part in parts}) == 1
    return Figure(
        name="calibration",
        says="Of what was called 70% likely, coaches should see seven in ten: dots near the slanted line.",
        wide=wide,
        narrow=narrow,
        limits=(
            "Along: the predicted probability that a lesson is at most at a stage. Upright: the share that "
            "coaches rated so. A dot is up to a tenth of the scale, larger with more ratings; small dots "
            "stray by chance. Their intervals are in the table."
        ),
        table=table(columns, rows),
        key=share_key(parts[0].stages[:-1] if same else ("the lowest stage", "the highest but one")),
    )


def coverage_figure(parts: Sequence[Part]) -> Figure | None:
    """How often the sets held the rating, by how much was seen of a window."""
    promised = next((part.promised for part in parts if part.promised is not None), 0.9)
    panels, rows = [], []
    for part in parts:
        groups = part.fit.held_out.groups if part.held and part.fit.held_out else ()
        drawn = []
        for i, group in enumerate(groups):
            below = groups[i + 1].least if i + 1 < len(groups) else None
            share = wilson(round(group.coverage * group.ratings), group.ratings)
            name, of = _evidence(group.least, below), f"{number(group.size)} of {len(part.stages)}"
            apart = part.promised if part.promised != promised else None
            drawn.append(Row(name, group.coverage, share.low, share.high, apart, of))
            between = f"{percent(share.low)} to {percent(share.high)}"
            rows.append((part.name, name, group.coverage, between, group.size, group.ratings))
        if drawn:
            panels.append(Panel(part.name, tuple(drawn)))
    if not panels:
        return None
    lowest = min(row.low or 0.0 for panel in panels for row in panel.rows)
    least = 0.5 if lowest >= 0.5 else 0.0
    foot = ((least, percent(least)), (promised, f"{percent(promised)} promised"))
    scale = Scale(least, 1.0, (least, 1.0), promised, foot)
    title = "How often a placement's set of stages held the coach's rating, by evidence"
    text = "A dot with its 90% interval for each group of windows; the darker line is what was promised."
    wide, narrow = (
        interval_plot("coverage", panels, scale, title=title, text=text, size=size) for size in SIZES
    )
    columns: tuple[tuple[str, Kind], ...] = (
        ("dimension", "text"),
        ("evidence, by the median", "text"),
        ("sets held the rating", "share"),
        ("90% interval", "text"),
        ("stages in a set, mean", "number"),
        RATINGS,
    )
    return Figure(
        name="coverage",
        says="Sets should hold the coach's rating as often where little was seen as where much was.",
        wide=wide,
        narrow=narrow,
        limits=(
            "At the end of a row: how many stages a set spans on average. Evidence is in multiples of the "
            "fit's median. Groups are joined where too few ratings lie in one, or where thin windows would "
            "look more certain than full ones. Intervals (Wilson) count ratings as independent."
        ),
        table=table(columns, rows),
        key=interval_key("a group of windows, with the 90% interval"),
    )


def _confusion_table(squares: Sequence[Square]) -> Table:
    """A row for each rated stage; where dimensions differ in their stages, columns are numbered."""
    same = len({square.stages for square in squares}) == 1
    most = max(len(square.stages) for square in squares)
    names = squares[0].stages if same else tuple(f"stage {k + 1}" for k in range(most))
    placed: tuple[tuple[str, Kind], ...] = tuple((f"placed {name}", "count") for name in names)
    rows: list[tuple[Cell, ...]] = []
    for square in squares:
        for name, row in zip(square.stages, square.counts, strict=True):
            rows.append((square.title, name, *row, *("",) * (most - len(row))))
    return table((("dimension", "text"), ("seen by the coach", "text"), *placed), rows)


def _squares_text(squares: Sequence[Square]) -> str:
    told = []
    for square in squares:
        same = sum(row[i] for i, row in enumerate(square.counts))
        told.append(f"{square.title}: {same} of {sum(map(sum, square.counts))} the same")
    return "; ".join(told)


def _evidence(least: float, below: float | None) -> str:
    if below is None:
        return "all evidence" if least == 0 else f"{number(least)} and more"
    return f"under {number(below)}" if least == 0 else f"{number(least)} to {number(below)}"
