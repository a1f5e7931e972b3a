"""Findings about the school's own files: rows, classes, lessons, learners, devices, bells and time zone."""

from collections.abc import Iterator
from typing import Final

from edge_agent.check.facts import Facts, SchoolFacts
from edge_agent.check.findings import Finding, Level
from edge_agent.check.words import counted, share
from edge_agent.identity.opt_outs import NOBODY

QUARTER: Final = 900
SHIFTS: Final = tuple(range(-48, 49, 2))  # quarters of an hour: twelve hours either way, by half hours
ENOUGH: Final = 500  # contacts that a time zone is judged by
BETTER: Final = 25.0  # percent points more in lessons, if the clock were shifted
EXAMPLES: Final = 5
_ROWS: Final = (
    "Put them right where they come from and export again; a running agent’s page shows each row’s shape."
)
_HINTS: Final = {
    "no hardware address": "Does the column of Wi-Fi addresses hold them, and not serial numbers?",
    "no serial number": "Does the column of serial numbers hold them?",
    "unknown class": "Are these classes of last year? They must be spelt as in the roster.",
    "unreadable day or time": "Write times as 13:05 and days as Mon-Fri.",
    "it ends before it starts": "Are the times those on the wall, 13:20 and not 1:20?",
    "unreadable time": "Write times as 13:05.",
    "unreadable date": "Write dates as 2026-11-25.",
    "wrong number of columns": "A row has more cells, or fewer, than the first line has names.",
    "no iPad": "Macs, iPhones and others in an MDM’s export are passed over: nothing to do.",
}


def about_school(facts: Facts) -> Iterator[Finding]:
    """Whether the files are of use, then what is missing in them."""
    school = facts.school
    if school is None:
        yield Finding(
            "identity.files",
            "fix",
            f"The school’s files are of no use: {facts.school_trouble}.",
            do="Put it right first: without these files nobody is anybody’s.",
        )
        return
    what = f"{counted(school.classes, 'class', 'classes')}, {counted(school.learners, 'learner')}"
    empty = [
        name for name, number in (("roster", school.classes), ("inventory", school.devices)) if not number
    ]
    yield Finding(
        "identity.files",
        "fix" if empty else "ok",
        f"The school’s files hold {what} and {counted(school.devices, 'device')}.",
        {"classes": school.classes, "learners": school.learners, "devices": school.devices},
        f"Nothing in the {' and the '.join(empty)} is of use. Export it again, or see below why no row is."
        if empty
        else "",
    )
    yield _rows(school)
    yield _opt_outs(school)
    yield from _classes(school)
    yield from _people(school)
    yield _private(school)
    yield from _zone(facts, school)


def _rows(school: SchoolFacts) -> Finding:
    refused = {key: n for key, n in school.refused.items() if not key.endswith(f": {NOBODY}")}
    number = sum(refused.values())
    if not number:
        return Finding("identity.rows", "ok", "Every row of the school’s files is of use.", {"rows": 0})
    most = sorted(refused.items(), key=lambda item: -item[1])[:3]
    hints = [_HINTS[reason] for key, _ in most if (reason := key.partition(": ")[2]) in _HINTS]
    return Finding(
        "identity.rows",
        "look",
        f"{counted(number, 'row')} of the school’s files {'is' if number == 1 else 'are'} of no use: "
        + "; ".join(f"{n} × {reason}" for reason, n in most)
        + ".",
        {"rows": number},
        " ".join((*dict.fromkeys(hints), _ROWS)),
    )


def _opt_outs(school: SchoolFacts) -> Finding:
    number = sum(n for key, n in school.refused.items() if key.endswith(f": {NOBODY}"))
    if not number:
        return Finding("identity.opt_outs", "ok", "Every row of the opt-outs names a device.", {"rows": 0})
    return Finding(
        "identity.opt_outs",
        "look",
        f"{counted(number, 'row')} of the opt-outs {'names' if number == 1 else 'name'} no device of the"
        " inventory: whoever is meant is not left out.",
        {"rows": number},
        "Spell the user or serial number as the inventory does. A learner who takes iPads from a cart is the"
        " user of none: name the serial number of one that is kept for them. If they have left, take the row"
        " out.",
    )


def _classes(school: SchoolFacts) -> Iterator[Finding]:
    none_meets = bool(school.classes) and len(school.without_lessons) == school.classes
    yield _listing(
        "classes.period",
        school.without_lessons,
        "Every class has its bells.",
        "No bell rings for",
        (
            "Not one class has a time, so there will be no lesson. Apple School Manager never says when a"
            ' class meets: name a file, timetable = "input/timetable.csv" under [identity], with'
            " class,period,days,room. If there is one, are its classes this year’s, and its periods those of"
            " the bells?"
            if none_meets
            else "Give the class its period in the roster or in the timetable file, spelt as in the bells:"
            " class,period,days,room."
        ),
        "fix" if none_meets else "look",
    )
    yield _listing(
        "classes.room",
        school.without_devices,
        "Every class has devices that could be seen.",
        "No device could be seen in the lessons of",
        "Neither a learner of the class has an iPad in the inventory, nor its room a cart: fill in the iPads’"
        " users, or the class’s room (roster, timetable) and the cart’s room (inventory) alike.",
    )
    yield _listing(
        "classes.teacher",
        school.without_teacher,
        "Every class has a teacher.",
        "There is no teacher of",
        "Enrol the teacher in the roster: weeks of fewer than three teachers never leave the school.",
    )
    yield _listing(
        "classes.learners",
        school.without_learners,
        "Every class has learners.",
        "There are no learners in",
        "Old or empty sections: leave them out of the export, or enrol the learners.",
    )
    over = school.overlaps
    yield Finding(
        "lessons.overlap",
        "look" if over else "ok",
        f"{counted(over, 'lesson')} of the coming week overlap{'s' if over == 1 else ''} another of the same"
        " class, and the later is left out."
        if over
        else "No class has two lessons at once.",
        {"lessons": over},
        "Two rows of bells.csv overlap on one day, or a class has two periods that do: look for days that"
        " stand in both (Mon-Fri beside a row of its own for Wednesday)."
        if over
        else "",
    )
    coming = school.lessons_next_week
    yield Finding(
        "lessons.coming",
        "ok" if coming else "look",
        f"{counted(coming, 'lesson')} in the coming seven days.",
        {"lessons": coming},
        "" if coming else "Holidays? Otherwise look at the bells’ days and at the terms in the roster.",
    )


def _listing(
    name: str, classes: tuple[str, ...], well: str, what: str, do: str, level: Level = "look"
) -> Finding:
    number = len(classes)
    if not number:
        return Finding(name, "ok", well, {"classes": 0})
    return Finding(
        name,
        level,
        f"{what} {counted(number, 'class', 'classes')}.",
        {"classes": number},
        do,
        classes[:EXAMPLES],
    )


def _people(school: SchoolFacts) -> Iterator[Finding]:
    missing, total = school.learners_without_device, school.learners
    part = share(missing, total) if total else 0.0
    yield Finding(
        "learners.device",
        "ok" if not missing else "fix" if part > 50 else "look",
        f"{counted(missing, 'learner')} of {total:,} without a device or a cart."
        if missing
        else "Every learner has a device or a cart.",
        {"learners": missing, "percent": part},
        "Fill in the user of each iPad in MDM as the roster names the learner (user name or e-mail address);"
        " iPads in a cart need the room of the class."
        if missing
        else "",
        school.classes_of_those[:EXAMPLES],
    )
    yield Finding(
        "devices.nobody",
        "look" if school.devices_of_nobody else "ok",
        f"{counted(school.devices_of_nobody, 'device')} with neither user nor room."
        if school.devices_of_nobody
        else "Every device has a user or a room.",
        {"devices": school.devices_of_nobody},
        "Assign them in MDM, or leave spare ones out of the export." if school.devices_of_nobody else "",
    )
    lost = school.devices_without_class
    yield Finding(
        "devices.place",
        "look" if lost else "ok",
        f"{counted(lost, 'device')} whose user or room is in no class."
        if lost
        else "Every device’s user or room is in a class.",
        {"devices": lost},
        "Last year’s learners, or rooms spelt in two ways (“12” and “Room 12”): make them alike."
        if lost
        else "",
    )


def _private(school: SchoolFacts) -> Finding:
    number = school.private_in_inventory
    return Finding(
        "inventory.private",
        "fix" if number else "ok",
        f"{counted(number, 'device')} in the inventory with a private hardware address."
        if number
        else "The inventory has no private hardware address.",
        {"devices": number},
        "An address that the iPad made up changes: set"
        " `DisableAssociationMACRandomization` in the Wi-Fi payload, let MDM ask anew, and export again."
        if number
        else "",
    )


def _zone(facts: Facts, school: SchoolFacts) -> Iterator[Finding]:
    """Whether the day's use falls into lessons, or would if the clock were another."""
    activity = facts.seen.activity
    total = sum(activity.values())
    if total < ENOUGH or not school.lessons:
        return
    inside = {
        QUARTER * step
        for begin, end in school.lessons
        for step in range(begin // QUARTER, -(-end // QUARTER))
    }
    by_shift = {
        shift: share(sum(n for at, n in activity.items() if at + shift * QUARTER in inside), total)
        for shift in SHIFTS
    }
    best = max(by_shift, key=lambda shift: (by_shift[shift], -abs(shift)))
    figures = {"percent_in_lessons": by_shift[0]}
    if by_shift[best] - by_shift[0] < BETTER:
        yield Finding("time.zone", "ok", f"{by_shift[0]} % of the classes’ use falls into lessons.", figures)
        return
    hours = best / 4
    yield Finding(
        "time.zone",
        "fix",
        f"Only {by_shift[0]} % of the classes’ use falls into lessons; it would be {by_shift[best]} % if the"
        f" clock were {abs(hours):g} hours {'later' if hours > 0 else 'earlier'}.",
        {**figures, "shift_hours": hours},
        f"Look at `timezone` in agent.toml ({facts.zone.key}), at the zone that the resolver logs in, and at"
        " bells.csv: are its times those on the wall, 13:05 and not 1:05?",
    )
