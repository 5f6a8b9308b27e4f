"""Bad and slow clients over real sockets, and the server's end: nobody may break it, or keep it."""

import contextlib
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from harness import processes
from harness.ports import free_port
from harness.processes import Process
from harness.waiting import wait_until

LOGIN = "Authorization: Basic bW9ja3VzZXI6bW9ja3Bhc3N3b3Jk"
HEADER_TIMEOUT_S, BODY_TIMEOUT_S, FORM_TIMEOUT_S, DRAIN_S = 1.0, 1.0, 2.0, 2.0


class Server:
    """A running `deltacloudd` and raw connections to it."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port

    def connect(self, data: bytes = b"") -> socket.socket:
        """Return a connection on which these bytes were sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=15)
        connection.sendall(data)
        return connection

    def talk(self, data: bytes) -> bytes:
        """Send bytes on a connection and return all that comes until the server closes it."""
        with self.connect() as connection:
            with contextlib.suppress(ConnectionError):  # a refusal may come while bytes are still being sent
                connection.sendall(data)
            return read_all(connection)

    def still_serves(self) -> bool:
        """Whether a usual request is answered."""
        return status(self.talk(request("GET", "/api/realms"))) == 200


@contextlib.contextmanager
def running(folder: Path, **more: str) -> Iterator[Server]:
    port = free_port()
    environment = {
        "DELTACLOUD_MOCK_STORAGE": str(folder / "mock"),
        "DELTACLOUD_HEADER_TIMEOUT_S": str(HEADER_TIMEOUT_S),
        "DELTACLOUD_BODY_TIMEOUT_S": str(BODY_TIMEOUT_S),
        "DELTACLOUD_FORM_TIMEOUT_S": str(FORM_TIMEOUT_S),
        "DELTACLOUD_DRAIN_S": str(DRAIN_S),
        **more,
    }
    with processes.start(
        [sys.executable, "-m", "deltacloudd", "-p", str(port)],
        log=folder / "deltacloudd.log",
        env=environment,
        until=processes.answers(f"http://127.0.0.1:{port}/health/ready"),
    ) as process:
        yield Server(process, port)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for tests that do not end it."""
    with running(tmp_path_factory.mktemp("sockets")) as found:
        yield found


def request(method: str, target: str, *headers: str, body: bytes = b"", close: bool = True) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: dc.example", LOGIN, "Accept: application/xml", *headers]
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_all(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65_536):
            received += part
    return received


def status(answer: bytes) -> int | None:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else None


FORM = "Content-Type: application/x-www-form-urlencoded"


def test_a_body_that_is_cut_short_is_400_and_changes_nothing(server: Server) -> None:
    with server.connect(request("POST", "/api/keys", FORM, "Content-Length: 100", body=b"name=cut")) as connection:
        connection.shutdown(socket.SHUT_WR)
        answer = read_all(connection)

    assert status(answer) == 400
    assert status(server.talk(request("GET", "/api/keys/cut"))) == 404


@pytest.mark.parametrize(
    "body", [b"zz\r\nname=bad\r\n0\r\n\r\n", b"-5\r\nname=bad\r\n0\r\n\r\n", b"ffffffffffffffffff\r\nname=bad\r\n"]
)
def test_a_body_that_is_chunked_wrongly_is_400_and_changes_nothing(server: Server, body: bytes) -> None:
    answer = server.talk(request("POST", "/api/keys", FORM, "Transfer-Encoding: chunked", body=body))

    assert status(answer) == 400
    assert status(server.talk(request("GET", "/api/keys/bad"))) == 404


def test_a_chunked_form_is_a_form(server: Server) -> None:
    body = b"5\r\nname=\r\n7\r\nchunked\r\n0\r\n\r\n"

    answer = server.talk(request("POST", "/api/keys", FORM, "Transfer-Encoding: chunked", body=body))

    assert status(answer) == 201


def test_a_length_beside_chunks_cannot_smuggle_a_second_request(server: Server) -> None:
    smuggled = b"0\r\n\r\nGET /api/realms HTTP/1.1\r\nHost: x\r\n\r\n"
    headers = ("Transfer-Encoding: chunked", f"Content-Length: {len(smuggled)}")

    answer = server.talk(request("POST", "/api/keys", FORM, *headers, body=smuggled))

    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("how", ["Content-Length", "chunked"])
def test_a_form_that_is_too_large_is_413(server: Server, how: str) -> None:
    form = b"name=" + b"x" * 2 * 1024 * 1024
    if how == "chunked":
        sent = request("POST", "/api/keys", FORM, "Transfer-Encoding: chunked")
        sent += f"{len(form):x}\r\n".encode() + form + b"\r\n0\r\n\r\n"
    else:
        sent = request("POST", "/api/keys", FORM, f"Content-Length: {len(form)}", body=form)

    assert status(server.talk(sent)) == 413


def test_headers_of_a_megabyte_are_refused(server: Server) -> None:
    assert status(server.talk(request("GET", "/api/realms", "X-Long: " + "x" * 1024 * 1024))) == 431
    assert status(server.talk(request("GET", "/api/realms", *(f"X-{number}: y" for number in range(50_000))))) == 431
    assert server.still_serves()


def test_headers_somewhat_too_large_are_413_with_the_reason(server: Server) -> None:
    answer = server.talk(request("GET", "/api/realms", "X-Long: " + "x" * 70_000))

    assert status(answer) == 413
    assert b"65536" in answer


def test_an_endless_url_is_refused(server: Server) -> None:
    assert status(server.talk(request("GET", "/api/" + "x" * 1024 * 1024))) in {414, 431}


def test_a_client_that_dribbles_its_headers_is_cut_off(server: Server) -> None:
    begin = time.monotonic()
    with server.connect(b"GET /api/realms HTTP/1.1\r\nHost: x\r\n") as connection:
        answer = read_all(connection)

    assert answer == b""
    assert time.monotonic() - begin < HEADER_TIMEOUT_S + 5


def test_a_client_that_falls_silent_in_its_body_is_408(server: Server) -> None:
    with server.connect(request("POST", "/api/keys", FORM, "Content-Length: 100", body=b"name=")) as connection:
        answer = read_all(connection)

    assert status(answer) == 408


def test_a_client_that_sends_its_form_drop_by_drop_is_408(server: Server) -> None:
    with server.connect(request("POST", "/api/keys", FORM, "Content-Length: 1000")) as connection:
        dripping = Thread(target=_drip, args=(connection,))
        dripping.start()
        answer = read_all(connection)
        dripping.join()

    assert status(answer) == 408


def _drip(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        for _ in range(1000):
            connection.sendall(b"x")
            time.sleep(BODY_TIMEOUT_S / 5)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100,
        b"GET /a\x01b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    ],
)
def test_what_is_no_http_is_400_or_cut_off(server: Server, data: bytes) -> None:
    assert status(server.talk(data)) in {400, None}
    assert server.still_serves()


def test_many_clients_that_send_nothing_do_not_keep_others_out(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(server.connect(b"GET /api HTTP/1.1\r\n"))

        assert server.still_serves()


def test_a_connection_serves_many_requests(server: Server) -> None:
    data = request("GET", "/api/realms", close=False) * 3 + request("GET", "/api/realms")

    assert server.talk(data).count(b"HTTP/1.1 200 OK") == 4


def test_at_the_end_the_request_in_hand_is_answered_and_nothing_new_is_taken(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        form = b"name=late"
        sent = request("POST", "/api/keys", FORM, f"Content-Length: {len(form)}")
        with server.connect(sent + form[:5]) as connection, server.connect() as idle:
            wait_until(lambda: _in_flight(server) == 2, "the request to be in hand")
            idle.sendall(request("GET", "/api/realms", close=False))
            assert status(idle.recv(65_536)) == 200
            ending = Thread(target=server.process.terminate)
            ending.start()
            wait_until(lambda: _is_refused(server.port), "the port to be closed")
            connection.sendall(form[5:])
            answer = read_all(connection)
        ending.join()

    assert status(answer) == 201
    assert server.process.wait() == 0


def test_a_client_that_never_ends_cannot_keep_the_server(tmp_path: Path) -> None:
    endless = request("POST", "/api/keys", FORM, "Content-Length: 100", body=b"name=")
    patient = {"DELTACLOUD_BODY_TIMEOUT_S": "60", "DELTACLOUD_FORM_TIMEOUT_S": "60"}
    with running(tmp_path, **patient) as server, server.connect(endless):
        wait_until(lambda: _in_flight(server) == 2, "the request to be in hand")
        end = server.process.terminate()

    assert end.code == 0
    assert end.seconds < DRAIN_S + 5


@pytest.mark.parametrize("sent", ["GET /api/images", "POST /api/keys", "GET /api?force_auth=1"])
def test_a_client_that_hangs_up_frees_its_place_at_once(tmp_path: Path, sent: str) -> None:
    silent = {"DELTACLOUD_MOCK_FAULTS": "list_images: hang; create_key: hang, when=after; check_credentials: hang"}
    method, target = sent.split()
    form = b"name=left"
    lines = (FORM, f"Content-Length: {len(form)}") if method == "POST" else ()
    with running(tmp_path, DELTACLOUD_MAX_IN_FLIGHT="1", DELTACLOUD_DEADLINE_S="120", **silent) as server:
        with server.connect(request(method, target, *lines, body=form if lines else b"")):
            wait_until(lambda: _in_flight(server) == 2, "the request to be in hand")
            time.sleep(0.3)
            assert _in_flight(server) == 2
            assert status(server.talk(request("GET", "/api/realms"))) == 503
        wait_until(lambda: _in_flight(server) == 1, "the place to be free")

        assert server.still_serves()
        if method == "POST":
            assert status(server.talk(request("GET", "/api/keys/left"))) == 200


def test_an_address_that_is_taken_is_said_in_one_line(server: Server, tmp_path: Path) -> None:
    second = processes.start(
        [sys.executable, "-m", "deltacloudd", "-p", str(server.port)],
        log=tmp_path / "second.log",
        env={"DELTACLOUD_MOCK_STORAGE": str(tmp_path / "mock")},
    )
    with second:
        assert second.wait(timeout_s=30) == 2
    assert second.log_text().strip().count("\n") == 0
    assert str(server.port) in second.log_text()


def _in_flight(server: Server) -> int:
    """Return how many requests are in hand, this one included."""
    for line in server.talk(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").splitlines():
        if line.startswith(b"deltacloud_http_in_flight "):
            return int(float(line.split()[1]))
    return 0


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False
