"""A school joins once by its invitation; its key stands for it until it is revoked."""

import pytest

from hub.store import enrolments
from shared.errors import BadInput, UsageError
from tests.hub.hubs import Hub, new_key
from tests.hub.records import SCHOOL, lesson


def test_an_invitation_enrols_one_key_once(hub: Hub) -> None:
    secret, key = hub.invite(SCHOOL), new_key()
    enrolment = hub.inbox.join(key, secret, SCHOOL)
    assert hub.inbox.enrolments() == {key: enrolment}
    assert hub.inbox.join(key, secret, SCHOOL) == enrolment
    with pytest.raises(BadInput, match="invitation_used"):
        hub.inbox.join(new_key(), secret, SCHOOL)


def test_a_hub_without_an_open_invitation_lets_no_stranger_knock(hub: Hub) -> None:
    assert not hub.inbox.inviting()
    secret = hub.invite(SCHOOL)
    assert hub.inbox.inviting()
    hub.inbox.join(new_key(), secret, SCHOOL)
    assert not hub.inbox.inviting()


def test_an_agent_set_up_under_another_name_is_told_before_the_invitation_is_spent(hub: Hub) -> None:
    secret, key = hub.invite(SCHOOL), new_key()
    with pytest.raises(BadInput, match="school_name_differs"):
        hub.inbox.join(key, secret, "Alder Secondary")
    assert hub.inbox.join(key, secret, SCHOOL)


def test_refused_joins_are_counted_without_a_school(hub: Hub) -> None:
    with pytest.raises(BadInput):
        hub.inbox.join(new_key(), b"guessed", SCHOOL)
    (refused,) = hub.views.status().refused
    assert (refused.school, refused.reason, refused.count) == (None, "join_invitation_unknown", 1)


def test_a_second_invitation_makes_the_first_one_void(hub: Hub) -> None:
    first, second = hub.invite(SCHOOL), hub.invite(SCHOOL)
    with pytest.raises(BadInput, match="invitation_replaced"):
        hub.inbox.join(new_key(), first, SCHOOL)
    assert hub.inbox.join(new_key(), second, SCHOOL)


def test_a_school_that_joined_is_not_invited_again_before_it_is_revoked(hub: Hub) -> None:
    hub.join(SCHOOL)
    with pytest.raises(UsageError, match="revoke"):
        hub.invite(SCHOOL)


def test_after_revocation_the_school_keeps_its_enrolment_under_a_new_key(hub: Hub) -> None:
    before = hub.join(SCHOOL)
    hub.send(before, lesson())
    assert hub.writer.run(lambda own: enrolments.revoke(own, "alder-primary", hub.now)) == SCHOOL
    assert hub.inbox.enrolments() == {}
    (school,) = hub.views.district().schools
    assert (school.revoked, school.freshness, school.lessons_shared) == (True, "revoked", 1)
    assert hub.join(SCHOOL) == before
    assert len(hub.inbox.enrolments()) == 1


def test_a_revoked_key_cannot_return_with_its_old_invitation_but_can_with_a_new_one(hub: Hub) -> None:
    secret, key = hub.invite(SCHOOL), new_key()
    hub.inbox.join(key, secret, SCHOOL)
    hub.writer.run(lambda own: enrolments.revoke(own, SCHOOL, hub.now))
    with pytest.raises(BadInput, match="revoked"):
        hub.inbox.join(key, secret, SCHOOL)
    assert hub.inbox.enrolments() == {}
    hub.inbox.join(key, hub.invite(SCHOOL), SCHOOL)
    assert list(hub.inbox.enrolments()) == [key]


def test_one_key_cannot_stand_for_two_schools(hub: Hub) -> None:
    key = new_key()
    hub.inbox.join(key, hub.invite(SCHOOL), SCHOOL)
    with pytest.raises(BadInput, match="key_of_another_school"):
        hub.inbox.join(key, hub.invite("Birch Academy"), "Birch Academy")


def test_revoking_who_is_not_there_says_what_to_do(hub: Hub) -> None:
    with pytest.raises(UsageError, match="`schools` lists them"):
        hub.writer.run(lambda own: enrolments.revoke(own, "Nowhere", hub.now))


def test_a_name_is_simulated_or_real_never_both(hub: Hub) -> None:
    hub.invite(SCHOOL, simulated=True)
    with pytest.raises(UsageError, match="another name"):
        hub.invite(SCHOOL, simulated=False)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Alder Primary", "alder-primary"),
        ("École Élémentaire St-Jean", "ecole-elementaire-st-jean"),
        ("小学校", "school"),
        ("../../etc/passwd", "etc-passwd"),
    ],
)
def test_slugs_are_plain(name: str, slug: str) -> None:
    assert enrolments.slug_of(name) == slug


def test_schools_whose_names_give_one_slug_get_two(hub: Hub) -> None:
    hub.invite("Oak School")
    hub.invite("Oak-School!")
    assert [school.slug for school in hub.views.district().schools] == ["oak-school", "oak-school-2"]


def test_guesses_are_counted_in_memory_and_written_at_most_once_a_second(hub: Hub) -> None:
    hub.invite(SCHOOL)

    def guess() -> None:
        with pytest.raises(BadInput, match="invitation_unknown"):
            hub.inbox.join(new_key(), bytes(24), SCHOOL)

    def counted() -> list[tuple[object, ...]]:
        return hub.rows("SELECT reason, count FROM refused")

    for _ in range(50):
        guess()
    assert counted() == [("join_invitation_unknown", 1)]
    hub.now += 1
    guess()
    assert counted() == [("join_invitation_unknown", 51)]
    guess()
    hub.inbox.close()
    assert counted() == [("join_invitation_unknown", 52)]


def test_a_guess_does_not_wait_for_the_writer(hub: Hub) -> None:
    hub.invite(SCHOOL)
    with pytest.raises(BadInput):
        hub.inbox.join(new_key(), bytes(24), SCHOOL)
    with hub.writer_busy() as busy:
        with pytest.raises(BadInput, match="invitation_unknown"):
            hub.inbox.join(new_key(), bytes(24), SCHOOL)
        assert busy(), "it had to wait until the writer was free"
