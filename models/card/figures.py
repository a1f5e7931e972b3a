"""The figures of a card's dimensions: each a sentence, a drawing by size of screen, and its table."""

from collections.abc import Sequence
from typing import Final

from models.card.confusion import Square, confusion_plot
from models.card.intervals import Panel, Row, Scale, interval_plot
from models.card.keys import depth_key, interval_key, share_key
from models.card.layout import SIZES
from models.card.reliability import Reliability, reliability_plot
from models.card.summary import KEPT, OPEN, TURNED, Part, sd_of
from models.card.words import feature_words, figure, percent, signed
from models.evaluation.metrics import wilson
from models.features.set1 import FEATURES
from shared.pages.figure import Cell, Figure, Kind, Table
from shared.pages.formats import number, plural

MOST_COACHES: Final = 40  # rows in a drawing; the table has all


def confusion_figure(parts: Sequence[Part]) -> Figure | None:
    """What coaches rated by what was placed, on ratings the fit had not seen."""
    squares = [
        Square(part.name, part.stages, part.fit.held_out.confusion)
        for part in parts
        if part.held and part.fit.held_out
    ]
    if not squares:
        return None
    says = "Where coaches and placements agree, counts lie on the slanted line from the lowest stage up."
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
            "to the left. Depth is the share of a row. Coaches differ among themselves too: not every count beside "
            "the line is the placement's mistake."
        ),
        table=_confusion_table(squares),
        full=_table(
            (("dimension", "text"), ("seen by the coach", "text"), ("placed", "text"), _RATINGS), rows
        ),
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
        _RATINGS,
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
        table=_table(columns, rows),
        key=share_key(parts[0].stages[:-1] if same else ("the lowest stage", "the highest but one")),
    )


def coverage_figure(parts: Sequence[Part]) -> Figure | None:
    """How often the sets held the rating, by how much was seen of a window."""
    panels, rows = [], []
    for part in parts:
        groups = part.fit.held_out.groups if part.held and part.fit.held_out else ()
        drawn = []
        for i, group in enumerate(groups):
            below = groups[i + 1].least if i + 1 < len(groups) else None
            share = wilson(round(group.coverage * group.ratings), group.ratings)
            name, of = _evidence(group.least, below), f"{number(group.size)} of {len(part.stages)}"
            drawn.append(Row(name, group.coverage, share.low, share.high, part.promised, of))
            between = f"{percent(share.low)} to {percent(share.high)}"
            rows.append((part.name, name, group.coverage, between, group.size, group.ratings))
        if drawn:
            panels.append(Panel(part.name, tuple(drawn)))
    if not panels:
        return None
    lowest = min(row.low or 0.0 for panel in panels for row in panel.rows)
    least = 0.5 if lowest >= 0.5 else 0.0
    scale = Scale(least, 1.0, (least, 0.75 if least else 0.5), 1.0, ((least, f"{least:.0%}"), (1.0, "100%")))
    title = "How often a placement's set of stages held the coach's rating, by evidence"
    text = "A dot with its 90% interval for each group of windows; the upright stroke is what was promised."
    wide, narrow = (
        interval_plot("coverage", panels, scale, title=title, text=text, size=size) for size in SIZES
    )
    columns: tuple[tuple[str, Kind], ...] = (
        ("dimension", "text"),
        ("evidence, by the median", "text"),
        ("sets held the rating", "share"),
        ("90% interval", "text"),
        ("stages in a set, mean", "number"),
        _RATINGS,
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
        table=_table(columns, rows),
        key=interval_key("with its 90% interval", "what was promised"),
    )


def coaches_figure(parts: Sequence[Part]) -> Figure | None:
    """Coaches' severities in the order of their codes; None where no dimension has two coaches."""
    shown = [part for part in parts if part.coaches > 1]
    if not shown:
        return None
    panels, rows = [], []
    for part in shown:
        own = sorted(part.fit.coaches, key=lambda coach: coach.id)
        drawn = (Row(coach.id, coach.mean, coach.low, coach.high) for coach in own[:MOST_COACHES])
        panels.append(Panel(part.name, tuple(drawn)))
        rows += [
            (
                part.name,
                coach.id,
                signed(coach.mean),
                f"{signed(coach.low)} to {signed(coach.high)}",
                coach.ratings,
            )
            for coach in own
        ]
    title = "How coaches' ratings differ from one another's, in the order of their codes"
    text = "A dot with its 90% interval for each coach; at the middle line a coach rates as the others do."
    scale = _odds_scale(panels, "lower", "higher")
    wide, narrow = (
        interval_plot("coaches", panels, scale, title=title, text=text, size=size) for size in SIZES
    )
    columns: tuple[tuple[str, Kind], ...] = (
        ("dimension", "text"),
        ("coach", "text"),
        ("log-odds", "text"),
        ("90% interval", "text"),
        _RATINGS,
    )
    cut = max(part.coaches for part in shown) > MOST_COACHES
    first = f" The first {MOST_COACHES} codes are drawn; the table has all." if cut else ""
    return Figure(
        name="coaches",
        says="What a lesson is given depends a little on who visits; the fit takes that into account.",
        wide=wide,
        narrow=narrow,
        limits=(
            "Rows are in the order of the codes, which says nothing. Lower and higher are against what the "
            "others would have given the same lesson, not right or wrong; quiet lines lie 0.5 log-odds apart "
            f"(1 makes a higher stage 2.7 times as likely, in odds).{first}"
        ),
        table=_table(columns, rows),
        key=interval_key("a coach, with the 90% interval"),
    )


def weights_figure(parts: Sequence[Part]) -> Figure | None:
    """The weights of a rubric's indicators after the ratings were heard."""
    shown = [part for part in parts if part.moved]
    if not shown:
        return None
    panels = [
        Panel(
            part.name,
            tuple(
                Row(feature_words(one.feature), one.weight, one.low, one.high, one.expected)
                for one in part.moved
            ),
        )
        for part in shown
    ]
    rows = [
        (
            part.name,
            FEATURES[one.feature],
            signed(one.rubric),
            signed(one.expected),
            signed(one.weight),
            "not known" if one.low is None else f"{signed(one.low)} to {signed(one.high)}",
            one.verdict,
            "" if one.apart is None else number(one.apart),
        )
        for part in shown
        for one in part.moved
    ]
    title = "The weight of each indicator, fitted, beside where the prior had put it"
    text = "A dot with its 90% interval for each indicator; the upright stroke is the prior's."
    scale = _odds_scale(panels, "lower stage", "higher stage")
    wide, narrow = (
        interval_plot("weights", panels, scale, title=title, text=text, size=size) for size in SIZES
    )
    names = (
        "dimension",
        "feature",
        "rubric",
        "prior",
        "fitted",
        "90% interval",
        "sign",
        "moved, in prior sd",
    )
    return Figure(
        name="weights",
        says=_signs([one.verdict for part in shown for one in part.moved]),
        wide=wide,
        narrow=narrow,
        limits=(
            "Log-odds of a higher stage for one standard deviation of a feature; quiet lines lie 0.5 apart. "
            "The prior's strokes are the rubric's weights at the strength that the ratings gave them all "
            "together. Features that say the same share their weight: a small one is not a useless one."
        ),
        table=_table(tuple((name, "text") for name in names), rows),
        key=interval_key("fitted, with the 90% interval", "where the prior had put it"),
    )


def learned_table(parts: Sequence[Part]) -> Table:
    """What else the ratings taught: noise, the rubric's strength, schools' and coaches' spreads."""
    columns: tuple[tuple[str, Kind], ...] = (
        ("dimension", "text"),
        ("share of noise at median evidence", "share"),
        ("kept at half the evidence", "share"),
        ("strength of the rubric", "text"),
        ("schools differ by (sd)", "text"),
        ("coaches differ by (sd)", "text"),
    )
    rows = [
        (
            part.name,
            part.fit.noise_share,
            1 / (1 + part.fit.noise_share),
            f"{number(part.fit.rubric_weight)} times",
            figure(sd_of(part.fit.school_sd)),
            figure(sd_of(part.fit.coach_sd)),
        )
        for part in parts
        if part.fit.calibrated
    ]
    return _table(columns, rows)


_RATINGS: Final[tuple[str, Kind]] = ("ratings", "count")


def _table(columns: tuple[tuple[str, Kind], ...], rows: Sequence[tuple[Cell, ...]]) -> Table:
    return Table(columns=columns, rows=tuple(rows))


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
    return _table((("dimension", "text"), ("seen by the coach", "text"), *placed), rows)


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


def _odds_scale(panels: Sequence[Panel], low: str, high: str) -> Scale:
    """Even on both sides of 0, wide enough for every dot and, within reason, every interval."""
    rows = [row for panel in panels for row in panel.rows]
    reach = max((abs(v) for row in rows for v in (row.middle, row.mark, row.low, row.high) if v), default=1.0)
    end = min(max(0.5, -(-reach // 0.5) * 0.5), 6.0)
    lines = tuple(k * 0.5 for k in range(-int(end * 2), int(end * 2) + 1) if k) if end <= 3 else ()
    return Scale(-end, end, lines, 0.0, ((-end, low), (end, high)))


def _signs(verdicts: Sequence[str]) -> str:
    kept, turned, open_ = (verdicts.count(one) for one in (KEPT, TURNED, OPEN))
    many = len(verdicts)
    said = f"Of {many} {plural('indicator', many)} of the rubric, {kept} kept {plural('its', kept)} sign"
    return (
        f"{said} beyond doubt, {open_ or 'none'} {plural('is', open_)} undecided, {turned or 'none'} turned."
    )
