"""No server can hold a notice up beyond its deadline, and no spoilt row keeps the others from being sent."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain, cycle
from pathlib import Path
from typing import Any

import pytest

from shared import courier, sending, waiting
from shared.deadline import Deadline
from shared.notice import Channel, Notice, NoticeSettings
from shared.storage import Writer
from tests.shared.test_notice import AT, MAIL, SAID

LONG = 30.0  # what no attempt comes near to, though each byte comes in time
SECONDS = 1.0
PACE = 0.01
PIECES = 20  # after so many of its last answer a server may let the deadline pass


class Dripper:
    """A server that waits for some words, then answers byte by byte; the last answer has no end."""

    def __init__(self, *answers: tuple[bytes, Callable[[], Iterator[bytes]]]) -> None:
        self.answered = 0  # connections whose last answer was begun
        self.has_dripped: Callable[[], object] = lambda: None
        self._answers = answers
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=10)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                try:
                    self._talk(connection)
                except OSError:
                    continue  # it was cut off, as it should be

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        for number, (wanted, answer) in enumerate(self._answers, start=1):
            heard = b""
            while wanted not in heard.upper():
                data = connection.recv(65536)
                if not data:
                    return
                heard += data
            is_last = number == len(self._answers)
            self.answered += is_last
            for piece_number, piece in enumerate(answer(), start=1):
                connection.sendall(piece)
                if is_last and piece_number == PIECES:
                    self.has_dripped()
                if is_last and self._over.wait(PACE):
                    return


def whole(text: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: iter([text])


def dripped(*, first: bytes, then: bytes) -> Callable[[], Iterator[bytes]]:
    """`first` in one piece, then `then` byte by byte, again and again."""
    return lambda: chain([first], (bytes([byte]) for byte in cycle(then)))


GREETED = (b"", whole(b"220 mail.test\r\n"))
ENVELOPE = (
    (b"EHLO", whole(b"250 mail.test\r\n")),
    (b"MAIL", whole(b"250 ok\r\n")),
    (b"RCPT", whole(b"250 ok\r\n")),
    (b"RCPT", whole(b"250 ok\r\n")),
    (b"DATA", whole(b"354 go\r\n")),
)


Serve = Callable[..., Dripper]


@pytest.fixture
def served() -> Iterator[Serve]:
    made: list[Dripper] = []

    def serve(*answers: tuple[bytes, Callable[[], Iterator[bytes]]]) -> Dripper:
        made.append(Dripper(*answers))
        return made[-1]

    yield serve
    for one in made:
        one.close()


@pytest.fixture
def served_until(served: Serve, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """As `served`; the deadline passes once a server has dripped for a while, however busy the machine is."""
    deadlines: list[Deadline] = []

    def far(seconds: float) -> Deadline:
        deadlines.append(Deadline(1000 * seconds))
        return deadlines[-1]

    def serve(*answers: tuple[bytes, Callable[[], Iterator[bytes]]]) -> Dripper:
        made = served(*answers)
        made.has_dripped = lambda: deadlines[-1]._cut()
        return made

    monkeypatch.setattr(sending, "Deadline", far)
    return serve


def within(seconds: float, server: Dripper, way: Channel, settings: NoticeSettings, folder: Path) -> None:
    """Sending ends, by a refusal, while the server still drips."""
    began = time.monotonic()
    with pytest.raises(sending.UnsentError):
        sending.send(SAID, way, settings, folder, AT)
    assert time.monotonic() - began < seconds
    assert server.answered == 1


def hooked(server: Dripper) -> NoticeSettings:
    return NoticeSettings(webhook=f"http://127.0.0.1:{server.port}/it")


def mailed(server: Dripper, **more: Any) -> NoticeSettings:
    return NoticeSettings(**{"smtp": "127.0.0.1", "port": server.port, "tls": "none", **MAIL, **more})


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b"HTTP/1.1 200 OK"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 500 ", b"so sorry "),
    ],
    ids=["its first line", "without end", "an error"],
)
def test_a_webhook_that_drips_is_cut_off_at_the_deadline(
    served_until: Serve, tmp_path: Path, first: bytes, then: bytes
) -> None:
    server = served_until((b"\r\n\r\n", dripped(first=first, then=then)))
    within(LONG, server, "webhook", hooked(server), tmp_path)


@pytest.mark.parametrize("way", ["webhook", "email"])
def test_the_deadline_is_one_of_seconds(
    served: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Channel
) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_SECONDS", SECONDS)
    server = served((b"\r\n\r\n" if way == "webhook" else b"", dripped(first=b"", then=b"2")))
    began = time.monotonic()
    within(LONG, server, way, hooked(server) if way == "webhook" else mailed(server), tmp_path)
    assert time.monotonic() - began >= SECONDS


def test_a_webhook_that_said_yes_and_then_drips_has_taken_it(served_until: Serve, tmp_path: Path) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"
    server = served_until((b"\r\n\r\n", dripped(first=said, then=b"o")))
    began = time.monotonic()
    sending.send(SAID, "webhook", hooked(server), tmp_path, AT)
    assert time.monotonic() - began < LONG


@pytest.mark.parametrize(
    "answers",
    [
        [(b"", dripped(first=b"", then=b"220-mail.test\r\n"))],
        [GREETED, (b"EHLO", dripped(first=b"250-mail.test\r\n", then=b"250-SIZE 1\r\n"))],
        [GREETED, *ENVELOPE, (b"\r\n.\r\n", dripped(first=b"", then=b"250-nearly there\r\n"))],
    ],
    ids=["greeting", "what it can", "yes"],
)
def test_a_mail_server_that_drips_is_cut_off_at_the_deadline(
    served_until: Serve, tmp_path: Path, answers: list[Any]
) -> None:
    server = served_until(*answers)
    within(LONG, server, "email", mailed(server), tmp_path)


def test_a_mail_server_that_floods_is_heard_no_further_than_its_share(served: Serve, tmp_path: Path) -> None:
    line = b"250-" + b"x" * 60 + b"\r\n"
    given = 0

    def without_end() -> Iterator[bytes]:
        nonlocal given
        while True:
            given += len(line) * 1000
            yield line * 1000

    server = served(GREETED, (b"EHLO", without_end), (b"never", whole(b"")))
    with pytest.raises(sending.UnsentError):
        sending.send(SAID, "email", mailed(server), tmp_path, AT)
    assert sending.TALK_BYTES < given < 16 * 1024 * 1024, "what lies in the sockets' buffers, and no more"


def test_a_mail_server_that_has_taken_the_letter_and_drips_its_goodbye_has_taken_it(
    served_until: Serve, tmp_path: Path
) -> None:
    taken = (b"\r\n.\r\n", whole(b"250 taken\r\n"))
    for goodbye in (dripped(first=b"", then=b"221-bye\r\n"), dripped(first=b"500 no\r\n", then=b"x")):
        server = served_until(GREETED, *ENVELOPE, taken, (b"QUIT", goodbye))
        sending.send(SAID, "email", mailed(server), tmp_path, AT)
        assert server.answered == 1


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_handshake_that_drips_is_cut_off_at_the_deadline(
    served_until: Serve, tmp_path: Path, tls: str
) -> None:
    record = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"  # a server's hello of 16 KiB
    words = [
        GREETED,
        (b"EHLO", whole(b"250-mail.test\r\n250 STARTTLS\r\n")),
        (b"STARTTLS", whole(b"220 go\r\n")),
    ]
    begun = words if tls == "starttls" else []
    server = served_until(*begun, (b"\x16\x03", dripped(first=record, then=b"\x03")))
    within(sending.TIMEOUT / 2, server, "email", mailed(server, tls=tls), tmp_path)


def test_no_connection_is_begun_after_the_deadline(served: Serve) -> None:
    server = served(GREETED)
    passed = threading.Event()
    with Deadline(0.0) as deadline:
        passed.wait(0.01)
        with pytest.raises(TimeoutError):
            deadline.connect(("127.0.0.1", server.port), 20.0)


def test_what_ends_in_time_is_not_cut_off_later(served: Serve) -> None:
    server = served((b"", dripped(first=b"", then=b"x")))
    with Deadline(0.05) as deadline:
        connection = deadline.connect(("127.0.0.1", server.port), 20.0)
    began = time.monotonic()
    with connection:
        while time.monotonic() - began < 0.2:
            assert connection.recv(1) == b"x"


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "n.db", (waiting.add_table,))
    yield made
    made.close()


def put(writer: Writer, number: int, settings: NoticeSettings, now: float = 1000.0) -> None:
    said = Notice(f"n-{number}", "silent", "Silent.", {"event": "silent"})
    writer.run(lambda connection: waiting.put(connection, said, settings, now))


def states(writer: Writer) -> dict[str, str]:
    return writer.run(
        lambda connection: dict(
            connection.execute(
                "SELECT id || '/' || CAST(way AS TEXT), state FROM notices WHERE way IN ('email', 'webhook')"
            ).fetchall()
        )
    )


def test_a_webhook_that_drips_holds_up_no_letter_and_is_tried_once_a_look(
    served: Serve, served_until: Serve, writer: Writer, tmp_path: Path
) -> None:
    slow = served_until((b"\r\n\r\n", dripped(first=b"", then=b"HTTP/1.1 200 OK")))
    talk = (GREETED, *ENVELOPE, (b"\r\n.\r\n", whole(b"250 ok\r\n")), (b"QUIT", whole(b"221 bye\r\n")))
    mail = served(*talk)
    both = NoticeSettings(
        smtp="127.0.0.1", port=mail.port, tls="none", webhook=f"http://127.0.0.1:{slow.port}/", **MAIL
    )
    now = [1000.0]
    for number in range(30):
        put(writer, number, both)
    sender = courier.Courier(writer, both, tmp_path, lambda: now[0])
    sent = 0
    for _ in range(6):
        sent += sender.look()
        now[0] += 61
    assert sent == 30
    assert slow.answered == 6
    assert {state for key, state in states(writer).items() if key.endswith("email")} == {"sent"}


SPOIL: dict[str, tuple[str, tuple[Any, ...], str]] = {
    "no JSON": ("notice = ?", ("{",), "notice_unreadable"),
    "another shape": ("notice = ?", ('{"id": 7}',), "notice_unreadable"),
    "nested without end": ("notice = ?", ('{"x":' + "[" * 100_000,), "notice_unreadable"),
    "no text": ("notice = CAST(? AS TEXT)", (b'{"id":"\xff\xfe"}',), "notice_unreadable"),
    "a BLOB": ("notice = ?", (b"\x00\xff",), "notice_unreadable"),
    "no way": ("way = ?", ("pigeon",), "way_unknown"),
    "a way that is no text": ("way = CAST(? AS TEXT)", (b"\xff",), "way_unknown"),
    "no time": ("at = ?", ("yesterday",), "numbers_unreadable"),
    "an endless time": ("at = ?", (float("inf"),), "numbers_unreadable"),
    "no number": ("tries = ?", ("often",), "numbers_unreadable"),
    "too large a number": ("tries = ?", (2**63 - 1,), "numbers_unreadable"),
    "a BLOB for when": ("next = ?, tries = 'x'", (b"\xff",), "numbers_unreadable"),
    "no id": ("id = CAST(? AS TEXT), notice = ''", (b"\xff",), "notice_unreadable"),
}


@pytest.mark.parametrize("name", SPOIL)
def test_a_spoilt_row_is_set_aside_with_its_reason_and_the_others_are_sent(
    served: Serve, writer: Writer, tmp_path: Path, name: str
) -> None:
    server = served((b"\r\n\r\n", whole(b"HTTP/1.1 204 No Content\r\n\r\n")))
    settings = hooked(server)
    for number in range(3):
        put(writer, number, settings)
    change, values, reason = SPOIL[name]
    writer.run(lambda own: own.execute(f"UPDATE notices SET {change} WHERE id = 'n-1'", values))  # noqa: S608 - of the table above
    sender = courier.Courier(writer, settings, tmp_path, lambda: 1000.0)
    assert sender.look() == 2
    assert writer.run(lambda own: waiting.spoilt(own, 0.0)) == {reason: 1}
    assert sender.look() == 0, "it is not looked at again"
    assert writer.run(lambda own: waiting.spoilt(own, 1001.0)) == {}, "and shown for a while"
    writer.run(lambda own: waiting.prune(own, 1001.0 + waiting.KEPT))
    assert writer.run(lambda own: own.execute("SELECT count(*) FROM notices").fetchone()) == (0,)


def test_the_thread_goes_on_after_what_nobody_foresaw(
    served: Serve, writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served((b"\r\n\r\n", whole(b"HTTP/1.1 204 No Content\r\n\r\n")))
    monkeypatch.setattr(courier, "LOOK_SECONDS", 0.01)
    settings, broken = hooked(server), threading.Event()

    def clock() -> float:
        if not broken.is_set():
            broken.set()
            raise ZeroDivisionError
        return 1000.0

    put(writer, 1, settings)
    sender = courier.Courier(writer, settings, tmp_path, clock)
    sender.start()
    end = time.monotonic() + 10
    while states(writer) != {"n-1/webhook": "sent"}:
        assert time.monotonic() < end
        broken.wait(0.01)
    sender.stop()


def test_one_notice_that_breaks_the_program_keeps_no_other(
    served: Serve, writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served((b"\r\n\r\n", whole(b"HTTP/1.1 204 No Content\r\n\r\n")))
    settings, now, made = hooked(server), [1000.0], sending.body_of

    def fragile(notice: Notice, at: Any) -> bytes:
        if notice.id == "n-0":
            raise KeyError(notice.id)
        return made(notice, at)

    monkeypatch.setattr(sending, "body_of", fragile)
    for number in range(3):
        put(writer, number, settings)
    sender = courier.Courier(writer, settings, tmp_path, lambda: now[0])
    assert sender.look() == 0
    now[0] += 61
    assert sender.look() == 2
    now[0] += 86_400
    sender.look()
    assert states(writer) == {"n-0/webhook": "given_up", "n-1/webhook": "sent", "n-2/webhook": "sent"}


def test_the_reasons_are_those_by_which_rows_are_counted() -> None:
    assert {reason for _, _, reason in SPOIL.values()} == set(waiting.SPOILT)
