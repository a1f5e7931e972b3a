"""Sentences of the pages, from numbers: what is known, how sure, what would help; pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from hub.charts.blind_spot import of_hundred
from hub.views import DistrictView, SchoolSummary, StatusView, Tally, Verified
from shared.pages.formats import Order, capital, count, listing, plural, share, week_words
from shared.pages.sources import kind_words
from shared.records import ALL_BANDS, GRADE_BANDS
from shared.words import SOURCE_KINDS, Sight

NOT_ENOUGH: Final = "Not enough evidence yet"
UNCALIBRATED: Final = "Hatched: inferred from signals, and not yet compared with what visitors saw."
CALIBRATED: Final = "Without hatching: fitted to what visitors wrote down in lessons like these."
RUBRIC_WEIGHTS: Final = (
    "How much each counts is a starting point from published descriptions, which no visit has tested yet."
)
CALIBRATED_WEIGHTS: Final = "How much each counts was fitted to what visitors wrote down."
OUTLINED: Final = (
    "Outlined: the levels it may be, so wide that about nine of ten hold what a visitor would write down."
)
BAND_WORDS: Final = "A band says from where to where; which level inside it, nobody can tell from here."
MASS: Final = 2 / 3
LOW_VISIBILITY: Final = 0.3
BACKLOG_WORTH_A_WORD: Final = 50

OFFLINE: Final = (
    "Work done offline, in Keynote, GarageBand or the camera, leaves almost no trace on the network."
)
NO_TRACE: Final = (
    "No trace is not no use: what was looked up before is not asked for again, and an iPad may rest or be"
    " away."
)
CONTACTS_ONLY: Final = "The sources see which apps were contacted, not what was done in them."
SOME_REPORT: Final = (
    "Only apps that report tell what was done; of all others one sees that they were contacted."
)


def origins(kinds: Iterable[str]) -> tuple[str, ...]:
    """The marks of where numbers from these kinds of source come from."""
    sights = {SOURCE_KINDS.get(kind, Sight.NOTHING) for kind in kinds}
    marks = (("contacted", Sight.CONTACTS), ("reported", Sight.ACTIONS))
    return tuple(mark for mark, sight in marks if sight in sights)


def standing(calibrated: Iterable[bool]) -> tuple[str, ...]:
    """The marks of whether walkthroughs have calibrated it; both where some is and some is not."""
    held = set(calibrated)
    return tuple(mark for mark, is_so in (("inferred", False), ("calibrated", True)) if is_so in held)


def standing_words(calibrated: Iterable[bool]) -> str:
    """The same as sentences."""
    said = {"inferred": UNCALIBRATED, "calibrated": CALIBRATED}
    return " ".join(said[mark] for mark in standing(calibrated))


def limits_of(kinds: Iterable[str]) -> str:
    """What sources of these kinds cannot see."""
    return f"{SOME_REPORT if 'reported' in origins(kinds) else CONTACTS_ONLY} {OFFLINE}"


def seen_words(visibility: float) -> str:
    """How much of the expected iPads' time could be seen, which says nothing of how it was used."""
    return f"{of_hundred(visibility)} of 100 expected device-minutes could be seen"


def reporting_words(weeks: Iterable[tuple[int, Iterable[str]]]) -> str:
    """How much smaller the blind spot is, of the lessons of each week and its kinds of source."""
    held = [(lessons, "reported" in origins(kinds)) for lessons, kinds in weeks]
    told, every = sum(lessons for lessons, reports in held if reports), sum(lessons for lessons, _ in held)
    if not told:
        return "No app reports here what was done: an xAPI sender would make the blind spot smaller."
    return f"It is smaller where apps report what was done: some did around {told} of {every} lessons."


def grade_words(bands: Iterable[str]) -> str:
    """Grade bands from the youngest on: `K–2 and 3–5`."""
    held = sorted(bands, key=GRADE_BANDS.index)
    return listing(
        ["all together" if band == ALL_BANDS else band.replace("k", "K").replace("-", "–") for band in held]
    )


def likely(shares: Sequence[float]) -> tuple[int, int] | None:
    """The shortest run of stages that holds two thirds; of equals the one that holds most. None: nothing."""
    runs = [
        (high - low, -sum(shares[low : high + 1]), low, high)
        for low in range(len(shares))
        for high in range(low, len(shares))
        if sum(shares[low : high + 1]) >= MASS - 1e-9
    ]
    if not runs:
        return None
    _, _, low, high = min(runs)
    return low, high


def run_words(run: tuple[int, int], stages: Sequence[str]) -> str:
    """`Adoption`, or `Adoption to Adaptation`."""
    low, high = run
    return stages[low] if low == high else f"{stages[low]} to {stages[high]}"


def placed_words(
    rows: Iterable[tuple[str, tuple[int, int] | None]], stages: Sequence[str], verb: str = "Likely"
) -> str:
    """One sentence for several dimensions `(label, run)`: those with the same run are said together."""
    groups: dict[tuple[int, int] | None, list[str]] = defaultdict(list)
    total = 0
    for name, run in rows:
        groups[run].append(name)
        total += 1
    if not total:
        return f"{NOT_ENOUGH}."
    said: list[str] = []
    for run, names in groups.items():
        words = "not enough evidence yet" if run is None else run_words(run, stages)
        where = "" if len(names) == total else f" for {listing(names)}"
        start = "" if run is None else f"{verb.lower()} " if not said else ""
        said.append(f"{start}{words}{where}")
    return f"{capital('; '.join(said))}."


def across_words(
    rows: Iterable[tuple[str, tuple[int, int] | None]], stages: Sequence[str], verb: str = "Likely"
) -> str:
    """The same in short: the run that covers every dimension's, and those without enough evidence."""
    held = list(rows)
    runs = [run for _, run in held if run is not None]
    if not runs:
        return f"{NOT_ENOUGH}."
    whole = (min(low for low, _ in runs), max(high for _, high in runs))
    missing = [name for name, run in held if run is None]
    rest = f"; not enough evidence yet for {listing(missing)}" if missing else ""
    return f"{verb} {run_words(whole, stages)}{rest}."


def needs(school: SchoolSummary) -> list[str]:
    """What needs a hand at a school, one sentence a thing; words in backticks are code."""
    if school.revoked:
        return ["Its enrolment is revoked. To let it send again, make a new invitation."]
    found = {
        "never": "Not joined yet: run `commonground agent join DIR TOKEN_FILE` on the school’s machine."
        if school.joined is None
        else "Joined, and nothing has arrived yet: see the status page on the school’s machine.",
        "silent": "Nothing heard for more than a day: see whether the school’s machine runs and has network.",
    }
    said = [found[school.freshness]] if school.freshness in found else []
    said += [
        f"Nothing has come yet from {kind_words(source.kind)}: see that this source is switched on."
        for source in school.sources
        if source.fresh is None
    ]
    if school.visibility is not None and school.visibility < LOW_VISIBILITY:
        said.append(
            f"Only {share(school.visibility)} of device-time could be seen: ask whether a filter carries"
            " lookups past the school’s resolver, or whether work was done offline."
        )
    if school.backlog is not None and school.backlog > BACKLOG_WORTH_A_WORD:
        said.append(f"{count(school.backlog, 'record')} wait in the school for delivery.")
    return said


def week_sentence(view: DistrictView, order: Order, model: str) -> str:
    """The district's one sentence for the newest week, its levels in the words of one model."""
    facts = view.facts
    if view.week is None or not facts.schools:
        return "No week has arrived yet: the first comes after the first full school week."
    schools = (
        "all schools"
        if not facts.schools_missing
        else f"{facts.schools} of {facts.schools + facts.schools_missing} schools"
    )
    if facts.schools + facts.schools_missing == 1:
        schools = "the one school"
    when = capital(week_words(view.week, order))
    seen = f"{count(facts.lessons, 'lesson')} of {count(facts.classes, 'class')} in {schools} could be seen"
    judged = [item for item in view.distribution if item.shares and item.model == model]
    if not judged:
        return f"{when}: {seen}. {NOT_ENOUGH} to say at which levels."
    first = judged[0]
    same = [item for item in judged if (item.stages, item.shown_as) == (first.stages, first.shown_as)]
    runs = [run for item in same if (run := item.band or likely(item.shares))]
    whole = (min(low for low, _ in runs), max(high for _, high in runs))
    verb = "somewhere from" if first.shown_as == "band" else "likely"
    return f"{when}: {seen}, {verb} {run_words(whole, first.stages)}."


def hub_sentence(view: StatusView) -> str:
    """The one sentence of the hub about itself."""
    joined = [school for school in view.schools if school.joined and not school.revoked]
    if not joined:
        return "No school has a key here yet."
    heard = sum(school.freshness in ("fresh", "quiet") for school in joined)
    if len(joined) == 1:
        return f"1 school joined, {'heard' if heard else 'not heard'} within a day."
    of_them = "all" if heard == len(joined) else f"{heard or 'none'} of them"
    return f"{capital(count(len(joined), 'school'))} joined, {of_them} heard within a day."


def waiting_key_sentence(next_key: str | None, not_told: Sequence[str]) -> str:
    """Whether the hub can go over to the key that waits; "" for none. Words in backticks are code."""
    if next_key is None:
        return ""
    if not not_told:
        return "A new key waits, and every school knows it: `commonground hub rotate-key DIR --switch`."
    lack = f"{count(len(not_told), 'school')} {'does' if len(not_told) == 1 else 'do'} not know it yet"
    return (
        f"A new key waits, and {lack}. One that is connected learns it within"
        " a few seconds; another one when it next connects."
    )


def unsent_sentence(unsent: Sequence[Tally]) -> str:
    """That somebody was not told of a silence, and what to do; "" where everybody was."""
    number = sum(item.count for item in unsent)
    if not number:
        return ""
    return (
        f"{capital(count(number, 'message'))} about a silence could not be read back from this hub’s store in"
        " the last week, and never went out. See which schools have not been heard; then check the disk of"
        " this machine, and if it fails, go on from a backup on another one."
    )


def half_a_year_on(today: date) -> str:
    """A day to come, as an example for a command."""
    return (today + timedelta(days=182)).isoformat()


def verified_sentence(verified: Verified | None) -> str:
    """Whether what the hub holds is what the schools disclosed."""
    if verified is None:
        return "Not compared yet: a running hub does it each night, `commonground hub verify DIR` now."
    differ, missing, without = verified.differ, verified.missing, verified.without
    wrong = [
        f"{count(differ, 'record')} {plural('is', differ)} other than disclosed" if differ else "",
        f"{count(missing, 'record')} {plural('is', missing)} no longer here" if missing else "",
    ]
    said = capital(listing([part for part in wrong if part]))
    if not said:
        held = count(verified.agree, "record")
        said = f"What was disclosed is what is here: {held}" if verified.agree else "Nothing to compare"
    rest = f" {capital(count(without, 'record'))} came without an entry of a log." if without else ""
    if verified.skipped:
        rest += f" Of the logs’ entries {verified.skipped:,d} came with no record: withdrawn there before."
    return f"{said}.{rest}"


def more_would_help(lessons: int) -> str:
    """What would change a 'not enough evidence yet'."""
    seen = capital(f"{count(lessons, 'lesson')} so far.")
    return f"{seen} More lessons with ten or more iPads, or an app that reports what was done, would help."
