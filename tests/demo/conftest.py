"""One set of simulated schools, and their days, for every test of the demo."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from demo.app_names import AppNames
from demo.day import SchoolDay
from demo.feed import Feed
from demo.school import TIMEZONE, School, build_schools
from models.catalogue.load import load_catalogue

SEED = 7
MONDAY = date(2026, 9, 14)


@pytest.fixture(scope="session")
def zone() -> ZoneInfo:
    return ZoneInfo(TIMEZONE)


@pytest.fixture(scope="session")
def schools() -> tuple[School, ...]:
    return build_schools(SEED)


@pytest.fixture(scope="session")
def names() -> AppNames:
    return AppNames(load_catalogue())


@pytest.fixture(scope="session")
def mondays(schools: tuple[School, ...], zone: ZoneInfo, names: AppNames) -> dict[str, SchoolDay]:
    """Each school's first school day."""
    return {s.slug: Feed(s, zone, load_catalogue(), names).day(MONDAY) for s in schools}


@pytest.fixture
def feed(schools: tuple[School, ...], zone: ZoneInfo, names: AppNames) -> Feed:
    """The high school's feed: it reports actions and its resolver is wordy."""
    return Feed(schools[2], zone, load_catalogue(), names)
