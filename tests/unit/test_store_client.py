"""The gateway's client of stores: where it connects, whom it trusts, what it never does."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import threading
import time

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deltacloud.errors import AuthenticationFailed, DeadlineExceeded, InvalidRequest, ProviderError, ProviderTimeout
from deltacloud.models import Transfer
from deltacloud_gateway.blobs.source import Source
from deltacloud_gateway.blobs.store import opened
from harness.lying_store import lying_store

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: "x"\r\n\r\nok'


@pytest.fixture
def liar():
    with lying_store() as store:
        yield store


def _transfer(url, method="GET", **more):
    return Transfer(method=method, url=url, **{"expires_at": time.time() + 60, **more})


def _send(transfer, body=None, silence_s=5.0):
    async def run():
        async with opened() as store, store.send(transfer, silence_s=silence_s, body=body) as answer:
            return await answer.read()

    return asyncio.run(run())


def test_the_url_and_the_headers_are_sent_as_they_were_signed(liar):
    liar.answers(OK)
    _send(_transfer(f"{liar.url}/b/a%20b/../x%2F%c3%bc~?k=%2f", headers={"X-Amz-Date": "now", "Authorization": "sig"}))

    head = liar.heads[0].decode()
    assert head.startswith("GET /b/a%20b/../x%2F%c3%bc~?k=%2f HTTP/1.1\r\n")
    assert "X-Amz-Date: now\r\n" in head
    assert "Authorization: sig\r\n" in head
    assert not any(name in head for name in ("Accept-Encoding", "User-Agent", "Content-Type", "Cookie"))


def test_a_transfer_with_addresses_connects_to_them_and_to_no_other(liar):
    liar.answers(OK)
    port = liar.url.rpartition(":")[2]
    transfer = _transfer(f"http://store.unresolvable.example:{port}/b/../x", addresses=("127.0.0.1",))

    assert _send(transfer) == b"ok"
    head = liar.heads[0].decode()
    assert head.startswith("GET /b/../x HTTP/1.1\r\n")
    assert f"Host: store.unresolvable.example:{port}\r\n" in head
    with pytest.raises(ProviderError):
        _send(msgspec.structs.replace(transfer, addresses=("127.0.0.2",), url=transfer.url.replace(port, "9")))


def test_the_next_address_is_tried_when_nobody_listens_at_the_first(liar):
    liar.answers(OK)
    port = liar.url.rpartition(":")[2]

    assert _send(_transfer(f"http://store.example:{port}/x", addresses=("127.0.0.9", "127.0.0.1"))) == b"ok"


def test_a_transfer_that_expired_is_not_sent(liar):
    with pytest.raises(DeadlineExceeded):
        _send(_transfer(f"{liar.url}/x", expires_at=time.time() - 1))

    assert liar.heads == []


def test_words_of_a_refusal_mean_what_the_transfer_says(liar):
    liar.answers(b"HTTP/1.1 403 No\r\nContent-Length: 32\r\n\r\n<Code>SignatureDoesNot</Code>  ")

    with pytest.raises(AuthenticationFailed):
        _send(_transfer(f"{liar.url}/x", errors={"<Code>SignatureDoesNot</Code>": "authentication_failed"}))


def test_a_refusal_never_repeats_what_the_store_wrote(liar):
    liar.answers(b"HTTP/1.1 400 No\r\nContent-Length: 13\r\n\r\ncanary secret")

    with pytest.raises(InvalidRequest) as caught:
        _send(_transfer(f"{liar.url}/x"))
    assert "canary" not in str(caught.value)


def test_what_the_source_of_a_body_raises_is_raised_and_cuts_the_request_short(liar):
    ended = threading.Event()

    def behaviour(connection, head):
        received = head.partition(b"\r\n\r\n")[2]
        while piece := connection.recv(65536):
            received += piece
        assert len(received) < 1000
        ended.set()

    async def source():
        yield b"begin"
        await asyncio.sleep(0.1)
        raise InvalidRequest("cut short")

    liar.behaviour = behaviour
    transfer = _transfer(f"{liar.url}/x", "PUT", headers={"Content-Length": "1000"})
    with pytest.raises(InvalidRequest, match="cut short"):
        _send(transfer, source())
    assert ended.wait(5)


def test_a_store_that_takes_nothing_more_is_left(liar):
    liar.behaviour = lambda *_: liar.ended.wait(10)

    async def source():
        for _ in range(1000):
            yield b"x" * 1_000_000

    async def run():
        transfer = _transfer(f"{liar.url}/x", "PUT", headers={"Content-Length": "1000000000"})
        async with opened() as store:
            with pytest.raises(ProviderTimeout):
                async with store.send(transfer, silence_s=0.5, body=source()):
                    pass
            liar.ended.set()
            await asyncio.sleep(0.1)  # for the socket to close, which nothing tells

    asyncio.run(run())


def test_an_upload_that_moves_may_take_longer_than_the_silence_that_is_allowed(liar):
    def behaviour(connection, head):
        left = 10 - len(head.partition(b"\r\n\r\n")[2])
        while left:
            left -= len(connection.recv(left))
        connection.sendall(OK)

    async def source():
        for _ in range(10):
            await asyncio.sleep(0.15)
            yield b"x"

    liar.behaviour = behaviour
    assert _send(_transfer(f"{liar.url}/x", "PUT", headers={"Content-Length": "10"}), source(), silence_s=0.6) == b"ok"


@pytest.mark.parametrize("body", [b"abc", bytes(range(256)) * 8192], ids=["small", "a part of a blob"])
def test_a_body_at_hand_is_sent_again_when_a_kept_connection_turns_out_dead(liar, body):
    taken = []

    def behaviour(connection, head):
        received = head.partition(b"\r\n\r\n")[2]
        while len(received) < len(body):
            received += connection.recv(65536)
        taken.append(received)
        connection.sendall(OK)

    async def run():
        async with opened() as store:
            for _ in range(2):
                transfer = _transfer(f"{liar.url}/x", "PUT", headers={"Content-Length": str(len(body))})
                async with store.send(transfer, silence_s=5, body=body) as answer:
                    await answer.read()

    liar.behaviour = behaviour
    asyncio.run(run())
    assert len(liar.heads) == 2
    assert taken == [body, body]


# --- certificates


def _certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("store.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), private


@pytest.fixture
def secure(liar, tmp_path):
    certificate, private = _certificate()
    (tmp_path / "pem").write_bytes(private + certificate.encode())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "pem")
    liar.tls = context
    liar.answers(OK)
    return liar.url.replace("http:", "https:"), certificate


def test_a_private_ca_is_trusted_where_the_transfer_brings_it(secure):
    url, ca_pem = secure

    assert _send(_transfer(f"{url}/x", ca_pem=ca_pem)) == b"ok"
    with pytest.raises(ProviderError):
        _send(_transfer(f"{url}/x"))


def test_at_a_pinned_address_the_certificate_must_be_that_of_the_name(secure):
    url, ca_pem = secure
    port = url.rpartition(":")[2]

    right = _transfer(f"https://store.example:{port}/x", ca_pem=ca_pem, addresses=("127.0.0.1",))
    wrong = _transfer(f"https://other.example:{port}/x", ca_pem=ca_pem, addresses=("127.0.0.1",))
    assert _send(right) == b"ok"
    with pytest.raises(ProviderError):
        _send(wrong)


# --- the source of a body


async def _chunks(*chunks):
    for chunk in chunks:
        yield chunk


def test_a_body_is_taken_in_pieces_of_any_size_without_losing_or_adding_a_byte():
    async def run():
        source = Source(_chunks(b"abc", b"", b"defgh", b"i" * 600_000))
        assert await source.length_within(5) is None
        taken = [await source.take(4), b"".join([piece async for piece in source.pieces(2)])]
        rest = [piece async for piece in source.pieces()]
        assert await source.at_end()
        return taken, rest, source.count

    taken, rest, count = asyncio.run(run())
    assert taken == [b"abcd", b"ef"]
    assert b"".join(rest) == b"gh" + b"i" * 600_000
    assert max(map(len, rest)) <= 256 * 1024
    assert count == 600_008


@pytest.mark.parametrize(("size", "length"), [(3, 3), (4, 3), (2, None)])
def test_the_length_of_a_body_is_known_when_it_ends_within_what_is_gathered(size, length):
    async def run():
        source = Source(_chunks(b"ab", b"c"))
        return await source.length_within(size), await source.take(10)

    assert asyncio.run(run()) == (length, b"abc")
