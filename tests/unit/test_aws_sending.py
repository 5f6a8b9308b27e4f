"""Where requests to AWS-like clouds go: real servers on loopback, reached or not reached."""

import socket
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deltacloud.drivers import Credentials, ProviderTarget, Session, SessionCache, aws
from deltacloud.errors import InvalidParameters, ProviderError
from deltacloud.rpc.deadline import Deadline

HOST = "cloud.invalid"
"""A name no DNS has: what reaches it was told the address by us."""
EMPTY = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"


@contextmanager
def server(address="127.0.0.1", *, tls=None, status=200, location=""):
    """Serve and give the port and the list of what arrives."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(dict(self.headers))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(EMPTY)))
            self.end_headers()
            self.wfile.write(EMPTY)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer((address, 0), Handler) as http:
        if tls is not None:
            http.socket = tls.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
        http.handle_error = lambda *_: None  # clients that refuse our certificate
        Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield http.server_address[1], seen
        http.shutdown()


def list_buckets(port, *addresses, scheme="http", deadline_s=10.0, **target):
    """Call a store that a client named ``cloud.invalid``, whose addresses were checked."""
    session = Session(
        driver="ec2",
        provider=ProviderTarget(
            name="lab", endpoint=f"{scheme}://{HOST}:{port}", is_trusted=False, addresses={HOST: addresses}, **target
        ),
        credentials=Credentials("AKIATEST", "secret"),
        deadline=Deadline.after(deadline_s),
        cache=SessionCache(),
    )
    with aws.calling(session, "s3") as s3:
        return s3.list_buckets()["Buckets"]


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_a_connection_goes_to_the_checked_address_and_asks_for_the_name():
    with server() as (port, seen):
        list_buckets(port, "127.0.0.1")

    assert [headers["Host"] for headers in seen] == [f"{HOST}:{port}"]


def test_the_next_checked_address_is_tried_when_nobody_listens_at_the_first():
    with server("127.0.0.3") as (port, seen):
        list_buckets(port, "127.0.0.1", "127.0.0.2", "127.0.0.3")

    assert len(seen) == 1


def test_a_cloud_that_listens_at_none_of_its_addresses_is_the_clouds_failure():
    with pytest.raises(ProviderError):
        list_buckets(unused_port(), "127.0.0.1", "127.0.0.2", deadline_s=1.0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_server_is_refused_and_takes_no_credentials_there(status):
    with server() as (other, seen), server(status=status, location=f"http://127.0.0.1:{other}/") as (port, asked):
        with pytest.raises((ProviderError, InvalidParameters)):
            list_buckets(port, "127.0.0.1")
        assert (len(asked), seen) == (1, [])


def test_no_proxy_of_the_environment_comes_between(monkeypatch):
    with server() as (proxy, seen_by_proxy), server() as (port, seen):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        list_buckets(port, "127.0.0.1")

    assert (len(seen), seen_by_proxy) == (1, [])


@pytest.mark.parametrize(
    ("certified", "is_trusted", "is_good"), [(HOST, True, True), ("other.invalid", True, False), (HOST, False, False)]
)
def test_tls_is_verified_against_the_name_and_the_operators_authority(tmp_path, certified, is_trusted, is_good):
    context, pem = _tls(tmp_path, certified)
    with server(tls=context) as (port, seen):
        if is_good:
            list_buckets(port, "127.0.0.1", scheme="https", ca_pem=pem)
        else:
            with pytest.raises(ProviderError, match="certificate"):
                list_buckets(port, "127.0.0.1", scheme="https", ca_pem=pem if is_trusted else None)
        assert len(seen) == is_good


def _tls(folder, host):
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
