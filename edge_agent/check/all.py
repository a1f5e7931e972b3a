"""All findings of one snapshot, the worst first within what they are about."""

from edge_agent.check.apps import about_apps
from edge_agent.check.facts import Facts
from edge_agent.check.findings import Finding
from edge_agent.check.house import about_house
from edge_agent.check.matching import about_matching
from edge_agent.check.school import about_school
from edge_agent.check.sources import about_sources

FAMILIES = (about_sources, about_school, about_matching, about_apps, about_house)


def findings(facts: Facts) -> list[Finding]:
    """What there is to say, in the order in which to go about it."""
    return [finding for family in FAMILIES for finding in family(facts)]
