"""Statements are posted in batches to a receiver over HTTP, politely."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from demo import sender
from demo.sender import Sender
from shared.errors import CommonGroundError


class _Receiver(ThreadingHTTPServer):
    """Answers with the next of `answers`, then 200; keeps what it took."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.taken: list[list[Any]] = []
        self.headers: list[dict[str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            self.server.taken.append(json.loads(body))
            self.server.headers.append(dict(self.headers))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        del format, args


@pytest.fixture
def receiver() -> Iterator[_Receiver]:
    server = _Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(receiver: _Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    monkeypatch.setattr(sender, "BATCH", 3)
    made = Sender("Alder", receiver.server_port, "secret", lambda _: None)
    yield made
    made.close()


STATEMENTS = [json.dumps({"n": n}).encode() for n in range(7)]


def test_every_statement_arrives_once_in_order_in_batches(receiver: _Receiver, client: Sender) -> None:
    counts: list[int] = []
    client.send(STATEMENTS, counts.append)
    assert [len(batch) for batch in receiver.taken] == [3, 3, 1]
    assert [statement["n"] for batch in receiver.taken for statement in batch] == list(range(7))
    assert counts == [3, 6, 7]


def test_requests_carry_version_and_password(receiver: _Receiver, client: Sender) -> None:
    client.send(STATEMENTS[:1], lambda _: None)
    headers = receiver.headers[0]
    assert headers["X-Experience-API-Version"] == "1.0.3"
    scheme, token = headers["Authorization"].split()
    assert (scheme, base64.b64decode(token)) == ("Basic", b"apps:secret")


def test_a_busy_receiver_is_asked_again(receiver: _Receiver, client: Sender) -> None:
    receiver.answers = [503, 429, 503]
    client.send(STATEMENTS[:2], lambda _: None)
    assert [statement["n"] for batch in receiver.taken for statement in batch] == [0, 1]


def test_a_refusal_of_good_statements_is_an_error_that_names_the_school(
    receiver: _Receiver, client: Sender
) -> None:
    receiver.answers = [400]
    with pytest.raises(CommonGroundError, match="Alder answered 400"):
        client.send(STATEMENTS, lambda _: None)


def test_a_broken_statement_is_sent_alone_and_its_refusal_is_expected(
    receiver: _Receiver, client: Sender
) -> None:
    receiver.answers = [400]
    assert client.send_broken(b'{"verb": 1}') == 400
    assert receiver.taken == []
