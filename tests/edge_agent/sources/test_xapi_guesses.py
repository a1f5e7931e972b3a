"""Wrong passwords are slowed by address, in bounded memory; the right one passes whatever came before it."""

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources import xapi_guesses
from edge_agent.sources.xapi_guesses import ADDRESSES, SECONDS, WRONG_A_MINUTE, Guesses
from edge_agent.sources.xapi_request import MAX_CREDENTIALS, is_authorised
from shared.serving import WebServer
from tests.edge_agent.sources.test_xapi_receiver import HEADERS, PATH, Desk, statement

STATE = "/xAPI/activities/state"
RIGHT = ("apps", "secret")
WRONG = ("apps", "guess")


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "school")
    made.connect()
    yield made
    made.close()


def ask(desk: Desk, address: str, auth: tuple[str, str] | None, **more: object) -> httpx.Response:
    """One request from that address."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(desk.app, client=(address, 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
            said = {"method": "POST", "url": PATH, "json": statement(1), "headers": HEADERS, "auth": auth}
            return await client.request(**(said | more))  # type: ignore[arg-type] # as httpx has it

    return asyncio.run(request())


def guess(desk: Desk, address: str, times: int) -> list[int]:
    return [ask(desk, address, WRONG).status_code for _ in range(times)]


def test_after_ten_wrong_passwords_an_address_is_told_to_wait(desk: Desk) -> None:
    assert guess(desk, "10.0.0.1", WRONG_A_MINUTE) == [401] * WRONG_A_MINUTE
    answer = ask(desk, "10.0.0.1", WRONG)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= SECONDS
    assert "wait" in answer.json()["error"]
    assert guess(desk, "10.0.0.2", 1) == [401], "another address is another matter"


def test_the_right_password_passes_from_every_address_whatever_came_before(desk: Desk) -> None:
    guess(desk, "127.0.0.1", WRONG_A_MINUTE + 5)
    assert ask(desk, "127.0.0.1", RIGHT).status_code == 200
    assert ask(desk, "10.0.0.2", RIGHT).status_code == 200
    assert guess(desk, "127.0.0.1", 1) == [429], "and frees nobody who guesses"


def test_who_says_no_password_guesses_none(desk: Desk) -> None:
    answers = [ask(desk, "10.0.0.1", None) for _ in range(WRONG_A_MINUTE + 5)]
    assert {answer.status_code for answer in answers} == {401}
    assert all(answer.headers["www-authenticate"].startswith("Basic") for answer in answers)


def test_a_guess_counts_by_whatever_way_it_comes(desk: Desk) -> None:
    said = {"Authorization": f"Basic {b64encode(b'apps:guess').decode()}", "content": "{}"}
    form = urlencode(said | {"X-Experience-API-Version": "1.0.3"}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(WRONG_A_MINUTE // 2):
        assert ask(desk, "10.0.0.1", WRONG, url=STATE, method="GET").status_code == 401
        by_form = ask(desk, "10.0.0.1", None, json=None, content=form, headers=kind, params={"method": "PUT"})
        assert by_form.status_code == 401
    assert guess(desk, "10.0.0.1", 1) == [429]


def test_over_a_real_socket_many_who_guess_at_once_keep_no_right_one_out(desk: Desk) -> None:
    web = WebServer(desk.app, 0, "apps")
    web.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{web.port}", headers=HEADERS) as client:

            def one(auth: tuple[str, str]) -> int:
                return client.post(PATH, json=statement(1), auth=auth).status_code

            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(one, [WRONG] * 40 + [RIGHT] + [WRONG] * 9))
        assert answers[40] == 200
        assert answers.count(401) == WRONG_A_MINUTE and answers.count(429) == 49 - WRONG_A_MINUTE
        proxied = HEADERS | {"X-Forwarded-For": "10.0.0.9"}
        elsewhere = httpx.post(
            f"http://127.0.0.1:{web.port}{PATH}", json=statement(1), auth=WRONG, headers=proxied
        )
        assert elsewhere.status_code == 401, "a proxy that says for whom it asks slows that one alone"
    finally:
        web.stop()


def test_after_a_minute_an_address_may_be_wrong_again() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    assert [guesses.wrong("a") for _ in range(WRONG_A_MINUTE)] == [0] * WRONG_A_MINUTE
    clock.now = 20.5
    assert guesses.wrong("a") == 40
    clock.now = SECONDS
    assert guesses.wrong("a") == 0


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 30)), max_size=200), st.integers(1, 8))
def test_in_no_minute_is_an_address_looked_at_more_than_twice_as_often_as_said_and_the_table_stays_small(
    came: list[tuple[str, float]], places: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(xapi_guesses, "ADDRESSES", places)
        clock = Clock()
        guesses, looked_at = Guesses(clock), list[tuple[str, float]]()
        for address, passed in came:
            clock.now += passed / 10
            seconds = guesses.wrong(address)
            assert 0 <= seconds <= SECONDS
            assert len(guesses) <= places
            if not seconds:
                looked_at.append((address, clock.now))
        if places == 8:
            for address, begun in looked_at:
                times = [at for name, at in looked_at if name == address and begun <= at < begun + SECONDS]
                assert len(times) <= 2 * WRONG_A_MINUTE


def test_addresses_without_end_take_bounded_memory() -> None:
    guesses = Guesses(Clock())
    for number in range(3 * ADDRESSES):
        guesses.wrong(f"{number}" + "x" * 10_000)
    assert len(guesses) == ADDRESSES
    assert max(map(len, guesses._wrong)) == xapi_guesses.LONGEST


@pytest.mark.parametrize("said", ["apps:secret", "apps:secre", "apps:secret\0", "", "secret", "x" * 5000])
def test_only_the_whole_of_it_is_right(said: str) -> None:
    header = f"Basic {b64encode(said.encode()).decode()}"
    assert is_authorised(header, "apps", "secret") is (said == "apps:secret")


def test_what_is_longer_than_any_password_is_not_even_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(value: str, validate: bool) -> bytes:
        raise AssertionError(f"{len(value)} {validate}")

    monkeypatch.setattr("edge_agent.sources.xapi_request.b64decode", decoded)
    assert not is_authorised("Basic " + "A" * MAX_CREDENTIALS, "apps", "secret")
