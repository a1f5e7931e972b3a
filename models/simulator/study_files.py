"""A simulated study as files: features, ratings, ratings kept back, the truth and the oracle."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from models.csv_columns import write_columns
from models.features.inputs import Windows
from models.simulator.oracle_figures import Figures, mean_figures, school_means
from models.simulator.study import Study
from models.simulator.universe import Universe
from models.simulator.walkthroughs import Ratings
from models.tables import WindowTable, write_features
from shared.errors import UsageError
from shared.files import replace

_LESSON_SECONDS: Final = 2700
_HOW: Final = "models.simulator.universe; no real lesson, school or coach stands behind it"


def write_study(
    folder: Path, study: Study, figures: tuple[Figures, ...], made: Mapping[str, Any]
) -> dict[str, Any]:
    """The tables and oracle.json in the folder; `made` says from what (seed, model, options) and goes into
    oracle.json, whose content is returned. Raises UsageError where it cannot write.
    """
    write_tables(folder, study)
    report = oracle_report(study, figures, made)
    replace(folder / "oracle.json", msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    return report


def write_tables(folder: Path, study: Study) -> None:
    """F.csv, R.csv, R_new.csv and truth.csv in the folder. Raises UsageError where it cannot write."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be a folder ({error.strerror}): choose another place") from None
    lessons, dimensions = study.lessons, study.universe.dimensions
    school, class_ = school_codes(study), _codes("k", int(lessons.class_.max()) + 1)
    windows = WindowTable(
        ids=lessons.ids,
        school=tuple(school[i] for i in lessons.school.tolist()),
        class_=tuple(class_[i] for i in lessons.class_.tolist()),
        columns=Windows(
            start=lessons.start,
            end=lessons.start + _LESSON_SECONDS,
            kinds=(frozenset(),) * len(lessons),
            expected=np.zeros(len(lessons), np.int64),
        ),
    )
    write_features(folder / "F.csv", windows, lessons.x)
    _write_ratings(folder / "R.csv", study, study.ratings, school)
    _write_ratings(folder / "R_new.csv", study, study.new_ratings, school)
    truth = [[str(level) for level in lessons.level[:, d].tolist()] for d in range(len(dimensions))]
    columns = [
        [name for name in lessons.ids for _ in dimensions],
        list(dimensions) * len(lessons),
        [level for row in zip(*truth, strict=True) for level in row],
    ]
    write_columns(folder / "truth.csv", ("window", "dimension", "level"), columns)


def school_codes(study: Study) -> tuple[str, ...]:
    """The schools' codes in the files, in their order."""
    return _codes("s", len(study.held_out))


def oracle_report(study: Study, figures: tuple[Figures, ...], made: Mapping[str, Any]) -> dict[str, Any]:
    """oracle.json: the figures by dimension and their mean, the schools' true means, every parameter."""
    universe, lessons = study.universe, study.lessons
    schools = school_codes(study)
    counts = np.bincount(lessons.school, minlength=len(schools)).tolist()
    of_lessons, long_run = school_means(universe, lessons)
    return {
        "simulated": True,
        "how": _HOW,
        **made,
        "lessons": len(lessons),
        "ratings": int((~study.ratings.briefed).sum()) // len(universe.dimensions),
        "mean": _rounded(asdict(mean_figures(figures))),
        "dimensions": {
            name: _rounded({"stages": k, **asdict(its)})
            for name, k, its in zip(universe.dimensions, universe.stages, figures, strict=True)
        },
        "schools": {
            name: {
                "lessons": counts[s],
                "held_out": bool(study.held_out[s]),
                "mean": dict(zip(universe.dimensions, _rounded(of_lessons[s]), strict=True)),
                "long_run_mean": dict(zip(universe.dimensions, _rounded(long_run[s]), strict=True)),
            }
            for s, name in enumerate(schools)
        },
        "parameters": _parameters(universe),
    }


def _write_ratings(path: Path, study: Study, ratings: Ratings, school: tuple[str, ...]) -> None:
    coach = _codes("c", len(study.universe.severity))
    order = np.lexsort((ratings.coach, ratings.dimension, ratings.window))
    named = {
        "window": [study.lessons.ids[i] for i in ratings.window[order].tolist()],
        "dimension": [study.universe.dimensions[i] for i in ratings.dimension[order].tolist()],
        "coach": [coach[i] for i in ratings.coach[order].tolist()],
        "school": [school[i] for i in ratings.school[order].tolist()],
        "level": [str(i) for i in ratings.level[order].tolist()],
    }
    if ratings.briefed.any():
        named["briefed"] = ["1" if one else "0" for one in ratings.briefed[order].tolist()]
    write_columns(path, tuple(named), list(named.values()))


def _codes(letter: str, count: int) -> tuple[str, ...]:
    width = max(2, len(str(count)))
    return tuple(f"{letter}{i:0{width}d}" for i in range(1, count + 1))


def _parameters(universe: Universe) -> dict[str, Any]:
    found = {one.name: _rounded(getattr(universe, one.name)) for one in fields(Universe)}
    found["schools"] = {
        "latent": _rounded(universe.schools.latent),
        "shift": _rounded(universe.schools.shift),
    }
    return found


def _rounded(value: Any) -> Any:
    """Numbers to six places, arrays as lists."""
    if isinstance(value, np.ndarray):
        return np.round(value, 6).tolist() if value.dtype.kind == "f" else value.tolist()
    if isinstance(value, float):
        return round(float(value), 6)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, tuple) else value
