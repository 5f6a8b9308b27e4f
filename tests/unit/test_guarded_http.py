"""Connections to untrusted clouds: real servers on loopback, reached or not reached."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import msgspec
import pytest
import requests
import urllib3
from botocore.config import Config
from botocore.exceptions import HTTPClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deltacloud.drivers import ProviderTarget
from deltacloud.drivers.http import Guard, guard_botocore, guard_manager, http_session
from deltacloud.errors import DeltacloudError, ForbiddenProvider
from deltacloud.providers.policy import Policy
from deltacloud.providers.resolve import check_target

HOST = "cloud.invalid"
"""A name no DNS has: what reaches it was told the address by us."""
TIMEOUT_S = 5


class Server:
    """An HTTP server that notes what it gets; ``location`` is where ``/moved`` redirects to."""

    def __init__(self, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.location = "/"
        self.status = 307
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.seen.append((self.path, dict(self.headers)))
                is_moved = self.path == "/moved"
                self.send_response(server.status if is_moved else 200)
                if is_moved:
                    self.send_header("Location", server.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET  # noqa: N815 - http.server's name

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer((address, 0), Handler)
        self._http.daemon_threads = True
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self._http.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that refuse our certificate
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    with ExitStack() as stack:

        def begin(*args: object) -> Server:
            server = Server(*args)  # type: ignore[arg-type]
            stack.callback(server.close)
            return server

        yield begin


@contextmanager
def session_of(target: ProviderTarget, *addresses: str) -> Iterator[requests.Session]:
    with http_session(target, resolve=lambda _host, _port: addresses) as session:
        yield session


def pinned(url: str, *allow: str, addresses: tuple[str, ...] = ("127.0.0.1",)) -> ProviderTarget:
    """Return the target of a client's URL whose name leads to these addresses."""
    policy = Policy(allow, resolve=lambda _host, _port: addresses)
    return check_target(ProviderTarget(name=url, endpoint=url), policy, allow)


def loopback(port: int, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.0/8:{port}"


def test_a_connection_goes_to_the_checked_address_and_asks_for_the_name(start: Callable[..., Server]) -> None:
    server = start()
    url = f"http://{HOST}:{server.port}"
    with session_of(pinned(url, loopback(server.port))) as session:
        assert session.get(f"{url}/v3", timeout=TIMEOUT_S).status_code == 200
    ((path, headers),) = server.seen
    assert (path, headers["Host"]) == ("/v3", f"{HOST}:{server.port}")


def test_a_name_that_is_rebound_after_the_check_changes_nothing(start: Callable[..., Server]) -> None:
    server, elsewhere = start(), start("127.0.0.2")
    url = f"http://{HOST}:{server.port}"
    with session_of(pinned(url, loopback(server.port)), "127.0.0.2") as session:
        session.get(url, timeout=TIMEOUT_S)
    assert (len(server.seen), elsewhere.seen) == (1, [])


def test_the_next_checked_address_is_tried_when_the_first_does_not_answer(start: Callable[..., Server]) -> None:
    server = start("127.0.0.2")
    url = f"http://{HOST}:{server.port}"
    with session_of(pinned(url, loopback(server.port), addresses=("127.0.0.1", "127.0.0.2"))) as session:
        assert session.get(url, timeout=TIMEOUT_S).ok


def test_a_server_that_is_down_is_an_ordinary_connection_error(start: Callable[..., Server]) -> None:
    server = start()
    server.close()
    url = f"http://{HOST}:{server.port}"
    with session_of(pinned(url, loopback(server.port))) as session, pytest.raises(requests.ConnectionError):
        session.get(url, timeout=TIMEOUT_S)


def test_another_port_of_the_same_host_is_checked_anew(start: Callable[..., Server]) -> None:
    server, hidden = start(), start()
    target = pinned(f"http://{HOST}:{server.port}", loopback(server.port))
    with session_of(target, "127.0.0.1") as session, pytest.raises(ForbiddenProvider):
        session.get(f"http://{HOST}:{hidden.port}/", timeout=TIMEOUT_S)
    assert hidden.seen == []


def test_a_service_catalogues_server_is_reached_if_the_policy_allows_it(start: Callable[..., Server]) -> None:
    server, other = start(), start()
    target = pinned(f"http://{HOST}:{server.port}", loopback(server.port), loopback(other.port))
    with session_of(target, "127.0.0.1") as session:
        assert session.get(f"http://nova.invalid:{other.port}/", timeout=TIMEOUT_S).ok
    with session_of(target, "169.254.169.254") as session, pytest.raises(ForbiddenProvider):
        session.get(f"http://nova.invalid:{other.port}/", timeout=TIMEOUT_S)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_server_is_refused_and_takes_no_credentials_there(
    start: Callable[..., Server], status: int
) -> None:
    server, other = start(), start()
    server.status, server.location = status, f"http://{HOST}:{other.port}/"
    url = f"http://{HOST}:{server.port}"
    target = pinned(url, loopback(server.port), loopback(other.port))
    with session_of(target, "127.0.0.1") as session, pytest.raises(ForbiddenProvider, match="redirects"):
        session.post(f"{url}/moved", data="secret", headers={"X-Auth-Token": "secret"}, timeout=TIMEOUT_S)
    assert other.seen == []


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/", "//127.0.0.1/", "ftp://x/", "http://[::1]/", "http://x@y/", "http://127.1/", "\\\\x"],
)
def test_a_redirect_to_a_forbidden_place_is_refused(start: Callable[..., Server], location: str) -> None:
    server = start()
    server.location = location
    url = f"http://{HOST}:{server.port}"
    with session_of(pinned(url, loopback(server.port)), "127.0.0.1") as session, pytest.raises(DeltacloudError):
        session.get(f"{url}/moved", timeout=TIMEOUT_S)
    assert len(server.seen) == 1


def test_a_trusted_clouds_redirect_to_another_server_is_refused_too(start: Callable[..., Server]) -> None:
    server, other = start(), start()
    server.location = f"http://127.0.0.1:{other.port}/"
    with session_of(ProviderTarget(name="lab")) as session, pytest.raises(ForbiddenProvider):
        session.get(f"http://127.0.0.1:{server.port}/moved", timeout=TIMEOUT_S)
    assert other.seen == []


@pytest.mark.parametrize("location", ["/there", "there", f"http://{HOST.upper()}.:PORT/there"])
def test_a_redirect_within_the_server_is_followed_with_what_was_sent(
    start: Callable[..., Server], location: str
) -> None:
    server = start()
    server.location = location.replace("PORT", str(server.port))
    url = f"http://{HOST}:{server.port}"
    with session_of(pinned(url, loopback(server.port))) as session:
        session.get(f"{url}/moved", headers={"Authorization": "Bearer x", "X-Auth-Token": "y"}, timeout=TIMEOUT_S)
    path, headers = server.seen[-1]
    assert (path, headers["Authorization"], headers["X-Auth-Token"]) == ("/there", "Bearer x", "y")


def test_no_proxy_of_the_environment_comes_between(
    start: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = start(), start()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    url = f"http://{HOST}:{server.port}"
    with session_of(pinned(url, loopback(server.port))) as session:
        session.get(url, timeout=TIMEOUT_S)
    assert (len(server.seen), proxy.seen) == (1, [])


def test_the_machines_netrc_is_nobodys_credentials(
    start: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = start()
    (tmp_path / "netrc").write_text("default login canary password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.location = "/there"
    with session_of(ProviderTarget(name="lab")) as session:
        session.trust_env = True
        session.get(f"http://127.0.0.1:{server.port}/moved", timeout=TIMEOUT_S)
    assert [path for path, _ in server.seen] == ["/moved", "/there"]
    assert not any("Authorization" in headers for _, headers in server.seen)


def test_tls_is_verified_against_the_name_and_the_operators_authority(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    right, pem = _tls(tmp_path, HOST)
    wrong, wrong_pem = _tls(tmp_path, "other.invalid")
    for context, authority, is_good in ((right, pem, True), (wrong, wrong_pem, False), (right, None, False)):
        server = start("127.0.0.1", context)
        url = f"https://{HOST}:{server.port}"
        target = msgspec.structs.replace(pinned(url, loopback(server.port, "https")), ca_pem=authority)
        with session_of(target) as session:
            if is_good:
                assert session.get(url, timeout=TIMEOUT_S).ok
            else:
                with pytest.raises(requests.exceptions.SSLError):
                    session.get(url, timeout=TIMEOUT_S)
                assert server.seen == []


def test_a_urllib3_pool_manager_is_guarded_through_its_own_redirects(start: Callable[..., Server]) -> None:
    server, other = start(), start()
    url = f"http://{HOST}:{server.port}"
    with urllib3.PoolManager() as manager:
        guard_manager(manager, Guard(pinned(url, loopback(server.port)), resolve=lambda _host, _port: ["127.0.0.1"]))
        assert manager.request("GET", url, timeout=TIMEOUT_S, retries=False).status == 200
        server.location = f"http://127.0.0.1:{other.port}/"
        with pytest.raises(ForbiddenProvider):
            manager.request("GET", f"{url}/moved", timeout=TIMEOUT_S, retries=3)
    assert other.seen == []


def _s3(url: str) -> object:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def test_a_boto3_client_is_guarded_and_uses_no_proxy(
    start: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = start(), start()
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    url = f"http://{HOST}:{server.port}"
    client = _s3(url)
    guard_botocore(client, pinned(url, loopback(server.port)))
    client.get_object(Bucket="b", Key="k")  # type: ignore[attr-defined]
    assert [path for path, _ in server.seen] == ["/b/k"]
    assert proxy.seen == []


def test_a_boto3_client_cannot_be_sent_elsewhere(start: Callable[..., Server]) -> None:
    server, other = start(), start()
    client = _s3(f"http://127.0.0.1:{other.port}")
    guard_botocore(client, pinned(f"http://{HOST}:{server.port}", loopback(server.port)))
    with pytest.raises(HTTPClientError) as caught:
        client.get_object(Bucket="b", Key="k")  # type: ignore[attr-defined]
    assert isinstance(caught.value.kwargs["error"], ForbiddenProvider)
    assert other.seen == []


def test_a_trusted_boto3_client_is_left_as_it_is(start: Callable[..., Server]) -> None:
    server = start()
    url = f"http://127.0.0.1:{server.port}"
    client = _s3(url)
    guard_botocore(client, ProviderTarget(name="lab", endpoint=url))
    client.get_object(Bucket="b", Key="k")  # type: ignore[attr-defined]
    assert len(server.seen) == 1


def _tls(folder: Path, host: str) -> tuple[ssl.SSLContext, str]:
    """Return a server's TLS for a name, and the certificate that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    encodings = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / f"{host}.pem"
    path.write_bytes(key.private_bytes(*encodings) + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, pem.decode()
