"""What `models evaluate` prints: tables of figures in two significant digits, and what each means."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from models.commands import layout
from models.evaluation.agreement import Agreed
from models.evaluation.calibration import BINS
from models.evaluation.report import DimensionReport, Figure, Report

_NONE: Final = "-"
_LEAST_P: Final = 0.001

Form = Callable[[float], str]


def number(value: float) -> str:
    """Two significant digits, never more than three decimals; a dash for NaN."""
    if math.isnan(value):
        return _NONE
    if round(value, 3) == 0:
        return "0"
    decimals = 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{min(max(decimals, 0), 3)}f}"


def percent(value: float) -> str:
    """A share in whole percent; a dash for NaN."""
    return _NONE if math.isnan(value) else f"{value:.0%}"


def _whole(share: float) -> str:
    return percent(share).rstrip("%")


def described(report: Report) -> Iterator[str]:
    """The lines of the page."""
    when = f"fitted {report.fitted}" if report.fitted else "by its rubric alone"
    yield f"{report.model}, version {report.version}, {when}"
    yield from _noted(report.notes)
    for dimension in report.dimensions:
        yield ""
        yield from _dimension(dimension)


def _dimension(one: DimensionReport) -> Iterator[str]:
    if not one.ratings:
        yield f"{one.dimension}: no ratings"
        return
    counts = f"{one.ratings} ratings of {one.windows} windows, {one.coaches} coaches, {one.schools} schools"
    yield f"{one.dimension}: {counts}"
    yield from _noted(one.notes)
    heads, *rows = _headline(one)
    yield from ("", layout.figures(heads, rows))
    for meaning, (heads, *rows) in (
        ("Sets should hold the rating as often where evidence is thin as where it is rich.", _evidence(one)),
        ("If certainty means anything, figures rise as less certain placements are left out.", _kept(one)),
        ("Probabilities mean what they say where the % seen is near the % predicted.", _cutpoints(one)),
        ("There are other ways to make one stage of a distribution.", _rules(one)),
        ("Coaches with each other, on the windows that both rated.", _pairs(one)),
    ):
        if rows:
            yield from ("", layout.paragraph(meaning, indent=2), layout.figures(heads, rows))


def _headline(one: DimensionReport) -> list[Sequence[str]]:
    chance, between = one.ece_if_perfect, one.between_coaches
    promised = "" if one.promised is None else f"sets promise {percent(one.promised)}"
    return [
        ("", "figure", "90% interval", "what it means"),
        (
            "agreement (QWK)",
            *_figure(one.kappa, number),
            one.kappa_why or "with the rating; 1 is perfect, 0 is chance; far misses cost most",
        ),
        (
            "  with ratings shuffled",
            number(one.shuffled.mean),
            _span(one.shuffled.low, one.shuffled.high, number),
            f"what chance gives; it does as well with p = {number(max(one.shuffled.p, _LEAST_P))}",
        ),
        ("exactly the rating", *_figure(one.accuracy, percent), "the likeliest stage is the coach's"),
        ("within one stage", *_figure(one.within_one, percent), ""),
        (
            "calibration error (ECE)",
            *_figure(one.ece, number),
            f"0 is perfect; by chance alone {number(chance.mean)}, up to {number(chance.high)}",
        ),
        (
            "ranked probability score",
            *_figure(one.rps, number),
            f"0 is perfect; knowing only how common stages are {number(one.rps_of_shares)}",
        ),
        ("sets hold the rating", *_figure(one.coverage, percent), promised),
        ("stages in a set", *_figure(one.set_size, number), f"of {len(one.stages)}"),
        ("between coaches (QWK)", *_agreed(between.kappa, f"{between.windows} windows rated twice")),
        ("  Krippendorff's alpha", *_agreed(between.alpha, "1 is perfect, 0 is chance")),
    ]


def _evidence(one: DimensionReport) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [
        ("evidence, by the median", "ratings", "sets hold", "90% interval", "stages")
    ]
    for group in one.by_evidence if one.promised is not None else ():
        ends = (
            f"{number(group.least)} and more"
            if group.below is None
            else _span(group.least, group.below, number)
        )
        share = group.coverage
        held = (percent(share.value), _span(share.low, share.high, percent))
        rows.append((ends, str(share.n), *held, number(group.size)))
    return rows


def _kept(one: DimensionReport) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("most certain share kept", "ratings", "exactly", "QWK")]
    rows += [
        (percent(kept.share), str(kept.ratings), percent(kept.accuracy), number(kept.kappa))
        for kept in one.abstention
    ]
    return rows


def _cutpoints(one: DimensionReport) -> list[Sequence[str]]:
    tens = range(1, BINS + 1)
    rows: list[Sequence[str]] = [("predicted, up to %", *(_whole(ten / BINS) for ten in tens), "gap")]
    for cut in one.cumulative:
        seen = {round(b.high * BINS): _whole(b.seen) for b in cut.bins}
        at_most = f"at most {one.stages[cut.stage]}"
        rows.append((at_most, *(seen.get(ten, _NONE) for ten in tens), number(cut.gap)))
    return rows


def _rules(one: DimensionReport) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("one stage taken as", "QWK", "exactly", "within one")]
    rows += [
        (f"  the {rule.rule}", number(rule.kappa), percent(rule.accuracy), percent(rule.within_one))
        for rule in one.rules
    ]
    return rows


def _pairs(one: DimensionReport) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("two coaches", "windows", "same", "within one", "QWK")]
    rows += [
        (
            " and ".join(pair.coaches),
            str(pair.windows),
            percent(pair.exact),
            percent(pair.within_one),
            number(pair.kappa.value),
        )
        for pair in one.between_coaches.pairs
    ]
    return rows


def _figure(figure: Figure, form: Form) -> tuple[str, str]:
    return form(figure.value), _span(figure.low, figure.high, form)


def _span(low: float, high: float, form: Form) -> str:
    return _NONE if math.isnan(low) or math.isnan(high) else f"{form(low)} to {form(high)}"


def _agreed(agreed: Agreed, meaning: str) -> tuple[str, str, str]:
    return number(agreed.value), "", agreed.why or meaning


def _noted(sentences: Sequence[str]) -> Iterator[str]:
    return (layout.paragraph(sentence, indent=2, bullet="* ") for sentence in sentences)
