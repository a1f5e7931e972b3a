"""The figures of what the ratings taught: how coaches differ, and where weights went."""

from collections.abc import Sequence
from typing import Final

from models.card.intervals import Panel, Row, Scale, interval_plot
from models.card.keys import interval_key
from models.card.layout import SIZES
from models.card.summary import KEPT, OPEN, TURNED, Part, sd_of
from models.card.tables import RATINGS, table
from models.card.words import UNKNOWN, feature_words, figure, signed
from models.features.set1 import FEATURES
from shared.pages.figure import Figure, Kind, Table
from shared.pages.formats import number, plural

MOST_COACHES: Final = 40  # rows in a drawing; the table has all


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
        RATINGS,
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
        table=table(columns, rows),
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
            UNKNOWN if one.low is None else f"{signed(one.low)} to {signed(one.high)}",
            one.verdict,
            "" if one.apart is None else number(one.apart),
        )
        for part in shown
        for one in part.moved
    ]
    title = "The weight of each indicator, fitted, beside where the prior had put it"
    text = "A dot with its 90% interval for each indicator; the upright stroke is the prior's."
    scale = _odds_scale(panels, "lower", "higher")
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
            "More of a feature speaks for a lower or for a higher stage: log-odds for one standard "
            "deviation, quiet lines 0.5 apart. The prior's strokes are the rubric's weights at the strength "
            "that the ratings gave them all together. Features that say the same share their weight: a small "
            "one is not a useless one."
        ),
        table=table(tuple((name, "text") for name in names), rows),
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
    return table(columns, rows)


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
