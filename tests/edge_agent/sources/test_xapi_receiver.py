"""Yes means on disk, and once: the receiver over HTTP, with the real link, intake and store behind it."""

import asyncio
import json
import random
import sqlite3
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.intake.intake import IntakeInbox
from edge_agent.parts import Parts
from edge_agent.placing.daykeys import KeyFolder
from edge_agent.placing.placer import DirectoryPlacer
from edge_agent.settings import load_settings
from edge_agent.sources.statement_sink import StatementSink
from edge_agent.sources.xapi import StatementReader
from edge_agent.sources.xapi_receiver import AT_ONCE, FORMS_AT_ONCE, MAX_BODY, create_receiver
from edge_agent.store.classes import ensure_codes
from edge_agent.store.schema import MIGRATIONS
from edge_agent.store.withdrawn import Stored, withdraw
from shared.link import keys
from shared.link.client import LinkClient
from shared.link.frames import WINDOW
from shared.link.server import LinkServer
from shared.link.spool import Spool
from shared.storage import Writer, reader
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

PEOPLE = learners(12)
NOW = datetime(2026, 9, 14, 9, 30, tzinfo=ZoneInfo("Europe/Zurich")).timestamp()
HEADERS = {"X-Experience-API-Version": "1.0.3"}
PATH = "/xAPI/statements"
CANARY = "Kanarina"


class Now:
    """A clock that stands still in a lesson."""

    def now(self) -> float:
        return NOW


class Desk:
    """An agent's xAPI source without its loop: receiver, spool, link, intake and store."""

    def __init__(self, root: Path, apps: int | None = None) -> None:
        folder = make_school(root, SchoolSpec([ClassSpec("c1", "t1", PEOPLE)]))
        loaded = load_settings(folder)
        parts = Parts.load(folder, loaded)
        self.writer = Writer(folder.database, MIGRATIONS)
        self.connection: sqlite3.Connection = reader(folder.database)
        codes = self.writer.run(lambda c: ensure_codes(c, parts.directory.roster))
        day_keys = KeyFolder(folder.day_keys, loaded.zone, self.writer)
        self._collector = partial(parts.collector, "xapi", "apps", day_keys, codes)
        self._placer = DirectoryPlacer(parts.directory, day_keys, codes)
        self._apps = len(parts.catalogue.apps)
        self._reader = StatementReader(parts.catalogue, parts.matcher)
        pair, collectors = (keys.load_or_create(folder.secrets, name) for name in ("agent", "collectors"))
        number = len(parts.catalogue.apps) if apps is None else apps
        inbox = IntakeInbox(self.writer, collectors.public, number, lambda: None)
        self._server = LinkServer("tcp://127.0.0.1:*", pair, inbox)
        self._server.start()
        self._link = (self._server.endpoint, pair.public, collectors, "apps")
        self.clients: list[LinkClient] = []
        self.start()

    def start(self) -> None:
        """A new process, as far as memory goes; its link is down until `connect`."""
        self.spool = Spool(rereads=False)
        self.sink = StatementSink(
            *(self._reader, self._collector(), self.spool, Now(), self._known, 0.05),
            placer=self._placer,
            withdraw=self._withdraw,
        )
        self.app = create_receiver(self.sink, "apps", "secret", body_seconds=0.2)

    def connect(self) -> None:
        self.clients.append(LinkClient(*self._link, self.spool, random.Random(1)))
        self.clients[-1].start()
        self.sink.accept_seconds = 20.0

    def _withdraw(self, signal: Stored) -> bool:
        return self.writer.run(lambda connection: withdraw(connection, "apps", signal, self._apps))

    def _known(self, hashed: int) -> bool:
        found = self.connection.execute("SELECT 1 FROM statements WHERE hash = ?", (hashed,))
        return found.fetchone() is not None

    def close(self) -> None:
        for client in self.clients:
            client.stop()
        self._server.stop()
        self.connection.close()
        self.writer.close()

    def send(self, body: Any, method: str = "POST", path: str = PATH, **more: Any) -> httpx.Response:
        """One request; an exception of the application is one of the test."""
        content = body if isinstance(body, bytes) or not isinstance(body, dict | list) else json.dumps(body)
        more = {"headers": HEADERS, "auth": ("apps", "secret")} | more

        async def request() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
                return await client.request(method, path, content=content, **more)

        return asyncio.run(request())

    def stored(self) -> int:
        """Signals on disk."""
        (found,) = self.connection.execute("SELECT coalesce(sum(signals), 0) FROM batches").fetchone()
        return int(found)

    def counts(self) -> dict[str, int]:
        """What was counted, by reason, once it is all told."""
        assert self.spool.flush(10)
        return dict(self.connection.execute("SELECT reason, n FROM counts").fetchall())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "school")
    yield made
    made.close()


def statement(number: int = 0, **changed: Any) -> dict[str, Any]:
    person = PEOPLE[number % len(PEOPLE)]
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))),
        "actor": {"name": CANARY, "account": {"homePage": "https://s.example", "name": person.username}},
        "verb": {"id": "http://activitystrea.ms/schema/1.0/create"},
        "object": {"id": f"https://padlet.com/{CANARY}/{number}"},
        "timestamp": "2026-09-14T09:05:00+02:00",
    } | changed


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


def test_yes_means_that_it_is_on_disk(desk: Desk) -> None:
    desk.connect()
    assert desk.send(statement(1)).status_code == 200  # link and day key are there now
    held = threading.Event()
    writing = desk.writer.submit(lambda _: held.wait(10))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(desk.send, statement(2))
        wait_until(lambda: desk.spool.tail() > 1)
        assert not answer.done() and desk.stored() == 1
        held.set()
        assert writing.result()
        assert answer.result().json() == [statement(2)["id"]]
        assert desk.stored() == 2


def test_what_was_sent_again_after_our_503_counts_once(desk: Desk) -> None:
    batch = [statement(i) for i in range(20)]
    for _ in range(3):
        answer = desk.send(batch)
        assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
    desk.connect()
    answer = desk.send(batch)
    assert (answer.status_code, answer.json()) == (200, [item["id"] for item in batch])
    assert desk.stored() == 20
    assert desk.send(batch).status_code == 200
    assert desk.stored() == 20
    assert desk.counts() == {"statement_known": 40}, "by the two that were answered yes"


def test_statements_without_ids_count_once_for_each_request_that_was_answered_yes(desk: Desk) -> None:
    batch = [{key: value for key, value in statement(1).items() if key != "id"}] * 2
    assert desk.send(batch).status_code == 503
    assert desk.send(batch).status_code == 503
    desk.connect()
    first = desk.send(batch).json()
    assert len(set(first)) == 2 and desk.stored() == 2
    second = desk.send(batch).json()
    assert not set(first) & set(second) and desk.stored() == 4


def test_two_at_once_count_once(desk: Desk) -> None:
    desk.connect()
    together = threading.Barrier(8)
    batch = [statement(i) for i in range(50)]

    def send(_: int) -> int:
        together.wait(10)
        return desk.send(batch).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(send, range(8))) == [200] * 8
    assert desk.stored() == 50
    assert desk.counts() == {"statement_known": 350}


def test_a_batch_beyond_one_parcel_is_taken_whole(desk: Desk) -> None:
    desk.connect()
    batch = [statement(i) for i in range(501)]
    assert desk.send(batch).json() == [item["id"] for item in batch]
    assert desk.stored() == 501


def test_a_batch_with_one_id_twice_is_refused_whole_whatever_the_two_say(desk: Desk) -> None:
    desk.connect()
    other = statement(1, verb={"id": "http://activitystrea.ms/schema/1.0/post"})
    for second in (statement(1), other):
        answer = desk.send([statement(1), statement(2), second])
        assert answer.status_code == 400 and "same id" in answer.json()["error"]
    assert desk.stored() == 0
    assert desk.counts() == {"statement_id_twice": 2}


def test_a_process_that_died_before_the_commit_had_accepted_nothing_and_after_it_knows(desk: Desk) -> None:
    assert desk.send(statement(1)).status_code == 503
    desk.start()
    desk.connect()
    assert desk.send(statement(1)).status_code == 200 and desk.stored() == 1
    desk.start()
    desk.connect()
    assert desk.send(statement(1)).status_code == 200 and desk.stored() == 1


def test_a_full_spool_says_503_and_loses_neither_statement_nor_device(desk: Desk) -> None:
    many = WINDOW + 2
    assert [desk.send(statement(i)).status_code for i in range(many)] == [503] * many
    assert desk.spool.tail() == WINDOW
    desk.connect()
    assert [desk.send(statement(i)).status_code for i in range(many)] == [200] * many
    assert desk.stored() == many
    (heard,) = desk.connection.execute("SELECT count(*) FROM heard").fetchone()
    assert heard == 12, "one for each learner"


def test_a_parcel_that_the_agent_rejects_is_not_answered_yes(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "school", apps=0)
    try:
        desk.connect()
        assert [desk.send(statement(1)).status_code for _ in range(2)] == [503, 503]
        assert desk.spool.rejected == {"batch_app_range": 2}
    finally:
        desk.close()


def test_an_id_that_comes_again_and_says_otherwise_is_a_conflict(desk: Desk) -> None:
    desk.connect()
    assert desk.send(statement(1)).status_code == 200
    other = statement(1, verb={"id": "http://activitystrea.ms/schema/1.0/post"})
    assert [desk.send(body).status_code for body in (other, [statement(2), other])] == [409, 409]
    put = partial(desk.send, method="PUT", params={"statementId": other["id"]})
    assert [put(body).status_code for body in (other, statement(1))] == [409, 204]
    assert desk.stored() == 1
    assert desk.counts() == {"statement_conflict": 3, "statement_known": 1}


REF = {"objectType": "StatementRef", "id": str(uuid.uuid4())}
USELESS: list[tuple[dict[str, Any], str]] = [
    ({"actor": {"objectType": "Group", "member": [{"mbox": "mailto:a@b.ch"}]}}, "actor_not_a_person"),
    ({"actor": {"mbox_sha1sum": "0" * 40}}, "actor_without_user_name"),
    ({"actor": {"mbox": f"mailto:{PEOPLE[0].username}@gmail.com"}}, "unknown_user"),
    ({"object": REF}, "object_is_no_activity"),
    ({"verb": {"id": "http://activitystrea.ms/schema/1.0/like"}}, "verb_of_no_use"),
    ({"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}, "object": REF}, "voided"),
    ({"timestamp": "0001-01-01T00:00:00Z"}, "timestamp_out_of_range"),
    ({"timestamp": "9999-12-31T23:59:59Z"}, "timestamp_out_of_range"),
    ({"timestamp": "2099-01-01T00:00:00Z"}, "in_the_future"),
]


@pytest.mark.parametrize(("changed", "reason"), USELESS)
def test_what_is_legal_and_of_no_use_is_passed_over_alone(
    desk: Desk, changed: dict[str, Any], reason: str
) -> None:
    desk.connect()
    batch = [statement(1), statement(2, **changed), statement(3)]
    assert desk.send(batch).status_code == 200
    assert desk.stored() == 2
    assert desk.counts() == {reason: 1}


@pytest.mark.parametrize(
    "changed",
    [{"actor": None}, {"verb": {"id": "did it"}}, {"timestamp": CANARY}, {"id": CANARY}, {"object": {}}],
)
def test_of_a_request_with_an_invalid_statement_nothing_is_taken(desk: Desk, changed: dict[str, Any]) -> None:
    desk.connect()
    answer = desk.send([statement(1), statement(2, **changed)])
    assert answer.status_code == 400 and set(answer.json()) == {"error"}
    assert desk.counts() == {"statement_invalid": 1}
    assert desk.stored() == 0
    assert desk.connection.execute("SELECT * FROM statements").fetchone() is None
    (excerpt,) = desk.connection.execute("SELECT excerpt FROM quarantine").fetchone()
    assert CANARY not in excerpt + answer.text


def test_counts_of_refusals_wait_for_room_and_hold_nobody_up(desk: Desk) -> None:
    many = WINDOW + 22
    for _ in range(many):
        assert desk.send(b"{").status_code == 400
    assert desk.spool.tail() == WINDOW
    desk.connect()
    wait_until(lambda: desk.spool.flush(0))
    assert desk.send(statement(1)).status_code == 200
    assert desk.counts() == {"body_is_no_json": many}


def test_a_put_takes_one_statement_by_its_id(desk: Desk) -> None:
    desk.connect()
    one = statement(1)
    put = partial(desk.send, method="PUT")
    assert put(one, params={"statementId": one["id"].upper()}).status_code == 204
    del one["id"]
    assert put(one, params={"statementId": statement(1)["id"]}).status_code == 204
    assert desk.stored() == 1
    for body, asked in ((one, {}), (one, {"statementId": "7"}), ([one], {"statementId": str(uuid.uuid4())})):
        assert put(body, params=asked).status_code == 400
    assert put(statement(1), params={"statementId": str(uuid.uuid4())}).status_code == 400


def attached(sha2: str, **changed: Any) -> dict[str, Any]:
    return {
        "usageType": "http://id.example/photo",
        "display": {"en": "photo"},
        "contentType": "image/png",
        "length": 3,
        "sha2": sha2,
    } | changed


def mixed(*parts: bytes) -> dict[str, Any]:
    body = b"".join(b"--x-y\r\n" + part + b"\r\n" for part in parts) + b"--x-y--\r\n"
    return {"body": body, "headers": HEADERS | {"Content-Type": 'multipart/mixed; boundary="x-y"'}}


def json_part(*found: dict[str, Any]) -> bytes:
    return b"Content-Type: application/json\r\n\r\n" + json.dumps(found).encode()


def photo(sha2: str) -> bytes:
    lines = ("Content-Type: image/png", "Content-Transfer-Encoding: binary", f"X-Experience-API-Hash: {sha2}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n\xff\x00{"


def test_a_statement_with_attachments_is_taken_and_their_bytes_are_let_go(desk: Desk) -> None:
    desk.connect()
    one = statement(
        1, attachments=[attached("aa"), attached("aa"), attached("bb", fileUrl="https://f.example")]
    )
    assert desk.send(**mixed(json_part(one, statement(2)), photo("aa"))).status_code == 200
    assert desk.stored() == 2
    alone = statement(3, attachments=[attached("bb", fileUrl="https://f.example/x")])
    assert desk.send(alone).status_code == 200, "what lies at an address needs no part"


def test_parts_and_attachments_must_fit_together(desk: Desk) -> None:
    one = statement(1, attachments=[attached("aa")])
    cases: list[dict[str, Any]] = [
        {"body": one},
        mixed(json_part(one)),
        mixed(json_part(one), photo("bb")),
        mixed(json_part(one), photo("aa"), photo("bb")),
        mixed(json_part(one), b"Content-Type: image/png\r\n\r\nx"),
        mixed(photo("aa"), json_part(one)),
        mixed(json_part(statement(1)))
        | {"headers": HEADERS | {"Content-Type": "multipart/mixed;boundary=z"}},
        {"body": statement(1), "headers": HEADERS | {"Content-Type": "multipart/mixed"}},
        {"body": statement(1), "headers": HEADERS | {"Content-Type": "text/plain"}},
        {"body": statement(1), "headers": HEADERS | {"Content-Encoding": "gzip"}},
    ]
    for case in cases:
        answer = desk.send(**case)
        assert answer.status_code == 400, case
        assert CANARY not in answer.text


def form(**fields: str) -> dict[str, Any]:
    return {
        "body": urlencode(fields).encode(),
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "auth": None,
    }


def test_a_form_may_carry_a_request_of_the_first_edition(desk: Desk) -> None:
    desk.connect()
    one = statement(1)
    basic = "Basic " + b64encode(b"apps:secret").decode()
    said = {"Authorization": basic, "X-Experience-API-Version": "1.0.3", "content": json.dumps(one)}
    put = partial(desk.send, params={"method": "PUT"})
    assert put(**form(**said, statementId=one["id"])).status_code == 204
    assert desk.send(**form(**said), params={"method": "POST"}).json() == [one["id"]]
    assert desk.stored() == 1
    refused: list[tuple[int, str, dict[str, Any]]] = [
        (401, "PUT", form(**said | {"Authorization": "Basic x"}, statementId=one["id"])),
        (400, "PUT", form(**said)),
        (400, "PUT", form(**said, statementId=one["id"], other="x")),
        (400, "PUT", form(**said | {"X-Experience-API-Version": "2.0.0"}, statementId=one["id"])),
        (403, "GET", form(**said | {"content": ""})),
        (405, "DELETE", form(**said)),
        (400, "PUT", form(**said) | {"headers": HEADERS | {"Content-Type": "application/json"}}),
        (400, "PUT", form(**said) | {"body": b"\xff=%ff"}),
        (400, "PUT", form(**said) | {"body": b"&".join(b"a%d=" % i for i in range(5000))}),
    ]
    for status, method, how in refused:
        answer = desk.send(**how, params={"method": method})
        assert answer.status_code == status, how
    two = {"X-Experience-API-Version": "2.0.0"}
    assert put(b"", headers=two).status_code == 400


VOIDED = "http://adlnet.gov/expapi/verbs/voided"


def voiding(number: int, target: dict[str, Any]) -> dict[str, Any]:
    ref = {"objectType": "StatementRef", "id": target["id"]}
    return statement(number, verb={"id": VOIDED}, object=ref)


def test_a_statement_that_is_voided_in_the_same_request_does_not_count(desk: Desk) -> None:
    desk.connect()
    assert desk.send([statement(1), voiding(2, statement(1)), statement(3)]).status_code == 200
    assert desk.send([voiding(5, statement(4)), statement(4)]).status_code == 200
    assert desk.stored() == 1
    assert desk.counts() == {"voided": 4}


def test_a_statement_that_was_voided_before_it_came_does_not_count_also_after_a_restart(desk: Desk) -> None:
    desk.connect()
    assert desk.send(voiding(2, statement(1))).status_code == 200
    desk.start()
    desk.connect()
    assert desk.send(statement(1)).status_code == 200
    assert desk.stored() == 0


def test_a_stored_signal_is_taken_back_by_its_voiding_statement(desk: Desk) -> None:
    desk.connect()
    batch = [statement(i) for i in range(12)]
    assert desk.send(batch).status_code == 200 and desk.stored() == 12
    assert desk.send(voiding(100, statement(3))).status_code == 200
    assert desk.stored() == 11
    assert desk.send(voiding(101, statement(3))).status_code == 200, "voiding it again changes nothing"
    assert desk.send(statement(3)).status_code == 200, "and it is known for good"
    assert desk.stored() == 11
    for number, target in enumerate(batch):
        assert desk.send(voiding(200 + number, target)).status_code == 200
    assert desk.stored() == 0
    assert tuple(desk.connection.execute("SELECT max(t_max), max(signals) FROM batches").fetchone()) == (0, 0)
    assert desk.connection.execute("SELECT signals FROM sources").fetchone()[0] == 0
    (held,) = desk.connection.execute("SELECT sum(length(payload)) FROM batches").fetchone()
    assert desk.connection.execute("SELECT bytes FROM stored").fetchone()[0] == held
    assert desk.counts()["signal_voided"] == 12


def test_a_closed_lesson_keeps_what_is_voided_later(desk: Desk) -> None:
    desk.connect()
    assert desk.send(statement(1)).status_code == 200
    (code, start) = desk.connection.execute("SELECT class_code, start FROM heard").fetchone()
    row = (code, start, start + 2700, "2026-09-14", "2026-W38", "3-5", 1, 0, 0, 0, 1, "{}")
    columns = "class_code, start, ends, day, week, grade_band, devices, placed, thin, evidence_only"
    sql = f"INSERT INTO windows ({columns}, upto_batch, window) VALUES ({','.join('?' * len(row))})"  # noqa: S608 - fixed names
    desk.writer.run(lambda connection: connection.execute(sql, row))
    assert desk.send(voiding(2, statement(1))).status_code == 200
    assert desk.stored() == 1
    assert desk.counts() == {"voided": 1, "voided_too_late": 1}


def test_every_refusal_is_one_line_of_json_and_the_version_is_mirrored(desk: Desk) -> None:
    two = {"X-Experience-API-Version": "2.0.0"}
    state = "/xAPI/activities/state"
    cases: list[tuple[int, dict[str, Any]]] = [
        (401, {"auth": ("apps", "wrong")}),
        (401, {"auth": None}),
        (401, {"auth": None, "headers": HEADERS | {"Authorization": b"Basic \xe4"}}),
        (400, {"headers": {}}),
        (400, {"headers": {"X-Experience-API-Version": "1.01"}}),
        (400, {"headers": {"X-Experience-API-Version": "0.95"}}),
        (404, {"path": "/xAPI/activities"}),
        (404, {"path": PATH + "/"}),
        (403, {"method": "GET"}),
        (403, {"method": "GET", "params": {"statementId": str(uuid.uuid4())}}),
        (400, {"method": "GET", "params": {"statementid": str(uuid.uuid4())}}),
        (400, {"params": {"statementId": str(uuid.uuid4())}}),
        (405, {"method": "DELETE", "headers": two}),
        (400, {"headers": two}),
        (404, {"method": "GET", "path": state}),
        (403, {"method": "PUT", "path": state}),
        (401, {"method": "PUT", "path": state, "auth": None}),
    ]
    for status, how in cases:
        answer = desk.send(b"", **how)
        assert answer.status_code == status, how
        assert "\n" not in answer.json()["error"]
        asked = how.get("headers") == two
        assert answer.headers["X-Experience-API-Version"] == ("2.0.0" if asked else "1.0.3")
    assert desk.send(b"", "HEAD").status_code == 403
    assert "keeps none" in desk.send(b"", "GET").json()["error"]


def test_anybody_may_ask_which_versions_there_are_and_needs_none_for_it(desk: Desk) -> None:
    answer = desk.send(b"", "GET", "/xAPI/about", headers={}, auth=None)
    assert (answer.status_code, answer.json()) == (200, {"version": ["1.0.3", "2.0.0"]})


def test_every_answer_about_statements_says_how_far_they_are_there(desk: Desk) -> None:
    desk.connect()
    for body, status in ((statement(1), 200), (b"{", 400)):
        answer = desk.send(body)
        assert answer.status_code == status
        through = datetime.fromisoformat(answer.headers["X-Experience-API-Consistent-Through"])
        assert through.tzinfo is not None


def test_the_edition_that_is_asked_for_judges(desk: Desk) -> None:
    desk.connect()
    two = HEADERS | {"X-Experience-API-Version": "2.0.0"}
    agents = {"objectType": "contextAgent", "agent": {"mbox": "mailto:a@b.example"}}
    one = statement(1, context={"contextAgents": [agents]})
    assert desk.send(one).status_code == 400
    assert desk.send(one, headers=two).status_code == 200
    assert desk.send(statement(2, version="2.0.0")).status_code == 400


def test_a_body_that_does_not_come_is_not_waited_for(desk: Desk) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"["
        await asyncio.Event().wait()

    assert desk.send(slow()).status_code == 408


def test_slow_forms_of_strangers_keep_nobody_out(desk: Desk) -> None:
    said = threading.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"content="
        while not said.is_set():
            await asyncio.sleep(0.01)

    async def ask(body: Any, **more: Any) -> int:
        transport = httpx.ASGITransport(desk.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
            return (await client.post(PATH, content=body, **more)).status_code

    async def together() -> tuple[int, list[int]]:
        form = {"params": {"method": "PUT"}, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
        strangers = [asyncio.create_task(ask(slow(), **form)) for _ in range(2 * AT_ONCE)]
        while not any(one.done() for one in strangers):
            await asyncio.sleep(0)
        own = await ask(b"[]", headers=HEADERS, auth=("apps", "secret"))
        said.set()
        return own, await asyncio.gather(*strangers)

    own, strangers = asyncio.run(together())
    assert (own, strangers.count(503)) == (200, 2 * AT_ONCE - FORMS_AT_ONCE)


def test_a_key_that_stands_twice_is_a_refusal_and_the_same_text_in_a_value_is_none(desk: Desk) -> None:
    desk.connect()
    good = json.dumps(statement(1))
    for twice in (good[:-1] + ', "verb": {"id": "a:b"}}', good.replace('"name"', '"name" : "x", "name"', 1)):
        assert desk.send(twice.encode()).status_code == 400
    quoted = statement(2, result={"response": 'said "a": 1 and "a": 2'})
    assert desk.send(quoted).status_code == 200
    assert desk.send(statement(3, result={"response": ":"})).status_code == 200


def test_a_body_without_end_is_read_no_further_than_the_limit(desk: Desk) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 65536
            yield b"[" * 65536

    answer = desk.send(endless())
    assert answer.status_code == 413 and answer.json()["error"].startswith("body_too_large")
    assert read <= MAX_BODY + 65536
    assert desk.send(endless(), auth=("apps", "wrong")).status_code == 401


HOSTILE = [
    b"",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"NaN",
    b'[{"actor": Infinity}]',
    b'"' + CANARY.encode() + b'"',
    b"9" * 100_000,
    b"1e999999",
    b'{"id": "\\ud800"}',
    b'{"id": "' + b"9" * 400 + b'", "\\ud800": 1e999}',
    b'{"a": 1, "\\u0061": 2}',
    b"\xef\xbb\xbf{}",
    json.dumps(statement(1)).encode()[:-1],
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_body_is_a_refusal(desk: Desk, body: bytes) -> None:
    answer = desk.send(body)
    assert answer.status_code == 400 and CANARY not in answer.text


def test_numbers_of_any_length_are_in_order_where_nobody_reads_them(desk: Desk) -> None:
    desk.connect()
    body = json.dumps(statement(1))[:-1] + ', "result": {"score": {"raw": ' + "9" * 5000 + "}}}"
    assert desk.send(body.encode()).status_code == 200 and desk.stored() == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.just(CANARY) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*statement()]), inner),
    max_leaves=12,
)


@settings(
    derandomize=True,
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.binary(max_size=40)
    | JSON.map(lambda body: json.dumps(body).encode())
    | st.builds(
        lambda changed: json.dumps([statement(1), statement(2) | changed]).encode(),
        st.dictionaries(st.sampled_from([*statement()]), JSON, min_size=1, max_size=2),
    )
)
def test_nothing_that_is_sent_breaks_the_receiver_or_comes_back(desk: Desk, body: bytes) -> None:
    if not desk.clients:
        desk.connect()
    answer = desk.send(body)
    assert answer.status_code in {200, 400, 409}
    assert CANARY not in answer.text
