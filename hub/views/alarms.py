"""Alarms as people read them: what happened, and what to do."""

from hub.views.shape import shape


@shape
class Alarm:
    """Something that somebody should look at."""

    id: int
    """Its number, by which it is cleared."""
    school: str
    """Name of the school."""
    slug: str
    """The school's name in addresses."""
    reason: str
    """A short code."""
    fingerprint: str
    """Fingerprint of the key that it is about; empty where there is none, or for further keys of many."""
    first: str
    """When it was first raised, RFC 3339 in UTC by the hub's clock."""
    last: str
    """When it happened last."""
    count: int
    """How often it happened."""
    cleared: str | None
    """When somebody cleared it; null while it stands."""
    happened: str
    """What happened, one sentence for people."""
    advice: str
    """What to do."""
