"""What must not be done is refused clearly, tells no inside and changes nothing; over real sockets."""

import base64
import json
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from lxml import etree, html

from harness import processes
from harness.ports import free_port
from harness.processes import Process

pytestmark = pytest.mark.e2e

CANARY = "canary-5e1f"
LOGIN = ("mockuser", "mockpassword")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LISTS = ("instances", "images", "keys", "buckets", "storage_volumes", "addresses", "networks", "buckets/bucket1")
INSIDES = re.compile(
    r"Traceback|\.py\b|site-packages|(?<!::)\b[A-Z]\w+(Error|Exception)\b|botocore|starlette|pydantic|msgspec|"
    r"granian|sqlite|/(usr|home|root|tmp|opt|var)/"
)
TIMES = {"HEADER": 1.0, "BODY": 1.0, "FORM": 2.0}
"""Seconds of patience that the server is given with slow senders."""


class Answer(msgspec.Struct, frozen=True):
    """What came back; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> str:
        """The error's text, from whatever format it is in."""
        kind = self.headers["content-type"]
        if kind == "application/json":
            return str(json.loads(self.body)["message"])
        if kind == "text/html":
            return str(html.fromstring(self.body).xpath("string(//p[@class='error'])"))
        return str(etree.fromstring(self.body).findtext("message"))

    @property
    def backend(self) -> dict[str, str]:
        """The driver and the provider that an XML error names."""
        [found] = etree.fromstring(self.body).findall("backend")
        return {str(name): str(value) for name, value in found.attrib.items()}


class Server(msgspec.Struct, frozen=True):
    """A running `deltacloudd`, and requests as any client might send them."""

    process: Process
    port: int

    def connect(self, data: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.sendall(data)
        return connection

    def ask(
        self,
        method: str,
        target: str | bytes,
        headers: dict[str, str] | None = None,
        body: bytes | str = b"",
        *,
        login: tuple[str, str] | str | None = LOGIN,
        is_cut: bool = False,
    ) -> Answer:
        """Send a request just as it is written, end the stream there if it `is_cut`, and return the answer."""
        content = body.encode() if isinstance(body, str) else body
        given = {"Host": "dc.example", "Accept": "application/xml", "Connection": "close", **(headers or {})}
        if login is not None:
            given["Authorization"] = login if isinstance(login, str) else basic(":".join(login))
        if content and "Content-Length" not in given and "Transfer-Encoding" not in given:
            given["Content-Length"] = str(len(content))
        raw = target.encode() if isinstance(target, str) else target
        head = b"\r\n".join(f"{name}: {value}".encode() for name, value in given.items())
        with self.connect(method.encode() + b" " + raw + b" HTTP/1.1\r\n" + head + b"\r\n\r\n" + content) as connection:
            if is_cut:
                connection.shutdown(socket.SHUT_WR)
            return read(connection, method)

    def state(self) -> list[bytes]:
        """Return everything there is in the mock cloud."""
        return [self.ask("GET", f"/api/{name}").body for name in LISTS]


def read(connection: socket.socket, method: str = "GET") -> Answer:
    response = HTTPResponse(connection, method=method)
    with response:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


class Trap:
    """A server nobody should reach: what does reach it is written down. It sends a visitor of `/to` elsewhere."""

    def __init__(self) -> None:
        self.visits: list[str] = []
        self.target = ""
        trap = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                trap.visits.append(self.headers.get("Authorization", ""))
                self.send_response(307 if trap.target else 200)
                if trap.target:
                    self.send_header("Location", trap.target)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_PUT = do_POST  # noqa: N815 - the names that the base class looks for

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def trap() -> Iterator[Trap]:
    found = Trap()
    try:
        yield found
    finally:
        found.close()


class Clouds(msgspec.Struct, frozen=True):
    """Two servers a client may name as clouds, or try to: one is allowed, and redirects to the other."""

    allowed: Trap
    forbidden: Trap


@pytest.fixture(scope="module")
def clouds() -> Iterator[Clouds]:
    with trap() as allowed, trap() as forbidden:
        yield Clouds(allowed, forbidden)


@pytest.fixture(scope="module")
def server(clouds: Clouds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("bad-input"), free_port()
    allow = [
        f"http://127.0.0.1:{clouds.allowed.port}",
        f"http://localhost:{clouds.forbidden.port}",
        "https://*.cloud.example",
    ]
    (folder / "providers.yaml").write_text(json.dumps({"allow": allow}))
    settings = {f"DELTACLOUD_{name}_TIMEOUT_S": str(seconds) for name, seconds in TIMES.items()}
    with processes.start(
        [sys.executable, "-m", "deltacloudd", "-p", str(port), "--providers", str(folder / "providers.yaml")],
        log=folder / "log",
        env={"DELTACLOUD_MOCK_STORAGE": str(folder / "mock"), "DELTACLOUD_LOG_LEVEL": "debug", **settings},
        until=processes.answers(f"http://127.0.0.1:{port}/health/ready"),
    ) as process:
        yield Server(process, port)


@pytest.fixture(autouse=True)
def _nothing_is_changed_logged_or_reached(server: Server, clouds: Clouds) -> Iterator[None]:
    """After each test: the cloud is as it was, the server serves, and what was sent as a secret is in no log."""
    before = server.state()
    clouds.allowed.visits.clear()
    clouds.forbidden.visits.clear()
    yield
    assert server.state() == before
    assert clouds.forbidden.visits == []
    log = server.process.log_text()
    assert CANARY not in log
    assert base64.b64encode(CANARY.encode()).decode().rstrip("=")[:10] not in log
    assert "Traceback" not in log
    assert "request failed unexpectedly" not in log


def assert_refused(answer: Answer, status: int, *words: str) -> None:
    """The answer is this error, in XML unless asked otherwise, says these words, and nothing of the inside."""
    text = answer.body.decode()
    assert answer.status == status, text
    assert all(word in answer.message for word in words), answer.message
    assert INSIDES.search(text) is None, text
    assert CANARY not in text + str(answer.headers)
    assert "mockpassword" not in text
    assert answer.headers["x-request-id"]


EC2 = {"X-Deltacloud-Driver": "ec2"}
KEYS = ("AKIACANARY", CANARY)

METADATA = [
    "http://169.254.169.254",
    "http://169.254.169.254/latest/meta-data",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
    "http://169.254.43518",
    "http://[::ffff:169.254.169.254]",
    "http://[::ffff:a9fe:a9fe]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[fd00:ec2::254]",
    "http://metadata.google.internal",
    "http://169.254.169.254.",
    "http://user@169.254.169.254",
    "http://169\u3002254\u3002169\u3002254",
    "http://169.254.169.254:80%2f@good.cloud.example",
    "http://good.cloud.example@169.254.169.254",
    "HTTP://169.254.169.254:80",
    "https://100.100.100.200",
]
LOOPBACK = [
    "http://127.0.0.1:{port}",
    "http://127.1:{port}",
    "http://2130706433:{port}",
    "http://0177.0.0.1:{port}",
    "http://0:{port}",
    "http://0.0.0.0:{port}",
    "http://[::1]:{port}",
    "http://[::]:{port}",
    "http://[::ffff:127.0.0.1]:{port}",
    "http://localhost:{port}",
    "http://LOCALHOST.:{port}",
    "http://localhost.localdomain:{port}",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/",
    "http://",
    "http://:{port}",
]


@pytest.mark.parametrize("url", METADATA)
def test_the_metadata_address_is_refused_in_every_spelling(server: Server, url: str) -> None:
    answer = server.ask("GET", "/api/instances", {**EC2, "X-Deltacloud-Provider": url}, login=KEYS)

    assert_refused(answer, 400)


@pytest.mark.parametrize("url", LOOPBACK)
def test_loopback_is_refused_in_every_spelling_and_not_reached(server: Server, clouds: Clouds, url: str) -> None:
    named = url.format(port=clouds.forbidden.port)

    for path in ("/api/instances", "/api/buckets"):
        answer = server.ask("GET", path, {**EC2, "X-Deltacloud-Provider": named}, login=KEYS)
        assert_refused(answer, 400)


def test_a_refused_url_is_named_with_what_to_do(server: Server) -> None:
    answer = server.ask("GET", "/api/instances", {**EC2, "X-Deltacloud-Provider": "http://10.0.0.1:80"}, login=KEYS)

    assert_refused(answer, 400, "http://10.0.0.1", "providers file", "nothing was sent")
    assert answer.backend == {"driver": "ec2", "provider": "http://10.0.0.1:80"}


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:{port}/", "http://169.254.169.254/latest/", "http://[::1]:{port}"]
)
@pytest.mark.parametrize("path", ["/api/instances", "/api/buckets"])
def test_an_allowed_cloud_that_redirects_elsewhere_is_not_followed(
    server: Server, clouds: Clouds, location: str, path: str
) -> None:
    clouds.allowed.target = location.format(port=clouds.forbidden.port)
    cloud = f"http://127.0.0.1:{clouds.allowed.port}"

    answer = server.ask("GET", path, {**EC2, "X-Deltacloud-Provider": cloud}, login=KEYS)

    assert clouds.allowed.visits
    assert answer.status in {403, 502}
    assert_refused(answer, answer.status)


def test_an_unknown_driver_is_told_what_there_is(server: Server) -> None:
    answer = server.ask("GET", "/api/instances", {"X-Deltacloud-Driver": "nimbus"})

    assert_refused(answer, 400, "'nimbus'", "ec2, mock", "X-Deltacloud-Driver")


def test_an_unknown_provider_is_told_what_there_is(server: Server) -> None:
    answer = server.ask("GET", "/api/instances", {**EC2, "X-Deltacloud-Provider": "atlantis"}, login=KEYS)

    assert_refused(answer, 400, "ec2", "'atlantis'", "eu-west-1")


@pytest.mark.parametrize(
    "login",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic %%%%",
        f"Basic {base64.b64encode(b'no-colon-' + CANARY.encode()).decode()}",
        f"Basic {CANARY}!",
        f"Bearer {CANARY}",
        f"Digest username={CANARY}",
        "Basic " + "A" * 65_000,
    ],
    ids=lambda value: str(value)[:20],
)
def test_credentials_that_are_missing_or_malformed_are_challenged(server: Server, login: str | None) -> None:
    answer = server.ask("POST", "/api/instances", FORM, "image_id=img1", login=login)

    assert_refused(answer, 401)
    assert answer.headers["www-authenticate"].startswith('Basic realm="mock-deltacloud@')


def test_credentials_of_64_kib_are_refused(server: Server) -> None:
    answer = server.ask("GET", "/api/instances", login=basic(f"{CANARY}:" + "p" * 65_536))

    assert_refused(answer, 413, "65536")


@pytest.mark.parametrize("login", [("mockuser", CANARY), ("", ""), ("mockuser", "\0"), (CANARY * 300, "x")])
def test_wrong_credentials_are_refused_and_repeated_nowhere(server: Server, login: tuple[str, str]) -> None:
    assert_refused(server.ask("GET", "/api/instances", login=login), 401)


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/api/instances?format=yaml", {}),
        ("/api/instances?format=", {}),
        ("/api/instances?format=xml%00", {}),
        ("/api/instances?format=" + "x" * 4000, {}),
        ("/api/instances", {"Accept": "application/pdf"}),
        ("/api/instances", {"Accept": "text/html;q=0"}),
    ],
)
def test_an_unknown_format_is_told_which_there_are(server: Server, target: str, headers: dict[str, str]) -> None:
    answer = server.ask("GET", target, headers)

    assert_refused(answer, 406, "xml, json, html")
    assert answer.headers["content-type"] == "application/xml"


@pytest.mark.parametrize(
    ("target", "form", "words"),
    [
        ("/api/instances", "", ["image_id"]),
        ("/api/instances", "image_id=img1&hwp_id=nosuch", ["nosuch"]),
        ("/api/instances", "image_id=img1&instance_count=-1", ["instance_count"]),
        ("/api/instances", "image_id=img1&instance_count=many", ["instance_count"]),
        ("/api/keys", "", ["name"]),
        ("/api/keys", "name=%00", ["name"]),
        ("/api/buckets", "name=..%2F..%2Fetc", []),
        ("/api/buckets", "name=" + "x" * 4096, ["name"]),
        ("/api/storage_volumes/vol1/attach", "", ["instance_id"]),
        ("/api/keys", "name=%ff%fe", []),
        ("/api/keys", b"name=\xff\xfe", []),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str | bytes) else None,
)
def test_parameters_that_are_missing_or_wrong_are_named(
    server: Server, target: str, form: str | bytes, words: list[str]
) -> None:
    answer = server.ask("POST", target, {**FORM, "Accept": "application/json"}, form)

    assert answer.status in {400, 404}
    assert_refused(answer, answer.status, *words)


def test_a_secret_parameter_is_not_repeated_in_the_error_about_another(server: Server) -> None:
    answer = server.ask("POST", "/api/instances", FORM, f"password={CANARY}&private_key={CANARY}&user_data={CANARY}")

    assert_refused(answer, 400, "image_id")


IDS = {
    "a slash": "a%2Fb",
    "a path upwards": "..%2F..%2F..%2Fetc%2Fpasswd",
    "dots": "..",
    "a dot": ".",
    "encoded dots": "%2e%2e",
    "twice encoded": "%252e%252e%252f",
    "a NUL": "inst1%00",
    "a line break": "inst1%0d%0aX-Evil:%20yes",
    "4 KiB": "x" * 4096,
    "no UTF-8": "%ff%fe",
    "an overlong slash": "..%c0%af..%c0%afetc",
    "a broken escape": "%zz",
    "an escape cut short": "inst%2",
    "a backslash": "..%5c..%5cetc",
    "markup": "%3Cscript%3E",
    "a format string": "%25s%25n{0}",
    "SQL": "x'%20OR%20'1'='1",
    "a wildcard": "*",
    "blanks": "%20",
    "right to left": "%E2%80%AEtsni",
}


@pytest.mark.parametrize("identifier", IDS.values(), ids=IDS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "instances/{}"),
        ("DELETE", "instances/{}"),
        ("POST", "instances/{}/stop"),
        ("DELETE", "keys/{}"),
        ("DELETE", "buckets/{}"),
        ("GET", "buckets/bucket1/{}/content"),
        ("DELETE", "buckets/bucket1/{}"),
    ],
)
def test_an_odd_id_is_no_way_to_anything(server: Server, method: str, path: str, identifier: str) -> None:
    answer = server.ask(method, "/api/" + path.format(identifier))

    assert answer.status in {400, 404, 405}
    assert_refused(answer, answer.status)
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("target", [b"/api/instances/\xff\xfe", "/api/instances/ü".encode(), b"/api/key\xc3"])
def test_raw_bytes_in_a_url_are_refused(server: Server, target: bytes) -> None:
    answer = server.ask("GET", target)

    assert answer.status in {400, 404}
    assert INSIDES.search(answer.body.decode()) is None


@pytest.mark.parametrize(
    "target", ["/api//instances", "/api/instances//", "/api/../api/instances", "/API/instances", "//api"]
)
def test_a_url_that_is_almost_right_is_not_found(server: Server, target: str) -> None:
    assert_refused(server.ask("GET", target), 404)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PUT", "/api/instances"),
        ("PATCH", "/api/instances/inst1"),
        ("DELETE", "/api/instances"),
        ("POST", "/api/realms"),
        ("GET", "/api/instances/inst1/stop"),
        ("TRACE", "/api/instances"),
        ("CONNECT", "/api/instances"),
        ("BREW", "/api/instances"),
        ("DELETE", "/api"),
        ("POST", "/health/live"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(server: Server, method: str, target: str) -> None:
    answer = server.ask(method, target)

    assert_refused(answer, 405)
    assert "GET" in answer.headers["allow"] or "POST" in answer.headers["allow"]


@pytest.mark.parametrize("target", ["/api/keys", "/api/buckets/bucket1/cut"])
def test_a_body_that_is_cut_short_leaves_nothing(server: Server, target: str) -> None:
    method = "POST" if target == "/api/keys" else "PUT"
    answer = server.ask(method, target, {**FORM, "Content-Length": "100"}, "name=cut", is_cut=True)

    assert_refused(answer, 400, "cut short")


@pytest.mark.parametrize(
    "body", [b"zz\r\nname=bad\r\n0\r\n\r\n", b"-5\r\nname=bad\r\n", b"8\r\nname=b", b"ffffffffffffffffff\r\nx"]
)
@pytest.mark.parametrize(("method", "target"), [("POST", "/api/keys"), ("PUT", "/api/buckets/bucket1/bad")])
def test_a_body_that_is_chunked_wrongly_leaves_nothing(server: Server, method: str, target: str, body: bytes) -> None:
    answer = server.ask(method, target, {**FORM, "Transfer-Encoding": "chunked"}, body, is_cut=True)

    assert_refused(answer, 400)


@pytest.mark.parametrize(
    ("length", "status"), [("-1", 400), ("1e3", 400), ("99999999999999999999999", 400), ("5, 6", 400), ("0x5", 400)]
)
def test_a_length_that_is_none_is_refused(server: Server, length: str, status: int) -> None:
    answer = server.ask("POST", "/api/keys", {**FORM, "Content-Length": length}, "name=", is_cut=True)

    assert answer.status in {status, 413}
    assert INSIDES.search(answer.body.decode()) is None


def test_a_form_that_is_too_large_is_told_the_bound(server: Server) -> None:
    answer = server.ask("POST", "/api/keys", {**FORM, "Content-Length": str(2**31)}, "name=")

    assert_refused(answer, 413, "1048576")


def test_a_form_of_too_many_fields_is_told_the_bound(server: Server) -> None:
    answer = server.ask("POST", "/api/keys", FORM, "&".join(f"f{number}=1" for number in range(5000)))

    assert_refused(answer, 400, "1000")


def test_headers_of_a_megabyte_are_refused(server: Server) -> None:
    with server.connect(b"") as connection:
        try:
            connection.sendall(b"GET /api HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 2**20 + b"\r\n\r\n")
        except ConnectionError:
            return
        assert read(connection).status in {413, 431}


@pytest.mark.parametrize("value", ["x" * 1025, "a\tb", "ü\u2028"])
@pytest.mark.parametrize("header", ["X-Deltacloud-Driver", "X-Deltacloud-Provider"])
def test_a_selection_that_is_no_name_is_refused(server: Server, header: str, value: str) -> None:
    assert_refused(server.ask("GET", "/api/instances", {header: value}), 400)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Deltacloud-Deadline": "soon"},
        {"X-Deltacloud-Deadline": "-1"},
        {"X-Deltacloud-Deadline": "nan"},
        {"Idempotency-Key": "x" * 129},
        {"Host": "evil.example/<script>"},
        {"X-Forwarded-Host": "evil example"},
    ],
)
def test_a_header_of_ours_that_is_malformed_is_refused(server: Server, headers: dict[str, str]) -> None:
    assert_refused(server.ask("GET", "/api/instances", headers), 400)


@pytest.mark.parametrize(("accept", "kind"), [("application/json", "application/json"), ("text/html", "text/html")])
def test_errors_are_told_in_the_format_asked_for(server: Server, accept: str, kind: str) -> None:
    wanted = {"Accept": accept}
    answers = {
        404: server.ask("GET", "/api/instances/nosuch", wanted),
        401: server.ask("GET", "/api/instances", wanted, login=None),
        405: server.ask("PUT", "/api/instances", wanted),
        400: server.ask("POST", "/api/instances", {**wanted, **FORM}, "name=x"),
        413: server.ask("POST", "/api/instances", {**wanted, **FORM, "Content-Length": "99999999"}, "name=x"),
    }

    for status, answer in answers.items():
        assert_refused(answer, status)
        assert answer.headers["content-type"] == kind
        assert answer.headers["x-deltacloud-driver"] == "mock"


def test_an_xml_error_names_driver_provider_and_request(server: Server) -> None:
    answer = server.ask("GET", "/api/instances/nosuch", {"X-Deltacloud-Provider": "here"})

    assert_refused(answer, 404, "nosuch")
    assert answer.backend == {"driver": "mock", "provider": "here"}
    assert etree.fromstring(answer.body).get("url") == "/api/instances/nosuch"


def test_a_slow_sender_is_let_go_while_others_are_served(server: Server) -> None:
    head = f"POST /api/keys HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(':'.join(LOGIN))}\r\n"
    form = "Content-Length: 100\r\n\r\nname="
    with server.connect(b"GET /api HTTP/1.1\r\nHost:") as dribbling, server.connect((head + form).encode()) as silent:
        assert server.ask("GET", "/api/realms").status == 200
        assert_refused(read(silent), 408)
        assert dribbling.recv(100) == b""


def test_xml_with_entities_is_no_form_and_reads_no_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(CANARY)
    bomb = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]><a>&x;</a>'

    assert_refused(server.ask("POST", "/api/keys", {"Content-Type": "application/xml"}, bomb), 400)
