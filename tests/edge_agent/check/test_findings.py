"""Each finding is made of a school that has the fault, and not of one that does not."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from edge_agent.check.all import findings
from edge_agent.check.facts import Facts, HouseFacts, LogFacts, SchoolFacts, SeenFacts, SourceFacts
from edge_agent.check.findings import EXIT_CODES, Finding, is_same, worst

NOON = 1_789_380_000  # Monday, 14 September 2026, 12:00 in Zurich
MORNING = ((NOON - 4 * 3600, NOON - 1800),)
MIB = 1024 * 1024
LOG = LogFacts(files=2, size=MIB, oldest=NOON - 86400)
RESOLVER = SourceFacts(
    "resolver",
    "dnsmasq",
    "dns.log",
    newest=NOON - 5,
    written=NOON - 5,
    lines=1000,
    log=LOG,
    tells_leases=True,
)
HEARS = SourceFacts(
    "resolver", "dnsmasq", "tcp://127.0.0.1:5514", listens=True, tells_leases=True, newest=NOON - 5
)
USE = {NOON - hours * 3600: 200 for hours in (1, 2, 3)}
SEEN = SeenFacts(lines=1000, begin=NOON - 9000, end=NOON, devices={"class": 40, "staff": 2}, activity=USE)
SCHOOL = SchoolFacts(devices=40, classes=2, learners=40, lessons_next_week=50, lessons=MORNING)
HOUSE = HouseFacts(free=9000 * MIB, free_wanted=512 * MIB, signals_wanted=1024 * MIB, joined=True)
WELL = Facts(
    now=NOON, zone=ZoneInfo("Europe/Zurich"), sources=(RESOLVER,), seen=SEEN, school=SCHOOL, house=HOUSE
)


def by_id(facts: Facts) -> dict[str, Finding]:
    found = findings(facts)
    assert len({finding.id for finding in found}) == len(found)
    return {finding.id: finding for finding in found}


def source(**change: object) -> Facts:
    return replace(WELL, sources=(replace(RESOLVER, **change),))  # type: ignore[arg-type] # named fields


def log(**change: object) -> Facts:
    return source(log=replace(LOG, **change))  # type: ignore[arg-type] # named fields


def seen(**change: object) -> Facts:
    return replace(WELL, seen=replace(SEEN, **change))  # type: ignore[arg-type] # named fields


def school(**change: object) -> Facts:
    return replace(WELL, school=replace(SCHOOL, **change))  # type: ignore[arg-type] # named fields


def house(**change: object) -> Facts:
    return replace(WELL, house=replace(HOUSE, **change))  # type: ignore[arg-type] # named fields


def devices(**counts: int) -> Facts:
    return seen(devices={"class": 40, **counts})


FAULTS = {
    "no source": ("sources", "fix", replace(WELL, sources=()), "[[sources]]"),
    "a log that is missing": (
        "source.resolver.readable",
        "fix",
        source(trouble="is missing", advice="x"),
        "x",
    ),
    "a log without a time": ("source.resolver.fresh", "fix", source(newest=None), "log-queries"),
    "a log silent in lessons": ("source.resolver.fresh", "fix", source(newest=NOON - 10_000), "systemctl"),
    "a past log": ("source.resolver.fresh", "look", source(newest=NOON - 40 * 86400, written=None), "replay"),
    "a clock ahead": ("source.resolver.clock", "fix", source(newest=NOON + 500), "set-ntp"),
    "a log in another zone": ("source.resolver.clock", "fix", source(newest=NOON + 7200), "TZ="),
    "a clock behind": ("source.resolver.clock", "look", source(newest=NOON - 905), "set-ntp"),
    "lines of another kind": (
        "source.resolver.lines",
        "fix",
        source(refused={"malformed_line": 900}),
        "kind =",
    ),
    "some lines refused": (
        "source.resolver.lines",
        "look",
        source(refused={"malformed_line": 90}),
        "file of its own",
    ),
    "everybody may send": (
        "source.resolver.senders",
        "look",
        replace(WELL, sources=(replace(HEARS, is_open=True),)),
        "from = ",
    ),
    "leases only heard": ("source.resolver.leases", "look", replace(WELL, sources=(HEARS,)), "[[addresses]]"),
    "a lease file missing": (
        "addresses.l",
        "fix",
        replace(WELL, addresses=(("l", "is missing"),)),
        "agent.toml",
    ),
    "half of them matched": ("devices.matched", "fix", devices(no_lease=40), "reasons below"),
    "no leases": ("devices.no_lease", "fix", devices(no_lease=40), "log-dhcp"),
    "leases of one kind only": (
        "devices.no_lease",
        "fix",
        seen(devices={"class": 9, "no_lease": 9}, unleased_ipv6=9),
        "neighbours",
    ),
    "private addresses": (
        "devices.private_address",
        "fix",
        devices(private_address=12),
        "DisableAssociationMACRandomization",
    ),
    "unknown devices": ("devices.unknown_device", "look", devices(unknown_device=2), "inventory anew"),
    "devices of no class": ("devices.no_class", "look", devices(no_class=2), "room"),
    "unknown users": ("devices.unknown_user", "look", devices(unknown_user=1), "user column"),
    "devices that ask nothing": ("devices.bypass", "look", seen(silent=30), "mask.icloud.com"),
    "windows that say bypassed": ("devices.bypass", "look", replace(WELL, bypassed=30), "Private Relay"),
    "a district that rules shipped names over": (
        "catalogue.district",
        "look",
        house(overruled=("padlet.com",), district_version="0123456789ab"),
        "/catalogue",
    ),
    "apps unknown": (
        "catalogue.coverage",
        "look",
        seen(listed=100, unlisted=300, unlisted_names=9),
        "catalogue",
    ),
    "roster missing": (
        "identity.files",
        "fix",
        replace(WELL, school=None, school_trouble="gone"),
        "Put it right",
    ),
    "an empty roster": ("identity.files", "fix", school(classes=0), "in the roster is of use. Export"),
    "an empty inventory": ("identity.files", "fix", school(devices=0), "in the inventory"),
    "swapped columns": (
        "identity.rows",
        "look",
        school(refused={"mosyle.csv: no hardware address": 40}),
        "and not serial numbers",
    ),
    "last year's timetable": (
        "identity.rows",
        "look",
        school(refused={"timetable.csv: unknown class": 18}),
        "last year",
    ),
    "bells by twelve hours": (
        "identity.rows",
        "look",
        school(refused={"bells.csv: unreadable day or time": 5}),
        "13:05",
    ),
    "an opt-out that names nobody": (
        "identity.opt_outs",
        "look",
        school(refused={"no.csv: names no device of the inventory": 1}),
        "cart",
    ),
    "no class with a time": (
        "classes.period",
        "fix",
        school(without_lessons=("7a", "7b")),
        "Apple School Manager never says",
    ),
    "rows of no use": (
        "identity.rows",
        "look",
        school(refused={"bells.csv: unreadable day": 3}),
        "export again",
    ),
    "a class without period": ("classes.period", "look", school(without_lessons=("7b",)), "period"),
    "a class without devices": ("classes.room", "look", school(without_devices=("7b",)), "room"),
    "a class without teacher": ("classes.teacher", "look", school(without_teacher=("7b",)), "Enrol"),
    "a class without learners": ("classes.learners", "look", school(without_learners=("7b",)), "sections"),
    "overlapping lessons": ("lessons.overlap", "look", school(overlaps=4), "bells.csv"),
    "no lesson to come": ("lessons.coming", "look", school(lessons_next_week=0), "Holidays"),
    "learners without devices": ("learners.device", "look", school(learners_without_device=4), "MDM"),
    "most without devices": ("learners.device", "fix", school(learners_without_device=30), "MDM"),
    "devices of nobody": ("devices.nobody", "look", school(devices_of_nobody=4), "Assign"),
    "devices of no class known": ("devices.place", "look", school(devices_without_class=4), "Room 12"),
    "private in the inventory": (
        "inventory.private",
        "fix",
        school(private_in_inventory=4),
        "DisableAssociationMACRandomization",
    ),
    "a wrong time zone": (
        "time.zone",
        "fix",
        seen(activity={at + 8 * 3600: n for at, n in USE.items()}),
        "timezone",
    ),
    "a long history": ("source.resolver.retention", "look", log(oldest=NOON - 9 * 86400), "rotate 1"),
    "a rotation of months": (
        "source.resolver.retention",
        "fix",
        log(rotation="/etc/logrotate.d/d", rotation_days=53.0),
        "/etc/logrotate.d/d",
    ),
    "a database of a year": (
        "source.resolver.retention",
        "fix",
        log(keeps=(("/p", "MAXDBDAYS", 365.0),)),
        "MAXDBDAYS=2",
    ),
    "a log open to all": ("source.resolver.rights", "fix", log(open_to_all=2), "chmod o-r"),
    "open secrets": ("secrets.modes", "fix", house(open_secrets=("secrets/agent",)), "chmod"),
    "a password missing": ("secrets.missing", "fix", house(missing_secrets=("secrets/x",)), "chmod 600"),
    "the school's key here": ("secrets.disclosures_key", "look", house(key_is_here=True), "safe place"),
    "a full disk": ("disk.free", "fix", house(free=100 * MIB), "Make room"),
    "a disk nearly full": ("disk.free", "look", house(free=900 * MIB), "Make room"),
    "a full outbox": ("disk.outbox", "fix", house(outbox_full=True), "outbox_mib"),
    "many signals": ("disk.signals", "look", house(signals=900 * MIB), "signals_mib"),
    "no hub": ("hub.joined", "look", house(joined=False), "agent join"),
}


def test_a_school_where_all_is_well_is_told_so() -> None:
    found = findings(WELL)
    assert worst(found) == "ok"
    assert EXIT_CODES[worst(found)] == 0
    assert not [finding.do for finding in found if finding.do]


def test_a_log_that_was_not_looked_into_is_not_said_to_be_empty() -> None:
    unread = source(looked_into=False, newest=None, written=None, lines=0)
    found = by_id(replace(unread, school=None, school_trouble="the bells are missing"))
    assert found["source.resolver.readable"].level == "ok"
    assert not {"source.resolver.fresh", "source.resolver.clock", "source.resolver.lines"} & found.keys()


def test_an_opt_out_that_names_nobody_is_no_row_of_the_other_files() -> None:
    found = by_id(school(refused={"no.csv: names no device of the inventory": 2, "b.csv: no sourcedId": 1}))
    assert (found["identity.opt_outs"].figures, found["identity.rows"].figures) == ({"rows": 2}, {"rows": 1})


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_says_what_to_do(fault: str) -> None:
    name, level, facts, remedy = FAULTS[fault]
    found = by_id(facts)[name]
    assert found.level == level
    assert remedy in found.do
    assert by_id(WELL).get(name, Finding(name, "ok", "")).level == "ok"


def test_a_silence_outside_of_lessons_is_none() -> None:
    night = replace(source(newest=NOON - 1200, written=NOON - 1200), now=NOON + 8 * 3600)
    assert by_id(night)["source.resolver.fresh"].level == "ok"


def test_what_listens_is_judged_by_look_ups_as_no_device_is_kept() -> None:
    heard = replace(HEARS, placed=500, misses={"no_lease": 500, "staff": 900})
    found = by_id(replace(WELL, sources=(heard,), has_addresses=True))
    assert found["source.resolver.matched"].figures["percent"] == 50.0
    assert "log-dhcp" in found["source.resolver.matched"].do
    assert "source.resolver.leases" not in found


@pytest.mark.parametrize(("after", "same"), [(10, True), (12, True), (19, True), (20, False), (2, False)])
def test_a_finding_is_another_once_it_has_doubled_or_halved(after: int, same: bool) -> None:
    before = Finding("devices.no_lease", "look", "10 devices.", {"devices": 10})
    assert is_same(before, Finding("devices.no_lease", "look", "Some.", {"devices": after})) is same
    assert not is_same(before, Finding("devices.no_lease", "fix", "10 devices.", {"devices": 10}))
