"""A school's agent changes its key over the link: the school stays the same, and no other can be had."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub import folder
from hub.paths import Layout
from hub.store import enrolments
from hub.store.schema import MIGRATIONS
from hub.views import Views
from shared import storage
from shared.errors import BadInput, UsageError
from shared.link.keys import KeyPair
from shared.link.server import LinkServer
from tests.hub.agents import Agent, HeardInbox, until
from tests.hub.hubs import Hub, new_key
from tests.hub.records import SCHOOL, lesson, week


def enrolled(hub: Hub) -> tuple[str, str]:
    """A school's enrolment and its key."""
    enrolment = hub.join(SCHOOL)
    [key] = [key for key, name in hub.inbox.enrolments().items() if name == enrolment]
    return enrolment, key


def test_a_new_key_stands_for_the_same_school_and_the_old_one_ends_with_its_first_word(hub: Hub) -> None:
    enrolment, old = enrolled(hub)
    new = new_key()
    hub.inbox.renew(enrolment, old, new)
    assert hub.inbox.enrolments() == {old: enrolment, new: enrolment}
    hub.inbox.retire(enrolment, old)
    assert hub.inbox.enrolments() == {old: enrolment, new: enrolment}, "the old key still speaks"
    hub.inbox.retire(enrolment, new)
    assert hub.inbox.enrolments() == {new: enrolment}


def test_the_key_of_another_school_is_refused_and_counted(hub: Hub) -> None:
    enrolment, old = enrolled(hub)
    other = hub.join("Birch Primary")
    [theirs] = [key for key, name in hub.inbox.enrolments().items() if name == other]
    with pytest.raises(BadInput, match="key_of_another_enrolment"):
        hub.inbox.renew(enrolment, old, theirs)
    assert hub.inbox.enrolments() == {old: enrolment, theirs: other}
    [refused] = hub.views.status().refused
    assert (refused.school, refused.reason) == (SCHOOL, "renew_key_of_another_enrolment")


def test_a_key_that_is_revoked_can_make_no_other(hub: Hub) -> None:
    enrolment, old = enrolled(hub)
    pending = new_key()
    hub.inbox.renew(enrolment, old, pending)
    hub.writer.run(lambda own: enrolments.revoke(own, SCHOOL, hub.now))
    assert hub.inbox.enrolments() == {}, "neither the key nor the one that was to follow it"
    for new in (pending, new_key()):
        with pytest.raises(BadInput):
            hub.inbox.renew(enrolment, old, new)
    assert hub.inbox.enrolments() == {}


def test_a_school_that_renews_its_key_needs_no_invitation_and_gets_none(hub: Hub) -> None:
    enrolment, old = enrolled(hub)
    hub.inbox.renew(enrolment, old, new := new_key())
    hub.inbox.retire(enrolment, new)
    with pytest.raises(UsageError, match="revoke"):
        hub.invite(SCHOOL)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing


def test_over_the_link_a_school_renews_its_key_while_it_sends(
    layout: Layout, tmp_path: Path, stack: ExitStack
) -> None:
    writer = storage.Writer(layout.database, MIGRATIONS)
    stack.callback(writer.close)
    inbox = HeardInbox(writer)
    stack.callback(inbox.close)
    hub_keys = folder.link_keys(layout)
    server = LinkServer("tcp://127.0.0.1:*", hub_keys, inbox)
    server.start()
    stack.callback(server.stop)
    agent = Agent(tmp_path / "agent", SCHOOL)
    stack.callback(agent.close)
    token = writer.run(
        lambda own: enrolments.invite(own, SCHOOL, False, "tcp://127.0.0.1:5710", hub_keys.public, 3.2e9)
    )
    agent.join(token, server.endpoint)
    agent.put(lesson(), week())
    old, new = agent.keys, KeyPair.new()
    with agent.connected(server.endpoint, hub_keys.public) as client:
        client.renew(new)
        until(lambda: inbox.enrolments().keys() == {new.public})
        agent.put(lesson(start="2025-10-21T09:00:00Z"))
        until(lambda: inbox.heard.qsize() >= 3)
    views = Views(layout.folder)
    stack.callback(views.close)
    [school] = views.district().schools
    assert school.name == SCHOOL
    agent.keys = old
    with agent.connected(server.endpoint, hub_keys.public) as client:
        until(lambda: client.state.name == "refused")
    agent.keys = new
    with agent.connected(server.endpoint, hub_keys.public) as client:
        until(lambda: client.state.name == "connected")
